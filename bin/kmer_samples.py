#!/usr/bin/env python3
"""Sample the k-mers of contigs, so that the samples tell how much sequence two contigs have in common.

Two sequences of identity i have a share of about i ** K_LENGTH of their k-mers in common (Ondov et al. 2016, Genome
Biol 17:132). The sample holds the k-mers with a small hash, so that it is the same ones in every contig (Broder 1997).
The transfer stage uses this module.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from base_digits import DIGITS, NO_BASE

K_LENGTH = 31  # the longest odd number whose words fit into 64 bits; odd, so that no word is its own reverse complement
# One k-mer in SAMPLING is kept.
SAMPLING = 16
# The finalizer of MurmurHash3 (Austin Appleby, public domain), which spreads similar numbers over all 64 bits.
HASH_SHIFT = np.uint64(33)
HASH_FACTORS = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))


class Samples(NamedTuple):
    """The sampled k-mers of N contigs."""

    kmer: np.ndarray  # m, a number of each k-mer; ascending, equal k-mers stand together
    contig: np.ndarray  # m, the number of the contig that holds it
    n_kmers: np.ndarray  # N, sampled k-mers of each contig, also those that no other contig holds


def word_numbers(digits: np.ndarray, k: int) -> np.ndarray:
    """Return the number in base 4 of the word of k digits at each place (n - k + 1, uint64), for n digits, n >= k.

    Words of 1, 2, 4, ... digits are put together to words of k.
    """
    power, width = digits.astype(np.uint64), 1  # the words of `width` digits
    word, length = np.zeros(len(digits) + 1, np.uint64), 0  # those of `length` digits
    while True:
        if k & width:
            n = len(digits) - length - width + 1
            word = word[:n] << np.uint64(2 * width) | power[length : length + n]
            length += width
        if length == k:
            return word
        power = power[:-width] << np.uint64(2 * width) | power[width:]
        width *= 2


def hash_numbers(numbers: np.ndarray) -> np.ndarray:
    """Return a hash of each number (uint64), different for different numbers."""
    for factor in HASH_FACTORS:
        numbers = (numbers ^ numbers >> HASH_SHIFT) * factor
    return numbers ^ numbers >> HASH_SHIFT


def sample_kmers(sequence: bytes) -> np.ndarray:
    """Return the hashes of the sampled k-mers of a contig, each once (uint64, ascending).

    A k-mer and its reverse complement are one. K-mers with another letter than A, C, G and T are left out.
    """
    digits = np.frombuffer(sequence.translate(DIGITS), np.uint8)
    if len(digits) < K_LENGTH:
        return np.empty(0, np.uint64)
    bases = digits & 3
    forward, backward = word_numbers(bases, K_LENGTH), word_numbers(3 - bases[::-1], K_LENGTH)[::-1]
    hashes = hash_numbers(np.minimum(forward, backward))
    n_unknown = np.cumsum(np.append(False, digits == NO_BASE))
    is_kept = (hashes < 2**64 // SAMPLING) & (n_unknown[K_LENGTH:] == n_unknown[:-K_LENGTH])
    return np.unique(hashes[is_kept])


def sample_contigs(sequences: Iterable[bytes]) -> Samples:
    """Return the samples of contigs; k-mers that one contig alone holds are left out."""
    hashes = [sample_kmers(sequence) for sequence in sequences]
    n_kmers = np.array([len(kmers) for kmers in hashes], dtype=np.int64)
    contig = np.repeat(np.arange(len(hashes), dtype=np.int32), n_kmers)
    kmer = np.concatenate([np.empty(0, np.uint64), *hashes])
    del hashes
    order = np.argsort(kmer, kind="stable")
    kmer, contig = kmer[order], contig[order]
    is_new = np.append(True, kmer[1:] != kmer[:-1])[: len(kmer)]
    number = np.cumsum(is_new) - 1
    is_shared = np.bincount(number)[number] > 1
    return Samples(np.cumsum(is_new[is_shared]) - 1, contig[is_shared], n_kmers)
