"""features.py: the whole script from counts and from a table of RPKM, merging, and files that do not fit."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import features
from random_contigs import plain_counts, sequence


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_catalogue(contigs: dict[str, str], assembly: str = "co", own: dict | None = None) -> None:
    with gzip.open("catalogue.fa.gz", "wt") as out:
        out.write("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    names = own or {name: (assembly, name) for name in contigs}
    lines = [f"{name}\t{names[name][0]}\t{names[name][1]}\t{len(text)}" for name, text in contigs.items()]
    Path("contigs.tsv").write_text("\n".join(["contig\tassembly\tname\tlength", *lines]) + "\n")


def write_sample(
    name, reads: dict, counted: int, coverage: dict | None = None, file=None, edits: dict | None = None
) -> list[str]:
    """Write a sample's two tables and return the options that name them."""
    file, coverage, edits = file or name, coverage or {}, edits or {}
    lines = [f"{name}\t{contig}\t{n}\t{coverage.get(contig, 0)}\t{edits.get(contig, 0)}" for contig, n in reads.items()]
    with gzip.open(f"{file}.counts.tsv.gz", "wt") as out:
        out.write("\n".join(["sample\tcontig\treads\tcoverage\tedits", *lines]) + "\n")
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
    options = write_sample("b", second, 1000, {"NA": 0.25}, edits={"NA": 0.002})
    first_edits = {"long": 0.0312345678, "blank": 0.5}
    return options + write_sample("a", first, 2000, {"long": 1.5, "short": 0.123456789}, edits=first_edits)


def test_without_profiles_the_autoencoder_gets_the_same_and_nothing_else_is_written():
    write_catalogue(CONTIGS)
    options = two_samples()
    names = ("tnf.npy", "abundance.npy", "depth.npy", "rows.tsv", "excluded.tsv", "features.json")
    profiles = ("coverage.tsv.gz", "edits.tsv.gz", "rpkm.tsv.gz", "tetranucleotides.npy", "pair_links.tsv.gz")
    assert run(*options).exit_code == 0
    expected = {name: Path(name).read_bytes() for name in names}
    for name in (*names, *profiles):
        Path(name).unlink()
    assert run(*options, "--no_profiles").exit_code == 0
    assert {name: Path(name).read_bytes() for name in names} == expected
    assert not [name for name in profiles if Path(name).exists()]


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
    edits = table("edits.tsv.gz")
    assert list(edits.columns) == ["contig", "a", "b"]
    assert edits["contig"].to_list() == list(CONTIGS)
    assert edits["a"].to_list() == [0.0312346, 0, 0, 0.5, 0]
    assert edits["b"].to_list() == [0, 0.002, 0, 0, 0]

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
    names = [
        "tnf.npy",
        "abundance.npy",
        "depth.npy",
        "rows.tsv",
        "excluded.tsv",
        "rpkm.tsv.gz",
        "coverage.tsv.gz",
        "edits.tsv.gz",
        "features.json",
    ]
    assert run(*options).exit_code == 0
    first = [Path(name).read_bytes() for name in names]
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert run(*options[4:], *options[:4]).exit_code == 0
    assert [Path(name).read_bytes() for name in names] == first


def test_the_same_reads_in_two_samples_are_a_warning():
    contigs = {f"c{i}": sequence(i, 100) for i in range(20)}
    write_catalogue(contigs)
    reads = {name: 3 * i % 7 for i, name in enumerate(contigs)}
    same = [*write_sample("a", reads, 100), *write_sample("b", reads, 100)]
    done = run(*same, *write_sample("c", reads | {"c1": 4}, 101))
    assert done.exit_code == 0 and "WARNING: samples 'a' and 'b' have the same abundance" in done.output
    assert "'c'" not in done.output


def test_one_sample():
    write_catalogue(CONTIGS)
    done = run(*write_sample("only", dict.fromkeys(CONTIGS, 0) | {"NA": 3}, 3), least=100)
    assert done.exit_code == 0, done.output
    assert np.load("abundance.npy").tolist() == [[1], [1], [1]]


def rewrite_mapping(sample: str, *numbers: int) -> None:
    """Give a sample's mapping.tsv these numbers: reads, mapped reads and counted reads."""
    path = Path(f"{sample}.mapping.tsv")
    head, row = path.read_text().splitlines()
    path.write_text("\n".join([head, "\t".join([sample, *map(str, numbers), *row.split("\t")[4:]])]) + "\n")


EMPTY_SAMPLES = {
    (0, 0, 0): "no reads",
    (90, 0, 0): "none of its 90 reads maps to the contigs",
    (90, 8, 0): "none of its 8 mapped reads has an alignment that counts",
}


