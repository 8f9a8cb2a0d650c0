#!/usr/bin/env python3
"""Counting the canonical tetranucleotides (4-mers) of contigs, and scaling their frequencies.

Implements the part on tetranucleotides of "Computation of abundance and tetranucleotide frequencies" of the VAMB
preprint (Nissen et al. 2018, doi:10.1101/490078): a 4-mer and its reverse complement count together, and 4-mers with
ambiguous bases do not count.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from base_digits import DIGITS, NO_BASE

COMPLEMENT = str.maketrans("ACGT", "TGCA")
# Windows counted together. Their arrays stay in the processor's cache, and are small enough for the allocator to use
# the same memory again: larger ones come fresh from the system, page by page. It decides the time alone.
WINDOWS_PER_BATCH = 1 << 16
# What a contig costs beside its windows, in windows: each has a row of counts to fill. It decides the time alone.
WINDOWS_PER_CONTIG = 500


def canonical_tetranucleotides() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the 136 canonical 4-mers, sorted, and where they and their complements are among all 256.

    A canonical 4-mer is the lesser of a 4-mer and its reverse complement. The 256 are in alphabetical order, from
    AAAA = 0 to TTTT = 255.
    """
    kmers = ["".join(bases) for bases in itertools.product("ACGT", repeat=4)]
    other = {kmer: kmer.translate(COMPLEMENT)[::-1] for kmer in kmers}
    names = [kmer for kmer in kmers if kmer <= other[kmer]]
    return names, *(np.array([kmers.index(kmer) for kmer in each]) for each in (names, map(other.get, names)))


TETRANUCLEOTIDES, CANONICAL_CODES, COMPLEMENT_CODES = canonical_tetranucleotides()
PALINDROMES = CANONICAL_CODES == COMPLEMENT_CODES
PLACE_VALUES = np.array([64, 16, 4, 1])


def count_sequences(sequences: Iterable[bytes], n_sequences: int) -> np.ndarray:
    """Return the tetranucleotide counts of sequences in their order (n_sequences x 136, float32)."""
    return np.concatenate([np.empty((0, len(TETRANUCLEOTIDES)), np.float32), *count_blocks(sequences, n_sequences)])


def count_blocks(sequences: Iterable[bytes], n_sequences: int) -> Iterator[np.ndarray]:
    """Yield the tetranucleotide counts of sequences in their order, some rows at a time (136 columns, float32)."""
    done, counts = 0, np.zeros((0, len(TETRANUCLEOTIDES)), dtype=np.float32)
    for batch in batches(pieces(sequences)):
        rows = np.array([row for row, _ in batch]) - done
        # Only the last sequence may go on in the next batch; those too short for a 4-mer have no piece.
        grown = np.zeros((rows[-1] + 1, len(TETRANUCLEOTIDES)), dtype=np.float32)
        grown[: len(counts)] = counts
        grown[rows[0] :] += count_tetranucleotides([piece for _, piece in batch], rows - rows[0])
        yield grown[:-1]
        done, counts = done + len(grown) - 1, grown[-1:]
    rest = np.zeros((n_sequences - done, len(TETRANUCLEOTIDES)), dtype=np.float32)
    rest[: len(counts)] = counts
    yield rest


def pieces(sequences: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the sequence, piece) of all sequences, in pieces of at most WINDOWS_PER_BATCH windows.

    Pieces of a sequence overlap by three bases, so that each window is in one piece.
    """
    for row, sequence in enumerate(sequences):
        for start in range(0, len(sequence) - 3, WINDOWS_PER_BATCH):
            yield row, sequence[start : start + WINDOWS_PER_BATCH + 3]


def batches(pieces: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Yield lists of pieces that together have about WINDOWS_PER_BATCH windows."""
    batch, windows = [], 0
    for row, piece in pieces:
        batch.append((row, piece))
        windows += len(piece) + WINDOWS_PER_CONTIG
        if windows > WINDOWS_PER_BATCH:
            yield batch
            batch, windows = [], 0
    if batch:
        yield batch


