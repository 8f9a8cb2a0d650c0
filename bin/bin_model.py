#!/usr/bin/env python3
"""What a bin is, and how well the composition of a contig fits it.

A bin has a profile: its coverage in each sample, the scatter of its contigs about this coverage, and its frequencies of
tetranucleotides. A contig, or a whole bin, is compared with a profile by log likelihoods: coverage_evidence.py has
those of coverage. Binloom's own model: docs/method.md, section 6.1, equations (1), (6), (7) and (9). The refine stage
uses this module.
"""

import itertools
from typing import NamedTuple

import numpy as np

from coverage_evidence import MIN_DENSITY, first_own_reads, most_probable_scatter, own_reads

NO_BIN = -1

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# Only contigs of at least this length (bp) determine the coverage of a bin, if the bin has any.
MIN_PROFILE_LENGTH = 1000
# At most so many contigs of a bin, the longest, determine its scatter.
MAX_SCATTER_CONTIGS = 1000
# The weight of one 4-mer: 4-mers overlap, and neighbouring ones repeat each other.
TETRANUCLEOTIDE_WEIGHT = 0.2
# A contig with this number of 4-mers has half of the greatest possible weight: genomes are patchy.
TETRANUCLEOTIDE_SATURATION = 300
# So many times, the profile of a bin and the reads of relatives on its contigs are computed anew, from each other.
PROFILE_ROUNDS = 2
# Every bin gets this number of 4-mers of the mean composition, so that no 4-mer is impossible in a small bin.
PSEUDO_TETRANUCLEOTIDES = 50
# The mean frequency of a 4-mer gets this addition, so that its logarithm exists.
MIN_FREQUENCY = 1e-9
# The greatest probability with which a neighbour's bin is taken for the bin of a contig.
MAX_LINK_TRUST = 0.9
# This number of links is added to the inner and to the outer links of a bin before their ratio is taken.
PSEUDO_LINKS = 1


class Contigs(NamedTuple):
    """The n contigs of the assembly, from the longest to the shortest."""

    length: np.ndarray  # n, bp
    reads: np.ndarray  # n x s: coverage * length / bases per read
    tetranucleotides: np.ndarray  # n x 136, counts
    links: np.ndarray  # 2 x 2m: contigs and their neighbours in the graph, sorted; each link from both of its ends
    homologs: np.ndarray = np.empty((3, 0), dtype=np.int64)  # 3 x 2h: contigs, contigs homologous to them, shared seeds
    markers: np.ndarray = np.empty(
        (2, 0), dtype=np.int64
    )  # 2 x m: contigs and single-copy families that they hold whole
    pairs: np.ndarray = np.empty((2, 0), dtype=np.int64)  # 2 x 2p: as links, of contigs that pairs of reads link
    # n x s, from foreign_reads.py: reads of relatives times their divergence; None if mismatches are not known
    excess: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Contigs":
        """Return these contigs, without links, homologs and markers."""
        nothing = np.empty((2, 0), dtype=np.int64)
        excess = self.excess_of(rows)
        return Contigs(self.length[rows], self.reads[rows], self.tetranucleotides[rows], nothing, excess=excess)

    def excess_of(self, chosen: np.ndarray | slice | tuple[slice, np.ndarray]) -> np.ndarray | None:
        """Return the excess of these contigs, or of these contigs and samples."""
        return None if self.excess is None else self.excess[chosen]


class Bins(NamedTuple):
    """The profiles of B bins and the links between them."""

    density: np.ndarray  # B x s, reads per bp
    scatter: np.ndarray  # B x s, relative standard deviation of the coverage, beyond counting noise
    log_composition: np.ndarray  # B x 136, log frequencies
    links: np.ndarray  # B x B, from count_bin_links
    link_trust: np.ndarray  # B, probability that a neighbour of a contig of the bin belongs to the bin, too
    pair_trust: np.ndarray  # B, the same of a contig that pairs of reads link to it


