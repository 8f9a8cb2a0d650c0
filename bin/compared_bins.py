#!/usr/bin/env python3
"""Read the bins of another binner to be held against Binloom's: a table of contig and bin, as binner_files.py reads it.

Bins are cut by assembly, as Binloom's are: what a bin holds of each assembly is a bin of its own.
"""

from collections.abc import Iterable
from pathlib import Path

import click
import pandas as pd

from bin_scores import BINS, OWN_BINNINGS
from binner_files import ASSEMBLY_WORD, contig_and_bin, first_word, header_word, is_left_over, read_rows
from contig_names import ELSEWHERE, ContigNames
from message_text import shown
from stage_tables import CONTIG2BIN, read_table

SEPARATOR = ":"  # behind the id of an assembly, which has none


def read_binnings(
    contig2bin: Path, compared: Iterable[tuple[str, Path]], names: ContigNames, assembly: pd.Series
) -> dict[str, pd.DataFrame]:
    """Return Binloom's bins and those of others, `contig` and `bin` of each by its name, cut by assembly.

    compared: name and table; assembly: by contig. Raise ClickException if two binnings have one name.
    """
    labels = {BINS: cut_by_assembly(read_bins(contig2bin, names), assembly)}
    for name, path in compared:
        if name in {*labels, *OWN_BINNINGS}:
            raise click.ClickException(f"{path}: a binning is named {shown(name)} already; give it another name")
        labels[name] = cut_by_assembly(read_compared(path, names), assembly)
    return labels


def cut_by_assembly(labels: pd.DataFrame, assembly: pd.Series) -> pd.DataFrame:
    """Return labels (contig, bin) with the assembly of the contig and SEPARATOR in front of the bin's name."""
    return labels.assign(bin=(assembly.loc[labels["contig"]] + SEPARATOR).to_numpy() + labels["bin"])


def read_bins(path: Path, names: ContigNames) -> pd.DataFrame:
    """Return `contig` (catalogue name) and `bin` of contig2bin.tsv.

    Raise ClickException for a contig that contigs.tsv lacks.
    """
    table = read_table(CONTIG2BIN, path)
    contigs = [names.of_assembly.get(key) for key in zip(table["assembly"], table["contig"])]
    if None in contigs:
        row = contigs.index(None)
        contig = shown(table["contig"].iloc[row])
        raise click.ClickException(
            f"{path}: row {row + 1}: contig {contig} is not in contigs.tsv; give both from the same run"
        )
    return pd.DataFrame({"contig": contigs, "bin": table["bin"]}, dtype=str)


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
