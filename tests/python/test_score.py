"""benchmark/score.py: what it reads and writes; tests/python/test_bin_scores.py has its definitions."""

import gzip
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import result_tables
import score

PROJECT = Path(__file__).resolve().parents[2]

# Genome A: 1,000 bp in a1 ... a4 and the shared contig ab; B: 500 bp in b1 and ab.
TRUTH = "contig\tgenome\tlength\na1\tA\t500\na2\tA\t250\na3\tA\t140\na4\tA\t10\nab\tA\t100\nab\tB\t100\nb1\tB\t400\n"


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "truth.tsv"
    path.write_text(TRUTH)
    return score.read_truth(path)


def test_truth_has_lengths_and_all_genomes_of_a_contig(truth):
    assert truth.length == {"a1": 500, "a2": 250, "a3": 140, "a4": 10, "ab": 100, "b1": 400}
    assert truth.genomes["ab"] == {"A", "B"}
    assert truth.genome_sizes() == {"A": 1000, "B": 500}


def test_purity_of_long_contigs_leaves_out_the_short_ones(truth):
    bins = {"1": {"a1", "b1", "a4"}, "2": {"a3"}}
    assert score.purity_of_long(bins, truth, 140) == (500 + 140) / (900 + 140)
    assert score.purity_of_long(bins, truth, 401) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "1\ta1\n1\ta2\n2\tb1\n2\tunknown\n",
        "a1\t1\na2\t1\nb1\t2\n",
        "# comment\n\n1\ta1\n1\ta2\n2\tb1\n",
        "bin\tcontig\n1\ta1\n1\ta2\n2\tb1\n",
        "contig\tbin\na1\t1\na2\t1\nb1\t2\n",
        "assembly\tcontig\tbin\nX\ta1\t1\nX\ta2\t1\nX\tb1\t2\n",
        "cluster\tcontig\tassembly\tname\n1\tX~a1\tX\ta1\n1\tX~a2\tX\ta2\n2\tX~b1\tX\tb1\n",
    ],
)
def test_every_layout_of_bins_gives_the_same(text, truth, tmp_path):
    path = tmp_path / "bins.tsv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert score.read_bins(path, truth) == {"1": {"a1", "a2"}, "2": {"b1"}}


def test_bins_of_several_assemblies_ask_for_one(truth, tmp_path):
    path = tmp_path / "contig2bin.tsv"
    path.write_text("assembly\tcontig\tbin\nX\ta1\tX.1\nY\ta1\tY.1\nY\ta2\tY.1\n")
    with pytest.raises(click.ClickException, match="or choose one with --assembly"):
        score.read_bins(path, truth)
    assert score.read_bins(path, truth, "Y") == {"Y.1": {"a1", "a2"}}
    both = score.Truth({"X:a1": 5, "Y:a1": 6, "Y:a2": 7}, {"X:a1": {"X:g"}, "Y:a1": {"Y:g"}, "Y:a2": {"Y:h"}})
    assert score.read_bins(path, both) == {"X.1": {"X:a1"}, "Y.1": {"Y:a1", "Y:a2"}}


def test_tables_that_do_not_fit_are_refused(truth, tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("1\tother\n")
    with pytest.raises(click.ClickException, match="none of its contigs is in the truth"):
        score.read_bins(path, truth)
    with pytest.raises(click.ClickException, match="no line has contig, genome and length"):
        score.read_truth(path)


def test_command_writes_its_row_and_replaces_the_one_before(truth, tmp_path):
    bins, out = tmp_path / "bins.tsv", tmp_path / "out.tsv"
    for name, text in (("x", "1\ta1\n"), ("y", "1\ta1\n"), ("x", "1\tb1\n1\tab\n")):
        bins.write_text(text)
        arguments = [str(tmp_path / "truth.tsv"), str(bins), "--min_bin_size", "0", "--bins", name, "--tsv", str(out)]
        done = CliRunner().invoke(score.main, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    rows = result_tables.read_rows(out)
    assert [row["bins"] for row in rows] == ["x", "y"]
    assert rows[0]["recall_0.99"] == "1"
    assert rows[1]["recall_0.5"] == "1"
    assert rows[1]["recall_0.6"] == "0"


@pytest.mark.parametrize(
    ("name", "genomes", "contigs"), [("community_a", 25, 15_000), ("concoct16", 9, 10_000)], ids=["a", "concoct16"]
)
def test_the_truth_of_the_fixed_assemblies_can_be_read(name, genomes, contigs):
    truth = score.read_truth(PROJECT / "benchmark" / "truth" / f"{name}.tsv.gz")
    assert len(truth.genome_sizes()) == genomes
    assert len(truth.length) > contigs
