#!/usr/bin/env python3
"""Fuzz bin/graph.py and bin/assembly_graph.py with generated graphs of every format, whole and damaged.

A whole graph must give the placed contigs, edges and skipped links that a naive search finds in what the generator
knows, in whatever order its records stand. A damaged one must give a simple graph of placed contigs, the same for every
order of lines where order is free, or a ClickException that names the file and, if any, a line that exists; nothing
else, and within --seconds. Every problem has a number: `--only NUMBER` with the same seed makes that input again.
"""

import gzip
import multiprocessing
import random
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from itertools import count, permutations, product
from pathlib import Path
from typing import NamedTuple

import click

from result_tables import ResultTable, tsv_option

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bin"))
import graph

KINDS = ("metaspades", "metaflye", "megahit fastg", "megahit gfa", "sga", "gfa", "gfa paths")
DAMAGES = ("none", "lines", "bytes", "files")
ODD_NAMES = ("s", "é", "=b", "c d", "x+", "y-", "*z", "q:1", "'p'", "NA", "\u2028", "名", "a;b", ">g", "0", "a''")
JUNK = ("", "+", "-", "*", "x", "-1", "9" * 30, "9" * 5000, "NaN", "1e400", "é", "\ufeff", "\0", "\x0b", " ", "a,b",
        ",", ";", "'", ":", "??", "1+", "1-,2+", "\u0661+", "\t", "\r", "=", "H", "S", "L", "NODE_1_length_9_cov_1",
        "A" * 100_000)  # fmt: skip
MEGAHIT_MIN_LENGTH = 142  # bp; a minimum contig length of MEGAHIT that leaves out the short contigs
WHOLE_GRAPH, DEFINED_SEGMENT = 0.7, 0.8  # share of graphs with all segments; share of segments in the other graphs
FINAL_NEWLINE, GZIPPED = 0.9, 0.2  # share of files with a line break at the end; share of files that are gzipped
DAMAGED_BEFORE_GZIP = 0.5  # share of files that are damaged before they are gzipped; the others are damaged after it
MESSAGE_LIMIT = 1000  # characters; a message of this length or more is a problem
CIGARS = ("*", "55M", "0M", "10M2D3I4=1X5N2S1H1P", "*\tRC:i:1", "")

Step = tuple[str, str]
Walks = dict[str, list[list[Step]]]
Outcome = tuple[set[tuple[str, str]], set[str], int]  # edges, placed contigs, skipped links


class Case(NamedTuple):
    """Records of the graph and of the table of paths, the contigs with their lengths, and what must come out."""

    assembler: str
    records: list[list[str]]
    contigs: dict[str, int]
    expected: Outcome


class Hang(BaseException):
    """The end of the time of an input; not an Exception, so that no handler swallows it."""


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


def generate(kind: str, rng: random.Random) -> Case:
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
    return Case(kind.split(maxsplit=1)[0], records, contigs, naive(walks, links, set(defined)))


def damage_lines(rng: random.Random, lines: list[str]) -> list[str]:
    """Cut, repeat or replace a few lines, take out their tabs, or make a field junk, longer or nothing."""
    for at in [rng.randrange(len(lines)) for _ in range(rng.choice((1, 1, 1, 2, 4)))] if lines else []:
        line, field = lines[at], re.split("([\t,])", lines[at])
        i, junk = rng.randrange(len(field)), rng.choice(JUNK)
        replaced = ["".join([*field[:i], new, *field[i + 1 :]]) for new in (junk, "", field[i] + junk)]
        cut = line[: rng.randrange(len(line) + 1)]
        lines[at] = rng.choice([cut, f"{line}\n{line}", junk, line.replace("\t", " "), *replaced])
    return "\n".join(lines).split("\n")


def damage_bytes(rng: random.Random, raw: bytes) -> bytes:
    """Return the bytes of a file with one kind of damage."""
    at, noise = rng.randrange(len(raw) + 1), rng.randbytes(rng.randint(1, 40))
    utf16, bare = raw.decode(errors="ignore").encode("utf-16"), raw.replace(b"\n", b"\r")
    return rng.choice((b"", raw[:at], raw[:at] + b"\0" + raw[at:], raw[:at] + noise + raw[at + len(noise) :], noise,
                       b"\x1f\x8b" + raw, b"\xef\xbb\xbf" + raw, bare, utf16, raw + raw))  # fmt: skip


def write(rng: random.Random, file: Path, lines: list[str], damage: str) -> None:
    """Write a file in one of the forms that a reader must take, damaged if the damage is to its bytes."""
    raw = rng.choice(("\n", "\n", "\r\n")).join([*lines, *[""] * (rng.random() < FINAL_NEWLINE)]).encode()
    zipped, early = rng.random() < GZIPPED, rng.random() < DAMAGED_BEFORE_GZIP
    raw = damage_bytes(rng, raw) if damage == "bytes" and early else raw
    raw = gzip.compress(raw, 1) if zipped else raw
    file.write_bytes(damage_bytes(rng, raw) if damage == "bytes" and not early else raw)


