#!/usr/bin/env python3
"""Simulate the contigs and depths of a community of hundreds of genomes, many of them strains of one species.

In: a folder of genomes (NAME.fna.gz) and a file with the names of ancestors, one a line; each begins a genus. Out, in
OUT: contigs.fna.gz, abundance.tsv, depth.tsv and truth.tsv as shred_genomes.py writes them (a contig of several genomes
has a row for each in the truth), species.tsv (the truth with species in the place of genomes) and genomes.tsv (genome,
species, ancestor, strains: of the species, length: bp, identity: mean of the pieces that two strains have in common).

evolution.py says how ancestors become species and strains. Two strains differ in 0.15 to 6 % of the bases.

Contigs: an error-free cut of the pangenome, in the place of an assembler. Pieces of at least 99 % identity are one
(the first strain's sequence), and belong to all their strains; neighbouring pieces of the same strains are joined, and
all is shredded into log-normal lengths, whose median is the species' own (3 kbp, and a factor of 2 up or down).
Coverages are drawn for each genome and sample on its own; a contig has the sum of its genomes'. Reads are drawn about
that as in shred_genomes.py. Same arguments and same numpy: same files.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from evolution import BASES, Strains, draw_numbers_of_strains, evolve
from genome_files import genome_file, read_fasta
from result_tables import FILE, FOLDER, write_rows
from shred_genomes import draw_counts, draw_coverage, shred, write_community

CODE = np.full(256, 4, np.uint8)
CODE[BASES] = np.arange(4)
STRAIN_DIVERGENCE = 0.0015, 0.06  # between two strains, without recombination
# Strains of a species: a share of species, and the least and the most strains
STRAINS = ((0.5, 1, 1), (0.15, 2, 2), (0.35, 3, 5))
COLLAPSED = 0.99  # identity
LOG_LENGTH, LOG_LENGTH_SIGMA = 8.0, np.log(2)  # of the median length (bp) of the contigs of a species


def read_ancestor(path: Path) -> np.ndarray:
    """Return the codes of the bases of all sequences of a genome, one behind the other, without ambiguous ones."""
    codes = np.concatenate([CODE[np.frombuffer(text.upper().encode(), np.uint8)] for _, text in read_fasta(path)])
    return codes[codes < len(BASES)]


def collapse(alleles: list[np.ndarray | None]) -> list[list[int]]:
    """Return the strains whose alleles of a piece are one to an assembler; each group begins with its sequence's."""
    groups: list[list[int]] = []
    for strain, allele in enumerate(alleles):
        if allele is None:
            continue
        like = (group for group in groups if (alleles[group[0]] == allele).mean() >= COLLAPSED)
        home = next(like, None)
        if home:
            home.append(strain)
        else:
            groups.append([strain])
    return groups


def stretches(strains: Strains) -> Iterator[tuple[np.ndarray, list[int]]]:
    """Yield the stretches of the pangenome, with their strains: neighbouring pieces of the same groups, and islands."""
    before: list[list[int]] = []
    parts: list[list[np.ndarray]] = []
    for alleles in zip(*strains.pieces, strict=True):
        groups = collapse(alleles)
        if groups != before:
            yield from ((np.concatenate(part), group) for part, group in zip(parts, before, strict=True))
            before, parts = groups, [[] for _ in groups]
        for part, group in zip(parts, groups, strict=True):
            part.append(alleles[group[0]])
    yield from ((np.concatenate(part), group) for part, group in zip(parts, before, strict=True))
    for strain, islands in enumerate(strains.islands):
        yield from ((island, [strain]) for island in islands)


@click.command(context_settings={"show_default": True})
@click.argument("folder", metavar="GENOMES", type=FOLDER)
@click.argument("names", type=FILE)
@click.argument("out", type=FOLDER)
@click.option("--species", "n_species", default=180, type=click.IntRange(min=1))
@click.option("--megabases", default=(0.6, 1.2), type=(float, float), help="Least and most of a genome.")
@click.option("--samples", default=20, type=click.IntRange(min=1))
@click.option("--seed", default=51, type=click.IntRange(min=0))
def main(
    folder: Path, names: Path, out: Path, n_species: int, megabases: tuple[float, float], samples: int, seed: int
) -> None:
    """Simulate a community whose genomes descend from those in NAMES, which are in the folder GENOMES."""
    rng = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    titles = names.read_text().split()
    ancestors = [read_ancestor(genome_file(folder, title)) for title in titles]
    contigs: list[str] = []
    owners: list[list[int]] = []
    genomes: list[dict[str, str]] = []
    numbers = draw_numbers_of_strains(n_species, STRAINS, rng)
    for strains in evolve(ancestors, numbers, megabases, STRAIN_DIVERGENCE, rng):
        log_length = rng.normal(LOG_LENGTH, LOG_LENGTH_SIGMA)
        for stretch, members in stretches(strains):
            cut = shred(BASES[stretch].tobytes().decode(), log_length, rng)
            contigs += cut
            owners += [[len(genomes) + strain for strain in members]] * len(cut)
        lengths = [strains.length(strain) for strain in range(len(strains.pieces))]
        genomes += strains.rows(titles[strains.ancestor], lengths)
    write_simulated(out, contigs, owners, genomes, samples, rng)


def write_simulated(
    out: Path, contigs: list[str], owners: list[list[int]], genomes: list[dict[str, str]], samples: int,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draw the reads of the contigs, whose genomes are given by number, and write all files."""
    order = rng.permutation(len(contigs))
    contigs, owners = [contigs[row] for row in order], [owners[row] for row in order]
    of_genome = draw_coverage(len(genomes), samples, rng)
    coverage = np.array([of_genome[members].sum(axis=0) for members in owners])
    lengths = np.array([len(contig) for contig in contigs])
    named = [[genomes[member]["genome"] for member in members] for members in owners]
    write_community(out, contigs, named, draw_counts(coverage, lengths, rng))
    with open(out / "species.tsv", "w") as table:
        table.write("contig\tgenome\tlength\n")
        for row, members in enumerate(owners):
            table.write(f"ctg{row}\t{genomes[members[0]]['species']}\t{lengths[row]}\n")
    write_rows(out / "genomes.tsv", genomes)
    shared = sum(len(members) > 1 for members in owners) / len(owners)
    click.echo(
        f"{len(contigs)} contigs of {len(genomes)} genomes, {lengths.sum() / 1e6:.1f} Mbp; "
        f"{shared:.0%} of the contigs are of several genomes",
        err=True,
    )


if __name__ == "__main__":
    main()
