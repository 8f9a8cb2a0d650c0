"""Run GraphBin2's four steps as its article has them, as the program GraphBin2 1.3.3 has them, or in between.

RULES are the differences between the program and the article; graphbin2_program.py uses them. The functions step1 ...
step4 take the set of rules that are on. With none they are the article's steps of bin/graphbin2.py; with all they are
the program's (its function `run`, and `is_multi` for step 4), down to the order of equal candidates. Later rules of a
step need the ones above them to be on.
"""

import heapq
import itertools
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

BIN = Path(__file__).resolve().parents[1] / "bin"
sys.path.insert(0, str(BIN))
import assembly_graph  # noqa: E402
import assembly_tables  # noqa: E402
import graphbin2 as article  # noqa: E402

UNLABELLED = article.UNLABELLED


class Rule(NamedTuple):
    """A difference between the program and the article."""

    key: str
    steps: tuple[int, ...]  # on which it acts
    text: str


RULES = (
    Rule("shared", (1, 2, 3, 4), "graph: a segment that two contigs share does not link them"),
    Rule("gaps", (1, 2, 3, 4), "graph: ends at a gap within a contig do not count"),
    Rule("sides", (1, 2, 3, 4), "graph: links at the inner side of a first or last segment count"),
    Rule("number", (1, 2, 3, 4), "graph: vertex i is compared with contig number i, which is vertex i - 1"),
    Rule("header", (3, 4), "coverage: one value, from the FASTA header"),
    Rule("integer", (3, 4), "coverage: truncated to an integer"),
    Rule("order", (3,), "step 3: equal candidates in the order of the file, not of names"),
    Rule("depth", (1, 2, 3), "search: ends at depth 5"),
    Rule("alone", (1,), "step 1: a label that meets no label at all is kept"),
    Rule("distance", (1, 2, 3), "search: a distance is overwritten by a longer one found later"),
    Rule("again", (1,), "step 1: repeated until nothing changes"),
    Rule("strict", (2,), "step 2: > in place of >="),
    Rule("repeat", (2,), "step 2: repeated, each contig moves once at most"),
    Rule("heap", (3,), "step 3: equal candidates as the heap happens to hold them"),
    Rule("bins", (4,), "step 4: means of whole bins, not of components"),
    Rule("without", (4,), "step 4: the contig is left out of the mean of its own bin"),
    Rule("touching", (4,), "step 4: own bin counts like the others, only if a neighbour (or itself, by a loop) has it"),
    Rule("smaller", (4,), "step 4: also contigs that are covered less than their own"),
    Rule("short", (4,), "step 4: only contigs above 1,000 bp"),
)
GRAPH_RULES = ("shared", "gaps", "sides", "number")
INPUT_RULES = frozenset((*GRAPH_RULES, "header", "integer"))
MIN_STEP4_LENGTH = 1000  # bp
DEPTH = 5  # GraphBin2's default
RATIO = 1.5  # of both programs


class Contigs(NamedTuple):
    """The contigs, in the order of contigs.paths, which is that of GraphBin2's vertices."""

    names: list[str]
    numbers: list[int]  # the number in the name: NODE_<number>_length_...
    length: np.ndarray
    walks: dict[int, list[list[int]]]  # the oriented segments of each part
    links: list[tuple[int, int]]
    coverage: np.ndarray  # n x s


class Side(NamedTuple):
    """A contig graph with coverages, as one program or the other sees them."""

    neighbours: article.Neighbours
    loops: set[int]
    coverage: np.ndarray  # n x s
    contigs: Contigs


def read_vertices(folder: Path, names: list[str]) -> Contigs:
    """Return the contigs in this order. Raise ClickException if they are not those of contigs.tsv."""
    table = pd.read_csv(folder / "contigs.tsv", sep="\t").set_index("name")
    if set(names) != set(table.index):
        raise click.ClickException(f"{folder}: contigs.paths and the FASTA file do not hold the same contigs")
    graph, paths = folder / "graph.gfa", folder / "contigs.paths"
    segments, walks = assembly_graph.read_graph("metaspades", graph, paths, names, [])
    numbers = [int(name.split("_")[1]) for name in names]
    vertex = {name: v for v, name in enumerate(names)}
    placed: dict[int, list[list[int]]] = defaultdict(list)
    for walk, part in zip(walks.walk, np.split(walks.steps, np.cumsum(walks.size)[:-1])):
        if walks.names[walk] in vertex:
            placed[vertex[walks.names[walk]]].append(part.tolist())
    contigs = table.loc[names].assign(contig=names)
    coverage = assembly_tables.read_coverage(folder / "coverage.tsv", contigs).to_numpy()
    return Contigs(names, numbers, contigs["length"].to_numpy(), placed, segments.links.tolist(), coverage)


