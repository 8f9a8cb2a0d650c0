#!/usr/bin/env python3
"""Score bins against known genomes, by the definitions of the VAMB preprint (Benchmarking).

Every pair of a genome and a bin has a precision, the share of the bin's bases in contigs of the genome, and a recall,
the share of the genome's bases that the bin holds. A genome is found at a precision and a recall if some bin that is
large enough reaches both. A contig that several genomes share counts for each of them. A contig without truth counts
nowhere, so the size of a bin is that of its contigs with truth.

The bases of a genome are the contigs that carry it. Where the truth tells which place on the genome a contig has, they
are the positions that contigs cover, each once: two contigs of one place do not make a genome larger, or more complete.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)  # figure 3
PRECISION = 0.9  # from which a bin stands for a genome
PRECISIONS = (PRECISION, 0.95)
HIGH_QUALITY = (0.95, 0.9)  # precision and recall of a high-quality bin
MIN_BIN_SIZE = 200_000  # bp; genomes are found in bins of at least this size

# Binloom's own binnings, whose names no other may have
CLUSTERS, CUT_CLUSTERS, BINS = OWN_BINNINGS = ("clusters", "cut_clusters", "bins")

Bins = Mapping[str, set[str]]  # name of the bin -> its contigs


class Place(NamedTuple):
    """What a contig covers of a genome: positions from 1, both ends included."""

    sequence: str  # of the genome, which may have several
    start: int
    end: int


class Truth(NamedTuple):
    """What is known of the contigs: the length in bp and the genomes of each; of none or of all, the places there."""

    length: dict[str, int]
    genomes: dict[str, set[str]]
    places: Mapping[tuple[str, str], list[Place]] = {}  # by contig and genome

    def genome_sizes(self) -> dict[str, int]:
        """Return the bases of each genome that contigs carry."""
        return covered_by_genome(self.length, self)


class Pair(NamedTuple):
    """A genome and a bin that holds a contig of it."""

    bin: str
    genome: str
    bin_size: int  # bp
    bases: int  # of the bin, in contigs of the genome: precision is their share of the bin
    covered: int  # bases of the genome: recall is their share of it
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


class Score(NamedTuple):
    """What a set of bins is worth."""

    genomes: dict[float, int]  # found at precision PRECISION, by recall
    high_quality: int  # found at HIGH_QUALITY
    purity: float  # weighted by bases, over all bins
    completeness: float  # the largest share of each genome in one bin, weighted by bases
    binned: float  # share of the bases with truth that are in bins; a contig of two bins counts twice
    bins: int


def bases_by_genome(contigs: Iterable[str], truth: Truth) -> dict[str, int]:
    """Return the bases of these contigs by genome; a shared contig counts for each of its genomes."""
    bases: dict[str, int] = defaultdict(int)
    for contig in contigs:
        for genome in truth.genomes[contig]:
            bases[genome] += truth.length[contig]
    return dict(bases)


def covered_by_genome(contigs: Iterable[str], truth: Truth) -> dict[str, int]:
    """Return the bases of each genome that these contigs carry: positions, each once, where places are known."""
    if not truth.places:
        return bases_by_genome(contigs, truth)
    places: dict[str, list[Place]] = defaultdict(list)
    for contig in contigs:
        for genome in truth.genomes[contig]:
            places[genome] += truth.places[contig, genome]
    return {genome: positions_covered(found) for genome, found in places.items()}


def positions_covered(places: Iterable[Place]) -> int:
    """Return the number of positions that some of these places has."""
    covered, last, sequence = 0, 0, None
    for place in sorted(places):
        if place.sequence != sequence:
            sequence, last = place.sequence, 0
        covered += max(0, place.end - max(place.start - 1, last))
        last = max(last, place.end)
    return covered


def bin_size(contigs: Iterable[str], truth: Truth) -> int:
    """Return the bases of these contigs."""
    return sum(truth.length[contig] for contig in contigs)


def large_bins(bins: Bins, truth: Truth, min_bin_size: int = MIN_BIN_SIZE) -> dict[str, set[str]]:
    """Return the bins of at least `min_bin_size` bases with truth."""
    return {name: contigs for name, contigs in bins.items() if bin_size(contigs, truth) >= min_bin_size}


def genome_bin_pairs(bins: Bins, truth: Truth) -> Iterator[Pair]:
    """Yield every genome of every bin with its precision and recall."""
    genome_size = truth.genome_sizes()
    for name, contigs in bins.items():
        size, covered = bin_size(contigs, truth), covered_by_genome(contigs, truth)
        for genome, bases in bases_by_genome(contigs, truth).items():
            recall = covered[genome] / genome_size[genome]
            yield Pair(name, genome, size, bases, covered[genome], bases / size, recall)


def genomes_found(
    bins: Bins, truth: Truth, recall: float, precision: float = PRECISION, min_bin_size: int = MIN_BIN_SIZE
) -> set[str]:
    """Return the genomes that some bin of at least `min_bin_size` holds at this precision and recall."""
    return found_in(genome_bin_pairs(bins, truth), recall, precision, min_bin_size)


def found_in(pairs: Iterable[Pair], recall: float, precision: float, min_bin_size: int) -> set[str]:
    """Return the genomes of the pairs that reach this precision, recall and size of the bin."""
    return {
        pair.genome
        for pair in pairs
        if pair.precision >= precision and pair.recall >= recall and pair.bin_size >= min_bin_size
    }


def score_bins(bins: Bins, truth: Truth, min_bin_size: int = MIN_BIN_SIZE) -> Score:
    """Return the score of these bins."""
    return score_pairs(list(genome_bin_pairs(bins, truth)), bins, truth, min_bin_size)


def score_pairs(pairs: list[Pair], bins: Bins, truth: Truth, min_bin_size: int) -> Score:
    """Return the score of bins whose pairs are known."""
    binned = sum(bin_size(contigs, truth) for contigs in bins.values())
    largest: dict[str, int] = defaultdict(int)  # bases of the bin's largest genome
    best: dict[str, int] = defaultdict(int)  # bases of the genome in the bin that has most of it
    for pair in pairs:
        largest[pair.bin] = max(largest[pair.bin], pair.bases)
        best[pair.genome] = max(best[pair.genome], pair.covered)
    return Score(
        {recall: len(found_in(pairs, recall, PRECISION, min_bin_size)) for recall in RECALLS},
        len(found_in(pairs, HIGH_QUALITY[1], HIGH_QUALITY[0], min_bin_size)),
        sum(largest.values()) / binned if binned else 1.0,
        sum(best.values()) / sum(truth.genome_sizes().values()),
        binned / sum(truth.length.values()),
        len(bins),
    )
