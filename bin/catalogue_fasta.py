#!/usr/bin/env python3
"""Read the catalogue of a group (catalogue.fa.gz) and hold it against its table (contigs.tsv).

`catalogue_sequences` is how every stage reads the catalogue. The two files must list the same contigs in the same order
and length.
"""

import itertools
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pandas as pd

from message_text import one_line, shown

READ_BYTES = 1 << 20  # of the gzipped file that are inflated at once
REMEDY = "give both as one run of the catalogue stage wrote them"


def catalogue_sequences(path: Path, contigs: pd.DataFrame, contigs_path: Path) -> Iterator[bytes]:
    """Yield the sequence of each contig of contigs.tsv, in its order.

    Raise ClickException if the catalogue is damaged, and for the first contig in which the two differ: in name, length
    or number.
    """
    expected = zip(contigs["contig"], contigs["length"], strict=True)
    for name, sequence in read_catalogue(path):
        wanted, length = next(expected, (None, 0))
        found = f"{path}: contig {shown(name)} of {len(sequence)} bp stands where {contigs_path}"
        if wanted is None:
            raise click.ClickException(f"{found} ends; {REMEDY}")
        if name != wanted or len(sequence) != length:
            raise click.ClickException(f"{found} has contig {shown(wanted)} of {length} bp; {REMEDY}")
        yield sequence
    wanted, length = next(expected, (None, 0))
    if wanted is not None:
        raise click.ClickException(
            f"{path}: ends where {contigs_path} has contig {shown(wanted)} of {length} bp; {REMEDY}"
        )


def read_catalogue(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and sequence of each contig of the catalogue; raise ClickException if it is damaged.

    A thread of its own inflates the file, one block ahead.
    """
    blocks = itertools.chain(inflate(path), [b"\n"])
    name, parts, rest = None, [], b""
    is_within = False  # whether a block begins within a line, where a '>' is no header
    try:
        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(next, blocks, None)
            while (block := following.result()) is not None:
                following = reader.submit(next, blocks, None)
                *lines, rest = (rest + block).split(b"\n")
                # A name is needed whole; of a sequence, which may be long, any part will do.
                goes_on = is_within and not lines
                is_sequence = goes_on or not rest.startswith(b">")
                if is_sequence:
                    lines.append(rest)
                for number, line in enumerate(lines):
                    if not line.startswith(b">") or (is_within and number == 0):
                        parts.append(line)
                        continue
                    if name is not None:
                        yield name, b"".join(parts)
                    elif any(parts):
                        raise ValueError("it does not begin with '>'")
                    name, parts = line[1:].decode("ascii"), []
                is_within = is_sequence and (goes_on or rest != b"")
                if is_sequence:
                    rest = b""
    except (OSError, ValueError, zlib.error) as error:
        raise click.ClickException(f"{path}: is damaged ({one_line(error)}); make it again") from error
    if name is not None:
        yield name, b"".join(parts)


def inflate(path: Path) -> Iterator[bytes]:
    """Yield what a gzipped file holds, some MB at a time; raise OSError or zlib.error if it is damaged.

    gzip.open lets other threads run for 30 kB at a time only, which gains nothing.
    """
    with open(path, "rb") as file:
        stream, is_whole = zlib.decompressobj(zlib.MAX_WBITS | 16), True
        for block in iter(lambda: file.read(READ_BYTES), b""):
            rest = block
            while rest:
                yield stream.decompress(rest)
                rest, is_whole = stream.unused_data, stream.eof
                if is_whole:
                    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    if not is_whole:
        raise OSError("it ends early")
