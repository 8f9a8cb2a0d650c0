#!/usr/bin/env python3
"""Split clusters that hold two or more genomes.

Two relatives whose coverages are alike are told apart by their homologous contigs (split_by_homologs.py), two genomes
of like composition by their coverages (split_by_coverage.py). Binloom's own method: docs/method.md, section 6.1. The
refine stage uses this module.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bin_model import NO_BIN, Contigs, bin_members, coverage_profile
from split_by_coverage import two_coverage_sides
from split_by_homologs import two_genome_sides


def pairs_by_cluster(pairs: np.ndarray, label: np.ndarray, n_bins: int) -> list[np.ndarray]:
    """Return, for each cluster, the pairs of contigs (the first two rows of k x p) with both contigs in it."""
    cluster = np.where(label[pairs[0]] == label[pairs[1]], label[pairs[0]], NO_BIN)
    order = np.argsort(cluster, kind="stable")
    return np.split(pairs[:, order], np.searchsorted(cluster[order], np.arange(n_bins + 1)), axis=1)[1:-1]


def take_contigs(contigs: Contigs, rows: np.ndarray, links: np.ndarray, homologs: np.ndarray) -> Contigs:
    """Return these contigs (ascending rows), with the links and homologs between them."""
    inner_homologs = np.concatenate([np.searchsorted(rows, homologs[:2]), homologs[2:]])
    contig, family = contigs.markers[:, np.isin(contigs.markers[0], rows)]
    markers = np.stack([np.searchsorted(rows, contig), family])
    inner_links = np.searchsorted(rows, links)
    return contigs.take(rows)._replace(links=inner_links, homologs=inner_homologs, markers=markers)


def split_related_genomes(
    contigs: Contigs, label: np.ndarray, n_bins: int, min_size: int, threads: int = 1
) -> np.ndarray:
    """Return the part of a cluster that each contig belongs to (n, NO_BIN for none), once mixed clusters are split.

    Of two parts the larger keeps the number of its cluster; the others get numbers from n_bins on. A part has at
    least min_size bp, or the cluster stays whole.
    """
    label = label.copy()
    members = bin_members(label, n_bins)
    typical = np.array([coverage_profile(contigs, rows)[0] for rows in members if len(rows)])
    all_counts = contigs.tetranucleotides[label != NO_BIN].sum(axis=0, dtype=np.float64)
    pairs = [pairs_by_cluster(given, label, n_bins) for given in (contigs.links, contigs.homologs)]

    def split(rows: np.ndarray, *pairs: np.ndarray) -> list[np.ndarray]:
        return parts_of_cluster(contigs, rows, pairs, (typical, all_counts), min_size)

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(split, members, *pairs))
    for parts in reversed(found):
        for rows in parts[1:]:
            label[rows] = n_bins
            n_bins += 1
    return label


def parts_of_cluster(
    contigs: Contigs,
    rows: np.ndarray,
    pairs: Sequence[np.ndarray],
    all_clusters: tuple[np.ndarray, np.ndarray],
    min_size: int,
) -> list[np.ndarray]:
    """Return the contigs of each part of a cluster (rows, with the links and homologs between them).

    all_clusters: typical densities and tetranucleotides, see two_coverage_sides. Parts are split again if they hold two
    genomes; of two parts the larger takes the place of the whole, the other one comes last.
    """
    parts, todo = [rows], [(0, rows, *pairs)]
    while todo:
        number, rows, *inner = todo.pop()
        cluster = take_contigs(contigs, rows, *inner)
        side = two_genome_sides(cluster)
        if side is None:
            side = two_coverage_sides(cluster, *all_clusters)
        if side is None or (size := np.bincount(side, cluster.length, minlength=2)).min() < min_size:
            continue
        parts.append(rows)
        for part, which in ((number, size.argmax()), (len(parts) - 1, 1 - size.argmax())):
            parts[part] = rows[side == which]
            kept = [(side[np.searchsorted(rows, given[:2])] == which).all(axis=0) for given in inner]
            todo.append((part, parts[part], *(given[:, keep] for given, keep in zip(inner, kept))))
    return parts
