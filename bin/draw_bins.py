#!/usr/bin/env python3
"""Draw the assembly graph, coloured by bin.

In:  of one assembly the graph as the assembler wrote it, with its table of paths if it has one, and vertices.tsv.gz and
     edges.tsv.gz (graph stage); of its group contigs.tsv (catalogue stage) and contig2bin.tsv (bins stage).
Out: <assembly>.bandage.csv, a colour for each segment of the graph, for Bandage: the bin that has most base pairs in
     contigs with the segment; <assembly>.svg, the contigs of the chosen bins with those that are linked to them.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd

from assembly_graph import Segments, Walks, read_graph
from assembly_tables import contigs_of_assembly
from graph_layout import place_vertices
from graph_picture import Dot, draw
from output_files import write_text
from report_style import colour_each
from stage_tables import CONTIG2BIN, CONTIGS, EDGES, VERTICES, check_contigs, check_names, read_table
from stage_warnings import warn

MAX_CONTIGS = 600  # in a picture: more are no longer told apart, and are placed slowly
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def bins_of_contigs(contig2bin: pd.DataFrame, table: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the bins of each contig of an assembly that has any, by its name there; the largest bin first."""
    own = contig2bin[contig2bin["assembly"] == table["assembly"].iloc[0]]
    return own.groupby("contig", sort=False)["bin"].agg(tuple).to_dict()


def segment_bins(segments: Segments, walks: Walks, table: pd.DataFrame, bins: dict[str, tuple[str, ...]]) -> dict:
    """Return the bin of each segment in a binned contig: the one whose contigs with it have most base pairs."""
    length = dict(zip(table["name"], table["length"]))
    names = {number: name for name, number in segments.numbers.items()}
    weight: dict[str, dict[str, int]] = {}
    walk_of_step = np.repeat(walks.walk, walks.size)
    for number, walk in sorted(set(zip((walks.steps >> 1).tolist(), walk_of_step.tolist()))):
        contig = walks.names[walk]
        for name in bins.get(contig, ()):
            of_segment = weight.setdefault(names[number], {})
            of_segment[name] = of_segment.get(name, 0) + length[contig]
    return {segment: max(found, key=lambda name: found[name]) for segment, found in weight.items()}


def bandage_csv(found: dict[str, str], order: Sequence[str]) -> str:
    """Return the table for Bandage: segment, colour and bin. `order` has all bins; of many some share a colour."""
    colour = colour_each(order)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Name", "Colour", "Bin"])
    writer.writerows([segment, colour[name], name] for segment, name in found.items())
    return text.getvalue()


def chosen_contigs(table: pd.DataFrame, bins: dict, edges: pd.DataFrame, chosen: Sequence[str]) -> pd.DataFrame:
    """Return the contigs of the chosen bins, the longest first, then those that are linked to them."""
    is_chosen = table["name"].map(lambda name: bool({*bins.get(name, ())} & {*chosen}))
    inside = set(table.loc[is_chosen, "contig"])
    touched = edges[edges["contig_1"].isin(inside) | edges["contig_2"].isin(inside)]
    near = table["contig"].isin({*touched["contig_1"], *touched["contig_2"]}) & ~is_chosen
    ordered = [table[mask].sort_values("length", ascending=False, kind="stable") for mask in (is_chosen, near)]
    return pd.concat(ordered)


def draw_graph(table: pd.DataFrame, bins: dict, edges: pd.DataFrame, chosen: Sequence[str], assembly: str) -> str:
    """Return the picture of the chosen bins."""
    found = chosen_contigs(table, bins, edges, chosen)
    shown = found.head(MAX_CONTIGS)
    place = {contig: number for number, contig in enumerate(shown["contig"])}
    pairs = edges[edges["contig_1"].isin(place) & edges["contig_2"].isin(place)]
    numbers = np.column_stack([pairs[name].map(place) for name in ("contig_1", "contig_2")]).astype(int)
    dots = [
        Dot(row.name, row.length, bins.get(row.name, ())) for row in shown[["name", "length"]].itertuples(index=False)
    ]
    left_out = f", the {len(shown)} first of {len(found)}" if len(found) > len(shown) else ""
    title = f"Assembly {assembly}: contigs of the chosen bins, and those linked to them{left_out}"
    return draw(dots, place_vertices(len(dots), numbers), numbers, chosen, title)


@click.command()
@click.option("--assembly", required=True, help="Id of the assembly that the graph belongs to.")
@click.option("--assembler", required=True, type=click.Choice(["metaspades", "megahit", "metaflye", "sga", "gfa"]))
@click.option("--graph", required=True, type=FILE)
@click.option("--paths", type=FILE, help="contigs.paths (metaspades), assembly_info.txt (metaflye).")
@click.option("--vertices", required=True, type=FILE, help="vertices.tsv.gz of the assembly.")
@click.option("--edges", required=True, type=FILE, help="edges.tsv.gz of the assembly.")
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv of the group.")
@click.option("--contig2bin", required=True, type=FILE, help="contig2bin.tsv of the group.")
@click.option("--draw_bins", required=True, help="Names of bins, separated by commas.")
def main(
    assembly: str,
    assembler: str,
    graph: Path,
    paths: Path | None,
    vertices: Path,
    edges: Path,
    contigs: Path,
    contig2bin: Path,
    draw_bins: str,
) -> None:
    """Draw the assembly graph, coloured by bin."""
    everything = read_table(CONTIGS, contigs)
    table = contigs_of_assembly(everything, assembly, contigs)
    placed = read_table(CONTIG2BIN, contig2bin)
    check_names(contig2bin, placed, everything, contigs)
    known, where = pd.Index(table["contig"]), f"in assembly {assembly} of {contigs}"
    check_contigs(vertices, read_table(VERTICES, vertices), known, where)
    links = read_table(EDGES, edges)
    check_contigs(edges, links, known, where, ("contig_1", "contig_2"))
    bins = bins_of_contigs(placed, table)
    order = list(dict.fromkeys(placed.loc[placed["assembly"] == assembly, "bin"]))
    segments, walks = read_graph(assembler, graph, paths, table["name"].tolist(), table["length"].tolist())
    write_text(f"{assembly}.bandage.csv", bandage_csv(segment_bins(segments, walks, table, bins), order))
    asked = [name.strip() for name in draw_bins.split(",")]
    for name in asked:
        if name.rpartition(".")[0] == assembly and name not in order:
            warn(f"--draw_bins {name}: there is no such bin; bins.tsv has all of their names")
    chosen = [name for name in order if name in asked]
    if chosen:
        write_text(f"{assembly}.svg", draw_graph(table, bins, links, chosen, assembly))


if __name__ == "__main__":
    main()
