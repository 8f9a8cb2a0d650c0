#!/usr/bin/env python3
"""The flows of the report, as MultiQC's custom content: where base pairs went from clusters to bins, as SVG.

A picture is as wide as the page, its ribbons with it; what is written in it has the same size on any screen. Names are
long or short by the width of the screen (assets/multiqc.css). What is in none of the largest clusters and bins, before
and after, has no ribbon: beside it, what the picture is about would be too thin to see. Its base pairs stand below.
"""

import itertools
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from report_files import NAMED, NODE_KINDS, NONE, SMALLER, UNPUBLISHED
from report_style import GREY, LIGHT_GREY, full_name, section
from report_words import REFINEMENTS

MAX_FLOWS = 8  # assemblies whose flow is drawn
ROW = 18  # pixels of a name, and so between two nodes
NODE_HEIGHT, MAX_HEIGHT = 40, 330  # pixels of all ribbons side by side: for each node, and at most
HEAD = 24  # pixels above the nodes
BASELINE = 4  # pixels from the middle of a name to its foot
NODE_WIDTH, MIN_NODE_HEIGHT = 8, 1  # pixels
NAMES_PERCENT = 32  # of the width of a picture, for the names at each side
LONG_NAME, SHORT_NAME = 26, 12  # characters of a name on a wide and on a narrow screen
SWEEPS = 4  # over both sides, to find an order of few crossings
OPACITY = 0.75  # of ribbons, so that what crosses shows
MIN_SHOWN_BP = 500  # what is shown as 0.001 Mbp
NODE_COLOURS = {NAMED: "currentColor", SMALLER: GREY, UNPUBLISHED: GREY, NONE: LIGHT_GREY}
SIDES = ("before", "after")
HEADS = {"before": ("Clusters before", "Clusters"), "after": ("Bins after", "Bins")}  # long and short
SHORT_LUMPS = {SMALLER: "smaller", UNPUBLISHED: "too small", NONE: "none"}
# What a node without a name is called, by its side and kind: for one member, and for more
LUMPS = {
    "before": {SMALLER: ("smaller cluster", "smaller clusters"), NONE: ("no cluster", "no cluster")},
    "after": {
        SMALLER: ("smaller bin", "smaller bins"),
        UNPUBLISHED: ("bin too small", "bins too small"),
        NONE: ("no bin", "no bin"),
    },
}


class Ribbon(NamedTuple):
    """Base pairs on their way between two nodes."""

    ends: tuple[int, int]  # numbers of the nodes before and after
    change: str  # as the report calls it
    bp: int


class Node(NamedTuple):
    """A node in the picture."""

    top: float  # pixels
    height: float
    bp: int  # that are drawn of it


def mbp(bp: int) -> str:
    """Return base pairs as Mbp, with three digits."""
    value = bp / 1e6
    decimals = next((n for n, bound in enumerate((100, 10, 1)) if value >= bound), 3)
    return f"{value:,.{decimals}f} Mbp" if bp >= MIN_SHOWN_BP or not bp else "below 0.001 Mbp"


def shortened(name: str, most: int) -> str:
    """Return a name in at most so many characters; the number at its end tells more than its middle."""
    head = (most - 1) // 3
    return name if len(name) <= most else f"{name[:head]}…{name[head + 1 - most :]}"


def node_name(side: str, node: dict) -> str:
    """Return what a node is called, in full."""
    if node["kind"] != NAMED:
        return LUMPS[side][node["kind"]][node["members"] > 1]
    return f"cluster {node['name']}" if side == "before" and node["name"].isdecimal() else node["name"]


def kinds(flow: dict, source: int, target: int) -> tuple[str, str]:
    """Return what two nodes stand for, one before and one after."""
    return flow["before"][source]["kind"], flow["after"][target]["kind"]


def ribbons_of(flow: dict) -> list[Ribbon]:
    """Return the ways of a flow that begin or end at a node with a name of its own; one for each pair and change."""
    sums: Counter = Counter()
    for source, target, change, bp in flow["ways"]:
        if NAMED in kinds(flow, source, target):
            sums[(source, target), REFINEMENTS[change][0]] += bp
    return [Ribbon(ends, change, bp) for (ends, change), bp in sums.items()]


def left_out(flow: dict) -> str:
    """Return how much went between nodes of which none has a name of its own."""
    sums: Counter = Counter()
    for source, target, _, bp in flow["ways"]:
        if NAMED not in kinds(flow, source, target):
            sums[source, target] += bp
    parts = [
        f"{mbp(bp)} from {node_name('before', flow['before'][source])} to {node_name('after', flow['after'][target])}"
        for (source, target), bp in sums.most_common()
    ]
    return f"Not drawn, as neither end has a name: {', '.join(parts)}." if parts else ""


