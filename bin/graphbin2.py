#!/usr/bin/env python3
"""Corrects, completes and overlaps the bins of one assembly along its assembly graph (GraphBin2).

In: the contig graph of the assembly (vertices.tsv.gz and edges.tsv.gz of the graph stage), contigs.tsv,
clusters.tsv and coverage.tsv.gz of the group. Out: contig2bin.tsv (contig, bin; one row per label),
refinement.tsv, refinement.json. Implements GraphBin2 (Mallawaarachchi et al. 2021, Algorithms Mol Biol
16:3), "Step 1" to "Step 4".

The label of a contig is its cluster, provided the cluster holds --min_bin_size bp in this assembly;
other contigs enter unlabelled. Vertices are numbered in the order of contig names, labels by (length of
the id, id), and every tie goes to the lower number, so that no result depends on input order.

Words of refinement.tsv `reason`, joined by commas where several apply:
  kept            the label it came with        unsupported      label removed in step 1
  corrected       relabelled in step 2          propagated       labelled in step 3
  multi_labelled  gained labels in step 4       unreached        no label reaches it in the graph
  not_in_graph    has no place in the graph: keeps its label if it has one
"""

import csv
import heapq
import itertools
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import click
import numpy as np
import pandas as pd

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
UNLABELLED = -1
MAX_EXACT_LABELS = 10  # step 4 tries all 2^k subsets up to this k

Labels = list[int]
Neighbours = list[list[int]]  # per vertex its neighbours, ascending, without itself


def equal_components(neighbours: Neighbours, labels: Labels) -> list[int]:
    """Per vertex the number of its connected component of equal label (or of unlabelled vertices)."""
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
    """Per labelled vertex the components of unlabelled vertices next to it, and per component how many
    vertices of each label stand next to it (the text's N(Component))."""
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
    """Step 1: a labelled vertex keeps its label if it is isolated, has a neighbour of its label, or
    reaches another vertex of its label through unlabelled vertices only. All are judged at once; support
    is mutual, so what remains is supported still. O(V + E)."""
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
    """Labelled scores of v by a breadth-first search through unlabelled vertices, level by level.

    At level d = 1, 2, ... yields {x: 2^d * S_d(v, x)}, exact integers, where S_d sums 2^-D(v, t) over the
    vertices t of label x with D <= d, and the labels found at this level. The last level has S(v, x).
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
    """The label that a vertex of label `own` has after step 2, from the levels of its scores.

    rest_own, rest_other: no fewer vertices of label own, and of any one other label, than the search can
    find. Beyond level d each adds at most 2^-(d + 1), so the search ends as soon as nothing that remains
    can change the decision: there is no depth limit, and the result is that of the whole search.
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
    """Step 2: v of label x is inconsistent if ratio * S(v, x) <= S(v, y) for another label y that it
    reaches; it gets the label of the highest score. All scores are those of the labelling after step 1
    and all corrections are made at once, so their order does not matter. `ratio`: the text's alpha."""
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
    """Step 3: labels every vertex that a label reaches; coverage is n x s, mean reads per base.

    The text executes the candidate (D(v, t), |c(v) - c(t)|, t, v) that comes first, then ranks anew. The
    first always has D = 1: were D(v, t) > 1, the vertex next to t on the path would be unlabelled and at
    distance 1 from t, and its candidate would come first. So the candidates are the edges between a
    labelled and an unlabelled vertex, each with a key that never changes, and a heap of those edges gives
    the text's order exactly, in O(E log E). |.| is the Euclidean norm over samples; ties go by t, then v.
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
    """All 2^k subsets of k things as rows of 0 and 1: smaller subsets first, then by lowest members."""
    masks = np.zeros((2**k, k))
    subsets = itertools.chain.from_iterable(itertools.combinations(range(k), size) for size in range(k + 1))
    for row, subset in enumerate(subsets):
        masks[row, list(subset)] = 1
    return masks


def closest_subset(excess: np.ndarray, means: np.ndarray) -> list[int]:
    """Rows of means (k x s) whose sum is closest to excess (s) in the Euclidean norm; may be none.

    The text's subset sum problem for vectors; with s = 1 exactly the text's. All subsets are tried;
    beyond MAX_EXACT_LABELS rows, all subsets of those rows that are closest to excess one by one.
    """
    near = np.argsort(np.linalg.norm(means - excess, axis=1), kind="stable")[:MAX_EXACT_LABELS]
    near.sort()
    masks = subset_masks(len(near))
    best = np.linalg.norm(masks @ means[near] - excess, axis=1).argmin()
    return near[masks[best] > 0].tolist()


def gained_labels(neighbours: Neighbours, labels: Labels, coverage: np.ndarray, length: np.ndarray) -> list[list[int]]:
    """Step 4: per vertex the labels it gains beside its own (mostly none).

    A component P of equal label has the length-weighted mean coverage c(P) of all its contigs. A vertex v
    of P is considered if it touches other labels and c(v) > c(P) (summed over the samples). A touched
    label is one genome, so its touched components count as one, with their common mean. v gains the
    labels whose means, added to c(P), come closest to c(v).
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


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """A TSV whose cells all stay text; error if a column is missing."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise click.ClickException(f"{path}: no column {missing[0]}; it has {', '.join(table.columns)}")
    return table


def read_contig_graph(vertices: Path, edges: Path, contigs: list[str]) -> tuple[Neighbours, list[bool]]:
    """Neighbours of each of these contigs, the vertices, and whether it has a place in the graph.

    Error if vertices names a contig that is not among them, or edges one that vertices does not name.
    """
    number = {contig: i for i, contig in enumerate(contigs)}
    placed = set()
    for contig in read_table(vertices, ["contig"])["contig"]:
        if contig not in number:
            problem = f"contig {contig!r} is not a contig of this assembly in contigs.tsv"
            raise click.ClickException(f"{vertices}: {problem}; both must come from the same run")
        placed.add(contig)
    neighbours: list[set[int]] = [set() for _ in contigs]
    table = read_table(edges, ["contig_1", "contig_2"])
    for ends in zip(table["contig_1"], table["contig_2"]):
        unknown = [contig for contig in ends if contig not in placed]
        if unknown:
            problem = f"contig {unknown[0]!r} is not in {vertices}"
            raise click.ClickException(f"{edges}: {problem}; both must come from the same run, for this assembly")
        a, b = number[ends[0]], number[ends[1]]
        neighbours[a].add(b)
        neighbours[b].add(a)
    simple = [sorted(found - {v}) for v, found in enumerate(neighbours)]
    return simple, [contig in placed for contig in contigs]


def read_coverage(path: Path, contigs: list[str]) -> np.ndarray:
    """n x s coverage (mean reads per base) of the named contigs, samples as in the table's columns."""
    dtype = defaultdict(lambda: np.float64, contig=str)
    try:
        table = pd.read_csv(path, sep="\t", dtype=dtype, keep_default_na=False, quoting=csv.QUOTE_NONE)
        values = table.set_index("contig", verify_integrity=True).loc[contigs].to_numpy()
    except (ValueError, KeyError) as error:
        raise click.ClickException(f"{path}: {error}; it must come from the same run as contigs.tsv") from None
    if values.shape[1] == 0 or not np.isfinite(values).all():
        raise click.ClickException(f"{path}: no sample column, or a cell that is not a number")
    return values


