"""split_by_homologs.py: clusters of related genomes are divided, those of one genome are not."""

import numpy as np
import pytest

from bin_model import NO_BIN
from planted_contigs import relatives
from split_by_homologs import two_color_homologs, two_genome_sides

pytestmark = pytest.mark.filterwarnings("error")


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


def test_homologs_of_the_contig_with_most_are_two_colored():
    """The homologs are 0 - 1 - 2 - 3 and 4 - 5; contig 6 has none."""
    links = [(0, 1), (1, 2), (2, 3)], [(4, 5)]
    pairs = [(*pair, shared) for chained, shared in zip(links, (5, 2)) for a, b in chained for pair in ((a, b), (b, a))]
    side = two_color_homologs(np.array(pairs).T, 7)
    assert side[0] == side[2] != side[1] == side[3] and set(side[:4]) == {0, 1}
    assert side[4:].tolist() == [NO_BIN, NO_BIN, NO_BIN]
