#!/usr/bin/env python3
"""Measure the memory of the stages on generated groups of three sizes, and hold it against what their tasks ask for.

A group is one assembly (or --assemblies of the same size) of random sequences (mean 1,500 bp) in six samples, whose
genomes have profiles of their own (stage_scale.py). Each stage reads what those before it wrote; REFINE takes the first
assembly. Out: a row for each stage and size, on stdout as Markdown
and, with --tsv, in a file: the bytes of the inputs that count (workflows/memory.nf), the peak memory of the process,
what the formula says (formula_mb), and what a task asks for (asked_mb), since no task asks for less than the least.
"""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from measured_runs import run_task
from project import BIN, PROJECT
from result_tables import FOLDER, ResultTable, tsv_option
from stage_scale import BASES, lengths_and_profiles, write_counts

SIZES, SAMPLES, MEAN_BP = (5_000, 25_000, 100_000), 6, 1500
READ_BP, STEP_BP, MAX_READS = 150, 300, 4  # reads of a contig
BATCH = 624_000_000  # bytes (`batchBytes`) of minimap2, with short reads and two threads
CATALOGUE = "--catalogue catalogue.fa.gz --contigs contigs.tsv"
FEATURES = "--tnf tnf.npy --abundance abundance.npy --depth_file depth.npy --rows rows.tsv --features features.json"
PROFILES = "coverage.tsv.gz edits.tsv.gz tetranucleotides.npy features.json pair_links.tsv.gz"
ARRAYS, TABLES = "rows.tsv tnf.npy abundance.npy", "contigs.tsv contig2bin.tsv unbinned.tsv"
UMAP = f"--bins contigs.tsv contig2bin.tsv bins.tsv --features features.json --inputs {ARRAYS} --latent latent.npy"
# Process, its command in the folder of a group, and the files (or bytes) that its directive `memory` names, by kind;
# `{share}` stands before those of which the first assembly has a share
STAGES = (
    ("CATALOGUE", "catalogue.py {assemblies}", ["{fastas}"]),
    ("HOMOLOGS", f"homologs.py {CATALOGUE}", ["catalogue.fa.gz"]),
    ("INDEX", "index.py --catalogue catalogue.fa.gz --mode sr", ["catalogue.fa.gz"]),
    ("MAP_READS", "map_reads.py --sample x --contigs contigs.tsv --reads reads.fq.gz --index index/catalogue",
     ["index/catalogue", "contigs.tsv", BATCH, ""]),
    ("FEATURES", f"features.py {CATALOGUE} --min_contig_length 100", ["contigs.tsv", ""]),
    ("VAE", f"vae.py {FEATURES} --epochs 1", ["tnf.npy abundance.npy", "rows.tsv"]),
    ("CLUSTER", "cluster.py --latent latent.npy --latent_json latent.json --rows rows.tsv --contigs contigs.tsv",
     ["latent.npy", "rows.tsv contigs.tsv"]),
    ("REFINE", "refine.py --assembly {first} --contigs contigs.tsv --clusters clusters.tsv --coverage coverage.tsv.gz "
     "--edits edits.tsv.gz --tetranucleotides tetranucleotides.npy --features features.json "
     "--pair_links pair_links.tsv.gz --homologs homologs.tsv.gz", ["contigs.tsv", "{share} " + PROFILES]),
    ("BINS", f"bins.py {CATALOGUE} --clusters clusters.tsv --excluded excluded.tsv --coverage coverage.tsv.gz "
     "--refined contig2bin.tsv refinement.tsv", ["coverage.tsv.gz excluded.tsv", "refinement.tsv"]),
    ("REPORT_DATA", f"report_data.py --group co --contigs {TABLES} --bins bins.tsv --features features.json "
     f"--inputs {ARRAYS} --trained latent.npy training.tsv threshold.json --refinement refinement.tsv",
     [ARRAYS, TABLES]),
    ("UMAP_POINTS", f"umap_points.py {UMAP}", [f"{ARRAYS} latent.npy", TABLES]),
    ("RUN_TRIAL", f"run_trial.py --group co --trial t --experiments e --vae_options=--epochs=1 {FEATURES} "
     "--contigs contigs.tsv --truth truth.tsv", ["tnf.npy abundance.npy", "rows.tsv contigs.tsv"]),
)  # fmt: skip


def memory_table() -> tuple[dict[str, list[float]], int]:
    """Return the numbers of each process in workflows/memory.nf, and the least memory of a task (MB)."""
    text = (PROJECT / "workflows" / "memory.nf").read_text()
    rows = re.findall(r"^ +([A-Z_0-9]+) *: \[([\d., ]+)\],", text, re.MULTILINE)
    (least,) = re.findall(r"def leastMemory\(\) \{\s+return (\d+)", text)
    return {process: [float(number) for number in numbers.split(",")] for process, numbers in rows}, int(least)


def formula_mb(numbers: list[float], sizes: list[int]) -> float:
    """Return the MB of `memoryOf` in workflows/memory.nf, from the sizes of the inputs (bytes), without the least."""
    return numbers[0] + sum(each * size for each, size in zip(numbers[1:], sizes, strict=True)) / 1e6


