#!/usr/bin/env python3
"""What the stages refine and transfer have in common in their tables: reasons and numbers."""

import numpy as np
import pandas as pd

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# A contig without a bin is `unlike` all bins from this probability of none on, else `ambiguous`.
MIN_UNLIKE_PROBABILITY = 0.5


def why_in_none(none: pd.Series) -> np.ndarray:
    """Return why contigs are in no bin, from their probabilities of belonging to none (n): `unlike` or `ambiguous`."""
    return np.where(none >= MIN_UNLIKE_PROBABILITY, "unlike", "ambiguous").astype(object)


def count_table(table: pd.DataFrame, n_edges: int) -> dict[str, int | dict[str, int]]:
    """Return the numbers of refinement.json, from the rows of refinement.tsv."""
    return {
        "contigs": len(table),
        "contigs_in_graph": int(table["in_graph"].sum()),
        "edges": n_edges,
        "labels": len(set(table["initial"]) - {""}),
        "labels_merged": len(set(table["merged"]) - {""}),
        "labelled": {step: int((table[step] != "").sum()) for step in ("initial", "merged", "unlinked", "final")},
        **table["reason"].str.split(",").explode().value_counts().sort_index().to_dict(),
    }
