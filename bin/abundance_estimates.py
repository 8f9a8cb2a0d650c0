#!/usr/bin/env python3
"""Estimates how many reads of a sample are of each contig by strobealign --aemb, which writes no alignments.

strobealign (Sahlin 2022, doi:10.1186/s13059-022-02831-7) finds the places of a read by its seeds. With --aemb it leaves
out their alignment and prints, for each contig, the bases of the reads that are placed there over its length; a read
with n best places counts as 1/n of a read at each. So there is no score, no identity and no pair of reads to look at:
the rules of alignment_counts and read_pairs do not hold. What is estimated is in the same tables all the same:
- the reads of a contig are its bases over the mean length of the sample's reads, rounded;
- the reads that are mapped, and those that are counted, are all these bases over that length;
- the edits are 0, since nothing is known of mismatches.

MAP_READS uses this module.
"""

from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np
import pandas as pd

from alignment_counts import Tally
from message_text import shown
from read_pairs import PairLinks


def read_depths(lines: Iterable[bytes], contigs: pd.DataFrame, contigs_path: Path) -> np.ndarray:
    """Return the reads per base of each contig (N) from strobealign's table of name and number.

    Raise ClickException unless it has the contigs of contigs.tsv, in their order.
    """
    rows = [line.split(b"\t")[:2] for line in lines]
    names = [fields[0].decode(errors="replace").rstrip() for fields in rows]
    wrong = [row for row, (found, wanted) in enumerate(zip(names, contigs["contig"])) if found != wanted]
    if wrong or len(names) != len(contigs):
        row = min([*wrong, len(names), len(contigs)])
        has, wanted = (shown(table[row]) if row < len(table) else "its end" for table in (names, contigs["contig"]))
        raise click.ClickException(
            f"strobealign's table has {has} in line {row + 1}, where {contigs_path} has {wanted}: the index is of "
            "other contigs"
        )
    try:
        depths = np.array([float(number) for _, number in rows])
    except ValueError as error:
        raise click.ClickException(f"strobealign's table is not of names and numbers: {error}") from error
    if not np.isfinite(depths).all() or (depths < 0).any():
        raise click.ClickException("strobealign's table has a number that is no depth")
    return depths


def estimated_tally(depths: np.ndarray, contigs: pd.DataFrame, n_reads: int, read_length: float, pairs: bool) -> Tally:
    """Return the estimates as counts of a sample, from the reads per base of its contigs (N).

    `n_reads` is the number of its reads, `read_length` their mean length (bp). With `pairs` there is a table of links,
    without any.
    """
    bases = np.rint(depths * contigs["length"].to_numpy()).astype(np.int64)
    reads = np.rint(bases / read_length).astype(np.int64)
    mapped = min(n_reads, round(bases.sum() / read_length))
    links = PairLinks(contigs["length"].tolist(), [0] * len(contigs)) if pairs else None
    numbers = {"seen": n_reads, "mapped": mapped, "counted": mapped, "alignments": int(reads.sum())}
    return Tally(reads.tolist(), bases.tolist(), [0] * len(contigs), links, **numbers)
