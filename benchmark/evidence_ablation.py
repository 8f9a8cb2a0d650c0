#!/usr/bin/env python3
"""Measure what four kinds of evidence are worth, each alone and all together.

In: for each --set a group's results of the pipeline. Each seed trains, clusters and refines anew. Out: a row for each
set and variant, on stdout as Markdown and, with --tsv, in a file: the genomes at a precision and recall of at least 0.9
in bins of at least 200 kbp and the weighted purity, as medians over the seeds, and the least and most genomes of a
seed. The four are switched off in all but the variants that name them; the rest of the refinement stays as it is.
"""

import tempfile
from pathlib import Path
from typing import Any

import click

from ablation import cells
from project import ResultSet, set_option
from refine_parts import PARTS
from refine_runs import refined_bins
from result_tables import ResultTable, tsv_option
from score import Score, Truth, read_truth, score_bins
from trained_clusters import cluster, train

NONE, ALL = "none of these", "all of these"
# Name of the evidence -> what is replaced in the modules of bin/ to do without it
WITHOUT: dict[str, dict[str, Any]] = {
    "splits by coverage": PARTS["no cluster split by coverage"],
    "marker genes": PARTS["no marker genes"],
    "pairs of reads": PARTS["no pairs of reads"],
    "a higher posterior for long contigs of one sample": {"assign_contigs.SINGLE_SAMPLE_DOUBT": 1.0},
}
VARIANTS = {NONE: set(WITHOUT), **{f"only {name}": set(WITHOUT) - {name} for name in WITHOUT}, ALL: set()}


def own_clusters(one: ResultSet, seed: int, folder: Path) -> Path:
    """Train and cluster with a seed, both with the defaults; return the path of clusters.tsv."""
    folder.mkdir()
    train(one.results / "features", [], seed, folder)
    cluster(one.results, folder, seed, folder)
    return folder / "clusters.tsv"


def refined_score(one: ResultSet, truth: Truth, clusters: Path, missing: set[str]) -> Score:
    """Refine these clusters without the missing kinds of evidence; return the score of the bins."""
    parts = {name: value for kind in missing for name, value in WITHOUT[kind].items()}
    return score_bins(refined_bins(one, truth, parts, clusters=clusters), truth)


@click.command(context_settings={"show_default": True})
@set_option
@click.option("--seeds", default="1,2,3", help="Comma-separated.")
@tsv_option
def main(sets: list[ResultSet], seeds: str, tsv: Path | None) -> None:
    """Refine the clusters of each seed with every variant."""
    table = ResultTable(tsv and tsv.resolve(), ("set", "variant"))
    for one in sets:
        truth = read_truth(one.truth)
        with tempfile.TemporaryDirectory() as folder:
            clusters = [own_clusters(one, int(seed), Path(folder) / seed) for seed in seeds.split(",")]
            for name, missing in VARIANTS.items():
                scores = [refined_score(one, truth, path, missing) for path in clusters]
                table.add({"set": one.name, "variant": name, **cells(scores, "refined")})


if __name__ == "__main__":
    main()
