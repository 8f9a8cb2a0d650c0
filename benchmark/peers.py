#!/usr/bin/env python3
"""Bin a community with known truth with other binners and score each as the pipeline's own bins are scored.

In: a folder that community.sh made (assemblies.csv, truth.tsv, reads/ or depth.tsv). Out: FOLDER/peers/bam (the reads
of each sample, mapped once and kept), FOLDER/peers/PEER-SAMPLES-SEED/ with what the peer wrote, its log.txt and
clusters.tsv (cluster, contig), and a row for each peer and seed, on stdout as Markdown and, with --tsv, in a file
(medians.py sums them up). Seconds and peak memory are those of the peer from contigs and BAM files (or depths) to bins;
mapping is not in them.

Of a group of several assemblies (a row for each in assemblies.csv) vamb gets all contigs together, named as in the
truth, ASSEMBLY:CONTIG, with the reads mapped to all of them, and cuts its clusters by assembly. MetaBAT2 bins each
assembly alone, with the reads of all samples mapped to it alone. The others are left out.

Peers, each with its defaults; give a path if a program is not on PATH (a missing one is left out with a message):
  vamb      vamb bin default; every cluster counts, cut by assembly if there are several; contigs >= 2000 bp
  metabat2  jgi_summarize_bam_contig_depths (depth table: --cvExt, no variances), metabat2; contigs >= 2500 bp
  semibin   SemiBin2 single_easy_bin --self-supervised (co-assembly mode); picks 1000 or 2500 bp itself. From a depth
            table it needs five samples, and depths of both halves of each contig, for which the whole's stand in.
            On CPUs its training is slow: 15 epochs on community_a are an hour of one core, and 8 GB
These are left out of a set without a graph of metaSPAdes:
  metacoag  metacoag, which runs hmmsearch and run_FragGeneScan.pl
  graphbin  graphbin on the bins of MetaBAT2
  graphbin2 graphbin2 on the bins of MetaBAT2
"""

import contextlib
import csv
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click

from measured_runs import KB_PER_MB
from peer_graphs import after, graphbin, graphbin2, metacoag
from peer_groups import SEPARATOR, each_alone, write_catalogue
from peer_runs import Graph, PeerError, Task, bam_depths, depth_rows, run
from result_tables import ResultTable, tsv_option
from score import large_bins, read_bins, read_truth, score_bins, score_row

FOLDER = click.Path(file_okay=False, resolve_path=True, path_type=Path)


def vamb(task: Task, seed: int, out: Path, log: Path) -> Iterator[tuple[str, str]]:
    """Yield cluster and contig of vamb's VAE clusters, which it cuts by assembly if there are several."""
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
    separator, clusters = (SEPARATOR, "split") if task.alone else ("", "unsplit")
    run(task, [*command, *given, "-p", str(task.threads), "--seed", str(seed), "-o", separator], log)
    with open(out / f"vamb/vae_clusters_{clusters}.tsv") as lines:
        for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield row[0], row[1]


def metabat2(task: Task, seed: int, out: Path, log: Path) -> Iterator[tuple[str, str]]:
    """Yield cluster and contig of MetaBAT2's bins."""
    options = []
    (out / "bins").mkdir()
    if task.depth:
        table, options = out / "depth.tsv", ["--cvExt"]
        with open(table, "w") as file:
            file.write("\t".join(["contigName", *task.samples]) + "\n")
            file.writelines("\t".join([name, *depths]) + "\n" for name, depths in depth_rows(task))
    else:
        table = bam_depths(task, out, log)
    command = [task.programs["metabat2"], "-i", str(task.contigs), "-a", str(table), "-o", str(out / "bins/bin")]
    run(task, [*command, *options, "-l", "-t", str(task.threads), "--seed", str(seed)], log)
    for members in (out / "bins").glob("bin.*"):
        for name in members.read_text().split("\n"):
            if name:
                yield members.name, name


