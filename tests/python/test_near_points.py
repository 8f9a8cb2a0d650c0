"""near_points.py: no inner point is missed, and the middle of a few points spares most of the work."""

import numpy as np
import pytest
import torch

import near_points
import pearson_distance
from latent_points import KINDS, latents, planted


@pytest.mark.parametrize("threshold", [1e-6, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_no_inner_point_is_missed(monkeypatch, kind, threshold):
    """Whatever is inner to one of three queries, or of one, is found, after points have left as before."""
    monkeypatch.setattr(near_points, "TASK_POINTS", 30)
    points = pearson_distance.standardise(latents(kind))[0]
    space = near_points.UnclusteredPoints(torch.from_numpy(points), threshold, 1)
    rng = np.random.default_rng(2)
    distance = 0.5 - points.astype(np.float64) @ points.T.astype(np.float64)
    for _ in range(4):
        groups = [rng.choice(len(points), min(size, len(points))) for size in (3, 1)]
        for queries, near in zip(groups, space.near_any(groups)):
            inner = np.flatnonzero((distance[queries] <= threshold).any(axis=0) & space.remaining)
            assert set(inner) <= set(near)
        space.remove(rng.choice(np.flatnonzero(space.remaining), space.n_remaining // 3, replace=False))


def test_a_ball_encloses_its_points_and_is_smaller_than_around_the_mean():
    """One point apart from 20 others: their mean is twice as far from it as a middle has to be."""
    rng = np.random.default_rng(3)
    latent = rng.normal(size=32) + np.outer(np.r_[np.full(20, 0.05), 1.0], np.ones(32)) * rng.normal(size=(21, 32))
    points = pearson_distance.standardise(latent.astype(np.float32))[0]
    middle, radius = near_points.enclosing_ball(points)
    mean = points.mean(axis=0) / np.linalg.norm(points.mean(axis=0)) / np.sqrt(2)
    angle, from_mean = (np.arccos(np.clip(2 * points @ one, -1, 1)).max() for one in (middle, mean))
    assert radius == pytest.approx(angle, abs=1e-3) and radius < 0.75 * from_mean


def test_only_points_near_a_middle_are_compared_with_each_query(monkeypatch):
    latent, owner = planted([100] * 40, noise=0.2)
    points = torch.from_numpy(pearson_distance.standardise(latent[np.argsort(owner)])[0])
    space, compared = near_points.UnclusteredPoints(points, 0.1, 1), []
    near_queries = near_points.near_queries

    def counted(points, positions, queries, cut):
        compared.append(len(positions))
        return near_queries(points, positions, queries, cut)

    monkeypatch.setattr(near_points, "near_queries", counted)
    space.near_any([np.arange(start, start + 32) for start in range(0, 4000, 100)])
    assert 40 * 100 <= sum(compared) < 0.2 * 40 * len(points)
