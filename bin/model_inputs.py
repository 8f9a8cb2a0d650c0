#!/usr/bin/env python3
"""Read what the model of the bins knows of the contigs of a group.

That is their lengths, the reads of each sample on them, their tetranucleotides, and their links: in the assembly graph
and by pairs of reads.
The stages refine and transfer read them here.
"""

from collections.abc import Iterable, Sequence
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
    read_pair_links,
    read_per_base,
)
from bin_model import Contigs
from foreign_reads import excess_edits
from stage_arrays import FEATURES, TETRANUCLEOTIDE_COUNTS, check_hash, read_description, read_matrix
from stage_tables import COVERAGE, EDITS

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
    edits: pd.DataFrame | None = None  # as coverage, edits per base; None if mismatches are not looked at


def read_group(
    contigs: Path,
    coverage: Path,
    tetranucleotides: Path,
    features: Path,
    pair_links: Path | None,
    assembly: str | None = None,
    edits: Path | None = None,
) -> Group:
    """Read what is known of the contigs of a group, or of one assembly in it: no more than that is held of the others.

    edits: edits.tsv.gz, if the group has one assembly. With several, mismatches are not looked at.
    Raise ClickException if the files are of different runs.
    """
    table = read_contigs_by_name(contigs)
    mapped_reads = read_mapped_reads(features, table["contig"], contigs)
    depth, bases = read_per_base(COVERAGE, coverage, table, assembly)
    check_samples(features, depth.columns if mapped_reads is None else mapped_reads, coverage, depth.columns)
    per_read = bases_per_read(depth.columns, bases, mapped_reads)
    pairs = np.empty((2, 0), np.int64) if pair_links is None else read_pair_links(pair_links, table, assembly)
    group = Group(table, contigs, depth, per_read, tetranucleotides, pairs)
    if edits is None or table["assembly"].nunique() > 1:
        return group
    differing = read_per_base(EDITS, edits, table, assembly)[0]
    check_samples(edits, differing.columns, coverage, depth.columns)
    return group._replace(edits=differing[depth.columns])


def check_samples(path: Path, samples: Iterable[str], coverage: Path, needed: Iterable[str]) -> None:
    """Raise ClickException if a file has not all samples that the table of coverages has."""
    if lacking := set(needed) - set(samples):
        problem = f"no sample {min(lacking)!r}, which {coverage} has"
        raise click.ClickException(f"{path}: {problem}; give both from the same run")


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
    bases = group.coverage.loc[names].to_numpy() * length[:, None]
    excess = None
    if group.edits is not None:
        excess = excess_edits(group.edits.loc[names].to_numpy() * length[:, None], bases) / group.bases_per_read
    pairs = links_between(group.pairs, rows, len(group.table))
    reads = bases / group.bases_per_read
    return table, Contigs(length, reads, tetranucleotides, links, pairs=pairs, excess=excess), in_graph


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
