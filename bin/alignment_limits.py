#!/usr/bin/env python3
"""Tells which alignments are good enough to count: by score, by identity and by mapping quality.

The preprint (Nissen et al. 2018, bioRxiv 490078) asks for a score above 50 ("Computation of abundance and
tetranucleotide frequencies") and, of the reads of its gene catalogue, for an identity of at least 95 % and a mapping
quality of at least 30 ("Binning the Integrated Gene Catalogue").

Identity is the share of matching bases among the aligned columns. The columns are those of the CIGAR in which read or
contig has a base: M, =, X, I and D. Clipped bases (S, H) and skipped ones (N) are in none. NM counts the columns that
do not match. MAP_READS uses this module.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction

import click
import pysam

from message_text import shown

# Places of M, I, D, = and X in what pysam counts of a CIGAR
ALIGNED_OPERATIONS = (0, 1, 2, 7, 8)
ALIGNED_PART = re.compile(r"(\d+)[MID=X]", re.ASCII)  # of a CIGAR as text
NO_MAPPING_QUALITY = 255  # says that it is not known (SAM specification, section 1.4)


@dataclass
class Limits:
    """What an alignment must have to count. A limit of 0 for identity or mapping quality asks for nothing."""

    min_score: int  # AS must be higher
    min_identity: Fraction = Fraction(0)  # percent, exact, so that 95 % of 100 bases are 95
    min_mapping_quality: int = 0
    is_strict: bool = field(init=False)  # whether more than the score is asked for

    def __post_init__(self) -> None:
        """Tell once what is asked of each of millions of reads."""
        self.is_strict = self.min_identity > 0 or self.min_mapping_quality > 0

    def is_identical(self, columns: int, differing: int) -> bool:
        """Tell whether an alignment of so many columns, of which some do not match, is identical enough.

        One without a column has no identity, and is not.
        """
        asked = self.min_identity.numerator * columns
        return columns > 0 and 100 * (columns - differing) * self.min_identity.denominator >= asked


def lacking(record: pysam.AlignedSegment, what: str, source: str) -> click.ClickException:
    """Return the error about a mapped record that lacks a tag."""
    return click.ClickException(
        f"{source}: read {shown(record.query_name)} is mapped but has no {what}: give the reads instead"
    )


def alignment_score(record: pysam.AlignedSegment, source: str) -> int:
    """Return the alignment score (AS tag). Raise ClickException if there is none."""
    try:
        score = record.get_tag("AS")
    except KeyError:
        score = None
    if not isinstance(score, int):
        raise lacking(record, "alignment score (AS tag)", source)
    return score


def edit_distance(record: pysam.AlignedSegment) -> int | None:
    """Return the edit distance (NM tag), or None if there is none. What is not a number of at least 0 is none."""
    try:
        differing = record.get_tag("NM")
    except KeyError:
        return None
    return differing if isinstance(differing, int) and differing >= 0 else None


def is_good(record: pysam.AlignedSegment, limits: Limits, source: str) -> bool:
    """Tell whether a mapped record has the identity and the mapping quality that the limits ask for.

    Raise ClickException if a record lacks what is asked for. `source` names the alignments.
    """
    if limits.min_mapping_quality:
        if record.mapping_quality == NO_MAPPING_QUALITY:
            raise click.ClickException(
                f"{source}: read {shown(record.query_name)} has no mapping quality ({NO_MAPPING_QUALITY}): give the "
                "reads instead, or leave --min_mapping_quality at 0"
            )
        if record.mapping_quality < limits.min_mapping_quality:
            return False
    if not limits.min_identity:
        return True
    differing = edit_distance(record)
    if differing is None:
        raise lacking(record, "edit distance (NM tag), which --min_read_identity needs", source)
    counts = record.get_cigar_stats()[0]
    return limits.is_identical(sum(counts[place] for place in ALIGNED_OPERATIONS), differing)


def is_good_alternative(cigar: str, differing: int, limits: Limits) -> bool:
    """Tell whether a hit of an XA tag, of this CIGAR and edit distance, is good enough.

    XA has no mapping qualities. bwa gives such a hit the quality 0 where it writes it as a record (`-a`), and so do we.
    """
    if limits.min_mapping_quality:
        return False
    columns = sum(int(length) for length in ALIGNED_PART.findall(cigar))
    return not limits.min_identity or limits.is_identical(columns, differing)
