#!/usr/bin/env python3
"""Measure time and memory of clustering, beside vamb's on the same points.

In: nothing (seeded points), or a latent and its rows.tsv; with --vamb_python, a Python that has vamb 5.0.4.
Out: a row for each program and set of points, on stdout as Markdown and, with --tsv, in a file: clusters, seconds from
a matrix in memory to all clusters (for Binloom threshold and medoids), CPU seconds of the same, peak memory of the
process (torch included), agreement with the clusters that the points were drawn from (adjusted Rand index), and the
time of the program over Binloom's. The two take turns; the median of the repeats counts. vamb is stopped at --limit;
its time then stands as ">=".

Kinds of points, all around random centres with log-normal sizes (200 on average):
  easy     one noise, well separated
  hard     centres in families of four, up to 95 % alike, noise from 0.15 to 0.5 of a centre's scale: clusters run
           into each other
  diffuse  noise from 0.4 to 0.9 and families up to 90 % alike: most distances within a cluster are near the threshold
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import pandas as pd

from measured_runs import KB_PER_MB, POLL_SECONDS, status_kb
from result_tables import ResultTable, tsv_option

BIN = Path(__file__).resolve().parents[1] / "bin"
COLUMNS = ("clusters", "wall_s", "cpu_s", "peak_mb", "agreement", "ratio")
MEAN_SIZE, SPREAD, FAMILY = 200, 1.5, 4
BLOCK = 20_000  # points that are drawn at once; the same points whatever it is
# Noise, from and to, and the largest likeness of centres in a family
KINDS = {"easy": (0.35, 0.35, 0.0), "hard": (0.15, 0.5, 0.95), "diffuse": (0.4, 0.9, 0.9)}

# What runs apart: argv is the folder of points.npy and lengths.npy, and the number of threads.
BINLOOM = """
import numpy as np, torch
import distance_threshold, medoid_clusters, pearson_distance
torch.set_num_threads(1)
def run(points, lengths):
    threshold_rng, medoid_rng = np.random.default_rng(1).spawn(2)
    scaled, _ = pearson_distance.standardise(points)
    matrix = torch.from_numpy(scaled)
    found = distance_threshold.estimate_threshold(matrix, 2500, 2500, threshold_rng, threads)["estimate"]
    order = np.argsort(-lengths, kind="stable")
    found = found or distance_threshold.DEFAULT_THRESHOLD
    return list(medoid_clusters.medoid_clusters(matrix, order, found, 15, medoid_rng, threads))
"""
VAMB = """
import numpy as np, torch
from vamb.cluster import ClusterGenerator
torch.set_num_threads(threads)
def run(points, lengths):
    return [found.members for found in ClusterGenerator(points, lengths)]
"""
WORKER = """
import json, os, sys, time
folder, threads = sys.argv[1], int(sys.argv[2])
{program}
points, lengths = np.load(folder + "/points.npy"), np.load(folder + "/lengths.npy")
used, start = os.times(), time.perf_counter()
clusters = run(points, lengths)
wall, now = time.perf_counter() - start, os.times()
labels = np.empty(len(points), dtype=np.int64)
for number, members in enumerate(clusters):
    labels[members] = number
