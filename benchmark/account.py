#!/usr/bin/env python3
"""Say what became of each genome of a community with known truth: found in a bin, or what it is missed for.

In: truth and bins, as score.py takes them. Out: on stdout the names of the genomes that are found (by a bin of at least
--min_bin_size that has them at a recall and a precision of at least 0.9, as in score.py) and a Markdown table of the
others; with --tsv their rows in a file.

Columns, as shares of the genome's size in the assembly unless said:
  mbp                size: bases of the contigs that carry it
  ceiling            in contigs >= --min_contig_length: the recall of a perfect bin of these alone
  shared             in contigs that carry other genomes too
  relative           the genome that most of these bases are shared with, and that share
  best_bin           the bin of highest F1 (of recall and precision), with its recall and precision
  short, long        outside of the best bin, in no bin: contigs below / at least --min_contig_length
  own_bins           outside of the best bin, in other bins of which this genome is the largest part
  other_bins         outside of the best bin, in bins of other genomes, and the genome that most of it went to
  verdict            what the genome is missed for
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import click

from result_tables import FILE, ResultTable, tsv_option
from score import MIN_BIN_SIZE, PRECISION, Bins, Truth, bases_by_genome, bin_size, large_bins, read_bins, read_truth

RECALL = 0.9  # from which a genome is found
HALF = 0.5


@dataclass
class Bin:
    """The contigs of a bin, its size and the bases of each genome in it."""

    contigs: set[str]
    size: int
    genomes: dict[str, int]


@dataclass
class Fate:
    """Where the bases of one genome are, in shares of `size`; `main`: no genome has more of the best bin."""

    size: int
    ceiling: float
    shared: float
    relative: str
    relative_share: float
    bin: str = ""
    recall: float = 0.0
    precision: float = 0.0
    main: bool = False
    short: float = 0.0
    long: float = 0.0
    own: float = 0.0
    other: float = 0.0
    other_shared: float = 0.0
    other_genome: str = ""
    foreign: str = ""

    @property
    def found(self) -> bool:
        """Return whether a bin finds the genome."""
        return self.recall >= RECALL and self.precision >= PRECISION


def describe_bins(bins: Bins, truth: Truth) -> dict[str, Bin]:
    """Return the bins with their sizes and the bases of each genome in them."""
    return {
        name: Bin(set(contigs), bin_size(contigs, truth), bases_by_genome(contigs, truth))
        for name, contigs in bins.items()
    }


def largest(bases: dict[str, float]) -> str:
    """Return the name with most bases, the first one by name of several; "" if there is none."""
    return max(sorted(bases), key=bases.__getitem__, default="")


def in_assembly(genome: str, contigs: set[str], truth: Truth, min_contig_length: int) -> Fate:
    """Return the size of a genome in the assembly, what of it is long, shared, and with which genome."""
    size = bin_size(contigs, truth)
    relatives: dict[str, int] = defaultdict(int)
    for contig in contigs:
        for other in truth.genomes[contig] - {genome}:
            relatives[other] += truth.length[contig]
    relative = largest(relatives)
    return Fate(
        size=size,
        ceiling=bin_size((c for c in contigs if truth.length[c] >= min_contig_length), truth) / size,
        shared=bin_size((c for c in contigs if len(truth.genomes[c]) > 1), truth) / size,
        relative=relative,
        relative_share=relatives.get(relative, 0) / size,
    )


def choose_bin(fate: Fate, genome: str, bins: dict[str, Bin]) -> None:
    """Fill in the bin that finds the genome (of the highest recall), or else that of the highest F1."""
    rated = []
    for name in sorted(bins):
        recall = bins[name].genomes.get(genome, 0) / fate.size
        precision = bins[name].genomes.get(genome, 0) / bins[name].size
        if recall:
            found = recall >= RECALL and precision >= PRECISION
            f1 = 2 * recall * precision / (recall + precision)
            rated.append((found, recall if found else f1, recall, precision, name))
    if rated:
        _, _, fate.recall, fate.precision, fate.bin = max(rated)
        inside = bins[fate.bin].genomes
        fate.main = inside[genome] == max(inside.values())


def place_rest(
    fate: Fate, genome: str, contigs: set[str], bins: dict[str, Bin], truth: Truth, min_contig_length: int
) -> None:
    """Fill in where the bases outside of the best bin are; a contig of several other bins counts for the largest."""
    home: dict[str, str] = {}
    for name in sorted(bins, key=lambda name: bins[name].size):
        home.update(dict.fromkeys(bins[name].contigs & contigs, name))
    best = bins[fate.bin].contigs if fate.bin else set()
    taken: dict[str, float] = defaultdict(float)
    for contig in sorted(contigs - best):
        share = truth.length[contig] / fate.size
        if contig not in home:
            if truth.length[contig] < min_contig_length:
                fate.short += share
            else:
                fate.long += share
            continue
        inside = bins[home[contig]].genomes
        owner = largest(inside)
        if inside[genome] == inside[owner]:
            fate.own += share
        else:
            fate.other += share
            fate.other_shared += share if len(truth.genomes[contig]) > 1 else 0
            taken[owner] += share
    fate.other_genome = largest(taken)


def name_foreign(fate: Fate, genome: str, bins: dict[str, Bin], truth: Truth) -> None:
    """Fill in the genome that has most of those bases of the best bin that the genome itself does not have."""
    contigs = bins[fate.bin].contigs if fate.bin else set()
    fate.foreign = largest(bases_by_genome((c for c in contigs if genome not in truth.genomes[c]), truth))


def verdict(fate: Fate, min_bin_size: int) -> str:
    """Return what the genome is missed for.

    It is missed for want of a bin with half of it or mainly of it, for impurity, or for the largest part of the rest.
    """
    if fate.found:
        return "found"
    if fate.size < min_bin_size:
        return "smaller than a bin"
    rest = {
        "incomplete: bases in short contigs": fate.short,
        "incomplete: long contigs in no bin": fate.long,
        "split over bins": fate.own,
        f"shared sequence in the bin of {fate.other_genome}": fate.other_shared,
        f"own sequence in the bin of {fate.other_genome}": fate.other - fate.other_shared,
    }
    cause = max(rest, key=rest.__getitem__)
    if not fate.main and fate.recall < HALF:
        return f"no bin; {cause.removeprefix('incomplete: ')}"
    if fate.precision >= PRECISION:
        return cause
    return f"merged with {fate.foreign}" + (f"; {cause}" if fate.recall < RECALL else "")


def cells(fate: Fate, min_bin_size: int) -> dict[str, str]:
    """Return the row of a genome."""
    relative = f"{fate.relative} {fate.relative_share:.2f}" if fate.relative else "-"
    other = f"{fate.other:.3f}" + (f" ({fate.other_genome})" if fate.other_genome else "")
    shares = {"recall": fate.recall, "precision": fate.precision, "short": fate.short, "long": fate.long}
    return {
        "mbp": f"{fate.size / 1e6:.2f}",
        "ceiling": f"{fate.ceiling:.3f}",
        "shared": f"{fate.shared:.3f}",
        "relative": relative,
        "best_bin": fate.bin or "-",
        **{name: f"{share:.3f}" for name, share in (shares | {"own_bins": fate.own}).items()},
        "other_bins": other,
        "verdict": verdict(fate, min_bin_size),
    }


def find_fates(truth: Truth, bins: dict[str, Bin], min_contig_length: int) -> dict[str, Fate]:
    """Return what became of each genome."""
    members: dict[str, set[str]] = defaultdict(set)
    for contig, genomes in truth.genomes.items():
        for genome in genomes:
            members[genome].add(contig)
    fates: dict[str, Fate] = {}
    for genome in sorted(members):
        fate = fates[genome] = in_assembly(genome, members[genome], truth, min_contig_length)
        choose_bin(fate, genome, bins)
        place_rest(fate, genome, members[genome], bins, truth, min_contig_length)
        name_foreign(fate, genome, bins, truth)
    return fates


@click.command(context_settings={"show_default": True})
@click.argument("truth_file", metavar="TRUTH", type=FILE)
@click.argument("bins_file", metavar="BINS", type=FILE)
@click.option("--assembly", help="Only the bins of this assembly, where BINS has several.")
@click.option("--set", "set_name", default="", help="Name of the set in the table.")
@click.option("--min_contig_length", type=click.IntRange(1), default=2000)
@click.option("--min_bin_size", type=click.IntRange(0), default=MIN_BIN_SIZE)
@tsv_option
def main(
    truth_file: Path, bins_file: Path, assembly: str | None, set_name: str, min_contig_length: int, min_bin_size: int,
    tsv: Path | None,
) -> None:  # fmt: skip
    """Say of each genome of TRUTH whether a bin of BINS finds it, and if not, where its bases are."""
    truth = read_truth(truth_file)
    bins = large_bins(read_bins(bins_file, truth, assembly), truth, min_bin_size)
    fates = find_fates(truth, describe_bins(bins, truth), min_contig_length)
    found = [genome for genome, fate in fates.items() if fate.found]
    click.echo(f"Found {len(found)} of {len(fates)}: {', '.join(found) or 'none'}.")
    table = ResultTable(tsv, ("set", "genome"))
    for genome, fate in sorted(fates.items(), key=lambda item: -item[1].recall):
        if not fate.found:
            table.add({"set": set_name, "genome": genome, **cells(fate, min_bin_size)})


if __name__ == "__main__":
    main()
