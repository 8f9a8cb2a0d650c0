#!/usr/bin/env python3
"""Correct and complete the bins of one assembly by coverage, composition and assembly graph.

In: contigs.tsv, clusters.tsv, coverage.tsv.gz, tetranucleotides.npy and features.json of the group, edits.tsv.gz
(without it all reads on a contig count as its own), pair_links.tsv.gz (without it no pairs of reads link contigs),
homologs.tsv.gz (without it no cluster is split by them) and, if there is a graph, vertices.tsv.gz and edges.tsv.gz of
the assembly (graph stage). Out: contig2bin.tsv (contig, bin), refinement.tsv, refinement.json. Binloom's own method:
docs/method.md, section 6.1.

Bins are made of clusters: those that hold two related genomes are split (split_clusters.py), and those that are pieces
of one genome are joined (join_clusters.py). Every contig, of any length, then goes to the bin in which it has a
posterior of at least --min_posterior, or to none (assign_contigs.py); a contig may belong to several genomes
(shared_contigs.py). A bin has at least --min_bin_size bp, or grows to that size by the contigs that go to it
(grow_clusters.py).

Contigs are ordered by length, then by name, and bins by the length of the id, then by the id, so that no result depends
on the order of the input.

The column `reason` of refinement.tsv has these words, joined by commas:
  kept     stays in the bin it came with
  merged   is in the bin that its own was joined to
  split    is in a part of the cluster it came with, which held two related genomes
  moved    is in another bin
  added    had no bin and is in one
  removed  had a bin and is in none; with `unlike` or `ambiguous`
  left     had no bin and is in none; with `unlike` or `ambiguous`
  unlike   fits none of the bins
  ambiguous       fits several bins, none well enough
  multi_labelled  belongs to several bins
"""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

from assembly_tables import large_clusters, numbers_of_known, read_clusters, read_homologs
from assign_contigs import assign_to_bins, needed_posterior, profile_clusters, with_reads
from bin_model import NO_BIN, Contigs, bin_sizes
from collapsed_contigs import collapsed_bins
from grow_clusters import grown_clusters, shared_clusters
from join_clusters import bins_from_clusters
from model_inputs import read_contigs, read_group
from pieces import piece_size
from refinement_tables import count_table, why_in_none
from split_clusters import split_related_genomes
from stage_arrays import REFINEMENT_COUNTS, write_description
from stage_tables import MARKERS, REFINED_CONTIG2BIN, REFINEMENT, check_contigs, read_table
from table_output import write_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# Joined clusters from this fraction of --min_bin_size on may grow into a bin.
MIN_SMALL_FRACTION = 0.25
# What relatives have in common is no bin only if this fraction of its bases goes to several bins.
MIN_DISSOLVED_FRACTION = 0.25


class Files(NamedTuple):
    """The input files, by the names of the command's options."""

    contigs: Path
    clusters: Path
    coverage: Path
    tetranucleotides: Path
    features: Path
    edits: Path | None = None
    pair_links: Path | None = None
    homologs: Path | None = None
    markers: Path | None = None
    vertices: Path | None = None
    edges: Path | None = None


class Assembly(NamedTuple):
    """The n contigs of an assembly, from the longest to the shortest, and their clusters."""

    table: pd.DataFrame  # n rows of contigs.tsv
    contigs: Contigs
    label: np.ndarray  # n, numbers of clusters, NO_BIN for none
    ids: list[str]  # of the clusters
    in_graph: np.ndarray  # n, whether the contig has a place in the graph
    alone: bool  # whether the group has no other assembly


class Bins(NamedTuple):
    """The B joined clusters of n contigs, and what is assigned to those that are bins."""

    merged: np.ndarray  # n, the joined cluster that a contig came with
    names: np.ndarray  # B, numbers of clusters
    is_bin: np.ndarray  # B
    assigned: pd.DataFrame  # n rows, from assign_to_bins
    shared: dict[int, list[int]]  # all bins of each contig of several

    def in_several(self) -> np.ndarray:
        """Return whether each contig (n) is in several bins."""
        found = np.zeros(len(self.merged), dtype=bool)
        found[list(self.shared)] = True
        return found


