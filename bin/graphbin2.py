#!/usr/bin/env python3
"""Correct, complete and overlap the bins of one assembly along its assembly graph (GraphBin2).

In:  the contig graph of the assembly (vertices.tsv.gz and edges.tsv.gz of the graph stage), contigs.tsv, clusters.tsv
     and coverage.tsv.gz of the group.
Out: contig2bin.tsv (contig, bin; one row per label), refinement.tsv, refinement.json.

This is GraphBin2 (Mallawaarachchi et al. 2021, Algorithms Mol Biol 16:3), "Step 1" to "Step 4".

The label of a contig is its cluster, if the cluster has --min_bin_size bp in this assembly; other contigs enter without
a label. Vertices are numbered in the order of contig names, labels by the length of the id, then by the id. Of equal
candidates the one with the lower number comes first, so that no result depends on the order of the input.

The column `reason` of refinement.tsv has these words, joined by commas:
  kept            has the label that it came with
  unsupported     lost its label in step 1
  corrected       got another label in step 2
  propagated      got a label in step 3
  multi_labelled  gained labels in step 4
  unreached       no label reaches it in the graph
  not_in_graph    has no place in the graph; keeps its label if it has one
"""

import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import click
import numpy as np
import pandas as pd

from assembly_tables import (
    contigs_of_assembly,
    large_clusters,
    read_clusters,
    read_contig_graph,
    read_contigs_by_name,
    read_coverage,
)
from stage_arrays import REFINEMENT_COUNTS, write_description
from stage_tables import ARTICLE_REFINEMENT, REFINED_CONTIG2BIN
from table_output import write_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
UNLABELLED = -1
# Step 4 tries all 2^k subsets of k labels, up to this k.
MAX_EXACT_LABELS = 10

Labels = list[int]
Neighbours = list[list[int]]  # the neighbours of each vertex, ascending, without the vertex itself


def equal_components(neighbours: Neighbours, labels: Labels) -> list[int]:
    """Return, per vertex, the number of its connected component of equal label (or of unlabelled vertices)."""
    component = [-1] * len(labels)
    for start, label in enumerate(labels):
        if component[start] >= 0:
            continue
        component[start] = start
        stack = [start]
        while stack:
            for u in neighbours[stack.pop()]:
                if component[u] < 0 and labels[u] == label:
                    component[u] = start
                    stack.append(u)
    return component


def unlabelled_beyond(neighbours: Neighbours, labels: Labels) -> tuple[list[set[int]], dict[int, Counter]]:
    """Return what is next to components of unlabelled vertices.

    The first list has, per labelled vertex, the components next to it; the dictionary has, per component, the number of
    vertices of each label next to it (N(Component) in the text).
    """
    component = equal_components(neighbours, labels)
    beyond: list[set[int]] = [set() for _ in labels]
    count: dict[int, Counter] = defaultdict(Counter)
    for v, label in enumerate(labels):
        if label != UNLABELLED:
            beyond[v] = {component[u] for u in neighbours[v] if labels[u] == UNLABELLED}
            for c in beyond[v]:
                count[c][label] += 1
    return beyond, count


def remove_unsupported(neighbours: Neighbours, labels: Labels) -> Labels:
    """Return the labels after step 1.

    A labelled vertex keeps its label if it is isolated, has a neighbour of its label, or reaches another vertex of its
    label through unlabelled vertices only. All are judged at once: support is mutual, so the labels that remain keep
    their support. O(V + E).
    """
    beyond, count = unlabelled_beyond(neighbours, labels)
    return [
        label
        if not neighbours[v]
        or any(labels[u] == label for u in neighbours[v])
        or any(count[c][label] > 1 for c in beyond[v])
        else UNLABELLED
        for v, label in enumerate(labels)
    ]


def score_levels(neighbours: Neighbours, labels: Labels, v: int) -> Iterator[tuple[dict[int, int], list[int]]]:
    """Yield the labelled scores of v by a breadth-first search through unlabelled vertices, level by level.

    Level d = 1, 2, ... gives {x: 2^d * S_d(v, x)}, exact integers, where S_d sums 2^-D(v, t) over the vertices t of
    label x with D <= d, and the labels found at this level. The last level has S(v, x).
    """
    scores: dict[int, int] = {}
    seen, frontier = {v}, [v]
    while frontier:
        reached = {w for u in frontier for w in neighbours[u]} - seen
        seen |= reached
        found = [labels[w] for w in reached if labels[w] != UNLABELLED]
        scores = {label: 2 * score for label, score in scores.items()}
        for label in found:
            scores[label] = scores.get(label, 0) + 1
        yield scores, found
        frontier = [w for w in reached if labels[w] == UNLABELLED]


