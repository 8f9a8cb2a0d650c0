#!/usr/bin/env python3
"""The synthetic community of the tests: genomes, reads, and what is true of the contigs that assemblers make of them.

`generate.py reads` draws six circular genomes from a seed and writes the reads of three short-read samples and of
one long-read sample. `generate.py truth` draws the same genomes again and writes, for every assembly that
assemble.sh left beside the reads, which genomes each contig comes from, and the abundance table of the
co-assembly. Same seed, same numpy: the same bytes.
"""

import gzip
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

SEED = 20
GENOMES = {"g1": 100_000, "g2": 85_000, "g3": 75_000, "g4": 70_000, "g5": 60_000, "g6": 60_000}
# Fold coverage of each genome in each short-read sample: g3 and g4 share a profile, g1 and g2 do not.
SAMPLES = ("S1", "S2", "S3")
DEPTH = {
    "g1": (10.0, 3.0, 7.0),
    "g2": (3.0, 10.0, 5.0),
    "g3": (8.0, 8.0, 2.0),
    "g4": (8.0, 8.0, 2.0),
    "g5": (2.0, 6.0, 12.0),
    "g6": (12.0, 5.0, 1.0),
}
# GC content of each genome; g2 has no composition of its own but g1's, slightly stirred.
GC = {"g1": 0.42, "g3": 0.56, "g4": 0.48, "g5": 0.34, "g6": 0.62}
CONCENTRATION = 14.0  # of the Dirichlet around the GC content: lower makes genomes more unlike
STIRRED = 0.06  # share of g2's transition probabilities that is not g1's
# Identical in several genomes: length and owners (the first lends its composition).
SHARED = ((2500, ("g1", "g3")), (1500, ("g4", "g5")), (1200, ("g2", "g5", "g6")), (900, ("g1", "g2")))
SHARED_FROM, SHARED_STEP = 10_000, 12_000  # where they stand, the same in each owner
# A genome is a row of slots; about half of them hold one copy of one of the genome's own repeats.
SLOT = 1250
REPEAT_LENGTH = (220, 700)
REPEAT_COPIES = (2, 4)
REPEAT_SHARE = 0.45

READ, INSERT, INSERT_SD = 150, 280, 25
SHORT_ERROR = 0.002
LONG_READS, LONG_ERROR, LONG_SHORTEST, LONG_LONGEST = 180, 0.04, 1000, 8000
K = 31  # contigs are recognised by their exact 31-mers, in both strands
WHOLE = 0.9  # share of its 31-mers that makes a contig part of a further genome

BASES = np.frombuffer(b"ACGT", np.uint8)
ASSEMBLIES = ("co", "A1", "A2", "mh")


class Read(NamedTuple):
    """Where a read starts and how it lies: genome positions run circularly."""

    genome: str
    start: int
    length: int
    reverse: bool


