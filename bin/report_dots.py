#!/usr/bin/env python3
"""The dots of the report, as MultiQC's custom content: each returns None if it has nothing to show.

MultiQC draws every dot by itself, which takes a browser a second for a thousand: their number is bounded.
"""

import math

from report_style import (
    GREY,
    LIGHT_GREY,
    MIN_COVERAGE,
    PALETTE,
    SYMBOLS,
    TIER_COLOURS,
    UNRATED,
    largest_bins,
    mean_coverage,
    plot_settings,
    section,
    tier_of,
)

MAX_BIN_DOTS = 200  # bins in a plot
MAX_CONTIG_DOTS = 1200  # contigs in all groups together; a plot shows one group
MAX_PICTURES = 20  # groups whose contigs are shown
OTHER_BINS = {"in no bin": LIGHT_GREY, "other bins": GREY}  # drawn first, below the others
OTHER_CLUSTERS = {"in no cluster": LIGHT_GREY, "other clusters": GREY}  # the same of genes
OTHERS = OTHER_BINS | OTHER_CLUSTERS
DOT_PIXELS, SMALL_DOT, LARGE_DOT = 8, 6, 30  # diameters of dots: of all, or of the smallest and the largest bin
# Bounds of MIMAG's tiers, %
COMPLETENESS_BOUNDS, CONTAMINATION_BOUNDS = (50, 90), (5, 10)


def contig_dots(groups: list[dict], kind: str) -> dict | None:
    """Return contigs by their input or latent in two dimensions, coloured by bin (preprint figure 2E, F)."""
    shown = [group for group in groups if group["pictures"] and kind in group["pictures"]][:MAX_PICTURES]
    if not shown:
        return None
    data = [picture_dots(group["pictures"], kind, MAX_CONTIG_DOTS // len(shown)) for group in shown]
    labels = [{"name": group["group"], **axis_titles(group["pictures"][kind].get("explained"))} for group in shown]
    settings = plot_settings(kind, labels[0]["xlab"], labels[0]["ylab"], series_label="contigs", showlegend=True)
    others = OTHER_CLUSTERS if shown[0]["gene_clusters"] else OTHER_BINS
    settings["groups"] = [*others, *sorted({dot["group"] for dots in data for dot in all_dots(dots)} - {*others})]
    if len(shown) > 1:
        settings["data_labels"] = labels
    return section(kind, "scatter", pconfig=settings, data=data)


def all_dots(dots: dict[str, list[dict]]) -> list[dict]:
    """Return the dots of a plot."""
    return [dot for named in dots.values() for dot in named]


def axis_titles(explained: list[float] | None) -> dict[str, str]:
    """Return the titles of the two axes, with the variance that each explains; UMAP's explain none."""
    titles = ["UMAP 1", "UMAP 2"]
    if explained is not None:
        # MultiQC would take the unit of a percentage for that of the axis.
        titles = [f"PC{number} ({part:.2f} of variance)" for number, part in enumerate(explained, 1)]
    return dict(zip(("xlab", "ylab"), titles))


def picture_dots(picture: dict, kind: str, most: int) -> dict[str, list[dict]]:
    """Return the dots of a group by the bin of their contigs, each bin in its colour and shape."""
    bins = sorted({*picture["bins"]} - {*OTHERS})
    looks = {name: (colour, "circle", 0.5) for name, colour in OTHERS.items()}
    looks |= {name: (colour, symbol, 0.8) for name, colour, symbol in zip(bins, PALETTE, SYMBOLS)}
    dots: dict[str, list[dict]] = {}
    for name, x, y in list(zip(picture["bins"], picture[kind]["x"], picture[kind]["y"]))[:most]:
        colour, symbol, opacity = looks[name]
        dots.setdefault(name, []).append(
            {
                "x": x, "y": y, "name": name, "group": name, "color": colour, "marker_symbol": symbol,
                "opacity": opacity, "marker_size": DOT_PIXELS, "marker_line_width": 0, "annotate": False,
            }
        )  # fmt: skip
    return dots


def tier_dot(name: str, row: dict, x: float, y: float, pixels: int) -> dict:
    """Return the dot of a bin, in the colour of its tier."""
    tier = tier_of(row)
    return {
        "x": x, "y": y, "name": name, "group": tier, "color": TIER_COLOURS[tier], "opacity": 0.7,
        "marker_size": pixels, "marker_line_width": 1, "annotate": False,
    }  # fmt: skip


def gc_coverage_dots(groups: list[dict]) -> dict | None:
    """Return GC and coverage of the bins; the area of a dot is the size of the bin."""
    bins, left_out = largest_bins(groups, MAX_BIN_DOTS)
    largest = max((row["size"] for _, row in bins), default=1)
    dots = {}
    for name, row in bins:
        coverage = max(mean_coverage(row), MIN_COVERAGE)
        pixels = max(SMALL_DOT, round(LARGE_DOT * math.sqrt(row["size"] / largest)))
        dots[name] = [tier_dot(name, row, round(100 * row["gc"], 2), coverage, pixels)]
    settings = plot_settings(
        "gc_coverage",
        "GC",
        "Coverage",
        ylog=True,
        xsuffix="%",
        series_label="bins",
        showlegend=True,
        groups=list(TIER_COLOURS),
    )
    return section("gc_coverage", "scatter", left_out, pconfig=settings, data=dots) if dots else None


def quality_dots(groups: list[dict]) -> dict | None:
    """Return completeness and contamination of the bins of which they are known."""
    bins, left_out = largest_bins(groups, MAX_BIN_DOTS)
    rated = [(name, row) for name, row in bins if tier_of(row) != UNRATED]
    dots = {
        name: [tier_dot(name, row, 100 * row["completeness"], 100 * row["contamination"], DOT_PIXELS + 2)]
        for name, row in rated
    }
    lines = {
        f"{axis}_lines": [{"value": bound, "color": GREY, "dash": "dash", "width": 1} for bound in bounds]
        for axis, bounds in (("x", COMPLETENESS_BOUNDS), ("y", CONTAMINATION_BOUNDS))
    }
    settings = plot_settings(
        "quality", "Completeness", "Contamination", xsuffix="%", ysuffix="%", series_label="bins", xmin=0, xmax=105,
        ymin=-1, showlegend=True, groups=list(TIER_COLOURS), **lines,
    )  # fmt: skip
    return section("quality", "scatter", left_out, pconfig=settings, data=dots) if dots else None
