#!/usr/bin/env python3
"""Compare the speed of counting tetranucleotides and alignments with vamb 5's.

The input is generated: contigs with the composition of genomes, read pairs with errors from them, mapped by minimap2 as
`map_reads` maps. vamb gets the same records sorted by coordinate, which it needs; the sorting is not in its time.
Each program runs in a process of its own, the two in turn; imports are not in their times, but in their memory.
vamb uses one thread for the FASTA and one per BAM; Binloom reads in one thread or process and counts in another.
Out: a row for each task and program, on stdout as Markdown and, with --tsv, in a file.
"""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pysam

from result_tables import ResultTable, tsv_option

BIN = Path(__file__).resolve().parents[1] / "bin"
MIN_LENGTH, READ, ERRORS, FOREIGN = 2000, 150, 0.005, 0.03  # bp, bp, per base, share of reads from elsewhere
REVERSE = 0.5  # share of the pairs whose first read is from the reverse strand
MAX_IGNORED_SCORE = 50  # an alignment with this score (AS) or less does not count
PAIRS = 50_000  # made at once
SORTED, NAMED = "sorted.bam", "named.bam"  # vamb's and ours

# What is run in a process: imports and what the measured part takes for granted, and that part.
CLOCK = """
import json, resource, sys, time, numpy, pathlib
{before}
def used():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(of.ru_utime + of.ru_stime for of in both), max(of.ru_maxrss for of in both)
start, (cpu, _) = time.perf_counter(), used()
{measured}
wall, (cpu_then, peak) = time.perf_counter() - start, used()
print(json.dumps([wall, cpu_then - cpu, peak / 1024]))
{after}
"""
VAMB_READ = 'from vamb import parsecontigs, vambtools\nhandle = vambtools.Reader("catalogue.fa.gz").filehandle\n'
OUR_READ = f"""
sys.path.insert(0, {str(BIN)!r})
import pandas, tetranucleotides
from catalogue_fasta import catalogue_sequences
contigs = pandas.read_csv("contigs.tsv", sep="\t")
sequences = catalogue_sequences(pathlib.Path("catalogue.fa.gz"), contigs, pathlib.Path("contigs.tsv"))
"""
MAP_READS = ["--sample", "S", "--contigs", "contigs.tsv", "--bam", NAMED]
# Of each task, for vamb and Binloom: before, measured, after.
TASKS = {
    "FASTA to 4-mer counts": (
        (VAMB_READ, "made = parsecontigs.Composition.from_file(handle, None, minlength=4)", ""),
        (
            OUR_READ,
            "counts = tetranucleotides.count_sequences(sequences, len(contigs))",
            "numpy.save('ours.npy', counts)",
        ),
    ),
    "counting alone": (
        (
            VAMB_READ + "entries = list(vambtools.byte_iterfasta(handle, None))",
            "counts = [entry.kmercounts() for entry in entries]",
            "numpy.save('vamb.npy', numpy.array(counts))",
        ),
        (
            OUR_READ + "batches = list(tetranucleotides.batches(tetranucleotides.pieces(sequences)))",
            (
                "for batch in batches:\n"
                "    rows = numpy.array([row for row, _ in batch])\n"
                "    tetranucleotides.count_tetranucleotides([piece for _, piece in batch], rows - rows[0])"
            ),
            "",
        ),
    ),
    "BAM to counts": (
        (
            "import pycoverm",
            (
                f"_, coverage = pycoverm.get_coverages_from_bam([{SORTED!r}], threads=1, min_identity=0.001, "
                "trim_upper=0.1, trim_lower=0.1)"
            ),
            "numpy.save('coverage.npy', coverage)",
        ),
        (
            f"sys.path.insert(0, {str(BIN)!r})\nimport map_reads",
            f"map_reads.main.main({MAP_READS!r}, standalone_mode=False)",
            "",
        ),
    ),
}


def contigs_of(bases: int, count: int, rng: np.random.Generator) -> Iterator[bytes]:
    """Yield contigs of `bases` bp in all, each of its own GC content; one in a hundred has a gap of 50 N."""
    spread = rng.exponential(1, count)
    lengths = MIN_LENGTH + (spread / spread.sum() * (bases - MIN_LENGTH * count)).astype(int)
    for number, length in enumerate(lengths):
        at = rng.uniform(0.3, 0.7) / 2
        cuts = np.array([at, 0.5, 1 - at]) * 65536
        drawn = np.searchsorted(cuts, rng.integers(0, 65536, length, dtype=np.uint16), side="right")
        sequence = np.frombuffer(b"ACGT", np.uint8)[drawn]
        if number % 100 == 0:
            sequence[500:550] = ord("N")
        yield sequence.tobytes()


