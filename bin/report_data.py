#!/usr/bin/env python3
"""Aggregate what the report shows of a group.

In:  of the group contigs.tsv (catalogue stage), contig2bin.tsv, unbinned.tsv and bins.tsv (bins stage), features.json,
     rows.tsv, tnf.npy and abundance.npy (features stage); <sample>.mapping.tsv (map_reads stage) of each sample that
     was given as reads or BAM; latent.npy and training.tsv (vae stage) and threshold.json (cluster stage) if there was
     a training; refinement.tsv (refine, transfer or graphbin2 stage) of each refined assembly; genomes_found.tsv
     (benchmark stage) if genomes are known; umap_points.tsv (umap_points stage) if UMAP is asked for. Of a gene
     catalogue, gene_clusters.tsv and cluster_sizes.tsv (gene_clusters stage) and clusters.tsv (cluster stage) stand in
     place of the tables of bins.
Out: report_data.json. Its size depends on the bins and samples, never on the number of contigs.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd

from bin_scores import PRECISION, RECALLS
from binned_lengths import counts, fates, length_classes
from evaluation_tables import COUNTED, GENOMES_FOUND, RECALL_NAMES
from gene_tables import CLUSTER_SIZES, GENE_CLUSTERS
from principal_components import project
from refined_bins import only_assembly
from refinement_flows import flow, refinement_counts
from report_files import write_group
from shown_contigs import UMAP_POINTS, bins_of_rows, choose_rows, clusters_of_rows, largest_first, read_values
from stage_arrays import FEATURES, THRESHOLD, check_hash, read_description
from stage_tables import (
    ARTICLE_REFINEMENT,
    CLUSTERS,
    CONTIG2BIN,
    CONTIGS,
    MAPPING,
    READ_NUMBERS,
    REFINEMENT,
    ROWS,
    TRAINING,
    UNBINNED,
    bins_schema,
    check_contigs,
    check_names,
    read_header,
    read_table,
)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BIN_COLUMNS = ("bin", "size", "contigs", "n50", "gc", "refined", "transferred")
QUALITY_COLUMNS = ("completeness", "contamination", "quality")
BIN_KEYS = ("bin", "assembly", "cluster")
STEP_COLUMNS = ("contig", "assembly", "length", "initial", "final", "reason")  # of either refinement.tsv
TERMS = ("loss", "ce", "sse", "kld")
DIGITS = 6  # significant ones of the numbers
MAX_CURVE_POINTS = 200  # of a curve: as many as a screen tells apart
MAX_FITTED_ROWS = 20_000  # contigs that the principal components are computed from
BINNED = (CONTIG2BIN, UNBINNED)


def rounded(value: float) -> float | None:
    """Return a number with few digits; None for nan, which JSON does not have."""
    return None if np.isnan(value) else float(f"{value:.{DIGITS}g}")


def rounded_list(values: np.ndarray) -> list[float | None]:
    """Return numbers with few digits."""
    return [rounded(value) for value in np.asarray(values, float)]


def coverage_columns(samples: list[str]) -> list[str]:
    """Return the columns of bins.tsv that have the coverages in these samples."""
    return [f"coverage_{sample}" for sample in samples]


def bin_rows(path: Path, bins: pd.DataFrame, samples: list[str]) -> list[dict]:
    """Return what is known of each bin of a bins.tsv, the largest first: `coverage` has the order of the samples.

    Completeness and contamination are None where they are not known; quality is empty then.
    """
    bins = largest_first(bins)
    missing = [name for name in coverage_columns(samples) if name not in bins]
    if missing:
        raise click.ClickException(f"{path}: has no column {missing[0]}; give both from the same run")
    names = [name for name in (*BIN_COLUMNS, *QUALITY_COLUMNS) if name in bins]
    rows = bins[names].to_dict("records")
    coverages = bins[coverage_columns(samples)].to_numpy()
    for row, coverage in zip(rows, coverages, strict=True):
        row["coverage"] = rounded_list(coverage)
        row |= {name: rounded(row[name]) for name in QUALITY_COLUMNS[:2] if name in row}
    return rows


def sample_rows(paths: tuple[Path, ...]) -> list[dict]:
    """Return the numbers of reads of each sample, by the columns of its mapping.tsv."""
    if not paths:
        return []
    tables = pd.concat([read_table(MAPPING, path) for path in paths])
    return tables[["sample", *READ_NUMBERS, "mean_coverage"]].sort_values("sample").to_dict("records")


def contig_numbers(contigs: pd.DataFrame, contig2bin: pd.DataFrame, unbinned: pd.DataFrame) -> dict:
    """Return number and base pairs of the contigs by assembly and fate, and by class of length and fate."""
    fate = fates(contigs, contig2bin, unbinned)
    return {
        "by_assembly": counts(contigs["length"], contigs["assembly"], fate),
        "by_length": counts(contigs["length"], length_classes(contigs["length"]), fate),
    }


def thinned(n: int) -> np.ndarray:
    """Return the rows to show of n: the first, the last, and no more between than can be seen."""
    return np.unique(np.linspace(0, n - 1, min(MAX_CURVE_POINTS, n)).round().astype(int))


def training_curves(path: Path) -> dict[str, list]:
    """Return the terms of the loss over the epochs, thinned to what can be seen."""
    training = read_table(TRAINING, path)
    thin = training.iloc[thinned(len(training))]
    return {"epoch": thin["epoch"].tolist()} | {term: rounded_list(thin[term]) for term in TERMS}


def distance_curve(path: Path) -> dict:
    """Return the density of the distances between contigs, and the threshold at which clusters are cut."""
    found = read_description(THRESHOLD, path, ["threshold", "density_mean", "bin_edges"])
    edges = np.array(found["bin_edges"])
    return {
        "threshold": found["threshold"],
        "distance": rounded_list((edges[:-1] + edges[1:]) / 2),
        "density": rounded_list(found["density_mean"]),
    }


def coordinates(points: np.ndarray) -> dict[str, list[float | None]]:
    """Return places (n x 2) as x and y."""
    return {"x": rounded_list(points[:, 0]), "y": rounded_list(points[:, 1])}


def pictures(
    arrays: dict[str, list[Path]], rows: pd.DataFrame, rows_path: Path, labels: np.ndarray, umap: Path | None
) -> dict:
    """Return two dimensions of each of some sets of arrays for the same contigs: bins, x, y and explained variance.

    The arrays of a set stand side by side. With umap_points.tsv there are its places, too.
    """
    shown, in_random_order = choose_rows(labels)
    chosen = np.union1d(shown, in_random_order[:MAX_FITTED_ROWS])
    content: dict = {"bins": [str(label) for label in labels[shown]]}
    for name, paths in arrays.items():
        points, explained = project(read_values(paths, rows, rows_path, chosen), np.searchsorted(chosen, shown))
        content[name] = {**coordinates(points), "explained": rounded_list(explained)}
    return content | (umap_places(umap, rows.iloc[shown], rows_path) if umap else {})


def umap_places(path: Path, shown: pd.DataFrame, rows_path: Path) -> dict[str, dict]:
    """Return the places of rows of rows.tsv by umap_points.tsv, as `umap_` and the name of what they are computed from.

    Of too few contigs the table has no rows, and there are no places.
    """
    places = read_table(UMAP_POINTS, path).set_index("contig")
    if places.empty:
        return {}
    check_contigs(rows_path, shown, places.index, f"in {path}")
    found = places.loc[shown["contig"]]
    by_name = {name: found[[f"{name}_x", f"{name}_y"]].to_numpy() for name in ("input", "latent")}
    return {f"umap_{name}": coordinates(points) for name, points in by_name.items() if not np.isnan(points).any()}


def bin_names(path: Path) -> dict[str, dict[str, str]]:
    """Return the names of the bins of a bins.tsv by assembly and cluster."""
    names: dict[str, dict[str, str]] = {}
    for name, assembly, cluster in read_table(bins_schema(path), path, BIN_KEYS).itertuples(index=False):
        names.setdefault(assembly, {})[cluster] = name
    return names


def refinements(paths: tuple[Path, ...], known: pd.Index, bins_path: Path | None) -> dict[str, dict[str, dict]]:
    """Return of each assembly number and base pairs of its contigs by what the refinement changed, and its flow.

    known: the contigs of the group.
    """
    names = bin_names(bins_path) if bins_path else {}
    counts_of, flow_of = {}, {}
    for path in paths:
        schema = ARTICLE_REFINEMENT if "step1" in read_header(path)[0] else REFINEMENT
        steps = read_table(schema, path, STEP_COLUMNS)
        check_contigs(path, steps, known, "in contigs.tsv")
        assembly = only_assembly(path, steps)
        counts_of[assembly] = refinement_counts(steps)
        flow_of[assembly] = flow(steps, names.get(assembly, {}))
    return {"refinement": counts_of, "flows": flow_of}


def genomes_found(path: Path) -> dict:
    """Return the number of genomes that each binning finds at a precision of 0.9, at each recall."""
    found = read_table(GENOMES_FOUND, path)
    found = found[(found["counted"] == COUNTED[-1]) & (found["precision"] == PRECISION)]
    return {"recall": list(RECALLS), "binnings": found.set_index("binning")[list(RECALL_NAMES)].T.to_dict("list")}


def cluster_curves(clusters: pd.DataFrame, table: pd.DataFrame, sizes: pd.DataFrame) -> dict[str, list[int]]:
    """Return how many clusters there are of each size of genes (preprint, figure S10), and how many large ones so far.

    "So far" is among the genes that were clustered first. The tables are clusters.tsv, in which clusters stand in the
    order in which they were found, gene_clusters.tsv and cluster_sizes.tsv.
    """
    found = table.set_index("cluster").loc[clusters["cluster"].unique()]
    by_size, by_order = sizes.iloc[thinned(len(sizes))], found[["genes", "large"]].cumsum().iloc[thinned(len(found))]
    return {
        "least_genes": by_size["least_genes"].tolist(),
        "clusters": by_size["clusters"].tolist(),
        "genes_found": by_order["genes"].tolist(),
        "large_found": by_order["large"].astype(int).tolist(),
    }


def what_is_binned(
    paths: tuple[Path, Path, Path], bins_path: Path, samples: list[str], rows: pd.DataFrame
) -> tuple[pd.Index, np.ndarray, dict]:
    """Return the names of all contigs, the bin of each row (n) as the pictures name it, and what the report shows."""
    contigs, contig2bin, unbinned = (read_table(schema, path) for schema, path in zip((CONTIGS, *BINNED), paths))
    for path, table in zip(paths[1:], (contig2bin, unbinned)):
        check_names(path, table, contigs, paths[0])
    bins = read_table(bins_schema(bins_path), bins_path)
    labels = bins_of_rows(rows, contigs, contig2bin, bins)
    content = {
        "bins": bin_rows(bins_path, bins, samples),
        "contigs": contig_numbers(contigs, contig2bin, unbinned),
        "gene_clusters": None,
    }
    return pd.Index(contigs["contig"]), labels, content


def what_is_clustered(paths: tuple[Path, Path, Path, Path], rows: pd.DataFrame) -> tuple[pd.Index, np.ndarray, dict]:
    """Return the same of a gene catalogue, which has clusters in place of bins."""
    schemas = (CONTIGS, CLUSTERS, GENE_CLUSTERS, CLUSTER_SIZES)
    genes, clusters, table, sizes = (read_table(schema, path) for schema, path in zip(schemas, paths))
    known = pd.Index(genes["contig"])
    check_contigs(paths[1], clusters, known, f"in {paths[0]}")
    if set(clusters["cluster"]) != set(table["cluster"]):
        raise click.ClickException(f"{paths[2]}: has other clusters than {paths[1]}; give both from the same run")
    labels = clusters_of_rows(rows, clusters, table)
    nothing = {"by_assembly": {}, "by_length": {}}
    return known, labels, {"bins": [], "contigs": nothing, "gene_clusters": cluster_curves(clusters, table, sizes)}


@click.command()
@click.option("--group", required=True, help="Id of the group.")
@click.option(
    "--contigs",
    type=(FILE, FILE, FILE),
    metavar="CONTIGS CONTIG2BIN UNBINNED",
    help="contigs.tsv, contig2bin.tsv and unbinned.tsv of the group.",
)
@click.option("--bins", "bins_path", type=FILE, help="bins.tsv of the group.")
@click.option(
    "--genes",
    type=(FILE, FILE, FILE, FILE),
    metavar="CONTIGS CLUSTERS GENE_CLUSTERS CLUSTER_SIZES",
    help="Of a gene catalogue, in place of --contigs and --bins: contigs.tsv, clusters.tsv, gene_clusters.tsv and "
    "cluster_sizes.tsv of the group.",
)
@click.option("--features", "features_path", required=True, type=FILE, help="features.json of the group.")
@click.option(
    "--inputs",
    required=True,
    type=(FILE, FILE, FILE),
    metavar="ROWS TNF ABUNDANCE",
    help="rows.tsv, tnf.npy and abundance.npy of the group.",
)
@click.option("--mapping", "mappings", multiple=True, type=FILE, help="<sample>.mapping.tsv; repeatable.")
@click.option(
    "--trained",
    type=(FILE, FILE, FILE),
    metavar="LATENT TRAINING THRESHOLD",
    help="latent.npy, training.tsv and threshold.json of the group, if there was a training.",
)
@click.option("--refinement", "steps", multiple=True, type=FILE, help="refinement.tsv of an assembly; repeatable.")
@click.option("--genomes_found", "found", type=FILE, help="genomes_found.tsv of the group, if genomes are known.")
@click.option("--umap", type=FILE, help="umap_points.tsv of the group, if UMAP is asked for.")
def main(
    group: str,
    contigs: tuple[Path, Path, Path] | None,
    bins_path: Path | None,
    genes: tuple[Path, Path, Path, Path] | None,
    features_path: Path,
    inputs: tuple[Path, Path, Path],
    mappings: tuple[Path, ...],
    trained: tuple[Path, Path, Path] | None,
    steps: tuple[Path, ...],
    found: Path | None,
    umap: Path | None,
) -> None:
    """Write report_data.json of a group."""
    if bool(contigs) == bool(genes) or bool(contigs) != bool(bins_path):
        raise click.UsageError("give --contigs and --bins, or --genes")
    features = read_description(FEATURES, features_path, ["samples", "mapped_reads", "rows_sha256"])
    rows_path, *arrays = inputs
    rows = read_table(ROWS, rows_path)
    known, labels, content = (
        what_is_clustered(genes, rows) if genes else what_is_binned(contigs, bins_path, features["samples"], rows)
    )
    check_contigs(rows_path, rows, known, f"in {(genes or contigs)[0]}")
    check_hash(features_path, features["rows_sha256"], rows["contig"], rows_path)
    latent, training, threshold = trained or (None, None, None)
    sets = {"input": arrays} | ({"latent": [latent]} if latent else {})
    write_group(
        {
            "group": group,
            "samples": sample_rows(mappings),
            "coverage_samples": features["samples"],
            "coverage_unit": "RPKM" if features["mapped_reads"] is None else "reads per base",
            **content,
            "training": training_curves(training) if training else None,
            "distances": distance_curve(threshold) if threshold else None,
            "pictures": pictures(sets, rows, rows_path, labels, umap) if len(rows) else None,
            **refinements(steps, known, bins_path),
            "genomes": genomes_found(found) if found else None,
        }
    )


if __name__ == "__main__":
    main()
