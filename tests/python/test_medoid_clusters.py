"""medoid_clusters.py: the search for a medoid, and clusters equal to those of a search without shortcuts."""

import math

import numpy as np
import pytest
import torch

import medoid_clusters
import near_points
import pearson_distance
from latent_points import KINDS, latents

SMALL = {
    (near_points, "BLOCK_PRODUCTS"): 64,
    (near_points, "TASK_POINTS"): 20,
    (near_points, "MIN_BLOCK_POINTS"): 7,
    (medoid_clusters, "MIN_SEEDS_AHEAD"): 2,
    (medoid_clusters, "MAX_SEEDS_AHEAD"): 5,
    (medoid_clusters, "MAX_NEAR_AT_ONCE"): 90,
    (medoid_clusters, "MIN_CANDIDATES_AT_ONCE"): 1,
}


def test_medoid_search_moves_to_the_denser_point():
    """Points on an arc; the seed at one end sees few. The middle has the least mean distance, and wins."""
    angles = np.radians([0, 20, 21, 22, 23, 24, 44])
    plane = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
    arc = np.stack((np.cos(angles), np.sin(angles)), axis=1) @ plane / math.sqrt(2)
    points = torch.from_numpy(arc.astype(np.float32))
    threshold = 0.5 * (1 - math.cos(math.radians(23.5)))
    distance = 0.5 * (1 - np.cos(angles[:, None] - angles[None, :]))
    inside = (distance <= threshold) & ~np.eye(7, dtype=bool)
    means = (distance * inside).sum(axis=1) / inside.sum(axis=1)
    for seed in range(5):
        rows = np.random.default_rng(seed).permutation(7)
        space = near_points.UnclusteredPoints(points[torch.from_numpy(rows)], threshold, 1)
        search = medoid_clusters.Search(space, int(np.argmin(rows)), 15)
        while not search.end:
            search.tell(space.near_any([search.waits_for])[0])
        medoid, inner = rows[search.end.number], rows[search.end.inner]
        assert means[medoid] <= means[inside[medoid]].min()
        assert sorted(inner.tolist()) == np.flatnonzero(inside[medoid]).tolist()


def plain_clusters(
    points: np.ndarray, seeds: np.ndarray, threshold: float, patience: int, rng: np.random.Generator
) -> list[list[int]]:
    """The text's search point by point over all that is left, in whole numbers: no blocks, middles or looking ahead."""
    whole = np.rint(points.astype(np.float64) * 2**17).astype(np.int64)
    product = whole @ whole.T
    order = {row: place for place, row in enumerate(rng.permutation(seeds).tolist())}
    left, found = np.zeros(len(points), dtype=bool), []
    left[seeds] = True

    def look(row: int) -> tuple[list[int], float]:
        close = left & (product[row] / 2**34 >= 0.5 - threshold)
        close[row] = False
        mean = 0.5 - product[row, close].sum() / 2**34 / close.sum() if close.any() else 0.0
        return np.flatnonzero(close).tolist(), mean

    for seed in seeds.tolist():
        while left[seed]:
            medoid, drawn, (inner, mean), futile = seed, {seed}, look(seed), 0
            while futile < patience and (fresh := set(inner) - drawn):
                draw = min(fresh, key=order.get)
                drawn.add(draw)
                futile += 1
                if look(draw)[1] < mean:
                    medoid, (inner, mean), futile = draw, look(draw), 0
            found.append([medoid, *inner])
            left[found[-1]] = False
    return found


@pytest.mark.parametrize("threshold", [0.02, 0.1, 0.25, 0.6])
@pytest.mark.parametrize("kind", KINDS)
def test_shortcuts_change_no_cluster(monkeypatch, kind, threshold):
    """The same clusters in the same order, each with the same medoid, as without any; whatever the blocks."""
    points, varies = pearson_distance.standardise(latents(kind))
    seeds = np.random.default_rng(1).permutation(np.flatnonzero(varies))
    expected = plain_clusters(points, seeds, threshold, 4, np.random.default_rng(0))
    assert sorted(row for members in expected for row in members) == sorted(seeds)
    for threads, settings in ((1, {}), (2, SMALL)):
        for (module, name), value in settings.items():
            monkeypatch.setattr(module, name, value)
        draws = np.random.default_rng(0)
        found = medoid_clusters.medoid_clusters(torch.from_numpy(points), seeds, threshold, 4, draws, threads)
        assert [members.tolist() for members in found] == expected
