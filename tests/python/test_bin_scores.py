"""bin_scores.py against bins whose precisions and recalls are counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bin_scores import (
    Place,
    Truth,
    found_in,
    genome_bin_pairs,
    genomes_found,
    large_bins,
    positions_covered,
    score_bins,
)

# Genome A: 1,000 bp in a1 ... a4 and the shared contig ab; B: 500 bp in b1 and ab.
LENGTHS = {"a1": 500, "a2": 250, "a3": 140, "a4": 10, "ab": 100, "b1": 400}


@pytest.fixture
def truth():
    return Truth(LENGTHS, {contig: set(contig.strip("1234").upper()) for contig in LENGTHS})


def test_a_shared_contig_adds_to_the_size_of_each_of_its_genomes(truth):
    assert truth.genomes["ab"] == {"A", "B"}
    assert truth.genome_sizes() == {"A": 1000, "B": 500}


def test_perfect_bins_find_both_genomes_and_the_shared_contig_stands_in_both(truth):
    found = score_bins({"1": {"a1", "a2", "a3", "a4", "ab"}, "2": {"b1", "ab"}}, truth, 0)
    assert set(found.genomes.values()) == {2}
    assert found.high_quality == 2
    assert (found.purity, found.completeness, found.bins) == (1.0, 1.0, 2)
    assert found.binned == 1500 / 1400  # a contig of two bins counts in each


def test_recall_and_precision_are_shares_of_bases(truth):
    # Bin 1 has 900 of the 1,000 bp of A, bin 2 has 400 of the 500 bp of B.
    bins = {"1": {"a1", "a2", "a3", "a4"}, "2": {"b1"}}
    assert {pair.genome: pair.recall for pair in genome_bin_pairs(bins, truth)} == {"A": 0.9, "B": 0.8}
    found = score_bins(bins, truth, 0)
    assert found.genomes == {0.5: 2, 0.6: 2, 0.7: 2, 0.8: 2, 0.9: 1, 0.95: 0, 0.99: 0}
    impure = score_bins({"1": {"a1", "a2", "a3", "a4", "b1"}}, truth, 0)
    assert impure.genomes[0.5] == 0  # 900 / 1,300
    assert impure.purity == 900 / 1300
    assert impure.completeness == (900 + 400) / 1500


def test_precision_of_exactly_nine_tenths_counts_but_is_no_high_quality():
    truth = Truth({"a": 900, "b": 100}, {"a": {"A"}, "b": {"B"}})
    found = score_bins({"1": {"a", "b"}}, truth, 0)
    assert found.genomes[0.99] == 1
    assert found.high_quality == 0
    worse = truth._replace(length={"a": 899, "b": 101})
    assert score_bins({"1": {"a", "b"}}, worse, 0).genomes[0.5] == 0


def test_a_shared_contig_adds_to_the_precision_of_each_of_its_genomes(truth):
    pairs = {pair.genome: pair for pair in genome_bin_pairs({"1": {"ab", "b1"}}, truth)}
    assert pairs["B"].precision == 1.0
    assert pairs["A"].precision == 0.2
    assert pairs["A"].recall == 0.1


def test_small_bins_find_nothing_but_count_for_purity(truth):
    bins = {"1": {"a1", "a2", "a3", "ab"}, "2": {"b1", "a4"}}
    assert genomes_found(bins, truth, 0.8, min_bin_size=411) == {"A"}
    assert genomes_found(bins, truth, 0.8, min_bin_size=410) == {"A", "B"}
    assert score_bins(bins, truth, 10_000).purity == (990 + 400) / 1400
    assert large_bins(bins, truth, 411) == {"1": bins["1"]}


def test_a_genome_in_two_bins_has_the_recall_of_the_better_one(truth):
    found = score_bins({"1": {"a1"}, "2": {"a2", "a3"}}, truth, 0)
    assert found.genomes[0.5] == 1
    assert found.genomes[0.6] == 0
    assert found.completeness == 500 / 1500


def test_no_bins_is_a_score(truth):
    found = score_bins({}, truth)
    assert (found.genomes[0.5], found.purity, found.completeness, found.binned) == (0, 1.0, 0.0, 0.0)


def test_f1_is_the_harmonic_mean(truth):
    (pair,) = genome_bin_pairs({"1": {"a1"}}, truth)
    assert (pair.precision, pair.recall) == (1.0, 0.5)
    assert pair.f1 == pytest.approx(2 / 3)


def test_thresholds_are_reached_by_equality(truth):
    pairs = list(genome_bin_pairs({"1": {"a1", "a2", "a3", "ab"}}, truth))  # 990 of 1,000 bp of A
    assert found_in(pairs, 0.99, 0.95, 990) == {"A"}
    assert found_in(pairs, 0.99, 0.95, 991) == set()
    assert found_in(pairs, 0.9901, 0.95, 0) == set()


# Places on genomes: each position counts once


def placed(*places):
    """Truth of contigs 1, 2, ... of genome G, 100 bp each, at these places."""
    names = [str(number) for number, _ in enumerate(places, 1)]
    return Truth(
        dict.fromkeys(names, 100),
        {name: {"G"} for name in names},
        {(name, "G"): [Place("", *place)] for name, place in zip(names, places)},
    )


@pytest.mark.parametrize(
    ("places", "positions"),
    [
        ([], 0),
        ([Place("", 1, 1)], 1),
        ([Place("", 1, 100), Place("", 101, 200)], 200),
        ([Place("", 1, 100), Place("", 100, 199)], 199),
        ([Place("", 1, 100), Place("", 20, 30)], 100),
        ([Place("", 50, 60), Place("", 1, 10)], 21),
        ([Place("x", 1, 100), Place("y", 1, 100)], 200),
        ([Place("x", 51, 60), Place("y", 1, 10)], 20),
    ],
)
def test_positions_covered(places, positions):
    assert positions_covered(places) == positions


@given(st.lists(st.tuples(st.sampled_from("xy"), st.integers(1, 30), st.integers(0, 12))))
def test_positions_covered_are_those_of_sets(drawn):
    places = [Place(sequence, start, start + more) for sequence, start, more in drawn]
    assert positions_covered(places) == len({(p.sequence, i) for p in places for i in range(p.start, p.end + 1)})


def test_contigs_of_one_place_neither_enlarge_a_genome_nor_complete_it():
    truth = placed((1, 100), (1, 100), (101, 200))
    assert truth.genome_sizes() == {"G": 200}
    (pair,) = genome_bin_pairs({"b": {"1", "2"}}, truth)
    assert (pair.bases, pair.bin_size, pair.covered) == (200, 200, 100)
    assert (pair.precision, pair.recall) == (1.0, 0.5)
    found = score_bins({"b": {"1", "2"}, "c": {"3"}}, truth, 0)
    assert (found.purity, found.completeness, found.binned) == (1.0, 0.5, 1.0)


def test_a_contig_that_covers_a_genome_in_part_has_its_whole_length_in_the_bin():
    truth = placed((1, 60), (1, 200))
    (pair,) = genome_bin_pairs({"b": {"1"}}, truth)
    assert (pair.bases, pair.covered, pair.precision, pair.recall) == (100, 60, 1.0, 0.3)
