#!/usr/bin/env python3
"""Find which bins are related: strains or close species, whose contigs are homologous to each other.

Binloom's own method: docs/method.md, section 6.1, equation (37). The refine stage uses this module.
"""

import numpy as np

from bin_model import NO_BIN, Contigs, bin_sizes
from shared_contigs import MAX_SHARING_BINS
from split_by_homologs import MEAN_SEED_DISTANCE

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# Two bins are related if they share at least this fraction of the seeds of the smaller one.
MIN_RELATED_FRACTION = 0.1
# Each bin has at most so many relatives, those that it shares the largest fractions with.
MAX_RELATIVES = 8


def shared_seed_fractions(contigs: Contigs, label: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the fraction of the seeds of the smaller of two bins that they share (B x B, 0 on the diagonal)."""
    source, target = label[contigs.homologs[:2]]
    binned = (source != NO_BIN) & (target != NO_BIN)
    cells = source[binned] * n_bins + target[binned]
    shared = np.bincount(cells, contigs.homologs[2, binned], n_bins**2).reshape(n_bins, n_bins)
    seeds = np.maximum(bin_sizes(contigs.length, label, n_bins) / MEAN_SEED_DISTANCE, 1)
    np.fill_diagonal(shared, 0)
    return shared / np.minimum.outer(seeds, seeds)


def related_groups(contigs: Contigs, label: np.ndarray, n_bins: int) -> list[tuple[int, ...]]:
    """Return the groups of two to MAX_SHARING_BINS bins of which each two are related.

    label (n): the bin of each contig. Two bins are related only if each is among the MAX_RELATIVES of the other.
    """
    return groups_of_relatives(shared_seed_fractions(contigs, label, n_bins))


def groups_of_relatives(fraction: np.ndarray) -> list[tuple[int, ...]]:
    """Return the groups of two to MAX_SHARING_BINS bins of which each two are related (fraction: B x B)."""
    rank = np.argsort(np.argsort(-fraction, axis=1, kind="stable"), axis=1, kind="stable")
    is_near = (rank < MAX_RELATIVES) & (fraction >= MIN_RELATED_FRACTION)
    related = is_near & is_near.T
    groups: list[tuple[int, ...]] = []
    largest = [(b,) for b in np.flatnonzero(related.any(axis=1)).tolist()]
    while largest and len(largest[0]) < MAX_SHARING_BINS:
        larger = []
        for group in largest:
            others = np.flatnonzero(related[list(group)].all(axis=0))
            larger += [(*group, b) for b in others[others > group[-1]].tolist()]
        groups += larger
        largest = larger
    return groups


def families(groups: list[tuple[int, ...]], n_bins: int) -> np.ndarray:
    """Return the family of each bin (B), which is its first bin: bins that groups of relatives connect."""
    family = np.arange(n_bins)
    for _ in groups:
        before = family.copy()
        for group in groups:
            family[list(group)] = family[list(group)].min()
        if (family == before).all():
            break
    return family
