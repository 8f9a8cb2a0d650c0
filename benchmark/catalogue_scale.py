#!/usr/bin/env python3
"""Measure time and memory of index and map_reads on a gene catalogue of any size.

Genes are drawn at random, and reads of 150 bp from them, of which one base in a hundred is another. They are mapped as
the preset `genes` does it. Out: a row for each number of genes, on stdout as Markdown and, with --tsv, in a file: bases
of the catalogue, bytes of the catalogue (gzipped) and of the index, CPU seconds, seconds and peak memory of both
stages, and the share of the reads that were counted.
"""

import gzip
from pathlib import Path

import click
import numpy as np
import pandas as pd

from measured_runs import run_task
from project import BIN
from result_tables import FOLDER, ResultTable, tsv_option
from stage_scale import BASES, BLOCK, LEAST_BP, draw_lengths, write_contigs

READ_BP, SUBSTITUTED = 150, 0.01
QUALITY = "I" * READ_BP
AS_PRESET_GENES = ["--no_secondary", "--min_read_identity", 95, "--min_mapping_quality", 30, "--no_pairs"]


def draw_reads(genes: list[np.ndarray], n: int, rng: np.random.Generator) -> list[bytes]:
    """Return reads from genes that are long enough, as bases."""
    long = [gene for gene in genes if len(gene) >= READ_BP]
    reads = []
    for which in rng.integers(0, len(long), n if long else 0):
        start = rng.integers(0, len(long[which]) - READ_BP + 1)
        read = long[which][start : start + READ_BP].copy()
        changed = rng.random(READ_BP) < SUBSTITUTED
        read[changed] = BASES[rng.integers(0, 4, changed.sum())]
        reads.append(read.tobytes())
    return reads


def write_catalogue(folder: Path, length: np.ndarray, n_reads: int, rng: np.random.Generator) -> None:
    """Write catalogue.fa.gz and, in random order, reads.fq."""
    names = write_contigs(folder, length)
    reads = []
    with gzip.open(folder / "catalogue.fa.gz", "wb", compresslevel=1) as fasta:
        for start in range(0, len(length), BLOCK):
            ends = np.cumsum(length[start : start + BLOCK])
            genes = np.split(BASES[rng.integers(0, 4, ends[-1], np.uint8)], ends[:-1])
            named = zip(names[start : start + BLOCK], genes, strict=True)
            fasta.write(b"".join(b">%s\n%s\n" % (name.encode(), gene.tobytes()) for name, gene in named))
            reads += draw_reads(genes, round(n_reads * len(genes) / len(length)), rng)
    with open(folder / "reads.fq", "w") as fastq:
        for number, which in enumerate(rng.permutation(len(reads))):
            fastq.write(f"@r{number}\n{reads[which].decode()}\n+\n{QUALITY}\n")


def measure(folder: Path, threads: int) -> dict[str, object]:
    """Return what both stages take on the catalogue and the reads in a folder."""
    words = [BIN / "index.py", "--catalogue", "catalogue.fa.gz", "--mode", "sr", "--threads", threads]
    made = run_task(words, folder)
    words = [BIN / "map_reads.py", "--sample", "S", "--contigs", "contigs.tsv", "--reads", "reads.fq"]
    words += ["--index", "index/catalogue", "--threads", threads, *AS_PRESET_GENES]
    mapped = run_task(words, folder)
    counted = pd.read_csv(folder / "S.mapping.tsv", sep="\t").iloc[0]
    row = {"reads": counted["reads"], "counted": f"{counted['counted_reads'] / counted['reads']:.4f}"}
    row["catalogue_bytes"] = (folder / "catalogue.fa.gz").stat().st_size
    row["index_bytes"] = (folder / "index/catalogue").stat().st_size
    for stage, used in (("index", made), ("map", mapped)):
        row |= {f"{stage}_cpu_s": f"{used.cpu:.1f}", f"{stage}_s": f"{used.wall:.1f}"}
        row[f"{stage}_peak_mb"] = f"{used.memory:.0f}"
    return row


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=FOLDER)
@click.option("--genes", default=10**6, type=click.IntRange(min=1))
@click.option("--mean_bp", default=750, type=click.IntRange(LEAST_BP))
@click.option("--reads", default=10**6, type=click.IntRange(min=1))
@click.option("--threads", default=2, type=click.IntRange(1))
@tsv_option
def main(folder: Path, genes: int, mean_bp: int, reads: int, threads: int, tsv: Path | None) -> None:
    """Measure both stages on a catalogue that is generated in FOLDER, which must not exist."""
    folder = folder.resolve()
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    length = draw_lengths(genes, mean_bp, rng)
    write_catalogue(folder, length, reads, rng)
    row = {"genes": genes, "bases": length.sum()}
    ResultTable(tsv, ("genes", "reads")).add(row | measure(folder, threads))


if __name__ == "__main__":
    main()
