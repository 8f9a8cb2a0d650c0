#!/usr/bin/env python3
"""Refine the bins of other binners, alone and beside Binloom's own clusters, and score them before and after.

In: for each --set a group's results of the pipeline (refine_mode evidence), and for each --bins the bins that another
binner has for its contigs, as peers.py writes them (any file that bin/binner_files.py reads). Out: rows for each set,
on stdout as Markdown and, with --tsv, in a file: each binner's bins as they are (`before`) and refined (`after`),
Binloom's own, each binner's in an ensemble with Binloom's clusters (`ensemble`), and all of them. `common pieces` is
an ensemble that starts from the contigs that a cluster and a given bin agree on, which Binloom does not do. Training
and clustering are those of the run; bin/import_bins.py, ensemble.py and refine.py run in this process.
"""

import contextlib
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from project import BIN, ResultSet, set_option
from refine_runs import refined_bins
from result_tables import FILE, ResultTable, tsv_option
from score import Truth, read_bins, read_truth, score_row

sys.path.insert(0, str(BIN))
import ensemble
import import_bins
from assembly_tables import read_contigs_by_name
from further_pieces import cluster_table
from stage_tables import CLUSTERS
from table_output import write_table

OWN = "Binloom"


def imported(one: ResultSet, tables: Sequence[Path], folder: Path) -> Path:
    """Write the given bins of a set as clusters.tsv into a new folder and return its path."""
    contigs = one.results / "catalogue/contigs.tsv"
    words = ["--contigs", contigs]
    for number, table in enumerate(tables, 1):
        words += ["--bins", one.assembly, number, table]
    return run_here(import_bins.main, words, folder)


def with_own(one: ResultSet, given: Path, folder: Path) -> Path:
    """Write the pieces of given bins (clusters.tsv) and Binloom's clusters into a new folder; return their path."""
    own, contigs = one.results / "clusters.tsv", one.results / "catalogue/contigs.tsv"
    return run_here(ensemble.main, ["--contigs", contigs, "--own", own, "--given", given], folder)


def common_pieces(one: ResultSet, given: Path, path: Path) -> Path:
    """Write the pieces in which Binloom's clusters and given bins (clusters.tsv) agree to a new file; return it."""
    contigs = read_contigs_by_name(one.results / "catalogue/contigs.tsv")
    both = [ensemble.cluster_labels(table, contigs) for table in (one.results / "clusters.tsv", given)]
    names = np.array(["&".join(filter(None, pair)) for pair in zip(*both, strict=True)], dtype=object)
    write_table(CLUSTERS, cluster_table(contigs, names), path)
    return path


def run_here(command: click.Command, words: Sequence[object], folder: Path) -> Path:
    """Run a command that writes clusters.tsv in a new folder; return the path of that file."""
    folder.mkdir()
    with contextlib.chdir(folder), contextlib.redirect_stderr(io.StringIO()):
        command.main([str(word) for word in words], standalone_mode=False)
    return folder / "clusters.tsv"


def add_rows(table: ResultTable, one: ResultSet, binners: dict[str, Path], truth: Truth, folder: Path) -> None:
    """Add the rows of a set."""

    def add(name: str, how: str, bins: dict[str, set[str]]) -> None:
        table.add(score_row({"set": one.name, "bins": name, "refined": how}, bins, truth))

    add(OWN, "after", refined_bins(one, truth, {}))
    every = {name: [path] for name, path in binners.items()}
    if len(binners) > 1:
        every["all"] = list(binners.values())
    for number, (name, tables) in enumerate(every.items()):
        given = imported(one, tables, folder / f"given{number}")
        if len(tables) == 1:
            add(name, "before", read_bins(tables[0], truth))
        add(name, "after", refined_bins(one, truth, {}, clusters=given))
        beside = with_own(one, given, folder / f"ensemble{number}")
        add(name, "ensemble", refined_bins(one, truth, {}, clusters=beside))
        pieces = common_pieces(one, given, folder / f"common{number}.tsv")
        add(name, "common pieces", refined_bins(one, truth, {}, clusters=pieces))


@click.command()
@set_option
@click.option(
    "--bins",
    "given",
    type=(str, str, FILE),
    multiple=True,
    required=True,
    metavar="SET BINNER TABLE",
    help="Name of a --set, of a binner, and its bins; repeatable.",
)
@tsv_option
def main(sets: list[ResultSet], given: tuple[tuple[str, str, Path], ...], tsv: Path | None) -> None:
    """Refine the bins of other binners."""
    table = ResultTable(tsv and tsv.resolve(), ("set", "bins", "refined"))
    for one in sets:
        binners = {name: path.resolve() for of_set, name, path in given if of_set == one.name}
        if not binners:
            raise click.BadParameter(f"no --bins of set {one.name!r}")
        with tempfile.TemporaryDirectory() as folder:
            add_rows(table, one, binners, read_truth(one.truth), Path(folder))


if __name__ == "__main__":
    main()
