"""graphbin2.py: the article's worked examples, brute force against each step, the command, bad tables."""

import gzip
from collections import deque
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphbin2

RED, GREEN, BLUE = 0, 1, 2
NONE = graphbin2.UNLABELLED


def adjacency(n: int, edges) -> list[list[int]]:
    neighbours = [set() for _ in range(n)]
    for a, b in edges:
        if a != b:
            neighbours[a].add(b)
            neighbours[b].add(a)
    return [sorted(found) for found in neighbours]


# --- the graph of the article's Fig. 1, laid out so that every number of the text holds ---------------

ARTICLE_EDGES = [
    (1, 2), (1, 5), (5, 6), (2, 6), (2, 10), (6, 10), (6, 7), (2, 3), (3, 4), (4, 9), (8, 9), (9, 15), (9, 21),
    (9, 22), (9, 26), (10, 11), (11, 22), (10, 14), (8, 14), (14, 15), (13, 14), (13, 26), (14, 19), (18, 19),
    (17, 18), (18, 20), (18, 23), (18, 24), (17, 20), (20, 24), (23, 24), (21, 25), (24, 25),
]  # fmt: skip
ARTICLE_LABELS = {
    **dict.fromkeys((2, 6, 7, 10, 22), RED),
    **dict.fromkeys((4, 8, 9, 12, 15, 18, 21, 26), GREEN),
    **dict.fromkeys((1, 17, 20, 23, 24), BLUE),
}
ARTICLE_COVERAGE = {
    **dict.fromkeys((1, 2, 5, 6, 10, 11), 19), 7: 18, 14: 20,
    **dict.fromkeys((17, 18, 19, 20, 23, 24), 49),
    **dict.fromkeys((4, 8, 12, 13, 15, 16, 21, 22, 26), 95), 3: 108, 9: 90, 25: 142,
}  # fmt: skip


@pytest.fixture
def article():
    """Neighbours, labels, coverage (27 x 1) and lengths; vertex 0 is not used, 12 and 16 are isolated."""
    labels = [ARTICLE_LABELS.get(v, NONE) for v in range(27)]
    coverage = np.array([[ARTICLE_COVERAGE.get(v, 0)] for v in range(27)], dtype=float)
    length = np.full(27, 1000)
    length[9] = 12000  # 95 is the mean of its component: (108 - 95) + (142 - 95) = 12 * (95 - 90)
    return adjacency(27, ARTICLE_EDGES), labels, coverage, length


def test_article_step1(article):
    neighbours, labels, _, _ = article
    kept = graphbin2.remove_unsupported(neighbours, labels)
    assert kept[1] == NONE and labels[1] == BLUE
    assert [v for v in range(27) if kept[v] != labels[v]] == [1]
    # 2 is supported by 6 (neighbours), 18 by 15 through 19 and 14; take the supporter away and it goes
    assert 6 in neighbours[2] and 15 not in neighbours[18]
    without = adjacency(27, [edge for edge in ARTICLE_EDGES if edge != (14, 19)])
    assert graphbin2.remove_unsupported(without, labels)[18] == NONE


def test_article_labelled_scores(article):
    neighbours, labels, _, _ = article
    labels = graphbin2.remove_unsupported(neighbours, labels)
    levels = list(graphbin2.score_levels(neighbours, labels, 18))
    scores = {label: Fraction(score, 2 ** len(levels)) for label, score in levels[-1][0].items()}
    assert scores[BLUE] == 2
    assert scores[GREEN] == Fraction(5, 16)
    assert levels[0][1] == [BLUE] * 4  # 17, 20, 23, 24 at D = 1
    assert sorted(levels[2][1]) == [RED, GREEN, GREEN]  # 8 and 15 at D = 3 (the text's D(8, 17) is D(8, 18))
    assert levels[3][1] == [GREEN]  # 26 at D = 4


