#!/usr/bin/env python3
"""Simulate the short reads of a metagenome from real genomes.

In: a folder of genomes (NAME.fna.gz) and a file with the names of those to take, one a line; of genomes with the same
second word, the species, each sample has one at most. Out: S1_1.fastq.gz,
S1_2.fastq.gz and so on, and coverage_truth.tsv (fold coverage of each genome in each sample), in OUT.

In each sample a genome is present with a probability of 0.75, with a log-normal abundance (sigma 1.2). Read pairs are
2 x 150 bp, inserts 350 +- 40 bp, substitutions 0.3 %, all qualities alike. Names and order of the reads do not tell the
genome. Same arguments and same numpy: same reads.
"""

import gzip
from pathlib import Path

import click
import numpy as np

from genome_files import genome_file, read_fasta, read_names
from result_tables import FILE, FOLDER

READ = 150  # bp
INSERT, INSERT_SD, MIN_INSERT = 350, 40, 160  # bp
ERROR_RATE = 0.003
REVERSE = 0.5  # share of the pairs whose first read is from the reverse strand
PRESENT, ABUNDANCE_SIGMA = 0.75, 1.2
MIN_SEQUENCE = 1000  # bp; shorter sequences of a genome have no reads
PAIRS_AT_ONCE = 20_000  # written in one piece
BASES = np.frombuffer(b"ACGT", np.uint8)
COMPLEMENT = np.frombuffer(bytes.maketrans(b"ACGT", b"TGCA"), np.uint8)


def read_genome(path: Path) -> list[np.ndarray]:
    """Return the sequences of a genome of at least MIN_SEQUENCE bp as upper-case bytes."""
    sequences = [text.upper().encode() for _, text in read_fasta(path)]
    return [np.frombuffer(text, np.uint8) for text in sequences if len(text) >= MIN_SEQUENCE]


def draw_coverages(
    sizes: np.ndarray, species: list[str], samples: int, bases: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the fold coverage of each genome (of these sizes in bp) in each sample, which has `bases` bp of reads."""
    species_genomes = [np.flatnonzero(np.array(species) == name) for name in dict.fromkeys(species)]
    coverages = np.zeros((len(sizes), samples))
    for sample in range(samples):
        share = rng.lognormal(0, ABUNDANCE_SIGMA, len(sizes)) * (rng.random(len(sizes)) < PRESENT)
        for genomes in species_genomes:
            if len(genomes) > 1:  # else no number is drawn: the reads of sets without species stay the same
                share[genomes[genomes != rng.choice(genomes)]] = 0
        coverages[:, sample] = share / (share * sizes).sum() * bases
    return coverages


def draw_pairs(sequence: np.ndarray, coverage: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return first and second reads (n x READ each) of a sequence, without errors, from both strands."""
    n = rng.poisson(coverage * len(sequence) / (2 * READ))
    if n == 0:
        return np.empty((2, 0, READ), np.uint8)
    insert = np.clip(rng.normal(INSERT, INSERT_SD, n), MIN_INSERT, len(sequence) - 1).astype(int)
    start = (rng.random(n) * (len(sequence) - insert)).astype(int)
    place = np.arange(READ)
    left = sequence[start[:, None] + place]
    right = COMPLEMENT[sequence[(start + insert - READ)[:, None] + place]][:, ::-1]
    turned = (rng.random(n) < REVERSE)[:, None]
    return np.where(turned, right, left), np.where(turned, left, right)


def add_errors(reads: np.ndarray, rng: np.random.Generator) -> None:
    """Put random bases at random places of the reads (n x READ), in place."""
    places = rng.integers(0, reads.size, int(reads.size * ERROR_RATE))
    reads.reshape(-1)[places] = BASES[rng.integers(0, 4, len(places))]


def write_fastq(path: Path, reads: np.ndarray, order: np.ndarray, sample: str, mate: int) -> None:
    """Write the reads in this order; a read is called after its sample and number."""
    quality = b"I" * READ
    with gzip.open(path, "wb", compresslevel=3) as out:
        for first in range(0, len(order), PAIRS_AT_ONCE):
            out.writelines(
                b"@%sr%d/%d\n%s\n+\n%s\n" % (sample.encode(), number, mate, reads[number].tobytes(), quality)
                for number in order[first : first + PAIRS_AT_ONCE]
            )


def write_sample(
    out: Path, sample: str, genomes: list[list[np.ndarray]], coverage: np.ndarray, rng: np.random.Generator
) -> int:
    """Write the reads of a sample, given the coverage of each genome; return the number of pairs."""
    pairs = [
        draw_pairs(sequence, fold, rng) for genome, fold in zip(genomes, coverage, strict=True) for sequence in genome
    ]
    first, second = (np.concatenate([pair[mate] for pair in pairs]) for mate in (0, 1))
    add_errors(first, rng)
    add_errors(second, rng)
    order = rng.permutation(len(first))
    for mate, reads in ((1, first), (2, second)):
        write_fastq(out / f"{sample}_{mate}.fastq.gz", reads, order, sample, mate)
    return len(order)


@click.command(context_settings={"show_default": True})
@click.argument("folder", metavar="GENOMES", type=FOLDER)
@click.argument("names", type=FILE)
@click.argument("out", type=FOLDER)
@click.option("--samples", default=6, type=click.IntRange(min=1))
@click.option("--megabases", default=900.0, type=click.FloatRange(min=0, min_open=True), help="Of all reads.")
@click.option("--seed", default=11, type=click.IntRange(min=0))
def main(folder: Path, names: Path, out: Path, samples: int, megabases: float, seed: int) -> None:
    """Write the reads of samples of the genomes in NAMES, which are in the folder GENOMES, to OUT."""
    rng = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    chosen, species = zip(*read_names(names), strict=True)
    genomes = [read_genome(genome_file(folder, name)) for name in chosen]
    sizes = np.array([sum(map(len, genome)) for genome in genomes], dtype=float)
    coverages = draw_coverages(sizes, list(species), samples, megabases * 1e6 / samples, rng)
    labels = [f"S{number}" for number in range(1, samples + 1)]
    with open(out / "coverage_truth.tsv", "w") as table:
        table.write("\t".join(["genome", *labels]) + "\n")
        for name, row in zip(chosen, coverages, strict=True):
            table.write("\t".join([name, *(f"{fold:.4f}" for fold in row)]) + "\n")
    for sample, coverage in zip(labels, coverages.T, strict=True):
        click.echo(f"{sample}: {write_sample(out, sample, genomes, coverage, rng)} pairs", err=True)


if __name__ == "__main__":
    main()