def better_label(levels: Iterable, own: int, rest_own: int, rest_other: int, ratio: Fraction) -> int:
    """Return the label that a vertex of label `own` has after step 2, from the levels of its scores.

    rest_own and rest_other: upper bounds on the vertices of label own, and of any one other label, that the search can
    find. Beyond level d each of them adds at most 2^-(d + 1), so the search ends as soon as the vertices that remain
    cannot change the decision. There is no depth limit; the result is that of the whole search.
    """
    mine = second = 0
    best = own
    for scores, found in levels:
        rest_own -= found.count(own)
        mine = scores.get(own, 0)
        ranked = sorted((-score, label) for label, score in scores.items() if label != own)[:2]
        second, third = ([-score for score, _ in ranked] + [0, 0])[:2]
        best = ranked[0][1] if ranked else own
        if ratio * 2 * mine > 2 * second + rest_other:
            return own
        if ratio * (2 * mine + rest_own) <= 2 * second and 2 * second > 2 * third + rest_other:
            return best
    return best if ratio * mine <= second else own


def correct_inconsistent(neighbours: Neighbours, labels: Labels, ratio: float) -> Labels:
    """Return the labels after step 2; `ratio` is alpha in the text.

    A vertex v of label x is inconsistent if ratio * S(v, x) <= S(v, y) for another label y that it reaches; it gets the
    label of the highest score. All scores are those of the labels after step 1 and all corrections are made at once, so
    their order does not matter.
    """
    beyond, count = unlabelled_beyond(neighbours, labels)
    largest = {c: labelled.most_common(2) for c, labelled in count.items()}
    corrected = list(labels)
    for v, own in enumerate(labels):
        if own == UNLABELLED:
            continue
        direct = [labels[u] for u in neighbours[v] if labels[u] != UNLABELLED]
        rest_own = direct.count(own) + sum(count[c][own] - 1 for c in beyond[v])
        rest_other = len(direct) - direct.count(own)
        rest_other += sum(next((n for label, n in largest[c] if label != own), 0) for c in beyond[v])
        if rest_other:
            levels = score_levels(neighbours, labels, v)
            corrected[v] = better_label(levels, own, rest_own, rest_other, Fraction(ratio))
    return corrected


def propagate(neighbours: Neighbours, labels: Labels, coverage: np.ndarray) -> Labels:
    """Return the labels after step 3: every vertex that a label reaches has one.

    `coverage` (n x s) is in mean reads per base.

    The text executes the candidate (D(v, t), |c(v) - c(t)|, t, v) that comes first, then ranks the candidates again.
    The first always has D = 1: if D(v, t) > 1, the vertex next to t on the path is unlabelled and at distance 1 from t,
    so its candidate comes first. The candidates are therefore the edges between a labelled and an unlabelled vertex,
    and the key of an edge never changes. A heap of these edges gives the order of the text exactly, in O(E log E).
    |.| is the Euclidean norm over the samples; of equal candidates the lower t comes first, then the lower v.
    """
    rows = coverage.tolist()
    labels = list(labels)
    heap = [
        (math.dist(rows[t], rows[v]), t, v)
        for t, label in enumerate(labels)
        if label != UNLABELLED
        for v in neighbours[t]
        if labels[v] == UNLABELLED
    ]
    heapq.heapify(heap)
    while heap:
        _, t, v = heapq.heappop(heap)
        if labels[v] == UNLABELLED:
            labels[v] = labels[t]
            for u in neighbours[v]:
                if labels[u] == UNLABELLED:
                    heapq.heappush(heap, (math.dist(rows[u], rows[v]), v, u))
    return labels


