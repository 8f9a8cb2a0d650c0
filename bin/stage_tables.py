#!/usr/bin/env python3
"""Read the tables that pass between stages or that a user finds among the results.

Every table of docs/output.md has one schema here: its columns with their types and bounds, the columns that make its
key, and the format of its numbers. `read_table` refuses what breaks the schema with one line that names the file, the
row and the remedy. Rows are counted from 1, below the header. table_output.py writes what has such a schema.
"""

import hashlib
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pandas as pd

from message_text import one_line, printable, shown
from table_bytes import UNFIT_CHARACTER, open_table, parsed_blocks
from table_columns import Column, Table, real, text, whole

DTYPES = {str: str, bool: str, int: np.int64, float: np.float64}
BLOCK_ROWS = 1 << 16  # of a table that is not held; it decides the memory alone
ALL_ROWS = 1 << 62


CONTIGS = Table(
    "catalogue/contigs.tsv",
    "catalogue",
    (*text("contig", "assembly", "name"), *whole("length", least=1)),
    key=("contig",),
)
COUNTS = Table(
    "abundance/<sample>.counts.tsv.gz",
    "map_reads",
    (*text("sample", "contig"), *whole("reads"), *real("coverage", "edits")),
    key=("contig",),
    advice="give the table that the map_reads stage of this version wrote",
)
READ_NUMBERS = ("reads", "mapped_reads", "counted_reads", "alignments")
MAPPING = Table(
    "abundance/<sample>.mapping.tsv",
    "map_reads",
    (*text("sample"), *whole(*READ_NUMBERS), *real("mean_coverage")),
    key=("sample",),
)
PAIRS = Table(
    "abundance/<sample>.pairs.tsv.gz",
    "map_reads",
    (*text("contig_1", "contig_2"), *whole("pairs", least=1)),
    key=("contig_1", "contig_2"),
)
PAIR_LINKS = replace(PAIRS, file="features/pair_links.tsv.gz", stage="features")
ROWS = Table("features/rows.tsv", "features", (*text("contig"), *whole("length", least=1)), key=("contig",))
EXCLUDED = Table(
    "features/excluded.tsv",
    "features",
    (*text("contig"), Column("reason", words=("short", "no_tetranucleotide"))),
    key=("contig",),
)
RPKM = Table("features/rpkm.tsv.gz", "features", text("contigname"), key=("contigname",), sample=Column("", float))
COVERAGE = Table("features/coverage.tsv.gz", "features", text("contig"), key=("contig",), sample=Column("", float))
EDITS = Table("features/edits.tsv.gz", "features", text("contig"), key=("contig",), sample=Column("", float))
TRAINING = Table(
    "vae/training.tsv",
    "vae",
    (
        *whole("epoch", least=1),
        *real("loss", "ce", "sse", "kld", "depth_se", least=-math.inf),
        *whole("batch_size", least=1),
        *real("learning_rate", "seconds"),
    ),
    key=("epoch",),
)
# What training.tsv has where contigs were left out of the training, which a run of the pipeline does not do.
HELD_OUT_TRAINING = replace(
    TRAINING, columns=(*TRAINING.columns, *real("held_out_loss", least=-math.inf, may_be_empty=True))
)
CLUSTERS = Table("clusters.tsv", "cluster", text("cluster", "contig", "assembly", "name"), key=("contig",))
HOMOLOGS = Table(
    "homologs/homologs.tsv.gz",
    "homologs",
    (*text("contig_1", "contig_2"), *whole("shared", least=1)),
    key=("contig_1", "contig_2"),
)
MARKERS = Table(
    "markers/<assembly>/markers.tsv.gz",
    "markers",
    (
        *text("contig", "family"),
        *whole("start", "end", least=1),
        *real("score"),
        *real("covered", most=1),
        Column("cut", bool),
    ),
    key=("contig", "family", "start", "end"),
)
FAMILIES = Table(
    "markers/<assembly>/marker_families.tsv",
    "markers",
    (*text("family"), *real("bacteria", "archaea")),
    key=("family",),
)
VERTICES = Table("refine/<assembly>/vertices.tsv.gz", "graph", text("contig"), key=("contig",))
# It has no key: an edge that stands twice does no harm, as the readers make the graph simple.
EDGES = Table("refine/<assembly>/edges.tsv.gz", "graph", text("contig_1", "contig_2"))
REFINED_CONTIG2BIN = Table("refine/<assembly>/contig2bin.tsv", "refine", text("contig", "bin"), key=("contig", "bin"))
REFINEMENT = Table(
    "refine/<assembly>/refinement.tsv",
    "refine",
    (
        *text("contig", "assembly", "name"),
        *whole("length", least=1),
        *text("initial", may_be_empty=True),
        Column("in_graph", bool),
        *text("unlinked", "final", may_be_empty=True),
        *real("posterior", "none", most=1),
        *text("merged", may_be_empty=True),
        *text("reason"),
    ),
    key=("contig",),
    float_format="%.4f",
)
ARTICLE_REFINEMENT = Table(
    "refine/<assembly>/refinement.tsv",
    "refine",
    (
        *text("contig", "assembly", "name"),
        *whole("length", least=1),
        Column("in_graph", bool),
        *text("initial", "step1", "step2", "step3", "final", may_be_empty=True),
        *text("reason"),
    ),
    key=("contig",),
)
SAME_GENOMES = Table(
    "transfer/same_genomes.tsv",
    "transfer",
    (*whole("genome"), *text("assembly", "cluster"), Column("transferred", bool)),
    key=("assembly", "cluster"),
)
CONTIG2BIN = Table("contig2bin.tsv", "bins", text("assembly", "contig", "bin"), key=("assembly", "contig", "bin"))
BINS = Table(
    "bins.tsv",
    "bins",
    (
        *text("bin", "assembly", "cluster"),
        *whole("size", "contigs", "n50", least=1),
        *real("gc", most=1),
        *whole("multi_labelled"),
        Column("refined", bool),
        Column("transferred", bool),
    ),
    key=("bin",),
    sample=Column("coverage_", float),
)
GENOMES = Table(
    "genomes.tsv",
    "bins",
    (
        *text("genome", "bin", "assembly"),
        Column("representative", bool),
        *whole("size", "contigs", "n50", least=1),
        Column("transferred", bool),
    ),
    key=("bin",),
)
# What bins.tsv has where marker genes were searched for.
RATED_BINS = Table(
    "bins.tsv",
    "bins",
    (
        *BINS.columns,
        *whole("markers_found"),
        *real("completeness", most=1, may_be_empty=True),
        *real("contamination", may_be_empty=True),
        Column("quality", words=("high", "medium", "low", "contaminated"), may_be_empty=True),
    ),
    key=BINS.key,
    sample=BINS.sample,
)
UNBINNED = Table(
    "unbinned.tsv",
    "bins",
    (
        *text("assembly", "contig"),
        *whole("length", least=1),
        *text("cluster", may_be_empty=True),
        Column("reason", words=("small_bin", "removed", "short", "no_tetranucleotide", "unclustered")),
    ),
    key=("assembly", "contig"),
)
GROUP_NUMBERS = (
    "assemblies",
    "samples",
    "contigs",
    "contigs_binned",
    "bp",
    "bp_binned",
    "bins",
    "refined_assemblies",
    "warnings",
)
SUMMARY = Table("summary.tsv", "summary", (*text("group"), *whole(*GROUP_NUMBERS)), key=("group",))
# A run without warnings has an empty table; `id` is empty where a whole group is meant.
WARNINGS = Table("warnings.tsv", "summary", (*text("stage", "group"), *text("id", may_be_empty=True), *text("warning")))


