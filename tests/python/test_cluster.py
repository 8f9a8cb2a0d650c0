"""cluster.py: planted clusters are found, every contig is in one cluster, and files that do not fit are refused."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import cluster
import distance_threshold
from latent_points import planted


def write_latent(folder: Path, latent: np.ndarray, names: list[str] | None = None, lengths=None) -> list[str]:
    """The four files that cluster.py reads and the options that name them."""
    names = [f"contig{i}" for i in range(len(latent))] if names is None else names
    lengths = [2000 + 7 * i for i in range(len(latent))] if lengths is None else lengths
    np.save(folder / "latent.npy", latent)
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    (folder / "latent.json").write_text(json.dumps({"rows_sha256": digest}))
    pairs = list(zip(names, lengths))
    (folder / "rows.tsv").write_text("contig\tlength\n" + "".join(f"{n}\t{size}\n" for n, size in pairs))
    known = "".join(f"{n}\tasm\toriginal_{n}\t{size}\n" for n, size in [("short", 100), *pairs])
    (folder / "contigs.tsv").write_text("contig\tassembly\tname\tlength\n" + known)
    files = {"latent": "latent.npy", "latent_json": "latent.json", "rows": "rows.tsv", "contigs": "contigs.tsv"}
    return [part for option, name in files.items() for part in (f"--{option}", str(folder / name))]


def run(folder: Path, monkeypatch, inputs: list[str], *options: str):
    """Run the command in a folder of its own; result, clusters.tsv and threshold.json."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(cluster.main, [*inputs, *options])
    if result.exit_code:
        return result, None, None
    table = pd.read_csv("clusters.tsv", sep="\t", dtype={"contig": str}, keep_default_na=False)
    return result, table, json.loads(Path("threshold.json").read_text())


def partition(table: pd.DataFrame) -> set[frozenset[str]]:
    return {frozenset(group) for _, group in table.groupby("cluster")["contig"]}


def truth(owner: np.ndarray) -> set[frozenset[str]]:
    return {frozenset(f"contig{i}" for i in np.flatnonzero(owner == group)) for group in np.unique(owner)}


def test_planted_clusters_are_recovered_exactly(tmp_path, monkeypatch):
    latent, owner = planted([200, 90, 40, 11, 5, 2, 1, 1], noise=0.3)
    inputs = write_latent(tmp_path, latent)
    result, table, threshold = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 0, result.output
    assert partition(table) == truth(owner)
    assert table["cluster"].drop_duplicates().tolist() == list(range(1, 9))
    assert (table["name"] == "original_" + table["contig"]).all() and (table["assembly"] == "asm").all()
    assert threshold["defined"] and threshold["source"] == "estimated" and threshold["seeds"] == len(latent)
    kinds = ("with_valley", "with_fallback", "undefined")
    assert threshold["seeds"] == sum(threshold[f"seeds_{kind}"] for kind in kinds)
    assert len(threshold["density_mean"]) == 400 and len(threshold["bin_edges"]) == 401


def test_same_seed_gives_the_same_bytes(tmp_path, monkeypatch):
    inputs = write_latent(tmp_path, planted([80] * 6, noise=1.2)[0])
    found = []
    for name, seed in (("a", "4"), ("b", "4"), ("c", "5")):
        run(tmp_path / name, monkeypatch, inputs, "--seed", seed, "--threads", "2", "--distance_threshold", "0.28")
        found.append(Path("clusters.tsv").read_bytes())
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_order_of_rows_does_not_matter_for_separate_clusters(tmp_path, monkeypatch):
    latent, owner = planted([50, 30, 20, 7], noise=0.3)
    order = np.random.default_rng(8).permutation(len(latent))
    names, lengths = [f"contig{i}" for i in range(len(latent))], [2000 + 7 * i for i in range(len(latent))]
    shuffled = latent[order], [names[i] for i in order], [lengths[i] for i in order]
    for folder, rows in (("a", (latent, names, lengths)), ("b", shuffled)):
        (tmp_path / folder).mkdir()
        inputs = write_latent(tmp_path / folder, *rows)
        assert partition(run(tmp_path / folder, monkeypatch, inputs)[1]) == truth(owner)


