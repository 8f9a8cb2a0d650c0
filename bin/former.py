#!/usr/bin/env python3
"""Hold the files that a run takes from a former run's results against its own contigs and samples.

In:  contigs.tsv of this run and of the former one (catalogue stage); the samples that the sample sheet has for the
     group, none if it has an abundance table; of what is taken, features.json and rows.tsv (features stage),
     latent.json (vae stage) and clusters.tsv (cluster stage).
Out: nothing. The first file that does not fit is an error that names it and the remedy.

Arrays are held against these tables by the stages that read them (stage_arrays.py).
"""

import itertools
from pathlib import Path
from typing import Any

import click
import pandas as pd

from message_text import shown
from stage_arrays import FEATURES, LATENT_DESCRIPTION, check_hash, read_description
from stage_tables import CLUSTERS, CONTIGS, ROWS, check_contigs, read_table
from stage_warnings import warn

ANEW = "or run without --former_results"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def described(contig: Any | None) -> str:
    """Return how a message names a row of contigs.tsv; None stands for a row that is not there."""
    return f"contig {shown(contig.contig)} of {contig.length} bp" if contig else "no further contig"


def check_same_contigs(former_path: Path, former: pd.DataFrame, contigs: pd.DataFrame) -> None:
    """Raise ClickException for the first row in which the former run's contigs.tsv is not that of this run."""
    if former.equals(contigs):
        return
    pairs = itertools.zip_longest(former.itertuples(index=False), contigs.itertuples(index=False))
    row, (found, wanted) = next(pair for pair in enumerate(pairs, 1) if pair[1][0] != pair[1][1])
    raise click.ClickException(
        f"{former_path}: row {row}: the former run has {described(found)} in this group, this run has "
        f"{described(wanted)}: give the assemblies of the former run, {ANEW}"
    )


def check_samples(path: Path, features: dict, samples: tuple[str, ...]) -> None:
    """Raise ClickException if features.json is of samples that this run does not have; warn of those that it lacks."""
    is_table = features["mapped_reads"] is None
    if is_table != (not samples):
        former, own = ("an abundance table", "samples") if is_table else ("samples", "an abundance table")
        raise click.ClickException(f"{path}: is of {former}, but this run has {own}: give the former sheets, {ANEW}")
    further = [] if is_table else sorted({*features["samples"]} - {*samples})
    if further:
        raise click.ClickException(
            f"{path}: is of sample {shown(further[0])}, too, which the sample sheet lacks: give the former sample "
            "sheet, or start at counts"
        )
    for sample in sorted({*samples} - {*features["samples"]}):
        warn(f"sample {sample!r} is not in the features of the former run: it has no part in the bins")


def check_clusters(path: Path, rows: pd.DataFrame, rows_path: Path) -> None:
    """Raise ClickException unless clusters.tsv is of these contigs and of the cluster stage: it has numbers alone."""
    clusters = read_table(CLUSTERS, path, ["cluster", "contig", "assembly"])
    check_contigs(path, clusters, pd.Index(rows["contig"]), f"in {rows_path}")
    is_given = ~clusters["cluster"].str.isdecimal()
    if is_given.any():
        cluster = clusters["cluster"][is_given].iloc[0]
        raise click.ClickException(
            f"{path}: row {int(is_given.argmax()) + 1}: cluster {shown(cluster)} is of bins that the former run was "
            "given: name these in the column bins of the assembly sheet, or start at latent"
        )


@click.command()
@click.option("--contigs", "contigs_path", required=True, type=FILE, help="contigs.tsv of this run.")
@click.option("--former_contigs", required=True, type=FILE, help="contigs.tsv of the former run.")
@click.option("--sample", "samples", multiple=True, help="Id of a sample of the group; repeatable.")
@click.option("--features", type=FILE, help="features.json, if features are taken.")
@click.option("--rows", "rows_path", type=FILE, help="rows.tsv, if features are taken.")
@click.option("--latent_json", type=FILE, help="latent.json, if latent points are taken.")
@click.option("--clusters", type=FILE, help="clusters.tsv, if clusters are taken.")
def main(
    contigs_path: Path,
    former_contigs: Path,
    samples: tuple[str, ...],
    features: Path | None,
    rows_path: Path | None,
    latent_json: Path | None,
    clusters: Path | None,
) -> None:
    """Check that the files of a former run are of the contigs and samples of a group."""
    if (features is None) != (rows_path is None) or (features is None and (latent_json or clusters)):
        raise click.UsageError("--latent_json and --clusters need --features and --rows, and these need each other")
    contigs = read_table(CONTIGS, contigs_path)
    check_same_contigs(former_contigs, read_table(CONTIGS, former_contigs), contigs)
    if features is None or rows_path is None:
        return
    rows = read_table(ROWS, rows_path)
    content = read_description(FEATURES, features, ["samples", "rows_sha256", "contigs_sha256", "mapped_reads"])
    check_hash(features, content["contigs_sha256"], contigs["contig"], contigs_path)
    check_hash(features, content["rows_sha256"], rows["contig"], rows_path)
    check_samples(features, content, samples)
    if latent_json:
        latent = read_description(LATENT_DESCRIPTION, latent_json, ["rows_sha256"])
        check_hash(latent_json, latent["rows_sha256"], rows["contig"], rows_path)
    if clusters:
        check_clusters(clusters, rows, rows_path)


if __name__ == "__main__":
    main()