def test_article_step2(article):
    neighbours, labels, _, _ = article
    before = graphbin2.remove_unsupported(neighbours, labels)
    after = graphbin2.correct_inconsistent(neighbours, before, 1.5)
    changed = {v: (before[v], after[v]) for v in range(27) if before[v] != after[v]}
    assert changed == {18: (GREEN, BLUE), 22: (RED, GREEN)}
    assert pytest.approx(0.47, abs=0.005) == 1.5 * 5 / 16


def test_article_steps_3_and_4(article):
    neighbours, labels, coverage, length = article
    labels = graphbin2.correct_inconsistent(neighbours, graphbin2.remove_unsupported(neighbours, labels), 1.5)
    labels = graphbin2.propagate(neighbours, labels, coverage)
    assert {v: labels[v] for v in (1, 3, 5, 11, 13, 14, 19, 25)} == {
        1: RED, 3: GREEN, 5: RED, 11: RED, 13: GREEN, 14: RED, 19: BLUE, 25: GREEN,
    }  # fmt: skip
    assert labels[12] == GREEN and labels[16] == NONE  # isolated
    component = np.array(graphbin2.equal_components(neighbours, labels))
    for vertex, mean in ((3, 95), (25, 95), (14, 19), (24, 49)):
        own = component == component[vertex]
        assert np.average(coverage[own, 0], weights=length[own]) == mean
    gained = graphbin2.gained_labels(neighbours, labels, coverage, length)
    assert {v: more for v, more in enumerate(gained) if more} == {3: [RED], 25: [BLUE]}
    # 14 is considered (20 > 19) and touches green and blue, yet stays red alone
    assert coverage[14, 0] > 19 and {labels[u] for u in neighbours[14]} == {RED, GREEN, BLUE}


# --- brute force, straight from the text's definitions ------------------------------------------------


def labelled_reached(neighbours, labels, v) -> dict[int, int]:
    """Labelled vertices that v reaches through unlabelled ones, with D."""
    distance, queue, found = {v: 0}, deque([v]), {}
    while queue:
        u = queue.popleft()
        for w in neighbours[u]:
            if w not in distance:
                distance[w] = distance[u] + 1
                if labels[w] == NONE:
                    queue.append(w)
                else:
                    found[w] = distance[w]
    return found


def naive_step1(neighbours, labels):
    return [
        label
        if label == NONE
        or not neighbours[v]
        or any(labels[t] == label for t in labelled_reached(neighbours, labels, v))
        else NONE
        for v, label in enumerate(labels)
    ]


def naive_step2(neighbours, labels, ratio):
    new = list(labels)
    for v, own in enumerate(labels):
        score = {}
        for t, d in labelled_reached(neighbours, labels, v).items():
            score[labels[t]] = score.get(labels[t], 0) + Fraction(1, 2**d)
        others = {label: s for label, s in score.items() if label != own}
        if own != NONE and others and Fraction(ratio) * score.get(own, 0) <= max(others.values()):
            new[v] = min(label for label, s in others.items() if s == max(others.values()))
    return new


def naive_step3(neighbours, labels, coverage):
    labels = list(labels)
    while True:
        ranked = []
        for v, label in enumerate(labels):
            if label == NONE:
                for t, d in labelled_reached(neighbours, labels, v).items():
                    ranked.append((d, sum((a - b) ** 2 for a, b in zip(coverage[t], coverage[v])), t, v))
        if not ranked:
            return labels
        _, _, t, v = min(ranked)
        labels[v] = labels[t]


