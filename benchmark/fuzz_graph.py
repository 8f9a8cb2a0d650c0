"""Generated assembly graphs of every format, whole and damaged, for bin/graph.py and the modules that it reads them by.

A whole graph must give the placed contigs, edges and skipped links that a naive search finds in what the generator
knows, in whatever order its records stand. A damaged one must give a simple graph of placed contigs, the same for every
order of lines where order is free, or be refused. `graph_checks` refuses it or warns, nothing else.
"""

import random
import sys
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from fuzzing import FINAL_NEWLINE, ODD_NAMES, WHOLE, Case, check_refusal, damage_bytes, damage_lines, maybe_gzipped
from project import BIN

sys.path.insert(0, str(BIN))
import graph
import graph_checks

KINDS = ("metaspades", "metaflye", "megahit fastg", "megahit gfa", "sga", "gfa", "gfa paths")
DAMAGES = ("none", "lines", "bytes", "gzip", "files")
FILES = ("the_graph", "the_paths")
MEGAHIT_MIN_LENGTH = 142  # bp; a minimum contig length of MEGAHIT that leaves out the short contigs
WHOLE_GRAPH, DEFINED_SEGMENT = 0.7, 0.8  # share of graphs with all segments; share of segments in the other graphs
CIGARS = ("*", "55M", "0M", "10M2D3I4=1X5N2S1H1P", "*\tRC:i:1", "")

Step = tuple[str, str]
Walks = dict[str, list[list[Step]]]
Outcome = tuple[set[tuple[str, str]], set[str], int]  # edges, placed contigs, skipped links


class Graph(NamedTuple):
    """Records of the graph and of the table of paths, the contigs with their lengths, and what must come out."""

    assembler: str
    records: list[list[str]]
    contigs: dict[str, int]
    expected: Outcome


def flip(step: Step) -> Step:
    """Return the step in the other orientation."""
    return step[0], "-" if step[1] == "+" else "+"


def naive(walks: Walks, links: list[list[Step]], defined: set[str]) -> Outcome:
    """Return what a reader must find, pair by pair, as the docstring of graph.py defines it."""
    placed = {contig for contig, parts in walks.items() if any(name in defined for part in parts for name, _ in part)}
    whole = [(a, b) for a, b in links if a[0] in defined and b[0] in defined]
    edges = set()
    for one, other in permutations(placed, 2):
        inside = {name for part in walks[other] for name, _ in part}
        for end in [end for part in walks[one] for end in (part[-1], flip(part[0]))]:
            following = [b for a, b in whole if a == end] + [flip(a) for a, b in whole if flip(b) == end]
            if any(name in inside for name, _ in [end, *following]):
                edges.add((min(one, other), max(one, other)))
    return edges, placed, len(links) - len(whole)


def steps(rng: random.Random, names: list[str], n: int) -> list[Step]:
    """Return n random steps."""
    return [(rng.choice(names), rng.choice("+-")) for _ in range(n)]


def megahit(rng: random.Random, n: int) -> tuple[dict[str, int], dict[str, str]]:
    """Return contigs with lengths, and nodes by contig: all, or those of the last k and the ones that are too short."""
    prefixes = rng.choice((["k141"], ["k141", "k21"]))
    names = ["k141_0", *(f"{rng.choice(prefixes)}_{i}" for i in rng.sample(range(1, 99), n))]
    contigs = {name: rng.choice((120, 300, 301, 5000)) for name in names}
    floor = rng.choice((0, MEGAHIT_MIN_LENGTH)) if contigs["k141_0"] > MEGAHIT_MIN_LENGTH else 0
    given = {"short": 60} if len(prefixes) > 1 and not floor else {}
    given |= {name: length for name, length in contigs.items() if name.startswith("k141") and length >= floor}
    return contigs, {c: f"NODE_{i}_length_{bp}_cov_1.5_ID_{2 * i - 1}" for i, (c, bp) in enumerate(given.items(), 1)}


