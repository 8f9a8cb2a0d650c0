"""Contigs with known genomes, coverages and links, for the tests of the refine stage."""

import itertools
from collections import Counter
from typing import NamedTuple

import numpy as np
import pandas as pd

import refine
from bin_model import NO_BIN, Contigs

READ = 150
KB = 1000


def composition(rng):
    """Return the frequencies of the 136 tetranucleotides of a random genome."""
    frequency = np.exp(rng.normal(0, 0.35, 136))
    return frequency / frequency.sum()


def plant_contigs(rng, genomes, length, coverage, compositions, pairs, noise=0.1):
    """Return contigs, from the longest to the shortest, and the given row of each.

    genomes: those that each contig belongs to; it has the sum of their reads. pairs: links between given rows.
    """
    length = np.asarray(length)
    mean = np.array([coverage[list(group)].sum(axis=0) for group in genomes]) * length[:, None] / READ
    reads = rng.poisson(mean * np.exp(rng.normal(0, noise, mean.shape)))
    counts = [rng.multinomial(max(size - 3, 0), compositions[group[0]]) for group, size in zip(genomes, length)]
    order = np.argsort(-length, kind="stable")
    place = np.argsort(order)
    links = place[np.array([(a, b) for a, b in pairs if a != b], dtype=np.int64).reshape(-1, 2).T]
    links = np.unique(np.concatenate([links, links[::-1]], axis=1), axis=1)
    counts = np.array(counts, dtype=np.float32)[order]
    return Contigs(length[order], reads[order].astype(np.float64), counts, links), order


def chain(first: int, last: int):
    """Return links between neighbours of the rows from first to before last."""
    return [(i, i + 1) for i in range(first, last - 1)]


class Community(NamedTuple):
    """Contigs, their labels, and the genomes that each belongs to."""

    contigs: Contigs
    label: np.ndarray
    genomes: list[tuple[int, ...]]


def clustered(rng, genomes, length, coverage, compositions, pairs, binned: int) -> Community:
    """Return a community whose genomes 0 to binned - 1 have a bin each, of their contigs from 2 kbp on."""
    contigs, order = plant_contigs(rng, genomes, length, coverage, compositions, pairs)
    genomes = [genomes[i] for i in order]
    known = [size >= 2 * KB and len(group) == 1 and group[0] < binned for group, size in zip(genomes, contigs.length)]
    return Community(contigs, np.where(known, [group[0] for group in genomes], NO_BIN), genomes)


def coverages(rng, n: int, samples: int) -> np.ndarray:
    """Return coverages from 4 to 250 (n x samples), no two of them alike in a sample.

    With several samples, the last two rows, which have no bins, differ from any other by a factor of 8 in one of them.
    """
    steps = np.linspace(np.log(4), np.log(250), n)
    while True:
        coverage = np.array([rng.permutation(steps) for _ in range(samples)]).T
        apart = [np.abs(coverage[:g] - coverage[g]).max(axis=1).min() for g in (n - 2, n - 1)]
        if samples == 1 or min(apart) > np.log(8):
            return np.exp(coverage)


