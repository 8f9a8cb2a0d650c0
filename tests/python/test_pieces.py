"""pieces.py: whether two pieces are of one genome."""

from math import comb

import numpy as np

from pieces import (
    describe_piece,
    doubling_evidence,
    family_evidence,
    one_genome_evidence,
    own_composition_evidence,
    unknown_genome_evidence,
)
from planted_contigs import KB, composition, plant_contigs


def described(rng, coverage, compositions):
    """Return the profiles of pieces of genomes with these coverages, thirty contigs each."""
    n = len(coverage)
    genomes = np.repeat(np.arange(n), 30)
    contigs, order = plant_contigs(
        rng, [(g,) for g in genomes], [8 * KB] * 30 * n, np.array(coverage, float), compositions, []
    )
    counts = contigs.tetranucleotides.sum(axis=0, dtype=float)
    return [describe_piece(contigs, np.flatnonzero(genomes[order] == g), counts) for g in range(n)]


def odds(piece, other, typical):
    """Return the log odds that the first piece is of the genome of the second."""
    own, unknown = own_composition_evidence(piece), unknown_genome_evidence(piece, typical)
    return one_genome_evidence(piece, other, own, unknown)[0, 0]


def test_coverage_and_composition_both_decide():
    """Pieces 0 and 1 are of one genome, 2 has another coverage in one sample, 3 another composition."""
    rng = np.random.default_rng(5)
    same, different = composition(rng), composition(rng)
    coverage = [[20, 5, 9], [20, 5, 9], [20, 15, 9], [20, 5, 9], [3, 30, 2]]
    pieces = described(rng, coverage, [same, same, same, different, different])
    typical = np.concatenate([piece.density for piece in pieces])
    assert odds(pieces[0], pieces[1], typical) > 2
    assert odds(pieces[0], pieces[2], typical) < 0
    assert odds(pieces[0], pieces[3], typical) < 0


def test_without_other_genomes_there_is_no_other_coverage():
    rng = np.random.default_rng(6)
    piece = described(rng, [[20, 5]], [composition(rng)])[0]
    assert unknown_genome_evidence(piece, np.empty((0, 2))).tolist() == [0]


def with_families(*held: set[int]) -> list:
    """Return the profiles of pieces that are alike but for the families, out of fifty, that each holds."""
    rng = np.random.default_rng(7)
    genomes = np.repeat(np.arange(len(held)), 30)
    contigs, order = plant_contigs(
        rng,
        [(g,) for g in genomes],
        [8 * KB] * len(genomes),
        np.full((len(held), 2), 9.0),
        [composition(rng)] * len(held),
        [],
    )
    contig_of = [int(np.flatnonzero(genomes[order] == g)[0]) for g in range(len(held))]
    markers = [(contig_of[g], family) for g, families in enumerate(held) for family in families]
    contigs = contigs._replace(markers=np.array([*markers, (contig_of[0], 49)], dtype=np.int64).T)
    counts = contigs.tetranucleotides.sum(axis=0, dtype=float)
    return [describe_piece(contigs, np.flatnonzero(genomes[order] == g), counts) for g in range(len(held))]


def test_families_that_both_pieces_hold_speak_for_two_genomes():
    large, doubled, single, none = with_families(set(range(40)), set(range(12)), set(range(40, 48)), set())
    assert family_evidence(doubled, large)[0, 0] < -20
    assert family_evidence(single, large)[0, 0] == 0, "what the other lacks never speaks for a join"
    assert family_evidence(none, large)[0, 0] == 0, "no family is no evidence"


def test_a_family_or_two_that_a_genome_has_twice_do_not_part_it():
    """Among many that only one of the pieces holds."""
    large, small = with_families(set(range(25)), {*range(23, 45)})
    assert family_evidence(small, large)[0, 0] == 0
    _, lone = with_families(set(range(45)), {3})
    assert family_evidence(lone, with_families(set(range(45)))[0])[0, 0] < -3


def test_families_change_the_odds_of_a_join_and_nothing_else_does():
    large, doubled, single = with_families(set(range(40)), set(range(12)), set(range(40, 48)))
    typical = large.density
    without = odds(doubled._replace(families=doubled.families & False), large, typical)
    assert odds(doubled, large, typical) == without + family_evidence(doubled, large)[0, 0]
    assert odds(single, large, typical) == odds(single._replace(families=single.families & False), large, typical)


def test_probabilities_of_doublings_are_those_of_a_beta_prior():
    """They sum to one over the families that may be doubled, and more are less likely."""
    n = 30
    log_p = doubling_evidence(n)
    choose = np.array([comb(n, k) for k in range(n + 1)])
    assert np.isclose((choose * np.exp(log_p[:, n])).sum(), 1)
    assert (np.diff(log_p[: n // 2, n]) < 0).all()
    assert np.isclose(np.exp(log_p[1, 1]), 0.7 / 180.7)
