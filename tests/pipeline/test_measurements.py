"""The scripts that measure on the results of a run read what a run publishes."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from conftest import DATA, PROJECT


def measured(script: str, *words: str | Path) -> str:
    """What a script of benchmark/ prints."""
    command = [sys.executable, PROJECT / "benchmark" / script, *words]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def coassembly_set(coassembly) -> list[str | Path]:
    """The words that name the bundled co-assembly as a set with a truth."""
    return ["--set", "demo", coassembly.results / "co", "coasm", DATA / "co.truth.tsv"]


def test_given_bins_are_refined_and_scored(tmp_path, coassembly, coassembly_set):
    bins = coassembly.results / "co" / "contig2bin.tsv"
    measured("foreign_bins.py", *coassembly_set, "--bins", "demo", "own", bins, "--tsv", tmp_path / "x.tsv")
    table = pd.read_csv(tmp_path / "x.tsv", sep="\t").set_index(["bins", "refined"])
    assert set(table.index) == {
        ("Binloom", "after"), *(("own", how) for how in ("before", "after", "ensemble", "common pieces"))
    }  # fmt: skip
    assert table.loc[("own", "before"), "n_bins"] == 6
    assert table.loc[("own", "before"), "completeness"] > 0.95


def test_parts_of_the_refinement_are_taken_out(coassembly_set):
    assert measured("refine_parts.py", *coassembly_set).count("| demo |") > 5