def contigs_hash(names: Iterable[str]) -> str:
    """Return the SHA-256 of the names of contigs, joined by newlines: it travels with what has a row for each."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def read_table(table: Table, path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the columns of a table in their types; the file may be plain or gzipped.

    `columns` are those that the caller needs; without it they are all of the schema, in its order, and those of the
    samples. The file may have others. Raise ClickException if it is damaged or not such a table.
    """
    (frame,) = read_blocks(table, path, columns, rows=ALL_ROWS)
    check_key(table, path, frame)
    return frame


def read_kept(
    table: Table, path: Path, keep: Callable[[pd.DataFrame], pd.DataFrame], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the same, but hold no more than those rows that `keep` leaves of each block; their index has all rows.

    Rows of the same key have to be kept together, or left out together. `keep` may add columns.
    """
    frame = pd.concat([keep(block) for block in read_blocks(table, path, columns)])
    check_key(table, path, frame)
    return frame


def read_blocks(
    table: Table, path: Path, columns: Sequence[str] | None = None, rows: int = BLOCK_ROWS
) -> Iterator[pd.DataFrame]:
    """Yield the same in blocks of so many rows, one at least, whose index goes on; what is a key may stand twice.

    A row that lacks cells is told of in place of the last block.
    """
    try:
        header, is_even = read_header(path)
        wanted = find_columns(table, path, header, columns)
        gaps = {name for name, column in wanted.items() if column.has_gaps}
        dtypes = {name: DTYPES[wanted[name].kind] if name in wanted.keys() - gaps else str for name in header}
        if not is_even:
            raise find_malformed_row(table, path, header, wanted)
        for frame in parsed_blocks(path, dtypes, rows):
            if frame is None or not all(frame[name].map(wanted[name].can_be).all() for name in gaps):
                raise find_malformed_row(table, path, header, wanted)
            yield typed(table, path, frame, wanted, gaps)
    except (OSError, EOFError, zlib.error) as error:
        raise click.ClickException(f"{path}: is damaged or cut off ({one_line(error)}); {table.remedy}") from error


def typed(table: Table, path: Path, frame: pd.DataFrame, wanted: dict[str, Column], gaps: set[str]) -> pd.DataFrame:
    """Return the wanted columns in their types; raise ClickException for a value that its column may not hold."""
    if list(frame.columns) != list(wanted):
        frame = frame[list(wanted)]
    if gaps:
        frame = frame.assign(**{name: pd.to_numeric(frame[name].replace("", None)).astype(float) for name in gaps})
    for name, column in wanted.items():
        is_wrong = column.wrong(frame[name])
        if is_wrong.any():
            first = int(is_wrong.argmax())
            raise wrong_cell(table, path, frame.index[first] + 1, row_of(frame, first), name, column)
    flags = {name: frame[name] == "true" for name, column in wanted.items() if column.kind is bool}
    return frame.assign(**flags) if flags else frame


def check_key(table: Table, path: Path, frame: pd.DataFrame, is_again: np.ndarray | bool = False) -> None:
    """Raise ClickException for the first row whose key stands above it, or in a block before (`is_again`)."""
    if not table.key or not set(table.key) <= set(frame.columns):
        return
    again = frame.duplicated(list(table.key)) | is_again
    if again.any():
        first = int(again.argmax())
        raise wrong_row(table, path, frame.index[first] + 1, row_of(frame, first), "stands in the table twice")


def read_header(path: Path) -> tuple[list[str], bool]:
    """Return the names of a table's columns, none if it is empty, and whether its first row has as many cells."""
    with open_table(path) as lines:
        header = lines.readline()
        first = next(filter(None, (line.rstrip(b"\r\n") for line in lines)), b"")
    try:
        names = header.decode("utf-8-sig").rstrip("\r\n").split("\t")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path}: its header is not UTF-8 ({error}); give a table of text") from error
    return names if header.strip() else [], not first or first.count(b"\t") == header.count(b"\t")


