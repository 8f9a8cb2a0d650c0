"""The Python code keeps the rules of pyproject.toml, as `make lint` checks them."""

import subprocess
import sys

import pytest

from stage_modules import PROJECT

REMEDY = "`ruff check --fix` and `ruff format` mend most of this"


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["rules", "format"])
def test_ruff_finds_nothing(command):
    ruff = [sys.executable, "-m", "ruff", *command, "--no-cache"]
    done = subprocess.run(ruff, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{REMEDY}"
