#!/usr/bin/env python3
"""Simulate the contigs and depths of a community of hundreds of genomes, many of them strains of one species.

In: a folder of genomes (NAME.fna.gz) and a file with the names of ancestors, one a line; each begins a genus. Out, in
OUT: contigs.fna.gz, abundance.tsv, depth.tsv and truth.tsv as shred_genomes.py writes them (a contig of several genomes
has a row for each in the truth), species.tsv (the truth with species in the place of genomes) and genomes.tsv (genome,
species, ancestor, strains: of the species, length: bp, identity: mean of the pieces that two strains have in common).

Species: a window of the ancestor with 10 to 20 % of the bases substituted. What a base becomes depends on the three
before it, as in the ancestor, with odds of the species' own, so that composition stays that of a genome and drifts.
Strains: two differ in 0.15 to 6 % of the bases on average, the same share throughout a species, in pieces of 4 kbp
(median) that change at gamma-distributed rates; a fifth of the pieces are another strain's by recombination, one in
twenty is lost, and islands make 5 % of a strain, a fifth of them from another genus.

Contigs: an error-free cut of the pangenome, in the place of an assembler. Pieces of at least 99 % identity are one
(the first strain's sequence), and belong to all their strains; neighbouring pieces of the same strains are joined, and
all is shredded into log-normal lengths, whose median is the species' own (3 kbp, and a factor of 2 up or down).
Coverages are drawn for each genome and sample on its own; a contig has the sum of its genomes'. Reads are drawn about
that as in shred_genomes.py. Same arguments and same numpy: same files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import click
import numpy as np

from genome_files import genome_file, read_fasta
from result_tables import FILE, FOLDER, write_rows
from shred_genomes import draw_counts, draw_coverage, shred, write_community

BASES = np.frombuffer(b"ACGT", np.uint8)
CODE = np.full(256, 4, np.uint8)
CODE[BASES] = np.arange(4)
CONTEXT = 3  # bases before a base that say what it becomes
DRIFT = 0.3  # sigma of the odds of a species
SPECIES_DIVERGENCE = 0.1, 0.2  # from the ancestor
STRAIN_DIVERGENCE = 0.0015, 0.06  # between two strains, without recombination
# Strains of a species: a share of species, and the least and the most strains
STRAINS = ((0.5, 1, 1), (0.15, 2, 2), (0.35, 3, 5))
PIECE, PIECE_SIGMA, MIN_PIECE = 4000, 0.8, 500  # bp, of the logarithm, bp
RATE_SHAPE = 2.0  # of the gamma distribution of the rates of pieces, with a mean of 1
RECOMBINED, LOST = 0.2, 0.05
ISLANDS, ISLAND, FOREIGN = 0.05, 8000, 0.2  # share of a strain, bp, share from another genus
COLLAPSED = 0.99  # identity
LOG_LENGTH, LOG_LENGTH_SIGMA = 8.0, np.log(2)  # of the median length (bp) of the contigs of a species

Table = np.ndarray  # contexts x old base x 3: the odds, summed up, of the bases that are not the old one


@dataclass
class Strains:
    """The strains of a species: the pieces of each (None: lost) and its islands, as codes of bases (0 to 3)."""

    names: list[str]
    pieces: list[list[np.ndarray | None]]  # strains x pieces
    islands: list[list[np.ndarray]]

    def identity(self) -> float:
        """Return the mean identity of the bases that two strains have in common; 1 for a single strain."""
        same, all_bases = 0, 0
        for one, other in combinations(self.pieces, 2):
            for a, b in zip(one, other, strict=True):
                if a is not None and b is not None:
                    same, all_bases = same + int((a == b).sum()), all_bases + len(a)
        return same / all_bases if all_bases else 1.0

    def length(self, strain: int) -> int:
        """Return the bases of a strain."""
        held = [piece for piece in self.pieces[strain] if piece is not None]
        return sum(map(len, held + self.islands[strain]))


def read_ancestor(path: Path) -> np.ndarray:
    """Return the codes of the bases of all sequences of a genome, one behind the other, without ambiguous ones."""
    codes = np.concatenate([CODE[np.frombuffer(text.upper().encode(), np.uint8)] for _, text in read_fasta(path)])
    return codes[codes < len(BASES)]


def context_codes(sequence: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the number of the bases before each position (from CONTEXT on)."""
    return sum(sequence[positions - 1 - back].astype(np.int64) * 4**back for back in range(CONTEXT))


