"""graph_picture.py: well-formed SVG, whose dots say what they are."""

from xml.etree import ElementTree

import numpy as np

from graph_picture import GREY, LIGHT_GREY, Dot, colours_of, draw, shown_bin
from report_style import PALETTE

SVG = "{http://www.w3.org/2000/svg}"


def dots_of(text):
    """The dots of a picture that have a title: title -> attributes."""
    circles = ElementTree.fromstring(text).iter(f"{SVG}circle")
    return {
        circle.find(f"{SVG}title").text: circle.attrib for circle in circles if circle.find(f"{SVG}title") is not None
    }


def test_colours_areas_and_rims():
    dots = [Dot("c1", 4000, ("b1",)), Dot("<c2>", 1000, ("b3", "b2")), Dot("c3", 1, ("b9",)), Dot("c4", 1, ())]
    text = draw(dots, np.eye(4)[:, :2], np.array([[0, 1], [2, 3]]), ["b1", "b2"], "A & B")
    found = dots_of(text)
    assert list(found) == ["c1, 4,000 bp, b1", "<c2>, 1,000 bp, b3, b2", "c3, 1 bp, b9", "c4, 1 bp, in no bin"]
    assert [dot["fill"] for dot in found.values()] == [PALETTE[0], PALETTE[1], GREY, LIGHT_GREY]
    radii = [float(dot["r"]) for dot in found.values()]
    assert radii[0] == 2 * radii[1] and radii[2] == radii[3]
    assert [dot["stroke"] == "#000000" for dot in found.values()] == [False, True, False, False]
    assert len(list(ElementTree.fromstring(text).iter(f"{SVG}line"))) == 2
    assert {element.text for element in ElementTree.fromstring(text).iter(f"{SVG}text")} >= {"A & B", "b1", "b2"}


def test_an_empty_picture_and_many_bins():
    names = [f"b{i}" for i in range(60)]
    picture = ElementTree.fromstring(draw([], np.zeros((0, 2)), np.zeros((0, 2), int), names, ""))
    height = float(picture.attrib["viewBox"].split()[3])
    assert max(float(text.attrib["y"]) for text in picture.iter(f"{SVG}text")) < height


def test_the_first_chosen_bin_counts():
    colours = colours_of(["b1"])
    assert shown_bin(("b2", "b1"), colours) == "b1"
    assert (shown_bin(("b2",), colours), shown_bin((), colours)) == ("other bins", "in no bin")
