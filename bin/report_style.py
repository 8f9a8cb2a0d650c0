#!/usr/bin/env python3
"""What sections of the report have in common: names, colours, and the form of MultiQC's custom content."""

from collections.abc import Iterable

from report_words import TEXTS, TITLES

# Of Okabe and Ito, told apart by people who see no red or no green; their yellow is too light on white.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
# Shapes beside the colours, for printouts without any
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x")
GREY, LIGHT_GREY = "#8C8C8C", "#D0D0D0"
TIERS = ("high", "medium", "low", "contaminated")
UNRATED = "not rated"
TIER_COLOURS = dict(zip((*TIERS, UNRATED), ("#0072B2", "#56B4E9", "#E69F00", "#D55E00", GREY)))
MIN_COVERAGE = 0.01  # what is shown of a coverage below, as zero has no logarithm
MIN_HEIGHT, BAR_HEIGHT = 300, 26  # pixels of a bar chart, and of each bar


def full_name(group: str, name: str, groups: list) -> str:
    """Return the name of a sample, assembly or bin: with its group before it where there are several groups.

    MultiQC would cut off all that stands before a slash.
    """
    return name if len(groups) == 1 else f"{group}: {name}"


def share(part: float, whole: float) -> float:
    """Return a share in percent; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def colour_each(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name; of many names some share one."""
    return {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(names)}


def largest_bins(groups: list[dict], most: int) -> tuple[list[tuple[str, dict]], str]:
    """Return full names and rows of the largest bins, and what a text says if there are more."""
    bins = [(full_name(group["group"], row["bin"], groups), row) for group in groups for row in group["bins"]]
    shown = sorted(bins, key=lambda pair: -pair[1]["size"])[:most]
    return shown, f" The {len(shown)} largest of {len(bins):,} bins are shown." if len(bins) > len(shown) else ""


def mean_coverage(row: dict) -> float:
    """Return the mean coverage of a bin over the samples."""
    return sum(row["coverage"]) / len(row["coverage"])


def tier_of(row: dict) -> str:
    """Return the tier of a bin, or that it has none."""
    return row.get("quality") or UNRATED


def section(name: str, plot_type: str, more_text: str = "", **content: object) -> dict:
    """Return a section of the report; its id is its place in assets/multiqc_config.yml."""
    text = TEXTS[name] + more_text
    return {"id": name, "section_name": TITLES[name], "description": text, "plot_type": plot_type, **content}


def plot_settings(name: str, x: str, y: str, **more: object) -> dict:
    """Return MultiQC's settings of a plot: its title, the titles of its axes, and others."""
    return {"id": f"{name}_plot", "title": TITLES[name], "xlab": x, "ylab": y, **more}


def bar_height(n_bars: int) -> int:
    """Return the height of a chart of horizontal bars, in pixels."""
    return max(MIN_HEIGHT, 150 + BAR_HEIGHT * n_bars)
