"""graph.py: which contigs are linked, generated graphs of every format, and the command."""

import gzip
import json
import os
import sys
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import graph
from graph_files import edges_of, gfa

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmark"))

SPADES_LINKS = [("1+", "2+"), ("2+", "3+"), ("2+", "4+"), ("1+", "5+"), ("3+", "6+"), ("8+", "6-"), ("9+", "7+")]
SPADES_PATHS = """NODE_1
1+,2+
NODE_1'
2-,1-
NODE_2
3+
NODE_2'
3-
NODE_3
4-
NODE_3'
4+
NODE_4
5+
NODE_4'
5-
"""


def test_metaspades_links_of_outward_ends_only(tmp_path):
    """NODE_1 = 1+,2+ runs on into 3 and 4; the side branch 1+ -> 5+ leaves it inside its walk."""
    contigs = {f"NODE_{i}": 10 for i in range(1, 6)}
    edges, placed, _ = edges_of(tmp_path, "metaspades", gfa("123456789", SPADES_LINKS), contigs, SPADES_PATHS)
    # NODE_4's left end is outward and lies on 1+, a segment of NODE_1: that links them, seen from NODE_4
    assert edges == {("NODE_1", "NODE_2"), ("NODE_1", "NODE_3"), ("NODE_1", "NODE_4")}
    assert placed == {"NODE_1", "NODE_2", "NODE_3", "NODE_4"}


def test_metaspades_side_branch_between_inner_ends_is_no_edge(tmp_path):
    """Walks 1+,2+ and 4+,3+: the link 1+ -> 3+ leaves the one and enters the other inside."""
    text = gfa("1234", [("1+", "2+"), ("4+", "3+"), ("1+", "3+")])
    paths = "A\n1+,2+\nA'\n2-,1-\nB\n4+,3+\nB'\n3-,4-\n"
    assert edges_of(tmp_path, "metaspades", text, {"A": 8, "B": 8}, paths)[0] == set()


def test_metaspades_runs_on_into_the_middle_and_reverse(tmp_path):
    """The left end of A = 7- is the right end of 7+; 7+ -> 2- enters B = 1+,2+,3+ in its middle."""
    text = gfa("1237", [("1+", "2+"), ("2+", "3+"), ("7+", "2-")])
    paths = "A\n7-\nA'\n7+\nB\n1+,2+,3+\nB'\n3-,2-,1-\n"
    assert edges_of(tmp_path, "metaspades", text, {"A": 8, "B": 8}, paths)[0] == {("A", "B")}


def test_metaspades_gaps_and_shared_segments(tmp_path):
    """A gap makes ends of its own; a shared terminal segment links, a shared inner one alone does not."""
    text = gfa("123456", [("2+", "4+")])
    paths = "A\n1+,2+;\n3+\nA'\n3-;\n2-,1-\nB\n4+\nB'\n4-\nC\n5+,3-,6+\nC'\n6-,3+,5-\nD\n5-,6+\nD'\n6-,5+\n"
    contigs = {"A": 8, "B": 8, "C": 8, "D": 8}
    edges = edges_of(tmp_path, "metaspades", text, contigs, paths)[0]
    assert edges == {("A", "B"), ("A", "C"), ("C", "D")}
    inner = "A\n1+,2+,3+\nA'\n3-,2-,1-\nB\n4+,2-,5+\nB'\n5-,2+,4-\n"
    assert edges_of(tmp_path, "metaspades", gfa("12345", []), {"A": 8, "B": 8}, inner)[0] == set()


def test_metaspades_circular_contig_has_no_edge_to_itself(tmp_path):
    text = gfa("12", [("1+", "2+"), ("2+", "1+"), ("1+", "1+")])
    paths = "A\n1+,2+\nA'\n2-,1-\n"
    assert edges_of(tmp_path, "metaspades", text, {"A": 8}, paths) == (set(), {"A"}, 0)


@pytest.mark.parametrize("extra", [(), ("P\tNODE_1_1\t1+,2+\t2M", "P\tNODE_2_1\t3+\t*")])
def test_metaspades_paths_are_those_of_the_table(tmp_path, extra):
    """assembly_graph_with_scaffolds.gfa has P lines, of scaffolds; assembly_graph_after_simplification.gfa has none."""
    text = gfa("123", [("1+", "2+"), ("2+", "3+")], extra)
    paths = "NODE_1\n1+\nNODE_1'\n1-\n\n \nNODE_2\n2+,3+\nNODE_2'\n3-,2-\n"
    assert edges_of(tmp_path, "metaspades", text, {"NODE_1": 8, "NODE_2": 8}, paths)[0] == {("NODE_1", "NODE_2")}


def test_metaspades_absent_segments_and_contigs(tmp_path):
    """A holds 1 between two absent segments, whose links are gone; B only has absent ones; C has no path."""
    text = gfa("12", [("9+", "2+"), ("1+", "2+")])
    paths = "A\n8+,1+,9+\nA'\n9-,1-,8-\nB\n7+\nB'\n7-\nD\n2+\nD'\n2-\n"
    contigs = {"A": 8, "B": 8, "C": 8, "D": 8}
    # seen from D, whose left end the link 1+ -> 2+ joins to a segment inside A
    assert edges_of(tmp_path, "metaspades", text, contigs, paths) == ({("A", "D")}, {"A", "D"}, 1)


