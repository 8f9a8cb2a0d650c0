#!/usr/bin/env python3
"""Fuzz the readers of bin/ with generated files, whole and damaged.

A whole file must be read to exactly what its generator knows. A damaged one must give what a naive reader finds in it,
or one ClickException: one line of less than 1,000 characters that names the file. Nothing else may happen: no other
exception, no death of the process, no more than --input_seconds, and no more than 2 GiB of memory. Every input has a
number: `--only NUMBER` with the same reader and seed makes it again, in the current directory.
"""

import sys
from pathlib import Path

import click

import fuzz_alignments
import fuzz_bins
import fuzz_checkpoints
import fuzz_graph
import fuzz_indexes
import fuzz_sequences
import fuzz_sheets
import fuzz_tables
from fuzzing import OUTCOMES, Run, attempt
from result_tables import ResultTable, tsv_option

GENERATORS = {
    **fuzz_sequences.GENERATORS,
    **fuzz_alignments.GENERATORS,
    **fuzz_indexes.GENERATORS,
    **fuzz_tables.GENERATORS,
    **fuzz_sheets.GENERATORS,
    **fuzz_graph.GENERATORS,
    **fuzz_checkpoints.GENERATORS,
    **fuzz_bins.GENERATORS,
}


@click.command(context_settings={"show_default": True})
@click.option("--reader", "readers", multiple=True, type=click.Choice(list(GENERATORS)), help="Without it, all.")
@click.option("--seconds", default=60.0, type=click.FloatRange(min=0), help="Of each reader.")
@click.option("--run", default="", help="A name of this run, for the table.")
@click.option("--seed", default=1)
@click.option("--processes", default=2, type=click.IntRange(min=1))
@click.option("--input_seconds", default=30.0, help="Time limit of an input.")
@click.option("--only", type=click.IntRange(min=0), help="Make this input alone, in the current directory.")
@tsv_option
def main(
    readers: tuple[str, ...],
    seconds: float,
    run: str,
    seed: int,
    processes: int,
    input_seconds: float,
    only: int | None,
    tsv: Path | None,
) -> None:
    """Fuzz the readers of bin/; print what was tried and the first input of every problem."""
    table = ResultTable(tsv, ("run", "fuzzer", "reader"))
    problems = []
    for reader in readers or GENERATORS:
        if only is not None:
            click.echo(attempt(reader, GENERATORS[reader], seed, only, input_seconds, Path()))
            continue
        tried, found = Run(reader, GENERATORS[reader], seed, seconds, input_seconds).collect(processes)
        counts = {name: sum(n for (_, outcome), n in tried.items() if outcome == name) for name in OUTCOMES}
        whole = sum(n for (damage, _), n in tried.items() if damage == "none")
        row = {"run": run, "fuzzer": "generator", "reader": reader, "seconds": f"{processes * seconds:g}"}
        table.add({**row, "inputs": tried.total(), "whole": whole, **counts, "findings": len(found)})
        problems += [f"{reader}: {first}" for first in found.values()]
    for problem in problems:
        click.echo(problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
