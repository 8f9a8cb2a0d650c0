#!/usr/bin/env python3
"""Assign the contigs of an assembly, of any length, to bins by Bayes' rule.

Each contig has a posterior for its candidate bins and for belonging to none: from its coverage, its composition, the
bins of its neighbours in the graph and by pairs of reads, and the bin it came with. Binloom's own method:
docs/method.md, section 6.1, equations (10) to (16), (23) and (35). The refine stage uses this module.
"""

from collections.abc import Iterator, Sequence
from math import log
from typing import NamedTuple

import numpy as np
import pandas as pd

from bin_model import (
    NO_BIN,
    Bins,
    Contigs,
    composition_evidence,
    coverage_evidence,
    describe_bins,
    root_count_variance,
    root_counts,
    unknown_coverage_evidence,
)
from shared_contigs import find_shared_contigs

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# The odds in favour of the bin that a contig came with.
LABEL_ODDS = 50
# The prior probability that a contig belongs to a genome without a bin.
NONE_PRIOR = 0.3
# The prior odds of a sibling: a genome without a bin that has the composition and the links of a bin.
SIBLING_PRIOR = 0.1
# At most so many bins are compared exactly with each contig.
MAX_CANDIDATES = 32
# At most so many typical coverages stand for those of all bins, where a contig is compared with a genome without a bin.
MAX_TYPICAL_PROFILES = 32
# The number of rounds in which contigs tell their neighbours which bins they belong to.
MESSAGE_ROUNDS = 10
# In each round, a posterior moves by this fraction of the way to what the neighbours imply.
MESSAGE_STEP = 0.5
# A contig tells its neighbours of a bin only from this posterior on.
MIN_MESSAGE_POSTERIOR = 0.9
# A bin may be closed by another one only if they have at least so many links ...
MIN_CLOSED_LINKS = 2
# ... which are at least this fraction of the other one's links to all bins ...
MIN_CLOSED_LINK_FRACTION = 0.2
# ... and only if its coverage, summed over samples, is more than so many times that of the other one.
MIN_CLOSED_DEPTH_RATIO = 1.2
# In every sample, so many times its coverage must reach the coverage of the other one ...
CLOSED_SAMPLE_FACTOR = 1.1
# ... which is lowered by this fraction of its greatest coverage in a sample, so that nearly empty samples do not count.
CLOSED_DEPTH_ALLOWANCE = 0.01
# With one sample, only this fraction of the doubt that --min_posterior leaves is allowed ...
SINGLE_SAMPLE_DOUBT = 0.25
# ... for contigs of at least this length (bp), whose many 4-mers seem to say more than they do.
SINGLE_SAMPLE_LENGTH = 2000
# Temporary arrays have at most so many numbers. Contigs in one block share a length where candidates are chosen.
BLOCK_SIZE = 1 << 21


class ContigEvidence(NamedTuple):
    """The log likelihoods of the n contigs in K candidate bins each, and in none."""

    candidates: np.ndarray  # n x K, bins
    likelihood: np.ndarray  # n x K, of coverage and composition
    composition: np.ndarray  # n x K, of composition only
    unknown_coverage: np.ndarray  # n, of the coverage in a genome without a bin
    unknown_composition: np.ndarray  # n, of the composition in a genome without a bin


def with_reads(contigs: Contigs) -> Contigs:
    """Return the contigs without the samples that have no reads on them.

    Such a sample says nothing, but a t distribution of more dimensions has lighter tails.
    """
    return contigs._replace(reads=contigs.reads[:, contigs.reads.any(axis=0)])


def needed_posterior(contigs: Contigs, min_posterior: float) -> np.ndarray:
    """Return the posterior from which each contig (n) goes to a bin: with one sample, long ones need a higher one.

    Posteriors of long contigs are less often right then (docs/benchmark.md).
    """
    is_doubtful = (contigs.length >= SINGLE_SAMPLE_LENGTH) & (contigs.reads.shape[1] == 1)
    return np.where(is_doubtful, 1 - SINGLE_SAMPLE_DOUBT * (1 - min_posterior), min_posterior)


