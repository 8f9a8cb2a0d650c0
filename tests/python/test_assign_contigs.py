"""assign_contigs.py: contigs in doubt, closed bins, genomes without a bin."""

import numpy as np
import pytest

import assign_contigs
import refine
from bin_model import NO_BIN, Contigs
from planted_contigs import (
    KB,
    Community,
    chain,
    clustered,
    community,
    composition,
    plant_contigs,
    quality,
    refined_sets,
)

pytestmark = pytest.mark.filterwarnings("error")


def test_posterior_is_bayes_rule():
    """Two bins and none, by products of likelihoods and priors."""
    rng = np.random.default_rng(0)
    coverage, composition_fit, odds = rng.uniform(0.1, 1, (3, 4, 2))
    unknown, unknown_composition = rng.uniform(0.1, 1, (2, 4))
    support = rng.uniform(0, 0.4, (4, 2))
    support[0] = 0
    evidence = assign_contigs.ContigEvidence(
        np.tile([0, 1], (4, 1)),
        np.log(coverage * composition_fit),
        np.log(composition_fit),
    )
    none_evidence = assign_contigs.NoneEvidence(np.log(unknown), np.log(unknown_composition))
    found = assign_contigs.posterior(evidence, none_evidence, np.log(odds), support, 2)
    free = 1 - support.sum(axis=1)
    bins = odds * (free[:, None] * 0.7 / 2 + support) * coverage * composition_fit
    sibling = free * 0.7 * unknown_composition + (support * composition_fit).sum(axis=1)
    none = unknown * (free * 0.3 * unknown_composition + 0.1 * sibling)
    assert found == pytest.approx(bins / (bins.sum(axis=1) + none)[:, None])


@pytest.mark.parametrize(("samples", "needed"), [(1, [0.95, 0.95, 0.8]), (2, [0.8, 0.8, 0.8])])
def test_long_contigs_need_more_with_one_sample(samples, needed):
    length = np.array([9000, assign_contigs.SINGLE_SAMPLE_LENGTH, assign_contigs.SINGLE_SAMPLE_LENGTH - 1])
    contigs = Contigs(length, np.ones((3, samples)), np.ones((3, 136)), np.empty((2, 0), np.int64))
    assert assign_contigs.needed_posterior(contigs, 0.8) == pytest.approx(needed)


def test_two_kinds_of_links_support_by_dempsters_rule():
    """Three contigs; the first one has a neighbour in bin 0 by either kind, or one in bin 1 by the second."""

    def support(target: int, trust=(0.6, 0.5)):
        candidates = np.tile([0, 1], (3, 1))
        linked = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        kinds = [
            assign_contigs.neighbours(np.array([[0, other], [other, 0]]), 3, np.full(2, each))
            for other, each in zip((1, target), trust)
        ]
        told = assign_contigs.messages(linked, candidates)
        return assign_contigs.bin_support(slice(0, 3), candidates, kinds, told)[0]

    assert support(1) == pytest.approx([0.6 * 0.5 + 0.6 * 0.5 + 0.4 * 0.5, 0])
    # The kinds contradict each other: what both of them leave open is larger
    assert support(2) == pytest.approx([0.6 * 0.5 / 0.7, 0.4 * 0.5 / 0.7])
    assert (support(2, (0.6, 0)) == [0.6, 0]).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pairs_of_reads_bind_what_no_graph_shows(seed):
    """One sample: coverage and composition of short contigs say little, a graph is not there."""
    known = community(seed, 1)
    linked = known._replace(contigs=known.contigs._replace(pairs=known.contigs.links))
    bare, paired = (
        quality(one, refined_sets(one._replace(contigs=one.contigs._replace(links=np.empty((2, 0), np.int64))))[1])
        for one in (known, linked)
    )
    assert paired[0] > bare[0] - 0.002 and paired[1] > bare[1] + 0.005


