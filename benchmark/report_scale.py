#!/usr/bin/env python3
"""Measure the report of a run: time and memory to make it, its size, and how fast a browser opens it.

The report is that of one group, which is generated (report_group.py), without known genomes; with --umap it has the
sections of UMAP, too. Out: a row, on stdout as Markdown and, with --tsv, in a file: CPU seconds and peak memory of
report_data.py, report.py and MultiQC, the memory that REPORT_DATA asks for (workflows/memory.nf) and the bytes of its
inputs that count there, the size of report.html, and milliseconds from the start of its opening in Chromium, without
network, by the time of day: to its first text or picture (painted_ms), to the end of its loading (load_ms), and until
its last plot is drawn (drawn_ms).
"""

import json
import re
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from chromium import CHROMIUM, page_command
from measured_runs import Usage, run_task
from project import BIN, PROJECT
from report_group import write_group
from result_tables import FOLDER, ResultTable, tsv_option
from task_memory import STAGES, UMAP, files_bytes, formula_mb, memory_table

COMMAND, KINDS = next(stage[1:] for stage in STAGES if stage[0] == "REPORT_DATA")
SUMMARY = "--group co contigs.tsv features.json contig2bin.tsv bins.tsv"
SETTINGS = ("multiqc_config.yml", "multiqc.css")
OPENINGS, WIDTH, HEIGHT = 3, 1400, 900  # how often the report is opened; pixels of the window
TIMES = ("painted_ms", "load_ms", "drawn_ms")
LIMIT_SECONDS = 120  # of an opening
# Tells the times once the page is loaded, painted, and each plot drawn that does not stand behind a table.
MEASURE = """<script>
const timer = setInterval(() => {
  const [page] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const undrawn = ".hc-plot:not(.js-plotly-plot, .hc-violin, .hc-scatter-plot)";
  if (!page.loadEventEnd || !paint || document.querySelector(undrawn)) return;
  clearInterval(timer);
  console.log("MEASURED " + JSON.stringify([paint.startTime, page.loadEventEnd, performance.now()]) + " END");
}, 10);
</script>"""


def run_data(folder: Path, n_samples: int, umap: bool = False) -> Usage:
    """Run report_data.py and summary.py on the group in a folder; return what the first takes."""
    mappings = [f"--mapping=S{number}.mapping.tsv" for number in range(1, n_samples + 1)]
    script, *words = COMMAND.split()
    if umap:
        run_task([BIN / "umap_points.py", *UMAP.split()], folder)
        words += ["--umap", "umap_points.tsv"]
    used = run_task([BIN / script, *words, *mappings], folder)
    run_task([BIN / "summary.py", *SUMMARY.split()], folder)
    return used


def run_report(folder: Path) -> tuple[Usage, Usage]:
    """Write report.html as the module does (modules/local/report); return what report.py takes, and MultiQC."""
    for name in ("run.json", "versions.json"):
        (folder / name).write_text("{}")
    for name in SETTINGS:
        shutil.copy(PROJECT / "assets" / name, folder)
    words = "--group report_data.json --summary summary.json --run run.json --versions versions.json --outdir content"
    written = run_task([BIN / "report.py", *words.split()], folder)
    home = [f"HOME={folder}", f"XDG_CONFIG_HOME={folder}"]
    multiqc = ["multiqc", "--config", SETTINGS[0], "--filename", "report.html", "content"]
    return written, run_task(["env", *home, *multiqc], folder)


def opening(page: Path) -> list[float]:
    """Open a page that tells its times in a browser of its own, with an empty profile; return them (ms).

    Raise ClickException if the browser ends before it tells them.
    """
    with TemporaryDirectory() as profile:
        command = ["timeout", LIMIT_SECONDS, *page_command(page, WIDTH, HEIGHT, Path(profile))]
        with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True) as browser:
            try:
                found = next(filter(None, (re.search(r"MEASURED (\[.*\]) END", line) for line in browser.stderr)), None)
            finally:
                browser.terminate()
    if found is None:
        raise click.ClickException(f"{page}: not all of it is drawn within {LIMIT_SECONDS} seconds")
    return json.loads(found[1])


def opening_times(report: Path) -> Sequence[float]:
    """Return the median times (ms) of some openings of a report, in the order of TIMES."""
    page = report.with_name("measured.html")
    page.write_text(report.read_text() + MEASURE)
    return [statistics.median(times) for times in zip(*(opening(page) for _ in range(OPENINGS)), strict=True)]


def row_of(contigs: int, bins: int, samples: int, umap: bool, folder: Path) -> dict[str, object]:
    """Return the cells of the report of a group of this size, which is made in a folder."""
    write_group(folder, contigs, bins, samples)
    usages = run_data(folder, samples, umap), *run_report(folder)
    programs = dict(zip(("data", "report", "multiqc"), usages, strict=True))
    sizes = [files_bytes(folder, files, []) for files in KINDS]
    table, least = memory_table()
    report = folder / "report.html"
    row = {"contigs": contigs, "bins": bins, "samples": samples, "umap": "yes" if umap else "no"}
    for name, used in programs.items():
        row |= {f"{name}_cpu_s": f"{used.cpu:.1f}", f"{name}_peak_mb": f"{used.memory:.0f}"}
    row |= {"data_sizes": " ".join(map(str, sizes))}
    row |= {"data_asked_mb": f"{max(least, formula_mb(table['REPORT_DATA'], sizes)):.0f}"}
    row |= {"report_mb": f"{report.stat().st_size / 1e6:.2f}"}
    return row | {name: f"{ms:.0f}" for name, ms in zip(TIMES, opening_times(report), strict=True)}


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=FOLDER)
@click.option("--contigs", default=10**6, type=click.IntRange(1000))
@click.option("--bins", default=2000, type=click.IntRange(1))
@click.option("--samples", default=20, type=click.IntRange(1))
@click.option("--umap", is_flag=True, help="With the sections of UMAP.")
@tsv_option
def main(folder: Path, contigs: int, bins: int, samples: int, umap: bool, tsv: Path | None) -> None:
    """Measure the report of a group that is generated in FOLDER, which must not exist."""
    if CHROMIUM is None:
        raise click.UsageError("chromium is not on PATH: it opens the report")
    folder = folder.resolve()
    folder.mkdir(parents=True)
    ResultTable(tsv, ("contigs", "bins", "samples", "umap")).add(row_of(contigs, bins, samples, umap, folder))


if __name__ == "__main__":
    main()
