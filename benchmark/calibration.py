#!/usr/bin/env python3
"""Measure how often the posteriors of bin/refine.py are right, by the length of the contig.

In: for each --set a group's results of the pipeline (refine_mode evidence). Out: a row for each class of lengths and
posteriors, on stdout as Markdown and, with --tsv, in a file: of the contigs whose likeliest bin has such a posterior,
the bases, and the share of them that belongs to the genome of the bin. That is the genome with most of the bases that
the bin has at a posterior of 0.99 or more. Contigs of several bins and contigs without truth do not count.
"""

import tempfile
from itertools import pairwise
from pathlib import Path

import click
import pandas as pd

from project import ResultSet, refine_files, run_stage, set_option
from result_tables import ResultTable, tsv_option
from score import read_truth

LENGTHS = (0, 500, 1000, 2000, 5000, 10**9)  # bp
POSTERIORS = (0.8, 0.9, 0.95, 0.99, 1.0001)
CERTAIN = 0.99


def placed_contigs(one: ResultSet) -> pd.DataFrame:
    """Return contigs of one bin each: length (bp), posterior, and whether they belong to the genome of the bin."""
    genomes = read_truth(one.truth).genomes
    with tempfile.TemporaryDirectory() as folder:
        files = refine_files(one.results, one.assembly)
        run_stage("refine.py", Path(folder), assembly=one.assembly, min_posterior=0.5, **files)
        table = pd.read_csv(f"{folder}/refinement.tsv", sep="\t", keep_default_na=False, dtype={"final": str})
    table = table[(table["final"] != "") & ~table["final"].str.contains(",") & table["name"].isin(genomes)]
    table = table.assign(genome=table["name"].map(genomes))
    certain = table[table["posterior"] >= CERTAIN].explode("genome")
    bases = certain.groupby(["final", "genome"])["length"].sum()
    genome_of = {name: in_bin.idxmax()[1] for name, in_bin in bases.groupby("final")}
    right = [genome_of.get(name) in genomes for name, genomes in zip(table["final"], table["genome"], strict=True)]
    return table[["length", "posterior"]].assign(right=right)


@click.command()
@set_option
@tsv_option
def main(sets: list[ResultSet], tsv: Path | None) -> None:
    """Print how often posteriors are right, over all sets."""
    contigs = pd.concat([placed_contigs(one) for one in sets])
    names = "; ".join(one.name for one in sets)
    table = ResultTable(tsv, ("sets", "bp_from", "posterior_from"))
    for shortest, longest in pairwise(LENGTHS):
        of_length = contigs[(contigs["length"] >= shortest) & (contigs["length"] < longest)]
        for least, below in pairwise(POSTERIORS):
            chosen = of_length[(of_length["posterior"] >= least) & (of_length["posterior"] < below)]
            bases = chosen["length"].sum()
            share = f"{chosen['length'][chosen['right']].sum() / bases:.2f}" if bases else "-"
            lengths = {"bp_from": shortest, "bp_below": longest if longest < LENGTHS[-1] else "-"}
            posteriors = {"posterior_from": least, "posterior_below": min(below, 1)}
            table.add({"sets": names, **lengths, **posteriors, "right": share, "mbp": f"{bases / 1e6:.2f}"})


if __name__ == "__main__":
    main()
