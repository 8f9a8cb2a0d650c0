"""same_genomes.py: which bins are one genome, and odds of shares that are counted by hand."""

import numpy as np
import pytest

from same_genomes import (
    MIN_KMERS,
    MIN_SHARED_KMERS,
    PRIOR_CONTIGS,
    PSEUDO_CONTIGS,
    SHARE_BOUNDS,
    Shares,
    contig_odds,
    count_levels,
    countable_contigs,
    level_odds,
    link_bins,
    share_levels,
)

LEVELS = len(SHARE_BOUNDS) + 1


def linked(assembly: list[int], **shared: float) -> list[int]:
    """Return the genome of each bin; shared: by names such as b1_0, of the k-mers of two bins."""
    pairs = np.array([list(map(int, name[1:].split("_"))) for name in shared], dtype=np.int64).reshape(-1, 2).T
    return link_bins(pairs, np.array(list(shared.values())), np.array(assembly)).tolist()


def test_bins_with_the_same_kmers_are_one_genome():
    assert linked([0, 0, 1, 1], b2_0=0.9, b3_1=MIN_SHARED_KMERS) == [0, 1, 0, 1]
    assert linked([0, 0, 1, 1], b2_0=0.9, b3_1=MIN_SHARED_KMERS - 0.01) == [0, 1, 0, 2]
    assert linked([0, 1, 2], b1_0=0.5, b2_1=0.5) == [0, 0, 0]
    assert linked([]) == []


def test_two_bins_of_an_assembly_are_two_genomes():
    """The more alike pair becomes one genome, also by way of a third assembly."""
    assert linked([0, 0, 1], b2_0=0.8, b2_1=0.9) == [0, 1, 1]
    assert linked([0, 1, 2, 0], b1_0=0.9, b2_1=0.8, b3_2=0.7) == [0, 0, 0, 1]


def test_classes_of_shares():
    shared, n_kmers = np.array([1, 3, 10, 50, 97, 100]), np.full(6, 100)
    n_kmers[0] = MIN_KMERS - 1
    shares = share_levels(np.arange(6), np.zeros(6, int), shared, n_kmers)
    assert shares.level.tolist() == [3, 1, 2, 4, 8, 8]
    assert shares.tells.tolist() == [False] + [True] * 5


def test_odds_are_those_of_the_counts():
    """Genome 0 holds contigs 0 to 5, and 1 holds 6 to 8; 9 is in no bin, and 8 has too few k-mers."""
    tells = np.arange(10) != 8
    shares = Shares(np.array([0, 1, 2, 6, 8, 9]), np.array([0, 0, 0, 0, 1, 1]), np.array([8, 8, 4, 2, 8, 8]), tells)
    of_genome = np.array([*range(0, 12, 2), *range(13, 19, 2)])
    counted = countable_contigs(shares, of_genome, np.zeros(9, bool), 2)
    assert np.flatnonzero(~counted).tolist() == [8, 9]
    same, other = count_levels(shares, counted, of_genome, 2)
    assert same[0].tolist() == [3, 0, 0, 0, 1, 0, 0, 0, 2] and other[0].tolist() == [1, 0, 1, 0, 0, 0, 0, 0, 0]
    assert same[1].tolist() == [2] + [0] * 8 and other[1].tolist() == [6] + [0] * 8
    odds = level_odds(same, other, same.sum(axis=0), other.sum(axis=0))
    prior_same = (np.array([5, 2]) + PSEUDO_CONTIGS) / (8 + PSEUDO_CONTIGS * LEVELS)
    prior_other = (np.array([7, 0]) + PSEUDO_CONTIGS) / (8 + PSEUDO_CONTIGS * LEVELS)
    share_same = (np.array([3, 2]) + PRIOR_CONTIGS * prior_same) / (6 + PRIOR_CONTIGS)
    share_other = (np.array([1, 0]) + PRIOR_CONTIGS * prior_other) / (2 + PRIOR_CONTIGS)
    np.testing.assert_allclose(odds[0][[0, 8]], np.log(share_same / share_other))
    found = contig_odds(shares, np.array([9, 8, 0]), odds, np.array([1, 0]))
    np.testing.assert_allclose(found, [[odds[1][8], odds[0][0]], [0, 0], [odds[1][0], odds[0][8]]])


def test_contigs_in_the_wrong_bin_do_not_count():
    """Contigs 0 to 2 are in a bin of genome 0; contig 1 has more of genome 1, which is as much as nothing of 0."""
    shares = Shares(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 1]), np.array([8, 8, 8, 6, 3]), np.ones(4, bool))
    of_genome = np.array([0, 2, 4])
    assert countable_contigs(shares, of_genome, np.ones(3, bool), 2).tolist() == [True, False, True, False]
    # Without genome 0 in another assembly, nothing could be in common with it
    assert countable_contigs(shares, of_genome, np.zeros(3, bool), 2).tolist() == [True, True, True, False]


def test_shares_that_bins_and_others_have_alike_tell_nothing():
    counts = np.ones((3, LEVELS))
    np.testing.assert_allclose(level_odds(counts, counts, counts.sum(axis=0), counts.sum(axis=0)), 0, atol=1e-12)


@pytest.mark.parametrize("n_genomes", [0, 1])
def test_nothing_in_common(n_genomes):
    nothing = np.empty(0, np.int64)
    shares = share_levels(nothing, nothing, nothing, np.full(4, 50))
    same, other = count_levels(shares, np.ones(4, bool), nothing, max(n_genomes, 1))
    assert same.sum() == 0 and other[0, 0] == 4