@lru_cache
def subset_masks(k: int) -> np.ndarray:
    """Return all 2^k subsets of k things as rows of 0 and 1: smaller subsets first, then by lowest members."""
    masks = np.zeros((2**k, k))
    subsets = itertools.chain.from_iterable(itertools.combinations(range(k), size) for size in range(k + 1))
    for row, subset in enumerate(subsets):
        masks[row, list(subset)] = 1
    return masks


def closest_subset(excess: np.ndarray, means: np.ndarray) -> list[int]:
    """Return the rows of means (k x s) whose sum is closest to excess (s) in the Euclidean norm; there may be none.

    This is the subset sum problem of the text for vectors; with s = 1 it is exactly the text's. All subsets are tried;
    with more than MAX_EXACT_LABELS rows, all subsets of the rows that are closest to excess one by one.
    """
    near = np.argsort(np.linalg.norm(means - excess, axis=1), kind="stable")[:MAX_EXACT_LABELS]
    near.sort()
    masks = subset_masks(len(near))
    best = np.linalg.norm(masks @ means[near] - excess, axis=1).argmin()
    return near[masks[best] > 0].tolist()


def gained_labels(neighbours: Neighbours, labels: Labels, coverage: np.ndarray, length: np.ndarray) -> list[list[int]]:
    """Return, per vertex, the labels that it gains in step 4 beside its own (mostly none).

    A component P of equal label has the length-weighted mean coverage c(P) of all its contigs. A vertex v of P is
    considered if it touches other labels and c(v) > c(P) (summed over the samples). A label that it touches is one
    genome, so the touched components of a label count as one, with their common mean. v gains the labels whose means,
    added to c(P), come closest to c(v).
    """
    component = equal_components(neighbours, labels)
    weight = np.bincount(component, weights=length)
    total = np.stack([np.bincount(component, weights=column * length) for column in coverage.T], axis=1)
    excess = coverage - total[component] / weight[component, None]
    gained: list[list[int]] = [[] for _ in labels]
    for v in np.flatnonzero(excess.sum(axis=1) > 0).tolist():
        touched: dict[int, set[int]] = defaultdict(set)
        for u in neighbours[v]:
            if labels[v] != UNLABELLED and labels[u] != labels[v]:
                touched[labels[u]].add(component[u])
        if touched:
            others = sorted(touched)
            parts = [sorted(touched[label]) for label in others]
            means = np.stack([total[part].sum(axis=0) / weight[part].sum() for part in parts])
            gained[v] = [others[i] for i in closest_subset(excess[v], means)]
    return gained


def reasons(in_graph: list[bool], stages: list[Labels], gained: list[list[int]]) -> list[str]:
    """Return, per vertex, the words of the module's docstring, from the labels before and after steps 1 to 3."""
    words = []
    for placed, initial, step1, step2, step3, more in zip(in_graph, *stages, gained):
        events = {
            "not_in_graph": not placed,
            "unsupported": initial != step1,
            "corrected": step1 != step2,
            "propagated": step2 != step3,
            "multi_labelled": bool(more),
        }
        happened = [word for word, is_true in events.items() if is_true]
        words.append(",".join(happened) or ("unreached" if step3 == UNLABELLED else "kept"))
    return words


def refine_labels(
    neighbours: Neighbours, initial: Labels, coverage: np.ndarray, length: np.ndarray, ratio: float
) -> tuple[dict[str, Labels], list[list[int]]]:
    """Return the labels before and after steps 1 to 3, by their column of refinement.tsv, and what step 4 adds."""
    step1 = remove_unsupported(neighbours, initial)
    step2 = correct_inconsistent(neighbours, step1, ratio)
    step3 = propagate(neighbours, step2, coverage)
    gained = gained_labels(neighbours, step3, coverage, length)
    return {"initial": initial, "step1": step1, "step2": step2, "step3": step3}, gained


def tabulate(
    contigs: pd.DataFrame, ids: list[str], in_graph: list[bool], stages: dict[str, Labels], gained: list[list[int]]
) -> pd.DataFrame:
    """Return refinement.tsv in the order of the vertices, and `bins`, the column `final` as lists.

    `contigs` are in the order of the vertices, `ids` are those of the labels.
    """
    names = {stage: [ids[label] if label != UNLABELLED else "" for label in labels] for stage, labels in stages.items()}
    bins = [[own, *(ids[i] for i in more)] if own else [] for own, more in zip(names["step3"], gained)]
    return contigs[["contig", "assembly", "name", "length"]].assign(
        in_graph=in_graph,
        **names,
        bins=bins,
        final=[",".join(several) for several in bins],
        reason=reasons(in_graph, list(stages.values()), gained),
    )


