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
from concurrent.futures import ThreadPoolExecutor
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
# Coordinates are multiples of this: the error of a distance is about 2e-6, and sums of up to a million dot products are
# exact in double precision, whatever their order.
GRID = 2.0**-17
# Values of a block of products, which should stay in the processor's cache; its least number of points; and the blocks
# that are one task for a thread.
BLOCK_VALUES = 1 << 18
SMALLEST_BLOCK = 256
TASK_BLOCKS = 8
SEED_BLOCK = 64  # seeds of one block of histograms: SEED_BLOCK * N_BINS must fit in 16 bits
# Cells of the search: points in each, at most so many cells, samples for each and rounds that place their pivots.
CELL_SIZE = 64
MOST_CELLS = 4096
PIVOT_SAMPLES = 16
PIVOT_ROUNDS = 2
# More than what the grid can turn an angle by (radians): two points whose distance should be 0 can look 0.01 apart.
ANGLE_ERROR = 0.03
LARGEST_SHARE = 0.999  # of a half turn, so that a cell's number and an angle in it make one sortable number
PACK_BELOW = 0.8  # share of points left at which the matrix that is searched is rewritten
SEEDS_AHEAD = (8, 256)  # seeds that are looked up at once, at least and at most
JUDGED_AT_ONCE = 32
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
    return (np.rint(scaled / GRID) * GRID).astype(np.float32), varies


def smoothing_matrix() -> np.ndarray:
    """N_BINS x N_BINS matrix that smooths bins of [0, 1] with N(0, BANDWIDTH): density = counts @ matrix."""
    centres = (np.arange(N_BINS) + 0.5) / N_BINS
    offsets = (centres[:, None] - centres[None, :]) / BANDWIDTH
    return np.exp(-0.5 * np.square(offsets)) / (BANDWIDTH * math.sqrt(2 * math.pi))


def worker_threads(threads: int) -> ThreadPoolExecutor:
    """Threads that share blocks of products; each must be told that a product of its own is not to be shared again."""
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))


def seed_histograms(points: Tensor, seeds: Tensor, threads: int = 1) -> np.ndarray:
    """Counts of each seed's distances to all other points in N_BINS bins of [0, 1] (seeds x N_BINS, int64).

    points (n x N_L) are standardised. Blocks of seeds, one a thread, meet blocks of points, so that a product and its
    counts stay in the processor's cache.
    """
    block = max(1, BLOCK_VALUES // SEED_BLOCK)

    def count(chosen: Tensor) -> Tensor:
        # A row of counts each: with SEED_BLOCK of them the largest number still fits in 16 bits.
        offset = N_BINS * torch.arange(len(chosen), dtype=torch.int16)[:, None]
        counts = torch.zeros(N_BINS * len(chosen), dtype=torch.int64)
        for part in torch.split(points, block):
            bins = torch.addmm(torch.tensor(N_BINS / 2), points[chosen], part.T, alpha=-N_BINS)
            bins = bins.clamp_(0, N_BINS - 1).to(torch.int16).add_(offset)
            counts += torch.bincount(bins.flatten(), minlength=len(counts))
        counts = counts.view(len(chosen), N_BINS)
        counts[:, 0] -= 1  # the seed itself
        return counts

    with worker_threads(threads) as pool:
        return torch.cat(list(pool.map(count, torch.split(seeds, SEED_BLOCK)))).numpy()


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


def estimate_threshold(
    points: Tensor, n_seeds: int, max_close: int, rng: np.random.Generator, threads: int = 1
) -> dict:
    """The content of threshold.json but for what was used in the end: median over random seeds, kinds, densities.

    points (n x N_L) are standardised and not constant. `estimate` is None when no seed defines a threshold.
    """
    n = len(points)
    seeds = torch.from_numpy(rng.choice(n, min(n_seeds, n), replace=False))
    counts = seed_histograms(points, seeds, threads)
    densities = counts @ smoothing_matrix()
    found = [seed_threshold(*pair, max_close) for pair in zip(counts, densities)]
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
        "density_mean": [float(f"{value:.6g}") for value in densities.sum(axis=0) / max(pairs, 1)],
        "bin_edges": [edge / N_BINS for edge in range(N_BINS + 1)],
    }