def substitution_table(ancestor: np.ndarray, rng: np.random.Generator) -> Table:
    """Return what becomes of bases in a species of this ancestor."""
    positions = np.arange(CONTEXT, len(ancestor))
    counts = np.bincount(context_codes(ancestor, positions) * 4 + ancestor[positions], minlength=4 ** (CONTEXT + 1))
    odds = (counts + 1.0).reshape(-1, 4) * rng.lognormal(0, DRIFT, (4**CONTEXT, 4))
    table = np.stack([odds * (np.arange(4) != old) for old in range(4)], axis=1)
    return np.cumsum(table / table.sum(axis=2, keepdims=True), axis=2)[..., :3]


def mutate(sequence: np.ndarray, rate: float, table: Table, rng: np.random.Generator) -> np.ndarray:
    """Return the sequence with each base substituted with a probability of `rate`."""
    positions = CONTEXT + np.flatnonzero(rng.random(len(sequence) - CONTEXT) < rate)
    chances = table[context_codes(sequence, positions), sequence[positions]]
    changed = sequence.copy()
    changed[positions] = (rng.random((len(positions), 1)) >= chances).sum(axis=1)
    return changed


def window(sequence: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random part of a sequence, of this length if it has as many bases."""
    start = rng.integers(0, max(0, len(sequence) - length) + 1)
    return sequence[start : start + length]


def cut_pieces(sequence: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the pieces of a sequence that change and are exchanged as one."""
    lengths = np.maximum(MIN_PIECE, rng.lognormal(np.log(PIECE), PIECE_SIGMA, len(sequence) // MIN_PIECE + 1))
    ends = np.cumsum(lengths.astype(np.int64))
    return np.split(sequence, ends[ends < len(sequence) - MIN_PIECE])


def draw_strains(
    names: list[str], sequence: np.ndarray, table: Table, ancestors: list[np.ndarray], of: int, rng: np.random.Generator
) -> Strains:
    """Return the strains of a species with this sequence; `of` is its ancestor's number."""
    pieces = cut_pieces(sequence, rng)
    rate = np.exp(rng.uniform(*np.log(STRAIN_DIVERGENCE))) / 2 * rng.gamma(RATE_SHAPE, 1 / RATE_SHAPE, len(pieces))
    strains = Strains(names, [], [])
    for number in range(len(names)):
        own = [mutate(piece, share, table, rng) for piece, share in zip(pieces, rate, strict=True)]
        for at in np.flatnonzero(rng.random(len(pieces)) < RECOMBINED * (number > 0)):
            own[at] = strains.pieces[rng.integers(number)][at]
        strains.pieces.append(own)
    if len(names) == 1:
        strains.islands.append([])
        return strains
    for own in strains.pieces:
        for at in np.flatnonzero(rng.random(len(pieces)) < LOST):
            own[at] = None
        strains.islands.append(list(draw_islands(len(sequence), table, ancestors, of, rng)))
    return strains


def draw_islands(
    length: int, table: Table, ancestors: list[np.ndarray], of: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield what one strain alone has, of a genome of this length (bp)."""
    missing = int(ISLANDS * length)
    while missing > 0:
        size = max(MIN_PIECE, int(rng.lognormal(np.log(ISLAND), PIECE_SIGMA)))
        source = rng.integers(len(ancestors)) if rng.random() < FOREIGN else of
        yield mutate(window(ancestors[source], size, rng), SPECIES_DIVERGENCE[1], table, rng)
        missing -= size


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


def draw_numbers_of_strains(species: int, rng: np.random.Generator) -> np.ndarray:
    """Return how many strains each species has, in the shares of STRAINS."""
    numbers = [1] * species
    start = 0
    for share, least, most in STRAINS:
        end = start + round(share * species)
        numbers[start:end] = rng.integers(least, most + 1, len(numbers[start:end])).tolist()
        start = end
    return rng.permutation(numbers)


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
    for number, n_strains in enumerate(draw_numbers_of_strains(n_species, rng)):
        of, first = number % len(ancestors), len(genomes)
        table = substitution_table(ancestors[of], rng)
        part = window(ancestors[of], int(1e6 * rng.uniform(*megabases)), rng)
        sequence = mutate(part, rng.uniform(*SPECIES_DIVERGENCE), table, rng)
        named = [f"species_{number + 1}_strain_{strain + 1}" for strain in range(n_strains)]
        strains = draw_strains(named, sequence, table, ancestors, of, rng)
        log_length = rng.normal(LOG_LENGTH, LOG_LENGTH_SIGMA)
        for stretch, members in stretches(strains):
            cut = shred(BASES[stretch].tobytes().decode(), log_length, rng)
            contigs += cut
            owners += [[first + strain for strain in members]] * len(cut)
        of_species = {"species": f"species_{number + 1}", "ancestor": titles[of], "strains": str(n_strains)}
        identity = f"{strains.identity():.5f}"
        genomes += [
            {"genome": name} | of_species | {"length": str(strains.length(strain)), "identity": identity}
            for strain, name in enumerate(named)
        ]
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
