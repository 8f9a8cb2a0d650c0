#!/usr/bin/env python3
"""Where the contigs of an assembly went in its refinement: from the clusters that it began with to the final bins.

A flow has two sides of nodes. A node is one of the largest clusters or bins by its name, all smaller ones together, all
that became no published bin, or what is in none. Ways lead from nodes before to nodes after. So its size is bounded,
whatever the number of clusters, bins and contigs, and its base pairs are those of all contigs of the assembly.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

import pandas as pd

from binned_lengths import counts
from report_files import NAMED, NODE_KINDS, NONE, SMALLER, UNPUBLISHED

# Clusters, and bins, of an assembly that have a node of their own: more do not fit on a screen
MAX_NAMED = 12
# First words of the reasons of contigs that have had a bin all along; those of the article say less
WORDS_IN_BINS = ("kept", "merged", "split", "moved")

Way = tuple[str, str, str, int]  # cluster and final label, "" for none, what changed (a word of refinement.tsv), bp


def change_of(before: str, several: str, reason: str) -> str:
    """Return what the refinement did with contigs of a cluster and a column `final`, both "" for none.

    The ends decide: in the article's steps a contig can lose its label and get another one.
    """
    if not several:
        return "removed" if before else "left"
    if "," in several:
        return "multi_labelled"
    if not before:
        return "added"
    word = reason.partition(",")[0]
    by_ends = "kept" if before == several else "moved"
    return word if word in WORDS_IN_BINS else by_ends


def refinement_counts(steps: pd.DataFrame) -> dict[str, list[int]]:
    """Return number and base pairs of the contigs of a refinement.tsv by what the refinement changed.

    Contigs that neither had nor have a bin are counted by the first word of their reason.
    """
    rows = zip(steps["initial"], steps["final"], steps["reason"])
    changes = [row[2].partition(",")[0] if row[:2] == ("", "") else change_of(*row) for row in rows]
    return counts(steps["length"], ["all"] * len(steps), changes).get("all", {})


def ways(steps: pd.DataFrame) -> Iterator[Way]:
    """Yield the ways of the contigs of a refinement.tsv; those of a contig in several bins count in equal parts."""
    sums = steps["length"].groupby([steps["initial"], steps["final"], steps["reason"]]).sum()
    for (before, several, reason), bp in sums.items():
        labels = several.split(",")
        part, rest = divmod(int(bp), len(labels))
        for number, label in enumerate(labels):
            yield before, label, change_of(before, several, reason), part + (number < rest)


def side_of(sizes: Mapping[tuple[str, str], int]) -> tuple[list[dict], dict[tuple[str, str], int]]:
    """Return the nodes of one side, and which of them each (kind, name) with these base pairs belongs to.

    A node: its kind, its name ("" of several), the number of its members and their base pairs.
    """
    ranked = sorted(sizes, key=lambda key: (NODE_KINDS.index(key[0]), -sizes[key], key[1]))
    named = [key for key in ranked if key[0] == NAMED][:MAX_NAMED]
    members: dict[tuple[str, str], list] = defaultdict(list)
    for key in ranked:
        kind = SMALLER if key[0] == NAMED and key not in named else key[0]
        members[key if key in named else (kind, "")].append(key)
    nodes = [
        {"kind": kind, "name": name, "members": len(keys), "bp": sum(sizes[key] for key in keys)}
        for (kind, name), keys in members.items()
    ]
    return nodes, {key: number for number, keys in enumerate(members.values()) for key in keys}


def flow(steps: pd.DataFrame, bins: Mapping[str, str]) -> dict:
    """Return the flow of an assembly: nodes `before` and `after`, and `ways` between their numbers.

    steps: the rows of its refinement.tsv; bins: the names of its published bins by their cluster. A way is a list of
    two numbers of nodes, what changed, and base pairs.
    """
    found: Counter = Counter()
    for cluster, label, change, bp in ways(steps):
        before = (NAMED, cluster) if cluster else (NONE, "")
        after = (NAMED, bins[label]) if label in bins else (UNPUBLISHED if label else NONE, label)
        found[before, after, change] += bp
    sizes: tuple[Counter, Counter] = (Counter(), Counter())
    for (*ends, _), bp in found.items():
        for size, end in zip(sizes, ends):
            size[end] += bp
    (before, from_node), (after, to_node) = map(side_of, sizes)
    sums: Counter = Counter()
    for (source, target, change), bp in found.items():
        sums[from_node[source], to_node[target], change] += bp
    return {"before": before, "after": after, "ways": [[*key, bp] for key, bp in sorted(sums.items())]}
