"""reference_alignments.py: each rule of the preprint at its bound."""

import pytest

from reference_alignments import Alignment, by_genome, counts, genome_of

LENGTHS = {"g": 50_000, "h": 50_000, "i": 50_000, "small": 10_000}


def hit(genome, length, identity=100.0, start=1):
    """An alignment of so many bp, without gaps, of this identity (per cent)."""
    return Alignment(genome, length, round(length * identity / 100), start, start + length - 1)


@pytest.mark.parametrize(
    ("length", "identical", "expected"),
    [(500, 500, True), (499, 499, False), (1000, 950, True), (1000, 949, False), (500, 475, True)],
)
def test_an_alignment_counts_from_500_bp_and_95_per_cent_on(length, identical, expected):
    assert counts(Alignment("g", length, identical, 1, length)) == expected


@pytest.mark.parametrize(
    ("hits", "genome"),
    [
        ([], None),
        ([hit("g", 499)], None),
        ([hit("g", 500)], "g"),
        # More than twice of any other
        ([hit("g", 2001), hit("h", 1000)], "g"),
        ([hit("g", 2000, 99), hit("h", 1000, 99)], None),
        ([hit("g", 2000, 99), hit("h", 999, 100)], "g"),
        ([hit("g", 2001), hit("h", 1000), hit("i", 1001)], None),
        # What does not count is not there
        ([hit("g", 600, 95), hit("h", 499, 100)], "g"),
        ([hit("g", 600, 95), hit("h", 600, 94)], "g"),
        # The highest identity, by at least 0.05 %
        ([hit("g", 10_000, 99.05), hit("h", 10_000, 99)], "g"),
        ([hit("g", 10_000, 99.04), hit("h", 10_000, 99)], None),
        ([hit("g", 10_000, 99), hit("h", 10_000, 99)], None),
        # ... above the second highest, however little of that aligns
        ([hit("g", 10_000, 99.05), hit("h", 9000, 98), hit("i", 500, 99.2)], None),
        # ... and at least 90 % of the longest
        ([hit("g", 9000, 100), hit("h", 10_000, 99)], "g"),
        ([hit("g", 8999, 100), hit("h", 10_000, 99)], None),
        # ... of a genome of more than 10 kbp
        ([hit("small", 9000, 100), hit("h", 9000, 99)], None),
        ([hit("small", 9000, 99), hit("h", 9000, 100)], "h"),
        ([hit("small", 9000, 100), hit("h", 4000, 99)], "small"),
    ],
    ids=range(18),
)
def test_rules(hits, genome):
    assert genome_of(hits, LENGTHS) == genome
    assert genome_of(hits[::-1], LENGTHS) == genome


def test_a_genome_of_10_001_bp_is_long_enough():
    hits = [hit("small", 9000, 100), hit("h", 9000, 99)]
    assert genome_of(hits, LENGTHS | {"small": 10_001}) == "small"


def test_alignments_to_a_genome_add_up_but_a_position_counts_once():
    """A repeat that the genome has ten times is no ten times longer."""
    (both,) = by_genome([hit("g", 600, 100), hit("g", 400, 100, 700), hit("g", 1000, 97, 700)])
    assert both.bases == 1600  # without the alignment of 400 bp
    assert both.identity == pytest.approx(100 * (600 + 970) / 1600)
    (repeat,) = by_genome([hit("g", 600)] * 10)
    assert (repeat.bases, repeat.identity) == (600, 100)
    assert genome_of([*[hit("g", 600, 99)] * 10, hit("h", 600, 99)], LENGTHS) is None


def test_of_the_other_strand_start_and_end_of_the_contig_may_be_turned():
    (aligned,) = by_genome([Alignment("g", 600, 600, 700, 101)])
    assert aligned.bases == 600
