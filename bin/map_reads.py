#!/usr/bin/env python3
"""Maps the reads of a sample to the catalogue and counts the alignments as the mapper writes them.

In:  the sample's FASTQ (one file, or two for pairs) and the mapper's index of the catalogue, or a BAM; contigs.tsv.
Out: SAMPLE.counts.tsv.gz (`sample, contig, reads, coverage, edits`, one row per contig of the catalogue),
     SAMPLE.pairs.tsv.gz (`contig_1, contig_2, pairs`, one row for each two contigs that pairs of reads link; not with
     --no_pairs) and
     SAMPLE.mapping.tsv (one row: `sample, reads, mapped_reads, counted_reads, alignments, mean_coverage`). With
     --save_bam and reads, also SAMPLE.bam, sorted, and its index.

`alignment_counts` has the rules of counting, `alignment_limits` says which alignments are good enough, `read_pairs` has
the rules of links. `coverage` is the mean number of reads per base: the aligned bases over the length of the contig.
`edits` is the same of edit distances (NM tag): their sum over the length, 0 where the records have none.
`reads` and `mapped_reads` of mapping.tsv count primary records, `counted_reads` the reads with at least one counted
alignment, and `alignments` the pairs of a read and a contig; no number of mapping.tsv is weighted. `mean_coverage` is
the mean over all bases of the catalogue. With --mapper strobealign all numbers are estimates and no pairs are known
(`abundance_estimates`).
"""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import click
import numpy as np
import pandas as pd
import pysam

from abundance_estimates import estimated_tally, read_depths
from alignment_counts import Tally, count_alignments
from alignment_limits import Limits
from command_pipe import CommandFailed, running
from fastq_reads import check_every_name, check_mates, fastq_reads
from message_text import one_line, printable, shown
from minimap2_commands import HITS, map_command
from stage_tables import CONTIGS, COUNTS, MAPPING, PAIRS, read_table
from stage_warnings import warn
from strobealign_index import estimate_command, mean_read_length
from table_output import write_table

MIN_MAPPED_FRACTION = 0.5  # of the reads; with fewer, a warning says that contigs and reads may not belong together
DECODING_THREADS = 2  # beside the thread that counts, which two of them keep busy


def mapper_command(
    mapper: str, preset: str, secondary: bool, contigs: pd.DataFrame, threads: int, extra: Sequence[str]
) -> list[str]:
    """Return the mapper's command line without index and reads. `extra` comes last and so overrides the rest."""
    if mapper == "bwa":
        return ["bwa", "mem", "-t", str(threads), *extra]
    return map_command(preset, secondary, int(contigs["length"].sum()), threads, extra)


def is_grouped(header: pysam.AlignmentHeader) -> bool:
    """Tell whether a header promises that the records of a read stand together."""
    head = header.to_dict().get("HD", {})
    order = head.get("SO")
    return order in ("queryname", "unsorted") or (head.get("GO") == "query" and order != "coordinate")


def check_bam(bam: Path) -> bool:
    """Tell whether the records of a read stand together in a BAM. Raise ClickException for a file that is no BAM."""
    try:
        with pysam.AlignmentFile(str(bam), check_sq=False) as alignments:
            if not alignments.is_bam:
                raise click.ClickException(f"{bam}: is not BAM: convert it with `samtools view -b`")
            return is_grouped(alignments.header)
    except (OSError, ValueError, NotImplementedError, AssertionError) as error:  # pysam asserts what a header line is
        raise click.ClickException(
            f"{bam}: cannot be read as BAM ({one_line(error)}): copy or make it again"
        ) from error


@contextmanager
def open_alignments(source: str | BinaryIO, threads: int) -> Iterator[pysam.AlignmentFile]:
    """Open a SAM or BAM, by its path or as a pipe."""
    alignments = pysam.AlignmentFile(source, check_sq=False, threads=threads)
    try:
        yield alignments
    except BaseException:
        # A damaged file cannot be closed without an error either, which would hide the first one.
        with suppress(OSError):
            alignments.close()
        raise
    alignments.close()


@contextmanager
def bam_alignments(bam: Path) -> Iterator[pysam.AlignmentFile]:
    """Open a BAM so that all records of a read stand together. Raise ClickException for a BAM that is damaged."""
    if check_bam(bam):
        try:
            # With several threads, htslib waits forever where the first block behind the header is damaged.
            with open_alignments(str(bam), 1) as alignments:
                yield alignments
        except (OSError, ValueError) as error:
            raise click.ClickException(
                f"{bam}: is damaged or cut off ({one_line(error)}): copy or make it again"
            ) from error
        return
    # Without -@: samtools 1.16 with threads ends early at a damaged block, and reports success.
    with tempfile.TemporaryDirectory(prefix="collate.", dir=".") as scratch:
        collate = ["samtools", "collate", "-u", "-O", str(bam), f"{scratch}/part"]
        try:
            with (
                running(collate, stdout=subprocess.PIPE) as process,
                open_alignments(process.stdout, DECODING_THREADS) as alignments,
            ):
                yield alignments
        except CommandFailed as error:
            reason, _, words = error.message.partition("\n")
            if not words or error.exit_code > 1:
                raise
            raise click.ClickException(f"{reason} {printable(words)}: copy or make the file again") from error


