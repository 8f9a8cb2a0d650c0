#!/usr/bin/env python3
"""Split clusters that hold two related genomes, by the homologous contigs within them.

Two related genomes of like coverage share a cluster. But a genome has most genes once, so that few of its contigs are
homologous to each other, and relatives have most genes in common. Binloom's own method: docs/method.md, section 6.1,
equations (17) to (19). The refine stage uses this module.
"""

from math import log

import numpy as np

from bin_model import NO_BIN, Contigs, bin_members, composition_evidence, coverage_evidence, describe_bins

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
# At most so many times, the sides are described and the contigs divided among them anew.
MAX_SPLIT_ROUNDS = 20


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
    side = two_color_homologs(homologs, n)
    for _ in range(MAX_SPLIT_ROUNDS):
        if min(np.bincount(side[side != NO_BIN], minlength=2)) == 0:
            return None
        bins = describe_bins(contigs, side, 2)
        expected = bins.density[None] * contigs.length[:, None, None]
        fit = coverage_evidence(contigs.reads, contigs.length, expected, bins.scatter[None])
        fit += composition_evidence(contigs.tetranucleotides.astype(np.float64), bins.log_composition)
        same_side = shared_seeds_by_side(homologs, side)
        penalty = log(HOMOLOG_ODDS) * same_side / np.maximum(same_side.sum(axis=1, keepdims=True), 1)
        before, side = side, (fit - penalty).argmax(axis=1)
        if (side == before).all():
            break
    return side if are_two_genomes(homologs, side, fit.argmax(axis=1)) else None


def homologs_by_cluster(homologs: np.ndarray, label: np.ndarray, n_bins: int) -> list[np.ndarray]:
    """Return, for each cluster, the pairs of homologs (3 x 2h) with both contigs in it."""
    cluster = np.where(label[homologs[0]] == label[homologs[1]], label[homologs[0]], NO_BIN)
    order = np.argsort(cluster, kind="stable")
    return np.split(homologs[:, order], np.searchsorted(cluster[order], np.arange(n_bins + 1)), axis=1)[1:-1]


def split_related_genomes(contigs: Contigs, label: np.ndarray, n_bins: int, min_size: int) -> np.ndarray:
    """Return the part of a cluster that each contig belongs to (n, NO_BIN for none), once related genomes are split.

    Parts are split again if they hold two genomes. The larger part keeps the number of its cluster, others get numbers
    from n_bins on. A part has at least min_size bp, or the cluster stays whole.
    """
    label = label.copy()
    todo = list(zip(range(n_bins), bin_members(label, n_bins), homologs_by_cluster(contigs.homologs, label, n_bins)))
    while todo:
        b, rows, inner = todo.pop()
        homologs = np.concatenate([np.searchsorted(rows, inner[:2]), inner[2:]])
        members = [values[rows] for values in (contigs.length, contigs.reads, contigs.tetranucleotides)]
        side = two_genome_sides(Contigs(*members, links=np.empty((2, 0), dtype=np.int64), homologs=homologs))
        if side is None or (size := np.bincount(side, contigs.length[rows], minlength=2)).min() < min_size:
            continue
        for number, which in ((b, size.argmax()), (n_bins, 1 - size.argmax())):
            label[rows[side == which]] = number
            todo.append((number, rows[side == which], inner[:, (side[homologs[:2]] == which).all(axis=0)]))
        n_bins += 1
    return label
