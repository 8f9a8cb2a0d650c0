#!/usr/bin/env python3
"""Score bins against known genomes.

In: a truth table (contig, genome, length; a contig that several genomes share has a row for each) and a table of bins
(contig2bin.tsv, clusters.tsv, or two columns bin and contig without a header, in either order; a contig may be in
several bins). Both may be gzipped. Out: one row on stdout as a Markdown table and, with --tsv, in a file.

The definitions are those of bin/bin_scores.py, after the preprint (Benchmarking). A genome is found at a recall if some
bin of at least --min_bin_size has it at that recall and a precision of at least 0.9. The size of a genome is the sum of
the contigs that carry it. Weighted purity is over all bins, also the small ones: the bases of each bin's largest genome
over the bases of the bins. Of several assemblies, a genome in an assembly counts as a genome of its own: the names in
such a truth are ASSEMBLY:CONTIG and ASSEMBLY:GENOME.
"""

import gzip
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

from project import BIN
from result_tables import FILE, ResultTable, tsv_option

sys.path.insert(0, str(BIN))
from bin_scores import (
    MIN_BIN_SIZE,
    PRECISION,
    Bins,
    Score,
    Truth,
    bases_by_genome,
    bin_size,
    genome_bin_pairs,
    genomes_found,
    large_bins,
    score_bins,
)

# What the other scripts of this folder take from bin/bin_scores.py by way of this one
__all__ = [
    "MIN_BIN_SIZE", "PRECISION", "Bins", "Score", "Truth", "bases_by_genome", "bin_size", "genome_bin_pairs",
    "genomes_found", "large_bins", "purity_of_long", "read_bins", "read_truth", "score_bins", "score_row",
]  # fmt: skip

TRUTH_COLUMNS = 3  # contig, genome, length; further ones are ignored
MIN_LONG_CONTIG = 2000  # bp; contigs from here on are clustered, by Binloom as by vamb


def table_rows(path: Path) -> Iterator[list[str]]:
    """Yield the fields of each line of a tab-separated table, gzipped or not, without comments and empty lines."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as lines:
        for line in lines:
            if line.strip() and not line.startswith(("#", "@")):
                yield line.rstrip("\r\n").split("\t")


def read_truth(path: Path) -> Truth:
    """Return the truth. Raise ClickException if no line has contig, genome and length."""
    truth = Truth({}, {})
    for row in table_rows(path):
        if len(row) >= TRUTH_COLUMNS and row[2].isdigit():
            truth.length[row[0]] = int(row[2])
            truth.genomes.setdefault(row[0], set()).add(row[1])
    if not truth.length:
        raise click.ClickException(f"{path}: no line has contig, genome and length, tab-separated")
    return truth


def headed_rows(path: Path, rows: list[list[str]], assembly: str | None) -> Iterator[tuple[str, str]]:
    """Yield bin and contig of a table of the pipeline, by its header.

    Contigs have the names of the assembler; those of several assemblies have the assembly and a colon before it.
    """
    columns = {name: i for i, name in enumerate(rows[0])}
    name = columns.get("bin", columns.get("cluster"))
    contig = columns.get("name", columns["contig"])
    found = {row[columns["assembly"]] for row in rows[1:]} if "assembly" in columns else set()
    is_of_several = assembly is None and len(found) > 1
    for row in rows[1:]:
        if is_of_several:
            yield row[name], f"{row[columns['assembly']]}:{row[contig]}"
        elif assembly is None or row[columns["assembly"]] == assembly:
            yield row[name], row[contig]


def read_bins(path: Path, truth: Truth, assembly: str | None = None) -> dict[str, set[str]]:
    """Return the contigs of each bin that have a truth.

    assembly: only the bins of this one (a table of several assemblies). Raise ClickException if no contig has a truth.
    """
    rows = [row for row in table_rows(path) if len(row) > 1]
    header = set(rows[0]) if rows else set()
    if "contig" in header and header & {"bin", "cluster"}:
        pairs: Iterable[tuple[str, str]] = headed_rows(path, rows, assembly)
    else:
        first, second = (sum(row[column] in truth.length for row in rows) for column in (0, 1))
        pairs = ((row[0], row[1]) if second >= first else (row[1], row[0]) for row in rows)
    bins: dict[str, set[str]] = defaultdict(set)
    for name, contig in pairs:
        if contig in truth.length:
            bins[name].add(contig)
    if rows and not bins:
        remedy = "give both for the same assemblies, or choose one with --assembly"
        raise click.ClickException(f"{path}: none of its contigs is in the truth; {remedy}")
    return dict(bins)


def purity_of_long(bins: Bins, truth: Truth, min_contig_length: int = MIN_LONG_CONTIG) -> float:
    """Return the weighted purity of the bins without their contigs below `min_contig_length`."""
    long = {name: {c for c in contigs if truth.length[c] >= min_contig_length} for name, contigs in bins.items()}
    return score_bins({name: contigs for name, contigs in long.items() if contigs}, truth).purity


def score_row(names: Mapping[str, str], bins: Bins, truth: Truth, min_bin_size: int = MIN_BIN_SIZE) -> dict[str, str]:
    """Return the row of a result table: `names`, then all numbers of the score."""
    score = score_bins(bins, truth, min_bin_size)
    return {
        **names,
        "genomes": str(len(truth.genome_sizes())),
        "n_bins": str(score.bins),
        **{f"recall_{recall:g}": str(n) for recall, n in score.genomes.items()},
        "high_quality": str(score.high_quality),
        "purity": f"{score.purity:.4f}",
        "purity_long": f"{purity_of_long(bins, truth):.4f}",
        "completeness": f"{score.completeness:.4f}",
        "binned": f"{score.binned:.4f}",
    }


@click.command(context_settings={"show_default": True})
@click.argument("truth_file", metavar="TRUTH", type=FILE)
@click.argument("bins_file", metavar="BINS", type=FILE)
@click.option("--assembly", help="Only the bins of this assembly, where BINS has several.")
@click.option("--min_bin_size", default=MIN_BIN_SIZE, type=click.IntRange(min=0), help="Smaller bins find no genome.")
@click.option("--set", "set_name", default="", help="Name of the set in the table.")
@click.option("--bins", "bins_name", default="", help="Name of the bins in the table.")
@click.option("--seed", default="", help="Seed of the run in the table.")
@tsv_option
def main(
    truth_file: Path, bins_file: Path, assembly: str | None, min_bin_size: int, set_name: str, bins_name: str,
    seed: str, tsv: Path | None,
) -> None:  # fmt: skip
    """Score BINS against TRUTH: genomes found at a precision of 0.9 by recall, and purity."""
    truth = read_truth(truth_file)
    bins = read_bins(bins_file, truth, assembly)
    names = {"set": set_name, "bins": bins_name or bins_file.name, "seed": seed}
    ResultTable(tsv, tuple(names)).add(score_row(names, bins, truth, min_bin_size))


if __name__ == "__main__":
    main()
