#!/usr/bin/env python3
"""Run one trial of the preprint's experiments: encode the contigs of a group, cluster them, score the clusters.

In:  what vae.py and cluster.py read, the truth (truth_tables.py), and contigs.tsv of the other groups, which the truth
     may name too.
Out: trials.tsv (one row), genomes_found.tsv and losses.tsv (a row for each epoch) of experiment_tables.py.

The commands of the stages vae and cluster do the work, with the options that the run gives them and those of the trial
behind them. Raw contigs are clustered by the very columns that the network would see.
"""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import NamedTuple

import click
import torch

from bin_scores import PRECISIONS, Pair, Truth, found_in, genome_bin_pairs, score_pairs
from cluster import main as cluster_points
from contig_names import ContigNames
from experiment_tables import (
    ENCODERS,
    LOSSES,
    OPTIONS,
    SEARCH_RECALLS,
    TRIAL_GENOMES,
    TRIAL_RECALLS,
    TRIALS,
)
from message_text import shown
from network import Hyperparameters, used_columns, weight_of_composition
from stage_arrays import (
    FEATURES,
    LATENT,
    LATENT_DESCRIPTION,
    THRESHOLD,
    read_description,
    write_description,
    write_matrix,
)
from stage_tables import CLUSTERS, CONTIGS, HELD_OUT_TRAINING, TRAINING, read_table
from table_output import write_rows
from truth_tables import read_truth
from vae import main as train_network
from vae import read_features

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FEATURE_FILES = ("tnf", "abundance", "depth_file", "rows", "features")


class Encoded(NamedTuple):
    """What is known of an encoding beside the latent: its columns, the network's hyperparameters, its losses."""

    columns: int
    hyperparameters: list[float | None]  # in the order of OPTIONS
    losses: list[list[float]]  # by epoch


def read_settings(words: list[str]) -> Hyperparameters:
    """Return the settings that options of vae.py stand for."""
    values = train_network.make_context("vae.py", list(words)).params
    return Hyperparameters(**{field.name: values[field.name] for field in fields(Hyperparameters)})


def train_and_encode(words: list[str], settings: Hyperparameters, n_samples: int) -> Encoded:
    """Write the latent of a network with these options of vae.py."""
    train_network.main(words, standalone_mode=False)
    losses = read_table(HELD_OUT_TRAINING if settings.held_out else TRAINING, Path("training.tsv"))
    values = {**asdict(settings), "epochs": len(losses), "alpha": weight_of_composition(n_samples, settings)}
    losses = losses.reindex(columns=[column.name for column in LOSSES.columns[2:]])
    return Encoded(
        settings.latent_size, [float(values[option]) for option in OPTIONS.values()], losses.to_numpy().tolist()
    )


def write_raw(files: Mapping[str, Path], settings: Hyperparameters, n_samples: int) -> Encoded:
    """Write the input of the network in place of a latent."""
    rows, _, content = read_features(*(files[name] for name in FEATURE_FILES), settings, torch.device("cpu"))
    matrix = rows[:].numpy()[:, used_columns(n_samples, settings)]
    write_matrix(LATENT, matrix)
    write_description(LATENT_DESCRIPTION, {"rows_sha256": content["rows_sha256"]})
    return Encoded(matrix.shape[1], [None] * len(OPTIONS), [])


def read_clusters(truth: Truth) -> dict[str, set[str]]:
    """Return what the clusters that were found here hold of the contigs with truth."""
    table = read_table(CLUSTERS, Path("clusters.tsv"), ["cluster", "contig"])
    known = table[table["contig"].isin(truth.length)]
    return {name: set(contigs) for name, contigs in known.groupby("cluster", sort=False)["contig"]}


def best_f1(pairs: list[Pair], truth: Truth, min_bin_size: int) -> float:
    """Return the mean over the genomes of the best F1 that a bin of at least `min_bin_size` has, 0 if there is none."""
    best = dict.fromkeys(truth.genome_sizes(), 0.0)
    for pair in pairs:
        if pair.bin_size >= min_bin_size:
            best[pair.genome] = max(best[pair.genome], pair.f1)
    return sum(best.values()) / len(best)