def closed_bins(bins: Bins) -> np.ndarray:
    """Return whether each bin (B) is closed to new contigs, because it may hold what several genomes share.

    The reads of all these genomes cover such a bin: it is at least as deep, in every sample, as another bin with many
    links to it (equation 23). A contig with its coverage may belong to any of these genomes.
    """
    links = bins.links
    outward = links.sum(axis=1) - np.diag(links)
    total = bins.density.sum(axis=1)
    closed = np.zeros(len(links), dtype=bool)
    for b in range(len(links)):
        linked = (links[b] >= MIN_CLOSED_LINKS) & (links[b] >= MIN_CLOSED_LINK_FRACTION * outward)
        near = np.flatnonzero(linked & (total[b] > MIN_CLOSED_DEPTH_RATIO * total))
        greatest = bins.density[near].max(axis=1, keepdims=True, initial=0)
        floor = bins.density[near] - CLOSED_DEPTH_ALLOWANCE * greatest
        closed[b] = (CLOSED_SAMPLE_FACTOR * bins.density[b] >= floor).all(axis=1).any()
    return closed


def without_closed_bins(evidence: ContigEvidence, bins: Bins, label: np.ndarray) -> ContigEvidence:
    """Return the evidence in which a closed bin keeps the contigs that came with it (label, n) and gains none."""
    closed = closed_bins(bins)[evidence.candidates] & (evidence.candidates != label[:, None])
    return evidence._replace(likelihood=np.where(closed, -np.inf, evidence.likelihood))


