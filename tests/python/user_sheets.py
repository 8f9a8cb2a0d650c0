"""Sheets of samples and assemblies as text, and what validate.py makes of them."""

import json
from pathlib import Path

from click.testing import CliRunner

import validate
from sheet_checks import sheet_problems
from sheets import read_sheet

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {
    "input": json.loads((ROOT / "assets/schema_input.json").read_text()),
    "assembly_input": json.loads((ROOT / "assets/schema_assembly_input.json").read_text()),
}

SAMPLES = "sample,group,fastq_1,fastq_2,bam,platform\nS1,G,a_1.fq.gz,a_2.fq.gz,,\nS2,G,,,b.bam,illumina\n"
ASSEMBLIES = "id,group,assembler,fasta,graph,paths\nA,G,metaspades,c.fasta,g.gfa,contigs.paths\n"
SAMPLE_HEADER, ASSEMBLY_HEADER = SAMPLES.splitlines()[0], ASSEMBLIES.splitlines()[0]
TABLE_HEADER = ASSEMBLY_HEADER + ",abundance"


class Outcome:
    """What one run of the command in the current folder left behind."""

    def __init__(self, result):
        self.exit_code, self.exception, self.stderr = result.exit_code, result.exception, result.stderr
        self.text = Path("problems.txt").read_text() if Path("problems.txt").exists() else None
        self.rows = json.loads(Path("validated.json").read_text()) if Path("validated.json").exists() else None


def put(path, content):
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, newline="")


def run_validate(samples=SAMPLES, assemblies=ASSEMBLIES, params=None, missing=()):
    """Run the command in the current folder on sheets given as text, bytes or None (no such option)."""
    named = {"input": "my/samples.csv", "assembly_input": "my/assemblies.csv"}
    sheets = {"input": samples, "assembly_input": assemblies}
    names = {option: named[option] for option in sheets if sheets[option] is not None}
    absent = {option: dict.fromkeys(missing, "does not exist") for option in names}
    request = {"params": {"outdir": "out", **names, **(params or {})}, "unusable": absent, "sheet_names": names}
    Path("request.json").write_text(json.dumps(request))
    paths = []
    for option, content in sheets.items():
        if content is not None:
            put(Path(f"{option}.csv"), content)
            paths += [f"--{option}", f"{option}.csv"]
    return call_validate(*paths)


def call_validate(*paths):
    """Run the command on request.json and these sheets."""
    arguments = ["--request", "request.json", "--parameter_schema", str(ROOT / "nextflow_schema.json")]
    arguments += ["--sample_schema", str(ROOT / "assets/schema_input.json")]
    arguments += ["--assembly_schema", str(ROOT / "assets/schema_assembly_input.json")]
    return Outcome(CliRunner().invoke(validate.main, [*arguments, *paths]))


def find_problems(folder, samples=SAMPLES, assemblies=ASSEMBLIES, missing=(), unusable=None):
    """Problems of two sheets given as text: {option: [(row, text)]}."""
    sheets = {"input": None, "assembly_input": None}
    for option, content in (("input", samples), ("assembly_input", assemblies)):
        if content is not None:
            put(folder / option, content)
            sheets[option] = read_sheet(folder / option, option, SCHEMAS[option])
    found = sheet_problems(sheets, SCHEMAS, unusable or dict.fromkeys(sheets, dict.fromkeys(missing, "does not exist")))
    return {option: [tuple(problem) for problem in found[option]] for option in found}


def samples(*rows, header=SAMPLE_HEADER):
    return "\n".join([header, *rows]) + "\n"


def assemblies(*rows, header=ASSEMBLY_HEADER):
    return "\n".join([header, *rows]) + "\n"


def only(found, row, *words):
    """The one problem found is of this row and holds these words."""
    assert len(found) == 1, found
    assert found[0][0] == row
    for word in words:
        assert word in found[0][1]
