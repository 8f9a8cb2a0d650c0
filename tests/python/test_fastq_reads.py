"""fastq_reads.py: how many reads a FASTQ has, and what is none."""

import gzip
from pathlib import Path

import click
import pytest

from fastq_reads import count_fastq, fastq_reads


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("", 0),
        ("@a\nAC\n+\nII\n", 1),
        ("@a\nAC\n+\nII", 1),
        ("@a\r\nAC\r\n+\r\nII\r\n", 1),
        ("@a\nAC\n+\nII\n\n\n", 1),
        ("@a\n\n+\n\n", 1),
        ("@a\nAC\n+\nII\n@b\n\n+\n\n\n", 2),
        ("@a\n\n+\n\n@b\nAC\n+\n@I\n", 2),
        ("".join(f"@a{i}\n{'A' * 5000}\n+\n{'I' * 5000}\n" for i in range(500)), 500),
    ],
)
def test_reads_of_a_fastq(text, reads):
    Path("x.fq").write_bytes(text.encode())
    assert count_fastq(Path("x.fq")) == reads
    half = len(text) // 2
    Path("y.fq.gz").write_bytes(gzip.compress(text[:half].encode()) + gzip.compress(text[half:].encode()))
    assert count_fastq(Path("y.fq.gz")) == reads


def fastq_of(names) -> bytes:
    return "".join(f"@{name}\nACGT\n+\nIIII\n" for name in names).encode()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["same"] * 700, "700 reads in a row are named 'same': give each read, or each pair, a name of its own"),
        (["same 1:N:0", "same 2:N:0", "same 3"], "3 reads in a row are named 'same'"),
        (["a", "x" * 300], "the name of a read has 300 characters ('" + "x" * 100 + "...'), and SAM"),
        (["a", "x" * 255 + " a comment"], "has 255 characters"),
    ],
)
def test_names_that_mappers_cannot_take_are_refused_in_one_line(names, said, zipped):
    Path("x.fq").write_bytes(gzip.compress(fastq_of(names)) if zipped else fastq_of(names))
    with pytest.raises(click.ClickException) as raised:
        count_fastq(Path("x.fq"))
    assert raised.value.message.startswith("x.fq: ") and said in raised.value.message
    assert "\n" not in raised.value.message


def test_names_that_mappers_can_take():
    for names in (["x" * 254 + " a comment", "b"], ["a", "a", "b", "b"], ["a", "b", "a", "b", "a"]):
        Path("x.fq").write_bytes(fastq_of(names))
        assert count_fastq(Path("x.fq")) == len(names)


def write_reads(name: str, sequences: list[str], mate: int) -> Path:
    text = "".join(f"@r{i}/{mate}\n{sequence}\n+\n{'I' * len(sequence)}\n" for i, sequence in enumerate(sequences))
    Path(name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return Path(name)


def test_the_same_reads_as_first_and_second_are_a_warning(capsys):
    """Whatever the files are called, gzipped or not."""
    sequences = ["ACGT" * 5 + "ACGT"[i % 4] for i in range(300)]
    first = write_reads("a_1.fastq", sequences, 1)
    assert fastq_reads([first, write_reads("a_2.fastq.gz", sequences, 2)]) == 600
    assert "WARNING: a_1.fastq and a_2.fastq.gz begin with the same reads" in capsys.readouterr().err
    assert fastq_reads([first, write_reads("b_2.fastq", sequences[::-1], 2)]) == 600
    assert fastq_reads([first]) == 300
    assert capsys.readouterr().err == ""


def test_a_long_name_of_a_cut_read_does_not_fill_the_terminal():
    """A damaged file, in which a line break is lost, has names of any length (found by benchmark/fuzz_readers.py).

    The names at the beginning of a file have a check of their own.
    """
    long_read = b"@long\n" + b"A" * 2_000_000 + b"\n+\n" + b"I" * 2_000_000 + b"\n"
    Path("x.fq").write_bytes(long_read + b"@" + b"[" * 200 + b"/\x1b" * 3000 + b"\nACGT\n+\nII\n")
    with pytest.raises(click.ClickException) as error:
        count_fastq(Path("x.fq"))
    assert len(error.value.message) < 300 and error.value.message.isprintable()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("n_qualities", [1, 3, 3999])
def test_a_file_that_is_cut_off_within_its_last_qualities_is_refused(zipped, n_qualities):
    """It has four lines for each read, and mappers leave the last read out."""
    text = fastq_of(range(9)) + b"@last 1:N:0\r\n" + b"A" * 4000 + b"\r\n+\r\n" + b"I" * n_qualities
    Path("x.fq").write_bytes(gzip.compress(text) if zipped else text)
    with pytest.raises(click.ClickException) as error:
        count_fastq(Path("x.fq"))
    said = (
        f"x.fq: its last read, 'last', has 4000 bases and {n_qualities} qualities: copy the file again, it was cut off"
    )
    assert error.value.message == said
