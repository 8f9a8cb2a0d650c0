"""stage_arrays.py: arrays and descriptions that no stage may take, each with one line that names the file."""

import json
import pickle
from pathlib import Path

import click
import numpy as np
import pytest

import stage_arrays
from stage_arrays import FEATURES, LATENT, TETRANUCLEOTIDE_COUNTS, Description, Matrix
from stage_tables import contigs_hash

NAMES = ["a", "NA", "c"]
ROWS = Path("rows.tsv")
OUTPUT_PAGE = Path(__file__).resolve().parents[2] / "docs" / "output.md"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_file_and_key_is_documented():
    page = OUTPUT_PAGE.read_text()
    for value in vars(stage_arrays).values():
        if isinstance(value, Matrix | Description):
            assert f"`{Path(value.file).name}`" in page or f"### {value.file}" in page
        if isinstance(value, Description):
            assert [key for key in value.keys if f"`{key}`" not in page] == []


def test_a_matrix_comes_back():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    stage_arrays.write_matrix(LATENT, values)
    path = Path("latent.npy")
    assert np.array_equal(stage_arrays.read_matrix(LATENT, path, NAMES, ROWS), values)
    assert np.array_equal(stage_arrays.read_matrix(LATENT, path, NAMES, ROWS, width=4), values)
    assert np.array_equal(stage_arrays.read_matrix(LATENT, path, NAMES, ROWS, rows=np.array([2, 0])), values[[2, 0]])
    np.save("depth.npy", values[:, 0])
    assert np.array_equal(stage_arrays.read_matrix(stage_arrays.DEPTH, Path("depth.npy"), NAMES, ROWS), values[:, 0])
    np.save("empty.npy", values[:0])
    assert stage_arrays.read_matrix(LATENT, Path("empty.npy"), [], ROWS).shape == (0, 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.ones((2, 136)),
            "has the shape (2, 136), not (3, 136) as asked for by the 3 contigs of rows.tsv, the first",
        ),
        (np.ones((3, 135)), "has the shape (3, 135), not (3, 136)"),
        (np.ones(3), "has the shape (3,), not (3, 136)"),
        (np.full((3, 136), "x"), "not numbers"),
        (np.where(np.arange(3)[:, None] == 1, np.nan, np.ones((3, 136))), "row 2 (contig 'NA'): holds a value"),
        (np.where(np.arange(3)[:, None] == 2, np.inf, np.ones((3, 136))), "row 3 (contig 'c'): holds a value"),
        (np.full((3, 136), None), "is not a readable .npy array"),
        (b"", "is not a readable .npy array"),
        (b"no array", "is not a readable .npy array"),
    ],
)
def test_bad_matrices(values, message):
    path = Path("tetranucleotides.npy")
    if isinstance(values, bytes):
        path.write_bytes(values)
    else:
        np.save(path, values)
    for rows in (None, np.array([2] if "row 3" in message else [2, 1])):
        with pytest.raises(click.ClickException) as refused:
            stage_arrays.read_matrix(TETRANUCLEOTIDE_COUNTS, path, NAMES, ROWS, rows=rows)
        assert refused.value.message.startswith(f"{path}: ") and "\n" not in refused.value.message
        assert message in refused.value.message


