#!/usr/bin/env python3
"""Makes strobealign's index of a catalogue, and says how a sample is mapped with it.

The index is made for a length of reads. That of a group has the length of its first sample's reads. A sample whose
reads have another length does without it: strobealign then makes one for itself, in memory. It reads the sequences,
too, so the folder of the index has a copy of the catalogue, once for all samples. INDEX and MAP_READS use this module.
"""

import shutil
import subprocess
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click
import numpy as np

from command_pipe import running
from fastq_reads import LINES_PER_READ, open_fastq
from output_files import write_text, writing

REFERENCE = ".fa.gz"  # behind the prefix of an index: strobealign reads the contigs, too, and knows gzip by this name
READ_LENGTH = ".read_length"  # behind the prefix: bp for which the index is made
LENGTH_READS = 500  # the first ones of a file, as strobealign itself takes
# strobealign has sets of seeds for mean lengths of 50, 75, 100, 125, 150, 250 and 400 bp.
MAX_LENGTH_RATIO = 1.2
DEFAULT_READ_LENGTH = 150  # bp, of a file without reads


def mean_read_length(path: Path) -> float:
    """Return the mean length (bp) of the first reads of a FASTQ file."""
    with open_fastq(path) as handle:
        lengths = [len(line.strip()) for line in islice(handle, 1, LINES_PER_READ * LENGTH_READS, LINES_PER_READ)]
    return float(np.mean(lengths)) if sum(lengths) else DEFAULT_READ_LENGTH


def with_suffix(prefix: Path, suffix: str) -> Path:
    """Return the path of a file of an index."""
    return prefix.with_name(prefix.name + suffix)


def make_index(catalogue: Path, prefix: Path, reads: Path, threads: int) -> int:
    """Make strobealign's index for reads of this length, and read it back; return its number of contigs.

    Raise ClickException if that fails.
    """
    reference, length = with_suffix(prefix, REFERENCE), str(round(mean_read_length(reads)))
    with writing(reference):
        shutil.copyfile(catalogue, reference)
    with running(["strobealign", "--create-index", "-r", length, "-t", str(threads), str(reference)]):
        pass
    write_text(with_suffix(prefix, READ_LENGTH), f"{length}\n")
    # Of no reads at all
    command = ["strobealign", "--aemb", "--use-index", "-r", length, str(reference), "/dev/null"]
    with running(command, stdout=subprocess.PIPE) as process:
        return sum(1 for _ in process.stdout)


def estimate_command(prefix: Path, reads: Sequence[Path], threads: int, extra: Sequence[str]) -> list[str]:
    """Return the command line that estimates; it takes the index if that is made for reads of about this length.

    Raise ClickException if there is no index.
    """
    made_for = with_suffix(prefix, READ_LENGTH)
    try:
        length = int(made_for.read_text())
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{made_for}: is not strobealign's index of the catalogue ({error})") from error
    ratio = mean_read_length(reads[0]) / length
    fits = 1 / MAX_LENGTH_RATIO <= ratio <= MAX_LENGTH_RATIO
    index = ["--use-index", "-r", str(length)] if fits else []
    command = ["strobealign", "--aemb", "-t", str(threads), *index, *extra]
    return [*command, str(with_suffix(prefix, REFERENCE)), *map(str, reads)]
