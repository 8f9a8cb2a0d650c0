"""near_points.py: no inner point is missed, and cells spare most of the work."""

import numpy as np
import pytest
import torch

import near_points
import pearson_distance
from latent_points import KINDS, latents, planted


@pytest.mark.parametrize("threshold", [1e-6, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_cells_hide_no_inner_point(monkeypatch, kind, threshold):
    """Whatever is inner to one of three queries is found in the cells, after points have left as before."""
    monkeypatch.setattr(near_points, "POINTS_PER_CELL", 10)
    points = pearson_distance.standardise(latents(kind))[0]
    space = near_points.UnclusteredPoints(torch.from_numpy(points), threshold, 1)
    rng = np.random.default_rng(2)
    distance = 0.5 - points.astype(np.float64) @ points.T.astype(np.float64)
    for _ in range(4):
        queries = rng.choice(len(points), min(3, len(points)))
        inner = np.flatnonzero((distance[queries] <= threshold).any(axis=0) & space.remaining)
        assert set(inner) <= set(space.near_any(queries)) and set(inner) <= set(
            np.concatenate(space.near_each(queries))
        )
        space.remove(rng.choice(np.flatnonzero(space.remaining), space.n_remaining // 3, replace=False))


def test_cells_leave_most_of_separate_clusters_alone():
    points = torch.from_numpy(pearson_distance.standardise(planted([100] * 40, noise=0.2)[0])[0])
    space = near_points.UnclusteredPoints(points, 0.1, 1)
    assert sum(len(space.possible_positions(points[[row]])) for row in range(50)) < 0.2 * 50 * len(points)