def score_clusters(truth: Truth, min_bin_size: int) -> tuple[list[float], list[list[float]]]:
    """Return the numbers of trials.tsv from `clusters` on, and the rows of genomes_found.tsv from `precision` on."""
    bins = read_clusters(truth)
    pairs = list(genome_bin_pairs(bins, truth))
    score = score_pairs(pairs, bins, truth, min_bin_size)
    found = [
        [len(found_in(pairs, recall, precision, min_bin_size)) for recall in TRIAL_RECALLS] for precision in PRECISIONS
    ]
    searched = [n for n, recall in zip(found[0], TRIAL_RECALLS) if recall in SEARCH_RECALLS]
    threshold = read_description(THRESHOLD, Path("threshold.json"), ["threshold"])["threshold"]
    numbers = [len(bins), threshold, len(truth.genome_sizes()), sum(searched) / len(searched)]
    numbers += [best_f1(pairs, truth, min_bin_size), score.purity, score.completeness]
    return numbers, [[precision, *row] for precision, row in zip(PRECISIONS, found)]


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--group", required=True, help="Id of the group.")
@click.option("--trial", required=True, help="Name of the trial.")
@click.option("--experiments", required=True, help="Names of the experiments that it is part of.")
@click.option("--encoder", default="vae", type=click.Choice(ENCODERS), help="What is clustered.")
@click.option("--vae_options", default="", help="Options of vae.py, in one text.")
@click.option("--cluster_options", default="", help="Options of cluster.py, in one text.")
@click.option("--tnf", required=True, type=FILE, help="tnf.npy")
@click.option("--abundance", required=True, type=FILE, help="abundance.npy")
@click.option("--depth_file", required=True, type=FILE, help="depth.npy")
@click.option("--rows", required=True, type=FILE, help="rows.tsv")
@click.option("--features", required=True, type=FILE, help="features.json")
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv")
@click.option("--other_contigs", multiple=True, type=FILE, help="contigs.tsv of another group; repeatable.")
@click.option("--truth", "truth_file", required=True, type=FILE, help="Genomes of the contigs.")
@click.option(
    "--min_bin_size", default=200_000, type=click.IntRange(0, 1_000_000_000), help="Smaller clusters find no genome."
)
def main(
    group: str, trial: str, experiments: str, encoder: str, vae_options: str, cluster_options: str,
    contigs: Path, other_contigs: tuple[Path, ...], truth_file: Path, min_bin_size: int, **files: Path,
) -> None:  # fmt: skip
    """Encode, cluster and score; write trials.tsv, genomes_found.tsv and losses.tsv here."""
    table = read_table(CONTIGS, contigs)
    names = ContigNames(table, [read_table(CONTIGS, other) for other in other_contigs])
    truth = read_truth(truth_file, names, table)
    if not truth.length:
        problem = f"names no contig of group {shown(group)}, whose clusters are to be scored"
        raise click.ClickException(f"{truth_file}: {problem}; give the genomes of all groups")
    words = [word for name in FEATURE_FILES for word in (f"--{name}", str(files[name]))] + shlex.split(vae_options)
    settings = read_settings(words)
    n_samples = len(read_description(FEATURES, files["features"], ["samples"])["samples"])
    if encoder == "raw":
        encoded = write_raw(files, settings, n_samples)
    else:
        encoded = train_and_encode(words, settings, n_samples)
    words = ["--latent", "latent.npy", "--latent_json", "latent.json", "--rows", str(files["rows"])]
    cluster_points.main([*words, "--contigs", str(contigs), *shlex.split(cluster_options)], standalone_mode=False)
    numbers, found = score_clusters(truth, min_bin_size)
    row = [group, trial, experiments, encoder, settings.inputs, *encoded.hyperparameters, encoded.columns, *numbers]
    write_rows(TRIALS, [row])
    write_rows(TRIAL_GENOMES, [[group, trial, *row] for row in found])
    write_rows(LOSSES, [[group, trial, *row] for row in encoded.losses])


if __name__ == "__main__":
    main()
