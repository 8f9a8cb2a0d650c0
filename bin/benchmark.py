#!/usr/bin/env python3
"""Score the bins of a group against known genomes, beside those of other binners (preprint, Benchmarking).

In:  the truth (truth_tables.py), contigs.tsv, clusters.tsv and contig2bin.tsv of the group; contigs.tsv of the other
     groups, which the truth may name too; tables of other binners (compared_bins.py).
Out: binnings.tsv, genomes_found.tsv, ratios.tsv, best_bins.tsv and pairs.tsv.gz (evaluation_tables.py).

Binloom has three binnings: `clusters`, whole, over all assemblies; `cut_clusters`, which are the bins before the
refinement: what a cluster holds of one assembly; and `bins`, those that are published. Other binners' bins are cut by
assembly, too.

Bins of an assembly are held against what the assembly has of a genome. A genome is counted once for each assembly
(`genome_of_assembly`), and once over all (`genome`): it is found if it is found in some assembly. Whole clusters are
held against what all assemblies have of a genome.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd

from assembly_tables import read_clusters, read_contigs_by_name
from bin_scores import (
    BINS,
    CLUSTERS,
    CUT_CLUSTERS,
    OWN_BINNINGS,
    PRECISIONS,
    RECALLS,
    Bins,
    Pair,
    Truth,
    found_in,
    genome_bin_pairs,
    large_bins,
    score_pairs,
)
from compared_bins import SEPARATOR, cut_by_assembly, read_binnings
from contig_names import ContigNames
from evaluation_tables import (
    BEST_BINS,
    BINNINGS,
    COUNTED,
    GENOME_BIN_PAIRS,
    GENOMES_FOUND,
    RATIOS,
)
from stage_tables import CONTIGS, read_table
from table_output import write_rows
from truth_tables import read_truth

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

Found = dict[tuple[str, str, float], list[int]]  # genomes by binning, what is counted and precision, at each recall


class Binning(NamedTuple):
    """Bins and the truth that they are held against; names in both begin with the assembly and SEPARATOR, if cut."""

    name: str
    bins: Bins
    truth: Truth
    pairs: list[Pair]


@click.command(context_settings={"show_default": True})
@click.option("--truth", "truth_file", required=True, type=FILE, help="Genomes of the contigs.")
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv")
@click.option("--other_contigs", multiple=True, type=FILE, help="contigs.tsv of another group; repeatable.")
@click.option("--clusters", required=True, type=FILE, help="clusters.tsv")
@click.option("--contig2bin", required=True, type=FILE, help="contig2bin.tsv")
@click.option("--compare", "compared", multiple=True, type=(str, FILE), metavar="NAME TABLE", help="Repeatable.")
@click.option(
    "--min_bin_size",
    default=200_000,
    type=click.IntRange(0, 1_000_000_000),
    help="In smaller bins (bp) no genome is found.",
)
def main(
    truth_file: Path, contigs: Path, other_contigs: tuple[Path, ...], clusters: Path, contig2bin: Path,
    compared: tuple[tuple[str, Path], ...], min_bin_size: int,
) -> None:  # fmt: skip
    """Score clusters, bins and the bins of other binners."""
    table = read_contigs_by_name(contigs)
    names = ContigNames(table, [read_table(CONTIGS, other) for other in other_contigs])
    assembly = table["assembly"]
    clustered = read_clusters(clusters, table)[["contig", "cluster"]].set_axis(["contig", "bin"], axis=1)
    labels = {CLUSTERS: clustered, CUT_CLUSTERS: cut_by_assembly(clustered, assembly)}
    labels |= read_binnings(contig2bin, compared, names, assembly)
    truth = read_truth(truth_file, names, table)
    binnings = list(score_all(labels, truth, assembly)) if truth.length else []
    found = genomes_found(binnings, min_bin_size)
    write_rows(BINNINGS, (binning_row(binning, min_bin_size) for binning in binnings))
    write_rows(GENOMES_FOUND, ([*key, *numbers] for key, numbers in found.items()))
    write_rows(RATIOS, ratio_rows(found))
    write_rows(GENOME_BIN_PAIRS, (row for binning in binnings for row in pair_rows(binning)))
    write_rows(BEST_BINS, (row for binning in binnings for row in best_bin_rows(binning)))
    click.echo(f"{len(binnings)} binnings of {len(truth.length)} contigs with truth are scored", err=True)


def score_all(labels: Mapping[str, pd.DataFrame], truth: Truth, assembly: pd.Series) -> Iterator[Binning]:
    """Yield all binnings of the labels (contig, bin; by name), of which all but whole clusters are cut by assembly.

    assembly: by contig.
    """
    cut_truth = truth_by_assembly(truth, (assembly + SEPARATOR).to_dict())
    for name, table in labels.items():
        yield scored(name, table, truth if name == CLUSTERS else cut_truth)


def truth_by_assembly(truth: Truth, prefix: Mapping[str, str]) -> Truth:
    """Return a truth in which a genome in an assembly is one of its own; `prefix` of its name by contig."""
    genomes = {contig: {prefix[contig] + genome for genome in found} for contig, found in truth.genomes.items()}
    places = {(contig, prefix[contig] + genome): found for (contig, genome), found in truth.places.items()}
    return Truth(truth.length, genomes, places)


def scored(name: str, labels: pd.DataFrame, truth: Truth) -> Binning:
    """Return a binning with its pairs, by bins in the order of the labels, of each the largest genome first."""
    known = labels[labels["contig"].isin(truth.length)]
    bins = {name: set(contigs) for name, contigs in known.groupby("bin", sort=False)["contig"]}
    order = {name: number for number, name in enumerate(bins)}
    pairs = sorted(genome_bin_pairs(bins, truth), key=lambda pair: (order[pair.bin], -pair.bases, pair.genome))
    return Binning(name, bins, truth, pairs)


def assembly_and_name(binning: Binning, name: str) -> tuple[str, str]:
    """Return the assembly, "" if it is not cut by assembly, and the own name of a bin or a genome."""
    assembly, _, own = ("", "", name) if binning.name == CLUSTERS else name.partition(SEPARATOR)
    return assembly, own


def genomes_found(binnings: Iterable[Binning], min_bin_size: int) -> Found:
    """Return how many genomes each binning finds; of whole clusters, genomes of the group alone."""
    found: Found = {}
    for binning in binnings:
        for counted in COUNTED[1:] if binning.name == CLUSTERS else COUNTED:
            for precision in PRECISIONS:
                genomes = [found_in(binning.pairs, recall, precision, min_bin_size) for recall in RECALLS]
                if counted != COUNTED[0]:
                    genomes = [{assembly_and_name(binning, name)[1] for name in names} for names in genomes]
                found[binning.name, counted, precision] = [len(names) for names in genomes]
    return found


def ratio_rows(found: Found) -> Iterator[list]:
    """Yield, for each binning of others, Binloom's numbers of genomes as multiples of its (figure 3B)."""
    for (name, counted, precision), theirs in found.items():
        if name not in OWN_BINNINGS:
            ours = found[BINS, counted, precision]
            yield [name, counted, precision, *[n / m if m else None for n, m in zip(ours, theirs)]]


