#!/usr/bin/env python3
"""Which contigs of a group the report's pictures show, what they call the bins, and the table of places by UMAP.

Two stages choose here, so that each contig that one shows has a place by the other. Few are shown, whatever the size of
the group.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from principal_components import choose_points
from stage_arrays import ABUNDANCE, LATENT, TNF, read_matrix
from table_columns import Table, real, text

# Dots of contigs in a picture: so many of each of the largest bins, of all other bins, and of those in none
N_COLOURED_BINS, DOTS_OF_BIN, DOTS_OF_OTHERS, DOTS_OF_NONE = 7, 25, 75, 50
OTHER, NONE = "other bins", "in no bin"
OTHER_CLUSTERS, NO_CLUSTER = "other clusters", "in no cluster"  # of genes
QUOTAS = dict.fromkeys((OTHER, OTHER_CLUSTERS), DOTS_OF_OTHERS) | dict.fromkeys((NONE, NO_CLUSTER), DOTS_OF_NONE)
MATRICES = {matrix.name: matrix for matrix in (TNF, ABUNDANCE, LATENT)}

UMAP_POINTS = Table(
    "umap_points/umap_points.tsv",
    "umap_points",
    (
        *text("contig"),
        *real("input_x", "input_y", least=-math.inf),
        *real("latent_x", "latent_y", least=-math.inf, may_be_empty=True),
    ),
    key=("contig",),
)


def largest_first(bins: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a bins.tsv by falling size."""
    return bins.sort_values("size", ascending=False, kind="stable")


def bins_of_rows(rows: pd.DataFrame, contigs: pd.DataFrame, contig2bin: pd.DataFrame, bins: pd.DataFrame) -> np.ndarray:
    """Return the bin of each row (n) as the picture names it: one of the largest, `other bins` or `in no bin`."""
    largest = largest_first(bins)["bin"].head(N_COLOURED_BINS)
    placed = contig2bin.drop_duplicates(["assembly", "contig"]).rename(columns={"contig": "name"})
    bin_of = contigs.merge(placed, on=["assembly", "name"]).set_index("contig")["bin"]
    found = rows["contig"].map(bin_of)
    return np.where(found.isna(), NONE, np.where(found.isin(largest), found, OTHER)).astype(str)


def clusters_of_rows(rows: pd.DataFrame, clusters: pd.DataFrame, gene_clusters: pd.DataFrame) -> np.ndarray:
    """Return the cluster of each gene (n) as the picture names it; gene_clusters.tsv has the largest first."""
    found = rows["contig"].map(clusters.set_index("contig")["cluster"])
    named = {name: f"cluster {name}" for name in gene_clusters["cluster"].head(N_COLOURED_BINS)}
    others = np.where(found.isna(), NO_CLUSTER, OTHER_CLUSTERS)
    return np.where(found.isin(list(named)), found.map(named).astype(object), others).astype(str)


def choose_rows(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the rows to show, and of all rows (n) in random order: the same for the same labels."""
    rng = np.random.default_rng(0)
    shown = choose_points(labels, QUOTAS | dict.fromkeys(sorted({*labels} - {*QUOTAS}), DOTS_OF_BIN), rng)
    return shown, rng.permutation(len(labels))


def read_values(paths: list[Path], rows: pd.DataFrame, rows_path: Path, chosen: np.ndarray) -> np.ndarray:
    """Return some rows (m x d) of arrays side by side; `chosen` has their numbers (m)."""
    parts = [read_matrix(MATRICES[path.name], path, rows["contig"], rows_path, rows=chosen) for path in paths]
    return np.hstack(parts)
