#!/usr/bin/env python3
"""Counts the reads of FASTQ files, and refuses files that are damaged, cut off or no pair.

Mappers stop at a damaged place with no more than a warning, so their output alone does not show that reads are lost.
"""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import click

CHUNK_BYTES = 1 << 20
LINES_PER_READ = 4


def count_fastq(path: Path) -> int:
    """Return the number of reads of a FASTQ file (plain or gzipped) of four lines per read.

    Raise ClickException for a file that is not FASTQ, is damaged or is cut off.
    """
    lines, ending = 0, b""
    try:
        with open(path, "rb") as plain:
            gzipped = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if gzipped else open(path, "rb") as handle:
            while chunk := handle.read(CHUNK_BYTES):
                if not lines and chunk[:1] != b"@":
                    raise click.ClickException(f"{path}: is not FASTQ: it begins with {chunk[:1]!r}, not with '@'")
                # A chunk's line ends are counted with the next chunk, so that those at the end of the file are not.
                text = ending + chunk
                body = text.rstrip(b"\r\n")
                lines = max(lines, 1) + body.count(b"\n")
                ending = text[len(body) :]
    except (OSError, EOFError, zlib.error) as error:
        raise click.ClickException(f"{path}: is damaged or cut off ({error}): copy it again") from error
    # The last read may be empty: then its quality is a blank line, which counts.
    lines += max(0, min(-lines % LINES_PER_READ, ending.count(b"\n") - 1))
    if lines % LINES_PER_READ:
        advice = "copy it again if it was cut off, or write each sequence and quality on one line"
        raise click.ClickException(f"{path}: has {lines} lines, which is not four per read: {advice}")
    return lines // LINES_PER_READ


def fastq_reads(paths: Sequence[Path]) -> int:
    """Return the number of reads of one FASTQ file or of a pair. Raise ClickException if the two of a pair differ."""
    counts = [count_fastq(path) for path in paths]
    if len(set(counts)) > 1:
        has = ", ".join(f"{path} has {count} reads" for path, count in zip(paths, counts, strict=True))
        raise click.ClickException(f"{has}: give both files of the same run, complete")
    return sum(counts)