def binning_row(binning: Binning, min_bin_size: int) -> list:
    """Return the numbers of a binning as a whole."""
    score = score_pairs(binning.pairs, binning.bins, binning.truth, min_bin_size)
    genomes, n_large = len(binning.truth.genome_sizes()), len(large_bins(binning.bins, binning.truth, min_bin_size))
    counts = [genomes, score.bins, n_large, score.high_quality]
    return [binning.name, *counts, score.purity, score.completeness, score.binned]


def pair_rows(binning: Binning) -> Iterator[list]:
    """Yield the pairs of a genome and a bin."""
    sizes = binning.truth.genome_sizes()
    for pair in binning.pairs:
        assembly, name = assembly_and_name(binning, pair.bin)
        genome = assembly_and_name(binning, pair.genome)[1]
        bases = [pair.bin_size, sizes[pair.genome], pair.bases, pair.covered]
        yield [binning.name, assembly, name, genome, *bases, pair.precision, pair.recall, pair.f1]


def best_bin_rows(binning: Binning) -> Iterator[list]:
    """Yield each genome with the bin that fits it best: that of the greatest F1, of equal ones the first."""
    best: dict[str, Pair] = {}
    for pair in binning.pairs:
        if pair.genome not in best or pair.f1 > best[pair.genome].f1:
            best[pair.genome] = pair
    for name, size in sorted(binning.truth.genome_sizes().items()):
        assembly, genome = assembly_and_name(binning, name)
        pair = best.get(name)
        found = (
            [assembly_and_name(binning, pair.bin)[1], pair.precision, pair.recall, pair.f1]
            if pair
            else ["", *[None] * 3]
        )
        yield [binning.name, assembly, genome, size, *found]


if __name__ == "__main__":
    main()
