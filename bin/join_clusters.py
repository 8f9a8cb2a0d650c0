#!/usr/bin/env python3
"""Join the clusters that are pieces of one genome, until each bin is one.

Clusters are cut tighter in the latent space than genomes are wide in it, so that they are pure. First, pieces are
joined by coverage, composition and pairs of reads. Then, bins are merged if the assembly graph links them, too.
Binloom's own method: docs/method.md, section 6.1, equations (20) to (22) and (36). The refine stage uses this module.
"""

import itertools
from collections import Counter
from math import log

import numpy as np

from bin_model import (
    NO_BIN,
    Bins,
    Contigs,
    bin_members,
    bin_sizes,
    composition_evidence,
    describe_bins,
    summed_coverage,
)
from coverage_evidence import coverage_evidence, unknown_coverage_evidence
from pieces import (
    JUDGED_LENGTH,
    WHOLE_BIN_FREEDOM,
    Profiles,
    describe_piece,
    one_genome_evidence,
    own_composition_evidence,
    unknown_genome_evidence,
)

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# Pairs of reads speak for a join only if they link at least so many contigs of the two pieces.
MIN_JOIN_PAIRS = 2
# The weight of the odds that the pairs of reads of a piece lead to another one.
JOIN_PAIRS_WEIGHT = 2.0
# A bin is compared with at most so many others, those with the most links to it.
MAX_LINKED_BINS = 8
# A bin is compared with another only if they have at least so many links.
MIN_MERGE_LINKS = 2
# More than this fraction of a bin's links to other bins must lead to those it is merged with.
MIN_MERGE_LINK_FRACTION = 0.5
# The odds for a merge must be greater than this.
MIN_MERGE_ODDS = 100
# The composition of a bin that two genomes share must fit one of them better by so many standard errors.
MIN_COMPOSITION_Z = 5
# At least so many contigs are needed for such a standard error.
MIN_COMPOSITION_CONTIGS = 10


class PairsOfPieces:
    """How many pairs of reads, each pair of contigs once, link P pieces."""

    def __init__(self, pairs: np.ndarray, label: np.ndarray, n: int) -> None:
        """Take the contigs that pairs link (2 x 2p, as in Contigs) and the piece of each contig."""
        self.to: list[Counter] = [Counter() for _ in range(n)]  # by piece: the links to others
        source, target = label[pairs]
        is_between = (source != NO_BIN) & (target != NO_BIN) & (source != target)
        for one, other in zip(source[is_between].tolist(), target[is_between].tolist()):
            self.to[one][other] += 1

    def join(self, b: int, target: int) -> None:
        """Make piece b part of piece target."""
        for other, links in self.to[b].items():
            del self.to[other][b]
            if other != target:
                self.to[target][other] += links
                self.to[other][target] += links
        self.to[b] = Counter()

    def evidence(self, small: np.ndarray, large: np.ndarray) -> np.ndarray:
        """Return what pairs of reads say for the join of c pieces with K others (c x K log odds; equation 36)."""
        column = np.full(len(self.to), NO_BIN)
        column[large] = np.arange(len(large))
        found = np.zeros((len(small), len(large)))
        for row, b in enumerate(small):
            total = self.to[b].total()
            for other, links in self.to[b].items():
                if column[other] != NO_BIN and links >= MIN_JOIN_PAIRS:
                    odds = log((links + 1) / (total - links + 1))
                    found[row, column[other]] = JOIN_PAIRS_WEIGHT * max(0.0, odds)
        return found


class Pieces:
    """Clusters that may be pieces of the same genomes, as `join_pieces` joins them."""

    def __init__(self, contigs: Contigs, label: np.ndarray, n: int) -> None:
        self.contigs = contigs
        self.members = bin_members(label, n)
        self.size = np.array([contigs.length[rows].sum() for rows in self.members])
        self.part_of = np.arange(n)
        self.pairs = PairsOfPieces(contigs.pairs, label, n)
        self.all_tetranucleotides = contigs.tetranucleotides[label != NO_BIN].sum(axis=0, dtype=np.float64)
        profiles = [describe_piece(contigs, rows, self.all_tetranucleotides) for rows in self.members]
        self.profiles = Profiles(*map(np.concatenate, zip(*profiles))) if n else None
        self.own_composition, self.unknown_coverage = np.zeros((2, n))
        self.typical = self.profiles.density.copy() if n else None
        for b in range(n):
            self.update_reference(b)

    def update_reference(self, b: int) -> None:
        """Compute the fit of piece b to its own composition, and to the coverage of a genome without a bin."""
        piece = self.profiles.take([b])
        self.own_composition[b] = own_composition_evidence(piece)[0]
        self.unknown_coverage[b] = unknown_genome_evidence(piece, self.typical[self.part_of != b])[0]

    def join(self, b: int, target: int) -> None:
        """Make piece b part of piece target."""
        self.members[target] = np.sort(np.concatenate([self.members[target], self.members[b]]))
        self.size[target] += self.size[b]
        self.part_of[self.part_of == b] = target
        self.pairs.join(b, target)
        joined = describe_piece(self.contigs, self.members[target], self.all_tetranucleotides)
        for values, value in zip(self.profiles, joined):
            values[target] = value[0]
        self.update_reference(target)

    def unjoined(self) -> np.ndarray:
        """Return whether each piece is not yet part of another."""
        return self.part_of == np.arange(len(self.part_of))

    def larger_pieces(self, b: int) -> np.ndarray:
        """Return whether b may become a part of each piece; of two of the same size, the first is the larger."""
        first = np.arange(len(self.size)) < b
        return self.unjoined() & ((self.size > self.size[b]) | ((self.size == self.size[b]) & first))

    def join_evidence(self, small: np.ndarray, large: np.ndarray) -> np.ndarray:
        """Return the log odds (c x K) that each of c pieces is part of the genome of each of K larger ones."""
        own, unknown = self.own_composition[small], self.unknown_coverage[small]
        fit = one_genome_evidence(self.profiles.take(small), self.profiles.take(large), own, unknown)
        return fit + self.pairs.evidence(small, large)