def semibin(task: Task, seed: int, out: Path, log: Path) -> Iterator[tuple[str, str]]:
    """Yield cluster and contig of SemiBin2's bins after its reclustering."""
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
    "metabat2": ("MetaBAT2", ("metabat2", "jgi"), each_alone(metabat2)),
    "semibin": ("SemiBin2", ("semibin",), semibin),
    "metacoag": ("MetaCoAG", ("metacoag", "jgi", "fraggenescan", "hmmsearch"), metacoag),
    "graphbin": ("GraphBin on MetaBAT2's bins", ("graphbin", "metabat2", "jgi"), after(metabat2, graphbin)),
    "graphbin2": ("GraphBin2 on MetaBAT2's bins", ("graphbin2", "metabat2", "jgi"), after(metabat2, graphbin2)),
}
ON_PATH = {"fraggenescan": "run_FragGeneScan.pl", "hmmsearch": "hmmsearch"}  # which MetaCoAG calls by these names
NEED_GRAPH = ("metacoag", "graphbin", "graphbin2")
TAKE_GROUPS = ("vamb", "metabat2")


def map_reads(contigs: Path, reads: dict[str, list[Path]], folder: Path, threads: int) -> list[Path]:
    """Return the coordinate-sorted BAM of each sample on all contigs; make it unless it exists."""
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


class Community(NamedTuple):
    """What a folder that community.sh made has: reads of each sample, or a table of depths."""

    name: str
    assemblies: dict[str, Path]  # the contigs of each
    contigs: Path  # of all assemblies; of a group, map_community writes it
    graph: Graph | None
    truth: Path
    reads: dict[str, list[Path]]
    depth: Path | None

    def samples(self) -> list[str]:
        """Return the names of the samples in order."""
        if self.depth is None:
            return list(self.reads)
        with open(self.depth) as lines:
            return [name for name in next(lines).rstrip("\n").split("\t")[1:] if name != "length"]


def read_community(folder: Path) -> Community:
    """Return what the folder has. Raise ClickException if community.sh did not make it."""
    sheet, depth = folder / "assemblies.csv", folder / "depth.tsv"
    if not sheet.exists():
        raise click.ClickException(f"{folder} has no assemblies.csv; make it with community.sh")
    with open(sheet) as lines:
        rows = list(csv.DictReader(lines))
    first = sorted((folder / "reads").glob("*_1.fastq.gz"))
    reads = {
        path.name.removesuffix("_1.fastq.gz"): [path, Path(str(path).replace("_1.fastq", "_2.fastq"))] for path in first
    }
    truth = next(path for path in (folder / "truth.tsv", folder / "truth.tsv.gz") if path.exists())
    assemblies = {row["id"]: folder / row["fasta"] for row in rows}
    row, contigs, graph = rows[0], folder / rows[0]["fasta"], None
    if len(rows) > 1:
        contigs = folder / "peers/catalogue.fna"
    elif row["assembler"] == "metaspades":
        graph = Graph(folder / row["graph"], folder / row["paths"])
    return Community(row["group"], assemblies, contigs, graph, truth, reads, depth if depth.exists() else None)


def map_community(task: Task, community: Community, folder: Path) -> Task:
    """Return the task with the BAM of each sample; of a group, also the task of each assembly alone."""
    reads = {name: community.reads[name] for name in task.samples}
    alone = {}
    if len(community.assemblies) > 1:
        write_catalogue(community.assemblies, task.contigs)
        for assembly, contigs in community.assemblies.items():
            bams = map_reads(contigs, reads, folder / f"bam-{assembly}", task.threads)
            alone[assembly] = replace(task, contigs=contigs, bams=bams)
    return replace(task, bams=map_reads(task.contigs, reads, folder / "bam", task.threads), alone=alone)


def peers_for(community: Community, asked: Iterable[str]) -> list[str]:
    """Return the peers that take such a community; name the others on stderr."""
    if len(community.assemblies) > 1:
        without, reason = set(PEERS) - set(TAKE_GROUPS), "takes no group of several assemblies here"
    else:
        without, reason = set() if community.graph else set(NEED_GRAPH), "needs a graph"
    for peer in sorted(without.intersection(asked)):
        click.echo(f"left out: {PEERS[peer][0]}: it {reason}", err=True)
    return [peer for peer in asked if peer not in without]


def run_binner(peer: str, task: Task, seed: int, out: Path) -> tuple[list[tuple[str, str]], resource.struct_rusage]:
    """Return cluster and contig of the peer's bins, and what its programs used."""
    rows = list(PEERS[peer][2](task, seed, out, out / "log.txt"))
    return rows, resource.getrusage(resource.RUSAGE_CHILDREN)


