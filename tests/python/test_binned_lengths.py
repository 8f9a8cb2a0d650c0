"""binned_lengths.py: every contig is counted once, in the class of its length and by what became of it."""

import pandas as pd

from binned_lengths import LENGTH_BOUNDS, counts, fates, length_classes

CONTIGS = pd.DataFrame(
    [("A~x", "A", "x", 499), ("A~y", "A", "y", 500), ("A~z", "A", "z", 2000), ("B~x", "B", "x", 3000)],
    columns=["contig", "assembly", "name", "length"],
)


def test_a_name_counts_in_its_own_assembly():
    contig2bin = pd.DataFrame([("A", "x", "A.001"), ("A", "x", "A.002")], columns=["assembly", "contig", "bin"])
    unbinned = pd.DataFrame(
        [("A", "y", "short"), ("A", "z", "removed"), ("B", "x", "small_bin")], columns=["assembly", "contig", "reason"]
    )
    found = fates(CONTIGS, contig2bin, unbinned)
    assert found.tolist() == ["binned", "short", "removed", "small_bin"]
    assert counts(CONTIGS["length"], CONTIGS["assembly"], found) == {
        "A": {"binned": [1, 499], "short": [1, 500], "removed": [1, 2000]},
        "B": {"small_bin": [1, 3000]},
    }


def test_classes_begin_at_their_bounds():
    assert length_classes(CONTIGS["length"]).tolist() == [0, 500, 2000, 2000]
    assert length_classes(pd.Series(LENGTH_BOUNDS[1:])).tolist() == list(LENGTH_BOUNDS[1:])
    assert length_classes(pd.Series([10**9])).tolist() == [100_000]
