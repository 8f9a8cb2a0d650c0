"""binner_files.py: the forms in which binners write bins, and what is no such file."""

import gzip
from pathlib import Path

import click
import pandas as pd
import pytest

from binner_files import read_binning

NAMES = pd.Series(["c1", "c2", "c3", "c4"])
# As Binloom writes them, of two assemblies
CLUSTERS = """cluster\tcontig\tassembly\tname
x\tA~c1\tA\tc1
y\tA~c2\tA\tc2
x\tA~c3\tA\tc3
x\tB~c4\tB\tc4
"""
BINS = {"c1": ["x"], "c2": ["y"], "c3": ["x"]}

FOREIGN = "b.tsv: contig '{}' is not in assembly 'A', whose first contig is 'c1' ({} contigs of the given bins"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("das_tool.tsv", "c1\tx\nc2\ty\nc3\tx\n"),
        ("turned.tsv", "x\tc1\ny\tc2\nx\tc3\n"),
        ("no_last_newline.tsv.gz", "c1\tx\r\nc2\ty\r\n\r\nc3\tx"),
        ("das_tool_header.tsv", "\ufeffcontig\tbin\nc1\tx\nc2\ty\nc3\tx\n"),
        ("vamb.tsv", "clustername\tcontigname\nx\tc1\ny\tc2\nx\tc3\n"),
        ("semibin.tsv", "contig\tbin\nc1\tx\nc2\ty\nc3\tx\nc4\t-1\n"),
        ("metadecoder.tsv", "Sequence ID\tCluster ID\nc1\tx\nc2\ty\nc3\tx\n"),
        ("comment.tsv", "# of 2020\n#contig\tbin\nc1\tx\nc2\ty\nc3\tx\n"),
        ("amber.binning", "@Version:0.9.0\n@SampleID:S\n@@SEQUENCEID\tBINID\t_LENGTH\nc1\tx\t9\nc2\ty\t8\nc3\tx\t7\n"),
        ("amber2.binning", "@Version:0.9.0\n\n@@BINID\tSEQUENCEID\nx\tc1\ny\tc2\nx\tc3\n"),
        ("contig2bin.tsv", "assembly\tcontig\tbin\nA\tc1\tx\nB\tc2\tz\nA\tc2\ty\nB\tq\tz\nA\tc3\tx\n"),
        ("clusters.tsv", CLUSTERS),
        ("descriptions.tsv", "c1 flag=1 len=5\tx\nc2 flag=0\ty\nc3\tx\nc3\tx\n"),
        ("unbinned.tsv", "c1\tx\nc2\ty\nc3\tx\nc4\tunbinned\n"),
    ],
)  # fmt: skip
def test_tables(name, text):
    assert read_binning([write(name, text)], "A", NAMES) == BINS


@pytest.mark.parametrize("text", ["c1\tc1\nc3\tc1\nc2\tc2\n", "c1\tc1\nc1\tc3\nc2\tc2\n"])
def test_bins_that_are_named_by_a_contig(text):
    """As those of tools that call a cluster by its medoid: only the bins' names repeat."""
    assert read_binning([write("bins.tsv", text)], "A", NAMES) == {"c1": ["c1"], "c3": ["c1"], "c2": ["c2"]}


def test_names_that_look_like_comments():
    names = pd.Series(["#1", "@2"])
    assert read_binning([write("bins.tsv", "#1\tx\n@2\tx\n")], "A", names) == {"#1": ["x"], "@2": ["x"]}


def test_a_contig_of_several_bins_has_them_all():
    assert read_binning([write("bins.tsv", "c1\tx\nc1\ty\nc1\tx\n")], "A", NAMES) == {"c1": ["x", "y"]}


def test_fasta_of_several_kinds():
    """MetaBAT2 writes what it leaves out as FASTA, too."""
    files = {
        "bins/x.fa": ">c1 of x\nACGT\nAC\n>c3\nAC\n",
        "bins/y.fna.gz": ">c2\nACGT",
        "bins/y.tooShort.fa": ">c4\nA\n",
        "bins/unbinned.fasta": ">c4\nA\n",
    }
    assert read_binning([write(name, text) for name, text in files.items()], "A", NAMES) == BINS


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("b.tsv", "", "b.tsv: has no row; "),
        ("b.tsv", "contig\tbin\n", "b.tsv: has no row; "),
        ("b.tsv", "c1 x\n", "b.tsv: line 1: has 1 cells, not 2; "),
        ("b.tsv", "c1\tx\nc2\ty\tz\n", "b.tsv: line 2: has 3 cells, not 2; "),
        ("b.tsv", "c1\tx\t5\n", "b.tsv: has 3 columns and no header that names one of them bin or cluster; "),
        ("b.tsv", "assembly\tcontig\tbin\nB\tc1\tx\n", "b.tsv: no row is of assembly 'A', and the first of 'B'; "),
        ("b.tsv", "c1\tx\nq1\tx\nq2\ty\nq1\ty\n", FOREIGN.format('q1', '2 of 3')),
        ("b.tsv", "k1\tx\nk2\tx\n", FOREIGN.format('k1', '2 of 2')),
        ("b.tsv", b"c1\tx\nc2\t\xff\n", "b.tsv: line 2: is not UTF-8"),
        ("b.tsv", "c1\tx\rc2\ty\r", "b.tsv: line 1: has a control character in it; "),
        ("b.tsv", gzip.compress(b"c1\tx\n" * 9, mtime=0)[:-9], "b.tsv: is damaged or cut off"),
        ("b.fa", ">k1\nACGT\n", "b.fa: contig 'k1' is not in assembly 'A'"),
        ("b.fa", "", "b.fa: holds no sequence; "),
        ("b.fa", "c1\tx\n", "b.fa: is not FASTA: it begins with "),
    ],
)  # fmt: skip
def test_what_is_no_binning_of_the_assembly(name, text, message):
    path = write(name, text)
    with pytest.raises(click.ClickException) as refused:
        read_binning([path], "A", NAMES)
    assert refused.value.message.startswith(message)
    assert "\n" not in refused.value.message


def test_two_files_of_one_bin():
    paths = [write("x.fa", ">c1\nA\n"), write("x.fa.gz", ">c2\nA\n")]
    with pytest.raises(click.ClickException, match=r"^x.fa.gz: is of bin 'x', as x.fa is; remove one"):
        read_binning(paths, "A", NAMES)