@pytest.mark.parametrize("numbers", EMPTY_SAMPLES)
def test_a_sample_without_a_count_is_left_out_everywhere_with_a_warning(monkeypatch, numbers):
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")
    write_catalogue(CONTIGS)
    options = write_sample("a", dict.fromkeys(CONTIGS, 7), 100)
    options += write_sample("b", dict.fromkeys(CONTIGS, 0), 0)
    options += write_sample("c", dict.fromkeys(CONTIGS, 7), 100)
    rewrite_mapping("b", *numbers)
    done = run(*options, least=100)
    assert done.exit_code == 0, done.output
    warning = f"sample 'b' ({EMPTY_SAMPLES[numbers]}) is left out of the model: "
    assert [line[: len(warning)] for line in Path("warnings.txt").read_text().splitlines()] == [warning]
    assert np.load("abundance.npy").tolist() == [[0.5, 0.5]] * 3
    about = json.loads(Path("features.json").read_text())
    assert about["samples"] == ["a", "c"] and about["mapped_reads"] == {"a": 103, "c": 103}
    assert list(table("rpkm.tsv.gz").columns) == ["contigname", "a", "c"]
    for path in ("coverage.tsv.gz", "edits.tsv.gz"):
        assert list(table(path).columns) == ["contig", "a", "c"]


def test_no_sample_with_a_count_is_an_error_that_names_them():
    write_catalogue(CONTIGS)
    options = []
    for sample, (numbers, _) in zip("abc", EMPTY_SAMPLES.items(), strict=True):
        options += write_sample(sample, dict.fromkeys(CONTIGS, 0), 0)
        rewrite_mapping(sample, *numbers)
    done = run(*options)
    assert done.exit_code == 1
    said = ", ".join(f"sample {name!r} ({why})" for name, why in zip("abc", EMPTY_SAMPLES.values(), strict=True))
    assert f"Error: no sample of the group has a count on any contig: {said}; check" in done.output
    assert not Path("features.json").exists()
    many = [option for i in range(8) for option in write_sample(f"s{i}", dict.fromkeys(CONTIGS, 0), 0)]
    assert "sample 's4' (none of its 3 mapped reads has an alignment that counts) and 3 more; " in run(*many).output


def test_a_column_of_zeros_is_left_out_and_a_table_of_zeros_refused(monkeypatch):
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")
    write_catalogue(CONTIGS)
    rows = "".join(f"{name}\t0\t{number}\n" for number, name in enumerate(CONTIGS))
    Path("t.tsv").write_text(f"contigname\tx\ty\n{rows}")
    done = run("--abundance", "t.tsv", least=100)
    assert done.exit_code == 0, done.output
    assert Path("warnings.txt").read_text().startswith("sample 'x' (zeros alone in t.tsv) is left out of the model: ")
    about = json.loads(Path("features.json").read_text())
    assert about["samples"] == ["y"] and about["mapped_reads"] is None
    for path in ("coverage.tsv.gz", "edits.tsv.gz"):
        assert list(table(path).columns) == ["contig", "y"]
    Path("t.tsv").write_text("contigname\tx\ty\n" + "".join(f"{name}\t0\t0\n" for name in CONTIGS))
    done = run("--abundance", "t.tsv", least=100)
    assert done.exit_code == 1
    assert "no sample of the group has a count on any contig: sample 'x' (zeros alone in t.tsv)" in done.output


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
    assert "WARNING: no contig of at least 2000 bp" in done.output
    assert np.load("tnf.npy").shape == (0, 136)
    assert np.load("abundance.npy").shape == (0, 2)
    assert Path("rows.tsv").read_text() == "contig\tlength\n"
    assert table("excluded.tsv")["reason"].to_list() == ["short", "no_tetranucleotide", "short"]
    about = json.loads(Path("features.json").read_text())
    assert about["n_contigs"] == 0 and about["tnf_mean"] == [0] * 136
    assert about["rows_sha256"] == hashlib.sha256(b"").hexdigest()
    assert table("coverage.tsv.gz").shape == table("edits.tsv.gz").shape == (3, 3)


def test_contigs_that_differ_are_named_with_both_files():
    write_catalogue(CONTIGS)
    reads = dict.fromkeys(CONTIGS, 1)
    names = list(CONTIGS)
    cases = {
        "a.counts.tsv.gz: row 2: contig 'other' stands where contigs.tsv has contig 'NA'": [
            "long",
            "other",
            *names[2:],
        ],
        "a.counts.tsv.gz: row 2: contig 'short' stands where contigs.tsv has contig 'NA'": [
            "long",
            "short",
            "NA",
            *names[3:],
        ],
        "a.counts.tsv.gz: ends where contigs.tsv has contig '001'": names[:-1],
        "a.counts.tsv.gz: row 6: contig 'more' stands where contigs.tsv ends": [*names, "more"],
    }
    for said, contigs in cases.items():
        done = run(*write_sample("b", reads, 9), *write_sample("a", dict.fromkeys(contigs, 1), 9))
        assert done.exit_code == 1
        assert said in done.output


