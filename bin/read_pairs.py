#!/usr/bin/env python3
"""Finds pairs of reads that link two contigs: the genome that goes out of one comes in at the other.

A pair links two contigs of an assembly if
- each of its two reads is placed uniquely in the assembly: one of its alignments there has a higher score than all
  others;
- these two alignments are on different contigs, and each read points to an end of its contig;
- the bases from the starts of both reads to these ends are not more than nearly all inserts of the sample have.

The length of inserts comes from the first pairs that lie on one contig. A sample with too few of them has no links.
Libraries whose reads point away from each other (mate pairs) have none either. MAP_READS uses this module.
"""

from array import array
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import pysam

from key_counts import add_counts

READS_OF_PAIR = 2
# At most so many inserts are measured, the first ones: more make the estimate no better.
MAX_INSERTS = 20_000
# With fewer inserts, their greatest length is unknown.
MIN_INSERTS = 100
# Inserts are measured on contigs of at least this length (bp), because short ones hold only short inserts.
MIN_INSERT_CONTIG = 2000
# So many candidates are counted together, once all inserts are measured: a sample may have any number of pairs. It
# decides the memory alone.
CANDIDATES_AT_ONCE = 1 << 20
# This share of the inserts is at most as long as the bases between the two reads of a link.
INSERT_QUANTILE = 0.995


class Placed(NamedTuple):
    """The best alignment of a read in an assembly."""

    row: int  # of the contig in the catalogue
    record: pysam.AlignedSegment
    score: int  # AS
    is_unique: bool  # no other alignment of the read in the assembly is as good


class PairLinks:
    """The links between the N contigs of a catalogue by the pairs of one sample."""

    def __init__(self, length: Sequence[int], assembly: Sequence[int]) -> None:
        """Take the length (bp) of each contig, and the number of its assembly (N each)."""
        self.length = length
        self.assembly = assembly
        self.inserts = array("q")  # bp
        self.contigs = array("q")  # of each candidate: the lesser row times N plus the other
        self.spans = array("q")  # of each candidate: bases from the starts of its reads to the ends of the contigs
        self.links = np.empty((2, 0), np.int64)  # of candidates that were counted: contigs, as above, and pairs

    def add(self, alignments: Sequence[tuple[int, pysam.AlignedSegment]]) -> None:
        """Add the pair that has these alignments: all of its two reads that count, with the rows of their contigs."""
        if len(alignments) < READS_OF_PAIR:
            return
        (first, _), *others, (last, _) = alignments
        if first == last and not others and not self.is_measured(first):
            return  # as most pairs
        best: dict[tuple[int, bool], Placed] = {}  # of each assembly and read
        for row, record in alignments:
            key = self.assembly[row], record.is_read2
            score, other = record.get_tag("AS"), best.get(key)
            if other is None or score > other.score:
                # XA has no scores: there, a mapping quality of 0 says that another alignment is as good
                best[key] = Placed(row, record, score, record.mapping_quality > 0 or not record.has_tag("XA"))
            elif score == other.score:
                best[key] = other._replace(is_unique=False)
        for (assembly, is_second), one in best.items():
            other = None if is_second else best.get((assembly, True))
            if other is None or not (one.is_unique and other.is_unique):
                continue
            if one.row != other.row:
                self.contigs.append(min(one.row, other.row) * len(self.length) + max(one.row, other.row))
                self.spans.append(self.bases_to_end(one) + self.bases_to_end(other))
                if len(self.spans) >= CANDIDATES_AT_ONCE and len(self.inserts) == MAX_INSERTS:
                    self.count_candidates()
            elif self.is_measured(one.row):
                self.measure(one.record, other.record)

    def is_measured(self, row: int) -> bool:
        """Tell whether the insert of a pair on this contig is measured."""
        return len(self.inserts) < MAX_INSERTS and self.length[row] >= MIN_INSERT_CONTIG

    def measure(self, *mates: pysam.AlignedSegment) -> None:
        """Add the length of an insert that lies on one contig, if its two reads point to each other."""
        forward, reverse = sorted(mates, key=attrgetter("is_reverse"))
        if forward.is_reverse < reverse.is_reverse and forward.reference_start < reverse.reference_end:
            self.inserts.append(reverse.reference_end - forward.reference_start)

    def bases_to_end(self, read: Placed) -> int:
        """Return the bases from the start of a read to the end of the contig that it points to."""
        record = read.record
        return record.reference_end if record.is_reverse else self.length[read.row] - record.reference_start

    def count_candidates(self) -> None:
        """Count those candidates whose contigs are as near as the two ends of an insert, and forget all of them."""
        longest = np.quantile(np.array(self.inserts), INSERT_QUANTILE)
        near = np.array(self.contigs, np.int64)[np.array(self.spans) <= longest]
        self.links = np.stack(add_counts(*self.links, near, np.ones_like(near)))
        del self.contigs[:], self.spans[:]

    def counts(self) -> np.ndarray:
        """Return two contigs, the lesser row first, and the pairs that link them (3 x p int64, sorted)."""
        if len(self.inserts) < MIN_INSERTS:
            return np.empty((3, 0), np.int64)
        self.count_candidates()
        return np.stack([*np.divmod(self.links[0], len(self.length)), self.links[1]])
