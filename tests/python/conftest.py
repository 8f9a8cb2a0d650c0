"""Makes the scripts of bin/ importable, so that tests call their functions directly; what both refine stages need."""

import gzip
import json
import os
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bin"))

# A slow machine is no failure.
settings.register_profile("without_deadline", deadline=None)
settings.load_profile("without_deadline")


def write_refine_inputs(folder: Path, contigs, links, clusters, coverage, rng=None, absent=()):
    """contigs: (catalogue name, assembly, name, length); clusters: {catalogue name: cluster}; assembly A1.

    absent: names without a place in the graph. With rng, rows and the ends of edges change places.
    """

    def shuffled(lines):
        lines = list(lines)
        if rng:
            rng.shuffle(lines)
        return lines

    of = {c[0]: c for c in contigs}
    samples = len(next(iter(coverage.values())))
    (folder / "contigs.tsv").write_text(
        "\n".join(["contig\tassembly\tname\tlength", *shuffled("\t".join(map(str, c)) for c in contigs)]) + "\n"
    )
    rows = shuffled(f"{x}\t{c}\t{of[c][1]}\t{of[c][2]}" for c, x in clusters.items())
    (folder / "clusters.tsv").write_text("\n".join(["cluster\tcontig\tassembly\tname", *rows]) + "\n")
    rows = shuffled("\t".join([c, *map(str, v)]) for c, v in coverage.items())
    header = "\t".join(["contig", *(f"S{i}" for i in range(samples))])
    (folder / "coverage.tsv.gz").write_bytes(gzip.compress(("\n".join([header, *rows]) + "\n").encode()))
    contig_of = {c[2]: c[0] for c in contigs if c[1] == "A1"}
    vertices = shuffled(contig for name, contig in contig_of.items() if name not in absent)
    edges = ["\t".join(shuffled((contig_of[a], contig_of[b]))) for a, b in shuffled(links)]
    for name, lines in ("vertices", ["contig", *vertices]), ("edges", ["contig_1\tcontig_2", *edges]):
        (folder / f"{name}.tsv.gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))


def run_refine_stage(main, folder: Path, files: dict[str, str], *options: str):
    """Runs a refine stage on assembly A1 in folder/out: its result, contig2bin, refinement and counts."""
    here = os.getcwd()
    out = folder / "out"
    out.mkdir(exist_ok=True)
    os.chdir(out)
    try:
        given = [word for option, file in files.items() for word in (f"--{option}", str(folder / file))]
        result = CliRunner().invoke(main, ["--assembly", "A1", *given, *options], catch_exceptions=False)
        if result.exit_code:
            return result, None, None, None
        read = {"sep": "\t", "dtype": str, "keep_default_na": False, "quoting": 3}
        tables = [pd.read_csv(out / f, **read) for f in ("contig2bin.tsv", "refinement.tsv")]
        return result, *tables, json.loads((out / "refinement.json").read_text())
    finally:
        os.chdir(here)


@pytest.fixture(scope="session")
def odd_contigs():
    """Catalogue name, assembly, name and length of contigs with names that a table may take for something else."""
    return [
        ("A1~NA", "A1", "NA", 300),
        ("A1~b", "A1", "b", 300),
        ("A1~c", "A1", "c", 50),
        ('A1~"d', "A1", '"d', 300),
        ("A1~001", "A1", "001", 60),
        ("A1~f", "A1", "f", 70),
        ("A1~g", "A1", "g", 300),
        ("A2~b", "A2", "b", 9000),
    ]


@pytest.fixture(scope="session")
def write_inputs():
    return write_refine_inputs


@pytest.fixture(scope="session")
def run_stage():
    return run_refine_stage
