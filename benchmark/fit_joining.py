#!/usr/bin/env python3
"""Fits what coverage is worth against composition where pieces of genomes are joined (`JOIN_WEIGHT` of refine.py).

usage: fit_joining.py --set NAME RESULTS/GROUP ASSEMBLY TRUTH [--set ...]
In: a group's results of the pipeline with its defaults. Out: a Markdown table on stdout of logistic regressions:
whether two pieces (clusters of at least 20 kbp, nine tenths of one genome) are of the same genome, by the evidence of their
coverages (from -30 to `JOIN_COVERAGE`) and what the composition of the smaller loses under the larger (down to -10), as
`Pieces.odds` has them. A pair counts by the root of the smaller's size. First with all sets, then with each of them
left out; the factor is the coefficient of coverage over that of composition.
"""

import sys
from collections import defaultdict
from pathlib import Path
from unittest import mock

import click
import numpy as np
from account import read_truth
from results import refine_files

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bin"))
import refine  # noqa: E402

PURE, MIN_SIZE = 0.9, 20_000
COVERAGE, COMPOSITION = (-30, refine.JOIN_COVERAGE), (-10, 0)


def genomes_of(pieces: refine.Pieces, names: list[str], truth: Path) -> list[str]:
    """The genome that each piece is of, or "" if it is of several."""
    _, genomes = read_truth(truth)
    found = []
    for rows, size in zip(pieces.members, pieces.size):
        bases: dict[str, int] = defaultdict(int)
        for row in rows:
            for genome in genomes.get(names[row], ()):
                bases[genome] += pieces.contigs.length[row]
        most = max(bases, key=bases.get, default="")
        found.append(most if bases[most] > PURE * size else "")
    return found


def read_pairs(results: Path, assembly: str, truth: Path) -> np.ndarray:
    """Of each pair of pure pieces: the two evidences, whether they are of one genome, size of the smaller (p x 4)."""
    given = refine.read_assembly(assembly, refine.Files(**refine_files(results, assembly)), MIN_SIZE)
    contigs = given.described
    contigs = contigs._replace(reads=contigs.reads[:, contigs.reads.any(axis=0)])
    label = refine.split_clusters(contigs, given.label, len(given.ids), 0)
    pieces = refine.Pieces(contigs, label, label.max() + 1)
    genome = genomes_of(pieces, given.table["contig"].tolist(), truth)
    pairs = []
    for b in np.flatnonzero(genome):
        large = np.array([x for x in np.flatnonzero(pieces.larger(b)) if genome[x]], dtype=np.int64)
        if not len(large):
            continue
        with mock.patch.multiple(refine, JOIN_WEIGHT=0):
            loss = pieces.odds(np.array([b]), large)[0]
        with mock.patch.multiple(refine, JOIN_WEIGHT=1, JOIN_COVERAGE=np.inf):
            coverage = pieces.odds(np.array([b]), large)[0] - loss
        same = [genome[b] == genome[x] for x in large]
        evidence = np.clip(coverage, *COVERAGE), np.clip(loss, *COMPOSITION)
        pairs.append(np.column_stack([*evidence, same, np.full(len(large), pieces.size[b])]))
    return np.concatenate(pairs)


def fit(pairs: np.ndarray) -> np.ndarray:
    """Coefficients of coverage, composition and the constant of a weighted logistic regression, by Newton's method."""
    inputs = np.column_stack([pairs[:, :2], np.ones(len(pairs))])
    same, weight = pairs[:, 2], np.sqrt(pairs[:, 3])
    found = np.zeros(3)
    for _ in range(100):
        expected = 1 / (1 + np.exp(-(inputs @ found)))
        slope = inputs.T @ (weight * (same - expected))
        bend = (inputs * (weight * expected * (1 - expected))[:, None]).T @ inputs
        step = np.linalg.solve(bend, slope)
        found += step
        if np.abs(step).max() < 1e-9:
            break
    return found


@click.command()
@click.option("--set", "sets", required=True, multiple=True, nargs=4, help="Name, RESULTS/GROUP, assembly, truth.")
def main(sets: tuple[tuple[str, str, str, str], ...]) -> None:
    """Fit the factor by which coverage counts when pieces are joined."""
    pairs = {name: read_pairs(Path(results), assembly, Path(truth)) for name, results, assembly, truth in sets}
    print(
        "| pairs of | number | of one genome | coverage | composition | constant | factor |\n|---|---|---|---|---|---|---|"
    )
    for left_out in [None, *pairs] if len(pairs) > 1 else [None]:
        chosen = np.concatenate([of_set for name, of_set in pairs.items() if name != left_out])
        coverage, composition, constant = fit(chosen)
        of = "all sets" if left_out is None else f"all but {left_out}"
        numbers = f"{len(chosen):,} | {chosen[:, 2].sum():.0f}"
        print(
            f"| {of} | {numbers} | {coverage:.3f} | {composition:.3f} | {constant:.2f} | {coverage / composition:.2f} |"
        )


if __name__ == "__main__":
    main()
