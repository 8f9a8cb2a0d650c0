"""split_by_coverage.py: two coverages in a cluster are found; a genome that varies stays whole."""

import numpy as np
import pytest

from bin_model import Contigs
from planted_contigs import KB, READ, composition
from split_by_coverage import cuts_the_graph, most_probable_sides, two_coverage_sides

pytestmark = pytest.mark.filterwarnings("error")
SAMPLES = 4
TYPICAL = np.array([[30, 2, 9, 4], [1, 20, 5, 5], [7, 7, 40, 1], [20, 3, 3, 30]]) / READ


def cluster(rng, coverage, kbp=10, links=()):
    """Return the contigs of a cluster with these expected coverages (n x s)."""
    length = np.full(len(coverage), int(kbp * KB))
    reads = rng.poisson(coverage * np.exp(rng.normal(0, 0.1, coverage.shape)) * length[:, None] / READ).astype(float)
    counts = rng.multinomial(int(kbp * KB), composition(rng), len(coverage)).astype(np.float32)
    pairs = np.array([*links, *((b, a) for a, b in links)], dtype=np.int64).reshape(-1, 2).T
    return Contigs(length, reads, counts, pairs)


def sides(contigs):
    """Return the sides of the cluster among four others."""
    return two_coverage_sides(contigs, TYPICAL, contigs.tetranucleotides.sum(axis=0, dtype=float))


def is_divided(side, genome):
    """Return whether the sides are the two genomes, but for one contig in fifty."""
    return side is not None and max((side == genome).mean(), (side != genome).mean()) >= 0.98


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("factor", [2.5, 8])
def test_coverages_that_differ_in_one_sample_are_told_apart(seed, factor):
    rng = np.random.default_rng(seed)
    genome = rng.permutation(np.repeat([0, 1], [30, 50]))
    other = np.where(np.arange(SAMPLES) == seed, 1 / factor, 1)
    coverage = np.where(genome[:, None] == 1, other, 1) * [20.0, 12, 30, 15]
    assert is_divided(sides(cluster(rng, coverage)), genome)
    # the sides must be large enough: here they have 90 and 150 kbp
    assert sides(cluster(rng, coverage, kbp=3)) is None


def test_short_contigs_follow_the_long_ones():
    """Two genomes, and about as many bases again in short contigs: whatever their coverage, the sides are the same."""
    rng = np.random.default_rng(1)
    genome = np.repeat([0, 1], 50)
    coverage = np.where(genome[:, None] == 1, [20, 2, 30, 15], [20, 12, 30, 15])
    long, short = cluster(rng, coverage), cluster(rng, np.repeat(coverage, 5, axis=0), kbp=0.9)
    strange = cluster(rng, np.repeat(coverage[:, [2, 3, 0, 1]], 5, axis=0), kbp=0.9)
    found = []
    for others in (short, strange):
        both = (np.concatenate(columns) for columns in zip(long[:3], others[:3]))
        found.append(most_probable_sides(Contigs(*both, long.links)))
    assert (found[0].density == found[1].density).all()
    both = Contigs(*(np.concatenate(columns) for columns in zip(long[:3], short[:3])), long.links)
    assert is_divided(sides(both), np.concatenate([genome, np.repeat(genome, 5)]))


@pytest.mark.parametrize("seed", range(4))
def test_a_genome_that_varies_is_one(seed):
    """Even coverage; a slope of twice from end to end; a tenth that is ten times as deep and too small; copy number."""
    rng = np.random.default_rng(seed)
    n = 80
    base = np.array([20.0, 12, 30, 15])
    even = np.tile(base, (n, 1))
    slope = even * 2 ** np.linspace(0, 1, n)[:, None] ** rng.random(SAMPLES)
    phage = np.where(np.arange(n)[:, None] < 8, even * [1, 1, 10, 1], even)
    deviating = even * np.exp(rng.normal(0, 0.3, (n, SAMPLES)))
    for coverage in (even, slope, phage, deviating):
        assert sides(cluster(rng, coverage)) is None


def test_the_graph_speaks_against_two_genomes():
    """Two genomes are a chain each. In one genome with two coverages, neighbours lie on either side."""
    rng = np.random.default_rng(1)
    genome = np.repeat([0, 1], 40)
    coverage = np.where(genome[:, None] == 1, [1.0, 0.2, 1, 1], 1) * [20.0, 12, 30, 15]
    chains = [(i, i + 1) for i in range(79) if i != 39]
    mixed = [(i, 79 - i) for i in range(40)]
    assert is_divided(sides(cluster(rng, coverage, links=chains)), genome)
    assert sides(cluster(rng, coverage, links=mixed)) is None
    # one link between the sides may be a repeat, whatever their number of links
    assert not cuts_the_graph(cluster(rng, coverage, links=[(0, 79)]), genome)
    assert cuts_the_graph(cluster(rng, coverage, links=[(0, 79), (1, 78)]), genome)


def test_clusters_without_contrast_stay_whole():
    """One contig, no reads, one sample that all contigs share alike."""
    rng = np.random.default_rng(2)
    for coverage in (np.full((1, 4), 9.0), np.zeros((20, 4)), np.full((30, 1), 12.0)):
        contigs = cluster(rng, coverage)
        counts = contigs.tetranucleotides.sum(axis=0, dtype=float)
        assert two_coverage_sides(contigs, TYPICAL[:, : coverage.shape[1]], counts) is None
