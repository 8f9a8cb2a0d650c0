"""report_data.py: what is aggregated of a group."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import report_data
from shown_contigs import DOTS_OF_NONE, UMAP_POINTS
from stage_tables import ARTICLE_REFINEMENT, REFINEMENT, contigs_hash

BINS = ["bin", "assembly", "cluster", "size", "contigs", "n50", "gc", "multi_labelled", "refined", "transferred"]
RATED = [*BINS, "markers_found", "completeness", "contamination", "quality"]
MAPPING = ["sample", "reads", "mapped_reads", "counted_reads", "alignments", "mean_coverage"]
CONTIGS = [("A~x", "A", "x", 3000), ("A~y", "A", "y", 2500), ("A~z", "A", "z", 100)]
INPUTS = {
    "--contigs": ["contigs.tsv", "contig2bin.tsv", "unbinned.tsv"],
    "--bins": ["bins.tsv"],
    "--features": ["features.json"],
    "--inputs": ["rows.tsv", "tnf.npy", "abundance.npy"],
}
TRAINED = {"--trained": ["latent.npy", "training.tsv", "threshold.json"], "--refinement": ["refinement.tsv"]}


def write_table(path, header, *rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in (header, *rows)))


def write_features(folder, samples, mapped_reads, rows=("A~x", "A~y")):
    content = {"samples": samples, "mapped_reads": mapped_reads, "rows_sha256": contigs_hash(rows)}
    (folder / "features.json").write_text(json.dumps(content))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A group of two samples and two bins of known and unknown quality."""
    monkeypatch.chdir(tmp_path)
    small = ["A.002", "A", 7, 200, 2, 150, 0.25, 0, "true", "false", 3, "", "", "", 1.5, 0]
    large = ["A.001", "A", 3, 900, 5, 400, 1 / 3, 1, "true", "true", 30, 0.95, 0.01, "high", 10, 20]
    write_table(tmp_path / "bins.tsv", [*RATED, "coverage_S2", "coverage_S1"], small, large)
    write_features(tmp_path, ["S1", "S2"], {"S1": 1, "S2": 2})
    for name, reads in {"S2": 50, "S1": 40}.items():
        write_table(tmp_path / f"{name}.mapping.tsv", MAPPING, [name, reads, 30, 20, 25, 1.5])
    write_table(tmp_path / "contigs.tsv", ["contig", "assembly", "name", "length"], *CONTIGS)
    write_table(tmp_path / "contig2bin.tsv", ["assembly", "contig", "bin"], ["A", "x", "A.001"])
    unbinned = [["A", "y", 2500, "", "unclustered"], ["A", "z", 100, "", "short"]]
    write_table(tmp_path / "unbinned.tsv", ["assembly", "contig", "length", "cluster", "reason"], *unbinned)
    write_table(tmp_path / "rows.tsv", ["contig", "length"], ["A~x", 3000], ["A~y", 2500])
    for name, width in {"tnf": 136, "abundance": 2, "latent": 8}.items():
        np.save(tmp_path / f"{name}.npy", np.outer([1, 3], np.ones(width)).astype(np.float32))
    terms = ["epoch", "loss", "ce", "sse", "kld", "depth_se", "batch_size", "learning_rate", "seconds"]
    write_table(tmp_path / "training.tsv", terms, *[[i, 9 / i, 1, 2, 3, 0, 8, 0.1, 1] for i in range(1, 1001)])
    threshold = {"threshold": 0.1, "density_mean": [1.0, 2.0], "bin_edges": [0, 0.5, 1]}
    (tmp_path / "threshold.json").write_text(json.dumps(threshold))
    steps = [
        ["A~x", "A", "x", 3000, "7", "true", "7", "7", 0.9, 0.1, "7", "kept"],
        ["A~y", "A", "y", 2500, "7", "true", "", "", 0.1, 0.9, "7", "removed,unlike"],
    ]
    write_table(tmp_path / "refinement.tsv", [column.name for column in REFINEMENT.columns], *steps)
    return tmp_path


def invoke(*mappings, trained=True, umap=None):
    options = INPUTS | (TRAINED if trained else {})
    given = [word for name, values in options.items() for word in (name, *values)]
    given += [word for path in mappings for word in ("--mapping", path)]
    given += ["--umap", umap] if umap else []
    return CliRunner().invoke(report_data.main, ["--group", "co", *given], catch_exceptions=False)


