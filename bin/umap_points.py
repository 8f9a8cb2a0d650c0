#!/usr/bin/env python3
"""Place contigs in two dimensions by UMAP, for the report.

In:  of the group features.json, rows.tsv, tnf.npy and abundance.npy (features stage), and latent.npy (vae stage) if
     there was a training. What decides which contigs the report shows: contigs.tsv (catalogue stage), contig2bin.tsv
     and bins.tsv (bins stage), or, of a gene catalogue, clusters.tsv (cluster stage) and gene_clusters.tsv.
Out: umap_points.tsv: the places of those contigs, and of a bounded number of others, which are their neighbours.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd
import umap

from gene_tables import GENE_CLUSTERS
from shown_contigs import UMAP_POINTS, bins_of_rows, choose_rows, clusters_of_rows, read_values
from stage_arrays import FEATURES, check_hash, read_description
from stage_tables import CLUSTERS, CONTIG2BIN, CONTIGS, ROWS, bins_schema, check_contigs, check_names, read_table
from table_output import write_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
N_NEIGHBOURS = 15  # of a point, itself among them: umap-learn's default
MIN_POINTS = 4  # of three, umap-learn cannot compute the eigenvectors that it starts from
MAX_POINTS = 5_000  # beside those that are shown, as their neighbours: it bounds time and memory


def binned_rows(paths: tuple[Path, Path, Path], rows: pd.DataFrame, rows_path: Path) -> np.ndarray:
    """Return the bin of each row (n) as the report names it; paths: contigs.tsv, contig2bin.tsv and bins.tsv."""
    schemas = (CONTIGS, CONTIG2BIN, bins_schema(paths[2]))
    columns = (["contig", "assembly", "name"], None, ["bin", "size"])
    contigs, contig2bin, bins = (read_table(*given) for given in zip(schemas, paths, columns))
    check_contigs(rows_path, rows, pd.Index(contigs["contig"]), f"in {paths[0]}")
    check_names(paths[1], contig2bin, contigs, paths[0])
    return bins_of_rows(rows, contigs, contig2bin, bins)


def clustered_rows(paths: tuple[Path, Path], rows: pd.DataFrame, rows_path: Path) -> np.ndarray:
    """Return the cluster of each gene (n) as the report names it; paths: clusters.tsv and gene_clusters.tsv."""
    clusters = read_table(CLUSTERS, paths[0], ["cluster", "contig"])
    check_contigs(paths[0], clusters, pd.Index(rows["contig"]), f"in {rows_path}")
    return clusters_of_rows(rows, clusters, read_table(GENE_CLUSTERS, paths[1], ["cluster"]))


def embed(values: np.ndarray) -> np.ndarray:
    """Return the places (n x 2) of MIN_POINTS or more points (n x d)."""
    # The seed makes places the same each time. It allows one thread, and umap-learn warns unless that is asked for.
    model = umap.UMAP(n_neighbors=min(N_NEIGHBOURS, len(values) - 1), random_state=0, n_jobs=1)
    return model.fit_transform(values)


@click.command()
@click.option(
    "--bins",
    type=(FILE, FILE, FILE),
    metavar="CONTIGS CONTIG2BIN BINS",
    help="contigs.tsv, contig2bin.tsv and bins.tsv of the group.",
)
@click.option(
    "--genes",
    type=(FILE, FILE),
    metavar="CLUSTERS GENE_CLUSTERS",
    help="Of a gene catalogue, in place of --bins: clusters.tsv and gene_clusters.tsv of the group.",
)
@click.option("--features", "features_path", required=True, type=FILE, help="features.json of the group.")
@click.option(
    "--inputs",
    required=True,
    type=(FILE, FILE, FILE),
    metavar="ROWS TNF ABUNDANCE",
    help="rows.tsv, tnf.npy and abundance.npy of the group.",
)
@click.option("--latent", type=FILE, help="latent.npy of the group, if there was a training.")
def main(
    bins: tuple[Path, Path, Path] | None,
    genes: tuple[Path, Path] | None,
    features_path: Path,
    inputs: tuple[Path, Path, Path],
    latent: Path | None,
) -> None:
    """Write umap_points.tsv of a group, without rows if it has too few contigs."""
    if bool(bins) == bool(genes):
        raise click.UsageError("give --bins or --genes")
    rows_path, *arrays = inputs
    rows = read_table(ROWS, rows_path)
    features = read_description(FEATURES, features_path, ["rows_sha256"])
    check_hash(features_path, features["rows_sha256"], rows["contig"], rows_path)
    labels = binned_rows(bins, rows, rows_path) if bins else clustered_rows(genes, rows, rows_path)
    shown, in_random_order = choose_rows(labels)
    chosen = np.union1d(shown, in_random_order[:MAX_POINTS])
    if len(chosen) < MIN_POINTS:
        click.echo(f"{len(chosen)} contigs: too few for UMAP", err=True)
        chosen = chosen[:0]
    points = {"contig": rows["contig"].to_numpy()[chosen]}
    for name, paths in {"input": arrays, "latent": [latent] if latent else []}.items():
        places = np.full((len(chosen), 2), np.nan)
        if paths and len(chosen):
            places = embed(read_values(paths, rows, rows_path, chosen))
        points |= {f"{name}_x": places[:, 0], f"{name}_y": places[:, 1]}
    write_table(UMAP_POINTS, pd.DataFrame(points))


if __name__ == "__main__":
    main()
