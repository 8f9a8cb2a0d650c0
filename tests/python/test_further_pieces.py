"""further_pieces.py: what later binnings add to earlier ones."""

import numpy as np
import pandas as pd

from further_pieces import cluster_table, further_pieces

LENGTH = np.array([50, 40, 30, 20, 10, 5])


def texts(*values):
    return np.array(values, dtype=object)


def test_a_later_binning_adds_what_an_earlier_one_lacks():
    first, second = texts("a", "a", "", "", "b", ""), texts("x", "y", "x", "y", "y", "")
    assert further_pieces([first, second], LENGTH, 1).tolist() == ["a", "a", "x", "y", "b", ""]
    assert further_pieces([second, first], LENGTH, 1).tolist() == second.tolist()


def test_small_bins_give_way_to_pieces_that_are_large_enough():
    """b has 10 bp. Without the contigs of a, y has 30 bp with the one of b, and 20 bp without it."""
    first, second = texts("a", "a", "", "", "b", ""), texts("x", "y", "x", "y", "y", "z")
    assert further_pieces([first, second], LENGTH, 30).tolist() == ["a", "a", "x", "y", "y", "z"]
    assert further_pieces([first, second], LENGTH, 31).tolist() == ["a", "a", "x", "y", "b", "z"]


def test_one_binning_stays_as_it_is():
    first = texts("a", "", "b", "b", "", "c")
    assert further_pieces([first], LENGTH, 1000).tolist() == first.tolist()


def test_the_table_has_whole_clusters_in_the_order_of_their_first_contigs():
    contigs = pd.DataFrame({"contig": list("pqrst"), "assembly": "A", "name": list("PQRST"), "length": 5})
    table = cluster_table(contigs, texts("z", "", "b", "z", "b"))
    assert table.columns.tolist() == ["cluster", "contig", "assembly", "name"]
    assert table["contig"].tolist() == ["p", "s", "r", "t"]
    assert table["cluster"].tolist() == ["z", "z", "b", "b"]
    assert cluster_table(contigs, texts("", "", "", "", "")).empty
