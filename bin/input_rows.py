#!/usr/bin/env python3
"""The rows that the network sees, in memory or from the files of the features stage.

Both kinds hand out the same numbers, so that training and encoding do not depend on where the rows are. From files, no
more than some blocks are in memory, and those to come are read while the network learns from the block before.
"""

import os
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


class ArrayFile:
    """A .npy file of rows (n x columns, or n numbers, which are held in memory) that is read, not mapped.

    The system counts pages of a map as memory of the process, in pieces of up to 2 MB for each row that is read.
    """

    def __init__(self, array: np.memmap) -> None:
        """Take an array in C order as numpy.load maps it."""
        self.file = open(array.filename, "rb", buffering=0)  # noqa: SIM115 - closed with this object
        self.first_byte, self.dtype, self.n_rows = array.offset, array.dtype, len(array)
        self.width = array.shape[1] if array.ndim > 1 else 1
        # A read of one number costs as much as one of a thousand
        self.held = np.array(array)[:, None] if array.ndim == 1 else None

    def __len__(self) -> int:
        return self.n_rows

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """Return the rows of these numbers, which increase (k x columns); rows that follow each other are one read."""
        if self.held is not None:
            return self.held[numbers]
        found = np.empty((len(numbers), self.width), self.dtype)
        row_bytes, memory = self.width * self.dtype.itemsize, memoryview(found.reshape(-1).view(np.uint8))
        starts = np.flatnonzero(np.diff(numbers, prepend=-2) != 1)
        places = (self.first_byte + row_bytes * numbers[starts]).tolist()
        bounds = (row_bytes * np.append(starts, len(numbers))).tolist()
        handle = self.file.fileno()
        for place, start, stop in zip(places, bounds, bounds[1:]):
            n_read = os.preadv(handle, [memory[start:stop]], place)
            while n_read < stop - start:  # the system reads 2 GB at most at once
                further = os.preadv(handle, [memory[start + n_read : stop]], place + n_read)
                if not further:
                    raise EOFError(f"{self.file.name}: became shorter while it was read")
                n_read += further
        return found


class FileRows:
    """Rows of which the columns lie in several files (n x columns each, or n numbers).

    Columns that are not used are 0.
    """

    def __init__(self, parts: Sequence[ArrayFile], is_used: np.ndarray, device: torch.device) -> None:
        """Take the files, and which of their columns are used (bool)."""
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
        order = np.argsort(numbers)  # from the start of a file to its end
        found = torch.empty((len(rows), self.width), pin_memory=self.device.type == "cuda")
        values, first = found.numpy(), 0
        for part in self.parts:
            values[order, first : first + part.width] = part.read(numbers[order])
            first += part.width
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