def read_labels(path: Path, assembly: str, contigs: pd.DataFrame, min_bin_size: int) -> pd.Series:
    """Cluster of every row of contigs, or "" if it has none or one below min_bin_size bp in the assembly."""
    clusters = read_table(path, ["cluster", "contig", "assembly"]).query("assembly == @assembly")
    unknown = clusters.loc[~clusters["contig"].isin(contigs["contig"]) | clusters["contig"].duplicated(), "contig"]
    if len(unknown):
        problem = f"contig {unknown.iloc[0]!r} is not in contigs.tsv, or stands in it twice"
        raise click.ClickException(f"{path}: {problem}; both must come from the same run")
    cluster_of = dict(zip(clusters["contig"], clusters["cluster"]))
    cluster = pd.Series([cluster_of.get(contig, "") for contig in contigs["contig"]], index=contigs.index, dtype=str)
    size = contigs["length"].groupby(cluster).transform("sum")
    return cluster.where(size >= min_bin_size, "")


def reasons(in_graph: list[bool], stages: list[Labels], gained: list[list[int]]) -> list[str]:
    """Per vertex the words of the module's docstring, from the labels before and after steps 1 to 3."""
    words = []
    for placed, initial, step1, step2, step3, more in zip(in_graph, *stages, gained):
        events = {
            "not_in_graph": not placed,
            "unsupported": initial != step1,
            "corrected": step1 != step2,
            "propagated": step2 != step3,
            "multi_labelled": bool(more),
        }
        said = [word for word, happened in events.items() if happened]
        words.append(",".join(said) or ("unreached" if step3 == UNLABELLED else "kept"))
    return words


