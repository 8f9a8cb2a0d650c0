#!/usr/bin/env python3
"""Read the assembly graph of one assembly and reduce it to the graph of its contigs.

In:  the assembly graph as the assembler wrote it, with its table of paths if it has one, and the contigs.tsv and
     catalogue.fa.gz of the group. `graph_checks` refuses a graph of another assembly, and warns if it looks cut off.
Out: vertices.tsv.gz (`contig`: the contigs that have a place in the graph, in catalogue order), edges.tsv.gz
     (`contig_1, contig_2`: each edge once, sorted) and graph.json. All names are catalogue names.

This is the graph of GraphBin2 (Mallawaarachchi et al. 2021, Algorithms Mol Biol 16:3), "Preprocessing": each vertex is
a contig, and each edge a significant overlap of two contigs. `assembly_graph` reads the files.

A contig is a walk over oriented segments. Gaps divide it into parts. The outward ends of a part are the right end of
its last segment and the left end of its first one. Two contigs are linked in either of these cases:
  - A link of the graph leads from an outward end of one to a segment in the other, at any place and in either
    orientation: the genome may continue in the middle of a longer contig.
  - The first or last segment of a part of one also lies in the other.
A branch that leaves the inner part of a walk does not link its contig. Where segments are contigs (gfa, megahit, sga),
each contig is a walk of one segment, so every link counts. Segments of no contig are not bridged. Links to absent
segments are skipped and counted. The contig graph is undirected and simple.
"""

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

from assembly_graph import Segments, Walks, read_graph
from assembly_tables import contigs_of_assembly
from catalogue_fasta import catalogue_sequences
from graph_checks import check_graph, check_placed
from message_text import shown
from stage_arrays import GRAPH, write_description
from stage_tables import CONTIGS, EDGES, VERTICES, read_table
from table_output import write_table

PAIRS_PER_BLOCK = 1 << 20  # pairs of contigs that are joined at once, which bounds the memory
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class ContigGraph(NamedTuple):
    """The graph of the contigs. Their numbers are their places in the FASTA."""

    edges: np.ndarray  # k x 2, the lower number first, each once
    placed: np.ndarray  # contigs that have a place in the graph, ascending
    skipped_links: int
    segments: Segments
    walks: Walks


