#!/usr/bin/env python3
"""Measure what each step from the preprint to the defaults is worth, in bins of communities with known truth.

In: for each --set a group's results of the pipeline. Out: a row for each variant and set, on stdout as Markdown and,
with --tsv, in a file: the genomes at a precision and recall of at least 0.9 and the weighted purity of the clusters
(those of at least 200 kbp), and of the bins after refinement, which takes apart and joins clusters in every variant but
the last. Medians over the seeds; least and most genomes of a seed.
"""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from project import ResultSet, preset_options, refine_files, run_stage, set_option
from refine_runs import read_refined
from result_tables import ResultTable, tsv_option
from score import Score, Truth, large_bins, read_bins, read_truth, score_bins
from trained_clusters import cluster, train

RECALL = 0.9


class Variant(NamedTuple):
    """Options of vae.py, share of the estimated threshold, whether clusters of two relatives are taken apart."""

    options: Sequence[str] = ()
    scale: str = "0.5"
    apart: bool = True


PREPRINT = preset_options("preprint")
PLAIN = ["--no_depth", "--no_length_weights", "--no_unit_variance", "--alpha", "0.05"]
# Each has what the one before it has, down to the default
VARIANTS = {
    "preprint": Variant(PREPRINT, "1"),
    "+ clusters cut at half of the threshold": Variant(PREPRINT),
    "+ a cycle of the rate in 60 epochs": Variant(PLAIN),
    "+ depth as an input": Variant(PLAIN[1:]),
    "+ length weights": Variant(PLAIN[2:]),
    "+ alpha 0.15": Variant(["--no_unit_variance"]),
    "+ unit variance: the default": Variant(),
    "the default, clusters as wide as the threshold": Variant(scale="1"),
    "the default, no cluster taken apart": Variant(apart=False),
}


def trained_folder(one: ResultSet, options: Sequence[str], seed: int, folder: Path) -> Path:
    """Return the folder of the latent of these options, trained there unless it was before."""
    trained = folder / one.name / str(seed) / ("_".join(options) or "default")
    if not (trained / "latent.json").exists():
        trained.mkdir(parents=True)
        train(one.results / "features", options, seed, trained)
    return trained


def evaluate(one: ResultSet, truth: Truth, trained: Path, variant: Variant, seed: int) -> tuple[Score, ...]:
    """Cluster and refine; return the scores of the clusters and of the refined bins."""
    files = refine_files(one.results, one.assembly) | {"clusters": Path("clusters.tsv")}
    if not variant.apart:
        del files["homologs"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cluster(one.results, trained, seed, folder, variant.scale)
        run_stage("refine.py", folder, assembly=one.assembly, **files)
        bins = read_bins(folder / "clusters.tsv", truth, one.assembly), read_refined(folder / "refinement.tsv", truth)
        return tuple(score_bins(large_bins(found, truth), truth) for found in bins)


def cells(scores: list[Score], what: str) -> dict[str, str]:
    """Return the columns of clusters or refined bins: the median, least and most genomes, and the median purity."""
    genomes = [found.genomes[RECALL] for found in scores]
    return {
        f"{what}_genomes": f"{statistics.median(genomes):g}",
        f"{what}_least": str(min(genomes)),
        f"{what}_most": str(max(genomes)),
        f"{what}_purity": f"{statistics.median(found.purity for found in scores):.3f}",
    }


@click.command(context_settings={"show_default": True})
@set_option
@click.option("--seeds", default="1,2,3", help="Comma-separated.")
@tsv_option
def main(sets: list[ResultSet], seeds: str, tsv: Path | None) -> None:
    """Run every variant on every set with every seed."""
    numbers = [int(seed) for seed in seeds.split(",")]
    table = ResultTable(tsv, ("set", "variant"))
    with tempfile.TemporaryDirectory() as folder:
        for one in sets:
            truth = read_truth(one.truth)
            for name, variant in VARIANTS.items():
                pairs = [
                    evaluate(one, truth, trained_folder(one, variant.options, seed, Path(folder)), variant, seed)
                    for seed in numbers
                ]
                clusters, refined = ([pair[part] for pair in pairs] for part in (0, 1))
                table.add(
                    {"set": one.name, "variant": name, **cells(clusters, "clusters"), **cells(refined, "refined")}
                )


if __name__ == "__main__":
    main()
