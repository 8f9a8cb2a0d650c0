#!/usr/bin/env python3
"""Measure what each part of the refinement, and the posterior that a bin asks for, is worth.

In: for each --set a group's results of the pipeline (refine_mode evidence). Out: a row for each set and variant, on
stdout as Markdown and, with --tsv, in a file: the genomes by recall in bins of at least --min_bin_size, and purity. In
each variant one part of bin/refine.py is switched off, or --min_posterior is another.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from project import ResultSet, set_option
from refine_runs import WITHOUT, refined_bins
from result_tables import FILE, ResultTable, tsv_option
from score import MIN_BIN_SIZE, read_truth, score_row

POSTERIORS = ("0.5", "0.7", "0.8", "0.9", "0.95", "0.99")


def nothing_joined(_: Any, __: Any, n_bins: int) -> np.ndarray:
    """Stand in for join_pieces and merge_linked_bins: every bin is a part of itself."""
    return np.arange(n_bins)


def no_bin_closed(bins: Any, *_: Any) -> np.ndarray:
    """Stand in for closed_bins."""
    return np.zeros(len(bins.density), dtype=bool)


def no_family_evidence(small: Any, large: Any) -> np.ndarray:
    """Stand in for family_evidence."""
    return np.zeros((len(small.density), len(large.density)))


def no_bin_split(part: np.ndarray, merged: np.ndarray, names: np.ndarray, *_: Any) -> tuple[np.ndarray, ...]:
    """Stand in for start_anew: contigs are assigned again from where they were."""
    return part, merged, names


def nothing_shared(*given: np.ndarray) -> np.ndarray:
    """Stand in for shared_clusters: what two bins share may grow into a bin."""
    return np.zeros(len(given[-1]), dtype=bool)


def no_excess(edits: np.ndarray, *_: Any) -> np.ndarray:
    """Stand in for excess_edits: all reads on a contig count as its own."""
    return np.zeros_like(edits)


def returns(value: Any) -> Callable:
    """Return a function that gives this value whatever it is given."""
    return lambda *_: value


# Name of the variant -> what is replaced in the modules of bin/
PARTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no links": {"bin_model.MAX_LINK_TRUST": 0.0},
    "no pairs of reads": WITHOUT["pairs"],
    "no graph": WITHOUT["graph"],
    "no pairs of reads, no graph": WITHOUT["pairs"] | WITHOUT["graph"],
    "no composition": {"bin_model.TETRANUCLEOTIDE_WEIGHT": 0.0},
    "no typical compositions": WITHOUT["typical compositions"],
    "no siblings": {"assign_contigs.SIBLING_PRIOR": 1e-12},
    "one scatter for all bins and samples (0.15)": {"coverage_evidence.SCATTER_GRID": np.array([0.15])},
    "no cluster split": {
        "split_clusters.two_genome_sides": returns(None),
        "split_clusters.two_coverage_sides": returns(None),
    },
    "no cluster split by coverage": {"split_clusters.two_coverage_sides": returns(None)},
    "no bin split once contigs are assigned": {"refine.start_anew": no_bin_split},
    "no marker genes": {"pieces.family_evidence": no_family_evidence},
    "no pieces joined": {"join_clusters.join_pieces": nothing_joined},
    "no small cluster grows": {"refine.MIN_SMALL_FRACTION": 1},
    "what two bins share grows": {"refine.shared_clusters": nothing_shared},
    "no whole bins joined": {"join_clusters.merge_linked_bins": nothing_joined},
    "no bin closed": {"assign_contigs.closed_bins": no_bin_closed},
    "mismatches not looked at": {"model_inputs.excess_edits": no_excess},
    "no shared contigs": {"assign_contigs.find_shared_contigs": returns({})},
    "nothing collapsed": {
        "assign_contigs.related_groups": returns([]),
        "collapsed_contigs.groups_of_relatives": returns([]),
    },
}
VARIANTS = [*PARTS, *(f"--min_posterior {value}" for value in POSTERIORS)]


@click.command(context_settings={"show_default": True})
@set_option
@click.option("--clusters", type=FILE, help="Bins to start from, in place of the run's clusters.tsv.")
@click.option("--min_bin_size", default=MIN_BIN_SIZE, type=click.IntRange(min=0))
@click.option("--variant", "chosen", multiple=True, type=click.Choice(VARIANTS), help="Only this one. Repeatable.")
@tsv_option
def main(
    sets: list[ResultSet], clusters: Path | None, min_bin_size: int, chosen: tuple[str, ...], tsv: Path | None
) -> None:
    """Refine with one part changed at a time."""
    files = {"clusters": clusters.resolve()} if clusters else {}
    table = ResultTable(tsv and tsv.resolve(), ("set", "variant"))
    for one in sets:
        truth = read_truth(one.truth)
        for name in chosen or VARIANTS:
            options = [] if name in PARTS else name.split()
            bins = refined_bins(one, truth, PARTS.get(name, {}), min_bin_size, options, **files)
            table.add(score_row({"set": one.name, "variant": name}, bins, truth, min_bin_size))


if __name__ == "__main__":
    main()
