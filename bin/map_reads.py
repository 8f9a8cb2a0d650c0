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
import fcntl
import gzip
import itertools
import re
import signal
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

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
XA_HIT = re.compile(rb"([^,]+),[-+]?\d+,[^,;]*,\d+;")
# The alignments are counted off uncompressed BAM, by arrays: a record at a time in Python takes four times as long, and
# would hold up a mapper of many threads.
VIEW = ["samtools", "view", "-u"]
READ = 1 << 23  # bytes of it that are read at once; a block has 65,536 at most
PIPE = 1 << 20  # bytes that the pipe holds which they come through
PADDING = bytes(256)  # behind the last record, whose name may be the shortest and is looked up like the longest
# SAM flags: SINGLETON is a paired read (0x1) whose mate is unmapped (0x8).
UNMAPPED, READ2, BOTH_ENDS, SINGLETON = 0x4, 0x80, 0xC0, 0x9
SECONDARY, QC_FAIL, DUPLICATE, SUPPLEMENTARY = 0x100, 0x200, 0x400, 0x800
# A record of BAM up to its name, and the first of its tags (SAM specification, section 4.2).
RECORD = np.dtype(
    {
        "names": ["size", "reference", "name_length", "operations", "flag", "bases"],
        "formats": ["<u4", "<i4", "u1", "<u2", "<u2", "<i4"],
        "offsets": [0, 4, 12, 16, 18, 20],
        "itemsize": 36,
    }
)
TAG = np.dtype([("name", "S2"), ("type", "u1"), ("value", "<u4")])
# By the type of a tag: bytes of a value, whether it is a whole number, and the bit that makes it negative.
WIDTH, WHOLE, SIGN = np.zeros((3, 256), np.int64)
WIDTH[list(b"cCAsSiIf")] = 1, 1, 1, 2, 2, 4, 4, 4
WHOLE[list(b"cCsSiI")] = 1
SIGN[list(b"csi")] = 1 << 7, 1 << 15, 1 << 31
# By the number of a CIGAR operation: M, = and X.
ALIGNED = np.isin(np.arange(16), (0, 7, 8))


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


class References(NamedTuple):
    """What a header calls the contigs: the catalogue's row of each name, and of each number (int64)."""

    rows: dict[str, int]
    row_of: np.ndarray


class Records(NamedTuple):
    """Records of alignments, all of a read together."""

    text: bytes  # of BAM, and PADDING behind it
    starts: np.ndarray  # where each begins in it (int64)
    ends: np.ndarray
    new: np.ndarray  # whether another read begins with it (bool)


def add_pairs(tally: Tally, keys: np.ndarray) -> None:
    """Add (read, contig) pairs to the tally, each once.

    A key is `(read * contigs + row) * 2 + (1 if the read counts twice)`, int64. All records of a
    read must be in the same array.
    """
    # Not np.unique, which hashes and takes ten times as long.
    ordered = np.sort(keys)
    pairs = ordered >> 1
    last = np.diff(pairs, append=-1) != 0
    reads, rows = np.divmod(pairs[last], max(len(tally.reads), 1))
    weights = 1 + (ordered[last] & 1)
    tally.reads += np.bincount(rows, weights, len(tally.reads)).astype(np.int64)
    tally.counted += np.count_nonzero(np.diff(reads, append=-1))
    tally.alignments += len(rows)


def bgzf_blocks(pipe: BinaryIO) -> Iterator[list[bytes | memoryview]]:
    """Yield lists of the inflated blocks of a BGZF stream, which is read by READ bytes."""
    rest = b""
    while True:
        view = memoryview(np.empty(READ, np.uint8))
        view[: len(rest)] = rest
        filled = len(rest)
        while filled < READ and (count := pipe.readinto(view[filled:])):
            filled += count
        blocks, at = [], 0
        while at + 18 <= filled:
            end = at + 1 + int.from_bytes(view[at + 16 : at + 18], "little")
            if end > filled:
                break
            deflated = view[at + 18 : end - 8]
            # A stored block, which samtools writes when told not to compress, is taken as it stands.
            stored = deflated[0] == 1 and int.from_bytes(deflated[1:3], "little") == len(deflated) - 5
            blocks.append(deflated[5:] if stored else zlib.decompress(deflated, -zlib.MAX_WBITS))
            at = end
        if not blocks:
            return
        yield blocks
        rest = view[at:filled]


def ahead(pool: ThreadPoolExecutor, items: Iterator) -> Iterator:
    """Yield the items; a thread of the pool makes the next one meanwhile."""
    following = pool.submit(next, items, None)
    while (item := following.result()) is not None:
        following = pool.submit(next, items, None)
        yield item


