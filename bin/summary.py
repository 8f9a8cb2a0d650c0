#!/usr/bin/env python3
"""Sum up all groups of a run.

In:  per group contigs.tsv (catalogue stage), features.json (features stage), contig2bin.tsv and bins.tsv (bins stage),
     or, of gene catalogues, gene_clusters.tsv (gene_clusters stage) in place of these two; the warnings of all tasks,
     if there are any.
Out: summary.tsv, one row per group; warnings.tsv; summary.json, the rows of both; and summary.txt, the lines for the
     terminal: groups, contigs binned, bins, largest bins (or genes clustered, clusters, largest clusters), and the
     warnings.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd

from gene_tables import GENE_CLUSTERS, GENE_SUMMARY, MIN_LARGE_GENES
from output_files import write_text
from report_files import write_summary
from stage_arrays import FEATURES, read_description
from stage_tables import BINS, CONTIG2BIN, CONTIGS, RATED_BINS, SUMMARY, WARNINGS, bins_schema, check_names, read_table
from table_output import write_table

MAX_NAMED = 3  # groups and bins in a line of summary.txt
MAX_SHOWN_WARNINGS = 20  # of a run, in summary.txt; warnings.tsv has them all
UNITS = ("bp", "kbp", "Mbp", "Gbp", "Tbp")
UNIT_FACTOR = 1000
# A number below these limits is shown with so many decimals, so that it has three figures.
DECIMALS = {9.995: 2, 99.95: 1}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SUMMED_COLUMNS = ["contigs", "contigs_binned", "bp", "bp_binned", "bins", "assemblies", "refined_assemblies"]
GENE_COUNTS = ("genes", "genes_clustered", "bp", "bp_clustered", "clusters", "large_clusters", "genes_in_large")


def human_bp(bp: int) -> str:
    """Return base pairs with three figures and a decimal prefix: 999 bp, 1.00 kbp, 45.6 Mbp, 1.23 Gbp."""
    value, units = float(bp), UNITS
    while len(units) > 1 and float(f"{value:.3g}") >= UNIT_FACTOR:
        value, units = value / UNIT_FACTOR, units[1:]
    if units == UNITS:
        return f"{bp} bp"
    decimals = next((number for limit, number in DECIMALS.items() if value < limit), 0)
    return f"{value:.{decimals}f} {units[0]}"


def percent(part: int, whole: int) -> str:
    """Return a share as a percentage; 0.0 % of nothing."""
    return f"{100 * part / whole if whole else 0:.1f} %"


def counted(n: int, thing: str) -> str:
    """Return a number of things: `1 group`, `1,234 groups`, `2 assemblies`."""
    plural = thing.removesuffix("y") + "ies" if thing.endswith("y") else thing + "s"
    return f"{n:,} {thing if n == 1 else plural}"


def summarise(
    group: str, contigs: pd.DataFrame, samples: list[str], contig2bin: pd.DataFrame, bins: pd.DataFrame
) -> dict[str, str | int]:
    """Return the row of a group in summary.tsv. A contig in several bins counts once."""
    binned = pd.MultiIndex.from_frame(contig2bin[["assembly", "contig"]])
    is_binned = pd.MultiIndex.from_frame(contigs[["assembly", "name"]]).isin(binned)
    return {
        "group": group,
        "assemblies": contigs["assembly"].nunique(),
        "samples": len(samples),
        "contigs": len(contigs),
        "contigs_binned": int(is_binned.sum()),
        "bp": int(contigs["length"].sum()),
        "bp_binned": int(contigs["length"][is_binned].sum()),
        "bins": len(bins),
        "refined_assemblies": bins.loc[bins["refined"], "assembly"].nunique(),
    }


def summarise_genes(group: str, genes: pd.DataFrame, samples: list[str], clusters: pd.DataFrame) -> dict:
    """Return the row of a group of genes in summary.tsv, from its contigs.tsv, samples and gene_clusters.tsv."""
    return {
        "group": group,
        "assemblies": genes["assembly"].nunique(),
        "samples": len(samples),
        "genes": len(genes),
        "genes_clustered": int(clusters["genes"].sum()),
        "bp": int(genes["length"].sum()),
        "bp_clustered": int(clusters["bp"].sum()),
        "clusters": len(clusters),
        "large_clusters": int(clusters["large"].sum()),
        "genes_in_large": int(clusters.loc[clusters["large"], "genes"].sum()),
    }


def groups_line(summary: pd.DataFrame) -> str:
    """Return the line that counts the groups and names the first of them."""
    groups = [
        f"{row.group} ({counted(row.assemblies, 'assembly')}, {counted(row.samples, 'sample')})"
        for row in summary.head(MAX_NAMED).itertuples()
    ]
    more = [f"and {len(summary) - MAX_NAMED:,} more"] if len(summary) > MAX_NAMED else []
    return f"Groups          {len(summary):,}: {', '.join(groups + more)}"


def gene_lines(summary: pd.DataFrame, largest: pd.DataFrame) -> list[str]:
    """Return the four lines of gene catalogues; `largest` has group, cluster and genes, the largest cluster first."""
    total = summary[list(GENE_COUNTS)].sum()
    one_group = len(summary) == 1
    named = [
        f"{row.cluster if one_group else f'{row.group}/{row.cluster}'} ({counted(row.genes, 'gene')})"
        for row in largest.head(MAX_NAMED).itertuples()
    ]
    return [
        groups_line(summary),
        f"Genes clustered {total['genes_clustered']:,} of {total['genes']:,}"
        f" ({percent(total['genes_clustered'], total['genes'])}),"
        f" {human_bp(total['bp_clustered'])} of {human_bp(total['bp'])}",
        f"Clusters        {total['clusters']:,}, {total['large_clusters']:,} of at least {MIN_LARGE_GENES} genes with"
        f" {counted(total['genes_in_large'], 'gene')}",
        f"Largest         {', '.join(named) if named else 'none'}",
    ]


def terminal_lines(summary: pd.DataFrame, largest: pd.DataFrame) -> list[str]:
    """Return the four lines; `largest` has group, bin and size_bp of the bins, the largest first."""
    total = summary[SUMMED_COLUMNS].sum()
    one_group = len(summary) == 1
    named = [
        f"{row.bin if one_group else f'{row.group}/{row.bin}'} ({human_bp(row.size_bp)})"
        for row in largest.head(MAX_NAMED).itertuples()
    ]
    refined = f"{total['refined_assemblies']:,} of {counted(total['assemblies'], 'assembly')} refined"
    return [
        groups_line(summary),
        f"Contigs binned  {total['contigs_binned']:,} of {total['contigs']:,}"
        f" ({percent(total['contigs_binned'], total['contigs'])}),"
        f" {human_bp(total['bp_binned'])} of {human_bp(total['bp'])} ({percent(total['bp_binned'], total['bp'])})",
        f"Bins            {total['bins']:,}, {refined}",
        f"Largest bins    {', '.join(named) if named else 'none'}",
    ]


def quality_lines(quality: pd.Series) -> list[str]:
    """Return the line that counts the bins of each tier of quality; nothing if marker genes were not searched for."""
    if quality.empty:
        return []
    counts = quality.replace("", "not known").value_counts()
    tiers = [tier for tier in ("high", "medium", "low", "contaminated", "not known") if counts.get(tier, 0)]
    return [f"Quality         {', '.join(f'{counts[tier]:,} {tier}' for tier in tiers)}"]


def read_quality(path: Path) -> pd.Series:
    """Return the quality of each bin of a bins.tsv; of none if marker genes were not searched for."""
    if bins_schema(path) is BINS:
        return pd.Series(dtype=str)
    return read_table(RATED_BINS, path, ["quality"])["quality"]


def warning_lines(warnings: pd.DataFrame) -> list[str]:
    """Return a line for each warning, below one that counts them; nothing if there are none."""
    if warnings.empty:
        return []
    shown = [
        f"  {row.stage}, {' '.join(filter(None, [row.group, row.id]))}: {row.warning}"
        for row in warnings.head(MAX_SHOWN_WARNINGS).itertuples()
    ]
    more = len(warnings) - len(shown)
    rest = [f"  and {more:,} more in warnings.tsv"] if more else []
    return [f"Warnings        {len(warnings):,}", *shown, *rest]


def sum_up_bins(groups: Sequence[tuple[str, Path, Path, Path, Path]]) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of summary.tsv, but for the warnings, and the lines for the terminal."""
    rows, bins, quality = [], [], []
    for group, contigs_path, features, contig2bin_path, bins_path in sorted(groups):
        group_bins = read_table(BINS, bins_path, ["bin", "assembly", "size", "refined"])
        contigs = read_table(CONTIGS, contigs_path)
        contig2bin = read_table(CONTIG2BIN, contig2bin_path)
        check_names(contig2bin_path, contig2bin, contigs, contigs_path)
        samples = read_description(FEATURES, features, ["samples"])["samples"]
        rows.append(summarise(group, contigs, samples, contig2bin, group_bins))
        quality.append(read_quality(bins_path))
        bins.append(group_bins.assign(group=group, size_bp=group_bins["size"]))
    summary = pd.DataFrame(rows)
    largest = pd.concat(bins).sort_values(["size_bp", "group", "bin"], ascending=[False, True, True])
    return summary, [*terminal_lines(summary, largest), *quality_lines(pd.concat(quality))]


