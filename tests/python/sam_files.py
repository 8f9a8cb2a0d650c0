"""Alignments in SAM and BAM, written by hand or at random, and what map_reads.py counts of them."""

import random
import subprocess
from pathlib import Path

import pandas as pd
from click.testing import CliRunner

import map_reads

CONTIGS = [("c1", 1000), ("c2", 500), ("c3", 200), ("c4", 100)]
GROUPED = "@HD\tVN:1.6\tSO:unsorted\tGO:query\n"
SORTED = "@HD\tVN:1.6\tSO:coordinate\n"


def write_contigs(rows, path="contigs.tsv") -> None:
    """Write contigs.tsv from (contig, length) or (contig, assembly, name, length)."""
    rows = [row if len(row) == 4 else (row[0], "co", row[0], row[1]) for row in rows]
    lines = ["\t".join(map(str, row)) for row in [("contig", "assembly", "name", "length"), *rows]]
    Path(path).write_text("\n".join(lines) + "\n")


def record(name, flag, contig, cigar="100M", score=100, xa=None, position=1, quality=60, differing=None) -> str:
    """Return one SAM line; without a contig it is unmapped."""
    fields = [name, flag, contig or "*", position if contig else 0, quality if contig else 0]
    fields += [cigar if contig else "*", "*", 0, 0, "*", "*"]
    if contig and score is not None:
        fields.append(f"AS:i:{score}")
    if differing is not None:
        fields.append(f"NM:i:{differing}")
    if xa:
        fields.append(f"XA:Z:{xa}")
    return "\t".join(map(str, fields))


def write_bam(path, lines, references=CONTIGS, head=GROUPED) -> None:
    sequences = "".join(f"@SQ\tSN:{name}\tLN:{length}\n" for name, length in references)
    Path("made.sam").write_text(head + sequences + "".join(f"{line}\n" for line in lines))
    subprocess.run(["samtools", "view", "-b", "-o", path, "made.sam"], check=True)


def run(*arguments, contigs="contigs.tsv"):
    command = ["--sample", "S", "--contigs", contigs, *map(str, arguments)]
    return CliRunner().invoke(map_reads.main, command)


def results() -> tuple[dict[str, int], dict[str, float], pd.Series]:
    counts = pd.read_csv("S.counts.tsv.gz", sep="\t", dtype={"contig": str}, na_filter=False)
    assert list(counts.columns) == ["sample", "contig", "reads", "coverage", "edits"]
    assert set(counts["sample"]) <= {"S"}
    mapping = pd.read_csv("S.mapping.tsv", sep="\t")
    assert list(mapping.columns) == [
        "sample",
        "reads",
        "mapped_reads",
        "counted_reads",
        "alignments",
        "mean_coverage",
    ]
    assert len(mapping) == 1
    return (
        dict(zip(counts["contig"], counts["reads"], strict=True)),
        dict(zip(counts["contig"], counts["coverage"], strict=True)),
        mapping.iloc[0],
    )


def count(lines, *arguments, references=CONTIGS, contigs=CONTIGS, head=GROUPED):
    write_contigs(contigs)
    write_bam("x.bam", lines, references, head)
    done = run("--bam", "x.bam", *arguments)
    assert done.exit_code == 0, done.output
    return results()


def only(**reads) -> dict[str, int]:
    return {name: reads.get(name, 0) for name, _ in CONTIGS}


def plain_count(lines, minimum=50) -> tuple[dict[str, int], int, int]:
    """Count as the rules read, one read at a time."""
    contigs: dict[tuple, set] = {}
    double = set()
    for line in lines:
        name, flag, contig, *rest = line.split("\t")
        flag = int(flag)
        tags = dict(part.split(":", 1) for part in rest if part[2:3] == ":")
        if flag & 0x604 or int(tags["AS"][2:]) <= minimum:
            continue
        read = name, flag & 0xC0
        hits = [hit.split(",")[0] for hit in tags.get("XA", "Z:")[2:].split(";") if hit]
        contigs.setdefault(read, set()).update([contig, *hits])
        if flag & 1 and flag & 8:
            double.add(read)
    reads = only()
    for read, hits in contigs.items():
        for contig in hits:
            reads[contig] += 1 + (read in double)
    return reads, len(contigs), sum(map(len, contigs.values()))


def random_lines(seed: int, templates: int) -> list[str]:
    rng = random.Random(seed)
    lines = []
    for number in range(templates):
        # Of all lengths, and many alike but for a letter.
        name = f"{number % 10}" + "x" * rng.choice([0, 6, 7, 8, 9, 30, 250]) + f"{number // 10}"
        paired = rng.random() < 0.7
        mapped = [rng.random() < 0.8 for _ in range(1 + paired)]
        for end, is_mapped in enumerate(mapped):
            flag = (0x1 | (0x40 << end)) if paired else 0
            flag |= 0x8 if paired and not mapped[1 - end] else 0
            flag |= rng.choice([0, 0, 0, 0, 0x200, 0x400])
            if not is_mapped:
                lines.append(record(name, flag | 4, None))
                continue
            for extra in [0, *rng.choices([0x100, 0x800], k=rng.randrange(4))]:
                contig, length = rng.choice(CONTIGS)
                xa = "".join(
                    f"{rng.choice(CONTIGS)[0]},{rng.choice('+-')}{rng.randrange(1, 50)},50M,{rng.randrange(3)};"
                    for _ in range(rng.randrange(3))
                )
                score, position = rng.randrange(40, 62), rng.randrange(1, length - 50)
                lines.append(record(name, flag | extra, contig, "50M", score, xa, position))
    return lines