def community(seed: int, samples: int, binned=6, each=60, linked=True) -> Community:
    """Return a community of genomes with bins and two without.

    Genomes 0 to binned - 1 have a bin of their contigs from 2 kbp on; a twelfth of these contigs are in another bin.
    The next genome has no bin. Neither has the last, a sibling of genome 0: it has the same composition, links to the
    contigs of genome 0, and another coverage. Ten more contigs belong to two of the genomes with bins, but not to 0.
    """
    rng = np.random.default_rng(seed)
    n = binned + 2
    compositions = [composition(rng) for _ in range(n - 1)]
    compositions.append(compositions[0])
    coverage = coverages(rng, n, samples)
    genomes = [(g,) for g in range(n) for _ in range(each)]
    length = np.exp(rng.uniform(np.log(150), np.log(40000), len(genomes))).astype(int).tolist()
    pairs = [pair for g in range(n) for pair in chain(g * each, (g + 1) * each)]
    pairs += [tuple(g * each + rng.integers(0, each, 2)) for g in range(n) for _ in range(each // 3)]
    pairs += [((n - 1) * each + a, b) for a, b in rng.integers(0, each, (each, 2))]  # the sibling and genome 0
    pairs += [tuple(pair) for pair in rng.integers(0, len(genomes), (5, 2))]  # repeats
    for _ in range(10):
        a, b = sorted(rng.choice(np.arange(1, binned), 2, replace=False).tolist())
        pairs += [(len(genomes), g * each + x) for g in (a, b) for x in rng.choice(each, 2, replace=False)]
        genomes.append((a, b))
        length.append(int(rng.integers(800, 4000)))
    found = clustered(rng, genomes, length, coverage, compositions, pairs if linked else [], binned)
    moved = rng.permutation(np.flatnonzero(found.label != NO_BIN))[::12]
    found.label[moved] = (found.label[moved] + rng.integers(1, binned, len(moved))) % binned
    return found


def genomes_of_bins(known: Community, final: list[list[str]], n_bins: int) -> dict[str, int]:
    """Return the genome of each bin: its number, or, for a part of a split cluster, that of most of its bases."""
    genome_of = {str(b): b for b in range(n_bins)}
    for part in {b for bins in final for b in bins} - genome_of.keys():
        bases = Counter()
        for length, bins, genomes in zip(known.contigs.length, final, known.genomes):
            bases.update({g: length for g in genomes if part in bins})
        genome_of[part] = bases.most_common(1)[0][0]
    return genome_of


def refined_sets(known: Community, min_posterior=0.8):
    """Return the bins of each contig before and after refinement, as their genomes, and its reason."""
    table, shared = refine.refine_labels(known.contigs, known.label, min_posterior, 0)
    n_bins = max(known.label) + 1
    ids = refine.part_ids([str(b) for b in range(n_bins)], known.label, table["part"].to_numpy())
    table = refine.tabulate(known.label, table, shared, ids)
    genome_of = genomes_of_bins(known, table["bins"].tolist(), n_bins)
    after = [{genome_of[b] for b in bins} for bins in table["bins"]]
    return [{b} - {NO_BIN} for b in known.label.tolist()], after, table["reason"].tolist()


def check_posteriors_of_several(table: pd.DataFrame, shared: dict[int, list[int]], min_posterior: float) -> None:
    """Assert that the posterior of each contig of several bins is that of all of them."""
    found = table.loc[sorted(shared)]
    assert (found["posterior"] >= min_posterior).all()
    assert (found["none"] >= 0).all() and (found["posterior"] + found["none"] <= 1 + 1e-9).all()


def quality(known: Community, bins: list[set[int]]):
    """Return the purity of what is binned, and the fraction of the community that is in the right bin, by length."""
    length = known.contigs.length
    right = length[[len(found) > 0 and found <= set(group) for found, group in zip(bins, known.genomes)]].sum()
    return right / length[[len(found) > 0 for found in bins]].sum(), right / length.sum()


def relatives(rng, coverage, homology, each=40, kbp=10):
    """Return contigs of genomes with the same composition (`each` of every genome), and their genomes.

    Contig i of a genome shares seeds with contig i of another, or with a neighbour in the same genome; homology is the
    number of these seeds (genomes x genomes).
    """
    n = len(coverage)
    genomes = np.repeat(np.arange(n), each)
    contigs, order = plant_contigs(
        rng, [(g,) for g in genomes], [kbp * KB] * n * each, np.array(coverage, float), [composition(rng)] * n, []
    )
    place = np.argsort(order).reshape(n, each)
    pairs = [
        (place[a, i], place[b, i if a != b else i ^ 1], homology[a][b])
        for a, b, i in itertools.product(range(n), range(n), range(each))
        if homology[a][b]
    ]
    return contigs._replace(homologs=np.array(pairs, dtype=np.int64).reshape(-1, 3).T), genomes[order]
