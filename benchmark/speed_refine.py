#!/usr/bin/env python3
"""Compare time and memory of the refinement with those of a former version.

In: for each --set a group's results of the pipeline, and the bin/ folder of a former version of the project (`git
worktree add FOLDER COMMIT`). Both refine the same clusters in turn; files that the former command has no option for are
not given to it. Out: a row for each set, on stdout as Markdown and, with --tsv, in a file: the medians of CPU seconds,
the ratio (the median over the pairs of runs) and the peaks of memory.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from measured_runs import Usage, run_task
from project import BIN, ResultSet, command_words, refine_files, set_option
from result_tables import FOLDER, ResultTable, tsv_option


def known_options(script: Path) -> set[str]:
    """Return the names of the options that a command has."""
    text = subprocess.run([sys.executable, script, "--help"], check=True, capture_output=True, text=True).stdout
    return {word.removeprefix("--") for word in text.split() if word.startswith("--")}


def measure(script: Path, one: ResultSet) -> Usage:
    """Return what this command takes to refine a set."""
    known = known_options(script)
    files = {name: path for name, path in refine_files(one.results, one.assembly).items() if name in known}
    with tempfile.TemporaryDirectory() as folder:
        return run_task([sys.executable, script, *command_words(assembly=one.assembly, **files)], Path(folder))


@click.command(context_settings={"show_default": True})
@set_option
@click.option("--former", required=True, type=FOLDER, help="The bin/ folder of the former version.")
@click.option("--repeats", default=5, type=click.IntRange(min=1))
@tsv_option
def main(sets: list[ResultSet], former: Path, repeats: int, tsv: Path | None) -> None:
    """Time refine.py of both versions in turn."""
    table = ResultTable(tsv, ("set",))
    scripts = [former.resolve() / "refine.py", BIN / "refine.py"]
    for one in sets:
        pairs = [[measure(script, one) for script in scripts] for _ in range(repeats)]
        before, now = zip(*pairs, strict=True)
        row = {"set": one.name}
        for name, runs in (("former", before), ("now", now)):
            row[f"{name}_cpu_s"] = f"{statistics.median(run.cpu for run in runs):.1f}"
            row[f"{name}_mb"] = f"{max(run.memory for run in runs):.0f}"
        ratio = statistics.median(after.cpu / first.cpu for first, after in pairs)
        table.add({**row, "cpu_ratio": f"{ratio:.2f}"})


if __name__ == "__main__":
    main()
