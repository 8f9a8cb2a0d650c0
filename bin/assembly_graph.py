#!/usr/bin/env python3
"""Reads the assembly graph of one assembly: segments, links between them, and contigs as walks over segments.

The formats are GFA 1 (metaSPAdes, metaFlye, MEGAHIT and any other), FASTG (MEGAHIT) and ASQG (SGA). The walks of
contigs stand in the P records of a GFA, in contigs.paths or scaffolds.paths (metaSPAdes) or in assembly_info.txt
(metaFlye). Where segments are contigs, each contig is a walk of one segment.
"""

import gzip
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import gfapy
import numpy as np

from message_text import one_line, shown

GFA1_KINDS = frozenset("#HSLJCPW")
GFA1_COLUMNS = {"S": 3, "L": 6, "P": 4}  # columns of a record that must be there
# Regular records up to the last field that is needed. Names are as in the GFA 1 specification; those in a path have no
# commas either, which would make its steps ambiguous.
NAME = r"[!-)+-<>-~][!-~]*"
STEP = r"[!-)+\--<>-~][!-+\--~]*[+-]"
REGULAR = {
    "S": re.compile(rf"S\t({NAME})\t"),
    "L": re.compile(rf"L\t({NAME})\t([+-])\t({NAME})\t([+-])\t"),
    "P": re.compile(rf"P\t({NAME})\t({STEP}(?:,{STEP})*)\t"),
}
VT_FIELDS, OVERLAP_FIELDS = 2, 10  # of a vertex of ASQG, behind its kind, and of the overlap of an edge
MEGAHIT_NODE = re.compile(r"NODE_(\d{1,18})_length_(\d{1,18})_cov_[^_]+(_ID_\d+)?$")
MEGAHIT_K = re.compile(r"k(\d{1,9})_")
SPADES_PATH = re.compile(r"(\d+[+-](,\d+[+-])*)?;?$")
FLYE_COLUMNS = 8  # of assembly_info.txt; the last is graph_path
FLYE_STEP = re.compile(r"-?\d+$")

Steps = list[tuple[str, str]]  # segments and their orientations, + or -
Record = tuple[int, str, str, Steps]  # line, kind (S, L or P), name, steps
ContigPath = tuple[int, str, list[list[int]]]  # line, contig, the oriented segments of each part


class Walks(NamedTuple):
    """Walks over oriented segments, as flat arrays, since there may be millions.

    An oriented segment is 2 * its number, + 1 if it is reversed. A gap divides a walk into parts.
    """

    names: list[str]
    walk: np.ndarray  # number of the walk that each part belongs to
    size: np.ndarray  # number of steps of each part, > 0
    steps: np.ndarray  # oriented segments of all parts, in their order


class Segments(NamedTuple):
    """The contents of a graph file."""

    numbers: dict[str, int]  # segment name -> number, also of segments that are only mentioned
    defined: set[int]
    links: np.ndarray  # m x 2: an oriented segment, and one that may follow it
    walks: Walks  # P records of a GFA
    skipped_links: int  # links that name a segment the file does not define