def records_of(kind: str, rng: random.Random, defined: list[str], links: list[list[Step]], walks: Walks) -> list[str]:
    """Return the records of the graph file."""
    if kind == "sga":
        overlaps = [f"ED\t{a[0]} {b[0]} 0 1 2 0 1 2 {int(a[1] == b[1])} 0" for a, b in links]
        return ["HT\tVN:i:1", *(f"VT\t{s}\tACGT\tSS:i:0" for s in defined), *overlaps]
    if kind == "megahit fastg":
        both = [[step, *(b for a, b in links if a == step)] for name in defined for step in ((name, "+"), (name, "-"))]
        named = [[name + "'" * (orientation == "-") for name, orientation in record] for record in both]
        return [f">{node}{':' * bool(after)}{','.join(after)};\nACGT\nAC" for node, *after in named]
    records = ["H\tVN:Z:1.0", "# x", "", "C\ta\t+\tb\t+\t0\t*"]
    records += [f"S\t{s}\t{rng.choice('*A')}\tLN:i:4" for s in defined]
    records += ["\t".join(["L", *a, *b, rng.choice(CIGARS)]) for a, b in links]
    paths = walks if kind == "gfa paths" else {}
    return records + [f"P\t{name}\t{','.join(n + o for n, o in part)}\t*" for name, (part,) in paths.items()]


def paths_of(kind: str, rng: random.Random, walks: Walks) -> list[str]:
    """Return contigs.paths or assembly_info.txt, by contig; nothing for other kinds."""
    if kind == "metaspades":
        back = {name + "'": [[flip(s) for s in part[::-1]] for part in parts[::-1]] for name, parts in walks.items()}
        texts = [(n, [",".join(s + o for s, o in part) for part in parts]) for n, parts in (walks | back).items()]
        return ["\n".join([name, ";\n".join(parts)]) for name, parts in texts]
    rows = ["#seq_name\tlength\tcov.\tcirc.\trepeat\tmult.\talt_group\tgraph_path"]
    for name, parts in walks.items() if kind == "metaflye" else ():
        path = ",??,".join(",".join("-" * (o == "-") + n[5:] for n, o in part) for part in parts) or "*"
        path = rng.choice(("", "*,")) + path + rng.choice(("", ",*"))
        rows.append(f"{name}\t9\t5\t{rng.choice('YN')}\tN\t1\t{rng.choice('*1')}\t{path}")
    return rows if kind == "metaflye" else []


def random_graph(kind: str, rng: random.Random) -> Graph:
    """Return a graph of up to 12 segments, some of them perhaps absent."""
    n = rng.randint(1, 12)
    form = {"metaspades": "{0}", "metaflye": "edge_{0}", "sga": "contig-{0}"}.get(kind, "{1}{0}")
    names = [form.format(i, rng.choice(ODD_NAMES)) for i in range(n)]
    walks = {name: [[(name, "+")]] for name in names}
    if kind in ("metaspades", "metaflye", "gfa paths"):
        parts = {"gfa paths": (1,), "metaspades": (1, 1, 1, 2, 3), "metaflye": (0, 1, 1, 1, 2, 3)}[kind]
        walks = {
            f"c_{i}": [steps(rng, names, rng.randint(1, 5)) for _ in range(rng.choice(parts))]
            for i in range(rng.randint(1, 8))
        }
    contigs = dict.fromkeys([*walks, *["polished"] * rng.randrange(2)], 9)
    if kind.startswith("megahit"):
        contigs, nodes = megahit(rng, n)
        names, walks = list(nodes.values()), {c: [[(node, "+")]] for c, node in nodes.items() if c in contigs}
    whole = kind.startswith("megahit") or rng.random() < WHOLE_GRAPH
    defined = [name for name in names if whole or rng.random() < DEFINED_SEGMENT] or names[:1]
    links = [steps(rng, names, 2) for _ in range(rng.randint(0, 20))]
    records = [records_of(kind, rng, defined, links, walks), paths_of(kind, rng, walks)]
    return Graph(kind.split(maxsplit=1)[0], records, contigs, naive(walks, links, set(defined)))


