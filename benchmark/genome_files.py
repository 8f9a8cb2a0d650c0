"""Reading the FASTA files of genomes and contigs."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import click


def read_fasta(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and sequence of each record of a FASTA file, gzipped or not."""
    name, lines = "", []
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as fasta:
        for line in fasta:
            if line.startswith(">"):
                if name:
                    yield name, "".join(lines)
                name, lines = (line[1:].split() or ["?"])[0], []
            else:
                lines.append(line.strip())
    if name:
        yield name, "".join(lines)


def genome_file(folder: Path, name: str) -> Path:
    """Return the FASTA file of a genome. Raise ClickException if the folder does not have it."""
    path = folder / f"{name}.fna.gz"
    if not path.exists():
        raise click.ClickException(f"{path}: no such genome; give a folder that has NAME.fna.gz for every name")
    return path


def read_names(path: Path) -> list[tuple[str, str]]:
    """Return each genome of a community and its species, which is the genome itself where a line has one word."""
    words = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return [(line[0], line[-1]) for line in words]
