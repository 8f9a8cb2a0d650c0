#!/usr/bin/env python3
"""Write what MultiQC makes the report of.

In:  summary.json of the run (summary stage), report_data.json of each group (report_data stage), and JSON files of what
     is known of the run itself and of the versions of its tools.
Out: a folder with a file <section>_mqc.json for each section that has something to show (MultiQC's custom content), and
     with software_mqc_versions.yml.
"""

import json
from pathlib import Path

import click

from output_files import write_text
from report_dots import contig_dots, gc_coverage_dots, quality_dots
from report_figures import (
    binned_bars,
    cluster_curves,
    coverage_map,
    distance_curves,
    found_curves,
    genome_curves,
    length_bars,
    refinement_bars,
    size_bars,
    training_curves,
)
from report_files import read_group, read_summary
from report_flows import flow_pictures
from report_tables import bins_table, groups_table, run_page, samples_table, warnings_page

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def sections(run: dict, summary: dict, groups: list[dict]) -> list[dict | None]:
    """Return the sections of the report; None stands for one that has nothing to show."""
    return [
        samples_table(groups),
        groups_table(summary["groups"], groups),
        cluster_curves(groups),
        found_curves(groups),
        bins_table(groups),
        quality_dots(groups),
        genome_curves(groups),
        size_bars(groups),
        gc_coverage_dots(groups),
        coverage_map(groups),
        binned_bars(groups),
        length_bars(groups),
        contig_dots(groups, "input"),
        contig_dots(groups, "latent"),
        contig_dots(groups, "umap_input"),
        contig_dots(groups, "umap_latent"),
        distance_curves(groups),
        training_curves(groups),
        refinement_bars(groups),
        flow_pictures(groups),
        warnings_page(summary["warnings"]),
        run_page(run),
    ]


@click.command()
@click.option("--group", "paths", multiple=True, required=True, type=FILE, help="report_data.json; repeatable.")
@click.option("--summary", "summary_path", required=True, type=FILE, help="summary.json of the run.")
@click.option("--run", "run_path", required=True, type=FILE, help="JSON: texts about the run by their names.")
@click.option("--versions", "versions_path", required=True, type=FILE, help="JSON: version of each tool by process.")
@click.option("--outdir", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
def main(paths: tuple[Path, ...], summary_path: Path, run_path: Path, versions_path: Path, outdir: Path) -> None:
    """Write the sections of the report for MultiQC."""
    groups = sorted((read_group(path) for path in paths), key=lambda content: content["group"])
    run = json.loads(run_path.read_text(encoding="utf-8"))
    outdir.mkdir(parents=True, exist_ok=True)
    for section in sections(run, read_summary(summary_path), groups):
        if section is not None:
            write_text(outdir / f"{section['id']}_mqc.json", json.dumps(section, allow_nan=False))
    # JSON is YAML, too.
    write_text(outdir / "software_mqc_versions.yml", versions_path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
