"""contig_evidence.py: more bins than candidates; the compositions of genomes without a bin."""

import numpy as np
import pytest

import contig_evidence
import refine
from bin_model import NO_BIN
from planted_contigs import KB, community, composition, plant_contigs, quality, refined_sets
from tetranucleotides import PALINDROMES, TETRANUCLEOTIDES

pytestmark = pytest.mark.filterwarnings("error")


def composition_of_gc(gc: float) -> np.ndarray:
    """Return the frequencies of the 136 tetranucleotides in a random sequence with this GC content."""
    n_gc = np.array([kmer.count("G") + kmer.count("C") for kmer in TETRANUCLEOTIDES])
    frequency = (gc / 2) ** n_gc * ((1 - gc) / 2) ** (4 - n_gc) * np.where(PALINDROMES, 1, 2)
    return frequency / frequency.sum()


def test_more_bins_than_candidates(monkeypatch):
    known = community(5, 6, binned=40, each=24)
    few = refined_sets(known)
    assert contig_evidence.MAX_CANDIDATES < 40
    monkeypatch.setattr(contig_evidence, "MAX_CANDIDATES", 100)
    monkeypatch.setattr(contig_evidence, "MAX_TYPICAL_PROFILES", 100)
    assert refined_sets(known) == few
    assert quality(known, few[1])[0] > 0.99


@pytest.mark.parametrize("label_of_hub", [0, 20, 39])
def test_a_contig_next_to_more_bins_than_candidates_keeps_its_label(label_of_hub):
    rng = np.random.default_rng(0)
    genomes = [(b,) for b in range(40) for _ in range(3)] + [(label_of_hub,)]
    pairs = [(3 * b, 120) for b in range(40)]
    coverage, compositions = np.exp(rng.normal(2.5, 1, (40, 4))), [composition(rng) for _ in range(40)]
    contigs, order = plant_contigs(rng, genomes, [20 * KB] * 120 + [1900], coverage, compositions, pairs)
    label = np.array([genomes[i][0] for i in order])
    assert refine.refine_labels(contigs, label, 0.9, 0)[0]["final"].tolist() == label.tolist()


def test_typical_compositions_go_from_the_least_gc_content_to_the_greatest():
    low, high = TETRANUCLEOTIDES.index("AAAA"), TETRANUCLEOTIDES.index("CCCC")
    counts = np.zeros((64, 136), dtype=np.float32)
    counts[:, high] = np.random.default_rng(1).permutation(64) * 1000
    counts[:, low] = 64_000 - counts[:, high]
    found = np.exp(contig_evidence.typical_compositions(counts))
    assert found.shape == (16, 136) and found.sum(axis=1) == pytest.approx(np.ones(16))
    four_contigs = (np.arange(16) * 4 + 1.5) / 64
    assert found[:, high] == pytest.approx(four_contigs, abs=0.001)
    # The GC content of short contigs is chance, but where there are no others
    short = np.zeros((9, 136), dtype=np.float32)
    short[:, high] = contig_evidence.MIN_COMPOSITION_TETRANUCLEOTIDES - 1
    assert (np.exp(contig_evidence.typical_compositions(np.concatenate([short, counts]))) == found).all()
    assert np.exp(contig_evidence.typical_compositions(short))[0, high] == pytest.approx(1)
    # Neither many contigs nor one nor none with a 4-mer is an error
    assert np.isfinite(contig_evidence.typical_compositions(counts[:1])).all()
    assert np.isfinite(contig_evidence.typical_compositions(0 * counts)).all()


def test_a_genome_of_another_composition_without_a_bin_stays_out_of_bins(monkeypatch):
    """Its coverages are within a third of those of a bin, and its GC content is that of no bin."""
    rng = np.random.default_rng(3)
    coverage = np.array([[30, 12, 8, 4], [9, 4, 2.5, 11], [7, 3, 3, 15]])
    genomes = [(0,)] * 200 + [(1,)] * 200 + [(2,)] * 800
    length = [*rng.integers(3, 20, 400) * KB, *rng.integers(600, 2000, 800)]
    compositions = [composition_of_gc(gc) for gc in (0.5, 0.38, 0.28)]
    contigs, order = plant_contigs(rng, genomes, length, coverage, compositions, [], noise=0.3)
    of = np.array([genomes[i][0] for i in order])

    def share_in_bins() -> np.ndarray:
        """Return the share of the bases of each genome that is in its bin; of the last, in any."""
        final = refine.refine_labels(contigs, np.where(of < 2, of, NO_BIN), 0.8, 200 * KB)[0]["final"].to_numpy()
        inside = [(final == genome) if genome < 2 else (final != NO_BIN) for genome in range(3)]
        return np.array([contigs.length[(of == g) & inside[g]].sum() / contigs.length[of == g].sum() for g in range(3)])

    now = share_in_bins()
    assert now[:2].min() > 0.95 and now[2] < 0.2
    monkeypatch.setattr(contig_evidence, "TYPICAL_COMPOSITIONS", 1)
    assert share_in_bins()[2] > 0.7
