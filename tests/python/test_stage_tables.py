"""stage_tables.py: all schemas against docs/output.md, every malformed variant of every table, round trips."""

import gzip
import html
import re
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evaluation_tables
import experiment_tables
import gene_tables
import shown_contigs
import stage_tables
from stage_tables import Column, Table, read_table
from table_bytes import parsed_blocks
from table_output import write_table

MODULES = (stage_tables, evaluation_tables, experiment_tables, gene_tables, shown_contigs)
SCHEMAS = {name: value for module in MODULES for name, value in vars(module).items() if isinstance(value, Table)}
OUTPUT_PAGE = Path(__file__).resolve().parents[2] / "docs" / "output.md"
N_ROWS = 3


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# The page of outputs


def documented_tables() -> dict[str, list[str]]:
    """Columns of each table of docs/output.md by its heading."""
    sections = re.split(r"^#+ ", html.unescape(OUTPUT_PAGE.read_text()), flags=re.MULTILINE)
    tables = {}
    for section in sections:
        heading, _, body = section.partition("\n")
        found = re.search(r"^\| column \| \|\n\|---\|---\|\n((?:\|.*\n)+)", body, flags=re.MULTILINE)
        if found:
            cells = [line.split("|")[1] for line in found[1].splitlines()]
            tables[heading] = [name for cell in cells for name in re.findall("`([^`]+)`", cell)]
        assert bool(found) == (".tsv" in heading), f"docs/output.md, {heading}: a table needs its columns"
    return tables


def heading_of(table: Table) -> str:
    modes = {
        id(stage_tables.REFINEMENT): ", evidence",
        id(stage_tables.ARTICLE_REFINEMENT): ", article",
        id(stage_tables.RATED_BINS): ", with markers",
        id(gene_tables.GENE_SUMMARY): ", gene catalogues",
        id(stage_tables.HELD_OUT_TRAINING): ", with held-out contigs",
    }
    return table.file + modes.get(id(table), "")


def test_every_schema_is_documented_and_every_documented_table_has_a_schema():
    schemas = {}
    for table in SCHEMAS.values():
        of_samples = [f"{table.sample.name}<sample>"] if table.sample else []
        schemas[heading_of(table)] = [column.name for column in table.columns] + of_samples
    assert schemas == documented_tables()


def test_words_of_a_column_are_documented():
    page = OUTPUT_PAGE.read_text()
    for table in SCHEMAS.values():
        assert [word for column in table.columns for word in column.words if f"`{word}`" not in page] == []


# What is refused


def good_cell(column: Column, row: int) -> str:
    if column.choices:
        return column.choices[row % len(column.choices)]
    if column.kind is str:
        return f'"{column.name}~{row}'  # a quote is a character like others
    return str(row + 1) if column.kind is int else str(row / 4)


def good_rows(table: Table) -> list[list[str]]:
    """The header of a table and some rows that it may have."""
    of_samples = [table.sample.name + sample for sample in ("S1", "NA")] if table.sample else []
    columns = [*table.columns, *[table.sample] * len(of_samples)]
    rows = [[good_cell(column, row) for column in columns] for row in range(N_ROWS)]
    return [[column.name for column in table.columns] + of_samples, *rows]


