#!/usr/bin/env python3
"""How much of the assemblies is in bins: contigs and base pairs by what became of them, and by their length."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

# Bounds of the classes of lengths, bp: each class begins at one and ends before the next. From 500 bp on marker genes
# are searched for, from 2,000 bp on contigs are clustered, if nothing else is asked for.
LENGTH_BOUNDS = (0, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
BINNED = "binned"


def fates(contigs: pd.DataFrame, contig2bin: pd.DataFrame, unbinned: pd.DataFrame) -> pd.Series:
    """Return what became of each contig of contigs.tsv: `binned`, or the reason in unbinned.tsv."""
    names = pd.MultiIndex.from_frame(contigs[["assembly", "name"]])
    reasons = unbinned.set_index(["assembly", "contig"])["reason"].reindex(names)
    is_binned = names.isin(pd.MultiIndex.from_frame(contig2bin[["assembly", "contig"]]))
    return pd.Series(np.where(is_binned, BINNED, reasons.fillna("unclustered")), index=contigs.index)


def counts(lengths: pd.Series, *keys: Iterable) -> dict[str, dict[str, list[int]]]:
    """Return number and base pairs of contigs by two keys, of which each has a value for each contig."""
    sums = lengths.groupby([pd.Series(list(key), index=lengths.index) for key in keys]).agg(["size", "sum"])
    found: dict[str, dict[str, list[int]]] = {}
    for (outer, inner), row in zip(sums.index, sums.to_numpy()):
        found.setdefault(str(outer), {})[str(inner)] = [int(value) for value in row]
    return found


def length_classes(lengths: pd.Series) -> np.ndarray:
    """Return the lower bound of the class of each length (n)."""
    return np.array(LENGTH_BOUNDS)[np.searchsorted(LENGTH_BOUNDS, lengths, side="right") - 1]
