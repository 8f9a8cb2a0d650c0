#!/usr/bin/env python3
"""Cut a group's own clusters and given bins into the pieces that both agree on.

In:  contigs.tsv, clusters.tsv of the cluster stage and clusters.tsv of the import_bins stage.
Out: clusters.tsv of the pieces, which the refinement joins again by evidence. A piece that a cluster and a bin share is
     called `<cluster>&<bin>`; what only one of the two has keeps its name.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd

from assembly_tables import read_clusters
from common_pieces import cluster_table, common_pieces
from stage_tables import CLUSTERS, CONTIGS, read_table, write_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv")
@click.option("--own", required=True, type=FILE, help="clusters.tsv of the cluster stage")
@click.option("--given", required=True, type=FILE, help="clusters.tsv of the import_bins stage")
def main(contigs: Path, own: Path, given: Path) -> None:
    """Write the pieces that own clusters and given bins have in common as ./clusters.tsv."""
    table = read_table(CONTIGS, contigs)
    cluster = common_pieces([cluster_labels(path, table) for path in (own, given)])
    write_table(CLUSTERS, cluster_table(table, cluster))
    click.echo(f"{len(set(cluster) - {''})} pieces hold {(cluster != '').sum()} of {len(table)} contigs", err=True)


def cluster_labels(path: Path, contigs: pd.DataFrame) -> np.ndarray:
    """Return the cluster of each contig of the group (n, texts), "" for none."""
    cluster = read_clusters(path, contigs).set_index("contig")["cluster"]
    return cluster.reindex(contigs["contig"], fill_value="").to_numpy(dtype=object)


if __name__ == "__main__":
    main()
