#!/usr/bin/env python3
"""Corrects and completes the bins of one assembly by coverage, composition and assembly graph.

In: contigs.tsv, clusters.tsv, coverage.tsv.gz, tetranucleotides.npy and features.json of the group, homologs.tsv.gz
(without it no cluster is taken apart) and, if there is a graph, vertices.tsv.gz and edges.tsv.gz of the assembly (graph
stage). Out: contig2bin.tsv (contig, bin), refinement.tsv, refinement.json. Binloom's own method; equations in
docs/method.md, section 6.1.

Every bin has a profile: its coverage in each sample, how much its contigs scatter about it, and its
tetranucleotides. Every contig, of any length, is weighed against all bins and against belonging to none of
them, by Bayes' rule: its reads under the bin's coverage with counting noise, its composition, the bins of
its neighbours in the graph, the bin it came with. It goes where the posterior is --min_posterior or more; with one
sample half of that doubt is allowed.

A bin is a cluster with --min_bin_size bp in this assembly, after clusters that hold two related genomes were taken
apart and pieces of one genome joined; or with a quarter as many, if the contigs that go to it make it three times as
large, and it is not a piece of another bin or between several: such a genome is mostly in contigs too short to be
clustered. Contigs are taken from the longest to the shortest, then by name, and bins by (length of the id, id): no
result depends on input order.

Words of refinement.tsv `reason`, joined by commas:
  kept     the bin it came with      merged     ... which was joined to another bin as a whole
  split    a part of the bin it came with, which held two related genomes
  moved    another bin               added      had no bin and got one
  removed  had a bin and got none    left       had no bin and got none; both with one of
  unlike     fits none of the bins   ambiguous  fits several, none well enough
"""

import csv
import hashlib
import itertools
import json
from collections import defaultdict
from math import lgamma, log
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NO_BIN = -1

# The constants of the model. None of them is critical: docs/benchmark.md shows what doubling or halving each does.
PROFILE_LENGTH = 1000  # bp; shorter contigs say too little about their bin's coverage
MEMBERS = 1000  # the longest contigs of a bin tell its scatter
SCATTERS = np.array([0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8])  # of coverage within a bin, relative
USUAL_SCATTER = 0.15  # expected before the data, within a factor of e^0.5 either way
ROOT_VARIANCE = 0.3  # of the root of a count: 1/4 for a Poisson count, and some for small ones
FREEDOM = 4  # degrees of freedom of the t distributions: repeats and collapsed copies are outliers
JUDGED_LENGTH = 20_000.0  # bp: as a contig of this length a whole bin is judged
WHOLE_FREEDOM = 50  # ... but the coverage of a whole bin is a median, and no outlier
UNKNOWN_SCATTER = 0.6  # of the coverages of genomes without a bin about those of the bins
END_EFFECT = 100  # bp by which reads lost at a contig's ends may lower its coverage in all samples
WINDOW_WEIGHT = 0.2  # 4-mers overlap, and neighbouring ones repeat each other
FULL_WINDOWS = 300  # beyond them a contig's composition hardly gains weight: genomes are patchy
LABEL_ODDS = 50  # in favour of the bin a contig came with
NONE_PRIOR = 0.3  # of a contig that belongs to no bin
SIBLING_PRIOR = 0.1  # of a relative of a bin, without one of its own: composition and links as the bin's
LINK_TRUST = 0.9  # at most, that a neighbour's bin is the contig's own
MERGE_ODDS = 100
SEED_DISTANCE = 64  # bp; between the seeds of a contig, on average (homologs stage)
RELATED = 0.02  # of a cluster's seeds are shared within it from here on: it may hold two related genomes
HOMOLOG_ODDS = 20  # that two homologous contigs are of two genomes
TOLD_APART = 0.8  # of shared seeds are between contigs that coverage and composition, too, have on their two sides
LEAST_PAIRS = 5  # of homologous contigs, to tell that
PIECE = 10  # a cluster of less than such a part of the least bin says too little of the genome that it is of
SMALL = 4  # from such a part of the least bin on, a cluster may grow to be one ...
GROWTH = 3  # ... if it becomes so many times as large
ELSEWHERE = 0.5  # ... and less than such a part of it would else go to one other bin, whose piece it were
BETWEEN = 2  # ... and it has no more links than so many times its inner ones to bins beyond the one it is nearest to
JOIN_WEIGHT = 0.4  # of coverage against composition where pieces are joined, as fitted (docs/method.md, 6.1)
JOIN_COVERAGE = 15  # at most, for the coverage: beyond it many samples would drown the composition
NEARER = 5  # standard errors by which the composition of a shared bin must fit one genome better than the other
NEARER_CONTIGS = 10  # at least, to tell
SHARED_PRIOR = 0.1  # of each further bin that a contig belongs to
SHARERS = 4  # bins whose sets are tried for a contig that touches several
CANDIDATES = 32  # bins that are weighed exactly for each contig
ROUNDS = 10  # of messages along the links
SURE = 0.9  # posterior from which a contig sends any, whatever a bin asks for
BLOCK = 1 << 21  # numbers in a temporary array


class Contigs(NamedTuple):
    """The n contigs of the assembly, from the longest to the shortest."""

    length: np.ndarray  # n, bp
    reads: np.ndarray  # n x s: coverage * length / bases per read
    windows: np.ndarray  # n x 136, counts of tetranucleotides
    links: np.ndarray  # 2 x 2m: contigs and their neighbours, sorted; each link from both of its ends
    homologs: np.ndarray = np.empty((3, 0), dtype=np.int64)  # 3 x 2h: contigs, contigs homologous to them, shared seeds


class Bins(NamedTuple):
    """What is known of B bins."""

    density: np.ndarray  # B x s, reads per bp
    scatter: np.ndarray  # B x s, relative standard deviation of the coverage, beyond counting noise
    log_composition: np.ndarray  # B x 136
    links: np.ndarray  # B x B, as bin_links counts them
    trust: np.ndarray  # B: that a neighbour of a contig of the bin is of the bin, too


class Evidence(NamedTuple):
    """What speaks for the bins of each contig, K candidates each, as log likelihoods."""

    candidate: np.ndarray  # n x K, bins
    likelihood: np.ndarray  # n x K, of coverage and composition
    composition: np.ndarray  # n x K, the part of the composition
    unknown: np.ndarray  # n, of the coverage under a genome without a bin
    unknown_composition: np.ndarray  # n