def weighted_median(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the medians of the columns of values (m x s), each row weighted by weight (m > 0)."""
    order = np.argsort(values, axis=0, kind="stable")
    total = np.cumsum(weight[order], axis=0)
    middle = (total < total[-1] / 2).sum(axis=0)
    return np.take_along_axis(values, np.take_along_axis(order, middle[None], axis=0), axis=0)[0]


def composition_evidence(tetranucleotides: np.ndarray, log_composition: np.ndarray) -> np.ndarray:
    """Return the log likelihoods (c x B) of tetranucleotide counts (c x 136) under the frequencies of bins (B x 136).

    The counts are multinomial, with a weight that saturates with their number (equation 6).
    """
    total = tetranucleotides.sum(axis=1, keepdims=True)
    weight = TETRANUCLEOTIDE_WEIGHT * TETRANUCLEOTIDE_SATURATION / (total + TETRANUCLEOTIDE_SATURATION)
    return tetranucleotides @ log_composition.T * weight


def count_bin_links(links: np.ndarray, label: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the number of links between bins (B x B, symmetric); the diagonal counts inner links twice."""
    source, target = label[links]
    binned = (source != NO_BIN) & (target != NO_BIN)
    return np.bincount(source[binned] * n_bins + target[binned], minlength=n_bins**2).reshape(n_bins, n_bins)


def trust_of_links(links: np.ndarray) -> np.ndarray:
    """Return the link trust of each bin (B) from the links between bins (B x B, of count_bin_links; equation 9)."""
    inner, outer = np.diag(links) / 2, links.sum(axis=1) - np.diag(links)
    return MAX_LINK_TRUST * (inner + PSEUDO_LINKS) / (inner + outer + 2 * PSEUDO_LINKS)


def bin_sizes(length: np.ndarray, label: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the number of bases (B) of the contigs of each bin."""
    return np.bincount(label + 1, length, n_bins + 1)[1:]


def bin_members(label: np.ndarray, n_bins: int) -> list[np.ndarray]:
    """Return the contigs of each bin, from the longest to the shortest."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.searchsorted(label[order], np.arange(n_bins + 1)))[1:-1]


def profile_members(contigs: Contigs, members: np.ndarray) -> np.ndarray:
    """Return those of the members of a bin that determine its coverage."""
    long = members[contigs.length[members] >= MIN_PROFILE_LENGTH]
    return long if len(long) else members


def median_density(reads: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return the median reads per bp (s) of contigs with these reads (m x s), weighted by length (m)."""
    return weighted_median(reads / length[:, None], length)


def coverage_profile(contigs: Contigs, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return density and scatter (s each) of a bin with these members, which go from the longest to the shortest.

    Reads of relatives are left out. What is left depends on the density, and this on what is left.
    """
    members = profile_members(contigs, members)
    length, reads, excess = contigs.length[members], contigs.reads[members], contigs.excess_of(members)
    own = first_own_reads(reads, excess)
    density = median_density(own, length)
    for _ in range(0 if excess is None or not excess.any() else PROFILE_ROUNDS):
        own = own_reads(reads, length, excess, density)
        density = median_density(own, length)
    longest = slice(MAX_SCATTER_CONTIGS)
    return density, most_probable_scatter(own[longest], density * length[longest, None])


def log_frequencies(counts: np.ndarray, all_counts: np.ndarray) -> np.ndarray:
    """Return the logarithms of the frequencies of tetranucleotides (... x 136), smoothed (equation 7).

    counts: ... x 136; all_counts (136): their sum over all bins, whose frequencies are the mean composition.
    """
    mean = all_counts / max(all_counts.sum(), 1) + MIN_FREQUENCY
    counts = counts + PSEUDO_TETRANUCLEOTIDES * mean / mean.sum()
    return np.log(counts / counts.sum(axis=-1, keepdims=True))


def describe_bins(contigs: Contigs, label: np.ndarray, n_bins: int) -> Bins:
    """Return the profiles of the bins from the contigs that are labelled with them; every bin needs a contig."""
    members = bin_members(label, n_bins)
    profiles = np.array([coverage_profile(contigs, rows) for rows in members])
    composition = np.array([contigs.tetranucleotides[rows].sum(axis=0) for rows in members], dtype=np.float64)
    links, pairs = (count_bin_links(kind, label, n_bins) for kind in (contigs.links, contigs.pairs))
    frequencies = log_frequencies(composition, composition.sum(axis=0))
    return Bins(profiles[:, 0], profiles[:, 1], frequencies, links, trust_of_links(links), trust_of_links(pairs))


def summed_coverage(bins: Bins, groups: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Return density and scatter (G x s each) of a sequence that all bins of a group have.

    Densities add up, and so do the variances of their scatter.
    """
    sizes = np.array([len(group) for group in groups])
    members = np.array(list(itertools.chain.from_iterable(groups)))
    first = np.cumsum(sizes) - sizes
    density = np.add.reduceat(bins.density[members], first, axis=0)
    spread = np.sqrt(np.add.reduceat((bins.scatter * bins.density)[members] ** 2, first, axis=0))
    return density, spread / np.maximum(density, MIN_DENSITY)
