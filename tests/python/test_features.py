"""Tests of bin/features.py: TNF against a plain count, RPKM and abundance by hand, the merging."""

import gzip
import hashlib
import itertools
import json
import math
import random
from pathlib import Path

import features
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

COMPLEMENT = dict(zip("ACGT", "TGCA", strict=True))


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def sequence(seed: int, length: int, letters: str = "ACGT") -> str:
    return "".join(random.Random(seed).choices(letters, k=length))


def write_catalogue(contigs: dict[str, str], assembly: str = "co", own: dict | None = None) -> None:
    with gzip.open("catalogue.fa.gz", "wt") as out:
        out.write("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    names = own or {name: (assembly, name) for name in contigs}
    lines = [f"{name}\t{names[name][0]}\t{names[name][1]}\t{len(text)}" for name, text in contigs.items()]
    Path("contigs.tsv").write_text("\n".join(["contig\tassembly\tname\tlength", *lines]) + "\n")


def write_sample(name, reads: dict, counted: int, coverage: dict | None = None, file=None) -> list[str]:
    """Write a sample's two tables and return the options that name them."""
    file = file or name
    lines = [f"{name}\t{contig}\t{n}\t{(coverage or {}).get(contig, 0)}" for contig, n in reads.items()]
    with gzip.open(f"{file}.counts.tsv.gz", "wt") as out:
        out.write("\n".join(["sample\tcontig\treads\tcoverage", *lines]) + "\n")
    Path(f"{file}.mapping.tsv").write_text(
        "sample\treads\tmapped_reads\tcounted_reads\talignments\tmean_coverage\n"
        f"{name}\t{counted + 9}\t{counted + 3}\t{counted}\t{counted}\t1.5\n"
    )
    return ["--counts", f"{file}.counts.tsv.gz", "--mapping", f"{file}.mapping.tsv"]


def run(*arguments, least: int = 4):
    command = ["--catalogue", "catalogue.fa.gz", "--contigs", "contigs.tsv"]
    command += ["--min_contig_length", str(least), *map(str, arguments)]
    return CliRunner().invoke(features.main, command)


def table(path: str) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype={"contig": str, "contigname": str}, na_filter=False)


# Tetranucleotides


def plain_counts(text: str) -> dict[str, int]:
    """Count canonical 4-mers window by window."""
    counts: dict[str, int] = {}
    for start in range(len(text) - 3):
        kmer = text[start : start + 4].upper()
        if set(kmer) <= set("ACGT"):
            other = "".join(COMPLEMENT[base] for base in reversed(kmer))
            counts[min(kmer, other)] = counts.get(min(kmer, other), 0) + 1
    return counts


def named(counts) -> dict[str, int]:
    return {name: n for name, n in zip(features.TETRANUCLEOTIDES, counts, strict=True) if n}


def counted(text: str) -> dict[str, int]:
    return named(features.count_tetranucleotides([text.encode()], np.array([0]))[0])


def test_names_are_the_136_canonical_4_mers_in_order():
    names = features.TETRANUCLEOTIDES
    assert len(names) == 136
    assert names == sorted(plain_counts_of_all())
    assert names[:3] == ["AAAA", "AAAC", "AAAG"]


def plain_counts_of_all() -> set[str]:
    return {next(iter(plain_counts("".join(kmer)))) for kmer in itertools.product("ACGT", repeat=4)}


@given(st.text(alphabet="ACGTacgtNRy-", max_size=60))
def test_counts_agree_with_a_plain_count(text):
    assert counted(text) == plain_counts(text)


@pytest.mark.parametrize("text", ["", "A", "ACG", "NNNNNNNN", "ACGNACG", "ACGTNACG", "nACGTn"])
def test_short_and_ambiguous_sequences(text):
    assert counted(text) == plain_counts(text)


@given(st.lists(st.text(alphabet="ACGTacgtNNR", max_size=30), min_size=1, max_size=9), st.data())
def test_pieces_are_counted_apart_and_added_by_row(texts, data):
    rows = np.cumsum([0] + [data.draw(st.integers(0, 1)) for _ in texts[1:]])
    expected = [{} for _ in range(rows[-1] + 1)]
    for row, text in zip(rows, texts, strict=True):
        for name, n in plain_counts(text).items():
            expected[row][name] = expected[row].get(name, 0) + n
    counts = features.count_tetranucleotides([text.encode() for text in texts], rows)
    assert [named(of_row) for of_row in counts] == expected


