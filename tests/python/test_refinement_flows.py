"""refinement_flows.py: every base pair of an assembly goes from one node to another, by hand and as in the tables."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from refinement_flows import MAX_NAMED, change_of, flow, refinement_counts
from report_files import NAMED, NONE, SMALLER, UNPUBLISHED
from report_words import REFINEMENTS

BINS = {"1": "A.002", "1_2": "A.003", "2": "A.001"}
ROWS = [
    (900, "1", "1", "kept"),
    (500, "1", "1_2", "split"),  # of the first cluster
    (700, "2", "2", "kept"),
    (300, "3", "2", "merged"),  # with the second one
    (100, "3", "1", "moved"),
    (200, "", "2", "added"),
    (150, "1", "", "removed,unlike"),
    (161, "2", "1,2", "kept,multi_labelled"),
    (40, "2", "4", "moved"),  # which became no bin
    (800, "", "", "left,ambiguous"),
]


def steps(rows):
    return pd.DataFrame(rows, columns=["length", "initial", "final", "reason"])


def by_name(found):
    """The ways of a flow by the names of their nodes, or their kinds where they have none."""
    before, after = ([node["name"] or node["kind"] for node in found[side]] for side in ("before", "after"))
    return {(before[source], after[target], change): bp for source, target, change, bp in found["ways"]}


def sizes(nodes):
    return {node["name"] or node["kind"]: node["bp"] for node in nodes}


def test_contigs_are_counted_by_the_same_changes():
    """Whatever the words of the article, and by its reason where a contig never had a bin."""
    article = [
        (1, "3", "3", "unsupported,propagated"),
        (2, "3", "4", "corrected"),
        (4, "3", "", "unsupported"),
        (8, "", "4", "propagated"),
        (16, "", "", "unreached"),
        (32, "4", "4", "not_in_graph"),
    ]
    counted = {"kept": [2, 33], "moved": [1, 2], "removed": [1, 4], "added": [1, 8], "unreached": [1, 16]}
    assert refinement_counts(steps(article)) == counted
    assert refinement_counts(steps(ROWS)) == {
        "kept": [2, 1600], "split": [1, 500], "merged": [1, 300], "moved": [2, 140], "added": [1, 200],
        "removed": [1, 150], "multi_labelled": [1, 161], "left": [1, 800],
    }  # fmt: skip
    assert refinement_counts(steps([])) == {}


def test_split_joined_moved_added_removed_and_shared():
    found = flow(steps(ROWS), BINS)
    assert by_name(found) == {
        ("1", "A.002", "kept"): 900,
        ("1", "A.003", "split"): 500,
        ("2", "A.001", "kept"): 700,
        ("3", "A.001", "merged"): 300,
        ("3", "A.002", "moved"): 100,
        (NONE, "A.001", "added"): 200,
        ("1", NONE, "removed"): 150,
        ("2", "A.002", "multi_labelled"): 81,  # two equal parts, of which one has what is left over
        ("2", "A.001", "multi_labelled"): 80,
        ("2", UNPUBLISHED, "moved"): 40,
        (NONE, NONE, "left"): 800,
    }
    assert sizes(found["before"]) == {"1": 1550, "2": 901, "3": 400, NONE: 1000}
    assert sizes(found["after"]) == {"A.001": 1280, "A.002": 1081, "A.003": 500, UNPUBLISHED: 40, NONE: 950}
    for side in ("before", "after"):
        named = [node["bp"] for node in found[side] if node["kind"] == NAMED]
        assert named == sorted(named, reverse=True)


@pytest.mark.parametrize(
    ("ends", "reason", "change"),
    [
        (("1", "1"), "kept", "kept"),
        (("1", "1"), "not_in_graph", "kept"),
        (("1", "2"), "corrected", "moved"),
        (("1", "2"), "unsupported,propagated", "moved"),
        (("1", "1"), "unsupported,propagated", "kept"),
        (("1", ""), "unsupported", "removed"),
        (("", "2"), "propagated", "added"),
        (("", "2,3"), "propagated,multi_labelled", "multi_labelled"),
        (("", ""), "not_in_graph", "left"),
        (("1", "2"), "moved,transferred", "moved"),
    ],
)
def test_the_ends_decide_what_changed(ends, reason, change):
    assert change_of(*ends, reason) == change
    assert change in REFINEMENTS


def test_sums_are_those_of_the_table_and_smaller_ones_are_together():
    """Of 60 clusters, the base pairs of each node are those of its contigs; those of several bins in equal parts."""
    rng = np.random.default_rng(1)
    cluster = rng.integers(0, 60, 3000)
    initial = [str(number) if number % 7 else "" for number in cluster]
    finals = (str, lambda number: f"{number},{number + 1}", lambda number: "", lambda number: str(number + 1))
    final = [finals[kind](number) for number, kind in zip(cluster, rng.integers(0, len(finals), 3000))]
    table = steps(list(zip(rng.integers(1, 9999, 3000).tolist(), initial, final, ["kept"] * 3000)))
    bins = {str(number): f"A.{number:03}" for number in range(50)}
    found = flow(table, bins)

    of_cluster = table.groupby("initial")["length"].sum()
    of_label = Counter()
    for length, several in zip(table["length"], table["final"]):
        for label in several.split(","):
            of_label[label] += length / (several.count(",") + 1)
    of_bin = {bins[label]: bp for label, bp in of_label.items() if label in bins}
    unpublished = [bp for label, bp in of_label.items() if label and label not in bins]
    for side, of_name in (("before", of_cluster.drop("").to_dict()), ("after", of_bin)):
        largest = sorted(of_name, key=of_name.get, reverse=True)[:MAX_NAMED]
        rest = [bp for name, bp in of_name.items() if name not in largest]
        expected = {name: of_name[name] for name in largest} | {SMALLER: sum(rest)}
        nodes = [node for node in found[side] if node["kind"] in (NAMED, SMALLER)]
        assert sizes(nodes) == pytest.approx(expected, abs=60)  # a base pair for each contig that cannot be halved
        assert [node["members"] for node in nodes] == [1] * MAX_NAMED + [len(rest)]
    assert sizes(found["before"])[NONE] == of_cluster[""]
    assert sizes(found["after"])[NONE] == of_label[""]
    (small,) = [node for node in found["after"] if node["kind"] == UNPUBLISHED]
    assert (small["members"], small["bp"]) == (len(unpublished), pytest.approx(sum(unpublished), abs=60))

    for end, side in enumerate(("before", "after")):
        sums = Counter()
        for way in found["ways"]:
            sums[way[end]] += way[3]
        assert [sums[number] for number in range(len(found[side]))] == [node["bp"] for node in found[side]]
        assert sum(sums.values()) == table["length"].sum()


def test_an_assembly_without_a_bin_goes_from_none_to_none():
    found = flow(steps([(100, "", "", "left,unlike"), (50, "", "", "left,ambiguous")]), {})
    assert by_name(found) == {(NONE, NONE, "left"): 150}


def test_its_size_does_not_depend_on_the_contigs():
    rows = [(1000 + i, str(i % 500), str(i % 501), "kept") for i in range(5000)]
    found = flow(steps(rows), {str(i): f"A.{i}" for i in range(501)})
    assert len(found["before"]) == len(found["after"]) == MAX_NAMED + 1
    assert len(json.dumps(found)) < 20_000
