"""pearson_distance.py: dot products of standardised rows are Pearson's distances, on a grid that keeps sums exact."""

import numpy as np
import torch

import pearson_distance


def test_distance_is_pearsons():
    latent = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32) * 5 + 3
    points, varies = pearson_distance.standardise(latent)
    expected = 0.5 * (1 - np.corrcoef(latent.astype(np.float64)))
    assert varies.all()
    assert np.abs(0.5 - points @ points.T - expected).max() < 1e-5


def test_coordinates_lie_on_the_grid_that_makes_sums_exact():
    points = pearson_distance.standardise(np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32))[0]
    whole = points.astype(np.float64) * 2**17
    assert (whole == np.rint(whole)).all()


def test_constant_rows_have_no_correlation():
    latent = np.array([[0.1] * 7, [1, 2, 3, 4, 5, 6, 7], [0] * 7], dtype=np.float32)
    points, varies = pearson_distance.standardise(latent)
    assert varies.tolist() == [False, True, False]
    assert (points[[0, 2]] == 0).all()


def test_products_are_of_full_single_precision_whatever_was_set_before():
    """Training takes products of bfloat16 where the processor has them, which would lose near points here."""
    torch.set_float32_matmul_precision("medium")
    with pearson_distance.worker_threads(1):
        assert torch.get_float32_matmul_precision() == "highest"
