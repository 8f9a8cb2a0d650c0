#!/usr/bin/env python3
"""Iterative medoid clustering: from a seed to a medoid, whose inner points leave as a cluster.

Implements "Clustering" of the VAMB preprint (Nissen et al. 2018, doi:10.1101/490078). The constants decide the time,
never a cluster.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from near_points import UnclusteredPoints

# Seeds whose near points are looked up at once, at least and at most. They are the first unclustered ones among so many
# times as many seeds.
MIN_SEEDS_AHEAD = 8
MAX_SEEDS_AHEAD = 256
SEEDS_SCANNED_PER_SEED_AHEAD = 8
# Candidates whose inner points are found at once, at least.
MIN_CANDIDATES_AT_ONCE = 32


def find_medoid(space: UnclusteredPoints, seed: int, near: np.ndarray, patience: int) -> tuple[int, np.ndarray]:
    """Search from a seed for a medoid; return it and its inner points. near holds what is near the seed.

    Inner points are drawn in the order of their numbers, without replacement. One takes the medoid's place if its mean
    inner distance is less. The search ends after `patience` futile draws in a row, or when all have been drawn. The
    points that follow a drawn one are evaluated along with it.
    """
    evaluated, at_once = space.inner_points(np.array([seed]), near), max(patience, MIN_CANDIDATES_AT_ONCE)
    medoid, drawn, (mean, inner) = seed, {seed}, evaluated[seed]
    futile = False
    while not futile:
        futile = True
        coming = [number for number in inner[: at_once + len(drawn)].tolist() if number not in drawn]
        for draw in coming[:patience]:
            if draw not in evaluated:
                new = np.array([number for number in coming[:at_once] if number not in evaluated])
                evaluated |= space.inner_points(new, space.near_any(new))
            drawn.add(draw)
            if evaluated[draw][0] < mean:
                medoid, (mean, inner), futile = draw, evaluated[draw], False
                break
    return medoid, inner


def medoid_clusters(
    points: Tensor, seeds: np.ndarray, threshold: float, patience: int, rng: np.random.Generator, threads: int = 1
) -> Iterator[np.ndarray]:
    """Yield clusters as row numbers, the medoid first and the others ascending, until every seed is in a cluster.

    points (n x N_L) are standardised; seeds holds the row numbers to cluster, in the order in which they are tried.
    Inner points are drawn in one random order, which is drawn once: a point's place in it is its number in the search.
    The near points of the next seeds are looked up for many at once, for twice as many as were of use the last time.
    """
    rows = rng.permutation(seeds)
    if len(rows) == 0:
        return
    number = np.empty(len(points), dtype=np.int64)
    number[rows] = np.arange(len(rows))
    starts = number[seeds]
    points = points[torch.from_numpy(rows)]  # in place of the caller's, who may have let go of them
    space = UnclusteredPoints(points, threshold, threads)
    del points
    ahead: dict[int, np.ndarray] = {}
    used = 0
    for at, seed in enumerate(starts.tolist()):
        # The search can end at a medoid that is too far from the seed. Then the seed is tried again.
        while space.remaining[seed]:
            if seed not in ahead:
                batch = min(max(2 * used, MIN_SEEDS_AHEAD), MAX_SEEDS_AHEAD)
                coming = starts[at : at + SEEDS_SCANNED_PER_SEED_AHEAD * batch]
                coming = coming[space.remaining[coming]][:batch]
                ahead, used = dict(zip(coming.tolist(), space.near_each(coming))), 0
            medoid, inner = find_medoid(space, seed, ahead[seed], patience)
            used += 1
            yield np.append(rows[medoid], np.sort(rows[inner]))
            space.remove(np.append(medoid, inner))
