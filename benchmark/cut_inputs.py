#!/usr/bin/env python3
"""Cut off every kind of input file at many places, and tell which cuts the stages notice.

A file is cut at random bytes, within its last bytes, where its blocks or members begin, and between its records. The
stage's own command reads what is left. It has to end with one line that names the file and the remedy, or, where the
cut has left a file that is whole by its format, to give its results; the last column tells how often it did.
"""

import gzip
import random
import re
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import click
import pysam

from fault_runs import DATA, PROJECT, fresh, one_line, task_folders, undisturbed
from result_tables import FOLDER, ResultTable, tsv_option

ENDINGS = (1, 2, 28, 40)  # bytes; the marker at the end of a BAM takes 28
REMEDY = re.compile("copy|make it|give|remove the row|write each")
N_BOUNDARIES = 10
BGZF_BYTES = 20_000  # of text in each member of a gzip file that is written in parts


@dataclass
class Input:
    """An input file, the places where its parts begin, and how a stage reads it."""

    name: str
    content: bytes
    file: str
    command: list[str]
    boundaries: dict[str, list[int]]  # what begins there -> bytes before it


def members(content: bytes) -> list[int]:
    """Return where the members of a gzip file begin (the blocks of a BAM, too), but for the first one."""
    places, left = [], content
    while left:
        part = zlib.decompressobj(31)
        part.decompress(left)
        left = part.unused_data
        places.append(len(content) - len(left))
    return places[:-1]


def records(content: bytes, lines: int) -> list[int]:
    """Return the ends of every record of so many lines, but for the last one."""
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    return ends[lines - 1 : -1 : lines]


def in_members(text: bytes) -> bytes:
    """Return a text as a gzip file of several members, as programs write that compress in parallel."""
    return b"".join(gzip.compress(text[i : i + BGZF_BYTES], 1, mtime=0) for i in range(0, len(text), BGZF_BYTES))


def sorted_bam(folder: Path) -> bytes:
    """Return the bundled BAM, sorted by position, with blocks of the usual size."""
    path = folder / "sorted.bam"
    pysam.sort("-o", str(path), str(DATA / "co.S3.bam"))
    return path.read_bytes()


def inputs(folder: Path) -> list[Input]:
    """Return every kind of input, with the command that reads it."""
    expected = undisturbed(folder)
    mapping, graph = task_folders("MAP_READS", expected)[0], task_folders("GRAPH", expected)[0]
    contigs, index = mapping / "contigs.tsv", mapping / "index" / "catalogue"
    map_reads = [PROJECT / "bin" / "map_reads.py", "--sample", "S3", "--contigs", contigs]
    reads = [*map_reads, "--index", index, "--reads"]
    catalogue = [PROJECT / "bin" / "catalogue.py", "--assembly", "A"]
    links = ["--contigs", contigs, "--catalogue", graph / "catalogue.fa.gz"]
    graph_command = [PROJECT / "bin" / "graph.py", "--assembly", "coasm", "--assembler", "metaspades", *links]
    first, second = DATA / "S3_1.fastq.gz", DATA / "S3_2.fastq.gz"
    text, bam = gzip.decompress(first.read_bytes()), (DATA / "co.S3.bam").read_bytes()
    ordered, parts = sorted_bam(folder), in_members(text)
    gfa = (DATA / "co.graph.gfa.gz").read_bytes()
    fasta = gzip.decompress((DATA / "co.contigs.fasta.gz").read_bytes())
    between = {"between two reads": records(text, 4)}
    with_paths = [*graph_command, "--paths", DATA / "co.paths.gz", "--graph"]
    # The catalogue of a cut FASTA, read with the graph of the whole assembly
    both = f"{catalogue[0]} --assembly coasm $0 && {graph_command[0]} --assembly coasm --assembler metaspades"
    files = f"--graph {DATA}/co.graph.gfa.gz --paths {DATA}/co.paths.gz"
    together = ["bash", "-c", f"{both} --contigs contigs.tsv --catalogue catalogue.fa.gz {files}"]
    return [
        Input("FASTQ, single", text, "cut.fastq", reads, between),
        Input("FASTQ, one of a pair", text, "cut.fastq", [*reads, second, "--reads"], between),
        Input("FASTQ.gz", first.read_bytes(), "cut.fastq.gz", reads, {}),
        Input("FASTQ.gz in parts", parts, "cut.fastq.gz", reads, {"between two parts": members(parts)}),
        Input("BAM, by read", bam, "cut.bam", [*map_reads, "--bam"], {"between two blocks": members(bam)}),
        Input("BAM, by position", ordered, "cut.bam", [*map_reads, "--bam"], {"between two blocks": members(ordered)}),
        Input("FASTA", fasta, "cut.fasta", catalogue, {"behind a line": records(fasta, 1)}),
        Input("FASTA, with its graph", fasta, "cut.fasta", together, {"behind a line": records(fasta, 1)}),
        Input("FASTA.gz", (DATA / "co.contigs.fasta.gz").read_bytes(), "cut.fasta.gz", catalogue, {}),
        Input("GFA.gz", gfa, "cut.gfa.gz", with_paths, {}),
        Input("GFA", gzip.decompress(gfa), "cut.gfa", with_paths, {"behind a line": records(gzip.decompress(gfa), 1)}),
    ]


