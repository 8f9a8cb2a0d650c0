"""collapsed_contigs.py: what an assembler has collapsed belongs to all strains whose coverages add up to its own."""

from typing import NamedTuple

import numpy as np
import pytest

import collapsed_contigs
import refine
from bin_model import NO_BIN, Contigs
from planted_contigs import KB, check_posteriors_of_several, composition, plant_contigs

pytestmark = pytest.mark.filterwarnings("error")

STRAINS = np.array([[20, 4, 9, 30, 2, 12], [3, 16, 25, 6, 11, 5]], float)
ALONE = np.array([[6, 30, 2, 14, 40, 3], [25, 9, 40, 3, 7, 60]], float)
SEEDS = 40  # of 156 that a contig of 10 kbp has


class Strains(NamedTuple):
    """Contigs of 10 kbp of strains 0 and 1, of what these have in common, and of the unrelated genomes 2 and 3."""

    contigs: Contigs
    genomes: list[tuple[int, ...]]
    label: np.ndarray  # a cluster for each strain, for what is collapsed, and for each other genome


def strains(seed: int, samples=6, own=30, common=40, seeds=SEEDS, third=None) -> Strains:
    """Return two strains with so many contigs of their own, which are homologous, and so many in common.

    The cluster of what they have in common has its own coverage instead of their sum with `third` (times each sample).
    """
    rng = np.random.default_rng(seed)
    genomes = [(0,)] * own + [(1,)] * own + [(0, 1) if third is None else (4,)] * common + [(2,)] * 40 + [(3,)] * 40
    coverage = np.concatenate([STRAINS, ALONE, [STRAINS.sum(axis=0) * (1 if third is None else third)]])[:, :samples]
    alike = composition(rng)
    compositions = [alike, alike, composition(rng), composition(rng), alike]
    contigs, order = plant_contigs(rng, genomes, [10 * KB] * len(genomes), coverage, compositions, [])
    place = np.argsort(order)
    pairs = [(place[i], place[own + i], seeds) for i in range(own) if seeds]
    pairs += [(b, a, shared) for a, b, shared in pairs]
    homologs = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
    cluster = np.repeat([0, 1, 2, 3, 4], [own, own, common, 40, 40])[order]
    return Strains(contigs._replace(homologs=homologs), [genomes[row] for row in order], cluster)


def bins_of(known: Strains) -> list[set[int]]:
    """Return the bins of each contig after refinement, by the numbers of the clusters."""
    table, shared = refine.refine_labels(known.contigs, known.label, 0.8, 200 * KB)
    return [set(shared.get(i, [b])) - {NO_BIN} for i, b in enumerate(table["final"])]


def share_right(known: Strains, found: list[set[int]]) -> float:
    """Return the share of contigs with the bins of all their genomes; clusters 3 and 4 are of genomes 2 and 3."""
    right = [{b + (b > 1) for b in group} == bins for group, bins in zip(known.genomes, found)]
    return sum(right) / len(right)


@pytest.mark.parametrize("seed", range(4))
def test_a_collapsed_cluster_belongs_to_both_strains(seed):
    known = strains(seed)
    assert share_right(known, bins_of(known)) > 0.97


@pytest.mark.parametrize("seed", range(4))
def test_contigs_without_a_cluster_belong_to_both_strains(seed):
    known = strains(seed)
    known.label[known.label == 2] = NO_BIN
    known = known._replace(label=np.where(known.label > 1, known.label - 1, known.label))
    found = [{b + (b > 1) for b in bins} for bins in bins_of(known)]
    assert share_right(known, found) > 0.97


def test_the_posterior_of_a_collapsed_contig_is_that_of_both_strains():
    known = strains(0)
    table, shared = refine.refine_labels(known.contigs, known.label, 0.8, 200 * KB)
    assert len(shared) >= 35
    check_posteriors_of_several(table, shared, 0.8)


def test_a_strain_with_little_of_its_own_is_a_bin_with_what_it_has_in_common():
    """Each strain has 100 kbp of its own, and a bin at least 200 kbp."""
    known = strains(0, own=10)
    assert share_right(known, bins_of(known)) > 0.97
    # without a collapsed cluster, that is too little
    alone = strains(0, own=10, third=0.3)
    assert not any(bins & {0, 1} for bins in bins_of(alone))


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_a_genome_with_another_coverage_than_the_sum_stays_a_bin(factor):
    known = strains(1, third=factor)
    kept = [bins == {2} for bins, group in zip(bins_of(known), known.genomes) if group == (4,)]
    assert sum(kept) / len(kept) > 0.95


def test_unrelated_bins_have_nothing_in_common():
    """Without homologs the two are no strains, and the cluster of the sum stays a bin."""
    known = strains(2, seeds=0)
    kept = [bins == {2} for bins, group in zip(bins_of(known), known.genomes) if group == (0, 1)]
    assert sum(kept) / len(kept) > 0.95


def test_little_in_common_is_of_a_related_species():
    """50 kbp of 600: reads of two species lie on contigs of which the alleles of one were not assembled."""
    known = strains(3, common=5)
    known = known._replace(label=np.where(known.label == 2, NO_BIN, known.label - (known.label > 2)))
    found = [bins for bins, group in zip(bins_of(known), known.genomes) if group == (0, 1)]
    assert all(len(bins) < 2 for bins in found)


def without_homologs(known: Strains) -> Strains:
    return known._replace(contigs=known.contigs._replace(homologs=np.empty((3, 0), dtype=np.int64)))


@pytest.mark.parametrize("seed", range(4))
def test_one_sample_does_not_show_a_sum(seed):
    """Of one number, some sum fits by chance."""
    known = strains(seed, samples=1)
    assert bins_of(known) == bins_of(without_homologs(known))


@pytest.mark.parametrize("seed", range(4))
def test_two_samples_never_put_a_contig_into_fewer_right_bins(seed):
    known = strains(seed, samples=2)
    assert share_right(known, bins_of(known)) >= share_right(known, bins_of(without_homologs(known)))


def test_a_bin_whose_contigs_do_not_go_to_several_stays(monkeypatch):
    known = strains(0)
    monkeypatch.setattr(collapsed_contigs, "MIN_COLLAPSED_FRACTION", 1.1)  # no contig goes to several
    assert bins_of(known) == bins_of(without_homologs(known))
