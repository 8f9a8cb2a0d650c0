#!/usr/bin/env python3
"""The evidence of coverage and composition for the candidate bins of each contig, and for a genome without a bin.

Binloom's own method: docs/method.md, section 6.1, equations (1) to (8) and (42). The refine stage uses this
module.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import log
from typing import NamedTuple

import numpy as np

from bin_model import NO_BIN, Bins, Contigs, composition_evidence, log_frequencies
from coverage_evidence import (
    coverage_evidence,
    first_own_reads,
    log_sum,
    root_count_variance,
    root_counts,
    unknown_coverage_evidence,
)
from tetranucleotides import TETRANUCLEOTIDES

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# At most so many bins are compared exactly with each contig.
MAX_CANDIDATES = 32
# At most so many typical coverages stand for those of all bins, where a contig is compared with a genome without a bin.
MAX_TYPICAL_PROFILES = 32
# So many groups of contigs, by GC content, stand for the compositions of genomes without a bin.
TYPICAL_COMPOSITIONS = 16
# Contigs with fewer 4-mers are in no such group, unless all have fewer: their GC content is chance.
MIN_COMPOSITION_TETRANUCLEOTIDES = 300
# Temporary arrays have at most so many numbers: they stay in the cache of the processor. Contigs in one block share a
# length where candidates are chosen.
BLOCK_SIZE = 1 << 17


class ContigEvidence(NamedTuple):
    """The log likelihoods of the n contigs in K candidate bins each."""

    candidates: np.ndarray  # n x K, bins
    likelihood: np.ndarray  # n x K, of coverage and composition
    composition: np.ndarray  # n x K, of composition only


class NoneEvidence(NamedTuple):
    """The log likelihoods of the n contigs in a genome without a bin."""

    coverage: np.ndarray  # n
    composition: np.ndarray  # n


def evidence_of(rows: slice | np.ndarray, evidence: ContigEvidence, unknown: NoneEvidence) -> tuple:
    """Return the evidence of these contigs, of both kinds."""
    return tuple(type(kind)(*(values[rows] for values in kind)) for kind in (evidence, unknown))


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
    own = first_own_reads(contigs.reads[rows], contigs.excess_of(rows))
    root = root_counts(own / length[:, None] * middle).astype(np.float32)
    center = root_counts(bins.density * middle)
    variance = root_count_variance(bins.scatter**2 * bins.density * middle)
    score = root @ (center / variance).T.astype(np.float32) - root**2 @ (0.5 / variance).T.astype(np.float32)
    score += composition
    score -= 0.5 * (center**2 / variance + np.log(variance)).sum(axis=1)
    above = np.ptp(score) + 1
    for links in (contigs.links, contigs.pairs):
        first, last = np.searchsorted(links[0], [rows.start, rows.stop])
        source, target = links[:, first:last]
        row, b = source - rows.start, label[target]
        score[row[b != NO_BIN], b[b != NO_BIN]] += above  # above all others, and in order among themselves
    labelled = np.flatnonzero(label[rows] != NO_BIN)
    score[labelled, label[rows][labelled]] = np.inf
    return np.sort(np.argpartition(score, n_bins - MAX_CANDIDATES, axis=1)[:, -MAX_CANDIDATES:], axis=1)


def row_blocks(n: int, width: int) -> Iterator[slice]:
    """Yield slices of n rows of so many numbers, for temporary arrays of BLOCK_SIZE numbers."""
    step = max(1, BLOCK_SIZE // width)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def typical_compositions(tetranucleotides: np.ndarray) -> np.ndarray:
    """Return the log frequencies of 4-mers (Q x 136) in groups of contigs, from the least GC content to the greatest.

    tetranucleotides: counts (n x 136) of all contigs of an assembly, with and without a bin. The groups have about as
    many 4-mers each. One without contigs, where they are few, has the mean composition.
    """
    n_gc = np.array([kmer.count("G") + kmer.count("C") for kmer in TETRANUCLEOTIDES])
    total, gc = np.zeros((2, len(tetranucleotides)))
    for rows in row_blocks(*tetranucleotides.shape):
        total[rows], gc[rows] = tetranucleotides[rows].sum(axis=1), tetranucleotides[rows] @ n_gc
    rows = np.flatnonzero(total >= min(MIN_COMPOSITION_TETRANUCLEOTIDES, max(total.max(initial=0), 1)))
    rows = rows[np.argsort(gc[rows] / total[rows], kind="stable")]
    before = (np.cumsum(total[rows]) - total[rows]) / max(total[rows].sum(), 1)
    group = np.floor(before * TYPICAL_COMPOSITIONS)
    members = (tetranucleotides[rows[group == number]] for number in range(TYPICAL_COMPOSITIONS))
    counts = np.array([of_group.sum(axis=0, dtype=np.float64) for of_group in members])
    return log_frequencies(counts, counts.sum(axis=0))


def in_threads(work: Callable[[slice], None], blocks: Iterable[slice], threads: int) -> None:
    """Do the work on blocks of rows, each of which it fills, in so many threads; the result is the same with any."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, blocks):
            pass  # raises what the work raised


