"""How a run behaves: parsers, -stub, -resume, profiles, and bad input."""

import csv
import gzip
import json
import re

import pytest

from conftest import (
    CHOSEN_STAGES,
    DATA,
    PROJECT,
    QUICK,
    REPORT_STAGES,
    STAGES,
    nextflow,
    read_fasta,
    read_table,
    run_pipeline,
)


def test_no_script_sets_a_preview_flag():
    """Nextflow refuses a script that sets a preview flag which it no longer has, so such a script ages badly."""
    scripts = [path for path in PROJECT.rglob("*.nf") if not path.is_relative_to(PROJECT / "work")]
    assert PROJECT / "main.nf" in scripts
    assert not [path for path in scripts if "nextflow.preview." in path.read_text()]


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_stub_runs_every_stage(tmp_path, parser):
    run = run_pipeline(tmp_path, "-stub", environment={"NXF_SYNTAX_PARSER": parser}, report=True)
    assert run.status == 0, run.output
    lines = [line for line in run.output.splitlines() if "Submitted process >" in line]
    submitted = {line.split("> ")[1].split()[0].split(":")[-1] for line in lines}
    assert submitted == STAGES | REPORT_STAGES


def test_strict_parser_gives_the_same_bins(tmp_path):
    """Also that parameters reach the stages under both parsers: bins depend on every one of these.

    From Nextflow 25.10 on, the strict parser makes text of the values; the variable has 25.04 do the same.
    """
    arguments = ["--epochs", "30", "--batch_double_at", "10,20", "--help", "false", "--save_bam", "false"]
    arguments += ["--min_contig_length", "700", "--min_bin_size", "15000"]
    runs = [
        run_pipeline(tmp_path / parser, *arguments, environment={"NXF_SYNTAX_PARSER": parser, **environment})
        for parser, environment in (("v1", {}), ("v2", {"NXF_DISABLE_PARAMS_TYPE_DETECTION": "true"}))
    ]
    assert [run.status for run in runs] == [0, 0], runs[-1].output
    assert not any("GString" in run.output for run in runs)
    assert not list(runs[1].results.rglob("*.bam"))
    assert not (runs[1].results / "report.html").exists()
    for table in ("contig2bin.tsv", "clusters.tsv", "unbinned.tsv", "vae/latent.npy"):
        assert (runs[0].results / "co" / table).read_bytes() == (runs[1].results / "co" / table).read_bytes()
    assert len((runs[1].results / "co" / "vae" / "training.tsv").read_text().splitlines()) == 31


def test_resume_reruns_what_depends_on_the_change(tmp_path):
    """Stubs will do: what a task depends on is known before it runs. test_options.py has each parameter's stage."""
    stub = [*QUICK, "-stub"]
    first = run_pipeline(tmp_path, *stub)
    assert first.status == 0, first.output
    expected = {
        (): set(),
        ("--min_bin_size", "30000"): {"REFINE", "BINS"},
        ("--refine_mode", "article"): {"CLUSTER", "GRAPHBIN2", "BINS"},
        ("--dropout", "0.1"): {"VAE", "CLUSTER", "REFINE", "BINS"},
        ("--min_alignment_score", "80"): {"MAP_READS", "FEATURES", "VAE", "CLUSTER", "REFINE", "BINS"},
    }
    for change, stages in expected.items():
        run = run_pipeline(tmp_path, *stub, *change, "-resume")
        assert run.status == 0, run.output
        # the parameters are validated anew; the summary follows only if its input did change
        assert run.tasks("COMPLETED") - {"VALIDATE", "SUMMARY"} == stages, change
        assert "SUMMARY" in run.tasks("COMPLETED") if stages else "SUMMARY" in run.tasks("CACHED")


@pytest.fixture
def sheets(tmp_path):
    """The test profile's sheets as lists of rows, and a function that runs the pipeline on the changed ones."""
    data = tmp_path / "data"
    data.mkdir()
    for file in DATA.glob("*.gz"):
        (data / file.name).symlink_to(file)
    (data / "co.S3.bam").symlink_to(DATA / "co.S3.bam")
    rows = {name: list(csv.DictReader((DATA / f"co.{name}.csv").open())) for name in ("samples", "assemblies")}

    def run(*arguments):
        for name, table in rows.items():
            with (data / f"{name}.csv").open("w", newline="") as handle:
                writer = csv.DictWriter(handle, fieldnames=list(table[0]))
                writer.writeheader()
                writer.writerows(table)
        return run_pipeline(
            tmp_path, "--input", data / "samples.csv", "--assembly_input", data / "assemblies.csv", *arguments
        )  # fmt: skip

    return rows, run, data


def assert_refused(run, *words):
    """The run failed with these words in its message, before any stage but VALIDATE started."""
    assert run.status != 0
    for word in words:
        assert word in run.output
    started = [line for line in run.output.splitlines() if "Submitted process >" in line]
    assert all("VALIDATE" in line for line in started), started
    assert "Traceback" not in run.output


