"""common_pieces.py: what several binnings agree on."""

import numpy as np
import pandas as pd

from common_pieces import cluster_table, common_pieces


def texts(*values):
    return np.array(values, dtype=object)


def test_contigs_are_together_where_all_binnings_have_them_together():
    first, second = texts("a", "a", "a", "b", "", ""), texts("x", "x", "y", "y", "y", "")
    assert common_pieces([first, second]).tolist() == ["a&x", "a&x", "a&y", "b&y", "y", ""]
    assert common_pieces([first]).tolist() == first.tolist()
    third = texts("1", "2", "2", "2", "2", "2")
    at_once, in_turn = common_pieces([first, second, third]), common_pieces([common_pieces([first, second]), third])
    assert at_once.tolist() == in_turn.tolist()


def test_the_table_has_whole_clusters_in_the_order_of_their_first_contigs():
    contigs = pd.DataFrame({"contig": list("pqrst"), "assembly": "A", "name": list("PQRST"), "length": 5})
    table = cluster_table(contigs, texts("z", "", "b", "z", "b"))
    assert table.columns.tolist() == ["cluster", "contig", "assembly", "name"]
    assert table["contig"].tolist() == ["p", "s", "r", "t"]
    assert table["cluster"].tolist() == ["z", "z", "b", "b"]
    assert cluster_table(contigs, texts("", "", "", "", "")).empty
