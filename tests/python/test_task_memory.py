"""workflows/memory.nf: a task asks for the memory that its stage needs, and for no more than twice of it."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import memory_estimate
import minimap2_commands
import task_memory
from stage_modules import stage_names

PROJECT = Path(__file__).resolve().parents[2]
TABLE, LEAST = task_memory.memory_table()
# What mapping takes beside the index are batches of reads, of which these tests have none that is full.
BY_READS = {"MAP_READS"}


def read_measured(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, sep="\t", dtype={"sizes": str})
    return table.assign(sizes=[list(map(int, sizes.split())) for sizes in table["sizes"]])


def assert_enough_and_not_too_much(process: str, sizes: list[int], peak_mb: float) -> None:
    asked = max(LEAST, task_memory.formula_mb(TABLE[process], sizes))
    assert peak_mb <= asked, f"{process} asks for {asked:.0f} MB, and needs {peak_mb:.0f}"
    if process not in BY_READS:
        assert asked <= max(LEAST, 2 * peak_mb), f"{process} needs {peak_mb:.0f} MB, not {asked:.0f}"


def test_each_process_that_asks_by_its_inputs_has_a_row_with_a_number_for_each():
    asked = {}
    for stage in stage_names():
        text = (PROJECT / f"modules/local/{stage}/main.nf").read_text()
        found = re.search(
            r"^ +memory \{ (?:contigs == null \? .+ : )?memoryOf\(task, \[(.+)\]\) \}$", text, re.MULTILINE
        )
        if found:
            # The commas outside of brackets
            kinds = re.sub(r"\[[^\[\]]*\]|\([^()]*\)", "", re.sub(r"\[[^\[\]]*\]", "", found.group(1))).split(",")
            asked[stage.upper()] = len(kinds)
    assert asked == {process: len(numbers) - 1 for process, numbers in TABLE.items()}
    assert {process for process, _, _ in task_memory.STAGES} <= asked.keys()


def test_training_holds_as_much_of_its_input_as_the_formula_says():
    (bits,) = re.findall(r"1L << (\d+)", (PROJECT / "workflows/memory.nf").read_text())
    assert 1 << int(bits) == memory_estimate.MAX_HELD_BYTES


def test_a_part_of_an_index_has_as_many_bases_as_the_formula_says():
    (bases,) = re.findall(r"\((\w+)L \* bytesABase\)", (PROJECT / "workflows/memory.nf").read_text())
    assert int(bases) == minimap2_commands.PART_BASES + 50_000_000


@pytest.mark.parametrize(("contigs", "last"), [(1000, "REPORT_DATA"), (5000, "FEATURES"), (25_000, "INDEX")])
def test_stages_need_what_their_tasks_ask_for(tmp_path, contigs, last):
    """Measured by a process of its own: what this one holds would count as memory of those that it starts."""
    words = [tmp_path / "groups", "--contigs", contigs, "--last", last, "--tsv", tmp_path / "memory.tsv"]
    subprocess.run(list(map(str, [sys.executable, task_memory.__file__, *words])), check=True, timeout=600)
    table = read_measured(tmp_path / "memory.tsv")
    assert list(table["process"]) == [process for process, _, _ in task_memory.STAGES][: len(table)]
    for row in table.itertuples():
        assert_enough_and_not_too_much(row.process, row.sizes, row.peak_mb)


def test_so_do_the_stages_that_were_measured_at_large_sizes():
    table = read_measured(PROJECT / "benchmark/results/task_memory.tsv")
    assert {process for process, _, _ in task_memory.STAGES} <= set(table["process"])
    for row in table.itertuples():
        assert_enough_and_not_too_much(row.process, row.sizes, row.peak_mb)
