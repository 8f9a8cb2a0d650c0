"""measured_runs.py: what a program took, with those that it started."""

import subprocess
import sys

import click
import pytest

import measured_runs

HOLD = "import sys, time; held = bytearray(int(sys.argv[1]) << 20); time.sleep(0.5)"
WITH_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}, sys.argv[1]], check=True)"


MEASURE = (
    "held = bytearray(400 << 20); "
    "import sys; from pathlib import Path; from measured_runs import run; "
    "print(run([sys.executable, *sys.argv[2:]], Path(sys.argv[1])).memory)"
)


def memory_of(folder, *words) -> float:
    """What `run` says of a Python program, in a process that holds more memory itself."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, folder, *map(str, words)],
        cwd=measured_runs.PROJECT / "benchmark", capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


@pytest.mark.parametrize("megabytes", [100, 200])
def test_memory_is_that_of_a_program_and_those_that_it_starts(tmp_path, megabytes):
    held = "held = bytearray(int(sys.argv[1]) << 20)"
    with_both = WITH_CHILD.replace("; ", f"; {held}; ", 1)
    alone, both = (memory_of(tmp_path, "-c", program, megabytes) for program in (HOLD, with_both))
    assert megabytes < alone < megabytes + 50
    assert 2 * megabytes < both < 2 * megabytes + 80


def test_what_a_failed_program_said(tmp_path):
    with pytest.raises(click.ClickException, match="no good"):
        measured_runs.run([sys.executable, "-c", "import sys; sys.exit('no good')"], tmp_path)


def test_a_task_has_the_variables_of_the_configuration(tmp_path):
    measured_runs.run_task([sys.executable, "-c", "import os; print(os.environ['OPENBLAS_NUM_THREADS'])"], tmp_path)
    assert (tmp_path / "log.txt").read_text() == "1\n"
