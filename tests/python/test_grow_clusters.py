"""grow_clusters.py: small clusters become bins, unless they are a piece of one or lie between several."""

import numpy as np
import pytest

import refine
from bin_model import NO_BIN, Contigs
from grow_clusters import grown_clusters
from planted_contigs import KB, chain, composition, plant_contigs

pytestmark = pytest.mark.filterwarnings("error")


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
    """Genomes 0 and 1 have bins of 320 kbp, if they are there at all; genome 2 is mostly in short contigs."""
    rng = np.random.default_rng(8)
    genomes = [(g,) for g, many in ((0, 40), (1, 40), (2, long), (2, short)) for _ in range(many)]
    length = np.repeat([8 * KB, 9 * KB, 1200], [80, long, short])
    coverage = np.array([[40, 10, 80, 20], [8, 60, 15, 30], [25, 30, 9, 70]], float)
    contigs, order = plant_contigs(rng, genomes, length, coverage, [composition(rng) for _ in "012"], [])
    owner = np.array([genomes[i][0] for i in order])
    label = np.where((contigs.length > 2 * KB) & (others | (owner == 2)), owner, NO_BIN)
    table, shared = refine.refine_labels(contigs, label, 0.8, 200 * KB)
    assert not shared
    for genome, has_bin in ((0, others), (1, others), (2, is_bin)):
        found = table["final"][owner == genome]
        assert (found == (genome if has_bin else NO_BIN)).mean() > 0.95
        assert set(found) <= {genome, NO_BIN} if has_bin else set(found) == {NO_BIN}
    assert (table["merged"] == 2).sum() == (long if is_bin else 0)


@pytest.mark.parametrize(
    ("elsewhere", "links", "expected"),
    [
        ({}, {}, True),
        ({0: 99}, {}, True),
        ({0: 70, 1: 70}, {}, True),  # most of it would go to other bins, but less than half to each
        ({0: 100}, {}, False),  # a piece of bin 0
        ({}, {0: 100, 1: 10, 2: 4}, True),  # a sibling of bin 0
        ({}, {0: 100, 1: 11, 2: 4}, False),  # between bins 0 and 1: more than twice (its inner links and one)
        ({}, {0: 100, 1: 11, 2: 5}, True),
    ],
)
def test_a_piece_or_what_bins_share_does_not_grow(elsewhere, links, expected):
    """Bins 0 and 1 have 200 bp, clusters 2 and 3 have 50 bp.

    Cluster 2 gets 150 contigs of one base. Some would go to bin 0 or 1 if 2 were none (elsewhere), and some have links
    to 0, to 1 or to each other (links). Cluster 3 gets no contig.
    """
    length = np.array([200, 200, 50, 50] + [1] * 150)
    size = np.array([200.0, 200, 50, 50])
    bins_with = np.array([0, 1, 2, NO_BIN] + [2] * 150)
    bins_without = np.array([0, 1, NO_BIN, NO_BIN] + [NO_BIN] * 150)
    others = [b for b, many in elsewhere.items() for _ in range(many)]
    bins_without[4 : 4 + len(others)] = others
    ends = [(b, 4 + i) for b, many in links.items() for i in range(many)]
    ends = np.array(ends + [(y, x) for x, y in ends], dtype=np.int64).reshape(-1, 2).T
    contigs = Contigs(length, None, None, ends)
    assert grown_clusters(contigs, size, bins_without, bins_with, 200).tolist() == [False, False, expected, False]
    assert not grown_clusters(contigs, size, bins_without, bins_with, 201).any()  # 200 bp are too few


@pytest.mark.parametrize(("coverage", "is_bin"), [([48, 70, 95, 50], False), ([48, 70, 95, 20], True)])
def test_what_two_bins_share_does_not_grow(coverage, is_bin):
    """Cluster 2 has links to bins 0 and 1, and the composition of 0; in the first case, the sum of their coverages."""
    rng = np.random.default_rng(8)
    genomes = [(g,) for g, many in ((0, 40), (1, 40), (2, 313)) for _ in range(many)]
    length = np.repeat([8 * KB, 9 * KB, 1200], [80, 13, 300])
    near, other = composition(rng), composition(rng)
    pairs = chain(0, 40) + chain(40, 80) + chain(80, 393) + [(b, 200 + b) for b in range(80)]
    coverages = np.array([[40, 10, 80, 20], [8, 60, 15, 30], coverage], float)
    contigs, order = plant_contigs(rng, genomes, length, coverages, [near, other, near], pairs)
    owner = np.array([genomes[i][0] for i in order])
    label = np.where(contigs.length > 2 * KB, owner, NO_BIN)
    table, _ = refine.refine_labels(contigs, label, 0.8, 200 * KB)
    for genome, has_bin in ((0, True), (1, True), (2, is_bin)):
        assert ((table["final"] == genome) & (owner == genome)).sum() == (owner == genome).sum() * has_bin
