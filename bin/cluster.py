#!/usr/bin/env python3
"""Cut the latent space of a group into clusters of contigs.

In:  latent.npy (n x N_L float32), latent.json (`rows_sha256`), rows.tsv (`contig, length`: the rows of the latent),
     contigs.tsv (`contig, assembly, name, length`: all contigs of the group).
Out: clusters.tsv (`cluster, contig, assembly, name`; clusters numbered as found, the first row of each is its medoid;
     contigs left over by --max_clusters have no row) and threshold.json.

Implements "Determination of clustering threshold" and "Clustering" of the VAMB preprint (Nissen et al. 2018,
doi:10.1101/490078). Seeds are taken from the longest contig to the shortest, where the text says "arbitrarily".

Distances are Pearson's, 1/2 (1 - PCC). Rows are centred and scaled to a squared length of 1/2, so that the distance of
two is 1/2 minus their dot product. A row of equal values has no correlation: it is a cluster of its own, and neither a
seed nor a point of the threshold's densities.
"""

import csv
import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from torch import Tensor

N_BINS = 400
BANDWIDTH = 0.015
FALLBACK_DENSITY = 0.8
# Used when no seed shows a threshold. The medians of the benchmark communities lie between 0.1 and 0.2; half of the
# right threshold still gives pure clusters, a threshold half too wide mixes genomes.
DEFAULT_THRESHOLD = 0.1
BLOCK_VALUES = 1 << 24
ROUNDING = 1e-5
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
INPUT_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def standardise(latent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows centred and scaled to squared length 1/2 (n x N_L float32), and which rows are not constant (n, bool).

    With x and y two such rows, 1/2 - x.y = 1/2 (1 - PCC). Constant rows become zero.
    """
    varies = latent.max(axis=1, initial=-np.inf) > latent.min(axis=1, initial=np.inf)
    centred = latent - latent.mean(axis=1, keepdims=True, dtype=np.float64)
    length = np.sqrt(2 * np.square(centred).sum(axis=1, keepdims=True))
    scaled = np.divide(centred, length, out=np.zeros_like(centred), where=varies[:, None] & (length > 0))
    return scaled.astype(np.float32), varies


def smoothing_matrix() -> np.ndarray:
    """N_BINS x N_BINS matrix that smooths bins of [0, 1] with N(0, BANDWIDTH): density = counts @ matrix."""
    centres = (np.arange(N_BINS) + 0.5) / N_BINS
    offsets = (centres[:, None] - centres[None, :]) / BANDWIDTH
    return np.exp(-0.5 * np.square(offsets)) / (BANDWIDTH * math.sqrt(2 * math.pi))


def seed_histograms(points: Tensor, seeds: Tensor) -> Iterator[np.ndarray]:
    """Counts of each seed's distances to all other points in N_BINS bins of [0, 1]: blocks of (seeds, N_BINS) int64.

    points (n x N_L) are standardised; one matrix product serves a block of seeds.
    """
    block = max(1, BLOCK_VALUES // max(1, len(points)))
    for chosen in torch.split(seeds, block):
        bins = torch.addmm(torch.tensor(N_BINS / 2), points[chosen], points.T, alpha=-N_BINS)
        bins = bins.clamp_(0, N_BINS - 1).to(torch.int64)
        own = bins[torch.arange(len(chosen)), chosen]
        bins += N_BINS * torch.arange(len(chosen))[:, None]
        counts = torch.bincount(bins.flatten(), minlength=N_BINS * len(chosen)).view(len(chosen), N_BINS)
        counts[torch.arange(len(chosen)), own] -= 1
        yield counts.numpy()


def valley_bin(density: np.ndarray) -> int | None:
    """Bin of the first local minimum after the first local maximum of a smoothed density (N_BINS,), None without.

    Read off the sign of the numerical derivative: a maximum where it turns from rising to falling (a density that
    falls from distance 0 on has its maximum there), a minimum where it stops falling.
    """
    slope = np.diff(density)
    falling = np.flatnonzero(slope < 0)
    if len(falling) == 0:
        return None
    stops = np.flatnonzero(slope[falling[0] :] >= 0)
    return int(falling[0] + stops[0]) if len(stops) else None


def seed_threshold(counts: np.ndarray, density: np.ndarray, max_close: int) -> tuple[float, str]:
    """Threshold of one seed and how it was found: `valley`, `fallback` or `undefined` (NaN).

    counts and density (N_BINS,) are the seed's histogram and its smoothed form. The valley counts if fewer than
    max_close contigs are closer; else the first point where the density is FALLBACK_DENSITY times its maximum, under
    the same condition. Thresholds are bin centres; half of the threshold's own bin counts as closer.
    """
    closer = np.cumsum(counts) - counts / 2
    valley = valley_bin(density)
    if valley is not None and closer[valley] < max_close:
        return (valley + 0.5) / N_BINS, "valley"
    high = int(np.argmax(density >= FALLBACK_DENSITY * density.max()))
    if density.max() > 0 and closer[high] < max_close:
        return (high + 0.5) / N_BINS, "fallback"
    return math.nan, "undefined"


def estimate_threshold(points: Tensor, n_seeds: int, max_close: int, rng: np.random.Generator) -> dict:
    """The content of threshold.json but for what was used in the end: median over random seeds, kinds, densities.

    points (n x N_L) are standardised and not constant. `estimate` is None when no seed defines a threshold.
    """
    n = len(points)
    seeds = torch.from_numpy(rng.choice(n, min(n_seeds, n), replace=False))
    smooth = smoothing_matrix()
    total = np.zeros(N_BINS)
    found: list[tuple[float, str]] = []
    for counts in seed_histograms(points, seeds):
        densities = counts @ smooth
        total += densities.sum(axis=0)
        found += [seed_threshold(*pair, max_close) for pair in zip(counts, densities)]
    kinds = [kind for _, kind in found]
    defined = [threshold for threshold, kind in found if kind != "undefined"]
    pairs = len(seeds) * (n - 1)
    return {
        "estimate": float(np.median(defined)) if defined else None,
        "seeds": len(seeds),
        "seeds_with_valley": kinds.count("valley"),
        "seeds_with_fallback": kinds.count("fallback"),
        "seeds_undefined": kinds.count("undefined"),
        "quantiles": {str(q): float(np.quantile(defined, q)) if defined else None for q in QUANTILES},
        "density_mean": [float(f"{value:.6g}") for value in total / max(pairs, 1)],
        "bin_edges": [edge / N_BINS for edge in range(N_BINS + 1)],
    }


def neighbourhood(points: Tensor, alive: Tensor, medoid: int, threshold: float) -> tuple[Tensor, float, Tensor]:
    """Inner points of a medoid, their mean distance (0 without any), and all points that an inner point can reach.

    Points are those still alive, as positions; the medoid is not its own inner point but is among those in reach. On
    the sphere of standardised points the angle is a metric, so what lies within the threshold's angle of an inner
    point lies within twice that angle of the medoid: no other distance can matter.
    """
    distance = 0.5 - points @ points[medoid]
    angle = 2 * math.acos(max(-1.0, 1 - 2 * threshold))
    reach = 0.5 * (1 - math.cos(min(angle, math.pi))) + ROUNDING
    near = torch.nonzero((distance <= reach) & alive).flatten()
    inner = near[(distance[near] <= threshold) & (near != medoid)]
    return inner, float(distance[inner].mean()) if len(inner) else 0.0, near


def mean_inner_distances(points: Tensor, near: Tensor, candidates: Tensor, threshold: float) -> np.ndarray:
    """Mean distance of each candidate (a position) to its own inner points, all of which are among near."""
    distance = 0.5 - points[candidates] @ points[near].T
    inner = (distance <= threshold) & (candidates[:, None] != near[None, :])
    return ((distance * inner).sum(dim=1) / inner.sum(dim=1)).numpy()


def find_medoid(
    points: Tensor, alive: Tensor, seed: int, threshold: float, patience: int, rng: np.random.Generator
) -> tuple[int, Tensor]:
    """Wander from a seed to a medoid; returns its position and its inner points.

    Inner points are drawn at random without replacement and take the medoid's place if their mean inner distance is
    less; the search ends after `patience` futile draws in a row or when all inner points have been drawn. Candidates
    are judged in blocks, the first better one of a block in drawing order wins: the same as one by one.
    """
    medoid = seed
    inner, mean, near = neighbourhood(points, alive, medoid, threshold)
    drawn = torch.zeros(len(points), dtype=torch.bool)
    drawn[medoid] = True
    while len(fresh := inner[~drawn[inner]]):
        candidates = fresh[torch.from_numpy(rng.choice(len(fresh), min(patience, len(fresh)), replace=False))]
        means = mean_inner_distances(points, near, candidates, threshold)
        better = np.flatnonzero(means < mean)
        if len(better) == 0:
            break
        drawn[candidates[: better[0] + 1]] = True
        medoid, mean = int(candidates[better[0]]), float(means[better[0]])
        inner, _, near = neighbourhood(points, alive, medoid, threshold)
    return medoid, inner


def medoid_clusters(
    points: Tensor, seeds: np.ndarray, threshold: float, patience: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Clusters as arrays of row numbers, medoid first, until every point of seeds is in one.

    points (n x N_L) are standardised; seeds holds the row numbers to cluster in the order in which they are tried.
    Clustered points leave the search; the matrix is rewritten without them each time half of it is gone.
    """
    rows = torch.from_numpy(np.sort(seeds))
    position = torch.full((len(points),), -1)
    position[rows] = torch.arange(len(rows))
    points = points[rows]
    alive = torch.ones(len(rows), dtype=torch.bool)
    n_alive = len(rows)
    for seed in seeds.tolist():
        # The search can end at a medoid that the seed is too far from: it is then the first seed again.
        while (start := int(position[seed])) >= 0:
            medoid, inner = find_medoid(points, alive, start, threshold, patience, rng)
            members = torch.cat((torch.tensor([medoid]), inner))
            yield rows[members].numpy()
            alive[members] = False
            position[rows[members]] = -1
            n_alive -= len(members)
            if n_alive < len(rows) / 2:
                points, rows = points[alive], rows[alive]
                alive = torch.ones(n_alive, dtype=torch.bool)
                position[rows] = torch.arange(n_alive)


def read_columns(path: Path, columns: list[str]) -> pd.DataFrame:
    """Columns of a table, names kept as written, `length` as whole numbers; ClickException when one is missing."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)
    try:
        return table[columns].astype({"length": np.int64})
    except (KeyError, ValueError) as error:
        raise click.ClickException(f"{path} is not a table of {', '.join(columns)} ({error}).")


def read_latent(latent: Path, latent_json: Path, rows: pd.DataFrame, rows_path: Path) -> np.ndarray:
    """The latent matrix; raises ClickException when it is not finite or not of the rows given."""
    try:
        digest = json.loads(latent_json.read_text())["rows_sha256"]
    except (KeyError, ValueError) as error:
        raise click.ClickException(f"{latent_json} is not what the vae stage writes ({error}). Run that stage again.")
    if hashlib.sha256("\n".join(rows["contig"]).encode()).hexdigest() != digest:
        first = rows["contig"].iloc[0] if len(rows) else "absent"
        raise click.ClickException(
            f"the contigs of {rows_path} ({len(rows)}, the first {first}) are not those that {latent_json} was made "
            "of. Give the rows.tsv that the vae stage was given."
        )
    try:
        matrix = np.load(latent, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise click.ClickException(f"{latent} is not a readable .npy array ({error}). Run the vae stage again.")
    if matrix.ndim != 2 or len(matrix) != len(rows):
        raise click.ClickException(
            f"{latent} has shape {matrix.shape}, but {rows_path} has {len(rows)} contigs. Run the vae stage again."
        )
    broken = ~np.isfinite(matrix).all(axis=1)
    if broken.any():
        raise click.ClickException(
            f"{latent}: the row of contig {rows['contig'].iloc[int(broken.argmax())]} holds a value that is not a "
            "finite number. Run the vae stage again with a lower --learning_rate."
        )
    return matrix


def join_contigs(rows: pd.DataFrame, contigs: pd.DataFrame, rows_path: Path, contigs_path: Path) -> pd.DataFrame:
    """`contig, assembly, name` of each row; ClickException naming the first contig that is absent or differs."""
    known = contigs.set_index("contig")
    lengths = known["length"].reindex(rows["contig"])
    differs = lengths.to_numpy() != rows["length"].to_numpy()
    if differs.any():
        first = rows.iloc[int(differs.argmax())]
        known_as = "absent"
        if first["contig"] in known.index:
            known_as = f"{known.loc[first['contig'], 'length']} bp long"
        raise click.ClickException(
            f"contig {first['contig']} of {rows_path} ({first['length']} bp) is {known_as} in {contigs_path}. "
            "Give the files of one and the same group."
        )
    return known.loc[rows["contig"], ["assembly", "name"]].reset_index()


def choose_threshold(summary: dict, given: float | None) -> dict:
    """Complete threshold.json with the threshold used and its `source`: given, estimated or default (warns)."""
    estimate = summary.pop("estimate")
    if given is not None:
        threshold, source = given, "given"
    elif estimate is not None:
        threshold, source = estimate, "estimated"
    else:
        threshold, source = DEFAULT_THRESHOLD, "default"
        click.echo(
            f"WARNING: none of {summary['seeds']} seeds shows a valley between close and far contigs: the default "
            f"threshold {DEFAULT_THRESHOLD} is used. Set another one with --distance_threshold.",
            err=True,
        )
    return {"threshold": threshold, "defined": estimate is not None, "estimate": estimate, "source": source, **summary}


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--latent", required=True, type=INPUT_FILE, help="latent.npy")
@click.option("--latent_json", required=True, type=INPUT_FILE, help="latent.json")
@click.option("--rows", required=True, type=INPUT_FILE, help="rows.tsv")
@click.option("--contigs", required=True, type=INPUT_FILE, help="contigs.tsv")
@click.option("--threshold_seeds", default=2500, type=click.IntRange(min=1), help="Seeds that vote on the threshold.")
@click.option(
    "--max_close_contigs",
    default=2500,
    type=click.IntRange(min=1),
    help="A seed's threshold is only taken if fewer contigs are closer.",
)
@click.option("--medoid_patience", default=15, type=click.IntRange(min=1), help="Futile draws that end a search.")
@click.option("--max_clusters", type=click.IntRange(min=1), help="Stop after so many clusters; all if not given.")
@click.option(
    "--distance_threshold",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Use this threshold in place of the estimated one.",
)
@click.option("--seed", default=1, type=click.IntRange(0, 2**63 - 1), help="Seed of all random draws.")
@click.option("--threads", default=1, type=click.IntRange(min=1), help="CPU threads.")
def main(
    latent: Path, latent_json: Path, rows: Path, contigs: Path, threshold_seeds: int, max_close_contigs: int,
    medoid_patience: int, max_clusters: int | None, distance_threshold: float | None, seed: int, threads: int,
) -> None:  # fmt: skip
    """Cluster a group's latent space; writes clusters.tsv and threshold.json here."""
    torch.set_num_threads(threads)
    # Two streams, so that the medoids' draws do not hang on how many seeds voted on the threshold.
    threshold_rng, medoid_rng = np.random.default_rng(seed).spawn(2)
    table = read_columns(rows, ["contig", "length"])
    names = join_contigs(table, read_columns(contigs, ["contig", "assembly", "name", "length"]), rows, contigs)
    scaled, varies = standardise(read_latent(latent, latent_json, table, rows))
    points = torch.from_numpy(scaled)

    summary = estimate_threshold(points[torch.from_numpy(varies)], threshold_seeds, max_close_contigs, threshold_rng)
    report = choose_threshold(summary, distance_threshold)
    click.echo(
        f"{len(table)} contigs; threshold {report['threshold']:.4g} ({report['source']}): of {report['seeds']} seeds "
        f"{report['seeds_with_valley']} show a valley, {report['seeds_with_fallback']} the fallback, "
        f"{report['seeds_undefined']} neither.",
        err=True,
    )

    clusters: list[np.ndarray] = []
    by_length = np.argsort(-table["length"].to_numpy(), kind="stable")
    found = medoid_clusters(points, by_length[varies[by_length]], report["threshold"], medoid_patience, medoid_rng)
    for members in found:
        clusters.append(members)
        if len(clusters) == max_clusters:
            break
    clusters += [np.array([row]) for row in by_length[~varies[by_length]]]
    clusters = clusters[:max_clusters]

    members = np.concatenate(clusters) if clusters else np.empty(0, dtype=np.int64)
    assigned = names.iloc[members].copy()
    assigned.insert(0, "cluster", np.repeat(np.arange(1, len(clusters) + 1), [len(c) for c in clusters]))
    assigned.to_csv("clusters.tsv", sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE)
    Path("threshold.json").write_text(json.dumps({**report, "seed": seed}, indent=2) + "\n")
    left = len(table) - len(members)
    click.echo(f"{len(members)} contigs in {len(clusters)} clusters, {left} left unclustered.", err=True)


if __name__ == "__main__":
    main()
