#!/usr/bin/env python3
"""Maps a sample's reads to the catalogue and counts the alignments as they stream by.

In:  a sample's FASTQ (one file, or two for pairs) and the mapper's index of the catalogue, or a
     BAM; contigs.tsv.
Out: SAMPLE.counts.tsv.gz (`sample, contig, reads, coverage`, one row per contig of the catalogue)
     and SAMPLE.mapping.tsv (one row: `sample, reads, mapped_reads, counted_reads, alignments,
     mean_coverage`); with --save_bam also SAMPLE.bam, sorted, and its index.

Counting follows the section "Computation of abundance and tetranucleotide frequencies" of the
preprint (Nissen et al. 2018, bioRxiv 490078):
- A read counts once on every contig where it has an alignment with a score (AS) above
  --min_alignment_score. Alternative hits (XA, and secondary and supplementary records) count as
  the primary hit does; XA gives no score, so its hits stand or fall with the record they are on.
- The two reads of a pair count independently; a read whose mate is unmapped counts twice.
- Records flagged as duplicate or as failing quality control are seen, but not counted.
`coverage` is the mean number of reads per base: bases aligned (CIGAR M, = and X) by the primary
and supplementary records above that score, over the length of the contig.

`reads` and `mapped_reads` of mapping.tsv count primary records, `counted_reads` the reads with at
least one counted alignment, `alignments` the (read, contig) pairs; none of these is weighted.
`mean_coverage` is over all bases of the catalogue.
"""

import csv
import gzip
import re
import signal
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pysam

# minimap2 prints no secondary hits with -x sr unless told to. 0.8 is the score ratio from which
# bwa mem lists a hit in XA, 20 the number of hits that -x sr looks at.
# The long-read presets print them; their -N and -p are minimap2's defaults, spelled out.
# -I: a FASTA beyond the default of 4 Gbp would be mapped to in parts, each read once per part.
LONG = ["--secondary=yes", "-N", "5", "-p", "0.8", "-I", "1000G"]
SHORT = ["--secondary=yes", "-N", "20", "-p", "0.8", "-I", "1000G"]
MINIMAP2_ARGS = {"sr": SHORT, "map-ont": LONG, "map-hifi": LONG}
XA_HIT = re.compile(r"([^,]+),[-+]?\d+,[^,;]*,\d+;")
# SAM flags: SINGLETON is a paired read (0x1) whose mate is unmapped (0x8).
UNMAPPED, READ2, BOTH_ENDS, SINGLETON = 0x4, 0x80, 0xC0, 0x9
SECONDARY, QC_FAIL, DUPLICATE, SUPPLEMENTARY = 0x100, 0x200, 0x400, 0x800
# CIGAR operations M, = and X.
ALIGNED = (0, 7, 8)
# (read, contig) pairs held before they are added up: some 10 MB.
CHUNK = 1 << 18


@dataclass
class Tally:
    """What was counted. `reads` and `bases` have one int64 per contig of the catalogue.

    `unpaired` is the first read name that came without both reads of a pair.
    """

    reads: np.ndarray
    bases: np.ndarray
    seen: int = 0
    mapped: int = 0
    counted: int = 0
    alignments: int = 0
    unpaired: str | None = None


def add_pairs(tally: Tally, keys: list[int]) -> None:
    """Add (read, contig) pairs to the tally, each once, and empty the list.

    A key is `(read * contigs + row) * 2 + (1 if the read counts twice)`. All records of a read
    must be in the same list.
    """
    # Not np.unique, which hashes and takes ten times as long.
    ordered = np.sort(np.array(keys, dtype=np.int64))
    keys.clear()
    pairs = ordered >> 1
    last = np.diff(pairs, append=-1) != 0
    reads, rows = np.divmod(pairs[last], max(len(tally.reads), 1))
    weights = 1 + (ordered[last] & 1)
    tally.reads += np.bincount(rows, weights, len(tally.reads)).astype(np.int64)
    tally.counted += np.count_nonzero(np.diff(reads, append=-1))
    tally.alignments += len(rows)