def bin_and_score(task: Task, community: Community, peer: str, seed: int, out: Path) -> dict[str, str] | None:
    """Run one peer in an emptied folder and return its row; None, with a message, if it fails."""
    name = PEERS[peer][0]
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    clusters, start = out / "clusters.tsv", time.monotonic()
    try:
        with ProcessPoolExecutor(1) as apart:  # whose children are this peer's alone
            rows, used = apart.submit(run_binner, peer, task, seed, out).result()
    except PeerError as failure:
        click.echo(f"{name}, seed {seed}: {failure}", err=True)
        return None
    wall, cpu = time.monotonic() - start, used.ru_utime + used.ru_stime
    with open(clusters, "w") as file:
        file.writelines(f"{cluster}\t{contig}\n" for cluster, contig in rows)
    truth = read_truth(community.truth)
    bins = read_bins(clusters, truth)
    names = {"set": "", "bins": name, "seed": str(seed)}
    of_large = {"purity_large": f"{score_bins(large_bins(bins, truth), truth).purity:.4f}"}
    took = {"wall_s": f"{wall:.0f}", "cpu_s": f"{cpu:.0f}", "peak_mb": f"{used.ru_maxrss / KB_PER_MB:.0f}"}
    return score_row(names, bins, truth) | of_large | took


def find_programs(wanted: dict[str, str], peers: list[str]) -> list[str]:
    """Return the peers whose programs are all installed; name the others on stderr."""
    found = []
    for peer in peers:
        missing = [wanted[program] for program in PEERS[peer][1] if not shutil.which(wanted[program])]
        if missing:
            click.echo(f"left out: {PEERS[peer][0]}: there is no {' and no '.join(missing)}", err=True)
        else:
            found.append(peer)
    return found


def choose(names: list[str], asked: str | None, where: Path) -> list[str]:
    """Return the samples asked for, all by default, in the order of `names`."""
    chosen = asked.split(",") if asked else names
    for name in chosen:
        if name not in names:
            raise click.ClickException(f"{where}: no sample {name}; it has {', '.join(names)}")
    return [name for name in names if name in chosen]


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=FOLDER)
@click.option("--set", "set_name", help="Name of the set in the table.  [default: the group of assemblies.csv]")
@click.option("--samples", help="Only these samples, comma-separated.  [default: all]")
@click.option("--peer", "peers", multiple=True, type=click.Choice(list(PEERS)), default=list(PEERS))
@click.option("--seed", "seeds", multiple=True, type=click.IntRange(1), default=[1])
@click.option("--vamb", "vamb_path", default="vamb", help="vamb 5.")
@click.option("--metabat2", "metabat2_path", default="metabat2")
@click.option("--jgi", "jgi_path", default="jgi_summarize_bam_contig_depths")
@click.option("--semibin", "semibin_path", default="SemiBin2", help="SemiBin2.")
@click.option("--metacoag", "metacoag_path", default="metacoag")
@click.option("--graphbin", "graphbin_path", default="graphbin")
@click.option("--graphbin2", "graphbin2_path", default="graphbin2")
@click.option("--semibin_epochs", type=click.IntRange(1), default=15, help="15 is SemiBin2's own.")
@click.option("--threads", type=click.IntRange(1), default=2)
@click.option("--limit", type=click.FloatRange(1), help="Seconds after which a peer's command is ended.")
@tsv_option
def main(
    folder: Path, set_name: str | None, samples: str | None, peers: tuple[str, ...], seeds: tuple[int, ...],
    semibin_epochs: int, threads: int, limit: float | None, tsv: Path | None, **paths: str,
) -> None:  # fmt: skip
    """Bin the community in FOLDER with other binners and score them against its truth."""
    programs = ON_PATH | {name.removesuffix("_path"): path for name, path in paths.items()}
    community = read_community(folder)
    found = find_programs(programs, peers_for(community, peers))
    chosen = choose(community.samples(), samples, folder)
    task = Task(
        community.contigs, community.graph, chosen, [], community.depth, programs, threads, limit, semibin_epochs
    )
    if found and community.depth is None:
        task = map_community(task, community, folder / "peers")
    table = ResultTable(tsv, ("set", "bins", "seed"))
    for seed in seeds:
        for peer in found:
            row = bin_and_score(task, community, peer, seed, folder / "peers" / f"{peer}-{samples or 'all'}-{seed}")
            if row:
                table.add(row | {"set": set_name or community.name})


if __name__ == "__main__":
    main()
