#!/usr/bin/env python3
"""Find homologous contigs: contigs of one assembly that hold genes for similar proteins.

In:  catalogue.fa.gz, contigs.tsv.
Out: homologs.tsv.gz (`contig_1, contig_2, shared`: the number of seeds that both contigs hold; each pair once, in
     catalogue order).

A genome has most of its genes once, so its contigs have little in common. Contigs that hold the same genes of two
related genomes have more in common, the closer the genomes are. The refinement uses this to recognise clusters that
hold two relatives.

This is Binloom's own method (docs/method.md, section 6.1), made of known parts: seeds that ignore the third bases of
codons (Brejova, Brown and Vinar 2004, J Bioinform Comput Biol 1:595), and a sample of them that is chosen by their
sequence, so that homologous contigs keep the same seeds (Broder 1997).
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from base_digits import DIGITS
from catalogue_fasta import catalogue_sequences
from stage_tables import CONTIGS, HOMOLOGS, read_table
from table_output import write_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
N_BASES = 4
# A seed is the first two bases of each of ten codons, 29 bases long; both strands have the same places.
SEED_PLACES = np.delete(np.arange(29), np.s_[2::3])
# The six innermost bases of a seed, its core, decide whether it is kept.
CORE = slice(7, 13)
N_CORES = N_BASES**6
N_KEPT_CORES = 64
KEPT_CORES_SEED = 1  # of the random numbers that choose them
# A seed in more contigs than this comes from a repeat, or from a gene that all life shares.
MAX_CONTIGS_PER_SEED = 8


def canonical_numbers(bases: np.ndarray) -> np.ndarray:
    """Return a number for each word of k bases (w, uint64), the same for a word and its reverse complement.

    `bases` is w x k, digits 0 to 3. The number is the lesser of those of the two words.
    """
    place_value = np.uint64(N_BASES) ** np.arange(bases.shape[1], dtype=np.uint64)
    return np.minimum(bases @ place_value[::-1], (3 - bases) @ place_value)


def choose_cores() -> np.ndarray:
    """Return which of all words of six bases are cores of kept seeds (N_CORES, bool).

    There are N_KEPT_CORES of them, always the same ones, and with each word its reverse complement.
    """
    bases = (np.arange(N_CORES)[:, None] >> np.arange(10, -1, -2) & 3).astype(np.uint64)
    canonical = canonical_numbers(bases)
    # Without words that are their own reverse complements: each of the others stands for two
    pairs = np.flatnonzero((canonical == np.arange(N_CORES)) & (bases != 3 - bases[:, ::-1]).any(axis=1))
    chosen = np.random.default_rng(KEPT_CORES_SEED).choice(pairs, N_KEPT_CORES // 2, replace=False)
    return np.isin(canonical, chosen)


IS_KEPT_CORE = choose_cores()


def find_seeds(sequence: bytes) -> np.ndarray:
    """Return the seeds of a contig, each once (uint64, ascending): one place in 64 has one."""
    digits = np.frombuffer(sequence.translate(DIGITS), np.uint8)
    n_places = max(0, len(digits) - SEED_PLACES[-1])
    core = np.zeros(n_places, np.uint16)
    for place in SEED_PLACES[CORE]:
        core <<= 2
        core |= digits[place : place + n_places] & 3
    bases = digits[np.flatnonzero(IS_KEPT_CORE[core])[:, None] + SEED_PLACES]
    return np.unique(canonical_numbers(bases[(bases < N_BASES).all(axis=1)].astype(np.uint64)))


def shared_seeds(seeds: np.ndarray, contig: np.ndarray) -> np.ndarray:
    """Return pairs of contigs and the number of seeds that both hold (p x 3 int64, sorted; the lesser contig first).

    `seeds` and `contig` (each n) say which contig holds which seed, each once. Seeds in more than MAX_CONTIGS_PER_SEED
    contigs do not count.
    """
    order = np.lexsort((contig, seeds))
    seeds, contig = seeds[order], contig[order].astype(np.int64)
    first = np.flatnonzero(np.append(True, seeds[1:] != seeds[:-1])[: len(seeds)])
    holders = np.diff(first, append=len(seeds))
    width = int(contig.max(initial=0)) + 1
    keys = [np.empty(0, np.int64)]
    for n in range(2, MAX_CONTIGS_PER_SEED + 1):
        held_by = contig[first[holders == n][:, None] + np.arange(n)]
        keys += [held_by[:, a] * width + held_by[:, b] for a, b in itertools.combinations(range(n), 2)]
    pairs, shared = np.unique(np.concatenate(keys), return_counts=True)
    return np.column_stack([pairs // width, pairs % width, shared])


def find_homologs(sequences: Iterator[bytes], assembly: pd.Series) -> np.ndarray:
    """Return the pairs of `shared_seeds` within each assembly, in order (p x 3; contigs as their rows).

    `sequences` and `assembly` are those of all contigs, in catalogue order.
    """
    pairs = [np.empty((0, 3), np.int64)]
    contigs = enumerate(zip(assembly, sequences, strict=True))
    for _, members in itertools.groupby(contigs, key=lambda item: item[1][0]):
        seeds, contig = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
        for row, (_, sequence) in members:
            seeds.append(find_seeds(sequence))
            contig.append(np.full(len(seeds[-1]), row, np.int32))
        pairs.append(shared_seeds(np.concatenate(seeds), np.concatenate(contig)))
    return np.concatenate(pairs)


@click.command(context_settings={"show_default": True})
@click.option("--catalogue", required=True, type=FILE, help="catalogue.fa.gz.")
@click.option("--contigs", "contigs_path", required=True, type=FILE, help="contigs.tsv.")
def main(catalogue: Path, contigs_path: Path) -> None:
    """Find the homologous contigs of each assembly of a group."""
    contigs = read_table(CONTIGS, contigs_path)
    pairs = find_homologs(catalogue_sequences(catalogue, contigs, contigs_path), contigs["assembly"])
    names = contigs["contig"].to_numpy()
    table = pd.DataFrame({"contig_1": names[pairs[:, 0]], "contig_2": names[pairs[:, 1]], "shared": pairs[:, 2]})
    write_table(HOMOLOGS, table)
    click.echo(f"{len(table)} pairs of homologous contigs among {len(contigs)}", err=True)


if __name__ == "__main__":
    main()