class RunsCode:
    """What makes a file when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("code-ran"),)


def hostile_npy(kind: str) -> None:
    """Write tetranucleotides.npy: what looks like an array and is none, or none of numbers."""
    path = Path("tetranucleotides.npy")
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s, 136), }"
    if kind == "objects":
        np.save(path, np.array([RunsCode()] * 3, dtype=object))
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(RunsCode()))
    elif kind == "archive":
        with open(path, "wb") as file:
            np.savez(file, np.ones((3, 136)))
    elif kind == "half an archive":
        hostile_npy("archive")
        path.write_bytes(path.read_bytes()[:1000])
    elif kind in ("bytes", "records", "dates"):
        dtype = {"bytes": "S4", "records": [("a", "f8")], "dates": "M8[s]"}[kind]
        np.save(path, np.zeros((3, 136), dtype=dtype))
    else:
        text = (
            kind.encode() if kind == "print(1)" else header % {"huge": b"9" * 12, "overflow": b"9" * 30}[kind]
        ).ljust(117)
        path.write_bytes(b"\x93NUMPY\x01\x00" + (len(text) + 1).to_bytes(2, "little") + text + b"\n")


@pytest.mark.parametrize(
    "kind",
    ["objects", "pickle", "archive", "half an archive", "bytes", "records", "dates", "huge", "overflow", "print(1)"],
)
def test_hostile_matrices_are_refused_and_run_no_code(kind):
    path = Path("tetranucleotides.npy")
    hostile_npy(kind)
    for rows in (None, np.array([2, 1])):
        with pytest.raises(click.ClickException) as refused:
            stage_arrays.read_matrix(TETRANUCLEOTIDE_COUNTS, path, NAMES, ROWS, rows=rows)
        assert refused.value.message.startswith(f"{path}: ") and "\n" not in refused.value.message
    assert not Path("code-ran").exists()


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), ",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1" + b"0" * 5000 + b",), }",
        b"(" * 9000,
    ],
    ids=["no end", "long number", "deep"],
)
def test_a_header_that_numpy_cannot_parse_is_refused_in_one_line(header):
    Path("x.npy").write_bytes(b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n")
    with pytest.raises(click.ClickException) as raised:
        stage_arrays.load_array(Path("x.npy"), "make it anew", False)
    assert raised.value.message.startswith("x.npy: is not a readable .npy array")
    assert raised.value.message.isprintable() and len(raised.value.message) < 400


def test_a_truncated_matrix_is_named():
    np.save("latent.npy", np.ones((3, 40)))
    raw = Path("latent.npy").read_bytes()
    Path("latent.npy").write_bytes(raw[:-100])
    for rows in (None, np.array([0])):
        with pytest.raises(click.ClickException, match=r"latent.npy: is not a readable"):
            stage_arrays.read_matrix(LATENT, Path("latent.npy"), NAMES, ROWS, rows=rows)


def test_a_description_comes_back():
    stage_arrays.write_description(FEATURES, {"samples": ["S1"], "mapped_reads": None})
    assert Path("features.json").read_text() == json.dumps({"samples": ["S1"], "mapped_reads": None}, indent=1) + "\n"
    found = stage_arrays.read_description(FEATURES, Path("features.json"), ["samples", "mapped_reads"])
    assert found == {"samples": ["S1"], "mapped_reads": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        (b"\xff", "is not JSON"),
        ('{"samples": ' + "[" * 100_000, "is not JSON"),
        ('{"samples": [NaN]}', "is not JSON (it holds NaN)"),
        ("[]", "has no list `samples`"),
        ("{}", "has no list `samples`"),
        ('{"samples": "S1"}', "has no list `samples`"),
        ('{"samples": ["S1"]}', "has no object `mapped_reads`"),
        ('{"samples": ["S1"], "mapped_reads": null}', "has no text `rows_sha256`"),
    ],
    ids=range(10),
)
def test_bad_descriptions(text, message):
    path = Path("features.json")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(click.ClickException) as refused:
        stage_arrays.read_description(FEATURES, path, ["samples", "mapped_reads", "rows_sha256"])
    assert refused.value.message.startswith(f"features.json: {message}")
    assert refused.value.message.endswith("; give the features.json that the features stage wrote")


def test_a_hash_of_other_contigs():
    path = Path("features.json")
    stage_arrays.check_hash(path, contigs_hash(NAMES), NAMES, ROWS)
    with pytest.raises(click.ClickException, match=r"is not about the 3 contigs of rows.tsv, the first 'a'; give both"):
        stage_arrays.check_hash(path, contigs_hash(NAMES[::-1]), NAMES, ROWS)
    with pytest.raises(click.ClickException, match=r"the 0 contigs of rows.tsv; give both"):
        stage_arrays.check_hash(path, contigs_hash(NAMES), [], ROWS)
