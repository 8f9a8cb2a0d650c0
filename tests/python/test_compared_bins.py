"""compared_bins.py: the bins of other binners, of one assembly and of several."""

from pathlib import Path

import click
import pandas as pd
import pytest

from compared_bins import read_compared
from contig_names import ContigNames

ONE = pd.DataFrame([("k1", "A", "k1"), ("k2", "A", "k2")], columns=["contig", "assembly", "name"])
TWO = pd.DataFrame(
    [("A~k1", "A", "k1"), ("B~k1", "B", "k1"), ("B~k2", "B", "k2")], columns=["contig", "assembly", "name"]
)
OTHER = pd.DataFrame([("k8", "C", "k8")], columns=["contig", "assembly", "name"])


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(text, contigs, *others):
    Path("b.tsv").write_text(text)
    return read_compared(Path("b.tsv"), ContigNames(contigs, others)).to_numpy().tolist()


@pytest.mark.parametrize(
    "text",
    [
        "k1\tx\nk1\ty\nk2\tunbinned\nk1\tx\n",
        "x\tk1\ny\tk1\n",
        "@@SEQUENCEID\tBINID\t_LENGTH\nk1\tx\t9\nk1\ty\t9\n",
        "assembly\tcontig\tbin\nA\tk1 d=1\tx\nA\tk1\ty\n",
    ],
)
def test_one_assembly(text):
    assert read(text, ONE) == [["k1", "x"], ["k1", "y"]]


def test_several_assemblies_by_their_column_or_by_names_of_the_catalogue():
    bins = [["A~k1", "x"], ["B~k1", "x"], ["B~k2", "y"]]
    assert read("assembly\tcontig\tbin\nA\tk1\tx\nB\tk1\tx\nB\tk2\ty\nC\tk8\ty\n", TWO, OTHER) == bins
    assert read("x\tA~k1\nx\tB~k1\ny\tk2\ny\tk8\n", TWO, OTHER) == bins


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x\tk1\nx\tk2\n", "b.tsv: contig 'k1' is in assembly 'A' and in 'B'; add a column assembly"),
        ("x\tA~k1\nx\tk9\n", "b.tsv: contig 'k9' is in no assembly; give bins of these very contigs"),
        ("assembly\tcontig\tbin\nX\tk1\tx\n", "b.tsv: assembly 'X' is not in the assembly sheet"),
        ("contig\tbin\n", "b.tsv: has no row; give a table of contig and bin"),
        ("A~k1\tx\t7\n", "b.tsv: has 3 columns and no header"),
    ],
)
def test_what_does_not_fit_is_refused(text, message):
    with pytest.raises(click.ClickException) as refused:
        read(text, TWO)
    assert refused.value.message.startswith(message)