np.save(folder + "/labels.npy", labels)
spent = now.user + now.system - used.user - used.system
json.dump(dict(wall=wall, cpu=spent, clusters=len(clusters)), open(folder + "/result.json", "w"))
"""


def draw_points(n: int, kind: str, dimensions: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (n x dimensions, float32), contig lengths (bp) and the cluster that each point was drawn from."""
    rng = np.random.default_rng(seed)
    least, most, alike = KINDS[kind]
    n_clusters = max(2, n // MEAN_SIZE)
    share = rng.lognormal(0, SPREAD, n_clusters)
    owner = rng.choice(n_clusters, n, p=share / share.sum())
    family = rng.normal(size=(-(-n_clusters // FAMILY), dimensions))[np.arange(n_clusters) // FAMILY]
    alike = rng.uniform(0, alike, (n_clusters, 1))
    centres = np.sqrt(alike) * family + np.sqrt(1 - alike) * rng.normal(size=(n_clusters, dimensions))
    noise = rng.uniform(least, most, n_clusters)[owner]
    points = np.empty((n, dimensions), np.float32)
    for start in range(0, n, BLOCK):
        rows = slice(start, start + BLOCK)
        points[rows] = centres[owner[rows]] + noise[rows, None] * rng.normal(size=(len(owner[rows]), dimensions))
    return points, np.maximum(2000, rng.lognormal(8.3, 0.9, n)).astype(np.int64), owner


def agreement(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the adjusted Rand index (Hubert and Arabie 1985) of two labellings with numbers from 0 on."""

    def pairs(sizes: np.ndarray) -> float:
        return float((sizes * (sizes - 1.0) / 2).sum())

    both = pairs(np.unique(found * (truth.max() + 1) + truth, return_counts=True)[1])
    one, other = pairs(np.bincount(found)), pairs(np.bincount(truth))
    expected = one * other / pairs(np.array([len(found)]))
    most = (one + other) / 2
    return (both - expected) / (most - expected) if most > expected else 1.0


def measure(python: str, program: str, folder: Path, threads: int, limit: float) -> dict | None:
    """Return wall and CPU seconds, clusters and peak memory (MB) of one run; None past the limit.

    Its labels are then in labels.npy.
    """
    count = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "MKL", "OPENBLAS")}
    command = [python, "-c", WORKER.format(program=program), str(folder), str(threads)]
    environment = os.environ | count | {"PYTHONPATH": str(BIN), "PYTHONDONTWRITEBYTECODE": "1"}
    (folder / "result.json").unlink(missing_ok=True)
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, stderr=log, env=environment)
        start, most = time.monotonic(), 0
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            if time.monotonic() - start > limit:
                os.kill(process.pid, signal.SIGKILL)
                os.wait4(process.pid, 0)
                return None
            most = max(most, status_kb(process.pid, "VmHWM"))
            time.sleep(POLL_SECONDS)
    if ended[1]:
        raise click.ClickException(f"{python}: {(folder / 'log').read_text()}")
    return json.loads((folder / "result.json").read_text()) | {"memory": most / KB_PER_MB}


def compare(
    programs: dict[str, tuple[str, str]],
    folder: Path,
    truth: np.ndarray | None,
    repeats: int,
    threads: int,
    limit: float,
) -> dict[str, dict[str, str]]:
    """Run the programs in turn on the points of a folder; return the columns from `clusters` on of their rows."""
    runs: dict[str, list[dict]] = {name: [] for name in programs}
    scores, late = dict.fromkeys(programs, ""), set()
    for _ in range(repeats):
        for name, (python, program) in programs.items():
            if name in late:
                continue
            if (result := measure(python, program, folder, threads, limit)) is None:
                late.add(name)
                continue
            runs[name].append(result)
            if truth is not None:
                scores[name] = f"{agreement(np.load(folder / 'labels.npy'), truth):.3f}"
    wall = {name: statistics.median(run["wall"] for run in runs[name]) for name in programs if name not in late}
    rows = {}
    for name in programs:
        ratio = "" if name == "Binloom" else f"{wall.get(name, limit) / wall['Binloom']:.1f}"
        if name in late:
            late_row = {"wall_s": f">= {limit:.0f}", "ratio": f">= {ratio}"}
            rows[name] = dict.fromkeys(COLUMNS, "") | late_row
            continue
        cpu, memory = (statistics.median(run[key] for run in runs[name]) for key in ("cpu", "memory"))
        clusters = runs[name][0]["clusters"]
        cells = (clusters, f"{wall[name]:.1f}", f"{cpu:.1f}", f"{memory:.0f}", scores[name], ratio)
        rows[name] = dict(zip(COLUMNS, cells, strict=True))
    return rows


@click.command(context_settings={"show_default": True})
@click.option("--sizes", default="10000,100000,200000", help="Numbers of points, comma-separated.")
@click.option("--kinds", default="hard,easy", help=f"Of {', '.join(KINDS)}; comma-separated.")
@click.option(
    "--latent", nargs=2, type=click.Path(exists=True, path_type=Path), help="latent.npy and rows.tsv instead."
)
@click.option("--vamb_python", help="Python with vamb; without, Binloom runs alone.")
@click.option("--dimensions", default=32, type=click.IntRange(min=2))
@click.option("--threads", default=2, type=click.IntRange(min=1))
@click.option("--repeats", default=1, type=click.IntRange(min=1))
@click.option("--limit", default=360.0, type=click.FloatRange(min=1), help="Seconds after which vamb is stopped.")
@click.option("--seed", default=1, type=click.IntRange(min=0))
@tsv_option
def main(
    sizes: str, kinds: str, latent: tuple[Path, Path] | None, vamb_python: str | None, dimensions: int, threads: int,
    repeats: int, limit: float, seed: int, tsv: Path | None,
) -> None:  # fmt: skip
    """Cluster seeded points, or a latent, with Binloom and with vamb."""
    programs = {"Binloom": (sys.executable, BINLOOM)}
    if vamb_python:
        programs["vamb"] = (vamb_python, VAMB)
    tasks = [(int(size), kind) for size in sizes.split(",") for kind in kinds.split(",")]
    table = ResultTable(tsv, ("points", "kind", "threads", "program"))
    for size, kind in [(0, "latent")] if latent else tasks:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            if latent:
                points, truth = np.load(latent[0]), None
                lengths = pd.read_csv(latent[1], sep="\t", usecols=["length"])["length"].to_numpy()
            else:
                points, lengths, truth = draw_points(size, kind, dimensions, seed)
            np.save(folder / "points.npy", points)
            np.save(folder / "lengths.npy", lengths)
            n = len(points)
            del points, lengths
            for name, row in compare(programs, folder, truth, repeats, threads, limit).items():
                table.add({"points": n, "kind": kind, "threads": threads, "program": name, **row})


if __name__ == "__main__":
    main()
