#!/usr/bin/env python3
"""Sum up the runs of several seeds that score.py, community.sh and peers.py have written.

In: their tables (set, bins, seed, recall_0.5 and so on). Out: a row for each set and program with the medians over the
seeds and the genomes at a recall of 0.9 of each seed, on stdout as Markdown and, with --tsv, in a file.
"""

import statistics
from collections import defaultdict
from pathlib import Path

import click

from result_tables import FILE, ResultTable, read_rows, tsv_option

COUNTS = ("recall_0.5", "recall_0.8", "recall_0.9", "recall_0.95", "recall_0.99")
SHARES = ("purity", "purity_long")


def median_row(rows: list[dict[str, str]]) -> dict[str, str]:
    """Return the medians of the runs of one program on one set."""
    rows = sorted(rows, key=lambda row: row["seed"])
    counts = {name: f"{statistics.median(int(row[name]) for row in rows):g}" for name in COUNTS}
    shares = {name: f"{statistics.median(float(row[name]) for row in rows):.3f}" for name in SHARES}
    seeds = {"seeds": ",".join(row["seed"] for row in rows)}
    return seeds | counts | {"recall_0.9_by_seed": ",".join(row["recall_0.9"] for row in rows)} | shares


@click.command()
@click.argument("runs", nargs=-1, required=True, type=FILE)
@tsv_option
def main(runs: tuple[Path, ...], tsv: Path | None) -> None:
    """Print the medians over the seeds of RUNS."""
    grouped: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for path in runs:
        for row in read_rows(path):
            grouped[row["set"], row["bins"]].append(row)
    table = ResultTable(tsv, ("set", "bins"))
    for (name, bins), rows in grouped.items():
        table.add({"set": name, "bins": bins, **median_row(rows)})


if __name__ == "__main__":
    main()
