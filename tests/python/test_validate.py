"""validate.py: what it says about parameters and sheets, where, and that it never stops with a traceback."""

import ast
import json
import re
import stat
from pathlib import Path

import pytest
import validate
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = json.loads((ROOT / "nextflow_schema.json").read_text())
SCHEMAS = {
    "input": json.loads((ROOT / "assets/schema_input.json").read_text()),
    "assembly_input": json.loads((ROOT / "assets/schema_assembly_input.json").read_text()),
}
RULES = {name: rule for group in PARAMETERS["$defs"].values() for name, rule in group["properties"].items()}

SAMPLES = "sample,group,fastq_1,fastq_2,bam,platform\nS1,G,a_1.fq.gz,a_2.fq.gz,,\nS2,G,,,b.bam,illumina\n"
ASSEMBLIES = "id,group,assembler,fasta,graph,paths\nA,G,metaspades,c.fasta,g.gfa,contigs.paths\n"
SAMPLE_HEADER, ASSEMBLY_HEADER = SAMPLES.splitlines()[0], ASSEMBLIES.splitlines()[0]
TABLE_HEADER = ASSEMBLY_HEADER + ",abundance"


class Outcome:
    """What one run of the command left behind."""

    def __init__(self, result, folder):
        self.exit_code, self.exception, self.stderr = result.exit_code, result.exception, result.stderr
        self.text = (folder / "problems.txt").read_text() if (folder / "problems.txt").exists() else None
        found = folder / "validated.json"
        self.rows = json.loads(found.read_text()) if found.exists() else None


