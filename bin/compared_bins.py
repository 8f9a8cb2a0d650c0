#!/usr/bin/env python3
"""Read the bins of another binner to be held against Binloom's: a table of contig and bin, as binner_files.py reads it.

Bins are cut by assembly, as Binloom's are: what a bin holds of each assembly is a bin of its own.
"""

from pathlib import Path

import click
import pandas as pd

from binner_files import ASSEMBLY_WORD, contig_and_bin, first_word, header_word, is_left_over, read_rows
from contig_names import ELSEWHERE, ContigNames
from message_text import shown


def read_compared(path: Path, names: ContigNames) -> pd.DataFrame:
    """Return `contig` (catalogue name) and `bin` of a table, for the contigs of this group, each pair once.

    Raise ClickException for a contig that the run does not have, or whose assembly the table must say.
    """
    header, rows = read_rows(path, names.known)
    if not rows:
        raise click.ClickException(f"{path}: has no row; give a table of contig and bin")
    words = [header_word(cell) for cell in header]
    column = words.index(ASSEMBLY_WORD) if ASSEMBLY_WORD in words else None
    contig_column, bin_column = contig_and_bin(path, words, rows, names.known)
    pairs = []
    for row in rows:
        name = first_word(row[contig_column])
        try:
            contig = names.find(str(path), name, "" if column is None else row[column])
        except KeyError:
            raise click.ClickException(
                f"{path}: contig {shown(name)} is in no assembly; give bins of these very contigs"
            ) from None
        if contig is not ELSEWHERE and not is_left_over(row[bin_column]):
            pairs.append((contig, row[bin_column]))
    return pd.DataFrame(pairs, columns=["contig", "bin"], dtype=str).drop_duplicates(ignore_index=True)
