"""Generated tables of every schema, arrays and their descriptions, whole and damaged."""

import ast
import io
import json
import math
import random
import re
import struct
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fuzzing import (
    FINAL_NEWLINE,
    JUNK,
    ODD_NAMES,
    WHOLE,
    Case,
    UnreadableError,
    compare,
    damage_bytes,
    damaged_file,
    unzipped,
)
from project import BIN

sys.path.insert(0, str(BIN))
import stage_arrays
import stage_tables
from stage_arrays import Description, Matrix
from stage_tables import Column, Table

TABLES = [value for value in vars(stage_tables).values() if isinstance(value, Table)]
MATRICES = [value for value in vars(stage_arrays).values() if isinstance(value, Matrix)]
DESCRIPTIONS = [value for value in vars(stage_arrays).values() if isinstance(value, Description) and value.keys]
FLOAT_TOLERANCE = 1e-12  # relative; pandas reads decimals fast, not exactly
WHOLE_CELLS = ("0", "1", "+7", " 8 ", "007", "123456789012345678")
FLOAT_CELLS = ("0", "1", "0.5", "1e-3", "2E5", ".25", "3.", "+4", "1e-400", "123456789.123456789")
FLOAT_CELL = re.compile(r" *[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)? *")
WHOLE_CELL = re.compile(r" *[-+]?[0-9]{1,19} *")
MAX_NUMBER, MAX_INTEGER = sys.float_info.max, 2**63 - 1
MARKS = "\ufeff"  # a byte order mark, as spreadsheets write it
NPY_MAGIC, NPY_LENGTHS = b"\x93NUMPY", {1: "<H", 2: "<I", 3: "<I"}


def cell_of(rng: random.Random, column: Column, number: int) -> str:
    """Return a cell that a column may hold; a text has the number of its row, so that no two are the same."""
    if column.choices:
        return rng.choice(column.choices)
    if column.kind is str:
        return "" if column.may_be_empty and rng.random() < FINAL_NEWLINE / 2 else f"{rng.choice(ODD_NAMES)}{number}"
    cells = WHOLE_CELLS if column.kind is int else FLOAT_CELLS
    fit = [cell for cell in cells if column.least <= float(cell) <= column.most]
    # A whole number may be a key: of an epoch, for example.
    return str(number + 1) if column.name == "epoch" else rng.choice(fit)


def table_text(rng: random.Random, table: Table) -> bytes:
    """Return a table of a schema in one of the forms that a reader must take."""
    columns = list(table.columns)
    if table.sample:
        columns += [Column(f"{table.sample.name}S{i}", float) for i in range(rng.randint(1, 3))]
    if not table.sample or table.sample.name:
        columns += [Column("further")] * rng.choice((0, 0, 1))
    rng.shuffle(columns)
    rows = [[cell_of(rng, column, number) for column in columns] for number in range(rng.choice((0, 1, 2, 9)))]
    lines = ["\t".join(cells) for cells in ([column.name for column in columns], *rows)]
    end = rng.choice(("\n", "\n", "\n", "\r\n"))
    blank = end * rng.choice((0, 0, 0, 2)) if len(columns) > 1 else ""
    text = rng.choice(("", "", "", MARKS)) + end.join(lines)
    return (text + (end + blank if rng.random() < FINAL_NEWLINE or not rows or not rows[-1][-1] else "")).encode()


def naive_value(column: Column, cell: str) -> object:
    """Return the value of a cell; raise UnreadableError if its column may not hold it."""
    if column.choices:
        if cell not in column.choices:
            raise UnreadableError
        return cell == "true" if column.kind is bool else cell
    if column.kind is str:
        if not cell and not column.may_be_empty:
            raise UnreadableError
        return cell
    if not (WHOLE_CELL if column.kind is int else FLOAT_CELL).fullmatch(cell):
        raise UnreadableError
    value = int(cell) if column.kind is int else float(cell)
    if not column.least <= value <= min(column.most, MAX_NUMBER) or (column.kind is int and value > MAX_INTEGER):
        raise UnreadableError
    return value


