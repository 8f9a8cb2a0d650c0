#!/usr/bin/env python3
"""The tables of the report, and its pages of text, as MultiQC's custom content."""

from html import escape

from report_style import TIERS, full_name, largest_bins, mean_coverage, section, share
from report_words import TITLES

MAX_BIN_ROWS = 100  # of the table of bins: a browser lays out each before the page is loaded (docs/scale.md)
# The colours of the figures, dark enough for the white text on them
TIER_SHADES = {"high": "#005A8C", "medium": "#3A7CA5", "low": "#946200", "contaminated": "#A63A00"}
PERCENT = {"min": 0, "max": 100, "suffix": " %", "format": "{:,.1f}"}
WHOLE = {"format": "{:,.0f}"}


def column(title: str, description: str, scale: str | bool = False, **options: object) -> dict:
    """Return how MultiQC shows a column of a table."""
    return {"title": title, "description": description, "scale": scale, **options}


def samples_table(groups: list[dict]) -> dict | None:
    """Return the general statistics: the reads of each sample."""
    headers = {
        "reads": column("Reads", "Reads of the sample", "Blues", shared_key="reads", **WHOLE),
        "mapped": column("Mapped", "Share of the reads that was mapped to contigs", "GnBu", **PERCENT),
        "counted": column("Counted", "Share of the reads whose alignment is good enough to count", "GnBu", **PERCENT),
        "coverage": column(
            "Coverage", "Mean reads per base over all contigs of the group", "Purples", format="{:,.2f}"
        ),
    }
    rows = {
        full_name(group["group"], sample["sample"], groups): {
            "reads": sample["reads"],
            "mapped": share(sample["mapped_reads"], sample["reads"]),
            "counted": share(sample["counted_reads"], sample["reads"]),
            "coverage": sample["mean_coverage"],
        }
        for group in groups
        for sample in group["samples"]
    }
    content = {"id": "samples", "plot_type": "generalstats", "namespace": "Samples", "headers": headers, "data": rows}
    return content if rows else None


def table(name: str, headers: dict, rows: dict, first: str, more_text: str = "") -> dict:
    """Return a section with a table; `first` heads the column of the names of the rows."""
    settings = {
        "id": f"{name}_plot",
        "title": TITLES[name],
        "col1_header": first,
        "no_violin": True,
        "sort_rows": False,
    }
    return section(name, "table", more_text, pconfig=settings, headers=headers, data=rows)


def genes_table(summary: list[dict]) -> dict:
    """Return the numbers of summary.tsv of groups of genes."""
    headers = {
        "assemblies": column("Catalogues", "Gene FASTA of the group", **WHOLE),
        "samples": column("Samples", "Samples with a count on any gene", **WHOLE),
        "genes": column("Genes", "Genes of the group", **WHOLE),
        "clustered": column("Clustered", "Share of the genes that is in a cluster", "GnBu", **PERCENT),
        "clusters": column("Clusters", "Clusters of genes", "Blues", **WHOLE),
        "large_clusters": column("Large", "Clusters of at least 500 genes", "Blues", **WHOLE),
        "genes_in_large": column("Genes in large", "Genes in clusters of at least 500 genes", **WHOLE),
        "warnings": column("Warnings", "What the stages found doubtful: see the section Warnings", "Oranges", **WHOLE),
    }
    rows = {
        row["group"]: {name: row[name] for name in headers if name in row}
        | {"clustered": share(row["genes_clustered"], row["genes"])}
        for row in summary
    }
    return table(
        "groups", headers, rows, "Group", " What is called a contig below is a gene here, and a bin a cluster."
    )


