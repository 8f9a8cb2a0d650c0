#!/usr/bin/env python3
"""Describe the clusters of a gene catalogue.

In:  clusters.tsv (cluster stage) and contigs.tsv (catalogue stage), in which a contig is a gene.
Out: gene_clusters.tsv (`cluster, genes, bp, large`, the largest cluster first) and cluster_sizes.tsv (`least_genes,
     clusters, genes, bp`: how many clusters have at least so many genes, and what they hold, for each size that a
     cluster has).

Follows "Application on large datasets using gene catalogues" of the VAMB preprint (Nissen et al. 2018, bioRxiv 490078)
and its figure S10. A cluster is over all samples, and is cut by nothing.
"""

from pathlib import Path

import click
import pandas as pd

from assembly_tables import read_contigs_by_name
from gene_tables import CLUSTER_SIZES, GENE_CLUSTERS, MIN_LARGE_GENES
from stage_tables import CLUSTERS, check_contigs, read_table
from table_output import write_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def describe_clusters(clusters: pd.DataFrame, length: pd.Series) -> pd.DataFrame:
    """Return the rows of gene_clusters.tsv from `cluster, contig` and the length (bp) by contig.

    Clusters of one size stand in the order in which they were found.
    """
    bp = length.loc[clusters["contig"]].to_numpy()
    of_cluster = clusters.assign(bp=bp).groupby("cluster", sort=False)["bp"]
    table = pd.DataFrame({"genes": of_cluster.size(), "bp": of_cluster.sum()}).reset_index()
    table["large"] = table["genes"] >= MIN_LARGE_GENES
    return table.sort_values(["genes", "bp"], ascending=False, kind="stable", ignore_index=True)


def sizes_curve(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of cluster_sizes.tsv, the smallest size first, from those of gene_clusters.tsv."""
    sums = pd.DataFrame(
        {
            "least_genes": table["genes"],
            "clusters": range(1, len(table) + 1),
            "genes": table["genes"].cumsum(),
            "bp": table["bp"].cumsum(),
        }
    )
    return sums.drop_duplicates("least_genes", keep="last").iloc[::-1]


@click.command()
@click.option("--clusters", "clusters_path", type=FILE, required=True, help="clusters.tsv of the group.")
@click.option("--contigs", "contigs_path", type=FILE, required=True, help="contigs.tsv of the group: its genes.")
def main(clusters_path: Path, contigs_path: Path) -> None:
    """Write gene_clusters.tsv and cluster_sizes.tsv of a group here."""
    contigs = read_contigs_by_name(contigs_path)
    clusters = read_table(CLUSTERS, clusters_path, ["cluster", "contig"])
    check_contigs(clusters_path, clusters, contigs.index, f"in {contigs_path}")
    table = describe_clusters(clusters, contigs["length"])
    write_table(GENE_CLUSTERS, table)
    write_table(CLUSTER_SIZES, sizes_curve(table))
    large = table[table["large"]]
    click.echo(
        f"{len(clusters)} of {len(contigs)} genes in {len(table)} clusters, {large['genes'].sum()} of them in "
        f"{len(large)} of at least {MIN_LARGE_GENES} genes",
        err=True,
    )


if __name__ == "__main__":
    main()
