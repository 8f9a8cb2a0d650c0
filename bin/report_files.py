#!/usr/bin/env python3
"""The JSON files that the report is made of: summary.json of a run, report_data.json of each group.

They are read where the report is written, which has none of the packages of the other stages.
"""

import json
from pathlib import Path

import click

from message_text import one_line
from output_files import write_text

SUMMARY_FILE = "summary.json"
GROUP_FILE = "report_data.json"
SUMMARY_KEYS = ("groups", "warnings")
GROUP_KEYS = (
    "group",
    "samples",
    "coverage_samples",
    "coverage_unit",
    "bins",
    "contigs",
    "gene_clusters",
    "training",
    "distances",
    "pictures",
    "refinement",
    "flows",
    "genomes",
)
# What a node of a flow stands for, in the order of the nodes: one cluster or bin; all that are smaller; all that became
# no published bin; what is in none
NODE_KINDS = NAMED, SMALLER, UNPUBLISHED, NONE = "named", "smaller", "unpublished", "none"
WRITTEN_BY = {SUMMARY_FILE: "summary", GROUP_FILE: "report_data"}


def read_object(path: Path, name: str, keys: tuple[str, ...]) -> dict:
    """Return the object of a JSON file of this name; raise ClickException if it is none, or lacks one of the keys."""
    remedy = f"give the {name} that the {WRITTEN_BY[name]} stage wrote"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{path}: is not JSON ({one_line(error)}); {remedy}") from error
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        raise click.ClickException(f"{path}: has no `{missing[0]}`; {remedy}")
    return content


def write_summary(groups: list[dict], warnings: list[dict]) -> None:
    """Write summary.json: the rows of summary.tsv and of warnings.tsv, by the names of their columns."""
    write_text(SUMMARY_FILE, json.dumps({"groups": groups, "warnings": warnings}, indent=2) + "\n")


def read_summary(path: Path) -> dict:
    """Return the content of summary.json: `groups` and `warnings`."""
    return read_object(path, SUMMARY_FILE, SUMMARY_KEYS)


def write_group(content: dict) -> None:
    """Write report_data.json of a group. Raise ValueError for NaN or an infinity, which JSON does not have."""
    write_text(GROUP_FILE, json.dumps(content, allow_nan=False) + "\n")


def read_group(path: Path) -> dict:
    """Return what the report shows of a group."""
    return read_object(path, GROUP_FILE, GROUP_KEYS)
