"""Tests of bin/catalogue.py: what a catalogue holds, and which FASTA files are refused."""

import gzip
import random
import string
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pysam
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import catalogue
from message_text import shown


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*assemblies: tuple[str, str | bytes]):
    """Run the command on (id, contents) pairs; contents are written to <number>.fa."""
    arguments = []
    for number, (assembly, contents) in enumerate(assemblies):
        path = Path(f"{number}.fa")
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        arguments += ["--assembly", assembly, str(path)]
    return CliRunner().invoke(catalogue.main, arguments)


def results() -> tuple[list[tuple[str, str]], list[list[str]]]:
    with pysam.FastxFile("catalogue.fa.gz") as records:
        sequences = [(record.name, record.sequence) for record in records]
    lines = Path("contigs.tsv").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    return sequences, [line.split("\t") for line in lines]


def test_one_assembly_keeps_its_names_and_is_upper_case():
    done = run(("co", ">a first contig\nacgt\nNNry\n>b\nA\n"))
    assert done.exit_code == 0, done.output
    sequences, table = results()
    assert sequences == [("a", "ACGTNNRY"), ("b", "A")]
    assert table == [
        ["contig", "assembly", "name", "length"],
        ["a", "co", "a", "8"],
        ["b", "co", "b", "1"],
    ]


def test_several_assemblies_are_sorted_and_may_share_names():
    done = run(("s2", ">x\nGG\n>k 1\nTT\n"), ("s1", gzip.compress(b">x\nAAA\n")))
    assert done.exit_code == 0, done.output
    sequences, table = results()
    assert sequences == [("s1~x", "AAA"), ("s2~x", "GG"), ("s2~k", "TT")]
    assert table[1:] == [
        ["s1~x", "s1", "x", "3"],
        ["s2~x", "s2", "x", "2"],
        ["s2~k", "s2", "k", "2"],
    ]


def test_names_that_tables_and_sam_trip_over_come_back_unchanged():
    names = ["NA", "001", '"x', "a,b;c", "%41", "A", "é", "*", "=", "x*="]
    done = run(("co", "".join(f">{name}\nACGT\n" for name in names)))
    assert done.exit_code == 0, done.output
    sequences, table = results()
    assert [row[2] for row in table[1:]] == names
    contigs = [row[0] for row in table[1:]]
    assert [name for name, _ in sequences] == contigs
    assert len(set(contigs)) == len(names)
    # samtools refuses a header with an illegal name, and XA parts its fields at ',' and ';'.
    header = pysam.AlignmentHeader.from_references(contigs, [4] * len(contigs))
    assert list(header.references) == contigs
    assert not any(set(contig) & set(',;"') or contig[0] in "*=" for contig in contigs)


@given(st.text(alphabet=string.printable.strip() + "éЖ", min_size=1))
def test_a_catalogue_name_is_legal_and_can_be_undone(name):
    contig = catalogue.catalogue_name("s", name, several=False)
    assert unquote(contig) == name
    first = set(string.ascii_letters + string.digits + "!#$%&+./:;?@^_|~-")
    assert contig[0] in first
    assert set(contig) <= (first | set("*=")) - set(";")


def test_crlf_and_a_missing_last_line_end():
    done = run(("co", ">a one\r\nACGT\r\nAC\r\n\r\n>b\r\nGGG"))
    assert done.exit_code == 0, done.output
    assert results()[0] == [("a", "ACGTAC"), ("b", "GGG")]


def test_the_same_input_gives_the_same_bytes(monkeypatch):
    contigs = random.Random(1).choices("ACGT", k=5000)
    run(("co", ">a\n" + "".join(contigs)))
    first = Path("catalogue.fa.gz").read_bytes()
    monkeypatch.setattr("time.time", lambda: 1e9)
    run(("co", ">a\n" + "".join(contigs)))
    assert Path("catalogue.fa.gz").read_bytes() == first


