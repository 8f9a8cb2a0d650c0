#!/usr/bin/env python3
"""The exact search for points near a point, among those that are in no cluster yet.

Single-precision products, with a margin for their error, say which points may be near. Means and inner points are then
decided in double precision, where they are exact. Cells spare most products: a cell holds the points nearest to one
pivot, sorted by their angle to it, and only some cells, and parts of them, can hold a point near a query.

points (n x N_L) are standardised throughout (`pearson_distance.standardise`). The constants decide the time, never a
cluster: tests/python/test_medoid_clusters.py compares the clusters with a search without blocks and cells.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from pearson_distance import BLOCK_PRODUCTS, worker_threads

# Least points in a block of products, and blocks that a thread takes as one task.
MIN_BLOCK_POINTS = 256
BLOCKS_PER_TASK = 8
# Points in a cell, and most cells. To place the pivots, so many points per cell are sampled, in so many rounds.
POINTS_PER_CELL = 64
MAX_CELLS = 4096
SAMPLES_PER_PIVOT = 16
PIVOT_ROUNDS = 2
# More than the grid of the coordinates can change an angle (radians): two equal points can look 0.01 apart.
ANGLE_MARGIN = 0.03
# Largest angle in a key, as a share of a half turn: a key is the number of a cell plus this share, which stays below 1.
MAX_ANGLE_SHARE = 0.999
# The matrix that is searched is rewritten when less than this share of its points is left.
REPACK_BELOW_SHARE = 0.8


def near_positions(
    points: Tensor, within: Tensor | None, queries: Tensor, cut: float, pool: ThreadPoolExecutor
) -> list[np.ndarray]:
    """Return the positions of the points near any query of each group, in the order of within (positions; None: all).

    points are n x N_L, queries groups x members x N_L. Near is a dot product of at least cut, less the error that
    single precision can have: every point that belongs is found, and perhaps a few more.
    """
    n_groups, members, width = queries.shape
    flat = queries.reshape(-1, width)
    least = np.float32(cut - width * torch.finfo(torch.float32).eps)
    block = max(MIN_BLOCK_POINTS, BLOCK_PRODUCTS // len(flat))

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
    tasks = [starts[at : at + BLOCKS_PER_TASK] for at in range(0, len(starts), BLOCKS_PER_TASK)]
    found = list(pool.map(search, tasks) if len(tasks) > 1 else map(search, tasks))
    groups, positions = (np.concatenate(parts) for parts in zip(*found))
    positions = positions if within is None else within.numpy()[positions]
    by_group = positions[np.argsort(groups, kind="stable")]
    return np.split(by_group, np.cumsum(np.bincount(groups, minlength=n_groups))[:-1])


def angles(product: np.ndarray) -> np.ndarray:
    """Return angles (radians) from dot products of standardised points."""
    return np.arccos(np.clip(2 * product, -1, 1))


def nearest_pivot(points: Tensor, pivots: Tensor, pool: ThreadPoolExecutor) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest pivot of each point (n, int64) and the angle between the two (n, radians)."""

    def nearest(block: Tensor) -> tuple[np.ndarray, np.ndarray]:
        product = (block @ pivots.T).numpy()
        cell = product.argmax(axis=1)
        return cell, angles(product[np.arange(len(cell)), cell])

    blocks = torch.split(points, max(MIN_BLOCK_POINTS, BLOCK_PRODUCTS // len(pivots)))
    cell, angle = zip(*pool.map(nearest, blocks))
    return np.concatenate(cell), np.concatenate(angle)


def choose_pivots(sample: Tensor, pivots: Tensor, pool: ThreadPoolExecutor) -> Tensor:
    """Return pivots (k x N_L) moved to the middle of the sampled points nearest to them: k-means on the sphere."""
    for _ in range(PIVOT_ROUNDS):
        cell, _ = nearest_pivot(sample, pivots, pool)
        total = torch.zeros_like(pivots).index_add_(0, torch.from_numpy(cell), sample)
        length = total.norm(dim=1, keepdim=True)
        pivots = torch.where(length > 0, total / (length * math.sqrt(2)), pivots)
    return pivots


class UnclusteredPoints:
    """The points that are in no cluster yet, in cells; a point keeps its number throughout.

    Two points are inner to each other if their dot product is at least `cut`, which is 1/2 less the threshold. The
    angle is a metric on the sphere: if a query is a from a pivot, a point within t of the query is at least a - t from
    that pivot.
    """

    def __init__(self, points: Tensor, threshold: float, threads: int) -> None:
        self.points, self.cut = points, 0.5 - threshold
        self.pool = worker_threads(threads)
        self.remaining, self.n_remaining = np.ones(len(points), dtype=bool), len(points)
        size = max(POINTS_PER_CELL, len(points) // MAX_CELLS)
        self.pivots = choose_pivots(points[:: max(1, size // SAMPLES_PER_PIVOT)], points[::size], self.pool)
        cell, angle = nearest_pivot(points, self.pivots, self.pool)
        # All cells lie in one sorted array: a key is the cell's number, and the angle's share of a half turn.
        self.point_keys = cell + np.minimum(angle / math.pi, MAX_ANGLE_SHARE)
        self.pack(np.argsort(self.point_keys))

    def pack(self, numbers: np.ndarray) -> None:
        """Write the matrix that is searched: the points with these numbers, which are in the order of their keys."""
        self.keys, self.numbers, self.packed = self.point_keys[numbers], numbers, self.points[torch.from_numpy(numbers)]
        cells = np.arange(len(self.pivots))
        self.ends = np.searchsorted(self.keys, cells + 1)
        # The last key before a cell's end is in that cell; if the cell is empty, it is in an earlier one: below zero.
        self.outermost = (np.append(-1, self.keys)[self.ends] - cells) * math.pi

    def remove(self, members: np.ndarray) -> None:
        """Take points out, and rewrite the matrix if enough of it is gone."""
        self.remaining[members] = False
        self.n_remaining -= len(members)
        if self.n_remaining < REPACK_BELOW_SHARE * len(self.numbers):
            self.pack(self.numbers[self.remaining[self.numbers]])

    def near_each(self, queries: np.ndarray) -> list[np.ndarray]:
        """Return the numbers of the points near each of many points, as in `near_positions`."""
        points = self.points[torch.from_numpy(queries)][:, None]
        return [self.numbers[found] for found in near_positions(self.packed, None, points, self.cut, self.pool)]

    def possible_positions(self, queries: Tensor) -> np.ndarray:
        """Return the positions of the points that, by their cells, can be inner to any query (members x N_L)."""
        nearest = angles((queries @ self.pivots.T).amax(dim=0).numpy())
        least = nearest - (math.acos(max(-1.0, 2 * self.cut)) + ANGLE_MARGIN)
        cells = np.flatnonzero(least <= self.outermost + ANGLE_MARGIN)
        starts = np.searchsorted(self.keys, cells + np.clip(least[cells] / math.pi, 0, MAX_ANGLE_SHARE))
        sizes = self.ends[cells] - starts
        return np.repeat(self.ends[cells] - np.cumsum(sizes), sizes) + np.arange(sizes.sum())

    def near_any(self, members: np.ndarray) -> np.ndarray:
        """Return the numbers of the points near any of a few points that lie close together, as in `near_positions`."""
        queries = self.points[torch.from_numpy(members)]
        possible = torch.from_numpy(self.possible_positions(queries))
        return self.numbers[near_positions(self.packed, possible, queries[None], self.cut, self.pool)[0]]

    def inner_points(self, candidates: np.ndarray, near: np.ndarray) -> dict[int, tuple[float, np.ndarray]]:
        """Return for each candidate the mean distance to its inner points (0 without any) and these, ascending.

        near holds all inner points of the candidates, and may hold others, even points that have been taken out.
        """
        near = np.sort(near[self.remaining[near]])
        product = self.points[torch.from_numpy(candidates)].double() @ self.points[torch.from_numpy(near)].double().T
        product = product.numpy()
        inner = (product >= self.cut) & (candidates[:, None] != near)
        count = inner.sum(axis=1)
        mean = np.where(count > 0, 0.5 - (product * inner).sum(axis=1) / np.maximum(count, 1), 0.0)
        return {number: (mean[i], near[inner[i]]) for i, number in enumerate(candidates.tolist())}