def count_tetranucleotides(pieces: Sequence[bytes], rows: np.ndarray) -> np.ndarray:
    """Return how often each of the 136 canonical 4-mers occurs (int64, one row per contig).

    `rows` holds the row of each piece: ascending integers, the first 0. Every window of four bases within a piece
    counts, unless it holds anything but A, C, G and T (in either case).

    Windows are counted eight bases at a time: a 7-mer begins at every fourth base and holds two 5-mers of two windows
    each, so half as many numbers are counted as there are windows.
    """
    # A letter that is no base separates the pieces.
    text = b"N".join([*pieces, b"N" * 8]).translate(DIGITS)
    fours = np.frombuffer(text, "<u4", len(text) // 4)
    # Multiplied by 4^15 + 4^10 + 4^5 + 1, the upper byte is the 4-mer of the four digits.
    codes = fours * np.uint32(0x40100401) >> np.uint32(24)
    sevens = codes[:-1] << np.uint32(6) | codes[1:] >> np.uint32(2)
    unknown = (fours & np.uint32(0x04040404)) != 0
    odd = np.flatnonzero(unknown[:-1] | unknown[1:])
    ends = np.cumsum([len(piece) + 1 for piece in pieces])
    begun = np.minimum(-(-ends // 4), len(sevens))
    begun[-1] = len(sevens)
    offsets = np.repeat(rows << 10, np.diff(begun, prepend=0))
    n_rows = int(rows[-1]) + 1
    offsets[odd] = n_rows << 10
    fives = np.bincount(offsets + (sevens >> np.uint32(4)), minlength=(n_rows + 1) << 10)
    fives += np.bincount(offsets + (sevens & np.uint32(1023)), minlength=(n_rows + 1) << 10)
    fives = fives[:-1024].reshape(n_rows, 1024)
    counts = fives.reshape(n_rows, 4, 256).sum(axis=1)
    for last in range(4):
        counts += fives[:, last::4]
    counts += count_windows(text, odd, ends, rows)
    return counts[:, CANONICAL_CODES] + np.where(PALINDROMES, 0, counts[:, COMPLEMENT_CODES])


def count_windows(text: bytes, blocks: np.ndarray, ends: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return how often each of the 256 4-mers begins in some blocks of four digits (rows x 256).

    Piece i, of row rows[i], ends before the digit ends[i] - 1. Windows with a digit that is no base do not count.
    """
    starts = np.add.outer(blocks * 4, np.arange(4)).ravel()
    digits = np.frombuffer(text, np.uint8)
    windows = np.stack([digits[starts + i] for i in range(4)])
    known = windows.max(axis=0) < NO_BASE
    row = rows[np.searchsorted(ends, starts[known], side="right")]
    codes = PLACE_VALUES @ windows[:, known]
    n_rows = int(rows[-1]) + 1
    return np.bincount(row << 8 | codes, minlength=n_rows << 8).reshape(n_rows, 256)


class FrequencyScale:
    """Means and standard deviations of tetranucleotide frequencies, from blocks of counts that are passed over twice.

    A constant column has a deviation of 0 and is scaled to 0. Without a row, means and deviations are 0.
    """

    def __init__(self, blocks: Callable[[], Iterable[np.ndarray]]) -> None:
        """Pass over blocks of counts (any number of rows x 136), which each call of `blocks` yields anew."""
        n_rows, least, most = 0, np.inf, -np.inf
        total = np.zeros((1, len(TETRANUCLEOTIDES)))
        for counts in blocks():
            frequencies = count_frequencies(counts)
            n_rows += len(frequencies)
            total = added_rows(total, frequencies)
            least = np.minimum(least, frequencies.min(axis=0, initial=np.inf))
            most = np.maximum(most, frequencies.max(axis=0, initial=-np.inf))
        self.means = total[0] / max(n_rows, 1)
        squares = np.zeros_like(total)
        for counts in blocks():
            squares = added_rows(squares, np.square(count_frequencies(counts) - self.means))
        # Rounding may give equal values a deviation that is not quite 0.
        self.is_constant = np.broadcast_to(least >= most, self.means.shape)
        self.deviations = np.where(self.is_constant, 0, np.sqrt(squares[0] / max(n_rows, 1)))

    def scaled(self, counts: np.ndarray) -> np.ndarray:
        """Return the z-scaled frequencies of counts (n x 136, float32)."""
        scaled = np.where(self.is_constant, 0, count_frequencies(counts) - self.means)
        return (scaled / np.where(self.is_constant, 1, self.deviations)).astype(np.float32)


def count_frequencies(counts: np.ndarray) -> np.ndarray:
    """Return counts (n x 136) with rows scaled to sum to 1 (float64); each row has a count."""
    frequencies = counts.astype(np.float64)
    return frequencies / frequencies.sum(axis=1, keepdims=True)


def added_rows(total: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return a sum (1 x m) with rows (n x m) added one after the other, so that blocks do not change its last bits."""
    return np.add.reduce(np.concatenate([total, rows]), axis=0, keepdims=True)
