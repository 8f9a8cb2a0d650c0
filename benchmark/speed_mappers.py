#!/usr/bin/env python3
"""Compare what the mappers take, from a sample's reads to its table of counts or, of strobealign, of estimates.

The contigs and the pairs of reads are generated as speed_features.py does or, with --catalogue and --reads, given: the
folder `catalogue` of a group's results, and FASTQ. Each mapper makes its index by index.py and maps by map_reads.py.
Out: a row for each mapper, on stdout as Markdown and, with --tsv, in a file: seconds of the processor and peak memory
of both commands, microseconds of the processor per read, mapped reads, and how the coverage of the contigs correlates
with the first mapper's.
"""

import shutil
from pathlib import Path

import click
import numpy as np
import pandas as pd

from fault_runs import fresh
from measured_runs import run
from project import BIN
from result_tables import FILE, FOLDER, ResultTable, tsv_option
from speed_features import write_contigs, write_reads

BP_PER_CONTIG = 5000  # of generated ones
MAPPERS = ("minimap2", "bwa", "strobealign")


def measured(folder: Path, mapper: str, catalogue: Path, reads: tuple[Path, ...], threads: int) -> dict[str, object]:
    """Run index.py and map_reads.py in a folder; return what they took, and the coverage of the contigs."""
    fresh(folder)
    mode = "sr" if mapper == "minimap2" else mapper
    length = ["--reads", reads[0]] if mapper == "strobealign" else []
    index = [BIN / "index.py", "--catalogue", catalogue / "catalogue.fa.gz", "--mode", mode, "--threads", threads]
    indexing = run([*index, *length], folder)
    files = [word for path in reads for word in ("--reads", path)]
    command = [BIN / "map_reads.py", "--sample", "S", "--contigs", catalogue / "contigs.tsv", *files]
    mapping = run([*command, "--index", "index/catalogue", "--mapper", mapper, "--threads", threads], folder)
    numbers = pd.read_csv(folder / "S.mapping.tsv", sep="\t").iloc[0]
    coverage = pd.read_csv(folder / "S.counts.tsv.gz", sep="\t")["coverage"].to_numpy()
    return {"indexing": indexing, "mapping": mapping, "numbers": numbers, "coverage": coverage}


def generate(folder: Path, bases: int, pairs: int) -> None:
    """Write catalogue.fa.gz, contigs.tsv, 1.fq and 2.fq."""
    rng = np.random.default_rng(1)
    write_reads(folder, write_contigs(folder, bases, bases // BP_PER_CONTIG, rng), pairs, rng)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--set", "name", default="generated", show_default=True, help="Name of the data in the table.")
@click.option("--catalogue", type=FOLDER, help="catalogue/ of a group's results, in place of generated contigs.")
@click.option("--reads", type=FILE, multiple=True, help="FASTQ of a sample, once or twice, with --catalogue.")
@click.option("--bases", default=20_000_000, show_default=True, help="bp of the generated contigs.")
@click.option("--pairs", default=200_000, show_default=True, help="Generated pairs of reads.")
@click.option("--mapper", "mappers", type=click.Choice(MAPPERS), multiple=True, default=("minimap2", "strobealign"))
@click.option("--threads", default=1, show_default=True)
@tsv_option
def main(
    folder: Path,
    name: str,
    catalogue: Path | None,
    reads: tuple[Path, ...],
    bases: int,
    pairs: int,
    mappers: tuple[str, ...],
    threads: int,
    tsv: Path | None,
) -> None:
    """Map a sample by each mapper, in FOLDER."""
    if bool(catalogue) != bool(reads):
        raise click.UsageError("give --catalogue and --reads, or neither")
    absent = [mapper for mapper in mappers if not shutil.which(mapper)]
    if absent:
        raise click.UsageError(f"not on PATH: {', '.join(absent)}")
    if catalogue is None:
        catalogue = fresh(folder / "generated")
        generate(catalogue, bases, pairs)
        reads = (catalogue / "1.fq", catalogue / "2.fq")
    table, first = ResultTable(tsv, ("set", "mapper")), None
    for mapper in mappers:
        paths = tuple(path.resolve() for path in reads)
        found = measured(folder / mapper, mapper, catalogue.resolve(), paths, threads)
        first = found["coverage"] if first is None else first
        table.add(
            {
                "set": name,
                "mapper": mapper,
                "reads": found["numbers"]["reads"],
                "mapped_reads": found["numbers"]["mapped_reads"],
                "index_cpu_s": f"{found['indexing'].cpu:.1f}",
                "index_mb": f"{found['indexing'].memory:.0f}",
                "map_cpu_s": f"{found['mapping'].cpu:.1f}",
                "map_mb": f"{found['mapping'].memory:.0f}",
                "us_per_read": f"{1e6 * found['mapping'].cpu / found['numbers']['reads']:.1f}",
                "correlation": f"{np.corrcoef(first, found['coverage'])[0, 1]:.4f}",
            }
        )


if __name__ == "__main__":
    main()
