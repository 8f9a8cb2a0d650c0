"""Run a program and tell what it took, as the operating system accounts for it."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

KB_PER_MB = 1024
# What nextflow.config sets for every task
STAGE_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}


class Usage(NamedTuple):
    """What a program used."""

    cpu: float  # s
    wall: float  # s
    memory: float  # MB, peak


def run(command: Sequence, folder: Path, environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command in a folder, its messages in log.txt there. Raise ClickException with them if it fails.

    environment: variables that the command gets besides those of this process.
    """
    folder.mkdir(exist_ok=True)
    variables = {**os.environ, **(environment or {})}
    start = time.perf_counter()
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(list(map(str, command)), cwd=folder, stdout=log, stderr=log, env=variables)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        messages = (folder / "log.txt").read_text(errors="replace").strip()
        raise click.ClickException(f"{command[0]} failed in {folder}: {messages}")
    return Usage(used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / KB_PER_MB)


def run_task(command: Sequence, folder: Path) -> Usage:
    """Run the command of a stage as a task of the pipeline would; the rest as `run`."""
    return run(command, folder, STAGE_ENVIRONMENT)
