#!/usr/bin/env python3
"""Read and write the arrays that pass between stages, and the JSON files that describe them.

An array is a .npy file with a row for each of some contigs. It has no names: the SHA-256 of the contigs' names, in
order, stands in the JSON file that its stage wrote beside it (`stage_tables.contigs_hash`). Every reader holds shape,
values and hash against the table of those contigs and refuses what differs with one line that names the file.
"""

import json
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from message_text import one_line, shown
from output_files import write_text, writing
from stage_tables import contigs_hash

ROWS_AT_ONCE = 1 << 16  # of a mapped array that are checked; it decides the memory alone
N_TETRANUCLEOTIDES = 136  # canonical ones: a 4-mer and its reverse complement are one


@dataclass(frozen=True)
class Matrix:
    """An array with a row for each contig."""

    file: str  # its path below results/<group>/, as docs/output.md has it
    stage: str  # which writes it
    width: int | str | None  # columns, or the name of a number that only a run knows; None: it has one dimension

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return Path(self.file).name


@dataclass(frozen=True)
class Description:
    """A JSON file of one object."""

    file: str
    stage: str
    keys: dict[str, type | tuple[type, ...]]  # what stages read of it, with the types
    indent: int = 2

    @property
    def remedy(self) -> str:
        """Return what a user can do about a file that is not such a description."""
        return f"give the {Path(self.file).name} that the {self.stage} stage wrote"


TNF = Matrix("features/tnf.npy", "features", N_TETRANUCLEOTIDES)
ABUNDANCE = Matrix("features/abundance.npy", "features", "samples")
DEPTH = Matrix("features/depth.npy", "features", None)
TETRANUCLEOTIDE_COUNTS = Matrix("features/tetranucleotides.npy", "features", N_TETRANUCLEOTIDES)
LATENT = Matrix("vae/latent.npy", "vae", "latent_size")

FEATURES = Description(
    "features/features.json",
    "features",
    {
        "samples": list,
        "rows_sha256": str,
        "contigs_sha256": str,
        "mapped_reads": (dict, type(None)),
        "tetranucleotides": list,
        "tnf_mean": list,
        "tnf_sd": list,
        "depth_mean": float,
        "depth_divisor": float,
    },
    indent=1,
)
LATENT_DESCRIPTION = Description("vae/latent.json", "vae", {"rows_sha256": str})
THRESHOLD = Description(
    "cluster/threshold.json", "cluster", {"threshold": float, "density_mean": list, "bin_edges": list}
)
GRAPH = Description("refine/<assembly>/graph.json", "graph", {})
REFINEMENT_COUNTS = Description("refine/<assembly>/refinement.json", "refine", {})


def refuse_number(word: str) -> None:
    """Raise ValueError about NaN or an infinity, which Python's json takes for a number."""
    raise ValueError(f"it holds {word}")


def read_description(description: Description, path: Path, keys: Sequence[str]) -> dict:
    """Return the object of a JSON file; raise ClickException if a key is missing or its value is of another type."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse_number)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{path}: is not JSON ({one_line(error)}); {description.remedy}") from error
    for key in keys:
        types = description.keys[key]
        if not isinstance(content, dict) or key not in content or not isinstance(content[key], types):
            kind = (types if isinstance(types, type) else types[0]).__name__
            kind = {"dict": "object", "float": "number", "list": "list", "str": "text"}[kind]
            raise click.ClickException(f"{path}: has no {kind} `{key}`; {description.remedy}")
    return content


def write_description(description: Description, content: dict, folder: Path = Path()) -> None:
    """Write a JSON file into a folder. Raise ClickException if it cannot be written."""
    write_text(folder / Path(description.file).name, json.dumps(content, indent=description.indent) + "\n")


def contigs_in(names: Sequence[str], path: Path) -> str:
    """Return what an error calls the contigs of a table."""
    first = f", the first {shown(next(iter(names)))}" if len(names) else ""
    return f"{len(names)} contigs of {path}{first}"


def check_hash(path: Path, digest: str, names: Sequence[str], names_path: Path) -> None:
    """Raise ClickException unless the hash in a description is that of the contigs' names."""
    if contigs_hash(names) != digest:
        raise click.ClickException(
            f"{path}: is not about the {contigs_in(names, names_path)}; give both from the same run"
        )


