#!/usr/bin/env python3
"""Read a group's tables together, each held against contigs.tsv, and take out what is of one assembly.

The stages that refine bins or cut them read clusters, coverages, homologs, links and contig graphs here, so that all of
them refuse files of another run with the same words.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd

from message_text import shown
from stage_tables import (
    CLUSTERS,
    CONTIGS,
    COVERAGE,
    EDGES,
    HOMOLOGS,
    PAIR_LINKS,
    VERTICES,
    check_contigs,
    check_key,
    read_blocks,
    read_kept,
    read_table,
)
from table_columns import Table


def read_contigs_by_name(path: Path) -> pd.DataFrame:
    """Return contigs.tsv; its index has the contigs, in which all who read other tables look theirs up."""
    return read_table(CONTIGS, path).set_index("contig", drop=False).rename_axis(None)


def contigs_of_assembly(contigs: pd.DataFrame, assembly: str, contigs_path: Path) -> pd.DataFrame:
    """Return the rows of contigs.tsv of an assembly; raise ClickException if there is none."""
    table = contigs[contigs["assembly"] == assembly]
    if table.empty:
        raise click.ClickException(f"{contigs_path}: no contig of assembly {assembly!r}; check the assembly's id")
    return table


def is_of(assembly: str | None, assemblies: pd.Series | np.ndarray) -> np.ndarray:
    """Return which rows (n), whose assemblies are given, are of an assembly; all of them without one."""
    return np.ones(len(assemblies), bool) if assembly is None else np.asarray(assemblies == assembly)


def read_clusters(path: Path, contigs: pd.DataFrame, assembly: str | None = None) -> pd.DataFrame:
    """Return clusters.tsv, or those of its rows that are of an assembly.

    Raise ClickException unless every contig is of this group and of the assembly that the table has it in.
    """
    assembly_of = contigs["assembly"].to_numpy()

    def keep(block: pd.DataFrame) -> pd.DataFrame:
        (rows,) = check_contigs(path, block, contigs.index, "in contigs.tsv")
        check_assemblies(path, block, assembly_of[rows])
        return block[is_of(assembly, block["assembly"])]

    return read_kept(CLUSTERS, path, keep, ["cluster", "contig", "assembly"])


def check_assemblies(path: Path, frame: pd.DataFrame, known: np.ndarray) -> None:
    """Raise ClickException for the first contig of a table (k) that contigs.tsv has in another assembly (known, k)."""
    differs = known != frame["assembly"].to_numpy()
    if differs.any():
        row = int(differs.argmax())
        contig, assembly = frame[["contig", "assembly"]].iloc[row]
        raise click.ClickException(
            f"{path}: row {frame.index[row] + 1} (contig {shown(contig)}): is not of assembly {shown(assembly)}, but "
            f"of {shown(known[row])} in contigs.tsv; give both from the same run"
        )


def large_clusters(clusters: pd.DataFrame, contigs: pd.DataFrame, min_size: int) -> pd.Series:
    """Return the cluster of each contig of an assembly, "" for none and for one below min_size bp in the assembly."""
    cluster_of = dict(zip(clusters["contig"], clusters["cluster"]))
    cluster = pd.Series([cluster_of.get(contig, "") for contig in contigs["contig"]], index=contigs.index, dtype=str)
    size = contigs["length"].groupby(cluster).transform("sum")
    return cluster.where(size >= min_size, "")


def read_coverage(path: Path, contigs: pd.DataFrame, assembly: str | None = None) -> pd.DataFrame:
    """Return the coverage (mean reads per base) of the contigs, in their order (n x s, a column for each sample).

    With an assembly, they are those of it. Raise ClickException unless the table has exactly the contigs of the group.
    """
    return read_per_base(COVERAGE, path, contigs, assembly)[0]


def read_per_base(
    schema: Table, path: Path, contigs: pd.DataFrame, assembly: str | None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the same of COVERAGE or EDITS, and what is per base times length (s), summed over all contigs."""
    length = contigs["length"].to_numpy()
    is_there = np.zeros(len(contigs), dtype=bool)
    is_kept = is_of(assembly, contigs["assembly"])
    place = np.cumsum(is_kept) - 1
    kept, total, samples = np.empty(0), 0.0, None
    for block in read_blocks(schema, path):
        (rows,) = check_contigs(path, block, contigs.index, "in contigs.tsv")
        check_key(schema, path, block, is_there[rows])
        is_there[rows] = True
        values = block.drop(columns="contig")
        if samples is None:
            samples = values.columns
            kept = np.empty((int(is_kept.sum()), len(samples)))
        of_block = values.to_numpy()
        total = total + length[rows] @ of_block
        kept[place[rows[is_kept[rows]]]] = of_block[is_kept[rows]]
    if not is_there.all():
        first = contigs["contig"].iloc[int(is_there.argmin())]
        raise click.ClickException(
            f"{path}: no row for contig {shown(first)} of contigs.tsv; give both from the same run"
        )
    return pd.DataFrame(kept, contigs.index[is_kept], samples), total


