#!/usr/bin/env python3
"""Reads the assembly graph of one assembly and reduces it to the graph of its contigs.

In: the assembly graph as the assembler wrote it, with its table of paths where it has one, and
contigs.tsv of the group. Out: vertices.tsv.gz (contig; the contigs that have a place in the graph, in
catalogue order), edges.tsv.gz (contig_1, contig_2; each edge once, sorted), graph.json. All names are
catalogue names. Implements the graph of GraphBin2 (Mallawaarachchi et al. 2021, Algorithms Mol Biol
16:3), "Preprocessing": each vertex is a contig, each edge a significant overlap of two contigs.

A contig is a walk over oriented segments, possibly in several parts (gaps). The outward ends of a part
are the right end of its last segment and the left end of its first. Two contigs are linked if
  - a link of the graph leads from an outward end of one to a segment that lies in the other (at any
    place, in either orientation: the genome may run on into the middle of a longer contig), or
  - the first or last segment of a part of one also lies in the other.
Side branches that a walk passes by do not link its contig. Where segments are contigs (gfa, megahit,
sga) each contig is a walk of one segment, so every link counts. Segments of no contig are not bridged;
links to absent segments are skipped and counted. The contig graph is undirected and simple.
"""

import csv
import gzip
import json
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import gfapy
import numpy as np
import pandas as pd

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
GFA1_KINDS = frozenset("#HSLJCPW")
GFA1_COLUMNS = {"S": 3, "L": 6, "P": 4}
# What a regular record looks like up to the last field that is needed: names as the GFA 1 specification
# has them; in a path also without commas, which would make its steps ambiguous.
NAME = r"[!-)+-<>-~][!-~]*"
STEP = r"[!-)+\--<>-~][!-+\--~]*[+-]"
REGULAR = {
    "S": re.compile(rf"S\t({NAME})\t"),
    "L": re.compile(rf"L\t({NAME})\t([+-])\t({NAME})\t([+-])\t"),
    "P": re.compile(rf"P\t({NAME})\t({STEP}(?:,{STEP})*)\t"),
}
MEGAHIT_NODE = re.compile(r"NODE_(\d{1,18})_length_(\d{1,18})_cov_[^_]+(_ID_\d+)?$")
MEGAHIT_K = re.compile(r"k(\d{1,9})_")
SPADES_PATH = re.compile(r"(\d+[+-](,\d+[+-])*)?;?$")
FLYE_STEP = re.compile(r"-?\d+$")
BLOCK = 1 << 20  # pairs of contigs at a time

Steps = list[tuple[str, str]]  # segments and their orientations, + or -
Record = tuple[int, str, str, Steps]
ContigPath = tuple[int, str, list[list[int]]]  # line, contig, the oriented segments of each part


class Walks(NamedTuple):
    """Walks over oriented segments, which are 2 * number, + 1 if reversed; flat, for there may be millions."""

    names: list[str]
    walk: np.ndarray  # of each part; parts are what gaps leave of a walk
    size: np.ndarray  # of each part, > 0
    steps: np.ndarray  # oriented segments of all parts


class Segments(NamedTuple):
    """What a graph file holds."""

    numbers: dict[str, int]  # segment name -> number, also of segments that are only mentioned
    defined: set[int]
    links: np.ndarray  # m x 2: an oriented segment, and one that may follow it
    walks: Walks  # P records of a GFA
    skipped_links: int  # links that name a segment the file does not define


class ContigGraph(NamedTuple):
    """The graph of the contigs, which are numbered in the order they came in."""

    edges: np.ndarray  # k x 2, the lower number first, each once
    placed: np.ndarray  # contigs that have a place in the graph, ascending
    skipped_links: int


def shown(text: str) -> str:
    """A name or line of a file as a message has it: damaged files hold very long ones."""
    return repr(text if len(text) <= 60 else text[:60] + "...")


