#!/usr/bin/env python3
"""Compare the completeness and contamination that bins.tsv has by marker genes with those by known genomes.

In: for each --set a group's results and the truth of its assembly; a folder for the markers of each set,
which bin/markers.py finds if they are not there. Out: a row for each set with the mean absolute errors and the mean
errors, on stdout as Markdown and, with --tsv, in a file; with --bins_tsv, a row for each bin.

A bin is of the genome that it has most bases of. Its completeness is these bases as a share of the genome, its
contamination all others as a share of the genome, as CheckM has it. A genome is as large as its FASTA file in
--genomes, or as its contigs if there is none.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pandas as pd

from genome_files import read_fasta
from project import BIN, PROJECT, ResultSet, run_stage, set_option
from result_tables import ResultTable, tsv_option
from score import Truth, bases_by_genome, bin_size, read_truth

sys.path.insert(0, str(BIN))
from bin_quality import Marked, rate_bins
from stage_tables import CONTIG2BIN, CONTIGS, FAMILIES, MARKERS, read_table

FOLDER = click.Path(file_okay=False, path_type=Path)


def find_markers(one: ResultSet, folder: Path) -> Marked:
    """Return the markers of an assembly, from the folder if they are there."""
    if not (folder / FAMILIES.name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        catalogue = one.results / "catalogue"
        run_stage(
            "markers.py", folder, assembly=one.assembly, catalogue=catalogue / "catalogue.fa.gz",
            contigs=catalogue / CONTIGS.name, families=PROJECT / "assets" / FAMILIES.name, threads=os.cpu_count() or 1,
        )  # fmt: skip
    return Marked(read_table(MARKERS, folder / MARKERS.name), read_table(FAMILIES, folder / FAMILIES.name))


def placed_contigs(one: ResultSet) -> pd.DataFrame:
    """Return contig (catalogue name), name, bin and length of the contigs of an assembly; a row for each bin of one."""
    table = read_table(CONTIGS, one.results / "catalogue" / CONTIGS.name)
    bins = read_table(CONTIG2BIN, one.results / CONTIG2BIN.name).rename(columns={"contig": "name"})
    return bins[bins["assembly"] == one.assembly].merge(table, on=["assembly", "name"])


def true_quality(contigs: set[str], truth: Truth, sizes: Mapping[str, int]) -> dict[str, str | float]:
    """Return the genome of a bin, and its true completeness and contamination."""
    bases = bases_by_genome(contigs, truth)
    genome = max(bases, key=bases.get)
    foreign = bin_size(contigs, truth) - bases[genome]
    size = sizes[genome]
    return {
        "genome": genome,
        "true_completeness": min(bases[genome] / size, 1.0),
        "true_contamination": foreign / size,
    }


def genome_sizes(truth: Truth, folder: Path | None) -> dict[str, int]:
    """Return the bases of each genome: of its FASTA file, or of its contigs if there is none."""
    sizes = truth.genome_sizes()
    for genome in sizes if folder else ():
        path = folder / f"{genome}.fna.gz"
        if path.exists():
            sizes[genome] = sum(len(sequence) for _, sequence in read_fasta(path))
    return sizes


def compare(one: ResultSet, marked: Marked, genomes: Path | None) -> pd.DataFrame:
    """Return the bins of a set, estimated and true."""
    truth = read_truth(one.truth)
    sizes = genome_sizes(truth, genomes)
    placed = placed_contigs(one)
    rated = rate_bins(placed[["contig", "bin", "length"]], marked)
    known = placed[placed["name"].isin(truth.length)]
    rows = {name: true_quality(set(names), truth, sizes) for name, names in known.groupby("bin")["name"]}
    table = rated.join(pd.DataFrame.from_dict(rows, orient="index"), how="inner")
    return table.rename_axis("bin").reset_index().assign(set=one.name)


def summarise(bins: pd.DataFrame) -> dict[str, str]:
    """Return the row of a set: how many bins are rated, and the errors of what is estimated."""
    rated = bins.dropna(subset=["completeness"])
    row = {"bins": str(len(bins)), "rated": str(len(rated))}
    for name in ("completeness", "contamination"):
        error = rated[name] - rated[f"true_{name}"]
        row |= {f"{name}_error": f"{error.abs().mean():.4f}", f"{name}_bias": f"{error.mean():.4f}"}
    return row


@click.command(context_settings={"show_default": True})
@set_option
@click.option("--genomes", type=FOLDER, help="Folder with NAME.fna.gz of the genomes of the truth.")
@click.option("--markers", required=True, type=FOLDER, help="Folder for the markers of each set.")
@click.option("--bins_tsv", type=click.Path(path_type=Path), help="Write a row for each bin.")
@tsv_option
def main(sets: list[ResultSet], genomes: Path | None, markers: Path, bins_tsv: Path | None, tsv: Path | None) -> None:
    """Compare what marker genes tell of bins with the truth."""
    table, every = ResultTable(tsv, ("set",)), []
    for one in sets:
        bins = compare(one, find_markers(one, (markers / one.name).resolve()), genomes)
        every.append(bins)
        table.add({"set": one.name, **summarise(bins)})
    if bins_tsv:
        pd.concat(every).to_csv(bins_tsv, sep="\t", index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
