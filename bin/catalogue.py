#!/usr/bin/env python3
"""Join the assemblies of a group into one catalogue of contigs.

In:  one FASTA (plain or gzipped) per assembly.
Out: catalogue.fa.gz (every contig, upper case, U as T, one line each) and contigs.tsv
     (`contig, assembly, name, length` in catalogue order: assemblies sorted by id, contigs in
     FASTA order). `contig` is the catalogue name, `name` the assembler's, cut at the first
     whitespace; only contigs.tsv relates the two.

The catalogue is what the preprint (Nissen et al. 2018, bioRxiv 490078) calls the contig
catalogue: the reads of every sample are mapped to it, and TNFs are computed from it.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import click
import pandas as pd

from message_text import one_line, shown
from output_files import gzip_output
from stage_tables import CONTIGS
from table_output import write_table

# The characters that a SAM reference name and an XA tag may hold; quote() escapes all others.
SAM_NAME_CHARACTERS = "!#$&+./:?@^_|~-*="
MAX_NAME_BYTES = 255  # that minimap2's index has room for; longer names break it without a word
NOT_IUPAC = re.compile(b"[^ACGTNRYSWKMBDHV]")
CONTROL_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f]")
# On nucleotides gzip's level 6 gains 12 % in size over level 1 and takes ten times as long.
GZIP_LEVEL = 1

Contig = tuple[str, str, str, int]


def sam_name(name: str) -> str:
    """Escape `name` so that it is a legal SAM reference name; two names never become one.

    A SAM reference name may hold `*` and `=`, but not begin with them.
    """
    text = quote(name, safe=SAM_NAME_CHARACTERS)
    return f"%{ord(text[0]):02X}{text[1:]}" if text[:1] in ("*", "=") else text


def catalogue_name(assembly: str, name: str, several: bool) -> str:
    """Return the name of a contig in the catalogue; `several`: the group has more than one assembly."""
    return f"{assembly}~{quote(name, safe=SAM_NAME_CHARACTERS)}" if several else sam_name(name)


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a plain or gzipped file; raise ClickException if it is damaged."""
    try:
        with open(path, "rb") as plain:
            gzipped = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if gzipped else open(path, "rb") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        raise click.ClickException(f"{path}: is damaged or cut off ({one_line(error)}): copy it again") from error


