#!/usr/bin/env python3
"""Pieces of genomes, and whether two pieces are of one genome.

One rule decides both ways: `join_clusters.py` joins two clusters that it calls one genome, and `split_by_coverage.py`
splits a cluster into two sides that it calls two. Binloom's own method: docs/method.md, section 6.1, equation (20). The
refine stage uses this module.
"""

from math import lgamma, log
from typing import NamedTuple

import numpy as np

from bin_model import (
    NO_BIN,
    Contigs,
    composition_evidence,
    coverage_profile,
    log_frequencies,
    median_density,
    profile_members,
)
from coverage_evidence import coverage_evidence, unknown_coverage_evidence

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# Clusters below this fraction of --min_bin_size are ignored: they are too small to show which genome they belong to.
MIN_PIECE_FRACTION = 0.1
# A whole piece or bin is judged as a contig of this length (bp) with its coverage.
JUDGED_LENGTH = 20_000.0
# Degrees of freedom of the t distribution of a whole bin: many, because a median is no outlier.
WHOLE_BIN_FREEDOM = 50
# The weight of coverage against composition where pieces are joined, fitted by a logistic regression.
JOIN_COVERAGE_WEIGHT = 0.4
# The beta prior of the share of its single-copy families that a genome has twice: 0.4 % in the mean.
DOUBLED_PRIOR = (0.7, 180.0)
# Families count against a join only if they make two genomes so many times likelier: a few genomes double several.
MIN_FAMILY_ODDS = 20
# The share of the families that another genome has in common with a piece lies between these bounds.
FAMILY_SHARE_BOUNDS = (0.05, 0.95)
# Coverage speaks for a join with at most this log odds: the coverages of many samples would drown the composition.
MAX_JOIN_COVERAGE = 15


def piece_size(min_bin_size: int) -> int:
    """Return the least size (bp) of a piece of a bin."""
    return int(MIN_PIECE_FRACTION * min_bin_size)


class Profiles(NamedTuple):
    """The profiles of P pieces."""

    density: np.ndarray  # P x s, reads per bp
    scatter: np.ndarray  # P x s, relative standard deviation of the coverage, beyond counting noise
    tetranucleotides: np.ndarray  # P x 136, counts
    log_composition: np.ndarray  # P x 136, log frequencies
    families: np.ndarray  # P x F, whether it holds each single-copy family whole
    with_foreign: np.ndarray  # P x s, the density with the reads of relatives
    excess: np.ndarray  # P x s, per bp: those reads times their divergence

    def take(self, rows: np.ndarray) -> "Profiles":
        """Return the profiles of these pieces."""
        return Profiles(*(values[rows] for values in self))


def describe_piece(contigs: Contigs, members: np.ndarray, all_tetranucleotides: np.ndarray) -> Profiles:
    """Return the profile of one piece (P = 1) with these members, which go from the longest to the shortest.

    all_tetranucleotides (136): the counts of all contigs that have a cluster.
    """
    density, scatter = coverage_profile(contigs, members)
    counts = contigs.tetranucleotides[members].sum(axis=0, dtype=np.float64)
    frequencies = log_frequencies(counts, all_tetranucleotides)
    contig, family = contigs.markers
    families = np.zeros(int(family.max(initial=NO_BIN)) + 1, dtype=bool)
    families[family[np.isin(contig, members)]] = True
    with_foreign, excess = density, np.zeros_like(density)
    if contigs.excess is not None:
        some = profile_members(contigs, members)
        with_foreign, excess = (
            median_density(of[some], contigs.length[some]) for of in (contigs.reads, contigs.excess)
        )
    of_piece = density, scatter, counts, frequencies, families, with_foreign, excess
    return Profiles(*(values[None] for values in of_piece))


def own_composition_evidence(pieces: Profiles) -> np.ndarray:
    """Return the log likelihood (P) of the composition of each piece under its own frequencies."""
    return np.array(
        [composition_evidence(n[None], f[None])[0, 0] for n, f in zip(pieces.tetranucleotides, pieces.log_composition)]
    )


def unknown_genome_evidence(pieces: Profiles, typical: np.ndarray) -> np.ndarray:
    """Return the log density (P) of the coverage of each piece in a genome without a bin.

    typical (Q x s): densities of genomes; without any, the result is 0.
    """
    if not len(typical):
        return np.zeros(len(pieces.density))
    reads, expected = pieces.density * JUDGED_LENGTH, typical[None] * JUDGED_LENGTH
    return np.concatenate([unknown_coverage_evidence(row[None], expected) for row in reads])


def doubling_evidence(n: int) -> np.ndarray:
    """Return the log probability (n + 1 x n + 1) that one genome doubles k given families out of m; k is the row.

    The rate at which a genome doubles families has a beta prior: few genomes have several doubled.
    """
    counts = np.arange(n + 1)
    doubled, single = (np.array([lgamma(value + i) for i in counts]) for value in DOUBLED_PRIOR)
    total = np.array([lgamma(sum(DOUBLED_PRIOR) + i) for i in counts])
    rest = np.maximum(counts[None] - counts[:, None], 0)
    start = doubled[0] + single[0] - total[0]
    return doubled[:, None] + single[rest] - total[None] - start


def family_evidence(small: Profiles, large: Profiles) -> np.ndarray:
    """Return what the single-copy families of c pieces say against their being of the genomes of K larger ones (c x K).

    The log odds of the families that a piece has in common with a larger one, and of those that it has not: one genome
    doubles few families, another has those that the larger one has. They never speak for a join.
    """
    n = large.families.shape[1]
    share = np.clip(large.families.sum(axis=1) / max(n, 1), *FAMILY_SHARE_BOUNDS)
    doubled = small.families.astype(np.int64) @ large.families.T
    held = np.broadcast_to(small.families.sum(axis=1, keepdims=True), doubled.shape)
    other = doubled * np.log(share) + (held - doubled) * np.log(1 - share)
    odds = doubling_evidence(n)[doubled, held] - other
    return np.where(odds <= -log(MIN_FAMILY_ODDS), odds, 0.0)


def piece_coverage_evidence(pieces: Profiles, bins: Profiles) -> np.ndarray:
    """Return the log density (c x K) of the coverage of each of c pieces in each of K bins."""
    length = np.full(len(pieces.density), JUDGED_LENGTH)
    reads, excess = pieces.with_foreign * JUDGED_LENGTH, pieces.excess * JUDGED_LENGTH
    return coverage_evidence(
        reads, length, bins.density[None] * JUDGED_LENGTH, bins.scatter[None], excess, WHOLE_BIN_FREEDOM
    )


def one_genome_evidence(
    small: Profiles, large: Profiles, own_composition: np.ndarray, unknown_coverage: np.ndarray
) -> np.ndarray:
    """Return the log odds (c x K) that each of c pieces is of the genome of each of K larger ones (equation 20).

    The sum of three parts: the coverage under the larger piece against a genome without a bin (unknown_coverage, c),
    or that of the larger piece under the smaller one, if reads of relatives lie on either and this fits better;
    what the composition loses under the larger piece against the piece's own (own_composition, c), and what the
    single-copy families that both have say against it.
    """
    fit = piece_coverage_evidence(small, large)
    if small.excess.any() or large.excess.any():
        fit = np.maximum(fit, piece_coverage_evidence(large, small).T)
    fit -= unknown_coverage[:, None]
    loss = composition_evidence(small.tetranucleotides, large.log_composition) - own_composition[:, None]
    return JOIN_COVERAGE_WEIGHT * np.minimum(fit, MAX_JOIN_COVERAGE) + loss + family_evidence(small, large)
