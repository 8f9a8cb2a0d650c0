"""graph_checks.py: graphs of another assembly are refused, and those that look cut off are a warning."""

import gzip
import itertools
import os
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

import catalogue
import graph
from graph_files import FLYE_HEADER

DATA = Path(__file__).resolve().parents[1] / "data"


def run(folder: Path, fasta: Path, assembler: str, graph_file: Path, paths: Path | None = None):
    """The catalogue and the graph of one assembly, as the pipeline makes them."""
    here = os.getcwd()
    out = folder / "out"
    out.mkdir(exist_ok=True)
    os.chdir(out)
    try:
        made = CliRunner().invoke(catalogue.main, ["--assembly", "A", str(fasta)], catch_exceptions=False)
        assert made.exit_code == 0, made.output
        arguments = ["--assembly", "A", "--assembler", assembler, "--graph", str(graph_file)]
        arguments += ["--paths", str(paths)] if paths else []
        arguments += ["--contigs", "contigs.tsv", "--catalogue", "catalogue.fa.gz"]
        return CliRunner().invoke(graph.main, arguments, catch_exceptions=False)
    finally:
        os.chdir(here)


def unzipped(name: str) -> list[str]:
    return gzip.decompress((DATA / name).read_bytes()).decode().splitlines(keepends=True)


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(lines))
    return path


@pytest.mark.parametrize("assembly", ["co", "A1", "A2", "mh"])
def test_a_graph_of_this_assembly_is_neither_refused_nor_doubted(tmp_path, assembly):
    kind, graph_file, paths = "metaspades", DATA / f"{assembly}.graph.gfa.gz", DATA / f"{assembly}.paths.gz"
    if assembly == "mh":
        kind, graph_file, paths = "megahit", DATA / "mh.graph.fastg.gz", None
    result = run(tmp_path, DATA / f"{assembly}.contigs.fasta.gz", kind, graph_file, paths)
    assert result.exit_code == 0 and "WARNING" not in result.output, result.output


def random_contigs(seed: int, lengths: list[int]) -> dict[str, str]:
    rng = random.Random(seed)
    return {f"c{i}": "".join(rng.choices("ACGT", k=length)) for i, length in enumerate(lengths)}


def as_text(kind: str, contigs: dict[str, str]) -> str:
    """The contigs as the segments of a graph, each linked to the next one."""
    names = list(contigs)
    pairs = list(itertools.pairwise(names))
    if kind == "sga":
        vertices = [f"VT\t{name}\t{sequence}\n" for name, sequence in contigs.items()]
        return "HT\tVN:i:1\n" + "".join(vertices) + "".join(f"ED\t{a} {b} 0 9 90 80 89 90 0 0\n" for a, b in pairs)
    if kind == "fastg":
        following = dict(pairs)
        return "".join(f">{n}{':' + following[n] if n in following else ''};\n{s}\n" for n, s in contigs.items())
    tagged = kind == "gfa without sequences"
    segments = [f"S\t{n}\t{f'*{chr(9)}LN:i:{len(s)}' if tagged else s}\n" for n, s in contigs.items()]
    return "".join(segments) + "".join(f"L\t{a}\t+\t{b}\t+\t0M\n" for a, b in pairs)


KINDS = {"gfa": "gfa", "gfa without sequences": "gfa", "sga": "sga", "fastg": "megahit"}


