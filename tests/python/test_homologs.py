"""homologs.py: seeds of homologous genes against those of others, pairs against plain sets, the command, bad tables."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import homologs

BASES = np.array(list("ACGT"))
OTHER_STRAND = str.maketrans("ACGTacgt", "TGCAtgca")


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def sequence(seed: int, length: int) -> str:
    return "".join(np.random.default_rng(seed).choice(BASES, length))


def changed(text: str, share: float, phase: int | None = None) -> str:
    """Some of the bases replaced, of a share, and only every third one if there is a phase."""
    rng = np.random.default_rng(1)
    letters = np.array(list(text))
    hit = rng.random(len(text)) < share
    if phase is not None:
        hit &= np.arange(len(text)) % 3 == phase
    letters[hit] = rng.choice(BASES, hit.sum())
    return "".join(letters)


def in_common(one: str, other: str) -> float:
    """Share of the seeds of one that the other has."""
    seeds = homologs.find_seeds(one.encode())
    return np.isin(seeds, homologs.find_seeds(other.encode())).sum() / len(seeds)


def test_one_place_in_64_has_a_seed():
    assert homologs.IS_KEPT_CORE.sum() == 64
    assert len(homologs.find_seeds(sequence(0, 10**6).encode())) == pytest.approx(10**6 / 64, rel=0.05)


@given(st.text(alphabet="ACGTacgtN", max_size=300))
def test_both_strands_have_the_same_seeds(text):
    seeds = homologs.find_seeds(text.encode())
    assert seeds.tolist() == sorted(set(seeds.tolist()))
    assert seeds.tolist() == homologs.find_seeds(text.translate(OTHER_STRAND)[::-1].encode()).tolist()


def test_unknown_bases_are_in_no_seed():
    text = sequence(0, 20_000)
    gap = text[:9_990] + "N" * 20 + text[10_010:]
    parts = [homologs.find_seeds(part.encode()) for part in (text[:9_990], text[10_010:])]
    assert homologs.find_seeds(gap.encode()).tolist() == np.unique(np.concatenate(parts)).tolist()
    for short in ("", "A", "ACGT" * 7, "N" * 500):
        assert len(homologs.find_seeds(short.encode())) == 0


def test_seeds_outlast_changes_at_third_places():
    """What differs between two genes for one protein; as many changes anywhere leave less, unrelated text nothing."""
    text = sequence(0, 10**5)
    silent, anywhere = changed(text, 1, phase=2), changed(text, 1 / 3)
    assert sum(a != b for a, b in zip(text, silent)) == pytest.approx(len(text) / 4, rel=0.05)
    # seeds in one of three frames see none of the changes
    assert in_common(text, silent) == pytest.approx(1 / 3, abs=0.05)
    assert in_common(text, anywhere) < 0.05
    assert in_common(text, sequence(1, 10**5)) < 0.001


@given(st.lists(st.sets(st.integers(0, 6)), max_size=12))
def test_pairs_share_what_plain_sets_share(held):
    seeds = np.array([seed for contig in held for seed in contig], dtype=np.uint64)
    contig = np.array([number for number, of in enumerate(held) for _ in of], dtype=np.int32)
    holders = {seed: sum(seed in of for of in held) for seed in range(7)}
    counted = [{seed for seed in of if holders[seed] <= homologs.MAX_CONTIGS_PER_SEED} for of in held]
    expected = [
        [a, b, len(counted[a] & counted[b])]
        for a in range(len(held))
        for b in range(a + 1, len(held))
        if counted[a] & counted[b]
    ]
    assert homologs.shared_seeds(seeds, contig).tolist() == expected


# The command


def write(contigs: list[tuple[str, str, str]]) -> list[str]:
    """contigs: (name, assembly, sequence); returns the options."""
    Path("catalogue.fa.gz").write_bytes(gzip.compress("".join(f">{n}\n{text}\n" for n, _, text in contigs).encode()))
    lines = [f"{name}\t{assembly}\t{name}\t{len(text)}" for name, assembly, text in contigs]
    Path("contigs.tsv").write_text("\n".join(["contig\tassembly\tname\tlength", *lines]) + "\n")
    return ["--catalogue", "catalogue.fa.gz", "--contigs", "contigs.tsv"]


def run(options: list[str]):
    return CliRunner().invoke(homologs.main, options)


def pairs() -> list[list]:
    return pd.read_csv("homologs.tsv.gz", sep="\t", keep_default_na=False).to_numpy().tolist()


def test_contigs_of_one_assembly_are_compared():
    gene = sequence(0, 30_000)
    contigs = [
        ("NA", "A1", gene), ("none", "A1", sequence(1, 30_000)), ("1", "A1", changed(gene, 1, 2)[5_000:]),
        ("copy", "A2", gene), ("tiny", "A2", "A"), ("part", "A2", gene[:10_000].lower()),
    ]  # fmt: skip
    done = run(write(contigs))
    assert done.exit_code == 0 and "2 pairs of homologous contigs among 6" in done.output
    (one, other, shared), last = pairs()
    assert (one, str(other)) == ("NA", "1") and shared == pytest.approx(25_000 / 64 / 3, rel=0.3)
    assert last == ["copy", "part", len(homologs.find_seeds(gene[:10_000].encode()))]
    first = Path("homologs.tsv.gz").read_bytes()
    assert run(write(contigs)).exit_code == 0 and Path("homologs.tsv.gz").read_bytes() == first


@pytest.mark.parametrize("contigs", [[], [("a", "A1", "A")], [("a", "A1", "N" * 900), ("b", "A1", "ACGTACGT")]])
def test_nothing_to_compare(contigs):
    assert run(write(contigs)).exit_code == 0
    assert pairs() == []


@pytest.mark.parametrize(
    "listed, said",
    [
        (["a", "c"], "catalogue.fa.gz: contig 'b' of 100 bp stands where contigs.tsv has contig 'c' of 100 bp"),
        (["a"], "catalogue.fa.gz: contig 'b' of 100 bp stands where contigs.tsv ends"),
        (["a", "b", "c"], "catalogue.fa.gz: ends where contigs.tsv has contig 'c' of 100 bp"),
    ],
)
def test_other_contigs_are_named(listed, said):
    options = write([("a", "A1", sequence(0, 100)), ("b", "A1", sequence(1, 100))])
    lines = [f"{name}\tA1\t{name}\t100" for name in listed]
    Path("contigs.tsv").write_text("\n".join(["contig\tassembly\tname\tlength", *lines]) + "\n")
    done = run(options)
    assert done.exit_code == 1 and said in done.output.replace("\n", " ")
    assert isinstance(done.exception, SystemExit)


def test_a_damaged_catalogue_is_named():
    options = write([(f"c{i}", "A1", sequence(i, 3_000)) for i in range(50)])
    whole = Path("catalogue.fa.gz").read_bytes()
    Path("catalogue.fa.gz").write_bytes(whole[: len(whole) // 2])
    done = run(options)
    assert done.exit_code == 1 and "catalogue.fa.gz" in done.output
    assert isinstance(done.exception, SystemExit)