def cut_gzip() -> bytes:
    text = "".join(f">c{i}\n{''.join(random.Random(i).choices('ACGT', k=3000))}\n" for i in range(50))
    return gzip.compress(text.encode(), mtime=0)[:-20_000]


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ("", "0.fa: holds no sequence: remove the row"),
        (gzip.compress(b"", mtime=0), "0.fa: holds no sequence: remove the row"),
        ("\n\r\n", "0.fa: holds no sequence: remove the row"),
        (">a\nACGT\n>b\nAC\n>a x\nGG\n", "0.fa: two contigs are named 'a'"),
        (">a\nACGT\n>b\n>c\nAC\n", "0.fa: contig 'b' has no sequence"),
        (">a\r\nACGT\r\n>b\r\n\r\n>c\r\nAC\r\n", "0.fa: contig 'b' has no sequence"),
        (">a\nACGT\n>b\nACG-T\n", "0.fa: contig 'b' has '-' at position 4"),
        (">a\nAC GT\n", "0.fa: contig 'a' has ' ' at position 3"),
        (">a\nMKVLAE\n", "0.fa: contig 'a' has 'L' at position 4"),
        (">a\nACGT\n>\nACG\n", "0.fa: a contig without a name"),
        ("@r\nACGT\n+\nIIII\n", "0.fa: is FASTQ"),
        (">a\nACGT\n@r\nACGT\n+\nIIII\n", "0.fa: contig 'a' has '@' at position 5"),
        (b">\xe9\nACGT\n", r"0.fa: contig b'\xe9\n': use UTF-8"),
        (b">\xe9" + b"d" * 9000 + b"\nACGT\n", r"0.fa: contig b'\xe9dddd"),
        ("> a\nACG\n", "0.fa: a contig without a name"),
        ("junk\n>a\nACGT\n", "0.fa: is not FASTA: it begins with b'junk"),
        (b"\x00\x01\x02\xff>a\nACGT\n", "0.fa: is not FASTA"),
        (b">a\nAC\x00\xffGT\n", r"0.fa: contig 'a' has '\x00' at position 3"),
        (b">a\x00b\nACGT\n", r"assembly 'co': 0.fa: contig 'a\x00b' has the control character '\x00' in its name"),
        (b">a\x1b[2J\nACGT\n", r"has the control character '\x1b' in its name"),
        (">a\x85\nACGT\n", r"has the control character '\x85' in its name"),
        (b">a\rACGT\r>b\rACGT\r", "0.fa: its lines end in CR alone"),
        (cut_gzip(), "0.fa: is damaged or cut off"),
        (b"\x1f\x8bnot gzip", "0.fa: is damaged or cut off"),
    ],
)
def test_bad_fasta_is_refused_by_name(contents, said):
    done = run(("co", contents))
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("ids", "said"),
    [(["a", "a"], "'a' is given more than once"), (["a~b", "a"], "'a~b'"), (["a b", "a"], "'a b'")],
)
def test_ids_that_would_confuse_names_are_refused(ids, said):
    done = run(*((assembly, ">c\nACGT\n") for assembly in ids))
    assert done.exit_code == 1
    assert said in done.output


def test_u_becomes_t():
    """Every other stage would take a U for an ambiguous base."""
    assert run(("co", ">a\nACGUu\n>b\nNNU\n")).exit_code == 0
    assert results()[0] == [("a", "ACGTT"), ("b", "NNT")]


def test_an_error_names_the_assembly_as_files_have_one_name():
    for name in ("one", "two"):
        Path(name).mkdir()
        Path(name, "contigs.fasta").write_text(">a\nACGT\n" if name == "one" else ">a\n\n")
    arguments = ["--assembly", "A1", "one/contigs.fasta", "--assembly", "A2", "two/contigs.fasta"]
    done = CliRunner().invoke(catalogue.main, arguments)
    assert done.exit_code == 1 and "Error: assembly 'A2': two/contigs.fasta: contig 'a' has no sequence" in done.output


@pytest.mark.parametrize("name", ["catalogue.fa.gz", "contigs.tsv"])
def test_an_input_is_not_overwritten(name):
    Path("folder").mkdir()
    Path(name).write_text(">a\nACGT\n")
    Path("folder", "link").symlink_to(Path(name).resolve())
    for path in (name, "folder/link"):
        done = CliRunner().invoke(catalogue.main, ["--assembly", "co", path])
        assert done.exit_code == 1 and f"{path}: the output {name} would overwrite it" in done.output
        assert Path(name).read_text() == ">a\nACGT\n"


def test_contigs_stream_one_at_a_time(tmp_path):
    """The second contig is not read before the first was taken."""
    Path("x.fa").write_text(">a\nACGT\n" + "".join(f">b{i}\nACGT\n" for i in range(9)) + ">a\nAC\n")
    records = catalogue.read_fasta(Path("x.fa"))
    assert next(records) == ("a", "ACGT")
    taken = []
    with pytest.raises(catalogue.click.ClickException, match="two contigs are named 'a'"):
        taken.extend(name for name, _ in records)


def test_contigs_tsv_reads_back_with_pandas():
    run(("co", ">NA\nACGT\n>001\nAC\n"))
    table = pd.read_csv("contigs.tsv", sep="\t", dtype=str, na_filter=False)
    assert table["name"].to_list() == ["NA", "001"]


def test_names_too_long_for_a_mapper_are_refused():
    longest = "x" * 255
    assert run(("co", f">{longest} and more\nACGT\n")).exit_code == 0
    for assemblies, said in (
        ([("co", f">a\nACGT\n>{longest}y\nACGT\n")], "has 256 characters"),
        ([("co", ">" + "é" * 50 + "\nACGT\n")], "becomes %C3%A9%C3%A9%C3%A9%C3%A9%C3%A9..., of 300 characters"),
        ([("s1", f">{longest}\nACGT\n"), ("s2", ">b\nA\n")], f"contig {shown(longest)} becomes s1~xx"),
    ):
        done = run(*assemblies)
        assert done.exit_code == 1
        assert said in done.output and "0.fa: contig " in done.output
        assert "shorten the name" in done.output and len(done.output.splitlines()) <= 2