@pytest.mark.parametrize("block", [1, 2, 5, 10**6])
def test_blocks_of_pairs(tmp_path, monkeypatch, block):
    """A segment that ends 6 contigs and lies in 3 more: links among the 6, and of each of them to the 3."""
    monkeypatch.setattr(graph, "PAIRS_PER_BLOCK", block)
    ends, inner = [f"e{i}" for i in range(6)], [f"i{i}" for i in range(3)]
    paths = [f"{name}\n1+\n" for name in ends] + [f"{name}\n{i + 2}+,1-,{i + 5}+\n" for i, name in enumerate(inner)]
    paths = "".join(paths)
    found, _, _ = edges_of(tmp_path, "metaspades", gfa("1", []), dict.fromkeys(ends + inner, 9), paths)
    assert found == {tuple(sorted((a, b))) for a in ends for b in ends + inner if a != b}


LINKS = [("NA", "b"), ("b", "c"), ("c", '"d'), ("f", "f"), ("c", "b"), ("b", "gone")]


def write_inputs(folder: Path, contigs, segments, links, rng=None):
    """contigs: (catalogue name, assembly, name, length); shuffled by rng, and so are the records."""

    def shuffled(lines):
        lines = list(lines)
        if rng:
            rng.shuffle(lines)
        return lines

    rows = shuffled("\t".join(map(str, contig)) for contig in contigs)
    (folder / "contigs.tsv").write_text("\n".join(["contig\tassembly\tname\tlength", *rows]) + "\n")
    records = shuffled([f"S\t{n}\t*" for n in segments] + [f"L\t{a}\t+\t{b}\t-\t*" for a, b in links])
    (folder / "graph.gfa").write_text("\n".join(["H\tVN:Z:1.0", *records]) + "\n")


def run_graph(folder: Path, *options):
    """The command's result, its two tables as lists of rows and its counts."""
    here = os.getcwd()
    out = folder / "out"
    out.mkdir(exist_ok=True)
    os.chdir(out)
    try:
        arguments = ["--assembly", "A1", "--assembler", "gfa", "--graph", str(folder / "graph.gfa")]
        arguments += ["--contigs", str(folder / "contigs.tsv"), *options]
        result = CliRunner().invoke(graph.main, arguments, catch_exceptions=False)
        if result.exit_code:
            return result, None, None, None
        tables = [gzip.decompress((out / f).read_bytes()).decode() for f in ("vertices.tsv.gz", "edges.tsv.gz")]
        rows = [[tuple(line.split("\t")) for line in table.splitlines()] for table in tables]
        return result, *rows, json.loads((out / "graph.json").read_text())
    finally:
        os.chdir(here)


def test_command(tmp_path, odd_contigs):
    """Catalogue names, whose order is not that of names, and neither that of a table's rows."""
    write_inputs(tmp_path, odd_contigs, ["f", "c", "NA", "b", '"d', "001"], LINKS)
    result, vertices, edges, counts = run_graph(tmp_path)
    assert "6 of 7 contigs are in the graph, 3 edges" in result.stderr
    assert "1 links to absent segments skipped" in result.stderr
    assert vertices == [("contig",), *((c[0],) for c in odd_contigs[:6])]  # g has no place, A2~b is of A2
    assert edges == [("contig_1", "contig_2"), ('A1~"d', "A1~c"), ("A1~NA", "A1~b"), ("A1~b", "A1~c")]
    assert counts == {
        "assembly": "A1", "assembler": "gfa", "contigs": 7, "contigs_in_graph": 6, "edges": 3, "skipped_links": 1,
    }  # fmt: skip


def test_graph_without_a_link(tmp_path, odd_contigs):
    write_inputs(tmp_path, odd_contigs, ["b"], [])
    _, vertices, edges, counts = run_graph(tmp_path)
    assert vertices == [("contig",), ("A1~b",)] and edges == [("contig_1", "contig_2")]
    assert (counts["contigs_in_graph"], counts["edges"]) == (1, 0)


@st.composite
def small_graphs(draw):
    """Contigs in the graph, links between them."""
    n = draw(st.integers(1, 12))
    pairs = [*combinations(range(n), 2), *((v, v) for v in range(n))]
    return n, draw(st.lists(st.sampled_from(pairs), max_size=18))


@settings(max_examples=40)
@given(small_graphs(), st.randoms(use_true_random=False))
def test_input_order_changes_nothing(tmp_path_factory, drawn, rng):
    n, links = drawn
    contigs = [(f"x{v}", "A1", f"x{v}", 100) for v in range(n)]
    names = [contig[0] for contig in contigs]
    found = []
    for order in (None, rng):
        folder = tmp_path_factory.mktemp("order")
        write_inputs(folder, contigs, names, [(names[a], names[b]) for a, b in links], order)
        _, vertices, edges, counts = run_graph(folder)
        in_order = pd.read_csv(folder / "contigs.tsv", sep="\t")["contig"]
        assert vertices[1:] == [(contig,) for contig in in_order]
        found.append((edges, counts, (folder / "out" / "edges.tsv.gz").read_bytes()))
    assert found[0] == found[1]
    assert found[0][0][1:] == sorted({tuple(sorted((names[a], names[b]))) for a, b in links if a != b})


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("contigs.tsv", "contig\tassembly\tname\tlength\nx\tA2\tx\t5\n", "no contig of assembly 'A1'"),
        ("contigs.tsv", "contig\tassembly\tlength\nx\tA1\t5\n", "no column name"),
        ("contigs.tsv", "contig\tassembly\tname\tlength\nx\tA1\tx\tfive\n", "'five' in column length"),
        ("graph.gfa", "S\tx\t*\n", "no contig of the assembly has a place in the graph"),
        ("graph.gfa", "S\tb\t*\nS\tb\t*\n", "line 2: segment 'b' is defined twice"),
    ],
)
def test_bad_files(tmp_path, file, text, message, odd_contigs):
    write_inputs(tmp_path, odd_contigs, ["b"], [])
    (tmp_path / file).write_text(text)
    result = run_graph(tmp_path)[0]
    assert result.exit_code == 1
    assert message in result.output and file in result.output
    assert not list((tmp_path / "out").iterdir())
