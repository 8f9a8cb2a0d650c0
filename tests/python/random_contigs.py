"""Random sequences, and a plain count of their 4-mers to compare with."""

import random

COMPLEMENT = dict(zip("ACGT", "TGCA", strict=True))


def sequence(seed: int, length: int, letters: str = "ACGT") -> str:
    return "".join(random.Random(seed).choices(letters, k=length))


def plain_counts(text: str) -> dict[str, int]:
    """Count canonical 4-mers window by window."""
    counts: dict[str, int] = {}
    for start in range(len(text) - 3):
        kmer = text[start : start + 4].upper()
        if set(kmer) <= set("ACGT"):
            other = "".join(COMPLEMENT[base] for base in reversed(kmer))
            counts[min(kmer, other)] = counts.get(min(kmer, other), 0) + 1
    return counts
