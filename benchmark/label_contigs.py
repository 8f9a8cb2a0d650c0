#!/usr/bin/env python3
"""Find the genomes that assembled contigs come from: the truth that score.py takes.

In: a folder of genomes (NAME.fna.gz), a file with the names of those in the community, the contigs (FASTA). Out: a TSV
(contig, genome, length) with a row for each genome of a contig; contigs that fit no genome have none.

minimap2 (preset asm5) aligns the contigs to all genomes. Of the alignments to one genome those count that do not
overlap on the contig, the one with most matches first. A contig belongs to the genomes to which at least 0.9 of it
aligns, with an identity within 0.001 of the best of them.
"""

import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import click

from genome_files import genome_file, read_fasta, read_names
from result_tables import FILE, FOLDER

MIN_ALIGNED = 0.9  # share of a contig that aligns to its genome
IDENTITY_RANGE = 0.001  # below the identity with the best genome, in which others count as well
MINIMAP2 = ["minimap2", "-cx", "asm5", "--secondary=yes", "-N", "60", "-p", "0.3"]


class Alignment(NamedTuple):
    """A stretch of a contig that aligns to a genome."""

    matches: int
    columns: int
    start: int  # on the contig
    end: int


def write_reference(folder: Path, names: Iterable[str], path: Path) -> list[str]:
    """Write the sequences of all genomes to one FASTA file, named 0, 1, ...; return the genome of each."""
    owners = []
    with open(path, "w") as out:
        for name in names:
            for _, sequence in read_fasta(genome_file(folder, name)):
                out.write(f">{len(owners)}\n{sequence}\n")
                owners.append(name)
    return owners


def read_alignments(lines: Iterable[str], owners: list[str]) -> dict[str, dict[str, list[Alignment]]]:
    """Return the alignments of each contig with each genome from lines of PAF."""
    found: dict[str, dict[str, list[Alignment]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        field = line.split("\t")
        alignment = Alignment(int(field[9]), int(field[10]), int(field[2]), int(field[3]))
        found[field[0]][owners[int(field[5])]].append(alignment)
    return found


def matches_and_columns(alignments: list[Alignment]) -> tuple[int, int]:
    """Return matches and columns of the alignments that do not overlap on the contig, the best ones first."""
    kept: list[Alignment] = []
    for one in sorted(alignments, reverse=True):
        if all(one.end <= other.start or one.start >= other.end for other in kept):
            kept.append(one)
    return sum(one.matches for one in kept), sum(one.columns for one in kept)


def genomes_of(alignments: dict[str, list[Alignment]], length: int) -> list[str]:
    """Return the genomes of a contig of this length, in order."""
    identity = {}
    for genome, found in alignments.items():
        matches, columns = matches_and_columns(found)
        if columns >= MIN_ALIGNED * length:
            identity[genome] = matches / columns
    best = max(identity.values(), default=0.0)
    return sorted(genome for genome, value in identity.items() if value >= best - IDENTITY_RANGE)


@click.command(context_settings={"show_default": True})
@click.argument("folder", metavar="GENOMES", type=FOLDER)
@click.argument("names", type=FILE)
@click.argument("contigs", type=FILE)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--threads", default=2, type=click.IntRange(min=1))
def main(folder: Path, names: Path, contigs: Path, out: Path, threads: int) -> None:
    """Write to OUT which of the genomes in NAMES, which are in the folder GENOMES, each of CONTIGS belongs to."""
    length = {name: len(sequence) for name, sequence in read_fasta(contigs)}
    with tempfile.TemporaryDirectory() as temporary:
        reference = Path(temporary) / "genomes.fna"
        owners = write_reference(folder, [name for name, _ in read_names(names)], reference)
        command = [*MINIMAP2, "-t", str(threads), str(reference), str(contigs)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"minimap2 failed: {done.stderr.strip()}")
    labelled = shared = 0
    with open(out, "w") as table:
        table.write("contig\tgenome\tlength\n")
        for contig, alignments in read_alignments(done.stdout.splitlines(), owners).items():
            genomes = genomes_of(alignments, length[contig])
            table.writelines(f"{contig}\t{genome}\t{length[contig]}\n" for genome in genomes)
            labelled += bool(genomes)
            shared += len(genomes) > 1
    click.echo(f"{labelled} of {len(length)} contigs have a genome, {shared} several", err=True)


if __name__ == "__main__":
    main()
