"""refine.py: densities against direct sums, planted bins and communities, invariants, the command, bad tables."""

import gzip
import hashlib
import itertools
import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import refine
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings("error")
NONE = refine.NO_BIN
READ = 150
KB = 1000


# --- the densities -------------------------------------------------------------------------------------


def variance_of(expected, scatter):
    """Of a root count: a quarter, and some for small counts; the bin's relative scatter, by the delta method."""
    return refine.ROOT_VARIANCE + (scatter * expected) ** 2 / (4 * expected) if expected else refine.ROOT_VARIANCE


def log_t(x, mean, covariance, freedom):
    """Log density of the multivariate t distribution, from its textbook definition."""
    p = len(x)
    gap = np.asarray(x) - mean
    distance = gap @ np.linalg.inv(covariance) @ gap
    norm = math.lgamma((freedom + p) / 2) - math.lgamma(freedom / 2) - p / 2 * math.log(freedom * math.pi)
    return norm - np.linalg.slogdet(covariance)[1] / 2 - (freedom + p) / 2 * math.log1p(distance / freedom)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_coverage_evidence_is_a_multivariate_t(seed, samples):
    rng = np.random.default_rng(seed)
    length = rng.integers(1, 50000, 5)
    expected = rng.gamma(0.5, 200, (5, 3, samples)) * rng.integers(0, 2, (5, 3, samples))
    scatter = rng.choice(refine.SCATTERS, (5, 3, samples))
    reads = rng.poisson(rng.gamma(0.5, 200, (5, samples)))
    found = refine.coverage_evidence(reads, length, expected, scatter)
    for c in range(5):
        for k in range(3):
            variance = [variance_of(e, x) for e, x in zip(expected[c, k], scatter[c, k])]
            shared = 0.05**2 + (refine.END_EFFECT / length[c]) ** 2  # of the amplitude of all samples
            slope = np.sqrt(expected[c, k]) / 2  # of the root count, by the relative coverage
            covariance = np.diag(variance) + shared * np.outer(slope, slope)
            direct = log_t(np.sqrt(reads[c] + 0.25), np.sqrt(expected[c, k] + 0.25), covariance, refine.FREEDOM)
            assert found[c, k] + samples / 2 * -math.log(math.pi) == pytest.approx(direct, rel=1e-9, abs=1e-9)


def test_unknown_evidence_is_a_product_of_mixtures():
    rng = np.random.default_rng(1)
    expected, reads = rng.gamma(0.5, 200, (4, 5, 3)), rng.poisson(rng.gamma(0.5, 200, (4, 3)))
    found = refine.unknown_evidence(reads, expected)
    for c in range(4):
        direct = 0.0
        for s in range(3):
            parts = []
            for e in expected[c, :, s]:
                variance = [[variance_of(e, refine.UNKNOWN_SCATTER)]]
                root, center = [math.sqrt(reads[c, s] + 0.25)], math.sqrt(e + 0.25)
                parts.append(math.exp(log_t(root, center, np.array(variance), refine.FREEDOM)))
            direct += math.log(sum(parts) / len(parts))
        assert found[c] - 3 / 2 * math.log(math.pi) == pytest.approx(direct, rel=1e-9)