def test_every_problem_in_one_message(sheets):
    rows, run, _ = sheets
    rows["samples"][0]["sample"] = "../evil"
    rows["samples"][1]["fastq_1"] = "absent.fastq.gz"
    rows["samples"][2]["group"] = "lonely"
    rows["samples"].append(rows["samples"][1] | {"sample": "both", "fastq_1": "S2_1.fastq.gz", "bam": "co.S3.bam"})
    rows["assemblies"][0]["assembler"] = "velvet"
    absent = ["--truth", "t.tsv", "--compare", "bins=b", "--references", "r.csv"]
    absent += ["--experiments", "inputs,figures", "--ensemble"]
    assert_refused(
        run("--epohcs", "10", "--dropout", "1.5", "--marker_hmms", "absent.hmm", *absent),
        "epohcs", "epochs", "dropout", "--marker_hmms absent.hmm does not exist", "--truth t.tsv does not exist",
        "--compare b does not exist", "--compare: bins is a binning of Binloom's own",
        "--experiments must be some of inputs,",
        "--references r.csv does not exist",
        "--ensemble needs given bins",
        "row 2", "../evil", "row 3", "absent.fastq.gz", "row 4", "lonely", "velvet", "row 5", "both", "bam",
    )  # fmt: skip


def assert_fails_in(run, stage, *words):
    """The run failed in this stage with these words in its message, and without a traceback."""
    assert run.status != 0
    assert f"{stage} (" in run.output
    for word in words:
        assert word in run.output
    assert "Traceback" not in run.output


def change_fasta(data, name, change):
    """Rewrites an assembly's FASTA beside the sheets and gives its name for the sheet."""
    records = change(list(read_fasta(DATA / "co.contigs.fasta.gz").items()))
    with gzip.open(data / name, "wt") as handle:
        handle.writelines(f">{contig}\n{sequence}\n" for contig, sequence in records)
    return name


def test_bam_of_other_contigs(sheets):
    rows, run, data = sheets
    rows["assemblies"][0]["fasta"] = change_fasta(
        data, "renamed.fasta.gz", lambda records: [(f"x{i}", sequence) for i, (_, sequence) in enumerate(records)]
    )
    rows["assemblies"][0].update(graph="", paths="")
    rows["samples"][:] = [
        {"sample": "S3", "group": "co", "fastq_1": "", "fastq_2": "", "bam": "co.S3.bam", "platform": ""}
    ]
    assert_fails_in(run(), "MAP_READS", "co.S3.bam", "NODE_1_length_12019_cov_10.419843")


def test_groups_with_little_in_them_end_well(sheets):
    """No group has a bin, and each contig has a reason: three contigs are too few for a batch; others are too short;
    a sample without a mapped read is left out with a warning."""
    rows, run, data = sheets
    changes = {
        "three": lambda records: records[:3],
        "short": lambda records: [(name, sequence[:400]) for name, sequence in records],
        "alien": lambda records: records,
    }
    samples, assembly = rows["samples"][:], rows["assemblies"][0] | {"graph": "", "paths": ""}
    for table in rows.values():
        table.clear()
    for group, change in changes.items():
        fasta = change_fasta(data, f"{group}.fasta.gz", change)
        rows["assemblies"].append(assembly | {"id": group, "group": group, "fasta": fasta})
        rows["samples"] += [row | {"sample": f"{group}{row['sample']}", "group": group} for row in samples]
    rows["samples"].append(write_alien_reads(data, rows["samples"][0] | {"group": "alien"}))
    done = run("--min_bin_size", "10000000", *QUICK)
    assert done.status == 0, done.output
    contigs = set(read_fasta(DATA / "co.contigs.fasta.gz"))
    unbinned = {group: read_table(done.results / group / "unbinned.tsv") for group in changes}
    assert len(unbinned["three"]) == 3 and set(unbinned["alien"]["contig"]) == contigs
    assert set(unbinned["short"]["contig"]) == contigs and set(unbinned["short"]["reason"]) == {"short"}
    for group in changes:
        assert len(read_table(done.results / group / "contig2bin.tsv")) == 0
        assert not list((done.results / group).glob("bins/*"))

    warning = "sample 'alien' (none of its 1 reads maps to the contigs) is left out of the model: "
    warnings = read_table(done.results / "warnings.tsv")
    of_alien = warnings[(warnings["stage"] == "features") & (warnings["group"] == "alien")]
    assert [text[: len(warning)] for text in of_alien["warning"]] == [warning]
    counted = read_table(done.results / "summary.tsv").set_index("group")["warnings"].astype(int)
    assert counted.to_dict() == {group: (warnings["group"] == group).sum() for group in changes}
    assert f"features, alien: {warning}" in done.output
    assert "alien" not in read_table(done.results / "alien" / "features" / "coverage.tsv.gz").columns
    assert "coverage_alien" not in read_table(done.results / "alien" / "bins.tsv").columns
    coverage = read_table(done.results / "alien" / "abundance" / "alien.counts.tsv.gz")
    assert (coverage["reads"].astype(float) == 0).all()