def alternative_rows(record: pysam.AlignedSegment, rows: dict[str, int], source: str) -> list[int]:
    """Return the catalogue rows of the hits in a record's XA tag."""
    hits = XA_HIT.findall(record.get_tag("XA"))
    try:
        return [rows[name] for name in hits]
    except KeyError as error:
        raise click.ClickException(
            f"{source}: read {record.query_name!r} has an alternative hit (XA tag) on {error}, which is not in the "
            "header: give the reads instead"
        ) from error


def count_alignments(
    records: Iterable[pysam.AlignedSegment],
    references: Sequence[str],
    rows: dict[str, int],
    min_score: int,
    source: str,
) -> Tally:
    """Count records that are grouped by read name.

    `references` are the header's names, `rows` their rows in the catalogue; `source` stands in
    errors. Raises ClickException for a mapped record without AS.
    """
    row_of = [rows[name] for name in references]
    contigs = len(row_of)
    tally = Tally(np.zeros(contigs, np.int64), np.zeros(contigs, np.int64))
    bases = [0] * contigs
    keys: list[int] = []
    group, last, ends = 0, None, BOTH_ENDS
    # Every read of the sample passes here: no calls and no arrays but where they are needed.
    for record in records:
        flag, name = record.flag, record.query_name
        if name != last:
            if ends != BOTH_ENDS:
                tally.unpaired = tally.unpaired or last
            group, last, ends = group + 1, name, 0
            if len(keys) > CHUNK:
                add_pairs(tally, keys)
        if not flag & (SECONDARY | SUPPLEMENTARY):
            ends |= flag & BOTH_ENDS
            tally.seen += 1
            tally.mapped += not flag & UNMAPPED
        if flag & (UNMAPPED | QC_FAIL | DUPLICATE):
            continue
        if not record.has_tag("AS"):
            missing = f"read {name!r} is mapped but has no alignment score (AS tag)"
            raise click.ClickException(f"{source}: {missing}: give the reads instead")
        if record.get_tag("AS") <= min_score:
            continue
        row = row_of[record.reference_id]
        if not flag & SECONDARY:
            cigar = record.cigartuples or ()
            bases[row] += sum([length for operation, length in cigar if operation in ALIGNED])
        read = (group * 2 + (flag & READ2 > 0)) * contigs
        twice = flag & SINGLETON == SINGLETON
        keys.append((read + row) * 2 + twice)
        if record.has_tag("XA"):
            others = alternative_rows(record, rows, source)
            keys.extend((read + other) * 2 + twice for other in others)
    if ends != BOTH_ENDS:
        tally.unpaired = tally.unpaired or last
    add_pairs(tally, keys)
    tally.bases += np.array(bases, np.int64)
    return tally


def match_references(
    header: pysam.AlignmentHeader, contigs: pd.DataFrame, source: str, contigs_path: Path
) -> dict[str, int]:
    """Return the catalogue row of each reference of the header; the order may differ.

    The references bear the catalogue's names or, where those are unique in the group, the
    assembler's. Raises ClickException naming the first reference that is not in contigs.tsv or
    has another length there, or the first contig that is not a reference.
    """
    lengths = dict(zip(header.references, header.lengths, strict=True))
    schemes = [contigs["contig"]]
    if contigs["name"].is_unique:
        schemes.append(contigs["name"])
    names = max(schemes, key=lambda scheme: scheme.isin(lengths).sum())
    rows = {name: row for row, name in enumerate(names)}
    expected = dict(zip(names, contigs["length"], strict=True))
    differing = [name for name in lengths if lengths[name] != expected.get(name)]
    differing += [name for name in names if name not in lengths]
    if differing:
        name = differing[0]
        has, wanted = (f"{table[name]} bp" if name in table else "absent" for table in (lengths, expected))
        raise click.ClickException(
            f"{source}: {name!r} is {has} in its header, but {wanted} in {contigs_path}: map to this group's "
            "contigs, or give the reads instead"
        )
    return rows


