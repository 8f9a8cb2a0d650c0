#!/usr/bin/env python3
"""Sum up wall time and peak memory of each stage from Nextflow's trace.

In: results/pipeline_info/trace_<time>.tsv with the fields process, realtime and peak_rss in Nextflow's readable units.
Out: a row for each stage, on stdout as Markdown and, with --tsv, in a file.
"""

import re
from pathlib import Path

import click
import pandas as pd

from result_tables import FILE, ResultTable, tsv_option

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
MEGABYTES = {"B": 1 / 1024**2, "KB": 1 / 1024, "MB": 1, "GB": 1024, "TB": 1024**2}


def total(text: str, units: dict[str, float]) -> float:
    """Return the sum of the `number unit` parts of a readable quantity, such as `1m 30s` or `2.5 GB`."""
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+) ?([A-Za-z]+)", str(text)))


@click.command()
@click.argument("path", metavar="TRACE", type=FILE)
@tsv_option
def main(path: Path, tsv: Path | None) -> None:
    """Print the time (summed over tasks) and the memory (of the largest task) of each stage."""
    trace = pd.read_csv(path, sep="\t")
    trace["stage"] = trace["process"].str.split(":").str[-1].str.lower()
    trace["seconds"] = trace["realtime"].map(lambda text: total(text, SECONDS))
    trace["megabytes"] = trace["peak_rss"].map(lambda text: total(text, MEGABYTES))
    table = ResultTable(tsv, ("stage",))
    for stage, tasks in trace.groupby("stage", sort=False):
        wall = {"stage": stage, "tasks": len(tasks), "wall_s": f"{tasks['seconds'].sum():.0f}"}
        table.add(wall | {"peak_mb": f"{tasks['megabytes'].max():.0f}"})


if __name__ == "__main__":
    main()