@pytest.mark.parametrize(
    ("kind", "theirs", "message"),
    [
        *((kind, random_contigs(1, [900 + 7 * i for i in range(20)]), "") for kind in KINDS),
        *((kind, random_contigs(2, [300 + 90 * i for i in range(20)]), "do not have the lengths") for kind in KINDS),
        *(
            (kind, random_contigs(2, [900 + 7 * i for i in range(20)]), "begin and end with other bases")
            for kind in KINDS
            if kind != "gfa without sequences"
        ),
    ],
)
def test_a_graph_of_another_assembly_with_the_same_names_is_refused(tmp_path, kind, theirs, message):
    contigs = random_contigs(1, [900 + 7 * i for i in range(20)])
    fasta = write(tmp_path / "contigs.fa", [f">{name}\n{sequence}\n" for name, sequence in contigs.items()])
    result = run(tmp_path, fasta, KINDS[kind], write(tmp_path / "graph", [as_text(kind, theirs)]))
    assert result.exit_code == (1 if message else 0), result.output
    assert message in result.output and "WARNING" not in result.output
    if message:
        assert result.output.strip().count("\n") == 0
        assert not (tmp_path / "out" / "edges.tsv.gz").exists()


def test_the_graph_of_another_assembly_below_paths_of_this_one_is_refused(tmp_path):
    """metaSPAdes numbers the segments of every assembly, so that names tell nothing: here they change sequences."""
    lines = unzipped("co.graph.gfa.gz")
    segments = [line.split("\t", 2) for line in lines if line.startswith("S")]
    sequences = [segment[2] for segment in segments]
    random.Random(1).shuffle(sequences)
    shuffled = [f"S\t{name}\t{sequence}" for (_, name, _), sequence in zip(segments, sequences)]
    file = write(tmp_path / "graph.gfa", shuffled + [line for line in lines if line.startswith("L")])
    result = run(tmp_path, DATA / "co.contigs.fasta.gz", "metaspades", file, DATA / "co.paths.gz")
    assert result.exit_code == 1
    assert "graph.gfa" in result.output and "do not have the lengths" in result.output


@pytest.mark.parametrize(
    ("graph_share", "paths_share", "message"),
    [
        (0.9, 1, "links between segments on the paths"),
        (0.5, 1, "segments on the paths"),
        (1, 0.5, "contigs have no path in it"),
    ],
)
def test_half_a_file_is_a_warning(tmp_path, graph_share, paths_share, message):
    """Cut at the end of a record, nothing but what is absent tells."""
    lines = unzipped("co.graph.gfa.gz")
    segments = [line for line in lines if line.startswith("S")]
    kept = segments[: int(graph_share * len(segments))] if graph_share == 0.5 else segments
    links = [line for line in lines if line.startswith("L")]
    kept += links[: int(graph_share * len(links))] if graph_share > 0.5 else []
    paths = unzipped("co.paths.gz")
    names = [i for i, line in enumerate(paths) if line.startswith("NODE") and not line.rstrip().endswith("'")]
    paths = paths[: names[int(paths_share * len(names))]] if paths_share < 1 else paths
    files = write(tmp_path / "graph.gfa", kept), write(tmp_path / "contigs.paths", paths)
    result = run(tmp_path, DATA / "co.contigs.fasta.gz", "metaspades", *files)
    assert result.exit_code == 0, result.output
    assert any(message in line for line in result.output.splitlines() if line.startswith("WARNING: ")), result.output


@pytest.mark.parametrize("n_links", [399, 398])
def test_one_lost_link_of_four_hundred_on_a_path_is_a_warning(tmp_path, n_links):
    segments = list(random_contigs(1, [50] * 400).values())
    fasta = write(tmp_path / "contigs.fa", [f">NODE_1\n{''.join(segments)}\n"])
    lines = [f"S\t{number}\t{text}\n" for number, text in enumerate(segments)]
    lines += [f"L\t{number}\t+\t{number + 1}\t+\t0M\n" for number in range(n_links)]
    paths = write(tmp_path / "contigs.paths", ["NODE_1\n", ",".join(f"{number}+" for number in range(400)) + "\n"])
    result = run(tmp_path, fasta, "metaspades", write(tmp_path / "graph.gfa", lines), paths)
    assert result.exit_code == 0, result.output
    assert ("lacks 1 of 399 links between segments" in result.output) == (n_links == 398), result.output


