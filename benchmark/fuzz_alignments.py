"""Generated BAM files, whole and damaged, encoded record by record, and a naive count of their alignments."""

import random
import struct
import sys
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import pandas as pd

from fuzzing import WHOLE, Case, UnreadableError, compare, damage_bytes
from project import BIN

sys.path.insert(0, str(BIN))

import alignment_counts
import alignment_limits
import map_reads

PAIRED, UNMAPPED, MATE_UNMAPPED, FIRST, SECOND, SECONDARY, SUPPLEMENTARY = 1, 4, 8, 64, 128, 256, 2048
QC_FAIL, DUPLICATE = 512, 1024
CIGAR_LETTERS, ALIGNED = "MIDNSHP=X", "M=X"
INTEGER_TYPES = {"c": "<b", "C": "<B", "s": "<h", "S": "<H", "i": "<i", "I": "<I"}
GROUPED_HEADERS = ("@HD\tVN:1.6\tSO:unsorted\tGO:query\n", "@HD\tVN:1.6\tSO:queryname\n", "@HD\tVN:1.5\tSO:unsorted\n")
OTHER_HEADERS = ("@HD\tVN:1.6\tSO:coordinate\n", "", "@HD\tVN:1.6\n")
GROUPED = 0.9  # share of files whose records need no `samtools collate`, which takes long to start
PAIRS, MAPPED = 0.7, 0.8  # share of reads that are pairs; share of reads that are mapped
BLOCK_BYTES = (60, 300, 5000, 60_000)  # of a BGZF block before compression
END_OF_BGZF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
NAMES = ("c1", "NA", "k141_0", "=x", "x" * 200, "a~b", "%3Dc")


@dataclass(frozen=True)
class Record:
    """An alignment of a read; `contig` is a number in the header, -1 if there is none."""

    name: str
    flag: int
    contig: int = -1
    cigar: tuple[tuple[int, str], ...] = ()
    score: int | None = None
    score_type: str = "i"
    hits: tuple[str, ...] = field(default=())  # contigs of the XA tag


def encoded(record: Record) -> bytes:
    """Return a record as BAM."""
    cigar = b"".join(struct.pack("<I", n << 4 | CIGAR_LETTERS.index(letter)) for n, letter in record.cigar)
    name = record.name.encode() + b"\0"
    tags = b"NMC\1"
    if record.score is not None:
        tags += b"AS" + record.score_type.encode() + struct.pack(INTEGER_TYPES[record.score_type], record.score)
    if record.hits:
        tags += b"XAZ" + "".join(f"{contig},-5,50M,0;" for contig in record.hits).encode() + b"\0"
    position = 4 if record.contig >= 0 else -1
    numbers = record.contig, position, len(name), 60, 4680, len(record.cigar), record.flag, 0, -1, -1, 0
    body = struct.pack("<iiBBHHHIiii", *numbers) + name + cigar + tags
    return struct.pack("<I", len(body)) + body


def bam_stream(head: str, contigs: list[tuple[str, int]], records: list[Record]) -> bytes:
    """Return a BAM before its compression."""
    text = (head + "".join(f"@SQ\tSN:{name}\tLN:{length}\n" for name, length in contigs)).encode()
    names = [
        struct.pack("<I", len(name) + 1) + name.encode() + b"\0" + struct.pack("<I", length) for name, length in contigs
    ]
    parts = [b"BAM\1", struct.pack("<I", len(text)), text, struct.pack("<I", len(contigs)), *names]
    return b"".join([*parts, *map(encoded, records)])


def bgzf(stream: bytes, block_bytes: int) -> bytes:
    """Return a BGZF file with blocks of this size, and its end."""
    blocks = []
    for at in range(0, len(stream), block_bytes):
        piece = stream[at : at + block_bytes]
        deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        body = deflate.compress(piece) + deflate.flush()
        size = struct.pack("<H", len(body) + len(END_OF_BGZF) - 3)
        blocks.append(END_OF_BGZF[:16] + size + body + struct.pack("<II", zlib.crc32(piece), len(piece)))
    return b"".join([*blocks, END_OF_BGZF])


def read_records(rng: random.Random, name: str, contigs: list[tuple[str, int]]) -> list[Record]:
    """Return the records of a read or of the two reads of a pair."""
    is_pair = rng.random() < PAIRS
    mapped = [rng.random() < MAPPED for _ in range(1 + is_pair)]
    records = []
    for end, is_mapped in enumerate(mapped):
        flag = (PAIRED | (SECOND if end else FIRST)) if is_pair else 0
        flag |= MATE_UNMAPPED if is_pair and not mapped[1 - end] else 0
        flag |= rng.choice((0, 0, 0, 0, QC_FAIL, DUPLICATE))
        if not is_mapped:
            records.append(Record(name, flag | UNMAPPED))
        for extra in [0, *rng.choices((SECONDARY, SUPPLEMENTARY), k=rng.choice((0, 0, 1, 3)))] if is_mapped else ():
            letters = rng.sample(CIGAR_LETTERS, rng.randint(1, 4))
            cigar = tuple((rng.randint(1, 150), letter) for letter in letters)
            hits = tuple(rng.choice(contigs)[0] for _ in range(rng.choice((0, 0, 1, 3))))
            score_type = rng.choice(list(INTEGER_TYPES))
            records.append(
                Record(name, flag | extra, rng.randrange(len(contigs)), cigar, rng.randint(40, 61), score_type, hits)
            )
    return records


