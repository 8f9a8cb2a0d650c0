"""shown_contigs.py: what the report calls bins and clusters, and which contigs it shows."""

import numpy as np
import pandas as pd

from shown_contigs import (
    DOTS_OF_BIN,
    DOTS_OF_NONE,
    DOTS_OF_OTHERS,
    N_COLOURED_BINS,
    bins_of_rows,
    choose_rows,
    clusters_of_rows,
    read_values,
)


def test_the_largest_bins_have_names():
    """A contig of several bins is in the first of them; one of the same name in another assembly is in none."""
    names = [f"c{number}" for number in range(10)]
    contigs = pd.DataFrame(
        [(f"{a}~{name}", a, name) for a in "AB" for name in names], columns=["contig", "assembly", "name"]
    )
    placed = [("A", name, f"A.{number}") for number, name in enumerate(names[:9])] + [("A", "c8", "A.0")]
    contig2bin = pd.DataFrame(placed, columns=["assembly", "contig", "bin"])
    bins = pd.DataFrame({"bin": [f"A.{number}" for number in range(9)], "size": np.arange(9)})
    labels = bins_of_rows(contigs[["contig"]], contigs, contig2bin, bins)
    named = [f"A.{number}" for number in range(9 - N_COLOURED_BINS, 9)]
    assert labels.tolist() == ["other bins"] * 2 + named + ["in no bin"] * 11


def test_the_largest_clusters_have_names():
    clusters = pd.DataFrame({"contig": [f"g{number}" for number in range(9)], "cluster": [str(n) for n in range(9)]})
    rows = pd.DataFrame({"contig": ["g8", "g0", "g9", "g1"]})
    table = pd.DataFrame({"cluster": [str(number) for number in range(9)]})
    assert clusters_of_rows(rows, clusters, table).tolist() == [
        "other clusters", "cluster 0", "in no cluster", "cluster 1",
    ]  # fmt: skip


def test_each_label_has_its_number_of_dots_and_no_more():
    numbers = {"A.1": 500, "A.2": 7, "other bins": 900, "in no bin": 900}
    labels = np.repeat(list(numbers), list(numbers.values()))
    shown, order = choose_rows(labels)
    found = dict(zip(*np.unique(labels[shown], return_counts=True)))
    assert found == {"A.1": DOTS_OF_BIN, "A.2": 7, "other bins": DOTS_OF_OTHERS, "in no bin": DOTS_OF_NONE}
    assert sorted(order) == list(range(len(labels))) and order.tolist() != sorted(order)
    again = choose_rows(labels)
    assert shown.tolist() == again[0].tolist() and order.tolist() == again[1].tolist()


def test_arrays_stand_side_by_side(tmp_path):
    rows = pd.DataFrame({"contig": ["a", "b", "c"]})
    tnf, abundance = np.arange(3 * 136, dtype=np.float32).reshape(3, 136), np.eye(3, dtype=np.float32)
    np.save(tmp_path / "tnf.npy", tnf)
    np.save(tmp_path / "abundance.npy", abundance)
    paths = [tmp_path / "tnf.npy", tmp_path / "abundance.npy"]
    values = read_values(paths, rows, tmp_path / "rows.tsv", np.array([0, 2]))
    np.testing.assert_array_equal(values, np.hstack([tnf, abundance])[[0, 2]])
