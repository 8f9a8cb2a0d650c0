"""benchmark.py: clusters, bins and other binners' bins of small groups, scored by hand."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import benchmark
from evaluation_tables import BEST_BINS, BINNINGS, GENOME_BIN_PAIRS, GENOMES_FOUND, RATIOS
from stage_tables import read_table
from table_rows import rows_by_key

# Two assemblies of genome g (900 + 100 bp in A, 500 bp in B) and h (400 bp in A); ab carries both.
CONTIGS = """contig\tassembly\tname\tlength
A~k1\tA\tk1\t900
A~ab\tA\tab\t100
A~k3\tA\tk3\t300
B~k1\tB\tk1\t500
"""
TRUTH = "assembly\tcontig\tgenome\nA\tk1\tg\nA\tab\tg\nA\tab\th\nA\tk3\th\nB\tk1\tg\n"
CLUSTERS = """cluster\tcontig\tassembly\tname
1\tA~k1\tA\tk1
1\tB~k1\tB\tk1
2\tA~k3\tA\tk3
"""
BINS = "assembly\tcontig\tbin\nA\tk1\tA.001\nA\tab\tA.001\nA\tab\tA.002\nA\tk3\tA.002\n"
OTHER = "assembly\tcontig\tbin\nA\tk1\tx\nA\tk3\tx\nB\tk1\tx\n"
FILES = {"contigs": CONTIGS, "truth": TRUTH, "clusters": CLUSTERS, "contig2bin": BINS, "other": OTHER}
OPTIONS = "--truth truth.tsv --contigs contigs.tsv --clusters clusters.tsv --contig2bin contig2bin.tsv --min_bin_size 1"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(f"{name}.tsv").write_text(text)


def run(options: str = "", **texts: str):
    for name, text in texts.items():
        Path(f"{name}.tsv").write_text(text)
    return CliRunner().invoke(benchmark.main, f"{OPTIONS} {options}".split())


def test_pairs_of_a_genome_and_a_bin():
    done = run()
    assert done.exit_code == 0, done.output
    pairs = rows_by_key(GENOME_BIN_PAIRS, "binning", "assembly", "bin", "genome")
    # bin_size, genome_size, bases, covered, precision, recall, f1
    assert pairs["bins", "A", "A.001", "g"] == [1000, 1000, 1000, 1000, 1, 1, 1]
    assert pairs["bins", "A", "A.001", "h"][4:6] == [0.1, 0.25]
    assert pairs["bins", "A", "A.002", "h"][4:] == [1, 1, 1]
    assert pairs["cut_clusters", "A", "1", "g"][4:6] == [1, 0.9]
    assert pairs["cut_clusters", "B", "1", "g"] == [500, 500, 500, 500, 1, 1, 1]
    assert pairs["clusters", "", "1", "g"] == [1400, 1500, 1400, 1400, 1, 0.933333, 0.965517]
    assert pairs["cut_clusters", "A", "2", "h"][4:] == [1, 0.75, 0.857143]
    assert len(pairs) == 4 + 3 + 2


def test_genomes_are_counted_in_each_assembly_and_over_all():
    assert run("--compare other other.tsv").exit_code == 0
    found = rows_by_key(GENOMES_FOUND, "binning", "counted", "precision")
    # At recalls of 0.5, 0.6, 0.7, 0.8, 0.9, 0.95 and 0.99
    assert found["bins", "genome_of_assembly", 0.9] == [2] * 7
    assert found["bins", "genome", 0.9] == [2] * 7
    assert found["cut_clusters", "genome_of_assembly", 0.9] == [3, 3, 3, 2, 2, 1, 1]
    assert found["cut_clusters", "genome", 0.9] == [2, 2, 2, 1, 1, 1, 1]
    assert found["clusters", "genome", 0.95] == [2, 2, 2, 1, 1, 0, 0]
    assert ("clusters", "genome_of_assembly", 0.9) not in found
    # Bin x is 900 of 1,200 bp g in A, and nothing else in B: it is cut by assembly.
    assert found["other", "genome_of_assembly", 0.9] == [1] * 7
    assert len(found) == 2 * (1 + 2 + 2 + 2)


def test_ratios_are_those_of_the_published_bins():
    assert run("--compare other other.tsv --compare none none.tsv", none="k3\tx\n").exit_code == 0
    ratios = rows_by_key(RATIOS, "binning", "counted", "precision")
    assert ratios["other", "genome_of_assembly", 0.9] == [2] * 7
    of_none = ratios["none", "genome", 0.95]
    assert of_none[:3] == [2, 2, 2] and np.isnan(of_none[3:]).all()  # k3 is 0.75 of h
    assert {key[0] for key in ratios} == {"other", "none"}


def test_a_binning_as_a_whole():
    assert run("--min_bin_size 500").exit_code == 0
    binnings = rows_by_key(BINNINGS, "binning")
    # genomes, bins, large_bins, high_quality, purity, completeness, binned
    assert binnings["bins"] == [
        3,
        2,
        1,
        1,
        1,
        pytest.approx(1400 / 1900, abs=1e-6),
        pytest.approx(1400 / 1800, abs=1e-6),
    ]
    assert binnings["clusters"][:4] == [2, 2, 1, 0 + (1400 / 1500 >= 0.9)]


def test_the_best_bin_of_each_genome():
    assert run().exit_code == 0
    best = rows_by_key(BEST_BINS, "binning", "assembly", "genome")
    assert best["bins", "A", "g"][:2] == [1000, "A.001"]
    assert best["bins", "B", "g"][:2] == [500, ""] and np.isnan(best["bins", "B", "g"][2:]).all()
    assert best["clusters", "", "g"][1] == "1"


@pytest.mark.parametrize("size", ["400", "401"])
def test_a_bin_of_the_smallest_size_finds_its_genome(size):
    assert run(f"--min_bin_size {size}").exit_code == 0
    found = rows_by_key(GENOMES_FOUND, "binning", "counted", "precision")["bins", "genome", 0.9]
    assert found == [2 if size == "400" else 1] * 7


def test_one_assembly_needs_no_column():
    one = "contig\tassembly\tname\tlength\nk1\tA\tk1\t900\n"
    clusters = "cluster\tcontig\tassembly\tname\n1\tk1\tA\tk1\n"
    done = run(contigs=one, truth="k1\tg\n", clusters=clusters, contig2bin="assembly\tcontig\tbin\nA\tk1\tA.001\n")
    assert done.exit_code == 0, done.output
    found = rows_by_key(GENOMES_FOUND, "binning", "counted", "precision")
    assert set(map(tuple, found.values())) == {(1,) * 7}


def test_no_bin_and_no_truth_of_this_group():
    assert run(contig2bin="assembly\tcontig\tbin\n").exit_code == 0
    assert rows_by_key(BINNINGS, "binning")["bins"][1:5] == [0, 0, 0, 1]
    other = "contig\tassembly\tname\tlength\nz1\tZ\tz1\t900\n"
    done = run("--other_contigs z.tsv", z=other, truth="z1\tg\n")
    assert done.exit_code == 0 and "tells of no contig of this group" in done.stderr
    assert all(len(read_table(schema, Path(schema.name))) == 0 for schema in (BINNINGS, GENOMES_FOUND, RATIOS))


@pytest.mark.parametrize(
    ("options", "texts", "message"),
    [
        ("--compare bins other.tsv", {}, "other.tsv: a binning is named 'bins' already; give it another name"),
        ("--compare clusters other.tsv", {}, "other.tsv: a binning is named 'clusters' already"),
        ("--compare x other.tsv --compare x other.tsv", {}, "other.tsv: a binning is named 'x' already"),
        ("", {"contig2bin": "assembly\tcontig\tbin\nA\tk9\tx\n"}, "contig2bin.tsv: row 1: contig 'k9' is not in"),
        ("", {"truth": "k1\tg\n"}, "truth.tsv: line 1: contig 'k1' is in assembly 'A' and in 'B'; add a column"),
    ],
)
def test_what_does_not_fit_is_one_line(options, texts, message):
    done = run(options, **texts)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: {message}") and done.stderr.count("\n") == 1


def test_the_same_bytes_whatever_the_order_of_sets():
    tables = ("binnings.tsv", "genomes_found.tsv", "pairs.tsv.gz", "best_bins.tsv")
    script = Path(benchmark.__file__)
    seen = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, script, *OPTIONS.split()], env=environment, check=True, capture_output=True)
        seen.add(tuple(Path(name).read_bytes() for name in tables))
    assert len(seen) == 1