def write_alien_reads(data, row):
    """Write one read that maps nowhere, and give its row of the sample sheet, made from that of another sample."""
    with gzip.open(data / "alien.fastq.gz", "wt") as handle:
        handle.write("@r1\n" + "AC" * 50 + "\n+\n" + "I" * 100 + "\n")
    return row | {"sample": "alien", "fastq_1": "alien.fastq.gz", "fastq_2": ""}


def test_a_sample_without_a_mapped_read_alone_is_an_error(sheets):
    rows, run, data = sheets
    rows["samples"][:] = [write_alien_reads(data, rows["samples"][0])]
    assert_fails_in(
        run(*QUICK),
        "FEATURES",
        "no sample of the group has a count on any contig: sample 'alien' (none of its 1 reads maps",
    )


def test_help_lists_every_parameter(tmp_path):
    done = nextflow(["run", PROJECT, "--help"], tmp_path)
    assert done.returncode == 0
    for parameter in ("input", "assembly_input", "min_contig_length", "batch_double_at", "label_score_ratio"):
        assert f"--{parameter} " in done.stdout


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_version_is_that_of_the_manifest(tmp_path, parser):
    done = nextflow(["run", PROJECT, "--version"], tmp_path, {"NXF_SYNTAX_PARSER": parser})
    assert done.returncode == 0, done.stdout
    manifest = flat_config("standard", tmp_path)
    name, version = (manifest[f"manifest.{key}"].strip("'") for key in ("name", "version"))
    assert done.stdout.splitlines()[-1] == f"{name} {version}"
    assert "Submitted process" not in done.stdout


def test_manifest_is_complete_under_both_parsers(tmp_path):
    """An owner, a page and people; a version that ends in dev until it is released."""
    v1, v2 = (flat_config("standard", tmp_path, environment={"NXF_SYNTAX_PARSER": parser}) for parser in ("v1", "v2"))
    manifest = {name: value for name, value in v1.items() if name.startswith("manifest.")}
    assert manifest == {name: value for name, value in v2.items() if name.startswith("manifest.")}
    keys = ("name", "description", "homePage", "license", "contributors", "mainScript", "nextflowVersion", "version")
    assert manifest.keys() == {f"manifest.{key}" for key in keys}
    name = manifest["manifest.name"].strip("'")
    assert re.fullmatch(r"[\w-]+/[\w-]+", name)
    assert manifest["manifest.homePage"] == f"'https://github.com/{name}'"
    assert re.fullmatch(r"'\d+\.\d+\.\d+(dev)?'", manifest["manifest.version"])
    assert re.fullmatch(r"'>=\d+\.\d+\.\d+'", manifest["manifest.nextflowVersion"])


def flat_config(profile, launch, *arguments, environment=None):
    """The resolved configuration of a profile as {dotted name: value as text}."""
    done = nextflow(["config", PROJECT, "-flat", "-profile", profile, *arguments], launch, environment)
    assert done.returncode == 0, done.stdout
    return dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)


@pytest.mark.parametrize("engine", ["docker", "podman", "singularity", "apptainer"])
def test_engine_profiles_turn_on_one_engine(tmp_path, engine):
    config = flat_config(engine, tmp_path)
    enabled = [name for name, value in config.items() if name.endswith(".enabled") and value == "true"]
    engines = {name.split(".")[0] for name in enabled} & {"docker", "podman", "singularity", "apptainer"}
    assert engines == {engine}


@pytest.mark.parametrize("executor", ["slurm", "awsbatch"])
def test_scheduler_profiles(tmp_path, executor):
    config = flat_config(executor, tmp_path)
    assert config["process.executor"] == f"'{executor}'"


def test_gpu_profile_is_for_training_alone(tmp_path):
    plain, gpu = flat_config("docker", tmp_path), flat_config("docker,gpu", tmp_path)
    timed = {f"{scope}.file" for scope in ("trace", "report", "timeline", "dag")}
    added = {name for name in gpu if gpu[name] != plain.get(name)} - timed
    assert added and all(name.startswith("process.'withLabel:process_gpu'") or "process_gpu" in name for name in added)


def test_every_process_names_its_container(tmp_path):
    """PyTorch is in the image of the stages that use it, and in no other; the tag is the version of the pipeline."""
    done = nextflow(["-q", "inspect", PROJECT, "-profile", "test,docker", "-format", "json"], tmp_path)
    assert done.returncode == 0, done.stdout
    processes = json.loads(done.stdout[done.stdout.index("{") :])["processes"]
    version = flat_config("standard", tmp_path)["manifest.version"].strip("'")
    images = {"VAE": "torch", "CLUSTER": "torch", "RUN_TRIAL": "torch", "UMAP_POINTS": "torch", "REPORT": "report"}
    assert {process["name"].split(":")[-1]: process["container"] for process in processes} == {
        stage: f"localhost/binloom/{images.get(stage, 'core')}:{version}"
        for stage in STAGES | REPORT_STAGES | CHOSEN_STAGES
    }
