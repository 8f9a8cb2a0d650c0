#!/usr/bin/env python3
"""Tell which bins of different assemblies are one genome, and what the sequence of a contig says of its genome.

A contig holds k-mers that a genome has in bins of other assemblies. Their share is close to 1 if the contig is of this
genome, lower if it is of a relative, and 0 if it is of another genome, or of a part that those bins lack. How often
each share is found in contigs of the genome, and in others, is counted in the bins themselves: that gives the odds.
Binloom's own method: docs/method.md, section 6.2, equations (28) and (29). The transfer stage uses this module.
"""

from typing import NamedTuple

import numpy as np

# benchmark/transfer_parts.py measures what halving and doubling each of these values does.

# Two bins of different assemblies are one genome if the smaller has at least this share of its k-mers in the other.
MIN_SHARED_KMERS = 0.3
# Shares of the k-mers of a contig are told apart by these bounds; the first class is a share of 0.
SHARE_BOUNDS = np.array([1e-9, 0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97])
# A contig with fewer sampled k-mers than this says nothing.
MIN_KMERS = 4
# What is counted for a genome in an assembly is added to so many contigs like those of the whole group.
PRIOR_CONTIGS = 20
# Each class of shares has this addition to its number of contigs in the whole group.
PSEUDO_CONTIGS = 0.5


class Shares(NamedTuple):
    """The share of the k-mers of N contigs that G genomes have in other assemblies: rows by contig, then genome."""

    contig: np.ndarray  # m
    genome: np.ndarray  # m
    level: np.ndarray  # m, the class of the share, 1 or more; a contig without a row for a genome is of class 0
    tells: np.ndarray  # N, whether the contig has enough k-mers


def link_bins(pairs: np.ndarray, shared: np.ndarray, assembly: np.ndarray) -> np.ndarray:
    """Return the number of the genome of each bin (B), from pairs of bins (2 x p) and the share of their k-mers (p).

    Pairs are taken from the most alike down. Two genomes become one unless they have bins in the same assembly
    (assembly, B): then these are two genomes, however much they have in common (equation 28).
    """
    genome = np.arange(len(assembly))
    assemblies = [{number} for number in assembly.tolist()]
    for one, other in pairs[:, np.lexsort((pairs[1], pairs[0], -shared))][:, : (shared >= MIN_SHARED_KMERS).sum()].T:
        kept, joined = sorted((genome[one], genome[other]))
        if kept != joined and not assemblies[kept] & assemblies[joined]:
            genome[genome == joined] = kept
            assemblies[kept] |= assemblies[joined]
    return np.unique(genome, return_inverse=True)[1]


def share_levels(contig: np.ndarray, genome: np.ndarray, shared: np.ndarray, n_kmers: np.ndarray) -> Shares:
    """Return the classes of shares from rows of contig, genome and number of shared k-mers; n_kmers is of N contigs."""
    level = np.searchsorted(SHARE_BOUNDS, shared / n_kmers[contig], side="right")
    return Shares(contig, genome, level, n_kmers >= MIN_KMERS)


def countable_contigs(shares: Shares, of_genome: np.ndarray, is_elsewhere: np.ndarray, n_genomes: int) -> np.ndarray:
    """Return which contigs (N, bool) show how often each class of shares is found: those in bins that tell.

    of_genome: keys contig * G + genome of all contigs in bins, sorted; is_elsewhere: whether another assembly has a bin
    of that genome. A contig that has more in common with another genome than with its own, which is elsewhere, too, is
    left out: it is in the wrong bin.
    """
    own, best = np.zeros(len(shares.tells), np.int64), np.zeros(len(shares.tells), np.int64)
    np.maximum.at(best, shares.contig, shares.level)
    is_own = np.isin(shares.contig * n_genomes + shares.genome, of_genome)
    np.maximum.at(own, shares.contig[is_own], shares.level[is_own])
    contig = of_genome // max(n_genomes, 1)
    is_known, is_binned = (np.zeros(len(shares.tells), dtype=bool) for _ in range(2))
    is_binned[contig] = True
    is_known[contig[is_elsewhere]] = True
    return is_binned & shares.tells & ~(is_known & (best > own))


def count_levels(
    shares: Shares, counted: np.ndarray, of_genome: np.ndarray, n_genomes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many contigs of each genome, and how many others, have each class of shares (G x L each).

    counted (N): the contigs that count. of_genome: keys contig * G + genome of all contigs in bins, sorted.
    """
    n_levels = len(SHARE_BOUNDS) + 1
    rows = counted[shares.contig]
    genome, level = shares.genome[rows], shares.level[rows]
    is_same = np.isin(shares.contig[rows] * n_genomes + genome, of_genome)
    same, other = (
        np.bincount(genome[chosen] * n_levels + level[chosen], minlength=n_genomes * n_levels)
        for chosen in (is_same, ~is_same)
    )
    same, other = same.reshape(n_genomes, n_levels), other.reshape(n_genomes, n_levels)
    own = of_genome[counted[of_genome // n_genomes]]
    n_same = np.bincount(own % n_genomes, minlength=n_genomes)
    same[:, 0] = n_same - same[:, 1:].sum(axis=1)
    other[:, 0] = counted.sum() - n_same - other[:, 1:].sum(axis=1)
    return same, other


def level_odds(same: np.ndarray, other: np.ndarray, all_same: np.ndarray, all_other: np.ndarray) -> np.ndarray:
    """Return the log odds (G x L) for a genome of each class of shares, from counts of contigs (equation 29).

    same, other: G x L, of one assembly; all_same, all_other: L, of the whole group.
    """
    share = []
    for counts, everywhere in ((same, all_same), (other, all_other)):
        prior = everywhere + PSEUDO_CONTIGS
        total = counts.sum(axis=1, keepdims=True) + PRIOR_CONTIGS
        share.append((counts + PRIOR_CONTIGS * prior / prior.sum()) / total)
    return np.log(share[0] / share[1])


def contig_odds(shares: Shares, contigs: np.ndarray, odds: np.ndarray, genomes: np.ndarray) -> np.ndarray:
    """Return the log odds (n x K) that each of n contigs (numbers) is of each of K genomes (numbers), by its k-mers.

    odds: G x L, from level_odds. A contig with too few k-mers has 0 everywhere .
    """
    column = np.full(len(odds), -1)
    column[genomes] = np.arange(len(genomes))
    row = np.full(len(shares.tells), -1)
    row[contigs] = np.arange(len(contigs))
    level = np.zeros((len(contigs), len(genomes)), dtype=np.int8)
    chosen = (row[shares.contig] >= 0) & (column[shares.genome] >= 0)
    level[row[shares.contig[chosen]], column[shares.genome[chosen]]] = shares.level[chosen]
    return np.where(shares.tells[contigs][:, None], odds[genomes][np.arange(len(genomes)), level], 0.0)
