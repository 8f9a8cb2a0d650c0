#!/usr/bin/env python3
"""The bars, curves and maps of the report, as MultiQC's custom content: each returns None if it has nothing to show."""

import math

from report_style import (
    MIN_COVERAGE,
    TIER_COLOURS,
    bar_height,
    colour_each,
    full_name,
    plot_settings,
    section,
    tier_of,
)
from report_words import FATES, LENGTH_NAMES, REFINEMENTS

MAX_BARS = 100  # assemblies in a chart
MAX_MAP_BINS, MAX_MAP_SAMPLES = 100, 100  # of the map of coverages
MAX_NAMED_LINES = 3  # thresholds with their number beside them
# Classes of the sizes of bins: each begins at one of these, in bp, and ends before the next.
SIZE_CLASSES = {
    0: "below 50 kbp", 50_000: "50 to 100 kbp", 100_000: "100 to 200 kbp", 200_000: "200 to 500 kbp",
    500_000: "0.5 to 1 Mbp", 1_000_000: "1 to 2 Mbp", 2_000_000: "2 to 3 Mbp", 3_000_000: "3 to 5 Mbp",
    5_000_000: "5 to 10 Mbp", 10_000_000: "10 Mbp and more",
}  # fmt: skip
# From dark to light, and read in the same order by people who see no red or no green (viridis)
COLOUR_STOPS = [[0, "#440154"], [0.25, "#3B528B"], [0.5, "#21918C"], [0.75, "#5EC962"], [1, "#FDE725"]]
TERMS = {
    "loss": "Loss",
    "ce": "CE: abundance",
    "sse": "SSE: composition",
    "kld": "KLD: latent",
}
BASES = [{"name": "Base pairs", "ylab": "Base pairs"}, {"name": "Contigs", "ylab": "Contigs"}]


def two_datasets(rows: dict[str, dict[str, list[int]]], words: dict) -> list[dict]:
    """Return the base pairs, then the number of contigs, of each row by the words of a chart."""
    return [
        {name: {word: cells[word][unit] for word in words if word in cells} for name, cells in rows.items()}
        for unit in (1, 0)
    ]


def bars(name: str, rows: dict, words: dict) -> dict:
    """Return a chart with a bar for each row, in base pairs or contigs; `words` has name and colour of each part."""
    categories = {word: {"name": shown, "color": colour} for word, (shown, colour) in words.items()}
    settings = plot_settings(
        name, "", "Base pairs", data_labels=BASES, sort_samples=False, height=bar_height(len(rows))
    )
    data = two_datasets(rows, words)
    return section(name, "bargraph", pconfig=settings, data=data, categories=[categories] * len(data))


def assemblies(groups: list[dict], key: str) -> dict:
    """Return what the groups have of each assembly under a key, the first of them if there are too many to draw."""
    found = [
        (full_name(group["group"], assembly, groups), cells)
        for group in groups
        for assembly, cells in sorted((group["contigs"] if key == "by_assembly" else group)[key].items())
    ]
    return dict(found[:MAX_BARS])


def binned_bars(groups: list[dict]) -> dict | None:
    """Return how much of each assembly is binned."""
    rows = assemblies(groups, "by_assembly")
    return bars("binned", rows, FATES) if rows else None


def length_bars(groups: list[dict]) -> dict | None:
    """Return the lengths of contigs over all groups, and what became of them."""
    rows: dict[str, dict[str, list[int]]] = {}
    for bound, name in LENGTH_NAMES.items():
        for group in groups:
            for word, (contigs, bp) in group["contigs"]["by_length"].get(bound, {}).items():
                cell = rows.setdefault(name, {}).setdefault(word, [0, 0])
                cell[0] += contigs
                cell[1] += bp
    return bars("lengths", rows, FATES) if rows else None


def refinement_bars(groups: list[dict]) -> dict | None:
    """Return what the refinement changed in each assembly."""
    rows = assemblies(groups, "refinement")
    return bars("refinement", rows, REFINEMENTS) if rows else None


def cluster_curves(groups: list[dict]) -> dict | None:
    """Return how many clusters of genes have at least so many genes, a curve for each group (preprint figure S10)."""
    data = {
        group["group"]: list(zip(group["gene_clusters"]["least_genes"], group["gene_clusters"]["clusters"]))
        for group in groups
        if group["gene_clusters"]
    }
    settings = plot_settings(
        "cluster_sizes", "Genes at least", "Clusters", xlog=True, ylog=True, colors=colour_each(data)
    )
    return section("cluster_sizes", "linegraph", pconfig=settings, data=data) if any(data.values()) else None


def found_curves(groups: list[dict]) -> dict | None:
    """Return how many large clusters of genes there are among the genes clustered first, where there are any."""
    data = {
        group["group"]: list(zip(group["gene_clusters"]["genes_found"], group["gene_clusters"]["large_found"]))
        for group in groups
        if group["gene_clusters"] and any(group["gene_clusters"]["large_found"])
    }
    settings = plot_settings("found_clusters", "Genes clustered", "Large clusters", ymin=0, colors=colour_each(data))
    return section("found_clusters", "linegraph", pconfig=settings, data=data) if data else None