def weighted_median(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Medians of the columns of values (m x s) under weight (m > 0)."""
    order = np.argsort(values, axis=0, kind="stable")
    total = np.cumsum(weight[order], axis=0)
    middle = (total < total[-1] / 2).sum(axis=0)
    return np.take_along_axis(values, np.take_along_axis(order, middle[None], axis=0), axis=0)[0]


def root_gap(reads: np.ndarray, expected: np.ndarray, scatter: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Difference of the roots of read counts, and its variance: counting noise and the bin's own scatter."""
    return np.sqrt(reads + 0.25) - np.sqrt(expected + 0.25), ROOT_VARIANCE + scatter**2 * expected / 4


def log_t(gap: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Log density of t-distributed gaps of this variance (or scale), less -log(pi) / 2, which all evidence lacks."""
    constant = lgamma((FREEDOM + 1) / 2) - lgamma(FREEDOM / 2) - 0.5 * log(FREEDOM)
    return constant - 0.5 * np.log(variance) - (FREEDOM + 1) / 2 * np.log1p(gap**2 / variance / FREEDOM)


def scatter_of(reads: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Relative scatter per sample (s) of contigs (m x s) about their expected reads: the most probable of
    SCATTERS, under t-distributed residuals and a log-normal prior about USUAL_SCATTER."""
    fit = log_t(*root_gap(reads[..., None], expected[..., None], SCATTERS))
    prior = -0.5 * (np.log(SCATTERS / USUAL_SCATTER) / 0.5) ** 2
    return SCATTERS[(fit.sum(axis=0) + prior).argmax(axis=-1)]


def coverage_evidence(
    reads: np.ndarray, length: np.ndarray, expected: np.ndarray, scatter: np.ndarray, freedom: int = FREEDOM
) -> np.ndarray:
    """Log density (c x K) of reads (c x s) of contigs of length (c) under K bins each (expected: c x K x s).

    A multivariate t of the root counts, whose variance is counting noise, the bin's scatter, and an amplitude
    that all samples share (copy number, GC, reads lost at the ends): a rank-one term, by Sherman-Morrison.
    """
    gap, variance = root_gap(reads[:, None], expected, scatter)
    slope = np.sqrt(expected) / 2
    amplitude = (0.05**2 + (END_EFFECT / length) ** 2)[:, None]
    spread = 1 + amplitude * (slope**2 / variance).sum(axis=-1)
    distance = (gap**2 / variance).sum(axis=-1) - amplitude * (gap * slope / variance).sum(axis=-1) ** 2 / spread
    volume = np.log(variance).sum(axis=-1) + np.log(spread)
    s = reads.shape[1]
    constant = lgamma((freedom + s) / 2) - lgamma(freedom / 2) - s / 2 * log(freedom)
    return constant - 0.5 * volume - (freedom + s) / 2 * np.log1p(distance / freedom)


def unknown_evidence(reads: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Log density (c) of reads (c x s) under a genome without a bin: in each sample, independently of the
    others, its coverage is about that of one of Q typical bins (expected: c x Q x s)."""
    fit = log_t(*root_gap(reads[:, None], expected, UNKNOWN_SCATTER))
    return np.logaddexp.reduce(fit - log(expected.shape[1]), axis=1).sum(axis=1)


def composition_evidence(windows: np.ndarray, log_composition: np.ndarray) -> np.ndarray:
    """Log likelihood (c x B) of tetranucleotide counts (c x 136) under the bins' frequencies: multinomial,
    with a weight that saturates with the number of 4-mers."""
    total = windows.sum(axis=1, keepdims=True)
    return windows @ log_composition.T * (WINDOW_WEIGHT * FULL_WINDOWS / (total + FULL_WINDOWS))


def bin_links(links: np.ndarray, label: np.ndarray, n_bins: int) -> np.ndarray:
    """How many links lead from each bin to each other (B x B, symmetric; the diagonal counts inner links twice)."""
    here, there = label[links]
    inside = (here != NO_BIN) & (there != NO_BIN)
    return np.bincount(here[inside] * n_bins + there[inside], minlength=n_bins**2).reshape(n_bins, n_bins)


def bin_sizes(length: np.ndarray, label: np.ndarray, n_bins: int) -> np.ndarray:
    """Bases (B) of the contigs of each bin."""
    return np.bincount(label + 1, length, n_bins + 1)[1:]


def members_of(label: np.ndarray, n_bins: int) -> list[np.ndarray]:
    """The contigs of each bin, from the longest to the shortest."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.searchsorted(label[order], np.arange(n_bins + 1)))[1:-1]


def coverage_profile(contigs: Contigs, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Density and scatter (s each) of a bin with these contigs, from the longest to the shortest."""
    long = members[contigs.length[members] >= PROFILE_LENGTH]
    members = long if len(long) else members
    length = contigs.length[members]
    density = weighted_median(contigs.reads[members] / length[:, None], length)
    longest = members[:MEMBERS]
    return density, scatter_of(contigs.reads[longest], density * contigs.length[longest, None])


def log_frequencies(counts: np.ndarray, all_counts: np.ndarray) -> np.ndarray:
    """Logarithms of the frequencies of tetranucleotides (... x 136). Fifty 4-mers of the mean composition (of all
    counts, 136) keep the rare 4-mers of a small bin from being impossible."""
    mean = all_counts / max(all_counts.sum(), 1) + 1e-9
    counts = counts + 50 * mean / mean.sum()
    return np.log(counts / counts.sum(axis=-1, keepdims=True))


def describe_bins(contigs: Contigs, label: np.ndarray, n_bins: int) -> Bins:
    """The profiles of the bins, each of which has a contig, from their labelled contigs."""
    members = members_of(label, n_bins)
    profiles = np.array([coverage_profile(contigs, rows) for rows in members])
    composition = np.array([contigs.windows[rows].sum(axis=0) for rows in members], dtype=np.float64)
    links = bin_links(contigs.links, label, n_bins)
    inner, outer = np.diag(links) / 2, links.sum(axis=1) - np.diag(links)
    trust = LINK_TRUST * (inner + 1) / (inner + outer + 2)
    frequencies = log_frequencies(composition, composition.sum(axis=0))
    return Bins(profiles[:, 0], profiles[:, 1], frequencies, links, trust)


def summed(bins: Bins, groups: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Density and scatter (G x s each) of what all bins of a group have: densities add up, and variances."""
    deviation = (bins.scatter * bins.density) ** 2
    density = np.array([bins.density[list(group)].sum(axis=0) for group in groups])
    spread = np.sqrt([deviation[list(group)].sum(axis=0) for group in groups])
    return density, spread / np.maximum(density, 1e-12)


def whole_bin_evidence(bins: Bins, b: int, windows: np.ndarray, groups: list[tuple[int, ...]]) -> np.ndarray:
    """Log odds that bin b, judged as a contig of JUDGED_LENGTH with these tetranucleotide counts (136), has the summed
    coverage of each group of other bins, against a genome without a bin. Its composition may speak against a
    group but not for it: relatives have the same."""
    length = np.array([JUDGED_LENGTH])
    reads = bins.density[[b]] * length
    others = np.arange(len(bins.density)) != b
    density, scatter = summed(bins, groups)
    fit = coverage_evidence(reads, length, density[None] * length, scatter[None], WHOLE_FREEDOM)[0]
    fit -= unknown_evidence(reads, bins.density[None, others] * length)
    like = composition_evidence(windows[None], bins.log_composition)[0]
    usual = np.logaddexp.reduce(like[others]) - log(others.sum())
    own = [np.logaddexp.reduce(like[list(group)]) - log(len(group)) for group in groups]
    return fit + np.minimum(own - usual, 0)


def shared_with(homologs: np.ndarray, side: np.ndarray) -> np.ndarray:
    """How many seeds each contig shares with the contigs on either side (n x 2); side (n) is 0, 1 or NO_BIN."""
    here, there, shared = homologs
    known = side[there] != NO_BIN
    return np.bincount(here[known] * 2 + side[there[known]], shared[known], 2 * len(side)).reshape(-1, 2)


def alternate(homologs: np.ndarray, n: int) -> np.ndarray:
    """Sides (n; 0, 1, NO_BIN) of the contigs that are homologous to the one with most homologs, or to one of these, and
    so on: so that contigs and their homologs are on different sides, as far as that goes."""
    here, there, shared = homologs
    total = np.bincount(here, shared, n)
    value = np.zeros(n)
    value[total.argmax()] = 1
    for _ in range(200):
        value = value - np.bincount(here, shared * value[there], n) / np.maximum(total, 1)
        value /= np.abs(value).max()
    return np.where(np.abs(value) < 1e-9, NO_BIN, value < 0)


def take_apart(contigs: Contigs) -> np.ndarray | None:
    """Sides (n, 0 or 1) of the contigs of a cluster that holds two related genomes; None if it does not seem to.

    Contigs are put on the side that coverage and composition suit better and that fewer of their homologs are on. Two
    genomes it is if hardly a homolog is left on a contig's own side, and if coverage and composition alone would
    tell most of the homologs apart: repeats and the variants of one strain they would not.
    """
    n, (here, there, shared) = len(contigs.length), contigs.homologs
    if shared.sum() * SEED_DISTANCE <= RELATED * contigs.length.sum():
        return None
    side = alternate(contigs.homologs, n)
    for _ in range(20):
        if min(np.bincount(side[side != NO_BIN], minlength=2)) == 0:
            return None
        bins = describe_bins(contigs, side, 2)
        expected = bins.density[None] * contigs.length[:, None, None]
        fit = coverage_evidence(contigs.reads, contigs.length, expected, bins.scatter[None])
        fit += composition_evidence(contigs.windows.astype(np.float64), bins.log_composition)
        alike = shared_with(contigs.homologs, side)
        against = log(HOMOLOG_ODDS) * alike / np.maximum(alike.sum(axis=1, keepdims=True), 1)
        before, side = side, (fit - against).argmax(axis=1)
        if (side == before).all():
            break
    apart = side[here] != side[there]
    right = fit.argmax(axis=1) == side
    told = apart & right[here] & right[there]
    two = apart.sum() >= 2 * LEAST_PAIRS and shared[told].sum() >= TOLD_APART * shared[apart].sum()
    return side if two and 2 * shared[~apart].sum() <= shared[apart].sum() else None


def split_clusters(contigs: Contigs, label: np.ndarray, n_bins: int, min_size: int) -> np.ndarray:
    """The part of a cluster that each contig is of (n, NO_BIN for none): a cluster of two related genomes is taken
    apart, and so are its parts. The larger part keeps the cluster's number, others get numbers from n_bins on; all have
    min_size bp or more."""
    of = np.where(label[contigs.homologs[0]] == label[contigs.homologs[1]], label[contigs.homologs[0]], NO_BIN)
    order = np.argsort(of, kind="stable")
    pairs = np.split(contigs.homologs[:, order], np.searchsorted(of[order], np.arange(n_bins + 1)), axis=1)[1:-1]
    label, todo = label.copy(), list(zip(range(n_bins), members_of(label, n_bins), pairs))
    while todo:
        b, rows, within = todo.pop()
        homologs = np.concatenate([np.searchsorted(rows, within[:2]), within[2:]])
        own = [values[rows] for values in (contigs.length, contigs.reads, contigs.windows)]
        side = take_apart(Contigs(*own, links=np.empty((2, 0), dtype=np.int64), homologs=homologs))
        if side is None or (size := np.bincount(side, contigs.length[rows], minlength=2)).min() < min_size:
            continue
        for number, which in ((b, size.argmax()), (n_bins, 1 - size.argmax())):
            label[rows[side == which]] = number
            todo.append((number, rows[side == which], within[:, (side[homologs[:2]] == which).all(axis=0)]))
        n_bins += 1
    return label


class Pieces:
    """Clusters that may be pieces of the same genomes, as `join_pieces` joins them."""

    def __init__(self, contigs: Contigs, label: np.ndarray, n: int) -> None:
        self.contigs = contigs
        self.members = members_of(label, n)
        self.size = np.array([contigs.length[rows].sum() for rows in self.members])
        self.part_of = np.arange(n)
        self.density, self.scatter = np.zeros((2, n, contigs.reads.shape[1]))
        self.windows = np.zeros((n, contigs.windows.shape[1]))
        self.log_composition = np.zeros_like(self.windows)
        self.all_windows = contigs.windows[label != NO_BIN].sum(axis=0, dtype=np.float64)
        self.likelihood, self.unknown = np.zeros((2, n))
        for b in range(n):
            self.describe(b)
        self.typical = self.density * JUDGED_LENGTH
        for b in range(n):
            self.judge(b)

    def describe(self, b: int) -> None:
        """Bring the profile of piece b up to date with its members."""
        self.density[b], self.scatter[b] = coverage_profile(self.contigs, self.members[b])
        self.windows[b] = self.contigs.windows[self.members[b]].sum(axis=0)
        self.log_composition[b] = log_frequencies(self.windows[b], self.all_windows)

    def judge(self, b: int) -> None:
        """What piece b is compared with: its composition under its own, its coverage under a genome without a bin."""
        self.likelihood[b] = composition_evidence(self.windows[[b]], self.log_composition[[b]])[0, 0]
        others = self.typical[self.part_of != b]
        if len(others):
            self.unknown[b] = unknown_evidence(self.density[[b]] * JUDGED_LENGTH, others[None])[0]

    def join(self, b: int, other: int) -> None:
        """Make piece b part of another."""
        self.members[other] = np.sort(np.concatenate([self.members[other], self.members[b]]))
        self.size[other] += self.size[b]
        self.part_of[self.part_of == b] = other
        self.describe(other)
        self.judge(other)

    def exists(self) -> np.ndarray:
        """Which pieces are not part of another."""
        return self.part_of == np.arange(len(self.part_of))

    def larger(self, b: int) -> np.ndarray:
        """Which pieces b may become a part of; of two of a size, the first is the larger."""
        first = np.arange(len(self.size)) < b
        return self.exists() & ((self.size > self.size[b]) | ((self.size == self.size[b]) & first))

    def odds(self, small: np.ndarray, large: np.ndarray) -> np.ndarray:
        """Evidence (c x K) that each of c pieces, judged as a contig of JUDGED_LENGTH, is of the genome of each of K
        larger ones: coverage against a genome without a bin, and what its composition loses against its own."""
        reads, length = self.density[small] * JUDGED_LENGTH, np.full(len(small), JUDGED_LENGTH)
        expected = self.density[large][None] * JUDGED_LENGTH
        fit = coverage_evidence(reads, length, expected, self.scatter[large], WHOLE_FREEDOM)
        fit -= self.unknown[small][:, None]
        loss = composition_evidence(self.windows[small], self.log_composition[large]) - self.likelihood[small][:, None]
        return JOIN_WEIGHT * np.minimum(fit, JOIN_COVERAGE) + loss


def join_pieces(contigs: Contigs, label: np.ndarray, n_bins: int) -> np.ndarray:
    """For each cluster the one that it is part of, mostly the largest of a genome: pieces are joined, the two that
    suit each other best first, as long as coverage and composition together speak for one genome.

    Clusters are cut tighter in the latent space than genomes are wide there, so that they are pure.
    """
    pieces = Pieces(contigs, label, n_bins)
    best, odds = np.full(n_bins, NO_BIN), np.full(n_bins, -np.inf)

    def choose(b: int) -> None:
        large = np.flatnonzero(pieces.larger(b))
        best[b], odds[b] = NO_BIN, -np.inf
        if len(large):
            fit = pieces.odds(np.array([b]), large)[0]
            best[b], odds[b] = large[fit.argmax()], fit.max()

    for b in range(n_bins):
        choose(b)
    while odds.max(initial=0) > 0:
        b = int(odds.argmax())
        other = int(best[b])
        pieces.join(b, other)
        odds[b] = -np.inf
        exists = pieces.exists()
        stale = exists & ((best == b) | (best == other) | (np.arange(n_bins) == other))
        for x in np.flatnonzero(stale):
            choose(x)
        small = np.flatnonzero(exists & ~stale & ~pieces.larger(other))
        if len(small):
            fit = pieces.odds(small, np.array([other]))[:, 0]
            closer = fit > odds[small]
            best[small[closer]], odds[small[closer]] = other, fit[closer]
    return pieces.part_of


def nearer(windows: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """By how many standard errors, over contigs (c x 136 counts), the log likelihood of 4-mers is greater under one
    bin's log frequencies (136) than under another's; 0 of fewer than NEARER_CONTIGS."""
    gain, total = windows @ (one - other), windows.sum(axis=1)
    spread = np.sqrt(np.square(gain - total * gain.sum() / max(total.sum(), 1)).sum())
    return gain.sum() / spread if spread > 0 and (total > 0).sum() >= NEARER_CONTIGS else 0.0


def merge_bins(contigs: Contigs, label: np.ndarray, n_bins: int) -> np.ndarray:
    """For each bin the bin that it is part of: mostly itself.

    A bin with the profile of a larger one is a piece of it. A bin whose profile is the sum of two others' (and
    not that of either alone) holds what their genomes share, covered by the reads of both; it goes to the one
    whose sequence it is by its composition, and stays a bin of its own if that does not tell. Most of its links
    to other bins must lead to them.
    """
    bins = describe_bins(contigs, label, n_bins)
    links = bins.links.copy()
    np.fill_diagonal(links, 0)
    size = bin_sizes(contigs.length, label, n_bins)
    part_of = np.arange(n_bins)
    for b in np.argsort(size, kind="stable"):
        near = [x for x in np.argsort(-links[b], kind="stable")[:8] if links[b, x] > 1 and part_of[x] == x]
        if not near:
            continue
        own = contigs.windows[label == b]
        windows = own.sum(axis=0)
        groups = [(x,) for x in near]
        for x, y in itertools.combinations(near, 2):  # the nearer one first, if that can be told
            by = nearer(own, *bins.log_composition[[x, y]])
            groups += [(x, y) if by > 0 else (y, x)] if abs(by) >= NEARER else []
        fit = dict(zip(groups, whole_bin_evidence(bins, b, windows, groups)))
        fits = {
            group: value
            for group, value in fit.items()
            if 2 * links[b, list(group)].sum() > links[b].sum()
            and value > log(MERGE_ODDS) + max([0, *(fit[(x,)] for x in group if len(group) > 1)])
            and (len(group) > 1 or size[group[0]] >= size[b])
        }
        if fits:
            part_of[b] = max(fits, key=fits.get)[0]
    while (part_of[part_of] != part_of).any():
        part_of = part_of[part_of]
    return part_of


def may_be_shared(bins: Bins) -> np.ndarray:
    """Bins (B) that may hold what several genomes share, whose reads all cover it: such a bin is covered at least as
    deeply, in every sample, as another to which it has a fifth or more of that one's outward links. A contig that has
    its coverage may be of any of these genomes."""
    links = bins.links
    outward = links.sum(axis=1) - np.diag(links)
    total = bins.density.sum(axis=1)
    shared = np.zeros(len(links), dtype=bool)
    for b in range(len(links)):
        near = np.flatnonzero((links[b] > 1) & (5 * links[b] >= outward) & (total[b] > 1.2 * total))
        floor = bins.density[near] - 0.01 * bins.density[near].max(axis=1, keepdims=True, initial=0)
        shared[b] = (1.1 * bins.density[b] >= floor).all(axis=1).any()
    return shared


def likely_bins(contigs: Contigs, rows: slice, bins: Bins, composition: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The CANDIDATES (or all) bins that suit each of these contigs best (c x K, ascending).

    The bin a contig came with and those of its neighbours come first; then those with the best normal
    approximation of the evidence, which is two matrix products for contigs of about the same length.
    """
    n_bins = len(bins.density)
    length = contigs.length[rows]
    if n_bins <= CANDIDATES:
        return np.broadcast_to(np.arange(n_bins), (len(length), n_bins))
    middle = np.median(length)
    root = np.sqrt(contigs.reads[rows] / length[:, None] * middle + 0.25)
    center = np.sqrt(bins.density * middle + 0.25)
    variance = ROOT_VARIANCE + bins.scatter**2 * bins.density * middle / 4
    score = root @ (center / variance).T - root**2 @ (0.5 / variance).T + composition
    score -= 0.5 * (center**2 / variance + np.log(variance)).sum(axis=1)
    first, last = np.searchsorted(contigs.links[0], [rows.start, rows.stop])
    here, there = contigs.links[:, first:last]
    row, b = here - rows.start, label[there]
    score[row[b != NO_BIN], b[b != NO_BIN]] += np.ptp(score) + 1  # above all others, and in order among themselves
    own = np.flatnonzero(label[rows] != NO_BIN)
    score[own, label[rows][own]] = np.inf
    return np.sort(np.argpartition(-score, CANDIDATES, axis=1)[:, :CANDIDATES], axis=1)


def gather(contigs: Contigs, bins: Bins, label: np.ndarray) -> Evidence:
    """Weighs each contig's coverage and composition under its candidate bins and under none, in blocks."""
    n, s = contigs.reads.shape
    n_bins = len(bins.density)
    typical = bins.density
    if n_bins > CANDIDATES:
        typical = np.quantile(bins.density, np.linspace(0, 1, CANDIDATES), axis=0)
    pooled = np.log(np.exp(bins.log_composition).mean(axis=0, keepdims=True))
    step = max(1, BLOCK // max(len(typical) * s, n_bins, contigs.windows.shape[1]))
    parts = []
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        length, reads = contigs.length[rows], contigs.reads[rows]
        windows = contigs.windows[rows].astype(np.float64)
        composition = composition_evidence(windows, bins.log_composition)
        candidate = likely_bins(contigs, rows, bins, composition, label)
        # The mean composition fits a genome unlike all bins better than any of these: so it can speak against all
        mean = np.logaddexp.reduce(composition, axis=1) - log(n_bins)
        other = np.maximum(mean, composition_evidence(windows, pooled)[:, 0])
        composition = np.take_along_axis(composition, candidate, axis=1)
        expected = bins.density[candidate] * length[:, None, None]
        fit = coverage_evidence(reads, length, expected, bins.scatter[candidate])
        unknown = unknown_evidence(reads, typical * length[:, None, None])
        parts.append(Evidence(candidate.astype(np.int32), fit + composition, composition, unknown, other))
    return Evidence(*map(np.concatenate, zip(*parts)))


def meeting_places(links: np.ndarray, candidate: np.ndarray) -> np.ndarray:
    """For each link (2m) and candidate (K) of the contig here, the place of the same bin among all candidates
    (n x K, flattened) that is its neighbour's; n * K where the neighbour does not have it."""
    n, k = candidate.shape
    place = np.full((links.shape[1], k), n * k, dtype=np.int32 if n * k < 2**31 - 1 else np.int64)
    step = max(1, BLOCK // k**2)
    for start in range(0, len(place), step):
        here, there = links[:, start : start + step]
        same = candidate[here][:, :, None] == candidate[there][:, None, :]
        found = there[:, None] * k + same.argmax(axis=2)
        np.copyto(place[start : start + step], found, where=same.any(axis=2), casting="same_kind")
    return place


def posterior(evidence: Evidence, came_with: np.ndarray, arrived: np.ndarray, n_bins: int) -> np.ndarray:
    """Probabilities of each contig's candidates (n x K), by Bayes' rule; what is missing to 1 is that of none.

    `came_with`: n x K, log odds for its own label. `arrived`: n x K, trusted shares of its neighbours; what
    they leave is spread over all bins and none. None is a genome unlike the bins, or a bin's sibling: its
    composition and its links are those of a bin, and only the coverage can tell.
    """
    free = 1 - arrived.sum(axis=1)
    with np.errstate(divide="ignore"):
        linked = np.logaddexp.reduce(np.log(arrived) + evidence.composition, axis=1)
    other = evidence.unknown_composition + np.log(free * NONE_PRIOR)
    sibling = np.logaddexp(evidence.unknown_composition + np.log(free * (1 - NONE_PRIOR)), linked)
    none = evidence.unknown + np.logaddexp(other, log(SIBLING_PRIOR) + sibling)
    prior = free[:, None] * (1 - NONE_PRIOR) / n_bins + arrived
    score = evidence.likelihood + came_with + np.log(prior)
    return np.exp(score - np.logaddexp(np.logaddexp.reduce(score, axis=1), none)[:, None])


def weigh(evidence: Evidence, contigs: Contigs, label: np.ndarray, trust: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors (n x K) without the links, and with them: each round, every contig that is SURE tells its
    neighbours, as far as links of that bin are to be trusted, and each moves half-way to what they and its own
    evidence say. Contigs in doubt are silent: a genome without a bin would talk itself into one."""
    n, k = evidence.candidate.shape
    came_with = np.where(evidence.candidate == label[:, None], log(LABEL_ODDS), 0.0)
    alone = posterior(evidence, came_with, np.zeros((n, k)), len(trust))
    here, there = contigs.links
    if not len(here):
        return alone, alone
    place = meeting_places(contigs.links, evidence.candidate)
    receivers, first, degree = np.unique(here, return_index=True, return_counts=True)
    belief, arrived = alone, np.zeros((n, k))
    for _ in range(ROUNDS):
        told = np.append(np.where(belief >= SURE, belief * trust[evidence.candidate], 0), 0)
        arrived[receivers] = np.add.reduceat(told[place], first, axis=0) / degree[:, None]
        belief = (belief + posterior(evidence, came_with, arrived, len(trust))) / 2
    return alone, belief


def neighbouring_bins(contigs: Contigs, final: np.ndarray, n_bins: int) -> dict[int, list[int]]:
    """For contigs that touch several bins, directly or past one contig without a bin (their own bin counts),
    these: at most SHARERS, the most often touched.

    Bins that have more links to each other than within are siblings: what lies between them are the places
    where they differ, not a sequence that both of them have. Of two siblings only the first is listed.
    """
    links = bin_links(contigs.links, final, n_bins)
    inner = np.diag(links)
    own = np.stack([np.arange(len(final)), final])
    near = np.unique(np.stack([contigs.links[0], final[contigs.links[1]]]), axis=1)
    near = near[:, near[1] != NO_BIN]
    # Past a contig without a bin: its neighbours, each with the bins that stand beside it
    here, there = contigs.links[:, final[contigs.links[1]] == NO_BIN]
    first, last = np.searchsorted(near[0], [there, there + 1])
    reached = np.concatenate([np.arange(a, b) for a, b in zip(first, last)] or [[]]).astype(np.int64)
    past = np.stack([np.repeat(here, last - first), near[1, reached]])
    touched = np.concatenate([own[:, final != NO_BIN], near, past], axis=1)
    pairs, times = np.unique(touched, axis=1, return_counts=True)
    found: dict[int, list[int]] = {}
    for contig, b in pairs[:, np.lexsort((pairs[1], -times, pairs[0]))].T.tolist():
        listed = found.setdefault(contig, [])
        if len(listed) < SHARERS and all(2 * links[b, x] < min(inner[b], inner[x]) for x in listed):
            listed.append(b)
    return {contig: listed for contig, listed in found.items() if len(listed) > 1}


def shared_contigs(
    contigs: Contigs, bins: Bins, final: np.ndarray, unknown: np.ndarray, min_posterior: float
) -> dict[int, list[int]]:
    """Contigs that belong to several bins, and these: their coverage is the sum of the coverages of bins that
    they touch, as GraphBin2's step 4 has it, here with counting noise, and against each of them alone and none, with
    a posterior of min_posterior or more."""
    sets = [
        (contig, group)
        for contig, listed in neighbouring_bins(contigs, final, len(bins.density)).items()
        for size in range(1, len(listed) + 1)
        for group in itertools.combinations(listed, size)
    ]
    if not sets:
        return {}
    rows = np.array([contig for contig, _ in sets])
    density, scatter = summed(bins, [group for _, group in sets])
    length, reads = contigs.length[rows], contigs.reads[rows]
    fit = coverage_evidence(reads, length, (density * length[:, None])[:, None], scatter[:, None])[:, 0]
    fit += log(SHARED_PRIOR) * np.array([len(group) - 1 for _, group in sets])
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    total = np.logaddexp(np.logaddexp.reduceat(fit, first), unknown[rows[first]] + log(NONE_PRIOR))
    best = np.flatnonzero(fit - np.repeat(total, np.diff(first, append=len(rows))) >= log(min_posterior))
    return {sets[i][0]: list(sets[i][1]) for i in best.tolist() if len(sets[i][1]) > 1}


def whole_bins(contigs: Contigs, label: np.ndarray, min_bin_size: int) -> tuple[np.ndarray, np.ndarray]:
    """The bin of each contig (n, NO_BIN for none) and the cluster that each bin is called after (B): clusters are
    joined, those that stay below min_bin_size bp are dropped, and bins are merged along the graph."""
    for whole_from in (join_pieces, merge_bins):
        names = np.unique(label[label != NO_BIN])
        if not len(names):
            break
        number = np.searchsorted(names, label)
        part_of = names[whole_from(contigs, np.where(label == NO_BIN, NO_BIN, number), len(names))]
        label = np.where(label == NO_BIN, NO_BIN, np.append(part_of, NO_BIN)[number])
        size = np.bincount(label + 1, contigs.length)
        label = np.where(size[label + 1] >= min_bin_size, label, NO_BIN)
    names = np.unique(label[label != NO_BIN])
    return np.where(label == NO_BIN, NO_BIN, np.searchsorted(names, label)), names


def weigh_contigs(
    contigs: Contigs, label: np.ndarray, chosen: np.ndarray, min_posterior: float
) -> tuple[pd.DataFrame, dict[int, list[int]]]:
    """Per contig: unlinked, final (bins, NO_BIN for none), posterior of the likeliest bin and none; and, by contig, all
    the bins of shared ones, whose final is the one that they touch most. Bins are the chosen (B) of the clusters."""
    back = np.append(np.flatnonzero(chosen), NO_BIN)
    if len(back) == 1:
        nothing = {"unlinked": NO_BIN, "final": NO_BIN, "posterior": 0.0, "none": 1.0}
        return pd.DataFrame(nothing, index=np.arange(len(label))), {}
    label = np.append(np.where(chosen, np.cumsum(chosen) - 1, NO_BIN), NO_BIN)[label]
    bins = describe_bins(contigs, label, len(back) - 1)
    evidence = gather(contigs, bins, label)
    closed = may_be_shared(bins)[evidence.candidate]
    closed &= evidence.candidate != label[:, None]  # they keep what they have and gain nothing
    evidence = evidence._replace(likelihood=np.where(closed, -np.inf, evidence.likelihood))
    found = []
    for belief in weigh(evidence, contigs, label, bins.trust):
        best = belief.argmax(axis=1)[:, None]
        likeliest = np.take_along_axis(evidence.candidate, best, axis=1)[:, 0]
        found.append(np.where(belief.max(axis=1) >= min_posterior, likeliest, NO_BIN))
    unlinked, final = found
    shared = shared_contigs(contigs, bins, final, evidence.unknown, min_posterior)
    for contig, group in shared.items():
        final[contig] = group[0] if final[contig] not in group else final[contig]
    none = np.maximum(1 - belief.sum(axis=1), 0)
    weighed = {"unlinked": back[unlinked], "final": back[final], "posterior": belief.max(axis=1), "none": none}
    return pd.DataFrame(weighed), {contig: back[group].tolist() for contig, group in shared.items()}


def have_grown(contigs: Contigs, size: np.ndarray, without: np.ndarray, along: np.ndarray, min_size: int) -> np.ndarray:
    """Which of the clusters (B) below min_size bp are genomes of their own, by the bins of the contigs where clusters
    below min_size count as bins (along, n) and where they do not (without, n): neither a piece of one bin nor what
    several bins have in common, between which it lies in the graph."""
    n, length = len(size), contigs.length
    after = bin_sizes(length, along, n)
    both = (along != NO_BIN) & (without != NO_BIN)
    pairs, which = np.unique(along[both] * n + without[both], return_inverse=True)
    elsewhere = np.zeros(n)
    np.maximum.at(elsewhere, pairs // n, np.bincount(which, length[both], len(pairs)))
    links = bin_links(contigs.links, along, n)
    inner = np.diag(links) / 2
    np.fill_diagonal(links, 0)
    further = links.sum(axis=1) - links.max(axis=1, initial=0)
    grown = (size < min_size) & (after >= np.maximum(min_size, GROWTH * size))
    return grown & (elsewhere < ELSEWHERE * after) & (further <= BETWEEN * (inner + 1))


def refine_labels(
    contigs: Contigs, label: np.ndarray, min_posterior: float, min_bin_size: int
) -> tuple[pd.DataFrame, dict[int, list[int]]]:
    """Per contig: part, merged, unlinked, final (bins, NO_BIN for none), posterior of the likeliest bin and none.
    And, by contig, all the bins of shared ones, whose final is the one that they touch most."""
    # A sample without a read says nothing, but a t distribution of more dimensions has lighter tails
    contigs = contigs._replace(reads=contigs.reads[:, contigs.reads.any(axis=0)])
    if contigs.reads.shape[1] == 1:  # posteriors are less often right then (docs/benchmark.md)
        min_posterior = (1 + min_posterior) / 2
    part = split_clusters(contigs, label, int(label.max(initial=NO_BIN)) + 1, min_bin_size // PIECE)
    merged, whole = whole_bins(contigs, part, min_bin_size // SMALL)
    size = bin_sizes(contigs.length, merged, len(whole))
    chosen = size >= min_bin_size
    weighed, shared = weigh_contigs(contigs, merged, chosen, min_posterior)
    if not chosen.all():
        along = weigh_contigs(contigs, merged, np.ones_like(chosen), min_posterior)
        finals = [table["final"].to_numpy() for table in (weighed, along[0])]
        grown = have_grown(contigs, size, *finals, min_bin_size)
        if grown.any():
            chosen |= grown
            weighed, shared = along if chosen.all() else weigh_contigs(contigs, merged, chosen, min_posterior)
    merged = np.where(np.append(chosen, False)[merged], merged, NO_BIN)
    back = np.append(whole, NO_BIN)
    labels = {name: back[bins] for name, bins in (("merged", merged), *weighed[["unlinked", "final"]].items())}
    return weighed.assign(part=part, **labels), {contig: whole[group].tolist() for contig, group in shared.items()}


def tabulate(initial: np.ndarray, refined: pd.DataFrame, shared: dict[int, list[int]], ids: list[str]) -> pd.DataFrame:
    """What refine_labels found, with ids of bins and the words of the module's docstring; `bins`: `final` as lists."""
    had, has = initial != NO_BIN, refined["final"] != NO_BIN
    why = np.where(refined["none"] >= 0.5, "unlike", "ambiguous").astype(object)
    joined = np.where(initial == refined["part"], "merged", "split")
    stayed = np.where(initial == refined["final"], "kept", joined)
    placed = np.where(had, np.where(refined["merged"] == refined["final"], stayed, "moved"), "added")
    reason = np.where(has, placed, np.where(had, "removed,", "left,") + why)
    names = np.array([*ids, ""], dtype=object)  # NO_BIN is -1: the last
    bins = [[ids[b]] if b != NO_BIN else [] for b in refined["final"]]
    for contig, group in shared.items():
        bins[contig] += [ids[b] for b in group if b != refined["final"][contig]]
        reason[contig] += ",multi_labelled"
    final = [",".join(several) for several in bins]
    merged, unlinked = names[refined["merged"]], names[refined["unlinked"]]
    return refined.drop(columns="part").assign(merged=merged, unlinked=unlinked, final=final, reason=reason, bins=bins)


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """A TSV whose cells all stay text; error if a column is missing."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise click.ClickException(f"{path}: no column {missing[0]}; it has {', '.join(table.columns)}")
    return table


def read_contigs(path: Path) -> pd.DataFrame:
    """contigs.tsv: contig, assembly and name as text, length in bp; error for a length that is none."""
    table = read_table(path, ["contig", "assembly", "name", "length"])
    wrong = ~table["length"].str.fullmatch("[0-9]{1,18}")
    if wrong.any():
        contig, length = table.loc[wrong, ["contig", "length"]].iloc[0]
        raise click.ClickException(f"{path}: contig {contig!r} has length {length!r}; give it as catalogue wrote it")
    return table.astype({"length": np.int64})


def read_links(vertices: Path | None, edges: Path | None, contigs: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Links (2 x 2m, as in Contigs) between these contigs, and whether each has a place in the graph (n)."""
    row = pd.Series(np.arange(len(contigs)), index=contigs)
    placed = np.zeros(len(contigs), dtype=bool)
    if vertices is None or edges is None:
        return np.zeros((2, 0), dtype=np.int64), placed
    named = read_table(vertices, ["contig"])["contig"]
    unknown = named[~named.isin(row.index)]
    if len(unknown):
        problem = f"contig {unknown.iloc[0]!r} is not a contig of this assembly in contigs.tsv"
        raise click.ClickException(f"{vertices}: {problem}; both must come from the same run")
    placed[row[named]] = True
    table = read_table(edges, ["contig_1", "contig_2"])
    ends = pd.concat([table["contig_1"], table["contig_2"]])
    unknown = ends[~ends.isin(named)]
    if len(unknown):
        problem = f"contig {unknown.iloc[0]!r} is not in {vertices}"
        raise click.ClickException(f"{edges}: {problem}; both must come from the same run, for this assembly")
    here, there = row[ends].to_numpy().reshape(2, -1)
    both = np.unique(np.stack([np.append(here, there), np.append(there, here)]), axis=1)
    return both[:, both[0] != both[1]], placed


def read_homologs(path: Path | None, group: pd.Series, contigs: list[str], links: np.ndarray) -> np.ndarray:
    """Pairs of these contigs, of a group with those names, that are homologous, each from both of its ends, and the
    seeds that both have (3 x 2h). Neighbours in the graph are left out: their ends overlap."""
    if path is None:
        return np.empty((3, 0), dtype=np.int64)
    table = read_table(path, ["contig_1", "contig_2", "shared"])
    ends = pd.concat([table["contig_1"], table["contig_2"]])
    unknown = ends[~ends.isin(group)]
    uncounted = table.loc[~table["shared"].str.fullmatch("[0-9]{1,18}"), "contig_1"]
    if len(unknown) or len(uncounted):
        contig = pd.concat([unknown, uncounted]).iloc[0]
        problem = f"contig {contig!r} is not in contigs.tsv, or shares no number of seeds"
        raise click.ClickException(f"{path}: {problem}; both must come from the same run")
    row = pd.Series(np.arange(len(contigs)), index=contigs)
    table = table[table["contig_1"].isin(row.index) & table["contig_2"].isin(row.index)]
    here, there = row[table["contig_1"]].to_numpy(), row[table["contig_2"]].to_numpy()
    apart = ~np.isin(here * len(contigs) + there, links[0] * len(contigs) + links[1])
    here, there, shared = here[apart], there[apart], table["shared"].astype(np.int64).to_numpy()[apart]
    return np.stack([np.append(here, there), np.append(there, here), np.append(shared, shared)])


def part_ids(ids: list[str], initial: np.ndarray, part: np.ndarray) -> list[str]:
    """The ids of all parts of clusters: ids, and for those that came of one its id with `_2`, `_3` and so on."""
    ids = list(ids)
    for new in range(len(ids), part.max(initial=NO_BIN) + 1):
        whole = ids[initial[(part == new).argmax()]]
        ids.append(next(name for i in itertools.count(2) if (name := f"{whole}_{i}") not in ids))
    return ids


def read_coverage(path: Path, contigs: list[str]) -> pd.DataFrame:
    """Coverage (mean reads per base) of the named contigs, n x s, a column for each sample."""
    dtype = defaultdict(lambda: np.float64, contig=str)
    try:
        table = pd.read_csv(path, sep="\t", dtype=dtype, keep_default_na=False, quoting=csv.QUOTE_NONE)
        values = table.set_index("contig", verify_integrity=True).loc[contigs]
    except (ValueError, KeyError, OSError) as error:
        raise click.ClickException(f"{path}: {error}; it must come from the same run as contigs.tsv") from None
    bad = ~(np.isfinite(values) & (values >= 0)).all(axis=1)
    if values.shape[1] == 0 or bad.any():
        where = f"contig {values.index[bad][0]!r} has a cell that is no coverage" if bad.any() else "no sample column"
        raise click.ClickException(f"{path}: {where}; give it as features wrote it")
    return values


def read_labels(path: Path, assembly: str, contigs: pd.DataFrame, min_size: int) -> pd.Series:
    """Cluster of every row of contigs, or "" if it has none or one below min_size bp in the assembly."""
    clusters = read_table(path, ["cluster", "contig", "assembly"]).query("assembly == @assembly")
    unknown = clusters.loc[~clusters["contig"].isin(contigs["contig"]) | clusters["contig"].duplicated(), "contig"]
    if len(unknown):
        problem = f"contig {unknown.iloc[0]!r} is not in contigs.tsv, or stands in it twice"
        raise click.ClickException(f"{path}: {problem}; both must come from the same run")
    cluster_of = dict(zip(clusters["contig"], clusters["cluster"]))
    cluster = pd.Series([cluster_of.get(contig, "") for contig in contigs["contig"]], index=contigs.index, dtype=str)
    size = contigs["length"].groupby(cluster).transform("sum")
    return cluster.where(size >= min_size, "")


def bases_per_read(coverage: pd.DataFrame, length: np.ndarray, mapped_reads: dict | None) -> np.ndarray:
    """Coverage times length that one read adds, per sample (s): what coverages must be divided by to be counts.

    Without known numbers of reads (an abundance table), coverages are RPKM, and a count is taken to be a
    kilobase of a coverage of 1.
    """
    if mapped_reads is None:
        return np.full(coverage.shape[1], 1000.0)
    total = length @ coverage.to_numpy()
    reads = np.array([mapped_reads.get(sample, 0) for sample in coverage.columns])
    return np.where((total > 0) & (reads > 0), total / np.maximum(reads, 1), 1.0)


def read_features(path: Path, tetranucleotides: Path, names: pd.Series) -> tuple[np.ndarray, dict | None]:
    """Tetranucleotide counts of the group's contigs (N x 136) and the mapped reads of each sample, if known.

    Error if they are not those of `names`, the N contigs of contigs.tsv in order.
    """
    try:
        about = json.loads(path.read_text())
        digest, mapped_reads = about["contigs_sha256"], about["mapped_reads"]
        windows = np.load(tetranucleotides, mmap_mode="r")
    except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
        raise click.ClickException(
            f"{path}, {tetranucleotides}: {error!r}; give both from the features stage"
        ) from None
    if windows.shape != (len(names), 136) or hashlib.sha256("\n".join(names).encode()).hexdigest() != digest:
        problem = f"not of the {len(names)} contigs of contigs.tsv, the first of which is {next(iter(names), None)!r}"
        raise click.ClickException(f"{path}, {tetranucleotides}: {problem}; all must come from the same run")
    return windows, mapped_reads


class Files(NamedTuple):
    """What the command is given, by the names of its options."""

    contigs: Path
    clusters: Path
    coverage: Path
    tetranucleotides: Path
    features: Path
    homologs: Path | None = None
    vertices: Path | None = None
    edges: Path | None = None


class Assembly(NamedTuple):
    """The n contigs of an assembly, from the longest to the shortest."""

    table: pd.DataFrame  # n rows of contigs.tsv
    described: Contigs
    label: np.ndarray  # n, numbers of clusters, NO_BIN for none
    ids: list[str]  # of the clusters
    placed: np.ndarray  # n, whether it has a place in the graph


def read_assembly(assembly: str, files: Files, min_size: int) -> Assembly:
    """What is known of an assembly; its clusters are those of min_size bp or more in it."""
    group = read_contigs(files.contigs)
    windows, mapped_reads = read_features(files.features, files.tetranucleotides, group["contig"])
    table = group.query("assembly == @assembly")
    if table.empty:
        raise click.ClickException(f"{files.contigs}: no contig of assembly {assembly!r}; check the assembly's id")
    cluster = read_labels(files.clusters, assembly, table, min_size)
    table = table.sort_values(["length", "name"], ascending=[False, True])
    names, length = table["contig"].tolist(), table["length"].to_numpy()
    links, placed = read_links(files.vertices, files.edges, names)
    depth = read_coverage(files.coverage, group["contig"].tolist())
    unknown = set() if mapped_reads is None else set(depth.columns) - set(mapped_reads)
    if unknown:
        problem = f"no sample {min(unknown)}, which {files.coverage} has"
        raise click.ClickException(f"{files.features}: {problem}; both must come from the same run")
    bases = bases_per_read(depth, group["length"].to_numpy(), mapped_reads)
    reads = depth.loc[names].to_numpy() * length[:, None] / bases
    homologs = read_homologs(files.homologs, group["contig"], names, links)
    ids = sorted(set(cluster) - {""}, key=lambda label: (len(label), label))
    number = {label: i for i, label in enumerate(["", *ids], NO_BIN)}
    label = cluster[table.index].map(number).to_numpy()
    return Assembly(table, Contigs(length, reads, windows[table.index], links, homologs), label, ids, placed)


def count_table(table: pd.DataFrame, n_edges: int) -> dict[str, int | dict[str, int]]:
    """The numbers of refinement.json, from refinement.tsv."""
    return {
        "contigs": len(table),
        "contigs_in_graph": int((table["in_graph"] == "true").sum()),
        "edges": n_edges,
        "labels": len(set(table["initial"]) - {""}),
        "labels_merged": len(set(table["merged"]) - {""}),
        "labelled": {step: int((table[step] != "").sum()) for step in ("initial", "merged", "unlinked", "final")},
        **table["reason"].str.split(",").explode().value_counts().sort_index().to_dict(),
    }


def write_table(table: pd.DataFrame, path: str) -> None:
    table.to_csv(path, sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE, float_format="%.4f")


@click.command(context_settings={"show_default": True})
@click.option("--assembly", required=True, help="Id of the assembly whose bins are refined.")
@click.option("--contigs", required=True, type=FILE)
@click.option("--clusters", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option("--tetranucleotides", required=True, type=FILE, help="Counts of all contigs (features stage).")
@click.option("--features", required=True, type=FILE, help="features.json.")
@click.option("--homologs", type=FILE, help="Contigs that are homologous (homologs stage).")
@click.option("--vertices", type=FILE, help="Contigs that have a place in the graph (graph stage), if there is one.")
@click.option("--edges", type=FILE, help="Edges between them (graph stage).")
@click.option(
    "--min_posterior",
    default=0.8,
    type=click.FloatRange(0.5, 1),
    help="A contig goes to a bin from this probability; with one sample, with half of that doubt.",
)
@click.option(
    "--min_bin_size",
    default=200_000,
    type=click.IntRange(min=0),
    help="Joined clusters below it (bp) are no bins, unless they grow.",
)
def main(
    assembly: str,
    contigs: Path,
    clusters: Path,
    coverage: Path,
    tetranucleotides: Path,
    features: Path,
    homologs: Path | None,
    vertices: Path | None,
    edges: Path | None,
    min_posterior: float,
    min_bin_size: int,
) -> None:
    """Refine the bins of one assembly by coverage, composition and graph."""
    if (vertices is None) != (edges is None):
        raise click.UsageError("give --vertices and --edges, or neither")
    files = Files(contigs, clusters, coverage, tetranucleotides, features, homologs, vertices, edges)
    given = read_assembly(assembly, files, min_bin_size // PIECE)
    n_edges = given.described.links.shape[1] // 2
    placed = f"{given.placed.sum()} of {len(given.placed)} contigs are in the graph"
    click.echo(f"{assembly}: {placed}, {n_edges} edges", err=True)
    refined, shared = refine_labels(given.described, given.label, min_posterior, min_bin_size)
    ids = part_ids(given.ids, given.label, refined["part"].to_numpy())
    # A cluster that no bin came of is none that a contig had or lost
    initial = np.where(refined["merged"] == NO_BIN, NO_BIN, given.label)
    table = given.table.assign(
        initial=np.array([*ids, ""], dtype=object)[initial], in_graph=np.where(given.placed, "true", "false")
    )
    table = table.join(tabulate(initial, refined, shared, ids).set_index(table.index)).sort_index()
    write_table(table.drop(columns="bins"), "refinement.tsv")
    write_table(table[["contig", "bins"]].explode("bins").dropna().rename(columns={"bins": "bin"}), "contig2bin.tsv")
    counts = {"assembly": assembly, **count_table(table, n_edges)}
    Path("refinement.json").write_text(json.dumps(counts, indent=2) + "\n")
    labelled = counts["labelled"]
    click.echo(f"{assembly}: {labelled['final']} contigs binned, {labelled['initial']} before", err=True)


if __name__ == "__main__":
    main()
