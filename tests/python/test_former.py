"""former.py: files of a former run are taken only if they are of this run's contigs and samples."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import former
from stage_tables import contigs_hash

CONTIGS = "contig\tassembly\tname\tlength\nb\tA\tb\t3000\na\tA\ta\t2500\nshort\tA\tshort\t300\n"
CLUSTERS = "cluster\tcontig\tassembly\tname\n1\tb\tA\tb\n2\ta\tA\ta\n"
ROWS = ["b", "a"]
TAKEN = (
    "--features",
    "features.json",
    "--rows",
    "rows.tsv",
    "--latent_json",
    "latent.json",
    "--clusters",
    "clusters.tsv",
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Files of a former run, and a function that runs the command on what is changed."""
    monkeypatch.chdir(tmp_path)
    Path("contigs.tsv").write_text(CONTIGS)

    def call(*options, samples=("S1", "S2"), former_contigs=CONTIGS, clusters=CLUSTERS, latent=ROWS, **features):
        Path("former.tsv").write_text(former_contigs)
        Path("clusters.tsv").write_text(clusters)
        Path("rows.tsv").write_text("contig\tlength\nb\t3000\na\t2500\n")
        about = {"samples": ["S1", "S2"], "mapped_reads": {"S1": 9, "S2": 8}, "rows_sha256": contigs_hash(ROWS)}
        about |= {"contigs_sha256": contigs_hash([*ROWS, "short"])} | features
        Path("features.json").write_text(json.dumps(about))
        Path("latent.json").write_text(json.dumps({"rows_sha256": contigs_hash(latent)}))
        words = ["--contigs", "contigs.tsv", "--former_contigs", "former.tsv"]
        words += [word for sample in samples for word in ("--sample", sample)]
        return CliRunner().invoke(former.main, [*words, *options])

    return call


def refused(done, *words):
    """The command fails with one line that holds these words."""
    assert done.exit_code == 1, done.output
    assert done.stderr.count("Error: ") == 1
    assert not [word for word in words if word not in done.stderr], done.stderr


@pytest.mark.parametrize("n", [0, 4, 6, 8])
def test_what_fits_is_taken(run, n):
    """Counts alone, features, the latent and clusters."""
    done = run(*TAKEN[:n])
    assert (done.exit_code, done.output) == (0, "")


@pytest.mark.parametrize(
    ("contigs", "words"),
    [
        (CONTIGS.replace("a\tA\ta\t2500", "a\tA\ta\t2501"), ["row 2", "'a' of 2501 bp", "'a' of 2500 bp"]),
        (CONTIGS.replace("b\tA\tb", "c\tA\tc"), ["row 1", "has contig 'c' of 3000 bp", "contig 'b'"]),
        (CONTIGS + "more\tA\tmore\t9\n", ["row 4", "'more' of 9 bp", "this run has no further contig"]),
        (CONTIGS.rpartition("short\tA")[0], ["row 3", "has no further contig", "'short' of 300 bp"]),
    ],
)
def test_other_contigs_are_refused(run, contigs, words):
    refused(run(former_contigs=contigs), "former.tsv", *words, "give the assemblies of the former run, or run without")


def test_files_of_other_contigs_are_refused(run):
    refused(run(*TAKEN, contigs_sha256="x"), "features.json: is not about the 3 contigs of contigs.tsv")
    refused(run(*TAKEN, rows_sha256="x"), "features.json: is not about the 2 contigs of rows.tsv")
    refused(run(*TAKEN, latent=["a", "b"]), "latent.json: is not about the 2 contigs of rows.tsv")
    refused(run(*TAKEN, clusters=CLUSTERS.replace("\ta\t", "\tz\t", 1)), "clusters.tsv: row 2", "'z'", "rows.tsv")


def test_features_of_other_samples_are_refused(run):
    refused(run(*TAKEN, samples=["S1"]), "features.json: is of sample 'S2', too", "start at counts")
    refused(run(*TAKEN, samples=[]), "features.json: is of samples, but this run has an abundance table")
    refused(run(*TAKEN, mapped_reads=None), "features.json: is of an abundance table, but this run has samples")
    done = run(*TAKEN, samples=[], mapped_reads=None)
    assert (done.exit_code, done.output) == (0, "")


def test_a_sample_that_the_features_lack_is_a_warning(run):
    done = run(*TAKEN, samples=["S1", "S2", "S3"])
    assert done.exit_code == 0
    assert done.stderr.startswith("WARNING: sample 'S3' is not in the features")


def test_clusters_that_were_given_bins_are_refused(run):
    refused(run(*TAKEN, clusters=CLUSTERS.replace("\n2\t", "\nA~bin2\t")), "row 2: cluster 'A~bin2'", "start at latent")


def test_options_without_those_that_they_need(run):
    for options in (TAKEN[:2], TAKEN[2:4], TAKEN[4:]):
        assert run(*options).exit_code == 2
