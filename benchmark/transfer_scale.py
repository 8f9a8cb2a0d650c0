#!/usr/bin/env python3
"""Measure time and memory of the transfer between assemblies on generated groups of any size.

A group has --assemblies assemblies of the same genomes, random sequences of 250 kbp. Each assembly holds half of the
genomes, cut into contigs of 600 bp in the mean; a third of these genomes are in bins, in contigs from 500 bp on. What
other stages would write is written beside (coverages with counting noise, 4-mers drawn from a composition of each
genome). Out: a row for each size, on stdout as Markdown and, with --tsv, in a file.
"""

import gzip
import hashlib
import json
import math
from pathlib import Path

import click
import numpy as np
import pandas as pd

from measured_runs import Usage, run_task
from project import BIN
from result_tables import FOLDER, ResultTable, tsv_option

GENOME_BP, CONTIG_BP, LEAST_BP, READ = 250_000, 600, 150, 150
MIN_BIN_SIZE = 100_000  # bp
PRESENT, BINNED = 0.5, 1 / 3  # share of the genomes that an assembly holds, and of these in bins
BINNED_BP = 500  # contigs of a bin have at least this length
SAMPLES, N_TETRANUCLEOTIDES, READ_NOISE = 20, 136, 0.1
BASES = np.frombuffer(b"ACGT", np.uint8)
FORM = {"sep": "\t", "index": False}