def read_header(blocks: Iterator[list[bytes | memoryview]]) -> tuple[dict[str, int], bytes]:
    """Take the header off a stream of BAM; return the references' lengths (bp) and what was read beyond it."""
    text = b""
    for some in blocks:
        text = b"".join([text, *some])
        lengths = {}
        try:
            at = 8 + struct.unpack_from("<i", text, 4)[0]
            (references,) = struct.unpack_from("<i", text, at)
            at += 4
            for _ in range(references):
                end = at + 4 + struct.unpack_from("<i", text, at)[0]
                (lengths[text[at + 4 : end - 1].decode()],) = struct.unpack_from("<i", text, end)
                at = end + 4
        except struct.error:  # There is more of it to come.
            continue
        return lengths, text[at:]
    raise OSError("it ends within the header")


def look_up(text: bytes, places: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Return what stands at some places of a text (bytes from its beginning) as an array of `kind`."""
    # As mere bytes, which numpy copies as they are.
    return np.ndarray(len(text) - kind.itemsize + 1, f"V{kind.itemsize}", text, strides=(1,))[places].view(kind)


def record_bounds(text: bytes, blocks: np.ndarray) -> np.ndarray:
    """Return where the whole records of a text begin, and last where they end (int64).

    A record tells only how far it is to the next. samtools begins a block with a record as long as
    records fit into blocks, so that all can be followed at once: `blocks` are where they begin,
    and last where they end. Where one turns out to begin within a record, records are followed
    singly.
    """
    sizes = np.ndarray(len(text) - 3, "<u4", text, strides=(1,))
    at, ends, found = blocks[:-1], blocks[1:], [blocks[-1:]]
    while len(at):
        inside = at < ends
        if (at[~inside] != ends[~inside]).any():
            break
        at, ends = at[inside], ends[inside]
        found.append(at)
        at = at + 4 + sizes[at]
    else:
        return np.sort(np.concatenate(found))
    places, end = [0], int(blocks[-1])
    while (place := places[-1]) + 4 <= end and (following := place + 4 + int(sizes[place])) <= end:
        places.append(following)
    return np.array(places, np.int64)


def begins_read(text: bytes, starts: np.ndarray) -> np.ndarray:
    """Tell which records bear another name than the one before (bool; the first does)."""
    kind, place = RECORD.fields["name_length"]
    lengths = look_up(text, starts + place, kind)
    new = np.ones(len(starts), bool)
    new[1:] = lengths[1:] != lengths[:-1]
    # Eight letters at a time; what follows the name is masked.
    words = -(-int(lengths.max(initial=0)) // 8)
    names = look_up(text, starts + RECORD.itemsize, np.dtype(("<u8", (words,))))
    for word in range(words):
        within = np.clip(np.arange(256) - 8 * word, 0, 8).tolist()
        masks = np.array([(1 << 8 * n) - 1 for n in within], np.uint64)
        new[1:] |= (names[1:, word] ^ names[:-1, word]) & masks[lengths[1:]] != 0
    return new


def whole_reads(blocks: Iterable[list[bytes | memoryview]], rest: bytes) -> Iterator[Records]:
    """Yield the records of `rest` and of the blocks behind it; OSError when the last one is not whole."""
    for some in itertools.chain(blocks, [None]):
        parts = [rest, *(some or [])]
        text, begins = b"".join([*parts, PADDING]), np.cumsum([0, *map(len, parts)])
        bounds = record_bounds(text, begins)
        new = begins_read(text, bounds[:-1])
        # The last read may have more records to come.
        known = len(new) if some is None or not len(new) else int(np.flatnonzero(new)[-1])
        if known:
            yield Records(text, bounds[:known], bounds[1 : known + 1], new[:known])
        rest = text[bounds[known] : begins[-1]]
    if rest:
        raise OSError("it ends within a record")


def name_of(text: bytes, start: int) -> str:
    """Return the name of the record that begins there."""
    begins = start + RECORD.itemsize
    return text[begins : text.index(0, begins)].decode(errors="replace")


def tags_of(text: bytes, at: int, end: int) -> dict[bytes, int | bytes]:
    """Return the tags of a record, which stand from `at` to `end`: whole numbers, and the bytes of all else."""
    tags = {}
    while at < end:
        name, kind, at = text[at : at + 2], text[at + 2], at + 3
        if kind in b"ZH":
            stop = text.index(0, at) + 1
        elif kind == ord("B"):
            stop = at + 5 + int.from_bytes(text[at + 1 : at + 5], "little") * int(WIDTH[text[at]])
        else:
            stop = at + int(WIDTH[kind])
        value = text[at:stop]
        tags[name] = int.from_bytes(value, "little", signed=SIGN[kind] > 0) if WHOLE[kind] else value
        at = stop
    return tags


def score_of(tags: dict[bytes, int | bytes], read: str, source: str) -> int:
    """Return the alignment score of a record with these tags."""
    if not isinstance(tags.get(b"AS"), int):
        raise click.ClickException(
            f"{source}: read {read!r} is mapped but has no alignment score (AS tag): give the reads instead"
        )
    return tags[b"AS"]


def alternative_rows(hits: bytes, rows: dict[str, int], read: str, source: str) -> list[int]:
    """Return the catalogue rows of the hits of an XA tag."""
    try:
        return [rows[name.decode()] for name in XA_HIT.findall(hits)]
    except KeyError as error:
        raise click.ClickException(
            f"{source}: read {read!r} has an alternative hit (XA tag) on {error}, which is not in the header: "
            "give the reads instead"
        ) from error


def bases_aligned(text: bytes, places: np.ndarray, operations: np.ndarray) -> np.ndarray:
    """Return the bases that each CIGAR aligns (int64); `operations` of it stand from its place on."""
    ends = np.cumsum(operations)
    each = np.repeat(places - 4 * (ends - operations), operations) + 4 * np.arange(operations.sum())
    cigars = look_up(text, each, np.dtype("<u4"))
    total = np.concatenate([[0], np.cumsum(np.where(ALIGNED[cigars & 15], cigars >> 4, 0))])
    return total[ends] - total[ends - operations]


def alignment_scores(text: bytes, tags: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of records whose only tag is AS, and which these are (two arrays; below 0 a score is -1).

    A record's tags stand from `tags` to `ends`.
    """
    tag = look_up(text, tags, TAG)
    width = WIDTH[tag["type"]]
    value = tag["value"] & (1 << 8 * width) - 1
    alone = (tag["name"] == b"AS") & (WHOLE[tag["type"]] > 0) & (tags + 3 + width == ends)
    return np.where(value & SIGN[tag["type"]], -1, value), alone


def count_primary(tally: Tally, records: Records, flag: np.ndarray) -> None:
    """Add the primary records to the tally, and the first read that lacks one of its ends."""
    primary = flag & (SECONDARY | SUPPLEMENTARY) == 0
    tally.seen += np.count_nonzero(primary)
    tally.mapped += np.count_nonzero(primary & (flag & UNMAPPED == 0))
    first = np.flatnonzero(records.new)
    alone = np.bitwise_or.reduceat(np.where(primary, flag & BOTH_ENDS, 0), first) != BOTH_ENDS
    if tally.unpaired is None and alone.any():
        tally.unpaired = name_of(records.text, records.starts[first[alone.argmax()]])


def count_records(tally: Tally, records: Records, references: References, min_score: int, source: str) -> None:
    """Add records to the tally; `source` stands in errors.

    Raises ClickException for a mapped record without AS.
    """
    text, starts, ends, new = records
    head = look_up(text, starts, RECORD)
    flag, operations = head["flag"].astype(np.int64), head["operations"].astype(np.int64)
    count_primary(tally, records, flag)
    cigars = starts + RECORD.itemsize + head["name_length"]
    tags = cigars + 4 * operations + (head["bases"] + 1) // 2 + head["bases"]
    candidate = (flag & (UNMAPPED | QC_FAIL | DUPLICATE) == 0) & (head["reference"] >= 0)
    score, simple = alignment_scores(text, tags, ends)
    key = (np.cumsum(new) * 2 + (flag & READ2 > 0)) * len(references.row_of) * 2 + (flag & SINGLETON == SINGLETON)
    more_keys: list[int] = []
    more_bases = np.zeros(len(starts), np.int64)
    for i in np.flatnonzero(candidate & ~simple):
        found, name = tags_of(text, int(tags[i]), int(ends[i])), name_of(text, starts[i])
        score[i] = score_of(found, name, source)
        if score[i] > min_score and isinstance(found.get(b"XA"), bytes):
            others = alternative_rows(found[b"XA"], references.rows, name, source)
            more_keys.extend(key[i] + 2 * other for other in others)
        if b"CG" in found:  # a CIGAR that is too long for its place, where an empty one stands for it
            cigar = found[b"CG"][5:]
            more_bases[i] = bases_aligned(cigar, np.array([0]), np.array([len(cigar) // 4]))[0]

    counted = np.flatnonzero(candidate & (score > min_score))
    row = references.row_of[head["reference"][counted]]
    add_pairs(tally, np.concatenate([key[counted] + 2 * row, np.array(more_keys, np.int64)]))
    own = flag[counted] & SECONDARY == 0
    row, counted = row[own], counted[own]
    bases = bases_aligned(text, cigars[counted], operations[counted]) + more_bases[counted]
    tally.bases += np.bincount(row, bases, len(tally.bases)).astype(np.int64)


def count_alignments(
    pipe: BinaryIO, pool: ThreadPoolExecutor, contigs: pd.DataFrame, contigs_path: Path, min_score: int, source: str
) -> Tally:
    """Count the alignments of a stream of BAM that is grouped by read name; a thread of the pool reads it."""
    blocks = ahead(pool, bgzf_blocks(pipe))
    lengths, rest = read_header(blocks)
    rows = match_references(lengths, contigs, source, contigs_path)
    references = References(rows, np.array([rows[name] for name in lengths], np.int64))
    tally = Tally(np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64))
    for records in whole_reads(blocks, rest):
        count_records(tally, records, references, min_score, source)
    return tally


def match_references(lengths: dict[str, int], contigs: pd.DataFrame, source: str, contigs_path: Path) -> dict[str, int]:
    """Return the catalogue row of each reference of a header (`lengths`, bp); the order may differ.

    The references bear the catalogue's names or, where those are unique in the group, the
    assembler's. Raises ClickException naming the first reference that is not in contigs.tsv or
    has another length there, or the first contig that is not a reference.
    """
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
def running(
    *commands: list[str], stdin: int | None = None, stdout: int | None = None, pass_fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen]:
    """Run commands beside the body of the `with`, each reading what the one before it writes; yield the last.

    `stdin`, of the first, and `stdout`, of the last, are subprocess.PIPE or None. Raises
    ClickException with the end of its stderr for the first command that failed, also where that is
    why the body could not read or write (OSError, ValueError) or met an error of its own.
    """
    with ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile()) for _ in commands]
        processes: list[subprocess.Popen] = []
        failure, patience = None, None
        try:
            for command, log in zip(commands, logs, strict=True):
                given = processes[-1].stdout if processes else stdin
                taken = stdout if len(processes) == len(commands) - 1 else subprocess.PIPE
                processes.append(started(command, stdin=given, stdout=taken, stderr=log, pass_fds=pass_fds))
            yield processes[-1]
        except (OSError, ValueError) as error:
            # A command that failed is gone in no time; one that did not may wait for a reader.
            failure, patience = error, 10
        except click.ClickException as error:
            failure, patience = error, 0
        except BaseException:
            for process in processes:
                ended(process, 0)
            raise
        complaint = complaint_of(commands, [ended(process, patience) for process in processes], logs, failure)
    if isinstance(failure, click.ClickException) and not complaint:
        raise failure
    if complaint or failure:
        text = " | ".join(" ".join(command) for command in commands)
        raise click.ClickException(f"{text}: {complaint or failure}") from failure


def started(command: list[str], stdin: BinaryIO | int | None, **options) -> subprocess.Popen:
    """Start a command, which then alone holds the pipe that it reads (if any); ClickException if it cannot be run."""
    try:
        process = subprocess.Popen(command, bufsize=0, stdin=stdin, **options)
    except OSError as error:
        raise click.ClickException(f"{command[0]} cannot be run: {error}") from error
    if stdin not in (None, subprocess.PIPE):
        stdin.close()
    return process


def complaint_of(
    commands: Sequence[list[str]], statuses: list[int], logs: list[BinaryIO], failure: Exception | None
) -> str | None:
    """Return which command failed and what it said last; None if none did."""
    # Who writes to a command that failed dies of it.
    failed = [i for i, status in enumerate(statuses) if status not in (0, -signal.SIGPIPE)]
    if not failed and not failure:
        failed = [i for i, status in enumerate(statuses) if status]
    if not failed:
        return None
    status, log = statuses[failed[0]], logs[failed[0]]
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited {status}"
    log.seek(0)
    last = log.read().decode(errors="replace").strip().splitlines()[-10:]
    return "\n".join([f"{commands[failed[0]][0]} {how}:", *last])


def ended(process: subprocess.Popen, patience: float | None) -> int:
    """Return a command's exit status, 0 for one that had to be killed after `patience` seconds."""
    try:
        if process.stdin:
            process.stdin.close()
        return process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 0
    finally:
        if process.stdout:
            process.stdout.close()


def mapper_command(mapper: str, preset: str, threads: int, extra: Sequence[str]) -> list[str]:
    """Return the mapper's command line but for index and reads; what `extra` says last holds."""
    command = ["bwa", "mem"] if mapper == "bwa" else ["minimap2", "-a", "-x", preset, *MINIMAP2_ARGS[preset]]
    return [*command, "-t", str(threads), *extra]


def is_grouped(header: pysam.AlignmentHeader) -> bool:
    """Tell whether a header says that the records of a read stand together."""
    head = header.to_dict().get("HD", {})
    order = head.get("SO")
    return order in ("queryname", "unsorted") or head.get("GO") == "query" and order != "coordinate"


def check_bam(bam: Path) -> bool:
    """Tell whether the records of a read stand together in a BAM; ClickException for a file that is none."""
    try:
        with pysam.AlignmentFile(str(bam), check_sq=False) as alignments:
            if not alignments.is_bam:
                raise click.ClickException(f"{bam}: is not BAM: convert it with `samtools view -b`")
            return is_grouped(alignments.header)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{bam}: cannot be read as BAM ({error}): copy or make it again") from error


def view_command() -> list[str]:
    """Return the command that writes what is counted: of the tags, from samtools 1.14 on, only those that matter.

    With others among them each record takes a look of its own (`alignment_scores`).
    """
    try:
        usage = subprocess.run(["samtools", "view", "--help"], capture_output=True, text=True, check=False)
    except OSError:  # Which is said where it is run.
        return VIEW
    return [*VIEW, "--keep-tag", "AS,XA"] if "--keep-tag" in usage.stdout + usage.stderr else VIEW


def alignment_commands(stack: ExitStack, bam: Path | None, mapper: list[str]) -> list[list[str]]:
    """Return the commands whose last one writes the alignments to count, grouped by read.

    The first is the mapper's or reads the BAM: through `samtools collate`, if its header does not
    say that it is grouped. Without -@: given threads, samtools 1.16 ends early at a damaged block
    and calls it success.
    """
    view = view_command()
    if not bam:
        return [mapper, [*view, "-"]]
    if check_bam(bam):
        return [[*view, str(bam)]]
    scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="collate.", dir="."))
    return [["samtools", "collate", "-u", "-O", str(bam), f"{scratch}/part"], [*view, "-"]]


