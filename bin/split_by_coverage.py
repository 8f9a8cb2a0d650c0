#!/usr/bin/env python3
"""Divide a cluster that holds two genomes of different coverage.

Genomes of like composition may share a cluster although their coverages differ. The cluster is divided where its
coverages vary most. The sides are two genomes if the rule that joins pieces would not join them, if hardly any contig
lies between them, and if the assembly graph does not lead from one to the other. Binloom's own method: docs/method.md,
section 6.1, equations (26) and (27). The refine stage uses this module.
"""

import numpy as np

from bin_model import Bins, Contigs, coverage_profile, profile_members
from cluster_sides import settle_sides, side_evidence
from coverage_evidence import log_sum, own_reads, root_count_gap
from pieces import describe_piece, one_genome_evidence, own_composition_evidence, unknown_genome_evidence

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# Either side has at least so many bp: phages, plasmids and islands have coverages of their own.
MIN_COVERAGE_SIDE = 100_000
# The cluster is divided along so many principal components of its coverages, each on its own; the best division counts.
MAX_COMPONENTS = 3
# A contig counts in these components with at most so many standard deviations from the profile of the cluster.
MAX_DEVIATION = 10
# A contig is on its side for sure from this posterior on.
MIN_SIDE_POSTERIOR = 0.9
# At least this fraction of the cluster's bases must be on their sides for sure: a genome that varies has no gap.
MIN_SURE_FRACTION = 0.95
# The links between two genomes are fewer than this fraction of those that a random division would cut ...
MAX_CUT_LINK_RATIO = 0.5
# ... and so many more, because genomes share repeats.
ADDED_CUT_LINKS = 1


def coverage_components(contigs: Contigs) -> np.ndarray:
    """Return on which side of its mean each contig is in each of the first principal components (k x n; 0 or 1).

    The components are those of the deviations of the contigs from the coverage profile of the cluster, in standard
    deviations, weighted by length.
    """
    density, scatter = coverage_profile(contigs, np.arange(len(contigs.length)))
    own = own_reads(contigs.reads, contigs.length, contigs.excess, density)
    gap, variance = root_count_gap(own, density * contigs.length[:, None], scatter)
    deviation = np.clip(gap / np.sqrt(variance), -MAX_DEVIATION, MAX_DEVIATION)
    weight = contigs.length / contigs.length.sum()
    deviation -= weight @ deviation
    _, axes = np.linalg.eigh(deviation.T @ (deviation * weight[:, None]))  # from the least variance to the greatest
    return (deviation @ axes[:, ::-1][:, :MAX_COMPONENTS] > 0).T.astype(np.int64)


def side_posterior(contigs: Contigs, side: np.ndarray, fit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log likelihood of each contig in either side (n), and the posterior of its likelier side (n).

    side (n), fit (n x 2): as in Sides. The prior of a side is its share of the bases.
    """
    size = np.bincount(side, contigs.length, minlength=2)
    score = fit + np.log(np.maximum(size, 1) / contigs.length.sum())
    total = log_sum(score)
    return total, np.exp(score.max(axis=1) - total)


def most_probable_sides(contigs: Contigs) -> Bins | None:
    """Return the profiles of the sides of the division with the highest likelihood, or None if no side is large enough.

    Contigs too short to tell the coverage of a genome have no part in it: they are many.
    """
    contigs = contigs.take(profile_members(contigs, np.arange(len(contigs.length))))
    best, best_likelihood = None, -np.inf
    if contigs.length.sum() < 2 * MIN_COVERAGE_SIDE:
        return None
    for start in coverage_components(contigs):
        sides = settle_sides(contigs, start)
        if sides is None or np.bincount(sides.side, contigs.length, minlength=2).min() < MIN_COVERAGE_SIDE:
            continue
        total, _ = side_posterior(contigs, sides.side, sides.fit)
        if contigs.length @ total > best_likelihood:
            best, best_likelihood = sides.bins, contigs.length @ total
    return best


def cuts_the_graph(contigs: Contigs, side: np.ndarray) -> bool:
    """Return whether the two sides have too many links between them for two genomes (equation 27)."""
    source, target = contigs.links
    fraction = contigs.length[side == 1].sum() / contigs.length.sum()
    cut = (side[source] != side[target]).sum() / 2
    by_chance = 2 * fraction * (1 - fraction) * len(source) / 2
    return cut > MAX_CUT_LINK_RATIO * by_chance + ADDED_CUT_LINKS


def sides_are_one_genome(contigs: Contigs, side: np.ndarray, typical: np.ndarray, all_counts: np.ndarray) -> bool:
    """Return whether the rule that joins pieces would join the two sides (equation 20)."""
    members = [np.flatnonzero(side == which) for which in (0, 1)]
    small, large = sorted(members, key=lambda rows: contigs.length[rows].sum())
    piece, other = (describe_piece(contigs, rows, all_counts) for rows in (small, large))
    unknown = unknown_genome_evidence(piece, typical)
    return one_genome_evidence(piece, other, own_composition_evidence(piece), unknown)[0, 0] > 0


def two_coverage_sides(contigs: Contigs, typical: np.ndarray, all_counts: np.ndarray) -> np.ndarray | None:
    """Return the sides (n, 0 or 1) of the contigs of a cluster that holds two genomes, or None if it does not.

    typical (Q x s): densities of all clusters; all_counts (136): tetranucleotides of all their contigs.
    """
    bins = most_probable_sides(contigs)
    if bins is None:
        return None
    fit = side_evidence(contigs, bins)
    side = fit.argmax(axis=1)
    _, sureness = side_posterior(contigs, side, fit)
    sure = contigs.length[sureness >= MIN_SIDE_POSTERIOR].sum() / contigs.length.sum()
    if sure < MIN_SURE_FRACTION or cuts_the_graph(contigs, side):
        return None
    return None if sides_are_one_genome(contigs, side, typical, all_counts) else side
