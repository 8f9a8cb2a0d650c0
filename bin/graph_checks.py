#!/usr/bin/env python3
"""Tell whether a graph is the whole graph of this very assembly: hold it against the contigs.

Names alone do not tell. Assemblers number their contigs, so two assemblies have many names in common. A walk and its
contig must agree in length and in the k-mers at their ends, as far as the files have them. What contradicts is refused.
What looks cut off is a warning: contigs without a path, paths over absent segments or links, a file that ends within a
line.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from assembly_graph import GFA1_COLUMNS, Segments, Walks, text_lines
from message_text import shown
from stage_warnings import warn

# Bases at an end of a contig that must be those of its walk. In a metagenome 25 bases of one genome are rarely those of
# another, and an error of assembly or polishing seldom falls in them.
END_BP = 25
# Polishing changes the length of a contig by less than this share of it; contigs of two assemblies differ by more.
LENGTH_TOLERANCE = 0.1
# A graph is refused above these shares of contigs that contradict it. Polishing may change both ends of many contigs of
# long reads, but not their lengths.
MAX_OTHER_LENGTHS = 0.1
MAX_OTHER_ENDS = 0.5
# Below those limits, a larger share than this is a warning. In metaSPAdes' own output 1 contig of 300 has other ends.
NOTED_SHARE = 0.02
# A graph that lacks a larger share of what the paths run over, or of contigs that are segments (in bp), is a warning.
# Of two whole graphs of the benchmark, one lacks 1 of 2,248 links on the paths, and the other none of 29,460.
MAX_LACKING = 0.002
# Assemblers place nearly all bases of their contigs. MEGAHIT's FASTG has no contigs of smaller k, which are short.
MIN_PLACED_BP = 0.5
WITH_ALL_CONTIGS = ("gfa", "sga")  # whose graphs have every contig as a segment or path
COMPLEMENT = bytes.maketrans(b"ACGTRYKMBVDH", b"TGCAYRMKVBHD")
OVERLAP = re.compile(r"(\d{1,9})M$")
BASES = re.compile(r"[0-9]{1,18}")  # a length (bp)
REMEDY = "give graph and paths of this very assembly"


class Sequences(NamedTuple):
    """What a graph file says of its segments' sequences."""

    length: np.ndarray  # of each segment (bp); -1: unknown
    end: np.ndarray  # hash of the first bases of each oriented segment (2 * its number, + 1 if reversed); 0: unknown
    overlap: int | None  # the longest overlap of two segments (bp), if the file has them


def check_graph(
    assembler: str,
    graph: Path,
    paths: Path | None,
    segments: Segments,
    walks: Walks,
    lengths: dict[str, int],
    contigs: Iterable[tuple[str, bytes]],
) -> None:
    """Refuse a graph that contradicts the contigs of its assembly, and warn of one that looks cut off.

    `lengths` has all contigs by name, `contigs` their names and sequences, or nothing if those are unknown. The
    contigs of metaFlye are longer than their paths, so that only its own table of lengths is compared.
    """
    if assembler == "metaflye":
        check_lengths(paths, {name: (length, length) for name, length in flye_lengths(paths).items()}, lengths)
    else:
        sequences = read_sequences(graph, segments.numbers)
        check_lengths(graph, walk_lengths(walks, sequences), lengths)
        check_ends(graph, walk_ends(walks, sequences), contigs)
    check_paths(graph, paths, segments, walks, list(lengths))
    for path in filter(None, (graph, paths)):
        check_last_line(path)


def end_hashes(sequence: bytes) -> tuple[int, int]:
    """Return hashes of the first bases of a sequence and of its reverse complement; zeros if it is too short."""
    if len(sequence) < END_BP:
        return 0, 0
    first, last = (end.upper().replace(b"U", b"T") for end in (sequence[:END_BP], sequence[-END_BP:]))
    return hash(first), hash(last.translate(COMPLEMENT)[::-1])


