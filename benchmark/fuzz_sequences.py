"""Generated FASTA, catalogues and FASTQ, whole and damaged, for the readers of sequences."""

import io
import random
import sys
from functools import partial
from pathlib import Path

import pandas as pd

from fuzzing import FINAL_NEWLINE, ODD_NAMES, Case, UnreadableError, compare, damaged_file, unzipped
from project import BIN

sys.path.insert(0, str(BIN))
import catalogue
import catalogue_fasta
import fastq_reads

BASES = "ACGTNRYSWKMBDHVUacgtnryswkmbdhvu"
IUPAC = b"ACGTNRYSWKMBDHV"
PLAIN_NAME_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~!#$&+./:?@^_|~-*="
WHITESPACE = b" \t\n\r\x0b\x0c"
LONG_NAME = 0.02  # share of names that are too long for the mappers
MAX_CATALOGUE_NAME = 255  # bytes
LINES_PER_READ = 4
DESCRIPTIONS = ("", "", " a > b", "\tx", " ", " " + "d" * 2000)
MARGINS = ("", "", "", " ", "\t")
BLOCKS = (1, 2, 7, 64, 1 << 20)  # bytes that a reader takes at once

Contigs = list[tuple[str, str]]


def names_of(rng: random.Random, n: int) -> list[str]:
    """Return different names without whitespace, most of them odd."""
    names = [rng.choice(ODD_NAMES).replace(" ", "_") + str(i) * rng.randint(0, 2) for i in range(n)]
    names = [f"{name}{'x' * 250 if rng.random() < LONG_NAME else ''}" for name in names]
    return list(dict.fromkeys("".join(name.split()) or "n" for name in names))


def line_end(rng: random.Random) -> str:
    """Return a line end, most often LF."""
    return rng.choice(("\n", "\n", "\n", "\r\n"))


def fasta_text(rng: random.Random, contigs: Contigs) -> bytes:
    """Return contigs as FASTA in one of the forms that a reader must take."""
    end, lines = line_end(rng), [""] * rng.choice((0, 0, 0, 1))
    for name, sequence in contigs:
        lines.append(f">{name}{rng.choice(DESCRIPTIONS)}")
        width = rng.choice((1, 7, 60, 10_000))
        pieces = [sequence[at : at + width] for at in range(0, len(sequence), width)]
        lines += [rng.choice(MARGINS) + piece + rng.choice(MARGINS) for piece in pieces]
        lines += [""] * rng.choice((0, 0, 0, 1))
    return (end.join(lines) + end * (rng.random() < FINAL_NEWLINE)).encode()


def naive_contigs(raw: bytes) -> Contigs:
    """Return the contigs of a FASTA, cut apart at each '>' that begins a line."""
    head, *parts = (b"\n" + unzipped(raw)).split(b"\n>")
    contigs = {}
    for part in parts:
        header, _, body = part.partition(b"\n")
        words = header.split()
        sequence = b"".join(line.strip() for line in body.split(b"\n")).upper().replace(b"U", b"T")
        is_fit = words and header[:1] not in WHITESPACE and not sequence.strip(IUPAC)
        try:
            name = words[0].decode() if is_fit else ""
        except UnicodeDecodeError as error:
            raise UnreadableError from error
        if not name or not sequence or any(ord(c) < ord(" ") or "\x7f" <= c <= "\x9f" for c in name):
            raise UnreadableError
        if name in contigs or b"\r" in header.rstrip(b"\r") or set(sequence) - set(IUPAC):
            raise UnreadableError
        contigs[name] = sequence.decode()
    if head.strip() or not contigs:
        raise UnreadableError
    return list(contigs.items())


def naive_catalogue_name(assembly: str, name: str, several: bool) -> str:
    """Return a contig's name in the catalogue, escaped byte by byte."""
    letters = [chr(b) if b in PLAIN_NAME_BYTES else f"%{b:02X}" for b in name.encode()]
    if not several and letters[0] in "*=":
        letters[0] = f"%{ord(letters[0]):02X}"
    return f"{assembly}~{''.join(letters)}" if several else "".join(letters)


def naive_catalogue(assemblies: dict[str, bytes]) -> tuple[bytes, list]:
    """Return the catalogue of assemblies and the rows of its table."""
    text, rows = b"", []
    for assembly, raw in assemblies.items():
        for name, sequence in naive_contigs(raw):
            contig = naive_catalogue_name(assembly, name, len(assemblies) > 1)
            if len(contig) > MAX_CATALOGUE_NAME:
                raise UnreadableError
            text += f">{contig}\n{sequence}\n".encode()
            rows.append((contig, assembly, name, len(sequence)))
    return text, rows


def random_contigs(rng: random.Random, letters: str) -> Contigs:
    """Return a few contigs, most of them short."""
    names = names_of(rng, rng.randint(1, 8))
    return [(name, "".join(rng.choices(letters, k=rng.choice((1, 5, 60, 200))))) for name in names]