def count_fastq(path: Path) -> int:
    """Return the number of reads of a FASTQ (plain or gzipped) of four lines per read.

    Mappers stop at a damaged place with a warning at most, so the reads are counted here too.
    Raises ClickException for a file that is not FASTQ, is damaged or is cut off.
    """
    lines, ending = 0, b""
    try:
        with open(path, "rb") as plain:
            gzipped = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if gzipped else open(path, "rb") as handle:
            while chunk := handle.read(1 << 20):
                if not lines and chunk[:1] != b"@":
                    raise click.ClickException(f"{path}: is not FASTQ: it begins with {chunk[:1]!r}, not with '@'")
                # Line ends are held back until a line follows: the file's last do not count.
                text = ending + chunk
                body = text.rstrip(b"\r\n")
                lines = max(lines, 1) + body.count(b"\n")
                ending = text[len(body) :]
    except (OSError, EOFError, zlib.error) as error:
        raise click.ClickException(f"{path}: is damaged or cut off ({error}): copy it again") from error
    # Unless the last read is empty, and its quality a blank line.
    lines += max(0, min(-lines % 4, ending.count(b"\n") - 1))
    if lines % 4:
        advice = "copy it again if it was cut off, or write each sequence and quality on one line"
        raise click.ClickException(f"{path}: has {lines} lines, which is not four per read: {advice}")
    return lines // 4


@contextmanager
def running(command: list[str], **pipes: int) -> Iterator[subprocess.Popen]:
    """Run a command beside the body of the `with`; `pipes` are stdin= or stdout=subprocess.PIPE.

    Raises ClickException with the end of the command's stderr when it fails, also where its
    failure is why the body could not read from it or write to it (OSError, ValueError).
    """
    with tempfile.TemporaryFile() as stderr:
        try:
            process = subprocess.Popen(command, stderr=stderr, **pipes)
        except OSError as error:
            raise click.ClickException(f"{command[0]} cannot be run: {error}") from error
        try:
            yield process
            failure = None
        except (OSError, ValueError) as error:
            failure = error
        except BaseException:
            process.kill()
            process.communicate()
            raise
        for pipe in filter(None, (process.stdin, process.stdout)):
            pipe.close()
        try:
            # A command that failed is gone in no time; one that did not may wait for a reader.
            status = process.wait(timeout=10 if failure else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = 0
        stderr.seek(0)
        log = stderr.read().decode(errors="replace").strip().splitlines()
    if failure and status in (0, -signal.SIGPIPE):
        raise click.ClickException(f"{' '.join(command)}: {failure}") from failure
    if status:
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited {status}"
        raise click.ClickException("\n".join([f"{' '.join(command)}: {how}:", *log[-10:]]))


def mapper_command(mapper: str, preset: str, threads: int, extra: Sequence[str]) -> list[str]:
    """Return the mapper's command line but for index and reads; what `extra` says last holds."""
    command = ["bwa", "mem"] if mapper == "bwa" else ["minimap2", "-a", "-x", preset, *MINIMAP2_ARGS[preset]]
    return [*command, "-t", str(threads), *extra]


def is_grouped(header: pysam.AlignmentHeader) -> bool:
    """Tell whether a header says that the records of a read stand together."""
    head = header.to_dict().get("HD", {})
    order = head.get("SO")
    return order in ("queryname", "unsorted") or head.get("GO") == "query" and order != "coordinate"


def open_alignments(stack: ExitStack, bam: Path | None, command: list[str], threads: int) -> pysam.AlignmentFile:
    """Open a stream of alignments grouped by read: a BAM, or what the mapper's command writes.

    A BAM whose header does not say that it is grouped passes through `samtools collate`. Raises
    ClickException for a file that is not BAM, has no header or is cut off.
    """
    if bam:
        try:
            alignments = pysam.AlignmentFile(str(bam), check_sq=False, threads=threads)
        except (OSError, ValueError) as error:
            raise click.ClickException(f"{bam}: cannot be read as BAM ({error}): copy or make it again") from error
        stack.enter_context(alignments)
        if not alignments.is_bam:
            raise click.ClickException(f"{bam}: is not BAM: convert it with `samtools view -b`")
        if is_grouped(alignments.header):
            return alignments
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="collate.", dir="."))
        # Without -@: given threads, samtools 1.16 ends early at a damaged block and calls it success.
        command = ["samtools", "collate", "-u", "-O", str(bam), f"{scratch}/part"]
    process = stack.enter_context(running(command, stdout=subprocess.PIPE))
    return stack.enter_context(pysam.AlignmentFile(process.stdout, "r", check_sq=False, threads=threads))


