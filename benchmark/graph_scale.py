#!/usr/bin/env python3
"""Measure time and memory of the graph stages on generated assembly graphs of any size.

A graph looks like metaSPAdes' of a community: a genome is a long row of unique segments; between two of them lies a
bubble (two alternative segments), a repeat (shared within the genome, among related genomes or by all) or a hole.
Contigs run through most bubbles and some repeats, and some bridge a hole (a gap in contigs.paths); what they leave out
are contigs of their own. --sequence_bp makes the file as large as real sequences do, --copies tangles the graph.
Beside graph and paths, the folder of a size holds what the stages read and truth.tsv (contig, genome, length). Out: a
row for each size and stage, on stdout as Markdown and, with --tsv, in a file.
"""

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from measured_runs import Usage, run_task
from result_tables import ResultTable, tsv_option

BIN = Path(__file__).resolve().parents[1] / "bin"
# Scripts and the arguments that they are called with, within the folder of a generated assembly, in this order
LABELS = "--contigs contigs.tsv --clusters clusters.tsv --coverage coverage.tsv.gz"
LINKS = "--vertices vertices.tsv.gz --edges edges.tsv.gz"
STAGES = {
    "graph": "graph.py --assembler metaspades --graph graph.gfa --paths contigs.paths --contigs contigs.tsv",
    "refine, article": f"graphbin2.py {LINKS} {LABELS}",
    "refine, evidence": f"refine.py {LINKS} {LABELS} --tetranucleotides tetranucleotides.npy --features features.json"
    " --edits edits.tsv.gz --pair_links pair_links.tsv.gz --threads 2",
}

OVERLAP, GAP, READ = 55, 100, 150  # bp
GENOME_UNITS = 600  # unique segments of a genome, mean
BUBBLE, REPEAT = 0.35, 0.4  # what follows a unique segment; else a hole
THROUGH_BUBBLE, THROUGH_REPEAT, ACROSS_HOLE = 0.85, 0.35, 0.3  # how often the contig goes on
OWN, RELATED, RELATIVES = 0.7, 0.25, 5  # repeats of one genome, of genomes in groups of 5; else of all
FORWARD = 0.5  # share of links, and of contigs, that are written as generated; the others are reversed
ISOLATED = 0.12  # share of segments and links that are contigs without a link
LABELLED_BP, MISLABELLED, UNBINNED_GENOMES = 1500, 0.03, 0.1

ERROR_RATE = 0.003  # edits per aligned base
RELATED_CONTIGS, RELATED_EDITS = 0.2, 4  # share of contigs with reads of relatives; how many times the edits these have

MIN_PAIRS, PAIRS = 2, 4.0  # pairs of reads of a link: at least, and the mean of those beyond

Walk = list[list[int]]  # parts of oriented segments: 2 * number, + 1 if reversed


