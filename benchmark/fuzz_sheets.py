"""Generated sheets of samples and assemblies, parameters and requests, whole and damaged."""

import json
import random
import re
import sys
from functools import partial
from pathlib import Path

from fuzzing import FINAL_NEWLINE, JUNK, WHOLE, Case, UnreadableError, check_text, compare, damaged_file
from project import BIN, PROJECT

sys.path.insert(0, str(BIN))
import parameters
import schema_rules
import sheet_checks
import sheets
import validate

SCHEMAS = {
    "input": json.loads((PROJECT / "assets/schema_input.json").read_text()),
    "assembly_input": json.loads((PROJECT / "assets/schema_assembly_input.json").read_text()),
}
PARAMETERS = json.loads((PROJECT / "nextflow_schema.json").read_text())
RULES = {name: rule for group in PARAMETERS["$defs"].values() for name, rule in group["properties"].items()}
ODD_FOLDERS = ("", "a b/", "é/", "x,y/", 'q"q/', "s3://b/", "../")
GRAPHS = {"metaspades": "gfa", "metaflye": "gfa", "megahit": "fastg", "sga": "asqg.gz", "gfa": "gfa"}
LINE_BREAK = re.compile("\r\n|\r|\n")

Fields = dict[str, str]


def sample_rows(rng: random.Random, groups: list[str]) -> list[Fields]:
    """Return rows of a sample sheet, at least one for each group."""
    rows = []
    for i, group in enumerate([*groups, *rng.choices(groups, k=rng.randint(0, 3))]):
        row = {"sample": f"S{i}", "group": group}
        path = f"{rng.choice(ODD_FOLDERS)}r{i}"
        kind = rng.choice(("pair", "single", "long", "bam"))
        row |= {"bam": f"{path}.bam"} if kind == "bam" else {"fastq_1": f"{path}_1.fq.gz"}
        row |= {"fastq_2": f"{path}_2.fastq"} if kind == "pair" else {}
        rows.append(row | ({"platform": rng.choice(("ont", "pacbio"))} if kind == "long" else {}))
    return rows


def assembly_rows(rng: random.Random, groups: list[str]) -> list[Fields]:
    """Return rows of an assembly sheet, at least one for each group."""
    rows = []
    for i, group in enumerate([*groups, *rng.choices(groups, k=rng.randint(0, 2))]):
        assembler, path = rng.choice(list(GRAPHS)), f"{rng.choice(ODD_FOLDERS)}a{i}"
        row = {"id": f"A{i}", "group": group, "assembler": assembler, "fasta": f"{path}.fasta"}
        if rng.random() < WHOLE:
            row["graph"] = f"{path}.{GRAPHS[assembler]}"
            row |= {"paths": f"{path}.paths"} if assembler in ("metaspades", "metaflye") else {}
        rows.append(row)
    return rows


def sheet_text(rng: random.Random, option: str, rows: list[Fields]) -> bytes:
    """Return rows as CSV in one of the forms that a reader must take."""
    columns = [name for name in SCHEMAS[option]["items"]["properties"] if name != "abundance"]
    rng.shuffle(columns)
    margin, quoted = rng.choice(("", "", " ")), rng.random() < WHOLE
    lines = []
    for row in [dict(zip(columns, columns)), *rows]:
        cells = [row.get(column, "") for column in columns]
        is_odd = [quoted or "," in cell or '"' in cell for cell in cells]
        cells = ['"{}"'.format(cell.replace('"', '""')) if odd else cell for cell, odd in zip(cells, is_odd)]
        lines += [margin + f",{margin}".join(cells), *([rng.choice(("", "," * (len(columns) - 1)))] * (margin == " "))]
    end = rng.choice(("\n", "\n", "\r\n", "\r"))
    return (rng.choice(("", "\ufeff")) + end.join(lines) + end * (rng.random() < FINAL_NEWLINE)).encode()


