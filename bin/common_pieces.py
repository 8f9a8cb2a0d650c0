#!/usr/bin/env python3
"""Cut binnings of the same contigs into the pieces that all of them agree on.

Two contigs are in one piece if each binning has both in one bin, or neither in any. The refinement joins the pieces of
one genome by evidence (docs/method.md, section 6.3). So a bin that is wrong is cut where another binning is right.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

SEPARATOR = "&"  # between the names of the bins that share a piece; no name of a bin may hold it


def common_pieces(binnings: Sequence[np.ndarray]) -> np.ndarray:
    """Return the piece of each contig (n, texts), "" where no binning has a bin; binnings: n texts each, "" for none.

    A piece is called by its bins. Those of two binnings must have different names.
    """
    parts = pd.DataFrame(dict(enumerate(binnings)))
    return np.array([SEPARATOR.join(filter(None, row)) for row in parts.itertuples(index=False)], dtype=object)


def cluster_table(contigs: pd.DataFrame, cluster: np.ndarray) -> pd.DataFrame:
    """Return the rows of clusters.tsv, cluster by cluster, in the order of their first contigs.

    contigs: n rows of contigs.tsv; cluster (n): texts, "" for none.
    """
    table = contigs[["contig", "assembly", "name"]].copy()
    table.insert(0, "cluster", cluster)
    table = table[table["cluster"] != ""]
    first = pd.factorize(table["cluster"])[0]
    return table.iloc[np.argsort(first, kind="stable")].reset_index(drop=True)
