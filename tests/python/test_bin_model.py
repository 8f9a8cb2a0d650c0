"""bin_model.py: densities against direct sums, medians, and scatters that are recovered."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bin_model

pytestmark = pytest.mark.filterwarnings("error")


def variance_of(expected, scatter):
    """Return the variance of a root count; the relative scatter of the bin enters by the delta method."""
    return bin_model.ROOT_COUNT_VARIANCE + ((scatter * expected) ** 2 / (4 * expected) if expected else 0)


def log_t(x, mean, covariance, freedom):
    """Return the log density of the multivariate t distribution, from its textbook definition."""
    p = len(x)
    gap = np.asarray(x) - mean
    distance = gap @ np.linalg.inv(covariance) @ gap
    norm = math.lgamma((freedom + p) / 2) - math.lgamma(freedom / 2) - p / 2 * math.log(freedom * math.pi)
    return norm - np.linalg.slogdet(covariance)[1] / 2 - (freedom + p) / 2 * math.log1p(distance / freedom)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_coverage_evidence_is_a_multivariate_t(seed, samples):
    rng = np.random.default_rng(seed)
    length = rng.integers(1, 50000, 5)
    expected = rng.gamma(0.5, 200, (5, 3, samples)) * rng.integers(0, 2, (5, 3, samples))
    scatter = rng.choice(bin_model.SCATTER_GRID, (5, 3, samples))
    reads = rng.poisson(rng.gamma(0.5, 200, (5, samples)))
    found = bin_model.coverage_evidence(reads, length, expected, scatter)
    for c in range(5):
        for k in range(3):
            variance = [variance_of(e, x) for e, x in zip(expected[c, k], scatter[c, k])]
            amplitude = bin_model.COMMON_AMPLITUDE**2 + (bin_model.END_LOSS_LENGTH / length[c]) ** 2
            slope = np.sqrt(expected[c, k]) / 2  # of the root count, by the relative coverage
            covariance = np.diag(variance) + amplitude * np.outer(slope, slope)
            roots, centers = np.sqrt(reads[c] + 0.25), np.sqrt(expected[c, k] + 0.25)
            direct = log_t(roots, centers, covariance, bin_model.CONTIG_FREEDOM)
            assert found[c, k] + samples / 2 * -math.log(math.pi) == pytest.approx(direct, rel=1e-9, abs=1e-9)


def test_unknown_evidence_is_a_product_of_mixtures():
    rng = np.random.default_rng(1)
    expected, reads = rng.gamma(0.5, 200, (4, 5, 3)), rng.poisson(rng.gamma(0.5, 200, (4, 3)))
    found = bin_model.unknown_coverage_evidence(reads, expected)
    for c in range(4):
        direct = 0.0
        for s in range(3):
            parts = []
            for e in expected[c, :, s]:
                variance = [[variance_of(e, bin_model.UNKNOWN_SCATTER)]]
                root, center = [math.sqrt(reads[c, s] + 0.25)], math.sqrt(e + 0.25)
                parts.append(math.exp(log_t(root, center, np.array(variance), bin_model.CONTIG_FREEDOM)))
            direct += math.log(sum(parts) / len(parts))
        assert found[c] - 3 / 2 * math.log(math.pi) == pytest.approx(direct, rel=1e-9)


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


@pytest.mark.parametrize("planted", bin_model.SCATTER_GRID)
def test_scatter_is_recovered(planted):
    rng = np.random.default_rng(7)
    expected = rng.uniform(2000, 200000, (1000, 2))
    scale = np.sqrt(bin_model.ROOT_COUNT_VARIANCE + planted**2 * expected / 4)
    noise = rng.standard_t(bin_model.CONTIG_FREEDOM, expected.shape) * scale
    roots = np.maximum(np.sqrt(expected) + noise, 0)
    assert bin_model.most_probable_scatter(roots**2, expected).tolist() == [planted, planted]
    # one contig says little: the prior stays; one without reads where none are expected says nothing
    one = bin_model.most_probable_scatter(expected[:1] * 1.05, expected[:1])
    assert set(one) <= {0.1, bin_model.PRIOR_SCATTER}
    assert bin_model.most_probable_scatter(np.zeros((3, 1)), np.zeros((3, 1))).tolist() == [bin_model.PRIOR_SCATTER]


def test_coverage_evidence_takes_the_current_constants(monkeypatch):
    """A scan replaces constants of the module: none of them may be a default that is bound on import."""
    given = np.array([[30.0, 8.0]]), np.array([5000]), np.array([[[36.0, 10.0]]]), np.array([[[0.1, 0.2]]])
    with_ten = bin_model.coverage_evidence(*given, freedom=10)
    assert with_ten != bin_model.coverage_evidence(*given)
    monkeypatch.setattr(bin_model, "CONTIG_FREEDOM", 10)
    assert with_ten == bin_model.coverage_evidence(*given)


def test_reads_of_relatives_are_among_the_expected_ones():
    """Equations (40) and (41): the density is the mean over what the excess of mismatches may stand for."""
    reads, length = np.array([[90.0, 12.0]]), np.array([20_000])
    expected, scatter = np.array([[[60.0, 12.0]]]), np.array([[[0.2, 0.1]]])
    excess = np.array([[0.6, 0.0]])  # 30 reads of a relative that is 2 % away
    amplitude = bin_model.COMMON_AMPLITUDE**2 + (bin_model.END_LOSS_LENGTH / length[0]) ** 2
    parts = []
    for divergence in [np.inf, *bin_model.DIVERGENCES]:
        foreign = excess[0] / divergence
        total = expected[0, 0] + foreign
        error = (scatter[0, 0] * expected[0, 0]) ** 2 + (bin_model.FOREIGN_ERROR * foreign) ** 2
        slope = expected[0, 0] / np.sqrt(total) / 2
        covariance = np.diag(bin_model.ROOT_COUNT_VARIANCE + error / total / 4) + amplitude * np.outer(slope, slope)
        prior = bin_model.OWN_EXCESS_PRIOR
        prior = prior if divergence == np.inf else (1 - prior) / len(bin_model.DIVERGENCES)
        roots = np.sqrt(reads[0] + 0.25), np.sqrt(total + 0.25)
        parts.append(math.log(prior) + log_t(*roots, covariance, bin_model.CONTIG_FREEDOM) + math.log(math.pi))
    found = bin_model.coverage_evidence(reads, length, expected, scatter, excess)
    assert found[0, 0] == pytest.approx(np.logaddexp.reduce(parts), rel=1e-9)
    without = bin_model.coverage_evidence(reads, length, expected, scatter)
    assert found[0, 0] > without[0, 0] + 1
    assert bin_model.coverage_evidence(reads, length, expected, scatter, 0 * excess) == without
    # Of a genome without a bin, too, some reads may be those of relatives
    unknown = [bin_model.unknown_coverage_evidence(reads, expected, given)[0] for given in (None, 0 * excess, excess)]
    assert unknown[0] == unknown[1] < unknown[2]


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
    left = bin_model.own_reads(reads, length, excess, own) / length[:, None]
    assert np.median(np.abs(left[:, 1] - own[1])) < 0.2 * own[1]