def near_positions(
    points: Tensor, within: Tensor | None, queries: Tensor, cut: float, pool: ThreadPoolExecutor
) -> list[np.ndarray]:
    """Positions of the points near any query of each group, in the order of `within` (positions; None: all).

    points are n x N_L, queries groups x members x N_L. Near is a dot product of at least `cut` less what single
    precision can be wrong by: every point that belongs is found, and perhaps a few more.
    """
    n_groups, members, width = queries.shape
    flat = queries.reshape(-1, width)
    least = np.float32(cut - width * torch.finfo(torch.float32).eps)
    block = max(SMALLEST_BLOCK, BLOCK_VALUES // len(flat))

    def search(starts: range) -> tuple[np.ndarray, np.ndarray]:
        groups, positions = [], []
        for start in starts:
            at = slice(start, start + block)
            product = (flat @ points[at if within is None else within[at]].T).numpy()
            closest = product.reshape(n_groups, members, product.shape[1]).max(axis=1) if members > 1 else product
            group, position = np.divmod(np.flatnonzero(closest >= least), max(1, closest.shape[1]))
            groups.append(group.astype(np.uint16))
            positions.append(position + start)
        return np.concatenate(groups), np.concatenate(positions)

    n = len(points) if within is None else len(within)
    starts = range(0, max(1, n), block)
    tasks = [starts[at : at + TASK_BLOCKS] for at in range(0, len(starts), TASK_BLOCKS)]
    found = list(pool.map(search, tasks) if len(tasks) > 1 else map(search, tasks))
    groups, positions = (np.concatenate(parts) for parts in zip(*found))
    positions = positions if within is None else within.numpy()[positions]
    by_group = positions[np.argsort(groups, kind="stable")]
    return np.split(by_group, np.cumsum(np.bincount(groups, minlength=n_groups))[:-1])


def angles(product: np.ndarray) -> np.ndarray:
    """Angles (radians) from dot products of standardised points."""
    return np.arccos(np.clip(2 * product, -1, 1))


def nearest_pivot(points: Tensor, pivots: Tensor, pool: ThreadPoolExecutor) -> tuple[np.ndarray, np.ndarray]:
    """Nearest pivot of each point (n, int64) and the angle between the two (n, radians)."""

    def nearest(block: Tensor) -> tuple[np.ndarray, np.ndarray]:
        product = (block @ pivots.T).numpy()
        cell = product.argmax(axis=1)
        return cell, angles(product[np.arange(len(cell)), cell])

    blocks = torch.split(points, max(SMALLEST_BLOCK, BLOCK_VALUES // len(pivots)))
    cell, angle = zip(*pool.map(nearest, blocks))
    return np.concatenate(cell), np.concatenate(angle)


def choose_pivots(sample: Tensor, pivots: Tensor, pool: ThreadPoolExecutor) -> Tensor:
    """Pivots moved to the middle of the points that they are nearest to: k-means on the sphere (samples, k x N_L)."""
    for _ in range(PIVOT_ROUNDS):
        cell, _ = nearest_pivot(sample, pivots, pool)
        total = torch.zeros_like(pivots).index_add_(0, torch.from_numpy(cell), sample)
        length = total.norm(dim=1, keepdim=True)
        pivots = torch.where(length > 0, total / (length * math.sqrt(2)), pivots)
    return pivots


class Unclustered:
    """The points that are in no cluster yet, each named by its number for good.

    points (n x N_L) are standardised. Two are inner to each other if their dot product is at least `cut`, 1/2 less the
    threshold. For the search they lie in cells around pivots, and within a cell by their angle to the pivot: the angle
    is a metric on the sphere, so a point within t of a query that is a from the pivot is at least a - t from it itself.
    """

    def __init__(self, points: Tensor, threshold: float, threads: int) -> None:
        self.points, self.cut = points, 0.5 - threshold
        self.pool = worker_threads(threads)
        self.alive, self.n_alive = np.ones(len(points), dtype=bool), len(points)
        size = max(CELL_SIZE, len(points) // MOST_CELLS)
        self.pivots = choose_pivots(points[:: max(1, size // PIVOT_SAMPLES)], points[::size], self.pool)
        cell, angle = nearest_pivot(points, self.pivots, self.pool)
        # One sorted array for all cells: number of the cell, and the angle's share of a half turn as its fraction.
        self.key_of = cell + np.minimum(angle / math.pi, LARGEST_SHARE)
        self.pack(np.argsort(self.key_of))

    def pack(self, numbers: np.ndarray) -> None:
        """Write the matrix that is searched: the points of `numbers`, which are in the order of their keys."""
        self.keys, self.numbers, self.packed = self.key_of[numbers], numbers, self.points[torch.from_numpy(numbers)]
        cells = np.arange(len(self.pivots))
        self.ends = np.searchsorted(self.keys, cells + 1)
        # The last key before a cell's end is of that cell, or of one before if it is empty: then less than zero.
        self.outermost = (np.append(-1, self.keys)[self.ends] - cells) * math.pi

    def remove(self, members: np.ndarray) -> None:
        """Take points out; the matrix is rewritten when enough of it is gone."""
        self.alive[members] = False
        self.n_alive -= len(members)
        if self.n_alive < PACK_BELOW * len(self.numbers):
            self.pack(self.numbers[self.alive[self.numbers]])

    def near_each(self, queries: np.ndarray) -> list[np.ndarray]:
        """What is near each of many points, as near_positions has it."""
        points = self.points[torch.from_numpy(queries)][:, None]
        return [self.numbers[found] for found in near_positions(self.packed, None, points, self.cut, self.pool)]

    def inside(self, queries: Tensor) -> np.ndarray:
        """Positions of the points that the cells leave possible as inner to any of the queries (members x N_L)."""
        nearest = angles((queries @ self.pivots.T).amax(dim=0).numpy())
        least = nearest - (math.acos(max(-1.0, 2 * self.cut)) + ANGLE_ERROR)
        cells = np.flatnonzero(least <= self.outermost + ANGLE_ERROR)
        starts = np.searchsorted(self.keys, cells + np.clip(least[cells] / math.pi, 0, LARGEST_SHARE))
        sizes = self.ends[cells] - starts
        return np.repeat(self.ends[cells] - np.cumsum(sizes), sizes) + np.arange(sizes.sum())

    def near_any(self, members: np.ndarray) -> np.ndarray:
        """What is near any of a few points that are close together, as near_positions has it."""
        queries = self.points[torch.from_numpy(members)]
        inside = torch.from_numpy(self.inside(queries))
        return self.numbers[near_positions(self.packed, inside, queries[None], self.cut, self.pool)[0]]

    def judge(self, candidates: np.ndarray, near: np.ndarray) -> dict[int, tuple[float, np.ndarray]]:
        """Mean distance of each candidate to its inner points (0 without any), and these, ascending.

        near holds all inner points of the candidates and may hold others, even such as have left.
        """
        near = np.sort(near[self.alive[near]])
        product = self.points[torch.from_numpy(candidates)].double() @ self.points[torch.from_numpy(near)].double().T
        product = product.numpy()
        inner = (product >= self.cut) & (candidates[:, None] != near)
        count = inner.sum(axis=1)
        mean = np.where(count > 0, 0.5 - (product * inner).sum(axis=1) / np.maximum(count, 1), 0.0)
        return {number: (mean[i], near[inner[i]]) for i, number in enumerate(candidates.tolist())}


def find_medoid(space: Unclustered, seed: int, near: np.ndarray, patience: int) -> tuple[int, np.ndarray]:
    """Wander from a seed to a medoid; returns it and its inner points. near: what is near the seed.

    Inner points are drawn in the order of their numbers, without replacement, and take the medoid's place if their mean
    inner distance is less; the search ends after `patience` futile draws in a row or when all have been drawn. Those
    that come next are judged along with one that is drawn.
    """
    judged, at_once = space.judge(np.array([seed]), near), max(patience, JUDGED_AT_ONCE)
    medoid, drawn, (mean, inner) = seed, {seed}, judged[seed]
    futile = False
    while not futile:
        futile = True
        coming = [number for number in inner[: at_once + len(drawn)].tolist() if number not in drawn]
        for draw in coming[:patience]:
            if draw not in judged:
                new = np.array([number for number in coming[:at_once] if number not in judged])
                judged |= space.judge(new, space.near_any(new))
            drawn.add(draw)
            if judged[draw][0] < mean:
                medoid, (mean, inner), futile = draw, judged[draw], False
                break
    return medoid, inner


def medoid_clusters(
    points: Tensor, seeds: np.ndarray, threshold: float, patience: int, rng: np.random.Generator, threads: int = 1
) -> Iterator[np.ndarray]:
    """Clusters as arrays of row numbers, medoid first and the others ascending, until every point of seeds is in one.

    points (n x N_L) are standardised; seeds holds the row numbers to cluster in the order in which they are tried.
    The order in which inner points are drawn is drawn once, for all: a point's place in it is its number in the search.
    What is near the next seeds is looked up for many at once; for twice as many as were of use the last time.
    """
    rows = rng.permutation(seeds)
    if len(rows) == 0:
        return
    number = np.empty(len(points), dtype=np.int64)
    number[rows] = np.arange(len(rows))
    starts = number[seeds]
    space = Unclustered(points[torch.from_numpy(rows)], threshold, threads)
    ahead: dict[int, np.ndarray] = {}
    used = 0
    for at, seed in enumerate(starts.tolist()):
        # The search can end at a medoid that the seed is too far from: it is then the first seed again.
        while space.alive[seed]:
            if seed not in ahead:
                batch = min(max(2 * used, SEEDS_AHEAD[0]), SEEDS_AHEAD[1])
                coming = starts[at : at + 8 * batch]
                coming = coming[space.alive[coming]][:batch]
                ahead, used = dict(zip(coming.tolist(), space.near_each(coming))), 0
            medoid, inner = find_medoid(space, seed, ahead[seed], patience)
            used += 1
            yield np.append(rows[medoid], np.sort(rows[inner]))
            space.remove(np.append(medoid, inner))


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


def choose_threshold(summary: dict, given: float | None, scale: float) -> dict:
    """Complete threshold.json with the threshold used and its `source`: given, estimated (times scale) or default
    (warns)."""
    estimate = summary.pop("estimate")
    if given is not None:
        threshold, source = given, "given"
    elif estimate is not None:
        threshold, source = scale * estimate, "estimated"
    else:
        threshold, source = DEFAULT_THRESHOLD, "default"
        click.echo(
            f"WARNING: none of {summary['seeds']} seeds shows a valley between close and far contigs: the default "
            f"threshold {DEFAULT_THRESHOLD} is used. Set another one with --distance_threshold.",
            err=True,
        )
    return {
        "threshold": threshold,
        "defined": estimate is not None,
        "estimate": estimate,
        "scale": scale,
        "source": source,
        **summary,
    }


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
    "--threshold_scale",
    default=1.0,
    type=click.FloatRange(0, 2, min_open=True),
    help="Cut clusters at this share of the estimated threshold.",
)
@click.option(
    "--distance_threshold",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Use this threshold in place of the estimated one.",
)
@click.option("--seed", default=1, type=click.IntRange(0, 2**63 - 1), help="Seed of all random draws.")
@click.option("--threads", default=1, type=click.IntRange(min=1), help="CPU threads.")
def main(
    latent: Path, latent_json: Path, rows: Path, contigs: Path, threshold_seeds: int, max_close_contigs: int,
    medoid_patience: int, max_clusters: int | None, threshold_scale: float, distance_threshold: float | None,
    seed: int, threads: int,
) -> None:  # fmt: skip
    """Cluster a group's latent space; writes clusters.tsv and threshold.json here."""
    torch.set_num_threads(1)  # the worker threads are those that there may be
    # Two streams, so that the medoids' draws do not hang on how many seeds voted on the threshold.
    threshold_rng, medoid_rng = np.random.default_rng(seed).spawn(2)
    table = read_columns(rows, ["contig", "length"])
    names = join_contigs(table, read_columns(contigs, ["contig", "assembly", "name", "length"]), rows, contigs)
    scaled, varies = standardise(read_latent(latent, latent_json, table, rows))
    points = torch.from_numpy(scaled)

    varied = points[torch.from_numpy(varies)]
    summary = estimate_threshold(varied, threshold_seeds, max_close_contigs, threshold_rng, threads)
    report = choose_threshold(summary, distance_threshold, threshold_scale)
    click.echo(
        f"{len(table)} contigs; threshold {report['threshold']:.4g} ({report['source']}): of {report['seeds']} seeds "
        f"{report['seeds_with_valley']} show a valley, {report['seeds_with_fallback']} the fallback, "
        f"{report['seeds_undefined']} neither.",
        err=True,
    )

    clusters: list[np.ndarray] = []
    by_length = np.argsort(-table["length"].to_numpy(), kind="stable")
    seeds = by_length[varies[by_length]]
    for members in medoid_clusters(points, seeds, report["threshold"], medoid_patience, medoid_rng, threads):
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
