"""Contigs with genes of single-copy families: the consensus of a model, written in codons, in random sequence."""

import re
from functools import cache
from pathlib import Path

import numpy as np
from pyhmmer.plan7 import HMM, HMMFile

import marker_families

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
CODONS = re.findall("...", "GCGTGCGATGAATTTGGCCATATTAAACTGATGAACCCGCAGCGTAGCACCGTGTGGTAT")
CODON_OF = dict(zip(AMINO_ACIDS, CODONS, strict=True))
OTHER_STRAND = str.maketrans("ACGT", "TGCA")
UPSTREAM = "AGGAGGTAACAT"  # where a ribosome binds
FOLDER = marker_families.installed(*marker_families.UNIVERSAL)


@cache
def model(family: str) -> HMM:
    with HMMFile(FOLDER / f"{family}.hmm") as models:
        return models.read()


def gene(family: str) -> str:
    """DNA of a gene of this family, with what lies before and behind it."""
    protein = "M" + model(family).consensus.upper().replace("X", "A")
    return UPSTREAM + "".join(CODON_OF[letter] for letter in protein) + "TAA"


def background(seed: int, length: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def contig(seed: int, *families: str, flank: int = 600) -> str:
    """Genes with random sequence before, between and behind them."""
    parts = [background(seed, flank)]
    for number, family in enumerate(families):
        parts += [gene(family), background(seed + 100 * (number + 1), flank)]
    return "".join(parts)


def reverse_complement(sequence: str) -> str:
    return sequence.translate(OTHER_STRAND)[::-1]


def write_models(path: Path, *families: str, cutoff: float | None = 50.0, names: tuple[str, ...] = ()) -> None:
    """A file of models with a trusted cutoff, or with none."""
    with open(path, "wb") as file:
        for family, name in zip(families, names or families, strict=True):
            hmm = model(family).copy()
            hmm.name = name
            hmm.cutoffs.trusted = None if cutoff is None else (cutoff, cutoff)
            hmm.write(file)