def groups_table(summary: list[dict], groups: list[dict]) -> dict:
    """Return the numbers of summary.tsv, and how many bins of each group are of which quality."""
    if any(group["gene_clusters"] for group in groups):
        return genes_table(summary)
    headers = {
        "assemblies": column("Assemblies", "Assemblies of the group", **WHOLE),
        "samples": column("Samples", "Samples with a count on any contig", **WHOLE),
        "contigs": column("Contigs", "Contigs of all assemblies", **WHOLE),
        "mbp": column("Mbp", "Million base pairs in contigs", format="{:,.2f}"),
        "binned": column("Binned", "Share of the base pairs that is in a published bin", "GnBu", **PERCENT),
        "bins": column("Bins", "Published bins", "Blues", **WHOLE),
        **{tier: column(tier.capitalize(), f"Bins of the tier {tier}", hidden=True, **WHOLE) for tier in TIERS},
        "warnings": column("Warnings", "What the stages found doubtful: see the section Warnings", "Oranges", **WHOLE),
    }
    by_name = {group["group"]: group for group in groups}
    rows = {}
    for row in summary:
        qualities = [bin_row.get("quality") for bin_row in by_name[row["group"]]["bins"]]
        numbers = {name: row[name] for name in ("assemblies", "samples", "contigs", "bins", "warnings")}
        rows[row["group"]] = {
            **numbers,
            "mbp": row["bp"] / 1e6,
            "binned": share(row["bp_binned"], row["bp"]),
            **{tier: qualities.count(tier) for tier in TIERS if any(qualities)},
        }
    return table("groups", headers, rows, "Group")


def bins_table(groups: list[dict]) -> dict | None:
    """Return the table of bins: the largest of all groups, each group's in the order of size."""
    tiers = [{tier: [{"s_eq": tier}]} for tier in TIERS]
    headers = {
        "size": column("kbp", "Size: thousand base pairs in its contigs", "Blues", format="{:,.1f}"),
        "contigs": column("Contigs", "Contigs of the bin", **WHOLE),
        "n50": column("N50", "kbp: half of the bin is in contigs of at least this length", format="{:,.1f}"),
        "gc": column("GC", "Share of G and C among the bases", **PERCENT),
        "coverage": column("Coverage", "Coverage, the mean over the samples", "Purples", format="{:,.2f}"),
        "completeness": column("Complete", "Share of its genome that a bin holds, by marker genes", "GnBu", **PERCENT),
        "contamination": column("Contam.", "Foreign sequence, as a share of the genome", "Oranges", **PERCENT),
        "quality": column(
            "Quality",
            "Tier by MIMAG's bounds on completeness and contamination; its rRNAs and tRNAs are not looked for",
            cond_formatting_rules={tier: rule[tier] for tier, rule in zip(TIERS, tiers, strict=True)},
            cond_formatting_colours=[TIER_SHADES],
        ),
    }  # fmt: skip
    shown, left_out = largest_bins(groups, MAX_BIN_ROWS)
    rows = {name: bin_cells(row) for name, row in shown}
    used = {name for cells in rows.values() for name in cells}
    unknown = (
        "" if {"quality"} & used else " The quality of none is known: marker genes tell it (<code>--markers</code>)."
    )
    headers = {name: header for name, header in headers.items() if name in used}
    return table("bin_table", headers, rows, "Bin", left_out + unknown) if rows else None


def bin_cells(row: dict) -> dict:
    """Return the cells of a bin in the table, without those that are not known."""
    cells = {
        "size": row["size"] / 1e3,
        "contigs": row["contigs"],
        "n50": row["n50"] / 1e3,
        "gc": 100 * row["gc"],
        "coverage": mean_coverage(row),
    }
    if row.get("quality"):
        cells |= {name: 100 * row[name] for name in ("completeness", "contamination")} | {"quality": row["quality"]}
    return cells


def html_table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table of texts as HTML; the texts are escaped."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="table-responsive"><table class="table table-sm"><tr>{head}</tr>{body}</table></div>'


def warnings_page(warnings: list[dict]) -> dict:
    """Return the warnings of all stages."""
    names = ["stage", "group", "id", "warning"]
    rows = [[str(warning[name]) for name in names] for warning in warnings]
    html = html_table(["Stage", "Group", "Sample or assembly", "Warning"], rows) if rows else "<p>No stage warned.</p>"
    return section("warnings", "html", data=html)


def run_page(run: dict[str, str]) -> dict:
    """Return how the run was started. Its values are texts by their names, in the order of the page."""
    html = html_table(["What", "Value"], [[name, value] for name, value in run.items() if value])
    return section("run", "html", data=html)