def contig_evidence(contigs: Contigs, bins: Bins, label: np.ndarray, threads: int = 1) -> ContigEvidence:
    """Return the log likelihoods of each contig in its candidate bins, computed in blocks of contigs."""
    n, s = contigs.reads.shape
    n_bins = len(bins.density)
    # Single precision takes half the time. The error stays below 0.001, since the weight of 4-mers saturates
    log_composition = bins.log_composition.astype(np.float32)
    shape = n, min(n_bins, MAX_CANDIDATES)
    found = ContigEvidence(*(np.empty(shape, kind) for kind in (np.int32, np.float64, np.float32)))

    def fill(rows: slice) -> None:
        length, reads, excess = contigs.length[rows], contigs.reads[rows], contigs.excess_of(rows)
        tetranucleotides = contigs.tetranucleotides[rows].astype(np.float32, copy=False)
        composition = composition_evidence(tetranucleotides, log_composition)
        candidates = candidate_bins(contigs, rows, bins, composition, label)
        composition = np.take_along_axis(composition, candidates, axis=1)
        expected = bins.density[candidates] * length[:, None, None]
        fit = coverage_evidence(reads, length, expected, bins.scatter[candidates], excess)
        for values, block in zip(found, (candidates, fit + composition, composition)):
            values[rows] = block

    in_threads(fill, row_blocks(n, max(shape[1] * s, n_bins, contigs.tetranucleotides.shape[1])), threads)
    return found


def none_evidence(
    contigs: Contigs, bins: Bins, is_bin: np.ndarray, typical_composition: np.ndarray, threads: int = 1
) -> NoneEvidence:
    """Return the log likelihoods of each contig in a genome without a bin, computed in blocks of contigs.

    is_bin (B): the clusters that are bins. Others say nothing of what genomes are like. typical_composition (Q x 136):
    from typical_compositions.
    """
    n, s = contigs.reads.shape
    typical, log_composition = bins.density[is_bin], bins.log_composition[is_bin]
    if len(typical) > MAX_TYPICAL_PROFILES:
        typical = np.quantile(typical, np.linspace(0, 1, MAX_TYPICAL_PROFILES), axis=0)
    mean_composition = np.log(np.exp(log_composition).mean(axis=0, keepdims=True)).astype(np.float32)
    typical_composition = typical_composition.astype(np.float32)
    log_composition = log_composition.astype(np.float32)
    found = NoneEvidence(np.empty(n), np.empty(n))

    def fill(rows: slice) -> None:
        length, reads, excess = contigs.length[rows], contigs.reads[rows], contigs.excess_of(rows)
        tetranucleotides = contigs.tetranucleotides[rows].astype(np.float32, copy=False)
        # A genome unlike all bins has a composition of its own: one that other contigs have, or the mean
        average = log_sum(composition_evidence(tetranucleotides, log_composition)) - log(len(log_composition))
        others = log_sum(composition_evidence(tetranucleotides, typical_composition)) - log(TYPICAL_COMPOSITIONS)
        mean = composition_evidence(tetranucleotides, mean_composition)[:, 0]
        found.composition[rows] = np.maximum(np.maximum(average, mean), others)
        found.coverage[rows] = unknown_coverage_evidence(reads, typical * length[:, None, None], excess)

    width = max(len(typical) * s, len(log_composition), contigs.tetranucleotides.shape[1])
    in_threads(fill, row_blocks(n, width), threads)
    return found


def likeliest_bins(probability: np.ndarray, candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the most probable candidate of each contig, and its probability or the logarithm (n each; of n x K)."""
    best = probability.argmax(axis=1)[:, None]
    likeliest, greatest = (np.take_along_axis(values, best, axis=1)[:, 0] for values in (candidates, probability))
    return likeliest, greatest