def read_contig_graph(vertices: Path, edges: Path, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the links between the contigs of an assembly, and whether each has a place in the graph (n, bool).

    Links (2 x 2m, sorted) are the numbers of two contigs in `names`; each stands there from both of its ends, and none
    leads from a contig to itself. Raise ClickException for a vertex that is not among the contigs, and for an edge to
    what is no vertex.
    """
    placed = read_table(VERTICES, vertices)
    (number,) = check_contigs(vertices, placed, pd.Index(names), "a contig of this assembly in contigs.tsv")
    table = read_table(EDGES, edges)
    pairs = check_contigs(edges, table, pd.Index(placed["contig"]), f"in {vertices}", ["contig_1", "contig_2"])
    is_placed = np.zeros(len(names), dtype=bool)
    is_placed[number] = True
    return links_from_both_ends(number[pairs]), is_placed


def links_from_both_ends(pairs: np.ndarray) -> np.ndarray:
    """Return pairs of contigs (2 x any) as links (2 x 2m, sorted): each from both of its ends, none to itself."""
    links = np.unique(np.concatenate([pairs, pairs[::-1]], axis=1), axis=1)
    return links[:, links[0] != links[1]]


def read_pair_links(path: Path, contigs: pd.DataFrame, assembly: str | None = None) -> np.ndarray:
    """Return the contigs that pairs of reads link, as rows of contigs.tsv (2 x p): of a group or of one assembly in it.

    Raise ClickException for a contig that is not in contigs.tsv, and for a link between two assemblies.
    """
    assembly_of = contigs["assembly"].to_numpy()
    ends = ["contig_1", "contig_2"]

    def keep(block: pd.DataFrame) -> pd.DataFrame:
        rows = check_contigs(path, block, contigs.index, "in contigs.tsv", ends)
        one, other = assembly_of[rows]
        differs = one != other
        if differs.any():
            row = int(differs.argmax())
            names = " and ".join(shown(name) for name in block[ends].iloc[row])
            raise click.ClickException(
                f"{path}: row {block.index[row] + 1}: contigs {names} are of two assemblies in contigs.tsv; give both "
                "from the same run"
            )
        return block.assign(row_1=rows[0], row_2=rows[1])[is_of(assembly, one)]

    return read_kept(PAIR_LINKS, path, keep)[["row_1", "row_2"]].to_numpy().T


def read_homologs(path: Path, known: pd.Index, names: Sequence[str]) -> np.ndarray:
    """Return the pairs of homologous contigs of an assembly and the seeds that both hold (3 x h).

    Contigs are their numbers in `names`. `known` has the names of all contigs of the group; raise ClickException for a
    pair with a contig that is not among them.
    """
    number = numbers_of_known(known, names)

    def keep(block: pd.DataFrame) -> pd.DataFrame:
        one, other = number[check_contigs(path, block, known, "in contigs.tsv", ["contig_1", "contig_2"])]
        return block.assign(number_1=one, number_2=other)[(one >= 0) & (other >= 0)]

    return read_kept(HOMOLOGS, path, keep)[["number_1", "number_2", "shared"]].to_numpy().T


def numbers_of_known(known: pd.Index, names: Sequence[str]) -> np.ndarray:
    """Return the number of each known contig (N) in `names`, some of these, and -1 for the others."""
    number = np.full(len(known), -1)
    number[known.get_indexer(names)] = np.arange(len(names))
    return number
