#!/usr/bin/env python3
"""Check that the index of a mapper is whole and holds the contigs of a catalogue.

minimap2's index is one file of one part or several, each with a header, the name and length of each sequence, the
minimizers in buckets, and the sequences (`mm_idx_dump` of minimap2). Every section is read, the end of the last has to
be the end of the file, and each sequence has to be that of the catalogue. bwa's index is five files, whose sizes follow
from the number of bases (`bwt_dump_bwt`, `bwt_dump_sa` and `bns_dump` of bwa).
"""

import mmap
import struct
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from catalogue_fasta import read_catalogue
from message_text import shown
from output_files import DISK_REMEDY

MMI_MAGIC = b"MMI\2"
MMI_HEADER = struct.Struct("<5I")  # window, k-mer, bits of the number of buckets, number of sequences, flags
MMI_WITHOUT_SEQUENCES = 2  # flag
MAX_BUCKET_BITS = 32  # minimap2 takes 14 by default; its hashes have no more
UINT32 = struct.Struct("<I")
MINIMIZER_BYTES = 8
HASH_ENTRY_BYTES = 16
BASES_PER_WORD = 8  # of 4 bytes: a base takes 4 bits
# minimap2's number of each letter; all that are not listed are 4.
BASE_CODES = np.full(256, 4, np.uint8)
BASE_CODES[list(b"ACGTU")] = 0, 1, 2, 3, 3

BWA_BASES_PER_BYTE = 4  # of .pac
BWA_OCCURRENCE_INTERVAL = 128  # .bwt counts the letters up to every 128th
BWA_OCCURRENCE_WORDS = 8  # of 4 bytes: four counts of 8 bytes
BWT_HEADER_BYTES = 40  # the primary row and four cumulated counts, of 8 bytes each
SA_HEADER_BYTES = 56  # the same, the interval and the length
SA_INTERVAL_OFFSET = 40


class IndexedContig(NamedTuple):
    """A contig of an index."""

    name: str
    length: int  # bp
    codes: np.ndarray | None  # minimap2's number of each base (uint8), if the index is read for bases


def damaged(path: Path, what: str) -> click.ClickException:
    """Return the error about an index that is not whole."""
    return click.ClickException(f"{path}: is damaged or cut off: {what}; the disk may be full: {DISK_REMEDY}")


def read_sequence_table(data: mmap.mmap, n_sequences: int, offset: int) -> tuple[list[str], list[int], int]:
    """Return the names and lengths (bp) of the sequences in a minimap2 index, and the offset behind them.

    Raise struct.error or UnicodeDecodeError if the table is damaged.
    """
    names, lengths = [], []
    for _ in range(n_sequences):
        end = offset + 1 + data[offset] if offset < len(data) else offset + 1
        lengths.append(UINT32.unpack_from(data, end)[0])
        names.append(data[offset + 1 : end].decode("ascii"))
        offset = end + UINT32.size
    return names, lengths, offset


def end_of_buckets(data: mmap.mmap, bucket_bits: int, offset: int) -> int:
    """Return the offset behind the buckets of a minimap2 index. Raise struct.error if the file ends in one."""
    for _ in range(1 << bucket_bits):
        offset += UINT32.size + MINIMIZER_BYTES * UINT32.unpack_from(data, offset)[0]
        offset += UINT32.size + HASH_ENTRY_BYTES * UINT32.unpack_from(data, offset)[0]
    return offset


