#!/usr/bin/env python3
"""Measure time and memory of features, vae and cluster on generated groups of any size.

Contigs or genes (--mean_bp) are drawn from genomes of 200 on average; those of a genome have one profile over the
samples, with counting noise. Out: a row for each stage, on stdout as Markdown and, with --tsv, in a file: CPU seconds,
seconds, peak memory of the process, and what to hold them against. For features that is the time to read the same
counts once with the reader of the stages (read_s); for vae the seconds of its last epoch, the floating-point operations
of its linear layers per second of it (gflops), and those of a single product of the size of its largest layer, the
limit of the machine (limit_gflops).
"""

import gzip
import hashlib
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from measured_runs import Usage, run_task
from project import BIN
from result_tables import FOLDER, ResultTable, tsv_option
from speed_cluster import KINDS, draw_points

GENES_PER_GENOME, READS_PER_KB, DEPTH_SPREAD, EDITS_A_READ = 200, 20, 1.5, 0.5
LEAST_BP = 100
BASES = np.frombuffer(b"ACGT", np.uint8)
BLOCK = 20_000  # rows that are drawn at once
TIMED_S = 5  # of the products that tell the limit
ROWS_OF_PRODUCT = 4096
STAGES = ("features", "vae", "cluster")
READ_COUNTS = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from stage_tables import COUNTS, read_table
for path in Path().glob("*.counts.tsv.gz"):
    read_table(COUNTS, path)
"""
# Prints the seconds of a product. A process of its own: what this one holds would count as memory of those it starts.
PRODUCTS = """
import sys, time
import torch
rows, width, hidden, threads, limit = map(int, sys.argv[1:])
torch.set_float32_matmul_precision("medium")
torch.set_num_threads(threads)
one, other = torch.randn(rows, width), torch.randn(width, hidden)
times, started = 0, time.perf_counter()
while time.perf_counter() - started < limit:
    one @ other
    times += 1
