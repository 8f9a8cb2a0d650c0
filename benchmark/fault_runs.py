"""Runs of the pipeline on the bundled data that a fault can be put into, and what is compared afterwards."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pandas as pd

PROJECT = Path(__file__).resolve().parents[1]
DATA = PROJECT / "tests" / "data"
STAGES = (
    "CATALOGUE", "INDEX", "MAP_READS", "HOMOLOGS", "MARKERS", "GRAPH", "FEATURES", "VAE", "CLUSTER", "REFINE",
    "BINS", "SUMMARY",
)  # fmt: skip
QUICK = ("--epochs", "30")  # the quality of the model is not the question
# Threads that wait for one another take minutes where other work keeps the cores busy.
ONE_THREAD = "process { withName: 'VAE|CLUSTER' { cpus = 1 } }\n"
REPORT_WARNING = "WARN: Failed to render"  # its report, where tasks were cut short
POLL_SECONDS = 0.01
LIMIT_SECONDS = 1800  # no run takes so long, on a busy machine either
CHANGING = ("training.tsv",)  # it has the seconds of each epoch


@dataclass
class Ended:
    """A run that has ended: its exit status, what the terminal showed, and its folders."""

    status: int
    terminal: str
    launch: Path
    results: Path
    seconds: float

    @property
    def last_line(self) -> str:
        """Return the last line of the terminal, but for Nextflow's own warnings about its reports, which may follow."""
        lines = self.terminal.strip().splitlines()
        return next((line for line in reversed(lines) if not line.startswith(REPORT_WARNING)), "")

    def trace(self) -> pd.DataFrame:
        """Return the trace table of the last run, with the stage in the column `stage`."""
        trace = pd.read_csv(max((self.results / "pipeline_info").glob("trace_*.tsv")), sep="\t")
        return trace.assign(stage=trace["process"].str.split(":").str[-1])


class Running:
    """`nextflow run` of this checkout in a folder of its own."""

    def __init__(
        self, launch: Path, *arguments: object, config: str = "", results: Path | None = None, wait: bool = False
    ) -> None:
        self.launch, self.results = launch, results or launch / "results"
        launch.mkdir(parents=True, exist_ok=True)
        (launch / "fault.config").write_text(ONE_THREAD + config)
        nextflow = os.environ.get("BINLOOM_NEXTFLOW") or "nextflow"
        command = [nextflow, "run", PROJECT, "-profile", "test", "-c", launch / "fault.config", *arguments]
        command += ["--outdir", self.results, "-output-dir", self.results, "--skip_multiqc"]
        self.began = time.monotonic()
        with open(launch / "terminal", "w") as terminal:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                cwd=launch,
                env={**os.environ, "NXF_ANSI_LOG": "false", "NXF_PLUGINS_DEFAULT": "false"},
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=subprocess.STDOUT,
            )

    def end(self) -> Ended:
        """Wait for the end of the run. Raise TimeoutExpired if it hangs."""
        try:
            status = self.process.wait(LIMIT_SECONDS)
        finally:
            self.process.kill()
        terminal = (self.launch / "terminal").read_text(errors="replace")
        return Ended(status, terminal, self.launch, self.results, time.monotonic() - self.began)

    def kill(self) -> None:
        """Kill Nextflow alone; its tasks go on without it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def run(launch: Path, *arguments: object, **options) -> Ended:
    """Run the pipeline to its end."""
    return Running(launch, *arguments, **options).end()


def undisturbed(folder: Path) -> Ended:
    """Return a run that nothing happens to: the one that the folder has, or a new one.

    Raise ClickException if it fails.
    """
    launch = folder / "undisturbed"
    seconds = launch / "seconds"
    if not seconds.exists():
        ended = run(launch, *QUICK)
        if ended.status:
            raise click.ClickException(f"the pipeline fails without a fault: {ended.last_line}")
        seconds.write_text(str(ended.seconds))
    return Ended(0, (launch / "terminal").read_text(), launch, launch / "results", float(seconds.read_text()))


def published(results: Path) -> dict[str, bytes]:
    """Return the content of each file of results, but for those that have times in them."""
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and "pipeline_info" not in path.relative_to(results).parts and path.name not in CHANGING
    }


def differing(results: Path, expected: Path) -> list[str]:
    """Return the files of results that are absent, unexpected or not byte for byte as expected."""
    found, wanted = published(results), published(expected)
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def wrong_bins(results: Path, expected: Path) -> list[str]:
    """Return the published files of bins, whole or not, that are not byte for byte those expected."""
    found, wanted = published(results), published(expected)
    is_bins = [name for name in found if "/bins/" in name or name.endswith("/contig2bin.tsv")]
    return [name for name in is_bins if found[name] != wanted.get(name)]


def processes_in(work: Path) -> dict[int, tuple[Path, list[str]]]:
    """Return the folder and the command line of each process that runs in a work directory, by its id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                folder = (entry / "cwd").readlink()
                if folder.is_relative_to(work):
                    words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                    found[int(entry.name)] = (folder, words)
            except OSError:  # it has ended meanwhile
                continue
    return found


