"""cluster.py: distances, the preprint's threshold on distributions with a known valley, medoids on planted clusters."""

import hashlib
import json
import math
from pathlib import Path

import cluster
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner


def planted(sizes: list[int], noise: float, seed: int = 0, dimensions: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Latent points around random centres, shuffled, and the centre that each belongs to."""
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = rng.normal(size=(len(sizes), dimensions))
    return (centres[owner] + noise * rng.normal(size=(len(owner), dimensions))).astype(np.float32), owner


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


def smoothed(counts: np.ndarray) -> np.ndarray:
    """N(0, 0.015) over 400 bins of [0, 1], written as the sum it is."""
    centres = [(i + 0.5) / 400 for i in range(400)]
    kernel = lambda x: math.exp(-x * x / (2 * 0.015**2)) / (0.015 * math.sqrt(2 * math.pi))  # noqa: E731
    filled = np.flatnonzero(counts)
    return np.array([sum(counts[j] * kernel(at - centres[j]) for j in filled) for at in centres])


def test_distance_is_pearsons():
    latent = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32) * 5 + 3
    points, varies = cluster.standardise(latent)
    expected = 0.5 * (1 - np.corrcoef(latent.astype(np.float64)))
    assert varies.all()
    assert np.abs(0.5 - points @ points.T - expected).max() < 1e-5


def test_coordinates_lie_on_the_grid_that_makes_sums_exact():
    points = cluster.standardise(np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32))[0]
    whole = points.astype(np.float64) * 2**17
    assert (whole == np.rint(whole)).all()


def test_constant_rows_have_no_correlation():
    latent = np.array([[0.1] * 7, [1, 2, 3, 4, 5, 6, 7], [0] * 7], dtype=np.float32)
    points, varies = cluster.standardise(latent)
    assert varies.tolist() == [False, True, False]
    assert (points[[0, 2]] == 0).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_histograms_leave_the_seed_out_and_blocks_do_not_matter(monkeypatch, threads):
    latent = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    points = torch.from_numpy(cluster.standardise(latent)[0])
    seeds = torch.tensor([3, 0, 49, 20, 7])
    whole = cluster.seed_histograms(points, seeds)
    monkeypatch.setattr(cluster, "BLOCK_VALUES", 14)
    monkeypatch.setattr(cluster, "SEED_BLOCK", 2)
    assert np.array_equal(cluster.seed_histograms(points, seeds, threads), whole)
    distances = 0.5 * (1 - np.corrcoef(latent.astype(np.float64)))
    for row, seed in zip(whole, seeds.tolist()):
        others = np.delete(distances[seed], seed)
        expected = np.histogram(others, bins=400, range=(0, 1))[0]
        # A distance on a bin's edge may fall to either side in single precision.
        assert row.sum() == 49 and np.abs(np.cumsum(row) - np.cumsum(expected)).max() <= 1


def test_smoothing_is_the_gaussian_of_the_text():
    counts = np.random.default_rng(2).integers(5, size=400)
    assert counts @ cluster.smoothing_matrix() == pytest.approx(smoothed(counts), rel=1e-9)


def threshold_of(counts: np.ndarray, max_close: int = 2500) -> tuple[float, str]:
    return cluster.seed_threshold(counts, smoothed(counts), max_close)


def test_valley_between_two_peaks():
    """Equal peaks at bins 19 and 59 of 400: the valley lies half-way, at bin 39, distance 39.5/400."""
    counts = np.zeros(400, dtype=int)
    counts[[19, 59]] = 30
    assert threshold_of(counts) == (pytest.approx(39.5 / 400), "valley")


def test_first_valley_is_taken_not_the_deepest():
    counts = np.zeros(400, dtype=int)
    counts[[20, 44, 200]] = 30, 40, 1000
    threshold, kind = threshold_of(counts)
    assert kind == "valley" and 20 / 400 < threshold < 44 / 400


def test_peak_at_distance_zero_counts_as_a_maximum():
    counts = np.zeros(400, dtype=int)
    counts[[0, 60]] = 50
    assert threshold_of(counts) == (pytest.approx(30.5 / 400), "valley")


def test_valley_with_too_many_closer_is_refused():
    """100 contigs close: a limit of 101 takes the valley, 100 does not (fewer than it must be closer)."""
    counts = np.zeros(400, dtype=int)
    counts[[10, 200]] = 100, 3000
    assert threshold_of(counts, 101)[1] == "valley"
    assert threshold_of(counts, 100)[1] != "valley"


def test_fallback_is_the_first_point_at_0_8_of_the_maximum():
    """One peak and no valley: a Gaussian of sd w is at 0.8 of its height w * sqrt(2 ln 1.25) before its centre."""
    spread = 0.05
    centres = (np.arange(400) + 0.5) / 400
    counts = np.round(1e6 * np.exp(-np.square((centres - 0.5) / spread) / 2)).astype(int)
    threshold, kind = threshold_of(counts, 10**9)
    expected = 0.5 - math.hypot(spread, 0.015) * math.sqrt(2 * math.log(1.25))
    assert kind == "fallback" and abs(threshold - expected) <= 1 / 400


def test_undefined_when_the_fallback_has_too_many_closer():
    counts = np.zeros(400, dtype=int)
    counts[150:250] = 1000
    threshold, kind = threshold_of(counts)
    assert kind == "undefined" and math.isnan(threshold)


def test_no_other_contig_is_undefined():
    assert threshold_of(np.zeros(400, dtype=int))[1] == "undefined"


def test_estimate_lies_in_the_gap_of_planted_clusters():
    latent, owner = planted([60] * 12, noise=0.3)
    points = torch.from_numpy(cluster.standardise(latent)[0])
    distance = 0.5 * (1 - np.corrcoef(latent.astype(np.float64)))
    same = owner[:, None] == owner[None, :]
    summary = cluster.estimate_threshold(points, 100, 2500, np.random.default_rng(0))
    assert distance[same].max() < summary["estimate"] < distance[~same].min()
    assert (summary["seeds"], summary["seeds_with_valley"]) == (100, 100)
    assert summary["quantiles"]["0.5"] == summary["estimate"]
    # Its integral over [0, 1] is 1 but for what the smoothing spills over the ends.
    assert sum(summary["density_mean"]) / 400 == pytest.approx(1, abs=0.05)


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


def test_medoid_search_moves_to_the_denser_point():
    """Points on an arc; the seed at one end sees few. The middle has the least mean distance, and wins."""
    angles = np.radians([0, 20, 21, 22, 23, 24, 44])
    plane = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
    arc = np.stack((np.cos(angles), np.sin(angles)), axis=1) @ plane / math.sqrt(2)
    points = torch.from_numpy(arc.astype(np.float32))
    threshold = 0.5 * (1 - math.cos(math.radians(23.5)))
    distance = 0.5 * (1 - np.cos(angles[:, None] - angles[None, :]))
    inside = (distance <= threshold) & ~np.eye(7, dtype=bool)
    means = (distance * inside).sum(axis=1) / inside.sum(axis=1)
    for seed in range(5):
        rows = np.random.default_rng(seed).permutation(7)
        space = cluster.Unclustered(points[torch.from_numpy(rows)], threshold, 1)
        medoid, inner = cluster.find_medoid(space, int(np.argmin(rows)), np.arange(7), 15)
        medoid, inner = rows[medoid], rows[inner]
        assert means[medoid] <= means[inside[medoid]].min()
        assert sorted(inner.tolist()) == np.flatnonzero(inside[medoid]).tolist()


def test_every_seed_is_clustered_even_when_its_medoid_leaves_it_behind(tmp_path, monkeypatch):
    """A chain in which the search walks away from its seed: no contig is lost, none stands twice."""
    angles = np.radians(np.cumsum(np.linspace(9, 0.5, 60)))
    plane = np.array([[1, -1, 0, 0], [1, 1, -2, 0]]) / np.sqrt([[2], [6]])
    latent = (np.stack((np.cos(angles), np.sin(angles)), axis=1) @ plane).astype(np.float32)
    inputs = write_latent(tmp_path, latent, None, list(range(3000, 2940, -1)))
    _, table, _ = run(tmp_path / "out", monkeypatch, inputs, "--distance_threshold", "0.02")
    assert sorted(table["contig"]) == sorted(f"contig{i}" for i in range(60))
    assert table["contig"].iloc[0] != "contig0" and table.loc[table["contig"] == "contig0", "cluster"].item() > 1


def plain_clusters(
    points: np.ndarray, seeds: np.ndarray, threshold: float, patience: int, rng: np.random.Generator
) -> list[list[int]]:
    """The text's search point by point over all that is left, in whole numbers: no blocks, no cells, no looking ahead."""
    whole = np.rint(points.astype(np.float64) * 2**17).astype(np.int64)
    product = whole @ whole.T
    order = {row: place for place, row in enumerate(rng.permutation(seeds).tolist())}
    left, found = np.zeros(len(points), dtype=bool), []
    left[seeds] = True

    def look(row: int) -> tuple[list[int], float]:
        close = left & (product[row] / 2**34 >= 0.5 - threshold)
        close[row] = False
        mean = 0.5 - product[row, close].sum() / 2**34 / close.sum() if close.any() else 0.0
        return np.flatnonzero(close).tolist(), mean

    for seed in seeds.tolist():
        while left[seed]:
            medoid, drawn, (inner, mean), futile = seed, {seed}, look(seed), 0
            while futile < patience and (fresh := set(inner) - drawn):
                draw = min(fresh, key=order.get)
                drawn.add(draw)
                futile += 1
                if look(draw)[1] < mean:
                    medoid, (inner, mean), futile = draw, look(draw), 0
            found.append([medoid, *inner])
            left[found[-1]] = False
    return found


def latents(kind: str) -> np.ndarray:
    """Sets of points that a shortcut could get wrong."""
    rng = np.random.default_rng(5)
    sizes = [150, 90, 60, 40, 30, 20, 10, 5, 5, 3, 2] + [1] * 15
    if kind == "easy":
        return planted(sizes, noise=0.3)[0]
    if kind == "hard":
        return planted(sizes, noise=0.9, dimensions=12)[0]
    if kind == "noise":
        return rng.normal(size=(300, 5)).astype(np.float32)
    if kind == "twins":
        return np.repeat(rng.normal(size=(60, 8)).astype(np.float32), rng.integers(1, 9, 60), axis=0)
    if kind == "opposites":
        half = planted([20, 20, 10], noise=0.4, dimensions=10)[0]
        return np.vstack((half, -half))
    if kind == "constant rows":
        latent = planted([40, 20, 5], noise=0.6)[0]
        latent[::7] = 0.1
        return latent
    if kind == "chain":
        angles = np.radians(np.cumsum(np.linspace(9, 0.5, 120)))
        plane = np.array([[1, -1, 0, 0], [1, 1, -2, 0]]) / np.sqrt([[2], [6]])
        return (np.stack((np.cos(angles), np.sin(angles)), axis=1) @ plane).astype(np.float32)
    return rng.normal(size=(int(kind), 6)).astype(np.float32)


KINDS = ["easy", "hard", "noise", "twins", "opposites", "constant rows", "chain", "1", "2", "3", "5"]
SMALL = {
    "BLOCK_VALUES": 64,
    "CELL_SIZE": 6,
    "SEEDS_AHEAD": (2, 5),
    "TASK_BLOCKS": 2,
    "JUDGED_AT_ONCE": 1,
    "SMALLEST_BLOCK": 7,
}


@pytest.mark.parametrize("threshold", [0.02, 0.1, 0.25, 0.6])
@pytest.mark.parametrize("kind", KINDS)
def test_shortcuts_change_no_cluster(monkeypatch, kind, threshold):
    """The same clusters in the same order, each with the same medoid, as without any; whatever the blocks."""
    points, varies = cluster.standardise(latents(kind))
    seeds = np.random.default_rng(1).permutation(np.flatnonzero(varies))
    expected = plain_clusters(points, seeds, threshold, 4, np.random.default_rng(0))
    assert sorted(row for members in expected for row in members) == sorted(seeds)
    for threads, settings in ((1, {}), (2, SMALL)):
        for name, value in settings.items():
            monkeypatch.setattr(cluster, name, value)
        draws = np.random.default_rng(0)
        found = cluster.medoid_clusters(torch.from_numpy(points), seeds, threshold, 4, draws, threads)
        assert [members.tolist() for members in found] == expected


@pytest.mark.parametrize("threshold", [1e-6, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_cells_hide_no_inner_point(monkeypatch, kind, threshold):
    """Whatever is inner to one of three queries is found in the cells, after points have left as before."""
    monkeypatch.setattr(cluster, "CELL_SIZE", 10)
    points = cluster.standardise(latents(kind))[0]
    space = cluster.Unclustered(torch.from_numpy(points), threshold, 1)
    rng = np.random.default_rng(2)
    distance = 0.5 - points.astype(np.float64) @ points.T.astype(np.float64)
    for _ in range(4):
        queries = rng.choice(len(points), min(3, len(points)))
        inner = np.flatnonzero((distance[queries] <= threshold).any(axis=0) & space.alive)
        assert set(inner) <= set(space.near_any(queries)) and set(inner) <= set(
            np.concatenate(space.near_each(queries))
        )
        space.remove(rng.choice(np.flatnonzero(space.alive), space.n_alive // 3, replace=False))


def test_cells_leave_most_of_separate_clusters_alone():
    points = torch.from_numpy(cluster.standardise(planted([100] * 40, noise=0.2)[0])[0])
    space = cluster.Unclustered(points, 0.1, 1)
    assert sum(len(space.inside(points[[row]])) for row in range(50)) < 0.2 * 50 * len(points)


def test_max_clusters_leaves_the_rest_out(tmp_path, monkeypatch):
    latent, owner = planted([20, 15, 10, 5], noise=0.2)
    inputs = write_latent(tmp_path, latent)
    result, table, _ = run(tmp_path / "out", monkeypatch, inputs, "--max_clusters", "2")
    assert table["cluster"].max() == 2 and partition(table) < truth(owner)
    assert f"{50 - len(table)} left unclustered" in result.output


def test_undefined_threshold_falls_back_to_the_default(tmp_path, monkeypatch):
    """No seed has fewer than one contig closer than any point: nothing is defined."""
    inputs = write_latent(tmp_path, np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32))
    result, table, threshold = run(tmp_path / "out", monkeypatch, inputs, "--max_close_contigs", "1")
    assert result.exit_code == 0, result.output
    assert threshold["defined"] is False and threshold["source"] == "default"
    assert threshold["threshold"] == cluster.DEFAULT_THRESHOLD and threshold["estimate"] is None
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
    assert result.exit_code == 1 and "contig3 " in result.output and "contigs.tsv" in result.output


def test_latent_that_does_not_fit(tmp_path, monkeypatch):
    latent = planted([6], noise=0.1)[0]
    inputs = write_latent(tmp_path, latent)
    np.save(tmp_path / "latent.npy", latent[:5])
    result, _, _ = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 1 and "(5, 40)" in result.output
    latent[2, 0] = np.nan
    np.save(tmp_path / "latent.npy", latent)
    result, _, _ = run(tmp_path / "out", monkeypatch, inputs)
    assert result.exit_code == 1 and "contig2 " in result.output


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
