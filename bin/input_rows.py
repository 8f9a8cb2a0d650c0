#!/usr/bin/env python3
"""The rows that the network sees, in memory or from the files of the features stage.

Both kinds hand out the same numbers, so that training and encoding do not depend on where the rows are. From files, no
more than some blocks are in memory, and those to come are read while the network learns from the block before.
"""

import mmap
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

BLOCK_BYTES = 1 << 25  # of shuffled rows, about; it decides memory and time alone


class HeldRows:
    """Rows in the memory of a device (n x columns)."""

    def __init__(self, data: Tensor) -> None:
        self.data, self.device, self.width = data, data.device, data.shape[1]

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, rows: slice) -> Tensor:
        return self.data[rows]

    def subset(self, rows: Tensor) -> "HeldRows":
        """Return some of the rows (numbers)."""
        return HeldRows(self.data[rows.to(self.device)])

    def blocks(self, order: Tensor, bounds: Sequence[tuple[int, int]]) -> Iterator[Tensor]:
        """Yield the rows order[start:stop] for each of the bounds."""
        for start, stop in bounds:
            yield self.data[order[start:stop]]


class FileRows:
    """Rows of which the columns lie in several files that are mapped into memory (n x columns each, or n numbers).

    Columns that are not used are 0.
    """

    def __init__(self, parts: Sequence[np.ndarray], is_used: np.ndarray, device: torch.device) -> None:
        """Take arrays as numpy.load maps them, and which of their columns are used (bool)."""
        self.parts, self.is_used, self.device, self.width = parts, is_used, device, len(is_used)
        self.rows: np.ndarray | None = None  # numbers of the rows that are meant; None: all

    def __len__(self) -> int:
        return len(self.parts[0]) if self.rows is None else len(self.rows)

    def __getitem__(self, rows: slice) -> Tensor:
        return self.read(np.arange(len(self))[rows]).to(self.device)

    def subset(self, rows: Tensor) -> "FileRows":
        """Return some of the rows (numbers)."""
        part = FileRows(self.parts, self.is_used, self.device)
        numbers = rows.cpu().numpy()
        part.rows = numbers if self.rows is None else self.rows[numbers]
        return part

    def read(self, rows: np.ndarray) -> Tensor:
        """Return some rows (numbers) on the processor; for a GPU in memory that it can read by itself."""
        numbers = rows if self.rows is None else self.rows[rows]
        found = torch.empty((len(rows), self.width), pin_memory=self.device.type == "cuda")
        values, first = found.numpy(), 0
        for part in self.parts:
            stop = first + (part.shape[1] if part.ndim > 1 else 1)
            values[:, first:stop] = part[numbers].reshape(len(rows), stop - first)
            first = stop
            # What was read stays in the system's cache, and need not count as this process' own.
            part.base.madvise(mmap.MADV_DONTNEED)
        values[:, ~self.is_used] = 0
        return found

    def blocks(self, order: Tensor, bounds: Sequence[tuple[int, int]]) -> Iterator[Tensor]:
        """Yield the rows order[start:stop] for each of the bounds; the next block is read meanwhile."""
        numbers = order.cpu().numpy()
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(self.read, numbers[slice(*bounds[0])])
            for following in [*bounds[1:], None]:
                block = coming.result()
                if following:
                    coming = reader.submit(self.read, numbers[slice(*following)])
                yield block.to(self.device, non_blocking=True)


InputRows = HeldRows | FileRows


def block_bounds(batches: Sequence[tuple[int, int]], width: int) -> list[list[tuple[int, int]]]:
    """Return mini-batches (first row, row after the last) in groups that follow each other, of about BLOCK_BYTES."""
    groups: list[list[tuple[int, int]]] = []
    for start, stop in batches:
        if groups and (stop - groups[-1][0][0]) * width * torch.finfo(torch.float32).bits // 8 <= BLOCK_BYTES:
            groups[-1].append((start, stop))
        else:
            groups.append([(start, stop)])
    return groups