def refine_labels(
    neighbours: Neighbours, initial: Labels, coverage: np.ndarray, length: np.ndarray, ratio: float
) -> tuple[dict[str, Labels], list[list[int]]]:
    """Labels before and after steps 1 to 3, by their column of refinement.tsv, and what step 4 adds."""
    step1 = remove_unsupported(neighbours, initial)
    step2 = correct_inconsistent(neighbours, step1, ratio)
    step3 = propagate(neighbours, step2, coverage)
    gained = gained_labels(neighbours, step3, coverage, length)
    return {"initial": initial, "step1": step1, "step2": step2, "step3": step3}, gained


def tabulate(
    contigs: pd.DataFrame, ids: list[str], in_graph: list[bool], stages: dict[str, Labels], gained: list[list[int]]
) -> pd.DataFrame:
    """refinement.tsv, from the contigs in the order of vertices and the labels' ids; `bins`: `final` as lists."""
    names = {stage: [ids[label] if label != UNLABELLED else "" for label in labels] for stage, labels in stages.items()}
    return contigs[["contig", "assembly", "name", "length"]].assign(
        in_graph=["true" if placed else "false" for placed in in_graph],
        **names,
        bins=[[own, *(ids[i] for i in more)] if own else [] for own, more in zip(names["step3"], gained)],
        reason=reasons(in_graph, list(stages.values()), gained),
    )


def count(stages: dict[str, Labels], gained: list[list[int]]) -> dict:
    """How many vertices are labelled at each stage, and how many each step changed."""
    changes = {"unsupported": ("initial", "step1"), "corrected": ("step1", "step2"), "propagated": ("step2", "step3")}
    return {
        "labelled": {stage: sum(label != UNLABELLED for label in labels) for stage, labels in stages.items()},
        **{word: sum(a != b for a, b in zip(stages[old], stages[new])) for word, (old, new) in changes.items()},
        "multi_labelled": sum(map(bool, gained)),
    }


@click.command(context_settings={"show_default": True})
@click.option("--assembly", required=True, help="Id of the assembly whose bins are refined.")
@click.option("--vertices", required=True, type=FILE, help="Contigs that have a place in the graph (graph.py).")
@click.option("--edges", required=True, type=FILE, help="Edges between them (graph.py).")
@click.option("--contigs", required=True, type=FILE)
@click.option("--clusters", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option(
    "--label_score_ratio", default=1.5, type=click.FloatRange(min=0, min_open=True), help="GraphBin2's alpha (step 2)."
)
@click.option("--min_bin_size", default=200_000, type=click.IntRange(min=0), help="Bins below it (bp) are no labels.")
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
    table = read_table(contigs, ["contig", "assembly", "name", "length"]).query("assembly == @assembly")
    if table.empty:
        raise click.ClickException(f"{contigs}: no contig of assembly {assembly!r}; check the assembly's id")
    table = table.astype({"length": np.int64})
    by_name = table.assign(initial=read_labels(clusters, assembly, table, min_bin_size)).sort_values("name")
    neighbours, in_graph = read_contig_graph(vertices, edges, by_name["contig"].tolist())
    depth = read_coverage(coverage, by_name["contig"].tolist())
    n_edges = sum(map(len, neighbours)) // 2
    click.echo(f"{assembly}: {sum(in_graph)} of {len(table)} contigs are in the graph, {n_edges} edges", err=True)

    ids = sorted(set(by_name["initial"]) - {""}, key=lambda label: (len(label), label))
    label_number = {"": UNLABELLED, **{label: i for i, label in enumerate(ids)}}
    initial = [label_number[label] for label in by_name["initial"]]
    stages, gained = refine_labels(neighbours, initial, depth, by_name["length"].to_numpy(), label_score_ratio)

    refined = tabulate(by_name, ids, in_graph, stages, gained).loc[table.index]  # back to catalogue order
    form = {"sep": "\t", "index": False, "lineterminator": "\n", "quoting": csv.QUOTE_NONE}
    steps = ["contig", "assembly", "name", "length", "in_graph", *stages, "final", "reason"]
    refined.assign(final=refined["bins"].str.join(","))[steps].to_csv("refinement.tsv", **form)
    rows = refined[["contig", "bins"]].explode("bins").dropna().rename(columns={"bins": "bin"})
    rows.to_csv("contig2bin.tsv", **form)
    sizes = {"contigs": len(table), "contigs_in_graph": sum(in_graph), "edges": n_edges, "labels": len(ids)}
    counts = {"assembly": assembly, **sizes, **count(stages, gained)}
    Path("refinement.json").write_text(json.dumps(counts, indent=2) + "\n")
    click.echo(f"{assembly}: labelled {counts['labelled']}, multi-labelled {counts['multi_labelled']}", err=True)


if __name__ == "__main__":
    main()
