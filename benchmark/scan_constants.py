#!/usr/bin/env python3
"""Halve and double every constant of the refinement, one at a time, from Binloom's own clusters.

In: for each --set a group's results of the pipeline (refine_mode evidence). Out: a row for each set, constant and
factor, on stdout as Markdown and, with --tsv, in a file: the value, the genomes by recall in bins of at least
--min_bin_size, weighted purity, and the bases (Mbp) of contigs whose bins are others than with all constants as they
are. The first row of a set is that of all constants as they are. summarise_constants.py sums up such a file.

The constants are all names in capitals that the modules of the refinement define as numbers, and those of homologs.py
that choose seeds, for which the homologs are made anew. Of a probability above a half and of a ratio just above 1, the
distance to 1 is halved and doubled. A constant is replaced in every module that uses it.
"""

import contextlib
import importlib
import io
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from project import ResultSet, command_words, set_option
from refine_runs import refined_bins, replaced
from result_tables import ResultTable, tsv_option
from score import MIN_BIN_SIZE, Truth, bin_size, read_truth, score_bins

MODULES = (
    "coverage_evidence", "bin_model", "cluster_sides", "split_by_homologs", "split_by_coverage", "split_clusters",
    "pieces", "join_clusters", "grow_clusters", "contig_evidence", "assign_contigs", "shared_contigs", "related_bins",
    "collapsed_contigs", "model_inputs", "foreign_reads", "refinement_tables", "refine",
)  # fmt: skip
NOT_SCANNED = {
    "NO_BIN": "stands for no bin",
    "BLOCK_SIZE": "bounds memory, not results",
    "MIN_UNLIKE_PROBABILITY": "chooses a word of refinement.tsv, not a bin",
    "MEAN_SEED_DISTANCE": "is N_CORES over N_KEPT_CORES of homologs.py, with which it is scanned",
}
# Probabilities above a half and ratios just above 1: the distance to 1 is scaled
NEAR_ONE = (
    "MAX_LINK_TRUST", "MIN_CONFIRMED_SEED_FRACTION", "MIN_SIDE_POSTERIOR", "MIN_SURE_FRACTION",
    "MIN_MESSAGE_POSTERIOR", "MIN_CLOSED_DEPTH_RATIO", "CLOSED_SAMPLE_FACTOR", "MAX_DEPTH_RATIO",
)  # fmt: skip
# Numbers of rounds or of things: they stay integers
COUNTS = (
    "MAX_SCATTER_CONTIGS", "TWO_COLOR_ITERATIONS", "MAX_SPLIT_ROUNDS", "MAX_COMPONENTS", "MAX_LINKED_BINS",
    "MAX_CANDIDATES", "MAX_TYPICAL_PROFILES", "MESSAGE_ROUNDS", "MAX_SHARING_BINS", "MAX_RELATIVES", "PROFILE_ROUNDS",
    "TYPICAL_COMPOSITIONS",
)  # fmt: skip
OTHER_CORE_SEEDS = (2, 3, 4, 5, 6)  # in place of 1: other draws of the cores of seeds
THIRD_BASE = 2  # of a codon: no part of a seed
SEED_CODONS = 10  # of homologs.SEED_PLACES
FACTORS = (0.5, 2.0)
RECALLS = (0.5, 0.8, 0.9, 0.95, 0.99)


class Change(NamedTuple):
    """A constant with another value; `parts` are the attributes of modules that take it."""

    constant: str
    factor: float
    value: str
    parts: dict[str, Any]
    homologs: dict[str, Any] | None = None  # attributes of homologs.py: if there are any, homologs are made anew


AS_IT_IS = Change("as it is", 1.0, "", {})


def scaled(name: str, value: Any, factor: float) -> Any:
    """Return the constant halved or doubled."""
    if name in NEAR_ONE:
        return 1 + (value - 1) * factor
    return round(value * factor) if name in COUNTS else value * factor


def shown(value: Any) -> str:
    """Return a value as a cell."""
    return " ".join(f"{x:g}" for x in np.atleast_1d(value))


def defined_constants() -> Iterator[tuple[str, str, Any]]:
    """Yield module, name and value of every constant; each once, in the module that comes first in MODULES."""
    seen = set(NOT_SCANNED)
    for module in MODULES:
        for name, value in vars(importlib.import_module(module)).items():
            number = isinstance(value, (int, float, np.ndarray)) and not isinstance(value, bool)
            if name.isupper() and number and name not in seen:
                seen.add(name)
                yield module, name, value


def refinement_changes() -> Iterator[Change]:
    """Yield the changes of the refinement's constants."""
    for module, name, value in defined_constants():
        users = [other for other in MODULES if hasattr(importlib.import_module(other), name)]
        for factor in FACTORS:
            new = scaled(name, value, factor)
            yield Change(f"{module}.{name}", factor, shown(new), {f"{user}.{name}": new for user in users})