@contextmanager
def mapped_alignments(mapper: list[str], bam_to_write: str | None, threads: int) -> Iterator[pysam.AlignmentFile]:
    """Run a mapper and open its output. Meanwhile, sort a copy of the output into `bam_to_write`, if given.

    Raise ClickException if the mapper or the sorting fails.
    """
    with ExitStack() as stack:
        commands, pass_fds = [mapper], []
        if bam_to_write:
            sort = ["samtools", "sort", "-@", str(threads), "-m", "256M", "-T", f"{bam_to_write}.part"]
            sorting = stack.enter_context(running([*sort, "-o", bam_to_write, "-"], stdin=subprocess.PIPE))
            pass_fds = [sorting.stdin.fileno()]
            commands.append(["tee", f"/dev/fd/{pass_fds[0]}"])
        last = stack.enter_context(running(*commands, stdout=subprocess.PIPE, pass_fds=pass_fds))
        if bam_to_write:
            sorting.stdin.close()  # `tee` has its own copy; with this one open, the sorting would never see the end.
        yield stack.enter_context(open_alignments(last.stdout, DECODING_THREADS))


@contextmanager
def checked_fastq(reads: Sequence[Path]) -> Iterator[Future[int]]:
    """Count the reads of FASTQ files beside the body of the `with` statement.

    An error of the files explains more than the error of the mapper that it caused, so it is raised in its place.
    """
    with ThreadPoolExecutor(1) as pool:
        expected = pool.submit(fastq_reads, reads)
        try:
            yield expected
        except click.ClickException as error:
            expected.result()
            if error.exit_code == 1:  # not killed
                check_every_name(reads)
            raise


def complete_bam(unfinished: Path, bam: Path) -> None:
    """Give a sorted BAM its name, and index it. Raise ClickException if that fails."""
    unfinished.replace(bam)
    with running(["samtools", "index", str(bam)]):
        pass


def check_request(reads: Sequence[Path], bam: Path | None, index: Path | None, mapper: str, preset: str) -> None:
    """Raise UsageError unless the options name one thing to count, and how."""
    if bool(reads) == bool(bam):
        raise click.UsageError("give either --reads or --bam")
    if reads and not index:
        raise click.UsageError("give --index with --reads")
    if len(reads) > (2 if preset == "sr" else 1):
        raise click.UsageError(f"--reads is given {len(reads)} times, too often for {preset}")
    if reads and mapper != "minimap2" and preset != "sr":
        raise click.UsageError(f"{mapper} is for short reads: use --mapper minimap2 for long ones")


def check_reported(tally: Tally, expected: int, paired: bool, source: str) -> None:
    """Raise ClickException unless the mapper reported every read, and mates as mates."""
    if paired and tally.unpaired is not None:
        raise click.ClickException(
            f"{source}: read {shown(tally.unpaired)} stands beside a mate of another name: give both "
            "files of the same run, in the same order and with the same names (but for /1 and /2)"
        )
    if tally.seen != expected:
        seen = f"{expected} reads, of which the mapper reported {tally.seen}"
        raise click.ClickException(f"{source}: {seen}: the files may be damaged, or its arguments leave reads out")


def count_reads(
    opened: AbstractContextManager[pysam.AlignmentFile],
    reads: Sequence[Path],
    bam: Path | None,
    contigs: pd.DataFrame,
    contigs_path: Path,
    limits: Limits,
    pairs: bool,
) -> Tally:
    """Count the alignments of a sample: those of a mapper that has its reads, or, without reads, those of a BAM.

    Raise ClickException if something is wrong with the reads, or with what was written of them.
    """
    source = ", ".join(map(str, reads or [bam]))
    with checked_fastq(reads) as expected, opened as alignments:
        tally = count_alignments(alignments, contigs, contigs_path, limits, source, pairs)
    if reads:
        check_reported(tally, expected.result(), len(reads) > 1, source)
    return tally


def estimate_reads(
    command: list[str], reads: Sequence[Path], contigs: pd.DataFrame, contigs_path: Path, pairs: bool
) -> Tally:
    """Run strobealign and return its estimates as counts, with a table of no links if `pairs` are asked for.

    Raise ClickException if it fails, or for reads that are damaged.
    """
    with checked_fastq(reads) as expected, running(command, stdout=subprocess.PIPE) as process:
        depths = read_depths(process.stdout, contigs, contigs_path)
    check_mates(reads)
    read_length = float(np.mean([mean_read_length(path) for path in reads]))
    return estimated_tally(depths, contigs, expected.result(), read_length, pairs)