def naive_step4(neighbours, labels, coverage, length, v):
    """Squared distance, size and labels of every candidate set of v, best first; [] if not considered."""

    def component(start):
        seen, stack = {start}, [start]
        while stack:
            for u in neighbours[stack.pop()]:
                if labels[u] == labels[start] and u not in seen:
                    seen.add(u)
                    stack.append(u)
        return frozenset(seen)

    def mean(vertices):
        total = sum(length[i] for i in vertices)
        return [Fraction(sum(coverage[i][s] * length[i] for i in vertices), total) for s in range(len(coverage[0]))]

    own = mean(component(v))
    others = sorted({labels[u] for u in neighbours[v]} - {labels[v], NONE})
    if labels[v] == NONE or not others or sum(coverage[v]) <= sum(own):
        return []
    means = {x: mean(frozenset().union(*(component(u) for u in neighbours[v] if labels[u] == x))) for x in others}
    sets = []
    for size in range(len(others) + 1):
        for chosen in combinations(others, size):
            sums = [own[s] + sum(means[x][s] for x in chosen) for s in range(len(own))]
            sets.append((sum((c - x) ** 2 for c, x in zip(coverage[v], sums)), size, list(chosen)))
    return sorted(sets)


@st.composite
def labelled_graphs(draw):
    """Neighbours, labels, coverage (rows of small integers), lengths of up to 12 vertices."""
    n = draw(st.integers(1, 12))
    pairs = list(combinations(range(n), 2))
    edges = draw(st.lists(st.sampled_from(pairs), max_size=18)) if pairs else []
    labels = draw(st.lists(st.sampled_from([NONE, NONE, 0, 1, 2]), min_size=n, max_size=n))
    samples = draw(st.integers(1, 3))
    row = st.lists(st.integers(0, 9), min_size=samples, max_size=samples)
    coverage = draw(st.lists(row, min_size=n, max_size=n))
    length = draw(st.lists(st.integers(1, 5), min_size=n, max_size=n))
    return adjacency(n, edges), labels, coverage, length


@settings(max_examples=400)
@given(labelled_graphs(), st.sampled_from([0.5, 1.0, 1.5, 2.0]))
def test_steps_equal_brute_force(graph, ratio):
    neighbours, labels, coverage, length = graph
    step1 = graphbin2.remove_unsupported(neighbours, labels)
    assert step1 == naive_step1(neighbours, labels)
    assert graphbin2.remove_unsupported(neighbours, step1) == step1  # support is mutual
    step2 = graphbin2.correct_inconsistent(neighbours, step1, ratio)
    assert step2 == naive_step2(neighbours, step1, ratio)
    step3 = graphbin2.propagate(neighbours, step2, np.array(coverage, dtype=float))
    assert step3 == naive_step3(neighbours, step2, coverage)
    gained = graphbin2.gained_labels(neighbours, step3, np.array(coverage, dtype=float), np.array(length))
    for v, more in enumerate(gained):
        sets = naive_step4(neighbours, step3, coverage, length, v)
        if not sets:
            assert more == []
        else:
            distance = {tuple(chosen): d for d, _, chosen in sets}[tuple(more)]
            assert float(distance - sets[0][0]) < 1e-9


@settings(max_examples=200)
@given(labelled_graphs())
def test_properties(graph):
    neighbours, labels, coverage, _ = graph
    step1 = graphbin2.remove_unsupported(neighbours, labels)
    step2 = graphbin2.correct_inconsistent(neighbours, step1, 1.5)
    step3 = graphbin2.propagate(neighbours, step2, np.array(coverage, dtype=float))
    for v, label in enumerate(labels):
        if not neighbours[v]:
            assert step3[v] == label
    for v, reached in enumerate(step3):
        assert (reached != NONE) == (bool(labelled_reached(neighbours, step2, v)) or step2[v] != NONE)
    assert [label != NONE for label in step1] == [label != NONE for label in step2]
    assert all(a == b for a, b in zip(step2, step3) if a != NONE)


