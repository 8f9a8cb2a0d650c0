"""compare.py: bins of two assemblies held against those of other binners, by hand."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import compare
from evaluation_tables import COMMON_BINS, COMPARED_BINS, DIFFERENCES, TIERS
from table_rows import rows_by_key

FILES = {
    "contigs": "contig\tassembly\tname\tlength\n"
    "A~k1\tA\tk1\t900\nA~k2\tA\tk2\t100\nA~k3\tA\tk3\t300\nB~k1\tB\tk1\t500\n",
    "contig2bin": "assembly\tcontig\tbin\nA\tk1\tA.001\nA\tk2\tA.001\nA\tk3\tA.002\nB\tk1\tB.001\n",
    "coverage": "contig\tS1\tS2\tS3\nA~k1\t5\t0\t0\nA~k2\t0\t0.1\t0\nA~k3\t0\t0\t0\nB~k1\t1\t1\t1\n",
    # x is the larger of two for A.001 and shares 900 of 1,200 bp; y has its own of B alone.
    "other": "assembly\tcontig\tbin\nA\tk1\tx\nA\tk3\tx\nB\tk1\ty\n",
    "third": "assembly\tcontig\tbin\nA\tk3\tz\n",
    "own_quality": "Name\tCompleteness\tContamination\tStrain heterogeneity\n"
    "A.001\t99\t25\t100\nA.002\t90\t0\t0\nB.001\t50\t11.2\t0\n",
    "other_quality": "Name\tCompleteness\tContamination\nx\t94\t0\ny\t50\t0\n",
}
OPTIONS = "--contigs contigs.tsv --contig2bin contig2bin.tsv --coverage coverage.tsv --min_bin_size 300"
QUALITY = "--compare other other.tsv --quality bins own_quality.tsv --quality other other_quality.tsv"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")
    for name, text in FILES.items():
        Path(f"{name}.tsv").write_text(text)


def run(options: str = "", **texts: str):
    for name, text in texts.items():
        Path(f"{name}.tsv").write_text(text)
    return CliRunner().invoke(compare.main, f"{OPTIONS} {options}".split())


def test_bins_without_quality_have_sizes_prevalences_and_partners():
    done = run("--compare other other.tsv --compare third third.tsv")
    assert done.exit_code == 0, done.output
    bins = rows_by_key(COMPARED_BINS, "binning", "assembly", "bin")
    # size, contigs, prevalence, common_with
    assert bins["bins", "A", "A.001"][:4] == [1000, 2, 2, "other"]
    assert bins["bins", "A", "A.002"][:4] == [300, 1, 0, "third"]
    assert bins["bins", "B", "B.001"][:4] == [500, 1, 3, "other"]
    assert bins["other", "A", "x"][:4] == [1200, 2, 1, "bins"]
    assert bins["third", "A", "z"][:4] == [300, 1, 0, "bins"]
    assert np.isnan([row[4:] for row in bins.values()]).all()
    assert rows_by_key(TIERS, "binning", "counted", "strains_allowed", "precision") == {}
    differences = rows_by_key(DIFFERENCES, "binning_1", "binning_2")
    assert differences["bins", "other"][:2] == [2, -100]  # 1,000 against 1,200, and equal
    assert differences["other", "third"][0] == 0 and np.isnan(differences["other", "third"][1:]).all()


def test_qualities_are_recalls_and_precisions():
    assert run(QUALITY).exit_code == 0
    bins = rows_by_key(COMPARED_BINS, "binning", "assembly", "bin")
    assert bins["bins", "A", "A.001"][4:] == [0.99, 0.8, 1]  # all of its contamination is of other strains
    assert bins["bins", "B", "B.001"][4:] == [
        0.5,
        pytest.approx(1 / 1.112, abs=1e-6),
        pytest.approx(1 / 1.112, abs=1e-6),
    ]
    assert bins["other", "A", "x"][4:6] == [0.94, 1] and np.isnan(bins["other", "A", "x"][6])
    common = rows_by_key(COMMON_BINS, "binning_1", "binning_2", "assembly", "bin_1", "bin_2")
    # size_1, size_2, shared, recall_1, recall_2, precision_1, precision_2, and those without strains
    assert common["bins", "other", "A", "A.001", "x"][:8] == [1000, 1200, 900, 0.99, 0.94, 0.8, 1, 1]
    assert set(common) == {("bins", "other", "A", "A.001", "x"), ("bins", "other", "B", "B.001", "y")}
    assert rows_by_key(DIFFERENCES, "binning_1", "binning_2")["bins", "other"][:3] == [2, -100, pytest.approx(0.025)]


def test_tiers_of_all_bins_and_of_unique_ones():
    assert run(QUALITY).exit_code == 0
    tiers = rows_by_key(TIERS, "binning", "counted", "strains_allowed", "precision")
    # At recalls of 0.5, 0.6, 0.7, 0.8, 0.9, 0.95 and 0.99
    assert tiers["bins", "bin", False, 0.9] == [1, 1, 1, 1, 1, 0, 0]  # 11.2 % contamination is too much
    assert tiers["bins", "bin", True, 0.9] == [2, 2, 2, 2, 2, 1, 1]
    assert tiers["bins", "unique_bin", False, 0.95] == [1, 1, 1, 1, 1, 0, 0]
    assert tiers["other", "bin", False, 0.95] == [2, 1, 1, 1, 1, 0, 0]
    assert tiers["other", "unique_bin", False, 0.9] == [0] * 7
    assert ("other", "bin", True, 0.9) not in tiers
    assert not Path("warnings.txt").exists()


def test_small_bins_are_partners_but_not_listed():
    assert run("--compare other other.tsv --compare third third.tsv --min_bin_size 301").exit_code == 0
    bins = rows_by_key(COMPARED_BINS, "binning", "assembly", "bin")
    assert {key[2] for key in bins} == {"A.001", "B.001", "x", "y"}
    assert {key[3] for key in rows_by_key(COMMON_BINS, "binning_1", "binning_2", "bin_1", "bin_2")} == {"x", "y"}


def test_a_bin_that_a_table_does_not_tell_of_is_a_warning():
    quality = "Name\tCompleteness\tContamination\nx\t94\t0\n"
    both = "assembly\tcontig\tbin\nA\tk1\tx\nB\tk1\tx\n"
    assert run(QUALITY, other=both, other_quality=quality).exit_code == 0
    warning = Path("warnings.txt").read_text()
    assert warning.startswith(
        "other_quality.tsv: tells nothing, or of several assemblies, about 2 of 2 bins of binning 'other', bin 'x' for"
    )
    assert np.isnan(rows_by_key(COMPARED_BINS, "binning", "assembly", "bin")["other", "A", "x"][4])


def test_no_bins():
    done = run(QUALITY, contig2bin="assembly\tcontig\tbin\n")
    assert done.exit_code == 0, done.output
    assert {key[0] for key in rows_by_key(COMPARED_BINS, "binning", "assembly", "bin")} == {"other"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--quality other other_quality.tsv", "other_quality.tsv: there is no binning 'other'; name it by --compare"),
        ("--compare bins other.tsv", "other.tsv: a binning is named 'bins' already; give it another name"),
    ],
)
def test_what_does_not_fit_is_one_line(options, message):
    done = run(options)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: {message}") and done.stderr.count("\n") == 1
