#!/usr/bin/env python3
"""Simulate the genomes of a community from a seed alone: species and strains that descend from random ancestors.

Out, in OUT: genomes/NAME.fna.gz, names.txt (the names, one a line, as simulate_reads.py and label_contigs.py take
them) and genomes.tsv (genome, species, ancestor, strains: of the species, length: bp, identity: mean of the pieces that
two strains have in common).

Ancestors: each begins a genus and is a third-order Markov chain of its own, drawn about its GC content, in stretches
of 2 kbp that lie on either strand and vary about that content. Composition tells less than in the real genomes of the
other sets (by hand): the 4-mers of a genome stray from what its GC content says 0.6 times as far, those of its parts of
5 kbp from the genome's 0.8 times. There are no genes, so marker genes tell nothing.
evolution.py says how ancestors become species and strains: half of the species have one strain, a third two, a sixth
three; two strains are 95 to 99.5 % alike. Repeats: a fifth of the pieces of a species are followed by a copy of one of
its repeats, about 40 in a Mbp. A repeat has 200 to 1,500 bp and two to six copies, all of them the same, at the same
places in all strains. Same arguments and same numpy: same files.
"""

import gzip
from pathlib import Path

import click
import numpy as np

from evolution import BASES, CONTEXT, Strains, draw_numbers_of_strains, evolve, window
from result_tables import FOLDER, write_rows

GC = 0.3, 0.65
CONCENTRATION = 20.0  # of the Dirichlet about the GC content: lower makes ancestors more unlike
STRETCH = 2000  # bp
STRETCH_SIGMA = 0.2  # of the logarithm of the odds of G and C in a stretch
STRAIN_DIVERGENCE = 0.008, 0.045  # between two strains, without recombination
# Strains of a species: a share of species, and the least and the most strains
STRAINS = ((1 / 2, 1, 1), (1 / 3, 2, 2), (1 / 6, 3, 3))
REPEAT, COPIES = (200, 1500), (2, 6)  # least and most bp and copies of a repeat
REPEATED = 0.2  # share of the pieces behind which a copy of a repeat stands


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """Return the other strand of sequences (their bases along the last axis)."""
    return 3 - codes[..., ::-1]


def draw_ancestor(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return the codes of the bases of a genome of this length (bp)."""
    gc, contexts = rng.uniform(*GC), len(BASES) ** CONTEXT
    odds = rng.dirichlet(CONCENTRATION * np.array([1 - gc, gc, gc, 1 - gc]) / 2, contexts)
    # Stretches are drawn side by side, a base of each at a time
    n = -(-length // STRETCH)
    shift = np.exp(rng.normal(0, STRETCH_SIGMA, n))[:, None, None] ** np.array([0, 1, 1, 0])
    chances = np.cumsum(odds * shift / (odds * shift).sum(axis=2, keepdims=True), axis=2)[..., :3]
    context, stretches = rng.integers(0, contexts, n), np.empty((n, STRETCH), np.uint8)
    for at in range(STRETCH):
        stretches[:, at] = (rng.random((n, 1)) >= chances[np.arange(n), context]).sum(axis=1)
        context = (context * len(BASES) + stretches[:, at]) % contexts
    turned = rng.random((n, 1)) < 1 / 2
    return np.where(turned, reverse_complement(stretches), stretches).ravel()[:length]


def draw_repeats(strains: Strains, rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Return the copies of repeats, one or none, that stand behind each piece of every strain.

    They are drawn for the species: copies of a repeat of the ancestor would have drifted apart.
    """
    held = [piece for piece in strains.pieces[0] if piece is not None]
    behind: list[list[np.ndarray]] = [[] for _ in strains.pieces[0]]
    places = rng.permutation(len(behind))[: round(REPEATED * len(behind))].tolist()
    while places:
        repeat = window(held[rng.integers(len(held))], int(rng.integers(REPEAT[0], REPEAT[1] + 1)), rng)
        for _ in range(min(len(places), int(rng.integers(COPIES[0], COPIES[1] + 1)))):
            behind[places.pop()].append(reverse_complement(repeat) if rng.random() < 1 / 2 else repeat)
    return behind


def lay_out(strains: Strains, strain: int, repeats: list[list[np.ndarray]], rng: np.random.Generator) -> np.ndarray:
    """Return the genome of a strain: its pieces in order, with repeats and, at random places, its islands."""
    parts = [
        [piece, *copies] for piece, copies in zip(strains.pieces[strain], repeats, strict=True) if piece is not None
    ]
    for island in strains.islands[strain]:
        parts[rng.integers(len(parts))].append(island)
    return np.concatenate([block for part in parts for block in part])


def write_genome(path: Path, name: str, codes: np.ndarray) -> None:
    """Write the bases of a genome as a FASTA file of one record, the same bytes at any time."""
    with gzip.GzipFile(path, "wb", 3, mtime=0) as fasta:
        fasta.write(b">%s\n%s\n" % (name.encode(), BASES[codes].tobytes()))


@click.command(context_settings={"show_default": True})
@click.argument("out", type=FOLDER)
@click.option("--species", "n_species", default=12, type=click.IntRange(min=1))
@click.option("--ancestors", "n_ancestors", default=8, type=click.IntRange(min=1))
@click.option("--megabases", default=(0.8, 1.2), type=(float, float), help="Least and most of a genome.")
@click.option("--seed", default=61, type=click.IntRange(min=0))
def main(out: Path, n_species: int, n_ancestors: int, megabases: tuple[float, float], seed: int) -> None:
    """Write the genomes of a simulated community to OUT."""
    rng = np.random.default_rng(seed)
    (out / "genomes").mkdir(parents=True, exist_ok=True)
    ancestors = [draw_ancestor(int(1e6 * megabases[1]), rng) for _ in range(n_ancestors)]
    genomes: list[dict[str, str]] = []
    numbers = draw_numbers_of_strains(n_species, STRAINS, rng)
    for strains in evolve(ancestors, numbers, megabases, STRAIN_DIVERGENCE, rng):
        repeats = draw_repeats(strains, rng)
        sequences = [lay_out(strains, strain, repeats, rng) for strain in range(len(strains.pieces))]
        rows = strains.rows(f"ancestor_{strains.ancestor + 1}", list(map(len, sequences)))
        for row, sequence in zip(rows, sequences, strict=True):
            write_genome(out / "genomes" / f"{row['genome']}.fna.gz", row["genome"], sequence)
        genomes += rows
    write_rows(out / "genomes.tsv", genomes)
    (out / "names.txt").write_text("".join(f"{row['genome']}\n" for row in genomes))


if __name__ == "__main__":
    main()
