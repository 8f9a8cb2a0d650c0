"""catalogue_fasta.py: what is read, whatever the blocks, and catalogues that differ from contigs.tsv."""

import gzip
from pathlib import Path

import click
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catalogue_fasta
from random_contigs import sequence

FASTA = Path("catalogue.fa.gz")
TABLE = Path("contigs.tsv")


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(contigs: dict[str, str]) -> None:
    FASTA.write_bytes(
        gzip.compress("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()).encode(), mtime=0)
    )


def read(contigs: list[tuple[str, int]]) -> list[bytes]:
    table = pd.DataFrame(contigs, columns=["contig", "length"])
    return list(catalogue_fasta.catalogue_sequences(FASTA, table, TABLE))


@settings(max_examples=60)
@given(st.lists(st.text("ACGTN", max_size=40), max_size=8), st.integers(1, 20))
def test_any_blocks_and_members(sequences, block):
    contigs = {f"c{number}": bases for number, bases in enumerate(sequences)}
    members = [gzip.compress(f">{name}\n{bases[:9]}\n{bases[9:]}\n".encode()) for name, bases in contigs.items()]
    FASTA.write_bytes(b"".join(members))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue_fasta, "READ_BYTES", block)
        assert list(catalogue_fasta.read_catalogue(FASTA)) == [(n, bases.encode()) for n, bases in contigs.items()]
        found = read([(name, len(bases)) for name, bases in contigs.items()])
    assert found == [bases.encode() for bases in sequences]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
def test_the_catalogue_is_the_same_however_it_is_inflated(monkeypatch, step):
    contigs = {"a": sequence(1, 70), "b~c": "", "d": sequence(2, 3), "e": sequence(3, 200)}
    text = "".join(f">{name}\n{bases}\n" for name, bases in contigs.items())
    wrapped = text.replace(contigs["e"], contigs["e"][:50] + "\n" + contigs["e"][50:])
    # gzip allows members one after another; a text may lack its last line's end.
    halves = gzip.compress(text[:100].encode()) + gzip.compress(text[100:].encode())
    for contents in (gzip.compress(text.encode()), gzip.compress(wrapped.rstrip().encode()), halves):
        FASTA.write_bytes(contents)
        monkeypatch.setattr(catalogue_fasta, "READ_BYTES", step)
        found = list(catalogue_fasta.read_catalogue(FASTA))
        assert found == [(name, bases.encode()) for name, bases in contigs.items()]


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([("a", 4), ("c", 2)], "contig 'b' of 2 bp stands where contigs.tsv has contig 'c' of 2 bp"),
        ([("b", 2), ("a", 4)], "contig 'a' of 4 bp stands where contigs.tsv has contig 'b' of 2 bp"),
        ([("a", 4), ("b", 3)], "contig 'b' of 2 bp stands where contigs.tsv has contig 'b' of 3 bp"),
        ([("a", 4)], "contig 'b' of 2 bp stands where contigs.tsv ends"),
        ([("a", 4), ("b", 2), ("c", 1)], "ends where contigs.tsv has contig 'c' of 1 bp"),
    ],
)
def test_the_first_difference_is_named(listed, message):
    write({"a": "ACGT", "b": "AC"})
    assert read([("a", 4), ("b", 2)]) == [b"ACGT", b"AC"]
    with pytest.raises(click.ClickException) as refused:
        read(listed)
    assert refused.value.message.startswith(f"catalogue.fa.gz: {message}; give both")


@pytest.mark.parametrize("contents", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_catalogue_lacks_the_first_contig(contents):
    FASTA.write_bytes(contents)
    with pytest.raises(click.ClickException, match=r"catalogue.fa.gz: ends where contigs.tsv has contig 'a' of 4 bp"):
        read([("a", 4)])
    assert read([]) == []


def damaged():
    write({f"c{number}": "ACGT" * 500 for number in range(50)})
    whole = FASTA.read_bytes()
    return {
        "cut off": whole[:-20],
        "half": whole[: len(whole) // 2],
        "plain": gzip.decompress(whole),
        "garbled": whole[:-8] + b"garbled!",
        "no header": gzip.compress(b"ACGT\n>a\nACGT\n"),
        "latin-1": gzip.compress(">é\nACGT\n".encode("latin-1")),
    }


@pytest.mark.parametrize("kind", ["cut off", "half", "plain", "garbled", "no header", "latin-1"])
def test_a_damaged_catalogue_is_named(kind):
    FASTA.write_bytes(damaged()[kind])
    with pytest.raises(click.ClickException, match=r"^catalogue.fa.gz: is damaged .*; make it again$"):
        read([(f"c{number}", 2000) for number in range(50)])


@pytest.mark.parametrize("block", range(1, 30))
def test_a_sign_within_a_line_begins_no_contig(tmp_path, monkeypatch, block):
    """Wherever a block ends (found by benchmark/fuzz_readers.py)."""
    monkeypatch.setattr(catalogue_fasta, "READ_BYTES", block)
    path = tmp_path / "catalogue.fa.gz"
    path.write_bytes(b"".join(gzip.compress(part) for part in (b">a\nACGT", b"", b">b\nA\n>c\n", b"G")))
    assert list(catalogue_fasta.read_catalogue(path)) == [("a", b"ACGT>bA"), ("c", b"G")]