def read(case: Case, files: list[Path], seconds: float) -> Outcome | str:
    """Return what build_graph gives, or its message, both checked as far as they can be by themselves."""
    names = list(case.contigs)
    paths = files[1] if len(files) > 1 else None
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        found = graph.build_graph(case.assembler, files[0], paths, names, list(case.contigs.values()))
    except click.ClickException as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        named = re.match(f"({'|'.join(re.escape(str(file)) for file in files)})(?:, line (\\d+))?\\b", error.message)
        assert named, f"names no file first: {error.message[:200]}"
        raw = Path(named[1]).read_bytes()
        exists = raw[:2] == b"\x1f\x8b" or 0 < int(named[2] or 1) <= raw.count(b"\n") + 1
        assert exists, f"no such line: {error.message}"
        size = len(error.message)
        assert size < MESSAGE_LIMIT, f"a message of {size} characters: {error.message[:200]}"
        return error.message
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    placed, edges = set(found.placed.tolist()), {tuple(pair) for pair in found.edges.tolist()}
    assert placed <= set(range(len(names))), "placed contigs that are none"
    assert all(a < b and {a, b} <= placed for a, b in edges), "not a simple graph of placed contigs"
    assert len(edges) == len(found.edges), "an edge twice"
    return {tuple(sorted((names[a], names[b]))) for a, b in edges}, {names[i] for i in placed}, found.skipped_links


def attempt(number: int, seed: int, seconds: float, folder: Path) -> tuple[str, str, str]:
    """Make an input, twice if its order is free; return kind, damage, and whether it was built or what is wrong."""
    rng = random.Random(f"{seed} {number}")
    kind, damage = KINDS[number % len(KINDS)], rng.choice(DAMAGES)
    case = generate(kind, rng)
    others = generate(rng.choice(KINDS), rng).records
    texts = [text for text in case.records if text]
    graph.PAIRS_PER_BLOCK = rng.choice((1, 7, 1 << 20))
    if damage == "lines":
        texts = [damage_lines(rng, "\n".join(text).split("\n")) for text in texts]
    elif damage == "files":
        exchanged = [*others, *case.records][: len(texts)]
        texts = rng.choice((texts[::-1], exchanged, [text[:0] for text in texts], texts[:1]))
    files, outcomes = [folder / name for name in ("the_graph", "the_paths")[: len(texts)]], []
    try:
        for _ in range(2 if damage == "none" or (damage == "lines" and case.assembler in ("gfa", "sga")) else 1):
            for file, text in zip(files, texts):
                write(rng, file, text, damage)
            outcomes.append(read(case, files, seconds))
            texts = [rng.sample(text, len(text)) for text in texts]
        if damage == "none":
            assert outcomes[0] == case.expected or (isinstance(outcomes[0], str) and not case.expected[1]), (
                f"{outcomes[0]} instead of {case.expected}"
            )
        refused = [isinstance(outcome, str) for outcome in outcomes]
        assert all(refused) or outcomes[0] == outcomes[-1], f"depends on the order: {outcomes}"
        return kind, damage, "refused" if refused[0] else "built"
    except Hang:
        return kind, damage, f"hangs: more than {seconds} s"
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return kind, damage, f"{type(error).__name__} in {last.name}, line {last.lineno}\t{str(error)[:500]}"


def hang(*_: object) -> None:
    """Raise Hang when the time of an input is over."""
    raise Hang


def work(job: int, jobs: int, end: float, seed: int, seconds: float) -> tuple[Counter, dict[str, str]]:
    """Return how many inputs of each kind came out how, and the first one with each problem."""
    signal.signal(signal.SIGALRM, hang)
    tried: Counter = Counter()
    problems: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in count(job, jobs):
            if time.monotonic() > end:
                return tried, problems
            kind, damage, outcome = attempt(number, seed, seconds, Path(folder))
            if outcome not in ("built", "refused"):
                where, _, what = outcome.partition("\t")
                problems.setdefault(f"{kind}: {where}", f"input {number}: {what}")
                outcome = "problem"
            tried[kind, damage, outcome] += 1


def count_outcomes(tried: Counter) -> dict[str, int]:
    """Return how many inputs of all kinds were built, were refused or are problems."""
    return {name: sum(n for (_, _, one), n in tried.items() if one == name) for name in ("built", "refused", "problem")}


@click.command(context_settings={"show_default": True})
@click.option("--minutes", default=1.0, type=click.FloatRange(min=0))
@click.option("--seed", default=1)
@click.option("--jobs", default=1, type=click.IntRange(min=1))
@click.option("--seconds", default=20.0, help="Time limit of an input.")
@click.option("--only", type=click.IntRange(min=0), help="Make this input alone, in the current directory.")
@tsv_option
def main(minutes: float, seed: int, jobs: int, seconds: float, only: int | None, tsv: Path | None) -> None:
    """Fuzz the readers of bin/graph.py; print what was tried and every problem."""
    if only is not None:
        signal.signal(signal.SIGALRM, hang)
        click.echo(attempt(only, seed, seconds, Path()))
        return
    end = time.monotonic() + 60 * minutes
    with multiprocessing.Pool(jobs) as pool:
        results = pool.starmap(work, [(job, jobs, end, seed, seconds) for job in range(jobs)])
    tried = sum((counts for counts, _ in results), Counter())
    table = ResultTable(tsv, ("graph", "damage"))
    for kind, damage in product(KINDS, DAMAGES):
        outcomes = {name: tried[kind, damage, name] for name in ("built", "refused", "problem")}
        table.add({"graph": kind, "damage": damage, "tried": sum(outcomes.values()), **outcomes})
    table.add({"graph": "all", "damage": "all", "tried": tried.total()} | count_outcomes(tried))
    problems = {where: first for _, found in results for where, first in found.items()}
    for where, first in sorted(problems.items()):
        click.echo(f"{where}, {first}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
