#!/usr/bin/env python3
"""Bins a community with known truth with other binners and scores each as the pipeline's own bins are scored.

usage: peers.py BENCH FOLDER [--samples S1,S4] [--peer vamb] [--seed 1 --seed 2] [--also pipeline after.tsv]
       peers.py BENCH FOLDER --depth TABLE --contigs FASTA --truth TABLE
In: the benchmark folder (score.py, and community_a/truth.tsv for the sets that use its assembly) and a folder that
community.sh made (assemblies.csv, reads/, truth.tsv if the assembly is its own); the second form needs no
reads: FOLDER is then only where results go. Out: FOLDER/peers/bam (the reads of each sample mapped once, kept),
FOLDER/peers/PEER-SAMPLES-SEED/ with what the peer wrote, its log.txt and clusters.tsv (cluster, contig), and one
Markdown table on stdout, a row for each peer and seed. Seconds are those of the peer from contigs and BAM files (or
depths) to bins; mapping has a row of its own.

Peers, each with its defaults; give a path if a program is not on PATH (one that is missing is left out, and said so):
  vamb      vamb bin default; every cluster counts, no splitting by sample; contigs >= 2000 bp
  metabat2  jgi_summarize_bam_contig_depths (depth table: --cvExt, no variances), metabat2; contigs >= 2500 bp
  semibin   SemiBin2 single_easy_bin --self-supervised (co-assembly mode); picks 1000 or 2500 bp itself. From a depth
            table it needs five samples, and depths of both halves of each contig, for which the whole's stand in.
            On CPUs its training is slow: 15 epochs on community_a are an hour of one core, and 8 GB
"""

import contextlib
import csv
import gzip
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click
from scoring import score_bins

FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
FOLDER = click.Path(file_okay=False, resolve_path=True, path_type=Path)
RECALLS = ("0.50", "0.80", "0.90", "0.95", "0.99")
MIN_BIN = 200_000
HEAD = (
    "| bins by | seed | recall >= 0.5 | 0.8 | **0.9** | 0.95 | 0.99 | weighted purity, all bins "
    "| bins >= 200 kbp | wall s | CPU s |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Task:
    """What every peer is given; exactly one of `bams` and `depth` is filled."""

    contigs: Path
    samples: list[str]
    bams: list[Path]
    depth: Path | None
    programs: dict[str, str]
    threads: int
    limit: float | None
    semibin_epochs: int


class Failed(Exception):
    """A peer exited with an error or ran past its limit; the message says which."""


def open_text(path: Path) -> IO[str]:
    """A text file, gzip or not."""
    return gzip.open(path, "rt") if path.name.endswith(".gz") else open(path)


def run(task: Task, command: list[str], log: Path, stdout: Path | None = None) -> None:
    """Run a command, its output to `log`, and end it with all its children at the limit.

    Raises
    ------
    Failed
        A non-zero exit status, or more than `task.limit` seconds.
    """
    threads = {f"{name}_NUM_THREADS": str(task.threads) for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")}
    with open(log, "a") as errors, open(stdout or log, "a") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=errors, env={**os.environ, **threads}, start_new_session=True
        )
        try:
            status = process.wait(task.limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise Failed(f"stopped after {task.limit:.0f} s") from None
    if status:
        raise Failed(f"exit status {status}, see {log}")


def depth_rows(task: Task) -> Iterator[tuple[str, list[str]]]:
    """Name and depths of every contig, only the samples asked for, in the table's order."""
    with open_text(task.depth) as lines:
        header = next(lines).rstrip("\n").split("\t")
        columns = [header.index(sample) for sample in task.samples]
        for line in lines:
            row = line.rstrip("\n").split("\t")
            yield row[0], [row[column] for column in columns]


def vamb(task: Task, seed: int, out: Path, log: Path) -> Iterator[tuple[str, str]]:
    """(cluster, contig) of vamb's VAE clusters."""
    if task.depth:
        table = out / "abundance.tsv"
        with open(table, "w") as file:
            file.write("\t".join(["contigname", *task.samples]) + "\n")
            file.writelines("\t".join([name, *depths]) + "\n" for name, depths in depth_rows(task))
        given = ["--abundance_tsv", str(table)]
    else:
        folder = out / "bam"
        folder.mkdir()
        for bam in task.bams:
            (folder / bam.name).symlink_to(bam)
        given = ["--bamdir", str(folder)]
    command = [task.programs["vamb"], "bin", "default", "--outdir", str(out / "vamb"), "--fasta", str(task.contigs)]
    run(task, [*command, *given, "-p", str(task.threads), "--seed", str(seed), "-o", ""], log)
    with open(out / "vamb/vae_clusters_unsplit.tsv") as lines:
        for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield row[0], row[1]


def metabat2(task: Task, seed: int, out: Path, log: Path) -> Iterator[tuple[str, str]]:
    """(cluster, contig) of MetaBAT2's bins."""
    table, options = out / "depth.tsv", []
    (out / "bins").mkdir()
    if task.depth:
        options = ["--cvExt"]
        with open(table, "w") as file:
            file.write("\t".join(["contigName", *task.samples]) + "\n")
            file.writelines("\t".join([name, *depths]) + "\n" for name, depths in depth_rows(task))
    else:
        run(task, [task.programs["jgi"], "--outputDepth", str(table), *map(str, task.bams)], log)
    command = [task.programs["metabat2"], "-i", str(task.contigs), "-a", str(table), "-o", str(out / "bins/bin")]
    run(task, [*command, *options, "-l", "-t", str(task.threads), "--seed", str(seed)], log)
    for members in (out / "bins").glob("bin.*"):
        for name in members.read_text().split("\n"):
            if name:
                yield members.name, name


def semibin(task: Task, seed: int, out: Path, log: Path) -> Iterator[tuple[str, str]]:
    """(cluster, contig) of SemiBin2's bins after its reclustering."""
    if task.depth:
        tables = [out / f"{sample}.tsv" for sample in task.samples]
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(open(table, "w")) for table in tables]
            for name, depths in depth_rows(task):
                for file, depth in zip(files, depths, strict=True):
                    file.write(f"{name}_1\t{depth}\n{name}_2\t{depth}\n")
        given = ["-a", *map(str, tables)]
    else:
        given = ["-b", *map(str, task.bams)]
    command = [task.programs["semibin"], "single_easy_bin", "--self-supervised", "-i", str(task.contigs), *given]
    command += ["-o", str(out / "semibin"), "--random-seed", str(seed), "-p", str(task.threads), "--engine", "cpu"]
    run(task, [*command, "--compression", "none", "--epochs", str(task.semibin_epochs)], log)
    with open(out / "semibin/contig_bins.tsv") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["bin"] != "-1":
                yield row["bin"], row["contig"]


PEERS: dict[str, tuple[str, tuple[str, ...], Callable]] = {
    "vamb": ("vamb", ("vamb",), vamb),
    "metabat2": ("MetaBAT2", ("metabat2", "jgi"), metabat2),
    "semibin": ("SemiBin2", ("semibin",), semibin),
}


def map_reads(contigs: Path, reads: dict[str, list[Path]], folder: Path, threads: int) -> list[Path]:
    """Coordinate-sorted BAM of each sample on all contigs, made unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    bams = []
    for sample, files in reads.items():
        bam, part = folder / f"{sample}.bam", folder / f"{sample}.part.bam"
        bams.append(bam)
        if bam.exists():
            continue
        with open(folder / f"{sample}.log", "w") as log:
            mapper = subprocess.Popen(
                ["minimap2", "-t", str(threads), "-ax", "sr", contigs, *files], stdout=subprocess.PIPE, stderr=log
            )
            subprocess.run(["samtools", "sort", "-o", part, "-"], stdin=mapper.stdout, stderr=log, check=True)
        if mapper.wait():
            raise click.ClickException(f"minimap2 failed on sample {sample}; see {folder / f'{sample}.log'}")
        part.rename(bam)
    return bams


def row(bench: Path, truth: Path, clusters: Path, name: str, seed: str, seconds: tuple[str, str]) -> str:
    """The Markdown row of a table (cluster, contig); purity over all its bins and over those of at least 200 kbp."""
    found = score_bins(bench / "score.py", truth, clusters)
    with open_text(truth) as lines:
        fields = (line.rstrip("\n").split("\t") for line in lines)
        length = {f[0]: int(f[2]) for f in fields if len(f) > 2 and f[2].isdigit()}
    members: dict[str, list[str]] = defaultdict(list)
    with open(clusters) as lines:
        for cluster, contig in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            members[cluster].append(contig)
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.tsv"
        with open(large, "w") as file:
            for cluster, contigs in members.items():
                if sum(length.get(contig, 0) for contig in contigs) >= MIN_BIN:
                    file.writelines(f"{cluster}\t{contig}\n" for contig in contigs)
        of_large = f"{score_bins(bench / 'score.py', truth, large).purity:.4f}" if large.stat().st_size else "-"
    genomes = [str(found.genomes[recall]) for recall in RECALLS]
    return f"| {' | '.join([name, seed, *genomes, f'{found.purity:.4f}', of_large, *seconds])} |"


def bin_and_score(task: Task, bench: Path, truth: Path, peer: str, seed: int, out: Path) -> str:
    """Run one peer in an emptied folder and return its Markdown row; a failure is a row too."""
    name, _, binner = PEERS[peer]
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    clusters, before, start = out / "clusters.tsv", resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    try:
        rows = list(binner(task, seed, out, out / "log.txt"))
    except Failed as failure:
        return f"| {name} | {seed} | {failure} |" + " |" * 8
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with open(clusters, "w") as file:
        file.writelines(f"{cluster}\t{contig}\n" for cluster, contig in rows)
    return row(bench, truth, clusters, name, str(seed), (f"{wall:.0f}", f"{cpu:.0f}"))


def read_set(bench: Path, folder: Path) -> tuple[Path, Path, dict[str, list[Path]]]:
    """Contigs, truth and the read files of each sample of a folder that community.sh made."""
    sheet = folder / "assemblies.csv"
    if not sheet.exists():
        raise click.ClickException(f"{folder} has no assemblies.csv; make it with community.sh, or give --depth")
    with open(sheet) as lines:
        contigs = folder / next(csv.DictReader(lines))["fasta"]
    own = folder / "truth.tsv"
    truth = own if own.exists() else bench / "community_a/truth.tsv"
    reads = {path.name[: -len("_1.fastq.gz")]: path for path in sorted((folder / "reads").glob("*_1.fastq.gz"))}
    return contigs, truth, {name: [path, path.with_name(f"{name}_2.fastq.gz")] for name, path in reads.items()}


def find_programs(wanted: dict[str, str], peers: list[str]) -> list[str]:
    """The peers all of whose programs are there; the others are named on stderr."""
    found = []
    for peer in peers:
        missing = [wanted[program] for program in PEERS[peer][1] if not shutil.which(wanted[program])]
        if missing:
            click.echo(f"left out: {PEERS[peer][0]}, for there is no {' and no '.join(missing)}", err=True)
        else:
            found.append(peer)
    return found


def choose(names: list[str], asked: str | None, where: Path) -> list[str]:
    """The samples asked for, all by default, in the order of `names`."""
    chosen = asked.split(",") if asked else names
    for name in chosen:
        if name not in names:
            raise click.ClickException(f"{where}: no sample {name}; it has {', '.join(names)}")
    return [name for name in names if name in chosen]


@click.command()
@click.argument("bench", type=FOLDER)
@click.argument("folder", type=FOLDER)
@click.option("--samples", help="Only these samples, comma-separated.  [default: all]")
@click.option("--peer", "peers", multiple=True, type=click.Choice(list(PEERS)), default=list(PEERS), show_default=True)
@click.option("--seed", "seeds", multiple=True, type=click.IntRange(1), default=[1], show_default=True)
@click.option("--vamb", "vamb_path", default="vamb", show_default=True, help="vamb 5.")
@click.option("--metabat2", "metabat2_path", default="metabat2", show_default=True)
@click.option("--jgi", "jgi_path", default="jgi_summarize_bam_contig_depths", show_default=True)
@click.option("--semibin", "semibin_path", default="SemiBin2", show_default=True, help="SemiBin2.")
@click.option("--semibin_epochs", type=click.IntRange(1), default=15, show_default=True, help="15 is SemiBin2's own.")
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
@click.option("--limit", type=click.FloatRange(1), help="Seconds after which a peer's command is ended.")
@click.option("--depth", type=FILE, help="Depths (contig, a column per sample, every contig in FASTA order): no reads.")
@click.option("--contigs", type=FILE, help="With --depth: the contigs.")
@click.option("--truth", type=FILE, help="With --depth: the truth (contig, genome, length).")
@click.option("--also", multiple=True, type=(str, FILE), help="Name and table (cluster, contig) to score as well.")
def main(
    bench: Path, folder: Path, samples: str | None, peers: tuple[str, ...], seeds: tuple[int, ...], semibin_epochs: int,
    threads: int, limit: float | None, depth: Path | None, contigs: Path | None, truth: Path | None,
    also: tuple[tuple[str, Path], ...], **paths: str,
) -> None:  # fmt: skip
    """Bin FOLDER with other binners and score them against its truth with BENCH/score.py."""
    programs = {name[: -len("_path")]: path for name, path in paths.items()}
    found = find_programs(programs, list(peers))
    if bool(depth) != bool(contigs) or bool(depth) != bool(truth):
        raise click.ClickException("--depth, --contigs and --truth go together: give all three or none")
    click.echo(HEAD)
    reads: dict[str, list[Path]] = {}
    if depth:
        with open_text(depth) as lines:
            names = [name for name in next(lines).rstrip("\n").split("\t")[1:] if name != "length"]
    else:
        contigs, truth, reads = read_set(bench, folder)
        names = list(reads)
    chosen = choose(names, samples, depth or folder)
    bams, start = [], time.monotonic()
    if found and reads:
        bams = map_reads(contigs, {name: reads[name] for name in chosen}, folder / "peers/bam", threads)
        if (wall := time.monotonic() - start) > 1:
            cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
            click.echo(f"| minimap2 |{' |' * 8} {wall:.0f} | {cpu.ru_utime + cpu.ru_stime:.0f} |")
    task = Task(contigs, chosen, bams, depth, programs, threads, limit, semibin_epochs)
    for name, table in also:
        click.echo(row(bench, truth, table, name, "", ("", "")))
    for seed in seeds:
        for peer in found:
            out = folder / "peers" / f"{peer}-{samples or 'all'}-{seed}"
            click.echo(bin_and_score(task, bench, truth, peer, seed, out))


if __name__ == "__main__":
    main()