def bins_schema(path: Path) -> Table:
    """Return the schema of a bins.tsv: with what marker genes tell of the bins, or without."""
    return RATED_BINS if "quality" in read_header(path)[0] else BINS


def find_columns(table: Table, path: Path, header: list[str], columns: Sequence[str] | None) -> dict[str, Column]:
    """Return the columns to read by their names in the header; raise ClickException if one is missing or repeated."""
    known = {column.name: column for column in table.columns}
    needed = known if columns is None else {name: known[name] for name in columns}
    if not header:
        raise click.ClickException(f"{path}: is empty; {table.remedy}")
    for name in needed:
        if name not in header:
            raise click.ClickException(
                f"{path}: no column {name} (it has {printable(', '.join(header))}); {table.remedy}"
            )
    further = [name for name in header if name not in known]
    repeated = [name for name in header if header.count(name) > 1] if len(set(header)) < len(header) else []
    if repeated:
        raise click.ClickException(f"{path}: two columns are named {shown(repeated[0])}; rename one")
    if UNFIT_CHARACTER.search("".join(header)):
        raise click.ClickException(f"{path}: its header has a control character in it; {table.remedy}")
    if "" in header:
        raise click.ClickException(f"{path}: column {header.index('') + 1} is named ''; give each column a name")
    if table.sample is None or columns is not None:
        return needed
    prefix = table.sample.name
    of_samples = [name for name in further if name.startswith(prefix) and name != prefix]
    if not of_samples:
        raise click.ClickException(f"{path}: no sample column behind {table.columns[-1].name}; {table.remedy}")
    return {**needed, **dict.fromkeys(of_samples, table.sample)}