def unfinished(sample: str) -> str:
    """Return what SAMPLE.bam is called until it is complete; SAMPLE.bam may be the input."""
    return f"{sample}.sorting.bam"


def saved(
    stack: ExitStack, alignments: pysam.AlignmentFile, sample: str, threads: int
) -> Iterator[pysam.AlignedSegment]:
    """Pass the records on, and each to a `samtools sort` that writes the file `unfinished`."""
    command = ["samtools", "sort", "-@", str(threads), "-m", "256M"]
    command += ["-T", f"{sample}.sort", "-o", unfinished(sample), "-"]
    process = stack.enter_context(running(command, stdin=subprocess.PIPE))
    out = stack.enter_context(pysam.AlignmentFile(process.stdin, "wbu", header=alignments.header))
    for record in alignments:
        out.write(record)
        yield record


def read_contigs(path: Path) -> pd.DataFrame:
    """Return contigs.tsv (`contig, assembly, name` as str, `length` as int64)."""
    kinds = {"contig": str, "assembly": str, "name": str, "length": np.int64}
    return pd.read_csv(path, sep="\t", dtype=kinds, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)


def write_tables(sample: str, contigs: pd.DataFrame, tally: Tally) -> None:
    """Write SAMPLE.counts.tsv.gz and SAMPLE.mapping.tsv to the current directory."""
    counts = pd.DataFrame({"sample": sample, "contig": contigs["contig"]})
    counts["reads"] = tally.reads
    counts["coverage"] = tally.bases / contigs["length"]
    mapping = {
        "sample": sample,
        "reads": tally.seen,
        "mapped_reads": tally.mapped,
        "counted_reads": tally.counted,
        "alignments": tally.alignments,
        "mean_coverage": tally.bases.sum() / contigs["length"].sum(),
    }
    form = {"sep": "\t", "index": False, "float_format": "%.6g", "lineterminator": "\n", "quoting": csv.QUOTE_NONE}
    # No time in the gzip header: the same counts give the same bytes.
    gzipped = {"method": "gzip", "compresslevel": 6, "mtime": 0}
    counts.to_csv(f"{sample}.counts.tsv.gz", compression=gzipped, **form)
    pd.DataFrame([mapping]).to_csv(f"{sample}.mapping.tsv", **form)


def report(sample: str, tally: Tally) -> None:
    """Log what was counted, and warn when nothing was."""
    seen = f"{tally.seen} reads, {tally.mapped} mapped, {tally.counted} counted"
    click.echo(f"{sample}: {seen}, {tally.alignments} alignments", err=True)
    lacks = {"reads": tally.seen, "mapped reads": tally.mapped, "counted reads": tally.counted}
    nothing = [what for what, count in lacks.items() if not count]
    if nothing:
        click.echo(f"Warning: sample {sample} has no {nothing[0]}: all its counts are 0", err=True)


def fastq_reads(paths: Sequence[Path]) -> int:
    """Return the number of reads of one FASTQ or of a pair; raise ClickException if they differ."""
    counts = [count_fastq(path) for path in paths]
    if len(set(counts)) > 1:
        has = ", ".join(f"{path} has {count} reads" for path, count in zip(paths, counts, strict=True))
        raise click.ClickException(f"{has}: give both files of the same run, complete")
    return sum(counts)


