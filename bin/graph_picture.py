#!/usr/bin/env python3
"""The picture of contigs and their links as SVG, coloured by bin."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from report_style import GREY, LIGHT_GREY, colour_each

SIZE, MARGIN, LEGEND = 1000, 40, 260  # pixels of the graph, around it, and of the names of the bins beside it
ROW = 24  # pixels of a name
SMALLEST, LARGEST = 3, 24  # radii of contigs
OTHER_BIN, NO_BIN = "other bins", "in no bin"


class Dot(NamedTuple):
    """A contig in the picture."""

    name: str
    length: int  # bp
    bins: tuple[str, ...]


def colours_of(chosen: Sequence[str]) -> dict[str, str]:
    """Return the colour of each chosen bin, and of what is in others or none; of many bins some share a colour."""
    return colour_each(chosen) | {OTHER_BIN: GREY, NO_BIN: LIGHT_GREY}


def shown_bin(bins: Sequence[str], colours: Mapping[str, str]) -> str:
    """Return the bin whose colour a contig has: the first chosen one that it is in."""
    return next((name for name in bins if name in colours), OTHER_BIN if bins else NO_BIN)


def legend(colours: Mapping[str, str]) -> list[str]:
    """Return the names of the bins beside the graph, each with its colour."""
    return [
        f'<circle cx="{SIZE + 10}" cy="{MARGIN + ROW * row}" r="7" fill="{colour}"/>'
        f'<text x="{SIZE + 26}" y="{MARGIN + ROW * row + 5}">{escape(name)}</text>'
        for row, (name, colour) in enumerate(colours.items())
    ]


def draw(dots: Sequence[Dot], places: np.ndarray, edges: np.ndarray, chosen: Sequence[str], title: str) -> str:
    """Return the picture of contigs at places between 0 and 1 (n x 2), with a line for each edge (k x 2).

    The area of a dot is the length of its contig. A contig in several bins has a black rim. Its name, length and bins
    show where the mouse rests on it.
    """
    colours = colours_of(chosen)
    at = MARGIN + places * (SIZE - 2 * MARGIN)
    largest = max((dot.length for dot in dots), default=1)
    lines = [
        f'<line x1="{at[one, 0]:.1f}" y1="{at[one, 1]:.1f}" x2="{at[other, 0]:.1f}" y2="{at[other, 1]:.1f}"/>'
        for one, other in edges
    ]
    circles = []
    for dot, (x, y) in zip(dots, at):
        radius = max(SMALLEST, LARGEST * math.sqrt(dot.length / largest))
        rim = ' stroke="#000000" stroke-width="2"' if len(dot.bins) > 1 else ' stroke="#FFFFFF"'
        about = escape(f"{dot.name}, {dot.length:,} bp, {', '.join(dot.bins) or NO_BIN}")
        circles.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colours[shown_bin(dot.bins, colours)]}"{rim}>'
            f"<title>{about}</title></circle>"
        )
    names = legend(colours)
    height = max(SIZE, 2 * MARGIN + ROW * len(names))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE + LEGEND} {height}" '
            'font-family="sans-serif" font-size="14">',
            f'<rect width="100%" height="100%" fill="#FFFFFF"/><text x="{MARGIN}" y="22">{escape(title)}</text>',
            '<g stroke="#A0A0A0" stroke-width="1">',
            *lines,
            "</g>",
            *circles,
            *names,
            "</svg>\n",
        ]
    )