def naive_columns(table: Table, header: list[str]) -> dict[str, Column]:
    """Return the columns of a table by the names in its header; raise UnreadableError if they are not of its schema."""
    columns = {column.name: column for column in table.columns}
    if set(columns) - set(header) or len(set(header)) < len(header) or "" in header:
        raise UnreadableError
    if table.sample:
        prefix = table.sample.name
        samples = [name for name in header if name not in columns and name.startswith(prefix) and name != prefix]
        if not samples:
            raise UnreadableError
        columns |= dict.fromkeys(samples, table.sample)
    return columns


def naive_table(table: Table, raw: bytes) -> dict[str, list]:
    """Return the columns of a table, read cell by cell."""
    try:
        text = unzipped(raw).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError from error
    text = text.removesuffix("\r")  # of a CRLF that is cut off
    if "\0" in text or "\r" in text.replace("\r\n", "\n"):
        raise UnreadableError
    first, *lines = [line.removesuffix("\r") for line in text.split("\n")]
    header = first.split("\t")
    columns = naive_columns(table, header)
    rows = [line.split("\t") for line in lines if line]
    if any(len(row) != len(header) for row in rows):
        raise UnreadableError
    values = {name: [naive_value(column, row[header.index(name)]) for row in rows] for name, column in columns.items()}
    keys = list(zip(*(values[name] for name in table.key))) if table.key else []
    if len(set(keys)) < len(keys):
        raise UnreadableError
    return values


def equal_values(found: Sequence, wanted: Sequence) -> bool:
    """Tell whether two columns are the same, decimals within FLOAT_TOLERANCE."""
    if len(found) != len(wanted):
        return False
    return all(
        math.isclose(one, other, rel_tol=FLOAT_TOLERANCE) if isinstance(other, float) else one == other
        for one, other in zip(found, wanted)
    )


def check_table(naive: partial, found: pd.DataFrame) -> None:
    """Raise AssertionError unless a table was read as the naive reader does."""
    values = {name: column.tolist() for name, column in found.items()}

    def as_wanted() -> object:
        wanted = naive()
        same = list(wanted) == list(values) and all(equal_values(values[name], wanted[name]) for name in wanted)
        return values if same else wanted

    compare(as_wanted)(values)


def table_case(damage: str, table: Table, raw: bytes) -> Case:
    """Return the file of a table."""
    name = table.name.replace("<sample>", "S")

    def read(folder: Path) -> pd.DataFrame:
        return stage_tables.read_table(table, folder / name)

    return Case(damage, {name: raw}, read, partial(check_table, partial(naive_table, table, raw)), damage != "none")


def generate_table(rng: random.Random) -> Case:
    """Return a table of any schema."""
    table = rng.choice(TABLES)
    damage, raw = damaged_file(rng, table_text(rng, table))
    return table_case(damage, table, raw)


def naive_array(raw: bytes, n_rows: int, width: int | None, n_dimensions: int) -> np.ndarray:
    """Return the array of a .npy file, read by the description of the format."""
    if raw[:6] != NPY_MAGIC or raw[6:7] not in (b"\1", b"\2", b"\3"):
        raise UnreadableError
    length_format = NPY_LENGTHS[raw[6]]
    start = 8 + struct.calcsize(length_format)
    try:
        start_of_data = start + struct.unpack_from(length_format, raw, 8)[0]
        header = ast.literal_eval(raw[start:start_of_data].decode("latin-1").strip())
        kind, shape = np.dtype(header["descr"]), tuple(header["shape"])
        values = np.frombuffer(raw, kind, math.prod(shape), start_of_data)
        values = values.reshape(shape, order="F" if header["fortran_order"] else "C")
    except (ValueError, SyntaxError, KeyError, TypeError, struct.error, MemoryError, RecursionError) as error:
        raise UnreadableError from error
    is_fit = values.ndim == n_dimensions and len(values) == n_rows and width in (None, *values.shape[1:2])
    if not is_fit or kind.kind not in "fiu":
        raise UnreadableError
    return values


def array_bytes(rng: random.Random, shape: tuple[int, ...]) -> bytes:
    """Return an array of any number type as a .npy file."""
    kind = rng.choice(("<f4", "<f8", ">f4", "<i8", "<u2", "<f2"))
    values = np.array([rng.randint(0, 100) for _ in range(math.prod(shape))], kind).reshape(shape)
    out = io.BytesIO()
    np.lib.format.write_array(out, np.array(values, order=rng.choice("CF")), rng.choice(((1, 0), (2, 0), None)))
    return out.getvalue()