def candidate_bins(contigs: Contigs, rows: slice, bins: Bins, composition: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the MAX_CANDIDATES (or all) bins that fit each of these contigs best (c x K, ascending).

    composition (c x B) is the log likelihood of their composition. The bin a contig came with and those of its
    neighbours are always among them. The others have the best normal approximation of the evidence, which is two matrix
    products for contigs of about the same length.
    """
    n_bins = len(bins.density)
    length = contigs.length[rows]
    if n_bins <= MAX_CANDIDATES:
        return np.broadcast_to(np.arange(n_bins), (len(length), n_bins))
    middle = np.median(length)
    root = root_counts(contigs.reads[rows] / length[:, None] * middle)
    center = root_counts(bins.density * middle)
    variance = root_count_variance(bins.scatter**2 * bins.density * middle)
    score = root @ (center / variance).T - root**2 @ (0.5 / variance).T + composition
    score -= 0.5 * (center**2 / variance + np.log(variance)).sum(axis=1)
    above = np.ptp(score) + 1
    for links in (contigs.links, contigs.pairs):
        first, last = np.searchsorted(links[0], [rows.start, rows.stop])
        source, target = links[:, first:last]
        row, b = source - rows.start, label[target]
        score[row[b != NO_BIN], b[b != NO_BIN]] += above  # above all others, and in order among themselves
    labelled = np.flatnonzero(label[rows] != NO_BIN)
    score[labelled, label[rows][labelled]] = np.inf
    return np.sort(np.argpartition(-score, MAX_CANDIDATES, axis=1)[:, :MAX_CANDIDATES], axis=1)


def contig_evidence(contigs: Contigs, bins: Bins, label: np.ndarray) -> ContigEvidence:
    """Return the log likelihoods of each contig in its candidate bins and in none, computed in blocks of contigs."""
    n, s = contigs.reads.shape
    n_bins = len(bins.density)
    typical = bins.density
    if n_bins > MAX_TYPICAL_PROFILES:
        typical = np.quantile(bins.density, np.linspace(0, 1, MAX_TYPICAL_PROFILES), axis=0)
    mean_composition = np.log(np.exp(bins.log_composition).mean(axis=0, keepdims=True))
    step = max(1, BLOCK_SIZE // max(len(typical) * s, n_bins, contigs.tetranucleotides.shape[1]))
    blocks = []
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        length, reads = contigs.length[rows], contigs.reads[rows]
        tetranucleotides = contigs.tetranucleotides[rows].astype(np.float64)
        composition = composition_evidence(tetranucleotides, bins.log_composition)
        candidates = candidate_bins(contigs, rows, bins, composition, label)
        # The mean composition fits a genome unlike all bins better than any of these does: it can speak against all
        average = np.logaddexp.reduce(composition, axis=1) - log(n_bins)
        unknown_composition = np.maximum(average, composition_evidence(tetranucleotides, mean_composition)[:, 0])
        composition = np.take_along_axis(composition, candidates, axis=1)
        expected = bins.density[candidates] * length[:, None, None]
        fit = coverage_evidence(reads, length, expected, bins.scatter[candidates])
        unknown = unknown_coverage_evidence(reads, typical * length[:, None, None])
        blocks.append(
            ContigEvidence(candidates.astype(np.int32), fit + composition, composition, unknown, unknown_composition)
        )
    return ContigEvidence(*map(np.concatenate, zip(*blocks)))


def neighbour_candidates(links: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return where the candidates of each contig stand among those of its neighbour (2m x K, for each link).

    The positions are those in the flattened candidates (n x K); n * K if the neighbour does not have the bin.
    """
    n, k = candidates.shape
    position = np.full((links.shape[1], k), n * k, dtype=np.int32 if n * k < 2**31 - 1 else np.int64)
    step = max(1, BLOCK_SIZE // k**2)
    for start in range(0, len(position), step):
        source, target = links[:, start : start + step]
        same = candidates[source][:, :, None] == candidates[target][:, None, :]
        found = target[:, None] * k + same.argmax(axis=2)
        np.copyto(position[start : start + step], found, where=same.any(axis=2), casting="same_kind")
    return position


def posterior(evidence: ContigEvidence, label_odds: np.ndarray, support: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the probabilities of the candidates of each contig (n x K); the rest of 1 is that of none.

    Bayes' rule (equations 11 to 14). label_odds (n x K): log odds for the bin the contig came with. support (n x K):
    the trusted fraction of the neighbours in each bin; the rest is spread over all bins and none. None is a genome
    unlike the bins, or the sibling of a bin: this has the composition and the links of the bin, so that only the
    coverage can tell them apart.
    """
    free = 1 - support.sum(axis=1)
    with np.errstate(divide="ignore"):
        linked = np.logaddexp.reduce(np.log(support) + evidence.composition, axis=1)
    unlike = evidence.unknown_composition + np.log(free * NONE_PRIOR)
    sibling = np.logaddexp(evidence.unknown_composition + np.log(free * (1 - NONE_PRIOR)), linked)
    none = evidence.unknown_coverage + np.logaddexp(unlike, log(SIBLING_PRIOR) + sibling)
    prior = free[:, None] * (1 - NONE_PRIOR) / n_bins + support
    score = evidence.likelihood + label_odds + np.log(prior)
    return np.exp(score - np.logaddexp(np.logaddexp.reduce(score, axis=1), none)[:, None])


class Neighbours(NamedTuple):
    """The neighbours of the n contigs by one kind of links, and what these links are worth."""

    receivers: np.ndarray  # r contigs that have neighbours, ascending
    first: np.ndarray  # r + 1, the first of their links, and the number of links
    position: np.ndarray  # 2m x K, from neighbour_candidates
    trust: np.ndarray  # B, of the links of each bin


def neighbours(links: np.ndarray, candidates: np.ndarray, trust: np.ndarray) -> Neighbours:
    """Return the neighbours by links (2 x 2m) with this trust of each bin (B)."""
    receivers, first = np.unique(links[0], return_index=True)
    return Neighbours(receivers, np.append(first, links.shape[1]), neighbour_candidates(links, candidates), trust)


def row_blocks(n: int, width: int) -> Iterator[slice]:
    """Yield slices of n rows of so many numbers, for temporary arrays of BLOCK_SIZE numbers."""
    step = max(1, BLOCK_SIZE // width)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def messages(linked: np.ndarray, candidates: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Return what each contig tells its neighbours of its candidates (n * K), and at last what of any other bin: 0.

    linked (n x K): posteriors. Only contigs with MIN_MESSAGE_POSTERIOR count: else those in doubt would support each
    other, and a genome without a bin would end up in one. trust (B): of the links of each bin.
    """
    told = np.zeros(linked.size + 1)
    by_contig = told[:-1].reshape(linked.shape)
    for rows in row_blocks(*linked.shape):
        is_sure = linked[rows] >= MIN_MESSAGE_POSTERIOR
        by_contig[rows] = np.where(is_sure, linked[rows] * trust[candidates[rows]], 0)
    return told


def bin_support(rows: slice, kinds: Sequence[tuple[Neighbours, np.ndarray]]) -> np.ndarray:
    """Return the trusted fraction of the neighbours of these contigs in each candidate (rows x K; equation 10).

    kinds: neighbours and their messages. Several kinds of links are put together by Dempster's rule of combination:
    each leaves a part of the truth open, and contradictions do not count.
    """
    support = np.zeros((rows.stop - rows.start, kinds[0][0].position.shape[1]))
    for kind, told in kinds:
        found = np.zeros_like(support)
        start, stop = np.searchsorted(kind.receivers, [rows.start, rows.stop])
        first = kind.first[start : stop + 1]
        if start < stop:
            sums = np.add.reduceat(told[kind.position[first[0] : first[-1]]], first[:-1] - first[0], axis=0)
            found[kind.receivers[start:stop] - rows.start] = sums / np.diff(first)[:, None]
        total, found_total = (values.sum(axis=1, keepdims=True) for values in (support, found))
        agreed = support * found
        conflict = total * found_total - agreed.sum(axis=1, keepdims=True)
        support = (agreed + support * (1 - found_total) + (1 - total) * found) / (1 - conflict)
    return support


def posterior_with_links(
    evidence: ContigEvidence, contigs: Contigs, label: np.ndarray, bins: Bins
) -> tuple[np.ndarray, np.ndarray]:
    """Return the posteriors (n x K) without the links, and with them (equations 10 and 15).

    In each round, contigs support their bin at their neighbours, as far as the links of this bin are trusted.
    """
    n_bins, candidates = len(bins.density), evidence.candidates
    both = (contigs.links, bins.link_trust), (contigs.pairs, bins.pair_trust)
    kinds = [neighbours(links, candidates, trust) for links, trust in both if links.size]

    def implied(rows: slice, support: np.ndarray) -> np.ndarray:
        label_odds = np.where(candidates[rows] == label[rows, None], log(LABEL_ODDS), 0.0)
        return posterior(ContigEvidence(*(values[rows] for values in evidence)), label_odds, support, n_bins)

    unlinked = np.empty(candidates.shape)
    for rows in row_blocks(*candidates.shape):
        unlinked[rows] = implied(rows, np.zeros(candidates[rows].shape))
    linked = unlinked.copy()
    for _ in range(MESSAGE_ROUNDS if kinds else 0):
        told = [(kind, messages(linked, candidates, kind.trust)) for kind in kinds]
        for rows in row_blocks(*candidates.shape):
            linked[rows] = (1 - MESSAGE_STEP) * linked[rows] + MESSAGE_STEP * implied(rows, bin_support(rows, told))
    return unlinked, linked


def best_bins(probability: np.ndarray, candidates: np.ndarray, min_posterior: np.ndarray) -> np.ndarray:
    """Return the most probable candidate of each contig (n), or NO_BIN below its min_posterior (n; equation 16)."""
    best = probability.argmax(axis=1)[:, None]
    likeliest = np.take_along_axis(candidates, best, axis=1)[:, 0]
    return np.where(probability.max(axis=1) >= min_posterior, likeliest, NO_BIN)


def assign_to_bins(
    contigs: Contigs,
    label: np.ndarray,
    is_bin: np.ndarray,
    min_posterior: np.ndarray,
    sequence_odds: np.ndarray | None = None,
) -> tuple[pd.DataFrame, dict[int, list[int]]]:
    """Assign contigs to those of the B clusters that are bins (is_bin, B); label (n) is the cluster of each contig.

    min_posterior (n): from needed_posterior.
    sequence_odds (n x B): log odds for each cluster by what the contig has in common with other assemblies, if known.
    Return, per contig, `unlinked` and `final` (clusters; NO_BIN for none), `posterior` of the likeliest bin and `none`;
    and all bins of each shared contig, whose `final` is the one that it touches most.
    """
    cluster_of_bin = np.append(np.flatnonzero(is_bin), NO_BIN)
    n_bins = len(cluster_of_bin) - 1
    if n_bins == 0:
        nothing = {"unlinked": NO_BIN, "final": NO_BIN, "posterior": 0.0, "none": 1.0}
        return pd.DataFrame(nothing, index=np.arange(len(label))), {}
    label = np.append(np.where(is_bin, np.cumsum(is_bin) - 1, NO_BIN), NO_BIN)[label]
    bins = describe_bins(contigs, label, n_bins)
    evidence = contig_evidence(contigs, bins, label)
    if sequence_odds is not None:
        known = np.take_along_axis(sequence_odds[:, is_bin], evidence.candidates, axis=1)
        evidence = evidence._replace(likelihood=evidence.likelihood + known)
    evidence = without_closed_bins(evidence, bins, label)
    without_links, probability = posterior_with_links(evidence, contigs, label, bins)
    unlinked = best_bins(without_links, evidence.candidates, min_posterior)
    final = best_bins(probability, evidence.candidates, min_posterior)
    none_score = evidence.unknown_coverage + log(NONE_PRIOR)
    shared = find_shared_contigs(contigs, bins, final, none_score, min_posterior)
    for contig, group in shared.items():
        final[contig] = group[0] if final[contig] not in group else final[contig]
    table = {
        "unlinked": cluster_of_bin[unlinked],
        "final": cluster_of_bin[final],
        "posterior": probability.max(axis=1),
        "none": np.maximum(1 - probability.sum(axis=1), 0),
    }
    return pd.DataFrame(table), {contig: cluster_of_bin[group].tolist() for contig, group in shared.items()}