def run(*mappings, trained=True, umap=None):
    done = invoke(*mappings, trained=trained, umap=umap)
    assert done.exit_code == 0, done.output
    with open("report_data.json") as file:
        return json.load(file)


def test_bins_and_samples(folder):
    content = run("S2.mapping.tsv", "S1.mapping.tsv")
    assert [row["bin"] for row in content["bins"]] == ["A.001", "A.002"]
    large, small = content["bins"]
    assert large["coverage"] == [20, 10], "in the order of the samples"
    assert (large["completeness"], large["quality"]) == (0.95, "high")
    assert (small["completeness"], small["contamination"], small["quality"]) == (None, None, "")
    assert [(row["sample"], row["reads"]) for row in content["samples"]] == [("S1", 40), ("S2", 50)]
    assert content["coverage_unit"] == "reads per base"


def test_contigs_training_and_refinement(folder):
    content = run()
    fates = {"binned": [1, 3000], "unclustered": [1, 2500], "short": [1, 100]}
    assert content["contigs"]["by_assembly"] == {"A": fates}
    assert content["contigs"]["by_length"]["2000"] == {"binned": [1, 3000], "unclustered": [1, 2500]}
    assert content["refinement"] == {"A": {"kept": [1, 3000], "removed": [1, 2500]}}
    assert flow_of(content) == {"7 to A.002, kept": 3000, "7 to none, removed": 2500}
    epochs = content["training"]["epoch"]
    assert (epochs[0], epochs[-1], len(epochs)) == (1, 1000, report_data.MAX_CURVE_POINTS)
    assert len(content["training"]["kld"]) == len(epochs)
    assert content["distances"] == {"threshold": 0.1, "distance": [0.25, 0.75], "density": [1, 2]}
    assert sorted(content["pictures"]["bins"]) == ["A.001", "in no bin"]
    assert content["pictures"]["latent"]["explained"] == pytest.approx([1, 0])


def flow_of(content):
    """The base pairs of each way of the flow of assembly A, by the names of its ends, or what these stand for."""
    flow = content["flows"]["A"]
    before, after = ([node["name"] or node["kind"] for node in flow[side]] for side in ("before", "after"))
    return {f"{before[source]} to {after[target]}, {change}": bp for source, target, change, bp in flow["ways"]}


def test_flow_of_the_article(folder):
    """Bins are named by assembly and cluster: those of another assembly, or without a row in bins.tsv, are none."""
    steps = [
        ["A~x", "A", "x", 3000, "true", "7", "", "", "3", "3,7", "unsupported,propagated,multi_labelled"],
        ["A~y", "A", "y", 2500, "true", "", "", "", "8", "8", "propagated"],
        ["A~z", "A", "z", 100, "false", "", "", "", "", "", "not_in_graph"],
    ]
    write_table(folder / "refinement.tsv", [column.name for column in ARTICLE_REFINEMENT.columns], *steps)
    other = ["B.001", "B", 8, 90, 1, 90, 0.5, 0, "true", "false", 3, "", "", "", 1, 1]
    with open("bins.tsv", "a") as file:
        file.write("\t".join(map(str, other)) + "\n")
    assert flow_of(run()) == {
        "7 to A.001, multi_labelled": 1500,
        "7 to A.002, multi_labelled": 1500,
        "none to unpublished, added": 2500,
        "none to none, left": 100,
    }


def test_genomes_found(folder):
    """Those of the group, at a precision of 0.9; none where no genome is known."""
    recalls = [f"recall_{recall:g}" for recall in report_data.RECALLS]
    rows = [["bins", "genome_of_assembly", 0.9, *[9] * 7], ["bins", "genome", 0.95, *[1] * 7]]
    found = [7, 6, 5, 4, 3, 2, 1]
    write_table(
        folder / "found.tsv", ["binning", "counted", "precision", *recalls], *rows, ["bins", "genome", 0.9, *found]
    )
    assert run()["genomes"] is None
    given = [word for name, values in (INPUTS | TRAINED).items() for word in (name, *values)]
    done = CliRunner().invoke(report_data.main, ["--group", "co", *given, "--genomes_found", "found.tsv"])
    assert done.exit_code == 0, done.output
    content = json.loads((folder / "report_data.json").read_text())
    assert content["genomes"] == {"recall": list(report_data.RECALLS), "binnings": {"bins": found}}