def as_bytes(rows: list[list[str]]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def changed(rows: list[list[str]], row: int, column: int, cell: str) -> bytes:
    rows = [list(cells) for cells in rows]
    rows[row][column] = cell
    return as_bytes(rows)


def malformed_cells(table: Table, rows: list[list[str]]):
    """Variants with one wrong cell in the second row: name, bytes, words of the error."""
    columns = [*table.columns, *[table.sample] * (len(rows[0]) - len(table.columns))]
    for place, column in enumerate(columns):
        name = rows[0][place]
        # The empty line of a table of one column is passed over, as in all tables.
        wrong = [] if column.may_be_empty or len(columns) == 1 else [""]
        if column.kind in (int, float):
            wrong += ["text", "nan", "NaN", "inf", "-inf", "1e999", "1,5", "1_0"]
            wrong += ["-3"] if column.least == 0 else ["0"] if column.least > 0 else []
            wrong += ["1.5"] if column.kind is int or column.most == 1 else []
        elif column.choices:
            wrong += ["other", "True"]
        for cell in wrong:
            yield f"{name}-{cell or 'nothing'}", changed(rows, 2, place, cell), ["row 2", f"in column {name}", "not "]


def malformed_variants(table: Table):
    """All variants of a table that no reader may take: name, bytes, words of the error."""
    rows = good_rows(table)
    whole = as_bytes(rows)
    yield from malformed_cells(table, rows)
    for place, column in enumerate(table.columns):
        lacking = [cells[:place] + cells[place + 1 :] for cells in rows]
        yield f"no-{column.name}", as_bytes(lacking), [f"no column {column.name}" if lacking[0] else "is empty"]
    yield "empty", b"", ["is empty"]
    yield "empty-gzip", gzip.compress(b""), ["is empty"]
    yield "blank", b"\n\n", ["is empty"]
    packed = gzip.compress(whole)
    yield "cut-off", packed[:-20], ["is damaged or cut off"]
    yield "cut-off-rows", gzip.compress(as_bytes(rows[:1]) + as_bytes(rows[1:]) * 9999)[:-20], ["is damaged or cut off"]
    yield "garbled", packed[:-8] + b"garbled!", ["is damaged or cut off"]
    yield "latin-1", whole + b"\xe9\n" if len(rows[0]) == 1 else whole.replace(b"~1", b"~\xe9"), ["row", "is not UTF-8"]
    yield "latin-1-header", b"\xe9" + whole, ["header is not UTF-8"]
    yield "long-first-row", changed(rows, 1, -1, rows[1][-1] + "\tmore"), ["row 1", "cells under a header of"]
    yield "tab-at-the-end", changed(rows, 2, -1, rows[2][-1] + "\t"), ["row 2", "as it ends in a tab"]
    yield "long-row", changed(rows, 2, -1, rows[2][-1] + "\tmore"), ["row 2", "cells under a header of"]
    yield "repeated-column", as_bytes([[*cells, cells[0]] for cells in rows]), ["two columns are named"]
    yield (
        "nameless-column",
        as_bytes([[*cells, cells[0] if row else ""] for row, cells in enumerate(rows)]),
        ["is named ''"],
    )
    if table.key:
        yield "same-key", as_bytes([*rows, rows[2]]), ["row 4", "stands in the table twice"]
    if table.sample:
        none = [cells[: len(table.columns)] for cells in rows]
        yield "no-sample", as_bytes(none), ["no sample column"]


VARIANTS = [
    pytest.param(table, raw, words, id=f"{name}-{variant}")
    for name, table in SCHEMAS.items()
    for variant, raw, words in malformed_variants(table)
    if not (variant == "latin-1" and not any(column.kind is str and not column.words for column in table.columns))
]


@pytest.mark.parametrize(("table", "raw", "words"), VARIANTS)
def test_malformed_tables_are_refused_with_one_line(table, raw, words):
    path = Path(table.name.replace("<sample>", "S1"))
    for contents in [raw] if raw[:2] == b"\x1f\x8b" else [raw, gzip.compress(raw)]:
        path.write_bytes(contents)
        with pytest.raises(click.ClickException) as refused:
            read_table(table, path)
        message = refused.value.message
        assert message.startswith(f"{path}: ") and "\n" not in message
        assert [word for word in words if word not in message] == []
        assert re.search("; (give|rename) ", message)


def test_the_first_wrong_row_is_named_by_its_key():
    Path("contigs.tsv").write_text("contig\tassembly\tname\tlength\na\tA\ta\t7\n\nNA\tA\tb\t12.5\nc\tA\tc\tx\n")
    with pytest.raises(click.ClickException) as refused:
        read_table(stage_tables.CONTIGS, Path("contigs.tsv"))
    assert refused.value.message == (
        "contigs.tsv: row 3 (contig 'NA'): has '12.5' in column length, not a whole number of at least 1; "
        "give the contigs.tsv that the catalogue stage wrote"
    )


def test_contigs_of_another_run_are_named():
    frame = pd.DataFrame({"contig_1": ["a", "b"], "contig_2": ["b", "zz"]})
    known = pd.Index(["b", "a"])
    places = stage_tables.check_contigs(Path("edges.tsv.gz"), frame, known, "in contigs.tsv", ["contig_1"])
    assert places.tolist() == [[1, 0]]
    with pytest.raises(click.ClickException) as refused:
        stage_tables.check_contigs(Path("edges.tsv.gz"), frame, known, "in contigs.tsv", ["contig_1", "contig_2"])
    assert refused.value.message == (
        "edges.tsv.gz: row 2: contig 'zz' is not in contigs.tsv; give both from the same run"
    )


# What is read and written


@pytest.mark.parametrize("table", SCHEMAS.values(), ids=SCHEMAS)
def test_round_trip(table):
    path = Path(table.name.replace("<sample>", "S1"))
    path.write_bytes(as_bytes(good_rows(table)))  # plain, whatever its name
    frame = read_table(table, path)
    assert list(frame.columns) == good_rows(table)[0] and len(frame) == N_ROWS
    kinds = {column.name: column.kind for column in table.columns}
    dtypes = {str: object, bool: bool, int: np.int64, float: np.float64}
    assert all(frame[name].dtype == dtypes[kinds.get(name, float)] for name in frame.columns)
    write_table(table, frame, path)
    first = path.read_bytes()
    pd.testing.assert_frame_equal(read_table(table, path), frame)
    write_table(table, frame, path)
    assert path.read_bytes() == first
    if table.name.endswith(".gz"):
        assert first[4:8] == bytes(4)  # no time
    elif table is not stage_tables.REFINEMENT:
        numbers = as_bytes(good_rows(table)).replace(b"0.0\t", b"0\t").replace(b"0.0\n", b"0\n")
        assert first == numbers


@pytest.mark.parametrize("table", SCHEMAS.values(), ids=SCHEMAS)
def test_no_rows(table):
    path = Path(table.name.replace("<sample>", "S1"))
    path.write_bytes(as_bytes(good_rows(table)[:1]))
    frame = read_table(table, path)
    assert len(frame) == 0
    write_table(table, frame, path)
    assert list(read_table(table, path).columns) == good_rows(table)[0]


def test_only_the_columns_that_are_asked_for():
    path = Path("bins.tsv")
    path.write_text("size\tbin\trefined\tcoverage_S1\textra\n7\tA.1\ttrue\tx\t\n")
    frame = read_table(stage_tables.BINS, path, ["bin", "size", "refined"])
    assert frame.to_dict("records") == [{"bin": "A.1", "size": 7, "refined": True}]


def test_byte_order_mark_and_crlf():
    path = Path("rows.tsv")
    path.write_bytes("\ufeffcontig\tlength\r\nNA\t5\r\n".encode())
    assert read_table(stage_tables.ROWS, path).to_dict("list") == {"contig": ["NA"], "length": [5]}


def test_the_writer_refuses_other_columns():
    frame = pd.DataFrame({"contig": ["a"], "size": [5]})
    with pytest.raises(ValueError, match=r"rows.tsv has the columns"):
        write_table(stage_tables.ROWS, frame)
    with pytest.raises(ValueError, match=r"contigname"):
        write_table(stage_tables.RPKM, pd.DataFrame({"contigname": ["a"]}))


names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
numbers = st.floats(0, 1e300).map(lambda number: float(f"{number:.6g}"))


@settings(max_examples=50)
@given(st.dictionaries(names, st.tuples(numbers, numbers), max_size=5), st.sets(names, min_size=2, max_size=2))
def test_any_names_come_back(rows, samples):
    samples = sorted(samples - {"contig"})
    if len(samples) < 2:
        return
    values = np.array(list(rows.values()), dtype=float).reshape(-1, 2)
    frame = pd.DataFrame(values, columns=samples)
    frame.insert(0, "contig", pd.Series(list(rows), dtype=object))
    write_table(stage_tables.COVERAGE, frame)
    pd.testing.assert_frame_equal(read_table(stage_tables.COVERAGE, Path("coverage.tsv.gz")), frame)


def test_hash_is_of_the_names_and_their_order():
    assert stage_tables.contigs_hash([]) == stage_tables.contigs_hash(iter([]))
    assert stage_tables.contigs_hash(["a", "b"]) == stage_tables.contigs_hash(pd.Series(["a", "b"]))
    assert stage_tables.contigs_hash(["a", "b"]) != stage_tables.contigs_hash(["b", "a"])


# What pandas would read in silence as another table (found by benchmark/fuzz_readers.py)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contig\tlength\nA\0B\t9\n", "row 1 (contig 'A\\x00B'): has a control character in it"),
        ("contig\tlength\nA\t9\rB\t8\n", "row 1 (contig 'A'): has a control character in it"),
        ("contig\tlength\nA\t9\n  \nB\t8\n", "row 2 (contig '  '): has nothing but spaces in it"),
        ("contig\tlength\tx\nA\t9\t1\nB\t8\n", "row 2 (contig 'B'): has 2 cells under a header of 3"),
        # A blank line hid the first row, of which pandas leaves out the cells behind the last column.
        ("contig\tlength\n\nA\t9\t1\nB\n", "row 2 (contig 'A'): has 3 cells under a header of 2"),
        ("contig\tlength\nA\t7\v\n", "row 1 (contig 'A'): has a control character in it"),
        (
            "contig\tlength\nA\t12345678901234565678\n",
            "row 1 (contig 'A'): has '12345678901234565678' in column length",
        ),
        ("contig\tlength\tx\0\nA\t9\t1\n", "its header has a control character in it"),
        ("contig\t" + "x" * 9000 + "\nA\t9\n", "no column length (it has contig, xxxx"),
        ("contig\tlength\n" + "A" * 9000 + "\tx\n", "row 1 (contig 'AAAA"),
    ],
    ids=range(10),
)
def test_what_pandas_misreads_is_refused_in_one_short_line(text, message):
    Path("rows.tsv").write_bytes(text.encode())
    with pytest.raises(click.ClickException) as refused:
        read_table(stage_tables.ROWS, Path("rows.tsv"))
    assert refused.value.message.startswith(f"rows.tsv: {message}")
    assert refused.value.message.isprintable() and len(refused.value.message) < 400


