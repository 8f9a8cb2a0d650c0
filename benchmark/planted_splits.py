#!/usr/bin/env python3
"""Measure how often a cluster of two genomes is split, and how often one of a single patchy genome is.

Out: a row for each kind of cluster, on stdout as Markdown and, with --tsv, in a file: how many of --repeats clusters
were split, and the share of the bases that lie on the right side. Each cluster is planted among twenty others, in five
samples. Its contigs have log-normal lengths, a composition that varies along the genome, Poisson reads and a coverage
that scatters by a tenth. No contig has homologs or links: coverage alone can tell.

Pairs: two genomes of the same composition and size, whose coverages differ in one sample by a factor.
Single: one genome, of which a part has another coverage. Phages, plasmids, islands that a strain lacks, growing cells
(a slope along the genome) and GC content make such parts.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from result_tables import ResultTable, tsv_option

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bin"))
import refine
from bin_model import Contigs
from split_clusters import split_related_genomes

READ = 150  # bp
SAMPLES, OTHERS = 5, 20
SIZES = (0.3, 0.7, 2.0, 5.0)  # Mbp
FACTORS = (1.5, 2, 4, 8)
DEPTHS = (3.0, 30.0)  # mean coverage
LENGTH_MEDIAN, LENGTH_SIGMA, MIN_LENGTH, MAX_LENGTH = 8000, 1.0, 2000, 200_000  # bp of contigs
SCATTER, ABUNDANCE_SIGMA = 0.1, 1.2  # of contigs about their genome; of genomes between samples
COMPOSITION_SIGMA, REGION_SIGMA = 0.35, 0.08  # of log frequencies between genomes, and between contigs of one
MIN_BIN_SIZE = 200_000  # bp


class Planted(NamedTuple):
    """Contigs of a cluster: lengths, expected coverage and frequencies of tetranucleotides of each, and its genome."""

    length: np.ndarray  # n
    coverage: np.ndarray  # n x s
    composition: np.ndarray  # n x 136
    genome: np.ndarray  # n


def genome_contigs(rng: np.random.Generator, size: float, coverage: np.ndarray, composition: np.ndarray) -> Planted:
    """Return the contigs of one genome of this size (Mbp), in the order in which they lie on it."""
    lengths, total = [], 0
    while total < size * 1e6:
        drawn = LENGTH_MEDIAN * np.exp(rng.normal(0, LENGTH_SIGMA))
        lengths.append(int(np.clip(drawn, MIN_LENGTH, MAX_LENGTH)))
        total += lengths[-1]
    n = len(lengths)
    frequency = composition * np.exp(rng.normal(0, REGION_SIGMA, (n, len(composition))))
    return Planted(
        np.array(lengths), np.tile(coverage, (n, 1)), frequency / frequency.sum(axis=1, keepdims=True), np.zeros(n, int)
    )


def random_composition(rng: np.random.Generator) -> np.ndarray:
    """Return the frequencies (136) of the tetranucleotides of a genome."""
    frequency = np.exp(rng.normal(0, COMPOSITION_SIGMA, 136))
    return frequency / frequency.sum()


def random_coverage(rng: np.random.Generator, depth: float) -> np.ndarray:
    """Return the coverage (s) of a genome with this mean."""
    share = rng.lognormal(0, ABUNDANCE_SIGMA, SAMPLES)
    return depth * share / share.mean()


def pair(rng: np.random.Generator, size: float, depth: float, factor: float) -> Planted:
    """Return two genomes whose coverages differ by a factor in the sample that covers them best."""
    composition, first = random_composition(rng), random_coverage(rng, depth)
    second = first.copy()
    second[first.argmax()] /= factor
    one, two = (genome_contigs(rng, size, coverage, composition) for coverage in (first, second))
    return Planted(*(np.concatenate(values) for values in zip(one, two._replace(genome=two.genome + 1))))


def scaled_part(planted: Planted, share: float, factor: np.ndarray) -> Planted:
    """Return the genome with this share of its bases, in one stretch, covered `factor` (s) times as well."""
    part = np.cumsum(planted.length) <= share * planted.length.sum()
    return planted._replace(coverage=np.where(part[:, None], planted.coverage * factor, planted.coverage))


def patchy_genomes(size: float) -> dict[str, Callable[[np.random.Generator, Planted], Planted]]:
    """Return what makes a single genome of this size (Mbp) patchy, by name."""

    def one_sample(rng: np.random.Generator, factor: float) -> np.ndarray:
        return np.where(np.arange(SAMPLES) == rng.integers(SAMPLES), factor, 1.0)

    def growth(rng: np.random.Generator, planted: Planted) -> Planted:
        place = np.cumsum(planted.length) / planted.length.sum()
        from_origin = 1 - 2 * np.abs(place - 0.5)
        return planted._replace(coverage=planted.coverage * 2.0 ** -(from_origin[:, None] * rng.random(SAMPLES)))

    def gc_bias(rng: np.random.Generator, planted: Planted) -> Planted:
        bias = np.exp(rng.normal(0, 0.15, (len(planted.length), 1)) * rng.uniform(0, 2, SAMPLES))
        return planted._replace(coverage=planted.coverage * bias)

    return {
        "nothing": lambda rng, planted: planted,
        "a phage of 50 kbp, ten times in one sample": lambda rng, planted: scaled_part(
            planted, 0.05 / size, one_sample(rng, 10)
        ),
        "a plasmid of 100 kbp, four copies": lambda rng, planted: scaled_part(planted, 0.1 / size, np.full(SAMPLES, 4)),
        "a twentieth lacks in the strain of one sample": lambda rng, planted: scaled_part(
            planted, 0.05, one_sample(rng, 0.1)
        ),
        "a sixth lacks in half of the cells of one sample": lambda rng, planted: scaled_part(
            planted, 1 / 6, one_sample(rng, 0.5)
        ),
        "growth: up to twice as deep at the origin": growth,
        "GC content: 15 %, other in each sample": gc_bias,
    }


def with_others(rng: np.random.Generator, planted: Planted, depth: float) -> tuple[Contigs, np.ndarray, np.ndarray]:
    """Return contigs of the planted cluster and of OTHERS genomes, longest first, their clusters, and their genomes."""
    parts = [planted]
    for number in range(OTHERS):
        other = genome_contigs(rng, 0.5, random_coverage(rng, depth), random_composition(rng))
        parts.append(other._replace(genome=other.genome + 2 + number))
    length, coverage, composition, genome = (np.concatenate(values) for values in zip(*parts))
    scattered = coverage * np.exp(rng.normal(0, SCATTER, coverage.shape))
    reads = rng.poisson(scattered * length[:, None] / READ).astype(float)
    counts = np.array([rng.multinomial(size - 3, row) for size, row in zip(length, composition)], dtype=np.float32)
    order = np.argsort(-length, kind="stable")
    contigs = Contigs(length[order], reads[order], counts[order], np.empty((2, 0), dtype=np.int64))
    return contigs, np.maximum(genome - 1, 0)[order], genome[order]


def split_share(contigs: Contigs, label: np.ndarray, genome: np.ndarray) -> float | None:
    """Return the share of the planted bases on the side of their genome, or None if the cluster is not split."""
    part = split_related_genomes(contigs, label, label.max() + 1, refine.piece_size(MIN_BIN_SIZE))
    planted = label == 0
    parts = np.unique(part[planted])
    if len(parts) == 1:
        return None
    bases = [[contigs.length[(part == p) & (genome == g)].sum() for g in (0, 1)] for p in parts]
    return sum(map(max, bases)) / contigs.length[planted].sum()


def kinds() -> Iterator[tuple[dict[str, object], Callable[[np.random.Generator], Planted], float]]:
    """Yield a description of each kind of cluster, a function that plants one, and the depth."""
    for size in SIZES:
        for depth in DEPTHS:
            for factor in FACTORS:
                kind = {"cluster": "pair", "what differs": f"{factor:g} times in one sample of {SAMPLES}"}
                yield (
                    kind | {"genome, Mbp": size, "depth": depth},
                    lambda rng, size=size, depth=depth, factor=factor: pair(rng, size, depth, factor),
                    depth,
                )
            for name, change in patchy_genomes(size).items():

                def single(rng: np.random.Generator, size=size, depth=depth, change=change) -> Planted:
                    whole = genome_contigs(rng, size, random_coverage(rng, depth), random_composition(rng))
                    return change(rng, whole)

                yield {"cluster": "single", "what differs": name, "genome, Mbp": size, "depth": depth}, single, depth


@click.command(context_settings={"show_default": True})
@click.option("--repeats", default=20, type=click.IntRange(min=1), help="Clusters of each kind.")
@tsv_option
def main(repeats: int, tsv: Path | None) -> None:
    """Split planted clusters of one genome and of two."""
    table = ResultTable(tsv and tsv.resolve(), ("cluster", "what differs", "genome, Mbp", "depth"))
    for row, plant, depth in kinds():
        shares = []
        for seed in range(repeats):
            rng = np.random.default_rng(seed)
            shares.append(split_share(*with_others(rng, plant(rng), depth)))
        found = [share for share in shares if share is not None]
        right = f"{np.mean(found):.3f}" if found else ""
        table.add(row | {"clusters": repeats, "split": len(found), "on the right side": right})


if __name__ == "__main__":
    main()