def write_contigs(folder: Path, bases: int, count: int, rng: np.random.Generator) -> list[bytes]:
    """Write catalogue.fa.gz and contigs.tsv; return the contigs."""
    contigs = list(contigs_of(bases, count, rng))
    names = [f"contig_{number}" for number in range(1, count + 1)]
    with gzip.open(folder / "catalogue.fa.gz", "wb", 1) as out:
        out.writelines(f">{name}\n".encode() + text + b"\n" for name, text in zip(names, contigs, strict=True))
    table = pd.DataFrame({"contig": names, "assembly": "A", "name": names, "length": [len(text) for text in contigs]})
    table.to_csv(folder / "contigs.tsv", sep="\t", index=False)
    return contigs


def fastq(first: int, bases: np.ndarray, rng: np.random.Generator) -> bytes:
    """FASTQ of n x READ bases, with an Illumina machine's names and qualities."""
    n = len(bases)
    names = np.array([b"@A00587:214:HNLMJDSXY:2:%08d:%05d\n" % (i * 7, i % 40000) for i in range(first, first + n)])
    names = names.view(np.uint8).reshape(n, -1)
    qualities = np.frombuffer(b"FFFFFFFFFFF:FF,F", np.uint8)[rng.integers(0, 16, bases.shape)]
    parts = [names, bases, np.tile(np.frombuffer(b"\n+\n", np.uint8), (n, 1)), qualities]
    return np.hstack([*parts, np.full((n, 1), ord("\n"), np.uint8)]).tobytes()


def write_reads(folder: Path, contigs: list[bytes], pairs: int, rng: np.random.Generator) -> None:
    """Write 1.fq and 2.fq: pairs of contigs of log-normal depth, with errors, some from elsewhere."""
    genome, letters = np.frombuffer(b"".join(contigs), np.uint8), np.frombuffer(b"ACGT", np.uint8)
    lengths = np.array([len(contig) for contig in contigs])
    starts = np.cumsum(lengths) - lengths
    share = rng.lognormal(0, 1.2, len(lengths)) * lengths
    complement = np.frombuffer(bytes.maketrans(b"ACGT", b"TGCA"), np.uint8)
    with open(folder / "1.fq", "wb") as one, open(folder / "2.fq", "wb") as two:
        for first in range(0, pairs, PAIRS):
            n = min(PAIRS, pairs - first)
            contig = rng.choice(len(lengths), n, p=share / share.sum())
            insert = rng.normal(350, 40, n).clip(200, 600).astype(int)
            start = starts[contig] + (rng.random(n) * (lengths[contig] - insert)).astype(int)
            left = genome[np.add.outer(start, np.arange(READ))]
            right = complement[genome[np.subtract.outer(start + insert - 1, np.arange(READ))]]
            turned = rng.random((n, 1)) < REVERSE
            for out, bases in ((one, np.where(turned, right, left)), (two, np.where(turned, left, right))):
                wrong = (rng.random(bases.shape) < ERRORS) | (rng.random((n, 1)) < FOREIGN)
                bases[wrong] = letters[rng.integers(0, 4, np.count_nonzero(wrong))]
                out.write(fastq(first, bases, rng))


def write_alignments(folder: Path) -> None:
    """Map as `map_reads` does: BAMs of the same records, as mapped (grouped by name) and sorted by coordinate."""
    mapper = "minimap2 -a -x sr --secondary=yes -N 20 -p 0.8 -I 1000G -t 2 catalogue.fa.gz 1.fq 2.fq"
    # Older ones write no @HD, without which a BAM is not known to be grouped.
    head = "printf '@HD\\tVN:1.6\\tSO:unsorted\\tGO:query\\n'"
    named = f"( {head}; {mapper} | sed '/^@HD/d' ) | samtools view -b -o {NAMED} -"
    for command in (named, f"samtools sort -@ 2 -o {SORTED} {NAMED}"):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], check=False, cwd=folder, stderr=subprocess.PIPE, text=True
        )
        if done.returncode:
            raise click.ClickException(f"{command}: {done.stderr}")


def generate(folder: Path, bases: int, contigs: int, pairs: int, seed: int) -> None:
    """Write all input; same arguments, same files."""
    rng = np.random.default_rng(seed)
    write_reads(folder, write_contigs(folder, bases, contigs, rng), pairs, rng)
    write_alignments(folder)


