"""Drives the real `nextflow run` for the pipeline tests and reads back what it published."""

import csv
import fcntl
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import score
from bin_taxonomy import RANKS

PROJECT = Path(__file__).resolve().parents[2]
DATA = PROJECT / "tests" / "data"
# `make test NEXTFLOW=PROGRAM` runs the pipeline tests with another Nextflow than the one on PATH.
NEXTFLOW = os.environ.get("BINLOOM_NEXTFLOW") or "nextflow"

STAGES = {
    "VALIDATE", "CATALOGUE", "INDEX", "MAP_READS", "FEATURES", "VAE", "CLUSTER", "GRAPH", "HOMOLOGS", "MARKERS",
    "REFINE", "BINS", "SUMMARY",
}  # fmt: skip
# Those that run where a group has several assemblies, or where parameters or sheets ask for them
CHOSEN_STAGES = {
    "TRANSFER", "GRAPHBIN2", "IMPORT_BINS", "ENSEMBLE", "TRUTH", "BENCHMARK", "COMPARE", "GENES", "TAXONOMY",
    "PLAN_TRIALS", "RUN_TRIAL", "DRAW_BINS", "UMAP_POINTS", "GENE_CLUSTERS", "FORMER",
}  # fmt: skip

# What runs besides where the report is made
REPORT_STAGES = {"REPORT_DATA", "REPORT"}

# Sizes that fit the bundled community, and enough epochs where a test is not about the bins themselves.
SMALL = ["--min_contig_length", "500", "--min_bin_size", "20000", "--hidden_sizes", "64,64", "--batch_size", "16"]
QUICK = ["--epochs", "150"]

NEWEST_PYTHON_OF_NEXT_TOOLS = (3, 12)  # for which what AMBER pins has been built

# What an installation says where the package index cannot be reached, as opposed to one that is refused
NO_INDEX = re.compile(
    r"dns error|name resolution|error sending request|failed to fetch|could not find a version|ConnectionError", re.I
)


@dataclass
class Run:
    """One `nextflow run`: its exit status, its terminal output and its folders."""

    status: int
    output: str
    launch: Path
    results: Path

    def trace(self) -> pd.DataFrame:
        """The trace table of the last run, with the process' own name (no workflow prefix) as `name`."""
        trace = pd.read_csv(max((self.results / "pipeline_info").glob("trace_*.tsv")), sep="\t")
        trace["name"] = trace["process"].str.split(":").str[-1]
        return trace

    def tasks(self, status: str) -> set[str]:
        """Names of the processes that have a task of this status (COMPLETED or CACHED)."""
        trace = self.trace()
        return set(trace.loc[trace["status"] == status, "name"])