def damage_records(rng: random.Random, records: list[Record]) -> list[Record]:
    """Move, drop or change a few records."""
    records = records[:]
    for _ in range(min(len(records), rng.choice((1, 1, 3)))):
        at = rng.randrange(len(records))
        record = records.pop(at)
        changes = (
            {"flag": record.flag ^ (1 << rng.randrange(12))},
            {"score": rng.choice((None, -1, 51))},
            {"name": rng.choice(("*", "r0", "r1", "é"))},
            {"hits": ("absent",)},
            {"contig": -1},
        )
        what = rng.choice(("drop", "move", "change", "change"))
        if what == "move":
            records.insert(rng.randint(0, len(records)), record)
        elif what == "change":
            records.insert(at, replace(record, score_type="i", **rng.choice(changes)))
    return records


def is_whole(run: list[Record]) -> bool:
    """Tell whether records of one name have the primary record of one single read, or those of a pair."""
    primaries = [one for one in run if not one.flag & (SECONDARY | SUPPLEMENTARY)]
    return sorted(one.flag & (FIRST | SECOND) for one in primaries) in ([0], [FIRST, SECOND])


def reads_of(records: list[Record]) -> dict[object, list[Record]]:
    """Return the records of each read name; whole reads of one name that stand apart are different reads."""
    by_name = defaultdict(list)
    for name, run in groupby(records, lambda record: record.name):
        by_name[name].append(list(run))
    reads = {}
    for name, runs in by_name.items():
        if all(map(is_whole, runs)):
            reads |= {(name, i): run for i, run in enumerate(runs)}
        else:
            reads[name] = [record for run in runs for record in run]
    return reads


def naive_counts(records: list[Record], names: list[str], min_score: int) -> dict[str, object]:
    """Return the counts of records, read by read, as the docstring of alignment_counts.py defines them."""
    reads, bases, alignments, counted = Counter(), Counter(), 0, 0
    for of_name in reads_of(records).values():
        for second in (0, SECOND):
            weights: dict[str, int] = {}
            for one in of_name:
                is_out = one.flag & (UNMAPPED | QC_FAIL | DUPLICATE) or one.contig < 0 or one.flag & SECOND != second
                if is_out or (one.score is not None and one.score <= min_score):
                    continue
                if one.score is None or "absent" in one.hits:
                    raise UnreadableError
                weight = 2 if one.flag & PAIRED and one.flag & MATE_UNMAPPED else 1
                for contig in (names[one.contig], *one.hits):
                    weights[contig] = max(weight, weights.get(contig, 0))
                if not one.flag & SECONDARY:
                    bases[names[one.contig]] += sum(n for n, letter in one.cigar if letter in ALIGNED)
            reads.update(weights)
            alignments, counted = alignments + len(weights), counted + bool(weights)
    primary = [one for one in records if not one.flag & (SECONDARY | SUPPLEMENTARY)]
    mapped = sum(not one.flag & UNMAPPED for one in primary)
    if counted > mapped:
        raise UnreadableError
    return {"reads": +reads, "bases": +bases, "numbers": (len(primary), mapped, counted, alignments)}


def check_numbers(found: dict) -> None:
    """Raise AssertionError unless counts of a damaged file agree with each other."""
    seen, mapped, counted, alignments = found["numbers"]
    assert counted <= mapped <= seen, found["numbers"]
    assert alignments >= counted, found["numbers"]
    assert sum(found["reads"].values()) >= alignments, found


def refuse_to_check(found: object) -> None:
    """Raise AssertionError about a file that is cut off and was read."""
    raise AssertionError(f"a file that is cut off was read: {found}")


def generate(rng: random.Random) -> Case:
    """Return a BAM and the table of its contigs."""
    names = rng.sample(NAMES, rng.randint(1, len(NAMES)))
    contigs = [(name, rng.choice((100, 5000))) for name in names]
    records = [one for i in range(rng.choice((0, 1, 3, 20))) for one in read_records(rng, f"r{i}", contigs)]
    damage = "none" if rng.random() < WHOLE else rng.choice(("records", "stream", "bytes", "cut"))
    records = damage_records(rng, records) if damage == "records" else records
    is_grouped = rng.random() < GROUPED
    stream = bam_stream(rng.choice(GROUPED_HEADERS if is_grouped else OTHER_HEADERS), contigs, records)
    raw = bgzf(damage_bytes(rng, stream) if damage == "stream" else stream, rng.choice(BLOCK_BYTES))
    if damage == "cut":
        ends = [at for at in range(1, len(raw)) if raw[at : at + 4] == END_OF_BGZF[:4]]
        raw = raw[: rng.choice((rng.randrange(len(raw)), rng.choice(ends)))]
    raw = damage_bytes(rng, raw) if damage == "bytes" else raw
    table = pd.DataFrame(rng.sample(contigs, len(contigs)), columns=["contig", "length"])
    table["name"], min_score = table["contig"], rng.choice((0, 50))
    limits = alignment_limits.Limits(min_score)
    table["assembly"] = [rng.choice("AB") for _ in contigs]

    def read(folder: Path) -> dict:
        path = folder / "sample.bam"
        with map_reads.bam_alignments(path) as alignments:
            tally = alignment_counts.count_alignments(alignments, table, folder / "contigs.tsv", limits, str(path))
        counts = [+Counter(dict(zip(table["contig"], numbers))) for numbers in (tally.reads, tally.bases)]
        tally.pairs.counts()
        numbers = tally.seen, tally.mapped, tally.counted, tally.alignments
        return {"reads": counts[0], "bases": counts[1], "numbers": numbers}

    checks = {"cut": refuse_to_check, "stream": check_numbers, "bytes": check_numbers}
    check = checks.get(damage) or compare(lambda: naive_counts(records, names, min_score))
    return Case(damage, {"sample.bam": raw}, read, check, damage != "none")


GENERATORS = {"bam": generate}
