#!/usr/bin/env python3
"""Put several binnings of an assembly together, of which the first counts most: each adds what those before it lack.

A bin of the first binning stands as it is. Of a bin of the next, the contigs that no bin before it holds are a further
piece. The refinement splits, joins and completes the pieces by evidence. To cut the bins of one binning by those of
another finds fewer genomes (docs/method.md, section 6.4).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def further_pieces(binnings: Sequence[np.ndarray], length: np.ndarray, min_size: int) -> np.ndarray:
    """Return the piece of each contig (n, texts) of an assembly, "" where no binning has a bin for it.

    binnings: n texts each, "" for no bin; bins of two binnings have different names. length: n, bp. A bin, or what is
    left of it, holds its contigs against later binnings only if it has at least min_size bp.
    """
    piece = np.full(len(length), "", dtype=object)
    for bins in binnings:
        further = np.where(piece == "", bins, "")
        size = pd.Series(length).groupby(further).transform("sum").to_numpy()
        piece = np.where((further != "") & (size >= min_size), further, piece)
    for bins in binnings:
        piece = np.where(piece == "", bins, piece)
    return piece


def cluster_table(contigs: pd.DataFrame, piece: np.ndarray) -> pd.DataFrame:
    """Return the rows of clusters.tsv, piece by piece, in the order of their first contigs.

    contigs: n rows of contigs.tsv; piece (n): texts, "" for none.
    """
    table = contigs[["contig", "assembly", "name"]].copy()
    table.insert(0, "cluster", piece)
    table = table[table["cluster"] != ""]
    first = pd.factorize(table["cluster"])[0]
    return table.iloc[np.argsort(first, kind="stable")].reset_index(drop=True)