def unfinished(sample: str) -> str:
    """Return what SAMPLE.bam is called until it is complete; SAMPLE.bam may be the input."""
    return f"{sample}.sorting.bam"


@contextmanager
def alignments(bam: Path | None, mapper: list[str], saved_as: str | None, threads: int) -> Iterator[BinaryIO]:
    """Open a stream of the alignments to count, and sort all of them into the file `saved_as` (if any) meanwhile.

    Raises ClickException as `running` does.
    """
    with ExitStack() as stack:
        commands, pass_fds = alignment_commands(stack, bam, mapper), []
        if saved_as:
            sort = ["samtools", "sort", "-@", str(threads), "-m", "256M", "-T", f"{saved_as}.part", "-o", saved_as]
            sorting = stack.enter_context(running([*sort, str(bam or "-")], stdin=subprocess.PIPE))
            if not bam:
                pass_fds = [sorting.stdin.fileno()]
                commands.insert(1, ["tee", f"/dev/fd/{pass_fds[0]}"])
        last = stack.enter_context(running(*commands, stdout=subprocess.PIPE, pass_fds=pass_fds))
        if saved_as:
            sorting.stdin.close()  # Else it would wait for what this script has to write.
        with suppress(AttributeError, OSError):  # Not every system and user may have it.
            # The reading thread takes turns with the counting one at each filling of the pipe, which else are many.
            fcntl.fcntl(last.stdout, fcntl.F_SETPIPE_SZ, PIPE)
        yield last.stdout


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
    with ThreadPoolExecutor(2) as pool:
        expected = pool.submit(fastq_reads, reads)
        try:
            with alignments(bam, command, unfinished(sample) if save_bam else None, threads) as pipe:
                tally = count_alignments(pipe, pool, contigs, contigs_path, min_alignment_score, source)
        except click.ClickException:
            expected.result()  # A damaged FASTQ says more than the mapper that stumbled over it.
            raise
    if reads:
        check_reported(tally, expected.result(), len(reads) == 2, source)
    if save_bam:
        Path(unfinished(sample)).replace(f"{sample}.bam")
        pysam.index(f"{sample}.bam")
    report(sample, tally)
    write_tables(sample, contigs, tally)


if __name__ == "__main__":
    main()
