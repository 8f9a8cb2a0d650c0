"""coverage_evidence.py: densities against direct sums, and scatters that are recovered."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coverage_evidence

pytestmark = pytest.mark.filterwarnings("error")


def variance_of(expected, scatter):
    """Return the variance of a root count; the relative scatter of the bin enters by the delta method."""
    return coverage_evidence.ROOT_COUNT_VARIANCE + ((scatter * expected) ** 2 / (4 * expected) if expected else 0)


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
    scatter = rng.choice(coverage_evidence.SCATTER_GRID, (5, 3, samples))
    reads = rng.poisson(rng.gamma(0.5, 200, (5, samples)))
    found = coverage_evidence.coverage_evidence(reads, length, expected, scatter)
    for c in range(5):
        for k in range(3):
            variance = [variance_of(e, x) for e, x in zip(expected[c, k], scatter[c, k])]
            amplitude = coverage_evidence.COMMON_AMPLITUDE**2 + (coverage_evidence.END_LOSS_LENGTH / length[c]) ** 2
            slope = np.sqrt(expected[c, k]) / 2  # of the root count, by the relative coverage
            covariance = np.diag(variance) + amplitude * np.outer(slope, slope)
            roots, centers = np.sqrt(reads[c] + 0.25), np.sqrt(expected[c, k] + 0.25)
            direct = log_t(roots, centers, covariance, coverage_evidence.CONTIG_FREEDOM)
            assert found[c, k] + samples / 2 * -math.log(math.pi) == pytest.approx(direct, rel=1e-9, abs=1e-9)


def test_unknown_evidence_is_a_product_of_mixtures():
    rng = np.random.default_rng(1)
    expected, reads = rng.gamma(0.5, 200, (4, 5, 3)), rng.poisson(rng.gamma(0.5, 200, (4, 3)))
    found = coverage_evidence.unknown_coverage_evidence(reads, expected)
    for c in range(4):
        direct = 0.0
        for s in range(3):
            parts = []
            for e in expected[c, :, s]:
                variance = [[variance_of(e, coverage_evidence.UNKNOWN_SCATTER)]]
                root, center = [math.sqrt(reads[c, s] + 0.25)], math.sqrt(e + 0.25)
                parts.append(math.exp(log_t(root, center, np.array(variance), coverage_evidence.CONTIG_FREEDOM)))
            direct += math.log(sum(parts) / len(parts))
        assert found[c] - 3 / 2 * math.log(math.pi) == pytest.approx(direct, rel=1e-9)


@pytest.mark.parametrize("planted", coverage_evidence.SCATTER_GRID)
def test_scatter_is_recovered(planted):
    rng = np.random.default_rng(7)
    expected = rng.uniform(2000, 200000, (1000, 2))
    scale = np.sqrt(coverage_evidence.ROOT_COUNT_VARIANCE + planted**2 * expected / 4)
    noise = rng.standard_t(coverage_evidence.CONTIG_FREEDOM, expected.shape) * scale
    roots = np.maximum(np.sqrt(expected) + noise, 0)
    assert coverage_evidence.most_probable_scatter(roots**2, expected).tolist() == [planted, planted]
    # one contig says little: the prior stays; one without reads where none are expected says nothing
    one = coverage_evidence.most_probable_scatter(expected[:1] * 1.05, expected[:1])
    assert set(one) <= {0.1, coverage_evidence.PRIOR_SCATTER}
    assert coverage_evidence.most_probable_scatter(np.zeros((3, 1)), np.zeros((3, 1))).tolist() == [
        coverage_evidence.PRIOR_SCATTER
    ]


def test_coverage_evidence_takes_the_current_constants(monkeypatch):
    """A scan replaces constants of the module: none of them may be a default that is bound on import."""
    given = np.array([[30.0, 8.0]]), np.array([5000]), np.array([[[36.0, 10.0]]]), np.array([[[0.1, 0.2]]])
    with_ten = coverage_evidence.coverage_evidence(*given, freedom=10)
    assert with_ten != coverage_evidence.coverage_evidence(*given)
    monkeypatch.setattr(coverage_evidence, "CONTIG_FREEDOM", 10)
    assert with_ten == coverage_evidence.coverage_evidence(*given)


def test_reads_of_relatives_are_among_the_expected_ones():
    """Equations (40) and (41): the density is the mean over what the excess of mismatches may stand for."""
    reads, length = np.array([[90.0, 12.0]]), np.array([20_000])
    expected, scatter = np.array([[[60.0, 12.0]]]), np.array([[[0.2, 0.1]]])
    excess = np.array([[0.6, 0.0]])  # 30 reads of a relative that is 2 % away
    amplitude = coverage_evidence.COMMON_AMPLITUDE**2 + (coverage_evidence.END_LOSS_LENGTH / length[0]) ** 2
    parts = []
    for divergence in [np.inf, *coverage_evidence.DIVERGENCES]:
        foreign = excess[0] / divergence
        total = expected[0, 0] + foreign
        error = (scatter[0, 0] * expected[0, 0]) ** 2 + (coverage_evidence.FOREIGN_ERROR * foreign) ** 2
        slope = expected[0, 0] / np.sqrt(total) / 2
        covariance = np.diag(coverage_evidence.ROOT_COUNT_VARIANCE + error / total / 4) + amplitude * np.outer(
            slope, slope
        )
        prior = coverage_evidence.OWN_EXCESS_PRIOR
        prior = prior if divergence == np.inf else (1 - prior) / len(coverage_evidence.DIVERGENCES)
        roots = np.sqrt(reads[0] + 0.25), np.sqrt(total + 0.25)
        parts.append(math.log(prior) + log_t(*roots, covariance, coverage_evidence.CONTIG_FREEDOM) + math.log(math.pi))
    found = coverage_evidence.coverage_evidence(reads, length, expected, scatter, excess)
    assert found[0, 0] == pytest.approx(np.logaddexp.reduce(parts), rel=1e-9)
    without = coverage_evidence.coverage_evidence(reads, length, expected, scatter)
    assert found[0, 0] > without[0, 0] + 1
    assert coverage_evidence.coverage_evidence(reads, length, expected, scatter, 0 * excess) == without
    # Of a genome without a bin, too, some reads may be those of relatives
    unknown = [
        coverage_evidence.unknown_coverage_evidence(reads, expected, given)[0] for given in (None, 0 * excess, excess)
    ]
    assert unknown[0] == unknown[1] < unknown[2]
