#!/usr/bin/env python3
"""Find what an assembler has collapsed: contigs, and whole bins, that several related genomes have in common.

Where strains are alike, an assembler makes one contig of them, and the reads of all lie on it. So its coverage is the
sum of the coverages of their bins, which hold the contigs in which they differ. No graph is needed for that. Binloom's
own method: docs/method.md, section 6.1, equations (37) to (39). The refine stage uses this module.
"""

import itertools
from math import log

import numpy as np

from bin_model import (
    NO_BIN,
    Bins,
    Contigs,
    bin_sizes,
    composition_evidence,
    describe_bins,
    log_frequencies,
    summed_coverage,
)
from contig_evidence import contig_evidence, likeliest_bins
from coverage_evidence import log_sum
from join_clusters import MIN_MERGE_ODDS, whole_bin_evidence
from related_bins import families, groups_of_relatives, shared_seed_fractions
from shared_contigs import MAX_SHARING_BINS, SHARED_PRIOR

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# A collapsed bin shares at most this fraction of what its relatives share with each other: these have alleles of their
# own elsewhere, and not of what is collapsed.
MAX_ALLELE_RATIO = 0.5
# Groups whose coverage, summed over samples, is so many times that of a bin, or the bin's so many times theirs, are not
# compared with it: they cannot be its sum.
MAX_DEPTH_RATIO = 2
# The contigs that relatives have in common must have this fraction of the bases of all their bins. Reads of a related
# species, too, lie on contigs of which its own alleles were not assembled: these are fewer.
MIN_COLLAPSED_FRACTION = 0.1


def sums_of_bins(bins: Bins, groups: list[tuple[int, ...]]) -> Bins:
    """Return the profiles of sequences that all bins of a group have (G for B), without links."""
    density, scatter = summed_coverage(bins, groups)
    composition = [np.logaddexp.reduce(bins.log_composition[list(group)]) - log(len(group)) for group in groups]
    nothing = np.zeros(len(groups))
    return Bins(density, scatter, np.array(composition), np.zeros((len(groups), 0)), nothing, nothing)


def likeliest_groups(
    contigs: Contigs, bins: Bins, groups: list[tuple[int, ...]], prior: float, threads: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the likeliest group of related bins of each contig (n), and logarithms of likelihood times prior (n each).

    These are of this group and of all groups together. prior: the log prior of one bin; each further bin of a group
    costs SHARED_PRIOR (equation 39).
    """
    evidence = contig_evidence(contigs, sums_of_bins(bins, groups), np.full(len(contigs.length), NO_BIN), threads)
    priors = prior + log(SHARED_PRIOR) * np.array([len(group) - 1 for group in groups])
    weight = evidence.likelihood + priors[evidence.candidates]
    return *likeliest_bins(weight, evidence.candidates), log_sum(weight)


def enough_in_common(
    length: np.ndarray, group: np.ndarray, groups: list[tuple[int, ...]], size: np.ndarray
) -> np.ndarray:
    """Return whether the family of each contig (n bp, n numbers of groups) has enough in common.

    size: of the bins (B, bp). The contigs of a family must have MIN_COLLAPSED_FRACTION of its bases.
    """
    family = families(groups, len(size))
    of_contig = family[[groups[g][0] for g in group]]
    common = np.bincount(of_contig, length, len(size))
    return (common >= MIN_COLLAPSED_FRACTION * np.bincount(family, size, len(size)))[of_contig]


def collapsed_bins(contigs: Contigs, label: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each bin (B) is no genome but what related bins have in common, and whether it is one of these.

    label (n): the bin of each contig. The coverage of a collapsed bin is the sum of those of related bins, and not that
    of one of them alone (equation 22), and it has hardly any homologs in them (equation 38).
    """
    collapsed, holders = np.zeros(n_bins, dtype=bool), np.zeros(n_bins, dtype=bool)
    used = np.flatnonzero(bin_sizes(contigs.length, label, n_bins))
    label = np.where(label == NO_BIN, NO_BIN, np.searchsorted(used, label))
    fraction = shared_seed_fractions(contigs, label, len(used))
    groups = groups_of_relatives(fraction)
    if not groups:
        return collapsed, holders
    bins = describe_bins(contigs, label, len(used))
    members = np.array([(group * MAX_SHARING_BINS)[:MAX_SHARING_BINS] for group in groups])  # all of each, some again
    within = np.array([min(fraction[pair] for pair in itertools.combinations(group, 2)) for group in groups])
    for b in range(len(used)):
        unlike = fraction[b, members].max(axis=1) <= MAX_ALLELE_RATIO * within
        others = np.flatnonzero(unlike & (members != b).all(axis=1))
        counts = contigs.tetranucleotides[label == b].sum(axis=0)
        group = likeliest_holders(bins, b, counts, [groups[g] for g in others])
        if group:
            collapsed[used[b]] = True
            holders[used[list(group)]] = True
    return collapsed, holders & ~collapsed


def likeliest_holders(bins: Bins, b: int, counts: np.ndarray, groups: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the group that has bin b (136 counts of tetranucleotides) in common, or nothing."""
    depth = bins.density.sum(axis=1)
    near = [g for g in groups if 1 / MAX_DEPTH_RATIO < depth[list(g)].sum() / depth[b] < MAX_DEPTH_RATIO]
    if not near:
        return ()
    singles = [(x,) for x in sorted(set().union(*near))]
    odds = whole_bin_evidence(bins, b, counts, [*singles, *near])
    alone = dict(zip([x for (x,) in singles], odds))
    # The composition of a relative loses little; of so many groups, one may have the right sum by chance
    own = composition_evidence(counts[None], log_frequencies(counts, counts)[None])[0, 0]
    loss = composition_evidence(counts[None], sums_of_bins(bins, near).log_composition)[0] - own
    needed = log(MIN_MERGE_ODDS * len(groups)) + np.array([max(0, *(alone[x] for x in group)) for group in near])
    excess = odds[len(singles) :] + loss - needed
    return near[excess.argmax()] if excess.max() > 0 else ()
