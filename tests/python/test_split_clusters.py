"""split_clusters.py: clusters of two genomes are split, those of one genome are not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bin_model import NO_BIN, Contigs
from planted_contigs import KB, composition, plant_contigs, relatives
from split_clusters import split_related_genomes, take_contigs

pytestmark = pytest.mark.filterwarnings("error")


def two_genomes(rng, coverage, each=60, kbp=10):
    """Return contigs of two genomes of the same composition, a third of another one, and the genome of each."""
    genomes = np.repeat([0, 1, 2], each)
    compositions = [composition(rng)] * 2 + [composition(rng)]
    contigs, order = plant_contigs(
        rng, [(g,) for g in genomes], [kbp * KB] * 3 * each, np.array(coverage, float), compositions, []
    )
    return contigs, genomes[order]


@pytest.mark.parametrize("seed", range(5))
def test_a_cluster_of_two_coverages_is_split(seed):
    """The coverages differ twofold in one sample of three. The third genome is a cluster of its own."""
    rng = np.random.default_rng(seed)
    contigs, genome = two_genomes(rng, [[20, 30, 8], [20, 15, 8], [5, 40, 40]])
    label = np.where(genome == 2, 1, 0)
    found = split_related_genomes(contigs, label, 2, 20 * KB)
    assert len(set(found)) == 3
    assert pd.crosstab(found, genome).max().sum() >= 0.98 * len(genome)
    # a part must be large enough for a piece
    assert set(split_related_genomes(contigs, label, 2, 700 * KB)) == {0, 1}


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


@settings(max_examples=60)
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
    markers = np.stack([rng.integers(0, n, 20), rng.integers(0, 9, 20)])
    contigs = Contigs(length, reads, counts, np.zeros((2, 0), np.int64), homologs.astype(np.int64), markers)
    part = split_related_genomes(contigs, label, 3, 200)
    whole = {int(p): set(label[part == p]) for p in set(part)}
    assert all(len(labels) == 1 for labels in whole.values())
    assert all(labels == {p} for p, labels in whole.items() if p < 3)
    size = np.bincount(part + 1, length)
    split = set().union(*(labels for p, labels in whole.items() if p >= 3))
    assert all(size[p + 1] >= 200 for p, labels in whole.items() if labels <= split)


def test_the_contigs_of_a_cluster_keep_their_markers():
    rows = np.array([1, 3])
    markers = np.array([[0, 1, 3, 3], [5, 6, 6, 8]])
    empty = np.zeros((2, 0), np.int64)
    contigs = Contigs(np.ones(4), np.ones((4, 1)), np.ones((4, 136)), empty, np.zeros((3, 0), np.int64), markers)
    taken = take_contigs(contigs, rows, empty, np.zeros((3, 0), np.int64))
    assert taken.markers.tolist() == [[0, 1, 1], [6, 6, 8]]
