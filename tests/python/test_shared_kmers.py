"""shared_kmers.py: against counts by hand of random samples."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shared_kmers
from kmer_samples import Samples
from shared_kmers import Members, compare_bins, kmers_in_genomes


def plant(seed: int, n_contigs=12, n_bins=6, n_kmers=30):
    """Return samples, members, the genome of each bin, and the assembly of each contig."""
    rng = np.random.default_rng(seed)
    assembly = rng.integers(0, 3, n_contigs)
    bin_assembly = np.arange(n_bins) % 3
    held = [np.unique(rng.integers(0, n_kmers, rng.integers(0, 12))) for _ in range(n_contigs)]
    members = [
        (c, b) for c in range(n_contigs) for b in range(n_bins) if bin_assembly[b] == assembly[c] and rng.random() < 0.5
    ]
    members = np.array(members, dtype=np.int64).reshape(-1, 2)
    kmer, contig = np.concatenate(held), np.repeat(np.arange(n_contigs), list(map(len, held)))
    order = np.lexsort((contig, kmer))
    samples = Samples(kmer[order], contig[order].astype(np.int32), np.array(list(map(len, held))))
    return samples, Members(members[:, 0], members[:, 1], bin_assembly), np.arange(n_bins) // 3, assembly


def bins_by_kmer(samples: Samples, members: Members) -> dict[int, set[int]]:
    """Return the bins that hold each k-mer."""
    bins = defaultdict(set)
    for kmer, contig in zip(samples.kmer.tolist(), samples.contig.tolist()):
        bins[kmer] |= set(members.bin[members.contig == contig].tolist())
    return bins


@pytest.mark.parametrize("block", [1, 7, 1 << 22])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_kmers_in_genomes_of_other_assemblies(block, seed):
    samples, members, genome, assembly = plant(seed)
    expected = defaultdict(int)
    bins = bins_by_kmer(samples, members)
    for kmer, contig in zip(samples.kmer.tolist(), samples.contig.tolist()):
        for g in {int(genome[b]) for b in bins[kmer] if members.assembly[b] != assembly[contig]}:
            expected[contig, g] += 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_kmers, "BLOCK_SIZE", block)
        rows = list(zip(*(column.tolist() for column in kmers_in_genomes(samples, members, genome, assembly))))
    assert [row[:2] for row in rows] == sorted(expected)
    assert {(contig, g): shared for contig, g, shared in rows} == expected


def test_kmers_of_many_genomes_are_left_out(monkeypatch):
    samples, members, genome, assembly = plant(3)
    monkeypatch.setattr(shared_kmers, "MAX_GENOMES_PER_KMER", 0)
    assert len(kmers_in_genomes(samples, members, genome, assembly)[0]) == 0


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_bins_with_kmers_in_common(seed):
    samples, members, _, _ = plant(seed)
    held = bins_by_kmer(samples, members).values()
    size = np.bincount(members.bin, samples.n_kmers[members.contig], len(members.assembly))
    expected = {}
    for one in range(len(members.assembly)):
        for other in range(one):
            shared = sum({one, other} <= bins for bins in held)
            if shared and members.assembly[one] != members.assembly[other]:
                expected[one, other] = min(shared / max(min(size[one], size[other]), 1), 1)
    pairs, shared = compare_bins(samples, members)
    assert list(map(tuple, pairs.T.tolist())) == sorted(expected)
    assert dict(zip(map(tuple, pairs.T.tolist()), shared.tolist())) == pytest.approx(expected)


def test_a_part_of_many_kmers_is_compared(monkeypatch):
    """The shares are estimates then, that do not depend on how many k-mers are left out."""
    n = 20_000
    kmer, contig = np.repeat(np.arange(n), 2), np.tile([0, 1], n).astype(np.int32)
    members = Members(np.array([0, 1]), np.array([0, 1]), np.array([0, 1]))
    samples = Samples(kmer, contig, np.array([n, 2 * n]))
    monkeypatch.setattr(shared_kmers, "MAX_COMPARED_PAIRS", 1000)
    pairs, shared = compare_bins(samples, members)
    assert pairs.tolist() == [[1], [0]] and shared.tolist() == pytest.approx([1.0])


def test_no_bin():
    samples, _, _, assembly = plant(1)
    none = Members(*(np.empty(0, np.int64) for _ in range(3)))
    assert compare_bins(samples, none)[0].shape == (2, 0)
    assert all(len(column) == 0 for column in kmers_in_genomes(samples, none, none.bin, assembly))
