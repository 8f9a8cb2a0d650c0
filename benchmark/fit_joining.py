#!/usr/bin/env python3
"""Fit what coverage is worth against composition where pieces of genomes are joined (JOIN_COVERAGE_WEIGHT).

In: for each --set a group's results of the pipeline with its defaults. Out: a row for all sets together and for all
but each of them, on stdout as Markdown and, with --tsv, in a file: a logistic regression of whether two pieces belong
to the same genome. Pieces are clusters of at least 20 kbp with nine tenths of one genome. Its inputs are the evidence
of the two coverages (from -30 to MAX_JOIN_COVERAGE) and what the composition of the smaller piece loses under the
larger one (down to -10), as Pieces.join_evidence has them. A pair counts by the root of the smaller size. The factor is
the coefficient of coverage over that of composition.
"""

import sys
from collections import defaultdict
from pathlib import Path

import click
import numpy as np

from project import ResultSet, refine_files, set_option
from refine_runs import replaced
from result_tables import ResultTable, tsv_option
from score import read_truth

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bin"))
import join_clusters
import refine
import split_clusters
from pieces import MAX_JOIN_COVERAGE

PURE, MIN_SIZE = 0.9, 20_000  # bp
MAX_STEPS, MIN_STEP = 100, 1e-9  # of Newton's method
MIN_COVERAGE, MIN_COMPOSITION = -30, -10  # log odds


def piece_genomes(pieces: join_clusters.Pieces, names: list[str], truth: Path) -> list[str]:
    """Return the genome that each piece belongs to, or "" if it has several."""
    genomes = read_truth(truth).genomes
    found = []
    for rows, size in zip(pieces.members, pieces.size, strict=True):
        bases: dict[str, int] = defaultdict(int)
        for row in rows:
            for genome in genomes.get(names[row], ()):
                bases[genome] += pieces.contigs.length[row]
        most = max(bases, key=bases.get, default="")
        found.append(most if bases[most] > PURE * size else "")
    return found


def read_pairs(one: ResultSet) -> np.ndarray:
    """Return of each pair of pure pieces: both evidences, whether they share the genome, smaller size (p x 4)."""
    files = refine.Files(**refine_files(one.results, one.assembly))
    given = refine.read_assembly(one.assembly, files, MIN_SIZE)
    contigs = given.contigs
    contigs = contigs._replace(reads=contigs.reads[:, contigs.reads.any(axis=0)])
    label = split_clusters.split_related_genomes(contigs, given.label, len(given.ids), 0)
    pieces = join_clusters.Pieces(contigs, label, label.max() + 1)
    genome = piece_genomes(pieces, given.table["name"].tolist(), one.truth)
    pairs = []
    for b in np.flatnonzero(genome):
        large = np.array([x for x in np.flatnonzero(pieces.larger_pieces(b)) if genome[x]], dtype=np.int64)
        if not len(large):
            continue
        with replaced({"pieces.JOIN_COVERAGE_WEIGHT": 0}):
            loss = pieces.join_evidence(np.array([b]), large)[0]
        with replaced({"pieces.JOIN_COVERAGE_WEIGHT": 1, "pieces.MAX_JOIN_COVERAGE": np.inf}):
            coverage = pieces.join_evidence(np.array([b]), large)[0] - loss
        same = [genome[b] == genome[x] for x in large]
        evidence = np.clip(coverage, MIN_COVERAGE, MAX_JOIN_COVERAGE), np.clip(loss, MIN_COMPOSITION, 0)
        pairs.append(np.column_stack([*evidence, same, np.full(len(large), pieces.size[b])]))
    return np.concatenate(pairs)


def fit(pairs: np.ndarray) -> np.ndarray:
    """Return the coefficients of coverage and composition and the constant of a weighted logistic regression."""
    inputs = np.column_stack([pairs[:, :2], np.ones(len(pairs))])
    same, weight = pairs[:, 2], np.sqrt(pairs[:, 3])
    found = np.zeros(3)
    for _ in range(MAX_STEPS):
        expected = 1 / (1 + np.exp(-(inputs @ found)))
        slope = inputs.T @ (weight * (same - expected))
        bend = (inputs * (weight * expected * (1 - expected))[:, None]).T @ inputs
        step = np.linalg.solve(bend, slope)
        found += step
        if np.abs(step).max() < MIN_STEP:
            break
    return found


@click.command()
@set_option
@tsv_option
def main(sets: list[ResultSet], tsv: Path | None) -> None:
    """Fit the factor by which coverage counts when pieces are joined."""
    pairs = {one.name: read_pairs(one) for one in sets}
    table = ResultTable(tsv, ("pairs_of",))
    for left_out in [None, *pairs] if len(pairs) > 1 else [None]:
        chosen = np.concatenate([in_set for name, in_set in pairs.items() if name != left_out])
        coverage, composition, constant = fit(chosen)
        counts = {"pairs": len(chosen), "one_genome": f"{chosen[:, 2].sum():.0f}"}
        coefficients = {"coverage": f"{coverage:.3f}", "composition": f"{composition:.3f}"}
        name = "all sets" if left_out is None else f"all but {left_out}"
        constants = {"constant": f"{constant:.2f}", "factor": f"{coverage / composition:.2f}"}
        table.add({"pairs_of": name, **counts, **coefficients, **constants})


if __name__ == "__main__":
    main()