def load_array(path: Path, remedy: str, is_mapped: bool) -> np.ndarray:
    """Return the array of a .npy file, from the file itself if it is mapped; raise ClickException if it is none.

    An array of objects is a pickle, which could run code: it is refused.
    """
    try:
        values = np.load(path, mmap_mode="r" if is_mapped else None, allow_pickle=False)
    except Exception as error:  # numpy takes the header for Python code: what is wrong in it may raise anything
        raise click.ClickException(f"{path}: is not a readable .npy array ({one_line(error)}); {remedy}") from error
    if not isinstance(values, np.ndarray):
        raise click.ClickException(f"{path}: is an archive of arrays (.npz), not a .npy array; {remedy}")
    return values


def read_matrix(
    matrix: Matrix,
    path: Path,
    names: Sequence[str],
    names_path: Path,
    width: int | None = None,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Return an array with a row for each of the named contigs, or of it some rows, whose numbers are given.

    `width` is the number of columns where only the run knows it. Raise ClickException if the array is not readable or
    has another shape, and for a value that is not a finite number.
    """
    values = load_checked(matrix, path, names, names_path, width, is_mapped=rows is not None)
    numbers = np.arange(len(values)) if rows is None else rows
    if rows is not None:
        values = values[rows]
    check_finite(matrix, path, values, numbers, names)
    return values


def map_matrix(
    matrix: Matrix, path: Path, names: Sequence[str], names_path: Path, width: int | None = None
) -> np.memmap:
    """Return the same array, of one row at least, from the file itself: what is read of it is in memory meanwhile.

    Raise ClickException also if it lies in the file column by column.
    """
    values = load_checked(matrix, path, names, names_path, width, is_mapped=True)
    if not values.flags.c_contiguous:
        raise click.ClickException(f"{path}: lies in the file column by column; {remedy_of(matrix, path)}")
    for start in range(0, len(values), ROWS_AT_ONCE):
        block = values[start : start + ROWS_AT_ONCE]
        check_finite(matrix, path, block, np.arange(start, start + len(block)), names)
        values.base.madvise(mmap.MADV_DONTNEED)
    return values


def remedy_of(matrix: Matrix, path: Path) -> str:
    """Return what a user can do about a file that is not such an array."""
    return f"give the {path.name} that the {matrix.stage} stage wrote"


def load_checked(
    matrix: Matrix, path: Path, names: Sequence[str], names_path: Path, width: int | None, is_mapped: bool
) -> np.ndarray:
    """Return an array with a row for each of the named contigs; raise ClickException for another shape or type."""
    values = load_array(path, remedy_of(matrix, path), is_mapped)
    columns = () if matrix.width is None else (width if isinstance(matrix.width, str) else matrix.width,)
    expected = (len(names), *columns)
    if values.ndim != len(expected) or any(n not in (None, m) for n, m in zip(expected, values.shape)):
        shape = str(expected).replace("None", "any")
        raise click.ClickException(
            f"{path}: has the shape {values.shape}, not {shape} as asked for by the {contigs_in(names, names_path)}; "
            "give both from the same run"
        )
    if values.dtype.kind not in "fiu":
        raise click.ClickException(f"{path}: holds {values.dtype}, not numbers; {remedy_of(matrix, path)}")
    return values


def check_finite(matrix: Matrix, path: Path, values: np.ndarray, rows: np.ndarray, names: Sequence[str]) -> None:
    """Raise ClickException for the first value that is not a finite number; `rows` are the values' rows in the file."""
    is_wrong = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if is_wrong.any():
        row = int(rows[is_wrong.argmax()])
        raise click.ClickException(
            f"{path}: row {row + 1} (contig {shown(list(names)[row])}): holds a value that is not a finite "
            f"number; {remedy_of(matrix, path)}"
        )


def write_matrix(matrix: Matrix, values: np.ndarray) -> None:
    """Write an array into the current directory. Raise ClickException if it cannot be written."""
    name = matrix.name
    with writing(name):
        np.save(name, values)


@contextmanager
def matrix_in_blocks(matrix: Matrix, shape: tuple[int, ...]) -> Iterator[Callable[[np.ndarray], None]]:
    """Open a float32 array of this shape in the current directory; the body gets a function that writes further rows.

    Raise ClickException if it cannot be written.
    """
    name = matrix.name
    with writing(name), open(name, "wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield lambda rows: file.write(np.ascontiguousarray(rows, np.float32))
