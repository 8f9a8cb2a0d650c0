#!/usr/bin/env python3
"""Take the bins that a user gives for the assemblies of a group as the clusters of the group.

In:  contigs.tsv (all contigs of the group), and for each assembly one or several binnings (binner_files.py).
Out: clusters.tsv, as the cluster stage writes it (`cluster, contig, assembly, name`). A bin is called
     `<assembly>~<its name>`, or `<assembly>~<number of the binning>.<its name>` where an assembly has several binnings;
     characters that separate names elsewhere are percent-encoded. Of several binnings, each adds what those before it
     lack (further_pieces.py).

A contig that stands in several bins of a binning is in none of its clusters, so that the refinement places it, in
several bins too if it belongs there. A warning tells how many there are.
"""

from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import click
import numpy as np
import pandas as pd

from assembly_tables import contigs_of_assembly
from binner_files import is_fasta, read_binning
from further_pieces import cluster_table, further_pieces
from message_text import shown
from pieces import piece_size
from stage_tables import CLUSTERS, CONTIGS, read_table
from stage_warnings import warn
from table_output import write_table

# quote() escapes all other characters of a bin's name but letters, digits, and `_.-~`.
NAME_CHARACTERS = "!#$&+/:?@^|*="
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

Binnings = dict[str, dict[int, list[Path]]]  # by assembly and number: a table, or the FASTA files of the bins


@click.command(context_settings={"show_default": True})
@click.option("--contigs", required=True, type=FILE, help="contigs.tsv")
@click.option(
    "--bins",
    "given",
    type=(str, click.IntRange(min=1), FILE),
    multiple=True,
    required=True,
    metavar="ID NUMBER FILE",
    help="Id of an assembly, number of one of its binnings, and a table of it or the FASTA of a bin; repeatable.",
)
@click.option(
    "--min_bin_size",
    default=200_000,
    type=click.IntRange(0, 1_000_000_000),
    help="A tenth of it (bp) is the smallest bin that holds its contigs against those of a later binning.",
)
def main(contigs: Path, given: tuple[tuple[str, int, Path], ...], min_bin_size: int) -> None:
    """Write given bins as ./clusters.tsv."""
    table = read_table(CONTIGS, contigs)
    cluster = np.full(len(table), "", dtype=object)
    for assembly, binnings in by_binning(given).items():
        rows = contigs_of_assembly(table, assembly, contigs)
        labels = [
            bin_labels(rows["name"], assembly, files, f"{number}." if len(binnings) > 1 else "")
            for number, files in sorted(binnings.items())
        ]
        pieces = further_pieces(labels, rows["length"].to_numpy(), piece_size(min_bin_size))
        cluster[rows.index] = pieces
        click.echo(f"{assembly}: {(pieces != '').sum()} of {len(rows)} contigs have a bin", err=True)
    write_table(CLUSTERS, cluster_table(table, cluster))


def by_binning(given: tuple[tuple[str, int, Path], ...]) -> Binnings:
    """Return the files of each binning; raise ClickException if one is of two tables."""
    binnings: Binnings = defaultdict(lambda: defaultdict(list))
    for assembly, number, path in given:
        files = binnings[assembly][number]
        if files and not (is_fasta(path) and is_fasta(files[0])):
            raise click.ClickException(
                f"{path}: assembly {shown(assembly)} has {files[0]} as binning {number} already; give it another number"
            )
        files.append(path)
    return binnings


def bin_labels(names: pd.Series, assembly: str, files: list[Path], prefix: str) -> np.ndarray:
    """Return the cluster of each contig of an assembly (n, texts), "" for none, by a binning.

    Warn of contigs in several bins, which have none. Raise ClickException if no contig has a bin.
    """
    bins = read_binning(files, assembly, names)
    if not bins:
        raise click.ClickException(f"{files[0]}: has no contig in a bin; give bins, or remove it from the sheet")
    several = [contig for contig, found in bins.items() if len(found) > 1]
    if several:
        first = several[0]
        warn(
            f"assembly {shown(assembly)}: {len(several)} of {len(bins)} contigs stand in several of the given bins, "
            f"contig {shown(first)} in {shown(bins[first][0])} and {shown(bins[first][1])} for example: the refinement "
            "decides where they belong"
        )
    label = {contig: found[0] for contig, found in bins.items() if len(found) == 1}
    cluster = {name: f"{assembly}~{prefix}{quote(name, safe=NAME_CHARACTERS)}" for name in set(label.values())}
    return np.array([cluster[label[name]] if name in label else "" for name in names], dtype=object)


if __name__ == "__main__":
    main()
