"""Ways into the middle of the pipeline: results of a former run, and a model that was trained before."""

import csv
import filecmp
import shutil
from pathlib import Path

import pytest

from conftest import DATA, REPORT_STAGES, STAGES, run_pipeline
from test_given_bins import planted_bins, write_sheet, write_table

MAPPING = {"INDEX", "MAP_READS"}
START = "--start_at"


def start(launch, former, at, *arguments, **options):
    """A run that starts from the results of a former one."""
    return run_pipeline(launch, "--former_results", former, START, at, *arguments, **options)


def different_files(run, former) -> list[str]:
    """Files of the group that are not the same bytes in both results, or in one of them alone."""
    folders = [results / "co" for results in (run.results, former)]
    names = {str(path.relative_to(folder)) for folder in folders for path in folder.rglob("*") if path.is_file()}
    _, changed, missing = filecmp.cmpfiles(*folders, names, shallow=False)
    return sorted(changed + missing)


def copied(source: Path, folder: Path, *names: str) -> Path:
    """Some of the published folders of the group, as results of their own."""
    for name in names:
        shutil.copytree(source / "co" / name, folder / "co" / name)
    return folder


def sheet_of(folder: Path, *samples: str) -> Path:
    """The sheet of the co-assembly with some of its samples."""
    rows = [row for row in csv.DictReader((DATA / "co.samples.csv").open()) if row["sample"] in samples]
    for row in rows:
        row.update({column: DATA / row[column] for column in ("fastq_1", "fastq_2", "bam") if row.get(column)})
    with (folder / "samples.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "samples.csv"


@pytest.mark.parametrize(
    ("at", "skipped", "idle", "parser"),
    [
        ("features", {"FEATURES"}, ["--min_contig_length"], "v2"),
        ("clusters", {"FEATURES", "VAE", "CLUSTER"}, ["--epochs", "--mapper", "--seed", "--threshold_seeds"], "v1"),
    ],
)
def test_a_start_in_the_middle_gives_the_whole_results(tmp_path, coassembly, at, skipped, idle, parser):
    """Byte for byte; what is typed for a stage that does not run has no effect, and a warning says so."""
    values = {"--min_contig_length": "3000", "--mapper": "bwa"}
    typed = [word for option in idle for word in (option, values.get(option, "7"))]
    run = start(
        tmp_path, coassembly.results, at, *typed, "--min_posterior", "0.8",
        environment={"NXF_SYNTAX_PARSER": parser}, report=at == "clusters",
    )  # fmt: skip
    assert run.status == 0, run.output
    stages = STAGES | {"FORMER"} | (REPORT_STAGES if at == "clusters" else set())
    assert run.tasks("COMPLETED") == stages - MAPPING - skipped
    # It has the seconds of each epoch
    assert different_files(run, coassembly.results) == (["vae/training.tsv"] if at == "features" else [])
    (warning,) = [line for line in run.output.splitlines() if "Without effect: " in line]
    assert sorted(word.strip(",") for word in warning.split() if word.startswith("--")) == sorted([*idle, START])


def test_a_sample_is_added_by_mapping_it_alone(tmp_path, coassembly):
    """The former run had two of the three samples; the same command with -resume has nothing left to do."""
    former = copied(coassembly.results, tmp_path / "former", "catalogue", "abundance")
    for path in (former / "co" / "abundance").glob("S2.*"):
        path.unlink()
    run = start(tmp_path, former, "counts")
    assert run.status == 0, run.output
    assert run.tasks("COMPLETED") == STAGES | {"FORMER"}
    trace = run.trace()
    assert trace.loc[trace["name"] == "MAP_READS", "tag"].tolist() == ["co S2"]
    assert different_files(run, coassembly.results) == ["vae/training.tsv"]
    again = start(tmp_path, former, "counts", "-resume")
    assert again.tasks("COMPLETED") == set() and "FORMER" in again.tasks("CACHED")


def test_a_trained_model_encodes_the_contigs(tmp_path, coassembly):
    """The counts of all samples are taken, so that nothing is mapped; the model's own features have its latent."""
    model = coassembly.results / "co" / "vae" / "model.pt"
    typed = ["--epochs", "3", "--mapper", "bwa", "--min_read_identity", "9"]
    run = start(tmp_path, coassembly.results, "counts", "--model", model, *typed)
    assert run.status == 0, run.output
    assert run.tasks("COMPLETED") == STAGES - MAPPING | {"FORMER"}
    assert different_files(run, coassembly.results) == ["vae/latent.json", "vae/training.tsv"]
    assert "Without effect: --epochs, since the network of --model is trained" in run.output
    assert "Without effect on samples whose counts are taken (--start_at counts): --mapper" in run.output
    assert "--mapper, --min_read_identity\n" in run.output


def test_features_of_a_sample_that_the_sheet_lacks_are_one_error(tmp_path, coassembly):
    run = start(tmp_path, coassembly.results, "latent", "--input", sheet_of(tmp_path, "S1", "S2"))
    assert run.status != 0
    line = run.output.strip().splitlines()[-1]
    features = coassembly.results / "co" / "features" / "features.json"
    assert line.startswith(f"FORMER (co) failed: {features}: is of sample 'S3', too"), line


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_given_bins_stand_beside_clusters_of_a_former_latent(tmp_path, coassembly, parser):
    """In an ensemble. Without one, they take the place of what a former run trained."""
    write_table(tmp_path / "bins.tsv", planted_bins("co"))
    given = ["--assembly_input", write_sheet(tmp_path, coasm="bins.tsv")]
    if parser == "v1":
        ensemble, at, stages = ["--ensemble"], "latent", {"CLUSTER", "ENSEMBLE"}
    else:
        ensemble, at, stages = [], "features", set()
    run = start(tmp_path, coassembly.results, at, *given, *ensemble, "-stub", environment={"NXF_SYNTAX_PARSER": parser})
    assert run.status == 0, run.output
    kept = STAGES - MAPPING - {"FEATURES", "VAE", "CLUSTER"}
    assert run.tasks("COMPLETED") == kept | {"FORMER", "IMPORT_BINS"} | stages


def test_results_of_other_contigs_are_one_error(tmp_path, coassembly):
    former = copied(coassembly.results, tmp_path / "former", "catalogue", "abundance", "features")
    table = former / "co" / "catalogue" / "contigs.tsv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    run = start(tmp_path, former, "features")
    assert run.status != 0
    line = run.output.strip().splitlines()[-1]
    assert line.startswith(f"FORMER (co) failed: {table}: row 1: the former run has contig "), line
    assert "give the assemblies of the former run, or run without --former_results" in line
    assert "FEATURES" not in run.tasks("COMPLETED")


@pytest.mark.parametrize("case", ["outdir", "file", "sample"])
def test_results_that_cannot_be_used_end_the_run_before_any_work(tmp_path, coassembly, case):
    former, at = coassembly.results, "clusters"
    if case == "outdir":
        former = tmp_path / "link"
        (tmp_path / "results").mkdir()
        former.symlink_to(tmp_path / "results")
        message = f"--former_results {former} is --outdir, too: name another folder"
    elif case == "file":
        former = copied(former, tmp_path / "former", "catalogue", "abundance", "features", "vae")
        message = f"--former_results {former}/co/clusters.tsv does not exist (one of 2 missing files)"
    else:
        former, at = copied(former, tmp_path / "former", "catalogue", "features"), "counts"
        message = (
            f"--former_results {former} has the counts of no sample of the sample sheet (for example co/abundance/S1."
        )
    run = start(tmp_path, former, at)
    assert run.status != 0
    assert message in run.output
    started = [line for line in run.output.splitlines() if "Submitted process >" in line]
    assert all("VALIDATE" in line for line in started), started
