"""distance_threshold.py: the preprint's threshold where the valley is known, and when it cannot be trusted."""

import math

import numpy as np
import pytest
import torch

import distance_threshold
import pearson_distance
from latent_points import planted


def smoothed(counts: np.ndarray) -> np.ndarray:
    """N(0, 0.015) over 400 bins of [0, 1], written as the sum it is."""
    centres = [(i + 0.5) / 400 for i in range(400)]
    kernel = lambda x: math.exp(-x * x / (2 * 0.015**2)) / (0.015 * math.sqrt(2 * math.pi))  # noqa: E731
    filled = np.flatnonzero(counts)
    return np.array([sum(counts[j] * kernel(at - centres[j]) for j in filled) for at in centres])


@pytest.mark.parametrize("threads", [1, 2])
def test_histograms_leave_the_seed_out_and_blocks_do_not_matter(monkeypatch, threads):
    latent = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    points = torch.from_numpy(pearson_distance.standardise(latent)[0])
    seeds = torch.tensor([3, 0, 49, 20, 7])
    whole = distance_threshold.seed_histograms(points, seeds)
    monkeypatch.setattr(distance_threshold, "BLOCK_PRODUCTS", 14)
    monkeypatch.setattr(distance_threshold, "SEEDS_PER_BLOCK", 2)
    assert np.array_equal(distance_threshold.seed_histograms(points, seeds, threads), whole)
    distances = 0.5 * (1 - np.corrcoef(latent.astype(np.float64)))
    for row, seed in zip(whole, seeds.tolist()):
        others = np.delete(distances[seed], seed)
        expected = np.histogram(others, bins=400, range=(0, 1))[0]
        # A distance on a bin's edge may fall to either side in single precision.
        assert row.sum() == 49 and np.abs(np.cumsum(row) - np.cumsum(expected)).max() <= 1


def test_smoothing_is_the_gaussian_of_the_text():
    counts = np.random.default_rng(2).integers(5, size=400)
    assert counts @ distance_threshold.smoothing_matrix() == pytest.approx(smoothed(counts), rel=1e-9)


def threshold_of(counts: np.ndarray, max_close: int = 2500) -> tuple[float, str]:
    return distance_threshold.seed_threshold(counts, smoothed(counts), max_close)


def test_valley_between_two_peaks():
    """Equal peaks at bins 19 and 59 of 400: the valley lies half-way, at bin 39, distance 39.5/400."""
    counts = np.zeros(400, dtype=int)
    counts[[19, 59]] = 30
    assert threshold_of(counts) == (pytest.approx(39.5 / 400), "valley")


def test_first_valley_is_taken_not_the_deepest():
    counts = np.zeros(400, dtype=int)
    counts[[20, 44, 200]] = 30, 40, 1000
    threshold, kind = threshold_of(counts)
    assert kind == "valley" and 20 / 400 < threshold < 44 / 400


def test_peak_at_distance_zero_counts_as_a_maximum():
    counts = np.zeros(400, dtype=int)
    counts[[0, 60]] = 50
    assert threshold_of(counts) == (pytest.approx(30.5 / 400), "valley")


def test_valley_with_too_many_closer_is_refused():
    """100 contigs close: a limit of 101 takes the valley, 100 does not (fewer than it must be closer)."""
    counts = np.zeros(400, dtype=int)
    counts[[10, 200]] = 100, 3000
    assert threshold_of(counts, 101)[1] == "valley"
    assert threshold_of(counts, 100)[1] != "valley"


def test_fallback_is_the_first_point_at_0_8_of_the_maximum():
    """One peak and no valley: a Gaussian of sd w is at 0.8 of its height w * sqrt(2 ln 1.25) before its centre."""
    spread = 0.05
    centres = (np.arange(400) + 0.5) / 400
    counts = np.round(1e6 * np.exp(-np.square((centres - 0.5) / spread) / 2)).astype(int)
    threshold, kind = threshold_of(counts, 10**9)
    expected = 0.5 - math.hypot(spread, 0.015) * math.sqrt(2 * math.log(1.25))
    assert kind == "fallback" and abs(threshold - expected) <= 1 / 400


def test_undefined_when_the_fallback_has_too_many_closer():
    counts = np.zeros(400, dtype=int)
    counts[150:250] = 1000
    threshold, kind = threshold_of(counts)
    assert kind == "undefined" and math.isnan(threshold)


def test_no_other_contig_is_undefined():
    assert threshold_of(np.zeros(400, dtype=int))[1] == "undefined"


def test_estimate_lies_in_the_gap_of_planted_clusters():
    latent, owner = planted([60] * 12, noise=0.3)
    points = torch.from_numpy(pearson_distance.standardise(latent)[0])
    distance = 0.5 * (1 - np.corrcoef(latent.astype(np.float64)))
    same = owner[:, None] == owner[None, :]
    summary = distance_threshold.estimate_threshold(points, 100, 2500, np.random.default_rng(0))
    assert distance[same].max() < summary["estimate"] < distance[~same].min()
    assert (summary["seeds"], summary["seeds_with_valley"]) == (100, 100)
    assert summary["quantiles"]["0.5"] == summary["estimate"]
    # Its integral over [0, 1] is 1 but for what the smoothing spills over the ends.
    assert sum(summary["density_mean"]) / 400 == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("n", "warns"), [(99, True), (100, True), (101, False)])
def test_points_too_few_for_the_check_get_a_warning(capsys, n, warns):
    """Structureless points have a valley, too. It can only be refused with more points than may be closer."""
    points = torch.from_numpy(pearson_distance.standardise(np.random.default_rng(0).normal(size=(n, 40)))[0])
    summary = distance_threshold.estimate_threshold(points, 2500, 100, np.random.default_rng(0))
    report = distance_threshold.choose_threshold(summary, None, 0.5)
    assert report["defined"] and report["source"] == "estimated"
    distance_threshold.warn_if_unchecked(report, n, 100)
    error = capsys.readouterr().err
    assert error.startswith(f"WARNING: {n} contigs are too few") == warns and error.count("\n") == warns


@pytest.mark.parametrize(("given", "estimate"), [(0.2, 0.1), (0.2, None), (None, None)])
def test_threshold_that_is_not_estimated_needs_no_check(capsys, given, estimate):
    report = distance_threshold.choose_threshold({"estimate": estimate, "seeds": 3}, given, 1)
    capsys.readouterr()
    distance_threshold.warn_if_unchecked(report, 3, 2500)
    assert capsys.readouterr().err == ""