def test_without_training(folder):
    content = run(trained=False)
    assert content["training"] is content["distances"] is None and content["refinement"] == {}
    assert content["flows"] == {}
    assert "input" in content["pictures"] and "latent" not in content["pictures"]


def test_no_contig_is_long_enough(folder):
    write_table(folder / "rows.tsv", ["contig", "length"])
    write_features(folder, ["S1", "S2"], {}, rows=())
    np.save(folder / "tnf.npy", np.zeros((0, 136), np.float32))
    assert run()["pictures"] is None


def test_abundance_table_and_no_markers(folder):
    """Without reads there are no samples to show, and the unit of coverage is another."""
    write_table(folder / "bins.tsv", [*BINS, "coverage_S"], ["A.001", "A", 3, 9, 1, 9, 0.5, 0, "false", "false", 1])
    write_features(folder, ["S"], None)
    content = run()
    assert content["samples"] == [] and content["coverage_unit"] == "RPKM"
    assert content["bins"][0].keys().isdisjoint({"completeness", "contamination", "quality"})


def test_no_bin(folder):
    write_table(folder / "bins.tsv", [*RATED, "coverage_S1", "coverage_S2"])
    write_table(folder / "contig2bin.tsv", ["assembly", "contig", "bin"])
    content = run("S1.mapping.tsv")
    assert content["bins"] == [] and set(content["pictures"]["bins"]) == {"in no bin"}


def write_places(folder, *rows):
    write_table(folder / "umap_points.tsv", [column.name for column in UMAP_POINTS.columns], *rows)
    return "umap_points.tsv"


@pytest.mark.parametrize("trained", [True, False])
def test_places_by_umap_are_those_of_the_contigs_and_change_nothing_else(folder, trained):
    of_x, of_y = ([5, 6], [7, -8]) if trained else (["", ""], ["", ""])
    path = write_places(folder, ["A~y", 3, -4, *of_y], ["A~other", 0, 0, *of_y], ["A~x", 1, 2, *of_x])
    plain, content = run(trained=trained), run(trained=trained, umap=path)
    is_x = [name == "A.001" for name in content["pictures"]["bins"]]
    expected = {"umap_input": {"x": [1, 3], "y": [2, -4]}}
    expected |= {"umap_latent": {"x": [5, 7], "y": [6, -8]}} if trained else {}
    for name, places in expected.items():
        in_order = {axis: [one if x else other for x in is_x] for axis, (one, other) in places.items()}
        assert content["pictures"].pop(name) == in_order
    assert content == plain


def test_a_group_without_places_has_no_umap(folder):
    assert run(umap=write_places(folder)) == run()


def test_places_of_another_run_are_refused(folder):
    done = invoke(umap=write_places(folder, ["A~x", 1, 2, 5, 6]))
    assert done.exit_code == 1 and "rows.tsv: row 2: contig 'A~y' is not in umap_points.tsv; give both" in done.output


def test_size_depends_on_bins_and_samples_alone(folder):
    names = [f"A~{number}" for number in range(5000)]
    contigs = [(name, "A", name[2:], 2500) for name in names]
    write_table(folder / "contigs.tsv", ["contig", "assembly", "name", "length"], *contigs)
    write_table(folder / "rows.tsv", ["contig", "length"], *[[name, 2500] for name in names])
    write_features(folder, ["S1", "S2"], {}, names)
    rng = np.random.default_rng(1)
    for name, width in {"tnf": 136, "abundance": 2, "latent": 8}.items():
        np.save(folder / f"{name}.npy", rng.random((5000, width)).astype(np.float32))
    unbinned = [["A", name[2:], 2500, "", "unclustered"] for name in names]
    write_table(folder / "unbinned.tsv", ["assembly", "contig", "length", "cluster", "reason"], *unbinned)
    write_table(folder / "contig2bin.tsv", ["assembly", "contig", "bin"])
    assert len(run(trained=False)["pictures"]["bins"]) == DOTS_OF_NONE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: write_features(folder, ["S1", "S3"], {}), "bins.tsv: has no column coverage_S3; give both"),
        (lambda folder: write_features(folder, ["S1"], {}, ["A~z"]), "features.json: is not about the 2 contigs of"),
        (lambda folder: np.save(folder / "latent.npy", np.ones((3, 8))), "latent.npy: has the shape (3, 8)"),
        (lambda folder: (folder / "threshold.json").write_text('{"threshold": 0.1}'), "has no list `density_mean`"),
    ],
)  # fmt: skip
def test_files_of_other_runs_are_refused(folder, change, message):
    change(folder)
    done = invoke()
    assert done.exit_code == 1 and message in done.output, done.output