print((time.perf_counter() - started) / times)
"""


def draw_lengths(n: int, mean_bp: int, rng: np.random.Generator) -> np.ndarray:
    """Return the length (bp) of each contig."""
    return LEAST_BP + rng.exponential(max(1, mean_bp - LEAST_BP), n).astype(np.int64)


def lengths_and_profiles(n: int, samples: int, mean_bp: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return the length (bp) and the genome of each contig, and the depth of each genome in each sample."""
    length = draw_lengths(n, mean_bp, rng)
    genome = rng.integers(0, max(2, n // GENES_PER_GENOME), n)
    return length, genome, rng.lognormal(0, DEPTH_SPREAD, (genome.max() + 1, samples)).astype(np.float32)


def write_contigs(folder: Path, length: np.ndarray) -> list[str]:
    """Write contigs.tsv and rows.tsv; return the names."""
    names = [f"g{number}" for number in range(len(length))]
    table = pd.DataFrame({"contig": names, "assembly": "a", "name": names, "length": length})
    table.to_csv(folder / "contigs.tsv", sep="\t", index=False)
    table[["contig", "length"]].to_csv(folder / "rows.tsv", sep="\t", index=False)
    return names


def write_counts(folder: Path, names: list[str], length: np.ndarray, depth: Iterator[np.ndarray]) -> list[str]:
    """Write counts.tsv.gz and mapping.tsv of each sample, whose depth of each contig comes in turn; return options."""
    rng, options = np.random.default_rng(2), []
    for number, column in enumerate(depth):
        sample, reads = f"S{number}", rng.poisson(column * length * READS_PER_KB / 1000)
        edits = rng.poisson(reads * EDITS_A_READ) / length
        rows = zip(names, reads.tolist(), (reads / length).tolist(), edits.tolist(), strict=True)
        with gzip.open(folder / f"{sample}.counts.tsv.gz", "wt", compresslevel=1) as file:
            file.write("sample\tcontig\treads\tcoverage\tedits\n")
            file.writelines(f"{sample}\t{name}\t{n}\t{depth:.6g}\t{each:.6g}\n" for name, n, depth, each in rows)
        mapping = {"sample": sample, "reads": reads.sum(), "mapped_reads": reads.sum(), "counted_reads": reads.sum()}
        mapping |= {"alignments": reads.sum(), "mean_coverage": 1}
        pd.DataFrame([mapping]).to_csv(folder / f"{sample}.mapping.tsv", sep="\t", index=False)
        options += ["--counts", f"{sample}.counts.tsv.gz", "--mapping", f"{sample}.mapping.tsv"]
    return options


def measure_features(folder: Path, n: int, samples: int, mean_bp: int) -> tuple[Usage, dict]:
    """Return what features.py takes on counts, without what only the refinement reads."""
    rng = np.random.default_rng(1)
    length, genome, depth = lengths_and_profiles(n, samples, mean_bp, rng)
    names = write_contigs(folder, length)
    with gzip.open(folder / "catalogue.fa.gz", "wb", compresslevel=1) as fasta:
        for name, bp in zip(names, length, strict=True):
            fasta.write(b">%s\n%s\n" % (name.encode(), BASES[rng.integers(0, 4, bp)].tobytes()))
    options = write_counts(folder, names, length, (column[genome] for column in depth.T))
    read = run_task([sys.executable, "-c", READ_COUNTS, BIN], folder)
    words = ["--catalogue", "catalogue.fa.gz", "--contigs", "contigs.tsv", "--min_contig_length", 4, "--no_profiles"]
    return run_task([BIN / "features.py", *words, *options], folder), {"read_s": f"{read.wall:.1f}"}


def write_features(folder: Path, n: int, samples: int) -> None:
    """Write what vae.py reads: abundances that sum to 1, normally distributed TNF and depth."""
    rng = np.random.default_rng(1)
    length, genome, depth = lengths_and_profiles(n, samples, 1000, rng)
    names = write_contigs(folder, length)
    abundance = np.lib.format.open_memmap(folder / "abundance.npy", "w+", np.float32, (n, samples))
    tnf = np.lib.format.open_memmap(folder / "tnf.npy", "w+", np.float32, (n, 136))
    centres = rng.normal(size=(len(depth), 136)).astype(np.float32)
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        drawn = depth[genome[rows]] * rng.gamma(4, 0.25, (len(genome[rows]), samples)).astype(np.float32)
        abundance[rows] = drawn / drawn.sum(axis=1, keepdims=True)
        tnf[rows] = centres[genome[rows]] + rng.normal(size=(len(genome[rows]), 136)).astype(np.float32)
    np.save(folder / "depth.npy", rng.normal(size=n).astype(np.float32))
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    scales = {"tnf_mean": [0.0] * 136, "tnf_sd": [1.0] * 136, "depth_mean": 0.0, "depth_divisor": 1.0}
    content = {"samples": [f"S{number}" for number in range(samples)], "rows_sha256": digest, **scales}
    (folder / "features.json").write_text(json.dumps(content))


def product_gflops(width: int, hidden: int, threads: int, folder: Path) -> float:
    """Return the floating-point operations per second of a product of the size of a layer, in 10^9."""
    run_task([sys.executable, "-c", PRODUCTS, ROWS_OF_PRODUCT, width, hidden, threads, TIMED_S], folder)
    return 2 * ROWS_OF_PRODUCT * width * hidden / float((folder / "log.txt").read_text()) / 1e9


def measure_vae(folder: Path, n: int, samples: int, epochs: int, batch: int, threads: int) -> tuple[Usage, dict]:
    """Return what vae.py takes for some epochs, and how fast the last one was."""
    write_features(folder, n, samples)
    words = ["--tnf", "tnf.npy", "--abundance", "abundance.npy", "--depth_file", "depth.npy", "--rows", "rows.tsv"]
    words += ["--features", "features.json", "--epochs", epochs, "--batch_size", batch, "--threads", threads]
    used = run_task([BIN / "vae.py", *words], folder)
    seconds = pd.read_csv(folder / "training.tsv", sep="\t")["seconds"].iloc[-1]
    settings = json.loads((folder / "latent.json").read_text())
    widths = [samples + 136 + 1, *settings["hidden_sizes"], settings["latent_size"]]
    weights = 2 * sum(n_in * n_out for n_in, n_out in itertools.pairwise(widths))
    speed = {"s_per_epoch": f"{seconds:.1f}", "gflops": f"{6 * weights * n / seconds / 1e9:.0f}"}
    return used, speed | {"limit_gflops": f"{product_gflops(widths[0], widths[1], threads, folder):.0f}"}


def write_latent(folder: Path, n: int, dimensions: int, kind: str) -> None:
    """Write what cluster.py reads: points around centres."""
    points, length, _ = draw_points(n, kind, dimensions, 1)
    np.save(folder / "latent.npy", points)
    names = write_contigs(folder, length)
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    (folder / "latent.json").write_text(json.dumps({"rows_sha256": digest}))


def measure_cluster(folder: Path, n: int, dimensions: int, kind: str, threads: int) -> tuple[Usage, dict]:
    """Return what cluster.py takes on points around centres."""
    write_latent(folder, n, dimensions, kind)
    words = ["--latent", "latent.npy", "--latent_json", "latent.json", "--rows", "rows.tsv", "--contigs", "contigs.tsv"]
    return run_task([BIN / "cluster.py", *words, "--threads", threads], folder), {}


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=FOLDER)
@click.option("--stage", required=True, type=click.Choice(STAGES))
@click.option("--contigs", default=10**6, type=click.IntRange(min=2))
@click.option("--columns", default=100, type=click.IntRange(min=1), help="Samples; for cluster, latent neurons.")
@click.option("--mean_bp", default=700, type=click.IntRange(LEAST_BP), help="Mean length, for features.")
@click.option("--epochs", default=2, type=click.IntRange(1), help="For vae.")
@click.option("--batch", default=256, type=click.IntRange(2), help="For vae.")
@click.option("--kind", default="hard", type=click.Choice(list(KINDS)), help="Of the points, for cluster.")
@click.option("--threads", default=2, type=click.IntRange(1))
@tsv_option
def main(
    folder: Path, stage: str, contigs: int, columns: int, mean_bp: int, epochs: int, batch: int, kind: str,
    threads: int, tsv: Path | None,
) -> None:  # fmt: skip
    """Measure a stage on a group that is generated in FOLDER, which must not exist."""
    folder = folder.resolve()
    folder.mkdir(parents=True)
    if stage == "features":
        used, beside = measure_features(folder, contigs, columns, mean_bp)
    elif stage == "vae":
        used, beside = measure_vae(folder, contigs, columns, epochs, batch, threads)
    else:
        used, beside = measure_cluster(folder, contigs, columns, kind, threads)
    row = {"stage": stage, "contigs": contigs, "columns": columns, "kind": kind if stage == "cluster" else ""}
    row |= {"cpu_s": f"{used.cpu:.1f}", "wall_s": f"{used.wall:.1f}", "peak_mb": f"{used.memory:.0f}"}
    further = ("read_s", "s_per_epoch", "gflops", "limit_gflops")
    ResultTable(tsv, ("stage", "contigs", "columns", "kind")).add(
        row | {name: beside.get(name, "") for name in further}
    )


if __name__ == "__main__":
    main()
