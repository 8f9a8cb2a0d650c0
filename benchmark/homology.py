#!/usr/bin/env python3
"""How much of their genes contigs of one genome, and of different ones, have in common by the `homologs` stage.

usage: homology.py RESULTS/GROUP TRUTH
In: a group's results (catalogue/contigs.tsv, homologs/homologs.tsv.gz), truth (contig, genome, length). Out: two
Markdown tables on stdout: contigs of one genome each, by length, that share more than a tenth of their seeds with others
of their genome, and with those of other genomes; genomes of at least 1 Mbp, the share of seeds that they have in common within
themselves, and with the nearest other one (of the smaller's). A contig has a seed in 64 bp.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd

SEED_DISTANCE = 64  # bp
LENGTHS = (500, 1000, 2000, 5000, 20_000, 10**9)
MUCH = 0.1
LARGE = 1_000_000  # bp
TABLE = {"sep": "\t", "dtype": str, "keep_default_na": False}


@click.command()
@click.argument("results", type=click.Path(exists=True, path_type=Path))
@click.argument("truth", type=click.Path(exists=True, path_type=Path))
def main(results: Path, truth: Path) -> None:
    """Print what contigs and genomes have in common."""
    known = pd.read_csv(truth, header=None, usecols=[0, 1], names=["contig", "genome"], **TABLE)
    known = known.drop_duplicates("contig", keep=False).set_index("contig")["genome"]
    contigs = pd.read_csv(results / "catalogue/contigs.tsv", **TABLE).set_index("contig")
    length = contigs["length"].astype(int)
    length = length[length.index.isin(known.index)]
    homologs = pd.read_csv(results / "homologs/homologs.tsv.gz", **TABLE).astype({"shared": int})
    both = pd.concat([homologs, homologs.rename(columns={"contig_1": "contig_2", "contig_2": "contig_1"})])
    both = both[both["contig_1"].isin(length.index) & both["contig_2"].isin(length.index)]
    both = both.assign(here=both["contig_1"].map(known), there=both["contig_2"].map(known))

    seeds = length / SEED_DISTANCE
    share = {}
    for name, rows in (("own", both["here"] == both["there"]), ("others", both["here"] != both["there"])):
        shared = both[rows].groupby("contig_1")["shared"].sum().reindex(length.index, fill_value=0)
        share[name] = shared / seeds > MUCH
    print("| contigs of | number | much in common with their own genome | with others |\n|---|---|---|---|")
    for least, below in zip(LENGTHS, LENGTHS[1:]):
        of = (length >= least) & (length < below)
        name = f"{least:,} bp or more" if below == LENGTHS[-1] else f"{least:,} to {below:,} bp"
        print(f"| {name} | {of.sum():,} | {share['own'][of].mean():.1%} | {share['others'][of].mean():.1%} |")

    size = length.groupby(known.reindex(length.index).to_numpy()).sum()
    names = size.index[size >= LARGE]
    common = both.groupby(["here", "there"])["shared"].sum().unstack(fill_value=0)
    common = common.reindex(index=names, columns=names, fill_value=0) * SEED_DISTANCE
    smaller = np.minimum.outer(size[names].to_numpy(), size[names].to_numpy())
    share_of = pd.DataFrame(common.to_numpy() / smaller, index=names, columns=names)
    print("\n| genome | Mbp | within itself | nearest | with it |\n|---|---|---|---|---|")
    for name in names:
        others = share_of.loc[name].drop(name)
        row = [
            name,
            f"{size[name] / 1e6:.1f}",
            f"{share_of.loc[name, name]:.2%}",
            others.idxmax(),
            f"{others.max():.1%}",
        ]
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
