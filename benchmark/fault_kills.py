"""Kill Nextflow, or tasks of each stage, at random moments."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import click

from fault_runs import (
    QUICK,
    STAGES,
    Ended,
    Running,
    differing,
    fresh,
    kill_all,
    kill_child,
    kill_python,
    one_line,
    run,
    seconds_of,
    task_of,
    undisturbed,
    wait_until,
    wrong_bins,
)
from fault_table import Faults, fault_command

MOST_DELAY_SECONDS = 3.0  # a kill comes so long, at most, after a task has begun
KILLED_WITHIN = 0.6  # of the time that a task takes: the kill comes at a random moment of it
WAYS = {"the command": kill_python, "all its processes": kill_all, "a mapper it started": kill_child}


def resumed(launch: Path, expected: Ended, *arguments: object) -> tuple[str, bool]:
    """Resume a broken run; return what happened, and whether all results are those expected."""
    again = run(launch, *QUICK, *arguments, "-resume")
    wrong = differing(again.results, expected.results)
    if again.status:
        return f"-resume fails: {one_line(again.last_line)}", False
    return (
        (f"-resume gives other results ({', '.join(wrong[:3])})", False) if wrong else ("-resume: same results", True)
    )


@fault_command
@click.option("--times", default=10, show_default=True)
@click.option("--seed", default=1, show_default=True)
def kill_run(folder: Path, tsv: Path | None, times: int, seed: int) -> None:
    """Kill Nextflow (SIGKILL) at random moments, and resume the run at once, while its orphaned tasks go on."""
    table, rng, expected = Faults(tsv), random.Random(seed), undisturbed(folder)
    happened, right = [], []
    n_tasks = len(expected.trace())
    while len(right) < times:
        running = Running(fresh(folder / "killed"), *QUICK)
        begun, delay = rng.randint(0, n_tasks), rng.uniform(0, MOST_DELAY_SECONDS)
        if not kill_after(running, begun, delay):
            click.echo(f"it ended before {begun} tasks and {delay:.1f} s: not counted", err=True)
            continue
        wrong = wrong_bins(running.results, expected.results)
        text, same = resumed(running.launch, expected)
        kept = tasks_begun(running, "Cached")
        click.echo(f"{begun} tasks begun and {delay:.1f} s; files cut off: {wrong}; {kept} kept; {text}", err=True)
        happened.append(text)
        right.append(same)
    table.tell("Nextflow killed", f"after 0 to {n_tasks} tasks had begun", happened, right)


def kill_after(running: Running, begun: int, delay: float) -> bool:
    """Kill Nextflow some seconds after it has begun so many tasks; tell whether it was still running."""
    wait_until(lambda: tasks_begun(running) >= begun, running.process, f"task {begun}")
    time.sleep(delay)
    is_running = running.process.poll() is None
    running.kill()
    return is_running


def tasks_begun(running: Running, how: str = "Submitted") -> int:
    """Return how many tasks a run says that it has begun, or has found in its cache."""
    return (running.launch / "terminal").read_text(errors="replace").count(f"{how} process >")


def kill_each_stage(
    launch: Path, way: Callable, rng: random.Random, expected: Ended, within: float = KILLED_WITHIN
) -> tuple[Ended, list[str]]:
    """Run the pipeline and kill the first task of each stage within a share of its time; return who was killed."""
    running, killed = Running(launch, *QUICK), []
    left = list(STAGES)
    while running.process.poll() is None:
        for stage in left:
            if not (task := task_of(stage, launch / "work")):
                continue
            time.sleep(rng.uniform(0, within * seconds_of(stage, expected)))
            left.remove(stage)
            try:
                way(task[0], launch / "work")
                killed.append(stage)
            except OSError:  # it has ended meanwhile
                pass
            break
        time.sleep(0.01)
    return running.end(), killed


@fault_command
@click.option("--times", default=3, show_default=True)
@click.option("--seed", default=1, show_default=True)
def kill_tasks(folder: Path, tsv: Path | None, times: int, seed: int) -> None:
    """Kill (SIGKILL) a task of every stage, in one run, and see whether its second try gives the same results."""
    table, rng, expected = Faults(tsv), random.Random(seed), undisturbed(folder)
    for name, way in WAYS.items():
        happened = {stage: [] for stage in STAGES}
        right = {stage: [] for stage in STAGES}
        for turn in range(times):
            ended, killed = kill_each_stage(fresh(folder / f"task_{turn + 1}"), way, rng, expected)
            same = ended.status == 0 and not differing(ended.results, expected.results)
            trace = ended.trace()
            click.echo(f"{name} {turn + 1}: killed {killed}, exit {ended.status}, same {same}", err=True)
            for stage in killed:
                tries = trace[trace["stage"] == stage]
                exits = sorted(set(tries.loc[tries["status"] == "FAILED", "exit"].astype(str)))
                again = (tries["attempt"].astype(int) > 1) & (tries["status"] == "COMPLETED")
                text = f"exit {', '.join(exits)}, second try" if again.any() else "no second try"
                happened[stage].append(text if same else f"{text}, {one_line(ended.last_line)}")
                right[stage].append(same and bool(again.any()))
        for stage in STAGES:
            if right[stage] and (way is not kill_child or stage in ("INDEX", "MAP_READS")):
                table.tell(f"task killed: {name}", stage, happened[stage], right[stage])
