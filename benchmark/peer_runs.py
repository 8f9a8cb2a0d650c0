"""What every peer of peers.py gets, and how its commands run."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Graph(NamedTuple):
    """The assembly graph of metaSPAdes (GFA) with its paths, each plain or gzipped."""

    gfa: Path
    paths: Path


@dataclass
class Task:
    """What every peer gets: the contigs, and one of `bams` and `depth`; of a group, also each assembly `alone`."""

    contigs: Path
    graph: Graph | None
    samples: list[str]
    bams: list[Path]
    depth: Path | None
    programs: dict[str, str]
    threads: int
    limit: float | None
    semibin_epochs: int
    alone: dict[str, "Task"] = field(default_factory=dict)


class PeerError(Exception):
    """A peer exited with an error or ran past its limit; the message says which."""


def run(task: Task, command: list[str], log: Path) -> None:
    """Run a command, its output to `log`, and end it with all its children at the limit.

    Raise PeerError if it exits with an error or takes more than `task.limit` seconds.
    """
    threads = {f"{name}_NUM_THREADS": str(task.threads) for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")}
    with open(log, "a") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **threads}, start_new_session=True
        )
        try:
            status = process.wait(task.limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise PeerError(f"stopped after {task.limit:.0f} s") from None
    if status:
        raise PeerError(f"exit status {status}, see {log}")


def depth_rows(task: Task) -> Iterator[tuple[str, list[str]]]:
    """Yield name and depths of every contig, only the samples asked for, in the order of the table."""
    with open(task.depth) as lines:
        header = next(lines).rstrip("\n").split("\t")
        columns = [header.index(sample) for sample in task.samples]
        for line in lines:
            row = line.rstrip("\n").split("\t")
            yield row[0], [row[column] for column in columns]


def bam_depths(task: Task, out: Path, log: Path) -> Path:
    """Return the table of jgi_summarize_bam_contig_depths; make it unless this peer has it."""
    table = out / "bam_depths.tsv"
    if not table.exists():
        run(task, [task.programs["jgi"], "--outputDepth", str(table), *map(str, task.bams)], log)
    return table
