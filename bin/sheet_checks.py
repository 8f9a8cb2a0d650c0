#!/usr/bin/env python3
"""Checks the rows of the user's sheets, each by itself, within its sheet and against the other sheet.

The schemas define what a field or a row must be, and have an `errorMessage` for each rule. Rules about several rows or
both sheets stand here.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from schema_rules import Validator, shown
from sheets import Problem, Row, Sheet

IDS = {"input": "sample", "assembly_input": "id"}  # column that identifies a row, by sheet
FILES = {"input": ["fastq_1", "fastq_2", "bam"], "assembly_input": ["fasta", "graph", "paths"]}
START_OF_PATHS = "a relative path starts at the sheet's own folder"
SHOWN_ROWS = 5  # of a group in a message


def label(row: Row, option: str) -> str:
    """Return how a message names a row, such as `sample 'S1'`; empty if the row has no id."""
    name = row.fields.get(IDS[option])
    return f"{'sample' if option == 'input' else 'assembly'} {shown(name)}" if name else ""


def row_messages(fields: dict[str, str], items: dict, validator: Any) -> Iterator[str]:
    """Yield the schema's messages about a row: at most one per column, then those about the row as a whole."""
    for column in items["required"]:
        if column not in fields:
            yield f"{column} is empty: {items['properties'][column]['errorMessage']}"
    columns = set()
    for error in sorted(validator.iter_errors(fields), key=lambda error: len(error.path), reverse=True):
        if error.path and error.path[0] not in columns:
            columns.add(error.path[0])
            yield f"{error.schema['errorMessage']}, but it is {shown(fields[error.path[0]])}"
        elif not error.path and error.schema_path[0] != "required":
            yield error.schema["errorMessage"]


def row_problems(sheet: Sheet, option: str, schema: dict, unusable: dict[str, str]) -> Iterator[Problem]:
    """Yield the problems of single rows: schema errors, the same reads twice, files that cannot be used."""
    items = schema["items"]
    validator = Validator(items)
    for row in sheet.rows:
        if not row.whole:
            continue
        messages = list(row_messages(row.fields, items, validator))
        reads = [posixpath.normpath(row.fields[column]) for column in ("fastq_1", "fastq_2") if column in row.fields]
        if len(set(reads)) < len(reads):
            messages.append("fastq_1 and fastq_2 are the same file: name the second reads, or empty fastq_2")
        for column, rule in items["properties"].items():
            if rule.get("format") == "file-path" and row.fields.get(column) in unusable:
                path = row.fields[column]
                messages.append(f"{column} {unusable[path]}: {shown(path)} ({START_OF_PATHS})")
        name = label(row, option)
        yield from (Problem(row.number, f"{name}: {text}" if name else text) for text in messages)


def repeated_problems(sheet: Sheet, option: str) -> Iterator[Problem]:
    """Yield the problems of ids that occur twice in a sheet, and of files that occur in two rows of a group."""
    ids: dict[str, Row] = {}
    files: dict[tuple[str | None, str], Row] = {}  # by group and path, without its `./`, `//` and `x/..`
    what = "a sample" if option == "input" else "an assembly"
    for row in sheet.rows:
        if name := row.fields.get(IDS[option]):
            first = ids.setdefault(name, row)
            if first is not row:
                text = f"{label(row, option)} stands in row {first.number} already"
                yield Problem(row.number, f"{text}: give {what} one row, and a name that no other group has either")
        for column, path in row.fields.items():
            if column not in FILES[option]:
                continue
            first = files.setdefault((row.fields.get("group"), posixpath.normpath(path)), row)
            if first is not row:
                text = f"{column} {shown(path)} is used in row {first.number} already"
                yield Problem(row.number, f"{text}: {what} of a group has files of its own")


def by_group(sheet: Sheet | None) -> dict[str, list[Row]]:
    """Return the rows of each group, in the sheet's order."""
    groups = defaultdict(list)
    for row in sheet.rows if sheet else []:
        if "group" in row.fields:
            groups[row.fields["group"]].append(row)
    return groups


def listed(group: str, rows: list[Row]) -> str:
    """Return a group as messages show it, with the numbers of its first rows if it has several."""
    numbers = [str(row.number) for row in rows[:SHOWN_ROWS]] + ["..."] * (len(rows) > SHOWN_ROWS)
    return f"group {shown(group)}" + (f" (rows {', '.join(numbers)})" if len(rows) > 1 else "")


def table_problems(groups: dict[str, list[Row]]) -> Iterator[Problem]:
    """Yield the problems of groups in the assembly sheet that name two abundance tables."""
    for group, rows in groups.items():
        tables = [row for row in rows if "abundance" in row.fields]
        for row in tables[1:]:
            if row.fields["abundance"] != tables[0].fields["abundance"]:
                text = f"group {shown(group)} has another abundance table in row {tables[0].number}"
                yield Problem(row.number, f"{text}: name one table, in the same words, for the whole group")