def try_cut(source: Input, place: int, folder: Path) -> tuple[bool, bool, str]:
    """Let a stage read the first bytes of an input; return whether it refused and whether it did it well, and what."""
    path = fresh(folder / "cut") / source.file
    path.write_bytes(source.content[:place])
    done = subprocess.run(
        [str(word) for word in [*source.command, path]], cwd=path.parent, capture_output=True, text=True, check=False
    )
    lines = done.stderr.strip().splitlines()
    errors = [line for line in lines if line.startswith("Error: ")]
    last = (errors or lines or [""])[-1]
    if done.returncode:
        names = source.file in last or "co.graph" in last
        good = len(errors) == 1 and names and bool(REMEDY.search(last)) and "Traceback" not in done.stderr
        return True, good, last.replace(str(path), source.file)
    warnings = [line for line in lines if line.startswith("WARNING")]
    return False, True, " ".join(warnings).replace(str(path), source.file)


def places(source: Input, times: int, rng: random.Random) -> dict[str, list[int]]:
    """Return where to cut an input, by kind of place."""
    size = len(source.content)
    chosen = {
        "at random bytes": sorted(rng.sample(range(1, size), times)),
        "its last bytes": [size - n for n in ENDINGS],
    }
    for kind, ends in source.boundaries.items():
        chosen[kind] = sorted(rng.sample(ends, min(times, len(ends))))
    return chosen


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--times", default=N_BOUNDARIES, show_default=True, help="Cuts of a kind.")
@click.option("--seed", default=1, show_default=True)
@click.option("--input", "names", multiple=True, help="Name of an input; without it, all of them.")
@tsv_option
def main(folder: Path, times: int, seed: int, names: tuple[str, ...], tsv: Path | None) -> None:
    """Cut off inputs; FOLDER is for what is left of them, and for an undisturbed run that gives contigs and index."""
    table = ResultTable(tsv, ("input", "cut"))
    for source in inputs(folder.resolve()):
        if names and source.name not in names:
            continue
        rng = random.Random(seed)
        for kind, cuts in places(source, times, rng).items():
            tried = [try_cut(source, place, folder.resolve()) for place in cuts]
            for place, (refused, good, text) in zip(cuts, tried):
                click.echo(f"{source.name}, {place}: {'refused' if refused else 'taken'} {good} {text}", err=True)
            refusals = [text for refused, _, text in tried if refused]
            table.add({
                "input": source.name, "cut": kind, "times": len(cuts), "refused": len(refusals),
                "refused_in_one_line": sum(refused and good for refused, good, _ in tried),
                "taken": len(cuts) - len(refusals),
                "taken_with_warning": sum(not refused and text != "" for refused, _, text in tried),
                "example": one_line((refusals or [text for _, _, text in tried])[0]),
            })  # fmt: skip


if __name__ == "__main__":
    main()
