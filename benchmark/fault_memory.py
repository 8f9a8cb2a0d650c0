"""Give every stage too little memory, by a control group. Only root can make one."""

import time
from pathlib import Path

import click

from fault_runs import QUICK, STAGES, Ended, counted, differing, fresh, run, undisturbed
from fault_table import Faults, fault_command


def memory_group(name: str, limit_bytes: int) -> Path:
    """Make a control group with a limit of memory."""
    root = Path("/sys/fs/cgroup")
    group, file = (root / "memory" / name, "memory.limit_in_bytes")
    if not group.parent.is_dir():  # version 2
        group, file = root / name, "memory.max"
    group.mkdir(exist_ok=True)
    (group / file).write_text(str(limit_bytes))
    return group


def remove_groups(*groups: Path) -> None:
    """Remove control groups, as soon as the last processes have left them."""
    for group in groups:
        for _ in range(100):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.1)


@fault_command
@click.option("--megabytes", default=40, show_default=True, help="Limit of the first try; the second has 4 GB.")
def memory(folder: Path, tsv: Path | None, megabytes: int) -> None:
    """Give every stage a control group with too little memory; its second try is in one with more."""
    table, expected = Faults(tsv), undisturbed(folder)
    small = memory_group("binloom-faults-1", megabytes << 20)
    large = memory_group("binloom-faults-2", 4 << 30)
    try:
        script = f"echo \\$BASHPID > ${{task.attempt == 1 ? '{small}' : '{large}'}}/cgroup.procs"
        checkpoints = folder / "memory" / "work" / "checkpoints"
        config = "".join(
            f'process {{ withName: {stage} {{ beforeScript = {{ "mkdir -p {checkpoints}; {script}" }} }} }}\n'
            for stage in STAGES
        )
        ended = run(fresh(folder / "memory"), *QUICK, config=config)
    finally:
        remove_groups(small, large)
    tell_memory(table, megabytes, ended, expected)


def tell_memory(table: Faults, megabytes: int, ended: Ended, expected: Ended) -> None:
    """Add a row for each stage of a run whose first tries had a limit of memory."""
    same = ended.status == 0 and not differing(ended.results, expected.results)
    click.echo(ended.terminal, err=True)
    trace = ended.trace()
    for stage in STAGES:
        tries = trace[trace["stage"] == stage]
        failed, tasks = tries["status"] == "FAILED", tries["tag"].nunique()
        text = (
            f"exit {counted(tries.loc[failed, 'exit'].astype(str).tolist())}, second try" if failed.any() else "enough"
        )
        table.tell(f"memory limit {megabytes} MB", stage, [text] * tasks, [same] * tasks)
