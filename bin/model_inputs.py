#!/usr/bin/env python3
"""Read what the model of the bins knows of the contigs of a group.

That is their lengths, the reads of each sample on them, their tetranucleotides, and their links: in the assembly graph
and by pairs of reads.
The stages refine and transfer read them here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

from assembly_tables import (
    contigs_of_assembly,
    links_from_both_ends,
    read_contig_graph,
    read_contigs_by_name,
    read_coverage_and_bases,
    read_pair_links,
)
from bin_model import Contigs
from stage_arrays import FEATURES, TETRANUCLEOTIDE_COUNTS, check_hash, read_description, read_matrix

# If the number of reads is unknown, one read adds this to coverage times length: RPKM count as of a million reads.
# docs/benchmark.md, section "Constants", shows what halving and doubling it does.
RPKM_BASES_PER_READ = 1000.0


class Group(NamedTuple):
    """What is known of the N contigs of a group: of all of them, or of one assembly's."""

    table: pd.DataFrame  # contigs.tsv, N rows by contig
    path: Path  # of contigs.tsv
    coverage: pd.DataFrame  # N x s or, of one assembly, n x s, by contig
    bases_per_read: np.ndarray  # s, what one read adds to coverage times length
    tetranucleotides: Path  # their counts (features stage), of all contigs
    pairs: np.ndarray  # 2 x p, rows of contigs that pairs of reads link


def read_group(
    contigs: Path,
    coverage: Path,
    tetranucleotides: Path,
    features: Path,
    pair_links: Path | None,
    assembly: str | None = None,
) -> Group:
    """Read what is known of the contigs of a group, or of one assembly in it: no more than that is held of the others.

    Raise ClickException if the files are of different runs.
    """
    table = read_contigs_by_name(contigs)
    mapped_reads = read_mapped_reads(features, table["contig"], contigs)
    depth, bases = read_coverage_and_bases(coverage, table, assembly)
    unknown = set() if mapped_reads is None else set(depth.columns) - set(mapped_reads)
    if unknown:
        problem = f"no sample {min(unknown)!r}, which {coverage} has"
        raise click.ClickException(f"{features}: {problem}; give both from the same run")
    per_read = bases_per_read(depth.columns, bases, mapped_reads)
    pairs = np.empty((2, 0), np.int64) if pair_links is None else read_pair_links(pair_links, table, assembly)
    return Group(table, contigs, depth, per_read, tetranucleotides, pairs)


def read_contigs(
    group: Group, assembly: str, vertices: Path | None, edges: Path | None
) -> tuple[pd.DataFrame, Contigs, np.ndarray]:
    """Return the n contigs of an assembly, from the longest to the shortest.

    That is their rows of contigs.tsv, whose index is their number there, what the model knows of them, and whether each
    has a place in the graph (n).
    """
    table = contigs_of_assembly(group.table, assembly, group.path)
    table = table.set_axis(group.table.index.get_indexer(table.index))
    table = table.sort_values(["length", "name"], ascending=[False, True])
    rows = table.index.to_numpy()
    names, length = table["contig"].tolist(), table["length"].to_numpy()
    tetranucleotides = read_matrix(
        TETRANUCLEOTIDE_COUNTS, group.tetranucleotides, group.table["contig"], group.path, rows=rows
    )
    links, in_graph = read_links(vertices, edges, names)
    reads = group.coverage.loc[names].to_numpy() * length[:, None] / group.bases_per_read
    pairs = links_between(group.pairs, rows, len(group.table))
    return table, Contigs(length, reads, tetranucleotides, links, pairs=pairs), in_graph


def bases_per_read(samples: Sequence[str], bases: np.ndarray, mapped_reads: dict | None) -> np.ndarray:
    """Return what one read adds to coverage times length, per sample (s): coverage divided by it is a count.

    bases (s): coverage times length, over all contigs of the group. If the numbers of reads are unknown (an abundance
    table), coverages are RPKM.
    """
    if mapped_reads is None:
        return np.full(len(samples), RPKM_BASES_PER_READ)
    reads = np.array([mapped_reads.get(sample, 0) for sample in samples])
    return np.where((bases > 0) & (reads > 0), bases / np.maximum(reads, 1), 1.0)


def links_between(pairs: np.ndarray, rows: np.ndarray, n_all: int) -> np.ndarray:
    """Return the links (2 x 2p, as in Contigs) between the contigs in these rows (n), of the pairs of all (2 x any)."""
    place = np.full(n_all, -1)
    place[rows] = np.arange(len(rows))
    pairs = place[pairs]
    return links_from_both_ends(pairs[:, (pairs >= 0).all(axis=0)])


def read_links(vertices: Path | None, edges: Path | None, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the links (2 x 2m, as in Contigs) between these contigs, and whether each has a place in the graph (n)."""
    if vertices is None or edges is None:
        return np.zeros((2, 0), dtype=np.int64), np.zeros(len(names), dtype=bool)
    return read_contig_graph(vertices, edges, names)


def read_mapped_reads(path: Path, names: Sequence[str], names_path: Path) -> dict[str, int] | None:
    """Return each sample's mapped reads, if they are known; raise ClickException if features.json has other contigs."""
    features = read_description(FEATURES, path, ["contigs_sha256", "mapped_reads"])
    check_hash(path, features["contigs_sha256"], names, names_path)
    return features["mapped_reads"]