def fail(path: Path, number: int, problem: str) -> click.ClickException:
    return click.ClickException(f"{path}, line {number}: {problem}")


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers and lines of a plain or gzipped text file, without their LF or CRLF."""
    number = 0
    with open(path, "rb") as probe:
        opener = gzip.open if probe.read(2) == b"\x1f\x8b" else open
    try:
        with opener(path, "rb") as handle:
            for number, raw in enumerate(handle, 1):
                yield number, raw.rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        raise fail(path, number, "not text; is this the assembly graph?") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise fail(path, number + 1, f"broken gzip ({error}); copy the file again") from None
    if number == 0:
        raise click.ClickException(f"{path} is empty; give the file that the assembler wrote")


# The three graph formats give the same records: (line number, "S", segment name, no steps),
# (line number, "L", "", the two oriented segments) and (line number, "P", path name, its steps).


def regular_record(kind: str, line: str) -> tuple[str, Steps] | None:
    """Name and steps of a regular record; None if it is not regular, in whatever way."""
    shape = REGULAR[kind].match(line)
    if shape is None:
        return None
    if kind == "S":
        return shape[1], []
    if kind == "L":
        return "", [(shape[1], shape[2]), (shape[3], shape[4])]
    return shape[1], [(step[:-1], step[-1]) for step in shape[2].split(",")]


def gfapy_record(kind: str, line: str, path: Path, number: int) -> tuple[str, Steps]:
    """Name and steps of any record, by gfapy. Sequences, overlaps and tags are cut off first: none is used."""
    columns = GFA1_COLUMNS[kind]
    fields = line.split("\t", columns)[:columns]
    if len(fields) < columns or not all(fields[1:-1]):
        raise fail(path, number, f"truncated {kind} record: {shown(line)}")
    try:
        record = gfapy.Line("\t".join([*fields[:-1], "*"]), vlevel=0, version="gfa1")
        if kind == "S":
            return record.name, []
        if kind == "L":
            return "", [(record.from_segment, record.from_orient), (record.to_segment, record.to_orient)]
        return record.path_name, [(step.name, step.orient) for step in record.segment_names]
    except (gfapy.Error, IndexError, ValueError) as error:
        raise fail(path, number, f"malformed {kind} record {shown(line)}: {str(error)[:200]}") from None


def gfa_records(path: Path, kinds: str = "SLP") -> Iterator[Record]:
    """The records of these kinds of a GFA 1 file, one at a time, so that a graph of any size streams through.

    gfapy takes 50 to 75 us a record, minutes for a graph of millions, and nearly all records are regular:
    those are matched and split here, with the same result, and gfapy has the say in all others.
    """
    for number, line in text_lines(path):
        kind = line[:1]
        if line and (kind not in GFA1_KINDS or kind != "#" and line[1:2] not in ("\t", "")):
            raise fail(path, number, f"{shown(line[:20])} starts no GFA 1 record; is this a GFA 1 file?")
        if kind and kind in kinds:
            name, steps = regular_record(kind, line) or gfapy_record(kind, line, path, number)
            yield number, kind, name, steps


def fastg_records(path: Path) -> Iterator[Record]:
    """FASTG of `megahit_toolkit contig2fastg`: each node, and its reverse ('), with what follows it."""
    for number, line in text_lines(path):
        if not line.startswith(">"):
            continue
        if not line.endswith(";"):
            raise fail(path, number, f"truncated FASTG header: {shown(line)} does not end with ';'")
        node, _, following = line[1:-1].partition(":")
        if not node.endswith("'"):
            yield number, "S", node, []
        for other in following.split(",") if following else []:
            yield number, "L", "", [(n.removesuffix("'"), "-" if n.endswith("'") else "+") for n in (node, other)]


def asqg_records(path: Path) -> Iterator[Record]:
    """SGA's string graph: VT records are contigs, ED records overlaps of two contigs in any orientation."""
    for number, line in text_lines(path):
        kind, *fields = line.split("\t", 2)
        if line and kind not in ("HT", "VT", "ED"):
            raise fail(path, number, f"{shown(line[:20])} starts no ASQG record (HT, VT, ED)")
        overlap = fields[0].split() if kind == "ED" and fields else []
        if kind == "VT" and len(fields) < 2 or kind == "ED" and len(overlap) < 10:
            raise fail(path, number, f"truncated {kind} record: {shown(line)}")
        if kind == "VT":
            yield number, "S", fields[0], []
        elif kind == "ED":
            yield number, "L", "", [(overlap[0], "+"), (overlap[1], "+")]


def flatten(path: Path, walks: Iterable[ContigPath]) -> Walks:
    """The walks as arrays. Error if a contig has two."""
    numbers: dict[str, int] = {}
    walk, size, steps = array("q"), array("q"), array("q")
    for line, name, parts in walks:
        if name in numbers:
            raise fail(path, line, f"contig {shown(name)} has two paths")
        numbers[name] = len(numbers)
        for part in filter(None, parts):
            walk.append(numbers[name])
            size.append(len(part))
            steps.extend(part)
    return Walks(list(numbers), *(np.array(column, dtype=np.int64) for column in (walk, size, steps)))


def one_segment_each(numbers: dict[str, int]) -> Walks:
    """Walks of one segment, whose number is given by the name of the walk."""
    n = len(numbers)
    steps = 2 * np.fromiter(numbers.values(), np.int64, n)
    return Walks(list(numbers), np.arange(n), np.ones(n, dtype=np.int64), steps)


def collect(path: Path, records: Iterable[Record]) -> Segments:
    """Numbers the segments. Errors: no segment, one defined twice, an orientation that is not + or -."""
    numbers: dict[str, int] = {}
    defined: set[int] = set()
    links = array("q")
    walks: list[ContigPath] = []
    for line, kind, name, steps in records:
        oriented = []
        for segment, orientation in steps:
            if not segment or orientation not in ("+", "-"):
                problem = f"segment {shown(segment)} has orientation {shown(orientation)}, not + or -"
                raise fail(path, line, problem)
            oriented.append(2 * numbers.setdefault(segment, len(numbers)) + (orientation == "-"))
        if kind == "L":
            links.extend(oriented)
        elif kind == "P":
            walks.append((line, name, [oriented]))
        elif not name or numbers.get(name) in defined:
            raise fail(path, line, f"segment {shown(name)} is defined twice" if name else "a segment without a name")
        else:
            defined.add(numbers.setdefault(name, len(numbers)))
    if not defined:
        raise click.ClickException(f"{path} holds no segment; give the assembly graph of this assembly")
    pairs = np.array(links, dtype=np.int64).reshape(-1, 2)
    whole = np.isin(pairs >> 1, list(defined)).all(axis=1)
    return Segments(numbers, defined, pairs[whole], flatten(path, walks), int((~whole).sum()))


def spades_paths(path: Path, numbers: dict[str, int]) -> Iterator[ContigPath]:
    """contigs.paths or scaffolds.paths: a name, then lines of comma-separated oriented segments; `;` ends
    a line before a gap. Records NAME' are the reverse complements and are passed over."""
    name, start, more, number = "", 0, False, 0
    parts: list[list[int]] = []
    for number, line in text_lines(path):
        if not more and not line.strip():
            continue
        if (SPADES_PATH.match(line) is not None) != more:
            expected = "segments like 12+,7-" if more else "the name of a contig"
            raise fail(path, number, f"expected {expected}, found {shown(line)}")
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
        raise fail(path, number, f"the file ends within the path of {shown(name)}; copy it again")


def flye_paths(path: Path, numbers: dict[str, int]) -> Iterator[ContigPath]:
    """assembly_info.txt: column 8, graph_path, lists signed edge numbers; `??` (gap) and `*` (end of the
    graph) end a part. Alternative contigs (alt_group) have paths of their own like all others."""
    for number, line in text_lines(path):
        if not line or line.startswith(("#", "seq_name")):
            continue
        fields = line.split("\t")
        if len(fields) < 8:
            raise fail(path, number, f"{len(fields)} columns, expected 8; give Flye's assembly_info.txt")
        parts: list[list[int]] = [[]]
        for step in (step.strip() for step in fields[7].split(",")):
            if step in ("*", "??", ""):
                parts.append([])
            elif FLYE_STEP.match(step):
                edge = numbers.setdefault("edge_" + step.lstrip("-"), len(numbers))
                parts[-1].append(2 * edge + step.startswith("-"))
            else:
                raise fail(path, number, f"graph_path holds {shown(step)}, not an edge number, * or ??")
        yield number, fields[0], parts


def match_megahit(path: Path, numbers: dict[str, int], names: list[str], lengths: list[int]) -> dict[str, int]:
    """Contig name -> number of its node, for nodes that contig2fastg named NODE_i_length_L_cov_C_ID_(2i - 1).

    contig2fastg numbers the contigs of its input in order, less those shorter than k + 1. Its input is
    final.contigs.fa, or the contigs of the last k, which final.contigs.fa holds in the same order beside
    those of smaller k, less the ones below MEGAHIT's minimum length. So above the larger of both shortest
    lengths, the lengths of the nodes must be, one by one, those of all contigs or of the contigs of one k
    (`k<number>_`, the largest that fits). Error if they are neither; empty if the nodes have other names.
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
    """The segments of the graph, and every walk that the files know, named as the contigs are."""
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


def spans(values: np.ndarray, sought: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each of `sought` begins in the sorted `values`, and how often it occurs."""
    begin = np.searchsorted(values, sought)
    return begin, np.searchsorted(values, sought, side="right") - begin


def link_contigs(owner: np.ndarray, size: np.ndarray, steps: np.ndarray, links: np.ndarray) -> np.ndarray:
    """Edges between contigs (k x 2, sorted) by the rule in the module's docstring.

    `owner`, `size`: contig and number of steps of each part; `steps`: of all parts, in their order; `links`: m x 2.
    """
    n = owner.max() + 1
    last = np.cumsum(size) - 1
    ends = np.concatenate([steps[last], steps[last - size + 1] ^ 1])  # oriented segments whose right end is outward
    end, end_of = np.divmod(np.unique(ends * n + np.tile(owner, 2)), n)
    member, member_of = np.divmod(np.unique((steps >> 1) * n + np.repeat(owner, size)), n)
    shared = np.unique(end)
    here = np.concatenate([shared, links[:, 0], links[:, 1] ^ 1])
    there = np.concatenate([shared, links[:, 1], links[:, 0] ^ 1]) >> 1
    (begin, ending), (inside, holding) = spans(end, here), spans(member, there)
    pairs = ending * holding
    found = [np.zeros(0, dtype=np.int64)]
    for block in np.split(np.arange(len(pairs)), np.flatnonzero(np.diff(np.cumsum(pairs) // BLOCK)) + 1):
        join = np.repeat(block, pairs[block])
        nth = np.arange(len(join)) - np.repeat(np.cumsum(pairs[block]) - pairs[block], pairs[block])
        one = end_of[begin[join] + nth // holding[join]]
        other = member_of[inside[join] + nth % holding[join]]
        edge = np.minimum(one, other) * n + np.maximum(one, other)
        found.append(np.unique(edge[one != other]))
    return np.stack(np.divmod(np.unique(np.concatenate(found)), n), axis=1)


def build_graph(assembler: str, graph: Path, paths: Path | None, names: list[str], lengths: list[int]) -> ContigGraph:
    """The contig graph of one assembly.

    `names`, `lengths` (bp): the contigs in FASTA order. Error if the graph knows none of them.
    """
    segments, walks = read_graph(assembler, graph, paths, names, lengths)
    number = {name: i for i, name in enumerate(names)}
    contig = np.array([number.get(name, -1) for name in walks.names], dtype=np.int64)
    owner = contig[walks.walk]
    owner_of_step = np.repeat(owner, walks.size)
    known = np.isin(walks.steps >> 1, list(segments.defined))
    placed = np.setdiff1d(owner_of_step[known], [-1])
    if not len(placed):
        theirs = next(iter(walks.names), next(iter(segments.numbers)))
        raise click.ClickException(
            f"{paths or graph}: no contig of the assembly has a place in the graph: the graph names e.g. "
            f"{shown(theirs)}, the FASTA {shown(names[0])}; give graph and paths of this very assembly"
        )
    kept = np.isin(owner, placed)
    edges = link_contigs(owner[kept], walks.size[kept], walks.steps[np.repeat(kept, walks.size)], segments.links)
    return ContigGraph(edges, placed, segments.skipped_links)


def read_contigs(path: Path, assembly: str) -> pd.DataFrame:
    """The assembly's rows of contigs.tsv, `length` in bp. Error if a column is missing or there is no row."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)
    missing = [column for column in ("contig", "assembly", "name", "length") if column not in table.columns]
    if missing:
        raise click.ClickException(f"{path}: no column {missing[0]}; it has {', '.join(table.columns)}")
    table = table.query("assembly == @assembly")
    if table.empty:
        raise click.ClickException(f"{path}: no contig of assembly {assembly!r}; check the assembly's id")
    return table.astype({"length": np.int64})


def write_table(rows: Iterable, columns: list[str], path: str) -> None:
    """A gzipped TSV of text, the same bytes for the same rows."""
    gzipped = {"method": "gzip", "compresslevel": 6, "mtime": 0}
    pd.DataFrame(rows, columns=columns, dtype=str).to_csv(
        path, sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE, compression=gzipped
    )


@click.command(context_settings={"show_default": True})
@click.option("--assembly", required=True, help="Id of the assembly that the graph belongs to.")
@click.option("--assembler", required=True, type=click.Choice(["metaspades", "megahit", "metaflye", "sga", "gfa"]))
@click.option("--graph", required=True, type=FILE)
@click.option("--paths", type=FILE, help="contigs.paths (metaspades), assembly_info.txt (metaflye).")
@click.option("--contigs", required=True, type=FILE)
def main(assembly: str, assembler: str, graph: Path, paths: Path | None, contigs: Path) -> None:
    """Reduce the assembly graph of one assembly to the graph of its contigs."""
    table = read_contigs(contigs, assembly)
    found = build_graph(assembler, graph, paths, table["name"].tolist(), table["length"].tolist())
    catalogue = table["contig"].to_numpy(dtype=object)
    write_table(catalogue[found.placed], ["contig"], "vertices.tsv.gz")
    by_name = catalogue.argsort()
    edges = np.sort(by_name.argsort()[found.edges], axis=1)
    edges = edges[np.lexsort((edges[:, 1], edges[:, 0]))]
    write_table(catalogue[by_name[edges]], ["contig_1", "contig_2"], "edges.tsv.gz")
    counts = {
        "assembly": assembly,
        "assembler": assembler,
        "contigs": len(table),
        "contigs_in_graph": len(found.placed),
        "edges": len(edges),
        "skipped_links": found.skipped_links,
    }
    Path("graph.json").write_text(json.dumps(counts, indent=2) + "\n")
    placed = f"{len(found.placed)} of {len(table)} contigs are in the graph"
    click.echo(f"{assembly}: {placed}, {len(edges)} edges", err=True)
    if found.skipped_links:
        click.echo(f"{graph}: {found.skipped_links} links to absent segments skipped", err=True)


if __name__ == "__main__":
    main()