def read_segments(path: Path, overlaps: set[str]) -> Iterator[tuple[str, str, int]]:
    """Yield name, sequence and length of each segment of a graph that `read_graph` has read.

    The sequence is empty and the length -1 if the file does not have them. The overlaps of a GFA's links go into
    `overlaps`. The three formats differ in how their lines begin.
    """
    name, parts = "", []
    for _, line in text_lines(path):
        if line.startswith("S\t"):
            fields = line.split("\t")
            tags = [field[5:] for field in fields[3:] if field.startswith("LN:i:") and BASES.fullmatch(field[5:])]
            sequence = "" if fields[2] == "*" else fields[2]
            yield fields[1], sequence, len(sequence) or int(tags[0] if tags else -1)
        elif line.startswith("L\t"):
            overlaps.update(line.split("\t", GFA1_COLUMNS["L"])[GFA1_COLUMNS["L"] - 1 :][:1])
        elif line.startswith("VT\t"):
            fields = line.split("\t")
            yield fields[1], fields[2], len(fields[2]) or -1
        elif line.startswith(">"):
            if name:
                yield name, "".join(parts), len("".join(parts)) or -1
            name, parts = line[1:].rstrip(";").partition(":")[0], []
        elif name:
            parts.append(line)
    if name:
        yield name, "".join(parts), len("".join(parts)) or -1


def read_sequences(path: Path, numbers: dict[str, int]) -> Sequences:
    """Return lengths and ends of the segments with these numbers."""
    length, end = np.full(len(numbers), -1, dtype=np.int64), np.zeros(2 * len(numbers), dtype=np.int64)
    overlaps: set[str] = set()
    for name, sequence, bases in read_segments(path, overlaps):
        number = numbers.get(name)
        if number is not None:
            length[number] = bases
            end[2 * number : 2 * number + 2] = end_hashes(sequence.encode())
    matches = [OVERLAP.match(overlap) for overlap in overlaps]
    known = [int(match[1]) for match in matches if match]
    return Sequences(length, end, max(known, default=0) if len(known) == len(matches) else None)


def flye_lengths(path: Path) -> dict[str, int]:
    """Return the lengths of contigs in an assembly_info.txt of metaFlye."""
    rows = (line.split("\t") for _, line in text_lines(path) if line and not line.startswith(("#", "seq_name")))
    return {row[0]: int(row[1]) for row in rows if BASES.fullmatch(row[1])}


def walk_lengths(walks: Walks, sequences: Sequences) -> dict[str, tuple[int, int]]:
    """Return the shortest and the longest length (bp) that each walk can have, by its name.

    Walks with a gap and those over segments of unknown length are left out.
    """
    if not len(walks.size):
        return {}
    first = np.cumsum(walks.size) - walks.size
    bases = sequences.length[walks.steps >> 1]
    most = np.add.reduceat(bases, first)
    overlaps = most * (walks.size > 1) if sequences.overlap is None else (walks.size - 1) * sequences.overlap
    parts = np.bincount(walks.walk)
    known = (np.minimum.reduceat(bases, first) >= 0) & (parts[walks.walk] == 1)
    rows = zip(walks.walk[known].tolist(), (most - overlaps)[known].tolist(), most[known].tolist())
    return {walks.names[walk]: (shortest, longest) for walk, shortest, longest in rows}


def walk_ends(walks: Walks, sequences: Sequences) -> dict[str, set[int]]:
    """Return the hashes of both ends of each walk, by its name; walks with unknown ends are left out."""
    if not len(walks.size):
        return {}
    last = np.cumsum(walks.size)
    starts, ends = sequences.end[walks.steps[last - walks.size]], sequences.end[walks.steps[last - 1] ^ 1]
    first_part = np.flatnonzero(np.diff(walks.walk, prepend=-1))
    last_part = np.flatnonzero(np.diff(walks.walk, append=-1))
    rows = zip(walks.walk[first_part].tolist(), starts[first_part].tolist(), ends[last_part].tolist())
    return {walks.names[walk]: {one, other} for walk, one, other in rows if one and other}