@pytest.mark.parametrize(
    ("row", "line", "said"),
    [
        (5, "", "catalogue.fa.gz: contig '001' of 103 bp stands where contigs.tsv ends"),
        (
            2,
            "N\tco\tN\t300\n",
            "catalogue.fa.gz: contig 'NA' of 300 bp stands where contigs.tsv has contig 'N' of 300 bp",
        ),
        (2, "NA\tco\tNA\t301\n", "contig 'NA' of 300 bp stands where contigs.tsv has contig 'NA' of 301 bp"),
        (6, "more\tco\tmore\t5\n", "catalogue.fa.gz: ends where contigs.tsv has contig 'more' of 5 bp"),
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
    assert "again.counts.tsv.gz: is about sample 'a', as a.counts.tsv.gz is" in done.output


@pytest.mark.parametrize(
    ("value", "said"),
    [("-1", "row 2 (contig 'NA'): has -1 in column reads"), ("x", "a.counts.tsv.gz"), ("1.5", "a.counts.tsv.gz")],
)
def test_counts_must_be_counts(value, said):
    write_catalogue(CONTIGS)
    done = run(*write_sample("a", dict.fromkeys(CONTIGS, 1) | {"NA": value}, 9))
    assert done.exit_code == 1
    assert said in done.output
    assert isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("column", ["coverage", "edits"])
@pytest.mark.parametrize("value", ["nan", "inf", "-0.5", "", "x"])
def test_coverage_and_edits_must_be_numbers(column, value):
    write_catalogue(CONTIGS)
    done = run(*write_sample("a", dict.fromkeys(CONTIGS, 1), 9, **{column: {"NA": value}}))
    assert done.exit_code == 1
    assert "a.counts.tsv.gz: row 2 (contig 'NA'): has " in done.output and f" in column {column}" in done.output
    assert isinstance(done.exception, SystemExit)


def test_counts_of_a_former_version_are_refused():
    write_catalogue(CONTIGS)
    options = write_sample("a", dict.fromkeys(CONTIGS, 1), 9)
    rows = gzip.decompress(Path("a.counts.tsv.gz").read_bytes()).decode().splitlines()
    without = "".join(row.rpartition("\t")[0] + "\n" for row in rows)
    Path("a.counts.tsv.gz").write_bytes(gzip.compress(without.encode()))
    done = run(*options)
    assert done.exit_code == 1
    assert "a.counts.tsv.gz: no column edits (it has sample, contig, reads, coverage); give the table" in done.output
    assert "that the map_reads stage of this version wrote" in done.output


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
    assert table("edits.tsv.gz").to_dict("list") == {"contig": list(CONTIGS), "x": [0] * 5, "y": [0] * 5}
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
    assert "t.tsv: row 1: contig 'a' is not in the catalogue" in done.output


ROWS = "long\t1\t2\nNA\t1\t2\nblank\t0\t0\n001\t1\t1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.tsv: "),
        ("contigname\n", "no sample column behind contigname; give a table of contigname"),
        ("contig\tx\ty\n" + ROWS, "no column contigname"),
        ("contigname\tx\tcontig\n" + ROWS, "a sample is named 'contig'"),
        ("contigname\tx\tx\n" + ROWS, "'x'"),
        ("contigname\tx\t\n" + ROWS, "''"),
        ("contigname\tx\ty\n" + ROWS + "who\t1\t1\n", "contig 'who' is not in the catalogue"),
        ("contigname\tx\ty\n" + ROWS + "NA\t1\t1\n", "row 5 (contig 'NA'): stands in the table twice"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1\t2\n", ""), "contig 'NA' of the catalogue is not in it"),
        ("contigname\tx\ty\n", "contig 'long' of the catalogue is not in it"),
        (
            "contigname\tx\ty\n" + ROWS.replace("NA\t1", "NA\t-1"),
            "(contig 'NA'): has -1.0 in column x, not a finite number of at least 0",
        ),
        (
            "contigname\tx\ty\n" + ROWS.replace("NA\t1\t2", "NA\t1\tinf"),
            "(contig 'NA'): has inf in column y, not a finite number of at least 0",
        ),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1", "NA\tnan"), "(contig 'NA'): has 'nan' in column x"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1", "NA\t"), "(contig 'NA'): has '' in column x"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1\t2", "NA\t1"), "t.tsv: row 2 (contig 'NA'): has 2 cells"),
        ("contigname\tx\ty\n" + ROWS.replace("NA\t1\t2", "NA\t1\t2\t3"), "t.tsv: row 2 (contig 'NA'): has 4 cells"),
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