def test_longest_contig_seeds_first(tmp_path, monkeypatch):
    latent, owner = planted([10, 10, 10], noise=0.2)
    lengths = [2000 + 1000 * int(group) + i for i, group in enumerate(owner)]
    _, table, _ = run(tmp_path / "out", monkeypatch, write_latent(tmp_path, latent, None, lengths))
    found = [owner[int(name.removeprefix("contig"))] for name in table.drop_duplicates("cluster")["contig"]]
    assert found == [2, 1, 0]


def test_every_seed_is_clustered_even_when_its_medoid_leaves_it_behind(tmp_path, monkeypatch):
    """A chain in which the search walks away from its seed: no contig is lost, none stands twice."""
    angles = np.radians(np.cumsum(np.linspace(9, 0.5, 60)))
    plane = np.array([[1, -1, 0, 0], [1, 1, -2, 0]]) / np.sqrt([[2], [6]])
    latent = (np.stack((np.cos(angles), np.sin(angles)), axis=1) @ plane).astype(np.float32)
    inputs = write_latent(tmp_path, latent, None, list(range(3000, 2940, -1)))
    _, table, _ = run(tmp_path / "out", monkeypatch, inputs, "--distance_threshold", "0.02")
    assert sorted(table["contig"]) == sorted(f"contig{i}" for i in range(60))
    assert table["contig"].iloc[0] != "contig0" and table.loc[table["contig"] == "contig0", "cluster"].item() > 1


def test_max_clusters_leaves_the_rest_out(tmp_path, monkeypatch):
    latent, owner = planted([20, 15, 10, 5], noise=0.2)
    inputs = write_latent(tmp_path, latent)
    result, table, _ = run(tmp_path / "out", monkeypatch, inputs, "--max_clusters", "2")
    assert table["cluster"].max() == 2 and partition(table) < truth(owner)
    assert f"{50 - len(table)} left unclustered" in result.output


def test_clusters_up_to_max_clusters_are_those_of_the_whole(tmp_path, monkeypatch):
    """Points of so much noise that nearly each is a cluster: the stop ends the search and changes nothing before it."""
    inputs = write_latent(tmp_path, planted([60, 40, 30] + [1] * 60, noise=0.9, dimensions=12)[0])
    _, whole, _ = run(tmp_path / "whole", monkeypatch, inputs, "--distance_threshold", "0.15")
    for limit in (1, 7, 40):
        _, table, _ = run(
            tmp_path / str(limit), monkeypatch, inputs, "--distance_threshold", "0.15", "--max_clusters", str(limit)
        )
        assert table.equals(whole[whole["cluster"] <= limit].reset_index(drop=True))
    assert whole["cluster"].max() > 40


def test_undefined_threshold_falls_back_to_the_default(tmp_path, monkeypatch):
    """No seed has fewer than one contig closer than any point: nothing is defined."""
    inputs = write_latent(tmp_path, np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32))
    result, table, threshold = run(tmp_path / "out", monkeypatch, inputs, "--max_close_contigs", "1")
    assert result.exit_code == 0, result.output
    assert threshold["defined"] is False and threshold["source"] == "default"
    assert threshold["threshold"] == distance_threshold.DEFAULT_THRESHOLD and threshold["estimate"] is None
    assert threshold["seeds_undefined"] == 300
    assert "WARNING" in result.output and "--distance_threshold" in result.output
    assert len(table) == 300


def test_threshold_by_hand(tmp_path, monkeypatch):
    latent = planted([30, 30], noise=0.3)[0]
    distance = 0.5 * (1 - np.corrcoef(latent.astype(np.float64)))
    inputs = write_latent(tmp_path, latent)
    below = distance[~np.eye(60, dtype=bool)].min() * 0.9
    _, table, threshold = run(tmp_path / "out", monkeypatch, inputs, "--distance_threshold", str(below))
    assert table["cluster"].nunique() == 60
    assert threshold["threshold"] == below and threshold["source"] == "given" and threshold["defined"]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_next_to_nothing(tmp_path, monkeypatch, n):
    inputs = write_latent(tmp_path, np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32))
    result, table, threshold = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 0, result.output
    assert sorted(table["contig"]) == [f"contig{i}" for i in range(n)]
    assert table.columns.tolist() == ["cluster", "contig", "assembly", "name"]
    assert 0 < threshold["threshold"] < 1 and threshold["seeds"] == n