def assembly_ids(n_assemblies: int) -> list[str]:
    """Return the ids of the assemblies of a group, in the order of the catalogue."""
    return [f"a{number:03}" for number in range(n_assemblies)]


def write_assemblies(folder: Path, assembly: np.ndarray, length: np.ndarray) -> None:
    """Write a FASTA for each assembly, of random contigs (their assembly and length, bp), and reads.fq.gz of them."""
    rng = np.random.default_rng(2)
    with gzip.open(folder / "reads.fq.gz", "wt", compresslevel=1) as reads:
        for name in np.unique(assembly):
            with gzip.open(folder / f"{name}.fa.gz", "wt", compresslevel=1) as fasta:
                for contig in np.flatnonzero(assembly == name):
                    sequence = BASES[rng.integers(0, 4, length[contig])].tobytes().decode()
                    fasta.write(f">c{contig}\n{sequence}\n")
                    for start in range(0, min(len(sequence) - READ_BP, MAX_READS * STEP_BP), STEP_BP):
                        read = sequence[start : start + READ_BP]
                        reads.write(f"@r{contig}_{start}\n{read}\n+\n{'I' * READ_BP}\n")


def write_group(folder: Path, n: int, n_assemblies: int) -> list[str]:
    """Write what a group of n contigs begins with, and the samples' counts; return the options for these."""
    folder.mkdir(parents=True)
    length, genome, depth = lengths_and_profiles(n, SAMPLES, MEAN_BP, np.random.default_rng(1))
    assembly = np.repeat(assembly_ids(n_assemblies), -(-n // n_assemblies))[:n]
    write_assemblies(folder, assembly, length)
    names = [f"{of}~c{contig}" if n_assemblies > 1 else f"c{contig}" for contig, of in enumerate(assembly)]
    truth = {"contig": [f"c{contig}" for contig in range(n)], "genome": [f"g{number}" for number in genome]}
    pd.DataFrame(truth | {"assembly": assembly}).to_csv(folder / "truth.tsv", sep="\t", index=False)
    options = write_counts(folder, names, length, (column[genome] for column in depth.T))
    pairs = pd.DataFrame({"contig_1": names[:-1], "contig_2": names[1:], "pairs": 3})[assembly[:-1] == assembly[1:]]
    for sample in range(SAMPLES):
        pairs.to_csv(folder / f"S{sample}.pairs.tsv.gz", sep="\t", index=False)
        options += ["--pairs", f"S{sample}.pairs.tsv.gz"]
    return options


def files_bytes(folder: Path, kind: str, ids: list[str]) -> int:
    """Return the size of the files of a folder that `kind` names, together, or the share of one assembly in it."""
    names = kind.format(fastas=" ".join(f"{name}.fa.gz" for name in ids), share="").split()
    whole = sum((folder / name).stat().st_size for name in names)
    return whole // len(ids) if kind.startswith("{share}") else whole


def measured(folder: Path, n: int, n_assemblies: int, last: str) -> Iterator[dict]:
    """Yield what each stage takes on a group of n contigs, which is made in a folder, up to the last that is asked for.

    sizes: bytes of each kind of input; peak_mb; formula_mb, and asked_mb with the least that any task asks for.
    """
    table, least = memory_table()
    counts, ids = write_group(folder, n, n_assemblies), assembly_ids(n_assemblies)
    assemblies = " ".join(f"--assembly {name} {name}.fa.gz" for name in ids)
    for process, command, kinds in STAGES:
        script, *arguments = command.format(assemblies=assemblies, first=ids[0]).split()
        used = run_task([BIN / script, *arguments, *(counts if process == "FEATURES" else [])], folder)
        sizes = [kind if isinstance(kind, int) else files_bytes(folder, kind, ids) for kind in kinds]
        formula = formula_mb(table[process], sizes)
        row = {"process": process, "contigs": n, "assemblies": n_assemblies, "sizes": sizes, "peak_mb": used.memory}
        yield row | {"formula_mb": formula, "asked_mb": max(formula, least)}
        if process == last:
            return


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=FOLDER)
@click.option("--contigs", "sizes", multiple=True, default=SIZES, type=click.IntRange(min=1000))
@click.option("--assemblies", default=1, type=click.IntRange(1, 1000))
@click.option("--last", default=STAGES[-1][0], type=click.Choice([process for process, _, _ in STAGES]))
@tsv_option
def main(folder: Path, sizes: tuple[int, ...], assemblies: int, last: str, tsv: Path | None) -> None:
    """Measure the stages on groups that are generated in FOLDER, which must not exist."""
    table = ResultTable(tsv, ("process", "contigs", "assemblies"))
    for n in sizes:
        for row in measured(folder.resolve() / str(n), n, assemblies, last):
            mb = {name: f"{row[name]:.0f}" for name in ("peak_mb", "formula_mb", "asked_mb")}
            table.add(row | {"sizes": " ".join(map(str, row["sizes"]))} | mb)


if __name__ == "__main__":
    main()
