#!/usr/bin/env python3
"""Find the genes of a group's bins, to be held against a database.

In:  catalogue.fa.gz, contigs.tsv and contig2bin.tsv of the group.
Out: genes.fna.gz, their sequences, and genes.tsv.gz: place and strand of each.

A gene is called `<assembly>~<contig>_<number>`, a name that no other gene of the run has. Contigs below 500 bp are
passed over (gene_finding.py).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pandas as pd

from catalogue_fasta import catalogue_sequences
from compared_bins import read_bins
from contig_names import ContigNames
from evaluation_tables import GENES
from gene_finding import chunks, find_genes, gene_finder
from output_files import gzip_output
from stage_tables import CONTIGS, read_table
from table_output import write_rows

GZIP_LEVEL = 6
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"show_default": True})
@click.option("--catalogue", required=True, type=FILE, help="catalogue.fa.gz")
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv")
@click.option("--contig2bin", required=True, type=FILE, help="contig2bin.tsv")
@click.option("--threads", default=1, type=click.IntRange(1, 1024))
def main(catalogue: Path, contigs: Path, contig2bin: Path, threads: int) -> None:
    """Write ./genes.fna.gz and ./genes.tsv.gz."""
    table = read_table(CONTIGS, contigs)
    binned = set(read_bins(contig2bin, ContigNames(table))["contig"])
    sequences = zip(table["contig"], catalogue_sequences(catalogue, table, contigs), strict=True)
    rows = []
    with gzip_output("genes.fna.gz", GZIP_LEVEL) as file:
        for row, sequence in gene_rows((item for item in sequences if item[0] in binned), table, threads):
            file.write(f">{row[0]}\n{sequence}\n".encode())
            rows.append(row)
    write_rows(GENES, rows)
    click.echo(f"{len(rows)} genes on {len(binned)} contigs of bins", err=True)


def gene_rows(
    sequences: Iterator[tuple[str, bytes]], contigs: pd.DataFrame, threads: int
) -> Iterator[tuple[list, str]]:
    """Yield the row of genes.tsv of each gene, and its sequence; contigs: contigs.tsv."""
    names = dict(zip(contigs["contig"], zip(contigs["assembly"], contigs["name"])))
    finder, last, number = gene_finder(), None, 0
    with ThreadPoolExecutor(threads) as pool:
        for chunk in chunks(sequences):
            for contig, gene in find_genes(finder, chunk, pool):
                number = number + 1 if contig == last else 1
                last = contig
                assembly, name = names[contig]
                strand = "+" if gene.strand > 0 else "-"
                row = [f"{assembly}~{name}_{number}", assembly, name, gene.begin, gene.end, strand]
                yield row, gene.sequence()


if __name__ == "__main__":
    main()