GENES = {
    "--genes": ["contigs.tsv", "clusters.tsv", "gene_clusters.tsv", "cluster_sizes.tsv"],
    "--features": ["features.json"],
    "--inputs": ["rows.tsv", "tnf.npy", "abundance.npy"],
    "--trained": ["latent.npy", "training.tsv", "threshold.json"],
}


def run_genes(**changes):
    options = GENES | {f"--{name}": values for name, values in changes.items()}
    given = [word for name, values in options.items() for word in (name, *values)]
    return CliRunner().invoke(report_data.main, ["--group", "igc", *given], catch_exceptions=False)


@pytest.fixture
def genes(folder):
    """Ten clusters of 1 to 10 genes, found from the smallest to the largest, and three genes in none."""
    owners = [f"{cluster}" for cluster in range(1, 11) for _ in range(cluster)] + [None] * 3
    names = [f"g{i}" for i in range(len(owners))]
    write_table(folder / "contigs.tsv", ["contig", "assembly", "name", "length"], *[(n, "a", n, 300) for n in names])
    write_table(folder / "rows.tsv", ["contig", "length"], *[(n, 300) for n in names])
    write_features(folder, ["S1", "S2"], {"S1": 1, "S2": 2}, names)
    rng = np.random.default_rng(1)
    for name, width in {"tnf": 136, "abundance": 2, "latent": 8}.items():
        np.save(folder / f"{name}.npy", rng.random((len(names), width)).astype(np.float32))
    rows = [(owner, name, "a", name) for name, owner in zip(names, owners) if owner]
    write_table(folder / "clusters.tsv", ["cluster", "contig", "assembly", "name"], *rows)
    rows = [(size, size, 300 * size, "true" if size > 8 else "false") for size in range(10, 0, -1)]
    write_table(folder / "gene_clusters.tsv", ["cluster", "genes", "bp", "large"], *rows)
    sums = [(size, 11 - size, sum(range(size, 11)), 300 * sum(range(size, 11))) for size in range(1, 11)]
    write_table(folder / "cluster_sizes.tsv", ["least_genes", "clusters", "genes", "bp"], *sums)
    return folder


def test_a_gene_catalogue_has_curves_of_its_clusters_and_no_bins(genes):
    done = run_genes(mapping=["S1.mapping.tsv"])
    assert done.exit_code == 0, done.output
    content = json.loads((genes / "report_data.json").read_text())
    curves = content["gene_clusters"]
    assert curves["least_genes"] == list(range(1, 11)) and curves["clusters"] == list(range(10, 0, -1))
    assert curves["genes_found"] == [1, 3, 6, 10, 15, 21, 28, 36, 45, 55]
    assert curves["large_found"] == [0] * 8 + [1, 2]
    assert content["bins"] == [] and content["contigs"] == {"by_assembly": {}, "by_length": {}}
    assert content["training"] and content["distances"] and content["samples"]
    shown = content["pictures"]["bins"]
    assert {name: shown.count(name) for name in set(shown)} == {
        **{f"cluster {size}": size for size in range(4, 11)}, "other clusters": 6, "in no cluster": 3,
    }  # fmt: skip


def test_a_catalogue_without_clusters(genes):
    write_table(genes / "clusters.tsv", ["cluster", "contig", "assembly", "name"])
    write_table(genes / "gene_clusters.tsv", ["cluster", "genes", "bp", "large"])
    write_table(genes / "cluster_sizes.tsv", ["least_genes", "clusters", "genes", "bp"])
    assert run_genes().exit_code == 0
    content = json.loads((genes / "report_data.json").read_text())
    assert len(content["gene_clusters"]) == 4 and not any(content["gene_clusters"].values())


def test_tables_of_other_clusters_are_refused(genes):
    write_table(genes / "gene_clusters.tsv", ["cluster", "genes", "bp", "large"], [1, 1, 300, "false"])
    done = run_genes()
    assert done.exit_code == 1 and "gene_clusters.tsv: has other clusters than clusters.tsv" in done.output


def test_bins_or_genes(genes):
    for more in ({"bins": ["bins.tsv"]}, {"contigs": INPUTS["--contigs"], "bins": ["bins.tsv"]}):
        done = run_genes(**more)
        assert done.exit_code == 2 and "give --contigs and --bins, or --genes" in done.output