def pairs(contigs: Contigs, on: frozenset[str]) -> set[tuple[int, int]]:
    """Return the edges of the contig graph (lower vertex first, loops as well) under the graph rules."""
    members, ends = defaultdict(list), defaultdict(set)
    for contig, parts in contigs.walks.items():
        first_last = [(parts[0][0], parts[-1][-1])] if "gaps" in on else [(part[0], part[-1]) for part in parts]
        for end in {end for first, last in first_last for end in (first ^ 1, last)}:
            ends[end].add(contig)
            if "sides" in on:
                ends[end ^ 1].add(contig)
        for segment in {step >> 1 for part in parts for step in part}:
            members[segment].append(contig)
    shared = [] if "shared" in on else [(end, end) for end in ends]
    found = set()
    for here, there in itertools.chain(shared, *(((a, b), (b ^ 1, a ^ 1)) for a, b in contigs.links)):
        for a, b in itertools.product(ends.get(here, ()), members.get(there >> 1, ())):
            if a != (contigs.numbers[b] if "number" in on else b):
                found.add((min(a, b), max(a, b)))
    return found


def side_of(contigs: Contigs, on: frozenset[str]) -> Side:
    """Return graph and coverages under these rules. Loops matter in step 4 only."""
    neighbours: list[set[int]] = [set() for _ in contigs.names]
    edges = pairs(contigs, on)
    for a, b in edges:
        neighbours[a].add(b)
        neighbours[b].add(a)
    coverage = contigs.coverage
    if "header" in on:
        coverage = np.array([[float(name.rpartition("_cov_")[2])] for name in contigs.names])
    if "integer" in on:
        coverage = coverage.astype(np.int64)
    simple = [sorted(found - {v}) for v, found in enumerate(neighbours)]
    return Side(simple, {a for a, b in edges if a == b}, coverage, contigs)


def search(side: Side, cover: list, labels: Sequence[int], v: int, on: frozenset[str]) -> set[tuple]:
    """Search as runBFS of GraphBin2; return (v, t, label of t, distance, difference of coverage) for each t found."""
    queue, visited, depth, found = deque([v]), set(), {v: 0}, set()
    while queue:
        active = queue.popleft()
        visited.add(active)
        if labels[active] != UNLABELLED and len(visited) > 1:
            found.add((v, active, labels[active], depth[active], abs(cover[v] - cover[active])))
            continue
        for u in side.neighbours[active]:
            if u not in visited and ("distance" in on or u not in depth):
                depth[u] = depth[active] + 1
                if depth[u] <= DEPTH:
                    queue.append(u)
    return found


def step1(side: Side, labels: article.Labels, on: frozenset[str]) -> article.Labels:
    """Return the labels without the unsupported ones."""
    if "depth" not in on:
        return article.remove_unsupported(side.neighbours, labels)
    cover, labels = side.coverage[:, 0].tolist(), list(labels)
    while True:
        removed = []
        for v, own in enumerate(labels):
            if own != UNLABELLED and side.neighbours[v]:
                met = {label for _, _, label, _, _ in search(side, cover, labels, v, on)}
                if own not in met and (met or "alone" not in on):
                    removed.append(v)
        for v in removed:
            labels[v] = UNLABELLED
        if not removed or "again" not in on:
            return labels


def step2(side: Side, labels: article.Labels, on: frozenset[str]) -> article.Labels:
    """Return the labels with the inconsistent ones corrected."""
    if "depth" not in on:
        return article.correct_inconsistent(side.neighbours, labels, RATIO)
    cover, labels, moved = side.coverage[:, 0].tolist(), list(labels), set()
    while True:
        corrected = {}
        for v, own in enumerate(labels):
            if own == UNLABELLED or v in moved:
                continue
            score: Counter = Counter()
            for _, _, label, distance, _ in search(side, cover, labels, v, on):
                score[label] += 2.0**-distance
            mine = RATIO * score.pop(own, 0)
            best = min(score, key=lambda label: (-score[label], label), default=own)
            if best != own and (score[best] > mine or (score[best] == mine and "strict" not in on)):
                corrected[v] = best
        for v, label in corrected.items():
            labels[v] = label
        moved |= corrected.keys()
        if not corrected or "repeat" not in on:
            return labels


class Candidate(tuple):
    """A candidate (distance, difference of coverage, t, v, label), compared by the first two only."""

    def __lt__(self, other: tuple) -> bool:
        return self[:2] < other[:2]


def step3(side: Side, labels: article.Labels, on: frozenset[str]) -> article.Labels:
    """Return the labels after propagation."""
    if "order" not in on:  # vertices by name, as bin/ numbers them
        order = sorted(range(len(labels)), key=side.contigs.names.__getitem__)
        place = np.argsort(order).tolist()
        neighbours = [sorted(place[u] for u in side.neighbours[v]) for v in order]
        done = article.propagate(neighbours, [labels[v] for v in order], side.coverage[order])
        return [done[p] for p in place]
    if "distance" not in on:  # with true distances the best candidate has distance 1, so that the depth is nothing
        return article.propagate(side.neighbours, labels, side.coverage)
    return propagate_as_programmed(side, labels, on)


