#!/usr/bin/env python3
"""What each part and each constant of bin/refine.py is worth, on one assembly with known truth.

usage: refine_ablation.py --results RESULTS/GROUP --assembly ID --truth TRUTH --score score.py [--clusters TABLE]
           [--variant NAME ...]
In: a group's results of the pipeline (refine_mode evidence). Out: a Markdown table on stdout; for each variant genomes
at precision of at least 0.9, by recall, in bins of at least 200 kbp, and weighted purity.
"""

import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

import click
import numpy as np
from results import refine_files
from scoring import score_bins

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bin"))
import refine  # noqa: E402

FILE = click.Path(exists=True, path_type=Path)
RECALLS = ("0.50", "0.80", "0.90", "0.95", "0.99")
SCALED = [
    "ROOT_VARIANCE", "USUAL_SCATTER", "FREEDOM", "UNKNOWN_SCATTER", "END_EFFECT", "WINDOW_WEIGHT", "FULL_WINDOWS",
    "LABEL_ODDS", "RELATED", "HOMOLOG_ODDS", "LEAST_PAIRS", "JOIN_WEIGHT", "JOIN_COVERAGE",
    "SMALL", "GROWTH", "ELSEWHERE", "BETWEEN",
    "NONE_PRIOR", "SIBLING_PRIOR", "MERGE_ODDS", "NEARER", "SHARED_PRIOR", "CANDIDATES",
]  # fmt: skip


def variants() -> dict[str, tuple[dict, list[str]]]:
    """Name -> replaced parts of the module, options of the command."""
    found: dict[str, tuple[dict, list[str]]] = {"as it is": ({}, [])}
    found["no links"] = {"LINK_TRUST": 0.0}, []
    found["no composition"] = {"WINDOW_WEIGHT": 0.0}, []
    found["no siblings"] = {"SIBLING_PRIOR": 1e-12}, []
    found["one scatter for all bins and samples (0.15)"] = {"SCATTERS": np.array([0.15])}, []
    found["no cluster taken apart"] = {"take_apart": lambda contigs: None}, []
    found["no pieces joined"] = {"join_pieces": lambda contigs, label, n_bins: np.arange(n_bins)}, []
    found["no small cluster grows"] = {"SMALL": 1}, []
    found["no whole bins joined"] = {"merge_bins": lambda contigs, label, n_bins: np.arange(n_bins)}, []
    found["no bin closed"] = {"may_be_shared": lambda bins: np.zeros(len(bins.density), dtype=bool)}, []
    found["no shared contigs"] = {"shared_contigs": lambda *arguments: {}}, []
    for name in SCALED:
        for factor in (0.5, 2):
            value = getattr(refine, name) * factor
            found[f"{name} x {factor}"] = {name: int(value) if name == "CANDIDATES" else value}, []
    for posterior in ("0.5", "0.7", "0.8", "0.95", "0.99"):
        found[f"--min_posterior {posterior}"] = {}, ["--min_posterior", posterior]
    return found


@click.command()
@click.option("--results", required=True, type=FILE)
@click.option("--assembly", required=True)
@click.option("--truth", required=True, type=FILE)
@click.option("--score", required=True, type=FILE)
@click.option("--clusters", type=FILE, help="Bins to start from, in place of the run's clusters.tsv.")
@click.option("--variant", "chosen", multiple=True, type=click.Choice(list(variants())), help="Only this; repeatable.")
def main(
    results: Path, assembly: str, truth: Path, score: Path, clusters: Path | None, chosen: tuple[str, ...]
) -> None:
    """Refine with one part or constant changed at a time."""
    results, truth, score = results.resolve(), truth.resolve(), score.resolve()
    files = refine_files(results, assembly) | ({"clusters": clusters.resolve()} if clusters else {})
    given = ["--assembly", assembly, *(str(word) for name, file in files.items() for word in (f"--{name}", file))]
    os.chdir(tempfile.mkdtemp())
    print(f"| | {' | '.join(RECALLS)} | weighted purity |\n|---|{'---|' * len(RECALLS)}---|")
    for name, (parts, options) in variants().items():
        if chosen and name not in chosen:
            continue
        with mock.patch.multiple(refine, **parts) if parts else contextlib.nullcontext():
            with contextlib.redirect_stderr(io.StringIO()):
                refine.main([*given, *options], standalone_mode=False)
        found = score_bins(score, truth, Path("contig2bin.tsv"))
        genomes = " | ".join(str(found.genomes[recall]) for recall in RECALLS)
        print(f"| {name} | {genomes} | {found.purity:.4f} |", flush=True)


if __name__ == "__main__":
    main()
