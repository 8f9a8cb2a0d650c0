#!/usr/bin/env python3
"""Read which genomes the contigs of a group are from: a table, or the biobox format of CAMI and AMBER.

A table has a header that names `contig` and `genome`, in any order, and may have `assembly`, `length`, `start`, `end`
and `sequence`: the place of the contig on the genome, from 1, and the sequence of the genome that it is on. Without a
header, two columns are contig and genome. Biobox files (SEQUENCEID, BINID, _LENGTH) and CAMI's gsa_mapping.tsv
(anonymous_contig_id, genome_id, start_position, end_position on contig_id) are tables with names of their own. A biobox
file of several samples has the id of an assembly as each @SampleID. A contig of several genomes has a row for each.
Files may be gzipped.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd

from bin_scores import Place, Truth
from binner_files import MARKS, first_word, header_word, lines_of, text_of
from contig_names import ELSEWHERE, ContigNames
from message_text import shown
from stage_warnings import warn

# Words of a header, without capitals and what is no letter: the first of them that a header has
WORDS = {
    "contig": ("contig", "contigname", "sequenceid", "anonymouscontigid"),
    "genome": ("genome", "genomename", "genomeid", "binid"),
    "assembly": ("assembly",),
    "length": ("length",),
    "sequence": ("sequence", "subject", "subjectname", "contigid"),
    "start": ("start", "startposition"),
    "end": ("end", "endposition"),
}
SAMPLE = re.compile(r"@SampleID:\s*(.*)", re.I)
FORM = "give contig and genome, separated by a tab, under a header that names them"
NUMBER = re.compile(r"[0-9]{1,15}")


class Row(NamedTuple):
    """A contig and a genome that it is from; what a file does not say is "", 0 or None."""

    line: int
    contig: str
    genome: str
    assembly: str
    length: int
    place: Place | None


def read_truth(path: Path, names: ContigNames, contigs: pd.DataFrame) -> Truth:
    """Return the truth of the contigs of a group (contigs.tsv) by their catalogue names.

    It is empty, with a warning, if it tells of other groups alone. Raise ClickException if a name could be of two
    assemblies, a contig has another length than in contigs.tsv, or the run has no contig of the truth. Warn of contigs
    that no assembly of the run has.
    """
    length = dict(zip(contigs["contig"], contigs["length"]))
    genomes: dict[str, set[str]] = {}
    places: dict[tuple[str, str], list[Place]] = {}
    strange: list[Row] = []
    rows = list(truth_rows(path))
    for row in rows:
        try:
            contig = names.find(f"{path}: line {row.line}", row.contig, row.assembly)
        except KeyError:
            strange.append(row)
            continue
        if contig is not ELSEWHERE:
            check_length(path, row, length[contig])
            genomes.setdefault(contig, set()).add(row.genome)
            if row.place:
                places.setdefault((contig, row.genome), []).append(row.place)
    check_coverage(path, rows, strange, contigs)
    if not genomes:
        warn(f"{path.name}: tells of no contig of this group, so its bins are not scored")
    return Truth({contig: length[contig] for contig in genomes}, genomes, places)


def check_length(path: Path, row: Row, length: int) -> None:
    """Raise ClickException if a row has another length than its contig (bp)."""
    if row.length not in (0, length):
        problem = f"contig {shown(row.contig)} has {row.length} bp, but {length} bp in its assembly"
        raise click.ClickException(f"{path}: line {row.line}: {problem}; give the truth of these very contigs")


def check_coverage(path: Path, rows: list[Row], strange: list[Row], contigs: pd.DataFrame) -> None:
    """Warn of rows of contigs that the run does not have; raise ClickException if all are such."""
    if len(strange) == len(rows):
        example = f"contig {shown(rows[0].contig)} on line {rows[0].line}" if rows else "it has no row"
        raise click.ClickException(
            f"{path}: has no contig of this run ({example}; the first contig of a group is "
            f"{shown(contigs['name'].iloc[0])}); give the truth of these very contigs"
        )
    if strange:
        example = f"contig {shown(strange[0].contig)} on line {strange[0].line}"
        share = f"{len(strange)} of {len(rows)} rows"
        warn(f"{path.name}: {share} are of contigs that no assembly has, {example} for example: they do not count")


def truth_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file; raise ClickException for the first that is malformed."""
    columns: dict[str, int] = {}
    samples: set[str] = set()
    sample, width = "", 0
    is_several = len(set(sample_ids(path))) > 1
    for number, line in enumerate(lines_of(path), 1):
        text = text_of(path, number, line)
        cells = [cell.strip(" ") for cell in text.split("\t")]
        if found := SAMPLE.match(text):
            sample = found[1].strip() if is_several else ""
            samples.add(sample)
        elif header := header_columns(cells):
            columns, width = header, len(cells)
        elif not text.strip() or text.startswith(MARKS):
            continue
        else:
            columns = columns or {"contig": 0, "genome": 1}
            width = width or len(columns)
            if len(cells) != width:
                raise click.ClickException(f"{path}: line {number}: has {len(cells)} cells, not {width}; {FORM}")
            yield row_of(path, number, {name: cells[column] for name, column in columns.items()}, sample)


def sample_ids(path: Path) -> Iterator[str]:
    """Yield the id of each part of a biobox file."""
    for line in lines_of(path):
        if found := SAMPLE.match(line.decode(errors="replace")):
            yield found[1].strip()


def header_columns(cells: list[str]) -> dict[str, int]:
    """Return where the columns stand, by their names here; empty if the line is no header."""
    words = [header_word(cell) for cell in cells]
    found = {name: next((words.index(word) for word in known if word in words), None) for name, known in WORDS.items()}
    is_header = found["contig"] is not None and found["genome"] is not None
    return {name: column for name, column in found.items() if column is not None} if is_header else {}


def row_of(path: Path, number: int, cells: dict[str, str], sample: str) -> Row:
    """Return a row of the file; raise ClickException if a cell is empty or no number where it must be one."""
    where = f"{path}: line {number}"
    contig, genome = first_word(cells["contig"]), cells["genome"]
    if not contig or not genome:
        raise click.ClickException(f"{where}: has no {'genome' if contig else 'contig'}; give both, or remove the line")
    numbers = {name: cells[name] for name in ("length", "start", "end") if name in cells}
    for name, text in numbers.items():
        if not NUMBER.fullmatch(text) or int(text) == 0:
            problem = f"has {shown(text)} in column {name}, not a whole number of at least 1"
            raise click.ClickException(f"{where} (contig {shown(contig)}): {problem}; give positions counted from 1")
    if ("start" in cells) != ("end" in cells):
        lacking = "end" if "start" in cells else "start"
        raise click.ClickException(f"{path}: has no column {lacking}; give both start and end, or none of the two")
    place = None
    if "start" in cells:
        ends = sorted((int(cells["start"]), int(cells["end"])))  # of the other strand, they may be turned
        place = Place(cells.get("sequence", ""), *ends)
    return Row(number, contig, genome, cells.get("assembly", sample), int(cells.get("length", 0)), place)
