#!/usr/bin/env python3
"""What became of each genome of a community with known truth: found in a bin, or what it is missed for.

usage: account.py TRUTH BINS [--contigs contigs.tsv] [--min_contig_length 2000] [--min_bin_size 200000]
TRUTH: contig, genome, length; a contig shared by genomes has a line for each. BINS: contig2bin.tsv (assembly, contig,
bin) or a table of cluster and contig in either order, as score.py takes it; a contig may be in several bins.
Out: Markdown on stdout. A genome is found by a bin of at least --min_bin_size that holds >= 0.9 of its bases and is >= 0.9
its own, as in score.py: contigs without truth count nowhere, a shared contig counts for each of its genomes.

Columns of the table of missed genomes, as shares of the genome's size in the assembly unless said:
  Mbp          size: bases of the contigs that carry it
  ceiling      in contigs >= --min_contig_length: the recall of a perfect bin of these alone
  shared       in contigs that carry other genomes too
  relative     the genome that most of these bases are shared with
  best bin     the bin of highest F1 (of recall and precision), its recall and precision
  short, long  outside of the best bin, in no bin: contigs below / at least --min_contig_length
  own bins     outside of the best bin, in other bins of which this genome is the largest part
  other bins   outside of the best bin, in bins of other genomes (the genome that most of it went to)
"""

import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOUND = 0.9
HALF = 0.5
HEAD = "| genome | Mbp | ceiling | shared | relative | best bin | recall | precision | short | long | own bins "
HEAD += "| other bins | verdict |\n" + "|---" * 13 + "|"


@dataclass
class Bin:
    """A bin's contigs that have a truth, their bases, and the bases of each genome among them."""

    contigs: set[str] = field(default_factory=set)
    size: int = 0
    genomes: dict[str, int] = field(default_factory=dict)


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
        """Recall and precision of at least 0.9."""
        return self.recall >= FOUND and self.precision >= FOUND


def rows(path: Path) -> Iterator[list[str]]:
    """Fields of each line of a tab-separated table, gzip or not; comments and empty lines left out."""
    with gzip.open(path, "rt") if path.name.endswith(".gz") else open(path) as lines:
        for line in lines:
            if line.strip() and not line.startswith(("#", "@")):
                yield line.rstrip("\n").split("\t")


def read_truth(path: Path) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Length and genomes of each contig. Raises click.ClickException if no line is contig, genome, length."""
    length: dict[str, int] = {}
    genomes: dict[str, set[str]] = defaultdict(set)
    for row in rows(path):
        if len(row) > 2 and row[2].isdigit():
            length[row[0]] = int(row[2])
            genomes[row[0]].add(row[1])
    if not length:
        raise click.ClickException(f"{path}: no line has contig, genome and length, tab-separated")
    return length, dict(genomes)


def read_bins(path: Path, length: dict[str, int], genomes: dict[str, set[str]], min_bin_size: int) -> dict[str, Bin]:
    """Bins of at least `min_bin_size` bases. Raises click.ClickException if no column holds the truth's contigs."""
    table = [row for row in rows(path) if len(row) > 1]
    width = min(map(len, table), default=0)
    known = [sum(row[column] in length for row in table) for column in range(width)]
    if not any(known):
        raise click.ClickException(f"{path}: no column of it holds contigs of the truth")
    contig = max(range(width), key=known.__getitem__)
    name = contig - 1 if contig == width - 1 else contig + 1
    bins: dict[str, Bin] = defaultdict(Bin)
    for row in table:
        if row[contig] in length:
            bins[row[name]].contigs.add(row[contig])
    for one in bins.values():
        one.size = sum(length[contig] for contig in one.contigs)
        for member in one.contigs:
            for genome in genomes[member]:
                one.genomes[genome] = one.genomes.get(genome, 0) + length[member]
    return {name: one for name, one in bins.items() if one.size >= min_bin_size}


