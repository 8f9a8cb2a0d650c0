"""Runs that cannot end well: each says why in plain words, and none leaves wrong bins behind."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import DATA, NEXTFLOW, PROJECT, QUICK, nextflow, read_table

TOOLS = {"blastn", "bwa", "makeblastdb", "minimap2", "python3", "samtools"}


def arguments(results, *more):
    """Arguments of a run on the bundled data that publishes into this folder, without a report."""
    return ["run", PROJECT, "-profile", "test", "--outdir", results, "--skip_multiqc", *more]


def wait_for(path, seconds=60):
    """Wait until a file has content."""
    end = time.monotonic() + seconds
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < end, f"{path} does not appear"
        time.sleep(0.1)


def assert_bins_are_those_of_the_table(group):
    """The folder of bins has the FASTA files of bins.tsv and no other."""
    bins = read_table(group / "bins.tsv")["bin"]
    assert sorted(path.name for path in (group / "bins").glob("*.fa.gz")) == sorted(f"{name}.fa.gz" for name in bins)
    return len(bins)


def test_one_run_at_a_time_and_only_its_own_bins(tmp_path):
    """A second run is refused, a lock of a killed run is none, and bins of an earlier run go. The folder has globs."""
    results = tmp_path / "re[s]ults {1}*"
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    sheet = tmp_path / "sam[p]les.csv"
    sheet.write_text((DATA / "co.samples.csv").read_text().replace("S", f"{DATA}/S").replace(f"\n{DATA}/S", "\nS"))
    call = arguments(results, "--input", sheet, *QUICK)
    running = subprocess.Popen(
        [NEXTFLOW, *map(str, call)], cwd=first, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "NXF_ANSI_LOG": "false", "NXF_PLUGINS_DEFAULT": "false"},
    )  # fmt: skip
    try:
        wait_for(results / "pipeline_info" / ".lock")
        (trace,) = (results / "pipeline_info").glob("trace_*")
        header = trace.read_text().splitlines()[:1]
        refused = nextflow(call, second)
        assert running.poll() is None
        assert trace.read_text().splitlines()[:1] == header
        assert len(list((results / "pipeline_info").glob("trace_*"))) == 2
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert refused.returncode != 0
    assert f"Another run writes into --outdir {results}" in refused.stdout
    assert f"process {running.pid}" in refused.stdout
    assert "Submitted process" not in refused.stdout

    bins = results / "co" / "bins"
    bins.mkdir(parents=True, exist_ok=True)
    (bins / "co.099.fa.gz").write_bytes(b"stale")
    (bins / "notes.txt").write_text("the user's own")
    done = nextflow([*call, "-resume"], first)
    assert done.returncode == 0, done.stdout
    assert assert_bins_are_those_of_the_table(results / "co") >= 5
    none = nextflow([*call, "-resume", "--min_bin_size", "100000000"], first)
    assert none.returncode == 0, none.stdout
    assert assert_bins_are_those_of_the_table(results / "co") == 0
    assert (bins / "notes.txt").read_text() == "the user's own"


@pytest.mark.parametrize(
    ("parser", "content", "reason"),
    [
        ("v1", ">a\nACGT\n>a\nACGT\n", "two contigs are named 'a': rename one"),
        ("v2", "", "holds no sequence: remove the row"),
    ],
    ids=["v1", "v2"],
)
def test_a_failed_run_ends_with_the_reason(tmp_path, parser, content, reason):
    """Stage, group, the user's own path, the stage's message and what to do: the last line of the terminal."""
    fasta = tmp_path / "my contigs (1).fasta"
    fasta.write_text(content)
    sheet = tmp_path / "assemblies.csv"
    sheet.write_text(f"id,group,assembler,fasta\nA,co,gfa,{fasta.name}\n")
    done = nextflow(arguments(tmp_path / "results", "--assembly_input", sheet), tmp_path, {"NXF_SYNTAX_PARSER": parser})
    assert done.returncode != 0
    last = done.stdout.rstrip().splitlines()[-1]
    assert last.startswith(f"CATALOGUE (co) failed: assembly 'A': {fasta}: {reason}")
    assert last.endswith("run the same command with -resume: what is finished is kept")
    assert done.stdout.count("CATALOGUE (co) failed") == 1


def test_a_run_that_fails_outside_of_its_tasks_ends_with_the_reason(tmp_path):
    """A file stands where results go: what is last, but for Nextflow's own words, has reason and remedy.

    Nextflow writes several files at once and tells of each, also after the line that ends the run.
    """
    results = tmp_path / "results"
    (results / "co").mkdir(parents=True)
    (results / "co" / "catalogue").write_text("a file")
    done = nextflow(arguments(results, "-stub"), tmp_path, {"NXF_SYNTAX_PARSER": "v2"})
    assert done.returncode != 0
    own_words = ("ERROR ~ Failed to publish file", " -- Check '.nextflow.log'", "WARN: Killing running tasks")
    last = [line for line in done.stdout.splitlines() if line and not line.startswith(own_words)][-1]
    assert last.startswith(f"The run failed: {results}/co/catalogue")
    assert "make sure that you can write there" in last and "with -resume" in last
    assert done.stdout.count("The run failed: ") == 1


def test_a_run_that_is_stopped_has_not_failed(tmp_path):
    """Ctrl-C: Nextflow itself says how the run ended."""
    running = subprocess.Popen(
        # Of a test run in the background, children would ignore SIGINT
        ["env", "--default-signal=INT", NEXTFLOW, *map(str, arguments(tmp_path / "results"))], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "NXF_ANSI_LOG": "false", "NXF_PLUGINS_DEFAULT": "false"},
    )  # fmt: skip
    wait_for(tmp_path / "results" / "pipeline_info" / ".lock")
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "failed" not in output and "Traceback" not in output, output


def test_a_sheet_that_cannot_be_reached_is_told_with_the_reason(tmp_path):
    call = arguments(tmp_path / "results", "--input", "s3://bucket/samples.csv", "--assembly_input", "absent.csv")
    done = nextflow(call, tmp_path)
    assert done.returncode != 0
    *_, problem, _, sheet, last = done.stdout.rstrip().splitlines()
    assert problem.startswith("  cannot be reached (") and "check its address and your credentials" in problem
    assert sheet == "--assembly_input absent.csv" and last.startswith("  does not exist")


def test_a_check_that_cannot_run_does_not_show_the_parameters(tmp_path):
    """VALIDATE itself breaks: the run says in which stage and why, and not what it was given."""
    project = tmp_path / "project"
    left_out = shutil.ignore_patterns(".*", "work", "results", "tests", "benchmark")
    shutil.copytree(
        PROJECT, project, ignore=lambda folder, names: left_out(folder, names) if Path(folder) == PROJECT else []
    )
    (project / "tests").symlink_to(PROJECT / "tests")
    (project / "nextflow_schema.json").write_text('{"$defs": {}} and more')
    done = nextflow(["run", project, "-profile", "test", "--alpha", "0.123"], tmp_path)
    assert done.returncode != 0
    assert done.stdout.rstrip().splitlines()[-1].startswith("VALIDATE failed: ")
    assert "0.123" not in done.stdout and "Traceback" not in done.stdout


def test_files_that_cannot_be_used_are_listed_by_row(tmp_path):
    """No scheme, no credentials, no such character in the locale, `$` in a name, a file of results: one line each."""
    results = tmp_path / "results"
    catalogue = results / "co" / "catalogue" / "catalogue.fa.gz"
    catalogue.parent.mkdir(parents=True)
    shutil.copy(DATA / "co.contigs.fasta.gz", catalogue)
    (tmp_path / "again.fa.gz").symlink_to(catalogue)
    # As an earlier run published it by --publish_mode symlink
    (tmp_path / "rpkm.tsv").write_text("")
    table = results / "co" / "features" / "rpkm.tsv"
    table.parent.mkdir()
    table.symlink_to(tmp_path / "rpkm.tsv")
    bams = [results / "co" / "abundance" / name for name in ("S0.bam", "earlier.bam")]
    bams[0].parent.mkdir()
    for bam in bams:
        bam.write_text("")
    paths = ["foo://host/r.fq", "s3://bucket/r.fq", "é.fq", "a$HOME.fq", "absent.fq"]
    (tmp_path / "samples.csv").write_text(
        "sample,group,fastq_1,bam\n"
        + "".join(f"S{i},co,{path},\n" for i, path in enumerate(paths))
        + "".join(f"B{i},co,,{bam}\n" for i, bam in enumerate(bams))
    )
    (tmp_path / "assemblies.csv").write_text(
        f"id,group,assembler,fasta,abundance\nA,co,gfa,{catalogue},\nB,co,gfa,again.fa.gz,\nC,co,gfa,bar://x.fa,\n"
        f"D,other,gfa,{DATA}/co.contigs.fasta.gz,{table}\n"
    )
    (tmp_path / "a$HOME.fq").write_text("")
    sheets = ["--input", tmp_path / "samples.csv", "--assembly_input", tmp_path / "assemblies.csv"]
    done = nextflow(arguments(results, *sheets, "--save_bam", "--resume"), tmp_path, {"LC_ALL": "POSIX"})
    assert done.returncode != 0
    assert sum(line.startswith("  row") for line in done.stdout.splitlines()) == 10
    text = done.stdout
    assert "there is no parameter --resume: write -resume with one hyphen" in text
    assert "row 2: sample 'S0': fastq_1 cannot be reached (" in text and "'foo://host/r.fq'" in text
    assert "row 3: sample 'S1': fastq_1 cannot be reached (" in text and "'s3://bucket/r.fq'" in text
    assert "row 4: sample 'S2': fastq_1 has characters that the locale cannot name" in text and "LC_ALL=C.UTF-8" in text
    assert "row 5: sample 'S3': fastq_1 must end in" in text
    assert "row 6: sample 'S4': fastq_1 does not exist" in text
    assert "row 7: sample 'B0': bam lies where this run writes results" in text
    assert "row 5: assembly 'D': abundance lies where this run writes results" in text
    assert "row 2: assembly 'A': fasta lies where this run writes results" in text
    assert "row 3: assembly 'B': fasta lies where this run writes results" in text
    assert "row 4: assembly 'C': fasta cannot be reached (" in text
    assert "Traceback" not in text and text.count("Nothing was started") == 1


@pytest.mark.parametrize(
    "case", ["no value", "no value, as text", "two folders", "unwritable", "no tools", "no BLAST+"]
)
def test_nothing_starts_without_a_folder_or_tools(tmp_path, case):
    path, environment = os.environ["PATH"], {}
    if case.startswith("no value"):
        call, words = ["run", PROJECT, "-profile", "test", "--outdir"], "--outdir must be the path of a folder"
        # As the strict parser has it, from Nextflow 25.10 on
        environment = {"NXF_DISABLE_PARAMS_TYPE_DETECTION": "true"} if case.endswith("text") else {}
    elif case == "two folders":
        call, words = arguments("here", "-output-dir", "there"), "there but --outdir says here: name the folder"
    elif case == "unwritable":
        (tmp_path / "file").write_text("")
        call, words = arguments(tmp_path / "file" / "results"), "results cannot be written to (Not a directory)"
    else:
        # Everything but the tools
        tools = tmp_path / "tools"
        tools.mkdir()
        for program in [Path(shutil.which(NEXTFLOW)), Path(shutil.which("java")), *Path("/usr/bin").iterdir()]:
            link = tools / program.name
            if not (link.is_symlink() or program.name in TOOLS):
                link.symlink_to(program)
        path = str(tools)
        call = [word for word in arguments(tmp_path / "results") if word != "--skip_multiqc"]
        words = "Nothing was started, the tools are not on PATH (bwa, minimap2, python3, samtools, multiqc)"
        if case == "no BLAST+":
            call += ["--references", "genomes.csv"]
            words = "--references needs blastn and makeblastdb, not on PATH: install BLAST+"
    done = nextflow(call, tmp_path, {"PATH": path, **environment})
    assert done.returncode != 0
    assert words in done.stdout, done.stdout
    assert "Submitted process" not in done.stdout
    assert not (tmp_path / "true").exists()