class BestTargets:
    """The larger piece that fits each of B pieces best, and the log odds of this join."""

    def __init__(self, pieces: Pieces) -> None:
        n = len(pieces.size)
        self.pieces = pieces
        self.target, self.odds = np.full(n, NO_BIN), np.full(n, -np.inf)
        for b in range(n):
            self.search(b)

    def search(self, b: int) -> None:
        """Compare piece b with all larger pieces."""
        large = np.flatnonzero(self.pieces.larger_pieces(b))
        self.target[b], self.odds[b] = NO_BIN, -np.inf
        if len(large):
            fit = self.pieces.join_evidence(np.array([b]), large)[0]
            self.target[b], self.odds[b] = large[fit.argmax()], fit.max()

    def join_best(self) -> None:
        """Join the pair with the highest odds, and bring all others up to date."""
        b = int(self.odds.argmax())
        target = int(self.target[b])
        self.pieces.join(b, target)
        self.odds[b] = -np.inf
        unjoined, index = self.pieces.unjoined(), np.arange(len(self.odds))
        stale = unjoined & ((self.target == b) | (self.target == target) | (index == target))
        for x in np.flatnonzero(stale):
            self.search(x)
        small = np.flatnonzero(unjoined & ~stale & ~self.pieces.larger_pieces(target))
        if len(small):
            fit = self.pieces.join_evidence(small, np.array([target]))[:, 0]
            better = fit > self.odds[small]
            self.target[small[better]], self.odds[small[better]] = target, fit[better]


def join_pieces(contigs: Contigs, label: np.ndarray, n_bins: int) -> np.ndarray:
    """Return, for each cluster (B), the cluster it is part of, mostly the largest of a genome.

    The two pieces with the highest log odds are joined first, until no pair has positive ones.
    """
    pieces = Pieces(contigs, label, n_bins)
    best = BestTargets(pieces)
    while best.odds.max(initial=0) > 0:
        best.join_best()
    return pieces.part_of


