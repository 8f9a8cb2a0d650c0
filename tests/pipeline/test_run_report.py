"""The report of a run: what it shows, that it needs no network, and that every section is drawn."""

import csv
import gzip
import json
import re

import pytest

from browser import empty_plots, open_page, why_not
from conftest import DATA, read_table

MAX_REPORT_BYTES = 10_000_000
SECTIONS = {
    "general_stats", "groups", "bin_table", "sizes", "gc_coverage", "coverages", "binned", "lengths", "input", "latent",
    "distances", "training", "refinement", "warnings", "run",
}  # fmt: skip


def anchors(page: str) -> set[str]:
    """The sections of a report by the anchors of its navigation."""
    return set(re.findall(r'<a href="#([\w-]+)" class="nav-l1', page))


def test_report_has_every_section_and_needs_no_network(coassembly):
    report = coassembly.results / "report.html"
    page = report.read_text()
    assert report.stat().st_size < MAX_REPORT_BYTES
    assert anchors(page) >= SECTIONS
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