def test_equal_and_constant_rows(tmp_path, monkeypatch):
    """Twins share a cluster, a row of equal values is alone whatever the threshold."""
    twins = np.tile(np.array([1, 2, 4, 8], dtype=np.float32), (3, 1))
    latent = np.vstack((twins, np.full((2, 4), 0.1), [[8, 1, 1, 1]])).astype(np.float32)
    inputs = write_latent(tmp_path, latent)
    _, table, _ = run(tmp_path / "out", monkeypatch, inputs, "--distance_threshold", "0.5")
    assert partition(table) == {
        frozenset(group) for group in (["contig0", "contig1", "contig2"], ["contig3"], ["contig4"], ["contig5"])
    }


def test_only_constant_rows(tmp_path, monkeypatch):
    inputs = write_latent(tmp_path, np.zeros((4, 8), dtype=np.float32))
    result, table, threshold = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 0, result.output
    assert table["cluster"].tolist() == [1, 2, 3, 4] and threshold["defined"] is False


def test_names_that_tables_like_to_mangle(tmp_path, monkeypatch):
    names = ["NA", "001", '"x', "nan", "1e5"]
    inputs = write_latent(tmp_path, planted([5], noise=0.1)[0], names)
    result, _, _ = run(tmp_path / "out", monkeypatch, inputs, "--distance_threshold", "0.4")
    assert result.exit_code == 0, result.output
    lines = Path("clusters.tsv").read_text().splitlines()[1:]
    assert sorted(lines) == sorted(f"1\t{name}\tasm\toriginal_{name}" for name in names)


def test_rows_that_are_not_the_latents(tmp_path, monkeypatch):
    inputs = write_latent(tmp_path, planted([6], noise=0.1)[0])
    rows = (tmp_path / "rows.tsv").read_text()
    (tmp_path / "rows.tsv").write_text(rows.replace("contig3\t", "contigX\t"))
    (tmp_path / "contigs.tsv").write_text((tmp_path / "contigs.tsv").read_text().replace("contig3\t", "contigX\t"))
    result, _, _ = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 1 and "rows.tsv" in result.output and "latent.json" in result.output


@pytest.mark.parametrize("change", [("contig3\t", "contigX\t"), ("original_contig3\t2021", "original_contig3\t2022")])
def test_contig_that_contigs_tsv_lacks_or_differs_is_named(tmp_path, monkeypatch, change):
    inputs = write_latent(tmp_path, planted([6], noise=0.1)[0])
    (tmp_path / "contigs.tsv").write_text((tmp_path / "contigs.tsv").read_text().replace(*change))
    result, _, _ = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 1 and "'contig3'" in result.output and "contigs.tsv" in result.output


def test_latent_that_does_not_fit(tmp_path, monkeypatch):
    latent = planted([6], noise=0.1)[0]
    inputs = write_latent(tmp_path, latent)
    np.save(tmp_path / "latent.npy", latent[:5])
    result, _, _ = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 1 and "(5, 40)" in result.output
    latent[2, 0] = np.nan
    np.save(tmp_path / "latent.npy", latent)
    result, _, _ = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 1 and "'contig2'" in result.output


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--distance_threshold", "0"), ("--distance_threshold", "1"), ("--threshold_seeds", "0"),
        ("--max_close_contigs", "0"), ("--medoid_patience", "0"), ("--max_clusters", "0"), ("--seed", "-1"),
        ("--threads", "0"),
    ],
)  # fmt: skip
def test_option_out_of_range(tmp_path, monkeypatch, option, value):
    result, _, _ = run(tmp_path / "out", monkeypatch, write_latent(tmp_path, planted([6], noise=0.1)[0]), option, value)
    assert result.exit_code == 2 and option in result.output


@pytest.mark.parametrize(("options", "warns"), [((), True), (("--max_close_contigs", "50"), False)])
def test_warning_where_the_threshold_cannot_be_refused(tmp_path, monkeypatch, options, warns):
    """The 60 contigs are fewer than the 2,500 that may be closer, and the threshold is what it would be without."""
    inputs = write_latent(tmp_path, planted([30, 30], noise=0.3)[0])
    result, _, threshold = run(tmp_path / "out", monkeypatch, inputs, *options)
    assert result.exit_code == 0 and threshold["defined"]
    assert ("WARNING: 60 contigs are too few" in result.output) == warns
