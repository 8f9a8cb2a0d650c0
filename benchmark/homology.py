#!/usr/bin/env python3
"""Measure how much of their genes contigs of one genome, and of different ones, have in common (homologs stage).

In: a group's results (catalogue/contigs.tsv, homologs/homologs.tsv.gz), truth. Out, on stdout as Markdown and, with
--tsv and --genomes_tsv, in files: for each class of lengths, the share of the contigs of one genome that share more
than a tenth of their seeds with others of their genome, and with those of other genomes; for each genome of at least
1 Mbp, the share of seeds that it has in common within itself and with the nearest other genome (of the smaller one's).
A contig has a seed in 64 bp. The contigs are those of a co-assembly.
"""

from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import pandas as pd

from result_tables import FOLDER, ResultTable, tsv_option

SEED_DISTANCE = 64  # bp
LENGTHS = (500, 1000, 2000, 5000, 20_000, 10**9)  # bp
MUCH = 0.1
LARGE = 1_000_000  # bp
TABLE = {"sep": "\t", "dtype": str, "keep_default_na": False}


def read_pairs(results: Path, truth: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the contigs of one genome each (length, genome), and their homologs, each pair from both of its ends."""
    known = pd.read_csv(truth, header=None, usecols=[0, 1], names=["contig", "genome"], **TABLE)
    known = known.drop_duplicates("contig", keep=False).set_index("contig")
    contigs = pd.read_csv(results / "catalogue/contigs.tsv", **TABLE).set_index("contig")
    contigs = contigs[["length"]].astype(int).join(known, how="inner")
    homologs = pd.read_csv(results / "homologs/homologs.tsv.gz", **TABLE).astype({"shared": int})
    both = pd.concat([homologs, homologs.rename(columns={"contig_1": "contig_2", "contig_2": "contig_1"})])
    both = both[both["contig_1"].isin(contigs.index) & both["contig_2"].isin(contigs.index)]
    first, second = (both[name].map(contigs["genome"]) for name in ("contig_1", "contig_2"))
    return contigs, both.assign(genome_1=first, genome_2=second)


def add_lengths(contigs: pd.DataFrame, pairs: pd.DataFrame, table: ResultTable) -> None:
    """Add the rows of the classes of lengths."""
    length, same = contigs["length"], pairs["genome_1"] == pairs["genome_2"]
    much = {}
    for name, rows in (("own_genome", pairs[same]), ("others", pairs[~same])):
        shared = rows.groupby("contig_1")["shared"].sum().reindex(length.index, fill_value=0)
        much[name] = shared / (length / SEED_DISTANCE) > MUCH
    for least, below in pairwise(LENGTHS):
        chosen = (length >= least) & (length < below)
        bounds = {"bp_from": least, "bp_below": below if below < LENGTHS[-1] else "-"}
        table.add(
            bounds | {"contigs": chosen.sum()} | {name: f"{rows[chosen].mean():.3f}" for name, rows in much.items()}
        )


def add_genomes(contigs: pd.DataFrame, pairs: pd.DataFrame, table: ResultTable) -> None:
    """Add the rows of the genomes."""
    size = contigs.groupby("genome")["length"].sum()
    names = size.index[size >= LARGE]
    common = pairs.groupby(["genome_1", "genome_2"])["shared"].sum().unstack(fill_value=0)
    common = common.reindex(index=names, columns=names, fill_value=0) * SEED_DISTANCE
    smaller = np.minimum.outer(size[names].to_numpy(), size[names].to_numpy())
    share = pd.DataFrame(common.to_numpy() / smaller, index=names, columns=names)
    for name in names:
        others = share.loc[name].drop(name)
        within = {"genome": name, "mbp": f"{size[name] / 1e6:.1f}", "within_itself": f"{share.loc[name, name]:.4f}"}
        table.add(within | {"nearest": others.idxmax(), "with_nearest": f"{others.max():.3f}"})


@click.command()
@click.argument("results", type=FOLDER)
@click.argument("truth", type=click.Path(exists=True, path_type=Path))
@tsv_option
@click.option("--genomes_tsv", type=click.Path(dir_okay=False, path_type=Path), help="The same for the genomes.")
def main(results: Path, truth: Path, tsv: Path | None, genomes_tsv: Path | None) -> None:
    """Print what the contigs and genomes of RESULTS/GROUP have in common."""
    contigs, pairs = read_pairs(results, truth)
    add_lengths(contigs, pairs, ResultTable(tsv, ("bp_from",)))
    add_genomes(contigs, pairs, ResultTable(genomes_tsv, ("genome",)))


if __name__ == "__main__":
    main()
