#!/usr/bin/env python3
"""Decide which reference genome a contig is from, by its alignments (preprint, Assigning ground truth).

An alignment counts from 500 bp and an identity of 95 % on. A contig is of the genome that most of it aligns to, if that
is more than twice of what aligns to any other. Otherwise it is of the genome of the highest identity, if that genome is
longer than 10 kbp, aligns to at least 90 % of what the longest aligns to, and has an identity that is at least 0.05 %
above the second highest. If neither holds, nothing is known of the contig.

The preprint aligns to contigs of the genomes. Here a genome may have several sequences and alignments: what aligns are
the contig's positions in any of them, each once, and the identity is that of all aligned bases.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bin_scores import Place, positions_covered

MIN_ALIGNED = 500  # bp of an alignment
MIN_IDENTITY = 95.0  # per cent, of an alignment
LONGER = 2  # times what aligns to any other genome; more than that
MIN_GENOME_LENGTH = 10_000  # bp; more than that
MIN_OF_LONGEST = 0.9  # of what aligns to the genome that most aligns to
MIN_LEAD = 0.05  # per cent of identity above the second highest
PER_CENT = 100
ROUNDING = 1e-9  # of a difference between two shares, which is no evidence


class Alignment(NamedTuple):
    """A local alignment of a contig to a genome."""

    genome: str
    length: int  # columns of the alignment
    identical: int  # of these
    start: int  # on the contig, from 1
    end: int  # included


class Aligned(NamedTuple):
    """All that aligns of a contig to a genome."""

    genome: str
    bases: int  # of the contig
    identity: float  # per cent


def counts(alignment: Alignment) -> bool:
    """Return whether an alignment is long and alike enough."""
    is_alike = PER_CENT * alignment.identical >= MIN_IDENTITY * alignment.length
    return alignment.length >= MIN_ALIGNED and is_alike


def by_genome(alignments: Iterable[Alignment]) -> list[Aligned]:
    """Return what aligns of a contig to each genome, by the alignments that count."""
    found: dict[str, list[Alignment]] = defaultdict(list)
    for alignment in alignments:
        if counts(alignment):
            found[alignment.genome].append(alignment)
    return [
        Aligned(
            genome,
            positions_covered(Place("", *sorted((one.start, one.end))) for one in same),
            PER_CENT * sum(one.identical for one in same) / sum(one.length for one in same),
        )
        for genome, same in found.items()
    ]


def genome_of(alignments: Iterable[Alignment], genome_length: Mapping[str, int]) -> str | None:
    """Return the genome that a contig is from, None if that is not known; genome_length: bp of each genome."""
    aligned = by_genome(alignments)
    if not aligned:
        return None
    by_length = sorted(aligned, key=lambda one: one.bases, reverse=True)
    longest = by_length[0]
    if len(aligned) == 1 or longest.bases > LONGER * by_length[1].bases:
        return longest.genome
    most_alike, second = sorted(aligned, key=lambda one: one.identity, reverse=True)[:2]
    is_accepted = (
        genome_length[most_alike.genome] > MIN_GENOME_LENGTH
        and most_alike.bases >= MIN_OF_LONGEST * longest.bases
        and most_alike.identity - second.identity >= MIN_LEAD - ROUNDING
    )
    return most_alike.genome if is_accepted else None
