"""umap_points.py: planted groups come apart, the same input gives the same bytes, and few contigs get no places."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.spatial.distance import cdist

import umap_points
from latent_points import planted
from shown_contigs import UMAP_POINTS
from stage_arrays import N_TETRANUCLEOTIDES
from stage_tables import BINS, CLUSTERS, CONTIG2BIN, CONTIGS, ROWS, contigs_hash, read_table

FILES = ["--features", "features.json", "--inputs", "rows.tsv", "tnf.npy", "abundance.npy"]
OF_BINS = ["--bins", "contigs.tsv", "contig2bin.tsv", "bins.tsv"]
OF_GENES = ["--genes", "clusters.tsv", "gene_clusters.tsv"]


def write_rows(folder, table, rows, more=()):
    header = [*(column.name for column in table.columns), *more]
    (folder / table.name).write_text("".join("\t".join(map(str, row)) + "\n" for row in (header, *rows)))


def write_group(folder, latent):
    """Contigs with this latent (n x d), of which the first is in a bin and in a cluster, and all else is noise."""
    names = [f"c{number}" for number in range(len(latent))]
    write_rows(folder, CONTIGS, [(name, "A", name, 2500) for name in names])
    write_rows(folder, ROWS, [(name, 2500) for name in names])
    write_rows(folder, CONTIG2BIN, [("A", name, "A.001") for name in names[:1]])
    write_rows(folder, BINS, [("A.001", "A", 1, 2500, 1, 2500, 0.5, 0, "true", "false", 1)], ["coverage_S1"])
    write_rows(folder, CLUSTERS, [(1, name, "A", name) for name in names[:1]])
    (folder / "gene_clusters.tsv").write_text("cluster\tgenes\tbp\tlarge\n1\t1\t2500\tfalse\n")
    (folder / "features.json").write_text(json.dumps({"rows_sha256": contigs_hash(names)}))
    rng = np.random.default_rng(1)
    for name, values in {
        "tnf": rng.normal(size=(len(names), N_TETRANUCLEOTIDES)),
        "abundance": rng.random((len(names), 2)),
        "latent": latent,
    }.items():
        np.save(folder / f"{name}.npy", values.astype(np.float32))


def run(folder, *options):
    """Return umap_points.tsv as it is and as it is read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(umap_points.main, [*FILES, *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    path = folder / UMAP_POINTS.name
    return path.read_bytes(), read_table(UMAP_POINTS, path)


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    """Return the folder of a group, which of two planted genomes each contig is from, and its umap_points.tsv."""
    folder = tmp_path_factory.mktemp("group")
    latent, owner = planted([60, 40], noise=0.3)
    write_group(folder, latent)
    return folder, owner, *run(folder, *OF_BINS, "--latent", "latent.npy")


def test_planted_genomes_come_apart(group):
    _, owner, _, points = group
    assert points["contig"].tolist() == [f"c{number}" for number in range(100)]
    places = points[["latent_x", "latent_y"]].to_numpy()
    distances = cdist(places, places)
    is_same = owner[:, None] == owner
    assert distances[~is_same].min() > distances[is_same].mean()
    nearest = np.argsort(distances, axis=1)[:, 1:11]
    assert (owner[nearest] == owner[:, None]).all()
    assert not (owner[np.argsort(cdist(*[points[["input_x", "input_y"]]] * 2))[:, 1:11]] == owner[:, None]).all()


def test_same_input_same_bytes(group):
    folder, _, content, _ = group
    assert run(folder, *OF_BINS, "--latent", "latent.npy")[0] == content


def test_without_training_the_latent_has_no_places(group):
    folder, _, _, points = group
    found = run(folder, *OF_BINS)[1]
    assert found["input_x"].equals(points["input_x"]) and found[["latent_x", "latent_y"]].isna().all(axis=None)


def test_genes_of_a_catalogue(group):
    folder, _, content, _ = group
    assert run(folder, *OF_GENES, "--latent", "latent.npy")[0] == content


def test_contigs_are_bounded_and_have_all_that_are_shown(group, monkeypatch):
    """Of the one in a bin a dot is shown, and of those in none as many as there are."""
    monkeypatch.setattr(umap_points, "MAX_POINTS", 10)
    monkeypatch.setattr("shown_contigs.QUOTAS", {"in no bin": 5})
    embedded = []
    monkeypatch.setattr(umap_points, "embed", lambda values: embedded.append(values) or values[:, :2])
    points = run(group[0], *OF_BINS, "--latent", "latent.npy")[1]
    assert 10 <= len(points) <= 16 and "c0" in set(points["contig"])
    assert [values.shape for values in embedded] == [(len(points), N_TETRANUCLEOTIDES + 2), (len(points), 40)]
    rows = [int(name[1:]) for name in points["contig"]]
    np.testing.assert_allclose(points[["latent_x", "latent_y"]], np.load(group[0] / "latent.npy")[rows, :2], rtol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 16])
def test_few_contigs(tmp_path, n):
    """Of fewer than umap-learn can place there are no rows."""
    write_group(tmp_path, planted([n], noise=1)[0])
    write_rows(tmp_path, CONTIG2BIN, [])
    points = run(tmp_path, *OF_BINS, "--latent", "latent.npy")[1]
    assert len(points) == (n if n >= umap_points.MIN_POINTS else 0)


def test_equal_contigs_have_places():
    assert np.isfinite(umap_points.embed(np.ones((20, 4), np.float32))).all()


def test_bins_or_genes(group):
    for options in ([], [*OF_BINS, *OF_GENES]):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(group[0])
            done = CliRunner().invoke(umap_points.main, [*FILES, *options])
        assert done.exit_code == 2 and "give --bins or --genes" in done.output
