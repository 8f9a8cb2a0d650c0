"""measured_runs.py: what a program took, with those that it started."""

import sys

import click
import pytest

import measured_runs

HOLD = "import sys, time; held = bytearray(int(sys.argv[1]) << 20); time.sleep(0.5)"
WITH_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}, sys.argv[1]], check=True)"


@pytest.mark.parametrize("megabytes", [200, 400])
def test_memory_is_that_of_a_program_and_those_that_it_starts(tmp_path, megabytes):
    held = "held = bytearray(int(sys.argv[1]) << 20)"
    alone, both = (
        measured_runs.run([sys.executable, "-c", program, megabytes], tmp_path).memory
        for program in (HOLD, f"{WITH_CHILD.replace('; ', f'; {held}; ', 1)}")
    )
    assert megabytes < alone < megabytes + 30
    assert 2 * megabytes < both < 2 * megabytes + 60


def test_what_a_failed_program_said(tmp_path):
    with pytest.raises(click.ClickException, match="no good"):
        measured_runs.run([sys.executable, "-c", "import sys; sys.exit('no good')"], tmp_path)


def test_a_task_has_the_variables_of_the_configuration(tmp_path):
    measured_runs.run_task([sys.executable, "-c", "import os; print(os.environ['OPENBLAS_NUM_THREADS'])"], tmp_path)
    assert (tmp_path / "log.txt").read_text() == "1\n"