def read_part(path: Path, data: mmap.mmap, begin: int) -> tuple[list[str], list[int], np.ndarray, int]:
    """Read the part of a minimap2 index that begins at an offset: names, lengths (bp), packed bases (uint8), its end.

    Raise ClickException, ValueError or struct.error unless its sections are in the file.
    """
    magic = data[begin : begin + len(MMI_MAGIC)]
    if magic != MMI_MAGIC:
        raise damaged(path, f"it has {magic!r} in place of {MMI_MAGIC!r}")
    _, _, bucket_bits, n_sequences, flags = MMI_HEADER.unpack_from(data, begin + len(MMI_MAGIC))
    if bucket_bits > MAX_BUCKET_BITS:
        raise damaged(path, f"it has 2^{bucket_bits} buckets")
    names, lengths, offset = read_sequence_table(data, n_sequences, begin + len(MMI_MAGIC) + MMI_HEADER.size)
    offset = end_of_buckets(data, bucket_bits, offset)
    end = offset + UINT32.size * -(-sum(lengths) // BASES_PER_WORD)
    if flags & MMI_WITHOUT_SEQUENCES or end > len(data):
        raise damaged(path, f"it has {len(data)} bytes in place of {end} or more")
    packed = np.memmap(path, np.uint8, "r", offset, (end - offset,)) if end > offset else np.empty(0, np.uint8)
    return names, lengths, packed, end


def read_minimap2(path: Path) -> Iterator[IndexedContig]:
    """Yield the contigs of a minimap2 index. Raise ClickException unless its parts fill the file."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            end = 0
            while end == 0 or end < len(data):
                names, lengths, packed, end = read_part(path, data, end)
                begin = 0
                for name, length in zip(names, lengths, strict=True):
                    yield IndexedContig(name, length, packed_bases(packed, begin, begin + length))
                    begin += length
                data.madvise(mmap.MADV_DONTNEED)  # what was read of the file counts as memory of this process otherwise
    except (OSError, ValueError, struct.error) as error:
        raise damaged(path, str(error)) from error


def packed_bases(packed: np.ndarray, begin: int, end: int) -> np.ndarray:
    """Return the bases from `begin` to `end` as minimap2's numbers (uint8). A byte has two, the lower bits first."""
    both = packed[begin // 2 : -(-end // 2)]
    bases = np.empty(2 * len(both), np.uint8)
    bases[::2], bases[1::2] = both & 0xF, both >> 4
    return bases[begin % 2 : begin % 2 + end - begin]


def check_minimap2(path: Path, catalogue: Path) -> int:
    """Return the number of contigs of a minimap2 index.

    Raise ClickException unless the index is whole and holds the contigs of the catalogue: names, lengths and bases.
    """
    return check_contigs(path, read_minimap2(path), catalogue)


def check_contigs(path: Path, indexed: Iterable[IndexedContig], catalogue: Path) -> int:
    """Return the number of contigs. Raise ClickException where index and catalogue differ."""
    n_contigs = 0
    for found, contig in zip_longest(indexed, read_catalogue(catalogue)):
        name, sequence = contig or (None, b"")
        if not found or (found.name, found.length) != (name, len(sequence)):
            has = f"contig {shown(found.name)} of {found.length} bp" if found else "no further contig"
            wanted = f"contig {shown(name)} of {len(sequence)} bp" if contig else "no further contig"
            raise damaged(path, f"it has {has} where {catalogue} has {wanted}")
        if found.codes is not None and (found.codes != BASE_CODES[np.frombuffer(sequence, np.uint8)]).any():
            raise damaged(path, f"contig {shown(name)} has other bases than in {catalogue}")
        n_contigs += 1
    return n_contigs


def text_lines(path: Path) -> list[str]:
    """Return the lines of one of bwa's text files. Raise ClickException if it is not text that ends with a line."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from error
    if not text.endswith("\n"):
        raise damaged(path, "its last line has no end")
    return text.splitlines()


def read_annotation(path: Path) -> tuple[list[str], list[int]]:
    """Return the names and lengths (bp) of the sequences in bwa's .ann. Raise ClickException if it is not whole."""
    first, *lines = text_lines(path)
    try:
        n_bases, n_sequences, _ = map(int, first.split())
        names = [line.split()[1] for line in lines[::2]]
        lengths = [int(line.split()[1]) for line in lines[1::2]]
    except (ValueError, IndexError) as error:
        raise damaged(path, str(error)) from error
    if not len(names) == len(lengths) == n_sequences or sum(lengths) != n_bases:
        raise damaged(path, f"its first line tells of {n_sequences} sequences and {n_bases} bp, which do not follow")
    return names, lengths


def bwa_sizes(n_bases: int, interval: int) -> dict[str, int]:
    """Return the bytes of bwa's binary files. `interval` is that of the suffix array."""
    n_letters = 2 * n_bases  # both strands
    occurrences = -(-n_letters // BWA_OCCURRENCE_INTERVAL) + 1
    bwt_words = -(-n_letters // 16) + BWA_OCCURRENCE_WORDS * occurrences
    return {
        "pac": n_bases // BWA_BASES_PER_BYTE + 2,
        "bwt": BWT_HEADER_BYTES + 4 * bwt_words,
        "sa": SA_HEADER_BYTES + 8 * (n_letters // interval),
    }


def check_ambiguities(path: Path, n_bases: int, n_sequences: int) -> None:
    """Raise ClickException unless bwa's .amb has the line of each run of ambiguous bases that it tells of."""
    first, *lines = text_lines(path)
    if first.split() != [str(number) for number in (n_bases, n_sequences, len(lines))]:
        raise damaged(
            path, f"its first line {shown(first)} does not fit its {len(lines)} others, or the .ann beside it"
        )


def check_bwa(prefix: Path, catalogue: Path) -> int:
    """Return the number of contigs of a bwa index.

    Raise ClickException unless all five files are whole and of the contigs of the catalogue: names and lengths.
    """
    paths = {kind: prefix.with_name(f"{prefix.name}.{kind}") for kind in ("ann", "amb", "pac", "bwt", "sa")}
    names, lengths = read_annotation(paths["ann"])
    check_ambiguities(paths["amb"], sum(lengths), len(names))
    try:
        with open(paths["sa"], "rb") as file:
            (interval,) = struct.unpack_from("<Q", file.read(SA_HEADER_BYTES), SA_INTERVAL_OFFSET)
    except (OSError, struct.error) as error:
        raise damaged(paths["sa"], str(error)) from error
    for kind, size in bwa_sizes(sum(lengths), max(1, interval)).items():
        found = paths[kind].stat().st_size if paths[kind].exists() else 0
        if found != size:
            raise damaged(paths[kind], f"it has {found} bytes, not {size}")
    indexed = (IndexedContig(name, length, None) for name, length in zip(names, lengths, strict=True))
    return check_contigs(paths["ann"], indexed, catalogue)
