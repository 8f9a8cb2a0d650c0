#!/usr/bin/env python3
"""Name the taxa of a group's bins by the hits of their genes in a database (bin_taxonomy.py).

In:  genes.tsv.gz and contig2bin.tsv of the group; hits of the genes as `blastn -outfmt 6` writes them (also gzipped, or
     with comments); a table of lineages: `subject`, as in the second column of the hits, and `strain`, `species`,
     `genus`, `family`, `order`, `class`, `phylum` and `superkingdom`, which may be empty.
Out: taxonomy.tsv.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import click
import pandas as pd

from bin_taxonomy import RANKS, Taxa, add_hit, taxon_of
from binner_files import lines_of, text_of
from evaluation_tables import GENES, TAXONOMY
from message_text import shown
from stage_tables import CONTIG2BIN, read_table
from stage_warnings import warn
from table_columns import Table, text
from table_output import write_rows

PER_CENT = 100
COMMENT = "#"
# What a user gives
LINEAGES = Table(
    "lineages.tsv",
    "taxonomy",
    (*text("subject"), *text(*RANKS, may_be_empty=True)),
    key=("subject",),
    advice=f"give a table with the columns subject, {', '.join(RANKS)}",
)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"show_default": True})
@click.option("--genes", required=True, type=FILE, help="genes.tsv.gz")
@click.option("--contig2bin", required=True, type=FILE, help="contig2bin.tsv")
@click.option("--gene_hits", required=True, type=FILE, help="Hits of the genes, blastn -outfmt 6")
@click.option("--lineages", required=True, type=FILE, help="Lineages of the subjects")
def main(genes: Path, contig2bin: Path, gene_hits: Path, lineages: Path) -> None:
    """Write ./taxonomy.tsv."""
    table, placed = read_table(GENES, genes), read_table(CONTIG2BIN, contig2bin)
    check_contigs_of_genes(genes, table, contig2bin, placed)
    taxa = taxa_of_genes(gene_hits, table, read_table(LINEAGES, lineages))
    of_contig = table.groupby(["assembly", "contig"], sort=False)["gene"].agg(list).to_dict()
    bins: dict[str, list[Taxa]] = {}
    for row in placed.itertuples():
        bins.setdefault(row.bin, []).extend(taxa[gene] for gene in of_contig.get((row.assembly, row.contig), ()))
    write_rows(TAXONOMY, (taxonomy_row(name, found) for name, found in bins.items()))
    click.echo(f"{sum(map(bool, taxa.values()))} of {len(taxa)} genes have a taxon", err=True)


def check_contigs_of_genes(path: Path, genes: pd.DataFrame, placed_path: Path, placed: pd.DataFrame) -> None:
    """Raise ClickException for a gene of a contig without a bin: genes are those of the bins."""
    binned = set(zip(placed["assembly"], placed["contig"]))
    for row, (assembly, contig) in enumerate(zip(genes["assembly"], genes["contig"]), 1):
        if (assembly, contig) not in binned:
            raise click.ClickException(
                f"{path}: row {row}: contig {shown(contig)} of assembly {shown(assembly)} is not in {placed_path}; "
                "give both from the same run"
            )


def taxa_of_genes(path: Path, genes: pd.DataFrame, lineages: pd.DataFrame) -> dict[str, Taxa]:
    """Return the taxa of each gene by its hits; warn of subjects without a lineage, and if no gene has a hit."""
    length = dict(zip(genes["gene"], genes["end"] - genes["start"] + 1))
    lineage = {row.pop("subject"): row for row in lineages.to_dict("records")}
    taxa: dict[str, Taxa] = {gene: {} for gene in length}
    strange: set[str] = set()
    n_known = 0
    for gene, subject, identity, aligned in read_hits(path):
        if gene not in length:
            continue
        n_known += 1
        if subject in lineage:
            add_hit(taxa[gene], lineage[subject], identity, aligned, length[gene])
        else:
            strange.add(subject)
    if not n_known:
        warn(f"{path.name}: has no hit of a gene of this group: give hits of its genes.fna.gz")
    if strange:
        warn(
            f"{path.name}: {len(strange)} subjects have no lineage, {shown(min(strange))} for example: their hits do "
            "not count"
        )
    return taxa


def read_hits(path: Path) -> Iterator[tuple[str, str, float, int]]:
    """Yield gene, subject, identity (per cent) and length of each alignment.

    Raise ClickException for a malformed row.
    """
    for number, line in enumerate(lines_of(path), 1):
        row = text_of(path, number, line)
        if not row.strip() or row.startswith(COMMENT):
            continue
        cells = row.split("\t")
        try:
            identity, aligned = float(cells[2]), int(cells[3])
        except (IndexError, ValueError):
            identity, aligned = math.nan, 0
        if not (0 <= identity <= PER_CENT and aligned > 0):
            raise click.ClickException(
                f"{path}: line {number}: has no identity in per cent and no length behind query and subject; "
                "give hits as blastn -outfmt 6 writes them"
            )
        yield cells[0], cells[1], identity, aligned


def taxonomy_row(name: str, genes: list[Taxa]) -> list:
    """Return the row of a bin: its lowest rank with a taxon, that taxon, its share of the genes, and all taxa."""
    found = {rank: taxon_of(genes, rank) if genes else ("", 0.0) for rank in RANKS}
    lowest = next((rank for rank, (taxon, _) in found.items() if taxon), "")
    taxon, share = found[lowest] if lowest else ("", None)
    return [name, len(genes), lowest, taxon, share, *(taxon for taxon, _ in found.values())]


if __name__ == "__main__":
    main()
