"""refinement_tables.py: the words for contigs in no bin, and the numbers of refinement.json by hand."""

import pandas as pd

from refinement_tables import count_table, why_in_none


def test_words_for_contigs_in_no_bin():
    assert why_in_none(pd.Series([0.0, 0.49, 0.5, 1.0])).tolist() == ["ambiguous", "ambiguous", "unlike", "unlike"]


def test_numbers():
    rows = [
        ("1", True, "1", "1", "1", "kept"),
        ("1", False, "", "", "", "removed,unlike"),
        ("", True, "", "", "2,1", "added,transferred,multi_labelled"),
    ]
    table = pd.DataFrame(rows, columns=["initial", "in_graph", "merged", "unlinked", "final", "reason"])
    assert count_table(table, 5) == {
        "contigs": 3, "contigs_in_graph": 2, "edges": 5, "labels": 1, "labels_merged": 1,
        "labelled": {"initial": 2, "merged": 1, "unlinked": 1, "final": 2},
        "added": 1, "kept": 1, "multi_labelled": 1, "removed": 1, "transferred": 1, "unlike": 1,
    }  # fmt: skip