def count_changes(stages: dict[str, Labels], gained: list[list[int]]) -> dict:
    """Return how many vertices have a label after each step, and how many each step changed."""
    changes = {"unsupported": ("initial", "step1"), "corrected": ("step1", "step2"), "propagated": ("step2", "step3")}
    return {
        "labelled": {stage: sum(label != UNLABELLED for label in labels) for stage, labels in stages.items()},
        **{word: sum(a != b for a, b in zip(stages[old], stages[new])) for word, (old, new) in changes.items()},
        "multi_labelled": sum(map(bool, gained)),
    }


def read_neighbours(vertices: Path, edges: Path, names: list[str]) -> tuple[Neighbours, list[bool]]:
    """Return the neighbours of each contig of the assembly, and whether it has a place in the graph."""
    links, is_placed = read_contig_graph(vertices, edges, names)
    ends = np.searchsorted(links[0], np.arange(1, len(names)))
    return [part.tolist() for part in np.split(links[1], ends)], is_placed.tolist()


def number_labels(clusters: pd.Series) -> tuple[list[str], Labels]:
    """Return the ids of the labels in their order, and the number of each contig's label."""
    ids = sorted(set(clusters) - {""}, key=lambda label: (len(label), label))
    number = {label: i for i, label in enumerate(["", *ids], UNLABELLED)}
    return ids, [number[label] for label in clusters]


@click.command(context_settings={"show_default": True})
@click.option("--assembly", required=True, help="Id of the assembly whose bins are refined.")
@click.option("--vertices", required=True, type=FILE, help="Contigs that have a place in the graph (graph stage).")
@click.option("--edges", required=True, type=FILE, help="Edges between them (graph stage).")
@click.option("--contigs", required=True, type=FILE)
@click.option("--clusters", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option(
    "--label_score_ratio", default=1.5, type=click.FloatRange(min=0, min_open=True), help="GraphBin2's alpha (step 2)."
)
@click.option(
    "--min_bin_size", default=200_000, type=click.IntRange(0, 1_000_000_000), help="Bins below it (bp) are no labels."
)
def main(
    assembly: str,
    vertices: Path,
    edges: Path,
    contigs: Path,
    clusters: Path,
    coverage: Path,
    label_score_ratio: float,
    min_bin_size: int,
) -> None:
    """Refine the bins of one assembly along its contig graph (GraphBin2, steps 1 to 4)."""
    group = read_contigs_by_name(contigs)
    table = contigs_of_assembly(group, assembly, contigs)
    cluster = large_clusters(read_clusters(clusters, group, assembly), table, min_bin_size)
    by_name = table.assign(cluster=cluster).sort_values("name")
    neighbours, in_graph = read_neighbours(vertices, edges, by_name["contig"].tolist())
    depth = read_coverage(coverage, group, assembly).loc[by_name["contig"]].to_numpy()
    n_edges = sum(map(len, neighbours)) // 2
    click.echo(f"{assembly}: {sum(in_graph)} of {len(table)} contigs are in the graph, {n_edges} edges", err=True)

    ids, initial = number_labels(by_name["cluster"])
    stages, gained = refine_labels(neighbours, initial, depth, by_name["length"].to_numpy(), label_score_ratio)

    refined = tabulate(by_name, ids, in_graph, stages, gained).loc[table.index]  # in catalogue order again
    write_table(ARTICLE_REFINEMENT, refined.drop(columns="bins"))
    rows = refined[["contig", "bins"]].explode("bins").dropna().rename(columns={"bins": "bin"})
    write_table(REFINED_CONTIG2BIN, rows)
    sizes = {"contigs": len(table), "contigs_in_graph": sum(in_graph), "edges": n_edges, "labels": len(ids)}
    counts = {"assembly": assembly, **sizes, **count_changes(stages, gained)}
    write_description(REFINEMENT_COUNTS, counts)
    click.echo(f"{assembly}: labelled {counts['labelled']}, multi-labelled {counts['multi_labelled']}", err=True)


if __name__ == "__main__":
    main()
