"""report.py: MultiQC takes what it writes, for one group or many, with and without bins."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner

import report
from report_groups import bin_row, dots, gene_group, largest_flow, picture, rated_bin, report_group, summary_row
from shown_contigs import N_COLOURED_BINS, NONE, OTHER, choose_rows
from stage_modules import PROJECT

MAX_REPORT_BYTES = 10_000_000
RUN = {"Command": "nextflow run .", "Binloom": "1.0"}
GROUPS = {
    "no_bin_no_reads": [report_group(samples=())],
    "one_bin_one_sample": [report_group(bins=[bin_row("A.001", coverage=[3.0])], samples=["S"])],
    "given_bins": [report_group(bins=[rated_bin("A.001", 0.9, 0.01, "medium")], trained=False)],
    "genes": [gene_group(), gene_group("soil", large=0)],
    "twenty_groups": [
        report_group(f"g{number:02}", [rated_bin(f"A.{i}", 0.9, 0.01, "medium") for i in range(number)])
        | {"flows": {f"assembly_{i}": largest_flow(f"assembly_{i}") for i in range(3)}}
        for number in range(20)
    ],
}


def write_content(folder, groups):
    """What report.py makes of these groups, in the folder content."""
    given = []
    for group in groups:
        path = folder / f"{group['group']}.json"
        path.write_text(json.dumps(group))
        given += ["--group", str(path)]
    summary = {"groups": [summary_row(group) for group in groups], "warnings": []}
    for name, content in {"summary": summary, "run": RUN, "versions": {"BINS": {"numpy": "2.10"}}}.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
        given += [f"--{name}", str(folder / f"{name}.json")]
    given += ["--outdir", str(folder / "content")]
    done = CliRunner().invoke(report.main, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder / "content"


@pytest.mark.parametrize("name", GROUPS)
def test_multiqc_takes_it_without_a_complaint(tmp_path, name):
    assert shutil.which("multiqc"), "multiqc is not on PATH: run the tests with `make test`"
    content = write_content(tmp_path, GROUPS[name])
    for setting in ("multiqc_config.yml", "multiqc.css"):
        shutil.copy(PROJECT / "assets" / setting, tmp_path)
    command = ["multiqc", "--strict", "--config", "multiqc_config.yml", "--filename", "r.html"]
    done = subprocess.run(
        [*command, "content"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert not [word for word in ("WARN", "ERROR", "Traceback", "No data found") if word in done.stdout], done.stdout
    page = (tmp_path / "r.html").read_text()
    assert len(page.encode()) < MAX_REPORT_BYTES
    for path in content.glob("*_mqc.json"):
        section = json.loads(path.read_text())
        assert section["plot_type"] == "generalstats" or f'href="#{section["id"]}"' in page, section["id"]
    assert "2.10" in page


def test_what_has_nothing_to_show_is_left_out(tmp_path):
    written = {path.name for path in write_content(tmp_path, GROUPS["no_bin_no_reads"]).iterdir()}
    assert not written & {f"{name}_mqc.json" for name in ("samples", "bin_table", "quality", "sizes", "coverages")}
    assert {"groups_mqc.json", "run_mqc.json", "warnings_mqc.json", "software_mqc_versions.yml"} <= written


def test_a_browser_has_little_to_draw_of_however_many_bins_and_contigs():
    """A thousand dots take it a second, and so do a few hundred rows of a table."""
    labels = np.repeat([*(f"A.{number}" for number in range(N_COLOURED_BINS)), OTHER, NONE], 1000)
    shown = picture(labels[choose_rows(labels)[0]].tolist())
    del shown["umap_input"], shown["umap_latent"]
    bins = [rated_bin(f"A.{number}", 0.9, 0.01, "medium") for number in range(2000)]
    group = report_group(bins=bins) | {"pictures": shown}
    sections = filter(None, report.sections(RUN, {"groups": [summary_row(group)], "warnings": []}, [group]))
    found = {section["id"]: section for section in sections}
    n_dots = [len(dots(section)) for section in found.values() if section["plot_type"] == "scatter"]
    assert len(n_dots) == 4 and 500 < sum(n_dots) <= 1000
    assert len(found["bin_table"]["data"]) <= 100


def test_every_section_has_its_place_in_the_order(tmp_path):
    order = (PROJECT / "assets" / "multiqc_config.yml").read_text().split("  order:\n")[1].split("\n\n")[0]
    groups = [group for groups in GROUPS.values() for group in groups]
    sections = [section for section in report.sections(RUN, {"groups": [], "warnings": []}, groups) if section]
    assert [f"    - {section['id']}" for section in sections if section["id"] != "samples"] == order.splitlines()
