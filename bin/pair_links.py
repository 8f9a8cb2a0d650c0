#!/usr/bin/env python3
"""Sums the links between contigs, by pairs of reads, over the samples of a group. FEATURES uses this module."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from key_counts import add_counts
from stage_tables import PAIRS, check_contigs, read_table


def sum_links(paths: Sequence[Path], names: pd.Series) -> pd.DataFrame:
    """Return the links of all samples' tables (contig_1, contig_2, pairs), in the order of the N names.

    Raise ClickException for a contig that is not among the names.
    """
    number = pd.Index(names)
    keys, pairs = np.empty(0, np.int64), np.empty(0, np.int64)
    for path in paths:
        table = read_table(PAIRS, path)
        one, other = np.sort(check_contigs(path, table, number, "in contigs.tsv", ["contig_1", "contig_2"]), axis=0)
        keys, pairs = add_counts(keys, pairs, one * len(names) + other, table["pairs"].to_numpy())
    one, other = np.divmod(keys, len(names))
    return pd.DataFrame({"contig_1": number[one], "contig_2": number[other], "pairs": pairs})