def find_malformed_row(table: Table, path: Path, header: list[str], wanted: dict[str, Column]) -> click.ClickException:
    """Return the error for the first row of a file that could not be read, found by reading it line by line."""
    with open_table(path) as lines:
        next(lines)
        for number, line in enumerate(lines, 1):
            try:
                cells = line.decode().removesuffix("\n").removesuffix("\r").split("\t")
            except UnicodeDecodeError as error:
                return click.ClickException(f"{path}: row {number}: is not UTF-8 ({error}); {table.remedy}")
            row = dict(zip(header, cells))
            if UNFIT_CHARACTER.search("".join(cells)):
                return wrong_row(table, path, number, row, "has a control character in it")
            if cells != [""] and not cells[0].strip(" ") and len(cells) == 1:
                return wrong_row(table, path, number, row, "has nothing but spaces in it")
            if cells != [""] and len(cells) != len(header):
                tab = ", as it ends in a tab" if cells[-1] == "" else ""
                problem = f"has {len(cells)} cells under a header of {len(header)}{tab}"
                return wrong_row(table, path, number, row, problem)
            for name, column in wanted.items() if cells != [""] else ():
                if not column.can_be(row[name]):
                    return wrong_cell(table, path, number, row, name, column)
    return click.ClickException(f"{path}: is not the table that it should be; {table.remedy}")


def row_of(frame: pd.DataFrame, position: int) -> dict:
    """Return a row of a table by the names of its columns."""
    values = {name: column.iloc[position] for name, column in frame.items()}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def wrong_row(table: Table, path: Path, number: int, row: Mapping, problem: str) -> click.ClickException:
    """Return the error for a row of a file, counted from 1; the columns of the key name it."""
    names = [name for name in table.key or (table.columns[0].name,) if name in row]
    key = ", ".join(f"{'contig' if name == 'contigname' else name} {shown(row[name])}" for name in names)
    return click.ClickException(f"{path}: row {number}{f' ({key})' if key else ''}: {problem}; {table.remedy}")


def wrong_cell(table: Table, path: Path, number: int, row: Mapping, name: str, column: Column) -> click.ClickException:
    """Return the error for a value that its column may not hold."""
    return wrong_row(table, path, number, row, f"has {shown(row[name])} in column {printable(name)}, not {column.rule}")


def check_contigs(
    path: Path, frame: pd.DataFrame, known: pd.Index, where: str, columns: Sequence[str] = ("contig",)
) -> np.ndarray:
    """Return the places of the contigs in these columns (c x k) among the known, which have each name once.

    Raise ClickException for the first that is not among them; `where` says where those are.
    """
    places = np.stack([known.get_indexer(frame[name]) for name in columns])
    if (places < 0).any():
        row, column = np.argwhere(places.T < 0)[0]
        contig = frame[columns[column]].iloc[row]
        raise click.ClickException(
            f"{path}: row {frame.index[row] + 1}: contig {shown(contig)} is not {where}; give both from the same run"
        )
    return places


def check_names(path: Path, frame: pd.DataFrame, contigs: pd.DataFrame, contigs_path: Path) -> None:
    """Raise ClickException for the first contig of a table by assembly and name that is not in contigs.tsv."""
    known = pd.MultiIndex.from_frame(contigs[["assembly", "name"]])
    is_unknown = ~pd.MultiIndex.from_frame(frame[["assembly", "contig"]]).isin(known)
    if is_unknown.any():
        row = int(is_unknown.argmax())
        assembly, contig = frame[["assembly", "contig"]].iloc[row]
        raise click.ClickException(
            f"{path}: row {row + 1}: contig {shown(contig)} of assembly {shown(assembly)} is not in {contigs_path}; "
            "give both from the same run"
        )
