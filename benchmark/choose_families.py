#!/usr/bin/env python3
"""Choose the single-copy families that estimate a bin's completeness, and say what share of a genome each stands for.

In: a folder with genomes (NAME.fna.gz). Out: assets/marker_families.tsv, and families.tsv with what was measured. The
genomes are searched by bin/markers.py for all families of the installed packages. Those that hold few families of
bacteria are of archaea.

A family is chosen for a domain if most of its genomes have it, few have it twice, and no family that more genomes have
is the same gene. A family of bacteria must also outlast a co-assembly: an assembler that meets two relatives breaks the
genes that they have in common, so that neither genome has them whole. A gene is alike by the share of its words of 31
bases that two relatives have in common.

A family stands for the bases of a genome that are nearer to it than to another, up to REACH on either side, because
families of one operon are found or missed together.
"""

import itertools
import sys
from pathlib import Path

import click
import numpy as np
import pandas as pd

from genome_files import read_fasta
from project import BIN, PROJECT

sys.path.insert(0, str(BIN))
import homologs
import marker_families
import markers
from base_digits import DIGITS
from stage_tables import FAMILIES, MARKERS, read_table
from table_output import write_table

WORD = 31  # bases
REACH = 50_000  # bp
MIN_BACTERIAL = 0.5  # share of the families of bacteria that a genome of them holds
MIN_WHOLE_GENOME = 0.85  # share of the families of its domain that a genome must hold to be counted
MIN_PRESENT = 0.9  # share of these genomes that hold a family
MAX_DOUBLED = 0.05  # share of these genomes that hold it twice
MIN_SAME_GENE = 0.5  # share of the genomes with two families in which both are one gene
RELATIVES = (0.02, 0.6)  # share of the words of all marker genes that two relatives have in common
# Of a gene's words, relatives have in common at most this share of what they have of the mean family's: more than of
# most enzymes, less than of any ribosomal protein and of RNA polymerase.
MAX_ALIKE = 0.75


def search_genome(path: Path, folder: Path, families: list[marker_families.Family], threads: int) -> pd.DataFrame:
    """Return markers.tsv of a genome, from the folder if it is there."""
    kept = folder / f"{path.name.removesuffix('.fna.gz')}.markers.tsv.gz"
    if not kept.exists():
        contigs = ((name, sequence.encode()) for name, sequence in read_fasta(path))
        write_table(MARKERS, markers.find_markers(contigs, families, threads), kept)
    return markers.best_families(read_table(MARKERS, kept), {family.name: family.collection for family in families})


def gene_words(genes: pd.DataFrame, sequences: dict[str, str]) -> dict[str, np.ndarray]:
    """Return the words of the first whole gene of each family, as numbers that both strands have in common."""
    words = {}
    for row in genes[~genes["cut"]].drop_duplicates("family").itertuples():
        text = sequences[row.contig][row.start - 1 : row.end].encode().translate(DIGITS)
        digits = np.frombuffer(text, np.uint8) & 3
        if len(digits) >= WORD:
            every = np.lib.stride_tricks.sliding_window_view(digits, WORD).astype(np.uint64)
            words[row.family] = np.unique(homologs.canonical_numbers(every))
    return words


def likeness(words: list[dict[str, np.ndarray]]) -> pd.Series:
    """Return, by family, the share of a gene's words that two relatives have in common, against the mean family."""
    shares: dict[str, list[float]] = {}
    for one, other in itertools.combinations(words, 2):
        common = one.keys() & other.keys()
        both = {family: (np.isin(one[family], other[family]).sum(), len(one[family])) for family in common}
        alike, total = np.sum(list(both.values()), axis=0) if both else (0, 1)
        if RELATIVES[0] <= alike / total <= RELATIVES[1]:
            for family, (same, n) in both.items():
                shares.setdefault(family, []).append(same / n)
    mean = pd.Series({family: float(np.mean(values)) for family, values in shares.items()}, dtype=float)
    return mean / mean.mean()


def genome_shares(genes: pd.DataFrame, length: dict[str, int]) -> pd.Series:
    """Return, by family, the bases that are nearer to it than to another family, up to REACH on either side."""
    first = genes.drop_duplicates("family").assign(middle=lambda table: (table["start"] + table["end"]) / 2)
    shares = {}
    for contig, on_contig in first.groupby("contig"):
        ordered = on_contig.sort_values("middle")
        places = ordered["middle"].to_numpy()
        half = np.minimum(np.diff(places) / 2, REACH)
        left = np.append(min(places[0], REACH), half)
        right = np.append(half, min(length[contig] - places[-1], REACH))
        shares |= dict(zip(ordered["family"], left + right))
    return pd.Series(shares, dtype=float)