def markov_tables(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One 64 x 4 table of order-3 transition probabilities for each genome."""
    tables = {}
    for name, gc in GC.items():
        base = np.array([1 - gc, gc, gc, 1 - gc]) / 2
        tables[name] = rng.dirichlet(CONCENTRATION * base, size=64)
    other = rng.dirichlet(np.full(4, CONCENTRATION / 4), size=64)
    tables["g2"] = (1 - STIRRED) * tables["g1"] + STIRRED * other
    return tables


def markov_sequence(table: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """A sequence of base codes 0..3 (uint8) from an order-3 chain."""
    cumulative = np.cumsum(table, axis=1)[:, :3].tolist()
    context, codes = 0, bytearray(length)
    for i, u in enumerate(rng.random(length).tolist()):
        a, b, c = cumulative[context]
        code = (u >= a) + (u >= b) + (u >= c)
        codes[i] = code
        context = (context * 4 + code) % 64
    return np.frombuffer(bytes(codes), np.uint8).copy()


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """The other strand of base codes 0..3."""
    return (3 - codes)[::-1]


def make_genomes(seed: int) -> dict[str, np.ndarray]:
    """The genomes as base codes: random sequence, repeats of their own, segments that they share."""
    rng = np.random.default_rng(seed)
    tables = markov_tables(rng)
    genomes = {name: markov_sequence(tables[name], length, rng) for name, length in GENOMES.items()}
    free = {name: list(range(0, length - SLOT, SLOT)) for name, length in GENOMES.items()}
    for i, (length, owners) in enumerate(SHARED):
        segment = markov_sequence(tables[owners[0]], length, rng)
        for name in owners:
            start = SHARED_FROM + i * SHARED_STEP
            genomes[name][start : start + length] = segment
            free[name] = [slot for slot in free[name] if not start - SLOT < slot < start + length]
    for name, codes in genomes.items():
        slots = rng.permutation(free[name])[: int(REPEAT_SHARE * len(codes) / SLOT)].tolist()
        while slots:
            repeat = markov_sequence(tables[name], int(rng.integers(*REPEAT_LENGTH)), rng)
            for _ in range(min(len(slots), int(rng.integers(REPEAT_COPIES[0], REPEAT_COPIES[1] + 1)))):
                start = slots.pop() + int(rng.integers(0, SLOT - len(repeat)))
                turned = reverse_complement(repeat) if rng.random() < 0.5 else repeat
                codes[start : start + len(repeat)] = turned
    return genomes


def circular(codes: np.ndarray, start: int, length: int) -> np.ndarray:
    """A stretch of a circular genome; it may run over the origin."""
    return np.take(codes, np.arange(start, start + length), mode="wrap")


def substitute(codes: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """The codes with a share of them changed to another base."""
    wrong = rng.random(codes.size) < rate
    codes = codes.copy()
    codes[wrong] = (codes[wrong] + rng.integers(1, 4, wrong.sum())) % 4
    return codes


def with_indels(codes: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """The codes with substitutions (half of the rate), insertions and deletions (a quarter each)."""
    codes = substitute(codes, rate / 2, rng)
    kind = rng.random(codes.size)
    times = 1 - (kind < rate / 4).astype(int) + (kind > 1 - rate / 4).astype(int)
    inserted = np.flatnonzero(np.repeat(times == 2, times))[1::2]
    codes = np.repeat(codes, times)
    codes[inserted] = rng.integers(0, 4, inserted.size)
    return codes


def short_pairs(sample: int, rng: np.random.Generator, only: set[str]) -> list[tuple[Read, Read]]:
    """The read pairs of a sample, shuffled, so that neither name nor order tells the genome."""
    pairs = []
    for name, length in GENOMES.items():
        n = round(DEPTH[name][sample] * length / (2 * READ))
        starts = rng.integers(0, length, n)
        inserts = np.maximum(READ, np.rint(rng.normal(INSERT, INSERT_SD, n))).astype(int)
        for start, insert, swap in zip(starts.tolist(), inserts.tolist(), rng.random(n) < 0.5):
            left, right = Read(name, start, READ, False), Read(name, start + insert - READ, READ, True)
            pairs.append((right, left) if swap else (left, right))
    return [pairs[i] for i in rng.permutation(len(pairs)) if pairs[i][0].genome in only]


def long_reads(rng: np.random.Generator) -> list[Read]:
    """The reads of the long-read sample: every genome at the same depth, log-normal lengths, shuffled."""
    sizes = np.array(list(GENOMES.values()))
    reads = []
    for name in rng.choice(np.array(list(GENOMES)), LONG_READS, p=sizes / sizes.sum()).tolist():
        length = int(np.clip(rng.lognormal(8.0, 0.5), LONG_SHORTEST, LONG_LONGEST))
        reads.append(Read(name, int(rng.integers(0, GENOMES[name])), length, bool(rng.random() < 0.5)))
    return reads


def sequence_of(read: Read, genomes: dict[str, np.ndarray]) -> np.ndarray:
    """The error-free base codes of a read."""
    codes = circular(genomes[read.genome], read.start, read.length)
    return reverse_complement(codes) if read.reverse else codes


def write_gz(path: Path, chunks: list[bytes]) -> None:
    """Gzip without time or file name, so that equal content is equal bytes."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as out:
        out.write(b"".join(chunks))


def fastq_record(sample: str, number: int, codes: np.ndarray, quality: bytes) -> bytes:
    """One FASTQ record of constant quality."""
    return b"@%s.%d\n%s\n+\n%s\n" % (sample.encode(), number, BASES[codes].tobytes(), quality * codes.size)


def write_reads(genomes: dict[str, np.ndarray], outdir: Path, seed: int, only: set[str]) -> None:
    """<sample>_1.fastq.gz and <sample>_2.fastq.gz of every short-read sample."""
    for i, sample in enumerate(SAMPLES):
        rng = np.random.default_rng([seed, 1 + i])
        pairs = short_pairs(i, rng, only)
        for mate in (0, 1):
            records = []
            for number, pair in enumerate(pairs, start=1):
                codes = substitute(sequence_of(pair[mate], genomes), SHORT_ERROR, rng)
                records.append(fastq_record(sample, number, codes, b"I"))
            write_gz(outdir / f"{sample}_{mate + 1}.fastq.gz", records)
        click.echo(f"{sample}: {len(pairs)} pairs", err=True)


def write_long_reads(genomes: dict[str, np.ndarray], path: Path, seed: int) -> None:
    """FASTQ of the long-read sample, with substitutions, insertions and deletions."""
    rng = np.random.default_rng([seed, 99])
    records = []
    for number, read in enumerate(long_reads(rng), start=1):
        codes = with_indels(sequence_of(read, genomes), LONG_ERROR, rng)
        records.append(fastq_record("L1", number, codes, b"/"))
    write_gz(path, records)
    click.echo(f"L1: {len(records)} reads", err=True)


def canonical_kmers(codes: np.ndarray) -> np.ndarray:
    """The canonical 31-mers of base codes as uint64, in order; empty for a shorter sequence."""
    n = max(0, codes.size - K + 1)
    forward, backward = np.zeros(n, np.uint64), np.zeros(n, np.uint64)
    for i in range(K):
        column = codes[i : i + n].astype(np.uint64)
        forward = forward * np.uint64(4) + column
        backward += (np.uint64(3) - column) << np.uint64(2 * i)
    return np.minimum(forward, backward)


def read_fasta(path: Path) -> dict[str, np.ndarray]:
    """Contig name (to the first whitespace) to base codes; assemblers write no ambiguous bases without scaffolding."""
    with gzip.open(path, "rt") as handle:
        entries = handle.read().split(">")[1:]
    contigs = {}
    for entry in entries:
        header, *lines = entry.split("\n")
        bases = np.frombuffer("".join(lines).encode(), np.uint8)
        contigs[header.split()[0]] = np.searchsorted(BASES, bases).astype(np.uint8)
    return contigs


class KmerTable:
    """How often each canonical 31-mer stands in a circular genome."""

    def __init__(self, codes: np.ndarray) -> None:
        self.kmers, self.counts = np.unique(canonical_kmers(circular(codes, 0, codes.size + K - 1)), return_counts=True)

    def occurrences(self, kmers: np.ndarray) -> np.ndarray:
        """The number of times that each of the given 31-mers stands in the genome."""
        at = np.minimum(np.searchsorted(self.kmers, kmers), self.kmers.size - 1)
        return np.where(self.kmers[at] == kmers, self.counts[at], 0)


def genomes_of(kmers: np.ndarray, tables: dict[str, KmerTable]) -> list[str]:
    """The genomes of a contig: where most of its 31-mers are, and every other one that has at least 90 % of them."""
    shares = {name: float((table.occurrences(kmers) > 0).mean()) for name, table in tables.items()}
    best = max(shares.values())
    return [name for name, share in shares.items() if share == best > 0 or share >= WHOLE]


def write_truth(contigs: dict[str, np.ndarray], tables: dict[str, KmerTable], path: Path) -> None:
    """contig, genome, length: one row for each genome that a contig belongs to."""
    lines, genome_counts = ["contig\tgenome\tlength"], []
    for contig, codes in contigs.items():
        found = genomes_of(canonical_kmers(codes), tables)
        genome_counts.append(len(found))
        lines += [f"{contig}\t{name}\t{codes.size}" for name in found]
    path.write_text("\n".join(lines) + "\n")
    unknown, several = genome_counts.count(0), sum(n > 1 for n in genome_counts)
    click.echo(f"{path.name}: {len(contigs)} contigs, {several} in several genomes, {unknown} in none", err=True)


def write_abundance(contigs: dict[str, np.ndarray], tables: dict[str, KmerTable], path: Path) -> None:
    """The RPKM that each contig of the co-assembly should have, from planted depths and copy numbers."""
    reads = [sum(DEPTH[name][i] * GENOMES[name] for name in GENOMES) / READ for i in range(len(SAMPLES))]
    lines = ["\t".join(("contigname", *SAMPLES))]
    for contig, codes in contigs.items():
        kmers = canonical_kmers(codes)
        copies = {name: table.occurrences(kmers).mean() for name, table in tables.items()}
        depth = [sum(copies[name] * DEPTH[name][i] for name in GENOMES) for i in range(len(SAMPLES))]
        # depth / READ is reads per base, so a thousand of it is reads per kilobase
        lines.append("\t".join([contig, *(f"{d / READ * 1e3 / (n / 1e6):.6g}" for d, n in zip(depth, reads))]))
    path.write_text("\n".join(lines) + "\n")


@click.group(context_settings={"show_default": True})
def main() -> None:
    """Make the synthetic community of the tests."""


seed_option = click.option("--seed", type=click.IntRange(min=0), default=SEED, help="Everything follows from it.")


@main.command()
@click.option(
    "--outdir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(__file__).parent,
    help="Where the reads go.",
)
@seed_option
@click.option(
    "--only", type=click.Choice(list(GENOMES)), multiple=True, help="The short reads of these genomes and nothing else."
)
@click.option(
    "--genomes", "fasta", type=click.Path(path_type=Path, dir_okay=False), help="Write the genomes here, too."
)
def reads(outdir: Path, seed: int, only: tuple[str, ...], fasta: Path | None) -> None:
    """Draw the genomes and write the reads."""
    outdir.mkdir(parents=True, exist_ok=True)
    community = make_genomes(seed)
    write_reads(community, outdir, seed, set(only or GENOMES))
    if not only:
        write_long_reads(community, outdir / "L1.fastq.gz", seed)
    if fasta:
        fasta.write_bytes(b"".join(b">%s\n%s\n" % (n.encode(), BASES[c].tobytes()) for n, c in community.items()))


@main.command()
@click.option(
    "--outdir",
    type=click.Path(exists=True, path_type=Path, file_okay=False),
    default=Path(__file__).parent,
    help="Where the assemblies are.",
)
@seed_option
def truth(outdir: Path, seed: int) -> None:
    """Write the truth of the assemblies, and the abundance table of the co-assembly."""
    tables = {name: KmerTable(codes) for name, codes in make_genomes(seed).items()}
    for assembly in ASSEMBLIES:
        path = outdir / f"{assembly}.contigs.fasta.gz"
        if not path.exists():
            raise click.ClickException(f"{path} is missing: run assemble.sh, which makes it from the reads")
        contigs = read_fasta(path)
        write_truth(contigs, tables, outdir / f"{assembly}.truth.tsv")
        if assembly == "co":
            write_abundance(contigs, tables, outdir / "co.abundance.tsv")


if __name__ == "__main__":
    main()
