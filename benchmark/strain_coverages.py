#!/usr/bin/env python3
"""Ask whether coverage could tell the strains of a species apart at all, in the contigs that an assembler made.

In: for each --set a group's results of the pipeline, and the true coverage of each genome in each sample
(coverage_truth.tsv of simulate_reads.py). Out: a row for each genome of a species or genus (--name, the first words of
the names of its genomes), on stdout as Markdown and, with --tsv, in a file.

An oracle knows which contigs are of these genomes, and the true coverages. It gives each contig to the set of genomes
whose summed coverage fits the contig best (bin/coverage_evidence.py). `recall` and `precision` are those of
all contigs whose set has the genome; `alone_recall` and `alone_precision` those of contigs whose set is the genome
alone. Bases of a contig that several genomes share count for each. Where the oracle does not reach a recall and a
precision of 0.9, no binner can by coverage: reads of several strains lie on contigs that are those of one.
"""

import itertools
import sys
from pathlib import Path

import click
import numpy as np
import pandas as pd

from project import BIN, ResultSet, refine_files, set_option
from result_tables import FILE, ResultTable, tsv_option
from score import Truth, bin_size, read_truth

sys.path.insert(0, str(BIN))
from coverage_evidence import PRIOR_SCATTER, coverage_evidence
from model_inputs import read_contigs, read_group

READ = 150  # bp, of simulate_reads.py
GROUP_FILES = ("contigs", "coverage", "tetranucleotides", "features", "pair_links")


def fitting_sets(one: ResultSet, truth: Truth, coverage: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the set of genomes that fits each contig of these genomes best; coverage: genomes x samples."""
    files = refine_files(one.results, one.assembly)
    group = read_group(*(files.get(name) for name in GROUP_FILES))
    table, contigs, _ = read_contigs(group, one.assembly, None, None)
    genomes = set(coverage.index)
    rows = [row for row, name in enumerate(table["name"]) if truth.genomes.get(name, set()) & genomes]
    sets = [x for size in range(1, len(genomes) + 1) for x in itertools.combinations(coverage.index, size)]
    density = np.array([coverage.loc[list(x), group.coverage.columns].sum().to_numpy() for x in sets]) / READ
    length = contigs.length[rows]
    expected = density[None] * length[:, None, None]
    fit = coverage_evidence(contigs.reads[rows], length, expected, np.full((1, *density.shape), PRIOR_SCATTER))
    names = table["name"].to_numpy()[rows]
    return {name: sets[best] for name, best in zip(names, fit.argmax(axis=1), strict=True)}


def shares(contigs: set[str], genome: str, truth: Truth) -> tuple[str, str]:
    """Return recall and precision of these contigs for a genome."""
    right = bin_size({name for name in contigs if genome in truth.genomes[name]}, truth)
    return f"{right / truth.genome_sizes()[genome]:.3f}", f"{right / max(bin_size(contigs, truth), 1):.3f}"


@click.command()
@set_option
@click.option("--coverage", required=True, type=FILE, help="coverage_truth.tsv.")
@click.option("--name", "names", required=True, multiple=True, help="First words of names of genomes. Repeatable.")
@tsv_option
def main(sets: list[ResultSet], coverage: Path, names: tuple[str, ...], tsv: Path | None) -> None:
    """Print what an oracle of coverages finds of each genome."""
    table = ResultTable(tsv, ("set", "genome"))
    true_coverage = pd.read_csv(coverage, sep="\t", index_col=0)
    for one, name in itertools.product(sets, names):
        truth = read_truth(one.truth)
        relatives = true_coverage[true_coverage.index.str.startswith(name)]
        found = fitting_sets(one, truth, relatives)
        for genome in relatives.index:
            recall, precision = shares({contig for contig, group in found.items() if genome in group}, genome, truth)
            alone = shares({contig for contig, group in found.items() if group == (genome,)}, genome, truth)
            row = {"recall": recall, "precision": precision, "alone_recall": alone[0], "alone_precision": alone[1]}
            table.add({"set": one.name, "genome": genome, **row})


if __name__ == "__main__":
    main()
