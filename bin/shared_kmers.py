#!/usr/bin/env python3
"""Count the k-mers that bins of several assemblies have in common, and those of a contig that a genome holds.

A genome is a set of bins, at most one of each assembly. Contigs, bins, genomes and assemblies are numbers. The transfer
stage uses this module.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from kmer_samples import Samples

# A k-mer in more genomes than this is of a mobile element, or of a gene that all life shares: it is left out.
MAX_GENOMES_PER_KMER = 8
# Pairs of bins are compared by so many pairs of equal k-mers at most, or little more: by a part of the sample.
MAX_COMPARED_PAIRS = 10_000_000
# So many k-mers are looked at in one piece, or little more.
BLOCK_SIZE = 1 << 22


class Members(NamedTuple):
    """The contigs of all bins: m rows of a contig and a bin; a contig may be in several bins."""

    contig: np.ndarray  # m, ascending
    bin: np.ndarray  # m
    assembly: np.ndarray  # B, the assembly of each bin


def expand(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all numbers of n ranges (first <= number < last), one range after the other, and the range of each."""
    length = last - first
    row = np.repeat(np.arange(len(first)), length)
    return np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length) + first[row], row


def kmer_bins(kmer: np.ndarray, contig: np.ndarray, members: Members) -> tuple[np.ndarray, np.ndarray]:
    """Return the bins of each k-mer, as rows of k-mer and bin, each once, sorted."""
    place, row = expand(*(np.searchsorted(members.contig, contig, side) for side in ("left", "right")))
    n_bins = max(len(members.assembly), 1)
    rows = np.unique(kmer[row].astype(np.int64) * n_bins + members.bin[place])
    return rows // n_bins, rows % n_bins


def blocks(samples: Samples) -> Iterator[slice]:
    """Yield the rows of the samples in pieces of about BLOCK_SIZE; all rows of a k-mer are in one piece."""
    start = 0
    while start < len(samples.kmer):
        last = samples.kmer[min(start + BLOCK_SIZE, len(samples.kmer)) - 1]
        stop = int(np.searchsorted(samples.kmer, last, "right"))
        yield slice(start, stop)
        start = stop


def compare_bins(samples: Samples, members: Members) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of bins of different assemblies with k-mers in common, and the share of these k-mers.

    Pairs are 2 x p, the greater number first, in order; shares (p) are of the k-mers of the bin that has fewer of them.
    K-mers that one contig alone holds are estimated from the counts of `samples.n_kmers`.
    """
    n_bins = len(members.assembly)
    kmer, held_by = kmer_bins(samples.kmer, samples.contig, members)
    n_pairs = (np.bincount(kmer) ** 2).sum() if len(kmer) else 0
    step = int(-(-n_pairs // MAX_COMPARED_PAIRS)) or 1
    is_taken = kmer % step == 0
    kmer, held_by = kmer[is_taken], held_by[is_taken]
    other, row = expand(np.searchsorted(kmer, kmer, "left"), np.arange(len(kmer)))
    one, other = held_by[row], held_by[other]
    differs = members.assembly[one] != members.assembly[other]
    pairs, shared = np.unique(one[differs] * n_bins + other[differs], return_counts=True)
    size = np.bincount(members.bin, samples.n_kmers[members.contig], n_bins)
    pairs = np.stack([pairs // max(n_bins, 1), pairs % max(n_bins, 1)])
    return pairs, np.minimum(shared * step / np.maximum(size[pairs].min(axis=0), 1), 1)


def kmers_in_genomes(
    samples: Samples, members: Members, genome: np.ndarray, assembly: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return contigs, genomes, and how many k-mers of the contig are in bins of the genome in other assemblies.

    genome (B): that of each bin. assembly (N): that of each contig. Rows with at least one k-mer, by contig and genome.
    """
    n_genomes = int(genome.max(initial=0)) + 1
    keys, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for rows in blocks(samples):
        kmer, contig = samples.kmer[rows], samples.contig[rows].astype(np.int64)
        held, held_by = kmer_bins(kmer, contig, members)
        # Each k-mer with each of its genomes, in how many assemblies it is there, and the first of these
        order = np.lexsort((members.assembly[held_by], genome[held_by], held))
        held, of, where = held[order], genome[held_by[order]], members.assembly[held_by[order]]
        first = np.flatnonzero(np.append(True, (held[1:] != held[:-1]) | (of[1:] != of[:-1]))[: len(held)])
        times = np.diff(first, append=len(held))
        held, of, where = held[first], of[first], where[first]
        lower, upper = (np.searchsorted(held, kmer, side) for side in ("left", "right"))
        upper = np.where(upper - lower > MAX_GENOMES_PER_KMER, lower, upper)
        place, row = expand(lower, upper)
        elsewhere = (times[place] > 1) | (where[place] != assembly[contig[row]])
        key, count = np.unique(contig[row[elsewhere]] * n_genomes + of[place[elsewhere]], return_counts=True)
        keys.append(key)
        counts.append(count)
    key, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    shared = np.bincount(inverse, np.concatenate(counts), len(key)).astype(np.int64)
    return key // n_genomes, key % n_genomes, shared
