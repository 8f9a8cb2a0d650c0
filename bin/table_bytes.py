#!/usr/bin/env python3
"""Open the file of a table, and keep from pandas what it would read in silence as another table."""

import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

UNFIT_CHARACTER = re.compile("[\0\r\v\f]")
UNFIT_BYTE = re.compile(b"[\0\v\f]")  # a CR may end a line, with an LF
LINE_OF_SPACES = re.compile(rb"\n +\r?\n")


def open_table(path: Path) -> BinaryIO:
    """Open a file that is plain or gzipped."""
    with open(path, "rb") as plain:
        is_gzipped = plain.read(2) == b"\x1f\x8b"
    return gzip.open(path) if is_gzipped else open(path, "rb")


class PandasLines:
    """The bytes of a table on their way to pandas, without what pandas reads in silence as another table.

    It cuts a cell off at a NUL, takes a lone CR for a line end, reads a number with a VT or an FF beside it, and leaves
    out a line of spaces. It also fills a row that lacks cells, which the number of tabs shows.
    """

    def __init__(self, lines: BinaryIO) -> None:
        self.lines, self.last, self.tabs = lines, b"", 0

    def __iter__(self) -> Iterator[bytes]:
        """Return the lines; pandas asks for this method, but reads."""
        return iter(self.lines)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; raise ValueError if pandas would misread them."""
        chunk = self.lines.read(size)
        self.tabs += chunk.count(b"\t")
        text = self.last + chunk
        n_cr = text.count(b"\r") - text.endswith(b"\r")
        is_misread = UNFIT_BYTE.search(chunk) is not None or (n_cr > 0 and n_cr != text.count(b"\r\n"))
        if not chunk and text.startswith(b"\n "):
            is_misread |= not text.strip()
        if is_misread or (b"\n " in text and LINE_OF_SPACES.search(text)):
            raise ValueError("bytes that pandas misreads")
        line = text[text.rfind(b"\n") :]
        self.last = text[-1:] if line.strip() else line
        return chunk


def parsed_blocks(path: Path, dtypes: dict[str, type], rows: int) -> Iterator[pd.DataFrame | None]:
    """Yield all columns of a table in blocks of so many rows, whose index goes on; None for one that is malformed.

    A row that lacks cells makes None of the last block, wherever it stands.
    """
    options = {"index_col": False, "keep_default_na": False, "na_filter": False, "quoting": csv.QUOTE_NONE}
    n = 0
    with open_table(path) as file:
        lines = PandasLines(file)
        try:
            blocks = pd.read_csv(lines, sep="\t", dtype=dtypes, chunksize=rows, **options)
            frame = next_block(blocks)
            while frame is not None:
                following = next_block(blocks)
                n += len(frame)
                # A number that is too large makes another type of its column.
                is_whole = all(frame[name].dtype == dtype for name, dtype in dtypes.items() if dtype is np.int64)
                is_even = following is not None or lines.tabs == (n + 1) * (len(dtypes) - 1)
                yield frame if is_whole and is_even else None
                frame = following
        except (ValueError, OverflowError):
            yield None


def next_block(blocks: Iterator[pd.DataFrame]) -> pd.DataFrame | None:
    """Return the next block, None behind the last."""
    with np.errstate(invalid="ignore"):  # a cell that is no whole number makes pandas warn before it fails
        return next(blocks, None)
