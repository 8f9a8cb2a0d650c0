"""assembly_tables.py: what is taken out of a group's tables, and tables of another run."""

from functools import partial
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest

import assembly_tables
import stage_tables
from stage_tables import COVERAGE

CONTIGS = pd.DataFrame(
    [("A1~NA", "A1", "NA", 300), ("A1~b", "A1", "b", 200), ("A2~b", "A2", "b", 90), ("A1~c", "A1", "c", 100)],
    columns=["contig", "assembly", "name", "length"],
).set_index("contig", drop=False)


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.write_text(text)
    return path


def test_contigs_of_an_assembly_keep_their_index():
    table = assembly_tables.contigs_of_assembly(CONTIGS, "A1", Path("contigs.tsv"))
    assert table["name"].tolist() == ["NA", "b", "c"] and table.index.tolist() == ["A1~NA", "A1~b", "A1~c"]
    with pytest.raises(click.ClickException, match=r"^contigs.tsv: no contig of assembly 'A3'; check"):
        assembly_tables.contigs_of_assembly(CONTIGS, "A3", Path("contigs.tsv"))


def test_small_clusters_are_no_labels():
    """Cluster 1 has 500 bp in A1, cluster 2 only 100, whatever they have in A2."""
    path = write(
        "clusters.tsv",
        "cluster\tcontig\tassembly\tname\n1\tA1~NA\tA1\tNA\n1\tA1~b\tA1\tb\n2\tA2~b\tA2\tb\n2\tA1~c\tA1\tc\n",
    )
    clusters = assembly_tables.read_clusters(path, CONTIGS)
    table = CONTIGS[CONTIGS["assembly"] == "A1"]
    assert assembly_tables.large_clusters(clusters, table, 500).to_dict() == {"A1~NA": "1", "A1~b": "1", "A1~c": ""}
    assert assembly_tables.large_clusters(clusters, table, 100).to_dict() == {"A1~NA": "1", "A1~b": "1", "A1~c": "2"}
    assert assembly_tables.read_clusters(path, CONTIGS, "A1")["contig"].tolist() == ["A1~NA", "A1~b", "A1~c"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1\tA1~NA\tA1\tNA\n2\tzz\tA1\tzz\n", "row 2: contig 'zz' is not in contigs.tsv"),
        ("1\tA1~b\tA2\tb\n", "row 1 (contig 'A1~b'): is not of assembly 'A2', but of 'A1' in contigs.tsv"),
        ("1\tA1~b\tA1\tb\n2\tA1~b\tA1\tb\n", "row 2 (contig 'A1~b'): stands in the table twice"),
    ],
)
def test_clusters_of_another_run(rows, message):
    path = write("clusters.tsv", "cluster\tcontig\tassembly\tname\n" + rows)
    with pytest.raises(click.ClickException) as refused:
        assembly_tables.read_clusters(path, CONTIGS)
    assert refused.value.message.startswith(f"clusters.tsv: {message}; give ")


def test_coverage_is_in_the_order_of_the_contigs():
    path = write("coverage.tsv.gz", "contig\tS2\tS1\nA1~c\t4\t40\nA2~b\t3\t30\nA1~b\t2\t20\nA1~NA\t1\t10\n")
    coverage = assembly_tables.read_coverage(path, CONTIGS)
    assert coverage.index.tolist() == CONTIGS["contig"].tolist() and coverage.columns.tolist() == ["S2", "S1"]
    assert coverage.to_numpy().tolist() == [[1, 10], [2, 20], [3, 30], [4, 40]]


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(assembly_tables, "read_blocks", partial(stage_tables.read_blocks, rows=2))


def test_coverage_of_one_assembly(small_blocks):
    """What all contigs have together is that of the group."""
    path = write("coverage.tsv.gz", "contig\tS2\tS1\nA1~c\t4\t40\nA2~b\t3\t30\nA1~b\t2\t20\nA1~NA\t1\t10\n")
    coverage, bases = assembly_tables.read_per_base(COVERAGE, path, CONTIGS, "A1")
    assert coverage.index.tolist() == ["A1~NA", "A1~b", "A1~c"]
    assert coverage.to_numpy().tolist() == [[1, 10], [2, 20], [4, 40]]
    total = 300 * 1 + 200 * 2 + 90 * 3 + 100 * 4
    assert bases.tolist() == [total, 10 * total]


