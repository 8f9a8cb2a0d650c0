#!/usr/bin/env python3
"""Tell which reference genomes the contigs of a group are from, by blastn (preprint, Assigning ground truth).

In:  catalogue.fa.gz and contigs.tsv of the group, and a FASTA (plain or gzipped) for each genome.
Out: truth.tsv (`assembly, contig, genome, length`, with the assembler's names), as `--truth` takes it; none if no
     contig has a genome.

Contigs that no rule of reference_alignments.py gives a genome are not in the table. A genome may be given by several
FASTA files. makeblastdb and blastn (BLAST+) run in this folder.
"""

import io
import itertools
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from binner_files import lines_of
from catalogue_fasta import catalogue_sequences
from command_pipe import running
from evaluation_tables import TRUTH
from message_text import shown
from output_files import writing
from reference_alignments import MIN_ALIGNED, MIN_IDENTITY, Alignment, genome_of
from stage_tables import CONTIGS, read_table
from stage_warnings import warn
from table_output import write_rows

QUERIES, REFERENCES = Path("queries.fa"), Path("references.fa")
COLUMNS = "qseqid sseqid length nident qstart qend"
MIN_TARGETS = 500  # what blastn reports of each contig if not told otherwise
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"show_default": True})
@click.option("--catalogue", required=True, type=FILE, help="catalogue.fa.gz")
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv")
@click.option("--genome", "genomes", required=True, multiple=True, type=(str, FILE), metavar="NAME FASTA")
@click.option("--threads", default=1, type=click.IntRange(1, 1024))
def main(catalogue: Path, contigs: Path, genomes: tuple[tuple[str, Path], ...], threads: int) -> None:
    """Write ./truth.tsv."""
    table = read_table(CONTIGS, contigs)
    write_queries(catalogue_sequences(catalogue, table, contigs))
    sequences = write_references(genomes)  # genome and length of each
    lengths: dict[str, int] = {}
    for name, length in sequences:
        lengths[name] = lengths.get(name, 0) + length
    genome = {row: genome_of(found, lengths) for row, found in alignments([name for name, _ in sequences], threads)}
    rows = [row for row, name in genome.items() if name is not None]
    known = table.iloc[rows].assign(genome=[genome[row] for row in rows])
    if rows:
        write_rows(TRUTH, known[["assembly", "name", "genome", "length"]].to_numpy().tolist())
    else:
        warn("no contig is from any of the reference genomes, so bins are not scored: give genomes of these samples")
    n_long = int((table["length"] >= MIN_ALIGNED).sum())
    click.echo(f"{len(rows)} of {n_long} contigs of at least {MIN_ALIGNED} bp have a genome", err=True)


def write_queries(sequences: Iterable[bytes]) -> None:
    """Write the contigs that an alignment could count of, named by their rows in contigs.tsv."""
    with writing(QUERIES), open(QUERIES, "wb") as file:
        for row, sequence in enumerate(sequences):
            if len(sequence) >= MIN_ALIGNED:
                file.write(b">%d\n%s\n" % (row, sequence))


def write_references(genomes: Iterable[tuple[str, Path]]) -> list[tuple[str, int]]:
    """Write all genomes into one FASTA with sequences named 0, 1, ..., and return genome and length (bp) of each.

    Raise ClickException for a file that is damaged or no FASTA.
    """
    found: list[tuple[str, int]] = []
    with writing(REFERENCES), open(REFERENCES, "wb") as file:
        for name, path in genomes:
            before = len(found)
            for line in map(bytes.strip, lines_of(path)):
                if line.startswith(b">"):
                    file.write(b">%d\n" % len(found))
                    found.append((name, 0))
                elif line and len(found) == before:
                    raise click.ClickException(
                        f"{path}: is not FASTA: it begins with {shown(line[:20])}; give genomes as FASTA"
                    )
                elif line:
                    file.write(line + b"\n")
                    found[-1] = (name, found[-1][1] + len(line))
            if not any(length for _, length in found[before:]):
                raise click.ClickException(f"{path}: holds no sequence; remove it, or copy it again")
    return found


def alignments(genomes: list[str], threads: int) -> Iterator[tuple[int, list[Alignment]]]:
    """Yield each contig (row of contigs.tsv) that aligns, with its alignments; genomes: of each reference sequence."""
    if not QUERIES.stat().st_size:
        return
    database = ["makeblastdb", "-dbtype", "nucl", "-in", str(REFERENCES), "-out", "references"]
    with running(database, stdout=subprocess.DEVNULL):
        pass
    search = [
        "blastn", "-query", str(QUERIES), "-db", "references", "-perc_identity", f"{MIN_IDENTITY:g}",
        "-max_target_seqs", str(max(MIN_TARGETS, len(genomes))), "-num_threads", str(threads),
        "-outfmt", f"6 {COLUMNS}",
    ]  # fmt: skip
    with running(search, stdout=subprocess.PIPE) as blastn:
        rows = (line.split() for line in io.BufferedReader(blastn.stdout))
        for contig, hits in itertools.groupby(rows, key=lambda row: row[0]):
            yield int(contig), [Alignment(genomes[int(hit[1])], *map(int, hit[2:])) for hit in hits]


if __name__ == "__main__":
    main()
