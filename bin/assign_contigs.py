#!/usr/bin/env python3
"""Assign the contigs of an assembly, of any length, to bins by Bayes' rule.

Each contig has a posterior for its candidate bins and for belonging to none: from its coverage, its composition, the
bins of its neighbours in the graph and by pairs of reads, and the bin it came with. Binloom's own method:
docs/method.md, section 6.1, equations (10) to (16), (23) and (35). The refine stage uses this module.
"""

from collections.abc import Sequence
from math import log
from typing import NamedTuple

import numpy as np
import pandas as pd

from bin_model import NO_BIN, Bins, Contigs, bin_sizes, count_bin_links, describe_bins, trust_of_links
from collapsed_contigs import enough_in_common, likeliest_groups
from contig_evidence import (
    ContigEvidence,
    NoneEvidence,
    contig_evidence,
    evidence_of,
    in_threads,
    likeliest_bins,
    none_evidence,
    row_blocks,
    typical_compositions,
)
from coverage_evidence import log_sum
from related_bins import related_groups
from shared_contigs import Holders, find_shared_contigs

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# The odds in favour of the bin that a contig came with.
LABEL_ODDS = 50
# The prior probability that a contig belongs to a genome without a bin.
NONE_PRIOR = 0.3
# The prior odds of a sibling: a genome without a bin that has the composition and the links of a bin.
SIBLING_PRIOR = 0.1
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

# What assign_to_bins says of a contig where there are no bins
IN_NO_BIN = {"unlinked": NO_BIN, "final": NO_BIN, "posterior": 0.0, "none": 1.0}


def with_reads(contigs: Contigs) -> Contigs:
    """Return the contigs without the samples that have no reads on them.

    Such a sample says nothing, but a t distribution of more dimensions has lighter tails.
    """
    kept = contigs.reads.any(axis=0)
    return contigs._replace(reads=contigs.reads[:, kept], excess=contigs.excess_of(np.s_[:, kept]))


def needed_posterior(contigs: Contigs, min_posterior: float) -> np.ndarray:
    """Return the posterior from which each contig (n) goes to a bin: with one sample, long ones need a higher one.

    Posteriors of long contigs are less often right then (docs/benchmark.md).
    """
    is_doubtful = (contigs.length >= SINGLE_SAMPLE_LENGTH) & (contigs.reads.shape[1] == 1)
    return np.where(is_doubtful, 1 - SINGLE_SAMPLE_DOUBT * (1 - min_posterior), min_posterior)


class Profiled(NamedTuple):
    """The B clusters that may become bins, and the evidence of the n contigs for each of them."""

    clusters: np.ndarray  # B, their numbers
    label: np.ndarray  # n, the place among them of the cluster that each contig came with, NO_BIN for none
    bins: Bins
    evidence: ContigEvidence
    typical_composition: np.ndarray  # Q x 136, of genomes without a bin, from typical_compositions


class ChosenBins(NamedTuple):
    """The bins among B clusters."""

    label: np.ndarray  # n, as in Profiled, NO_BIN where the cluster is no bin
    bins: Bins  # B clusters, with the links between bins only
    shut: np.ndarray  # B, whether no other contig may go there: no bin, or a closed one
    n_bins: int
    none: NoneEvidence


def profile_clusters(
    contigs: Contigs,
    label: np.ndarray,
    may_be_bin: np.ndarray,
    sequence_odds: np.ndarray | None = None,
    threads: int = 1,
) -> Profiled | None:
    """Return the profiles of those clusters (label, n) that may become bins (C) and the evidence for them, if any.

    Each of them needs a contig. sequence_odds (n x C): log odds for each cluster by what the contig has in common with
    other assemblies, if known.
    """
    clusters = np.flatnonzero(may_be_bin)
    if not len(clusters):
        return None
    label = np.append(np.where(may_be_bin, np.cumsum(may_be_bin) - 1, NO_BIN), NO_BIN)[label]
    bins = describe_bins(contigs, label, len(clusters))
    evidence = contig_evidence(contigs, bins, label, threads)
    if sequence_odds is not None:
        known = np.take_along_axis(sequence_odds[:, clusters], evidence.candidates, axis=1)
        evidence = evidence._replace(likelihood=evidence.likelihood + known)
    return Profiled(clusters, label, bins, evidence, typical_compositions(contigs.tetranucleotides))


