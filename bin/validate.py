#!/usr/bin/env python3
"""Checks the parameters and both sheets before anything else starts.

In: request.json (`params` as Nextflow has them, `missing` files, `sheet_names` as the user gave them), the JSON
Schemas of the parameters and of the rows of each sheet, and the sheets.
Out: problems.txt, the one message for the user with every problem (empty if there is none), and, only if there is
none, validated.json: `samples` and `assemblies`, one object per row with every column of the schema, sorted by id.

What one value or one row must be is said by the schemas, which show their own `errorMessage`; what takes several rows
or both sheets is said here. The exit status is 0 either way: the caller shows problems.txt.
"""

import csv
import difflib
import io
import json
import math
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
from jsonschema import Draft202012Validator, validators

SHOWN_PROBLEMS = 30  # of each sheet, so that thousands of bad rows cannot bury the other sheet
MAX_SHEET_BYTES = 4 * 2**20  # reads named by mistake in place of a sheet are never read whole
IDS = {"input": "sample", "assembly_input": "id"}
FILES = {"input": ["fastq_1", "fastq_2", "bam"], "assembly_input": ["fasta", "graph", "paths"]}
SOURCES = {"fastq_1", "bam"}
START_OF_PATHS = "a relative path starts at the sheet's own folder"


class Problem(NamedTuple):
    """What is wrong in a row of a sheet, as a spreadsheet counts them, and the remedy; row 0 is the whole sheet."""

    row: int
    text: str


class Row(NamedTuple):
    """The filled fields of a row; `whole` is False when their number is not that of the header."""

    number: int
    fields: dict[str, str]
    whole: bool


class Sheet(NamedTuple):
    """A sheet as far as it could be read; `complete` is False when rows or columns are not to be trusted."""

    rows: list[Row]
    problems: list[Problem]
    complete: bool


class SheetError(Exception):
    """A sheet that cannot be read as a table: its one argument is the Problem."""


def is_integer(_checker: Any, value: Any) -> bool:
    """JSON Schema calls 10.0 an integer, but the scripts that get it do not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(_checker: Any, value: Any) -> bool:
    """Finite, since neither NaN nor infinity is stopped by a bound."""
    return is_integer(_checker, value) or (isinstance(value, float) and math.isfinite(value))


Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": is_integer, "number": is_number}),
)


def printable(text: str) -> str:
    """Text on one line of a terminal: control characters escaped, what is beyond 200 characters cut off."""
    cut = text if len(text) <= 200 else text[:200] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def shown(value: Any) -> str:
    """A value as messages show it: text in quotes, anything else as JSON."""
    return f"'{printable(value)}'" if isinstance(value, str) else printable(json.dumps(value))


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that `name`, in whichever case or with hyphens, was most likely meant to be."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
    return next(iter(difflib.get_close_matches(snake, known, n=1, cutoff=0.6)), None)


def coerce(value: Any, kind: str) -> Any:
    """A parameter as its type in the schema, where that is what Nextflow made of the same characters.

    Nextflow makes an integer of `--hidden_sizes 325` and text of `--learning_rate 1e-3`; a params file may quote
    numbers. Text never becomes `false`: a pipeline takes it for true.
    """
    if kind == "string" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        if kind in ("integer", "number") and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            return int(value)
        if kind == "number" and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
            return float(value)
        if kind == "boolean" and value == "true":
            return True
    return value


def unknown_parameters(names: list[str], known: list[str]) -> list[str]:
    """One message per unknown parameter; `foo-bar` and `fooBar`, which Nextflow makes of one option, are one."""
    spellings = defaultdict(list)
    for name in names:
        if name not in known:
            spellings[re.sub(r"[-_]", "", name).lower()].append(name)
    messages = []
    for same in spellings.values():
        name = max(same, key=lambda name: "-" in name)
        near = nearest(name, known)
        remedy = f"did you mean --{near}?" if near else "--help lists them all"
        messages.append(f"there is no parameter --{printable(name)}: {remedy}")
    return messages


def parameter_message(name: str, value: Any, rule: dict) -> str:
    """What a parameter must be, what it is, and how a slip of the command line is mended."""
    message = f"--{name} {rule['errorMessage']}, but it is {shown(value)}"
    if value is True:
        return f"{message}: write a value after --{name}"
    if isinstance(value, str) and rule["type"] == "boolean":
        return f"{message}: leave --{name} out, or write the value without quotes"
    return message


def parameter_problems(params: dict[str, Any], schema: dict) -> list[str]:
    """Messages about the parameters: unknown, missing, of a wrong type or out of bounds, in the schema's order."""
    groups = schema["$defs"].values()
    rules = {name: rule for group in groups for name, rule in group["properties"].items()}
    given = {name: coerce(params[name], rules[name]["type"]) for name in rules if params.get(name) is not None}
    bad = {error.path[0] for error in Validator(schema).iter_errors(given) if error.path}
    bad |= {name for name, value in given.items() if isinstance(value, str) and not value.isprintable()}
    epochs = given.get("batch_double_at", "")
    numbers = [int(epoch) for epoch in epochs.split(",")] if epochs and "batch_double_at" not in bad else []
    if numbers != sorted(set(numbers)):
        bad.add("batch_double_at")
    required = {name for group in groups for name in group.get("required", [])} - given.keys()
    missing = [f"--{name} is missing: {rule['description']}" for name, rule in rules.items() if name in required]
    wrong = [parameter_message(name, params[name], rule) for name, rule in rules.items() if name in bad]
    return unknown_parameters(list(params), list(rules)) + missing + wrong


