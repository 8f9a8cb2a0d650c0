#!/usr/bin/env python3
"""Make the results of a run of fewer samples from those of a run of all: the same, without mapping reads again.

In: RESULTS, a group's results of the pipeline. Out: OUT, a folder as that of a group's results, with features, latent
and clusters of these samples alone; what does not depend on samples is linked to. Other scripts take it for --set.
"""

from pathlib import Path

import click

from project import run_stage
from result_tables import FOLDER
from trained_clusters import cluster, train

LINKED = ("catalogue", "homologs", "markers", "refine")  # of the assemblies alone; of refine, the graph


@click.command(context_settings={"show_default": True})
@click.argument("results", type=FOLDER)
@click.argument("out", type=FOLDER)
@click.option("--samples", required=True, help="Ids, separated by commas.")
@click.option("--seed", default=1)
def main(results: Path, out: Path, samples: str, seed: int) -> None:
    """Make the results of a run of these samples of RESULTS in OUT."""
    results, features = results.resolve(), (out / "features").resolve()
    features.mkdir(parents=True)
    for name in LINKED:
        (out / name).symlink_to(results / name)
    contigs = results / "catalogue/contigs.tsv"
    words = []
    for sample in samples.split(","):
        for option, kind in (("counts", "counts.tsv.gz"), ("mapping", "mapping.tsv"), ("pairs", "pairs.tsv.gz")):
            words += [f"--{option}", str(results / f"abundance/{sample}.{kind}")]
    run_stage("features.py", features, words, catalogue=results / "catalogue/catalogue.fa.gz", contigs=contigs)
    train(features, [], seed, out)
    cluster(out.resolve(), out.resolve(), seed, out)


if __name__ == "__main__":
    main()