def test_a_contig_has_one_coverage_in_all_blocks(small_blocks):
    path = write("coverage.tsv.gz", "contig\tS1\nA1~c\t4\nA2~b\t3\nA1~b\t2\nA1~c\t1\nA1~NA\t1\n")
    with pytest.raises(
        click.ClickException, match=r"^coverage.tsv.gz: row 4 \(contig 'A1~c'\): stands in the table twice"
    ):
        assembly_tables.read_per_base(COVERAGE, path, CONTIGS, "A1")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("A1~NA\t1\nA1~b\t1\nA2~b\t1\n", "no row for contig 'A1~c' of contigs.tsv"),
        ("A1~NA\t1\nA1~b\t1\nzz\t1\nA2~b\t1\nA1~c\t1\n", "row 3: contig 'zz' is not in contigs.tsv"),
    ],
)
def test_coverage_of_another_run(rows, message):
    path = write("coverage.tsv.gz", "contig\tS1\n" + rows)
    with pytest.raises(click.ClickException) as refused:
        assembly_tables.read_coverage(path, CONTIGS)
    assert refused.value.message == f"coverage.tsv.gz: {message}; give both from the same run"


def test_a_contig_graph_is_simple():
    """Edges are turned about, given twice or lead from a contig to itself."""
    vertices = write("vertices.tsv.gz", "contig\nA1~NA\nA1~c\n")
    edges = write("edges.tsv.gz", "contig_1\tcontig_2\nA1~c\tA1~NA\nA1~NA\tA1~c\nA1~c\tA1~c\nA1~c\tA1~NA\n")
    links, is_placed = assembly_tables.read_contig_graph(vertices, edges, ["A1~NA", "A1~b", "A1~c"])
    assert links.tolist() == [[0, 2], [2, 0]] and is_placed.tolist() == [True, False, True]
    edges = write("edges.tsv.gz", "contig_1\tcontig_2\n")
    links, _ = assembly_tables.read_contig_graph(vertices, edges, ["A1~NA", "A1~b", "A1~c"])
    assert links.shape == (2, 0)


def test_a_contig_graph_of_another_run():
    vertices = write("vertices.tsv.gz", "contig\nA1~NA\nA2~b\n")
    edges = write("edges.tsv.gz", "contig_1\tcontig_2\nA1~NA\tA1~b\n")
    with pytest.raises(click.ClickException, match=r"^vertices.tsv.gz: row 2: contig 'A2~b' is not a contig of this"):
        assembly_tables.read_contig_graph(vertices, edges, ["A1~NA", "A1~b"])
    write("vertices.tsv.gz", "contig\nA1~NA\n")
    with pytest.raises(click.ClickException, match=r"^edges.tsv.gz: row 1: contig 'A1~b' is not in vertices.tsv.gz"):
        assembly_tables.read_contig_graph(vertices, edges, ["A1~NA", "A1~b"])


def test_homologs_of_one_assembly():
    path = write("homologs.tsv.gz", "contig_1\tcontig_2\tshared\nA1~NA\tA1~c\t7\nA1~b\tA1~c\t3\nA2~b\tA2~b\t1\n")
    pairs = assembly_tables.read_homologs(path, CONTIGS.index, ["A1~c", "A1~b", "A1~NA"])
    assert pairs.dtype == np.int64 and pairs.tolist() == [[2, 1], [0, 0], [7, 3]]
    with pytest.raises(click.ClickException, match=r"^homologs.tsv.gz: row 3: contig 'A2~b' is not in contigs.tsv"):
        assembly_tables.read_homologs(path, CONTIGS.index.drop("A2~b"), ["A1~c", "A1~b"])
