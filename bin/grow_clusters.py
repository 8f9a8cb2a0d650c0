#!/usr/bin/env python3
"""Decide which clusters that are too small for a bin grow into one by the contigs that go to them.

A genome of little coverage is mostly in contigs that are too short to be clustered, so that its cluster stays small.
Binloom's own method: docs/method.md, section 6.1, equation (24). The refine stage uses this module.
"""

import numpy as np

from bin_model import NO_BIN, Contigs, bin_sizes, count_bin_links, describe_bins
from join_clusters import is_shared_by_two

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# A small cluster must become at least so many times as large.
MIN_GROWTH = 3
# Less than this fraction of the grown cluster may go to any one other bin if the small cluster is no bin: else the
# cluster is a piece of that other bin.
MAX_ELSEWHERE_FRACTION = 0.5
# The links of the grown cluster to bins other than its most linked one may be at most so many times its inner links:
# else the cluster is what several genomes have in common.
MAX_BRIDGE_RATIO = 2
# This number is added to the inner links, so that a cluster without any may have some links to other bins.
ADDED_INNER_LINKS = 1


def largest_overlap(length: np.ndarray, label: np.ndarray, other: np.ndarray, n_bins: int) -> np.ndarray:
    """Return, for each bin (B) of one labelling, the most bases that it shares with a bin of another labelling."""
    both = (label != NO_BIN) & (other != NO_BIN)
    pairs, pair = np.unique(label[both] * n_bins + other[both], return_inverse=True)
    largest = np.zeros(n_bins)
    np.maximum.at(largest, pairs // n_bins, np.bincount(pair, length[both], len(pairs)))
    return largest


def grown_clusters(
    contigs: Contigs, size: np.ndarray, bins_without: np.ndarray, bins_with: np.ndarray, min_size: int
) -> np.ndarray:
    """Return whether each cluster (B) is below min_size bp and yet a genome of its own.

    size (B, bp) is that of the clusters. bins_with (n) are the bins of the contigs if clusters below min_size count as
    bins, bins_without (n) those if they do not. A cluster that grows is neither a piece of one bin nor what several
    bins have in common; the latter lies between them in the graph.
    """
    n = len(size)
    grown_size = bin_sizes(contigs.length, bins_with, n)
    elsewhere = largest_overlap(contigs.length, bins_with, bins_without, n)
    links = count_bin_links(contigs.links, bins_with, n)
    inner = np.diag(links) / 2
    np.fill_diagonal(links, 0)
    bridges = links.sum(axis=1) - links.max(axis=1, initial=0)
    grown = (size < min_size) & (grown_size >= np.maximum(min_size, MIN_GROWTH * size))
    is_piece = elsewhere >= MAX_ELSEWHERE_FRACTION * grown_size
    is_between = bridges > MAX_BRIDGE_RATIO * (inner + ADDED_INNER_LINKS)
    return grown & ~is_piece & ~is_between


def shared_clusters(contigs: Contigs, label: np.ndarray, is_bin: np.ndarray, grown: np.ndarray) -> np.ndarray:
    """Return whether each cluster (B) that has grown is what two other bins share: the sum of their coverages.

    label (n): the cluster of each contig; is_bin (B): the clusters that are bins, with those that have grown.
    """
    shared = np.zeros(len(grown), dtype=bool)
    clusters = np.intersect1d(label, np.flatnonzero(is_bin))
    label = np.where(np.isin(label, clusters), np.searchsorted(clusters, label), NO_BIN)
    of_grown = np.flatnonzero(grown[clusters])
    if len(of_grown):
        bins = describe_bins(contigs, label, len(clusters))
        shared[clusters[of_grown]] = [is_shared_by_two(contigs, bins, label, b) for b in of_grown]
    return shared