def check_lengths(path: Path, lengths: dict[str, tuple[int, int]], contigs: dict[str, int]) -> None:
    """Refuse the graph if many contigs have not the length of their walk; warn if some have not."""
    compared = {name: contigs[name] for name in lengths.keys() & contigs.keys()}
    differ = []
    for name, bases in compared.items():
        least, most = lengths[name]
        if not least - LENGTH_TOLERANCE * bases <= bases <= most + LENGTH_TOLERANCE * bases:
            differ.append(name)
    example = min(differ, key=list(contigs).index) if differ else ""
    shown_lengths = f"{shown(example)} has {contigs[example]} bp, there {lengths[example][1]} bp" if differ else ""
    report(
        path,
        differ,
        compared,
        f"do not have the lengths that they have in the graph ({shown_lengths})",
        MAX_OTHER_LENGTHS,
    )


def check_ends(path: Path, ends: dict[str, set[int]], contigs: Iterable[tuple[str, bytes]]) -> None:
    """Refuse the graph if most contigs share no end with their walk; warn if some do not."""
    compared, differ = [], []
    for name, sequence in contigs:
        hashes = set(end_hashes(sequence)) if name in ends else {0}
        if 0 not in hashes:
            compared.append(name)
            if hashes.isdisjoint(ends[name]):
                differ.append(name)
    example = shown(differ[0]) if differ else ""
    report(path, differ, compared, f"begin and end with other bases than in the graph (e.g. {example})", MAX_OTHER_ENDS)


def report(path: Path, wrong: list, compared: Sized, problem: str, limit: float) -> None:
    """Refuse or warn by the share of contigs that a problem concerns."""
    text = f"{path}: {len(wrong)} of {len(compared)} contigs {problem}"
    if len(wrong) > limit * len(compared):
        raise click.ClickException(f"{text}; {REMEDY}")
    if len(wrong) > NOTED_SHARE * len(compared):
        warn(f"{text}; if the contigs were not polished after assembly, {REMEDY}")


def check_paths(graph: Path, paths: Path | None, segments: Segments, walks: Walks, names: list[str]) -> None:
    """Warn of contigs without a path in a table that must have all, and of paths that the graph does not have."""
    known = set(walks.names)
    if paths is not None and (absent := [name for name in names if name not in known]):
        example = shown(absent[0])
        warn(
            f"{paths}: {len(absent)} of {len(names)} contigs have no path in it (e.g. {example}); if it was cut off, "
            "copy it again"
        )
    if not len(walks.steps):
        return
    is_last = np.zeros(len(walks.steps), dtype=bool)
    is_last[np.cumsum(walks.size) - 1] = True
    before = np.flatnonzero(~is_last)
    n = 2 * len(segments.numbers)
    links = segments.links
    both_ways = np.append(links[:, 0] * n + links[:, 1], (links[:, 1] ^ 1) * n + (links[:, 0] ^ 1))
    is_linked = np.isin(walks.steps[before] * n + walks.steps[before + 1], both_ways)
    is_defined = np.isin(walks.steps >> 1, list(segments.defined))
    for is_there, what in ((is_defined, "segments"), (is_linked, "links between segments")):
        lacking = int((~is_there).sum())
        if lacking > MAX_LACKING * len(is_there):
            warn(
                f"{graph}: lacks {lacking} of {len(is_there)} {what} on the paths of contigs; if it was cut off, copy "
                "it again"
            )


def check_placed(assembler: str, graph: Path, placed: np.ndarray, n_edges: int, lengths: np.ndarray) -> None:
    """Warn if fewer bases have a place in the graph than its kind has, or if it has no edge."""
    share = lengths[placed].sum() / lengths.sum()
    if share < (1 - MAX_LACKING if assembler in WITH_ALL_CONTIGS else MIN_PLACED_BP):
        warn(
            f"{graph}: only {len(placed)} of {len(lengths)} contigs, {share:.1%} of the bases, have a place in the "
            f"graph; {REMEDY}, and copy the graph again if it was cut off"
        )
    if n_edges == 0 and len(lengths) > 1:
        warn(f"{graph}: links no two contigs, so it adds nothing to the bins; if it was cut off, copy it again")


def check_last_line(path: Path) -> None:
    """Warn if the last line of a plain file has no line feed; a gzipped one that is cut off cannot be read at all."""
    with open(path, "rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) not in b"\r\n":
            warn(f"{path}: ends within a line; if it was cut off, copy it again")