def check_request(reads: Sequence[Path], bam: Path | None, index: Path | None, mapper: str, preset: str) -> None:
    """Raise ClickException unless the options say one thing to count, and how."""
    if bool(reads) == bool(bam):
        raise click.UsageError("give either --reads or --bam")
    if reads and not index:
        raise click.UsageError("give --index with --reads")
    if len(reads) > (2 if preset == "sr" else 1):
        raise click.UsageError(f"--reads is given {len(reads)} times, too often for {preset}")
    if reads and mapper == "bwa" and preset != "sr":
        raise click.UsageError("bwa mem is for short reads: use --mapper minimap2 for long ones")


def check_reported(tally: Tally, expected: int, paired: bool, source: str) -> None:
    """Raise ClickException unless the mapper reported every read, and mates as mates."""
    if paired and tally.unpaired is not None:
        raise click.ClickException(
            f"{source}: read {tally.unpaired!r} stands beside a mate of another name: give both "
            "files of the same run, in the same order and with the same names (but for /1 and /2)"
        )
    if tally.seen != expected:
        seen = f"{expected} reads, of which the mapper reported {tally.seen}"
        raise click.ClickException(f"{source}: {seen}: the files may be damaged, or its arguments leave reads out")


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--sample", required=True, help="Name of the sample, and of the outputs.")
@click.option("--contigs", "contigs_path", type=FILE, required=True, help="contigs.tsv.")
@click.option("--reads", type=FILE, multiple=True, help="FASTQ (plain or gzipped); twice for pairs.")
@click.option("--index", type=click.Path(path_type=Path), help="minimap2's .mmi or FASTA, or bwa's index prefix.")
@click.option("--mapper", type=click.Choice(["minimap2", "bwa"]), default="minimap2", show_default=True)
@click.option("--preset", type=click.Choice(list(MINIMAP2_ARGS)), default="sr", show_default=True)
@click.option("--bam", type=FILE, help="Alignments to count, in place of --reads.")
@click.option(
    "--min_alignment_score",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="Only alignments with a higher score (AS) count.",
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--save_bam", is_flag=True, help="Also write SAMPLE.bam, sorted and indexed.")
@click.argument("mapper_args", nargs=-1)
def main(
    sample: str,
    contigs_path: Path,
    reads: tuple[Path, ...],
    index: Path | None,
    mapper: str,
    preset: str,
    bam: Path | None,
    min_alignment_score: int,
    threads: int,
    save_bam: bool,
    mapper_args: tuple[str, ...],
) -> None:
    """Count a sample's reads on the contigs of the catalogue.

    MAPPER_ARGS, after a `--`, go to the mapper behind this script's own, and so override them;
    with --bam they have no use.
    """
    check_request(reads, bam, index, mapper, preset)
    contigs = read_contigs(contigs_path)
    source = ", ".join(map(str, reads or [bam]))
    command = [*mapper_command(mapper, preset, threads, mapper_args), str(index), *map(str, reads)]
    with ThreadPoolExecutor(1) as pool:
        expected = pool.submit(fastq_reads, reads)
        try:
            with ExitStack() as stack:
                alignments = open_alignments(stack, bam, command, threads)
                rows = match_references(alignments.header, contigs, source, contigs_path)
                records = saved(stack, alignments, sample, threads) if save_bam else alignments
                references = alignments.references
                tally = count_alignments(records, references, rows, min_alignment_score, source)
        except click.ClickException:
            expected.result()  # A damaged FASTQ says more than the mapper that stumbled over it.
            raise
        except OSError as error:
            raise click.ClickException(f"{source}: cannot be read ({error}): make it again") from error
    if reads:
        check_reported(tally, expected.result(), len(reads) == 2, source)
    if save_bam:
        Path(unfinished(sample)).replace(f"{sample}.bam")
        pysam.index(f"{sample}.bam")
    report(sample, tally)
    write_tables(sample, contigs, tally)


if __name__ == "__main__":
    main()