def homolog_changes() -> Iterator[Change]:
    """Yield the changes of the constants of homologs.py; more cores make the distance between seeds smaller."""
    homologs, split = importlib.import_module("homologs"), importlib.import_module("split_by_homologs")
    for factor in FACTORS:
        cores = round(homologs.N_KEPT_CORES * factor)
        distance = {"split_by_homologs.MEAN_SEED_DISTANCE": split.MEAN_SEED_DISTANCE / factor}
        changed = {"homologs.N_KEPT_CORES": cores} | kept_cores({"homologs.N_KEPT_CORES": cores})
        yield Change("homologs.N_KEPT_CORES", factor, str(cores), distance, changed)
    for factor in FACTORS:
        most = round(homologs.MAX_CONTIGS_PER_SEED * factor)
        yield Change("homologs.MAX_CONTIGS_PER_SEED", factor, str(most), {}, {"homologs.MAX_CONTIGS_PER_SEED": most})
    for drawn in OTHER_CORE_SEEDS:
        parts = kept_cores({"homologs.KEPT_CORES_SEED": drawn})
        yield Change("homologs.KEPT_CORES_SEED", drawn, str(drawn), {}, parts)
    for factor in (0.5, 1.5):  # a seed of twenty codons has no number of 64 bits
        codons = round(SEED_CODONS * factor)
        places = np.array([place for place in range(3 * codons - 1) if place % 3 != THIRD_BASE])
        core = slice(codons - 3, codons + 3)  # the six innermost bases
        changed = {"homologs.SEED_PLACES": places, "homologs.CORE": core}
        yield Change("homologs.SEED_PLACES", factor, f"{codons} codons", {}, changed)


def kept_cores(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table of kept cores of homologs.py as it is with these parts replaced."""
    with replaced(parts):
        return {"homologs.IS_KEPT_CORE": importlib.import_module("homologs").choose_cores()}


def make_homologs(one: ResultSet, parts: Mapping[str, Any], folder: Path) -> Path:
    """Write homologs.tsv.gz of a set to a folder with attributes of homologs.py replaced."""
    homologs = importlib.import_module("homologs")
    catalogue = one.results / "catalogue"
    inputs = {"catalogue": catalogue / "catalogue.fa.gz", "contigs": catalogue / "contigs.tsv"}
    with replaced(parts), contextlib.chdir(folder), contextlib.redirect_stderr(io.StringIO()):
        homologs.main.main(command_words(**inputs), standalone_mode=False)
    return folder / "homologs.tsv.gz"


@cache
def known_truth(path: Path) -> Truth:
    """Return the truth of a set, read once."""
    return read_truth(path)


def bins_of_contigs(bins: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the bins of each contig."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, contigs in bins.items():
        for contig in contigs:
            found[contig].add(name)
    return dict(found)


def run_change(one: ResultSet, change: Change, min_bin_size: int) -> dict[str, set[str]]:
    """Return the bins of a set under a change."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"homologs": make_homologs(one, change.homologs, Path(folder))} if change.homologs else {}
        return refined_bins(one, known_truth(one.truth), change.parts, min_bin_size, **files)


def change_row(
    one: ResultSet, change: Change, bins: Mapping[str, set[str]], usual: Mapping[str, set[str]], min_bin_size: int
) -> dict[str, str]:
    """Return the row of a set under a change; `usual` are the bins with all constants as they are."""
    truth = known_truth(one.truth)
    found = score_bins(bins, truth, min_bin_size)
    now, before = bins_of_contigs(bins), bins_of_contigs(usual)
    moved = [contig for contig in now.keys() | before.keys() if now.get(contig) != before.get(contig)]
    return {
        "set": one.name,
        "constant": change.constant,
        "factor": f"{change.factor:g}",
        "value": change.value,
        **{f"recall_{recall:g}": str(found.genomes[recall]) for recall in RECALLS},
        "purity": f"{found.purity:.4f}",
        "changed_mbp": f"{bin_size(moved, truth) / 1e6:.3f}",
    }


@click.command(context_settings={"show_default": True})
@set_option
@click.option("--min_bin_size", default=MIN_BIN_SIZE, type=click.IntRange(min=0))
@click.option("--constant", "chosen", multiple=True, help="Only this one (module.NAME). Repeatable.")
@click.option("--jobs", default=1, type=click.IntRange(min=1), help="Runs at a time.")
@tsv_option
def main(sets: list[ResultSet], min_bin_size: int, chosen: tuple[str, ...], jobs: int, tsv: Path | None) -> None:
    """Refine with one constant halved or doubled at a time."""
    changes = [
        change for change in (*refinement_changes(), *homolog_changes()) if not chosen or change.constant in chosen
    ]
    if not changes:
        raise click.BadParameter(f"{', '.join(chosen)}: no such constant", param_hint="--constant")
    table = ResultTable(tsv and tsv.resolve(), ("set", "constant", "factor"))
    with ProcessPoolExecutor(jobs) as pool:
        for one in sets:
            usual = run_change(one, AS_IT_IS, min_bin_size)
            table.add(change_row(one, AS_IT_IS, usual, usual, min_bin_size))
            runs = [pool.submit(run_change, one, change, min_bin_size) for change in changes]
            for change, run in zip(changes, runs, strict=True):
                table.add(change_row(one, change, run.result(), usual, min_bin_size))


if __name__ == "__main__":
    main()
