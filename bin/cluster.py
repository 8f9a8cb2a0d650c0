#!/usr/bin/env python3
"""Cut the latent space of a group into clusters of contigs.

In:  latent.npy (n x N_L float32), latent.json (`rows_sha256`), rows.tsv (`contig, length`: the rows of the latent),
     contigs.tsv (`contig, assembly, name, length`: all contigs of the group).
Out: clusters.tsv (`cluster, contig, assembly, name`; clusters numbered as found, the first row of each is its medoid;
     contigs left over by --max_clusters have no row) and threshold.json.

Implements "Determination of clustering threshold" (distance_threshold.py) and "Clustering" (medoid_clusters.py) of the
VAMB preprint (Nissen et al. 2018, doi:10.1101/490078). Seeds are taken from the longest contig to the shortest, where
the text says "arbitrarily".

A row of equal values has no correlation with any other. It is a cluster of its own, and neither a seed nor a point of
the threshold's densities.
"""

import itertools
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch

from distance_threshold import choose_threshold, estimate_threshold, warn_if_unchecked
from medoid_clusters import medoid_clusters
from message_text import shown
from pearson_distance import standardise
from stage_arrays import (
    LATENT,
    LATENT_DESCRIPTION,
    THRESHOLD,
    check_hash,
    read_description,
    read_matrix,
    write_description,
)
from stage_tables import CLUSTERS, CONTIGS, ROWS, check_contigs, read_table
from table_output import write_table

LATENT_DIMENSIONS = 2  # of the array: rows and latent neurons
INPUT_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def read_latent(latent: Path, latent_json: Path, rows: pd.DataFrame, rows_path: Path) -> np.ndarray:
    """Return the latent matrix; raise ClickException if it is not finite or not of these rows."""
    description = read_description(LATENT_DESCRIPTION, latent_json, ["rows_sha256"])
    check_hash(latent_json, description["rows_sha256"], rows["contig"], rows_path)
    return read_matrix(LATENT, latent, rows["contig"], rows_path)


def join_contigs(rows: pd.DataFrame, contigs: pd.DataFrame, rows_path: Path, contigs_path: Path) -> pd.DataFrame:
    """Return `contig, assembly, name` of each row; raise ClickException for the first contig absent or different."""
    known = contigs.set_index("contig")
    check_contigs(rows_path, rows, known.index, f"in {contigs_path}")
    lengths = known["length"].loc[rows["contig"]].to_numpy()
    differs = lengths != rows["length"].to_numpy()
    if differs.any():
        row = int(differs.argmax())
        contig, length = rows[["contig", "length"]].iloc[row]
        raise click.ClickException(
            f"{rows_path}: row {row + 1} (contig {shown(contig)}): has a length of {length} bp, not of "
            f"{lengths[row]} bp as in {contigs_path}; give both from the same run"
        )
    return known.loc[rows["contig"], ["assembly", "name"]].reset_index()


def log_threshold(report: dict, n_contigs: int) -> None:
    """Log the threshold and how the seeds voted."""
    click.echo(
        f"{n_contigs} contigs; threshold {report['threshold']:.4g} ({report['source']}): of {report['seeds']} seeds "
        f"{report['seeds_with_valley']} show a valley, {report['seeds_with_fallback']} the fallback, "
        f"{report['seeds_undefined']} neither.",
        err=True,
    )


def write_clusters(clusters: list[np.ndarray], names: pd.DataFrame) -> int:
    """Write clusters.tsv of clusters (row numbers) and the rows' names; return the number of contigs in it."""
    members = np.concatenate(clusters) if clusters else np.empty(0, dtype=np.int64)
    assigned = names.iloc[members].copy()
    assigned.insert(0, "cluster", np.repeat(np.arange(1, len(clusters) + 1), [len(c) for c in clusters]))
    write_table(CLUSTERS, assigned)
    return len(members)


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--latent", required=True, type=INPUT_FILE, help="latent.npy")
@click.option("--latent_json", required=True, type=INPUT_FILE, help="latent.json")
@click.option("--rows", required=True, type=INPUT_FILE, help="rows.tsv")
@click.option("--contigs", required=True, type=INPUT_FILE, help="contigs.tsv")
@click.option(
    "--threshold_seeds", default=2500, type=click.IntRange(1, 1_000_000), help="Seeds that vote on the threshold."
)
@click.option(
    "--max_close_contigs",
    default=2500,
    type=click.IntRange(1, 10_000_000),
    help="Take a seed's threshold only if fewer contigs are closer.",
)
@click.option(
    "--medoid_patience", default=15, type=click.IntRange(1, 1_000_000), help="Futile draws that end a search."
)
@click.option(
    "--max_clusters", type=click.IntRange(1, 1_000_000_000), help="Stop after this many clusters; all if not given."
)
@click.option(
    "--threshold_scale",
    default=1.0,
    type=click.FloatRange(0, 2, min_open=True),
    help="Cut clusters at this share of the estimated threshold.",
)
@click.option(
    "--distance_threshold",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Use this threshold in place of the estimated one.",
)
@click.option("--seed", default=1, type=click.IntRange(0, 2**63 - 1), help="Seed of all random draws.")
@click.option("--threads", default=1, type=click.IntRange(min=1), help="CPU threads.")
def main(
    latent: Path, latent_json: Path, rows: Path, contigs: Path, threshold_seeds: int, max_close_contigs: int,
    medoid_patience: int, max_clusters: int | None, threshold_scale: float, distance_threshold: float | None,
    seed: int, threads: int,
) -> None:  # fmt: skip
    """Cluster a group's latent space; write clusters.tsv and threshold.json here."""
    torch.set_num_threads(1)  # the worker threads are all the threads that there may be
    # Two streams, so that the draws of the medoids do not depend on how many seeds voted on the threshold.
    threshold_rng, medoid_rng = np.random.default_rng(seed).spawn(2)
    table = read_table(ROWS, rows)
    names = join_contigs(table, read_table(CONTIGS, contigs), rows, contigs)
    scaled, varies = standardise(read_latent(latent, latent_json, table, rows))
    points = torch.from_numpy(scaled)
    by_length = np.argsort(-table["length"].to_numpy(), kind="stable")
    del scaled, table  # beside the points that are searched, nothing large is kept

    varied = points if varies.all() else points[torch.from_numpy(varies)]
    summary = estimate_threshold(varied, threshold_seeds, max_close_contigs, threshold_rng, threads)
    report = choose_threshold(summary, distance_threshold, threshold_scale)
    log_threshold(report, len(names))
    warn_if_unchecked(report, len(varied), max_close_contigs)

    seeds = by_length[varies[by_length]]
    found = medoid_clusters(points, seeds, report["threshold"], medoid_patience, medoid_rng, threads)
    del points, varied
    clusters = list(itertools.islice(found, max_clusters))
    clusters += [np.array([row]) for row in by_length[~varies[by_length]]]
    clusters = clusters[:max_clusters]
    n_clustered = write_clusters(clusters, names)
    write_description(THRESHOLD, {**report, "seed": seed})
    left = len(names) - n_clustered
    click.echo(f"{n_clustered} contigs in {len(clusters)} clusters, {left} left unclustered.", err=True)


if __name__ == "__main__":
    main()
