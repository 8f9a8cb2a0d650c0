"""pieces.py: whether two pieces are of one genome."""

import numpy as np

from pieces import describe_piece, one_genome_evidence, own_composition_evidence, unknown_genome_evidence
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
