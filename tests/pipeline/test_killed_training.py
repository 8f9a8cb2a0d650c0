"""Training that is killed under Nextflow goes on from its checkpoint, and the result is that of an unbroken run."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import DATA, NEXTFLOW, PROJECT, SMALL, run_pipeline

# No reads to map, so that training starts at once, and enough epochs to be killed in.
INPUT = ["--assembly_input", DATA / "abundance.assemblies.csv", *SMALL, "--epochs", "600", "--batch_double_at", "500"]
EVERY_FIFTH = ["--checkpoint_every", "5"]
RESULTS = ("clusters.tsv", "contig2bin.tsv", "unbinned.tsv", "vae/latent.npy", "vae/latent.json", "vae/model.pt")
LIMIT = 300


def start(launch: Path, *arguments, profile="standard") -> subprocess.Popen:
    """`nextflow run` in a session of its own; its terminal output goes to the file `terminal`."""
    results = launch / "results"
    command = [NEXTFLOW, "run", PROJECT, "-profile", profile, "--outdir", results, "--skip_multiqc", *arguments]
    with (launch / "terminal").open("w") as terminal:
        return subprocess.Popen(
            list(map(str, command)),
            cwd=launch,
            env={**os.environ, "NXF_ANSI_LOG": "false"},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def new_checkpoint(process: subprocess.Popen, checkpoints: Path, before: bytes = b"") -> bytes:
    """Waits for a checkpoint other than `before`."""
    limit = time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < limit:
        for path in checkpoints.glob("*.checkpoint"):
            content = path.read_bytes()
            if content != before:
                return content
        time.sleep(0.01)
    raise AssertionError("no new checkpoint")


def training_process(work: Path) -> int:
    """Process id of the vae.py that runs in this work directory."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command, folder = (entry / "cmdline").read_bytes().split(b"\0"), (entry / "cwd").readlink()
            except OSError:  # it ended meanwhile
                continue
            python = command[0].rsplit(b"/", 1)[-1].startswith(b"python")
            if python and folder.is_relative_to(work) and any(word.endswith(b"/vae.py") for word in command):
                return int(entry.name)
    raise AssertionError("vae.py does not run")


def going_on(work: Path) -> list[int]:
    """Epochs after which training tasks went on, by their .command.err, in the order of time."""
    logs = sorted(work.glob("*/*/.command.err"), key=lambda path: path.stat().st_mtime)
    lines = [line for path in logs for line in path.read_text().splitlines() if "Going on after epoch" in line]
    return [int(line.split("epoch ")[1].split(",")[0]) for line in lines]


def assert_same_results(folder: Path, other: Path) -> None:
    for name in RESULTS:
        assert (folder / "co" / name).read_bytes() == (other / "co" / name).read_bytes(), name
    tables = [(results / "co" / "vae" / "training.tsv").read_text().splitlines() for results in (folder, other)]
    # but for the seconds, which stand last
    assert [line.rsplit("\t", 1)[0] for line in tables[0]] == [line.rsplit("\t", 1)[0] for line in tables[1]]
    assert len(tables[0]) == 601


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A run that nobody disturbs, with checkpoints at another pace."""
    run = run_pipeline(tmp_path_factory.mktemp("unbroken"), *INPUT, profile="standard")
    assert run.status == 0, run.output
    assert going_on(run.launch / "work") == []
    assert list((run.launch / "work" / "checkpoints").iterdir()) == [], "a checkpoint was left behind"
    return run


def test_killed_task_and_killed_pipeline(tmp_path, unbroken):
    """SIGKILL for the task, which Nextflow tries again; then for Nextflow and all its tasks, and -resume."""
    work = tmp_path / "work"
    run = start(tmp_path, *INPUT, *EVERY_FIFTH)
    try:
        first = new_checkpoint(run, work / "checkpoints")
        os.kill(training_process(work), signal.SIGKILL)
        limit = time.monotonic() + LIMIT
        while not going_on(work) and time.monotonic() < limit:
            time.sleep(0.05)
        assert len(going_on(work)) == 1, "the task was not tried again, or began anew"
        new_checkpoint(run, work / "checkpoints", before=first)
        training_process(work)
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert "Re-submitted process > BINNING:VAE" in (tmp_path / "terminal").read_text()
    assert not (tmp_path / "results" / "co" / "vae").exists()

    done = run_pipeline(tmp_path, *INPUT, *EVERY_FIFTH, "-resume", profile="standard")
    assert done.status == 0, done.output
    assert "VAE" in done.tasks("COMPLETED") and "FEATURES" in done.tasks("CACHED")
    epochs = going_on(work)
    assert len(epochs) == 2 and 5 <= epochs[0] < epochs[1] < 600, epochs
    assert_same_results(done.results, unbroken.results)
    assert list((work / "checkpoints").iterdir()) == []


def test_other_checkpoints_train_nothing_anew(tmp_path):
    """Also: the default folder and one that was named are what the task is told, whatever their path looks like."""
    launch, named = tmp_path / "it's here", tmp_path / "named"
    quick = [*INPUT[:2], "-stub"]

    def run(*arguments):
        done = run_pipeline(launch, *quick, *arguments, profile="standard", environment={"NXF_SYNTAX_PARSER": "v2"})
        assert done.status == 0, done.output
        (wrapper,) = [path for path in launch.glob("work/*/*/.command.run") if "BINNING:VAE" in path.read_text()]
        (line,) = {
            line for line in wrapper.read_text().splitlines() if "BINLOOM" in line and line.endswith("nxf_trace")
        }
        told = subprocess.run(
            ["bash", "-c", line.split("/bin/bash")[0] + "env"], capture_output=True, text=True, check=True
        )
        return done, {line for line in told.stdout.splitlines() if line.startswith("BINLOOM_CHECKPOINT")}

    done, told = run()
    assert told == {f"BINLOOM_CHECKPOINT_DIR={launch}/work/checkpoints", "BINLOOM_CHECKPOINT_EVERY=25"}
    other = ["--checkpoint_every", "3", "--checkpoint_dir", named]
    done, _ = run(*other, "-resume")
    assert "VAE" in done.tasks("CACHED")
    shutil.rmtree(launch / "work")
    done, told = run(*other)
    assert told == {f"BINLOOM_CHECKPOINT_DIR={named}", "BINLOOM_CHECKPOINT_EVERY=3"}
    assert named.is_dir() and not (launch / "work" / "checkpoints").exists()


def test_checkpoint_folder_on_an_object_store_is_refused(tmp_path):
    run = run_pipeline(tmp_path, *INPUT, "--checkpoint_dir", "s3://bucket/checkpoints", profile="standard")
    assert run.status != 0
    assert "--checkpoint_dir" in run.output and "absolute path" in run.output
    assert not (tmp_path / "s3:").exists()