def damage_array(rng: random.Random, raw: bytes) -> bytes:
    """Return an array with another header: another type or shape, a huge one for example, or one that is no header."""
    old, new = rng.choice((
        (b"<f", b"|O"), (b"<f4", b"<U9"), (b"<f4", b"<c8"), (b"<f4", b"<M8"), (b"<f8", b"<f9"), (b"'shape'", b"'shap'"),
        (b"(", b"(99999999999, "), (b"(", b"(-1, "), (b"(", b"[" * 4000 + b"("), (b"(", b"(1" + b"0" * 5000 + b","),
        (b"False", b"True"), (b"False", b"None"), (b"}", b""), (b"\n", b""), (b"4', 'f", b"8', 'f"),
    ))  # fmt: skip
    body = raw[10:].replace(old, new, 1)
    return raw[:8] + struct.pack("<H", min(65535, raw.find(b"\n") + 1 - 10 + len(new) - len(old))) + body


def generate_array(rng: random.Random) -> Case:
    """Return an array and the names of the contigs that it has rows for."""
    matrix = rng.choice(MATRICES)
    names = [f"c{i}" for i in range(rng.choice((0, 1, 3, 20)))]
    width = {None: None, "samples": 3, "latent_size": None}.get(matrix.width, matrix.width)
    shape = (len(names), *(() if matrix.width is None else (width or 5,)))
    raw, damage = array_bytes(rng, shape), "none"
    if rng.random() >= WHOLE:
        damage = rng.choice(("bytes", "header"))
        raw = damage_bytes(rng, raw) if damage == "bytes" else damage_array(rng, raw)
    is_mapped = rng.random() < WHOLE
    rows = np.array(rng.sample(range(len(names)), len(names) // 2), int) if is_mapped else None

    def read(folder: Path) -> list:
        path, table = folder / "array.npy", folder / "rows.tsv"
        return stage_arrays.read_matrix(matrix, path, names, table, width, rows).tolist()

    def naive() -> list:
        values = naive_array(raw, len(names), width, len(shape))
        values = values if rows is None else values[rows]
        if not np.isfinite(values).all():
            raise UnreadableError
        return values.tolist()

    return Case(damage, {"array.npy": raw}, read, compare(naive), damage != "none" or not names)


def json_value(rng: random.Random, kind: type) -> object:
    """Return a value of a type of JSON."""
    name = rng.choice(ODD_NAMES)
    return {str: name, list: [name, 1.5], dict: {name: 3}, float: rng.random() * 100, type(None): None}[kind]


def same_types(content: object, description: Description) -> bool:
    """Tell whether an object has every key of a description, each with a value of its type."""
    return isinstance(content, dict) and all(
        key in content and isinstance(content[key], kinds) for key, kinds in description.keys.items()
    )


def description_case(damage: str, description: Description, raw: bytes) -> Case:
    """Return the JSON file of a description."""

    def read(folder: Path) -> dict:
        return stage_arrays.read_description(description, folder / "description.json", list(description.keys))

    def naive() -> object:
        try:
            found = json.JSONDecoder(parse_constant=stage_arrays.refuse_number).decode(raw.decode())
        except (ValueError, RecursionError) as error:
            raise UnreadableError from error
        if not same_types(found, description):
            raise UnreadableError
        return found

    return Case(damage, {"description.json": raw}, read, compare(naive), damage != "none")


def generate_description(rng: random.Random) -> Case:
    """Return a JSON file that describes arrays."""
    description = rng.choice(DESCRIPTIONS)
    content = {key: json_value(rng, kinds[0] if isinstance(kinds, tuple) else kinds)
               for key, kinds in description.keys.items()}  # fmt: skip
    whole = json.dumps(content, indent=rng.choice((None, 1)), ensure_ascii=rng.random() < WHOLE).encode()
    damage, raw = damaged_file(rng, whole, False)
    if damage == "gzip":
        deep = rng.choice((b"[", b'{"a":')) * rng.choice((10, 100_000))
        raw = whole.replace(b": ", b": " + rng.choice((deep, rng.choice(JUNK).encode())), 1)
    return description_case(damage, description, raw)


GENERATORS = {"tables": generate_table, "arrays": generate_array, "descriptions": generate_description}