# Blocks of rows


def spoilt(number: int, line: str) -> Path:
    """Write a table of pairs of contigs, one line of which (from 1, below the header) is another."""
    lines = ["contig_1\tcontig_2\tpairs", *(f"a\tb{row}\t{row}" for row in range(1, 8))]
    lines[number] = line
    Path("pairs.tsv.gz").write_bytes(gzip.compress("\n".join([*lines, ""]).encode()))
    return Path("pairs.tsv.gz")


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
def test_blocks_are_the_table(rows):
    path = spoilt(1, "a\tb1\t1")
    blocks = list(stage_tables.read_blocks(stage_tables.PAIRS, path, rows=rows))
    assert [len(block) for block in blocks[:-1]] == [rows] * (len(blocks) - 1) and len(blocks[-1]) <= rows
    pd.testing.assert_frame_equal(pd.concat(blocks), read_table(stage_tables.PAIRS, path))


def test_a_table_without_rows_is_one_block():
    Path("pairs.tsv.gz").write_text("contig_1\tcontig_2\tpairs\n")
    (block,) = stage_tables.read_blocks(stage_tables.PAIRS, Path("pairs.tsv.gz"), rows=2)
    assert block.empty and list(block) == ["contig_1", "contig_2", "pairs"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\tb6\t0", "row 6 (contig_1 'a', contig_2 'b6'): has 0 in column pairs, not "),
        ("a\tb6\tx", "row 6 (contig_1 'a', contig_2 'b6'): has 'x' in column pairs, not "),
        ("a\tb6", "row 6 (contig_1 'a', contig_2 'b6'): has 2 cells under a header of 3"),
        ("a\tb6\t6\t6", "row 6 (contig_1 'a', contig_2 'b6'): has 4 cells under a header of 3"),
        ("a\tb1\t6", "row 6 (contig_1 'a', contig_2 'b1'): stands in the table twice"),
    ],
)
def test_rows_are_counted_over_all_blocks(monkeypatch, line, message):
    """Of those that are kept; the others are in the file, too."""
    monkeypatch.setattr(stage_tables, "parsed_blocks", lambda path, dtypes, _: parsed_blocks(path, dtypes, 2))
    with pytest.raises(click.ClickException) as refused:
        stage_tables.read_kept(
            stage_tables.PAIRS, spoilt(6, line), lambda block: block[block["contig_2"].isin(["b1", "b6"])]
        )
    assert refused.value.message.startswith(f"pairs.tsv.gz: {message}")