def measured(python: str, parts: tuple[str, str, str], folder: Path) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and peak memory (MB, of the largest process) of the measured part."""
    code = CLOCK.format(before=parts[0], measured=parts[1], after=parts[2])
    done = subprocess.run([python, "-c", code], check=False, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"{parts[1]}: {done.stderr}")
    return tuple(json.loads(done.stdout))


def compare(task: str, vamb_python: str, folder: Path, repeats: int, table: ResultTable) -> None:
    """Run vamb and Binloom in turn and add the run of median wall time of each to the table."""
    runs: dict[str, list] = {"vamb": [], "Binloom": []}
    for _ in range(repeats):
        for done, python, parts in zip(runs.values(), (vamb_python, sys.executable), TASKS[task], strict=True):
            done.append(measured(python, parts, folder))
    middle = {name: sorted(done)[(repeats - 1) // 2] for name, done in runs.items()}
    for name, (wall, cpu, memory) in middle.items():
        ratio = {"vamb_time_over_this": f"{middle['vamb'][0] / wall:.2f}"}
        used = {"wall_s": f"{wall:.2f}", "cpu_s": f"{cpu:.2f}", "peak_mb": f"{memory:.0f}"}
        table.add({"task": task, "program": name, **used, **ratio})


def check_tetranucleotides(folder: Path) -> None:
    """Raise ClickException unless our counts are vamb's, of a 4-mer and its reverse complement together."""
    counts, ours = np.load(folder / "vamb.npy"), np.load(folder / "ours.npy")
    # In alphabetical order a base's complement is 3 - base.
    digits = np.arange(256)[:, None] // np.array([64, 16, 4, 1]) % 4
    other = (3 - digits[:, ::-1]) @ np.array([64, 16, 4, 1])
    lesser = np.minimum(np.arange(256), other)
    canonical = np.unique(lesser)
    wanted = np.zeros((len(counts), len(canonical)))
    np.add.at(wanted.T, np.searchsorted(canonical, lesser), counts.T)
    if not np.array_equal(wanted, ours):
        raise click.ClickException(f"the counts of {(wanted != ours).any(axis=1).sum()} contigs differ from vamb's")
    click.echo(f"Counts of {len(ours):,} contigs: equal", err=True)


def plain_counts(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return reads, aligned bases and edits of each contig, record by record (of minimap2's records: no XA)."""
    with pysam.AlignmentFile(str(path)) as records:
        reads, bases, edits = np.zeros((3, records.nreferences), np.int64)
        read, seen = None, set()
        for record in records:
            if (record.query_name, record.is_read2) != read:
                read, seen = (record.query_name, record.is_read2), set()
            if record.is_unmapped or record.get_tag("AS") <= MAX_IGNORED_SCORE:
                continue
            if record.reference_id not in seen:
                reads[record.reference_id] += 2 if record.is_paired and record.mate_is_unmapped else 1
            seen.add(record.reference_id)
            if not record.is_secondary:
                bases[record.reference_id] += sum(n for kind, n in record.cigartuples if kind in (0, 7, 8))
                edits[record.reference_id] += record.get_tag("NM")
    return reads, bases, edits


def check_alignments(folder: Path) -> None:
    """Raise ClickException unless our counts are a plain loop's; say how well they agree with vamb's coverage."""
    ours = pd.read_csv(folder / "S.counts.tsv.gz", sep="\t")
    lengths = pd.read_csv(folder / "contigs.tsv", sep="\t")["length"]
    reads, *sums = plain_counts(folder / NAMED)
    per_base = zip(sums, ("coverage", "edits"), strict=True)
    is_equal = [np.allclose(summed / lengths, ours[column], rtol=1e-5) for summed, column in per_base]
    if not np.array_equal(reads, ours["reads"]) or not all(is_equal):
        raise click.ClickException("the counts differ from a plain loop's")
    vamb = np.load(folder / "coverage.npy")[:, 0]
    correlation = np.corrcoef(np.log1p(vamb), np.log1p(ours["coverage"]))[0, 1]
    click.echo(f"Counts of {len(ours):,} contigs: as a plain loop's; vamb's coverage: r = {correlation:.4f}", err=True)


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--vamb_python", required=True, help="Python with vamb 5.")
@click.option("--bases", default=300_000_000, type=click.IntRange(min=100_000), help="Of all contigs.")
@click.option("--contigs", default=60_000, type=click.IntRange(min=1), help="Number of contigs.")
@click.option("--pairs", default=2_500_000, type=click.IntRange(min=1), help="Read pairs.")
@click.option("--repeats", default=3, type=click.IntRange(min=1), help="Runs of each program.")
@click.option("--seed", default=1)
@tsv_option
def main(
    folder: Path, vamb_python: str, bases: int, contigs: int, pairs: int, repeats: int, seed: int, tsv: Path | None
) -> None:
    """Generate the input in FOLDER, unless it is there, and measure both programs on it."""
    if bases < 2 * MIN_LENGTH * contigs:
        raise click.UsageError(f"give at least {2 * MIN_LENGTH} bases per contig")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / SORTED).exists():
        with ProcessPoolExecutor(1) as apart:  # for a child's peak memory starts from what its parent held
            apart.submit(generate, folder, bases, contigs, pairs, seed).result()
    table = ResultTable(tsv, ("task", "program"))
    for task in TASKS:
        compare(task, vamb_python, folder, repeats, table)
    check_tetranucleotides(folder)
    check_alignments(folder)


if __name__ == "__main__":
    main()