def ordered(nodes: list[dict], numbers: Iterable[int], ties: Iterable[tuple[int, int, int]], other: list[int]) -> list:
    """Return the numbers of nodes by where half of their base pairs are on the other side, those without a name last.

    ties: own node, node of the other side, base pairs; other: the nodes of the other side in their order. The median
    leaves nodes that exchange little in the order of their size, where a mean would shuffle them.
    """
    tied: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for own, end, bp in ties:
        tied[own].append((other.index(end), bp))
    median = {}
    for number, pairs in tied.items():
        sums = list(itertools.accumulate(bp for _, bp in sorted(pairs)))
        median[number] = sorted(pairs)[bisect_left(sums, sums[-1] / 2)][0]
    return sorted(numbers, key=lambda n: (NODE_KINDS.index(nodes[n]["kind"]), median.get(n, len(other)), n))


def orders(flow: dict, ribbons: Sequence[Ribbon]) -> tuple[list[int], list[int]]:
    """Return the numbers of the drawn nodes of both sides from top to bottom, so that few ribbons cross."""
    before, after = (sorted({ribbon.ends[side] for ribbon in ribbons}) for side in (0, 1))
    # What comes from none or goes there crosses others anyway, and says nothing about what belongs together.
    ties = [(*ribbon.ends, ribbon.bp) for ribbon in ribbons if NONE not in kinds(flow, *ribbon.ends)]
    for _ in range(SWEEPS):
        after = ordered(flow["after"], after, [(target, source, bp) for source, target, bp in ties], before)
        before = ordered(flow["before"], before, ties, after)
    return before, after


def placed(order: list[int], drawn: Counter, scale: float, height: float) -> dict[int, Node]:
    """Return the nodes of a side below each other, in the middle of a picture of this height."""
    top = HEAD + (height - scale * sum(drawn.values()) - ROW * len(order)) / 2
    nodes = {}
    for number in order:
        nodes[number] = Node(top + ROW / 2, scale * drawn[number], drawn[number])
        top += ROW + scale * drawn[number]
    return nodes


def ribbon_paths(
    sides: tuple[dict[int, Node], dict[int, Node]], ribbons: Sequence[Ribbon], scale: float
) -> list[tuple[Ribbon, str]]:
    """Return the outline of each ribbon, 100 wide. At each node they lie in the order of their other ends."""
    tops: tuple[dict[Ribbon, float], dict[Ribbon, float]] = ({}, {})
    for end, nodes in enumerate(sides):
        filled = {number: node.top for number, node in nodes.items()}
        for ribbon in sorted(ribbons, key=lambda one: (sides[1 - end][one.ends[1 - end]].top, one.change)):
            tops[end][ribbon] = filled[ribbon.ends[end]]
            filled[ribbon.ends[end]] += scale * ribbon.bp
    paths = []
    for ribbon in ribbons:
        left, right, width = tops[0][ribbon], tops[1][ribbon], scale * ribbon.bp
        upper = f"M0 {left:.1f}C50 {left:.1f} 50 {right:.1f} 100 {right:.1f}"
        lower = f"V{right + width:.1f}C50 {right + width:.1f} 50 {left + width:.1f} 0 {left + width:.1f}Z"
        paths.append((ribbon, upper + lower))
    return paths


def text_beside(side: str, y: float, long: str, short: str, more: str = "") -> str:
    """Return a name at the side of a picture, for a wide and for a narrow screen, of which the page shows one."""
    x, anchor, shift = (NAMES_PERCENT, "end", -6) if side == "before" else (100 - NAMES_PERCENT, "start", 6)
    return (
        f'<text x="{x}%" y="{y:.1f}" dx="{shift}" text-anchor="{anchor}"{more}>'
        f'<tspan class="flow-wide">{escape(long)}</tspan><tspan class="flow-narrow">{escape(short)}</tspan></text>'
    )