def test_a_row_without_a_piece_counts_nothing():
    counts = features.count_tetranucleotides([b"ACGTT", b"GGGGGG"], np.array([0, 3]))
    assert [named(row) for row in counts] == [plain_counts("ACGTT"), {}, {}, plain_counts("GGGGGG")]


def catalogue_counts(contigs: dict[str, str]) -> list[dict[str, int]]:
    write_catalogue(contigs)
    columns = {"contig": str, "length": np.int64}
    rows = features.read_table(Path("contigs.tsv"), columns)
    counts = features.count_catalogue(Path("catalogue.fa.gz"), rows, Path("contigs.tsv"))
    assert counts.dtype == np.float32
    return [named(row) for row in counts]


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5, 7, 1000, 5000])
def test_blocks_leave_no_seam(monkeypatch, block):
    monkeypatch.setattr(features, "BLOCK", block)
    contigs = {f"c{length}": sequence(length, length, "ACGTACGTN") for length in [*range(1, 40), 3, 200, 2, 1]}
    assert catalogue_counts(contigs) == [plain_counts(text) for text in contigs.values()]


def test_a_sequence_longer_than_a_block():
    long = sequence(1, 2 * features.BLOCK + 5) + "N" + sequence(2, 100)
    contigs = {"short": "ACGTA", "long": long, "last": sequence(3, 900)}
    assert catalogue_counts(contigs) == [plain_counts(text) for text in contigs.values()]


@given(st.text(alphabet="ACGTN", max_size=80))
def test_a_contig_and_its_reverse_complement_are_the_same(text):
    other = "".join(COMPLEMENT.get(base, base) for base in reversed(text))
    assert counted(text) == counted(other)


def test_z_scaling_by_hand():
    values = np.array([[1.0, 5, 0.1], [2, 5, 0.1], [6, 5, 0.1]])
    scaled, means, deviations = features.standardised(values)
    deviation = np.sqrt((4 + 1 + 9) / 3)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[:, 0], np.array([-2, -1, 3]) / deviation, rtol=1e-6)
    assert not scaled[:, 1:].any()
    np.testing.assert_allclose(means, [3, 5, 0.1])
    np.testing.assert_allclose(deviations, [deviation, 0, 0])


# RPKM and abundance


def test_rpkm_by_hand():
    reads = np.array([[100, 0, 4], [50, 7, 0]])
    rpkm = features.rpkm_of(reads, np.array([2000, 500]), np.array([200_000, 0, 1_000_000]))
    np.testing.assert_allclose(rpkm, [[250, 0, 2], [500, 0, 0]])


def test_abundance_rows_sum_to_one():
    rpkm = np.array([[1, 3], [0, 0], [0, 9], [1e-320, 0], [1e308, 1e308], [2e-310, 6e-310]])
    abundance = features.shares(rpkm)
    assert abundance.dtype == np.float32
    expected = [[0.25, 0.75], [0.5, 0.5], [0, 1], [1, 0], [0.5, 0.5], [0.25, 0.75]]
    np.testing.assert_allclose(abundance, expected, atol=1e-6)
    assert features.shares(np.array([[3.0], [0]])).tolist() == [[1], [1]]


# The whole script

CONTIGS = {
    "long": sequence(1, 400),
    "NA": sequence(2, 300),
    "short": sequence(3, 99),
    "blank": "N" * 200,
    "001": sequence(4, 100) + "RYN",
}


def two_samples() -> list[str]:
    first = {"long": 8, "NA": 0, "short": 5, "blank": 1, "001": 0}
    second = {"long": 4, "NA": 6, "short": 0, "blank": 0, "001": 0}
    options = write_sample("b", second, 1000, {"NA": 0.25})
    return options + write_sample("a", first, 2000, {"long": 1.5, "short": 0.123456789})


