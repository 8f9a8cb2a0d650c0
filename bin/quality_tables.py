#!/usr/bin/env python3
"""Read how complete and how contaminated bins are: a table of CheckM, of CheckM2, or another with such columns.

The header names the bins (`Bin Id`, `Name`, `bin` or `genome`), `Completeness`, `Contamination` and, if there is one,
`Strain heterogeneity`, as `checkm qa --tab_table` and CheckM2's quality_report.tsv have them. Numbers are per cent; if
no completeness is above 1, they are fractions, as in Binloom's own bins.tsv. A bin may be named by its FASTA.
"""

import math
from pathlib import Path

import click
import pandas as pd

from binner_files import FASTA_NAME, MARKS, header_word, lines_of, text_of
from message_text import shown

BIN_WORDS = ("binid", "bin", "name", "genome")
NUMBERS = ("completeness", "contamination", "strainheterogeneity")
NEEDED = NUMBERS[:2]
PER_CENT = 100
FORM = "give the table of `checkm qa --tab_table`, CheckM2's quality_report.tsv or one with their columns"


def read_quality(path: Path) -> pd.DataFrame:
    """Return completeness, contamination and strain heterogeneity (fractions; nan if unknown) by the name of the bin.

    Raise ClickException for a table without these columns, a malformed row and a bin that stands there twice.
    """
    columns: dict[str, int] = {}
    width, rows = 0, {}
    for number, line in enumerate(lines_of(path), 1):
        cells = [cell.strip(" ") for cell in text_of(path, number, line).split("\t")]
        if not any(cells):
            continue
        if not columns:
            columns, width = header_columns(path, cells), len(cells)
            continue
        where = f"{path}: line {number}"
        if cells[0].startswith(MARKS) or len(cells) != width:
            raise click.ClickException(f"{where}: has {len(cells)} cells, not {width}; {FORM}")
        name = FASTA_NAME.sub("", cells[columns["bin"]])
        if name in rows:
            raise click.ClickException(f"{where}: bin {shown(name)} stands in the table twice; remove one of the two")
        rows[name] = [number_of(where, cells, columns, column) for column in NUMBERS]
    if not columns:
        raise click.ClickException(f"{path}: is empty; {FORM}")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(NUMBERS), dtype=float)
    is_fraction = not (table["completeness"] > 1).any()
    table = table if is_fraction else table / PER_CENT
    if (table["completeness"] > 1).any():
        name = table.index[table["completeness"] > 1][0]
        raise click.ClickException(f"{path}: bin {shown(name)} is more than complete; give completeness in per cent")
    return table


def header_columns(path: Path, cells: list[str]) -> dict[str, int]:
    """Return where the columns stand, `bin` and those of NUMBERS; raise ClickException if one is lacking."""
    words = [header_word(cell) for cell in cells]
    name = next((word for word in BIN_WORDS if word in words), None)
    lacking = [*["bin"] * (name is None), *[word for word in NEEDED if word not in words]]
    if lacking:
        raise click.ClickException(f"{path}: its header names no column {lacking[0]}; {FORM}")
    return {"bin": words.index(name), **{word: words.index(word) for word in NUMBERS if word in words}}


def number_of(where: str, cells: list[str], columns: dict[str, int], column: str) -> float:
    """Return the number of a cell, nan if the table has no such column; raise ClickException if it is none."""
    if column not in columns:
        return math.nan
    text = cells[columns[column]]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise click.ClickException(f"{where}: has {shown(text)} as {column}, not a number of at least 0; {FORM}")
    return value


def precision(contamination: pd.Series) -> pd.Series:
    """Return the precision of bins of this contamination, a fraction of the genome (preprint, Binning the IGC)."""
    return 1 - contamination / (contamination + 1)


def without_strains(table: pd.DataFrame) -> pd.Series:
    """Return the contamination of bins less the share that is of other strains of the same species; nan if unknown."""
    return table["contamination"] * (1 - table["strainheterogeneity"])
