"""The report of a run: what it shows, that it needs no network, and that every section is drawn."""

import csv
import gzip
import json
import re

import pytest

from browser import empty_plots, open_page, why_not
from conftest import DATA, read_table
from report_flows import LONG_NAME, SHORT_NAME

MAX_REPORT_BYTES = 10_000_000
SECTIONS = {
    "general_stats", "groups", "bin_table", "sizes", "gc_coverage", "coverages", "binned", "lengths", "input", "latent",
    "distances", "training", "refinement", "flows", "warnings", "run",
}  # fmt: skip
UMAP_SECTIONS = {"umap_input", "umap_latent"}
# Writes into each flow how many ribbons are seen, and which names are cut off or lie on another one. The window of a
# browser without a screen is 500 pixels wide at least, so the page is made as narrow as it is asked for.
MEASURE = """<script>
addEventListener("load", () => setTimeout(() => {
  document.body.style.maxWidth = "WIDTHpx";
  for (const flow of document.querySelectorAll("svg.flow")) {
    const frame = flow.getBoundingClientRect();
    const boxes = [...flow.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
    const isCut = box => box.left < frame.left || box.right > frame.right || box.bottom > frame.bottom || !box.width;
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 2 && b.top < a.bottom - 2;
    const wrong = boxes.filter(([, box], i) => isCut(box) || boxes.some(([, other], j) => i < j && meet(box, other)));
    flow.dataset.wrong = wrong.map(([name]) => name).join(";");
    flow.dataset.ribbons = [...flow.querySelectorAll("path")].filter(path => path.getBoundingClientRect().width).length;
  }
}, 1000));
</script>"""


def anchors(page: str) -> set[str]:
    """The sections of a report by the anchors of its navigation."""
    return set(re.findall(r'<a href="#([\w-]+)" class="nav-l1', page))


def test_report_has_every_section_and_needs_no_network(coassembly):
    report = coassembly.results / "report.html"
    page = report.read_text()
    assert report.stat().st_size < MAX_REPORT_BYTES
    assert anchors(page) >= SECTIONS and not anchors(page) & UMAP_SECTIONS
    for name in (*read_table(coassembly.results / "co" / "bins.tsv")["bin"], "S1", "172 contigs are too few"):
        assert name in page
    assert f"--outdir {coassembly.results}" in page
    # Scripts hold HTML in their texts that is not part of the page.
    tags = re.sub(r"(<script\b[^>]*>).*?</script>", r"\1", page, flags=re.DOTALL)
    assert not re.findall(r'<(?:script|img|link|iframe)\b[^>]*(?:src|href)="?(?:https?:)?//[^>]*', tags)


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "chromium is there")
@pytest.mark.parametrize("width", [1400, 400])
def test_every_plot_is_drawn(coassembly, tmp_path, width):
    page, console = open_page(coassembly.results / "report.html", width, tmp_path)
    assert console == []
    assert empty_plots(page) == []
    assert anchors(page) >= SECTIONS


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "chromium is there")
def test_every_plot_of_several_groups_is_drawn_with_umap(two_groups, tmp_path):
    page, console = open_page(two_groups.results / "report.html", 400, tmp_path)
    assert console == []
    assert empty_plots(page) == []
    assert anchors(page) >= SECTIONS | UMAP_SECTIONS


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "chromium is there")
@pytest.mark.parametrize("width", [1400, 1250, 1000, 400])
def test_names_of_a_flow_are_whole_on_any_screen(coassembly, tmp_path, width):
    """Also the longest names. There are six clusters, and contigs added to each."""
    report = (coassembly.results / "report.html").read_text()
    longest = re.sub('(class="flow-wide">)[^<]*Mbp', r"\g<1>" + "0" * LONG_NAME + ", 0.111 Mbp", report)
    longest = re.sub('(class="flow-narrow">)coasm[^<]*', r"\g<1>" + "0" * SHORT_NAME, longest)
    measured = tmp_path / "measured.html"
    measured.write_text(longest + MEASURE.replace("WIDTH", str(width)))
    page, console = open_page(measured, width, tmp_path)
    assert console == []
    ((wrong, ribbons),) = re.findall(r'<svg class="flow"[^>]* data-wrong="([^"]*)" data-ribbons="(\d+)"', page)
    assert not wrong
    bins = read_table(coassembly.results / "co" / "bins.tsv")["bin"]
    assert int(ribbons) >= 2 * len(bins)
    assert not [name for name in bins if f">{name}, 0." not in report]


def test_summary_is_there_for_machines(two_groups):
    content = json.loads((two_groups.results / "summary.json").read_text())
    for name in ("summary", "warnings"):
        table = read_table(two_groups.results / f"{name}.tsv")
        rows = content["groups" if name == "summary" else name]
        assert [{key: str(value) for key, value in row.items()} for row in rows] == table.to_dict("records")
    page = (two_groups.results / "report.html").read_text()
    assert "ms: M1" in page and "ms: A1.001" in page
    assert "genomes" in anchors(page)


def test_bins_are_drawn_in_the_graph_of_their_assembly(two_groups):
    """A picture of the chosen bin, colours of every bin, and a warning about a name that is none."""
    folder = two_groups.results / "ms" / "draw_bins"
    assert {path.name for path in folder.iterdir()} == {"A1.svg", "A1.bandage.csv", "A2.bandage.csv"}
    assert (folder / "A1.svg").read_text().count("<title>") > 5
    bins = read_table(two_groups.results / "ms" / "bins.tsv")
    with gzip.open(DATA / "A1.graph.gfa.gz", "rt") as graph:
        segments = {line.split("\t")[1] for line in graph if line.startswith("S\t")}
    rows = list(csv.DictReader((folder / "A1.bandage.csv").open()))
    assert {row["Name"] for row in rows} <= segments
    assert {row["Bin"] for row in rows} == set(bins.loc[bins["assembly"] == "A1", "bin"])
    warnings = read_table(two_groups.results / "warnings.tsv")
    assert warnings.loc[warnings["stage"] == "draw_bins", "id"].tolist() == ["A1"]