def read_fasta(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, upper-case sequence) of each contig of a FASTA, one at a time.

    Raise ClickException that names the file and the contig when a contig has no name, has the
    name of an earlier one, is empty, or holds anything but IUPAC nucleotide codes, and when the
    file is empty, cut off or not FASTA. pysam cannot tell: it skips what stands before the first
    '>', ends a sequence at a NUL byte and takes a line that begins with '@' for a header.
    """
    seen: set[str] = set()
    name, parts = None, []
    for line in read_lines(path):
        if line.startswith(b">"):
            if name is not None:
                yield name, checked_sequence(path, name, parts)
            name, parts = new_name(path, line, seen), []
            seen.add(name)
        elif name is not None:
            parts.append(line.strip())
        elif line.strip():
            what = "FASTQ, not FASTA" if line.startswith(b"@") else f"not FASTA: it begins with {line[:20]!r}"
            raise click.ClickException(f"{path}: is {what}: give the assembled contigs as FASTA")
    if name is None:
        raise click.ClickException(
            f"{path}: holds no sequence: remove the row of this assembly from the assembly sheet"
        )
    yield name, checked_sequence(path, name, parts)


def new_name(path: Path, header: bytes, seen: set[str]) -> str:
    """Return the name in a FASTA header line; raise ClickException if it has none that is fit or one of those seen."""
    if b"\r" in header.rstrip(b"\r\n"):
        raise click.ClickException(
            f"{path}: its lines end in CR alone, as on old Macintoshes: convert it with `tr '\\r' '\\n'`"
        )
    try:
        name = re.split(rb"\s", header[1:], maxsplit=1)[0].decode()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path}: contig {shown(header[1:])}: use UTF-8 in names") from error
    if not name:
        raise click.ClickException(
            f"{path}: a contig without a name ({len(seen)} contigs come before it): name it behind the '>'"
        )
    if control := CONTROL_CHARACTER.search(name):
        raise click.ClickException(
            f"{path}: contig {shown(name)} has the control character {control[0]!r} in its name: rename it, or copy "
            "the file again if it is damaged"
        )
    if name in seen:
        raise click.ClickException(
            f"{path}: two contigs are named {shown(name)}: rename one (a name ends at the first whitespace)"
        )
    return name


def checked_sequence(path: Path, name: str, parts: list[bytes]) -> str:
    """Join the lines of a contig; raise ClickException unless they are nucleotides."""
    sequence = b"".join(parts).upper().replace(b"U", b"T")
    if not sequence:
        raise click.ClickException(f"{path}: contig {shown(name)} has no sequence: remove it")
    wrong = NOT_IUPAC.search(sequence)
    if wrong:
        raise click.ClickException(
            f"{path}: contig {shown(name)} has {wrong[0].decode('latin-1')!r} at position {wrong.start() + 1}, which "
            "is not an IUPAC nucleotide code: give the contigs as unaligned nucleotides"
        )
    return sequence.decode("ascii")


def check_name_length(path: Path, name: str, contig: str) -> None:
    """Raise ClickException if the catalogue name of a contig is too long for the mappers."""
    if len(contig) > MAX_NAME_BYTES:
        how = f"becomes {contig[:30]}..., of" if contig != name else "has"
        raise click.ClickException(
            f"{path}: contig {shown(name)} {how} {len(contig)} characters, and mappers take {MAX_NAME_BYTES} at most: "
            "shorten the name (it ends at the first whitespace) in the FASTA and in the assembly graph"
        )


def write_catalogue(assemblies: dict[str, Path], out: BinaryIO) -> list[Contig]:
    """Write every contig to `out` as FASTA; return (catalogue name, assembly, name, length)."""
    contigs: list[Contig] = []
    for assembly in sorted(assemblies):
        before = len(contigs)
        try:
            for name, sequence in read_fasta(assemblies[assembly]):
                contig = catalogue_name(assembly, name, several=len(assemblies) > 1)
                check_name_length(assemblies[assembly], name, contig)
                out.write(f">{contig}\n{sequence}\n".encode("ascii"))
                contigs.append((contig, assembly, name, len(sequence)))
        except click.ClickException as error:
            # The files of several assemblies often have one name.
            raise click.ClickException(f"assembly {assembly!r}: {error.message}") from error
        bases = sum(length for *_, length in contigs[before:])
        click.echo(f"{assembly}: {len(contigs) - before} contigs, {bases} bp", err=True)
    return contigs


def check_outputs(inputs: Iterable[Path]) -> None:
    """Raise ClickException if an output would overwrite an input, which is read while the output is written."""
    for name in ("catalogue.fa.gz", CONTIGS.name):
        for path in inputs:
            if Path(name).exists() and path.samefile(name):
                raise click.ClickException(f"{path}: the output {name} would overwrite it: work in another folder")


def check_ids(ids: list[str]) -> None:
    """Raise ClickException unless the assembly ids differ and can begin a catalogue name."""
    for assembly in ids:
        if ids.count(assembly) > 1:
            raise click.ClickException(f"assembly {assembly!r} is given more than once: give each assembly its own id")
        # "~" separates assembly and name: an id with a "~" could make two names the same.
        if not assembly or "~" in assembly or sam_name(assembly) != assembly:
            raise click.ClickException(f"assembly id {assembly!r}: use letters, digits, '.', '_' and '-' only")


@click.command()
@click.option(
    "--assembly",
    "assemblies",
    type=(str, click.Path(exists=True, dir_okay=False, path_type=Path)),
    multiple=True,
    required=True,
    metavar="ID FASTA",
    help="Id and contigs of an assembly (FASTA, plain or gzipped); once per assembly.",
)
def main(assemblies: tuple[tuple[str, Path], ...]) -> None:
    """Join the assemblies of a group into ./catalogue.fa.gz and ./contigs.tsv."""
    check_ids([assembly for assembly, _ in assemblies])
    check_outputs([path for _, path in assemblies])
    with gzip_output("catalogue.fa.gz", GZIP_LEVEL) as out:
        contigs = write_catalogue(dict(assemblies), out)
    table = pd.DataFrame(contigs, columns=["contig", "assembly", "name", "length"])
    write_table(CONTIGS, table)


if __name__ == "__main__":
    main()
