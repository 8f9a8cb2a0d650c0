"""Profile slurm on a real SLURM of one node: the same bins, limits that kill and are tried again, no job left over."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import DATA, NEXTFLOW, PROJECT, SMALL, run_pipeline
from slurm import running_slurm, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "SLURM is there")

# Nextflow looks after its jobs twice a minute unless told otherwise.
EAGER = """\
executor.pollInterval = '500 ms'
executor.queueStatInterval = '1 sec'
executor.exitReadTimeout = '20 sec'
process.resourceLimits = [cpus: 2, memory: 8.GB, time: 1.h] // what the node has
"""
LIMIT = 300


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The environment in which SLURM's commands find the node."""
    with running_slurm(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


def config(folder: Path, *lines: str) -> list[str]:
    """Return the option that gives Nextflow these lines of configuration, and those of an eager executor."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "slurm.config"
    path.write_text(EAGER + "\n".join(lines) + "\n")
    return ["-c", path]


def directives(work: Path) -> dict[str, set[str]]:
    """Return what each job asked sbatch for, by the job's name; of array jobs the array's own."""
    asked = {}
    for script in work.glob("*/*/.command.run"):
        lines = [line for line in script.read_text().splitlines() if line.startswith("#SBATCH ")]
        name = next(line.split()[-1] for line in lines if " -J " in line)
        asked[name] = {line.removeprefix("#SBATCH ") for line in lines}
    return asked


def jobs(environment: dict[str, str]) -> list[str]:
    """Return the names of the jobs that SLURM still has."""
    queue = ["squeue", "-h", "-o", "%j"]
    done = subprocess.run(queue, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    return done.stdout.split()


def test_slurm_gives_the_same_bins(tmp_path, slurm, coassembly):
    """Also that account, further options and job arrays reach sbatch."""
    options = ["--account", "lab", "--cluster_options=--nice=5 --comment=binloom", "--map_array_size", "3"]
    run = run_pipeline(tmp_path, *options, *config(tmp_path), profile="test,slurm", environment=slurm)
    assert run.status == 0, run.output
    for table in ("contig2bin.tsv", "clusters.tsv", "bins.tsv", "unbinned.tsv", "vae/latent.npy"):
        assert (run.results / "co" / table).read_bytes() == (coassembly.results / "co" / table).read_bytes(), table
    asked = directives(run.launch / "work")
    (array,) = [job for job in asked.values() if any(line.startswith("--array ") for line in job)]
    assert "--array 0-2" in array
    assert all("--account=lab --nice=5 --comment=binloom" in job for job in asked.values())
    assert not any("--gres" in line for job in asked.values() for line in job)
    assert jobs(slurm) == []


def test_task_killed_by_the_time_limit_goes_on(tmp_path, slurm):
    """The first try of training may take a minute, half of which SLURM leaves it to end in; the next take longer."""
    limits = config(tmp_path, "process { withName: VAE { time = { 1.min * task.attempt } } }")
    run = run_pipeline(
        tmp_path,
        "--assembly_input", DATA / "abundance.assemblies.csv",
        *SMALL, "--epochs", "5000", "--batch_double_at", "100", "--checkpoint_every", "5",
        *limits,
        profile="slurm",
        environment=slurm,
    )  # fmt: skip
    assert run.status == 0, run.output
    trace = run.trace()
    tries = trace[trace["name"] == "VAE"].sort_values("attempt")
    assert tries["status"].tolist()[-1] == "COMPLETED" and len(tries) > 1, tries
    assert set(tries["exit"].astype(str)[:-1]) == {"140"}, tries
    assert len((run.results / "co" / "vae" / "training.tsv").read_text().splitlines()) == 5001
    # A first try on a busy machine may end before its first checkpoint.
    (last,) = (run.launch / "work").glob(f"{tries['hash'].iloc[-1]}*/.command.err")
    assert "Going on after epoch" in last.read_text()


def test_task_beyond_its_memory_is_tried_again_with_more(tmp_path, slurm):
    """SLURM kills training, which needs some hundred MB, within the first limit and not within the next."""
    limits = config(tmp_path, "process { withName: VAE { memory = { task.attempt == 1 ? 50.MB : 4.GB } } }")
    run = run_pipeline(
        tmp_path,
        "--assembly_input", DATA / "abundance.assemblies.csv", *SMALL, "--epochs", "200", *limits,
        profile="slurm",
        environment=slurm,
    )  # fmt: skip
    assert run.status == 0, run.output
    trace = run.trace()
    tries = trace[trace["name"] == "VAE"].sort_values("attempt")
    assert tries["status"].tolist() == ["FAILED", "COMPLETED"], tries


def test_cancelled_run_leaves_no_job(tmp_path, slurm):
    work = tmp_path / "work"
    results = tmp_path / "results"
    arguments = ["--assembly_input", DATA / "abundance.assemblies.csv", *SMALL, "--epochs", "100000"]
    command = [NEXTFLOW, "run", PROJECT, "-profile", "slurm", "--outdir", results, "--skip_multiqc", *arguments]
    with (tmp_path / "terminal").open("w") as terminal:
        run = subprocess.Popen(
            [*map(str, command), *map(str, config(tmp_path))],
            cwd=tmp_path,
            env={**os.environ, **slurm, "NXF_ANSI_LOG": "false"},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        limit = time.monotonic() + LIMIT
        while not list((work / "checkpoints").glob("*.checkpoint")) and time.monotonic() < limit:
            assert run.poll() is None, (tmp_path / "terminal").read_text()
            time.sleep(0.5)
        assert any("VAE" in job for job in jobs(slurm))
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=LIMIT) != 0
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    limit = time.monotonic() + 60
    while jobs(slurm) and time.monotonic() < limit:
        time.sleep(0.5)
    assert jobs(slurm) == []
