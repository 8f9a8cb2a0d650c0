"""join_clusters.py: pieces of planted genomes are joined, those of others are not; bins along the graph."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import join_clusters
from bin_model import NO_BIN
from planted_contigs import KB, chain, composition, plant_contigs

pytestmark = pytest.mark.filterwarnings("error")


def merge_planted(rng, coverage, relatives, pairs, labels):
    """Return the result of merge_linked_bins for contigs of 10 kbp.

    coverage and relatives are given per bin; bins with the same letter have the same composition. A is a sibling of a,
    whose composition differs a little.
    """
    families = {family: composition(rng) for family in relatives}
    if "A" in families:
        near = families["a"] * np.exp(rng.normal(0, 0.12, 136))
        families["A"] = near / near.sum()
    compositions = [families[family] for family in relatives]
    contigs, order = plant_contigs(
        rng, [(b,) for b in labels], np.full(len(labels), 10 * KB), np.array(coverage, float), compositions, pairs
    )
    return join_clusters.merge_linked_bins(contigs, np.array(labels)[order], len(coverage)).tolist()


PROFILES = [[40, 10, 80, 20], [8, 60, 15, 30]]


@pytest.mark.parametrize("seed", range(3))
def test_merge_joins_the_pieces_of_a_genome(seed):
    rng = np.random.default_rng(seed)
    labels = [0] * 14 + [2] * 6 + [1] * 20
    coverage = [PROFILES[0], PROFILES[1], PROFILES[0]]
    linked = [*chain(0, 20), (0, 15), (3, 18), *chain(20, 40)]  # three links between the pieces
    assert merge_planted(rng, coverage, "aba", linked, labels) == [0, 1, 0]
    # the larger one has the higher number: its number stays
    assert merge_planted(rng, coverage, "aba", linked, [2] * 14 + [0] * 6 + [1] * 20) == [2, 1, 2]
    # the other genome's composition, no links, one link, most links elsewhere: not joined
    assert merge_planted(rng, coverage, "abb", linked, labels) == [0, 1, 2]
    apart = chain(0, 14) + chain(14, 20) + chain(20, 40)
    assert merge_planted(rng, coverage, "aba", apart, labels) == [0, 1, 2]
    assert merge_planted(rng, coverage, "aba", [*apart, (0, 15)], labels) == [0, 1, 2]
    elsewhere = linked + [(14 + i % 6, 20 + i) for i in range(12)]
    assert merge_planted(rng, coverage, "aba", elsewhere, labels) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_merge_gives_a_summed_bin_to_the_nearer_relative(seed):
    rng = np.random.default_rng(seed)

    def found(coverage, relatives, shared=12):
        """Return the merges of four bins, of which the third has this number of contigs."""
        ends = 40 + shared
        between = [(40 + i, i) for i in range(shared)] + [(40 + i, 20 + i) for i in range(shared)]
        pairs = chain(0, 20) + chain(20, 40) + chain(40, ends) + chain(ends, ends + 20)
        labels = [0] * 20 + [1] * 20 + [2] * shared + [3] * 20
        return [merge_planted(rng, coverage, relatives, links, labels) for links in (pairs + between, pairs)]

    shallow, other = [8, 5, 15, 30], [100, 3, 3, 9]
    total = [a + b for a, b in zip(PROFILES[0], shallow)]
    deep_first, deep_second = [PROFILES[0], shallow, total, other], [shallow, PROFILES[0], total, other]
    apart = [0, 1, 2, 3]
    # whichever of the two is deeper; without links to them it stays alone
    assert found(deep_first, "aAab") == found(deep_second, "aAab") == [[0, 1, 0, 3], apart]
    assert found(deep_first, "Aaab") == found(deep_second, "Aaab") == [[0, 1, 1, 3], apart]
    # as near to both, or too few contigs to tell
    assert found(deep_first, "aaab") == [apart, apart]
    assert found(deep_first, "aAab", shared=join_clusters.MIN_COMPOSITION_CONTIGS - 1) == [apart, apart]


def test_composition_z_counts_standard_errors_over_contigs():
    one, other = np.log([0.5, 0.3, 0.2]), np.log([0.4, 0.4, 0.2])
    counts = np.array([[6, 2, 2], [5, 3, 2], [4, 3, 3]] * 4, dtype=float)
    gain = counts @ (one - other)
    residual = gain - gain.mean()  # all have ten 4-mers
    assert join_clusters.composition_z(counts, one, other) == pytest.approx(gain.sum() / math.sqrt((residual**2).sum()))
    assert join_clusters.composition_z(counts, other, one) == -join_clusters.composition_z(counts, one, other)
    for nothing in (counts[:9], counts * 0, counts[:0]):
        assert join_clusters.composition_z(nothing, one, other) == 0


def test_merge_leaves_a_bin_near_a_sum_alone():
    """Bin 2 is 1.1 to 2.1 times the sum of 0 and 1, has another composition, and a link or two to each."""
    coverage = [[7, 137, 4, 13, 134, 76], [42, 41, 7, 23, 22, 13], [73, 241, 23, 40, 243, 136]]
    coverage += [[4, 75, 74, 4, 8, 23], [13, 25, 42, 131, 4, 4], [249, 7, 13, 73, 75, 240]]
    pairs = [pair for b in range(6) for pair in chain(20 * b, 20 * b + 20)] + [(40, 0), (50, 10), (45, 25), (55, 35)]
    labels = [b for b in range(6) for _ in range(20)]
    assert merge_planted(np.random.default_rng(0), coverage, "abcdef", pairs, labels) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(3))
def test_merge_leaves_siblings_apart(seed):
    rng = np.random.default_rng(seed)
    labels = [0] * 20 + [1] * 20 + [2] * 20
    bubbles = [(i, 20 + i) for i in range(20)] + [(i, 20 + (i + 3) % 20) for i in range(20)]
    pairs = chain(0, 20) + chain(20, 40) + chain(40, 60) + bubbles
    assert merge_planted(rng, [*PROFILES, [5, 5, 5, 90]], "aab", pairs, labels) == [0, 1, 2]


def pieces_of(rng, coverage, relatives, each, kbp=10):
    """Return contigs and the pieces they are in: 2 g and 2 g + 1 are pieces of genome g, of `each` contigs."""
    families = {family: composition(rng) for family in relatives}
    genomes = [(g,) for g in range(len(relatives)) for _ in range(2 * each)]
    contigs, order = plant_contigs(
        rng, genomes, [kbp * KB] * len(genomes), np.array(coverage, float), [families[x] for x in relatives], []
    )
    return contigs, np.repeat(np.arange(2 * len(relatives)), each)[order]


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_a_genome_are_joined(seed):
    """Pieces are joined without a link; only their coverage tells relatives of the same composition apart."""
    rng = np.random.default_rng(seed)
    coverage = [[40, 10, 80, 20], [8, 60, 15, 30], [20, 33, 9, 70], [40, 10, 30, 55]]
    contigs, label = pieces_of(rng, coverage, "abba", 6)
    part_of = join_clusters.join_pieces(contigs, label, 8)
    assert len(set(part_of)) == 4 and all(part_of[2 * g] == part_of[2 * g + 1] for g in range(4))


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_other_composition_stay_apart(seed):
    """Genomes with the same coverage in the only sample stay apart: half of the community is not one bin."""
    rng = np.random.default_rng(seed)
    contigs, label = pieces_of(rng, [[30], [30], [31]], "abc", 20)
    part_of = join_clusters.join_pieces(contigs, label, 6)
    assert all(part_of[b] // 2 == b // 2 for b in range(6))


@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_reads_speak_for_a_join_but_not_alone(seed):
    """In one sample, coverage and composition speak a little against the join of pieces 1 and 0."""
    rng = np.random.default_rng(seed)
    near = composition(rng)
    far = near * np.exp(rng.normal(0, 0.25, 136))
    pieces, coverage, size = [near, far / far.sum(), composition(rng)], np.array([[20.0], [22], [21]]), 6

    def part_of(*linked):
        """Return the pieces that each is part of, if their contigs are linked in turn; piece 1 is small."""
        pairs = [(a * size + i, b * size + i) for a, b in linked for i in range(size)]
        length = [90 * KB + i for i in range(size)] + [9 * KB] * size + [80 * KB] * size
        rows = [(g,) for g in range(3) for _ in range(size)]
        contigs, order = plant_contigs(np.random.default_rng(seed), rows, length, coverage, pieces, pairs)
        contigs = contigs._replace(links=np.empty((2, 0), np.int64), pairs=contigs.links)
        return join_clusters.join_pieces(contigs, np.repeat(np.arange(3), size)[order], 3).tolist()

    assert part_of() == [0, 1, 2]
    assert part_of((1, 0)) == [0, 0, 2]
    assert part_of((1, 0), (1, 2)) == [0, 1, 2]  # as many lead to the other one
    assert part_of((1, 2)) == [0, 1, 2]  # its composition is another


def test_the_odds_of_pairs_of_reads():
    """Pairs of contigs, as (lesser, greater); contigs 0 to 2 are piece 0, 3 and 4 piece 1, 5 is piece 2."""
    label = np.array([0, 0, 0, 1, 1, 2, NO_BIN])
    pairs = np.array([[0, 3], [1, 3], [2, 4], [1, 5], [2, 6], [0, 1]])
    linked = join_clusters.PairsOfPieces(np.concatenate([pairs, pairs[:, ::-1]]).T, label, 3)
    every = np.arange(3)
    odds = 2 * math.log(4 / 2)  # three of the four links of piece 0
    assert linked.evidence(every, every).tolist() == [[0, odds, 0], [2 * math.log(4), 0, 0], [0, 0, 0]]
    linked.join(2, 1)
    assert linked.evidence(every, every).tolist() == [[0, 2 * math.log(5), 0], [2 * math.log(5), 0, 0], [0, 0, 0]]
    linked.join(1, 0)
    assert not linked.evidence(every, every).any()


def test_a_piece_is_part_of_the_largest():
    rng = np.random.default_rng(3)
    contigs, order = plant_contigs(rng, [(0,)] * 9, [10 * KB] * 9, np.array([[30.0, 8, 55]]), [composition(rng)], [])
    label = np.array([0, 1, 1, 1, 1, 1, 2, 2, 3])[order]
    assert join_clusters.join_pieces(contigs, label, 4).tolist() == [1, 1, 1, 1]
    assert join_clusters.join_pieces(contigs, np.full(9, NO_BIN), 0).tolist() == []


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 4))
def test_joining_is_greedy(seed, n_pieces, samples):
    """The result is the same as if all pairs of pieces were judged anew after each join."""
    rng = np.random.default_rng(seed)
    n_genomes = int(rng.integers(1, 5))
    genomes = [(int(g),) for g in rng.integers(0, n_genomes, 4 * n_pieces)]
    compositions = [composition(rng) for _ in range(n_genomes)]
    contigs, order = plant_contigs(
        rng,
        genomes,
        rng.integers(2 * KB, 9 * KB, len(genomes)),
        np.exp(rng.normal(3, 1, (n_genomes, samples))),
        compositions,
        rng.integers(0, len(genomes), (int(rng.integers(0, 3 * len(genomes))), 2)),
    )
    contigs = contigs._replace(links=np.empty((2, 0), np.int64), pairs=contigs.links)
    label = np.repeat(np.arange(n_pieces), 4)[order]
    found = join_clusters.join_pieces(contigs, label, n_pieces)

    pieces, part_of = join_clusters.Pieces(contigs, label, n_pieces), np.arange(n_pieces)
    while True:
        pairs = [(b, x) for b in np.unique(part_of) for x in np.flatnonzero(pieces.larger_pieces(b))]
        odds = [pieces.join_evidence(np.array([b]), np.array([x]))[0, 0] for b, x in pairs]
        if not odds or max(odds) <= 0:
            break
        b, x = pairs[int(np.argmax(odds))]
        pieces.join(b, x)
        part_of[part_of == b] = x
    assert found.tolist() == part_of.tolist()