def test_long_unlabelled_chain_is_searched_to_its_end():
    """S(0, own) rests on one vertex 300 links away: no depth cut, and exact beyond a double's precision."""
    n = 301
    chain = adjacency(n + 1, [*((i, i + 1) for i in range(n - 1)), (0, n)])
    labels = [NONE] * (n + 1)
    labels[0] = labels[n - 1] = 0
    labels[n] = 1
    assert graphbin2.remove_unsupported(chain, labels)[0] == 0
    assert graphbin2.correct_inconsistent(chain, labels, 1.5)[0] == 1
    # equal scores at distance 1; what decides is the far vertex: alpha S(own) just above S(other)
    labels = [NONE] * (n + 2)
    far = adjacency(n + 2, [*((i, i + 1) for i in range(n - 1)), (0, n), (0, n + 1)])
    labels[0] = labels[n - 1] = labels[n] = 0
    labels[n + 1] = 1
    assert graphbin2.correct_inconsistent(far, labels, 1.0)[0] == 0
    labels[n - 1] = NONE
    assert graphbin2.correct_inconsistent(far, labels, 1.0)[0] == 1  # alpha S(own) = S(other)


def test_coverage_beats_name_order_and_ties_follow_names():
    star = adjacency(4, [(0, 3), (1, 3), (2, 3)])
    labels = [0, 1, 2, NONE]
    assert graphbin2.propagate(star, labels, np.array([[9.0], [5.5], [1.0], [5.0]]))[3] == 1
    assert graphbin2.propagate(star, labels, np.array([[6.0], [4.0], [6.0], [5.0]]))[3] == 0
    # two samples: the sum would say 2, the norm says 1
    vectors = np.array([[0.0, 9.0], [4.0, 4.0], [10.0, 0.0], [5.0, 5.0]])
    assert graphbin2.propagate(star, labels, vectors)[3] == 1


def test_subsets():
    def chosen(excess, means):
        return graphbin2.closest_subset(np.array(excess, float), np.array(means, float))

    assert chosen([13], [[19]]) == [0]
    assert chosen([9], [[19]]) == []
    assert chosen([10], [[20]]) == []  # tie: the smaller subset
    assert chosen([10], [[8], [12]]) == [0]  # tie: the lower name
    assert chosen([30], [[10], [20], [31]]) == [0, 1]
    assert chosen([10, 20], [[10, 0], [0, 20], [15, 15]]) == [0, 1]  # a sum over samples would be blind
    many = [[2.0**i] for i in range(40)]
    assert chosen([2**39 + 2**38], many) == [38, 39]  # bounded: does not try 2^40 subsets


def test_touched_components_of_one_label_count_once():
    """0 touches two components of label 1 (means 10 and 30, lengths 3 and 1): one genome of mean 15."""
    neighbours = adjacency(4, [(0, 1), (0, 2), (0, 3)])
    coverage = np.array([[30.0], [10.0], [30.0], [0.0]])
    length = np.array([1, 3, 1, 1])
    assert graphbin2.gained_labels(neighbours, [0, 1, 1, 0], coverage, length) == [[1], [], [], []]


# --- the command ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def run_graphbin2(run_stage):
    def run(folder: Path):
        tables = {"vertices": "vertices.tsv.gz", "edges": "edges.tsv.gz", "contigs": "contigs.tsv"}
        tables |= {"clusters": "clusters.tsv", "coverage": "coverage.tsv.gz"}
        return run_stage(graphbin2.main, folder, tables, "--min_bin_size", "100")

    return run


COVERAGE = {
    "A1~NA": (10, 0), "A1~b": (10, 0), "A1~c": (10, 7), 'A1~"d': (0, 7), "A1~001": (1, 1), "A1~f": (5, 5),
    "A1~g": (3, 3), "A2~b": (1, 1),
}  # fmt: skip
CLUSTERS = {"A1~NA": "5", "A1~b": "5", 'A1~"d': "12", "A1~001": "7", "A2~b": "7", "A1~g": "5"}
LINKS = [("NA", "b"), ("b", "c"), ("c", '"d'), ("f", "f")]