class Assembly:
    """A generated assembly with `size` segments and links together, to within one genome's."""

    def __init__(self, size: int, rng: random.Random, copies: float) -> None:
        self.rng, self.copies, self.genomes = rng, copies, 0
        self.lengths: list[int] = []  # of segments, bp
        self.links: list[tuple[int, int]] = []
        self.contigs: list[tuple[Walk, list[int]]] = []  # with their genomes
        pools: dict[tuple, list[int]] = defaultdict(list)
        owners: dict[int, set[int]] = defaultdict(set)  # genomes of each repeat
        while self.genomes == 0 or len(self.lengths) + len(self.links) < (1 - ISOLATED) * size:
            self.add_genome(pools, owners)
        while len(self.lengths) + len(self.links) < size:
            self.contigs.append(([[self.segment(rng.randint(100, 1000))]], [rng.randrange(self.genomes)]))
        held = {step >> 1 for parts, _ in self.contigs for part in parts for step in part}
        self.contigs.extend(([[s]], sorted(genomes)) for s, genomes in owners.items() if s >> 1 not in held)

    def segment(self, length: int) -> int:
        """Add a segment of this length; return it as a step forward."""
        self.lengths.append(length)
        return 2 * len(self.lengths) - 2

    def repeat(self, pools: dict[tuple, list[int]]) -> int:
        """Return a repeat of this genome, of related ones or of all; one in `copies` is a new one."""
        kind, related = self.rng.random(), ("related", self.genomes // RELATIVES)
        pool = pools[("own", self.genomes) if kind < OWN else related if kind < OWN + RELATED else ("all",)]
        if not pool or self.rng.random() < 1 / self.copies:
            pool.append(self.segment(self.rng.randint(60, 1200)))
        return self.rng.choice(pool)

    def add_genome(self, pools: dict[tuple, list[int]], owners: dict[int, set[int]]) -> None:
        """Add the segments, links and contigs of one genome."""
        rng, parts, before = self.rng, [[]], []  # before: what leads to the next unique segment
        for _ in range(max(20, int(rng.gauss(GENOME_UNITS, GENOME_UNITS / 3)))):
            unique = self.segment(OVERLAP + 1 + int(rng.lognormvariate(6.8, 1.1)))
            self.links.extend((segment, unique) for segment in before)
            parts[-1].append(unique)
            kind, luck = rng.random(), rng.random()
            if kind < BUBBLE:
                before, goes_on = [self.segment(2 * OVERLAP + 1) for _ in "ab"], luck < THROUGH_BUBBLE
                self.contigs.extend(([[side]], [self.genomes]) for side in before[goes_on:])
            elif kind < BUBBLE + REPEAT:
                shared = self.repeat(pools)
                owners[shared].add(self.genomes)
                before, goes_on = [shared + rng.randrange(2)], luck < THROUGH_REPEAT
            else:
                before, goes_on = [], luck < ACROSS_HOLE
            self.links.extend((unique, segment) for segment in before)
            if not goes_on:
                self.contigs.append((parts, [self.genomes]))
                parts = [[]]
            elif before:
                parts[-1].append(before[0])
            else:
                parts.append([])
        if parts != [[]]:
            self.contigs.append(([part for part in parts if part], [self.genomes]))
        self.genomes += 1


def flipped(parts: Walk) -> Walk:
    """Return a walk on the other strand."""
    return [[step ^ 1 for step in reversed(part)] for part in reversed(parts)]


def gfa_lines(made: Assembly, sequence_bp: int) -> Iterator[str]:
    """Yield S and L records; sequences of `sequence_bp` bases in all, in proportion to the segments' lengths."""
    rng, share, unit = made.rng, sequence_bp / sum(made.lengths), 1_000_000
    bases = "".join(rng.choices("ACGT", k=unit)) * (2 + int(max(made.lengths) * share) // unit)
    for segment, length in enumerate(made.lengths):
        start = rng.randrange(unit)
        sequence = bases[start : start + int(length * share)] or "*"
        yield f"S\t{7 * segment + 3}\t{sequence}\tLN:i:{length}\tKC:i:{9 * length}\n"
    for link in made.links:
        a, b = link if rng.random() < FORWARD else (link[1] ^ 1, link[0] ^ 1)
        yield f"L\t{7 * (a >> 1) + 3}\t{'+-'[a & 1]}\t{7 * (b >> 1) + 3}\t{'+-'[b & 1]}\t{OVERLAP}M\n"


def write_assembly(
    folder: Path, size: int, samples: int, copies: float, pair_links: int, sequence_bp: int, seed: int
) -> None:
    """Write all files of one generated assembly; same arguments, same files."""
    rng, draws = random.Random(seed), np.random.default_rng(seed)
    made = Assembly(size, rng, copies)
    with open(folder / "graph.gfa", "w") as gfa:
        gfa.writelines(gfa_lines(made, sequence_bp))

    def length(contig: tuple[Walk, list[int]]) -> int:
        bases = sum(made.lengths[s >> 1] - OVERLAP for part in contig[0] for s in part)
        return bases + OVERLAP + GAP * (len(contig[0]) - 1)

    contigs = sorted(made.contigs, key=length, reverse=True)
    bases = np.array([length(contig) for contig in contigs])
    profile = draws.lognormal(2, 1, (made.genomes, samples))  # coverage of each genome
    depth = np.array([profile[owners].sum(axis=0) for _, owners in contigs])
    names = [f"NODE_{n}_length_{b}_cov_{c:.4f}" for n, (b, c) in enumerate(zip(bases, depth.sum(axis=1)), 1)]
    with open(folder / "contigs.paths", "w") as paths, open(folder / "truth.tsv", "w") as truth:
        for name, (parts, owners) in zip(names, contigs):
            first = parts if rng.random() < FORWARD else flipped(parts)
            for title, walk in ((name, first), (name + "'", flipped(first))):
                text = ";\n".join(",".join(f"{7 * (s >> 1) + 3}{'+-'[s & 1]}" for s in part) for part in walk)
                paths.write(f"{title}\n{text}\n")
            truth.writelines(f"{name}\tgenome_{owner + 1}\t{length((parts, owners))}\n" for owner in owners)
    first = np.array([owners[0] for _, owners in contigs])
    write_tables(folder, names, bases, depth, first, draws)
    write_pair_links(folder, names, first, pair_links, draws)


def write_tables(
    folder: Path, names: list[str], bases: np.ndarray, depth: np.ndarray, genome: np.ndarray, draws: np.random.Generator
) -> None:
    """Write what the stages before would: contigs, clusters, coverage around `depth` (n x s), edits, composition."""
    form, genomes = {"sep": "\t", "index": False}, genome.max() + 1
    table = pd.DataFrame({"contig": names, "assembly": "A", "name": names, "length": bases})
    table.to_csv(folder / "contigs.tsv", **form)
    called = np.where(draws.random(len(names)) < MISLABELLED, draws.integers(genomes, size=len(names)), genome)
    binned = draws.random(genomes) >= UNBINNED_GENOMES
    clusters = table.assign(cluster=called + 1)[(bases >= LABELLED_BP) & binned[called]]
    clusters[["cluster", "contig", "assembly", "name"]].to_csv(folder / "clusters.tsv", **form)
    reads = draws.poisson(depth * bases[:, None] / READ)
    samples = [f"S{s + 1}" for s in range(depth.shape[1])]
    times = np.where(draws.random(len(names)) < RELATED_CONTIGS, RELATED_EDITS, 1)[:, None]
    edits = draws.poisson(times * ERROR_RATE * READ * reads)
    zipped = {"method": "gzip", "mtime": 0}
    for name, total in (("coverage", reads * READ), ("edits", edits)):
        per_base = pd.DataFrame(total / bases[:, None], columns=samples, index=pd.Index(names, name="contig"))
        per_base.to_csv(folder / f"{name}.tsv.gz", sep="\t", float_format="%.6g", compression=zipped)
    composition = draws.dirichlet(np.full(136, 20), genomes)
    windows = np.array([draws.multinomial(n, composition[of]).astype(np.float32) for n, of in zip(bases, genome)])
    np.save(folder / "tetranucleotides.npy", windows)
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    features = {"contigs_sha256": digest, "mapped_reads": dict(zip(samples, reads.sum(axis=0).tolist()))}
    (folder / "features.json").write_text(json.dumps(features))


def write_pair_links(folder: Path, names: list[str], genome: np.ndarray, each: int, draws: np.random.Generator) -> None:
    """Write links by pairs of reads, so many for each contig: to those that follow in a random order of its genome."""
    order = np.lexsort((draws.random(len(names)), genome))
    one = np.concatenate([order[: len(order) - ahead] for ahead in range(1, each + 1)] or [order[:0]])
    other = np.concatenate([order[ahead:] for ahead in range(1, each + 1)] or [order[:0]])
    found = np.sort(np.stack([one, other])[:, genome[one] == genome[other]], axis=0)
    links = pd.DataFrame({f"contig_{i}": np.array(names, dtype=object)[rows] for i, rows in enumerate(found, 1)})
    links["pairs"] = MIN_PAIRS + draws.poisson(PAIRS, len(links))
    links.to_csv(folder / "pair_links.tsv.gz", sep="\t", index=False, compression={"method": "gzip", "mtime": 0})


def measure(stage: str, folder: Path) -> Usage:
    """Return what a stage takes."""
    script, *arguments = STAGES[stage].split()
    return run_task([BIN / script, "--assembly", "A", *arguments], folder)


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--size", "sizes", multiple=True, default=[10**4, 10**5, 10**6], help="Segments and links in all.")
@click.option("--stage", "stages", multiple=True, type=click.Choice(list(STAGES)), default=list(STAGES))
@click.option("--samples", default=6, type=click.IntRange(min=1))
@click.option("--copies", default=2.0, type=click.FloatRange(min=1), help="Copies of a repeat, mean.")
@click.option("--pair_links", default=0, type=click.IntRange(min=0), help="Links by pairs of reads, of each contig.")
@click.option("--sequence_bp", default=0, type=click.IntRange(min=0), help="Bases of sequence in the GFA.")
@click.option("--seed", default=1)
@tsv_option
def main(
    folder: Path, sizes: list, stages: list, samples: int, copies: float, pair_links: int, sequence_bp: int, seed: int,
    tsv: Path | None,
) -> None:  # fmt: skip
    """Generate assembly graphs in FOLDER/<size> and measure the stages on them."""
    table = ResultTable(tsv, ("segments_and_links", "gfa_mb", "samples", "pair_links", "stage"))
    for size in sizes:
        at = folder / str(size)
        at.mkdir(parents=True, exist_ok=True)
        write_assembly(at, size, samples, copies, pair_links, sequence_bp, seed)
        for stage in (stage for stage in STAGES if stage in stages):  # refining needs the graph
            used = measure(stage, at)
            counts = json.loads((at / "graph.json").read_text())
            graph = {"segments_and_links": size, "gfa_mb": f"{(at / 'graph.gfa').stat().st_size / 1e6:.0f}"}
            graph |= {"contigs": counts["contigs"], "edges": counts["edges"], "samples": samples}
            graph |= {"pair_links": pair_links * counts["contigs"], "stage": stage}
            took = {"cpu_s": f"{used.cpu:.1f}", "wall_s": f"{used.wall:.1f}", "peak_mb": f"{used.memory:.0f}"}
            table.add(graph | took)


if __name__ == "__main__":
    main()
