#!/usr/bin/env python3
"""The exact search for points near a point, among those that are in no cluster yet.

Single-precision products, with a margin for their error, say which points may be near. Means and inner points are then
decided in double precision, where they are exact. What is near any of a few points is looked for around their middle:
angles are distances on the sphere, so that a point within t of a query is within t + a of the middle if the query is
within a of it. So a group of queries costs one product a point, and many groups are one product of matrices.

points (n x N_L) are standardised throughout (`pearson_distance.standardise`). The constants decide the time, never a
cluster: tests/python/test_medoid_clusters.py compares the clusters with a search point by point.
"""

import math

import numpy as np
import torch
from torch import Tensor

from pearson_distance import BLOCK_PRODUCTS, worker_threads

# Points in a block of products at least, and points that a thread takes as one task.
MIN_BLOCK_POINTS = 256
TASK_POINTS = 1 << 18
# Steps of the middle towards the outermost point: the first one is 1 / (FIRST_STEP + 1) of the way.
BALL_STEPS, FIRST_STEP = 12, 8
# More than the grid of the coordinates can change an angle (radians): two equal points can look 0.01 apart.
ANGLE_MARGIN = 0.03
# The matrix that is searched is rewritten when less than this share of its points is left.
REPACK_BELOW_SHARE = 0.8


def enclosing_ball(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the middle of a small ball around points (N_L, standardised) and its radius (radians).

    The middle goes from the mean by ever smaller steps towards the outermost point (Badoiu and Clarkson 2003, "Smaller
    core-sets for balls").
    """
    middle = points.mean(axis=0, dtype=np.float64)
    for step in range(BALL_STEPS):
        middle += (points[np.argmin(points @ middle)] - middle) / (FIRST_STEP + 1 + step)
    length = math.sqrt(2) * np.linalg.norm(middle)
    middle = (middle / length if length > 0 else points[0]).astype(np.float32)
    return middle, float(np.arccos(np.clip(2 * (points @ middle).min(), -1, 1)))


def query_balls(queries: list[np.ndarray], cut: float) -> tuple[Tensor, np.ndarray]:
    """Return the middle of each group of queries (groups x N_L), and the least product with it that a near point has.

    Near is a dot product with a query of at least cut. A group of one query has itself as its middle.
    """
    within = math.acos(max(-1.0, 2 * cut)) + ANGLE_MARGIN
    middles, least = np.empty((len(queries), queries[0].shape[1]), np.float32), np.empty(len(queries), np.float32)
    for group, points in enumerate(queries):
        if len(points) == 1:
            middles[group], least[group] = points[0], cut
        else:
            middles[group], radius = enclosing_ball(points)
            least[group] = math.cos(radius + within) / 2 if radius + within < math.pi else -1
    return torch.from_numpy(middles), least


def near_positions(points: Tensor, middles: Tensor, least: np.ndarray) -> list[np.ndarray]:
    """Return for each middle the positions of the points whose dot product with it is at least `least`, ascending."""
    groups, positions = [], []
    block = max(MIN_BLOCK_POINTS, BLOCK_PRODUCTS // len(middles))
    for start in range(0, max(1, len(points)), block):
        product = (middles @ points[start : start + block].T).numpy()
        group, position = np.divmod(np.flatnonzero(product >= least[:, None]), max(1, product.shape[1]))
        groups.append(group.astype(np.uint16))
        positions.append(position + start)
    group = np.concatenate(groups)
    by_group = np.concatenate(positions)[np.argsort(group, kind="stable")]
    return np.split(by_group, np.cumsum(np.bincount(group, minlength=len(middles)))[:-1])


def near_queries(points: Tensor, positions: np.ndarray, queries: np.ndarray, cut: float) -> np.ndarray:
    """Return those of the positions at which a point is near a query: a dot product of at least cut."""
    if len(queries) == 1 or len(positions) == 0:
        return positions
    near, block = np.empty(len(positions), dtype=bool), max(MIN_BLOCK_POINTS, BLOCK_PRODUCTS // len(queries))
    for start in range(0, len(positions), block):
        rows = points.index_select(0, torch.from_numpy(positions[start : start + block]))
        near[start : start + block] = (torch.from_numpy(queries) @ rows.T).numpy().max(axis=0) >= cut
    return positions[near]


class UnclusteredPoints:
    """The points that are in no cluster yet; a point keeps its number throughout.

    Two points are inner to each other if their dot product is at least `cut`, which is 1/2 less the threshold.
    """

    def __init__(self, points: Tensor, threshold: float, threads: int) -> None:
        self.points, self.cut = points, 0.5 - threshold
        self.pool = worker_threads(threads)
        self.remaining, self.n_remaining = np.ones(len(points), dtype=bool), len(points)
        self.numbers, self.packed = np.arange(len(points)), points

    def remove(self, members: np.ndarray) -> None:
        """Take points out, and rewrite the matrix that is searched if enough of it is gone."""
        self.remaining[members] = False
        self.n_remaining -= len(members)
        if self.n_remaining < REPACK_BELOW_SHARE * len(self.numbers):
            self.packed = None  # before the next one is made: the memory holds points and one copy
            self.numbers = self.numbers[self.remaining[self.numbers]]
            self.packed = self.points.index_select(0, torch.from_numpy(self.numbers))

    def near_any(self, groups: list[np.ndarray]) -> list[np.ndarray]:
        """Return for each group of numbers, of points that lie close together, the numbers of the points near any.

        Near is a dot product of at least cut, less the error that single precision can have: every point that belongs
        is found, and perhaps a few more, among them points that have been taken out.
        """
        queries = [self.points[torch.from_numpy(numbers)].numpy() for numbers in groups]
        cut = self.cut - self.points.shape[1] * float(np.finfo(np.float32).eps)
        middles, least = query_balls(queries, cut)

        def search(start: int) -> list[np.ndarray]:
            points = self.packed[start : start + TASK_POINTS]
            found = zip(near_positions(points, middles, least), queries)
            return [near_queries(points, positions, some, cut) + start for positions, some in found]

        starts = range(0, max(1, len(self.packed)), TASK_POINTS)
        tasks = self.pool.map(search, starts) if len(starts) > 1 else map(search, starts)
        return [self.numbers[np.concatenate(parts)] for parts in zip(*tasks)]

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
