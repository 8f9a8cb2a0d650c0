#!/usr/bin/env python3
"""Numbers of contigs by sample, in a file: samples come one by one, contigs leave in blocks.

What is in memory is a sample or a block at a time, however many samples there are. FEATURES uses this module.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from output_files import writing

BLOCK_BYTES = 1 << 25  # of a block of contigs, about; it decides memory and time alone


class SampleColumns:
    """A matrix of N contigs x s samples, in a file without a name that goes when this object goes."""

    def __init__(self, n_contigs: int, dtype: type) -> None:
        self.n_contigs, self.dtype = n_contigs, np.dtype(dtype)
        # Of each sample, how many of its numbers are not 0, and a digest of all, so that none is read again for them
        self.n_counted: list[int] = []
        self.digests: list[bytes] = []
        self.file = tempfile.TemporaryFile(dir=".")  # noqa: SIM115 - it lives as long as this object

    def append(self, values: np.ndarray) -> None:
        """Add the numbers of one more sample (N). Raise ClickException if the disk has no room for them."""
        numbers = np.ascontiguousarray(values, self.dtype)
        with writing(Path("the numbers of each sample")):
            self.file.seek(0, os.SEEK_END)
            self.file.write(numbers)
            self.file.flush()
        self.n_counted.append(int(np.count_nonzero(numbers)))
        self.digests.append(hashlib.sha256(numbers).digest())

    def block(self, start: int, stop: int, samples: Sequence[int]) -> np.ndarray:
        """Return the numbers of some contigs in some samples (stop - start x s)."""
        found = np.empty((len(samples), stop - start), self.dtype)
        for row, number in zip(found, samples, strict=True):
            self.file.seek((number * self.n_contigs + start) * self.dtype.itemsize)
            self.file.readinto(row)
        return np.ascontiguousarray(found.T)


def blocks_of_contigs(n_contigs: int, n_columns: int) -> Iterator[tuple[int, int]]:
    """Yield the first contig and the contig behind the last of each block, which together are all n_contigs."""
    size = max(1, BLOCK_BYTES // (8 * max(1, n_columns)))
    for start in range(0, n_contigs, size):
        yield start, min(start + size, n_contigs)
