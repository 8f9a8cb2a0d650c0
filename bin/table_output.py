#!/usr/bin/env python3
"""Write tables by their schemas (stage_tables.py and others): the same bytes for the same table.

A table that is too large for the memory is written in blocks of rows.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from output_files import gzip_output, writing
from table_columns import Table

GZIP_LEVEL = 6


def write_rows(table: Table, rows: Iterable[Sequence]) -> None:
    """Write the rows of a table, as write_table does."""
    write_table(table, pd.DataFrame(list(rows), columns=[column.name for column in table.columns]))


def write_table(table: Table, frame: pd.DataFrame, path: str | Path | None = None) -> None:
    """Write a table into the current directory, gzipped if so named: the same bytes for the same table.

    Raise ValueError if its columns are not those of the schema, and ClickException if it cannot be written.
    """
    with table_in_blocks(table, path) as write:
        write(frame)


@contextmanager
def table_in_blocks(table: Table, path: str | Path | None = None) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Open a table as write_table does; the body calls what it gets once at least, with further rows each time."""
    path = str(path or table.name)
    has_header = False

    def write(frame: pd.DataFrame) -> None:
        nonlocal has_header
        options = {"float_format": table.float_format, "quoting": csv.QUOTE_NONE, "lineterminator": "\n"}
        as_words(table, frame).to_csv(lines, sep="\t", index=False, header=not has_header, **options)
        has_header = True

    with (
        writing(path),
        gzip_output(path, GZIP_LEVEL) if path.endswith(".gz") else open(path, "wb") as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as lines,
    ):
        yield write


def as_words(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with true and false as words; raise ValueError if its columns are not those of the schema."""
    names = [column.name for column in table.columns]
    given = list(frame.columns)
    if given[: len(names)] != names or (len(given) > len(names)) != (table.sample is not None):
        raise ValueError(f"{table.file} has the columns {names}, not {given}")
    flags = [column.name for column in table.columns if column.kind is bool]
    return frame.assign(**{name: frame[name].map({True: "true", False: "false"}) for name in flags})
