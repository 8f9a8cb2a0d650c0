"""Reads of a genome of three contigs, the third of which repeats a part of the first."""

import gzip
import random
import subprocess
from pathlib import Path

from sam_files import write_contigs


def sequence(seed: int, length: int) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


REPEAT = sequence(9, 1500)
GENOME = {
    "k1": sequence(1, 3000) + REPEAT + sequence(2, 1000),
    "k2": sequence(3, 4000),
    "k3": REPEAT,
}
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def complement(text: str) -> str:
    return text.translate(COMPLEMENT)[::-1]


def fastq(reads: list[tuple[str, str]]) -> str:
    return "".join(f"@{name}\n{bases}\n+\n{'I' * len(bases)}\n" for name, bases in reads)


def pairs(contig: str, starts: range, prefix: str) -> tuple[list, list]:
    """Return error-free pairs of 100 bp reads, 300 bp apart from end to end."""
    text = GENOME[contig]
    first = [(f"{prefix}{i}/1", text[i : i + 100]) for i in starts]
    second = [(f"{prefix}{i}/2", complement(text[i + 200 : i + 300])) for i in starts]
    return first, second


def write_genome() -> None:
    Path("genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in GENOME.items()))
    write_contigs([(name, len(text)) for name, text in GENOME.items()])


def index_for(mapper: str) -> list[str]:
    if mapper == "bwa":
        subprocess.run(["bwa", "index", "-p", "genome", "genome.fa"], check=True, capture_output=True)
        return ["--mapper", "bwa", "--index", "genome"]
    index = ["minimap2", "-x", "sr", "-d", "genome.mmi", "genome.fa"]
    subprocess.run(index, check=True, capture_output=True)
    return ["--mapper", "minimap2", "--index", "genome.mmi"]


def write_pairs(lost_mates: int = 5) -> None:
    """Write 50 pairs of k2, 20 of the repeat, and some with a mate from nowhere."""
    first, second = pairs("k2", range(0, 3500, 70), "u")
    more, others = pairs("k1", range(3100, 4100, 50), "r")
    alone, _ = pairs("k2", range(100, 100 + 100 * lost_mates, 100), "x")
    nowhere = [(f"{name[:-1]}2", sequence(100 + i, 100)) for i, (name, _) in enumerate(alone)]
    Path("1.fq").write_text(fastq(first + more + alone))
    with gzip.open("2.fq.gz", "wt") as out:
        out.write(fastq(second + others + nowhere))


def damaged_fastq() -> dict[str, bytes]:
    rng = random.Random(5)
    starts = [rng.randrange(3900) for _ in range(3000)]
    text = fastq([(f"r{i}", GENOME["k2"][s : s + 100]) for i, s in enumerate(starts)]).encode()
    zipped = gzip.compress(text)
    middle = len(text) // 2
    return {
        "cut.fq.gz": zipped[: len(zipped) // 2],
        "flipped.fq.gz": zipped[:20_000] + bytes(9) + zipped[20_009:],
        "noise.fq.gz": zipped[:20_000] + rng.randbytes(4000) + zipped[24_000:],
        "cut.fq": text[:middle],
        "lost_bases.fq": text[:middle] + text[middle + 30 :],
        "contigs.fq": b">c\nACGT\n",
        "junk.fq": bytes(range(256)) * 20,
    }
