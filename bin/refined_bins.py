#!/usr/bin/env python3
"""Read the bins of refined assemblies, as the stages refine, graphbin2 and transfer write them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd

from assembly_tables import check_assemblies
from stage_tables import REFINED_CONTIG2BIN, REFINEMENT, check_contigs, read_table

STEPS = ("contig", "assembly", "initial", "final")  # columns that every refinement.tsv has


class Refined(NamedTuple):
    """What the refinement of some assemblies found."""

    assemblies: set[str]
    labels: pd.DataFrame  # contig, cluster: one row for every bin of a contig
    steps: pd.DataFrame  # the rows of their refinement.tsv

    @property
    def removed(self) -> set[str]:
        """The contigs that had a bin and have none now."""
        return set(self.steps.query("initial != '' and final == ''")["contig"])


def read_refined(
    refined: Iterable[tuple[Path, Path]], contigs: pd.DataFrame, columns: Sequence[str] = STEPS
) -> Refined:
    """Read the contig2bin.tsv and refinement.tsv of each refined assembly; of the latter, some columns.

    Raise ClickException unless each refinement.tsv is about one assembly of the group, and no other about the same.
    """
    assembly_of, assemblies = contigs["assembly"].to_numpy(), set()
    labels = pd.DataFrame({"contig": [], "cluster": []}, dtype=str)
    tables = pd.DataFrame({name: [] for name in columns}, dtype=str)
    for contig2bin, refinement in refined:
        steps = read_table(REFINEMENT, refinement, list(columns))
        assembly = only_assembly(refinement, steps)
        if assembly in assemblies:
            raise click.ClickException(f"{refinement}: assembly {assembly!r} is given twice; give each --refined once")
        (rows,) = check_contigs(refinement, steps, contigs.index, "in contigs.tsv")
        check_assemblies(refinement, steps, assembly_of[rows])
        placed = read_table(REFINED_CONTIG2BIN, contig2bin)
        check_contigs(contig2bin, placed, pd.Index(steps["contig"]), f"in {refinement}")
        assemblies.add(assembly)
        tables = pd.concat([tables, steps], ignore_index=True) if len(tables) else steps
        placed = placed.rename(columns={"bin": "cluster"})[["contig", "cluster"]]
        labels = pd.concat([labels, placed], ignore_index=True) if len(labels) else placed
    return Refined(assemblies, labels, tables)


def only_assembly(path: Path, steps: pd.DataFrame) -> str:
    """Return the assembly that a refinement.tsv is about; raise ClickException if it holds several or none."""
    assemblies = steps["assembly"].unique()
    if len(assemblies) != 1:
        found = f"the assemblies {', '.join(map(repr, sorted(assemblies)[:2]))}" if len(assemblies) else "no contig"
        raise click.ClickException(f"{path}: holds {found}; give the refinement.tsv of one assembly")
    return assemblies[0]