@pytest.mark.parametrize("kind", ["gfa", "sga"])
def test_where_segments_are_contigs_one_that_is_absent_is_a_warning(tmp_path, kind):
    """Links stand between the segments here, so that a file which is cut off keeps links."""
    contigs = random_contigs(1, [1000] * 20)
    fasta = write(tmp_path / "contigs.fa", [f">{name}\n{sequence}\n" for name, sequence in contigs.items()])
    for n_segments in (20, 19):
        kept = dict(list(contigs.items())[:n_segments])
        result = run(tmp_path, fasta, kind, write(tmp_path / "graph", [as_text(kind, kept)]))
        assert result.exit_code == 0
        warned = "only 19 of 20 contigs, 95.0% of the bases, have a place in the graph" in result.output
        assert warned == (n_segments == 19), result.output


def test_a_file_that_ends_within_a_line_few_placed_contigs_and_no_edge_are_warnings(tmp_path):
    contigs = random_contigs(1, [1000] * 20)
    fasta = write(tmp_path / "contigs.fa", [f">{name}\n{sequence}\n" for name, sequence in contigs.items()])
    text = "".join(f"S\tc{i}\t{contigs[f'c{i}']}\n" for i in range(5))
    result = run(tmp_path, fasta, "gfa", write(tmp_path / "graph.gfa", [text.rstrip("\n")]))
    assert result.exit_code == 0
    for message in ("ends within a line", "only 5 of 20 contigs, 25.0% of the bases", "links no two contigs"):
        assert message in result.output


@pytest.mark.parametrize(("length", "exit_code"), [(1000, 0), (1040, 0), (2500, 1)])
def test_an_assembly_info_with_other_lengths_is_refused(tmp_path, length, exit_code):
    """Polishing changes lengths by some per cent at most."""
    contigs = random_contigs(1, [1000] * 4)
    fasta = write(tmp_path / "contigs.fa", [f">{name}\n{sequence}\n" for name, sequence in contigs.items()])
    rows = [f"c{i}\t{length}\t9\tN\tN\t1\t*\t*,{i + 1},*\n" for i in range(4)]
    info = write(tmp_path / "assembly_info.txt", [FLYE_HEADER, *rows])
    segments = [f"S\tedge_{i + 1}\t*\tdp:i:9\n" for i in range(4)]
    links = [f"L\tedge_{i}\t+\tedge_{i + 1}\t+\t0M\n" for i in range(1, 4)]
    result = run(tmp_path, fasta, "metaflye", write(tmp_path / "graph.gfa", segments + links), info)
    assert result.exit_code == exit_code, result.output
    assert ("assembly_info.txt: 4 of 4 contigs do not have the lengths" in result.output) == bool(exit_code)


@pytest.mark.parametrize("length", ["9" * 5000, "\u0661" * 9, "x"])
def test_a_length_that_is_no_length_is_unknown(tmp_path, length):
    """Python refuses to read a number of so many digits."""
    contigs = random_contigs(1, [1000] * 2)
    fasta = write(tmp_path / "contigs.fa", [f">{name}\n{sequence}\n" for name, sequence in contigs.items()])
    rows = [f"c{i}\t{length}\t9\tN\tN\t1\t*\t*,{i + 1},*\n" for i in range(2)]
    info = write(tmp_path / "assembly_info.txt", [FLYE_HEADER, *rows])
    segments = [f"S\tedge_{i + 1}\t*\tLN:i:{length}\n" for i in range(2)]
    flye = run(
        tmp_path, fasta, "metaflye", write(tmp_path / "graph.gfa", [*segments, "L\tedge_1\t+\tedge_2\t+\t0M\n"]), info
    )
    assert flye.exit_code == 0, flye.output
    segments = [f"S\tc{i}\t*\tLN:i:{length}\n" for i in range(2)]
    other = run(tmp_path, fasta, "gfa", write(tmp_path / "graph.gfa", [*segments, "L\tc0\t+\tc1\t+\t0M\n"]))
    assert other.exit_code == 0, other.output
