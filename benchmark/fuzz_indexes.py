"""Generated indexes of minimap2, whole and damaged."""

import random
import struct
import sys
from pathlib import Path

from fuzzing import WHOLE, Case, damage_bytes
from project import BIN

sys.path.insert(0, str(BIN))
import mapper_index

ODD_NUMBERS = (0, 1, 2**16, 2**31, 2**32 - 1)
N_HEADER_NUMBERS = 5
BASES_PER_WORD, WORD_BYTES, MINIMIZER_BYTES, ENTRY_BYTES = 8, 4, 8, 16

Contigs = list[tuple[str, int]]


def random_index(rng: random.Random) -> tuple[bytes, Contigs]:
    """Return an index, in which some buckets have minimizers, and the contigs in it."""
    contigs = [(f"c{i}", rng.randint(0, 40)) for i in range(rng.randint(0, 3))]
    bits = rng.randint(0, 2)
    table = b"".join(bytes([len(name)]) + name.encode() + struct.pack("<I", length) for name, length in contigs)
    buckets = b""
    for _ in range(1 << bits):
        n, m = rng.randrange(3), rng.randrange(2)
        buckets += struct.pack("<I", n) + bytes(MINIMIZER_BYTES * n) + struct.pack("<I", m) + bytes(ENTRY_BYTES * m)
    n_words = -(-sum(length for _, length in contigs) // BASES_PER_WORD)
    header = b"MMI\2" + struct.pack("<5I", 10, 15, bits, len(contigs), 0)
    return header + table + buckets + bytes(WORD_BYTES * n_words), contigs


def damage_number(rng: random.Random, raw: bytes) -> bytes:
    """Return an index with another number in its header."""
    at = len(b"MMI\2") + 4 * rng.randrange(N_HEADER_NUMBERS)
    return raw[:at] + struct.pack("<I", rng.choice(ODD_NUMBERS)) + raw[at + 4 :]


def index_case(damage: str, raw: bytes, contigs: Contigs) -> Case:
    """Return an index, and the contigs of a whole one."""

    def read(folder: Path) -> list[mapper_index.IndexedContig]:
        return list(mapper_index.read_minimap2(folder / "index.mmi"))

    def check(found: list[mapper_index.IndexedContig]) -> None:
        listed = [(contig.name, contig.length) for contig in found]
        assert damage != "none" or listed == contigs, f"{listed} instead of {contigs}"
        assert all(len(contig.codes) == contig.length for contig in found), found

    return Case(damage, {"index.mmi": raw}, read, check, damage != "none")


def generate(rng: random.Random) -> Case:
    """Return an index of a few short contigs."""
    raw, contigs = random_index(rng)
    damage = "none" if rng.random() < WHOLE else rng.choice(("bytes", "number"))
    if damage != "none":
        raw = (damage_bytes if damage == "bytes" else damage_number)(rng, raw)
    return index_case(damage, raw, contigs)


GENERATORS = {"index": generate}