def node_marks(side: str, flow: dict, nodes: dict[int, Node]) -> list[str]:
    """Return the nodes of a side with their names, in HTML."""
    marks = [text_beside(side, HEAD / 2, *HEADS[side], ' font-weight="bold"')]
    place = f'x="{NAMES_PERCENT}%"'
    if side == "after":
        place = f'x="{100 - NAMES_PERCENT}%" transform="translate(-{NODE_WIDTH} 0)"'
    for number, drawn in nodes.items():
        node = flow[side][number]
        name, size = node_name(side, node), mbp(drawn.bp)
        if drawn.bp < node["bp"]:
            size = f"{size.removesuffix(' Mbp')} of {mbp(node['bp'])}"
        count = f"{node['members']:,} " if node["kind"] in (SMALLER, UNPUBLISHED) else ""
        long, short = (shortened(name, most) for most in (LONG_NAME, SHORT_NAME))
        middle, height = drawn.top + drawn.height / 2, max(drawn.height, MIN_NODE_HEIGHT)
        marks += [
            f"<g><title>{escape(f'{count}{name}: {size}')}</title>",
            f'<rect {place} y="{drawn.top:.1f}" width="{NODE_WIDTH}" height="{height:.1f}" '
            f'fill="{NODE_COLOURS[node["kind"]]}"/>',
            text_beside(side, middle + BASELINE, f"{count}{long}, {size}", SHORT_LUMPS.get(node["kind"], short)),
            "</g>",
        ]
    return marks


def picture(name: str, flow: dict, ribbons: Sequence[Ribbon]) -> str:
    """Return the picture of a flow as SVG."""
    drawn: tuple[Counter, Counter] = (Counter(), Counter())
    for ribbon in ribbons:
        for sums, end in zip(drawn, ribbon.ends):
            sums[end] += ribbon.bp
    most = max(map(len, drawn))
    ribbons_height = min(MAX_HEIGHT, NODE_HEIGHT * most)
    scale, height = ribbons_height / sum(drawn[0].values()), ribbons_height + ROW * most
    sides = [placed(order, sums, scale, height) for order, sums in zip(orders(flow, ribbons), drawn)]
    by_change: dict[str, list[str]] = {}
    for ribbon, outline in ribbon_paths(tuple(sides), ribbons, scale):
        ends = [node_name(side, flow[side][number]) for side, number in zip(SIDES, ribbon.ends)]
        about = f"{' to '.join(ends)}: {mbp(ribbon.bp)}, {ribbon.change}"
        by_change.setdefault(ribbon.change, []).append(f'<path d="{outline}"><title>{escape(about)}</title></path>')
    bundles = [
        f'<g fill="{colour}" stroke="{colour}">{"".join(by_change[change])}</g>'
        for change, colour in colours().items()
        if change in by_change
    ]
    return "\n".join(
        [
            f'<svg class="flow" width="100%" height="{HEAD + height:.0f}" fill="currentColor" font-size="12" '
            f'role="img" aria-label="{escape(f"Flow of {name}")}">',
            f'<svg x="{NAMES_PERCENT}%" width="{100 - 2 * NAMES_PERCENT}%" height="{HEAD + height:.0f}" '
            f'viewBox="0 0 100 {HEAD + height:.0f}" preserveAspectRatio="none" fill-opacity="{OPACITY}" '
            f'stroke-width="0.5" stroke-opacity="{OPACITY}">',
            *bundles,
            "</svg>",
            *(mark for side, nodes in zip(SIDES, sides) for mark in node_marks(side, flow, nodes)),
            "</svg>",
        ]
    )


def colours() -> dict[str, str]:
    """Return the colour of each change, by what the report calls it."""
    return dict(REFINEMENTS.values())


def legend(changes: set[str]) -> str:
    """Return these changes with their colours, in HTML."""
    entries = [
        f'<span class="flow-entry"><span style="background:{colour};opacity:{OPACITY}"></span>{escape(change)}</span>'
        for change, colour in colours().items()
        if change in changes
    ]
    return f"<p>{' '.join(entries)}</p>"


def flow_pictures(groups: list[dict]) -> dict | None:
    """Return the flows of the largest assemblies, the largest first."""
    flows = [
        (sum(node["bp"] for node in flow["before"]), full_name(group["group"], assembly, groups), flow)
        for group in groups
        for assembly, flow in sorted(group["flows"].items())
        if ribbons_of(flow)
    ]
    if not flows:
        return None
    shown = sorted(flows, key=lambda row: -row[0])[:MAX_FLOWS]
    parts = [legend({ribbon.change for *_, flow in shown for ribbon in ribbons_of(flow)})]
    for number, (bp, name, flow) in enumerate(shown):
        is_open = "" if number else ' open=""'
        parts += [
            f"<details{is_open}><summary>{escape(name)}, {mbp(bp)}</summary>",
            picture(name, flow, ribbons_of(flow)),
            f'<p class="flow-rest">{escape(left_out(flow))}</p></details>',
        ]
    more = f" The {len(shown)} largest of {len(flows):,} assemblies are shown." if len(flows) > len(shown) else ""
    return section("flows", "html", more, data="\n".join(parts))
