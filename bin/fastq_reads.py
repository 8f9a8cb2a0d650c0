#!/usr/bin/env python3
"""Counts the reads of FASTQ files, and refuses files that are damaged, cut off or no pair.

Mappers stop at a damaged place with no more than a warning, so their output alone does not show that reads are lost.
"""

import gzip
import zlib
from collections.abc import Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import click

from message_text import one_line, shown
from stage_warnings import warn

CHUNK_BYTES = 1 << 20
LINES_PER_READ = 4
KEPT_LINES = 10  # the last read, and blank lines behind it
MAX_NAME_BYTES = 254  # that SAM and BAM have room for
MAX_READS_OF_A_NAME = 2  # in a row of one file: mates that are interleaved
# Reads of a pair that are compared. Mates of one fragment are seldom alike, and not so many in a row.
COMPARED_READS = 100


def open_fastq(path: Path) -> BinaryIO:
    """Open a file that is plain or gzipped."""
    with open(path, "rb") as plain:
        is_gzipped = plain.read(2) == b"\x1f\x8b"
    return gzip.open(path) if is_gzipped else open(path, "rb")


def check_name_length(path: Path, name: bytes) -> None:
    """Raise ClickException if the name of a read is too long for SAM."""
    if len(name) > MAX_NAME_BYTES:
        raise click.ClickException(
            f"{path}: the name of a read has {len(name)} characters ({shown(name.decode(errors='replace'))}), "
            f"and SAM allows {MAX_NAME_BYTES}: shorten the names"
        )


def check_every_name(paths: Sequence[Path]) -> None:
    """Raise ClickException for the first name that is too long in files that `count_fastq` has read.

    It reads each file line by line, which takes some time: it is for reads that a mapper could not map.
    """
    for path in paths:
        with open_fastq(path) as lines:
            for header in islice(lines, 0, None, LINES_PER_READ):
                check_name_length(path, (header.split(maxsplit=1) or [b""])[0][1:])


def check_names(path: Path, text: bytes) -> None:
    """Raise ClickException if names at the beginning of a FASTQ are too long, or many reads have one name.

    Mappers abort at such names, or count all reads of a name as one. Names of one file are alike, so its beginning
    tells.
    """
    # The last header may be cut off.
    names = [(line.split() or [b""])[0][1:] for line in text.split(b"\n")[:-1:LINES_PER_READ]]
    check_name_length(path, max(names, key=len, default=b""))
    name, n_reads = max(((name, len(list(same))) for name, same in groupby(names)), key=itemgetter(1), default=(b"", 0))
    if n_reads > MAX_READS_OF_A_NAME:
        raise click.ClickException(
            f"{path}: {n_reads} reads in a row are named {shown(name.decode(errors='replace'))}: give each read, or "
            "each pair, a name of its own"
        )


def count_fastq(path: Path) -> int:
    """Return the number of reads of a FASTQ file (plain or gzipped) of four lines per read.

    Raise ClickException for a file that is not FASTQ, is damaged or is cut off.
    """
    lines, ending, last_lines = 0, b"", b""
    try:
        with open_fastq(path) as handle:
            while chunk := handle.read(CHUNK_BYTES):
                if not lines and chunk[:1] != b"@":
                    raise click.ClickException(f"{path}: is not FASTQ: it begins with {chunk[:1]!r}, not with '@'")
                if not lines:
                    check_names(path, chunk)
                # A chunk's line ends are counted with the next chunk, so that those at the end of the file are not.
                text = ending + chunk
                last_lines = b"\n".join((last_lines + chunk).rsplit(b"\n", KEPT_LINES)[-KEPT_LINES:])
                body = text.rstrip(b"\r\n")
                lines = max(lines, 1) + body.count(b"\n")
                ending = text[len(body) :]
    except (OSError, EOFError, zlib.error) as error:
        raise click.ClickException(f"{path}: is damaged or cut off ({one_line(error)}): copy it again") from error
    if lines % LINES_PER_READ == 0:
        check_last_read(path, last_lines)
    # The last read may be empty: then its quality is a blank line, which counts.
    lines += max(0, min(-lines % LINES_PER_READ, ending.count(b"\n") - 1))
    if lines % LINES_PER_READ:
        advice = "copy it again if it was cut off, or write each sequence and quality on one line"
        raise click.ClickException(f"{path}: has {lines} lines, which is not four per read: {advice}")
    return lines // LINES_PER_READ


def check_last_read(path: Path, text: bytes) -> None:
    """Raise ClickException if a FASTQ, whose last lines are given, is cut off within the qualities of its last read."""
    lines = text.rstrip(b"\r\n").split(b"\n")[-LINES_PER_READ:]
    if len(lines) == LINES_PER_READ and len(lines[3].strip()) != len(lines[1].strip()):
        name = lines[0][1:].split(maxsplit=1)[:1] or [b""]
        raise click.ClickException(
            f"{path}: its last read, {shown(name[0].decode(errors='replace'))}, has {len(lines[1].strip())} bases and "
            f"{len(lines[3].strip())} qualities: copy the file again, it was cut off"
        )


def fastq_reads(paths: Sequence[Path]) -> int:
    """Return the number of reads of one FASTQ file or of a pair. Raise ClickException if the two of a pair differ.

    Warn if the two hold the same reads.
    """
    counts = [count_fastq(path) for path in paths]
    if len(set(counts)) > 1:
        has = ", ".join(f"{path} has {count} reads" for path, count in zip(paths, counts, strict=True))
        raise click.ClickException(f"{has}: give both files of the same run, complete")
    sequences = [first_lines(path, 1) for path in paths]
    if len(paths) > 1 and sequences[0] and all(other == sequences[0] for other in sequences[1:]):
        warn(
            f"{' and '.join(map(str, paths))} begin with the same reads, so one is a copy of the other: give the first "
            "and the second reads of the run"
        )
    return sum(counts)


def first_lines(path: Path, place: int) -> list[bytes]:
    """Return the line at this place (0: name, 1: sequence) of the first COMPARED_READS reads of a FASTQ file.

    `count_fastq` has read the file.
    """
    with open_fastq(path) as handle:
        return [line.strip() for line in islice(handle, place, LINES_PER_READ * COMPARED_READS, LINES_PER_READ)]


def check_mates(paths: Sequence[Path]) -> None:
    """Raise ClickException if the first reads of two files are no mates: their names differ, but for /1 and /2.

    It is for a mapper that does not tell the names of the reads.
    """
    names = []
    for number, path in enumerate(paths, 1):
        words = [(line.split() or [b""])[0] for line in first_lines(path, 0)]
        names.append([word.removesuffix(b"/%d" % number) for word in words])
    for name, *others in zip(*names):
        if others and others != [name]:
            raise click.ClickException(
                f"{', '.join(map(str, paths))}: read {shown(name[1:].decode(errors='replace'))} stands beside a mate "
                "of another name: give both files of the same run, in the same order and with the same names "
                "(but for /1 and /2)"
            )