def test_command(tmp_path, write_inputs, run_graphbin2, odd_contigs):
    write_inputs(tmp_path, odd_contigs, LINKS, CLUSTERS, COVERAGE, absent=["g"])
    result, contig2bin, refinement, counts = run_graphbin2(tmp_path)
    assert "6 of 7 contigs are in the graph, 3 edges" in result.stderr
    rows = {r["name"]: r for r in refinement.to_dict("records")}
    assert list(refinement["contig"]) == [c[0] for c in odd_contigs[:7]]  # catalogue order
    # "d alone with label 12: unsupported, then reached again by 5 through c; cluster 7 has 60 bp in A1
    assert {
        n: (r["initial"], r["step1"], r["step2"], r["step3"], r["final"], r["reason"]) for n, r in rows.items()
    } == {
        "NA": ("5", "5", "5", "5", "5", "kept"),
        "b": ("5", "5", "5", "5", "5", "kept"),
        "c": ("", "", "", "5", "5", "propagated"),
        '"d': ("12", "", "", "5", "5", "unsupported,propagated"),
        "001": ("", "", "", "", "", "unreached"),
        "f": ("", "", "", "", "", "unreached"),
        "g": ("5", "5", "5", "5", "5", "not_in_graph"),
    }
    assert rows["g"]["in_graph"] == "false" and rows["f"]["in_graph"] == "true"
    assert set(map(tuple, contig2bin.to_numpy())) == {(f"A1~{n}", "5") for n in ("NA", "b", "c", '"d', "g")}
    assert counts["labelled"] == {"initial": 4, "step1": 3, "step2": 3, "step3": 5}
    assert (counts["unsupported"], counts["propagated"], counts["contigs_in_graph"]) == (1, 2, 6)
    assert (counts["contigs"], counts["edges"], counts["labels"]) == (7, 3, 2)


def test_contig_graph_is_simple(tmp_path, write_inputs, odd_contigs):
    """Vertices in the order asked for; an edge given twice counts once, one from a contig to itself not at all."""
    links = [("NA", "b"), ("c", "b"), ("b", "NA"), ("b", "NA"), ("f", "f")]
    write_inputs(tmp_path, odd_contigs, links, CLUSTERS, COVERAGE, absent=["g"])
    contigs = ["A1~f", "A1~c", "A1~b", "A1~g", "A1~NA", 'A1~"d', "A1~001"]
    found = graphbin2.read_neighbours(tmp_path / "vertices.tsv.gz", tmp_path / "edges.tsv.gz", contigs)
    assert found == ([[], [2], [1, 4], [], [2], [], []], [True, True, True, False, True, True, True])


def test_multi_labelled_contig_has_a_row_for_each_label(tmp_path, write_inputs, run_graphbin2, odd_contigs):
    """c (10, 7) touches 5 with mean about (10, 0) and 12 with (0, 7)."""
    contigs = [*odd_contigs, ("A1~e", "A1", "e", 300)]
    write_inputs(tmp_path, contigs, [*LINKS, ('"d', "e")], CLUSTERS | {"A1~e": "12"}, COVERAGE | {"A1~e": (0, 7)})
    _, contig2bin, refinement, counts = run_graphbin2(tmp_path)
    row = refinement.set_index("name").loc["c"]
    assert sorted(row["final"].split(",")) == ["12", "5"] and row["reason"] == "propagated,multi_labelled"
    assert sorted(contig2bin.loc[contig2bin["contig"] == "A1~c", "bin"]) == ["12", "5"]
    assert counts["multi_labelled"] == 1


def test_bin_ids_are_any_strings(tmp_path, write_inputs, run_graphbin2, odd_contigs):
    clusters = {contig: {"5": "x,y", "12": "NA"}.get(cluster, cluster) for contig, cluster in CLUSTERS.items()}
    write_inputs(tmp_path, odd_contigs, LINKS, clusters, COVERAGE)
    _, contig2bin, _, _ = run_graphbin2(tmp_path)
    assert set(map(tuple, contig2bin.to_numpy())) >= {("A1~NA", "x,y"), ("A1~b", "x,y"), ("A1~c", "x,y")}
    assert set(contig2bin["bin"]) <= {"x,y", "NA"} and not contig2bin["contig"].duplicated().any()