def bins_problems(groups: dict[str, list[Row]]) -> Iterator[Problem]:
    """Yield the problems of groups in which some assemblies have given bins and others have none."""
    for group, rows in groups.items():
        given = [row for row in rows if "bins" in row.fields]
        for row in rows:
            if given and row not in given:
                text = f"has no bins, but row {given[0].number} of group {shown(group)} has"
                yield Problem(row.number, f"{text}: name the bins of every assembly of the group, or of none")


def gene_problems(sheet: Sheet) -> Iterator[Problem]:
    """Yield the problems of rows of a sheet of gene catalogues that name what only contigs have."""
    for row in sheet.rows:
        for column in ("graph", "paths", "bins"):
            if column in row.fields:
                text = f"{label(row, 'assembly_input')}: genes have no {column}"
                yield Problem(row.number, f"{text}: empty the column {column}, or leave out --catalogue_type genes")


def ensemble_messages(assemblies: Sheet | None, ensemble: bool) -> list[str]:
    """Return what stands against --ensemble: no bins in the assembly sheet."""
    if not ensemble or not assemblies or not assemblies.complete:
        return []
    is_given = any("bins" in row.fields for row in assemblies.rows)
    return [] if is_given else ["--ensemble needs given bins: name them in the column bins of the assembly sheet"]


def start_messages(assemblies: Sheet | None, start_at: str | None, ensemble: bool) -> list[str]:
    """Return what stands against --start_at: groups whose given bins take the place of what a former run would give."""
    groups = [group for group, rows in by_group(assemblies).items() if any("bins" in row.fields for row in rows)]
    if not groups or start_at not in ("latent", "clusters") or (start_at == "latent" and ensemble):
        return []
    known = "clusters" if start_at == "clusters" else "latent points"
    remedy = f"start at {'latent' if ensemble else 'features'}, or leave the column bins out"
    return [
        f"--start_at {start_at}: group {shown(groups[0])} has bins in the assembly sheet, for which {known} of a "
        f"former run are no use: {remedy}"
    ]


def group_problems(samples: Sheet | None, assemblies: Sheet) -> tuple[list[Problem], list[Problem]]:
    """Return the problems of groups, of the sample sheet and of the assembly sheet.

    A group may be missing from one of the sheets, or have both samples and an abundance table. `samples` is None if no
    sample sheet was given.
    """
    sample_groups, assembly_groups = by_group(samples), by_group(assemblies)
    lonely, problems = [], []
    for group, rows in sample_groups.items():
        if group not in assembly_groups:
            text = f"{listed(group, rows)} has no assembly: add one to the assembly sheet"
            lonely.append(Problem(rows[0].number, f"{text}, or mend the group"))
    for group, rows in assembly_groups.items():
        tables = [row for row in rows if "abundance" in row.fields]
        if tables and group in sample_groups:
            text = f"has an abundance table, but the sample sheet has samples of {listed(group, sample_groups[group])}"
            problems.append(Problem(tables[0].number, f"{text}: keep the table or the samples"))
        elif not tables and group not in sample_groups:
            sheet = "the sample sheet" if samples else "a sample sheet (--input)"
            text = f"{listed(group, rows)} has no sample: add its samples to {sheet}"
            problems.append(Problem(rows[0].number, f"{text}, or name an abundance table"))
    return lonely, problems


def sheet_problems(
    sheets: dict[str, Sheet | None],
    schemas: dict[str, dict],
    unusable: dict[str, dict[str, str]],
    of_genes: bool = False,
) -> dict[str, list[Problem]]:
    """Return every problem of each sheet, sorted by row. A sheet that was not given is None.

    `unusable` has, for each sheet, files that it names and the reason why each cannot be used. `of_genes` says that the
    assembly sheet has gene catalogues.
    """
    problems = {option: list(sheet.problems) for option, sheet in sheets.items() if sheet}
    for option in problems:
        problems[option] += row_problems(sheets[option], option, schemas[option], unusable.get(option, {}))
        problems[option] += repeated_problems(sheets[option], option)
    samples, assemblies = sheets["input"], sheets["assembly_input"]
    if assemblies:
        problems["assembly_input"] += table_problems(by_group(assemblies))
        problems["assembly_input"] += bins_problems(by_group(assemblies))
        problems["assembly_input"] += gene_problems(assemblies) if of_genes else []
    # A group of the other sheet may stand in the part of a sheet that could not be read.
    if assemblies and assemblies.complete and (samples is None or samples.complete):
        lonely, unfed = group_problems(samples, assemblies)
        problems["assembly_input"] += unfed
        if samples:
            problems["input"] += lonely
    return {option: sorted(found, key=lambda problem: problem.row) for option, found in problems.items()}
