#!/usr/bin/env python3
"""Finds homologous contigs: those of one assembly that hold genes for much the same proteins.

In:  catalogue.fa.gz, contigs.tsv.
Out: homologs.tsv.gz (`contig_1, contig_2, shared`: how many seeds both hold; each pair once, in catalogue order).

A genome has most of its genes once: its contigs have little in common. Contigs that hold the same genes of two related
genomes have the more in common, the closer these are. By that the refinement tells clusters that hold two relatives.

Binloom's own method (docs/method.md, section 6.1), from known parts: seeds that do not ask for the third bases of
codons (Brejova, Brown and Vinar 2004, J Bioinform Comput Biol 1:595) and of which a sample is kept by what they are, so
that homologous contigs keep the same ones (Broder 1997).
"""

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pysam

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# Bases as digits 0 to 3 in the order ACGT, in either case; 4 is anything else.
DIGITS = bytes(b"ACGT".find(bytes([code]).upper()) % 5 for code in range(256))
# A seed is the first two bases of each of ten codons: of 29, the same places from either strand.
PLACES = np.array([place for place in range(29) if place % 3 != 2])
CORE = slice(7, 13)  # its six innermost bases, by which it is kept or not
WORDS = 4**6
KEPT_WORDS = 64
# A seed that more contigs hold is of a repeat, or of a gene that all life shares.
MOST_CONTIGS = 8


def numbers(bases: np.ndarray) -> np.ndarray:
    """Return words of bases (w x k digits, 0 to 3) as numbers (w, uint64): of a word or its reverse complement, whichever
    is less."""
    worth = np.uint64(4) ** np.arange(bases.shape[1], dtype=np.uint64)
    return np.minimum(bases @ worth[::-1], (3 - bases) @ worth)


def kept_words() -> np.ndarray:
    """Return which of all words of six bases (WORDS, bool) are cores of seeds that are kept: KEPT_WORDS, drawn once for
    all, with each its reverse complement."""
    bases = (np.arange(WORDS)[:, None] >> np.arange(10, -1, -2) & 3).astype(np.uint64)
    lesser = numbers(bases)
    # Words that are their own reverse complements stay out: each of the others stands for two
    pairs = np.flatnonzero((lesser == np.arange(WORDS)) & (bases != 3 - bases[:, ::-1]).any(axis=1))
    drawn = np.random.default_rng(1).choice(pairs, KEPT_WORDS // 2, replace=False)
    return np.isin(lesser, drawn)


KEPT = kept_words()


def find_seeds(sequence: str) -> np.ndarray:
    """Return the seeds of a contig, each once (uint64, ascending): one place in 64 has one."""
    digits = np.frombuffer(sequence.encode("ascii", "replace").translate(DIGITS), np.uint8)
    n_places = max(0, len(digits) - PLACES[-1])
    core = np.zeros(n_places, np.uint16)
    for place in PLACES[CORE]:
        core <<= 2
        core |= digits[place : place + n_places] & 3
    bases = digits[np.flatnonzero(KEPT[core])[:, None] + PLACES]
    return np.unique(numbers(bases[(bases < 4).all(axis=1)].astype(np.uint64)))


def shared_seeds(seeds: np.ndarray, contig: np.ndarray) -> np.ndarray:
    """Return pairs of contigs and how many seeds both hold (p x 3 int64, sorted; the first contig is the lesser).

    `seeds` and `contig` (each n) say which contig holds which seed, once; those of more than MOST_CONTIGS do not count.
    """
    order = np.lexsort((contig, seeds))
    seeds, contig = seeds[order], contig[order].astype(np.int64)
    first = np.flatnonzero(np.append(True, seeds[1:] != seeds[:-1])[: len(seeds)])
    holders = np.diff(first, append=len(seeds))
    width = int(contig.max(initial=0)) + 1
    keys = [np.empty(0, np.int64)]
    for n in range(2, MOST_CONTIGS + 1):
        held_by = contig[first[holders == n][:, None] + np.arange(n)]
        keys += [held_by[:, a] * width + held_by[:, b] for a, b in itertools.combinations(range(n), 2)]
    pairs, shared = np.unique(np.concatenate(keys), return_counts=True)
    return np.column_stack([pairs // width, pairs % width, shared])


def read_catalogue(path: Path, contigs: pd.DataFrame, contigs_path: Path) -> Iterator[str]:
    """Yield the sequence of each contig; ClickException for the first in which catalogue and contigs.tsv differ."""
    try:
        with pysam.FastxFile(str(path), persist=False) as records:
            for record, name in itertools.zip_longest(records, contigs["contig"]):
                found = record.name if record else None
                if found != name:
                    has, wanted = ("ends" if c is None else f"has contig {c!r}" for c in (found, name))
                    raise click.ClickException(
                        f"{path} {has} where {contigs_path} {wanted}: make both from the same assemblies"
                    )
                yield record.sequence
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path}: is damaged ({error}): make it again") from error


def find_homologs(sequences: Iterator[str], assembly: pd.Series) -> np.ndarray:
    """Return the pairs of `shared_seeds` among the contigs of each assembly, in order (p x 3; contigs as rows)."""
    pairs = [np.empty((0, 3), np.int64)]
    for _, rows in itertools.groupby(enumerate(assembly), key=lambda item: item[1]):
        seeds, contig = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
        for row, _ in rows:
            seeds.append(find_seeds(next(sequences) or ""))
            contig.append(np.full(len(seeds[-1]), row, np.int32))
        pairs.append(shared_seeds(np.concatenate(seeds), np.concatenate(contig)))
    next(sequences, None)  # there must be none left
    return np.concatenate(pairs)


@click.command(context_settings={"show_default": True})
@click.option("--catalogue", required=True, type=FILE, help="catalogue.fa.gz.")
@click.option("--contigs", "contigs_path", required=True, type=FILE, help="contigs.tsv.")
def main(catalogue: Path, contigs_path: Path) -> None:
    """Find the homologous contigs of each assembly of a group."""
    contigs = pd.read_csv(
        contigs_path, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE
    )
    pairs = find_homologs(read_catalogue(catalogue, contigs, contigs_path), contigs["assembly"])
    names = contigs["contig"].to_numpy()
    table = pd.DataFrame({"contig_1": names[pairs[:, 0]], "contig_2": names[pairs[:, 1]], "shared": pairs[:, 2]})
    gzipped = {"method": "gzip", "compresslevel": 6, "mtime": 0}
    table.to_csv(
        "homologs.tsv.gz", sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE, compression=gzipped
    )
    click.echo(f"{len(table)} pairs of homologous contigs among {len(contigs)}", err=True)


if __name__ == "__main__":
    main()
