"""related_bins.py: which bins are related, and what groups they form."""

import itertools

import numpy as np
import pytest

from bin_model import NO_BIN, Contigs
from related_bins import MAX_RELATIVES, families, groups_of_relatives, related_groups, shared_seed_fractions
from shared_contigs import MAX_SHARING_BINS

pytestmark = pytest.mark.filterwarnings("error")


def fractions(n: int, pairs: dict[tuple[int, int], float]) -> np.ndarray:
    """Return a symmetric table of shared seeds between n bins."""
    table = np.zeros((n, n))
    for (a, b), fraction in pairs.items():
        table[a, b] = table[b, a] = fraction
    return table


def test_fractions_are_of_the_seeds_of_the_smaller_bin():
    """A seed lies every 64 bp: bins of 6,400 and 12,800 bp have 100 and 200. The last contig has no bin."""
    pairs = np.array([[0, 2, 30], [1, 2, 10], [0, 1, 50], [0, 3, 70]])
    homologs = np.concatenate([pairs, pairs[:, [1, 0, 2]]]).T
    length = np.array([12_800, 6_400, 6_400, 6_400])
    contigs = Contigs(length, None, None, None, homologs=homologs)
    found = shared_seed_fractions(contigs, np.array([0, 1, 2, NO_BIN]), 3)
    assert found == pytest.approx(np.array([[0, 0.5, 0.3], [0.5, 0, 0.1], [0.3, 0.1, 0]]))
    assert related_groups(contigs, np.array([0, 1, 2, NO_BIN]), 3) == [(0, 1), (0, 2), (1, 2), (0, 1, 2)]
    # homologs within a bin, or of contigs without one, relate nothing
    assert related_groups(contigs, np.array([0, 0, 0, 1]), 2) == [(0, 1)]
    assert related_groups(contigs, np.array([0, 0, 0, NO_BIN]), 1) == []


def test_each_two_of_a_group_are_related():
    table = fractions(5, {(0, 1): 0.5, (1, 2): 0.5, (0, 2): 0.099, (3, 4): 0.1})
    assert groups_of_relatives(table) == [(0, 1), (1, 2), (3, 4)]
    assert families([(0, 1), (1, 2), (3, 4)], 6).tolist() == [0, 0, 0, 3, 3, 5]
    assert families([(1, 2), (0, 1)], 3).tolist() == [0, 0, 0]


def test_groups_and_relatives_are_bounded():
    n = MAX_RELATIVES + 1
    alike = fractions(n, dict.fromkeys(itertools.combinations(range(n), 2), 0.5))
    sizes = [len(group) for group in groups_of_relatives(alike)]
    assert max(sizes) == MAX_SHARING_BINS and sizes.count(2) == n * (n - 1) // 2
    # the last bin is nearer to all others than they are to each other, and has too many relatives
    star = fractions(n + 1, {(b, n): 0.2 + b / 100 for b in range(n)})
    assert groups_of_relatives(star) == [(b, n) for b in range(1, n)]
