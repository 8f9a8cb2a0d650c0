#!/usr/bin/env python3
"""Counts the reads of one sample on every contig of the catalogue.

The rules follow the preprint (Nissen et al. 2018, bioRxiv 490078), section "Computation of abundance and
tetranucleotide frequencies":
- A read counts once on every contig where it has an alignment that is good enough (alignment_limits.py): with a score
  (AS) above the minimum and, if asked for, of some identity and mapping quality. Alternative hits (the XA tag, and
  secondary and supplementary records) count as the primary hit does. XA gives no scores, so its hits count only if the
  record that carries them does.
- The two reads of a pair count independently. A read whose mate is unmapped counts twice.

Records flagged as duplicates or as failing quality control are seen, but not counted.

The same stream shows which contigs are linked by pairs (read_pairs.py).

All records of a read name have to stand together, and a name belongs to one read or pair. What breaks either rule would
be counted wrong without a word, so it is refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd
import pysam

from alignment_limits import Limits, alignment_score, edit_distance, is_good, is_good_alternative
from message_text import shown
from read_pairs import PairLinks

# Bits of a record's flag (SAM specification, section 1.4).
PAIRED, UNMAPPED, MATE_UNMAPPED, READ1, READ2 = 0x1, 0x4, 0x8, 0x40, 0x80
SECONDARY, QC_FAIL, DUPLICATE, SUPPLEMENTARY = 0x100, 0x200, 0x400, 0x800
NOT_PRIMARY = SECONDARY | SUPPLEMENTARY
NOT_COUNTED = UNMAPPED | QC_FAIL | DUPLICATE
MATE_LOST = PAIRED | MATE_UNMAPPED
READ_ENDS = READ1 | READ2
SINGLE_READ = 0x1  # stands for a primary record that is neither end of a pair
# Such a name lacks records, which may stand elsewhere: it has no primary record at all, or that of one end of a pair.
LACKING_ENDS = (0, READ1, READ2)
# The first read names of a file are remembered, so that one that comes again is noticed: about 100 MB. Where a file is
# sorted by position, mates follow each other within some hundred records.
MAX_REMEMBERED_NAMES = 1_000_000
# One alternative hit of an XA tag: contig, strand and position, CIGAR, edit distance.
XA_HIT = re.compile(r"([^,]+),[-+]?\d+,([^,;]*),(\d+);", re.ASCII)
END_OF_CONTIG = 2**32 - 1  # beyond the end of any contig of a BAM


@dataclass
class Tally:
    """The counts of one sample.

    `reads`, `bases` and `edits` hold one number per contig of the catalogue. `bases` are the aligned bases (CIGAR M, =
    and X) of primary and supplementary records that count, and `edits` the sum of the edit distances (NM tag) of the
    same records. `without_edits` is how many of them have no such tag; they add no edits. `seen` and `mapped` are
    numbers of primary records, `counted` is the number of reads with at least one counted alignment, and `alignments`
    that of the different pairs of a read and a contig. `unpaired` is the first read name that came without both reads
    of a pair. `pairs` is None where no links by pairs are asked for.
    """

    reads: list[int]
    bases: list[int]
    edits: list[int]
    pairs: PairLinks | None
    seen: int = 0
    mapped: int = 0
    counted: int = 0
    alignments: int = 0
    without_edits: int = 0
    unpaired: str | None = None


class References(NamedTuple):
    """The catalogue's row of each contig in the header of an alignment file, by name and by number."""

    row_by_name: dict[str, int]
    row_by_number: list[int]


def match_references(lengths: dict[str, int], contigs: pd.DataFrame, source: str, contigs_path: Path) -> References:
    """Return the catalogue row of each contig of a header (name -> bp). The two orders may differ.

    The header has the catalogue's names or, where those are unique in the group, the assembler's.
    Raise ClickException naming the first contig that is only on one side or has two lengths.
    """
    schemes = [contigs["contig"]]
    if contigs["name"].is_unique:
        schemes.append(contigs["name"])
    names = max(schemes, key=lambda scheme: scheme.isin(lengths).sum())
    rows = {name: row for row, name in enumerate(names)}
    expected = dict(zip(names, contigs["length"], strict=True))
    differing = [name for name in lengths if lengths[name] != expected.get(name)]
    differing += [name for name in names if name not in lengths]
    if differing:
        name = differing[0]
        has, wanted = (f"{table[name]} bp" if name in table else "absent" for table in (lengths, expected))
        raise click.ClickException(
            f"{source}: {shown(name)} is {has} in its header, but {wanted} in {contigs_path}: map to this group's "
            "contigs, or give the reads instead"
        )
    return References(rows, [rows[name] for name in lengths])


def alternative_rows(record: pysam.AlignedSegment, references: References, limits: Limits, source: str) -> list[int]:
    """Return the catalogue row of each hit in the XA tag that is good enough.

    Raise ClickException for a contig not in the header.
    """
    tag = record.get_tag("XA")
    hits = XA_HIT.findall(tag) if isinstance(tag, str) else []
    for name, _, _ in hits:
        if name not in references.row_by_name:
            raise click.ClickException(
                f"{source}: read {shown(record.query_name)} has an alternative hit (XA tag) on {shown(name)}, "
                "which is not in the header: give the reads instead"
            )
    if limits.is_strict:
        hits = [hit for hit in hits if is_good_alternative(hit[1], int(hit[2]), limits)]
    return [references.row_by_name[name] for name, _, _ in hits]


