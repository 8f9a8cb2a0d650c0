"""Fill the work directory, or the folder of the results: each a small tmpfs. Only root can mount one."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from fault_runs import (
    QUICK,
    STAGES,
    Ended,
    differing,
    fresh,
    one_line,
    published,
    run,
    task_folders,
    undisturbed,
    wrong_bins,
)
from fault_table import Faults, fault_command

DISK_LEVELS = (0.3, 0.0)  # of what a task writes: so much room is left when it begins
RESULTS_LEVELS = (0.1, 0.4, 0.7, 0.95)  # so much of the results finds room
PAGE_BYTES = 4096
WIDE_TMPFS = "256m"
USED_AND_ROOM = "{print ($1 - $2) * $3 + room}"  # bytes, from blocks, free blocks and their size; a program of awk


@contextmanager
def small_tmpfs(mount: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs of this size; take it away at the end."""
    mount = fresh(mount).resolve()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "binloom-faults", mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", mount], check=True)


def written_by(stage: str, ended: Ended) -> int:
    """Return the bytes on disk that the largest task of a stage has written."""
    sizes = []
    for task in task_folders(stage, ended):
        files = [path for path in task.rglob("*") if path.is_file() and not path.is_symlink()]
        sizes.append(sum(-(-path.stat().st_size // PAGE_BYTES) * PAGE_BYTES for path in files))
    return max(sizes)


def shrinking(stage: str, mount: Path, room: int) -> str:
    """Return the configuration in which a stage finds its work directory with so many bytes of room."""
    taken = f"$(stat -f -c '%b %f %S' {mount} | awk -v room={room} '{USED_AND_ROOM}')".replace("$", "\\$")
    script = f"mkdir -p {mount}/work/checkpoints; mount -o remount,size={taken} {mount}"
    return f'process {{ withName: {stage} {{ beforeScript = "{script}" }} }}\n'


def judge(ended: Ended, expected: Ended) -> tuple[str, bool]:
    """Return what a run said whose disk was full, and whether it was one clear line and no wrong bin."""
    wrong, last = wrong_bins(ended.results, expected.results), ended.last_line
    # The task that comes next may be the one that Nextflow has no room for.
    is_clear = last.startswith(STAGES) and " failed: " in last and "space" in last and "Traceback" not in last
    text = last.split(" failed: ")[-1].split(" When that is mended")[0]
    text = re.sub("the work folder .* cannot", "the work folder cannot", text)
    return f"{one_line(text)}{' WRONG BINS' if wrong else ''}", is_clear and not wrong


def fill_stages(launch: Path, mount: Path, rooms: dict[str, int], expected: Ended) -> dict[str, tuple[str, bool]]:
    """Fill the work directory in one stage after another, and resume each time; return what each had to say.

    One task runs at a time, so that a full disk is that of one stage. `rooms` are the bytes that each stage finds. The
    last resume, of which the empty name tells, has no fault left and has to give the results of an undisturbed run.
    """
    said, arguments = {}, [*QUICK, "-work-dir", mount / "work", "-resume"]
    for _ in range(2 * len(rooms)):
        config = "".join(shrinking(stage, mount, room) for stage, room in rooms.items() if stage not in said)
        ended = run(launch, *arguments, config=f"{config}executor.queueSize = 1\n")
        subprocess.run(["mount", "-o", f"remount,size={WIDE_TMPFS}", mount], check=True)
        trace = ended.trace()
        failed = [stage for stage in trace.loc[trace["status"] == "FAILED", "stage"] if stage not in said]
        click.echo(f"{failed}: {ended.status} {ended.last_line}", err=True)
        said |= dict.fromkeys(failed, judge(ended, expected))
        if ended.status == 0:
            break
    wrong = differing(ended.results, expected.results)
    said |= dict.fromkeys(rooms.keys() - said.keys(), ("there was room enough", True))
    same = ended.status == 0 and not wrong
    return said | {"": ("-resume: same results" if same else f"-resume: OTHER RESULTS {wrong[:3]}", same)}


@fault_command
@click.option("--stage", "stages", multiple=True, type=click.Choice(STAGES), default=STAGES)
@click.option("--level", "levels", multiple=True, type=float, default=DISK_LEVELS, help="Share of what a task writes.")
def disk(folder: Path, tsv: Path | None, stages: tuple[str, ...], levels: tuple[float, ...]) -> None:
    """Fill the work directory, a tmpfs, in every stage; enlarge it and resume, up to the next stage.

    The last resume, when every stage has failed once, has to give the results of an undisturbed run.
    """
    table, expected = Faults(tsv), undisturbed(folder)
    for level in levels:
        launch = fresh(folder / "disk")
        with small_tmpfs(folder / "tmpfs", WIDE_TMPFS) as mount:
            rooms = {stage: int(level * written_by(stage, expected)) for stage in stages}
            said = fill_stages(launch, mount, rooms, expected)
        for stage, (text, is_right) in said.items():
            where = stage or f"enlarged when {', '.join(stages)} had failed"
            table.tell(f"work folder full, room for {level:.0%}", where, [text], [is_right])


@fault_command
@click.option("--level", "levels", multiple=True, type=float, default=RESULTS_LEVELS, help="Share of the results.")
def results_disk(folder: Path, tsv: Path | None, levels: tuple[float, ...]) -> None:
    """Fill the folder of the results, a tmpfs that holds a share of them; enlarge it and resume."""
    table, expected = Faults(tsv), undisturbed(folder)
    happened, right = [], []
    whole = sum(-(-len(content) // PAGE_BYTES) * PAGE_BYTES for content in published(expected.results).values())
    for level in levels:
        launch = fresh(folder / "results_disk")
        with small_tmpfs(folder / "tmpfs", str(int(level * whole))) as mount:
            ended = run(launch, *QUICK, results=mount / "results")
            wrong = wrong_bins(mount / "results", expected.results)
            click.echo(f"{level}: {ended.status}, cut off: {wrong}\n{ended.terminal[-1500:]}", err=True)
            subprocess.run(["mount", "-o", f"remount,size={WIDE_TMPFS}", mount], check=True)
            again = run(launch, *QUICK, "-resume", results=mount / "results")
            same = again.status == 0 and not differing(again.results, expected.results)
        named = "The run failed: the folder of results" in ended.terminal and "free space there" in ended.terminal
        status = "fails and names the folder" if ended.status and named else f"exit {ended.status}"
        happened.append(f"{status}; {'-resume: same results' if same else '-resume: OTHER RESULTS'}")
        right.append(ended.status != 0 and named and same)
    table.tell("folder of results full", f"room for {min(levels):.0%} to {max(levels):.0%} of them", happened, right)
