#!/usr/bin/env python3
"""Find contigs that belong to several bins: their coverage is the sum of the coverages of bins that they touch.

This is step 4 of GraphBin2 (Mallawaarachchi et al. 2021, Algorithms Mol Biol 16:3), with counting noise and a prior:
docs/method.md, section 6.1, equation (25). The refine stage uses this module.
"""

import itertools
from math import log
from typing import NamedTuple

import numpy as np

from bin_model import NO_BIN, Bins, Contigs, count_bin_links, summed_coverage
from coverage_evidence import coverage_evidence

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# The prior odds of each further bin that a contig belongs to.
SHARED_PRIOR = 0.1
# At most so many bins that a contig touches are tried, in all combinations.
MAX_SHARING_BINS = 4
# Two bins are siblings if the links between them are at least so many times the links within one of them.
SIBLING_LINK_RATIO = 1


class Holders(NamedTuple):
    """The bins that a contig of several belongs to, and the probabilities of these together and of no bin."""

    bins: list[int]
    posterior: float
    none: float


def touched_bins(contigs: Contigs, final: np.ndarray, n_bins: int) -> dict[int, list[int]]:
    """Return the bins that a contig touches, for contigs that touch several: at most MAX_SHARING_BINS, by contacts.

    A contig touches its own bin (final, n), those of its neighbours, and those behind a neighbour without a bin. Of two
    siblings only the first is listed: what lies between them are the places where they differ, not what they share.
    """
    links = count_bin_links(contigs.links, final, n_bins)
    inner = np.diag(links)  # twice the number of links
    own = np.flatnonzero(final != NO_BIN)
    # A contact is one number: contig * n_bins + bin
    source, target = contigs.links[:, final[contigs.links[1]] != NO_BIN]
    near = np.unique(source * n_bins + final[target])
    # Behind a neighbour without a bin: the bins that this neighbour is next to
    source, target = contigs.links[:, final[contigs.links[1]] == NO_BIN]
    first, last = np.searchsorted(near // n_bins, [target, target + 1])
    many = last - first
    reached = np.arange(many.sum()) + np.repeat(last - np.cumsum(many), many)
    behind = np.repeat(source, many) * n_bins + near[reached] % n_bins
    touched, contacts = np.unique(np.concatenate([own * n_bins + final[own], near, behind]), return_counts=True)
    contig_of, bin_of = np.divmod(touched, n_bins)
    several = np.bincount(contig_of, minlength=1)[contig_of] > 1
    contig_of, bin_of, contacts = contig_of[several], bin_of[several], contacts[several]
    order = np.lexsort((bin_of, -contacts, contig_of))
    found: dict[int, list[int]] = {}
    for contig, b in zip(contig_of[order].tolist(), bin_of[order].tolist()):
        listed = found.setdefault(contig, [])
        unrelated = (2 * links[b, x] < SIBLING_LINK_RATIO * min(inner[b], inner[x]) for x in listed)
        if len(listed) < MAX_SHARING_BINS and all(unrelated):
            listed.append(b)
    return {contig: listed for contig, listed in found.items() if len(listed) > 1}


def find_shared_contigs(
    contigs: Contigs, bins: Bins, final: np.ndarray, none_score: np.ndarray, min_posterior: np.ndarray
) -> dict[int, Holders]:
    """Return the holders of each contig that belongs to several bins.

    Every set of the bins that a contig touches is compared with all others and with none (none_score, n: the log of
    likelihood times prior). The contig belongs to the set with a posterior of at least min_posterior (n).
    """
    sets = [
        (contig, group)
        for contig, listed in touched_bins(contigs, final, len(bins.density)).items()
        for size in range(1, len(listed) + 1)
        for group in itertools.combinations(listed, size)
    ]
    if not sets:
        return {}
    rows = np.array([contig for contig, _ in sets])
    density, scatter = summed_coverage(bins, [group for _, group in sets])
    length, reads, excess = contigs.length[rows], contigs.reads[rows], contigs.excess_of(rows)
    fit = coverage_evidence(reads, length, (density * length[:, None])[:, None], scatter[:, None], excess)[:, 0]
    fit += log(SHARED_PRIOR) * np.array([len(group) - 1 for _, group in sets])
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    total = np.logaddexp(np.logaddexp.reduceat(fit, first), none_score[rows[first]])
    total = np.repeat(total, np.diff(first, append=len(rows)))
    best = np.flatnonzero(fit - total >= np.log(min_posterior[rows]))
    posterior, none = np.exp(fit - total), np.exp(none_score[rows] - total)
    return {
        sets[i][0]: Holders(list(sets[i][1]), float(posterior[i]), float(none[i]))
        for i in best.tolist()
        if len(sets[i][1]) > 1
    }
