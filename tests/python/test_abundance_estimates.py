"""abundance_estimates.py: strobealign's table is read as it is written, and becomes the tables of a sample."""

import gzip
import shutil
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import index
from abundance_estimates import estimated_tally, read_depths
from sam_files import results, run
from small_genome import damaged_fastq, fastq, pairs, write_genome, write_pairs

CONTIGS = pd.DataFrame({"contig": ["a", "b", "c"], "length": [1000, 500, 200]})
MAKE = ["--catalogue", "genome.fa.gz", "--mode", "strobealign"]
needs_strobealign = pytest.mark.skipif(
    not shutil.which("strobealign"), reason="strobealign is not on PATH: cargo install strobealign --version 0.19.1"
)


def test_a_table_is_read():
    depths = read_depths([b"a\t1.500000\n", b"b\t0.000000\tmore\n", b"c\t0.75\n"], CONTIGS, Path("contigs.tsv"))
    assert depths.tolist() == [1.5, 0, 0.75]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b"a\t1\n", b"x\t1\n", b"c\t1\n"], "has 'x' in line 2, where contigs.tsv has 'b'"),
        ([b"a\t1\n", b"c\t1\n", b"b\t1\n"], "has 'c' in line 2, where contigs.tsv has 'b'"),
        ([b"a\t1\n", b"b\t1\n"], "has its end in line 3, where contigs.tsv has 'c'"),
        ([b"a\t1\n", b"b\t1\n", b"c\t1\n", b"d\t1\n"], "has 'd' in line 4, where contigs.tsv has its end"),
        ([b"a\t1\n", b"b\n", b"c\t1\n"], "is not of names and numbers"),
        ([b"a\t1\n", b"b\tx\n", b"c\t1\n"], "is not of names and numbers"),
        ([b"a\t1\n", b"b\tnan\n", b"c\t1\n"], "a number that is no depth"),
        ([b"a\t1\n", b"b\t-1\n", b"c\t1\n"], "a number that is no depth"),
    ],
)
def test_another_table_is_refused(lines, words):
    with pytest.raises(click.ClickException) as error:
        read_depths(lines, CONTIGS, Path("contigs.tsv"))
    assert words in error.value.message


def test_depths_become_reads_bases_and_mapped_reads():
    tally = estimated_tally(np.array([1.5, 0.5, 0]), CONTIGS, 20, 100, pairs=True)
    assert tally.reads == [15, 2, 0]  # 2.5 is rounded to the even number
    assert tally.bases == [1500, 250, 0]
    assert tally.edits == [0, 0, 0] and tally.without_edits == 0
    assert (tally.seen, tally.mapped, tally.counted, tally.alignments) == (20, 18, 18, 17)
    assert tally.pairs.counts().shape == (3, 0)
    assert estimated_tally(np.array([1.5, 0.5, 0]), CONTIGS, 16, 100, pairs=False).mapped == 16


@pytest.fixture
def indexed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_genome()
    write_pairs(lost_mates=0)
    Path("genome.fa.gz").write_bytes(gzip.compress(Path("genome.fa").read_bytes()))
    made = CliRunner().invoke(index.main, [*MAKE, "--reads", "1.fq"])
    assert made.exit_code == 0, made.output
    return ["--mapper", "strobealign", "--index", "index/catalogue"]


@needs_strobealign
def test_real_pairs(indexed):
    done = run("--reads", "1.fq", "--reads", "2.fq.gz", *indexed)
    assert done.exit_code == 0 and "WARNING" not in done.output, done.output
    reads, coverage, mapping = results()
    assert set(pd.read_csv("S.counts.tsv.gz", sep="\t")["edits"]) == {0}
    # Of 20 pairs of the repeat, half are counted on each of its copies
    assert reads == {"k1": 20, "k2": 100, "k3": 20}
    assert coverage["k2"] == pytest.approx(100 * 100 / 4000)
    assert mapping["reads"] == mapping["mapped_reads"] == mapping["counted_reads"] == 140


@needs_strobealign
def test_reads_of_another_length_do_without_the_index(indexed):
    first, _ = pairs("k2", range(0, 3500, 70), "u")
    Path("short.fq").write_text(fastq([(name, bases[:50]) for name, bases in first]))
    shutil.rmtree("index")
    assert CliRunner().invoke(index.main, [*MAKE, "--reads", "short.fq"]).exit_code == 0
    assert Path("index/catalogue.read_length").read_text() == "50\n"
    for path in Path("index").glob("*.sti"):
        path.write_bytes(b"")
    assert run("--reads", "short.fq", *indexed).exit_code == 1
    done = run("--reads", "1.fq", "--reads", "2.fq.gz", *indexed)
    assert done.exit_code == 0, done.output
    assert results()[0]["k2"] == 100


@needs_strobealign
def test_files_that_are_no_pair_are_refused(indexed):
    Path("3.fq").write_text(Path("1.fq").read_text().replace("@u", "@v"))
    done = run("--reads", "1.fq", "--reads", "3.fq", *indexed)
    assert done.exit_code == 1
    assert "1.fq, 3.fq: read 'u0' stands beside a mate of another name" in done.output


@needs_strobealign
@pytest.mark.parametrize("name", ["cut.fq.gz", "noise.fq.gz", "cut.fq", "junk.fq"])
def test_damaged_reads_are_refused(indexed, name):
    Path(name).write_bytes(damaged_fastq()[name])
    done = run("--reads", name, *indexed)
    assert done.exit_code == 1
    assert name in done.output and "Traceback" not in done.output


def test_what_writes_no_alignments_takes_no_long_reads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_genome()
    write_pairs()
    done = run("--reads", "1.fq", "--mapper", "strobealign", "--index", "x", "--preset", "map-ont")
    assert done.exit_code == 2
    assert "strobealign is for short reads" in done.output
    done = run("--reads", "1.fq", "--mapper", "strobealign", "--index", "x")
    assert done.exit_code == 1
    assert "x.read_length: is not strobealign's index" in done.output