def in_assembly(
    genome: str, contigs: set[str], length: dict[str, int], genomes: dict[str, set[str]], min_contig_length: int
) -> Fate:
    """Size of a genome in the assembly, what of it is long, shared, and with whom."""
    size = sum(length[contig] for contig in contigs)
    relatives: dict[str, int] = defaultdict(int)
    for contig in contigs:
        for other in genomes[contig] - {genome}:
            relatives[other] += length[contig]
    relative = max(sorted(relatives), key=relatives.__getitem__, default="")
    return Fate(
        size=size,
        ceiling=sum(length[contig] for contig in contigs if length[contig] >= min_contig_length) / size,
        shared=sum(length[contig] for contig in contigs if len(genomes[contig]) > 1) / size,
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
            found = recall >= FOUND and precision >= FOUND
            f1 = 2 * recall * precision / (recall + precision)
            rated.append((found, recall if found else f1, recall, precision, name))
    if rated:
        _, _, fate.recall, fate.precision, fate.bin = max(rated)
        inside = bins[fate.bin].genomes
        fate.main = inside[genome] == max(inside.values())


def place_rest(
    fate: Fate, genome: str, contigs: set[str], bins: dict[str, Bin], length: dict[str, int],
    genomes: dict[str, set[str]], min_contig_length: int,
) -> None:  # fmt: skip
    """Fill in where the bases outside of the best bin are; a contig of several other bins counts for the largest."""
    home: dict[str, str] = {}
    for name in sorted(bins, key=lambda name: bins[name].size):
        home.update(dict.fromkeys(bins[name].contigs & contigs, name))
    best = bins[fate.bin].contigs if fate.bin else set()
    taken: dict[str, float] = defaultdict(float)
    for contig in contigs - best:
        share = length[contig] / fate.size
        if contig not in home:
            if length[contig] < min_contig_length:
                fate.short += share
            else:
                fate.long += share
            continue
        inside = bins[home[contig]].genomes
        owner = max(sorted(inside), key=inside.__getitem__)
        if inside[genome] == inside[owner]:
            fate.own += share
        else:
            fate.other += share
            fate.other_shared += share if len(genomes[contig]) > 1 else 0
            taken[owner] += share
    fate.other_genome = max(sorted(taken), key=taken.__getitem__, default="")


def name_foreign(fate: Fate, genome: str, bins: dict[str, Bin], length: dict[str, int], genomes: dict[str, set[str]]):
    """Fill in the genome that most of the best bin's bases of other genomes alone belong to."""
    foreign: dict[str, int] = defaultdict(int)
    for contig in bins[fate.bin].contigs if fate.bin else ():
        if genome not in genomes[contig]:
            for other in genomes[contig]:
                foreign[other] += length[contig]
    fate.foreign = max(sorted(foreign), key=foreign.__getitem__, default="")


def verdict(fate: Fate, min_bin_size: int) -> str:
    """What the genome is missed for: no bin with half of it or mainly of it; impurity; the largest part of the rest."""
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
    if fate.precision >= FOUND:
        return cause
    return f"merged with {fate.foreign}" + (f"; {cause}" if fate.recall < FOUND else "")


def markdown(genome: str, fate: Fate, min_bin_size: int) -> str:
    """The row of a missed genome."""
    relative = f"{fate.relative} {fate.relative_share:.2f}" if fate.relative else "-"
    other = f"{fate.other:.3f}" + (f" ({fate.other_genome})" if fate.other_genome else "")
    numbers = [f"{share:.3f}" for share in (fate.recall, fate.precision, fate.short, fate.long, fate.own)]
    cells = [genome, f"{fate.size / 1e6:.2f}", f"{fate.ceiling:.3f}", f"{fate.shared:.3f}", relative, fate.bin or "-"]
    return f"| {' | '.join([*cells, *numbers, other, verdict(fate, min_bin_size)])} |"


def without_truth(path: Path, length: dict[str, int]) -> str:
    """How much of the assembly the truth says nothing of; contigs.tsv (contig ... length) or FASTA."""
    lengths: dict[str, int] = defaultdict(int)
    name = ""
    for row in rows(path):
        if row[0].startswith(">"):
            name = row[0][1:].split()[0]
        elif name:
            lengths[name] += len(row[0])
        elif row[-1].isdigit():
            lengths[row[0]] = int(row[-1])
    unknown = [bases for contig, bases in lengths.items() if contig not in length]
    return f"{len(unknown)} of {len(lengths)} contigs ({sum(unknown) / 1e6:.2f} Mbp) carry no genome and are left out."


@click.command()
@click.argument("truth", type=FILE)
@click.argument("bins", type=FILE)
@click.option("--contigs", type=FILE, help="contigs.tsv or FASTA: say how much of the assembly has no truth.")
@click.option("--min_contig_length", type=click.IntRange(1), default=2000, show_default=True)
@click.option("--min_bin_size", type=click.IntRange(0), default=200_000, show_default=True)
def main(truth: Path, bins: Path, contigs: Path | None, min_contig_length: int, min_bin_size: int) -> None:
    """Say of each genome of TRUTH whether a bin of BINS finds it, and if not, where its bases are."""
    length, genomes = read_truth(truth)
    table = read_bins(bins, length, genomes, min_bin_size)
    members: dict[str, set[str]] = defaultdict(set)
    for contig, carried in genomes.items():
        for genome in carried:
            members[genome].add(contig)
    fates: dict[str, Fate] = {}
    for genome in sorted(members):
        fate = fates[genome] = in_assembly(genome, members[genome], length, genomes, min_contig_length)
        choose_bin(fate, genome, table)
        place_rest(fate, genome, members[genome], table, length, genomes, min_contig_length)
        name_foreign(fate, genome, table, length, genomes)
    if contigs:
        click.echo(without_truth(contigs, length) + "\n")
    found = [genome for genome, fate in fates.items() if fate.found]
    click.echo(f"Found {len(found)} of {len(fates)}: {', '.join(found) or 'none'}.\n")
    if len(found) < len(fates):
        click.echo(HEAD)
    for genome, fate in sorted(fates.items(), key=lambda item: -item[1].recall):
        if not fate.found:
            click.echo(markdown(genome, fate, min_bin_size))


if __name__ == "__main__":
    main()