def read_text(path: Path) -> str:
    """The text of a sheet, without a byte order mark; SheetError when it is no text."""
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist or cannot be read"
        raise SheetError(Problem(0, f"{what}: give the path of a CSV file"))
    with path.open("rb") as handle:
        data = handle.read(MAX_SHEET_BYTES + 1)
    if len(data) > MAX_SHEET_BYTES:
        raise SheetError(Problem(0, f"is larger than {MAX_SHEET_BYTES >> 20} MiB: give the sheet, not the data"))
    if b"\0" in data or data[:2] == b"\x1f\x8b":
        raise SheetError(Problem(0, "is no plain text: save it as comma-separated values (CSV UTF-8), not compressed"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = len(re.split(rb"\r\n|\r|\n", data[: error.start]))
        raise SheetError(Problem(row, "holds characters that are not UTF-8: save the sheet as CSV UTF-8"))


def read_records(text: str) -> list[tuple[int, list[str]]]:
    """Rows that are not blank, with their numbers; SheetError for what the csv module refuses."""
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    records: list[tuple[int, list[str]]] = []
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            if any(field.strip() for field in record):
                records.append((number, record))
    except csv.Error as error:
        raise SheetError(Problem(number + 1, f"cannot be read ({error}): check its quotes"))
    return records


def header_problems(number: int, header: list[str], option: str, items: dict) -> list[Problem]:
    """Columns that are unknown, unnamed, doubled or missing."""
    if len(header) == 1 and (separator := re.search(r"[\t;]", header[0])):
        name = {"\t": "tabs", ";": "semicolons"}[separator.group()]
        return [Problem(number, f"is separated by {name}: save the sheet with commas between the columns (CSV)")]
    known = list(items["properties"])
    problems = []
    for position, column in enumerate(header, start=1):
        if not column:
            problems.append(f"column {position} has no name: name it, or remove its comma from each row")
        elif column not in known:
            near = nearest(column, known)
            remedy = f"did you mean '{near}'?" if near else f"the columns are {', '.join(known)}"
            problems.append(f"there is no column {shown(column)}: {remedy}")
        elif column in header[: position - 1]:
            problems.append(f"column '{column}' stands twice: remove one of the two")
    for column in items["required"]:
        if column not in header:
            problems.append(f"column '{column}' is missing, add it: {items['properties'][column]['description']}")
    if option == "input" and not SOURCES & set(header):
        problems.append("columns 'fastq_1' and 'bam' are missing: add the one that names the reads")
    return [Problem(number, text) for text in problems]


def record_rows(header: list[str], records: list[tuple[int, list[str]]]) -> tuple[list[Row], list[Problem]]:
    """The records as rows, and the problems of those that do not fit the header or run over several lines."""
    rows, problems = [], []
    for number, record in records:
        fields = [field.strip() for field in record]
        if any(re.search(r"[\r\n]", field) for field in record):
            problems.append(Problem(number, "a field runs over several lines: close its double quote"))
            continue
        if len(fields) != len(header):
            text = f"has {len(fields)} fields where the header has {len(header)}: check its commas"
            problems.append(Problem(number, f"{text} (a field that holds one goes in double quotes)"))
        filled = {column: field for column, field in zip(header, fields) if field}
        rows.append(Row(number, filled, len(fields) == len(header)))
    return rows, problems


def read_sheet(path: Path, option: str, schema: dict) -> Sheet:
    """A sheet's rows, with the problems of the file, the header and the shape of the rows."""
    try:
        records = read_records(read_text(path))
    except SheetError as error:
        return Sheet([], [error.args[0]], False)
    if not records:
        return Sheet([], [Problem(0, "is empty: it needs a header and a row for each line of data")], False)
    number, header = records[0][0], [column.strip() for column in records[0][1]]
    problems = header_problems(number, header, option, schema["items"])
    if not records[1:]:
        return Sheet([], [*problems, Problem(number, "there is no row below the header: add one")], False)
    # without a column that it needs, every row would be blamed for what the header lacks
    if not set(schema["items"]["required"]) <= set(header) or (option == "input" and not SOURCES & set(header)):
        return Sheet([], problems, False)
    rows, shapes = record_rows(header, records[1:])
    return Sheet(rows, problems + shapes, len(rows) == len(records) - 1)


def label(row: Row, option: str) -> str:
    """How a message names what stands in a row: `sample 'S1'`, or nothing if it has no name."""
    name = row.fields.get(IDS[option])
    return f"{'sample' if option == 'input' else 'assembly'} {shown(name)}" if name else ""


def row_messages(fields: dict[str, str], items: dict, validator: Any) -> Iterator[str]:
    """What the schema says against a row, once per column, then what it says against the row as a whole."""
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


def row_problems(sheet: Sheet, option: str, schema: dict, missing: set[str]) -> Iterator[Problem]:
    """Problems that a row has by itself: against the schema, the same file twice, files that do not exist."""
    items = schema["items"]
    validator = Validator(items)
    for row in sheet.rows:
        if not row.whole:
            continue
        messages = list(row_messages(row.fields, items, validator))
        reads = [posixpath.normpath(row.fields[column]) for column in ("fastq_1", "fastq_2") if column in row.fields]
        if len(reads) == 2 and reads[0] == reads[1]:
            messages.append("fastq_1 and fastq_2 are the same file: name the second reads, or empty fastq_2")
        for column, rule in items["properties"].items():
            if rule.get("format") == "file-path" and row.fields.get(column) in missing:
                messages.append(f"{column} does not exist: {shown(row.fields[column])} ({START_OF_PATHS})")
        name = label(row, option)
        yield from (Problem(row.number, f"{name}: {text}" if name else text) for text in messages)


def repeated_problems(sheet: Sheet, option: str) -> Iterator[Problem]:
    """Ids that stand twice in the sheet, and files that stand in two rows of a group."""
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
    """The rows of each group, in the sheet's order."""
    groups = defaultdict(list)
    for row in sheet.rows if sheet else []:
        if "group" in row.fields:
            groups[row.fields["group"]].append(row)
    return groups


def listed(group: str, rows: list[Row]) -> str:
    """A group as messages show it, with its first rows if it has several."""
    numbers = [str(row.number) for row in rows[:5]] + ["..."] * (len(rows) > 5)
    return f"group {shown(group)}" + (f" (rows {', '.join(numbers)})" if len(rows) > 1 else "")


def table_problems(groups: dict[str, list[Row]]) -> Iterator[Problem]:
    """Groups of the assembly sheet that name two abundance tables."""
    for group, rows in groups.items():
        tables = [row for row in rows if "abundance" in row.fields]
        for row in tables[1:]:
            if row.fields["abundance"] != tables[0].fields["abundance"]:
                text = f"group {shown(group)} has another abundance table in row {tables[0].number}"
                yield Problem(row.number, f"{text}: name one table, in the same words, for the whole group")


def group_problems(samples: Sheet | None, assemblies: Sheet) -> tuple[list[Problem], list[Problem]]:
    """Groups that one of the sheets lacks, or that have both samples and a table: (sample sheet's, assembly sheet's).

    `samples` is None when no sample sheet was given.
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
    sheets: dict[str, Sheet | None], schemas: dict[str, dict], missing: set[str]
) -> dict[str, list[Problem]]:
    """Every problem of each sheet, by row; a sheet that was not given is None."""
    problems = {option: list(sheet.problems) for option, sheet in sheets.items() if sheet}
    for option in problems:
        problems[option] += row_problems(sheets[option], option, schemas[option], missing)
        problems[option] += repeated_problems(sheets[option], option)
    samples, assemblies = sheets["input"], sheets["assembly_input"]
    if assemblies:
        problems["assembly_input"] += table_problems(by_group(assemblies))
    # a sheet that was read in part would have the other one blamed for groups that it does name
    if assemblies and assemblies.complete and (samples is None or samples.complete):
        lonely, unfed = group_problems(samples, assemblies)
        problems["assembly_input"] += unfed
        if samples:
            problems["input"] += lonely
    return {option: sorted(found, key=lambda problem: problem.row) for option, found in problems.items()}


def sheet_lines(problems: list[Problem]) -> list[str]:
    """A line per problem, the first SHOWN_PROBLEMS of them, and how many are left."""
    lines = [f"row {row}: {text}" if row else text for row, text in problems[:SHOWN_PROBLEMS]]
    left = len(problems) - SHOWN_PROBLEMS
    return lines + ([f"... and {left} more problem{'s' * (left > 1)} in this sheet"] if left > 0 else [])


def message(parameters: list[str], sheets: dict[str, list[Problem]], names: dict[str, Any]) -> str:
    """The one message that the user sees; empty if there is no problem."""
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
    """Rows with every column of the schema, its default or None where empty, sorted by id."""
    columns = items["properties"]
    found = sorted(sheet.rows if sheet else [], key=lambda row: row.fields[IDS[option]])
    return [{name: row.fields.get(name, rule.get("default")) for name, rule in columns.items()} for row in found]


def read_json(path: Path, *keys: str) -> dict:
    """A JSON object with these keys; ClickException naming the file if it is none. NaN and infinities stay text."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=str)
    except ValueError as error:
        raise click.ClickException(f"{path}: no JSON ({error}): write it anew")
    if not isinstance(value, dict) or not value.keys() >= set(keys):
        raise click.ClickException(f"{path}: no JSON object with {', '.join(keys)}: write it anew")
    return value


SCHEMA = click.Path(exists=True, dir_okay=False, path_type=Path)
SHEET = click.Path(path_type=Path)  # a sheet that is missing or a directory is a problem to report


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--request", required=True, type=SCHEMA, help="request.json: params, missing and sheet_names.")
@click.option("--parameter_schema", required=True, type=SCHEMA, help="nextflow_schema.json")
@click.option("--sample_schema", required=True, type=SCHEMA, help="schema_input.json")
@click.option("--assembly_schema", required=True, type=SCHEMA, help="schema_assembly_input.json")
@click.option("--input", type=SHEET, help="The sample sheet, if there is one.")
@click.option("--assembly_input", type=SHEET, help="The assembly sheet.")
def main(request: Path, parameter_schema: Path, sample_schema: Path, assembly_schema: Path, **paths: Path | None) -> None:
    """Check parameters and sheets; writes problems.txt and, if that is empty, validated.json here."""
    asked = read_json(request, "params", "missing", "sheet_names")
    schemas = {"input": read_json(sample_schema, "items"), "assembly_input": read_json(assembly_schema, "items")}
    names = asked["sheet_names"]
    sheets: dict[str, Sheet | None] = dict.fromkeys(IDS)
    for option, path in paths.items():
        # a name without a file is that of a sheet that does not exist; anything but text is no name at all
        if path or isinstance(names.get(option), str):
            sheets[option] = read_sheet(path or Path(names[option]), option, schemas[option])
    parameters = parameter_problems(asked["params"], read_json(parameter_schema, "$defs"))
    text = message(parameters, sheet_problems(sheets, schemas, set(asked["missing"])), names)
    Path("problems.txt").write_text(text, encoding="utf-8")
    if text:
        Path("validated.json").unlink(missing_ok=True)
        click.echo(text, err=True)
        return
    rows = {option: result_rows(sheet, option, schemas[option]["items"]) for option, sheet in sheets.items()}
    result = {"samples": rows["input"], "assemblies": rows["assembly_input"]}
    Path("validated.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    click.echo(f"{len(result['samples'])} samples and {len(result['assemblies'])} assemblies, no problem", err=True)


if __name__ == "__main__":
    main()
