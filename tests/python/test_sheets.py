"""sheets.py: bad headers, files that are no table, and that anything else becomes problems of rows."""

import re
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheet_checks import sheet_problems
from sheets import read_sheet
from user_sheets import SAMPLE_HEADER, SAMPLES, SCHEMAS, find_problems, only, run_validate, samples
from validate import result_rows


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return run_validate


@pytest.fixture
def problems(tmp_path):
    return partial(find_problems, tmp_path)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Sample,group,fastq_1", [["'Sample'", "did you mean 'sample'?"], ["'sample' is missing"]]),
        ("sample,fastq_1", [["'group' is missing", "binned together"]]),
        ("sample,group", [["'fastq_1' and 'bam' are missing"]]),
        ("sample,group,fastq1,bam", [["'fastq1'", "did you mean 'fastq_1'?"]]),
        ("sample,group,bam,wetness", [["'wetness'", "the columns are sample, group, fastq_1"]]),
        ("sample,group,bam,bam", [["'bam' stands twice"]]),
        ("sample,group,bam,", [["column 4 has no name"]]),
        ("sample\tgroup\tfastq_1", [["separated by tabs", "commas"]]),
        ("sample;group;fastq_1", [["separated by semicolons", "commas"]]),
    ],
)
def test_bad_headers(problems, header, words):
    row = "S,G,,x.bam" if header.startswith("sample,group,fastq1") else "S,G,x.bam" + "," * (header.count(",") - 2)
    found = [problem for problem in problems(samples(row, header=header))["input"] if problem[0] == 1]
    assert len(found) == len(words)
    for (_, text), expected in zip(found, words):
        for word in expected:
            assert word in text


def test_a_bad_header_blames_no_row_and_no_other_sheet(problems):
    found = problems("sampel,group,fastq_1\nS 1,X,a.txt\n")
    assert [row for row, _ in found["input"]] == [1, 1]
    assert found["assembly_input"] == []


def test_missing_columns_of_the_assembly_sheet(problems):
    found = problems(SAMPLES, "id,group\nA,G\n")["assembly_input"]
    assert [row for row, _ in found] == [1, 1]
    assert "'assembler' is missing" in found[0][1] and "'fasta' is missing" in found[1][1]


@pytest.mark.parametrize(
    ("content", "row", "words"),
    [
        ("", 0, ["is empty"]),
        ("\n\n ,,\n", 0, ["is empty"]),
        (b"\xef\xbb\xbf", 0, ["is empty"]),
        (SAMPLE_HEADER, 1, ["no row below the header"]),
        (SAMPLE_HEADER + "\n,,,,,\n", 1, ["no row below the header"]),
        (b"\x1f\x8b\x08\x00aaaa", 0, ["no plain text", "CSV UTF-8"]),
        (b"PK\x03\x04\x00\x00", 0, ["no plain text"]),
        (SAMPLES.encode("utf-16"), 0, ["no plain text", "CSV UTF-8"]),
        (SAMPLES.replace("S2", "Ö").encode("latin-1"), 3, ["not UTF-8"]),
        (SAMPLE_HEADER + '\n"S1,G,a.fq,,,\nS2,G,b.fq,,,\n', 2, ["several lines", "double quote"]),
        (SAMPLE_HEADER + "\nS1,G," + "x" * 200000 + ".fq,,,\n", 2, ["cannot be read", "field limit"]),
    ],
)
def test_sheets_that_are_no_table(run, problems, content, row, words):
    found = problems(content)
    only(found["input"], row, *words)
    assert found["assembly_input"] == []
    done = run(content)
    assert done.exit_code == 0 and done.exception is None and done.rows is None
    assert done.text.startswith("Nothing was started: 1 problem to mend")


def test_reads_in_place_of_a_sheet_are_not_read_whole(problems):
    only(problems("@r\nACGT\n+\nIIII\n" * 2**19)["input"], 0, "larger than 4 MiB", "not the data")


def test_directories_and_absent_files(tmp_path):
    for path, words in ((tmp_path, "is no file"), (tmp_path / "none.csv", "does not exist")):
        sheet = read_sheet(path, "input", SCHEMAS["input"])
        only([tuple(problem) for problem in sheet.problems], 0, words)
        assert not sheet.complete


FIELDS = st.sampled_from(
    ["S", "G", "a.fq", "b.bam", "..", "", '"', "\n", "\r", ",", ",", ",", "\t", "é", "\x00", "\ufeff", "*"]
)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=60), st.lists(FIELDS, max_size=40).map(lambda parts: "".join(parts).encode())))
def test_whatever_stands_in_a_sheet_becomes_problems_on_one_line_each(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(SAMPLE_HEADER.encode() + b"\n" + content)
    sheets = {"input": read_sheet(path, "input", SCHEMAS["input"]), "assembly_input": None}
    found = sheet_problems(sheets, SCHEMAS, {})["input"]
    good = result_rows(sheets["input"], "input", SCHEMAS["input"]["items"]) if not found else []
    assert bool(found) != bool(good)
    lines = max(1, len(re.split(rb"\r\n|\r|\n", content))) + 1
    assert all(0 <= row <= lines and text.isprintable() for row, text in found)
