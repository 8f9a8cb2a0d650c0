#!/usr/bin/env python3
"""Measure what share of its single-copy families is seen where a genome is in contigs of a given length.

In: genomes (FASTA). Out: for each length, the mean over the genomes of what is found of the families, with cut genes as
what they cover of their models, against what is found in the whole genome; on stdout as Markdown and, with --tsv, in a
file. bin/bin_quality.py corrects completeness by these shares.
"""

import sys
from pathlib import Path

import click
import numpy as np

from genome_files import read_fasta
from project import BIN, PROJECT
from result_tables import FILE, ResultTable, tsv_option

sys.path.insert(0, str(BIN))
from marker_families import installed_families, read_descriptions
from markers import find_markers
from stage_tables import FAMILIES

LENGTHS = (500, 700, 1000, 1500, 2500, 5000, 10_000)  # bp


def shred(genome: list[str], length: int) -> list[tuple[str, bytes]]:
    """Return contigs of this length, one behind the other, as names and sequences."""
    pieces = [text[i : i + length] for text in genome for i in range(0, len(text), length)]
    return [(str(i), text.encode()) for i, text in enumerate(pieces)]


def found_share(contigs: list[tuple[str, bytes]], families: list, weight: np.ndarray) -> float:
    """Return the weighted sum of the families found in contigs."""
    covered = find_markers(contigs, families, 1).groupby("family")["covered"].sum().clip(upper=1)
    return float(weight @ covered.reindex([family.name for family in families], fill_value=0.0))


@click.command(context_settings={"show_default": True})
@click.argument("genomes", nargs=-1, required=True, type=FILE)
@tsv_option
def main(genomes: tuple[Path, ...], tsv: Path | None) -> None:
    """Measure what share of the families is seen in contigs of a given length."""
    described = read_descriptions(PROJECT / "assets" / FAMILIES.name)
    families = [family for family in installed_families(described.index) if described["bacteria"][family.name] > 0]
    weight = described["bacteria"][[family.name for family in families]].to_numpy()
    table, texts = ResultTable(tsv, ("length",)), [[text for _, text in read_fasta(path)] for path in genomes]
    whole = [found_share(shred(genome, max(map(len, genome))), families, weight) for genome in texts]
    for length in LENGTHS:
        shares = [
            found_share(shred(genome, length), families, weight) / all_of_it for genome, all_of_it in zip(texts, whole)
        ]
        cells = {"length": str(length), "genomes": str(len(genomes)), "share": f"{np.mean(shares):.3f}"}
        table.add(cells | {"least": f"{min(shares):.3f}", "most": f"{max(shares):.3f}"})


if __name__ == "__main__":
    main()
