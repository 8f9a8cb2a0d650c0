"""The tasks of a run ask for memory by their inputs, and for as much as they take at least."""

import pytest

from conftest import PROJECT
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
