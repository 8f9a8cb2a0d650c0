"""The tasks of a run ask for memory by their inputs, and for as much as they take at least."""

import re
import subprocess

import pytest

from conftest import PROJECT, nextflow
from stage_modules import stage_names

UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}
BY_INPUTS = {s.upper() for s in stage_names() if "memoryOf(" in (PROJECT / f"modules/local/{s}/main.nf").read_text()}


def in_bytes(text: str) -> float:
    number, unit = text.split()
    return float(number) * UNITS[unit]


@pytest.mark.parametrize("shared", ["coassembly", "two_groups"])
def test_tasks_ask_for_what_they_take_and_small_ones_for_little(request, shared):
    trace = request.getfixturevalue(shared).trace()
    done = trace[(trace["status"] == "COMPLETED") & trace["peak_rss"].str.endswith("B")]
    assert len(done) > 10
    for task in done.itertuples():
        assert in_bytes(task.peak_rss) <= in_bytes(task.memory), task
        assert task.name not in BY_INPUTS or in_bytes(task.memory) < 2 * UNITS["GB"], task


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_an_assembly_of_a_group_has_the_share_of_its_contigs(tmp_path, parser):
    """CATALOGUE counts them so; what it did not count (a stub) has the whole group's size."""
    table = tmp_path / "contigs.tsv"
    table.write_text("contig\tassembly\tname\tlength\n" + "A1~c\tA1\tc\t9\n" * 3 + "A2~c\tA2\tc\t9\n")
    (command,) = re.findall(r"eval\('(cut .+)'\)", (PROJECT / "modules/local/catalogue/main.nf").read_text())
    with open(tmp_path / "counted.txt", "w") as counted:
        subprocess.run(["bash", "-c", command], cwd=tmp_path, stdout=counted, check=True)
    ids = ["--counted", tmp_path / "counted.txt", "--ids", "A1,A2,A3"]
    done = nextflow(["run", PROJECT / "tests/lib/shares.nf", *ids], tmp_path, {"NXF_SYNTAX_PARSER": parser})
    assert "SHARES 0.75 0.25 1.0" in done.stdout.splitlines(), done.stdout
