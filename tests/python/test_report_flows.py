"""report_flows.py: what is drawn of flows, that no name lies on another, and that names stay text."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from refinement_flows import flow
from report_flows import (
    HEAD,
    MAX_FLOWS,
    NAMES_PERCENT,
    ROW,
    flow_pictures,
    left_out,
    mbp,
    orders,
    ribbons_of,
    shortened,
)
from report_groups import largest_flow, report_group
from test_refinement_flows import BINS, ROWS, steps

NUMBER = re.compile(r"[\d.]+")


def content_of(flows, name="co"):
    return flow_pictures([report_group(name) | {"flows": flows}])


def page(content):
    """The HTML of a section, which has to be well-formed."""
    return ET.fromstring(f"<div>{content['data']}</div>")


def titles(root):
    return [title.text for title in root.iter("title")]


def many(n):
    """The flow of an assembly of n clusters and bins, of which each gives something to the next one and to none."""
    rows = [(10_000 * (n - i) + 1000, str(i), str(i), "kept") for i in range(n)]
    rows += [(3000, str(i), str((i + 1) % n), "moved") for i in range(n)]
    rows += [(2000, str(i), "", "removed,unlike") for i in range(n)] + [(9000, "", "", "left,unlike")]
    return flow(steps(rows), {str(i): f"A.{i + 1:04}" for i in range(n)})


def test_each_way_has_its_ribbon():
    content = content_of({"A": flow(steps([(1000 * bp, *row) for bp, *row in ROWS]), BINS)})
    root = page(content)
    assert sorted(title for title in titles(root) if " to " in title) == [
        "cluster 1 to A.002: 0.900 Mbp, kept",
        "cluster 1 to A.003: 0.500 Mbp, kept, split",
        "cluster 1 to no bin: 0.150 Mbp, removed",
        "cluster 2 to A.001: 0.081 Mbp, shared",
        "cluster 2 to A.001: 0.700 Mbp, kept",
        "cluster 2 to A.002: 0.081 Mbp, shared",
        "cluster 2 to bin too small: 0.040 Mbp, moved",
        "cluster 3 to A.001: 0.300 Mbp, kept, joined",
        "cluster 3 to A.002: 0.100 Mbp, moved",
        "no cluster to A.001: 0.200 Mbp, added",
    ]
    assert {"cluster 1: 1.55 Mbp", "A.001: 1.28 Mbp", "no cluster: 0.200 of 1.00 Mbp"} <= set(titles(root))
    assert "Not drawn, as neither end has a name: 0.800 Mbp from no cluster to no bin." in content["data"]
    entries = ["".join(span.itertext()) for span in root.iter("span") if span.get("class") == "flow-entry"]
    assert entries == ["kept", "kept, joined", "kept, split", "moved", "added", "shared", "removed"]


@pytest.mark.parametrize("n", [1, 5, 12, 40, 2000])
def test_ribbons_fill_their_nodes_and_no_name_lies_on_another(n):
    """Numbers in the picture are rounded to a tenth of a pixel."""
    (outer,) = page(content_of({"A": many(n)})).findall("details/svg")
    outlines = [[float(number) for number in NUMBER.findall(path.get("d"))] for path in outer.find("svg").iter("path")]
    left, right = ([(line[top], line[bottom]) for line in outlines] for top, bottom in ((1, 12), (5, 8)))
    widths, others = ([bottom - top for top, bottom in side] for side in (left, right))
    assert widths == pytest.approx(others, abs=0.21)
    for x, side, other in ((NAMES_PERCENT, left, right), (100 - NAMES_PERCENT, right, left)):
        rects = [rect for rect in outer.iter("rect") if rect.get("x") == f"{x}%"]
        n_placed = 0
        for rect in rects:
            y, size = float(rect.get("y")), float(rect.get("height"))
            own = sorted((*pair, *end) for pair, end in zip(side, other) if -0.11 < pair[0] - y < size + 0.11)
            n_placed += len(own)
            assert sum(bottom - top for top, bottom, *_ in own) == pytest.approx(size, abs=1 + 0.1 * len(own))
            for above, below in itertools.pairwise(own):
                assert below[0] >= above[1] - 0.11, "ribbons of a node lie beside each other"
                assert below[2] >= above[2] - 0.11, "and do not cross"
        assert n_placed == len(outlines), "each ribbon ends in a node"
        names = sorted(float(text.get("y")) for text in outer.iter("text") if text.get("x") == f"{x}%")
        assert len(names) == 1 + len(rects) and names[0] >= HEAD / 2 and names[-1] < float(outer.get("height"))
        assert min(below - above for above, below in itertools.pairwise(names)) >= ROW - 0.11


def test_names_stay_text():
    name = '<b>"x"&y'
    content = content_of({name: flow(steps([(1000, name, "1", "kept")]), {"1": f"{name}.001"})}, "g")
    root = page(content)
    assert f"{name} to {name}.001: 0.001 Mbp, kept" in titles(root)
    assert "<b>" not in content["data"]
    assert not list(root.iter("b"))


def test_smaller_ones_are_drawn_where_they_meet_named_ones():
    content = content_of({"A": many(2000)})
    drawn = titles(page(content))
    assert "smaller clusters to A.0001: 0.003 Mbp, moved" in drawn
    assert "cluster 11 to smaller bins: 0.003 Mbp, moved" in drawn
    (smaller,) = [title for title in drawn if title.startswith("1,988 smaller clusters: ")]
    assert smaller.startswith("1,988 smaller clusters: 0.003 of 19,")
    assert not [title for title in drawn if title.startswith("smaller clusters to smaller bins")]
    assert re.search(
        r"Not drawn, as neither end has a name: 19,\d+ Mbp from smaller clusters to smaller bins, ", content["data"]
    )
    assert len(content["data"]) < 20_000


def test_what_is_not_drawn_and_what_is_are_all():
    found = many(40)
    drawn = sum(ribbon.bp for ribbon in ribbons_of(found))
    rest = sum(float(number) for number in re.findall(r"([\d.]+) Mbp", left_out(found)))
    assert drawn / 1e6 + rest == pytest.approx(sum(node["bp"] for node in found["before"]) / 1e6, rel=0.01)


def test_nothing_to_draw():
    assert content_of({}) is None
    nothing = flow(steps([(100, "", "", "left,unlike")]), {})
    assert content_of({"A": nothing}) is None
    assert "B" not in "".join(titles(page(content_of({"A": many(2), "B": nothing}))))


def test_the_largest_assemblies_are_shown_and_the_text_says_so():
    groups = [report_group(f"g{i:02}") | {"flows": {"A": many(i + 1), "B": many(2)}} for i in range(20)]
    content = flow_pictures(groups)
    heads = [summary.text for summary in page(content).iter("summary")]
    assert [head.split(",")[0] for head in heads] == [f"g{i:02}: A" for i in range(19, 19 - MAX_FLOWS, -1)]
    assert f"The {MAX_FLOWS} largest of 40 assemblies are shown." in content["description"]
    assert content["data"].count('<details open="">') == 1
    assert "largest of" not in content_of({"A": many(3)})["description"]


def test_the_section_stays_small_however_much_is_mixed():
    flows = dict.fromkeys("ABC", largest_flow("a_long_name_of_an_assembly"))
    groups = [report_group(f"g{i:02}") | {"flows": flows} for i in range(20)]
    assert len(flow_pictures(groups)["data"].encode()) < 5_000_000


def test_sides_are_ordered_so_that_few_ribbons_cross():
    """Bins stand beside the clusters that they came from, joined clusters beside each other."""
    rows = [(50, "a", "a", "kept"), (40, "b", "b", "kept"), (30, "c", "a", "merged"), (20, "d", "d", "kept")]
    rows += [(90, "d", "e", "split"), (60, "", "b", "added"), (1, "a", "d", "moved")]
    found = flow(steps(rows), {label: f"A.{label}" for label in "abde"})
    before, after = orders(found, ribbons_of(found))
    assert "".join(found["before"][number]["name"] for number in before[:-1]) == "dacb"
    assert [found["after"][number]["name"] for number in after] == ["A.e", "A.d", "A.a", "A.b"]


def test_numbers_and_names_are_short():
    sizes = [0, 499, 500, 1_234_567, 12_345_678, 123_456_789, 9_876_543_210]
    assert [mbp(size) for size in sizes] == [
        "0.000 Mbp", "below 0.001 Mbp", "0.001 Mbp", "1.23 Mbp", "12.3 Mbp", "123 Mbp", "9,877 Mbp",
    ]  # fmt: skip
    assert shortened("short", 5) == "short"
    assert shortened("assembly_of_a_sample.012", 14) == "asse…ample.012"
