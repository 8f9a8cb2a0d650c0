#!/usr/bin/env python3
"""Say how minimap2 is run: what it reports of each kind of reads, and an index in parts for a large catalogue.

The index is held in memory while it is made and while reads are mapped. So a catalogue of more than PART_BASES has an
index of several parts, of which one is in memory at a time. minimap2 then maps all reads to each part, keeps what it
found in files, and ranks the hits of a read in all parts together at the end (`--split-prefix`). Each further part
costs about a quarter of the time of mapping to one (docs/scale.md).
"""

from collections.abc import Sequence
from pathlib import Path

# minimap2 ends a part behind the batch of 50 Mbp that exceeds this. The sizes of its tables are powers of two: the
# minimizers of short reads, one for 6.2 bases, nearly fill them with 2.5 Gbp, and with more they are twice as large.
PART_BASES = 2_400_000_000

# minimap2 prints no secondary hits of short reads by default. -p 0.8 is the ratio of scores down to which bwa mem
# lists a hit in XA, so that both mappers report alike; -N 20 is the number of hits that -x sr examines. For long reads
# -N 5 and -p 0.8 are minimap2's defaults, written out.
LONG_READ_HITS = ("--secondary=yes", "-N", "5", "-p", "0.8")
SHORT_READ_HITS = ("--secondary=yes", "-N", "20", "-p", "0.8")
HITS = {"sr": SHORT_READ_HITS, "map-ont": LONG_READ_HITS, "map-hifi": LONG_READ_HITS}
PRIMARY_HITS = ("--secondary=no",)


def index_command(preset: str, catalogue: Path, index: Path, threads: int) -> list[str]:
    """Return the command line that makes the index of a catalogue."""
    return ["minimap2", "-x", preset, "-I", str(PART_BASES), "-t", str(threads), "-d", str(index), str(catalogue)]


def map_command(preset: str, secondary: bool, bases: int, threads: int, extra: Sequence[str]) -> list[str]:
    """Return the command line that maps reads, without index and reads. `extra` comes last and so overrides the rest.

    `bases` is the size of the catalogue. What is found in each of several parts goes to files in the current directory.
    Without secondary alignments, minimap2 runs as it does by default for short reads.
    """
    hits = HITS[preset] if secondary else PRIMARY_HITS
    parts = ["-I", str(PART_BASES)]  # does nothing to an index that is made already
    if bases > PART_BASES:
        parts += ["--split-prefix", "split"]
    return ["minimap2", "-a", "-x", preset, *hits, *parts, "-t", str(threads), *extra]
