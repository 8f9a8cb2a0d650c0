#!/usr/bin/env python3
"""How well the reads of a contig fit the coverage of a bin, and which of them are of relatives.

Log likelihoods of numbers of reads under the densities and the scatters of bins. Binloom's own model: docs/method.md,
section 6.1, equations (2) to (5), (8), (40) and (41). The refine stage uses this module.
"""

from collections.abc import Sequence
from math import lgamma, log

import numpy as np

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# The scatter of a bin is one of these values (relative to its coverage).
SCATTER_GRID = np.array([0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8])
# The prior of the scatter is log-normal about this value.
PRIOR_SCATTER = 0.15
# The standard deviation of the logarithm of the scatter under its prior.
PRIOR_SCATTER_LOG_WIDTH = 0.5
# Counts get this addition before the root is taken, so that the root of a small count varies as that of a large one.
ROOT_COUNT_OFFSET = 0.25
# The variance of the root of a count: 1/4 for a large Poisson count, and some more for small ones.
ROOT_COUNT_VARIANCE = 0.3
# Degrees of freedom of the t distributions of contigs: few, because repeats and collapsed copies are outliers.
CONTIG_FREEDOM = 4
# Coverages of genomes without a bin scatter this much (relative) about those of the bins.
UNKNOWN_SCATTER = 0.6
# The relative standard deviation of a deviation that all samples share (copy number, GC content).
COMMON_AMPLITUDE = 0.05
# Reads that are lost at the ends of a contig may lower its coverage as if it were this much shorter (bp).
END_LOSS_LENGTH = 100
# Reads of a relative differ from a contig that they lie on by one of these fractions of their bases.
DIVERGENCES = np.array([0.08, 0.04, 0.02, 0.01])
# By this one where the profile of a bin is not known yet.
FIRST_DIVERGENCE = 0.02
# The prior probability that mismatches in excess are those of the genome itself, and not of reads of relatives.
OWN_EXCESS_PRIOR = 0.1
# The number of reads of relatives on a contig is known up to this relative error.
FOREIGN_ERROR = 0.1
# A summed coverage counts as at least this (reads per bp) where it divides.
MIN_DENSITY = 1e-12


def log_sum(values: np.ndarray) -> np.ndarray:
    """Return the logarithms (...) of the sums of numbers that are given by their logarithms (... x K).

    The same as np.logaddexp.reduce, which takes each number by itself and longer.
    """
    greatest = np.maximum(values.max(axis=-1), np.finfo(values.dtype).min)  # a sum of zeros has no greatest part
    with np.errstate(divide="ignore"):
        return greatest + np.log(np.exp(values - greatest[..., None]).sum(axis=-1))


def root_counts(counts: np.ndarray) -> np.ndarray:
    """Return the roots of read counts, whose variance hardly depends on the count."""
    return np.sqrt(counts + ROOT_COUNT_OFFSET)


def root_count_variance(excess: np.ndarray) -> np.ndarray:
    """Return the variance of roots of counts; excess: scatter squared times expected count (equation 3)."""
    return ROOT_COUNT_VARIANCE + excess / 4