def test_composition_saturates():
    frequency = np.full((2, 136), 0.9 / 135)
    frequency[0, 0] = frequency[1, 1] = 0.1
    frequency /= frequency.sum(axis=1, keepdims=True)
    share = frequency[0].astype(np.float64)

    def gain(windows):
        like = refine.composition_evidence((share * windows)[None], np.log(frequency))[0]
        return like[0] - like[1]

    each = (share * np.log(frequency[0] / frequency[1])).sum()  # nats of a 4-mer of bin 0
    assert gain(0) == 0
    assert gain(3) == pytest.approx(3 * refine.WINDOW_WEIGHT * each, rel=0.02)  # few count in proportion
    most = refine.FULL_WINDOWS * refine.WINDOW_WEIGHT * each
    assert gain(refine.FULL_WINDOWS) == pytest.approx(most / 2)
    assert 0.99 * most < gain(10**5) < gain(10**6) < most


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 4)), min_size=1, max_size=9))
def test_weighted_median(rows):
    values, weight = np.array(rows, dtype=float)[:, :2], np.array(rows)[:, 2]
    naive = [sorted(np.repeat(column, weight))[(weight.sum() - 1) // 2] for column in values.T]
    assert refine.weighted_median(values, weight).tolist() == naive


@pytest.mark.parametrize("planted", refine.SCATTERS)
def test_scatter_is_recovered(planted):
    rng = np.random.default_rng(7)
    expected = rng.uniform(2000, 200000, (1000, 2))
    noise = rng.standard_t(refine.FREEDOM, expected.shape) * np.sqrt(refine.ROOT_VARIANCE + planted**2 * expected / 4)
    roots = np.maximum(np.sqrt(expected) + noise, 0)
    assert refine.scatter_of(roots**2, expected).tolist() == [planted, planted]
    # one contig says little: the prior stays; one without reads where none are expected says nothing
    one = refine.scatter_of(expected[:1] * 1.05, expected[:1])
    assert set(one) <= {0.1, refine.USUAL_SCATTER}
    assert refine.scatter_of(np.zeros((3, 1)), np.zeros((3, 1))).tolist() == [refine.USUAL_SCATTER]


# --- planted contigs -----------------------------------------------------------------------------------


def composition(rng):
    """Frequencies of the 136 tetranucleotides of a genome."""
    frequency = np.exp(rng.normal(0, 0.35, 136))
    return frequency / frequency.sum()


def planted(rng, genomes, length, coverage, compositions, pairs, noise=0.1):
    """Contigs and the given rows in their order; genomes: those of each contig, which has the sum of their reads."""
    length = np.asarray(length)
    mean = np.array([coverage[list(own)].sum(axis=0) for own in genomes]) * length[:, None] / READ
    reads = rng.poisson(mean * np.exp(rng.normal(0, noise, mean.shape)))
    windows = [rng.multinomial(max(size - 3, 0), compositions[own[0]]) for own, size in zip(genomes, length)]
    order = np.argsort(-length, kind="stable")
    place = np.argsort(order)
    links = place[np.array([(a, b) for a, b in pairs if a != b], dtype=np.int64).reshape(-1, 2).T]
    links = np.unique(np.concatenate([links, links[::-1]], axis=1), axis=1)
    table = np.array(windows, dtype=np.float32)[order]
    return refine.Contigs(length[order], reads[order].astype(np.float64), table, links), order


def chain(first: int, last: int):
    return [(i, i + 1) for i in range(first, last - 1)]


def merged(rng, coverage, relatives, pairs, labels):
    """part_of of merge_bins for contigs of 10 kbp; coverage and relatives (which share a composition): per bin.
    A is a sibling of a, whose composition differs a little."""
    families = {family: composition(rng) for family in relatives}
    if "A" in families:
        near = families["a"] * np.exp(rng.normal(0, 0.12, 136))
        families["A"] = near / near.sum()
    compositions = [families[family] for family in relatives]
    contigs, order = planted(
        rng, [(b,) for b in labels], np.full(len(labels), 10 * KB), np.array(coverage, float), compositions, pairs
    )
    return refine.merge_bins(contigs, np.array(labels)[order], len(coverage)).tolist()


PROFILES = [[40, 10, 80, 20], [8, 60, 15, 30]]


@pytest.mark.parametrize("seed", range(3))
def test_merge_joins_the_pieces_of_a_genome(seed):
    rng = np.random.default_rng(seed)
    labels = [0] * 14 + [2] * 6 + [1] * 20
    coverage = [PROFILES[0], PROFILES[1], PROFILES[0]]
    linked = chain(0, 20) + [(0, 15), (3, 18)] + chain(20, 40)  # three links between the pieces
    assert merged(rng, coverage, "aba", linked, labels) == [0, 1, 0]
    # the larger one has the higher number: its number stays
    assert merged(rng, coverage, "aba", linked, [2] * 14 + [0] * 6 + [1] * 20) == [2, 1, 2]
    # the other genome's composition, no links, one link, most links elsewhere: not joined
    assert merged(rng, coverage, "abb", linked, labels) == [0, 1, 2]
    apart = chain(0, 14) + chain(14, 20) + chain(20, 40)
    assert merged(rng, coverage, "aba", apart, labels) == [0, 1, 2]
    assert merged(rng, coverage, "aba", [*apart, (0, 15)], labels) == [0, 1, 2]
    elsewhere = linked + [(14 + i % 6, 20 + i) for i in range(12)]
    assert merged(rng, coverage, "aba", elsewhere, labels) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_merge_gives_a_summed_bin_to_the_nearer_relative(seed):
    rng = np.random.default_rng(seed)

    def found(coverage, relatives, shared=12):
        """What becomes of four bins, of which the third has this number of contigs."""
        ends = 40 + shared
        between = [(40 + i, i) for i in range(shared)] + [(40 + i, 20 + i) for i in range(shared)]
        pairs = chain(0, 20) + chain(20, 40) + chain(40, ends) + chain(ends, ends + 20)
        labels = [0] * 20 + [1] * 20 + [2] * shared + [3] * 20
        return [merged(rng, coverage, relatives, links, labels) for links in (pairs + between, pairs)]

    shallow, other = [8, 5, 15, 30], [100, 3, 3, 9]
    total = [a + b for a, b in zip(PROFILES[0], shallow)]
    deep_first, deep_second = [PROFILES[0], shallow, total, other], [shallow, PROFILES[0], total, other]
    apart = [0, 1, 2, 3]
    # whichever of the two is deeper; without links to them it stays alone
    assert found(deep_first, "aAab") == found(deep_second, "aAab") == [[0, 1, 0, 3], apart]
    assert found(deep_first, "Aaab") == found(deep_second, "Aaab") == [[0, 1, 1, 3], apart]
    # as near to both, or too few contigs to tell
    assert found(deep_first, "aaab") == [apart, apart]
    assert found(deep_first, "aAab", shared=refine.NEARER_CONTIGS - 1) == [apart, apart]


def test_nearer_counts_standard_errors_over_contigs():
    one, other = np.log([0.5, 0.3, 0.2]), np.log([0.4, 0.4, 0.2])
    windows = np.array([[6, 2, 2], [5, 3, 2], [4, 3, 3]] * 4, dtype=float)
    gain = windows @ (one - other)
    residual = gain - gain.mean()  # all have ten 4-mers
    assert refine.nearer(windows, one, other) == pytest.approx(gain.sum() / math.sqrt((residual**2).sum()))
    assert refine.nearer(windows, other, one) == -refine.nearer(windows, one, other)
    for nothing in (windows[:9], windows * 0, windows[:0]):
        assert refine.nearer(nothing, one, other) == 0


def test_merge_leaves_a_bin_near_a_sum_alone():
    """Bin 2 is 1.1 to 2.1 times the sum of 0 and 1, has another composition, and a link or two to each."""
    coverage = [[7, 137, 4, 13, 134, 76], [42, 41, 7, 23, 22, 13], [73, 241, 23, 40, 243, 136]]
    coverage += [[4, 75, 74, 4, 8, 23], [13, 25, 42, 131, 4, 4], [249, 7, 13, 73, 75, 240]]
    pairs = [pair for b in range(6) for pair in chain(20 * b, 20 * b + 20)] + [(40, 0), (50, 10), (45, 25), (55, 35)]
    labels = [b for b in range(6) for _ in range(20)]
    assert merged(np.random.default_rng(0), coverage, "abcdef", pairs, labels) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(3))
def test_merge_leaves_siblings_apart(seed):
    rng = np.random.default_rng(seed)
    labels = [0] * 20 + [1] * 20 + [2] * 20
    bubbles = [(i, 20 + i) for i in range(20)] + [(i, 20 + (i + 3) % 20) for i in range(20)]
    pairs = chain(0, 20) + chain(20, 40) + chain(40, 60) + bubbles
    assert merged(rng, [*PROFILES, [5, 5, 5, 90]], "aab", pairs, labels) == [0, 1, 2]


# --- a simulated community -----------------------------------------------------------------------------


class Community(NamedTuple):
    contigs: refine.Contigs
    label: np.ndarray
    genomes: list[tuple[int, ...]]


def clustered(rng, genomes, length, coverage, compositions, pairs, binned: int) -> Community:
    """Genomes 0 to binned - 1 have a bin, of their contigs from 2 kbp on."""
    contigs, order = planted(rng, genomes, length, coverage, compositions, pairs)
    genomes = [genomes[i] for i in order]
    known = [size >= 2 * KB and len(own) == 1 and own[0] < binned for own, size in zip(genomes, contigs.length)]
    return Community(contigs, np.where(known, [own[0] for own in genomes], NONE), genomes)


def coverages(rng, n: int, samples: int) -> np.ndarray:
    """n x samples, from 4 to 250: no two alike in a sample, and if there are several samples, the last two, which have
    no bins, differ from any other by a factor of 8 or more in one of them."""
    steps = np.linspace(np.log(4), np.log(250), n)
    while True:
        coverage = np.array([rng.permutation(steps) for _ in range(samples)]).T
        apart = [np.abs(coverage[:own] - coverage[own]).max(axis=1).min() for own in (n - 2, n - 1)]
        if samples == 1 or min(apart) > np.log(8):
            return np.exp(coverage)


def community(seed: int, samples: int, binned=6, each=60, linked=True) -> Community:
    """Genomes 0 to binned - 1, whose contigs from 2 kbp are in their bin, a twelfth of these in another; then one
    without a bin, and a sibling of genome 0 without one: its composition, links to its contigs, other coverage.
    Ten contigs belong to two of the genomes from 1."""
    rng = np.random.default_rng(seed)
    n = binned + 2
    compositions = [composition(rng) for _ in range(n - 1)]
    compositions.append(compositions[0])
    coverage = coverages(rng, n, samples)
    genomes = [(g,) for g in range(n) for _ in range(each)]
    length = np.exp(rng.uniform(np.log(150), np.log(40000), len(genomes))).astype(int).tolist()
    pairs = [pair for g in range(n) for pair in chain(g * each, (g + 1) * each)]
    pairs += [tuple(g * each + rng.integers(0, each, 2)) for g in range(n) for _ in range(each // 3)]
    pairs += [((n - 1) * each + a, b) for a, b in rng.integers(0, each, (each, 2))]  # the sibling and genome 0
    pairs += [tuple(pair) for pair in rng.integers(0, len(genomes), (5, 2))]  # repeats
    for _ in range(10):
        a, b = sorted(rng.choice(np.arange(1, binned), 2, replace=False).tolist())
        pairs += [(len(genomes), g * each + x) for g in (a, b) for x in rng.choice(each, 2, replace=False)]
        genomes.append((a, b))
        length.append(int(rng.integers(800, 4000)))
    found = clustered(rng, genomes, length, coverage, compositions, pairs if linked else [], binned)
    moved = rng.permutation(np.flatnonzero(found.label != NONE))[::12]
    found.label[moved] = (found.label[moved] + rng.integers(1, binned, len(moved))) % binned
    return found


def refined_sets(known: Community, min_posterior=0.8):
    """The bins of each contig before and after, and its reason."""
    table, shared = refine.refine_labels(known.contigs, known.label, min_posterior, 0)
    table = refine.tabulate(known.label, table, shared, [str(b) for b in range(max(known.label) + 1)])
    after = [{int(b) for b in final.split(",") if b} for final in table["final"]]
    return [{b} - {NONE} for b in known.label.tolist()], after, table["reason"].tolist()


def quality(known: Community, bins: list[set[int]]):
    """Purity of what is binned, and share of the community that is rightly binned, by length."""
    length = known.contigs.length
    right = length[[0 < len(found) and found <= set(own) for found, own in zip(bins, known.genomes)]].sum()
    return right / length[[len(found) > 0 for found in bins]].sum(), right / length.sum()


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_community(seed, linked):
    known = community(seed, 6, linked=linked)
    before, after, reasons = refined_sets(known)
    was, now = quality(known, before), quality(known, after)
    assert now[0] > was[0] and now[0] > 0.99
    assert now[1] > was[1] + 0.05
    rows = list(zip(known.genomes, before, after, reasons))
    assert np.mean([a == set(g) for g, b, a, _ in rows if len(g) == 1 and g[0] < 6 and not b]) > 0.95  # short ones
    assert all(a == set(g) for g, b, a, _ in rows if b == set(g))
    for outsider in (6, 7):
        stayed = [reason for g, _, a, reason in rows if g == (outsider,) and not a]
        assert len(stayed) > 0.95 * 60 and stayed.count("left,unlike") > 0.9 * len(stayed)
    wrong = [(g, a, reason) for g, b, a, reason in rows if b and b != set(g)]
    assert len(wrong) > 10 and all(a <= set(g) for g, a, _ in wrong)
    assert all(reason == ("moved" if a else "removed," + reason.split(",")[1]) for _, a, reason in wrong)
    shared = [(set(g), a, reason) for g, _, a, reason in rows if len(g) == 2]
    assert all(a <= g for g, a, _ in shared)
    if linked:
        assert np.mean([a == g and reason == "added,multi_labelled" for g, a, reason in shared]) >= 0.8


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_one_sample_never_lowers_purity(seed, linked):
    known = community(seed, 1, linked=linked)
    before, after, _ = refined_sets(known)
    was, now = quality(known, before), quality(known, after)
    assert now[0] >= was[0] and now[1] > was[1]


def test_ambiguous_is_not_unlike():
    """Three bins of one coverage: a contig without a 4-mer fits all of them, and their own contigs keep theirs."""
    rng = np.random.default_rng(4)
    genomes, labels = [(b,) for b in range(3) for _ in range(20)] + [(0,)], np.array([*np.repeat([0, 1, 2], 20), NONE])
    length = [9 * KB + i for i in range(60)] + [5 * KB]
    contigs, order = planted(
        rng, genomes, length, np.full((3, 3), [20.0, 50.0, 9.0]), [composition(rng) for _ in "123"], []
    )
    contigs.windows[-1] = 0
    _, after, reasons = refined_sets(Community(contigs, labels[order], genomes))
    assert reasons.count("kept") >= 57 and set(reasons) <= {"kept", "removed,ambiguous", "left,ambiguous"}
    assert after[-1] == set() and reasons[-1] == "left,ambiguous"


def test_bins_that_a_contig_touches():
    """0, 1 and 2 are bins of four contigs; 12 and 13 have none."""
    final = np.array([0] * 4 + [1] * 4 + [2] * 4 + [NONE] * 2)
    pairs = chain(0, 4) + chain(4, 8) + chain(8, 12) + [(0, 12), (4, 12), (12, 13)]

    def touched(pairs):
        links = np.unique(np.array(pairs + [(b, a) for a, b in pairs]).T, axis=1)
        return refine.neighbouring_bins(refine.Contigs(None, None, None, links), final, 3)

    # 12 between them; 13 past 12, which has no bin; 0 and 4 their own and, past 12, the other
    assert touched(pairs) == {0: [0, 1], 4: [1, 0], 12: [0, 1], 13: [0, 1]}
    assert touched(pairs + [(1, 12), (2, 8)])[2] == [0, 2] and touched(pairs)[12] == [0, 1]
    # siblings, with more links to each other than within: nothing lies between them
    assert touched(pairs + [(a, b) for a in range(4) for b in range(4, 8)]) == {}


def test_more_bins_than_candidates(monkeypatch):
    known = community(5, 6, binned=40, each=24)
    few = refined_sets(known)
    assert refine.CANDIDATES < 40
    monkeypatch.setattr(refine, "CANDIDATES", 100)
    assert refined_sets(known) == few
    assert quality(known, few[1])[0] > 0.99


def test_binless_genomes_among_many_samples():
    """Ten of thirty genomes have no bin; coverages vary from sample to sample by a factor of e, more or less."""
    rng = np.random.default_rng(2)
    coverage = np.exp(rng.normal(2.5, 1, (30, 1)) + rng.normal(0, 1, (30, 20)))
    genomes = [(g,) for g in range(30) for _ in range(40)]
    length = np.exp(rng.uniform(np.log(150), np.log(40000), len(genomes))).astype(int)
    pairs = [pair for g in range(30) for pair in chain(g * 40, g * 40 + 40)]
    known = clustered(rng, genomes, length, coverage, [composition(rng) for _ in range(30)], pairs, 20)
    assert quality(known, refined_sets(known)[1])[0] > 0.98


@pytest.mark.parametrize(
    ("long", "short", "is_bin"),
    [
        (13, 300, True),  # 117 kbp that were clustered, and 360 kbp that were not
        (13, 60, False),  # 189 kbp in all
        (20, 100, False),  # 300 kbp in all, not three times the 180 kbp that were clustered
        (5, 300, False),  # 45 kbp are less than a quarter of a bin
    ],
)
@pytest.mark.parametrize("others", [True, False])
def test_a_small_cluster_may_grow_into_a_bin(long, short, is_bin, others):
    """Genomes 0 and 1, of 320 kbp in a bin each (if they are there at all), and one that is mostly in short contigs."""
    rng = np.random.default_rng(8)
    genomes = [(g,) for g, many in ((0, 40), (1, 40), (2, long), (2, short)) for _ in range(many)]
    length = np.repeat([8 * KB, 9 * KB, 1200], [80, long, short])
    coverage = np.array([[40, 10, 80, 20], [8, 60, 15, 30], [25, 30, 9, 70]], float)
    contigs, order = planted(rng, genomes, length, coverage, [composition(rng) for _ in "012"], [])
    owner = np.array([genomes[i][0] for i in order])
    label = np.where((contigs.length > 2 * KB) & (others | (owner == 2)), owner, NONE)
    table, shared = refine.refine_labels(contigs, label, 0.8, 200 * KB)
    assert not shared
    for genome, gets in ((0, others), (1, others), (2, is_bin)):
        found = table["final"][owner == genome]
        assert (found == (genome if gets else NONE)).mean() > 0.95
        assert set(found) <= {genome, NONE} if gets else set(found) == {NONE}
    assert (table["merged"] == 2).sum() == (long if is_bin else 0)


@pytest.mark.parametrize(
    ("elsewhere", "links", "expected"),
    [
        ({}, {}, True),
        ({0: 99}, {}, True),
        ({0: 70, 1: 70}, {}, True),  # most of it went to other bins, but to none of them half
        ({0: 100}, {}, False),  # a piece of bin 0
        ({}, {0: 100, 1: 10, 2: 4}, True),  # a sibling of bin 0
        ({}, {0: 100, 1: 11, 2: 4}, False),  # between bins 0 and 1: more than twice its inner links, and one, lead on
        ({}, {0: 100, 1: 11, 2: 5}, True),
    ],
)
def test_neither_a_piece_nor_what_bins_share_grows_into_one(elsewhere, links, expected):
    """Bins 0 and 1 of 200 bp, cluster 2 of 50 bp, which gets 150 contigs of a base, of which some go to 0 and 1 without
    it and have links to 0, 1 and each other, and cluster 3, which gets none."""
    length = np.array([200, 200, 50, 50] + [1] * 150)
    size = np.array([200.0, 200, 50, 50])
    along = np.array([0, 1, 2, NONE] + [2] * 150)
    without = np.array([0, 1, NONE, NONE] + [NONE] * 150)
    others = [b for b, many in elsewhere.items() for _ in range(many)]
    without[4 : 4 + len(others)] = others
    ends = [(b, 4 + i) for b, many in links.items() for i in range(many)]
    ends = np.array(ends + [(y, x) for x, y in ends], dtype=np.int64).reshape(-1, 2).T
    contigs = refine.Contigs(length, None, None, ends)
    assert refine.have_grown(contigs, size, without, along, 200).tolist() == [False, False, expected, False]
    assert not refine.have_grown(contigs, size, without, along, 201).any()  # 200 bp are too few


def test_a_bin_that_may_be_shared_gains_nothing():
    """Bins 0 and 1 are siblings, and all reads of 1 also cover 0: a short contig with the coverage of 0 may be of
    either. With other coverage in one sample, or without the links, it goes to 0."""

    def gained(coverage, linked=True):
        rng = np.random.default_rng(5)
        near = composition(rng)
        genomes = [(b,) for b in range(3) for _ in range(12)] + [(0,)] * 6
        pairs = chain(0, 12) + chain(12, 24) + chain(24, 36) + [(i, 12 + i) for i in range(6) if linked]
        coverage = np.array([*coverage, [5, 60, 30]], float)
        length = [8 * KB] * 36 + [1900] * 6
        contigs, order = planted(rng, genomes, length, coverage, [near, near, composition(rng)], pairs)
        label = np.array([genomes[i][0] if i < 36 else NONE for i in order])
        table, _ = refine.refine_labels(contigs, label, 0.9, 0)
        assert (table["final"][label != NONE] == label[label != NONE]).all()  # nothing is taken from it
        return set(table["final"][label == NONE])

    assert gained([[40, 30, 50], [10, 20, 15]]) == {NONE}
    assert gained([[40, 10, 50], [10, 40, 15]]) == {0}
    assert gained([[40, 30, 50], [10, 20, 15]], linked=False) == {0}


def test_samples_without_reads_change_nothing():
    known = community(0, 3)
    contigs = known.contigs._replace(reads=np.hstack([known.contigs.reads, np.zeros((len(known.label), 50))]))
    assert refined_sets(known._replace(contigs=contigs))[1] == refined_sets(known)[1]


def pieces_of(rng, coverage, relatives, each, kbp=10):
    """Contigs and labels of pieces of `each` contigs, two for every genome: 2 g and 2 g + 1 are of genome g."""
    families = {family: composition(rng) for family in relatives}
    genomes = [(g,) for g in range(len(relatives)) for _ in range(2 * each)]
    contigs, order = planted(
        rng, genomes, [kbp * KB] * len(genomes), np.array(coverage, float), [families[x] for x in relatives], []
    )
    return contigs, np.repeat(np.arange(2 * len(relatives)), each)[order]


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_a_genome_are_joined(seed):
    """Without a link, though each is a cluster of its own; relatives of one composition only by what they are covered."""
    rng = np.random.default_rng(seed)
    coverage = [[40, 10, 80, 20], [8, 60, 15, 30], [20, 33, 9, 70], [40, 10, 30, 55]]
    contigs, label = pieces_of(rng, coverage, "abba", 6)
    part_of = refine.join_pieces(contigs, label, 8)
    assert len(set(part_of)) == 4 and all(part_of[2 * g] == part_of[2 * g + 1] for g in range(4))


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_other_composition_stay_apart(seed):
    """Genomes covered alike in the only sample there is: half of the community is not one bin."""
    rng = np.random.default_rng(seed)
    contigs, label = pieces_of(rng, [[30], [30], [31]], "abc", 20)
    part_of = refine.join_pieces(contigs, label, 6)
    assert all(part_of[b] // 2 == b // 2 for b in range(6))


def test_a_piece_is_part_of_the_largest():
    rng = np.random.default_rng(3)
    contigs, order = planted(rng, [(0,)] * 9, [10 * KB] * 9, np.array([[30.0, 8, 55]]), [composition(rng)], [])
    label = np.array([0, 1, 1, 1, 1, 1, 2, 2, 3])[order]
    assert refine.join_pieces(contigs, label, 4).tolist() == [1, 1, 1, 1]
    assert refine.join_pieces(contigs, np.full(9, NONE), 0).tolist() == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 4))
def test_joining_is_greedy(seed, n_pieces, samples):
    """The same as judging all pairs of pieces anew after each join."""
    rng = np.random.default_rng(seed)
    n_genomes = int(rng.integers(1, 5))
    genomes = [(int(g),) for g in rng.integers(0, n_genomes, 4 * n_pieces)]
    compositions = [composition(rng) for _ in range(n_genomes)]
    contigs, order = planted(
        rng,
        genomes,
        rng.integers(2 * KB, 9 * KB, len(genomes)),
        np.exp(rng.normal(3, 1, (n_genomes, samples))),
        compositions,
        [],
    )
    label = np.repeat(np.arange(n_pieces), 4)[order]
    found = refine.join_pieces(contigs, label, n_pieces)

    pieces, part_of = refine.Pieces(contigs, label, n_pieces), np.arange(n_pieces)
    while True:
        pairs = [(b, x) for b in np.unique(part_of) for x in np.flatnonzero(pieces.larger(b))]
        odds = [pieces.odds(np.array([b]), np.array([x]))[0, 0] for b, x in pairs]
        if not odds or max(odds) <= 0:
            break
        b, x = pairs[int(np.argmax(odds))]
        pieces.join(b, x)
        part_of[part_of == b] = x
    assert found.tolist() == part_of.tolist()


def relatives(rng, coverage, homology, each=40, kbp=10):
    """Contigs (`each` of every genome, of one composition) and their genomes. Contig i of a genome
    shares genes with contig i of another, or with a neighbour in its own: homology (genomes x genomes), seeds."""
    n = len(coverage)
    genomes = np.repeat(np.arange(n), each)
    contigs, order = planted(
        rng, [(g,) for g in genomes], [kbp * KB] * n * each, np.array(coverage, float), [composition(rng)] * n, []
    )
    place = np.argsort(order).reshape(n, each)
    pairs = [
        (place[a, i], place[b, i if a != b else i ^ 1], homology[a][b])
        for a, b, i in itertools.product(range(n), range(n), range(each))
        if homology[a][b]
    ]
    return contigs._replace(homologs=np.array(pairs, dtype=np.int64).reshape(-1, 3).T), genomes[order]


@pytest.mark.parametrize("seed", range(5))
def test_a_cluster_of_relatives_is_taken_apart(seed):
    """Of one composition, covered not quite alike in the only sample there is."""
    contigs, genome = relatives(np.random.default_rng(seed), [[30], [55]], [[0, 20], [20, 0]])
    side = refine.take_apart(contigs)
    assert (side == genome).mean() > 0.95 or (side != genome).mean() > 0.95
    # what nothing tells from one another but the genes in common: each half would be a half of both
    contigs, genome = relatives(np.random.default_rng(seed), [[30], [30]], [[0, 20], [20, 0]])
    assert refine.take_apart(contigs) is None
    # one genome with a repeat in many contigs, or with few copies of genes: a cluster as any other
    for inner, outer in ((20, 0), (0, 1)):
        contigs, genome = relatives(np.random.default_rng(seed), [[30], [55]], [[inner, outer], [outer, inner]])
        assert refine.take_apart(contigs) is None


def test_parts_are_taken_apart_again():
    coverage, homology = [[20, 20], [50, 20], [20, 60]], [[0, 20, 20], [20, 0, 20], [20, 20, 0]]
    contigs, genome = relatives(np.random.default_rng(0), coverage, homology)
    label = np.full_like(genome, 4)
    found = refine.split_clusters(contigs, label, 7, 100 * KB)
    assert set(found) == {4, 7, 8}
    assert pd.crosstab(found, genome).max().sum() >= 0.95 * len(genome)
    # each part must be large enough for a piece
    assert set(refine.split_clusters(contigs, label, 7, 1000 * KB)) == {4}
    # contigs without a cluster, and other clusters, have no part in it
    label = np.where(genome == 2, NONE, np.where(genome == 1, 0, 6))
    assert refine.split_clusters(contigs, label, 7, 100 * KB).tolist() == label.tolist()
    assert refine.split_clusters(contigs, np.full_like(label, NONE), 0, 0).tolist() == [NONE] * len(label)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(0, 3))
def test_splitting_keeps_clusters_apart(seed, n, samples):
    """Whatever contigs and homologs are like: a part is of one cluster, and large enough, or all of it."""
    rng = np.random.default_rng(seed)
    length = np.sort(rng.choice([1, 100, 5_000, 50_000], n))[::-1]
    reads, windows = rng.choice([0, 0.5, 30, 900], (n, samples)), rng.choice([0, 3, 40], (n, 136)).astype(np.float32)
    pairs = np.argwhere(np.triu(rng.random((n, n)) < rng.choice([0.1, 0.9]), 1)).T
    shared = rng.integers(1, 500, pairs.shape[1])
    homologs = np.concatenate([np.vstack([pairs, shared]), np.vstack([pairs[::-1], shared])], axis=1)
    label = rng.integers(NONE, 3, n)
    contigs = refine.Contigs(length, reads, windows, np.zeros((2, 0), np.int64), homologs.astype(np.int64))
    part = refine.split_clusters(contigs, label, 3, 200)
    whole = {int(p): set(label[part == p]) for p in set(part)}
    assert all(len(of) == 1 for of in whole.values()) and all((of == {p}) for p, of in whole.items() if p < 3)
    size = np.bincount(part + 1, length)
    split = set().union(*(of for p, of in whole.items() if p >= 3))
    assert all(size[p + 1] >= 200 for p, of in whole.items() if of <= split)


def test_one_with_most_homologs_decides_what_alternates():
    """0 - 1 - 2 - 3 and 4 - 5; 6 has none."""
    links = [(0, 1), (1, 2), (2, 3)], [(4, 5)]
    pairs = [(*pair, shared) for chained, shared in zip(links, (5, 2)) for a, b in chained for pair in ((a, b), (b, a))]
    side = refine.alternate(np.array(pairs).T, 7)
    assert side[0] == side[2] != side[1] == side[3] and set(side[:4]) == {0, 1}
    assert side[4:].tolist() == [NONE, NONE, NONE]


@pytest.mark.parametrize("own", [0, 20, 39])
def test_hub_of_more_bins_than_candidates_keeps_its_own(own):
    rng = np.random.default_rng(0)
    genomes = [(b,) for b in range(40) for _ in range(3)] + [(own,)]
    pairs = [(3 * b, 120) for b in range(40)]
    coverage, compositions = np.exp(rng.normal(2.5, 1, (40, 4))), [composition(rng) for _ in range(40)]
    contigs, order = planted(rng, genomes, [20 * KB] * 120 + [1900], coverage, compositions, pairs)
    label = np.array([genomes[i][0] for i in order])
    assert refine.refine_labels(contigs, label, 0.9, 0)[0]["final"].tolist() == label.tolist()


# --- the command ---------------------------------------------------------------------------------------


class Tables(NamedTuple):
    """What write_inputs takes, and tetranucleotides by catalogue name and the mapped reads by sample."""

    contigs: list
    links: list
    clusters: dict
    coverage: dict
    windows: dict
    mapped: dict | None


FILES = {
    "contigs": "contigs.tsv", "clusters": "clusters.tsv", "coverage": "coverage.tsv.gz",
    "tetranucleotides": "tetranucleotides.npy", "features": "features.json",
}  # fmt: skip
GRAPH = {"vertices": "vertices.tsv.gz", "edges": "edges.tsv.gz"}


@pytest.fixture(scope="session")
def run_refine(write_inputs, run_stage):
    """Writes tables (in another order with rng), lets `spoil` change the folder, runs the command."""

    def run(folder: Path, tables: Tables, *options, rng=None, absent=(), files=FILES | GRAPH, spoil=None):
        write_inputs(folder, *tables[:4], rng, absent)
        names = [line.split("\t")[0] for line in (folder / "contigs.tsv").read_text().splitlines()[1:]]
        np.save(folder / "tetranucleotides.npy", np.array([tables.windows[name] for name in names], np.float32))
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
        (folder / "features.json").write_text(json.dumps({"contigs_sha256": digest, "mapped_reads": tables.mapped}))
        if spoil:
            spoil(folder)
        return run_stage(refine.main, folder, files, *options)

    return run


def two_genomes(known_reads=True) -> Tables:
    """Genome 5 with coverages about 30 and 5, 12 with about 4 and 60, names that pandas would take for others."""
    rng = np.random.default_rng(3)
    frequency = {"5": composition(rng), "12": composition(rng), "": composition(rng)}
    rows = [  # name, length, its cluster, genome, coverages
        *((f"r{i}", 90 * KB + i, "5", "5", (30 + i / 2, 5 - i / 9)) for i in range(3)),
        *((f"s{i}", 80 * KB + i, "12", "12", (4 + i / 9, 60 - i)) for i in range(3)),
        ("NA", 20 * KB, "5", "12", (4, 60)),
        ("001", 900, "", "5", (31, 5)),
        ('"x', 20 * KB, "", "", (300, 300)),
        ("both", 2 * KB, "", "5", (34, 65)),
        ("nan", 700, "7", "12", (4, 58)),
    ]
    contigs = [(f"A1~{name}", "A1", name, length) for name, length, *_ in rows] + [("A2~r0", "A2", "r0", 5 * KB)]
    coverage = {f"A1~{row[0]}": row[4] for row in rows} | {"A2~r0": (0, 0)}
    windows = {f"A1~{row[0]}": rng.multinomial(row[1] - 3, frequency[row[3]]) for row in rows} | {"A2~r0": [9] * 136}
    clusters = {f"A1~{row[0]}": row[2] for row in rows if row[2]} | {"A2~r0": "7"}
    links = [("r0", "r1"), ("r1", "r2"), ("s0", "s1"), ("s1", "s2"), ("NA", "s0"), ("001", "r2"), ("both", "r0")]
    links += [("both", "s1"), ("both", "r1"), ("both", "s2"), ("nan", "s2"), ("r0", "r0"), ("s0", "s0")]
    bases = [sum(coverage[c][s] * length for c, _, _, length in contigs) for s in range(2)]
    mapped = {f"S{s}": round(bases[s] / READ) for s in range(2)} if known_reads else None
    return Tables(contigs, links, clusters, coverage, windows, mapped)


@pytest.mark.parametrize("known_reads", [True, False])
def test_command(tmp_path, run_refine, known_reads):
    tables = two_genomes(known_reads)
    # 240,003 bp: exactly those of s0, s1, s2
    result, contig2bin, refinement, counts = run_refine(tmp_path, tables, "--min_bin_size", "240003", absent=['"x'])
    assert result.exit_code == 0 and "10 of 11 contigs are in the graph, 11 edges" in result.stderr
    assert list(refinement["contig"]) == [c[0] for c in tables.contigs[:11]]  # catalogue order
    columns = "contig assembly name length initial in_graph merged unlinked final posterior none reason"
    assert set(refinement.columns) == set(columns.split())
    rows = {row["name"]: row for row in refinement.to_dict("records")}
    assert {name: (row["initial"], row["final"], row["reason"]) for name, row in rows.items()} == {
        **{f"r{i}": ("5", "5", "kept") for i in range(3)},
        **{f"s{i}": ("12", "12", "kept") for i in range(3)},
        "NA": ("5", "12", "moved"),
        "001": ("", "5", "added"),
        '"x': ("", "", "left,unlike"),
        "both": ("", rows["both"]["final"], "added,multi_labelled"),
        "nan": ("", "12", "added"),  # cluster 7 has 700 bp in A1
    }
    assert sorted(rows["both"]["final"].split(",")) == ["12", "5"]
    assert [name for name, row in rows.items() if row["in_graph"] == "false"] == ['"x']
    pairs = [(row["contig"], b) for row in rows.values() for b in row["final"].split(",") if b]
    assert list(map(tuple, contig2bin.to_numpy())) == pairs and len(pairs) == 11
    assert counts["labelled"] == {"initial": 7, "merged": 7, "unlinked": counts["labelled"]["unlinked"], "final": 10}
    words = {"kept": 6, "moved": 1, "added": 3, "left": 1, "unlike": 1, "multi_labelled": 1}
    size = {"contigs": 11, "contigs_in_graph": 10, "edges": 11, "labels": 2, "labels_merged": 2, "assembly": "A1"}
    assert {key: value for key, value in counts.items() if key != "labelled"} == words | size


def write_homologs(folder: Path, pairs) -> None:
    lines = ["\t".join(map(str, pair)) for pair in pairs]
    text = "\n".join(["contig_1\tcontig_2\tshared", *lines]) + "\n"
    (folder / "homologs.tsv.gz").write_bytes(gzip.compress(text.encode()))


def two_relatives() -> tuple[Tables, list[tuple]]:
    """A cluster of two genomes that are covered unlike, and the genes that they have in common."""
    rng = np.random.default_rng(0)
    frequency = composition(rng)
    rows = [(f"{genome}{i}", 20 * KB + i, cover) for genome, cover in (("x", (30, 8)), ("y", (9, 40))) for i in range(15)]
    contigs = [(f"A1~{name}", "A1", name, length) for name, length, _ in rows] + [("A2~r0", "A2", "r0", 5 * KB)]
    coverage = {f"A1~{name}": cover for name, _, cover in rows} | {"A2~r0": (0, 0)}
    windows = {contig: rng.multinomial(length, frequency) for contig, _, _, length in contigs}
    clusters = {f"A1~{name}": "3" for name, _, _ in rows}
    return Tables(contigs, [], clusters, coverage, windows, None), [(f"A1~x{i}", f"A1~y{i}", 60) for i in range(15)]


def test_split_cluster(tmp_path, run_refine):
    """Its parts have names of their own; the genes in common are what takes it apart."""
    tables, pairs = two_relatives()
    files = FILES | {"homologs": "homologs.tsv.gz"}
    found = []
    for folder, shared in (("with", pairs), ("without", [])):
        (tmp_path / folder).mkdir()
        spoil = lambda inside, shared=shared: write_homologs(inside, [*shared, ("A2~r0", "A1~x0", 9)])  # noqa: E731
        done = run_refine(tmp_path / folder, tables, "--min_bin_size", "200000", files=files, spoil=spoil)
        assert done[0].exit_code == 0, done[0].output
        found.append(done[2].assign(genome=done[2]["name"].str[0]))
    apart, whole = found
    assert set(zip(whole["genome"], whole["final"], whole["reason"])) == {("x", "3", "kept"), ("y", "3", "kept")}
    by_genome = {(row["genome"], row["initial"], row["final"], row["reason"]) for row in apart.to_dict("records")}
    assert by_genome == {("y", "3", "3", "kept"), ("x", "3", "3_2", "split")} or by_genome == {
        ("x", "3", "3", "kept"), ("y", "3", "3_2", "split"),
    }  # fmt: skip


def test_ids_of_parts_are_new():
    assert refine.part_ids(["3", "3_2", "7"], np.array([0, 0, 2, 0]), np.array([0, 3, 4, 5])) == [
        "3", "3_2", "7", "3_3", "7_2", "3_4",
    ]  # fmt: skip


@pytest.mark.parametrize("pair", [("A1~x0", "A1~other", 60), ("A1~x0", "A1~y0", "many"), ("A1~x0", "A1~y0", "")])
def test_homologs_of_another_run(tmp_path, run_refine, pair):
    tables, _ = two_relatives()
    files = FILES | {"homologs": "homologs.tsv.gz"}
    result = run_refine(tmp_path, tables, files=files, spoil=lambda folder: write_homologs(folder, [pair]))
    result = result[0] if isinstance(result, tuple) else result
    assert result.exit_code == 1 and "homologs.tsv.gz" in result.output
    assert ("A1~other" if "A1~other" in pair else "A1~x0") in result.output


def test_without_graph(tmp_path, run_refine):
    _, _, refinement, counts = run_refine(tmp_path, two_genomes(), "--min_bin_size", "1000", files=FILES)
    final = dict(zip(refinement["name"], refinement["final"]))
    assert (final["NA"], final['"x'], final["r0"], final["s0"]) == ("12", "", "5", "12")
    assert set(refinement["in_graph"]) == {"false"} and counts["contigs_in_graph"] == counts["edges"] == 0
    assert set(zip(refinement["unlinked"], refinement["final"])) == {(x, x) for x in ("5", "12", "")}


@pytest.mark.parametrize("smallest", [10**9, 0])
def test_no_bins(tmp_path, run_refine, smallest):
    tables = two_genomes()
    if smallest == 0:
        tables = tables._replace(clusters={})
    _, contig2bin, refinement, counts = run_refine(tmp_path, tables, "--min_bin_size", str(smallest))
    assert len(contig2bin) == 0 and list(contig2bin.columns) == ["contig", "bin"]
    assert set(zip(refinement["initial"], refinement["final"], refinement["reason"])) == {("", "", "left,unlike")}
    assert (counts["labels"], counts["left"], counts["unlike"]) == (0, 11, 11)


def test_bases_of_a_read():
    coverage, length = pd.DataFrame({"S0": [3.0, 1.0], "S1": [0.0, 0.0]}), np.array([1000, 3000])
    assert refine.bases_per_read(coverage, length, {"S0": 40, "S1": 0}).tolist() == [150, 1]
    assert refine.bases_per_read(coverage, length, None).tolist() == [1000, 1000]


def test_other_assemblies_of_the_group_change_nothing(tmp_path_factory, run_refine):
    """Their reads are among the mapped ones, so their bases count for the bases of a read."""
    alone = two_genomes()
    # low coverage: counting noise decides
    alone = alone._replace(coverage={c: [x / 50 for x in row] for c, row in alone.coverage.items()})
    alone = alone._replace(mapped={sample: round(n / 50) for sample, n in alone.mapped.items()})
    added = 10**8
    beside = alone._replace(contigs=[*alone.contigs, ("A2~z", "A2", "z", added)])
    beside = beside._replace(coverage=alone.coverage | {"A2~z": (1, 1)}, windows=alone.windows | {"A2~z": [0] * 136})
    beside = beside._replace(mapped={sample: n + round(added / READ) for sample, n in alone.mapped.items()})
    found = []
    for tables in alone, beside:
        found.append(run_refine(tmp_path_factory.mktemp("group"), tables, "--min_bin_size", "1000")[2])
    assert found[0]["final"].tolist() == found[1]["final"].tolist()
    assert found[0]["posterior"].astype(float).tolist() == pytest.approx(found[1]["posterior"].astype(float), abs=0.01)


@st.composite
def small_tables(draw):
    """Up to nine contigs, most of them hostile: a base long, without 4-mers, reads or links."""
    n = draw(st.integers(1, 9))
    names = [f"A1~x{v}" for v in range(n)]
    length = draw(st.lists(st.sampled_from([1, 3, 150, 999, 1000, 5000, 5000, 400_000]), min_size=n, max_size=n))
    samples = draw(st.integers(1, 4))
    level = st.sampled_from([0, 0, 1, 2.5, 30, 31, 1e-3, 1e5])
    row = st.lists(level, min_size=samples, max_size=samples)
    coverage = dict(zip(names, draw(st.lists(row, min_size=n, max_size=n))))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    known = [composition(rng), composition(rng), np.zeros(136)]
    kinds = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    windows = {c: np.round(max(size - 3, 0) * known[kind]) for c, size, kind in zip(names, length, kinds)}
    ends = st.integers(0, n - 1).map(lambda v: f"x{v}")
    links = draw(st.lists(st.tuples(ends, ends), max_size=14))
    labels = draw(st.lists(st.sampled_from(["", "1", "2", "10", "a b"]), min_size=n, max_size=n))
    mapped = draw(st.sampled_from([None, {f"S{s}": 10 ** (2 * s) for s in range(samples)}]))
    contigs = [(c, "A1", c[3:], size) for c, size in zip(names, length)]
    return Tables(contigs, links, {c: x for c, x in zip(names, labels) if x}, coverage, windows, mapped)


@settings(max_examples=120, deadline=None)
@given(small_tables(), st.randoms(use_true_random=False), st.sampled_from(["0.5", "0.9", "1"]))
def test_properties(tmp_path_factory, run_refine, tables, rng, least):
    found = []
    with_reads = [column for column in zip(*tables.coverage.values()) if any(column)]
    for order in (None, rng):
        options = ["--min_bin_size", "150", "--min_posterior", least]
        folder = tmp_path_factory.mktemp("order")
        result, contig2bin, refinement, counts = run_refine(folder, tables, *options, rng=order)
        rows = refinement.to_dict("records")
        assert sorted(row["contig"] for row in rows) == sorted(c[0] for c in tables.contigs)  # none is lost
        pairs = [(row["contig"], b) for row in rows for b in row["final"].split(",") if b]
        assert list(map(tuple, contig2bin.to_numpy())) == pairs
        assert {b for _, b in pairs} <= set(refinement["initial"]) - {""}
        for row in rows:
            posterior, none = float(row["posterior"]), float(row["none"])
            assert min(posterior, none) >= 0 and posterior + none <= 1.0001
            assert bool(row["final"]) == (row["reason"].split(",")[0] in ("kept", "merged", "moved", "added"))
            if "multi_labelled" not in row["reason"]:
                asked = (1 + float(least)) / 2 if len(with_reads) == 1 else float(least)
                assert bool(row["final"]) == (posterior >= asked) or abs(posterior - asked) < 1e-4
        found.append((sorted(map(tuple, refinement.to_numpy())), sorted(pairs), counts))
    assert found[0] == found[1]


def packed(file: str, text: str):
    raw = text.encode()
    return lambda folder: (folder / file).write_bytes(gzip.compress(raw) if file.endswith(".gz") else raw)


def replaced(file: str, old: str, new: str):
    """Exchanges the first `old` of a table."""

    def spoil(folder):
        raw = (folder / file).read_bytes()
        text = (gzip.decompress(raw) if file.endswith(".gz") else raw).decode()
        assert old in text
        packed(file, text.replace(old, new, 1))(folder)

    return spoil


def array(*shape: int):
    return lambda folder: np.save(folder / "tetranucleotides.npy", np.ones(shape, np.float32))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (replaced("features.json", 'sha256": "', 'sha256": "0'), ["features.json", "12 contigs", "'A1~r0'"]),
        (packed("features.json", "{}"), ["features.json", "contigs_sha256"]),
        (packed("features.json", "[]"), ["features.json"]),
        (packed("features.json", '{"conti'), ["features.json"]),
        (replaced("features.json", '"S1"', '"S7"'), ["features.json", "S1"]),
        (array(11, 136), ["tetranucleotides.npy", "12 contigs", "'A1~r0'"]),
        (array(12, 135), ["tetranucleotides.npy"]),
        (array(12), ["tetranucleotides.npy"]),
        (packed("tetranucleotides.npy", "not an array"), ["tetranucleotides.npy"]),
        (packed("tetranucleotides.npy", ""), ["tetranucleotides.npy"]),
        (replaced("coverage.tsv.gz", "A1~s1", "zz"), ["coverage.tsv.gz", "'A1~s1'"]),
        (replaced("coverage.tsv.gz", "\nA1~s1", "\nA1~s0\t1\t1\nA1~s1"), ["coverage.tsv.gz", "'A1~s0'"]),
        (replaced("coverage.tsv.gz", "A1~s0\t4.0", "A1~s0\tnan"), ["coverage.tsv.gz"]),
        (replaced("coverage.tsv.gz", "A1~s0\t4.0", "A1~s0\tinf"), ["coverage.tsv.gz"]),
        (replaced("coverage.tsv.gz", "A1~s0\t4.0", "A1~s0\t-4.0"), ["coverage.tsv.gz"]),
        (replaced("coverage.tsv.gz", "A1~s0\t4.0", "A1~s0\t"), ["coverage.tsv.gz"]),
        (packed("coverage.tsv.gz", "contig\n" + "\n".join(two_genomes().coverage)), ["coverage.tsv.gz", "no sample"]),
        (replaced("clusters.tsv", "A1~s1\t", "zz\t"), ["clusters.tsv", "'zz'"]),
        (replaced("clusters.tsv", "\tA1~s1\t", "\tA1~s0\t"), ["clusters.tsv", "'A1~s0'"]),
        (packed("clusters.tsv", "cluster\tcontig\n"), ["clusters.tsv", "no column assembly"]),
        (replaced("vertices.tsv.gz", "A1~s1", "A2~r0"), ["vertices.tsv.gz", "'A2~r0'"]),
        (replaced("vertices.tsv.gz", "A1~s1\n", ""), ["edges.tsv.gz", "'A1~s1'", "vertices.tsv.gz"]),
        (replaced("edges.tsv.gz", "A1~s1", "zz"), ["edges.tsv.gz", "'zz'"]),
        (packed("edges.tsv.gz", "contig_1\tcontig\n"), ["edges.tsv.gz", "no column contig_2"]),
        (packed("contigs.tsv", "contig\tassembly\tlength\n"), ["contigs.tsv", "no column name"]),
        (packed("contigs.tsv", "contig\tassembly\tname\tlength\n"), ["contigs.tsv"]),
        (packed("contigs.tsv", "contig\tassembly\tname\tlength\nA1~c\tA1\tc\t12.5\n"), ["contigs.tsv", "'A1~c'", "'12.5'"]),
    ],
)  # fmt: skip
def test_bad_input(tmp_path, run_refine, spoil, words):
    result = run_refine(tmp_path, two_genomes(), spoil=spoil)[0]
    assert result.exit_code == 1 and result.output.startswith("Error: ") and result.output.count("\n") == 1
    assert [word for word in words if word not in result.output] == []


@pytest.mark.parametrize("half", GRAPH)
def test_half_a_graph(tmp_path, run_refine, half):
    result = run_refine(tmp_path, two_genomes(), files=FILES | {half: GRAPH[half]})[0]
    assert result.exit_code == 2 and "--vertices and --edges, or neither" in result.output


def test_unknown_assembly(tmp_path, run_refine):
    result = run_refine(tmp_path, two_genomes(), "--assembly", "A3")[0]
    assert result.exit_code == 1 and "no contig of assembly 'A3'" in result.output
