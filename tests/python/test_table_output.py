"""table_output.py: a table in blocks has the bytes of the whole one. test_stage_tables.py writes every table."""

import gzip
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stage_tables import BINS, COVERAGE, ROWS
from table_output import table_in_blocks, write_rows, write_table


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("bounds", [[0, 40], [0, 0, 40], [0, 1, 17, 17, 40]])
def test_blocks_give_the_same_bytes(bounds):
    frame = pd.DataFrame(np.random.default_rng(1).lognormal(size=(40, 2)), columns=["S1", "S2"])
    frame.insert(0, "contig", [f"c{number}" for number in range(40)])
    write_table(COVERAGE, frame)
    whole = Path("coverage.tsv.gz").read_bytes()
    with table_in_blocks(COVERAGE, "parts.tsv.gz") as write:
        for start, stop in itertools.pairwise(bounds):
            write(frame[start:stop])
    assert gzip.decompress(Path("parts.tsv.gz").read_bytes()) == gzip.decompress(whole)
    assert whole[3:8] == bytes(5)  # neither a name nor a time


def test_true_and_false_are_words():
    columns = [column.name for column in BINS.columns]
    rows = [["A.1", "A", "1", 7, 1, 7, 0.5, 0, True, False]]
    write_table(BINS, pd.DataFrame(rows, columns=columns).assign(coverage_S1=2.5))
    assert Path("bins.tsv").read_text().splitlines()[1].split("\t")[-3:] == ["true", "false", "2.5"]


def test_rows_need_no_frame():
    write_rows(ROWS, [["a", 5], ["b", 6]])
    assert Path("rows.tsv").read_text() == "contig\tlength\na\t5\nb\t6\n"
