#!/usr/bin/env python3
"""Shred genomes into contigs with read depths: the preprint's MetaHIT "error-free" design, without reads or graph.

In: a folder of genomes (NAME.fna.gz) and a file with the names of those to take, one a line. Out, in OUT:
contigs.fna.gz, abundance.tsv (RPKM of each sample, as an assembly sheet takes it), depth.tsv (reads per base) and
truth.tsv. Contigs have log-normal lengths (median 3.0 kbp by default, sigma 1.0) of at least 500 bp. A genome is
present in a sample with a probability of 0.6, at a log-normal coverage (sigma 1.5, median 4). Reads of a contig are
negative binomial about coverage times length / 150, with a bias of its own (sigma 0.15). Same arguments and same numpy:
same files.
"""

import gzip
from pathlib import Path

import click
import numpy as np

from genome_files import genome_file, read_fasta
from result_tables import FILE, FOLDER

READ = 150  # bp
MIN_LENGTH, LENGTH_SIGMA = 500, 1.0  # bp, of the logarithm
PRESENT, COVERAGE, COVERAGE_SIGMA = 0.6, 4.0, 1.5
BIAS_SIGMA, DISPERSION = 0.15, 20.0


def shred(sequence: str, log_length: float, rng: np.random.Generator) -> list[str]:
    """Return the contigs of a sequence, one beside the other; the last one takes a rest that is too short."""
    contigs, start = [], 0
    while len(sequence) - start >= MIN_LENGTH:
        length = max(MIN_LENGTH, int(rng.lognormal(log_length, LENGTH_SIGMA)))
        if len(sequence) - start - length < MIN_LENGTH:
            length = len(sequence) - start
        contigs.append(sequence[start : start + length])
        start += length
    return contigs


def draw_coverage(genomes: int, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return the coverage of each genome in each sample, 0 where it is not present."""
    return rng.lognormal(np.log(COVERAGE), COVERAGE_SIGMA, (genomes, samples)) * (
        rng.random((genomes, samples)) < PRESENT
    )


def draw_counts(coverage: np.ndarray, lengths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the reads (n x s) of contigs of this coverage (n x s) and length (n)."""
    bias = rng.lognormal(0, BIAS_SIGMA, (len(lengths), 1))
    mean = coverage * lengths[:, None] / READ * bias
    return rng.poisson(rng.gamma(DISPERSION, np.maximum(mean, 1e-9) / DISPERSION))


def write_table(path: Path, first: str, names: list[str], values: np.ndarray, form: str) -> None:
    """Write a row for each contig with its values of all samples."""
    with open(path, "w") as out:
        out.write("\t".join([first, *(f"S{i}" for i in range(1, values.shape[1] + 1))]) + "\n")
        out.writelines("\t".join([name, *(form % value for value in row)]) + "\n" for name, row in zip(names, values))


def write_community(out: Path, contigs: list[str], owners: list[list[str]], counts: np.ndarray) -> None:
    """Write contigs, their genomes, and their reads (n x s) as RPKM and as depths."""
    lengths = np.array([len(contig) for contig in contigs])
    rpkm = counts / (lengths[:, None] / 1e3) / (counts.sum(axis=0, keepdims=True) / 1e6)
    titles = [f"ctg{number}" for number in range(len(contigs))]
    with gzip.GzipFile(out / "contigs.fna.gz", "wb", 3, mtime=0) as fasta, open(out / "truth.tsv", "w") as truth:
        truth.write("contig\tgenome\tlength\n")
        for title, contig, genomes in zip(titles, contigs, owners, strict=True):
            fasta.write(f">{title}\n{contig}\n".encode())
            truth.writelines(f"{title}\t{genome}\t{len(contig)}\n" for genome in genomes)
    write_table(out / "abundance.tsv", "contigname", titles, rpkm, "%.6g")
    write_table(out / "depth.tsv", "contig", titles, counts * READ / lengths[:, None], "%.5g")


@click.command(context_settings={"show_default": True})
@click.argument("folder", metavar="GENOMES", type=FOLDER)
@click.argument("names", type=FILE)
@click.argument("out", type=FOLDER)
@click.option("--samples", default=10, type=click.IntRange(min=1))
@click.option("--log_length", default=8.0, help="Logarithm of the median length in bp.")
@click.option("--seed", default=21, type=click.IntRange(min=0))
def main(folder: Path, names: Path, out: Path, samples: int, log_length: float, seed: int) -> None:
    """Shred the genomes in NAMES, which are in the folder GENOMES, into contigs in OUT."""
    rng = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    genomes = names.read_text().split()
    contigs, owners = [], []
    for number, name in enumerate(genomes):
        for _, sequence in read_fasta(genome_file(folder, name)):
            pieces = shred(sequence.upper(), log_length, rng)
            contigs += pieces
            owners += [number] * len(pieces)
    owner, lengths = np.array(owners), np.array([len(contig) for contig in contigs])
    order = rng.permutation(len(contigs))
    counts = draw_counts(draw_coverage(owner.max() + 1, samples, rng)[owner], lengths, rng)
    write_community(out, [contigs[row] for row in order], [[genomes[owner[row]]] for row in order], counts[order])
    click.echo(f"{len(contigs)} contigs of {len(genomes)} genomes, {lengths.sum() / 1e6:.1f} Mbp", err=True)


if __name__ == "__main__":
    main()
