"""abundances.py: RPKM, shares and depth worked out by hand."""

import math

import numpy as np
import pytest

import abundances


def test_rpkm_by_hand():
    reads = np.array([[100, 0, 4], [50, 7, 0]])
    rpkm = abundances.reads_per_kilobase_million(reads, np.array([2000, 500]), np.array([200_000, 0, 1_000_000]))
    np.testing.assert_allclose(rpkm, [[250, 0, 2], [500, 0, 0]])


def test_abundance_rows_sum_to_one():
    rpkm = np.array([[1, 3], [0, 0], [0, 9], [1e-320, 0], [1e308, 1e308], [2e-310, 6e-310]])
    abundance = abundances.sample_shares(rpkm)
    assert abundance.dtype == np.float32
    expected = [[0.25, 0.75], [0.5, 0.5], [0, 1], [1, 0], [0.5, 0.5], [0.25, 0.75]]
    np.testing.assert_allclose(abundance, expected, atol=1e-6)
    assert abundances.sample_shares(np.array([[3.0], [0]])).tolist() == [[1], [1]]


def test_log_depth():
    """Sums of 1, e^4 and 0 (raised to a thousandth of the mean), scaled to a deviation of 1 where it is larger."""
    scaled, mean, divisor = abundances.log_depth(np.array([1, math.exp(4), 0]))
    logarithms = [0, 4, math.log((1 + math.exp(4)) / 3000)]
    assert mean == pytest.approx(sum(logarithms) / 3) and divisor == pytest.approx(np.std(logarithms)) and divisor > 1
    assert scaled.tolist() == pytest.approx([(value - mean) / divisor for value in logarithms], rel=1e-5)
    assert scaled.dtype == np.float32


def test_log_depth_is_never_stretched():
    scaled, _, divisor = abundances.log_depth(np.array([10.0, 11.0]))
    assert divisor == 1 and scaled.tolist() == pytest.approx([-math.log(1.1) / 2, math.log(1.1) / 2], rel=1e-5)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_log_depth_without_reads(n):
    scaled, mean, divisor = abundances.log_depth(np.zeros(n))
    assert scaled.tolist() == [0] * n and (mean, divisor) == (0, 1)