def cut_genomes(rng: np.random.Generator, genomes: list[bytes], held: np.ndarray) -> tuple[list[bytes], np.ndarray]:
    """Return the contigs of an assembly, which holds these genomes (numbers), and the genome of each."""
    contigs, owner = [], []
    for genome in held:
        ends = np.cumsum(LEAST_BP + rng.exponential(CONTIG_BP - LEAST_BP, 2 * GENOME_BP // CONTIG_BP).astype(int))
        starts = np.append(0, ends[:-1])[ends < GENOME_BP]
        contigs += [genomes[genome][start:end] for start, end in zip(starts, ends)]
        owner += [genome] * len(starts)
    return contigs, np.array(owner)


def write_assembly(folder: Path, table: pd.DataFrame, rng: np.random.Generator) -> list[str]:
    """Write what the refine stage would of one assembly (contig, assembly, name, length, genome); return options."""
    folder.mkdir()
    genomes = table["genome"].unique()
    in_bins = rng.permutation(genomes)[: math.ceil(len(genomes) * BINNED)]
    is_binned = table["genome"].isin(in_bins) & (table["length"] >= BINNED_BP)
    label = table["genome"].astype(str).where(is_binned, "")
    steps = table[["contig", "assembly", "name", "length"]].assign(
        initial=label, in_graph="false", unlinked=label, final=label, posterior=0.9, none=0.1, merged=label,
        reason=np.where(is_binned, "kept", "left,unlike"),
    )  # fmt: skip
    steps.to_csv(folder / "refinement.tsv", **FORM)
    pd.DataFrame({"contig": table["contig"], "bin": label})[is_binned].to_csv(folder / "contig2bin.tsv", **FORM)
    return ["--refined", *(str(folder / f"{name}.tsv") for name in ("contig2bin", "refinement"))]


def write_group(folder: Path, n_contigs: int, n_assemblies: int, seed: int) -> list[str]:
    """Write a group of about n_contigs contigs into a folder; return the options of transfer.py."""
    rng = np.random.default_rng(seed)
    n_genomes = max(2, round(n_contigs * CONTIG_BP / GENOME_BP / PRESENT / n_assemblies))
    genomes = [BASES[rng.integers(0, 4, GENOME_BP)].tobytes() for _ in range(n_genomes)]
    tables, options = [], []
    with gzip.open(folder / "catalogue.fa.gz", "wb", compresslevel=1) as fasta:
        for assembly in (f"A{number:02d}" for number in range(n_assemblies)):
            held = rng.permutation(n_genomes)[: max(1, int(n_genomes * PRESENT))]
            contigs, owner = cut_genomes(rng, genomes, held)
            names = [f"c{number}" for number in range(len(contigs))]
            table = pd.DataFrame({"contig": [f"{assembly}~{name}" for name in names], "assembly": assembly})
            table = table.assign(name=names, length=list(map(len, contigs)), genome=owner)
            fasta.writelines(b">%s\n%s\n" % (name.encode(), s) for name, s in zip(table["contig"], contigs))
            options += write_assembly(folder / assembly, table, rng)
            tables.append(table)
    write_profiles(folder, pd.concat(tables, ignore_index=True), rng)
    return options


def write_profiles(folder: Path, table: pd.DataFrame, rng: np.random.Generator) -> None:
    """Write contigs.tsv, coverages, 4-mers and features.json of all contigs (genome, length)."""
    table[["contig", "assembly", "name", "length"]].to_csv(folder / "contigs.tsv", **FORM)
    genome, length = table["genome"].to_numpy(), table["length"].to_numpy()[:, None]
    depth = rng.lognormal(1, 1, (genome.max() + 1, SAMPLES))[genome] * np.exp(
        rng.normal(0, READ_NOISE, (len(table), SAMPLES))
    )
    reads = rng.poisson(depth * length / READ)
    samples = [f"S{number}" for number in range(SAMPLES)]
    coverage = pd.DataFrame(reads * READ / length, columns=samples, index=pd.Index(table["contig"], name="contig"))
    compression = {"method": "gzip", "mtime": 0}
    coverage.to_csv(folder / "coverage.tsv.gz", sep="\t", float_format="%.6g", compression=compression)
    composition = rng.dirichlet(np.full(N_TETRANUCLEOTIDES, 20), genome.max() + 1)
    counts = rng.poisson(composition[genome] * (length - 3)).astype(np.float32)
    np.save(folder / "tetranucleotides.npy", counts)
    digest = hashlib.sha256("\n".join(table["contig"]).encode()).hexdigest()
    mapped = dict(zip(samples, reads.sum(axis=0).tolist()))
    (folder / "features.json").write_text(json.dumps({"contigs_sha256": digest, "mapped_reads": mapped}))


def measure(folder: Path, options: list[str]) -> Usage:
    """Return what the transfer takes."""
    words = ["--catalogue", "catalogue.fa.gz", "--contigs", "contigs.tsv", "--coverage", "coverage.tsv.gz"]
    words += ["--tetranucleotides", "tetranucleotides.npy", "--features", "features.json", *options]
    return run_task([BIN / "transfer.py", *words, "--min_bin_size", MIN_BIN_SIZE, "--threads", 2], folder)


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=FOLDER)
@click.option("--contigs", "sizes", multiple=True, default=[10**5, 10**6], help="Contigs, about. Repeatable.")
@click.option("--assemblies", default=50, type=click.IntRange(min=2))
@click.option("--seed", default=1)
@tsv_option
def main(folder: Path, sizes: tuple[int, ...], assemblies: int, seed: int, tsv: Path | None) -> None:
    """Measure the transfer on groups that are generated in FOLDER."""
    table = ResultTable(tsv and tsv.resolve(), ("contigs", "assemblies"))
    for size in sizes:
        inside = (folder / f"{size}").resolve()
        inside.mkdir(parents=True)
        options = write_group(inside, size, assemblies, seed)
        n_contigs = len(pd.read_csv(inside / "contigs.tsv", sep="\t", usecols=["length"]))
        used = measure(inside, options)
        numbers = {"cpu_s": f"{used.cpu:.1f}", "cpu_us_per_contig": f"{used.cpu / n_contigs * 1e6:.0f}"}
        numbers["peak_mb"] = f"{used.memory:.0f}"
        table.add({"contigs": str(n_contigs), "assemblies": str(assemblies), **numbers})


if __name__ == "__main__":
    main()