def spans(values: np.ndarray, sought: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each of `sought` begins in the sorted `values`, and how often it occurs there."""
    begin = np.searchsorted(values, sought)
    return begin, np.searchsorted(values, sought, side="right") - begin


def link_contigs(owner: np.ndarray, size: np.ndarray, steps: np.ndarray, links: np.ndarray) -> np.ndarray:
    """Return the edges between contigs (k x 2, sorted), by the rule in the docstring of this file.

    `owner` and `size` are the contig and the number of steps of each part, `steps` the oriented segments of all parts
    in their order, `links` the links between oriented segments (m x 2).
    """
    n = owner.max() + 1
    last = np.cumsum(size) - 1
    ends = np.concatenate([steps[last], steps[last - size + 1] ^ 1])  # their right ends are the outward ones
    end, end_of = np.divmod(np.unique(ends * n + np.tile(owner, 2)), n)
    member, member_of = np.divmod(np.unique((steps >> 1) * n + np.repeat(owner, size)), n)
    shared = np.unique(end)
    source = np.concatenate([shared, links[:, 0], links[:, 1] ^ 1])
    target = np.concatenate([shared, links[:, 1], links[:, 0] ^ 1]) >> 1
    (first_end, ends_at_source), (first_member, members_at_target) = spans(end, source), spans(member, target)
    pairs = ends_at_source * members_at_target
    found = [np.zeros(0, dtype=np.int64)]
    for block in np.split(np.arange(len(pairs)), np.flatnonzero(np.diff(np.cumsum(pairs) // PAIRS_PER_BLOCK)) + 1):
        join = np.repeat(block, pairs[block])
        nth = np.arange(len(join)) - np.repeat(np.cumsum(pairs[block]) - pairs[block], pairs[block])
        one = end_of[first_end[join] + nth // members_at_target[join]]
        other = member_of[first_member[join] + nth % members_at_target[join]]
        edge = np.minimum(one, other) * n + np.maximum(one, other)
        found.append(np.unique(edge[one != other]))
    return np.stack(np.divmod(np.unique(np.concatenate(found)), n), axis=1)


def build_graph(assembler: str, graph: Path, paths: Path | None, names: list[str], lengths: list[int]) -> ContigGraph:
    """Return the contig graph of one assembly.

    `names` and `lengths` (bp) are those of the contigs, in the order of the FASTA. Raise ClickException if the graph
    has none of them.
    """
    segments, walks = read_graph(assembler, graph, paths, names, lengths)
    number = {name: i for i, name in enumerate(names)}
    contig = np.array([number.get(name, -1) for name in walks.names], dtype=np.int64)
    owner = contig[walks.walk]
    owner_of_step = np.repeat(owner, walks.size)
    known = np.isin(walks.steps >> 1, list(segments.defined))
    placed = np.setdiff1d(owner_of_step[known], [-1])
    if not len(placed):
        theirs = next(iter(walks.names), next(iter(segments.numbers)))
        raise click.ClickException(
            f"{paths or graph}: no contig of the assembly has a place in the graph: the graph names e.g. "
            f"{shown(theirs)}, the FASTA {shown(names[0])}; give graph and paths of this very assembly"
        )
    kept = np.isin(owner, placed)
    edges = link_contigs(owner[kept], walks.size[kept], walks.steps[np.repeat(kept, walks.size)], segments.links)
    return ContigGraph(edges, placed, segments.skipped_links, segments, walks)


@click.command(context_settings={"show_default": True})
@click.option("--assembly", required=True, help="Id of the assembly that the graph belongs to.")
@click.option("--assembler", required=True, type=click.Choice(["metaspades", "megahit", "metaflye", "sga", "gfa"]))
@click.option("--graph", required=True, type=FILE)
@click.option("--paths", type=FILE, help="contigs.paths (metaspades), assembly_info.txt (metaflye).")
@click.option("--contigs", required=True, type=FILE)
@click.option("--catalogue", type=FILE, help="catalogue.fa.gz; with it the ends of contigs are compared, too.")
def main(assembly: str, assembler: str, graph: Path, paths: Path | None, contigs: Path, catalogue: Path | None) -> None:
    """Reduce the assembly graph of one assembly to the graph of its contigs."""
    everything = read_table(CONTIGS, contigs)
    table = contigs_of_assembly(everything, assembly, contigs)
    found = build_graph(assembler, graph, paths, table["name"].tolist(), table["length"].tolist())
    sequences = catalogue_sequences(catalogue, everything, contigs) if catalogue else ()
    of_assembly = everything["assembly"] == assembly
    named = ((name, sequence) for name, sequence, is_of in zip(everything["name"], sequences, of_assembly) if is_of)
    check_graph(assembler, graph, paths, found.segments, found.walks, dict(zip(table["name"], table["length"])), named)
    check_placed(assembler, graph, found.placed, len(found.edges), table["length"].to_numpy())
    names = table["contig"].to_numpy(dtype=object)
    write_table(VERTICES, pd.DataFrame({"contig": names[found.placed]}))
    by_name = names.argsort()
    edges = np.sort(by_name.argsort()[found.edges], axis=1)
    edges = edges[np.lexsort((edges[:, 1], edges[:, 0]))]
    write_table(EDGES, pd.DataFrame(names[by_name[edges]], columns=["contig_1", "contig_2"]))
    counts = {
        "assembly": assembly,
        "assembler": assembler,
        "contigs": len(table),
        "contigs_in_graph": len(found.placed),
        "edges": len(edges),
        "skipped_links": found.skipped_links,
    }
    write_description(GRAPH, counts)
    placed = f"{len(found.placed)} of {len(table)} contigs are in the graph"
    click.echo(f"{assembly}: {placed}, {len(edges)} edges", err=True)
    if found.skipped_links:
        click.echo(f"{graph}: {found.skipped_links} links to absent segments skipped", err=True)


if __name__ == "__main__":
    main()