def file_bytes(rng: random.Random, lines: list[str], damage: str) -> bytes:
    """Return a file in one of the forms that a reader must take, damaged if the damage is to its bytes."""
    raw = rng.choice(("\n", "\n", "\r\n")).join([*lines, *[""] * (rng.random() < FINAL_NEWLINE)]).encode()
    raw = damage_bytes(rng, raw) if damage == "bytes" else raw
    return damage_bytes(rng, maybe_gzipped(rng, raw, True)) if damage == "gzip" else maybe_gzipped(rng, raw)


def check_whole(assembler: str, files: list[Path], found: graph.ContigGraph, contigs: dict[str, int]) -> None:
    """Hold a graph against its contigs, without their sequences; raise ClickException if it contradicts them."""
    paths = files[1] if len(files) > 1 else None
    graph_checks.check_graph(assembler, files[0], paths, found.segments, found.walks, contigs, ())
    lengths = np.array(list(contigs.values()))
    graph_checks.check_placed(assembler, files[0], found.placed, len(found.edges), lengths)


def read_graph(one: Graph, folder: Path, files: dict[str, bytes]) -> Outcome | str:
    """Return what build_graph gives, or its message, both checked as far as they can be by themselves."""
    names, given = list(one.contigs), [folder / name for name in files]
    for path, raw in zip(given, files.values()):
        path.write_bytes(raw)
    paths = given[1] if len(given) > 1 else None
    try:
        found = graph.build_graph(one.assembler, given[0], paths, names, list(one.contigs.values()))
    except click.ClickException as error:
        check_refusal(error.message, folder, files)
        return error.message
    try:
        check_whole(one.assembler, given, found, one.contigs)
    except click.ClickException as error:
        check_refusal(error.message, folder, files)
    placed, edges = set(found.placed.tolist()), {tuple(pair) for pair in found.edges.tolist()}
    assert placed <= set(range(len(names))), "placed contigs that are none"
    assert all(a < b and {a, b} <= placed for a, b in edges), "not a simple graph of placed contigs"
    assert len(edges) == len(found.edges), "an edge twice"
    return {tuple(sorted((names[a], names[b]))) for a, b in edges}, {names[i] for i in placed}, found.skipped_links


def check_outcomes(one: Graph, is_whole: bool, outcomes: list[Outcome | str]) -> None:
    """Raise AssertionError unless a graph was read alike in every order, and a whole one as it was made."""
    if is_whole:
        is_right = outcomes[0] == one.expected or (isinstance(outcomes[0], str) and not one.expected[1])
        assert is_right, f"{outcomes[0]} instead of {one.expected}"
    refused = [isinstance(outcome, str) for outcome in outcomes]
    assert all(refused) or outcomes[0] == outcomes[-1], f"depends on the order: {outcomes}"


def graph_case(damage: str, one: Graph, variants: list[dict[str, bytes]]) -> Case:
    """Return the files of a graph, once for each order of their records."""

    def read(folder: Path) -> list[Outcome | str]:
        return [read_graph(one, folder, files) for files in variants]

    def check(outcomes: list[Outcome | str]) -> None:
        check_outcomes(one, damage == "none", outcomes)

    return Case(damage, variants[0], read, check, False)


def generate(rng: random.Random) -> Case:
    """Return a graph with its table of paths, twice, in another order of records, where order is free."""
    kind = rng.choice(KINDS)
    damage = "none" if rng.random() < WHOLE else rng.choice(DAMAGES[1:])
    one, other = random_graph(kind, rng), random_graph(rng.choice(KINDS), rng)
    texts = [text for text in one.records if text]
    graph.PAIRS_PER_BLOCK = rng.choice((1, 7, 1 << 20))
    if damage == "lines":
        texts = [damage_lines(rng, "\n".join(text).split("\n")) for text in texts]
    elif damage == "files":
        exchanged = [*other.records, *one.records][: len(texts)]
        texts = rng.choice((texts[::-1], exchanged, [text[:0] for text in texts], texts[:1]))
    is_free = damage == "none" or (damage == "lines" and one.assembler in ("gfa", "sga"))
    orders = [texts, [rng.sample(text, len(text)) for text in texts]] if is_free else [texts]
    variants = [dict(zip(FILES, [file_bytes(rng, text, damage) for text in order])) for order in orders]

    return graph_case(damage, one, variants)


GENERATORS = {"graph": generate}
