"""kmer_samples.py: against k-mers of text; strands, unknown bases, and the share that a mutated copy keeps."""

import numpy as np
import pytest

from kmer_samples import K_LENGTH, SAMPLING, sample_contigs, sample_kmers, word_numbers

COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")


def random_sequence(rng: np.random.Generator, length: int) -> bytes:
    """Return a random sequence."""
    return np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, length)].tobytes()


def mutated(rng: np.random.Generator, sequence: bytes, rate: float) -> bytes:
    """Return a sequence with another base in a share of its places."""
    bases = np.frombuffer(sequence, np.uint8).copy()
    places = np.flatnonzero(rng.random(len(bases)) < rate)
    bases[places] = [rng.choice([base for base in b"ACGT" if base != old]) for old in bases[places]]
    return bases.tobytes()


@pytest.mark.parametrize("k", [1, 2, 3, 7, 8, 31, 32])
def test_numbers_of_words(k):
    digits = np.random.default_rng(k).integers(0, 4, 40).astype(np.uint8)
    naive = [int("".join(map(str, digits[i : i + k])), 4) for i in range(40 - k + 1)]
    assert word_numbers(digits, k).tolist() == naive


def test_sample_is_the_same_on_both_strands_and_in_any_case():
    sequence = random_sequence(np.random.default_rng(1), 20_000)
    sample = sample_kmers(sequence)
    assert sample.tolist() == sample_kmers(sequence.translate(COMPLEMENT)[::-1]).tolist()
    assert sample.tolist() == sample_kmers(sequence.lower()).tolist()
    assert 0.9 < len(sample) * SAMPLING / (len(sequence) - K_LENGTH + 1) < 1.1


def test_a_part_of_a_sequence_has_a_part_of_its_sample():
    sequence = random_sequence(np.random.default_rng(2), 9000)
    whole, left, right = (set(sample_kmers(part).tolist()) for part in (sequence, sequence[:5000], sequence[4970:]))
    assert left | right == whole and not left & right  # each k-mer of the sequence lies within one of the parts


def test_kmers_with_an_unknown_base_are_left_out():
    rng = np.random.default_rng(3)
    one, other = random_sequence(rng, 3000), random_sequence(rng, 3000)
    apart = set(sample_kmers(one).tolist()) | set(sample_kmers(other).tolist())
    assert set(sample_kmers(one + b"N" + other).tolist()) == apart
    assert len(sample_kmers(b"ACGT" * 7)) == len(sample_kmers(b"")) == len(sample_kmers(b"N" * 99)) == 0


@pytest.mark.parametrize("identity", [0.999, 0.99, 0.95])
def test_share_that_a_relative_has(identity):
    rng = np.random.default_rng(4)
    sequence = random_sequence(rng, 400_000)
    sample, other = (set(sample_kmers(s).tolist()) for s in (sequence, mutated(rng, sequence, 1 - identity)))
    assert abs(len(sample & other) / len(sample) - identity**K_LENGTH) < 0.02


def test_samples_of_contigs_keep_what_several_hold():
    rng = np.random.default_rng(5)
    one, other = random_sequence(rng, 4000), random_sequence(rng, 4000)
    samples = sample_contigs([one, other, b"ACGT", one[:2000]])
    held = {}
    for kmer, contig in zip(samples.kmer.tolist(), samples.contig.tolist()):
        held.setdefault(kmer, []).append(contig)
    assert samples.n_kmers.tolist() == [len(sample_kmers(s)) for s in (one, other, b"", one[:2000])]
    assert list(held) == list(range(samples.n_kmers[3]))
    assert all(contigs == [0, 3] for contigs in held.values())
    assert len(sample_contigs([]).n_kmers) == len(sample_contigs([one]).kmer) == 0
