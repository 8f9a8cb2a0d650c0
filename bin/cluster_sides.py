#!/usr/bin/env python3
"""Divide the contigs of a cluster between two sides that may be two genomes.

Each contig goes to the side that fits it better, and the sides are described anew. Binloom's own method:
docs/method.md, section 6.1, equation (18). The refine stage uses this module.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bin_model import NO_BIN, Bins, Contigs, composition_evidence, describe_bins
from coverage_evidence import coverage_evidence, first_own_reads

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# At most so many times, the sides are described and the contigs divided among them anew.
MAX_SPLIT_ROUNDS = 5


class Sides(NamedTuple):
    """The sides of the n contigs of a cluster, and how well each contig fits them."""

    side: np.ndarray  # n, 0 or 1
    fit: np.ndarray  # n x 2, log likelihoods of coverage and composition under the two sides before the last round
    bins: Bins  # the profiles of these two sides


def no_penalty(_: np.ndarray) -> float:
    """Return 0: coverage and composition alone decide."""
    return 0.0


def side_evidence(contigs: Contigs, sides: Bins) -> np.ndarray:
    """Return the log likelihoods (n x 2) of coverage and composition of contigs under the profiles of two sides."""
    expected = sides.density[None] * contigs.length[:, None, None]
    fit = coverage_evidence(contigs.reads, contigs.length, expected, sides.scatter[None], contigs.excess)
    return fit + composition_evidence(contigs.tetranucleotides.astype(np.float64, copy=False), sides.log_composition)


def settle_sides(
    contigs: Contigs, side: np.ndarray, penalty: Callable[[np.ndarray], np.ndarray | float] = no_penalty
) -> Sides | None:
    """Return the sides in which the contigs settle that start with these (n; 0, 1, or NO_BIN for neither yet).

    penalty: given the sides, what speaks against each side for each contig (n x 2). Return None if a side is empty.
    """
    # Profiles are made many times, and quickly: of the reads that are left if all relatives are equally far away
    own = contigs._replace(reads=first_own_reads(contigs.reads, contigs.excess), excess=None)
    contigs = contigs._replace(tetranucleotides=contigs.tetranucleotides.astype(np.float64))
    for _ in range(MAX_SPLIT_ROUNDS):
        if min(np.bincount(side[side != NO_BIN], minlength=2)) == 0:
            return None
        bins = describe_bins(own, side, 2)
        fit = side_evidence(contigs, bins)
        before, side = side, (fit - penalty(side)).argmax(axis=1)
        if (side == before).all():
            break
    return Sides(side, fit, bins)
