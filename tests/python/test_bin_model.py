"""bin_model.py: what composition says, medians, and profiles without reads of relatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bin_model
import coverage_evidence

pytestmark = pytest.mark.filterwarnings("error")


def test_composition_saturates():
    frequency = np.full((2, 136), 0.9 / 135)
    frequency[0, 0] = frequency[1, 1] = 0.1
    frequency /= frequency.sum(axis=1, keepdims=True)
    share = frequency[0].astype(np.float64)

    def gain(n):
        like = bin_model.composition_evidence((share * n)[None], np.log(frequency))[0]
        return like[0] - like[1]

    each = (share * np.log(frequency[0] / frequency[1])).sum()  # nats of a 4-mer of bin 0
    assert gain(0) == 0
    assert gain(3) == pytest.approx(3 * bin_model.TETRANUCLEOTIDE_WEIGHT * each, rel=0.02)  # few count in proportion
    most = bin_model.TETRANUCLEOTIDE_SATURATION * bin_model.TETRANUCLEOTIDE_WEIGHT * each
    assert gain(bin_model.TETRANUCLEOTIDE_SATURATION) == pytest.approx(most / 2)
    assert 0.99 * most < gain(10**5) < gain(10**6) < most


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=9))
def test_weighted_median(rows):
    values, weight = np.array(rows, dtype=float)[:, :2], np.array(rows)[:, 2]
    naive = [sorted(np.repeat(column, weight))[(weight.sum() - 1) // 2] for column in values.T]
    assert bin_model.weighted_median(values, weight).tolist() == naive


@pytest.mark.parametrize("divergence", [0.02, 0.04, 0.08])
def test_the_profile_of_a_bin_is_without_the_reads_of_relatives(divergence):
    """Two thirds of the contigs have reads of a relative: a median of all reads is that of both genomes."""
    rng = np.random.default_rng(5)
    length = np.sort(rng.integers(2_000, 60_000, 90))[::-1]
    own, relative = np.array([0.1, 0.02, 0.05]), np.array([0.01, 0.2, 0.08])
    share = np.where(rng.random(90) < 2 / 3, rng.uniform(0.5, 1, 90), 0)[:, None]
    foreign = rng.poisson(share * relative * length[:, None])
    reads = rng.poisson(own * length[:, None]) + foreign
    excess = rng.poisson(foreign * divergence * 150) / 150
    contigs = bin_model.Contigs(length, reads, np.zeros((90, 136)), np.empty((2, 0), int), excess=excess)
    density, _ = bin_model.coverage_profile(contigs, np.arange(90))
    assert density == pytest.approx(own, rel=0.1)
    blind, _ = bin_model.coverage_profile(contigs._replace(excess=None), np.arange(90))
    assert blind[1] > 4 * own[1]
    left = coverage_evidence.own_reads(reads, length, excess, own) / length[:, None]
    assert np.median(np.abs(left[:, 1] - own[1])) < 0.2 * own[1]
