#!/usr/bin/env python3
"""Read the bins that another binner wrote for an assembly: a table, or a FASTA for each bin.

A table has a contig and its bin in each row, separated by a tab, in either order: the contigs are the column that holds
names of the assembly. So DAS_Tool's contig2bin.tsv, AMBER's biobox format (lines with `@` in front), vamb's and
SemiBin2's tables and Binloom's own contig2bin.tsv and clusters.tsv are read alike. Of more than two columns, the header
says which holds the bins. A column `assembly`, if there is one, says which rows are of this assembly. Of FASTA files,
each is a bin of its name. Files may be gzipped. A name ends at the first whitespace, as in the assembly's FASTA.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pandas as pd

from message_text import one_line, shown
from table_bytes import UNFIT_CHARACTER, open_table

# Words of a header, without capitals and what is no letter
BIN_WORDS = {"bin", "binid", "binname", "cluster", "clusterid", "clustername"}
ASSEMBLY_WORD = "assembly"
# What binners call contigs without a bin: also the last word of a file's name (MetaBAT2's bin.tooShort.fa)
NO_BIN_NAMES = {"", "-1", "unbinned"}
NO_BIN_FILES = {"unbinned", "tooshort", "lowdepth"}
FASTA_NAME = re.compile(r"\.(fasta|fa|fna|fas)(\.gz)?$")
WHITESPACE = re.compile(r"\s", re.ASCII)
MARKS = ("#", "@")  # in front of comments and of biobox's header
PAIR = 2  # columns of a table that needs no header

Pair = tuple[Path, str, str]  # file, contig, bin


def read_binning(paths: Sequence[Path], assembly: str, names: pd.Series) -> dict[str, list[str]]:
    """Return the bins of each contig that has any, of a binning: one table, or FASTA files with a bin in each.

    names: those of the assembly's contigs. Raise ClickException for a file that is neither, and for a contig that the
    assembly does not have.
    """
    known = set(names)
    pairs = list(fasta_pairs(paths)) if is_fasta(paths[0]) else table_pairs(paths[0], assembly, known)
    unknown = [(path, contig) for path, contig, _ in pairs if contig not in known]
    if unknown:
        path, contig = unknown[0]
        share = f"{len({contig for _, contig in unknown})} of {len({contig for _, contig, _ in pairs})} contigs"
        raise click.ClickException(
            f"{path}: contig {shown(contig)} is not in assembly {shown(assembly)}, whose first contig is "
            f"{shown(names.iloc[0])} ({share} of the given bins are not in it); give bins of these very contigs"
        )
    bins: dict[str, list[str]] = {}
    for _, contig, name in pairs:
        found = [] if is_left_over(name) else bins.setdefault(contig, [])
        if name not in found:
            found.append(name)
    return bins


def is_fasta(path: Path) -> bool:
    """Return whether the name of a file is that of a FASTA."""
    return FASTA_NAME.search(path.name) is not None


def is_left_over(name: str) -> bool:
    """Return whether a bin is what its binner calls the contigs without one."""
    return name.lower() in NO_BIN_NAMES or name.lower().rpartition(".")[2] in NO_BIN_FILES


def fasta_pairs(paths: Sequence[Path]) -> Iterator[Pair]:
    """Yield file, contig and bin of FASTA files; raise ClickException for a damaged file and two of one bin."""
    files: dict[str, Path] = {}
    for path in paths:
        name = FASTA_NAME.sub("", path.name)
        if name in files:
            raise click.ClickException(
                f"{path}: is of bin {shown(name)}, as {files[name].name} is; remove one of the two"
            )
        files[name] = path
        is_empty = True
        for number, line in enumerate(lines_of(path), 1):
            if line.startswith(b">"):
                is_empty = False
                yield path, first_word(text_of(path, number, line[1:])), name
            elif is_empty and line.strip():
                raise click.ClickException(
                    f"{path}: is not FASTA: it begins with {shown(line[:20])}; give bins as FASTA"
                )
        if is_empty:
            raise click.ClickException(f"{path}: holds no sequence; remove it, or copy it again")


def table_pairs(path: Path, assembly: str, known: set[str]) -> list[Pair]:
    """Return file, contig and bin of each row of a table that is of this assembly; raise ClickException if it is none.

    known: names of the assembly's contigs, by which the column of the contigs is found.
    """
    header, rows = read_rows(path, known)
    if not rows:
        raise click.ClickException(f"{path}: has no row; give a table of contig and bin, or remove it from the sheet")
    words = [header_word(cell) for cell in header]
    if ASSEMBLY_WORD in words:
        column = words.index(ASSEMBLY_WORD)
        found = rows[0][column]
        rows = [row for row in rows if row[column] == assembly]
        if not rows:
            raise click.ClickException(
                f"{path}: no row is of assembly {shown(assembly)}, and the first of {shown(found)}; "
                "give bins of this assembly"
            )
    contig, name = contig_and_bin(path, words, rows, known)
    return [(path, first_word(row[contig]), row[name]) for row in rows]


def contig_and_bin(path: Path, words: list[str], rows: list[list[str]], known: set[str]) -> tuple[int, int]:
    """Return the columns of the contigs and of the bins; raise ClickException if none is that of the bins.

    words: those of the header, none without one; known: names of contigs.
    """
    columns = range(len(rows[0]))
    of_bins = [column for column in columns if words and words[column] in BIN_WORDS]
    if not of_bins and len(columns) != PAIR:
        raise click.ClickException(
            f"{path}: has {len(columns)} columns and no header that names one of them bin or cluster; "
            "give a table of contig and bin, separated by a tab"
        )
    candidates = [column for column in columns if column not in of_bins[:1]]
    contig = max(candidates, key=lambda column: column_fit(rows, column, known))
    return contig, of_bins[0] if of_bins else 1 - contig


def column_fit(rows: list[list[str]], column: int, known: set[str]) -> tuple[int, int]:
    """Return how many cells of a column are names of contigs, and how many different ones.

    Where bins are named by a contig of theirs, both columns hold names, but that of the bins repeats them.
    """
    names = [first_word(row[column]) for row in rows]
    return sum(name in known for name in names), len(set(names))


def read_rows(path: Path, known: set[str]) -> tuple[list[str], list[list[str]]]:
    """Return the cells of a table's header, none if it has no header, and its other rows; all have as many cells.

    A line with `#` or `@` in front is a comment, or biobox's header, unless a contig is named so. A header is the first
    line, if it has a word for bins and no contig. Raise ClickException for a row with more or fewer cells.
    """
    header, rows = [], []
    for number, line in enumerate(lines_of(path), 1):
        text = text_of(path, number, line)
        cells = [cell.strip(" ") for cell in text.split("\t")]
        has_contig = any(first_word(cell) in known for cell in cells)
        is_header = any(header_word(cell) in BIN_WORDS for cell in cells) and not has_contig
        width = len(header or (rows[0] if rows else cells))
        if is_header and not header and not rows:
            header = cells
        elif not text.strip(" \t") or (text.startswith(MARKS) and not has_contig):
            continue
        elif len(cells) != width or width < PAIR:
            what = f"has {len(cells)} cells, not {max(width, PAIR)}"
            raise click.ClickException(
                f"{path}: line {number}: {what}; give a table of contig and bin, separated by a tab"
            )
        else:
            rows.append(cells)
    return header, rows


def header_word(cell: str) -> str:
    """Return the cell of a header without capitals and what is no letter."""
    return re.sub("[^a-z]", "", cell.lower())


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a plain or gzipped file; raise ClickException if it is damaged."""
    try:
        with open_table(path) as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        raise click.ClickException(f"{path}: is damaged or cut off ({one_line(error)}): copy it again") from error


def text_of(path: Path, number: int, line: bytes) -> str:
    """Return a line as text; raise ClickException if it is none."""
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path}: line {number}: is not UTF-8 ({one_line(error)}); give text") from error
    if UNFIT_CHARACTER.search(text):
        raise click.ClickException(f"{path}: line {number}: has a control character in it; give text")
    return text


def first_word(text: str) -> str:
    """Return a name up to its first whitespace, which is ASCII's, as in the catalogue."""
    return WHITESPACE.split(text, maxsplit=1)[0]
