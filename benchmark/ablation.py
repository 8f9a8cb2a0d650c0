#!/usr/bin/env python3
"""What each step from the preprint to the defaults is worth, in bins of communities with known truth.

usage: ablation.py --score score.py --set NAME RESULTS/GROUP ASSEMBLY TRUTH [--set ...] [--seeds 1,2,3]
In: a group's results of the pipeline (features/, catalogue/, homologs/, refine/ASSEMBLY/). Out: a Markdown table on stdout; for
each variant and set the genomes at precision and recall of at least 0.9, and weighted purity, of the clusters (of at least
200 kbp) and after refinement, which takes apart and joins clusters in every row but the last: the median over the seeds,
and (least-most). What each seed gave goes to stderr.
"""

import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd
from results import refine_files
from scoring import Score, score_bins

BIN = Path(__file__).resolve().parents[2] / "bin"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path, resolve_path=True)
MIN_BIN_SIZE = 200_000
TABLE = {"sep": "\t", "dtype": str, "keep_default_na": False}


class Variant(NamedTuple):
    """Options of vae.py, share of the estimated threshold, whether clusters of two relatives are taken apart."""

    options: list[str] = []
    scale: str = "0.5"
    apart: bool = True


PLAIN = ["--no_depth", "--no_length_weights", "--no_unit_variance", "--alpha", "0.05"]
# Each has what the one before it has, down to the default
VARIANTS = {
    "preprint": Variant(["--preset", "preprint"], "1"),
    "+ clusters cut at half of the threshold": Variant(["--preset", "preprint"]),
    "+ a cycle of the rate in 60 epochs": Variant(PLAIN),
    "+ depth as an input": Variant(PLAIN[1:]),
    "+ length weights": Variant(PLAIN[2:]),
    "+ alpha 0.15": Variant(["--no_unit_variance"]),
    "+ unit variance: the default": Variant(),
    "the default, clusters as wide as the threshold": Variant(scale="1"),
    "the default, no cluster taken apart": Variant(apart=False),
}


class Set(NamedTuple):
    """A group's results and the truth of one of its assemblies."""

    name: str
    results: Path
    assembly: str
    truth: Path


def run(script: str, folder: Path, options: Sequence[str] = (), **files: Path | str | int) -> None:
    """Run a script of bin/ in a folder, with options word by word and others by name."""
    words = [str(word) for name, value in files.items() for word in (f"--{name}", value)]
    subprocess.run([sys.executable, BIN / script, *words, *options], cwd=folder, check=True, capture_output=True)


def score_large(bins: pd.DataFrame, length: dict[str, int], truth: Path, score: Path, folder: Path) -> Score:
    """Score the bins (`bin, contig`) of at least MIN_BIN_SIZE alone."""
    size: Counter[str] = Counter()
    for name, contig in zip(bins["bin"], bins["contig"]):
        size[name] += length[contig]
    large = bins[bins["bin"].map(size) >= MIN_BIN_SIZE]
    if large.empty:
        return Score({"0.90": 0}, 1.0)
    large.to_csv(folder / "bins.tsv", sep="\t", index=False, header=False)
    return score_bins(score, truth, folder / "bins.tsv")


def train(one: Set, options: list[str], seed: int, folder: Path) -> Path:
    """The folder of the latent of these options, trained there unless it was before."""
    features = one.results / "features"
    trained = folder / one.name / str(seed) / ("_".join(options) or "default")
    if not (trained / "latent.json").exists():
        trained.mkdir(parents=True)
        inputs = {"tnf": features / "tnf.npy", "abundance": features / "abundance.npy", "rows": features / "rows.tsv"}
        inputs |= {"depth_file": features / "depth.npy", "features": features / "features.json", "seed": seed}
        run("vae.py", trained, options, **inputs)
    return trained


def evaluate(one: Set, trained: Path, variant: Variant, seed: int, score: Path) -> tuple[Score, Score]:
    """Cluster and refine; scores of the clusters and of the refined bins."""
    files = refine_files(one.results, one.assembly) | {"clusters": Path("clusters.tsv")}
    if not variant.apart:
        del files["homologs"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        latent = {"latent": trained / "latent.npy", "latent_json": trained / "latent.json"}
        latent |= {"rows": one.results / "features/rows.tsv", "contigs": files["contigs"], "seed": seed}
        run("cluster.py", folder, **latent, threshold_scale=variant.scale)
        run("refine.py", folder, assembly=one.assembly, **files)
        table = pd.read_csv(files["contigs"], **TABLE)
        length = dict(zip(table["contig"], table["length"].astype(int)))
        clusters = pd.read_csv(folder / "clusters.tsv", **TABLE).rename(columns={"cluster": "bin"})[["bin", "contig"]]
        refined = pd.read_csv(folder / "contig2bin.tsv", **TABLE)[["bin", "contig"]]
        return tuple(score_large(bins, length, one.truth, score, folder) for bins in (clusters, refined))


def cell(scores: list[Score]) -> str:
    """Median (least-most) of the genomes, and of the purity the median."""
    genomes = [found.genomes["0.90"] for found in scores]
    purity = statistics.median(found.purity for found in scores)
    return f"{statistics.median(genomes):g} ({min(genomes)}-{max(genomes)}), {purity:.3f}"


@click.command()
@click.option("--set", "sets", required=True, multiple=True, nargs=4, help="Name, RESULTS/GROUP, assembly, truth.")
@click.option("--score", required=True, type=FILE)
@click.option("--seeds", default="1,2,3", show_default=True)
def main(sets: tuple[tuple[str, str, str, str], ...], score: Path, seeds: str) -> None:
    """Run every variant on every set with every seed."""
    chosen = [Set(name, Path(results).resolve(), one, Path(truth).resolve()) for name, results, one, truth in sets]
    numbers = [int(seed) for seed in seeds.split(",")]
    print("| | " + " | ".join(f"{one.name}: clusters | refined" for one in chosen) + " |")
    print("|---|" + "---|---|" * len(chosen))

    with tempfile.TemporaryDirectory() as folder:
        for name, variant in VARIANTS.items():
            cells = []
            for one in chosen:
                pairs = [
                    evaluate(one, train(one, variant.options, seed, Path(folder)), variant, seed, score)
                    for seed in numbers
                ]
                click.echo(f"{name}, {one.name}: {pairs}", err=True)
                cells += [cell([pair[part] for pair in pairs]) for part in (0, 1)]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
