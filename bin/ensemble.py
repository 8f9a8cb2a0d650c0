#!/usr/bin/env python3
"""Put given bins beside a group's own clusters, as further pieces of its genomes.

In:  contigs.tsv, clusters.tsv of the cluster stage and clusters.tsv of the import_bins stage.
Out: clusters.tsv. A cluster stands as it is in an assembly in which it has at least a tenth of --min_bin_size. What
     given bins hold besides is a further piece, under the name of the bin (further_pieces.py).
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd

from assembly_tables import read_clusters, read_contigs_by_name
from further_pieces import cluster_table, further_pieces
from pieces import piece_size
from stage_tables import CLUSTERS
from table_output import write_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"show_default": True})
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv")
@click.option("--own", required=True, type=FILE, help="clusters.tsv of the cluster stage")
@click.option("--given", required=True, type=FILE, help="clusters.tsv of the import_bins stage")
@click.option(
    "--min_bin_size",
    default=200_000,
    type=click.IntRange(0, 1_000_000_000),
    help="A tenth of it (bp) is the smallest cluster that holds its contigs against given bins.",
)
def main(contigs: Path, own: Path, given: Path, min_bin_size: int) -> None:
    """Write own clusters and what given bins hold besides as ./clusters.tsv."""
    table = read_contigs_by_name(contigs)
    binnings = [cluster_labels(path, table) for path in (own, given)]
    cluster = np.full(len(table), "", dtype=object)
    for rows in table.groupby("assembly").indices.values():
        labels, length = [bins[rows] for bins in binnings], table["length"].to_numpy()[rows]
        cluster[rows] = further_pieces(labels, length, piece_size(min_bin_size))
    write_table(CLUSTERS, cluster_table(table, cluster))
    added = (cluster == binnings[1]) & (cluster != "")
    click.echo(f"{(cluster != '').sum()} of {len(table)} contigs have a cluster, {added.sum()} by given bins", err=True)


def cluster_labels(path: Path, contigs: pd.DataFrame) -> np.ndarray:
    """Return the cluster of each contig of the group (n, texts), "" for none."""
    cluster = read_clusters(path, contigs).set_index("contig")["cluster"]
    return cluster.reindex(contigs["contig"], fill_value="").to_numpy(dtype=object)


if __name__ == "__main__":
    main()