def test_ambiguous_is_not_unlike():
    """Three bins of one coverage: a contig without a 4-mer fits all of them; labelled contigs keep their bins."""
    rng = np.random.default_rng(4)
    genomes = [(b,) for b in range(3) for _ in range(20)] + [(0,)]
    labels = np.array([*np.repeat([0, 1, 2], 20), NO_BIN])
    length = [9 * KB + i for i in range(60)] + [5 * KB]
    contigs, order = plant_contigs(
        rng, genomes, length, np.full((3, 3), [20.0, 50.0, 9.0]), [composition(rng) for _ in "123"], []
    )
    contigs.tetranucleotides[-1] = 0
    _, after, reasons = refined_sets(Community(contigs, labels[order], genomes))
    assert reasons.count("kept") >= 57 and set(reasons) <= {"kept", "removed,ambiguous", "left,ambiguous"}
    assert after[-1] == set() and reasons[-1] == "left,ambiguous"


def test_binless_genomes_among_many_samples():
    """Ten of thirty genomes have no bin; coverages vary from sample to sample by a factor of e, more or less."""
    rng = np.random.default_rng(2)
    coverage = np.exp(rng.normal(2.5, 1, (30, 1)) + rng.normal(0, 1, (30, 20)))
    genomes = [(g,) for g in range(30) for _ in range(40)]
    length = np.exp(rng.uniform(np.log(150), np.log(40000), len(genomes))).astype(int)
    pairs = [pair for g in range(30) for pair in chain(g * 40, g * 40 + 40)]
    known = clustered(rng, genomes, length, coverage, [composition(rng) for _ in range(30)], pairs, 20)
    assert quality(known, refined_sets(known)[1])[0] > 0.98


def test_a_closed_bin_gains_nothing():
    """Bins 0 and 1 are siblings, and all reads of 1 also cover 0, so that 0 is closed.

    A short contig with the coverage of 0 may belong to either. It goes to 0 if 1 is deeper in one sample, or if there
    are no links between them.
    """

    def gained(coverage, linked=True):
        rng = np.random.default_rng(5)
        near = composition(rng)
        genomes = [(b,) for b in range(3) for _ in range(12)] + [(0,)] * 6
        pairs = chain(0, 12) + chain(12, 24) + chain(24, 36) + [(i, 12 + i) for i in range(6) if linked]
        coverage = np.array([*coverage, [5, 60, 30]], float)
        length = [8 * KB] * 36 + [1900] * 6
        contigs, order = plant_contigs(rng, genomes, length, coverage, [near, near, composition(rng)], pairs)
        label = np.array([genomes[i][0] if i < 36 else NO_BIN for i in order])
        table, _ = refine.refine_labels(contigs, label, 0.9, 0)
        assert (table["final"][label != NO_BIN] == label[label != NO_BIN]).all()  # nothing is taken from it
        return set(table["final"][label == NO_BIN])

    assert gained([[40, 30, 50], [10, 20, 15]]) == {NO_BIN}
    assert gained([[40, 10, 50], [10, 40, 15]]) == {0}
    assert gained([[40, 30, 50], [10, 20, 15]], linked=False) == {0}


def test_clusters_that_are_no_bins_change_nothing():
    """Half of eight clusters are bins: contigs go where they go if the others have no profile."""
    known = community(3, 4, binned=8)
    contigs, label = known.contigs, known.label
    is_bin = np.arange(8) % 2 == 0
    found = []
    for profiled in (np.ones(8, dtype=bool), is_bin):
        clusters = assign_contigs.profile_clusters(contigs, label, profiled)
        found.append(assign_contigs.assign_to_bins(contigs, clusters, is_bin, np.full(len(label), 0.8)))
    (among_all, shared), (alone, shared_alone) = found
    assert set(among_all["final"]) == {NO_BIN, *np.flatnonzero(is_bin)}
    assert (among_all["final"] == alone["final"]).all() and shared == shared_alone
    # the mean composition is of other clusters, hence the allowance
    assert among_all["posterior"].to_numpy() == pytest.approx(alone["posterior"].to_numpy(), abs=0.01)
