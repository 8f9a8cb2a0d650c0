#!/usr/bin/env python3
"""Find what an assembler has collapsed: contigs, and whole bins, that several related genomes have in common.

Where strains are alike, an assembler makes one contig of them, and the reads of all lie on it. So its coverage is the
sum of the coverages of their bins, which hold the contigs in which they differ. No graph is needed for that. Binloom's
own method: docs/method.md, section 6.1, equations (37) to (39). The refine stage uses this module.
"""

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
from contig_evidence import contig_evidence
from join_clusters import MIN_MERGE_ODDS, whole_bin_evidence
from related_bins import families, groups_of_relatives, shared_seed_fractions
from shared_contigs import SHARED_PRIOR

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# A collapsed bin shares at most this fraction of what its relatives share with each other: these have alleles of their
# own elsewhere, and not of what is collapsed.
MAX_ALLELE_RATIO = 0.5
# The contigs that relatives have in common must have this fraction of the bases of all their bins. Reads of a related
# species, too, lie on contigs of which its own alleles were not assembled: these are fewer.
MIN_COLLAPSED_FRACTION = 0.1


def sums_of_bins(bins: Bins, groups: list[tuple[int, ...]]) -> Bins:
    """Return the profiles of sequences that all bins of a group have (G for B), without links."""
    density, scatter = summed_coverage(bins, groups)
    composition = [np.logaddexp.reduce(bins.log_composition[list(group)]) - log(len(group)) for group in groups]
    nothing = np.zeros(len(groups))
    return Bins(density, scatter, np.array(composition), np.zeros((len(groups), 0)), nothing, nothing)


def collapsed_contigs(
    contigs: Contigs,
    rows: np.ndarray,
    bins: Bins,
    groups: list[tuple[int, ...]],
    alone: float,
    other: np.ndarray,
    size: np.ndarray,
    min_posterior: np.ndarray,
    threads: int,
) -> dict[int, list[int]]:
    """Return the group of related bins that each of these contigs (rows) belongs to, if there is one.

    alone: log prior of one bin; other (rows): the log weights of all single bins and none, together; size: of the bins
    (B, bp). A contig belongs to a group with a posterior of at least min_posterior (n; equation 39), if its family has
    enough in common.
    """
    sums = sums_of_bins(bins, groups)
    nothing = np.empty((2, 0), dtype=np.int64)
    some = Contigs(contigs.length[rows], contigs.reads[rows], contigs.tetranucleotides[rows], nothing)
    evidence = contig_evidence(some, sums, np.full(len(rows), NO_BIN), threads)
    prior = alone + log(SHARED_PRIOR) * np.array([len(group) - 1 for group in groups])
    weight = evidence.likelihood + prior[evidence.candidates]
    total = np.logaddexp(np.logaddexp.reduce(weight, axis=1), other)
    best = weight.argmax(axis=1)[:, None]
    group, greatest = (np.take_along_axis(values, best, axis=1)[:, 0] for values in (evidence.candidates, weight))
    found = np.flatnonzero(greatest - total >= np.log(min_posterior[rows]))
    family = families(groups, len(size))
    of_contig = family[[groups[g][0] for g in group[found]]]
    common = np.bincount(of_contig, contigs.length[rows[found]], len(size))
    enough = common >= MIN_COLLAPSED_FRACTION * np.bincount(family, size, len(size))
    return {int(rows[i]): list(groups[group[i]]) for i in found[enough[of_contig]]}


def collapsed_bins(contigs: Contigs, label: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each bin (B) is no genome but what related bins have in common, and whether it is one of these.

    label (n): the bin of each contig. The coverage of a collapsed bin is the sum of those of related bins, and not that
    of one of them alone (equation 22), and it has hardly any homologs in them (equation 38).
    """
    collapsed, holders = np.zeros(n_bins, dtype=bool), np.zeros(n_bins, dtype=bool)
    if not contigs.homologs.size:
        return collapsed, holders
    used = np.flatnonzero(bin_sizes(contigs.length, label, n_bins))
    label = np.where(label == NO_BIN, NO_BIN, np.searchsorted(used, label))
    fraction = shared_seed_fractions(contigs, label, len(used))
    groups = groups_of_relatives(fraction)
    bins = describe_bins(contigs, label, len(used)) if groups else None
    for b in range(len(used) if groups else 0):
        group = likeliest_holders(contigs, label, bins, b, groups, fraction)
        if group:
            collapsed[used[b]] = True
            holders[used[list(group)]] = True
    return collapsed, holders & ~collapsed


def likeliest_holders(
    contigs: Contigs, label: np.ndarray, bins: Bins, b: int, groups: list[tuple[int, ...]], fraction: np.ndarray
) -> tuple[int, ...]:
    """Return the group of related bins that have bin b in common, or nothing; fraction: of shared seeds, B x B."""
    within = [fraction[np.ix_(group, group)][~np.eye(len(group), dtype=bool)].min() for group in groups]
    unlike = [fraction[b, list(group)].max() <= MAX_ALLELE_RATIO * least for group, least in zip(groups, within)]
    groups = [group for group, fits in zip(groups, unlike) if fits and b not in group]
    if not groups:
        return ()
    singles = [(x,) for x in sorted(set().union(*groups))]
    counts = contigs.tetranucleotides[label == b].sum(axis=0)
    odds = whole_bin_evidence(bins, b, counts, [*singles, *groups])
    alone = dict(zip([x for (x,) in singles], odds))
    # The composition of a relative loses little; of so many groups, one may have the right sum by chance
    own = composition_evidence(counts[None], log_frequencies(counts, counts)[None])[0, 0]
    loss = composition_evidence(counts[None], sums_of_bins(bins, groups).log_composition)[0] - own
    needed = log(MIN_MERGE_ODDS * len(groups)) + np.array([max(0, *(alone[x] for x in group)) for group in groups])
    excess = odds[len(singles) :] + loss - needed
    return groups[excess.argmax()] if excess.max() > 0 else ()
