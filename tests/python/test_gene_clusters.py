"""gene_clusters.py: the tables of the clusters of a gene catalogue, by hand and against clusters drawn at random."""

import random
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import gene_clusters
from gene_tables import MIN_LARGE_GENES


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(clusters: list[list[int]], unclustered: int = 0) -> None:
    """Write clusters.tsv and contigs.tsv of clusters, each the lengths of its genes, and of genes in none."""
    members = [(cluster, length) for cluster, lengths in enumerate(clusters, 1) for length in lengths]
    genes = [(f"g{i}", length) for i, (_, length) in enumerate(members)] + [(f"u{i}", 100) for i in range(unclustered)]
    rows = [f"{name}\tigc\t{name}\t{length}\n" for name, length in sorted(genes)]
    Path("contigs.tsv").write_text("contig\tassembly\tname\tlength\n" + "".join(rows))
    rows = [f"{cluster}\tg{i}\tigc\tg{i}\n" for i, (cluster, _) in enumerate(members)]
    Path("clusters.tsv").write_text("cluster\tcontig\tassembly\tname\n" + "".join(rows))


def run(clusters: list[list[int]], unclustered: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return gene_clusters.tsv, cluster_sizes.tsv and what is logged."""
    write(clusters, unclustered)
    options = ["--clusters", "clusters.tsv", "--contigs", "contigs.tsv"]
    done = CliRunner().invoke(gene_clusters.main, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return pd.read_csv("gene_clusters.tsv", sep="\t"), pd.read_csv("cluster_sizes.tsv", sep="\t"), done.output


def test_clusters_stand_by_size_then_as_they_were_found():
    table, sizes, _ = run([[300], [400, 500], [900], [300, 600], [300]], unclustered=3)
    assert table["cluster"].tolist() == [2, 4, 3, 1, 5]
    assert table["genes"].tolist() == [2, 2, 1, 1, 1]
    assert table["bp"].tolist() == [900, 900, 900, 300, 300]
    assert not table["large"].any()
    assert sizes.to_numpy().tolist() == [[1, 5, 7, 3300], [2, 2, 4, 1800]]


@pytest.mark.parametrize(("genes", "large"), [(MIN_LARGE_GENES - 1, False), (MIN_LARGE_GENES, True)])
def test_a_large_cluster_has_500_genes(genes, large):
    assert MIN_LARGE_GENES == 500
    table, _, said = run([[300], [300] * genes])
    assert table["large"].tolist() == [large, False]
    assert f"{genes if large else 0} of them in {int(large)} of at least 500 genes" in said


def test_the_curve_agrees_with_the_clusters():
    rng = random.Random(3)
    sizes = [rng.choice([1, 1, 2, 5, rng.randrange(1, 90)]) for _ in range(300)]
    clusters = [[rng.randrange(100, 2000) for _ in range(size)] for size in sizes]
    table, sizes, _ = run(clusters, unclustered=50)
    assert table["genes"].is_monotonic_decreasing and sizes["least_genes"].is_monotonic_increasing
    assert set(sizes["least_genes"]) == {len(cluster) for cluster in clusters}
    for row in sizes.itertuples():
        of_size = [cluster for cluster in clusters if len(cluster) >= row.least_genes]
        assert (row.clusters, row.genes) == (len(of_size), sum(map(len, of_size)))
        assert row.bp == sum(map(sum, of_size))
    assert {row.cluster: (row.genes, row.bp) for row in table.itertuples()} == {
        number: (len(cluster), sum(cluster)) for number, cluster in enumerate(clusters, 1)
    }


def test_no_cluster_leaves_empty_tables():
    table, sizes, said = run([], unclustered=2)
    assert table.empty and sizes.empty and "0 of 2 genes in 0 clusters" in said
    assert list(table) == ["cluster", "genes", "bp", "large"]


def test_clusters_of_other_genes_are_refused():
    write([[300, 400]])
    Path("contigs.tsv").write_text("contig\tassembly\tname\tlength\ng0\tigc\tg0\t300\n")
    done = CliRunner().invoke(gene_clusters.main, ["--clusters", "clusters.tsv", "--contigs", "contigs.tsv"])
    assert done.exit_code == 1
    assert "clusters.tsv: row 2: contig 'g1' is not in contigs.tsv; give both from the same run" in done.output
