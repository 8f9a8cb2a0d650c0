"""Faults of a machine. These tests use parts of benchmark/faults.py; docs/reliability.md has what more was tried."""

import os
import random
import subprocess

import pytest

import fault_disks
import fault_kills
import fault_runs


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """A run that nothing happens to."""
    return fault_runs.undisturbed(tmp_path_factory.mktemp("expected"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small file system")
def test_full_work_folder_is_the_last_line_and_room_is_the_remedy(tmp_path, expected):
    """INDEX finds no room. Then the file system grows, and -resume goes on with what is there."""
    launch = tmp_path / "launch"
    with fault_disks.small_tmpfs(tmp_path / "tmpfs", fault_disks.WIDE_TMPFS) as mount:
        arguments = [*fault_runs.QUICK, "-work-dir", mount / "work"]
        config = fault_disks.shrinking("INDEX", mount, room=0) + "executor.queueSize = 1\n"
        full = fault_runs.run(launch, *arguments, config=config)
        bins = list(full.results.glob("co/bins*"))
        subprocess.run(["mount", "-o", f"remount,size={fault_disks.WIDE_TMPFS}", mount], check=True)
        resumed = fault_runs.run(launch, *arguments, "-resume")
        assert full.status != 0
        assert full.last_line.startswith(fault_runs.STAGES), full.terminal
        assert "No space left on device" in full.last_line
        assert full.last_line.endswith("run the same command with -resume: what is finished is kept")
        assert not bins
        assert resumed.status == 0, resumed.terminal
        assert fault_runs.differing(resumed.results, expected.results) == []
        trace = resumed.trace()
        assert "CATALOGUE" in set(trace.loc[trace["status"] == "CACHED", "stage"])


def test_a_task_of_every_stage_is_killed_and_tried_again(tmp_path, expected):
    ended, killed = fault_kills.kill_each_stage(
        tmp_path, fault_runs.kill_python, random.Random(1), expected, within=0.1
    )
    assert ended.status == 0, ended.terminal
    assert fault_runs.differing(ended.results, expected.results) == []
    assert len(killed) >= len(fault_runs.STAGES) - 2, killed  # a short task may end before the signal comes
    trace = ended.trace()
    failed = trace[trace["status"] == "FAILED"]
    assert set(failed["stage"]) == set(killed) and set(failed["exit"].astype(str)) == {"137"}
