"""pair_links.py: the sum over samples; the tables that are refused."""

import gzip
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest

from assembly_tables import read_pair_links
from model_inputs import links_between
from pair_links import sum_links

NAMES = pd.Series(["c", "a", "b"])


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(path: str, *rows: str) -> Path:
    Path(path).write_bytes(gzip.compress("\n".join(["contig_1 contig_2 pairs", *rows, ""]).replace(" ", "\t").encode()))
    return Path(path)


def test_samples_add_up_in_the_order_of_the_catalogue():
    first, second = write("1.gz", "a b 2", "c a 1"), write("2.gz", "b a 3", "c b 7")
    expected = [("c", "a", 1), ("c", "b", 7), ("a", "b", 5)]
    for paths in ([first, second], [second, first]):
        assert list(sum_links(paths, NAMES).itertuples(index=False, name=None)) == expected
    assert sum_links([], NAMES).empty


def test_a_contig_of_another_run():
    with pytest.raises(click.ClickException, match=r"1.gz: row 2: contig 'x' is not in contigs.tsv"):
        sum_links([write("1.gz", "a b 2", "a x 1")], NAMES)


def test_links_of_one_assembly():
    """Rows 2, 0 and 3 of contigs.tsv are the contigs 0, 1 and 2 of an assembly; none is linked to itself."""
    pairs = np.array([[0, 2, 1, 3], [2, 3, 0, 3]])
    assert links_between(pairs, np.array([2, 0, 3]), 4).tolist() == [[0, 0, 1, 2], [1, 2, 0, 0]]


def test_a_link_between_assemblies():
    contigs = pd.DataFrame({"contig": ["a", "b", "c"], "assembly": ["A", "A", "B"]}, index=["a", "b", "c"])
    assert read_pair_links(write("p.gz", "a b 2"), contigs).tolist() == [[0], [1]]
    with pytest.raises(click.ClickException, match=r"p.gz: row 2: contigs 'a' and 'c' are of two assemblies"):
        read_pair_links(write("p.gz", "a b 2", "a c 2"), contigs)
