"""import_bins.py: given bins as the clusters of a group."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import import_bins
from assembly_tables import read_clusters

CONTIGS = pd.DataFrame(
    [(f"{assembly}~{name}", assembly, name, 900) for assembly in ("A1", "A2") for name in ("k1", "k2", "k3")],
    columns=["contig", "assembly", "name", "length"],
).set_index("contig", drop=False)


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CONTIGS.to_csv("contigs.tsv", sep="\t", index=False)


def run(options=(), **given: tuple[str, int, str]):
    """Run the command on files of these texts: assembly, number of the binning, text."""
    words = [*options]
    for name, (assembly, number, text) in given.items():
        file = name.replace("_", ".")
        Path(file).write_text(text)
        words += ["--bins", assembly, str(number), file]
    return CliRunner().invoke(import_bins.main, ["--contigs", "contigs.tsv", *words])


def clusters() -> dict[str, str]:
    """Return the cluster of each contig, as later stages read them."""
    return read_clusters(Path("clusters.tsv"), CONTIGS).set_index("contig")["cluster"].to_dict()


def test_bins_of_one_name_stay_apart_by_assembly():
    done = run(a_tsv=("A1", 1, "k1\tb\nk3\tc\n"), b_tsv=("A2", 1, "b\tk2\n"))
    assert done.exit_code == 0, done.output
    assert clusters() == {"A1~k1": "A1~b", "A1~k3": "A1~c", "A2~k2": "A2~b"}
    assert "A1: 2 of 3 contigs have a bin" in done.stderr


def test_fasta_files_are_one_binning():
    done = run(x_fa=("A1", 1, ">k1\nA\n"), y_fa=("A1", 1, ">k2\nA\n"))
    assert done.exit_code == 0, done.output
    assert clusters() == {"A1~k1": "A1~x", "A1~k2": "A1~y"}


def test_of_several_binnings_each_adds_what_those_before_it_lack():
    texts = {"a_tsv": ("A1", 1, "k1\tb\nk2\tb\n"), "b_tsv": ("A1", 2, "k2\tb\nk3\tb\n"), "c_tsv": ("A2", 1, "k1\tb\n")}
    done = run(**texts, options=["--min_bin_size", "18000"])
    assert done.exit_code == 0, done.output
    assert clusters() == {"A1~k1": "A1~1.b", "A1~k2": "A1~1.b", "A1~k3": "A1~2.b", "A2~k1": "A2~b"}
    # Two contigs of 900 bp are now too small a bin to hold the one that the other binning has, too; so are the others.
    assert run(**texts, options=["--min_bin_size", "18010"]).exit_code == 0
    assert clusters()["A1~k2"] == "A1~1.b"


def test_characters_that_separate_names_are_escaped():
    """A comma stands between the bins of a contig."""
    assert run(a_tsv=("A1", 1, "k1\tb,1\nk2\tb&1\nk3\tb 1é\n")).exit_code == 0
    assert list(clusters().values()) == ["A1~b%2C1", "A1~b&1", "A1~b%201%C3%A9"]


def test_a_contig_of_several_bins_is_in_none_with_a_warning(monkeypatch):
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")
    assert run(a_tsv=("A1", 1, "k1\tb\nk1\tc\nk2\tb\n")).exit_code == 0
    assert clusters() == {"A1~k2": "A1~b"}
    (warning,) = Path("warnings.txt").read_text().splitlines()
    assert warning.startswith(
        "assembly 'A1': 1 of 2 contigs stand in several of the given bins, contig 'k1' in 'b' and 'c'"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a_tsv": ("A1", 1, "N_1\tb\n")}, "a.tsv: contig 'N_1' is not in assembly 'A1', whose first contig is 'k1'"),
        ({"a_tsv": ("A1", 1, "k1\tunbinned\n")}, "a.tsv: has no contig in a bin; "),
        ({"a_tsv": ("A3", 1, "k1\tb\n")}, "contigs.tsv: no contig of assembly 'A3'; "),
        ({"a_tsv": ("A1", 1, "k1\tb\n"), "b_tsv": ("A1", 1, "k1\tb\n")}, "b.tsv: assembly 'A1' has a.tsv as binning 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_one_line(given, message):
    done = run(**given)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: {message}")
    assert len(done.stderr.splitlines()) == 1
    assert not Path("clusters.tsv").exists()
