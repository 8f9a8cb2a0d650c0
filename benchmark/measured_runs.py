"""Run a program and tell what it took, as the operating system accounts for it."""

import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from project import PROJECT

KB_PER_MB = 1024
POLL_SECONDS = 0.02  # so often the memory of a program with programs of its own is looked at
# The numbers that nextflow.config sets for every task
STAGE_ENVIRONMENT = dict(re.findall(r"^env\.(\w+) = (\d+)$", (PROJECT / "nextflow.config").read_text(), re.MULTILINE))


class Usage(NamedTuple):
    """What a program used."""

    cpu: float  # s
    wall: float  # s
    memory: float  # MB, peak, of a program and of those that it started, together


def run(command: Sequence, folder: Path, environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command in a folder, its messages in log.txt there. Raise ClickException with them if it fails.

    environment: variables that the command gets besides those of this process.
    """
    folder.mkdir(exist_ok=True)
    variables = {**os.environ, **(environment or {})}
    start = time.perf_counter()
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(list(map(str, command)), cwd=folder, stdout=log, stderr=log, env=variables)
        most = 0
        # Not ru_maxrss, which the system tells at the end: it begins with what this process holds
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            most = max(most, tree_kb(process.pid), status_kb(process.pid, "VmHWM"))
            time.sleep(POLL_SECONDS)
    _, status, used = ended
    if status:
        messages = (folder / "log.txt").read_text(errors="replace").strip()
        raise click.ClickException(f"{command[0]} failed in {folder}: {messages}")
    seconds = time.perf_counter() - start
    return Usage(used.ru_utime + used.ru_stime, seconds, most / KB_PER_MB)


def tree_kb(pid: int | str) -> int:
    """Return the memory (kB) of a process and of all that it has started, now; 0 once it has ended."""
    try:
        children = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return 0
    return status_kb(pid, "VmRSS") + sum(map(tree_kb, " ".join(children).split()))


def status_kb(pid: int | str, field: str) -> int:
    """Return the memory (kB) of a process alone: VmRSS, what it has now, or VmHWM, its peak; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{field}:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


def run_task(command: Sequence, folder: Path) -> Usage:
    """Run the command of a stage as a task of the pipeline would; the rest as `run`."""
    return run(command, folder, STAGE_ENVIRONMENT)
