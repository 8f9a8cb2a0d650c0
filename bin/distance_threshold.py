#!/usr/bin/env python3
"""The distance at which clusters are cut, read off the data.

Implements "Determination of clustering threshold" of the VAMB preprint (Nissen et al. 2018, doi:10.1101/490078). From a
seed, most contigs of its genome are close and all others far. The valley between the two in the smoothed density of the
seed's distances is its threshold, and the median over many seeds is the group's.
"""

import math

import numpy as np
import torch
from torch import Tensor

from pearson_distance import BLOCK_PRODUCTS, worker_threads
from stage_warnings import warn

# Bins of the distances in [0, 1], standard deviation of the Gaussian that smooths them, and the share of the highest
# density at which a seed without a valley has its threshold. All three are the preprint's numbers, and no parameters.
N_BINS = 400
SMOOTHING_BANDWIDTH = 0.015
FALLBACK_DENSITY_SHARE = 0.8
# Threshold when no seed shows one. The medians of the benchmark's communities lie between 0.1 and 0.2. Half of the
# right threshold still gives pure clusters, while a threshold half too wide mixes genomes.
DEFAULT_THRESHOLD = 0.1
# Seeds in a block of histograms. SEEDS_PER_BLOCK * N_BINS must fit in 16 bits. It decides the time alone.
SEEDS_PER_BLOCK = 64
# Quantiles of the seeds' thresholds that threshold.json reports.
REPORTED_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def smoothing_matrix() -> np.ndarray:
    """Return the N_BINS x N_BINS matrix that smooths bins of [0, 1] with a Gaussian: density = counts @ matrix."""
    centres = (np.arange(N_BINS) + 0.5) / N_BINS
    offsets = (centres[:, None] - centres[None, :]) / SMOOTHING_BANDWIDTH
    return np.exp(-0.5 * np.square(offsets)) / (SMOOTHING_BANDWIDTH * math.sqrt(2 * math.pi))


def seed_histograms(points: Tensor, seeds: Tensor, threads: int = 1) -> np.ndarray:
    """Return counts of each seed's distances to all other points in N_BINS bins of [0, 1] (seeds x N_BINS, int64).

    points (n x N_L) are standardised. Each thread takes blocks of seeds against blocks of points, so that the products
    and their counts stay in the processor's cache.
    """
    block = max(1, BLOCK_PRODUCTS // SEEDS_PER_BLOCK)

    def count(chosen: Tensor) -> Tensor:
        # Each seed has a row of counts. With SEEDS_PER_BLOCK of them the largest bin number still fits in 16 bits.
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
        return torch.cat(list(pool.map(count, torch.split(seeds, SEEDS_PER_BLOCK)))).numpy()


def valley_bin(density: np.ndarray) -> int | None:
    """Return the bin of the first minimum after the first maximum of a smoothed density (N_BINS), or None.

    Both are read off the sign of the numerical derivative: a maximum is where it turns from rising to falling, a
    minimum where it stops falling. A density that falls from distance 0 on has its maximum there.
    """
    slope = np.diff(density)
    falling = np.flatnonzero(slope < 0)
    if len(falling) == 0:
        return None
    stops = np.flatnonzero(slope[falling[0] :] >= 0)
    return int(falling[0] + stops[0]) if len(stops) else None


def seed_threshold(counts: np.ndarray, density: np.ndarray, max_close: int) -> tuple[float, str]:
    """Return the threshold of one seed and how it was found: `valley`, `fallback` or `undefined` (then it is NaN).

    counts and density (N_BINS) are the seed's histogram and its smoothed form. The valley is taken if fewer than
    max_close contigs are closer. Else the first point is taken where the density is FALLBACK_DENSITY_SHARE of its
    maximum, under the same condition. Thresholds are centres of bins; half of the contigs in that bin count as closer.
    """
    closer = np.cumsum(counts) - counts / 2
    valley = valley_bin(density)
    if valley is not None and closer[valley] < max_close:
        return (valley + 0.5) / N_BINS, "valley"
    high = int(np.argmax(density >= FALLBACK_DENSITY_SHARE * density.max()))
    if density.max() > 0 and closer[high] < max_close:
        return (high + 0.5) / N_BINS, "fallback"
    return math.nan, "undefined"


def estimate_threshold(
    points: Tensor, n_seeds: int, max_close: int, rng: np.random.Generator, threads: int = 1
) -> dict:
    """Return what threshold.json says about the estimate: the median over random seeds, their kinds and densities.

    points (n x N_L) are standardised and vary. `estimate` is None if no seed defines a threshold.
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
        "quantiles": {str(q): float(np.quantile(defined, q)) if defined else None for q in REPORTED_QUANTILES},
        "density_mean": [float(f"{value:.6g}") for value in densities.sum(axis=0) / max(pairs, 1)],
        "bin_edges": [edge / N_BINS for edge in range(N_BINS + 1)],
    }


def choose_threshold(summary: dict, given: float | None, scale: float) -> dict:
    """Return the content of threshold.json: the threshold, its `source` and the summary of `estimate_threshold`.

    The source is `given`, `estimated` (the estimate times scale) or `default` (with a warning).
    """
    estimate = summary["estimate"]
    if given is not None:
        threshold, source = given, "given"
    elif estimate is not None:
        threshold, source = scale * estimate, "estimated"
    else:
        threshold, source = DEFAULT_THRESHOLD, "default"
        warn(
            f"none of {summary['seeds']} seeds shows a valley between close and far contigs: the default threshold "
            f"{DEFAULT_THRESHOLD} is used. Set another one with --distance_threshold."
        )
    chosen = {"threshold": threshold, "defined": estimate is not None, "estimate": estimate, "scale": scale}
    return {**chosen, "source": source, **{key: value for key, value in summary.items() if key != "estimate"}}


def warn_if_unchecked(report: dict, n_points: int, max_close: int) -> None:
    """Warn if an estimated threshold comes from so few contigs that max_close could not refuse it for any seed.

    A seed has at most n_points - 1 contigs closer. With max_close or fewer points the condition "fewer than max_close
    closer" always holds, and even points without any structure get a valley, which is noise.
    """
    if report["source"] == "estimated" and n_points <= max_close:
        warn(
            f"{n_points} contigs are too few to check the threshold {report['threshold']:.4g} (fewer than {max_close} "
            "contigs must be closer): if they form no groups, threshold and clusters mean nothing. Look for a clear "
            "valley in density_mean of threshold.json, or set --distance_threshold."
        )
