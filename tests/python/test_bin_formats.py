"""bin_formats.py: what other tools read, as they read it."""

import re

import pandas as pd
import pytest

from bin_formats import safe_names, write_formats
from binner_files import read_binning

ROWS = [("A.1", "c1", "A.1.001"), ("A.1", "s", "A.1.001"), ("A.1", "s", "A.1.002"), ("A.1", "c2", "A.1.002"),
        ("9", "c1", "9.001")]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    write_formats(pd.DataFrame(ROWS, columns=["assembly", "name", "bin"]), tmp_path / "formats")
    return tmp_path / "formats"


def test_each_assembly_has_its_files(folder):
    endings = ("contig2bin.tsv", "anvio.txt", "biobox.tsv")
    assert {path.name for path in folder.iterdir()} == {f"{name}.{end}" for name in ("A.1", "9") for end in endings}


def test_das_tool_has_no_header_and_each_contig_once(folder):
    """Two columns, contig and bin (DAS_Tool -i, binette --contig2bin_tables)."""
    assert (folder / "A.1.contig2bin.tsv").read_text() == "c1\tA.1.001\ns\tA.1.001\nc2\tA.1.002\n"


def test_anvio_has_safe_names(folder):
    """What `anvi-import-collection --contigs-mode` takes: it refuses other names, and a contig in two bins."""
    rows = [line.split("\t") for line in (folder / "A.1.anvio.txt").read_text().splitlines()]
    assert rows == [["c1", "A_1_001"], ["s", "A_1_001"], ["c2", "A_1_002"]]
    assert (folder / "9.anvio.txt").read_text() == "c1\tbin_9_001\n"


def test_safe_names_stay_apart():
    names = safe_names(["a.b.001", "a_b.001", "a-b.001", "é.001", "_x"])
    assert names == {
        "a.b.001": "a_b_001",
        "a_b.001": "a_b_001_2",
        "a-b.001": "a_b_001_3",
        "é.001": "bin___001",
        "_x": "bin__x",
    }
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in names.values())


def test_biobox_is_read_by_header(folder):
    """AMBER's format: @ lines, then a header with two @, and each bin of a shared contig."""
    lines = (folder / "A.1.biobox.tsv").read_text().splitlines()
    assert lines[:4] == ["@Version:0.9.0", "@SampleID:A.1", "", "@@SEQUENCEID\tBINID"]
    assert lines[4:] == ["c1\tA.1.001", "s\tA.1.001", "s\tA.1.002", "c2\tA.1.002"]


@pytest.mark.parametrize("ending", ["contig2bin.tsv", "biobox.tsv", "anvio.txt"])
def test_binloom_reads_them_back(folder, ending):
    bins = read_binning([folder / f"A.1.{ending}"], "A.1", pd.Series(["c1", "c2", "s"]))
    assert {contig: len(names) for contig, names in bins.items()} == {
        "c1": 1, "c2": 1, "s": 2 if ending == "biobox.tsv" else 1,
    }  # fmt: skip


def test_no_bin_no_file(tmp_path):
    write_formats(pd.DataFrame([], columns=["assembly", "name", "bin"]), tmp_path / "formats")
    assert list((tmp_path / "formats").iterdir()) == []
