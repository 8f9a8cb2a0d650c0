"""split_clusters.py: clusters of related genomes are split, those of one genome are not."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bin_model import NO_BIN, Contigs
from planted_contigs import KB, composition, plant_contigs
from split_clusters import split_related_genomes, two_color_homologs, two_genome_sides

pytestmark = pytest.mark.filterwarnings("error")


def relatives(rng, coverage, homology, each=40, kbp=10):
    """Return contigs of genomes with the same composition (`each` of every genome), and their genomes.

    Contig i of a genome shares seeds with contig i of another, or with a neighbour in the same genome; homology is the
    number of these seeds (genomes x genomes).
    """
    n = len(coverage)
    genomes = np.repeat(np.arange(n), each)
    contigs, order = plant_contigs(
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
def test_a_cluster_of_relatives_is_split(seed):
    """The relatives have the same composition, and not quite the same coverage in the only sample."""
    contigs, genome = relatives(np.random.default_rng(seed), [[30], [55]], [[0, 20], [20, 0]])
    side = two_genome_sides(contigs)
    assert (side == genome).mean() > 0.95 or (side != genome).mean() > 0.95
    # with the same coverage, only the genes in common tell them apart: each side would have contigs of both
    contigs, genome = relatives(np.random.default_rng(seed), [[30], [30]], [[0, 20], [20, 0]])
    assert two_genome_sides(contigs) is None
    # one genome with a repeat in many contigs, or with few copies of genes, is not split
    for inner, outer in ((20, 0), (0, 1)):
        contigs, genome = relatives(np.random.default_rng(seed), [[30], [55]], [[inner, outer], [outer, inner]])
        assert two_genome_sides(contigs) is None


def test_parts_are_split_again():
    coverage, homology = [[20, 20], [50, 20], [20, 60]], [[0, 20, 20], [20, 0, 20], [20, 20, 0]]
    contigs, genome = relatives(np.random.default_rng(0), coverage, homology)
    label = np.full_like(genome, 4)
    found = split_related_genomes(contigs, label, 7, 100 * KB)
    assert set(found) == {4, 7, 8}
    assert pd.crosstab(found, genome).max().sum() >= 0.95 * len(genome)
    # each part must be large enough for a piece
    assert set(split_related_genomes(contigs, label, 7, 1000 * KB)) == {4}
    # contigs without a cluster, and other clusters, keep their labels
    label = np.where(genome == 2, NO_BIN, np.where(genome == 1, 0, 6))
    assert split_related_genomes(contigs, label, 7, 100 * KB).tolist() == label.tolist()
    assert split_related_genomes(contigs, np.full_like(label, NO_BIN), 0, 0).tolist() == [NO_BIN] * len(label)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(0, 3))
def test_splitting_keeps_clusters_apart(seed, n, samples):
    """For any contigs and homologs, a part comes from one cluster, and is large enough or the whole cluster."""
    rng = np.random.default_rng(seed)
    length = np.sort(rng.choice([1, 100, 5_000, 50_000], n))[::-1]
    reads, counts = rng.choice([0, 0.5, 30, 900], (n, samples)), rng.choice([0, 3, 40], (n, 136)).astype(np.float32)
    pairs = np.argwhere(np.triu(rng.random((n, n)) < rng.choice([0.1, 0.9]), 1)).T
    shared = rng.integers(1, 500, pairs.shape[1])
    homologs = np.concatenate([np.vstack([pairs, shared]), np.vstack([pairs[::-1], shared])], axis=1)
    label = rng.integers(NO_BIN, 3, n)
    contigs = Contigs(length, reads, counts, np.zeros((2, 0), np.int64), homologs.astype(np.int64))
    part = split_related_genomes(contigs, label, 3, 200)
    whole = {int(p): set(label[part == p]) for p in set(part)}
    assert all(len(labels) == 1 for labels in whole.values())
    assert all(labels == {p} for p, labels in whole.items() if p < 3)
    size = np.bincount(part + 1, length)
    split = set().union(*(labels for p, labels in whole.items() if p >= 3))
    assert all(size[p + 1] >= 200 for p, labels in whole.items() if labels <= split)


def test_homologs_of_the_contig_with_most_are_two_colored():
    """The homologs are 0 - 1 - 2 - 3 and 4 - 5; contig 6 has none."""
    links = [(0, 1), (1, 2), (2, 3)], [(4, 5)]
    pairs = [(*pair, shared) for chained, shared in zip(links, (5, 2)) for a, b in chained for pair in ((a, b), (b, a))]
    side = two_color_homologs(np.array(pairs).T, 7)
    assert side[0] == side[2] != side[1] == side[3] and set(side[:4]) == {0, 1}
    assert side[4:].tolist() == [NO_BIN, NO_BIN, NO_BIN]