def root_count_gap(
    reads: np.ndarray, expected: np.ndarray, scatter: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the differences between the roots of observed and expected read counts, and their variances."""
    return root_counts(reads) - root_counts(expected), root_count_variance(scatter**2 * expected)


def inverse_squared_t_density(gap: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return the inverse squares of the densities of t-distributed gaps with these squared scales, to a constant."""
    return variance * (1 + gap**2 / variance / CONTIG_FREEDOM) ** (CONTIG_FREEDOM + 1)


def log_t_constant() -> float:
    """Return the log of the constant of a t density, without the term -log(pi) / 2.

    No log density of this module has that term: it cancels in every comparison.
    """
    return lgamma((CONTIG_FREEDOM + 1) / 2) - lgamma(CONTIG_FREEDOM / 2) - 0.5 * log(CONTIG_FREEDOM)


def most_probable_scatter(reads: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the most probable value of SCATTER_GRID per sample (s), given reads and expected reads (m x s each).

    Residuals are t-distributed; the prior is log-normal about PRIOR_SCATTER (equation 5).
    """
    fit = -0.5 * np.log(inverse_squared_t_density(*root_count_gap(reads[..., None], expected[..., None], SCATTER_GRID)))
    prior = -0.5 * (np.log(SCATTER_GRID / PRIOR_SCATTER) / PRIOR_SCATTER_LOG_WIDTH) ** 2
    return SCATTER_GRID[(fit.sum(axis=0) + prior).argmax(axis=-1)]


def rows_with_excess(excess: np.ndarray | None) -> np.ndarray:
    """Return the contigs that have an excess of mismatches in a sample."""
    return np.empty(0, dtype=np.int64) if excess is None else np.flatnonzero(excess.any(axis=1))


def foreign_reads(excess: np.ndarray) -> list[np.ndarray]:
    """Return the numbers of reads of relatives (c x s) that may lie on contigs with this excess, one for a divergence.

    The fewer mismatches a read of a relative has, the more such reads there are.
    """
    return [excess / divergence for divergence in DIVERGENCES]


def without(reads: np.ndarray, foreign: np.ndarray) -> np.ndarray:
    """Return the reads that are left without foreign ones."""
    return np.maximum(reads - foreign, 0)


def with_priors(own: np.ndarray, foreign: Sequence[np.ndarray]) -> np.ndarray:
    """Return log densities (...) and their log priors (... x 1 + cases), of no reads of relatives and of each case."""
    prior = log((1 - OWN_EXCESS_PRIOR) / len(foreign))
    return np.stack([own + log(OWN_EXCESS_PRIOR), *(density + prior for density in foreign)], axis=-1)


def coverage_evidence(
    reads: np.ndarray,
    length: np.ndarray,
    expected: np.ndarray,
    scatter: np.ndarray,
    excess: np.ndarray | None = None,
    freedom: float | None = None,
) -> np.ndarray:
    """Return the log densities (c x K) of reads (c x s) of contigs of length (c) in K bins each (expected: c x K x s).

    scatter: c (or 1) x K x s. Of contigs with an excess of mismatches (c x s, as in Contigs), some reads may be those
    of relatives: the density is the mean over their possible numbers (equation 41).
    """
    fit = coverage_density(reads, length, expected, scatter, None, freedom)
    if len(rows := rows_with_excess(excess)):
        of_rows = [np.broadcast_to(values, (len(reads), *values.shape[1:]))[rows] for values in (expected, scatter)]
        of_rows = [reads[rows], length[rows], *of_rows]
        cases = [coverage_density(*of_rows, foreign, freedom) for foreign in foreign_reads(excess[rows])]
        fit[rows] = log_sum(with_priors(fit[rows], cases))
    return fit


def coverage_density(
    reads: np.ndarray,
    length: np.ndarray,
    expected: np.ndarray,
    scatter: np.ndarray,
    foreign: np.ndarray | None,
    freedom: float | None = None,
) -> np.ndarray:
    """Return the same where foreign (c x s) of the reads are of relatives.

    The root counts follow a multivariate t distribution. Its covariance is the counting noise, the scatter of the bin,
    the error of the number of foreign reads, and an amplitude that all samples share: a rank-one term, inverted by the
    Sherman-Morrison formula (equations 2 to 4 and 40). It has CONTIG_FREEDOM degrees of freedom unless another number
    is given.
    """
    freedom = CONTIG_FREEDOM if freedom is None else freedom
    if foreign is None:
        gap, variance = root_count_gap(reads[:, None], expected, scatter)
        slope = np.sqrt(expected) / 2
    else:
        total = np.maximum(expected + foreign[:, None], MIN_DENSITY)
        gap = root_counts(reads[:, None]) - root_counts(total)
        error = (scatter * expected) ** 2 + (FOREIGN_ERROR * foreign[:, None]) ** 2
        variance, slope = root_count_variance(error / total), expected / np.sqrt(total) / 2
    amplitude = (COMMON_AMPLITUDE**2 + (END_LOSS_LENGTH / length) ** 2)[:, None]
    scaled = gap / variance
    spread = 1 + amplitude * np.einsum("cks,cks->ck", slope / variance, slope)
    distance = np.einsum("cks,cks->ck", scaled, gap)
    distance -= amplitude * np.einsum("cks,cks->ck", scaled, slope) ** 2 / spread
    volume = np.log(variance).sum(axis=-1) + np.log(spread)
    s = reads.shape[1]
    constant = lgamma((freedom + s) / 2) - lgamma(freedom / 2) - s / 2 * log(freedom)
    return constant - 0.5 * volume - (freedom + s) / 2 * np.log1p(distance / freedom)


def unknown_coverage_evidence(reads: np.ndarray, expected: np.ndarray, excess: np.ndarray | None = None) -> np.ndarray:
    """Return the log densities (c) of reads (c x s) of contigs of a genome without a bin (equation 8).

    In each sample, independently of the others, its coverage is near that of one of Q typical bins
    (expected: c x Q x s). excess: as of coverage_evidence.
    """
    fit = unknown_coverage_density(reads, expected)
    if len(rows := rows_with_excess(excess)):
        left = [without(reads[rows], foreign) for foreign in foreign_reads(excess[rows])]
        fit[rows] = log_sum(with_priors(fit[rows], [unknown_coverage_density(own, expected[rows]) for own in left]))
    return fit


def unknown_coverage_density(reads: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the same without foreign reads."""
    density = 1 / np.sqrt(inverse_squared_t_density(*root_count_gap(reads[:, None], expected, UNKNOWN_SCATTER)))
    return (np.log(density.mean(axis=1)) + log_t_constant()).sum(axis=1)


def first_own_reads(reads: np.ndarray, excess: np.ndarray | None) -> np.ndarray:
    """Return the reads (c x s) without those of relatives, as long as no bin tells more of their divergence."""
    return reads if excess is None else without(reads, excess / FIRST_DIVERGENCE)


def own_reads(reads: np.ndarray, length: np.ndarray, excess: np.ndarray | None, density: np.ndarray) -> np.ndarray:
    """Return the reads (c x s) without those of relatives if the contigs are of a bin with this density (s)."""
    if not len(rows := rows_with_excess(excess)):
        return reads
    some, cases = reads[rows], foreign_reads(excess[rows])
    in_bin = length[rows], (density * length[rows, None])[:, None], np.full((1, 1, len(density)), PRIOR_SCATTER)
    fits = [coverage_density(some, *in_bin, foreign)[:, 0] for foreign in (None, *cases)]
    best = with_priors(fits[0], fits[1:]).argmax(axis=-1)
    left = np.stack([some, *(without(some, foreign) for foreign in cases)])
    own = reads.copy()
    own[rows] = left[best, np.arange(len(rows))]
    return own
