"""report_style.py: colours that everybody tells apart, names, shares."""

import itertools

import pytest

from report_flows import OPACITY, colours
from report_style import MIN_HEIGHT, PALETTE, SYMBOLS, TIER_COLOURS, bar_height, full_name, share, tier_of

MIN_LIGHTNESS_STEP = 5  # between two colours, in a hundred, where their hue does not tell them apart
UNDRAWN = {"in no bin", "not reached", "not in graph"}  # changes that no ribbon has
# What is seen of red, green and blue without the cones for red, or green (Machado and others 2009, severity 1)
BLINDNESS = {
    "red": [(0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)],
    "green": [(0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)],
}


def linear(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def lab(rgb):
    """CIE L*a*b* of linear red, green and blue."""
    x, y, z = (
        sum(weight * part for weight, part in zip(row, rgb)) / white
        for row, white in (
            ((0.4124, 0.3576, 0.1805), 0.9505),
            ((0.2126, 0.7152, 0.0722), 1),
            ((0.0193, 0.1192, 0.9505), 1.089),
        )
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (max(x, 0), max(y, 0), max(z, 0)))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def on_white(colour):
    """What a ribbon of a flow looks like, through which white shows."""
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(OPACITY * part + (1 - OPACITY) * 255):02X}" for part in parts)


RIBBONS = tuple(on_white(colour) for change, colour in colours().items() if change not in UNDRAWN)


@pytest.mark.parametrize("blind", [None, *BLINDNESS])
@pytest.mark.parametrize(
    "colours", [PALETTE, tuple(TIER_COLOURS.values()), RIBBONS], ids=["palette", "tiers", "ribbons"]
)
def test_colours_are_told_apart_without_red_or_green(colours, blind):
    rows = BLINDNESS.get(blind, [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
    seen = [lab([sum(w * part for w, part in zip(row, linear(colour))) for row in rows]) for colour in colours]
    for (one, first), (other, second) in itertools.combinations(zip(colours, seen), 2):
        assert sum((a - b) ** 2 for a, b in zip(first, second)) ** 0.5 > 2 * MIN_LIGHTNESS_STEP, (one, other, blind)


def test_each_colour_has_a_shape():
    assert len(set(SYMBOLS)) == len(PALETTE) == len(set(PALETTE))


def test_names_shares_and_tiers():
    assert full_name("g", "b", [1]) == "b" and full_name("g", "b", [1, 2]) == "g: b"
    assert share(1, 4) == 25 and share(0, 0) == 0
    assert tier_of({"quality": "low"}) == "low" and tier_of({"quality": ""}) == tier_of({}) == "not rated"
    assert bar_height(1) == MIN_HEIGHT < bar_height(20)