def naive_rows(option: str, raw: bytes) -> list[dict[str, str | None]] | None:
    """Return the rows of a sheet with every column of its schema, sorted by id; None if it has quotes."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError from error
    if '"' in text:
        return None
    lines = [[cell.strip() for cell in line.split(",")] for line in LINE_BREAK.split(text)]
    header, *records = [cells for cells in lines if any(cells)] or [[]]
    if any(len(cells) != len(header) for cells in records):
        raise UnreadableError
    columns = SCHEMAS[option]["items"]["properties"]
    rows = [{name: cell for name, cell in zip(header, cells) if cell} for cells in records]
    found = [{name: row.get(name, rule.get("default")) for name, rule in columns.items()} for row in rows]
    return sorted(found, key=lambda row: str(row[sheet_checks.IDS[option]]))


def check_sheets(wanted: dict[str, list], raw: dict[str, bytes], is_whole: bool, found: tuple) -> None:
    """Raise AssertionError unless problems are lines to show, and rows without a problem those of the text."""
    problems, rows = found
    for option, of_sheet in problems.items():
        for number, text in of_sheet:
            check_text(text)
            n_lines = len(LINE_BREAK.split(raw[option].decode(errors="replace")))
            assert 0 <= number <= n_lines, f"no row {number}: {text}"
    assert not is_whole or not any(problems.values()), f"problems of whole sheets: {problems}"
    if any(problems.values()):
        return
    for option, of_sheet in rows.items():
        naive = wanted[option] if is_whole else naive_rows(option, raw[option])
        compare(lambda of_sheet=of_sheet, naive=naive: of_sheet if naive is None else naive)(of_sheet)


def full_rows(option: str, rows: list[Fields]) -> list[dict[str, str | None]]:
    """Return rows with every column of the schema, sorted by id."""
    columns = SCHEMAS[option]["items"]["properties"]
    found = [{name: row.get(name, rule.get("default")) for name, rule in columns.items()} for row in rows]
    return sorted(found, key=lambda row: row[sheet_checks.IDS[option]])


def sheets_case(damage: str, raw: dict[str, bytes], wanted: dict[str, list]) -> Case:
    """Return sheets by their options, and the rows of whole ones."""

    def read(folder: Path) -> tuple[dict, dict]:
        found = {name: sheets.read_sheet(folder / f"{name}.csv", name, SCHEMAS[name]) for name in raw}
        problems = sheet_checks.sheet_problems(found, SCHEMAS, {})
        names = {name: str(folder / f"{name}.csv") for name in raw}
        assert bool(validate.message([], problems, names)) == any(problems.values())
        if any(problems.values()):
            return problems, {}
        return problems, {name: validate.result_rows(found[name], name, SCHEMAS[name]["items"]) for name in raw}

    check = partial(check_sheets, wanted, raw, damage == "none")
    return Case(damage, {f"{name}.csv": raw[name] for name in raw}, read, check, False)


def generate_sheets(rng: random.Random) -> Case:
    """Return both sheets, of which one may be damaged."""
    groups = rng.sample(("G", "g.1", "x_y", "0"), rng.randint(1, 3))
    rows = {"input": sample_rows(rng, groups), "assembly_input": assembly_rows(rng, groups)}
    raw = {option: sheet_text(rng, option, of_sheet) for option, of_sheet in rows.items()}
    option = rng.choice(list(raw))
    damage, raw[option] = damaged_file(rng, raw[option], False)
    return sheets_case(damage, raw, {name: full_rows(name, of_sheet) for name, of_sheet in rows.items()})


# Parameters of which a value asks for that of another, or excludes it
NEED_OTHERS = {"catalogue_type", "mapper", "preset", "start_at"}


def whole_value(rng: random.Random, rule: dict) -> object:
    """Return a value of a parameter that its schema allows, or None."""
    if "enum" in rule:
        return rng.choice(rule["enum"])
    values = [rule.get("default"), *(rule[bound] for bound in ("minimum", "maximum") if bound in rule)]
    value = rng.choice(values)
    return str(value) if rule["type"] == "integer" and value is not None and rng.random() < WHOLE else value


def check_parameters(params: dict, is_whole: bool, found: list[str]) -> None:
    """Raise AssertionError unless each message is a line that names a parameter, and whole ones have none."""
    for text in found:
        check_text(text)
    assert not is_whole or not found, found
    assert all("--" in text for text in found), found
    strange = [name for name in params if name not in RULES]
    assert bool(strange) <= bool(found), f"no message about {strange}"
    wrong = [name for name, value in params.items() if isinstance(value, (list, dict)) and name in RULES]
    missing = [name for name in wrong if not any(text.startswith(f"--{name} ") for text in found)]
    assert not missing, f"no message about {missing}"


def generate_parameters(rng: random.Random) -> Case:
    """Return the request of VALIDATE with parameters."""
    params = {"assembly_input": "a.csv", "outdir": "out"}
    for name in rng.sample(sorted(RULES.keys() - NEED_OTHERS), rng.randint(0, len(RULES) - len(NEED_OTHERS))):
        rule = RULES[name]
        if name not in params and "exclusiveMinimum" not in rule and (value := whole_value(rng, rule)) is not None:
            params[name] = value
    damage = "none" if rng.random() < WHOLE else rng.choice(("values", "bytes"))
    odd = (*JUNK, None, True, 0, -1, 1.5, 10**30, 1e308, [1], {"a": [2]}, "\ud800", [[]] * 50)
    for _ in range(rng.randint(1, 3) if damage == "values" else 0):
        params[rng.choice((*RULES, *JUNK, "resume", "latentSize", "x" * 3000))] = rng.choice(odd)
    raw = json.dumps({"params": params}).encode()
    if damage == "bytes":
        raw = damaged_file(rng, raw, False)[1]

    def read(folder: Path) -> list[str]:
        content = schema_rules.read_json(folder / "request.json", "params")
        return parameters.parameter_problems(content["params"], PARAMETERS) if damage != "bytes" else []

    check = partial(check_parameters, params if damage != "bytes" else {}, damage == "none")
    return Case(damage, {"request.json": raw}, read, check, damage == "bytes")


GENERATORS = {"sheets": generate_sheets, "parameters": generate_parameters}