def nextflow(arguments, launch: Path, environment=None) -> subprocess.CompletedProcess:
    """Runs nextflow in the folder `launch`, with plain log lines."""
    return subprocess.run(
        [NEXTFLOW, *map(str, arguments)],
        cwd=launch,
        # Without plugins: Binloom uses none, and `config -profile awsbatch` would fetch one.
        env={**os.environ, "NXF_ANSI_LOG": "false", "NXF_PLUGINS_DEFAULT": "false", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
        check=False,
    )


def run_pipeline(launch: Path, *arguments, environment=None, profile="test", project=PROJECT, report=False) -> Run:
    """`nextflow run` of this checkout, or of a copy, as a user would call it; results land in `launch`/results.

    The report takes longer than any stage of the small runs, so only those that are about it make one.
    """
    launch.mkdir(parents=True, exist_ok=True)
    results = launch / "results"
    options = ["-profile", profile, "--outdir", results, *([] if report else ["--skip_multiqc"])]
    done = nextflow(["run", project, *options, *arguments], launch, environment)
    return Run(done.returncode, done.stdout, launch, results)


def installed_tools(option: str, environment: dict[str, str] | None = None) -> Path:
    """The folder of programs that scripts/install.sh puts into an environment of their own."""
    install = [PROJECT / "scripts" / "install.sh", option]
    done = subprocess.run(
        install, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0 and NO_INDEX.search(done.stderr):
        pytest.skip(f"install.sh {option} cannot install here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def next_tools() -> Path:
    """The folder with the programs of AMBER, Binette, GTDB-Tk and dRep."""
    if sys.version_info[:2] > NEWEST_PYTHON_OF_NEXT_TOOLS:
        pytest.skip("AMBER pins packages that have no builds for this Python")
    return installed_tools("--next-tools")


def run_tool(words: list[str | Path], folder: Path, environment: dict[str, str] | None = None) -> str:
    """What another tool prints that runs in a folder."""
    plots = {"MPLBACKEND": "agg", "MPLCONFIGDIR": str(folder)}
    environment = {**os.environ, **plots, **(environment or {})}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_table(path: Path) -> pd.DataFrame:
    """A published table, every field as it is written."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE)


def read_fasta(path: Path) -> dict[str, str]:
    """name -> sequence of a gzipped FASTA."""
    records: dict[str, str] = {}
    with gzip.open(path, "rt") as handle:
        for line in handle:
            if line.startswith(">"):
                name = line[1:].split()[0]
                assert name not in records, f"{name} twice in {path}"
                records[name] = ""
            else:
                records[name] += line.strip()
    return records


def read_truth(path: Path) -> pd.DataFrame:
    """contig, genome, length: one row per genome that a contig belongs to."""
    truth = pd.read_csv(path, sep="\t", names=["contig", "genome", "length"], header=None, dtype=str)
    truth = truth[truth["length"].str.isdigit()]
    return truth.assign(length=truth["length"].astype(int))


def whole_truth() -> pd.DataFrame:
    """The truth of both bundled groups, with the ids of their assemblies."""
    files = {"coasm": "co", "A1": "A1", "A2": "A2"}
    tables = [read_truth(DATA / f"{name}.truth.tsv").assign(assembly=assembly) for assembly, name in files.items()]
    return pd.concat(tables, ignore_index=True)


def write_hits(folder: Path, truth: pd.DataFrame) -> None:
    """Write gene_hits.tsv, in which each gene of a contig hits the contig's genome, and lineages.tsv.

    Genes have numbers; there are hits for more than any contig has.
    """
    rows = truth[["assembly", "contig", "genome", "length"]].itertuples(index=False)
    hits = [
        f"{assembly}~{contig}_{number}\t{genome}\t90\t1000000\n"
        for assembly, contig, genome, length in rows
        for number in range(1, length // 100 + 2)
    ]
    (folder / "gene_hits.tsv").write_text("".join(hits))
    lineages = "".join(f"{name}\t{name} a\t{name} b\t{name}\t\t\t\t\tlife\n" for name in truth["genome"].unique())
    (folder / "lineages.tsv").write_text("\t".join(["subject", *RANKS]) + "\n" + lineages)


def genomes_found(contig2bin: pd.DataFrame, truth: pd.DataFrame, precision: float, recall: float) -> set[str]:
    """Genomes that some bin, of any size, holds at this precision and recall in bases (benchmark/score.py)."""
    known = score.Truth(
        dict(zip(truth["contig"], truth["length"])), truth.groupby("contig")["genome"].agg(set).to_dict()
    )
    binned = contig2bin[contig2bin["contig"].isin(known.length)]
    bins = binned.groupby("bin")["contig"].agg(set).to_dict()
    return score.genomes_found(bins, known, recall, precision, min_bin_size=0)


def pytest_collection_modifyitems(items):
    """What takes long goes first, so that several processes (`make test`) end at about the same time."""
    items.sort(key=lambda item: (item.path.parent.name != "pipeline", item.path.name != "test_results.py"))


def run_once(tmp_path_factory, name: str, make: Callable[[Path], Run]) -> Run:
    """What `make` gives for a folder of this name, made by the first of several processes for all of them."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    record = folder / f"{name}.json"
    with open(folder / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            (folder / name).mkdir()
            run = make(folder / name)
            record.write_text(json.dumps([run.status, run.output, str(run.launch), str(run.results)]))
        status, output, *folders = json.loads(record.read_text())
    return Run(status, output, *map(Path, folders))


@pytest.fixture(scope="session", autouse=True)
def nextflow_on_path():
    """The pipeline tests are about the real engine: without it they fail, and say what to do."""
    assert shutil.which(NEXTFLOW), f"{NEXTFLOW} is not on PATH: run the tests with `make test`"


@pytest.fixture(scope="session")
def coassembly(tmp_path_factory) -> Run:
    """The test profile as `make demo` runs it."""
    return run_once(tmp_path_factory, "coassembly", lambda folder: run_pipeline(folder, report=True))


@pytest.fixture(scope="session")
def two_groups(tmp_path_factory) -> Run:
    """The run of `run_two_groups`."""
    return run_once(tmp_path_factory, "two_groups", run_two_groups)


def run_two_groups(folder: Path) -> Run:
    """Run the profile test_full: a co-assembly and a multi-split group, with samples and assemblies of their own.

    It is held against its truth, and against bins of the truth itself, which lack genome g1 and are of a known quality.
    Two experiments run beside it, with as few networks as there can be. The report has UMAP.
    """
    truth = whole_truth()
    truth.to_csv(folder / "truth.tsv", sep="\t", index=False)
    planted = truth[truth["genome"] != "g1"]
    planted = planted.assign(bin=planted["assembly"] + "_" + planted["genome"])
    planted[["assembly", "contig", "bin"]].to_csv(folder / "planted.tsv", sep="\t", index=False)
    quality = "".join(f"{name}\t95\t5\n" for name in planted["bin"].unique())
    (folder / "quality.tsv").write_text(f"Name\tCompleteness\tContamination\n{quality}")
    known = ["--truth", folder / "truth.tsv"]
    known += [
        f"--{option}=planted={folder / file}"
        for option, file in (("compare", "planted.tsv"), ("quality", "quality.tsv"))
    ]
    known += [f"--{option}={folder / option}.tsv" for option in ("gene_hits", "lineages")]
    write_hits(folder, truth)
    experiments = ["--experiments", "autoencoder,search", "--experiment_epochs", "2"]
    search = ["--search_networks", "1", "--search_held_out", "co"]
    drawn = ["--draw_bins", "A1.001,A1.999", "--umap"]
    return run_pipeline(folder, *known, *experiments, *search, *drawn, profile="test_full", report=True)
