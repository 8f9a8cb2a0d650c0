"""tetranucleotides.py: counts against a plain count window by window, and z-scaling by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tetranucleotides
from random_contigs import COMPLEMENT, plain_counts, sequence


def counts_of_contigs(contigs: dict[str, str]) -> list[dict[str, int]]:
    counts = tetranucleotides.count_sequences((text.encode() for text in contigs.values()), len(contigs))
    assert counts.dtype == np.float32
    return [named(row) for row in counts]


def named(counts) -> dict[str, int]:
    return {name: n for name, n in zip(tetranucleotides.TETRANUCLEOTIDES, counts, strict=True) if n}


def counted(text: str) -> dict[str, int]:
    return named(tetranucleotides.count_tetranucleotides([text.encode()], np.array([0]))[0])


def test_names_are_the_136_canonical_4_mers_in_order():
    names = tetranucleotides.TETRANUCLEOTIDES
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
    counts = tetranucleotides.count_tetranucleotides([text.encode() for text in texts], rows)
    assert [named(of_row) for of_row in counts] == expected


def test_a_row_without_a_piece_counts_nothing():
    counts = tetranucleotides.count_tetranucleotides([b"ACGTT", b"GGGGGG"], np.array([0, 3]))
    assert [named(row) for row in counts] == [plain_counts("ACGTT"), {}, {}, plain_counts("GGGGGG")]


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5, 7, 1000, 5000])
def test_blocks_leave_no_seam(monkeypatch, block):
    monkeypatch.setattr(tetranucleotides, "WINDOWS_PER_BATCH", block)
    contigs = {f"c{length}": sequence(length, length, "ACGTACGTN") for length in [*range(1, 40), 3, 200, 2, 1]}
    assert counts_of_contigs(contigs) == [plain_counts(text) for text in contigs.values()]


def test_a_sequence_longer_than_a_block():
    long = sequence(1, 2 * tetranucleotides.WINDOWS_PER_BATCH + 5) + "N" + sequence(2, 100)
    contigs = {"short": "ACGTA", "long": long, "last": sequence(3, 900)}
    assert counts_of_contigs(contigs) == [plain_counts(text) for text in contigs.values()]


@given(st.text(alphabet="ACGTN", max_size=80))
def test_a_contig_and_its_reverse_complement_are_the_same(text):
    other = "".join(COMPLEMENT.get(base, base) for base in reversed(text))
    assert counted(text) == counted(other)


def count_rows(*rows) -> np.ndarray:
    """Counts in the first columns of 136."""
    counts = np.zeros((len(rows), 136), dtype=np.float32)
    for row, values in zip(counts, rows):
        row[: len(values)] = values
    return counts


def test_z_scaling_by_hand():
    counts = count_rows([1, 2, 7], [1, 3, 6], [2, 18])
    scale = tetranucleotides.FrequencyScale(lambda: [counts])
    frequencies = np.array([[0.1, 0.2, 0.7], [0.1, 0.3, 0.6], [0.1, 0.9, 0]])
    means = frequencies.mean(axis=0)
    np.testing.assert_allclose(scale.means[:3], means)
    np.testing.assert_allclose(scale.deviations[:3], frequencies.std(axis=0), atol=1e-12)
    scaled = scale.scaled(counts)
    assert scaled.dtype == np.float32 and not scaled[:, 0].any() and not scaled[:, 3:].any()
    np.testing.assert_allclose(scaled[:, 1:3], ((frequencies - means) / frequencies.std(axis=0))[:, 1:], rtol=1e-6)
    assert scale.deviations[0] == 0 and not scale.deviations[3:].any()


def test_z_scaling_is_the_same_in_any_blocks():
    counts = np.random.default_rng(1).integers(1, 1000, (500, 136)).astype(np.float32)
    whole = tetranucleotides.FrequencyScale(lambda: [counts])
    parts = tetranucleotides.FrequencyScale(lambda: [counts[:0], counts[:7], counts[7:130], counts[130:]])
    assert whole.means.tolist() == parts.means.tolist() and whole.deviations.tolist() == parts.deviations.tolist()


def test_z_scaling_of_nothing():
    for blocks in ([], [np.zeros((0, 136), np.float32)]):
        scale = tetranucleotides.FrequencyScale(lambda blocks=blocks: blocks)
        assert scale.means.tolist() == scale.deviations.tolist() == [0] * 136
