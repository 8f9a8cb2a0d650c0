#!/usr/bin/env python3
"""Sums up all groups of a run.

In: per group contigs.tsv (catalogue.py), features.json (features.py), contig2bin.tsv and bins.tsv
(bins.py). Out: summary.tsv, one row per group, and summary.txt, four lines for the terminal: groups,
contigs binned, bins, largest bins.
"""

import csv
import json
from pathlib import Path

import click
import pandas as pd

SHOWN = 3  # groups and bins named in a line of summary.txt
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
COUNTS = ["contigs", "contigs_binned", "bp", "bp_binned", "bins", "assemblies", "refined_assemblies"]


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """A TSV whose cells all stay text; error if a column is missing."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise click.ClickException(f"{path}: no column {missing[0]}; it has {', '.join(table.columns)}")
    return table


def read_samples(path: Path) -> list[str]:
    """The samples of a group, from features.json."""
    try:
        return json.loads(path.read_text())["samples"]
    except (ValueError, KeyError, TypeError) as error:
        problem = f"no list `samples` ({error}); give the features.json of the group"
        raise click.ClickException(f"{path}: {problem}") from None


def human_bp(bp: int) -> str:
    """Base pairs with three figures and a decimal prefix: 999 bp, 1.00 kbp, 45.6 Mbp, 1.23 Gbp."""
    value, units = float(bp), ["bp", "kbp", "Mbp", "Gbp", "Tbp"]
    while len(units) > 1 and float(f"{value:.3g}") >= 1000:
        value, units = value / 1000, units[1:]
    if units[0] == "bp":
        return f"{bp} bp"
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {units[0]}"


def percent(part: int, whole: int) -> str:
    """A share as a percentage; 0.0 % of nothing."""
    return f"{100 * part / whole if whole else 0:.1f} %"


def count(n: int, thing: str) -> str:
    """`1 group`, `1,234 groups`, `2 assemblies`."""
    plural = thing.removesuffix("y") + "ies" if thing.endswith("y") else thing + "s"
    return f"{n:,} {thing if n == 1 else plural}"


def summarise(
    group: str, contigs: pd.DataFrame, samples: list[str], contig2bin: pd.DataFrame, bins: pd.DataFrame
) -> dict[str, str | int]:
    """The row of a group in summary.tsv. A contig in several bins counts once."""
    length = contigs["length"].astype("int64")
    binned = pd.MultiIndex.from_frame(contig2bin[["assembly", "contig"]])
    is_binned = pd.MultiIndex.from_frame(contigs[["assembly", "name"]]).isin(binned)
    return {
        "group": group,
        "assemblies": contigs["assembly"].nunique(),
        "samples": len(samples),
        "contigs": len(contigs),
        "contigs_binned": int(is_binned.sum()),
        "bp": int(length.sum()),
        "bp_binned": int(length[is_binned].sum()),
        "bins": len(bins),
        "refined_assemblies": bins.loc[bins["refined"] == "true", "assembly"].nunique(),
    }


def terminal_lines(summary: pd.DataFrame, largest: pd.DataFrame) -> list[str]:
    """The four lines; `largest` has group, bin, size (bp) of the bins, largest first."""
    total = summary[COUNTS].sum()
    groups = [
        f"{row.group} ({count(row.assemblies, 'assembly')}, {count(row.samples, 'sample')})"
        for row in summary.head(SHOWN).itertuples()
    ]
    more = [f"and {len(summary) - SHOWN:,} more"] if len(summary) > SHOWN else []
    one_group = len(summary) == 1
    named = [
        f"{row.bin if one_group else f'{row.group}/{row.bin}'} ({human_bp(row.size_bp)})"
        for row in largest.head(SHOWN).itertuples()
    ]
    refined = f"{total['refined_assemblies']:,} of {count(total['assemblies'], 'assembly')} refined"
    return [
        f"Groups          {len(summary):,}: {', '.join(groups + more)}",
        f"Contigs binned  {total['contigs_binned']:,} of {total['contigs']:,}"
        f" ({percent(total['contigs_binned'], total['contigs'])}),"
        f" {human_bp(total['bp_binned'])} of {human_bp(total['bp'])} ({percent(total['bp_binned'], total['bp'])})",
        f"Bins            {total['bins']:,}, {refined}",
        f"Largest bins    {', '.join(named) if named else 'none'}",
    ]


@click.command()
@click.option(
    "--group",
    "groups",
    multiple=True,
    required=True,
    type=(str, FILE, FILE, FILE, FILE),
    metavar="GROUP CONTIGS FEATURES CONTIG2BIN BINS",
    help="A group's id and its contigs.tsv, features.json, contig2bin.tsv and bins.tsv; repeatable.",
)
def main(groups: tuple[tuple[str, Path, Path, Path, Path], ...]) -> None:
    """Write summary.tsv and summary.txt over all groups."""
    rows, bins = [], []
    for group, contigs, features, contig2bin, bin_table in sorted(groups):
        table = read_table(bin_table, ["bin", "assembly", "size", "refined"])
        placed = read_table(contig2bin, ["assembly", "contig", "bin"])
        catalogue = read_table(contigs, ["assembly", "name", "length"])
        rows.append(summarise(group, catalogue, read_samples(features), placed, table))
        bins.append(table.assign(group=group, size_bp=table["size"].astype("int64")))
    summary = pd.DataFrame(rows)
    summary.to_csv("summary.tsv", sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE)
    largest = pd.concat(bins).sort_values(["size_bp", "group", "bin"], ascending=[False, True, True])
    Path("summary.txt").write_text("\n".join(terminal_lines(summary, largest)) + "\n")


if __name__ == "__main__":
    main()
