#!/usr/bin/env python3
"""Aggregate what the report shows of a group.

In:  of the group bins.tsv (bins stage) and features.json (features stage); <sample>.mapping.tsv (map_reads stage) of
     each sample that was given as reads or BAM.
Out: report_data.json. Its size depends on the bins and samples, never on the number of contigs.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd

from report_files import write_group
from stage_arrays import FEATURES, read_description
from stage_tables import MAPPING, RATED_BINS, READ_NUMBERS, bins_schema, read_table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BIN_COLUMNS = ("bin", "size", "contigs", "n50", "gc", "refined", "transferred")
QUALITY_COLUMNS = ("completeness", "contamination", "quality")
DIGITS = 6  # significant ones of the numbers


def rounded(value: float) -> float | None:
    """Return a number with few digits; None for nan, which JSON does not have."""
    return None if np.isnan(value) else float(f"{value:.{DIGITS}g}")


def coverage_columns(samples: list[str]) -> list[str]:
    """Return the columns of bins.tsv that have the coverages in these samples."""
    return [f"coverage_{sample}" for sample in samples]


def bin_rows(path: Path, samples: list[str]) -> list[dict]:
    """Return what is known of each bin of a bins.tsv, the largest first: `coverage` has the order of the samples.

    Completeness and contamination are None where they are not known; quality is empty then.
    """
    schema = bins_schema(path)
    bins = read_table(schema, path).sort_values("size", ascending=False, kind="stable")
    missing = [name for name in coverage_columns(samples) if name not in bins]
    if missing:
        raise click.ClickException(f"{path}: has no column {missing[0]}; give both from the same run")
    names = [name for name in (*BIN_COLUMNS, *QUALITY_COLUMNS) if schema is RATED_BINS or name in BIN_COLUMNS]
    rows = bins[names].to_dict("records")
    coverages = bins[coverage_columns(samples)].to_numpy()
    for row, coverage in zip(rows, coverages, strict=True):
        row["coverage"] = [rounded(value) for value in coverage]
        row |= {name: rounded(row[name]) for name in QUALITY_COLUMNS[:2] if name in row}
    return rows


def sample_rows(paths: tuple[Path, ...]) -> list[dict]:
    """Return the numbers of reads of each sample, by the columns of its mapping.tsv."""
    if not paths:
        return []
    tables = pd.concat([read_table(MAPPING, path) for path in paths])
    return tables[["sample", *READ_NUMBERS, "mean_coverage"]].sort_values("sample").to_dict("records")


@click.command()
@click.option("--group", required=True, help="Id of the group.")
@click.option("--bins", "bins_path", required=True, type=FILE, help="bins.tsv of the group.")
@click.option("--features", "features_path", required=True, type=FILE, help="features.json of the group.")
@click.option("--mapping", "mappings", multiple=True, type=FILE, help="<sample>.mapping.tsv; repeatable.")
def main(group: str, bins_path: Path, features_path: Path, mappings: tuple[Path, ...]) -> None:
    """Write report_data.json of a group."""
    features = read_description(FEATURES, features_path, ["samples", "mapped_reads"])
    write_group(
        {
            "group": group,
            "samples": sample_rows(mappings),
            "coverage_samples": features["samples"],
            "coverage_unit": "RPKM" if features["mapped_reads"] is None else "reads per base",
            "bins": bin_rows(bins_path, features["samples"]),
        }
    )


if __name__ == "__main__":
    main()
