"""contig_evidence.py: more bins than candidates."""

import numpy as np
import pytest

import contig_evidence
import refine
from planted_contigs import KB, community, composition, plant_contigs, quality, refined_sets

pytestmark = pytest.mark.filterwarnings("error")


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
