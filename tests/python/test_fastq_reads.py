"""fastq_reads.py: how many reads a FASTQ has, and what is none."""

import gzip
from pathlib import Path

import pytest

from fastq_reads import count_fastq


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