def put(path, content):
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, newline="")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command on sheets given as text, bytes or None (no such option)."""
    monkeypatch.chdir(tmp_path)

    def call(samples=SAMPLES, assemblies=ASSEMBLIES, params=None, missing=()):
        named = {"input": "my/samples.csv", "assembly_input": "my/assemblies.csv"}
        sheets = {"input": samples, "assembly_input": assemblies}
        names = {option: named[option] for option in sheets if sheets[option] is not None}
        request = {"params": {"outdir": "out", **names, **(params or {})}, "missing": list(missing), "sheet_names": names}
        Path("request.json").write_text(json.dumps(request))
        arguments = ["--request", "request.json", "--parameter_schema", str(ROOT / "nextflow_schema.json")]
        arguments += ["--sample_schema", str(ROOT / "assets/schema_input.json")]
        arguments += ["--assembly_schema", str(ROOT / "assets/schema_assembly_input.json")]
        for option, content in sheets.items():
            if content is not None:
                put(tmp_path / f"{option}.csv", content)
                arguments += [f"--{option}", f"{option}.csv"]
        return Outcome(CliRunner().invoke(validate.main, arguments), tmp_path)

    return call


@pytest.fixture
def problems(tmp_path):
    """Problems of two sheets given as text: {option: [(row, text)]}."""

    def find(samples=SAMPLES, assemblies=ASSEMBLIES, missing=()):
        sheets = {"input": None, "assembly_input": None}
        for option, content in (("input", samples), ("assembly_input", assemblies)):
            if content is not None:
                put(tmp_path / option, content)
                sheets[option] = validate.read_sheet(tmp_path / option, option, SCHEMAS[option])
        found = validate.sheet_problems(sheets, SCHEMAS, set(missing))
        return {option: [tuple(problem) for problem in found[option]] for option in found}

    return find


def samples(*rows, header=SAMPLE_HEADER):
    return "\n".join([header, *rows]) + "\n"


def assemblies(*rows, header=ASSEMBLY_HEADER):
    return "\n".join([header, *rows]) + "\n"


def parameter_lines(**params):
    return validate.parameter_problems({"outdir": "out", "assembly_input": "a.csv", **params}, PARAMETERS)


def only(found, row, *words):
    """The one problem found is of this row and holds these words."""
    assert len(found) == 1, found
    assert found[0][0] == row
    for word in words:
        assert word in found[0][1]


# parameters


def config_defaults():
    """The `params` block of nextflow.config, read line by line; a line that is no `name = literal` fails."""
    block = re.search(r"^params \{\n(.*?)^\}", (ROOT / "nextflow.config").read_text(), re.M | re.S).group(1)
    words = {"null": None, "true": True, "false": False}
    defaults = {}
    for line in block.splitlines():
        code = line.split(" //")[0].strip()
        if code and not code.startswith("//"):
            name, value = re.fullmatch(r"(\w+)\s*=\s*(\S.*)", code).groups()
            defaults[name] = words[value] if value in words else ast.literal_eval(value)
    return defaults


def test_schema_has_the_defaults_of_nextflow_config():
    defaults = config_defaults()
    assert len(defaults) >= 25
    assert {name: rule.get("default") for name, rule in RULES.items()} == defaults


def test_every_parameter_that_the_pipeline_uses_is_in_the_schema():
    files = [ROOT / "main.nf", *ROOT.glob("workflows/*.nf"), *ROOT.glob("modules/**/main.nf"), *ROOT.glob("conf/*.config")]
    text = "\n".join(path.read_text() for path in [*files, ROOT / "nextflow.config"])
    used = set(re.findall(r"(?<![\w.'/])params\.(\w+)", text))
    for block in re.findall(r"^\s*params \{\n(.*?)^\s*\}", text, re.M | re.S):
        used |= set(re.findall(r"^\s*(\w+)\s*=", block, re.M))
    assert {"outdir", "epochs", "mapper"} <= used
    assert used <= set(RULES)


def test_defaults_pass_their_own_schema():
    assert parameter_lines(**config_defaults() | {"assembly_input": "a.csv"}) == []


def test_schemas_are_valid_and_have_the_shape_that_nf_core_tools_read():
    for schema in [PARAMETERS, *SCHEMAS.values()]:
        Draft202012Validator.check_schema(schema)
    assert [group["$ref"] for group in PARAMETERS["allOf"]] == [f"#/$defs/{name}" for name in PARAMETERS["$defs"]]
    for group in PARAMETERS["$defs"].values():
        assert group["type"] == "object" and group["title"] and group["description"]
    assert len(RULES) == sum(len(group["properties"]) for group in PARAMETERS["$defs"].values())
    for name, rule in RULES.items():
        assert rule["type"] in ("string", "integer", "number", "boolean"), name
        assert rule["description"] and rule["errorMessage"], name
        assert rule["type"] in ("string", "boolean") or {"minimum", "exclusiveMinimum"} & rule.keys(), name
    for schema in SCHEMAS.values():
        for name, rule in schema["items"]["properties"].items():
            assert rule["errorMessage"].startswith(f"{name} "), name


def test_the_two_alphas_are_told_apart():
    assert "label_score_ratio" in RULES["alpha"]["help_text"]
    assert "GraphBin2's alpha" in RULES["label_score_ratio"]["description"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_sizes", 325),
        ("hidden_sizes", "512,256,128"),
        ("batch_double_at", 25),
        ("outdir", 2024),
        ("learning_rate", "1e-3"),
        ("learning_rate", ".5"),
        ("epochs", "10"),
        ("epochs", 1),
        ("dropout", 0),
        ("dropout", "0.0"),
        ("alpha", 0.999),
        ("beta", 1e-9),
        ("distance_threshold", None),
        ("distance_threshold", 0.5),
        ("max_clusters", 1),
        ("label_score_ratio", 1),
        ("min_bin_size", 0),
        ("seed", 2**32 - 1),
        ("save_bam", "true"),
        ("mapper", "bwa"),
        ("publish_mode", "symlink"),
        ("container_registry", "ghcr.io/some.one:5000/x"),
    ],
)
def test_good_values_as_nextflow_gives_them(name, value):
    assert parameter_lines(**{name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("epochs", True, ["whole number of 1 or more", "is true", "write a value after --epochs"]),
        ("epochs", 0, ["is 0"]),
        ("epochs", 10.0, ["is 10.0"]),
        ("epochs", "ten", ["'ten'"]),
        ("epochs", "1e3", ["'1e3'"]),
        ("epochs", {"x": 1}, ['{"x": 1}']),
        ("batch_size", 1, ["2 or more"]),
        ("seed", -1, ["from 0 to 4294967295"]),
        ("seed", 2**32, ["4294967296"]),
        ("dropout", 1, ["below 1"]),
        ("dropout", -0.1, ["from 0"]),
        ("alpha", 0, ["between 0 and 1"]),
        ("alpha", 1, ["between 0 and 1"]),
        ("alpha", "NaN", ["'NaN'"]),
        ("alpha", float("nan"), ["NaN"]),
        ("beta", 0, ["above 0"]),
        ("beta", float("inf"), ["Infinity"]),
        ("beta", "1e999", ["'1e999'"]),
        ("beta", 10**400, None),
        ("distance_threshold", 1.0, ["between 0 and 1"]),
        ("label_score_ratio", 0.99, ["1 or more"]),
        ("max_clusters", 0, ["1 or more"]),
        ("hidden_sizes", "325,", ["325,325", "'325,'"]),
        ("hidden_sizes", "325,0", ["'325,0'"]),
        ("hidden_sizes", True, ["write a value after"]),
        ("hidden_sizes", "325\n", ["'325\\n'"]),
        ("hidden_sizes", "325; rm -rf x", ["'325; rm -rf x'"]),
        ("batch_double_at", "25,25", ["each larger"]),
        ("batch_double_at", "75,25", ["each larger"]),
        ("batch_double_at", "9" * 5000, ["each larger"]),
        ("mapper", "bowtie2", ["minimap2 or bwa", "'bowtie2'"]),
        ("publish_mode", "hardlink", ["rellink"]),
        ("save_bam", "false", ["true or false", "without quotes"]),
        ("save_bam", 1, ["true or false"]),
        ("input", True, ["path of the sample sheet", "write a value after --input"]),
        ("container_registry", "ghcr.io/x/", ["without a /"]),
    ],
)
def test_bad_values_name_the_parameter_the_rule_and_the_value(name, value, words):
    if words is None:  # a whole number too large for a float is still a number
        assert parameter_lines(**{name: value}) == []
        return
    lines = parameter_lines(**{name: value})
    assert len(lines) == 1
    assert lines[0].startswith(f"--{name} ")
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"latent_sise": 3}, "there is no parameter --latent_sise: did you mean --latent_size?"),
        ({"saveBam": True}, "there is no parameter --saveBam: did you mean --save_bam?"),
        ({"save-bam": True, "saveBam": True}, "there is no parameter --save-bam: did you mean --save_bam?"),
        ({"fooBar": 1, "foo-bar": 1}, "there is no parameter --foo-bar: --help lists them all"),
        ({"EPOCHS": 1}, "there is no parameter --EPOCHS: did you mean --epochs?"),
        ({"x\x1b[31m": 1}, "there is no parameter --x\\x1b[31m: --help lists them all"),
    ],
)
def test_unknown_parameters_are_named_once_with_the_nearest_known(given, expected):
    assert parameter_lines(**given) == [expected]


def test_required_parameters_are_asked_for():
    lines = validate.parameter_problems({"outdir": None, "epochs": 5}, PARAMETERS)
    assert [line.split(":")[0] for line in lines] == ["--assembly_input is missing", "--outdir is missing"]


def test_all_problems_of_the_parameters_come_in_one_message(run):
    done = run(params={"epochs": True, "alpha": 3, "epoch": 4})
    assert done.exit_code == 0 and done.rows is None
    lines = done.text.splitlines()
    assert lines[0].startswith("Nothing was started: 3 problems")
    assert lines[2] == "Parameters"
    assert [line.split()[0] for line in lines[3:]] == ["there", "--alpha", "--epochs"]


# sheets that are fine


def test_rows_come_out_sorted_with_null_and_default(run):
    done = run(SAMPLES.replace("S1", "Z"), ASSEMBLIES)
    assert (done.exit_code, done.text) == (0, "")
    empty = {"fastq_1": None, "fastq_2": None, "bam": None}
    assert done.rows == {
        "samples": [
            {"sample": "S2", "group": "G", **empty, "bam": "b.bam", "platform": "illumina"},
            {"sample": "Z", "group": "G", **empty, "fastq_1": "a_1.fq.gz", "fastq_2": "a_2.fq.gz", "platform": "illumina"},
        ],
        "assemblies": [
            {"id": "A", "group": "G", "assembler": "metaspades", "fasta": "c.fasta", "graph": "g.gfa",
             "paths": "contigs.paths", "abundance": None},
        ],
    }  # fmt: skip


def test_spreadsheet_habits_change_nothing(run):
    plain = run().rows
    marked = "\ufeff" + SAMPLES.replace("\n", "\r\n").replace("S1", ' "S1" ') + "\r\n,,,,,\r\n  \r\n"
    assert run(marked.encode(), ASSEMBLIES.rstrip("\n")).rows == plain
    reordered = "platform, bam ,group,sample,fastq_2,fastq_1\n,,G,S1,a_2.fq.gz,a_1.fq.gz\n,b.bam,G,S2,,\n"
    assert run(reordered, ASSEMBLIES.replace("\n", "\r")).rows == plain


def test_a_quoted_path_may_hold_a_comma_and_spaces(run):
    done = run(samples('S1,G,"my reads/a, b.fq",,,'))
    assert done.rows["samples"][0]["fastq_1"] == "my reads/a, b.fq"


@pytest.mark.parametrize("name", ["NA", "001", "nan", "1e5", "None", "true", "_x", "a.b-c_d"])
def test_ids_stay_what_they_are(run, name):
    done = run(samples(f"{name},{name},a.fq,,,"), assemblies(f"{name},{name},gfa,c.fa,,"))
    assert [(row["sample"], row["group"]) for row in done.rows["samples"]] == [(name, name)]
    assert [(row["id"], row["group"]) for row in done.rows["assemblies"]] == [(name, name)]


def test_columns_that_need_not_be_there(run):
    done = run("sample,group,bam\nS,G,s.bam\n", "id,group,assembler,fasta\nA,G,megahit,c.fna.gz\n")
    assert done.rows["samples"] == [
        {"sample": "S", "group": "G", "fastq_1": None, "fastq_2": None, "bam": "s.bam", "platform": "illumina"}
    ]
    assert done.rows["assemblies"][0]["graph"] is None


def test_input_may_be_absent_if_every_group_has_a_table(run):
    done = run(None, assemblies("A,G,gfa,c.fa,,,t.tsv", "B,G,gfa,d.fa,,,", header=TABLE_HEADER))
    assert done.text == ""
    assert done.rows["samples"] == []
    assert [row["abundance"] for row in done.rows["assemblies"]] == ["t.tsv", None]


def test_same_files_may_be_used_by_two_groups(problems):
    found = problems(
        samples("S1,G,a.fq,,,", "S2,H,a.fq,,,"), assemblies("A,G,gfa,c.fa,,", "B,H,gfa,c.fa,,")
    )
    assert found == {"input": [], "assembly_input": []}


def test_the_example_sheets_are_good(problems):
    found = problems((ROOT / "assets/samples.csv").read_text(), (ROOT / "assets/assemblies.csv").read_text())
    assert found == {"input": [], "assembly_input": []}


# one row


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("S 1,G,a.fq,,,", ["sample must be", "'S 1'"]),
        ("S/1,G,a.fq,,,", ["sample must be", "'S/1'"]),
        ("..,G,a.fq,,,", ["no '..'"]),
        ("a..b,G,a.fq,,,", ["'a..b'"]),
        (".a,G,a.fq,,,", ["'.a'"]),
        ("-a,G,a.fq,,,", ["'-a'"]),
        ("$(x),G,a.fq,,,", ["'$(x)'"]),
        ("é,G,a.fq,,,", ["'é'"]),
        ("x" * 101 + ",G,a.fq,,,", ["1 to 100"]),
        ("contig,G,a.fq,,,", ["not contig or contigname"]),
        ("\x1b[2J,G,a.fq,,,", ["'\\x1b[2J'"]),
        (",G,a.fq,,,", ["sample is empty"]),
        ("S,G,a.txt,,,", ["fastq_1 must end in", ".fq.gz", "'a.txt'"]),
        ("S,G,a.fasta.gz,,,", ["fastq_1 must end in"]),
        ("S,G,*.fq,,,", ["without any of * ?", "'*.fq'"]),
        ("S,G,a.fq,b.fa,,", ["fastq_2 must end in"]),
        ("S,G,,,a.sam,", ["bam must end in .bam", "'a.sam'"]),
        ("S,G,a.fq,,,nanopore", ["platform must be illumina, ont or pacbio", "'nanopore'"]),
        ("S,G,,,,", ["neither reads nor a BAM"]),
        ("S,G,a.fq,,a.bam,", ["both reads and a BAM"]),
        ("S,G,a.fq,b.fq,a.bam,", ["both reads and a BAM"]),
        ("S,G,,b.fq,,", ["fastq_2 without fastq_1"]),
        ("S,G,a.fq,a.fq,,", ["the same file"]),
        ("S,G,x/a.fq,x/./a.fq,,", ["the same file"]),
        ("S,G,a.fq,b.fq,,ont", ["long reads", "fastq_2"]),
        ("S,G,a.fq,b.fq,,pacbio", ["long reads", "fastq_2"]),
        ("S,G,a.fq", ["3 fields where the header has 6", "commas"]),
        ("S,G,a,b.fq,,,", ["7 fields where the header has 6"]),
    ],
)
def test_bad_sample_rows(problems, row, words):
    found = problems(samples("Good,G,good.fq,,,", "", row))
    only(found["input"], 4, *words)
    assert found["assembly_input"] == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a b,G,gfa,c.fa,,", ["id must be", "'a b'"]),
        ("a~b,G,gfa,c.fa,,", ["id must be", "'a~b'"]),
        (",G,gfa,c.fa,,", ["id is empty"]),
        ("B,G,,c.fa,,", ["assembler is empty", "metaflye"]),
        ("B,G,MEGAHIT,c.fa,,", ["assembler must be", "'MEGAHIT'"]),
        ("B,G,gfa,,,", ["fasta is empty"]),
        ("B,G,gfa,c.gfa,,", ["fasta must end in", "'c.gfa'"]),
        ("B,G,gfa,c.fa.bz2,,", ["fasta must end in"]),
        ("B,G,gfa,c.fa,g.txt,", ["graph must end in", "'g.txt'"]),
        ("B,G,metaspades,c.fa,h.gfa,", ["a graph without paths", "contigs.paths"]),
        ("B,G,metaflye,c.fa,h.gfa,", ["a graph without paths", "assembly_info.txt"]),
        ("B,G,metaspades,c.fa,,h.paths", ["paths without graph"]),
        ("B,G,megahit,c.fa,h.gfa,h.paths", ["only metaspades and metaflye"]),
        ("B,G,sga,c.fa,h.gfa,", ["graph of sga", ".asqg"]),
        ("B,G,gfa,c.fa,h.fastg,", ["graph of metaspades, metaflye or gfa", "'h.fastg'"]),
        ("B,G,megahit,c.fa,h.asqg,", ["graph of megahit", "contig2fastg"]),
        ("B,G,gfa,c.fa", ["4 fields where the header has 6"]),
    ],
)
def test_bad_assembly_rows(problems, row, words):
    found = problems(SAMPLES, ASSEMBLIES + row + "\n")
    only(found["assembly_input"], 3, *words)
    assert found["input"] == []


@pytest.mark.parametrize("row", ["B,G,megahit,c.fa,h.fastg.gz,", "B,G,sga,c.fa,h.asqg.gz,", "B,G,gfa,c.fas,h.gfa.gz,"])
def test_graphs_of_each_assembler(problems, row):
    assert problems(SAMPLES, ASSEMBLIES + row + "\n")["assembly_input"] == []


@pytest.mark.parametrize("group", ["a b", "pipeline_info", "summary.tsv"])
def test_groups_that_cannot_be_folders_of_results(problems, group):
    found = problems(samples(f"S,{group},a.fq,,,"), assemblies(f"A,{group},gfa,c.fa,,"))
    only(found["input"], 2, "group must be", f"'{group}'")
    only(found["assembly_input"], 2, "group must be", f"'{group}'")


def test_missing_files_are_told_with_the_remedy(problems):
    found = problems(missing=["a_2.fq.gz", "g.gfa", "elsewhere.fa"])
    only(found["input"], 2, "sample 'S1': fastq_2 does not exist", "'a_2.fq.gz'", "sheet's own folder")
    only(found["assembly_input"], 2, "assembly 'A': graph does not exist", "'g.gfa'", "sheet's own folder")


# several rows


def test_ids_are_unique_over_the_whole_sheet(problems):
    found = problems(
        samples("S,G,a.fq,,,", "T,G,b.fq,,,", "S,H,c.fq,,,", "S,G,d.fq,,,"),
        assemblies("A,G,gfa,c.fa,,", "A,H,gfa,d.fa,,"),
    )
    assert [row for row, _ in found["input"]] == [4, 5]
    assert all("sample 'S' stands in row 2 already" in text for _, text in found["input"])
    only(found["assembly_input"], 3, "assembly 'A' stands in row 2 already")


@pytest.mark.parametrize("row", ["S2,G,a.fq,,,", "S2,G,./a.fq,,,", "S2,G,c.fq,x/../a.fq,,", "S2,G,b.fq,c.fq,,"])
def test_the_same_reads_for_two_samples_of_a_group(problems, row):
    found = problems(samples("S1,G,a.fq,b.fq,,", row))
    only(found["input"], 3, "is used in row 2 already")


def test_the_same_bam_or_contigs_twice_in_a_group(problems):
    found = problems(
        samples("S1,G,,,x.bam,", "S2,G,,,x.bam,"),
        assemblies("A,G,gfa,c.fa,,", "B,G,gfa,c.fa,g.gfa,", "C,G,gfa,d.fa,g.gfa,"),
    )
    only(found["input"], 3, "bam 'x.bam' is used in row 2 already")
    assert [(row, text.split(" is used")[0]) for row, text in found["assembly_input"]] == [
        (3, "fasta 'c.fa'"),
        (4, "graph 'g.gfa'"),
    ]


def test_groups_that_one_sheet_lacks(problems):
    found = problems(
        samples("S,G,a.fq,,,", "T,H,b.fq,,,", "U,H,c.fq,,,"), assemblies("A,G,gfa,c.fa,,", "B,I,gfa,d.fa,,")
    )
    only(found["input"], 3, "group 'H' (rows 3, 4) has no assembly", "assembly sheet")
    only(found["assembly_input"], 3, "group 'I' has no sample", "sample sheet", "abundance table")


def test_without_a_sample_sheet_the_remedy_names_its_option(problems):
    found = problems(None)
    only(found["assembly_input"], 2, "group 'G' has no sample", "--input")
    assert "input" not in found


def test_a_group_has_samples_or_one_table(problems):
    both = problems(SAMPLES, assemblies("A,G,gfa,c.fa,,,t.tsv", header=TABLE_HEADER))
    only(both["assembly_input"], 2, "abundance table", "samples of group 'G' (rows 2, 3)", "keep the table or the samples")
    rows = "A,G,gfa,c.fa,,,t.tsv", "B,G,gfa,d.fa,,,u.tsv", "C,H,gfa,e.fa,,,u.tsv"
    two = problems(None, assemblies(*rows, header=TABLE_HEADER))
    only(two["assembly_input"], 3, "group 'G' has another abundance table in row 2")


def test_everything_comes_in_one_message_sorted_by_row(run):
    done = run(
        samples("S 1,G,a.fq,,,", "S2,H,b.fq,,,", "S2,G,c.fq,,x.bam,"),
        assemblies("A,G,gfa,c.fa,,p", "A,I,gfa,d.txt,,"),
        params={"epochs": 0},
        missing=["c.fa"],
    )
    assert done.exit_code == 0 and done.rows is None
    lines = done.text.splitlines()
    assert lines[0].startswith("Nothing was started: 10 problems")
    assert "--input my/samples.csv" in lines and "--assembly_input my/assemblies.csv" in lines
    split = lines.index("--assembly_input my/assemblies.csv")
    assert re.findall(r"^  row (\d+):", "\n".join(lines[:split]), re.M) == ["2", "3", "4", "4"]
    assert re.findall(r"^  row (\d+):", "\n".join(lines[split:]), re.M) == ["2", "2", "3", "3", "3"]
    assert done.text in done.stderr


def test_a_second_run_with_problems_leaves_no_rows_of_the_first(run):
    assert run().rows is not None
    assert run(params={"epochs": 0}).rows is None


# headers and files


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Sample,group,fastq_1", [["'Sample'", "did you mean 'sample'?"], ["'sample' is missing"]]),
        ("sample,fastq_1", [["'group' is missing", "binned together"]]),
        ("sample,group", [["'fastq_1' and 'bam' are missing"]]),
        ("sample,group,fastq1,bam", [["'fastq1'", "did you mean 'fastq_1'?"]]),
        ("sample,group,bam,wetness", [["'wetness'", "the columns are sample, group, fastq_1"]]),
        ("sample,group,bam,bam", [["'bam' stands twice"]]),
        ("sample,group,bam,", [["column 4 has no name"]]),
        ("sample\tgroup\tfastq_1", [["separated by tabs", "commas"]]),
        ("sample;group;fastq_1", [["separated by semicolons", "commas"]]),
    ],
)
def test_bad_headers(problems, header, words):
    row = "S,G,,x.bam" if header.startswith("sample,group,fastq1") else "S,G,x.bam" + "," * (header.count(",") - 2)
    found = [problem for problem in problems(samples(row, header=header))["input"] if problem[0] == 1]
    assert len(found) == len(words)
    for (_, text), expected in zip(found, words):
        for word in expected:
            assert word in text


def test_a_bad_header_blames_no_row_and_no_other_sheet(problems):
    found = problems("sampel,group,fastq_1\nS 1,X,a.txt\n")
    assert [row for row, _ in found["input"]] == [1, 1]
    assert found["assembly_input"] == []


def test_missing_columns_of_the_assembly_sheet(problems):
    found = problems(SAMPLES, "id,group\nA,G\n")["assembly_input"]
    assert [row for row, _ in found] == [1, 1]
    assert "'assembler' is missing" in found[0][1] and "'fasta' is missing" in found[1][1]


@pytest.mark.parametrize(
    ("content", "row", "words"),
    [
        ("", 0, ["is empty"]),
        ("\n\n ,,\n", 0, ["is empty"]),
        (b"\xef\xbb\xbf", 0, ["is empty"]),
        (SAMPLE_HEADER, 1, ["no row below the header"]),
        (SAMPLE_HEADER + "\n,,,,,\n", 1, ["no row below the header"]),
        (b"\x1f\x8b\x08\x00aaaa", 0, ["no plain text", "CSV UTF-8"]),
        (b"PK\x03\x04\x00\x00", 0, ["no plain text"]),
        (SAMPLES.encode("utf-16"), 0, ["no plain text", "CSV UTF-8"]),
        (SAMPLES.replace("S2", "Ö").encode("latin-1"), 3, ["not UTF-8"]),
        (SAMPLE_HEADER + '\n"S1,G,a.fq,,,\nS2,G,b.fq,,,\n', 2, ["several lines", "double quote"]),
        (SAMPLE_HEADER + "\nS1,G," + "x" * 200000 + ".fq,,,\n", 2, ["cannot be read", "field limit"]),
    ],
)
def test_sheets_that_are_no_table(run, problems, content, row, words):
    found = problems(content)
    only(found["input"], row, *words)
    assert found["assembly_input"] == []
    done = run(content)
    assert done.exit_code == 0 and done.exception is None and done.rows is None
    assert done.text.startswith("Nothing was started: 1 problem to mend")


def test_reads_in_place_of_a_sheet_are_not_read_whole(problems):
    only(problems("@r\nACGT\n+\nIIII\n" * 2**19)["input"], 0, "larger than 4 MiB", "not the data")


def test_directories_and_absent_files(tmp_path):
    for path, words in ((tmp_path, "is no file"), (tmp_path / "none.csv", "does not exist")):
        sheet = validate.read_sheet(path, "input", SCHEMAS["input"])
        only([tuple(problem) for problem in sheet.problems], 0, words)
        assert not sheet.complete


def test_a_sheet_that_was_named_but_not_found(run, tmp_path):
    done = run(None, params={"input": "gone.csv"})
    assert "has no sample" in done.text  # params alone do not make a sheet: sheet_names do
    request = json.loads(Path("request.json").read_text())
    request["sheet_names"]["input"] = "gone.csv"
    Path("request.json").write_text(json.dumps(request))
    arguments = ["--request", "request.json", "--parameter_schema", str(ROOT / "nextflow_schema.json")]
    arguments += ["--sample_schema", str(ROOT / "assets/schema_input.json"), "--assembly_input", "assembly_input.csv"]
    arguments += ["--assembly_schema", str(ROOT / "assets/schema_assembly_input.json")]
    done = Outcome(CliRunner().invoke(validate.main, arguments), tmp_path)
    assert done.exit_code == 0 and done.rows is None
    assert done.text.splitlines()[2:] == ["--input gone.csv", "  does not exist or cannot be read: give the path of a CSV file"]


def test_ten_thousand_bad_rows_give_a_short_message(run):
    done = run(samples(*(f"S {i},G,{i}.txt,,," for i in range(10000))), ASSEMBLIES + "B,H,gfa,c.fa,,\n")
    lines = done.text.splitlines()
    assert len(lines) == 1 + 1 + 1 + validate.SHOWN_PROBLEMS + 1 + 1 + 1 + 1
    assert lines[0].startswith("Nothing was started: 20001 problems")
    assert "  ... and 19970 more problems in this sheet" in lines
    assert lines[-1].startswith("  row 3: group 'H' has no sample")


def test_the_row_after_the_last_shown_problem_is_counted_as_one():
    problems = [validate.Problem(row, "x") for row in range(2, validate.SHOWN_PROBLEMS + 3)]
    assert validate.sheet_lines(problems)[-1] == "... and 1 more problem in this sheet"
    assert validate.sheet_lines(problems[:-1])[-1] == f"row {validate.SHOWN_PROBLEMS + 1}: x"


FIELDS = st.sampled_from(["S", "G", "a.fq", "b.bam", "..", "", '"', "\n", "\r", ",", ",", ",", "\t", "é", "\x00", "\ufeff", "*"])


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.lists(FIELDS, max_size=40).map(lambda parts: "".join(parts).encode())))
def test_whatever_stands_in_a_sheet_becomes_problems_on_one_line_each(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(SAMPLE_HEADER.encode() + b"\n" + content)
    sheets = {"input": validate.read_sheet(path, "input", SCHEMAS["input"]), "assembly_input": None}
    found = validate.sheet_problems(sheets, SCHEMAS, set())["input"]
    good = validate.result_rows(sheets["input"], "input", SCHEMAS["input"]["items"]) if not found else []
    assert bool(found) != bool(good)
    lines = max(1, len(re.split(rb"\r\n|\r|\n", content))) + 1
    assert all(0 <= row <= lines and text.isprintable() for row, text in found)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"params": {}}', "\x00"])
def test_a_request_that_cannot_be_used_is_the_only_failure(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    Path("request.json").write_text(content)
    arguments = ["--request", "request.json", "--parameter_schema", str(ROOT / "nextflow_schema.json")]
    arguments += ["--sample_schema", str(ROOT / "assets/schema_input.json")]
    arguments += ["--assembly_schema", str(ROOT / "assets/schema_assembly_input.json")]
    result = CliRunner().invoke(validate.main, arguments)
    assert result.exit_code == 1
    assert "request.json" in result.stderr and "Traceback" not in result.stderr
    assert not Path("problems.txt").exists()


def test_the_script_is_executable():
    assert (ROOT / "bin/validate.py").stat().st_mode & stat.S_IXUSR
