#!/usr/bin/env python3
"""Find which bins of two binnings are the same: those that have at least half of the larger in common.

The preprint counts genes (Binning the Integrated Gene Catalogue, Table S5); of contigs the bases are counted.
"""

import pandas as pd

MIN_SHARED = 0.5  # of the larger of two bins


def common_bins(one: pd.DataFrame, other: pd.DataFrame, length: pd.Series) -> pd.DataFrame:
    """Return the common bins of two binnings: `bin_1`, `bin_2`, `size_1`, `size_2` and `shared` (bp).

    one, other: contig and bin, each pair once; length: bp by contig. Rows are in the order of the bins of `one`, the
    largest overlap first.
    """
    pairs = one.merge(other, on="contig", suffixes=("_1", "_2"))
    pairs = pairs.assign(shared=length.loc[pairs["contig"]].to_numpy())
    shared = pairs.groupby(["bin_1", "bin_2"], sort=False, as_index=False)["shared"].sum()
    for number, labels in (("1", one), ("2", other)):
        shared[f"size_{number}"] = shared[f"bin_{number}"].map(bin_sizes(labels, length))
    is_common = shared["shared"] >= MIN_SHARED * shared[["size_1", "size_2"]].max(axis=1)
    order = {name: number for number, name in enumerate(one["bin"].unique())}
    shared = shared.assign(order=shared["bin_1"].map(order))[is_common]
    common = shared.sort_values(["order", "shared"], ascending=[True, False], kind="stable", ignore_index=True)
    return common[["bin_1", "bin_2", "size_1", "size_2", "shared"]]


def bin_sizes(labels: pd.DataFrame, length: pd.Series) -> pd.Series:
    """Return the size (bp) of each bin, in their order; labels: contig and bin, length: bp by contig."""
    rows = labels.assign(length=length.loc[labels["contig"]].to_numpy())
    return rows.groupby("bin", sort=False)["length"].sum()


def corresponding(common: pd.DataFrame) -> pd.DataFrame:
    """Return of each bin of the first binning the common bin that shares most with it."""
    return common.drop_duplicates("bin_1", ignore_index=True)