def report(sample: str, tally: Tally) -> None:
    """Log what was counted, and warn if few of the reads map, and if alignments lack their edit distance.

    FEATURES, which knows all samples of the group, warns of a sample without any count.
    """
    seen = f"{tally.seen} reads, {tally.mapped} mapped, {tally.counted} counted"
    click.echo(f"{sample}: {seen}, {tally.alignments} alignments", err=True)
    if 0 < tally.mapped < MIN_MAPPED_FRACTION * tally.seen:
        warn(
            f"only {tally.mapped} of its {tally.seen} reads ({tally.mapped / tally.seen:.1%}) map to the contigs: "
            "check that they are of the community that was assembled"
        )
    if tally.without_edits:
        warn(
            f"{tally.without_edits} of its alignments have no edit distance (NM tag) and count as if they had no "
            "mismatch: reads of relatives cannot be told from those of a contig's own genome; write the tags with "
            "`samtools calmd`, or give the reads"
        )


def write_tables(sample: str, contigs: pd.DataFrame, tally: Tally) -> None:
    """Write SAMPLE.counts.tsv.gz, SAMPLE.mapping.tsv and, if counted, SAMPLE.pairs.tsv.gz to the current directory."""
    bases = np.array(tally.bases, np.int64)
    counts = pd.DataFrame({"sample": sample, "contig": contigs["contig"]})
    counts["reads"] = np.array(tally.reads, np.int64)
    counts["coverage"] = bases / contigs["length"]
    counts["edits"] = np.array(tally.edits, np.int64) / contigs["length"]
    mapping = {
        "sample": sample,
        "reads": tally.seen,
        "mapped_reads": tally.mapped,
        "counted_reads": tally.counted,
        "alignments": tally.alignments,
        "mean_coverage": bases.sum() / contigs["length"].sum(),
    }
    write_table(COUNTS, counts, f"{sample}.counts.tsv.gz")
    write_table(MAPPING, pd.DataFrame([mapping]), f"{sample}.mapping.tsv")
    if tally.pairs is not None:
        names = contigs["contig"].to_numpy()
        one, other, pairs = tally.pairs.counts()
        linked = pd.DataFrame({"contig_1": names[one], "contig_2": names[other], "pairs": pairs})
        write_table(PAIRS, linked, f"{sample}.pairs.tsv.gz")


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--sample", required=True, help="Name of the sample, and of the outputs.")
@click.option("--contigs", "contigs_path", type=FILE, required=True, help="contigs.tsv.")
@click.option("--reads", type=FILE, multiple=True, help="FASTQ (plain or gzipped); twice for pairs.")
@click.option("--index", type=click.Path(path_type=Path), help="minimap2's .mmi or FASTA, or a prefix of an index.")
@click.option("--mapper", type=click.Choice(["minimap2", "bwa", "strobealign"]), default="minimap2", show_default=True)
@click.option("--preset", type=click.Choice(list(HITS)), default="sr", show_default=True)
@click.option("--bam", type=FILE, help="Alignments to count, in place of --reads.")
@click.option(
    "--min_alignment_score",
    type=click.IntRange(0, 1_000_000),
    default=50,
    show_default=True,
    help="Only alignments with a higher score (AS) count.",
)
@click.option(
    "--min_read_identity",
    type=click.FloatRange(0, 100),
    default=0,
    show_default=True,
    help="Only alignments of at least this identity, in percent of the aligned columns, count.",
)
@click.option(
    "--min_mapping_quality",
    type=click.IntRange(0, 254),
    default=0,
    show_default=True,
    help="Only alignments of at least this mapping quality (MAPQ) count.",
)
@click.option("--secondary/--no_secondary", default=True, help="minimap2: write secondary alignments, too.")
@click.option("--pairs/--no_pairs", default=True, help="Write SAMPLE.pairs.tsv.gz, too.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--save_bam", is_flag=True, help="Also write SAMPLE.bam, sorted and indexed; does nothing with --bam.")
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
    min_read_identity: float,
    min_mapping_quality: int,
    secondary: bool,
    pairs: bool,
    threads: int,
    save_bam: bool,
    mapper_args: tuple[str, ...],
) -> None:
    """Count a sample's reads on the contigs of the catalogue.

    MAPPER_ARGS, after a `--`, go to the mapper last and override what this script gives it. They do nothing with --bam.
    """
    check_request(reads, bam, index, mapper, preset)
    if bam and save_bam:
        click.echo(f"{sample}: --save_bam does nothing for a sample that is given as a BAM", err=True)
    contigs = read_table(CONTIGS, contigs_path)
    if reads and mapper == "strobealign":
        command = estimate_command(index, reads, threads, mapper_args)
        tally = estimate_reads(command, reads, contigs, contigs_path, pairs)
    else:
        # The BAM takes its final name when it is complete.
        unfinished = f"{sample}.sorting.bam" if save_bam and not bam else None
        limits = Limits(min_alignment_score, Fraction(str(min_read_identity)), min_mapping_quality)
        command = mapper_command(mapper, preset, secondary, contigs, threads, mapper_args)
        command += [str(index), *map(str, reads)]
        opened = bam_alignments(bam) if bam else mapped_alignments(command, unfinished, threads)
        tally = count_reads(opened, reads, bam, contigs, contigs_path, limits, pairs)
        if unfinished:
            complete_bam(Path(unfinished), Path(f"{sample}.bam"))
    report(sample, tally)
    write_tables(sample, contigs, tally)


if __name__ == "__main__":
    main()