def count_read_name(
    tally: Tally, records: Iterable[pysam.AlignedSegment], references: References, limits: Limits, source: str
) -> int:
    """Add all records of one read name (a read, or the two of a pair) to the tally. Return which ends it has.

    That is READ1, READ2 and SINGLE_READ of its primary records, combined by "or". Several reads of a name are refused.
    """
    of_pair: list[tuple[int, pysam.AlignedSegment]] = []
    times: dict[int, int] = {}  # how often (1 or 2) a read counts on a contig; the key is 2 * row + (is second read)
    ends, min_score, is_strict, with_pairs = 0, limits.min_score, limits.is_strict, tally.pairs is not None
    for record in records:
        if not (flag := record.flag) & NOT_PRIMARY:
            end = flag & READ_ENDS or SINGLE_READ
            if ends & end and not flag & UNMAPPED:
                raise shared_name(record.query_name, source)
            ends |= end
            tally.seen += 1
            tally.mapped += not flag & UNMAPPED
        if flag & NOT_COUNTED or record.reference_id < 0 or alignment_score(record, source) <= min_score:
            continue
        if is_strict and not is_good(record, limits, source):
            continue
        row = references.row_by_number[record.reference_id]
        rows = [row, *alternative_rows(record, references, limits, source)] if record.has_tag("XA") else [row]
        if flag & PAIRED and not flag & SUPPLEMENTARY and with_pairs:
            of_pair.append((row, record))
        is_second, weight = flag & READ2 > 0, 1 + (flag & MATE_LOST == MATE_LOST)
        for each in rows:
            key = 2 * each + is_second
            if times.get(key, 0) < weight:
                times[key] = weight
        if not flag & SECONDARY and (bases := record.get_overlap(0, END_OF_CONTIG)):
            tally.bases[row] += bases
            if differing := edit_distance(record):
                tally.edits[row] += differing
            elif differing is None:
                tally.without_edits += 1
    add_reads(tally, times, of_pair)
    return ends


def add_reads(tally: Tally, times: dict[int, int], of_pair: list[tuple[int, pysam.AlignedSegment]]) -> None:
    """Add how often the reads of one name count, and the links by their pair, as `count_read_name` collects both."""
    for key, weight in times.items():
        tally.reads[key // 2] += weight
    tally.counted += len({key % 2 for key in times})
    tally.alignments += len(times)
    if of_pair:
        tally.pairs.add(of_pair)


def shared_name(name: str | None, source: str) -> click.ClickException:
    """Return the error about a read name that several reads have."""
    if name in (None, "*"):
        return click.ClickException(f"{source}: its reads have no names: give the reads instead")
    return click.ClickException(
        f"{source}: several reads are named {shown(name)}: give each read, or each pair, a name of its own, and the "
        "mates of pairs as two files or as a BAM of paired reads"
    )


def scattered_name(name: str, source: str) -> click.ClickException:
    """Return the error about a read name with records that stand apart."""
    return click.ClickException(
        f"{source}: the records of read {shown(name)} do not stand together, although its header says so (it is not "
        "SO:coordinate): run `samtools collate` or `samtools sort -n` on it"
    )


def check_counted(tally: Tally, source: str) -> None:
    """Raise ClickException if more reads are counted than are mapped."""
    if tally.counted > tally.mapped:
        raise click.ClickException(
            f"{source}: {tally.counted} reads are counted, but only {tally.mapped} have a mapped primary record: the "
            "file lacks records or is in a wrong order; give the reads instead"
        )


def count_alignments(
    alignments: pysam.AlignmentFile,
    contigs: pd.DataFrame,
    contigs_path: Path,
    limits: Limits,
    source: str,
    with_pairs: bool = True,
) -> Tally:
    """Count alignments in which all records of a read stand together. `source` is their name in errors.

    Raise ClickException if they do not, and for reads without names of their own.
    """
    lengths = dict(zip(alignments.references, alignments.lengths, strict=True))
    references = match_references(lengths, contigs, source, contigs_path)
    assembly = pd.factorize(contigs["assembly"])[0].tolist()
    pairs = PairLinks(contigs["length"].tolist(), assembly) if with_pairs else None
    tally = Tally(*([0] * len(contigs) for _ in range(3)), pairs)
    # The hash of each name, and whether it lacks records. Two single reads of one name may stand apart: each is whole.
    seen: dict[int, bool] = {}
    for name, records in groupby(alignments, attrgetter("query_name")):
        ends = count_read_name(tally, records, references, limits, source)
        key, is_lacking = hash(name), ends in LACKING_ENDS
        if key in seen and (is_lacking or seen[key]):
            raise scattered_name(name, source)
        if len(seen) < MAX_REMEMBERED_NAMES:
            seen[key] = is_lacking
        if tally.unpaired is None and ends & READ_ENDS != READ_ENDS:
            tally.unpaired = name
    check_counted(tally, source)
    return tally