def test_log_depth():
    """Sums of 1, e^4 and 0 (raised to a thousandth of the mean), scaled to a deviation of 1 where it is larger."""
    scaled, mean, divisor = features.log_depth(np.array([[0.25, 0.75], [0, math.exp(4)], [0, 0]]))
    logarithms = [0, 4, math.log((1 + math.exp(4)) / 3000)]
    assert mean == pytest.approx(sum(logarithms) / 3) and divisor == pytest.approx(np.std(logarithms)) and divisor > 1
    assert scaled.tolist() == pytest.approx([(value - mean) / divisor for value in logarithms], rel=1e-5)
    assert scaled.dtype == np.float32


def test_log_depth_is_never_stretched():
    scaled, mean, divisor = features.log_depth(np.array([[10.0], [11.0]]))
    assert divisor == 1 and scaled.tolist() == pytest.approx([-math.log(1.1) / 2, math.log(1.1) / 2], rel=1e-5)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_log_depth_without_reads(n):
    scaled, mean, divisor = features.log_depth(np.zeros((n, 2)))
    assert scaled.tolist() == [0] * n and (mean, divisor) == (0, 1)


def test_everything_from_counts():
    write_catalogue(CONTIGS)
    done = run(*two_samples(), least=100)
    assert done.exit_code == 0, done.output

    assert table("rows.tsv").to_dict("list") == {"contig": ["long", "NA", "001"], "length": [400, 300, 103]}
    assert table("excluded.tsv").to_dict("list") == {
        "contig": ["short", "blank"],
        "reason": ["short", "no_tetranucleotide"],
    }
    rpkm = table("rpkm.tsv.gz")
    assert list(rpkm.columns) == ["contigname", "a", "b"]
    assert rpkm["contigname"].to_list() == list(CONTIGS)
    # a: reads / (length / 1e3) / 0.002; b: / 0.001.
    expected = [8 / 0.4 / 0.002, 0, 5 / 0.099 / 0.002, 1 / 0.2 / 0.002, 0]
    np.testing.assert_allclose(rpkm["a"], expected, rtol=1e-5)
    np.testing.assert_allclose(rpkm["b"], [4 / 0.4 / 0.001, 6 / 0.3 / 0.001, 0, 0, 0], rtol=1e-5)
    coverage = table("coverage.tsv.gz")
    assert list(coverage.columns) == ["contig", "a", "b"]
    assert coverage["contig"].to_list() == list(CONTIGS)
    assert coverage["a"].to_list() == [1.5, 0, 0.123457, 0, 0]
    assert coverage["b"].to_list() == [0, 0.25, 0, 0, 0]

    abundance = np.load("abundance.npy", allow_pickle=False)
    assert abundance.dtype == np.float32
    np.testing.assert_allclose(abundance, [[0.5, 0.5], [0, 1], [0.5, 0.5]])
    check_tnf(["long", "NA", "001"], CONTIGS)
    about = json.loads(Path("features.json").read_text())
    assert about["samples"] == ["a", "b"]
    assert about["n_contigs"] == 3
    assert about["rows_sha256"] == hashlib.sha256(b"long\nNA\n001").hexdigest()
    assert about["min_contig_length"] == 100
    assert about["mapped_reads"] == {"a": 2003, "b": 1003}