def task_of(stage: str, work: Path) -> tuple[int, Path] | None:
    """Return the process id of a stage's command and its folder, or None if it does not run."""
    script = f"/{stage.lower()}.py"
    for pid, (folder, words) in processes_in(work).items():
        if "python" in words[0] and any(word.endswith(script) for word in words[1:3]):
            return pid, folder
    return None


def kill_python(pid: int, work: Path) -> None:
    """Kill the command of a task, as the kernel does where memory runs out."""
    os.kill(pid, signal.SIGKILL)


def kill_all(pid: int, work: Path) -> None:
    """Kill every process of a task, the shell first that Nextflow has started."""
    folder = Path(f"/proc/{pid}/cwd").readlink()
    for other, (where, _words) in sorted(processes_in(work).items()):
        if where == folder:
            os.kill(other, signal.SIGKILL)


def kill_child(pid: int, work: Path) -> None:
    """Kill the first program that the command of a task has started; the command itself if there is none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(int(children[0]) if children else pid, signal.SIGKILL)


def seconds_of(stage: str, ended: Ended) -> float:
    """Return how long the longest task of a stage took."""
    tasks = ended.trace().query("stage == @stage")["realtime"]
    units = {"ms": 0.001, "s": 1, "m": 60}
    parts = tasks.str.findall(r"([\d.]+)(ms|s|m)")
    return max(sum(float(number) * units[unit] for number, unit in found) for found in parts)


def task_folders(stage: str, ended: Ended) -> list[Path]:
    """Return the work directories of the tasks of a stage."""
    name = re.compile(rf"^### name: '[^']*\b{stage}\b", re.MULTILINE)
    return [shell.parent for shell in ended.launch.glob("work/*/*/.command.run") if name.search(shell.read_text())]


def one_line(text: str, limit: int = 220) -> str:
    """Return a text as one cell of a table, without paths of this machine."""
    shown = text.replace(str(PROJECT), "PROJECT").replace("\t", " ").replace("|", "/")
    return shown if len(shown) <= limit else f"{shown[:limit]}..."


def counted(texts: Sequence[str]) -> str:
    """Return the different texts, the frequent ones first, with how often each was seen."""
    counts = pd.Series(texts, dtype=str).value_counts(sort=True)
    return "; ".join(f"{n}x {text}" if len(counts) > 1 else text for text, n in counts.items())


def wait_until(condition: Callable[[], object], process: subprocess.Popen, what: str) -> object:
    """Return what the condition gives as soon as that is true, or None if the process ends before."""
    end = time.monotonic() + LIMIT_SECONDS
    while process.poll() is None:
        if found := condition():
            return found
        if time.monotonic() > end:
            raise click.ClickException(f"{what} does not come")
        time.sleep(POLL_SECONDS)
    return None


def fresh(folder: Path) -> Path:
    """Return a folder that is empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
