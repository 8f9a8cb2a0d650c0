#!/usr/bin/env python3
"""Wall time and peak memory per stage, as a Markdown table, from Nextflow's trace.

usage: stages.py results/pipeline_info/trace.tsv
Needs the trace fields `process`, `realtime` and `peak_rss` in Nextflow's readable units.
"""

import re
import sys

import pandas as pd

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
MEGABYTES = {"B": 1 / 1024**2, "KB": 1 / 1024, "MB": 1, "GB": 1024, "TB": 1024**2}


def total(text: str, units: dict[str, float]) -> float:
    """The sum of the `number unit` parts of a readable quantity, such as `1m 30s` or `2.5 GB`."""
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+) ?([A-Za-z]+)", str(text)))


def main(path: str) -> None:
    trace = pd.read_csv(path, sep="\t")
    trace["stage"] = trace["process"].str.split(":").str[-1].str.lower()
    trace["seconds"] = trace["realtime"].map(lambda text: total(text, SECONDS))
    trace["megabytes"] = trace["peak_rss"].map(lambda text: total(text, MEGABYTES))
    print("| stage | tasks | wall time, s (sum over tasks) | peak memory, MB (largest task) |\n|---|---|---|---|")
    for stage, tasks in trace.groupby("stage", sort=False):
        print(f"| {stage} | {len(tasks)} | {tasks['seconds'].sum():.0f} | {tasks['megabytes'].max():.0f} |")


if __name__ == "__main__":
    main(sys.argv[1])
