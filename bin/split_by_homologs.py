#!/usr/bin/env python3
"""Divide a cluster that holds two related genomes by the homologous contigs within it.

Two related genomes of like coverage share a cluster. But a genome has most genes once, so that few of its contigs are
homologous to each other, and relatives have most genes in common. Binloom's own method: docs/method.md, section 6.1,
equations (17) to (19). The refine stage uses this module.
"""

from math import log

import numpy as np

from bin_model import NO_BIN, Contigs
from cluster_sides import settle_sides

# The mean distance (bp) between the seeds of a contig. The homologs stage fixes it.
MEAN_SEED_DISTANCE = 64

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# A cluster may hold two genomes only if more than this fraction of its seeds are shared between its contigs.
MIN_SHARED_SEED_FRACTION = 0.02
# The odds that two homologous contigs belong to two genomes.
HOMOLOG_ODDS = 20
# At least this fraction of the shared seeds between the two sides must be between contigs whose coverage and
# composition alone put them on these sides.
MIN_CONFIRMED_SEED_FRACTION = 0.8
# At least so many pairs of homologous contigs must be separated.
MIN_HOMOLOG_PAIRS = 5
# The seeds shared within the sides may be at most this fraction of those shared between them.
MAX_SAME_SIDE_RATIO = 0.5
# The number of steps in which two_color_homologs approaches its eigenvector.
TWO_COLOR_ITERATIONS = 200
# Contigs whose component of the eigenvector is smaller than this have no side: no path of homologs reaches them.
MIN_TWO_COLOR_VALUE = 1e-9


def shared_seeds_by_side(homologs: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Return the number of seeds that each contig shares with the contigs of either side (n x 2).

    side (n) is 0, 1 or NO_BIN.
    """
    source, target, shared = homologs
    known = side[target] != NO_BIN
    return np.bincount(source[known] * 2 + side[target[known]], shared[known], 2 * len(side)).reshape(-1, 2)


def two_color_homologs(homologs: np.ndarray, n: int) -> np.ndarray:
    """Divide homologous contigs between two sides (n; 0, 1 or NO_BIN), so that homologs mostly lie on opposite sides.

    The sides are the signs of the eigenvector of the random walk on homologs that changes its sign most often (equation
    17). Only the contigs that homologs connect to the contig with the most shared seeds get a side.
    """
    source, target, shared = homologs
    total = np.bincount(source, shared, n)
    value = np.zeros(n)
    value[total.argmax()] = 1
    for _ in range(TWO_COLOR_ITERATIONS):
        value = value - np.bincount(source, shared * value[target], n) / np.maximum(total, 1)
        value /= np.abs(value).max()
    return np.where(np.abs(value) < MIN_TWO_COLOR_VALUE, NO_BIN, value < 0)


def are_two_genomes(homologs: np.ndarray, side: np.ndarray, fitting_side: np.ndarray) -> bool:
    """Return whether two sides (n) of a cluster are two genomes (equation 19).

    Hardly any homologs may be left within a side, and coverage and composition alone (fitting_side, n) must separate
    most homologs, too. Repeats and the variants of one strain do not pass.
    """
    source, target, shared = homologs
    between = side[source] != side[target]
    fits = fitting_side == side
    confirmed = between & fits[source] & fits[target]
    return (
        between.sum() >= 2 * MIN_HOMOLOG_PAIRS  # each pair is there twice
        and shared[confirmed].sum() >= MIN_CONFIRMED_SEED_FRACTION * shared[between].sum()
        and shared[~between].sum() <= MAX_SAME_SIDE_RATIO * shared[between].sum()
    )


def two_genome_sides(contigs: Contigs) -> np.ndarray | None:
    """Return the sides (n, 0 or 1) of the contigs of a cluster that holds two related genomes, or None if it does not.

    Each contig goes to the side that fits its coverage and composition better and that holds fewer of its homologs
    (equation 18). The sides are then described anew, until no contig changes its side.
    """
    n, homologs = len(contigs.length), contigs.homologs
    if homologs[2].sum() * MEAN_SEED_DISTANCE <= MIN_SHARED_SEED_FRACTION * contigs.length.sum():
        return None

    def homolog_penalty(side: np.ndarray) -> np.ndarray:
        same_side = shared_seeds_by_side(homologs, side)
        return log(HOMOLOG_ODDS) * same_side / np.maximum(same_side.sum(axis=1, keepdims=True), 1)

    settled = settle_sides(contigs, two_color_homologs(homologs, n), homolog_penalty)
    if settled is None:
        return None
    return settled.side if are_two_genomes(homologs, settled.side, settled.fit.argmax(axis=1)) else None
