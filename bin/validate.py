#!/usr/bin/env python3
"""Checks the parameters and both sheets before any other stage starts.

In:  request.json (`params` as Nextflow has them, `sheet_names` as the user gave them and `unusable`: for each sheet,
     itself or files that it names, and for each parameter that names files, these, with the reason why each cannot be
     used), the JSON Schemas of the parameters and of the rows of each sheet, and the sheets.
Out: problems.txt, the one message for the user with every problem (empty if there is none). Only if there is none, also
     validated.json: `samples` and `assemblies`, one object per row with every column of the schema, sorted by id.

The exit status is 0 in both cases; the caller shows problems.txt.
"""

import json
from pathlib import Path
from typing import Any

import click

from message_text import printable
from output_files import write_text
from parameters import coerce, parameter_problems
from schema_rules import read_json
from sheet_checks import IDS, ensemble_messages, sheet_problems, start_messages
from sheets import Problem, Sheet, read_sheet

# Parameters that name files which are no sheets, or, as references, whose files are asked for by themselves
FILE_PARAMETERS = (
    "former_results",
    "model",
    "marker_hmms",
    "truth",
    "references",
    "compare",
    "quality",
    "gene_hits",
    "lineages",
)
SHOWN_PROBLEMS = 30  # of each sheet, so that thousands of bad rows in one do not hide those of the other


def sheet_lines(problems: list[Problem]) -> list[str]:
    """Return a line for each of the first SHOWN_PROBLEMS problems, and one with the number of the others."""
    lines = [f"row {row}: {text}" if row else text for row, text in problems[:SHOWN_PROBLEMS]]
    left = len(problems) - SHOWN_PROBLEMS
    return lines + ([f"... and {left} more problem{'s' * (left > 1)} in this sheet"] if left > 0 else [])


def message(parameters: list[str], sheets: dict[str, list[Problem]], names: dict[str, Any]) -> str:
    """Return the one message that the user sees; empty if there is no problem."""
    count = len(parameters) + sum(map(len, sheets.values()))
    if not count:
        return ""
    lines = [f"Nothing was started: {count} problem{'s' * (count > 1)} to mend (the header of a sheet is row 1)"]
    if parameters:
        lines += ["", "Parameters", *(f"  {text}" for text in parameters)]
    for option, problems in sheets.items():
        if problems:
            lines += ["", f"--{option} {printable(str(names.get(option)))}"]
            lines += [f"  {line}" for line in sheet_lines(problems)]
    return "\n".join(lines) + "\n"


def result_rows(sheet: Sheet | None, option: str, items: dict) -> list[dict[str, str | None]]:
    """Return the rows, sorted by id, with every column of the schema; an empty field is its default or None."""
    columns = items["properties"]
    found = sorted(sheet.rows if sheet else [], key=lambda row: row.fields[IDS[option]])
    return [{name: row.fields.get(name, rule.get("default")) for name, rule in columns.items()} for row in found]


SCHEMA = click.Path(exists=True, dir_okay=False, path_type=Path)
SHEET = click.Path(path_type=Path)  # may be missing or a directory, which is one of the problems to report


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--request", required=True, type=SCHEMA, help="request.json: params, unusable and sheet_names.")
@click.option("--parameter_schema", required=True, type=SCHEMA, help="nextflow_schema.json")
@click.option("--sample_schema", required=True, type=SCHEMA, help="schema_input.json")
@click.option("--assembly_schema", required=True, type=SCHEMA, help="schema_assembly_input.json")
@click.option("--input", type=SHEET, help="The sample sheet, if there is one.")
@click.option("--assembly_input", type=SHEET, help="The assembly sheet.")
def main(
    request: Path, parameter_schema: Path, sample_schema: Path, assembly_schema: Path, **paths: Path | None
) -> None:
    """Check parameters and sheets. Write problems.txt and, if there is no problem, validated.json."""
    asked = read_json(request, "params", "unusable", "sheet_names")
    schemas = {"input": read_json(sample_schema, "items"), "assembly_input": read_json(assembly_schema, "items")}
    names = asked["sheet_names"]
    sheets: dict[str, Sheet | None] = dict.fromkeys(IDS)
    for option, path in paths.items():
        # A name (a text) without a path belongs to a sheet that does not exist or cannot be reached.
        if path:
            sheets[option] = read_sheet(path, option, schemas[option])
        elif isinstance(name := names.get(option), str):
            reason = asked["unusable"].get(option, {}).get(name)
            unread = Sheet([], [Problem(0, reason)], complete=False) if reason else None
            sheets[option] = unread or read_sheet(Path(name), option, schemas[option])
    parameters = parameter_problems(asked["params"], read_json(parameter_schema, "$defs"))
    of_genes = asked["params"].get("catalogue_type") == "genes"
    ensemble = coerce(asked["params"].get("ensemble"), "boolean") is True and not of_genes
    parameters += ensemble_messages(sheets["assembly_input"], ensemble)
    parameters += start_messages(sheets["assembly_input"], asked["params"].get("start_at"), ensemble)
    for option in FILE_PARAMETERS:
        files = asked["unusable"].get(option, {})
        parameters += [f"--{option} {printable(name)} {reason}" for name, reason in files.items()]
    text = message(parameters, sheet_problems(sheets, schemas, asked["unusable"], of_genes), names)
    write_text("problems.txt", text)
    if text:
        Path("validated.json").unlink(missing_ok=True)
        click.echo(text, err=True)
        return
    rows = {option: result_rows(sheet, option, schemas[option]["items"]) for option, sheet in sheets.items()}
    result = {"samples": rows["input"], "assemblies": rows["assembly_input"]}
    write_text("validated.json", json.dumps(result, indent=1) + "\n")
    click.echo(f"{len(result['samples'])} samples and {len(result['assemblies'])} assemblies, no problem", err=True)


if __name__ == "__main__":
    main()