def composition_z(tetranucleotides: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Return by how many standard errors contigs (c x 136 counts) fit the first composition better (equation 21).

    The compositions are log frequencies (136 each). The standard error is over contigs; the result is 0 if fewer than
    MIN_COMPOSITION_CONTIGS have a 4-mer.
    """
    gain, total = tetranucleotides @ (first - second), tetranucleotides.sum(axis=1)
    spread = np.sqrt(np.square(gain - total * gain.sum() / max(total.sum(), 1)).sum())
    return gain.sum() / spread if spread > 0 and (total > 0).sum() >= MIN_COMPOSITION_CONTIGS else 0.0


def whole_bin_evidence(bins: Bins, b: int, tetranucleotides: np.ndarray, groups: list[tuple[int, ...]]) -> np.ndarray:
    """Return the log odds (G) that bin b has the summed coverage of each group of other bins (equation 22).

    The bin, with its tetranucleotide counts (136), is judged as a contig of JUDGED_LENGTH, against a genome without a
    bin. Its composition may speak against a group but not for it, because relatives have the same composition.
    """
    length = np.array([JUDGED_LENGTH])
    reads = bins.density[[b]] * length
    others = np.arange(len(bins.density)) != b
    density, scatter = summed_coverage(bins, groups)
    fit = coverage_evidence(reads, length, density[None] * length, scatter[None], freedom=WHOLE_BIN_FREEDOM)[0]
    fit -= unknown_coverage_evidence(reads, bins.density[None, others] * length)
    composition = composition_evidence(tetranucleotides[None], bins.log_composition)[0]
    usual = np.logaddexp.reduce(composition[others]) - log(others.sum())
    in_group = [np.logaddexp.reduce(composition[list(group)]) - log(len(group)) for group in groups]
    return fit + np.minimum(in_group - usual, 0)


def candidate_groups(bins: Bins, members: np.ndarray, linked: list[int]) -> list[tuple[int, ...]]:
    """Return the bins and pairs of bins whose genomes a bin may belong to, out of those that are linked to it.

    members: tetranucleotide counts of the contigs of the bin (c x 136). A pair begins with the bin that their
    composition fits better; pairs in which it does not tell are left out.
    """
    groups: list[tuple[int, ...]] = [(x,) for x in linked]
    for x, y in itertools.combinations(linked, 2):
        z = composition_z(members, *bins.log_composition[[x, y]])
        groups += [(x, y) if z > 0 else (y, x)] if abs(z) >= MIN_COMPOSITION_Z else []
    return groups


def accepted_groups(
    bins: Bins, b: int, tetranucleotides: np.ndarray, groups: list[tuple[int, ...]]
) -> dict[tuple[int, ...], float]:
    """Return the log odds of those groups of other bins whose genomes bin b (136 counts) is of, by all conditions.

    A pair must be likelier than each of its bins alone. Most links of bin b to other bins must lead to the group.
    """
    odds = dict(zip(groups, whole_bin_evidence(bins, b, tetranucleotides, groups)))
    outward = bins.links[b].sum() - bins.links[b, b]
    return {
        group: value
        for group, value in odds.items()
        if bins.links[b, list(group)].sum() > MIN_MERGE_LINK_FRACTION * outward
        and value > log(MIN_MERGE_ODDS) + max([0, *(odds[(x,)] for x in group if len(group) > 1)])
    }


def most_linked(links: np.ndarray, b: int) -> np.ndarray:
    """Return the bins with the most links to bin b, of the links between bins (B x B), from the most on."""
    outward = np.where(np.arange(len(links)) == b, 0, links[b])
    linked = np.argsort(-outward, kind="stable")[:MAX_LINKED_BINS]
    return linked[outward[linked] >= MIN_MERGE_LINKS]


def is_shared_by_two(contigs: Contigs, bins: Bins, label: np.ndarray, b: int) -> bool:
    """Return whether bin b is no genome but what two others share: it has the sum of their coverages (equation 22)."""
    linked = most_linked(bins.links, b).tolist()
    pairs = list(itertools.combinations(linked, 2))
    counts = contigs.tetranucleotides[label == b].sum(axis=0)
    groups = [*((x,) for x in linked), *pairs]
    return bool(pairs) and any(len(group) > 1 for group in accepted_groups(bins, b, counts, groups))


def merge_linked_bins(contigs: Contigs, label: np.ndarray, n_bins: int) -> np.ndarray:
    """Return, for each bin (B), the bin it is part of, mostly itself.

    A bin with the profile of a larger one is a piece of it. A bin whose profile is the sum of two others', and of
    neither alone, holds what their genomes share, covered by the reads of both: it goes to the one that its composition
    fits better, or stays a bin if that cannot be told. Most of its links to other bins must lead to them.
    """
    bins = describe_bins(contigs, label, n_bins)
    size = bin_sizes(contigs.length, label, n_bins)
    part_of = np.arange(n_bins)
    for b in np.argsort(size, kind="stable"):
        linked = [x for x in most_linked(bins.links, b) if part_of[x] == x]
        if not linked:
            continue
        members = contigs.tetranucleotides[label == b]
        groups = candidate_groups(bins, members, linked)
        odds = accepted_groups(bins, b, members.sum(axis=0), groups)
        accepted = {group: odds[group] for group in odds if len(group) > 1 or size[group[0]] >= size[b]}
        if accepted:
            part_of[b] = max(accepted, key=accepted.get)[0]
    while (part_of[part_of] != part_of).any():
        part_of = part_of[part_of]
    return part_of


def bins_from_clusters(contigs: Contigs, label: np.ndarray, min_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Join and merge clusters; return the bin of each contig (n, NO_BIN for none) and the cluster that names it (B).

    Clusters below min_size bp after joining, and bins below it after merging, are dropped.
    """
    for part_of in (join_pieces, merge_linked_bins):
        names = np.unique(label[label != NO_BIN])
        if not len(names):
            break
        number = np.searchsorted(names, label)
        whole = names[part_of(contigs, np.where(label == NO_BIN, NO_BIN, number), len(names))]
        label = np.where(label == NO_BIN, NO_BIN, np.append(whole, NO_BIN)[number])
        size = np.bincount(label + 1, contigs.length)
        label = np.where(size[label + 1] >= min_size, label, NO_BIN)
    names = np.unique(label[label != NO_BIN])
    return np.where(label == NO_BIN, NO_BIN, np.searchsorted(names, label)), names
