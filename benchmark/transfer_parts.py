#!/usr/bin/env python3
"""Measure what the transfer of genomes between assemblies is worth, and each of its constants, halved and doubled.

In: for each --set a group's results of the pipeline with several assemblies (refine_mode evidence), and their truth,
with contigs called ASSEMBLY:CONTIG (community.sh makes it). Out: a row for each set and variant, on stdout as Markdown
and, with --tsv, in a file: genomes by recall in bins of at least --min_bin_size, where a genome in an assembly counts
as one of its own, and purity; how many genomes are missed without the transfer, though another assembly has them at a
recall of 0.9 (`missed_but_elsewhere`), and how many of these are found (`of_these_found`). Every assembly is refined
anew, once; the transfer follows in each variant. With --without, what it names is left out everywhere.
"""

import contextlib
import io
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
import pandas as pd

from project import BIN, command_words, refine_files
from refine_runs import WITHOUT, replaced
from result_tables import FILE, FOLDER, ResultTable, tsv_option
from score import MIN_BIN_SIZE, Bins, Truth, genomes_found, read_truth, score_row

sys.path.insert(0, str(BIN))
import refine
import transfer

RECALL = 0.9
CONSTANTS = {
    "kmer_samples.SAMPLING": (8, 32),
    "shared_kmers.MAX_GENOMES_PER_KMER": (4, 16),
    "same_genomes.MIN_SHARED_KMERS": (0.15, 0.6),
    "same_genomes.MIN_KMERS": (2, 8),
    "same_genomes.PRIOR_CONTIGS": (10, 40),
    "same_genomes.PSEUDO_CONTIGS": (0.25, 1),
    "transfer.MIN_START_POSTERIOR": (0.8, 0.95),  # the distance to 1 is scaled
    "transfer.MIN_START_FRACTION": (0.25, 1),
    "transfer.MAX_ROUNDS": (1, 6),
}
VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    **{f"{name} {value:g}": {name: value} for name, values in CONSTANTS.items() for value in values},
}


class Group(NamedTuple):
    """The results of a group of several assemblies."""

    name: str
    results: Path
    truth: Path

    @property
    def assemblies(self) -> list[str]:
        """The ids of its assemblies."""
        return sorted(path.name for path in (self.results / "refine").iterdir())


def refine_assemblies(group: Group, folder: Path, parts: Mapping[str, Any], min_bin_size: int) -> None:
    """Refine each assembly into a folder of its own, with parts replaced."""
    for assembly in group.assemblies:
        (folder / assembly).mkdir()
        words = command_words(assembly=assembly, min_bin_size=min_bin_size, **refine_files(group.results, assembly))
        with contextlib.chdir(folder / assembly), replaced(parts), contextlib.redirect_stderr(io.StringIO()):
            refine.main.main(words, standalone_mode=False)


def transfer_genomes(group: Group, refined: Path, parts: Mapping[str, Any], min_bin_size: int) -> None:
    """Run the transfer of refined assemblies into the current directory, with parts replaced."""
    files = refine_files(group.results, group.assemblies[0])
    names = {"contigs", "coverage", "tetranucleotides", "features", "pair_links"} & files.keys()
    words = command_words(
        catalogue=group.results / "catalogue/catalogue.fa.gz",
        min_bin_size=min_bin_size,
        **{name: files[name] for name in sorted(names)},
    )
    for assembly in group.assemblies:
        words += ["--refined", *(str(refined / assembly / f"{name}.tsv") for name in ("contig2bin", "refinement"))]
        graph = [group.results / "refine" / assembly / f"{name}.tsv.gz" for name in ("vertices", "edges")]
        words += ["--graph", assembly, *map(str, graph)] if graph[0].exists() else []
    with replaced(parts), contextlib.redirect_stderr(io.StringIO()):
        transfer.main.main(words, standalone_mode=False)


def read_bins(folder: Path, truth: Truth) -> dict[str, set[str]]:
    """Return the bins of all assemblies in a folder, of each the contigs that have a truth."""
    bins: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*/refinement.tsv")):
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, usecols=["name", "final"])
        for contig, names in zip(f"{path.parent.name}:" + table["name"], table["final"]):
            for name in filter(None, names.split(",")):
                bins.setdefault(f"{path.parent.name}.{name}", set()).update({contig} & truth.length.keys())
    return bins


def missed_but_elsewhere(bins: Bins, truth: Truth, min_bin_size: int) -> set[str]:
    """Return the genomes (ASSEMBLY:GENOME) that are not found at RECALL, though another assembly's bins have them."""
    found = genomes_found(bins, truth, RECALL, min_bin_size=min_bin_size)
    known = {name.partition(":")[2] for name in found}
    return {name for name in truth.genome_sizes() if name not in found and name.partition(":")[2] in known}


def transfer_row(
    group: Group, variant: str, bins: Bins, truth: Truth, min_bin_size: int, missed: set[str]
) -> dict[str, str]:
    """Return the row of a variant; `missed`: from missed_but_elsewhere."""
    found = genomes_found(bins, truth, RECALL, min_bin_size=min_bin_size)
    counts = {"missed_but_elsewhere": str(len(missed)), "of_these_found": str(len(missed & found))}
    return score_row({"set": group.name, "variant": variant}, bins, truth, min_bin_size) | counts


@click.command(context_settings={"show_default": True})
@click.option("--set", "sets", multiple=True, required=True, type=(str, FOLDER, FILE), metavar="NAME RESULTS TRUTH")
@click.option("--min_bin_size", default=MIN_BIN_SIZE, type=click.IntRange(min=0))
@click.option(
    "--variant", "chosen", multiple=True, type=click.Choice(list(VARIANTS)), help="Only this one. Repeatable."
)
@click.option("--without", multiple=True, type=click.Choice(list(WITHOUT)), help="Leave this out. Repeatable.")
@tsv_option
def main(
    sets: tuple[tuple[str, Path, Path], ...],
    min_bin_size: int,
    chosen: tuple[str, ...],
    without: tuple[str, ...],
    tsv: Path | None,
) -> None:
    """Measure the transfer of genomes between the assemblies of a group."""
    missing = {name: part for kind in without for name, part in WITHOUT[kind].items()}
    suffix = "".join(f", no {kind}" for kind in without)
    table = ResultTable(tsv and tsv.resolve(), ("set", "variant"))
    for group in (Group(name, *(path.resolve() for path in paths)) for name, *paths in sets):
        truth = read_truth(group.truth)
        with tempfile.TemporaryDirectory() as folder:
            refine_assemblies(group, Path(folder), missing, min_bin_size)
            bins = read_bins(Path(folder), truth)
            missed = missed_but_elsewhere(bins, truth, min_bin_size)
            table.add(transfer_row(group, f"without transfer{suffix}", bins, truth, min_bin_size, missed))
            for variant in chosen or VARIANTS:
                with tempfile.TemporaryDirectory() as out, contextlib.chdir(out):
                    transfer_genomes(group, Path(folder), missing | VARIANTS[variant], min_bin_size)
                    bins = read_bins(Path("refine"), truth)
                table.add(transfer_row(group, variant + suffix, bins, truth, min_bin_size, missed))


if __name__ == "__main__":
    main()