def line_error(path: Path, number: int, problem: str) -> click.ClickException:
    """Return the error of one line of a file."""
    return click.ClickException(f"{path}, line {number}: {problem}")


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line of a plain or gzipped file, without LF or CRLF.

    Raise ClickException for a file that is empty, damaged or not text.
    """
    number = 0
    with open(path, "rb") as probe:
        opener = gzip.open if probe.read(2) == b"\x1f\x8b" else open
    try:
        with opener(path, "rb") as handle:
            for number, raw in enumerate(handle, 1):
                yield number, raw.rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        raise line_error(path, number, "not text; is this the assembly graph?") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise line_error(path, number + 1, f"broken gzip ({error}); copy the file again") from None
    if number == 0:
        raise click.ClickException(f"{path} is empty; give the file that the assembler wrote")


# The readers of the three graph formats yield the same records: (line, "S", segment name, no steps),
# (line, "L", "", the two oriented segments) and (line, "P", path name, its steps).


def regular_record(kind: str, line: str) -> tuple[str, Steps] | None:
    """Return the name and steps of a regular record, or None if it is irregular in any way."""
    shape = REGULAR[kind].match(line)
    if shape is None:
        return None
    if kind == "S":
        return shape[1], []
    if kind == "L":
        return "", [(shape[1], shape[2]), (shape[3], shape[4])]
    return shape[1], [(step[:-1], step[-1]) for step in shape[2].split(",")]


def gfapy_record(kind: str, line: str, path: Path, number: int) -> tuple[str, Steps]:
    """Return the name and steps of any record, read by gfapy.

    Sequences, overlaps and tags have no use and are cut off first. Raise ClickException for a malformed record.
    """
    columns = GFA1_COLUMNS[kind]
    fields = line.split("\t", columns)[:columns]
    if len(fields) < columns or not all(fields[1:-1]):
        raise line_error(path, number, f"truncated {kind} record: {shown(line)}")
    try:
        record = gfapy.Line("\t".join([*fields[:-1], "*"]), vlevel=0, version="gfa1")
        if kind == "S":
            return record.name, []
        if kind == "L":
            return "", [(record.from_segment, record.from_orient), (record.to_segment, record.to_orient)]
        return record.path_name, [(step.name, step.orient) for step in record.segment_names]
    except (gfapy.Error, IndexError, ValueError) as error:
        raise line_error(path, number, f"malformed {kind} record {shown(line)}: {one_line(error)}") from None


def gfa_records(path: Path, kinds: str = "SLP") -> Iterator[Record]:
    """Yield the records of these kinds of a GFA 1 file, one at a time, so that a graph of any size fits in memory.

    Nearly all records are regular. Regular expressions read those with the same result as gfapy, which takes 50 to
    75 us per record, minutes for a graph of millions. gfapy reads all others.
    """
    for number, line in text_lines(path):
        kind = line[:1]
        if line and (kind not in GFA1_KINDS or (kind != "#" and line[1:2] not in ("\t", ""))):
            raise line_error(path, number, f"{shown(line[:20])} starts no GFA 1 record; is this a GFA 1 file?")
        if kind and kind in kinds:
            name, steps = regular_record(kind, line) or gfapy_record(kind, line, path, number)
            yield number, kind, name, steps


def fastg_records(path: Path) -> Iterator[Record]:
    """Yield the records of a FASTG of `megahit_toolkit contig2fastg`.

    A header names a node, or its reverse ('), and the nodes that follow it.
    """
    for number, line in text_lines(path):
        if not line.startswith(">"):
            continue
        if not line.endswith(";"):
            raise line_error(path, number, f"truncated FASTG header: {shown(line)} does not end with ';'")
        node, _, following = line[1:-1].partition(":")
        if not node.endswith("'"):
            yield number, "S", node, []
        for other in following.split(",") if following else []:
            yield number, "L", "", [(n.removesuffix("'"), "-" if n.endswith("'") else "+") for n in (node, other)]


def asqg_records(path: Path) -> Iterator[Record]:
    """Yield the records of SGA's string graph.

    A VT record is a contig, an ED record the overlap of two contigs in any orientation.
    """
    for number, line in text_lines(path):
        kind, *fields = line.split("\t", 2)
        if line and kind not in ("HT", "VT", "ED"):
            raise line_error(path, number, f"{shown(line[:20])} starts no ASQG record (HT, VT, ED)")
        overlap = fields[0].split() if kind == "ED" and fields else []
        if (kind == "VT" and len(fields) < VT_FIELDS) or (kind == "ED" and len(overlap) < OVERLAP_FIELDS):
            raise line_error(path, number, f"truncated {kind} record: {shown(line)}")
        if kind == "VT":
            yield number, "S", fields[0], []
        elif kind == "ED":
            yield number, "L", "", [(overlap[0], "+"), (overlap[1], "+")]


def flatten(path: Path, walks: Iterable[ContigPath]) -> Walks:
    """Return walks as arrays. Raise ClickException if a contig has two."""
    numbers: dict[str, int] = {}
    walk, size, steps = array("q"), array("q"), array("q")
    for line, name, parts in walks:
        if name in numbers:
            raise line_error(path, line, f"contig {shown(name)} has two paths")
        numbers[name] = len(numbers)
        for part in filter(None, parts):
            walk.append(numbers[name])
            size.append(len(part))
            steps.extend(part)
    return Walks(list(numbers), *(np.array(column, dtype=np.int64) for column in (walk, size, steps)))


def one_segment_each(numbers: dict[str, int]) -> Walks:
    """Return walks of one segment each, given the name of each walk and the number of its segment."""
    n = len(numbers)
    steps = 2 * np.fromiter(numbers.values(), np.int64, n)
    return Walks(list(numbers), np.arange(n), np.ones(n, dtype=np.int64), steps)


def collect(path: Path, records: Iterable[Record]) -> Segments:
    """Give each segment of a graph file a number; return them with its links and walks.

    Raise ClickException if there is no segment, if one is defined twice or has no name, or if an orientation is neither
    + nor -.
    """
    numbers: dict[str, int] = {}
    defined: set[int] = set()
    links = array("q")
    walks: list[ContigPath] = []
    for line, kind, name, steps in records:
        oriented = []
        for segment, orientation in steps:
            if not segment or orientation not in ("+", "-"):
                problem = f"segment {shown(segment)} has orientation {shown(orientation)}, not + or -"
                raise line_error(path, line, problem)
            oriented.append(2 * numbers.setdefault(segment, len(numbers)) + (orientation == "-"))
        if kind == "L":
            links.extend(oriented)
        elif kind == "P":
            walks.append((line, name, [oriented]))
        elif not name or numbers.get(name) in defined:
            raise line_error(
                path, line, f"segment {shown(name)} is defined twice" if name else "a segment without a name"
            )
        else:
            defined.add(numbers.setdefault(name, len(numbers)))
    if not defined:
        raise click.ClickException(f"{path} holds no segment; give the assembly graph of this assembly")
    pairs = np.array(links, dtype=np.int64).reshape(-1, 2)
    whole = np.isin(pairs >> 1, list(defined)).all(axis=1)
    return Segments(numbers, defined, pairs[whole], flatten(path, walks), int((~whole).sum()))


def spades_paths(path: Path, numbers: dict[str, int]) -> Iterator[ContigPath]:
    """Yield the paths of a contigs.paths or scaffolds.paths of metaSPAdes.

    A record is a name and lines of oriented segments, separated by commas; `;` ends a line before a gap. A record with
    a name that ends in ' is a reverse complement and is skipped. New segments are added to `numbers`.
    """
    name, start, more, number = "", 0, False, 0
    parts: list[list[int]] = []
    for number, line in text_lines(path):
        if not more and not line.strip():
            continue
        if (SPADES_PATH.match(line) is not None) != more:
            expected = "segments like 12+,7-" if more else "the name of a contig"
            raise line_error(path, number, f"expected {expected}, found {shown(line)}")
        if not more:
            name, start, more, parts = line.split()[0], number, True, []
            continue
        more = line.endswith(";")
        if not name.endswith("'"):
            steps = line.rstrip(";").split(",") if line not in ("", ";") else []
            parts.append([2 * numbers.setdefault(s[:-1], len(numbers)) + (s[-1] == "-") for s in steps])
            if not more:
                yield start, name, parts
    if more:
        raise line_error(path, number, f"the file ends within the path of {shown(name)}; copy it again")


def flye_paths(path: Path, numbers: dict[str, int]) -> Iterator[ContigPath]:
    """Yield the paths of an assembly_info.txt of metaFlye.

    Column 8, graph_path, lists signed edge numbers; `??` (a gap) and `*` (an end of the graph) end a part. Alternative
    contigs (alt_group) have paths like all others. New segments are added to `numbers`.
    """
    for number, line in text_lines(path):
        if not line or line.startswith(("#", "seq_name")):
            continue
        fields = line.split("\t")
        if len(fields) < FLYE_COLUMNS:
            raise line_error(
                path, number, f"{len(fields)} columns, expected {FLYE_COLUMNS}; give Flye's assembly_info.txt"
            )
        parts: list[list[int]] = [[]]
        for step in (step.strip() for step in fields[7].split(",")):
            if step in ("*", "??", ""):
                parts.append([])
            elif FLYE_STEP.match(step):
                edge = numbers.setdefault("edge_" + step.lstrip("-"), len(numbers))
                parts[-1].append(2 * edge + step.startswith("-"))
            else:
                raise line_error(path, number, f"graph_path holds {shown(step)}, not an edge number, * or ??")
        yield number, fields[0], parts


def match_megahit(path: Path, numbers: dict[str, int], names: list[str], lengths: list[int]) -> dict[str, int]:
    """Return the number of each contig's node, by the contig's name, for the node names of contig2fastg.

    contig2fastg calls its nodes NODE_i_length_L_cov_C_ID_(2i - 1). It numbers the contigs of its input in order and
    skips those shorter than k + 1. Its input is either final.contigs.fa or the contigs of the last k. Those stand in
    final.contigs.fa, too, in the same order, between contigs of smaller k and without the ones below MEGAHIT's minimum
    length. So from the longer of the two shortest lengths on, the lengths of the nodes must be, one by one, those of
    all contigs or those of the contigs of one k (`k<number>_`; the largest k that fits is taken).

    Return an empty dict if the nodes have other names. Raise ClickException if the lengths differ in both cases.
    """
    nodes = [(MEGAHIT_NODE.match(name), number) for name, number in numbers.items()]
    if not all(match for match, _ in nodes):
        return {}
    ordered = sorted((int(match[1]), int(match[2]), number) for match, number in nodes)
    everything = list(zip(names, lengths))
    k_of = [(int(match[1]) if (match := MEGAHIT_K.match(name)) else 0) for name in names]
    of_one_k = ([pair for pair, k in zip(everything, k_of) if k == one] for one in sorted(set(k_of), reverse=True))
    floor = max(min(lengths), min(length for _, length, _ in ordered))
    kept = [(number, length) for _, length, number in ordered if length >= floor]
    for chosen in (everything, *of_one_k):
        contigs = [(name, length) for name, length in chosen if length >= floor]
        if kept and [length for _, length in contigs] == [length for _, length in kept]:
            return {name: number for (name, _), (number, _) in zip(contigs, kept)}
    raise click.ClickException(
        f"{path}: the lengths of its {len(nodes)} nodes are not those of the {len(names)} contigs in order "
        f"({shown(names[0])}, {lengths[0]} bp, ...); run megahit_toolkit contig2fastg on this assembly's FASTA"
    )


def read_graph(
    assembler: str, graph: Path, paths: Path | None, names: list[str], lengths: list[int]
) -> tuple[Segments, Walks]:
    """Return the segments of the graph and all walks in the files, which have the names of the contigs.

    `names` and `lengths` (bp) are those of the contigs, in the order of the FASTA.
    """
    readers = {"metaspades": (spades_paths, "contigs.paths"), "metaflye": (flye_paths, "assembly_info.txt")}
    if assembler in readers:
        read_paths, table = readers[assembler]
        if paths is None:
            raise click.ClickException(f"{graph}: a {assembler} graph needs {table} of the same run as paths")
        segments = collect(graph, gfa_records(graph, "SL"))
        return segments, flatten(paths, read_paths(paths, segments.numbers))
    is_fastg = assembler == "megahit" and next((line for _, line in text_lines(graph) if line), "").startswith(">")
    records = asqg_records if assembler == "sga" else fastg_records if is_fastg else gfa_records
    segments = collect(graph, records(graph))
    named = segments.numbers
    if named.keys().isdisjoint(names):
        if assembler == "megahit":
            named = match_megahit(graph, named, names, lengths) or named
        if named is segments.numbers and segments.walks.names:
            return segments, segments.walks
    return segments, one_segment_each(named)