def propagate_as_programmed(side: Side, labels: article.Labels, on: frozenset[str]) -> article.Labels:
    """Return the labels after step 3 of the program, whose candidates are over all distances.

    Only those of the neighbours of the vertex just labelled are looked up anew. Sets and heap are filled in the order
    of the program, so that ties fall as there.
    """
    cover, labels = side.coverage[:, 0].tolist(), list(labels)
    kind = Candidate if "heap" in on else tuple

    def candidates(v: int) -> Iterable[tuple]:
        return [kind((d, gap, t, v, label)) for v, t, label, d, gap in search(side, cover, labels, v, on)]

    def unlabelled(v: int) -> list[int]:
        return [u for u in side.neighbours[v] if labels[u] == UNLABELLED]

    waiting: set[int] = set()
    for t, label in enumerate(labels):
        if label != UNLABELLED:
            waiting.update(unlabelled(t))
    heap: list[tuple] = []
    for candidate in [candidate for v in waiting for candidate in candidates(v)]:
        heapq.heappush(heap, candidate)
    while heap:
        _, _, _, v, label = heapq.heappop(heap)
        if labels[v] == UNLABELLED:
            labels[v] = label
            near = set(unlabelled(v))
            heap = [candidate for candidate in heap if candidate[3] not in near]
            heapq.heapify(heap)
            for candidate in itertools.chain.from_iterable(map(candidates, near)):
                heapq.heappush(heap, candidate)
    return labels


def step4(side: Side, labels: article.Labels, on: frozenset[str]) -> list[frozenset[int]]:
    """Return all labels of each vertex."""
    length = side.contigs.length
    if "bins" not in on:
        gained: Iterable = article.gained_labels(side.neighbours, labels, side.coverage, length)
    else:
        cover, length = side.coverage[:, 0].tolist(), length.tolist()
        total, weight = Counter(), Counter()
        for v, label in enumerate(labels):
            total[label] += cover[v] * length[v]
            weight[label] += length[v]
        gained = (gains(side, labels, (cover[v], length[v]), (total, weight), v, on) for v in range(len(labels)))
    return [frozenset({own, *more} - {UNLABELLED}) for own, more in zip(labels, gained)]


def gains(side: Side, labels: article.Labels, contig: tuple, bins: tuple, v: int, on: frozenset[str]) -> Iterable[int]:
    """Return the labels that step 4 chooses for v where components are whole bins, none if it has only its own.

    contig: its coverage and length; bins: sums of coverage * length and of length per label.
    """
    own, (cover, length), (total, weight) = labels[v], contig, bins
    touched = {labels[u] for u in side.neighbours[v]} | ({own} if v in side.loops else set())
    if own == UNLABELLED or touched <= {own} or ("short" in on and length <= MIN_STEP4_LENGTH):
        return ()
    mean = {label: total[label] / weight[label] for label in touched | {own}}
    if "without" in on:
        others = weight[own] - length
        mean[own] = (total[own] - cover * length) / others if others else 0
    if "smaller" not in on and cover <= mean[own]:
        return ()
    free = sorted(touched if "touching" in on else touched - {own})
    base = () if "touching" in on else (own,)
    subsets = [base + chosen for size in range(len(free) + 1) for chosen in itertools.combinations(free, size)]
    if "touching" in on and len(free) == 1:
        return ()
    best = min(filter(None, subsets), key=lambda subset: abs(sum(mean[label] for label in subset) - cover))
    return best if len(best) > 1 else ()


STEPS = (step1, step2, step3, step4)


def replay(contigs: Contigs, initial: article.Labels) -> list[list[Sequence]]:
    """Return per step the labels under the first 0, 1, ... rules, each step on the labels of the one before it."""
    outputs: list[list[Sequence]] = [[], [], [], []]
    now: list[Sequence] = [initial, [], [], [], []]
    for k in range(len(RULES) + 1):
        on = frozenset(rule.key for rule in RULES[:k])
        side = side_of(contigs, on)
        for number, step in enumerate(STEPS, 1):
            if k == 0 or number >= min(RULES[k - 1].steps):  # else as before
                now[number] = step(side, now[number - 1], on)
            outputs[number - 1].append(now[number])
    return outputs


def replay_step(contigs: Contigs, labels: article.Labels, number: int) -> tuple[list[Rule], list[Sequence]]:
    """Return the rules of one step, and what it makes of labels under the first 0, 1, ... of them.

    Contig graph and coverage are those of the program.
    """
    side = side_of(contigs, INPUT_RULES)
    rules = [rule for rule in RULES if number in rule.steps and rule.key not in INPUT_RULES]
    settings = [INPUT_RULES | {rule.key for rule in rules[:k]} for k in range(len(rules) + 1)]
    return rules, [STEPS[number - 1](side, labels, on) for on in settings]