def test_no_labels_at_all(tmp_path, write_inputs, run_graphbin2, odd_contigs):
    write_inputs(tmp_path, odd_contigs, LINKS, {}, COVERAGE)
    result, contig2bin, refinement, _ = run_graphbin2(tmp_path)
    assert result.exit_code == 0 and len(contig2bin) == 0 and list(contig2bin.columns) == ["contig", "bin"]
    assert set(refinement["reason"]) == {"unreached"}


@settings(max_examples=40)
@given(labelled_graphs(), st.randoms(use_true_random=False))
def test_input_order_changes_nothing(tmp_path_factory, write_inputs, run_graphbin2, graph, rng):
    neighbours, labels, coverage, length = graph
    contigs = [(f"x{v}", "A1", f"x{v}", 100 * length[v]) for v in range(len(labels))]
    links = [(f"x{a}", f"x{b}") for a, near in enumerate(neighbours) for b in near if a < b]
    clusters = {f"x{v}": str(9 + label) for v, label in enumerate(labels) if label != NONE}
    depth = {f"x{v}": coverage[v] for v in range(len(labels))}
    tables = []
    for order in (None, rng):
        folder = tmp_path_factory.mktemp("order")
        write_inputs(folder, contigs, links, clusters, depth, order)
        _, contig2bin, refinement, counts = run_graphbin2(folder)
        assert set(refinement["contig"]) == {c[0] for c in contigs}  # none is lost
        rows = [sorted(map(tuple, table.to_numpy())) for table in (contig2bin, refinement)]
        tables.append((rows, counts))
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("contigs.tsv", "contig\tassembly\tname\tlength\nx\tA2\tx\t5\n", "no contig of assembly 'A1'"),
        ("contigs.tsv", "contig\tassembly\tlength\nx\tA1\t5\n", "no column name"),
        ("clusters.tsv", "cluster\tcontig\tassembly\tname\n1\tzz\tA1\tzz\n", "'zz' is not in contigs.tsv"),
        ("coverage.tsv.gz", "contig\tS1\nA1~b\t3\n", "same run"),
        ("coverage.tsv.gz", "contig\n" + "\n".join(COVERAGE) + "\n", "no sample column"),
        ("coverage.tsv.gz", "contig\tS1\n" + "".join(f"{c}\t1\n" for c in [*COVERAGE, "A1~b"]), "A1~b"),
        ("vertices.tsv.gz", "contig\nA1~NA\nA1~b\nzz\nyy\n", "'zz' is not a contig of this assembly"),
        ("vertices.tsv.gz", "contig\nA2~b\n", "'A2~b' is not a contig of this assembly"),
        ("vertices.tsv.gz", "contig_1\nA1~b\n", "no column contig"),
        ("edges.tsv.gz", "contig_1\tcontig_2\nA1~NA\tA1~b\nA1~b\tzz\nyy\tA1~b\n", "'zz' is not in"),
        ("edges.tsv.gz", "contig_1\tcontig_2\nA2~b\tA1~b\n", "'A2~b' is not in"),
        ("edges.tsv.gz", "contig_1\tcontig\nA1~NA\tA1~b\n", "no column contig_2"),
    ],
)
def test_bad_tables(tmp_path, write_inputs, run_graphbin2, file, text, message, odd_contigs):
    write_inputs(tmp_path, odd_contigs, LINKS, CLUSTERS, COVERAGE)
    raw = text.encode()
    (tmp_path / file).write_bytes(gzip.compress(raw) if file.endswith(".gz") else raw)
    result = run_graphbin2(tmp_path)[0]
    assert result.exit_code == 1
    assert message in result.output and file in result.output