def check_tnf(rows: list[str], contigs: dict[str, str]) -> None:
    """Compare tnf.npy and what features.json says of it with a plain computation."""
    about = json.loads(Path("features.json").read_text())
    counts = [plain_counts(contigs[name]) for name in rows]
    frequencies = np.array(
        [[each.get(kmer, 0) / sum(each.values()) for kmer in about["tetranucleotides"]] for each in counts]
    )
    np.testing.assert_allclose(frequencies.sum(axis=1), 1)
    mean, deviation = frequencies.mean(axis=0), frequencies.std(axis=0)
    varies = np.ptp(frequencies, axis=0) > 0
    expected = np.zeros_like(frequencies)
    expected[:, varies] = (frequencies - mean)[:, varies] / deviation[varies]
    tnf = np.load("tnf.npy", allow_pickle=False)
    assert tnf.dtype == np.float32 and tnf.shape == (len(rows), 136)
    np.testing.assert_allclose(tnf, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(about["tnf_mean"], mean, atol=1e-12)
    np.testing.assert_allclose(about["tnf_sd"], np.where(varies, deviation, 0), atol=1e-12)


def test_order_of_files_does_not_matter_and_bytes_repeat(monkeypatch):
    write_catalogue(CONTIGS)
    options = two_samples()
    names = ["tnf.npy", "abundance.npy", "depth.npy", "rows.tsv", "excluded.tsv", "rpkm.tsv.gz", "coverage.tsv.gz", "features.json"]
    assert run(*options).exit_code == 0
    first = [Path(name).read_bytes() for name in names]
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert run(*options[4:], *options[:4]).exit_code == 0
    assert [Path(name).read_bytes() for name in names] == first


def test_one_sample():
    write_catalogue(CONTIGS)
    done = run(*write_sample("only", dict.fromkeys(CONTIGS, 0) | {"NA": 3}, 3), least=100)
    assert done.exit_code == 0, done.output
    assert np.load("abundance.npy").tolist() == [[1], [1], [1]]


def test_a_sample_without_counted_reads():
    write_catalogue(CONTIGS)
    options = write_sample("a", dict.fromkeys(CONTIGS, 7), 100)
    done = run(*options, *write_sample("b", dict.fromkeys(CONTIGS, 0), 0), least=100)
    assert done.exit_code == 0, done.output
    assert np.load("abundance.npy").tolist() == [[1, 0]] * 3
    assert table("rpkm.tsv.gz")["b"].to_list() == [0] * 5


def test_one_contig_has_no_variance():
    write_catalogue({"c": sequence(5, 300)})
    assert run(*write_sample("a", {"c": 3}, 3)).exit_code == 0
    assert not np.load("tnf.npy").any()
    check_tnf(["c"], {"c": sequence(5, 300)})


@pytest.mark.parametrize("abundance", [False, True])
def test_no_contig_long_enough(abundance):
    write_catalogue({"a": "ACGTACGT", "n": "N" * 5000, "b": "ACG"})
    options = write_sample("x", {"a": 1, "n": 2, "b": 3}, 3)
    options += write_sample("y", {"a": 1, "n": 2, "b": 3}, 3)
    if abundance:
        Path("t.tsv").write_text("contigname\tx\ty\nn\t1\t2\n")
        options = ["--abundance", "t.tsv"]
    done = run(*options, least=2000)
    assert done.exit_code == 0, done.output
    assert "Warning: no contig of at least 2000 bp" in done.output
    assert np.load("tnf.npy").shape == (0, 136)
    assert np.load("abundance.npy").shape == (0, 2)
    assert Path("rows.tsv").read_text() == "contig\tlength\n"
    assert table("excluded.tsv")["reason"].to_list() == ["short", "no_tetranucleotide", "short"]
    about = json.loads(Path("features.json").read_text())
    assert about["n_contigs"] == 0 and about["tnf_mean"] == [0] * 136
    assert about["rows_sha256"] == hashlib.sha256(b"").hexdigest()
    assert table("coverage.tsv.gz").shape == (3, 3)


def test_contigs_that_differ_are_named_with_both_files():
    write_catalogue(CONTIGS)
    reads = dict.fromkeys(CONTIGS, 1)
    names = list(CONTIGS)
    cases = {
        "a.counts.tsv.gz has contig 'other' where contigs.tsv has 'NA'": ["long", "other", *names[2:]],
        "a.counts.tsv.gz has contig 'short' where contigs.tsv has 'NA'": ["long", "short", "NA", *names[3:]],
        "a.counts.tsv.gz ends where contigs.tsv has '001'": names[:-1],
        "a.counts.tsv.gz has contig 'more' where contigs.tsv ends": [*names, "more"],
    }
    for said, contigs in cases.items():
        done = run(*write_sample("b", reads, 9), *write_sample("a", dict.fromkeys(contigs, 1), 9))
        assert done.exit_code == 1
        assert said in done.output


@pytest.mark.parametrize(
    ("row", "line", "said"),
    [
        (5, "", "catalogue.fa.gz has contig '001' where contigs.tsv ends"),
        (2, "N\tco\tN\t300\n", "catalogue.fa.gz has contig 'NA' where contigs.tsv has 'N'"),
        (2, "NA\tco\tNA\t301\n", "has contig 'NA of 300 bp' where contigs.tsv has 'NA of 301 bp'"),
        (6, "more\tco\tmore\t5\n", "catalogue.fa.gz ends where contigs.tsv has 'more'"),
    ],
)
def test_a_catalogue_that_differs_is_named_with_both_files(row, line, said):
    write_catalogue(CONTIGS)
    lines = Path("contigs.tsv").read_text().splitlines(keepends=True)
    lines[row : row + 1] = [line]
    Path("contigs.tsv").write_text("".join(lines))
    names = [each.split("\t")[0] for each in lines[1:] if each]
    done = run(*write_sample("a", dict.fromkeys(names, 1), 9))
    assert done.exit_code == 1
    assert said in done.output


def test_samples_must_agree():
    write_catalogue(CONTIGS)
    reads = dict.fromkeys(CONTIGS, 1)
    a, b = write_sample("a", reads, 9), write_sample("b", reads, 9)
    done = run(*a, *b[:2])
    assert done.exit_code == 1 and "sample 'b' is in the files of --counts, not of --mapping" in done.output
    done = run(*a, *b[2:])
    assert done.exit_code == 1 and "sample 'b' is in the files of --mapping, not of --counts" in done.output
    done = run(*a, *write_sample("a", reads, 9, file="again"))
    assert done.exit_code == 1
    assert "a.counts.tsv.gz and again.counts.tsv.gz are both about sample 'a'" in done.output


@pytest.mark.parametrize(
    ("value", "said"), [("-1", "row 2 has -1 in column 'reads'"), ("x", "a.counts.tsv.gz"), ("1.5", "a.counts.tsv.gz")]
)
def test_counts_must_be_counts(value, said):
    write_catalogue(CONTIGS)
    done = run(*write_sample("a", dict.fromkeys(CONTIGS, 1) | {"NA": value}, 9))
    assert done.exit_code == 1
    assert said in done.output
    assert isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("value", ["nan", "inf", "-0.5", "", "x"])
def test_coverage_must_be_a_number(value):
    write_catalogue(CONTIGS)
    done = run(*write_sample("a", dict.fromkeys(CONTIGS, 1), 9, {"NA": value}))
    assert done.exit_code == 1
    assert "a.counts.tsv.gz" in done.output
    assert isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
def test_the_catalogue_is_the_same_however_it_is_inflated(monkeypatch, step):
    contigs = {"a": sequence(1, 70), "b~c": "", "d": sequence(2, 3), "e": sequence(3, 200)}
    text = "".join(f">{name}\n{bases}\n" for name, bases in contigs.items())
    wrapped = text.replace(contigs["e"], contigs["e"][:50] + "\n" + contigs["e"][50:])
    # gzip allows members one after another; a text may lack its last line's end.
    halves = gzip.compress(text[:100].encode()) + gzip.compress(text[100:].encode())
    for contents in (gzip.compress(text.encode()), gzip.compress(wrapped.rstrip().encode()), halves):
        Path("catalogue.fa.gz").write_bytes(contents)
        monkeypatch.setattr(features, "READ", step)
        found = list(features.read_catalogue(Path("catalogue.fa.gz")))
        assert found == [(name, bases.encode()) for name, bases in contigs.items()]


def test_damaged_files_are_named():
    write_catalogue(CONTIGS | {f"c{i}": sequence(i, 500) for i in range(300)})
    names = [line.split("\t")[0] for line in Path("contigs.tsv").read_text().splitlines()[1:]]
    options = write_sample("a", dict.fromkeys(names, 1), 9)
    assert run(*options).exit_code == 0
    whole = Path("a.counts.tsv.gz").read_bytes()
    for contents in (whole[:-10], b"", whole[:20] + bytes(20) + whole[40:]):
        Path("a.counts.tsv.gz").write_bytes(contents)
        done = run(*options)
        assert done.exit_code == 1 and "a.counts.tsv.gz" in done.output
        assert isinstance(done.exception, SystemExit)
    Path("catalogue.fa.gz").write_bytes(Path("catalogue.fa.gz").read_bytes()[:-5000])
    Path("a.counts.tsv.gz").write_bytes(whole)
    done = run(*options)
    assert done.exit_code == 1 and "catalogue.fa.gz" in done.output
    assert isinstance(done.exception, SystemExit)


# A table of abundances in place of counts


@pytest.mark.parametrize("zipped", [False, True])
def test_abundance_table(zipped):
    write_catalogue(CONTIGS)
    text = "contigname\ty\tx\n001\t0\t2.5\nlong\t3\t1\nblank\t0\t0\nNA\t0\t0\n"
    Path("t.tsv").write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    if zipped:
        Path("t.tsv").rename("t.tsv.gz")
    done = run("--abundance", "t.tsv.gz" if zipped else "t.tsv", least=100)
    assert done.exit_code == 0, done.output
    np.testing.assert_allclose(np.load("abundance.npy"), [[0.25, 0.75], [0.5, 0.5], [1, 0]])
    for path, key in (("coverage.tsv.gz", "contig"), ("rpkm.tsv.gz", "contigname")):
        assert table(path).to_dict("list") == {
            key: list(CONTIGS),
            "x": [1, 0, 0, 0, 2.5],
            "y": [3, 0, 0, 0, 0],
        }
    about = json.loads(Path("features.json").read_text())
    assert about["samples"] == ["x", "y"]
    assert about["mapped_reads"] is None
    check_tnf(["long", "NA", "001"], CONTIGS)


def test_the_rpkm_that_was_written_gives_the_same_abundance():
    write_catalogue(CONTIGS)
    assert run(*two_samples(), least=100).exit_code == 0
    first = np.load("abundance.npy")
    done = run("--abundance", "rpkm.tsv.gz", least=100)
    assert done.exit_code == 0, done.output
    np.testing.assert_allclose(np.load("abundance.npy"), first, rtol=1e-5)


def test_abundance_by_the_assemblers_names():
    own = {"s1~a": ("s1", "a"), "s2~b": ("s2", "b")}
    write_catalogue({name: sequence(1, 200) for name in own}, own=own)
    Path("t.tsv").write_text("contigname\tx\nb\t2\na\t1\n")
    done = run("--abundance", "t.tsv")
    assert done.exit_code == 0, done.output
    assert table("rpkm.tsv.gz").to_dict("list") == {"contigname": ["s1~a", "s2~b"], "x": [1, 2]}
    shared = {"s1~a": ("s1", "a"), "s2~a": ("s2", "a")}
    write_catalogue({name: sequence(1, 200) for name in shared}, own=shared)
    Path("t.tsv").write_text("contigname\tx\na\t2\n")
    done = run("--abundance", "t.tsv")
    assert done.exit_code == 1
    assert "t.tsv: contig 'a' is not in the catalogue" in done.output


ROWS = "long\t1\t2\nNA\t1\t2\nblank\t0\t0\n001\t1\t1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.tsv: "),
        ("contigname\n", "its header must be"),
        ("contig\tx\ty\n" + ROWS, "its header must be"),
        ("contigname\tx\tx\n" + ROWS, "'x'"),
        ("contigname\tx\t\n" + ROWS, "''"),
        ("contigname\tx\ty\n" + ROWS + "who\t1\t1\n", "contig 'who' is not in the catalogue"),
        ("contigname\tx\ty\n" + ROWS + "NA\t1\t1\n", "contig 'NA' is there twice"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1\t2\n", ""), "contig 'NA' of the catalogue is not in it"),
        ("contigname\tx\ty\n", "contig 'long' of the catalogue is not in it"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1", "NA\t-1"), "contig 'NA' has '-1' in sample 'x'"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1\t2", "NA\t1\tinf"), "contig 'NA' has 'inf' in sample 'y'"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1", "NA\tnan"), "contig 'NA' has 'nan' in sample 'x'"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1", "NA\t"), "contig 'NA' has '' in sample 'x'"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1\t2", "NA\t1"), "t.tsv"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1\t2", "NA\t1\t2\t3"), "t.tsv"),
    ],
)
def test_bad_abundance_is_refused(text, said):
    write_catalogue(CONTIGS)
    Path("t.tsv").write_text(text)
    done = run("--abundance", "t.tsv", least=100)
    assert done.exit_code == 1, done.output
    assert said in done.output
    assert isinstance(done.exception, SystemExit)


def test_counts_and_abundance_exclude_each_other():
    write_catalogue(CONTIGS)
    options = two_samples()
    Path("t.tsv").write_text("contigname\tx\n")
    for arguments in ([], options[:2], options[2:4], [*options, "--abundance", "t.tsv"]):
        done = run(*arguments)
        assert done.exit_code == 2
        assert "--abundance" in done.output