def measure(found: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """Return, by family, the share of the genomes that hold it (`present`), and of these that do twice (`doubled`)."""
    copies = pd.concat([table[~table["cut"]]["family"].value_counts() for table in found], axis=1).reindex(names)
    copies = copies.fillna(0)
    return pd.DataFrame({"present": (copies > 0).mean(axis=1), "doubled": (copies > 1).mean(axis=1)})


def choose(measured: pd.DataFrame, found: list[pd.DataFrame], max_alike: float) -> list[str]:
    """Return the families that are chosen: of those that are one gene, the one that more genomes have."""
    good = measured.query("present >= @MIN_PRESENT and doubled <= @MAX_DOUBLED and alike <= @max_alike")
    places = [table.groupby("family")[["contig", "start"]].first().agg(tuple, axis=1).to_dict() for table in found]
    chosen: list[str] = []
    for family in good.sort_values("present", ascending=False, kind="stable").index:
        same = [np.mean([at[family] == at[other] for at in places if family in at and other in at]) for other in chosen]
        if max(same, default=0) < MIN_SAME_GENE:
            chosen.append(family)
    return sorted(chosen)


@click.command(context_settings={"show_default": True})
@click.argument("genomes", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--found", required=True, type=click.Path(path_type=Path), help="Folder for what each genome holds.")
@click.option("--threads", default=2)
def main(genomes: Path, found: Path, threads: int) -> None:
    """Choose single-copy families by the genomes in a folder, and write assets/marker_families.tsv."""
    found.mkdir(exist_ok=True)
    families = marker_families.installed_families()
    names = [family.name for family in families]
    universal = {name for name in names if name.startswith("COG")}
    paths = sorted(genomes.glob("*.fna.gz"))
    tables = [search_genome(path, found, families, threads) for path in paths]
    of_bacteria = [table[~table["family"].isin(universal)]["family"].nunique() for table in tables]
    is_bacterial = np.array(of_bacteria) >= MIN_BACTERIAL * (len(names) - len(universal))
    weights, rows = {}, []
    for domain, of_domain in (("bacteria", is_bacterial), ("archaea", ~is_bacterial)):
        expected = universal if domain == "archaea" else set(names)
        held = [len(expected & set(table["family"])) for table in tables]
        whole = of_domain & (np.array(held) >= MIN_WHOLE_GENOME * len(expected))
        kept, kept_paths = ([item for item, keep in zip(given, whole) if keep] for given in (tables, paths))
        sequences = [dict(read_fasta(path)) for path in kept_paths]
        alike = likeness([gene_words(table, texts) for table, texts in zip(kept, sequences)])
        measured = measure(kept, names).assign(alike=alike.reindex(names).fillna(0))
        chosen = choose(measured, kept, MAX_ALIKE if domain == "bacteria" else np.inf)
        lengths = [{name: len(text) for name, text in texts.items()} for texts in sequences]
        shares = [genome_shares(table[table["family"].isin(chosen)], length) for table, length in zip(kept, lengths)]
        mean = pd.concat([share / share.sum() for share in shares], axis=1).mean(axis=1)
        weights[domain] = mean / mean.sum()
        doubled = [
            (table[~table["cut"]]["family"].value_counts()[lambda n: n > 1]).index.isin(chosen).sum() for table in kept
        ]
        click.echo(f"{domain}: genomes by doubled families {pd.Series(doubled).value_counts().to_dict()}", err=True)
        rows.append(measured.assign(domain=domain, genomes=len(kept), weight=weights[domain]))
        click.echo(f"{domain}: {len(chosen)} families by {len(kept)} of {of_domain.sum()} genomes", err=True)
    table = pd.DataFrame(weights).fillna(0).round(5).sort_index().rename_axis("family").reset_index()
    write_table(FAMILIES, table, PROJECT / "assets" / FAMILIES.name)
    pd.concat(rows).round(4).rename_axis("family").to_csv(found / "families.tsv", sep="\t")


if __name__ == "__main__":
    main()