def training_curves(groups: list[dict]) -> dict | None:
    """Return the loss and its terms over the epochs, a curve for each group."""
    trained = [group for group in groups if group["training"]]
    data = [
        {group["group"]: list(zip(group["training"]["epoch"], group["training"][term])) for group in trained}
        for term in TERMS
    ]
    labels = [{"name": name, "ylab": name} for name in TERMS.values()]
    settings = plot_settings("training", "Epoch", "Loss", data_labels=labels, colors=colour_each(data[0]))
    return section("training", "linegraph", pconfig=settings, data=data) if trained else None


def genome_curves(groups: list[dict]) -> dict | None:
    """Return the genomes found by recall, a curve for each binning of each group whose genomes are known (figure 3)."""
    known = [group for group in groups if group["genomes"]]
    data = {
        full_name(group["group"], name, known): list(zip(group["genomes"]["recall"], numbers))
        for group in known
        for name, numbers in group["genomes"]["binnings"].items()
    }
    settings = plot_settings("genomes", "Recall", "Genomes found", ymin=0, colors=colour_each(data))
    return section("genomes", "linegraph", pconfig=settings, data=data) if data else None


def distance_curves(groups: list[dict]) -> dict | None:
    """Return the density of distances between contigs in the latent, with the threshold (preprint figure 1C)."""
    found = [group for group in groups if group["distances"]]
    data = {group["group"]: list(zip(group["distances"]["distance"], group["distances"]["density"])) for group in found}
    colours = colour_each(data)
    lines = [
        {
            "value": group["distances"]["threshold"],
            "color": colours[group["group"]],
            "dash": "dash",
            **({"label": f"{group['distances']['threshold']:.3g}"} if len(found) <= MAX_NAMED_LINES else {}),
        }
        for group in found
    ]
    settings = plot_settings("distances", "Distance", "Density", x_lines=lines, colors=colours)
    return section("distances", "linegraph", pconfig=settings, data=data) if found else None


def size_bars(groups: list[dict]) -> dict | None:
    """Return how many bins are of which size and which tier of quality."""
    bounds = list(SIZE_CLASSES)
    rows: dict[str, dict[str, int]] = {}
    for bound, next_bound in zip(bounds, [*bounds[1:], math.inf]):
        tiers = [tier_of(row) for group in groups for row in group["bins"] if bound <= row["size"] < next_bound]
        if tiers:
            rows[SIZE_CLASSES[bound]] = {tier: tiers.count(tier) for tier in TIER_COLOURS if tier in tiers}
    used = {tier for cells in rows.values() for tier in cells}
    categories = {tier: {"name": tier, "color": colour} for tier, colour in TIER_COLOURS.items() if tier in used}
    settings = plot_settings("sizes", "", "Bins", sort_samples=False, cpswitch=False, height=bar_height(len(rows)))
    content = {"pconfig": settings, "data": rows, "categories": categories}
    return section("sizes", "bargraph", **content) if rows else None


def coverage_map(groups: list[dict]) -> dict | None:
    """Return the coverage of the largest bins in the samples, as a map of colours."""
    columns = [(group["group"], sample) for group in groups for sample in group["coverage_samples"]][:MAX_MAP_SAMPLES]
    with_column = [group for group in groups if group["group"] in {name for name, _ in columns}]
    bins = [(group, row) for group in with_column for row in group["bins"]]
    largest = sorted(bins, key=lambda pair: -pair[1]["size"])[:MAX_MAP_BINS]
    names = {id(row): full_name(group["group"], row["bin"], groups) for group, row in largest}
    shown = [(group, row) for group, row in bins if id(row) in names]
    n_bins = sum(len(group["bins"]) for group in groups)
    data = []
    for group, row in shown:
        of_sample = {
            (group["group"], sample): value for sample, value in zip(group["coverage_samples"], row["coverage"])
        }
        data.append([logarithm(of_sample[column]) if column in of_sample else None for column in columns])
    left_out = f" {len(shown)} of {n_bins:,} bins are shown, the largest." if n_bins > len(shown) else ""
    settings = plot_settings(
        "coverages", "Sample", "Bin", zlab="Coverage, power of ten", square=False,
        colstops=COLOUR_STOPS,
        cluster_rows=False, cluster_cols=False, ycats_samples=False, xcats_samples=False,
        display_values=False, series_label="bins",
        height=bar_height(len(shown)),
    )  # fmt: skip
    xcats = [full_name(group, sample, groups) for group, sample in columns]
    content = {"pconfig": settings, "data": data, "xcats": xcats, "ycats": [names[id(row)] for _, row in shown]}
    return section("coverages", "heatmap", left_out, **content) if data else None


def logarithm(coverage: float) -> float:
    """Return the power of ten of a coverage, of a very small one at least."""
    return round(math.log10(max(coverage, MIN_COVERAGE)), 3)
