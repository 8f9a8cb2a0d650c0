"""strobealign_index.py: the index has the length of the reads, and is used where it fits."""

import gzip
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import index
from random_contigs import sequence
from small_disk import run_on_small_disk
from small_genome import fastq
from strobealign_index import estimate_command, mean_read_length

CONTIGS = {f"c{number}": sequence(number, 2000 + number) for number in range(100)}
needs_strobealign = pytest.mark.skipif(
    not shutil.which("strobealign"), reason="strobealign is not on PATH: cargo install strobealign --version 0.19.1"
)


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "".join(f">{name}\n{bases}\n" for name, bases in CONTIGS.items())
    Path("catalogue.fa.gz").write_bytes(gzip.compress(text.encode()))
    Path("1.fq").write_text(fastq([(name, bases[:120]) for name, bases in CONTIGS.items()]))


def test_the_first_reads_tell_their_length():
    assert mean_read_length(Path("1.fq")) == 120
    reads = [(f"r{number}", "A" * (100 if number < 500 else 1)) for number in range(1000)]
    with gzip.open("2.fq.gz", "wt") as out:
        out.write(fastq(reads))
    assert mean_read_length(Path("2.fq.gz")) == 100
    Path("none.fq").write_text("")
    assert mean_read_length(Path("none.fq")) == 150


@pytest.mark.parametrize(("length", "is_used"), [(100, True), (120, True), (144, True), (99, False), (150, False)])
def test_an_index_is_used_for_reads_of_about_its_length(length, is_used):
    Path("catalogue.read_length").write_text("120\n")
    Path("3.fq").write_text(fastq([("r", "A" * length)]))
    command = estimate_command(Path("catalogue"), [Path("3.fq"), Path("4.fq")], 2, ["-S", "0.6"])
    used = ["--use-index", "-r", "120"] if is_used else []
    files = ["catalogue.fa.gz", "3.fq", "4.fq"]
    assert command == ["strobealign", "--aemb", "-t", "2", *used, "-S", "0.6", *files]


@needs_strobealign
def test_an_index_is_made_and_says_what_its_numbers_are(monkeypatch):
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")
    done = CliRunner().invoke(
        index.main, ["--catalogue", "catalogue.fa.gz", "--mode", "strobealign", "--reads", "1.fq"]
    )
    assert done.exit_code == 0, done.output
    assert "holds the 100 contigs of catalogue.fa.gz" in done.output
    made = {path.name for path in Path("index").iterdir()}
    assert made == {"catalogue.fa.gz", "catalogue.fa.gz.r125.sti", "catalogue.read_length"}
    assert "no pairs of reads link contigs" in Path("warnings.txt").read_text()


@pytest.mark.parametrize("arguments", [["--mode", "strobealign"], ["--mode", "sr", "--reads", "1.fq"]])
def test_reads_are_for_strobealign_alone(arguments):
    done = CliRunner().invoke(index.main, ["--catalogue", "catalogue.fa.gz", *arguments])
    assert done.exit_code == 2
    assert "give --reads with --mode strobealign" in done.output


@needs_strobealign
@pytest.mark.parametrize("kilobytes", [16, 64, 320])
def test_a_full_disk_is_an_error(tmp_path, kilobytes):
    arguments = ["--catalogue", tmp_path / "catalogue.fa.gz", "--mode", "strobealign", "--reads", tmp_path / "1.fq"]
    done = run_on_small_disk("index", arguments, tmp_path / "disk", kilobytes)
    assert done.returncode not in (0, 2), done.stdout
    assert "Error: " in done.stdout and "Traceback" not in done.stdout


@needs_strobealign
def test_strobealign_killed_for_memory_gives_137(tmp_path, monkeypatch):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "strobealign").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "tools" / "strobealign").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "tools"), prepend=":")
    done = CliRunner().invoke(
        index.main, ["--catalogue", "catalogue.fa.gz", "--mode", "strobealign", "--reads", "1.fq"]
    )
    assert done.exit_code == 137
