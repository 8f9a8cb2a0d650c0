"""Start two runs into one folder of results."""

import shutil
from pathlib import Path

import click

from fault_runs import QUICK, Running, differing, fresh, run, undisturbed
from fault_table import Faults, fault_command


@fault_command
@click.option("--times", default=10, show_default=True)
def same_folder(folder: Path, tsv: Path | None, times: int) -> None:
    """Start two runs into one folder of results in the same moment, each with a launch folder of its own."""
    table, expected = Faults(tsv), undisturbed(folder)
    results = fresh(folder / "shared") / "results"
    launches = [fresh(folder / name) for name in ("first", "second")]
    for launch in launches:  # what both have done before is in their caches, so that they come to their ends soon
        run(launch, *QUICK)
    happened, right = [], []
    for _ in range(times):
        shutil.rmtree(results, ignore_errors=True)
        both = [Running(launch, *QUICK, "-resume", results=results) for launch in launches]
        ended = [running.end() for running in both]
        refused = sum("Another run writes into --outdir" in one.terminal for one in ended)
        done = sum(one.status == 0 for one in ended)
        same = not differing(results, expected.results)
        happened.append(f"{refused} refused, {done} done, {'same' if same else 'OTHER'} results")
        right.append(refused == done == 1 and same)
        click.echo(happened[-1], err=True)
    table.tell("two runs into one folder", "started in the same second", happened, right)