def fasta_case(damage: str, raw: dict[str, bytes]) -> Case:
    """Return the FASTA of assemblies by their ids, to be joined into a catalogue."""

    def read(folder: Path) -> tuple[bytes, list]:
        out = io.BytesIO()
        rows = catalogue.write_catalogue({name: folder / f"{name}.fasta" for name in raw}, out)
        return out.getvalue(), rows

    wanted, may_be_refused = partial(naive_catalogue, raw), damage != "none"
    try:
        wanted()
    except UnreadableError:  # of a whole file: a name that the mappers have no room for
        may_be_refused = True
    return Case(damage, {f"{name}.fasta": text for name, text in raw.items()}, read, compare(wanted), may_be_refused)


def generate_fasta(rng: random.Random) -> Case:
    """Return the FASTA of one or two assemblies, of which the last may be damaged."""
    ids = ["A", "B"][: rng.randint(1, 2)]
    raw = {name: fasta_text(rng, random_contigs(rng, BASES)) for name in ids}
    damage, raw[ids[-1]] = damaged_file(rng, raw[ids[-1]])
    return fasta_case(damage, raw)


def naive_catalogue_sequences(raw: bytes, contigs: Contigs) -> list[bytes]:
    """Return the sequences of a catalogue if they are those of its table."""
    if raw[:2] != b"\x1f\x8b":
        raise UnreadableError
    head, *parts = (b"\n" + unzipped(raw)).split(b"\n>")
    if head.strip(b"\n") or len(parts) != len(contigs):
        raise UnreadableError
    found = [(part.partition(b"\n")[0], b"".join(part.split(b"\n")[1:])) for part in parts]
    if [(name, len(sequence)) for name, sequence in found] != [(n.encode(), len(s)) for n, s in contigs]:
        raise UnreadableError
    return [sequence for _, sequence in found]


def generate_catalogue(rng: random.Random) -> Case:
    """Return a catalogue and the table of its contigs."""
    contigs = [(naive_catalogue_name("A", name, True), s) for name, s in random_contigs(rng, IUPAC.decode())]
    text = "".join(f">{name}\n{sequence}\n" for name, sequence in contigs).encode()
    damage, raw = damaged_file(rng, text, True)
    catalogue_fasta.READ_BYTES = rng.choice(BLOCKS)
    table = pd.DataFrame([(name, len(s)) for name, s in contigs], columns=["contig", "length"])

    def read(folder: Path) -> list[bytes]:
        return list(catalogue_fasta.catalogue_sequences(folder / "catalogue.fa.gz", table, folder / "contigs.tsv"))

    naive = partial(naive_catalogue_sequences, raw, contigs)
    return Case(damage, {"catalogue.fa.gz": raw}, read, compare(naive), damage != "none")


def fastq_text(rng: random.Random, names: list[str]) -> bytes:
    """Return reads with these names as FASTQ in one of the forms that a reader must take."""
    end, lines = line_end(rng), []
    for name in names:
        n = rng.choice((0, 1, 30, 151))
        quality = "".join(rng.choices("!#+@IJ~", k=n))
        lines += [f"@{name}", "".join(rng.choices("ACGTN", k=n)), rng.choice(("+", f"+{name}")), quality]
    return (end.join(lines) + end * (rng.random() < FINAL_NEWLINE or not lines[-1:] or not lines[-1])).encode()


def naive_fastq_reads(raws: list[bytes]) -> int:
    """Return the number of reads of files with as many reads each, counted by lines that are not blank at the end."""
    counts = []
    for raw in raws:
        text = unzipped(raw)
        if text and text[:1] != b"@":
            raise UnreadableError
        lines = text.split(b"\n")
        lines = lines if lines[-1].strip(b"\r") else lines[:-1]
        filled = max((i for i, line in enumerate(lines, 1) if line.strip(b"\r")), default=0)
        reads = -(-filled // LINES_PER_READ)
        if reads * LINES_PER_READ > len(lines):
            raise UnreadableError
        counts.append(reads)
    if len(set(counts)) > 1:
        raise UnreadableError
    return sum(counts)


def fastq_case(damage: str, raw: list[bytes]) -> Case:
    """Return the reads of a sample in one file or two."""
    files = {f"{i}.fastq": text for i, text in enumerate(raw)}

    def read(folder: Path) -> int:
        return fastq_reads.fastq_reads([folder / name for name in files])

    return Case(damage, files, read, compare(partial(naive_fastq_reads, raw)), damage != "none")


def generate_fastq(rng: random.Random) -> Case:
    """Return the reads of a sample in one file or two, of which the last may be damaged."""
    n_files, n_reads = rng.randint(1, 2), rng.choice((0, 1, 2, 5, 30))
    names = [f"r{i}{rng.choice(('', '', ' 1:N:0', 'é', '/1'))}" for i in range(n_reads)]
    raw = [fastq_text(rng, names) if names else b"" for _ in range(n_files)]
    damage, raw[-1] = damaged_file(rng, raw[-1])
    fastq_reads.CHUNK_BYTES = rng.choice(BLOCKS)
    return fastq_case(damage, raw)


GENERATORS = {"fasta": generate_fasta, "catalogue": generate_catalogue, "fastq": generate_fastq}