def sum_up_genes(groups: Sequence[tuple[str, Path, Path, Path]]) -> tuple[pd.DataFrame, list[str]]:
    """Return the same of groups of genes."""
    rows, tables = [], []
    for group, contigs_path, features, clusters_path in sorted(groups):
        clusters = read_table(GENE_CLUSTERS, clusters_path)
        samples = read_description(FEATURES, features, ["samples"])["samples"]
        rows.append(summarise_genes(group, read_table(CONTIGS, contigs_path), samples, clusters))
        tables.append(clusters.assign(group=group))
    summary = pd.DataFrame(rows)
    largest = pd.concat(tables).sort_values("genes", ascending=False, kind="stable")
    return summary, gene_lines(summary, largest)


@click.command()
@click.option(
    "--group",
    "groups",
    multiple=True,
    type=(str, FILE, FILE, FILE, FILE),
    metavar="GROUP CONTIGS FEATURES CONTIG2BIN BINS",
    help="A group's id and its contigs.tsv, features.json, contig2bin.tsv and bins.tsv; repeatable.",
)
@click.option(
    "--gene_group",
    "gene_groups",
    multiple=True,
    type=(str, FILE, FILE, FILE),
    metavar="GROUP CONTIGS FEATURES GENE_CLUSTERS",
    help="The id of a group of genes and its contigs.tsv, features.json and gene_clusters.tsv; repeatable.",
)
@click.option("--warnings", "warnings_path", type=FILE, help="JSON: stage, group, id and warning of each of the run.")
def main(
    groups: tuple[tuple[str, Path, Path, Path, Path], ...],
    gene_groups: tuple[tuple[str, Path, Path, Path], ...],
    warnings_path: Path | None,
) -> None:
    """Write summary.tsv, summary.json, summary.txt and warnings.tsv over all groups."""
    if bool(groups) == bool(gene_groups):
        raise click.UsageError("give all groups by --group, or all by --gene_group")
    given = json.loads(warnings_path.read_text(encoding="utf-8")) if warnings_path else []
    warnings = pd.DataFrame(given, columns=[column.name for column in WARNINGS.columns], dtype=str)
    summary, lines = sum_up_genes(gene_groups) if gene_groups else sum_up_bins(groups)
    summary["warnings"] = [int((warnings["group"] == group).sum()) for group in summary["group"]]
    write_table(GENE_SUMMARY if gene_groups else SUMMARY, summary)
    write_table(WARNINGS, warnings)
    write_summary(summary.to_dict("records"), warnings.to_dict("records"))
    write_text("summary.txt", "\n".join([*lines, *warning_lines(warnings)]) + "\n")


if __name__ == "__main__":
    main()
