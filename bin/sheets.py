#!/usr/bin/env python3
"""Reads the user's sheets of samples and assemblies (CSV), and reports what cannot be read."""

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

from schema_rules import nearest, shown

MAX_SHEET_BYTES = 4 * 2**20  # of a sheet; a larger file is one of reads, named by mistake, and is not read whole
SOURCES = {"fastq_1", "bam"}  # columns of the sample sheet, of which it needs one


class Problem(NamedTuple):
    """A mistake in a row of a sheet, and its remedy. Rows are counted as in a spreadsheet; row 0 is the whole sheet."""

    row: int
    text: str


class Row(NamedTuple):
    """The filled fields of a row. `whole` is False if the row has more or fewer fields than the header."""

    number: int
    fields: dict[str, str]
    whole: bool


class Sheet(NamedTuple):
    """The readable part of a sheet. `complete` is False if rows or columns may be missing or misplaced."""

    rows: list[Row]
    problems: list[Problem]
    complete: bool


class SheetError(Exception):
    """A sheet that cannot be read as a table. Its one argument is the Problem."""


def read_text(path: Path) -> str:
    """Return the text of a sheet without a byte order mark. Raise SheetError for a file that is no text."""
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist or cannot be read"
        raise SheetError(Problem(0, f"{what}: give the path of a CSV file"))
    with path.open("rb") as handle:
        data = handle.read(MAX_SHEET_BYTES + 1)
    if len(data) > MAX_SHEET_BYTES:
        raise SheetError(Problem(0, f"is larger than {MAX_SHEET_BYTES >> 20} MiB: give the sheet, not the data"))
    if b"\0" in data or data[:2] == b"\x1f\x8b":
        raise SheetError(Problem(0, "is no plain text: save it as comma-separated values (CSV UTF-8), not compressed"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = len(re.split(rb"\r\n|\r|\n", data[: error.start]))
        raise SheetError(Problem(row, "holds characters that are not UTF-8: save the sheet as CSV UTF-8")) from None


def read_records(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, with their numbers. Raise SheetError if the csv module refuses one."""
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    records: list[tuple[int, list[str]]] = []
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            if any(field.strip() for field in record):
                records.append((number, record))
    except csv.Error as error:
        raise SheetError(Problem(number + 1, f"cannot be read ({error}): check its quotes")) from error
    return records


def header_problems(number: int, header: list[str], option: str, items: dict) -> list[Problem]:
    """Return the problems of the header: columns that are unknown, unnamed, doubled or missing."""
    if len(header) == 1 and (separator := re.search(r"[\t;]", header[0])):
        name = {"\t": "tabs", ";": "semicolons"}[separator.group()]
        return [Problem(number, f"is separated by {name}: save the sheet with commas between the columns (CSV)")]
    known = list(items["properties"])
    problems = []
    for position, column in enumerate(header, start=1):
        if not column:
            problems.append(f"column {position} has no name: name it, or remove its comma from each row")
        elif column not in known:
            near = nearest(column, known)
            remedy = f"did you mean '{near}'?" if near else f"the columns are {', '.join(known)}"
            problems.append(f"there is no column {shown(column)}: {remedy}")
        elif column in header[: position - 1]:
            problems.append(f"column '{column}' stands twice: remove one of the two")
    for column in items["required"]:
        if column not in header:
            problems.append(f"column '{column}' is missing, add it: {items['properties'][column]['description']}")
    if option == "input" and not SOURCES & set(header):
        problems.append("columns 'fastq_1' and 'bam' are missing: add the one that names the reads")
    return [Problem(number, text) for text in problems]


def record_rows(header: list[str], records: list[tuple[int, list[str]]]) -> tuple[list[Row], list[Problem]]:
    """Return records as rows, with the problems of those that do not fit the header or contain a line break."""
    rows, problems = [], []
    for number, record in records:
        fields = [field.strip() for field in record]
        if any(re.search(r"[\r\n]", field) for field in record):
            problems.append(Problem(number, "a field runs over several lines: close its double quote"))
            continue
        if len(fields) != len(header):
            text = f"has {len(fields)} fields where the header has {len(header)}: check its commas"
            problems.append(Problem(number, f"{text} (a field that holds one goes in double quotes)"))
        filled = {column: field for column, field in zip(header, fields) if field}
        rows.append(Row(number, filled, len(fields) == len(header)))
    return rows, problems


def read_sheet(path: Path, option: str, schema: dict) -> Sheet:
    """Return a sheet: its rows, with the problems of the file, of the header and of the rows' shape."""
    try:
        records = read_records(read_text(path))
    except SheetError as error:
        return Sheet([], [error.args[0]], False)
    if not records:
        return Sheet([], [Problem(0, "is empty: it needs a header and a row for each line of data")], False)
    number, header = records[0][0], [column.strip() for column in records[0][1]]
    problems = header_problems(number, header, option, schema["items"])
    if not records[1:]:
        return Sheet([], [*problems, Problem(number, "there is no row below the header: add one")], False)
    # If the header lacks a column, every row would be reported for it.
    if not set(schema["items"]["required"]) <= set(header) or (option == "input" and not SOURCES & set(header)):
        return Sheet([], problems, False)
    rows, shapes = record_rows(header, records[1:])
    return Sheet(rows, problems + shapes, len(rows) == len(records) - 1)