@click.command(context_settings={"show_default": True})
@click.option("--assembly", required=True, help="Id of the assembly whose bins are refined.")
@click.option("--contigs", required=True, type=FILE)
@click.option("--clusters", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option("--tetranucleotides", required=True, type=FILE, help="Counts of all contigs (features stage).")
@click.option("--features", required=True, type=FILE, help="features.json.")
@click.option("--edits", type=FILE, help="edits.tsv.gz (features stage): tells which reads are those of relatives.")
@click.option("--pair_links", type=FILE, help="Contigs that pairs of reads link (features stage).")
@click.option("--homologs", type=FILE, help="Contigs that are homologous (homologs stage).")
@click.option("--markers", type=FILE, help="Single-copy marker genes (markers stage).")
@click.option("--vertices", type=FILE, help="Contigs that have a place in the graph (graph stage), if there is one.")
@click.option("--edges", type=FILE, help="Edges between them (graph stage).")
@click.option(
    "--min_posterior",
    default=0.8,
    type=click.FloatRange(0.5, 1),
    help="A contig goes to a bin from this probability; with one sample, long ones with a quarter of that doubt.",
)
@click.option(
    "--min_bin_size",
    default=200_000,
    type=click.IntRange(0, 1_000_000_000),
    help="Joined clusters below it (bp) are no bins, unless they grow.",
)
@click.option("--threads", default=1, type=click.IntRange(min=1))
def main(assembly: str, min_posterior: float, min_bin_size: int, threads: int, **files: Path | None) -> None:
    """Refine the bins of one assembly by coverage, composition and graph."""
    if (files["vertices"] is None) != (files["edges"] is None):
        raise click.UsageError("give --vertices and --edges, or neither")
    given = read_assembly(assembly, Files(**files), piece_size(min_bin_size))
    n_edges = given.contigs.links.shape[1] // 2
    in_graph = f"{given.in_graph.sum()} of {len(given.in_graph)} contigs are in the graph"
    click.echo(f"{assembly}: {in_graph}, {n_edges} edges", err=True)
    refined, shared = refine_labels(given.contigs, given.label, min_posterior, min_bin_size, threads, given.alone)
    table = refinement_table(given, refined, shared)
    write_table(REFINEMENT, table.drop(columns="bins"))
    labels = table[["contig", "bins"]].explode("bins").dropna()
    write_table(REFINED_CONTIG2BIN, labels.rename(columns={"bins": "bin"}))
    counts = {"assembly": assembly, **count_table(table, n_edges)}
    write_description(REFINEMENT_COUNTS, counts)
    labelled = counts["labelled"]
    click.echo(f"{assembly}: {labelled['final']} contigs binned, {labelled['initial']} before", err=True)


def read_assembly(assembly: str, files: Files, min_size: int) -> Assembly:
    """Read what is known of an assembly; its clusters are those of at least min_size bp in it."""
    profiles = files.contigs, files.coverage, files.tetranucleotides, files.features, files.pair_links
    group = read_group(*profiles, assembly, files.edits)
    table, contigs, in_graph = read_contigs(group, assembly, files.vertices, files.edges)
    cluster = large_clusters(read_clusters(files.clusters, group.table, assembly), table.sort_index(), min_size)
    names = table["contig"].tolist()
    homologs = read_unlinked_homologs(files.homologs, group.table.index, names, contigs.links)
    markers = read_whole_markers(files.markers, group.table.index, names)
    ids = sorted(set(cluster) - {""}, key=lambda label: (len(label), label))
    number = {label: i for i, label in enumerate(["", *ids], NO_BIN)}
    label = cluster[table.index].map(number).to_numpy()
    alone = bool((group.table["assembly"] == assembly).all())
    return Assembly(table, contigs._replace(homologs=homologs, markers=markers), label, ids, in_graph, alone)


def refine_labels(
    contigs: Contigs, label: np.ndarray, min_posterior: float, min_bin_size: int, threads: int = 1, alone: bool = True
) -> tuple[pd.DataFrame, dict[int, list[int]]]:
    """Turn clusters (label, n) into bins and assign all contigs to them.

    alone: whether the group has no other assembly. If it has, what relatives have in common stays a bin of its own, for
    transfer.py takes each bin as a genome.
    Return, per contig, `part` (of a split cluster), `merged`, `unlinked` and `final` (bins; NO_BIN for none), and
    `posterior` and `none` as of assign_to_bins; and all bins of each shared contig, whose `final` is the one that it
    touches most.
    """
    contigs = with_reads(contigs)
    needed = needed_posterior(contigs, min_posterior)
    n_clusters = int(label.max(initial=NO_BIN)) + 1
    part = split_related_genomes(contigs, label, n_clusters, piece_size(min_bin_size), threads)
    merged, names = bins_from_clusters(contigs, part, int(MIN_SMALL_FRACTION * min_bin_size))

    def assign(merged: np.ndarray, names: np.ndarray, holds: np.ndarray) -> Bins:
        return assign_and_grow(contigs, merged, names, holds, needed, min_bin_size, alone, threads)

    bins = assign(merged, names, np.zeros(len(names), dtype=bool))
    if alone:
        bins = dissolve_collapsed(contigs, bins, assign)
    # A contig of several genomes has another coverage than each of them
    final = np.where(bins.in_several(), NO_BIN, bins.assigned["final"])
    # Among all contigs homologs tell nothing: short ones are often variants of longer ones of the same genome
    unrelated = contigs._replace(homologs=np.empty((3, 0), dtype=np.int64))
    in_parts = split_related_genomes(unrelated, final, len(bins.names), min_bin_size, threads)
    if (in_parts != final).any():
        part, merged, names = start_anew(part, bins.merged, bins.names, final, in_parts)
        is_bin = ~np.isin(names, bins.names[~bins.is_bin])
        bins = assign_once(contigs, bins._replace(merged=merged, names=names, is_bin=is_bin), needed, alone, threads)
    merged = np.where(np.append(bins.is_bin, False)[bins.merged], bins.merged, NO_BIN)
    names = np.append(bins.names, NO_BIN)
    labels = {name: names[of] for name, of in (("merged", merged), *bins.assigned[["unlinked", "final"]].items())}
    shared = {contig: names[group].tolist() for contig, group in bins.shared.items()}
    return bins.assigned.assign(part=part, **labels), shared


def dissolve_collapsed(
    contigs: Contigs, bins: Bins, assign: Callable[[np.ndarray, np.ndarray, np.ndarray], Bins]
) -> Bins:
    """Return what is assigned once the bins that hold what relatives have in common are none.

    Such a bin stays if too few of its bases go to several bins then. assign: assign_and_grow of given `merged`, `names`
    and `holds`.
    """
    final = bins.assigned["final"].to_numpy()
    label = np.where(final == NO_BIN, bins.merged, final)
    collapsed, holds = collapsed_bins(contigs, label, len(bins.names))
    while collapsed.any():
        dissolved = assign(*without_bins(bins.merged, bins.names, collapsed), holds[~collapsed])
        shared_label = np.where(dissolved.in_several(), label, NO_BIN)
        size, shared = (bin_sizes(contigs.length, of, len(collapsed)) for of in (label, shared_label))
        in_vain = collapsed & (shared < MIN_DISSOLVED_FRACTION * size)
        if not in_vain.any():
            return dissolved
        collapsed &= ~in_vain
    return bins


def without_bins(merged: np.ndarray, names: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `merged` (n) and `names` without some bins (gone, B): their contigs have none."""
    number = np.append(np.where(gone, NO_BIN, np.cumsum(~gone) - 1), NO_BIN)
    return number[merged], names[~gone]


def start_anew(
    part: np.ndarray, merged: np.ndarray, names: np.ndarray, final: np.ndarray, in_parts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `part` (n), `merged` (n) and `names` (B) for another assignment, in which split bins are several.

    final, in_parts (n): the bin of each contig as assigned, and its part, of which those from B on are new. All contigs
    of a split bin begin in its parts, others where they were. A new part that has no contig of a cluster has no name,
    and is none.
    """
    in_parts = np.where(np.isin(in_parts, in_parts[part != NO_BIN]), in_parts, final)
    new = np.unique(in_parts[in_parts >= len(names)])
    begun = np.where(np.isin(final, final[in_parts != final]), in_parts, merged)
    number = np.concatenate([names, part.max(initial=NO_BIN) + 1 + np.arange(len(new))])
    bins = np.concatenate([np.arange(len(names)), new])
    used = np.isin(bins, begun)
    begun = np.where(begun == NO_BIN, NO_BIN, np.searchsorted(bins[used], begun))
    is_new = (part != NO_BIN) & np.isin(in_parts, new)
    return np.where(is_new, number[np.searchsorted(bins, in_parts)], part), begun, number[used]


def assign_and_grow(
    contigs: Contigs,
    merged: np.ndarray,
    names: np.ndarray,
    holds: np.ndarray,
    min_posterior: np.ndarray,
    min_bin_size: int,
    alone: bool,
    threads: int,
) -> Bins:
    """Return which of the joined clusters (merged, n) are bins, and what assign_to_bins finds with these.

    A cluster is a bin if it is large enough, or holds what relatives have in common (holds, B), however small it is.
    Contigs are assigned without small clusters, then with all of them, and, if some have grown, with those.
    """
    size = bin_sizes(contigs.length, merged, len(names))
    is_bin = (size >= min_bin_size) | holds
    profiled = profile_clusters(contigs, merged, np.ones(len(names), dtype=bool), threads=threads)

    def assign(to: np.ndarray) -> tuple[pd.DataFrame, dict[int, list[int]]]:
        return assign_to_bins(contigs, profiled, to, min_posterior, collapsed=alone, threads=threads)

    found = assign(is_bin)
    if not is_bin.all():
        with_small = assign(np.ones_like(is_bin))
        finals = [table["final"].to_numpy() for table, _ in (found, with_small)]
        grown = grown_clusters(contigs, size, *finals, min_bin_size)
        grown &= ~shared_clusters(contigs, finals[1], is_bin | grown, grown)
        if grown.any():
            is_bin |= grown
            found = with_small if is_bin.all() else assign(is_bin)
    return Bins(merged, names, is_bin, *found)


def assign_once(contigs: Contigs, bins: Bins, min_posterior: np.ndarray, alone: bool, threads: int) -> Bins:
    """Return the bins with what is assigned to them now. Which clusters have grown is not asked again."""
    profiled = profile_clusters(contigs, bins.merged, bins.is_bin, threads=threads)
    assigned, shared = assign_to_bins(contigs, profiled, bins.is_bin, min_posterior, alone, threads)
    return bins._replace(assigned=assigned, shared=shared)


def refinement_table(given: Assembly, refined: pd.DataFrame, shared: dict[int, list[int]]) -> pd.DataFrame:
    """Return the rows of refinement.tsv, in the order of contigs.tsv, and `bins`, the column `final` as lists."""
    ids = part_ids(given.ids, given.label, refined["part"].to_numpy())
    # A cluster from which no bin comes is none that a contig had or lost
    initial = np.where(refined["merged"] == NO_BIN, NO_BIN, given.label)
    table = given.table.assign(initial=np.array([*ids, ""], dtype=object)[initial], in_graph=given.in_graph)
    return table.join(tabulate(initial, refined, shared, ids).set_index(table.index)).sort_index()


def part_ids(ids: list[str], initial: np.ndarray, part: np.ndarray) -> list[str]:
    """Return the ids of all parts of clusters: a new part has the id of its cluster and `_2`, `_3` and so on."""
    ids = list(ids)
    for new in range(len(ids), part.max(initial=NO_BIN) + 1):
        whole = ids[initial[(part == new).argmax()]]
        ids.append(next(name for i in itertools.count(2) if (name := f"{whole}_{i}") not in ids))
    return ids


def tabulate(initial: np.ndarray, refined: pd.DataFrame, shared: dict[int, list[int]], ids: list[str]) -> pd.DataFrame:
    """Return what refine_labels found, with ids of bins and reasons, and `bins`, the column `final` as lists."""
    had, has = initial != NO_BIN, refined["final"] != NO_BIN
    why_none = why_in_none(refined["none"])
    joined = np.where(initial == refined["part"], "merged", "split")
    stayed = np.where(initial == refined["final"], "kept", joined)
    placed = np.where(had, np.where(refined["merged"] == refined["final"], stayed, "moved"), "added")
    reason = np.where(has, placed, np.where(had, "removed,", "left,") + why_none)
    names = np.array([*ids, ""], dtype=object)  # NO_BIN is -1: the last
    bins = [[ids[b]] if b != NO_BIN else [] for b in refined["final"]]
    for contig, group in shared.items():
        bins[contig] += [ids[b] for b in group if b != refined["final"][contig]]
        reason[contig] += ",multi_labelled"
    final = [",".join(several) for several in bins]
    merged, unlinked = names[refined["merged"]], names[refined["unlinked"]]
    return refined.drop(columns="part").assign(merged=merged, unlinked=unlinked, final=final, reason=reason, bins=bins)


def read_unlinked_homologs(path: Path | None, known: pd.Index, names: Sequence[str], links: np.ndarray) -> np.ndarray:
    """Return the homologous pairs of these contigs, each from both of its ends, and their shared seeds (3 x 2h).

    known: the names of all contigs of the group. Neighbours in the graph are left out: their ends overlap.
    """
    if path is None:
        return np.empty((3, 0), dtype=np.int64)
    source, target, shared = read_homologs(path, known, names)
    unlinked = ~np.isin(source * len(names) + target, links[0] * len(names) + links[1])
    source, target, shared = source[unlinked], target[unlinked], shared[unlinked]
    return np.stack([np.append(source, target), np.append(target, source), np.append(shared, shared)])


def read_whole_markers(path: Path | None, known: pd.Index, names: Sequence[str]) -> np.ndarray:
    """Return the marker genes that no end of a contig cuts off: contigs (numbers in `names`) and families (2 x m).

    A gene that is of families of two collections counts for the first by name. known: the names of all contigs.
    """
    if path is None:
        return np.empty((2, 0), dtype=np.int64)
    table = read_table(MARKERS, path)
    (rows,) = check_contigs(path, table, known, "in contigs.tsv")
    table = table.assign(number=numbers_of_known(known, names)[rows])
    whole = table[~table["cut"] & (table["number"] >= 0)].sort_values("family", kind="stable")
    whole = whole.drop_duplicates(["contig", "start", "end"])
    return np.stack([whole["number"].to_numpy(), pd.factorize(whole["family"], sort=True)[0]])


if __name__ == "__main__":
    main()