def choose_bins(contigs: Contigs, profiled: Profiled, is_bin: np.ndarray, threads: int = 1) -> ChosenBins:
    """Return the bins among the clusters (is_bin, B): others get no contigs, and their links do not count."""
    label = np.append(np.where(is_bin, np.arange(len(is_bin)), NO_BIN), NO_BIN)[profiled.label]
    links, pairs = (count_bin_links(kind, label, len(is_bin)) for kind in (contigs.links, contigs.pairs))
    trust = {"link_trust": trust_of_links(links), "pair_trust": trust_of_links(pairs)}
    bins = profiled.bins._replace(links=links, **trust)
    none = none_evidence(contigs, bins, is_bin, profiled.typical_composition, threads)
    return ChosenBins(label, bins, ~is_bin | closed_bins(bins), int(is_bin.sum()), none)


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


def label_odds(candidates: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the log odds of candidates (n or 1 x K) in favour of the bin that each contig came with (label, n)."""
    return np.where(candidates == label[:, None], log(LABEL_ODDS), 0.0)


def prior_odds(candidates: np.ndarray, label: np.ndarray, shut: np.ndarray) -> np.ndarray:
    """Return the same; a bin that is shut (B) is impossible for all contigs but those that came with it."""
    impossible = shut[candidates] & (candidates != label[:, None])
    return np.where(impossible, -np.inf, label_odds(candidates, label))


def log_weights(
    evidence: ContigEvidence, unknown: NoneEvidence, odds: np.ndarray, support: np.ndarray, n_bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithms of likelihood times prior of the candidates of each contig (n x K), and of none (n).

    Equations (11) to (13). odds (n x K): from prior_odds. support (n x K): the trusted fraction of the neighbours in
    each bin; the rest is spread over all n_bins bins and none. None is a genome unlike the bins, or the sibling of a
    bin: this has the composition and the links of the bin, so that only the coverage can tell them apart.
    """
    free = 1 - support.sum(axis=1)
    with np.errstate(divide="ignore"):
        linked = log_sum(np.log(support) + evidence.composition)
    unlike = unknown.composition + np.log(free * NONE_PRIOR)
    sibling = np.logaddexp(unknown.composition + np.log(free * (1 - NONE_PRIOR)), linked)
    none = unknown.coverage + np.logaddexp(unlike, log(SIBLING_PRIOR) + sibling)
    prior = free[:, None] * (1 - NONE_PRIOR) / n_bins + support
    return evidence.likelihood + odds + np.log(prior), none


def posterior(
    evidence: ContigEvidence, unknown: NoneEvidence, odds: np.ndarray, support: np.ndarray, n_bins: int
) -> np.ndarray:
    """Return the probabilities of the candidates of each contig (n x K); the rest of 1 is that of none (equation 14).

    Arguments as of log_weights.
    """
    score, none = log_weights(evidence, unknown, odds, support, n_bins)
    return np.exp(score - np.logaddexp(log_sum(score), none)[:, None])


class Neighbours(NamedTuple):
    """The neighbours of the n contigs by one kind of links, and what these links are worth."""

    links: np.ndarray  # 2 x 2m, as in Contigs
    count: np.ndarray  # n, the neighbours of each contig
    trust: np.ndarray  # B, of the links of each bin


def neighbours(links: np.ndarray, n: int, trust: np.ndarray) -> Neighbours:
    """Return the neighbours of n contigs by links (2 x 2m) with this trust of each bin (B)."""
    return Neighbours(links, np.bincount(links[0], minlength=n), trust)


class Messages(NamedTuple):
    """What each of n contigs tells its neighbours."""

    sure_bin: np.ndarray  # n, the bin that it is sure of, NO_BIN for none
    posterior: np.ndarray  # n, of this bin


def best_bins(probability: np.ndarray, candidates: np.ndarray, min_posterior: np.ndarray) -> np.ndarray:
    """Return the most probable candidate of each contig (n), or NO_BIN below its min_posterior (n; equation 16)."""
    likeliest, greatest = likeliest_bins(probability, candidates)
    return np.where(greatest >= min_posterior, likeliest, NO_BIN)


def messages(linked: np.ndarray, candidates: np.ndarray) -> Messages:
    """Return what contigs tell their neighbours, given their posteriors of their candidates (n x K each).

    Only contigs with MIN_MESSAGE_POSTERIOR count: else those in doubt would support each other, and a genome without a
    bin would end up in one.
    """
    likeliest, greatest = likeliest_bins(linked, candidates)
    return Messages(np.where(greatest >= MIN_MESSAGE_POSTERIOR, likeliest, NO_BIN), greatest)


def found_support(rows: slice, candidates: np.ndarray, kind: Neighbours, told: Messages) -> np.ndarray:
    """Return the trusted fraction of the neighbours of these contigs in each candidate (rows x K), by one kind."""
    first, last = np.searchsorted(kind.links[0], [rows.start, rows.stop])
    source, target = kind.links[:, first:last][:, told.sure_bin[kind.links[1, first:last]] != NO_BIN]
    link, place = np.nonzero(candidates[source] == told.sure_bin[target, None])
    own = candidates[rows]
    cell = (source[link] - rows.start) * own.shape[1] + place
    trusted = told.posterior[target] * kind.trust[told.sure_bin[target]]
    found = np.bincount(cell, trusted[link], own.size).reshape(own.shape)
    return found / np.maximum(kind.count[rows, None], 1)


def bin_support(rows: slice, candidates: np.ndarray, kinds: Sequence[Neighbours], told: Messages) -> np.ndarray:
    """Return the trusted fraction of the neighbours of these contigs in each candidate (rows x K; equation 10).

    candidates: n x K. Several kinds of links are put together by Dempster's rule of combination: each leaves a part of
    the truth open, and contradictions do not count.
    """
    support = np.zeros(candidates[rows].shape)
    for kind in kinds:
        found = found_support(rows, candidates, kind, told)
        total, found_total = (values.sum(axis=1, keepdims=True) for values in (support, found))
        agreed = support * found
        conflict = total * found_total - agreed.sum(axis=1, keepdims=True)
        support = (agreed + support * (1 - found_total) + (1 - total) * found) / (1 - conflict)
    return support


def posterior_with_links(
    evidence: ContigEvidence, contigs: Contigs, chosen: ChosenBins, threads: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return the posteriors (n x K) without the links, and with them (equations 10 and 15).

    In each round, contigs support their bin at their neighbours, as far as the links of this bin are trusted.
    """
    candidates, (label, bins, shut, n_bins, none) = evidence.candidates, chosen
    both = (contigs.links, bins.link_trust), (contigs.pairs, bins.pair_trust)
    kinds = [neighbours(links, len(label), trust) for links, trust in both if links.size]

    def implied(rows: slice, support: np.ndarray) -> np.ndarray:
        odds = prior_odds(candidates[rows], label[rows], shut)
        return posterior(*evidence_of(rows, evidence, none), odds, support, n_bins)

    def begin(rows: slice) -> None:
        unlinked[rows] = implied(rows, np.zeros(candidates[rows].shape))

    def tell(rows: slice) -> None:
        for values, block in zip(told, messages(linked[rows], candidates[rows])):
            values[rows] = block

    def listen(rows: slice) -> None:
        linked[rows] *= 1 - MESSAGE_STEP
        linked[rows] += MESSAGE_STEP * implied(rows, bin_support(rows, candidates, kinds, told))

    unlinked = np.empty(candidates.shape)
    in_threads(begin, row_blocks(*candidates.shape), threads)
    linked = unlinked.copy()
    told = Messages(np.empty(len(label), np.int64), np.empty(len(label)))
    for _ in range(MESSAGE_ROUNDS if kinds else 0):
        for step in (tell, listen):
            in_threads(step, row_blocks(*candidates.shape), threads)
    return unlinked, linked


def find_collapsed_contigs(
    contigs: Contigs,
    chosen: ChosenBins,
    final: np.ndarray,
    evidence: ContigEvidence,
    min_posterior: np.ndarray,
    threads: int,
) -> dict[int, Holders]:
    """Return the holders of each contig that an assembler has collapsed from those of related bins (equation 39).

    final, min_posterior (n): the bin that a contig is in, and the posterior that it needs. Contigs in bins without
    relatives are not collapsed.
    """
    label, bins, shut, n_bins, unknown = chosen
    groups = related_groups(contigs, final, len(shut))
    groups = [group for group in groups if not shut[list(group)].any()]
    if not groups:
        return {}
    rows = np.flatnonzero(np.isin(final, [NO_BIN, *set().union(*groups)]))
    of_rows, unknown = evidence_of(rows, evidence, unknown)
    odds = prior_odds(of_rows.candidates, label[rows], shut)
    score, none = log_weights(of_rows, unknown, odds, np.zeros_like(odds), n_bins)
    some = contigs.take(rows)
    group, greatest, several = likeliest_groups(some, bins, groups, log((1 - NONE_PRIOR) / n_bins), threads)
    total = np.logaddexp(several, np.logaddexp(log_sum(score), none))
    found = np.flatnonzero(greatest - total >= np.log(min_posterior[rows]))
    size = bin_sizes(contigs.length, final, len(shut))
    found = found[enough_in_common(some.length[found], group[found], groups, size)]
    chosen, no_bin = np.exp(greatest - total), np.exp(none - total)
    return {int(rows[i]): Holders(list(groups[group[i]]), float(chosen[i]), float(no_bin[i])) for i in found}


def assign_to_bins(
    contigs: Contigs,
    profiled: Profiled | None,
    is_bin: np.ndarray,
    min_posterior: np.ndarray,
    collapsed: bool = False,
    threads: int = 1,
) -> tuple[pd.DataFrame, dict[int, list[int]]]:
    """Assign contigs to those of the clusters that are bins (is_bin, C; all of them with a profile).

    min_posterior (n): from needed_posterior. collapsed: whether contigs of related bins are looked for without links.
    Return, per contig, `unlinked` and `final` (clusters; NO_BIN for none), `posterior` of the likeliest bin, or of all
    bins of a shared contig together, and `none`; and all bins of each shared contig, whose `final` is the one that it
    touches most.
    """
    if profiled is None or not is_bin.any():
        return pd.DataFrame(IN_NO_BIN, index=np.arange(len(contigs.length))), {}
    evidence, chosen = profiled.evidence, choose_bins(contigs, profiled, is_bin[profiled.clusters], threads)
    without_links, probability = posterior_with_links(evidence, contigs, chosen, threads)
    unlinked = best_bins(without_links, evidence.candidates, min_posterior)
    final = best_bins(probability, evidence.candidates, min_posterior)
    greatest, none = probability.max(axis=1), np.maximum(1 - probability.sum(axis=1), 0)
    no_bin = chosen.none.coverage + log(NONE_PRIOR)
    shared = find_shared_contigs(contigs, chosen.bins, final, no_bin, min_posterior)
    if collapsed:
        shared |= find_collapsed_contigs(contigs, chosen, final, evidence, min_posterior, threads)
    for contig, found in shared.items():
        final[contig] = found.bins[0] if final[contig] not in found.bins else final[contig]
        greatest[contig], none[contig] = found.posterior, found.none
    number = np.append(profiled.clusters, NO_BIN)
    table = {"unlinked": number[unlinked], "final": number[final], "posterior": greatest, "none": none}
    return pd.DataFrame(table), {contig: number[found.bins].tolist() for contig, found in shared.items()}
