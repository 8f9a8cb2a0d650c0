"""cluster_sides.py: contigs settle on the side that fits them."""

import numpy as np

from bin_model import NO_BIN
from cluster_sides import settle_sides
from planted_contigs import KB, composition, plant_contigs


def planted(rng, coverage):
    """Return forty contigs of each of two genomes of the same composition, and the genome of each."""
    genomes = np.repeat([0, 1], 40)
    contigs, order = plant_contigs(
        rng, [(g,) for g in genomes], [8 * KB] * 80, np.array(coverage, float), [composition(rng)] * 2, []
    )
    return contigs, genomes[order]


def test_sides_settle_from_a_poor_start():
    """A start that is a third wrong, or that knows a few contigs only, ends at the two genomes."""
    rng = np.random.default_rng(3)
    contigs, genome = planted(rng, [[20, 30], [20, 9]])
    wrong = np.where(np.arange(80) % 3 == 0, 1 - genome, genome)
    few = np.where(np.arange(80) % 10 == 0, genome, NO_BIN)
    for start in (wrong, few):
        settled = settle_sides(contigs, start)
        assert (settled.side == genome).all()
        assert (settled.fit.argmax(axis=1) == settled.side).all()


def test_what_speaks_against_a_side_counts():
    """With a heavy enough penalty every contig goes to the other side; a side without contigs is no side."""
    rng = np.random.default_rng(4)
    contigs, genome = planted(rng, [[20, 30], [20, 9]])
    assert settle_sides(contigs, genome, lambda _: np.array([1e9, 0.0])) is None
    assert settle_sides(contigs, np.zeros(80, dtype=int)) is None
