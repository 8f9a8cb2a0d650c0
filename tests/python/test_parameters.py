"""parameters.py: what it says about parameters, and that schema, config and code have the same ones."""

import ast
import json
import re

import pytest
from jsonschema import Draft202012Validator

from parameters import parameter_problems
from user_sheets import ROOT, SCHEMAS, run_validate

PARAMETERS = json.loads((ROOT / "nextflow_schema.json").read_text())
RULES = {name: rule for group in PARAMETERS["$defs"].values() for name, rule in group["properties"].items()}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return run_validate


def parameter_lines(**params):
    return parameter_problems({"outdir": "out", "assembly_input": "a.csv", **params}, PARAMETERS)


def config_defaults():
    """The `params` block of nextflow.config, read line by line; a line that is no `name = literal` fails.

    `params.name ?:` may stand before the literal. The folder of the results stands before the block.
    """
    text = (ROOT / "nextflow.config").read_text()
    block = re.search(r"^params \{\n(.*?)^\}", text, re.M | re.S).group(1)
    block += re.search(r"^params\.(outdir = .*\n)", text, re.M).group(1)
    words = {"null": None, "true": True, "false": False}
    defaults = {}
    for line in block.splitlines():
        code = line.split(" //")[0].strip()
        if code and not code.startswith("//"):
            name, value = re.fullmatch(r"(\w+)\s*=\s*(?:params\.\1 \?: )?(\S.*)", code).groups()
            defaults[name] = words[value] if value in words else ast.literal_eval(value)
    return defaults


def test_schema_has_the_defaults_of_nextflow_config():
    defaults = config_defaults()
    assert len(defaults) >= 25
    assert {name: rule.get("default") for name, rule in RULES.items()} == defaults


def test_every_parameter_that_the_pipeline_uses_is_in_the_schema():
    files = [
        ROOT / "main.nf",
        *ROOT.glob("workflows/*.nf"),
        *ROOT.glob("modules/**/main.nf"),
        *ROOT.glob("conf/*.config"),
    ]
    text = "\n".join(path.read_text() for path in [*files, ROOT / "nextflow.config"])
    used = set(re.findall(r"(?<![\w.'/])params\.(\w+)\b(?! *[({])", text))
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


ONE_HYPHEN = "with one hyphen, as it is an option of Nextflow"


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
        ("save_bam", "false"),
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
        ("mapper", "bowtie2", ["minimap2, bwa or strobealign", "'bowtie2'"]),
        ("publish_mode", "hardlink", ["rellink"]),
        ("publish_mode", "move", ["copy"]),
        ("save_bam", "no", ["true or false", "'no'"]),
        ("save_bam", 1, ["true or false"]),
        ("input", True, ["path of the sample sheet", "write a value after --input"]),
        ("input", "true", ["path of the sample sheet", "write a value after --input"]),
        ("epochs", "true", ["whole number of 1 or more", "write a value after --epochs"]),
        ("queue", "true", ["write a value after --queue"]),
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
        ({"resume": True}, f"there is no parameter --resume: write -resume {ONE_HYPHEN}"),
        ({"work-dir": 1, "workDir": 1}, f"there is no parameter --work-dir: write -work-dir {ONE_HYPHEN}"),
        ({"EPOCHS": 1}, "there is no parameter --EPOCHS: did you mean --epochs?"),
        ({"x\x1b[31m": 1}, "there is no parameter --x\\x1b[31m: --help lists them all"),
    ],
)
def test_unknown_parameters_are_named_once_with_the_nearest_known(given, expected):
    assert parameter_lines(**given) == [expected]


def test_required_parameters_are_asked_for():
    lines = parameter_problems({"outdir": None, "epochs": 5}, PARAMETERS)
    assert [line.split(":")[0] for line in lines] == ["--assembly_input is missing", "--outdir is missing"]


def test_all_problems_of_the_parameters_come_in_one_message(run):
    done = run(params={"epochs": True, "alpha": 3, "epoch": 4})
    assert done.exit_code == 0 and done.rows is None
    lines = done.text.splitlines()
    assert lines[0].startswith("Nothing was started: 3 problems")
    assert lines[2] == "Parameters"
    assert [line.split()[0] for line in lines[3:]] == ["there", "--alpha", "--epochs"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"compare": "vamb=v.tsv,x-1.2=s3://b/x.tsv.gz", "truth": "t.tsv"}, []),
        ({"compare": "bins=v.tsv"}, ["--compare: bins is a binning of Binloom's own: give it another name"]),
        ({"compare": "a=v.tsv,b=v.tsv,a=w.tsv"}, ["--compare: two tables are of a: rename or remove one"]),
        (
            {"truth": "t.tsv", "references": "r.csv"},
            ["--references makes a truth, and --truth gives one: leave one of the two out"],
        ),
        ({"gene_hits": "h.tsv"}, ["--gene_hits and --lineages need each other: give both"]),
        ({"lineages": "l.tsv"}, ["--gene_hits and --lineages need each other: give both"]),
        ({"gene_hits": "h.tsv", "lineages": "l.tsv"}, []),
        ({"quality": "q.tsv"}, []),
        ({"quality": "bins=q.tsv,a=r.tsv", "compare": "a=v.tsv"}, []),
        ({"quality": "q.tsv,bins=q.tsv"}, ["--quality: two tables are of bins: rename or remove one"]),
        (
            {"quality": "q.tsv,a=r.tsv", "compare": "b=v.tsv"},
            ["--quality: there is no binning a: name its table by --compare, too"],
        ),
    ],
)
def test_binnings_have_names_of_their_own(given, expected):
    assert parameter_lines(**given) == expected


def test_a_former_run_and_where_to_start_need_each_other():
    assert parameter_lines(former_results="old", start_at="latent") == []
    (line,) = parameter_lines(former_results="old")
    assert line.startswith("--former_results needs --start_at: say what is taken: counts, features, latent or clusters")
    (line,) = parameter_lines(start_at="counts")
    assert line.startswith("--start_at needs --former_results: name the folder")
    (line,) = parameter_lines(former_results="old", start_at="bins")
    assert line == "--start_at must be counts, features, latent or clusters, but it is 'bins'"


def test_experiments_need_a_truth_and_names_that_there_are():
    assert parameter_lines(experiments="inputs") == ["--experiments needs --truth: name the genomes of the contigs"]
    assert parameter_lines(experiments="inputs,search", truth="t.tsv") == []
    (line,) = parameter_lines(experiments="inputs,figures")
    assert line.startswith("--experiments must be some of inputs,")


BY_BINS = {
    "ensemble": True, "refine_mode": "evidence", "marker_hmms": "m.hmm", "truth": "t.tsv", "references": "r.csv",
    "compare": "vamb=v.tsv", "quality": "q.tsv", "genes": "true", "gene_hits": "h.tsv", "lineages": "l.tsv",
    "draw_bins": "gut.001", "experiments": "inputs",
}  # fmt: skip


@pytest.mark.parametrize("name", BY_BINS)
def test_a_gene_catalogue_has_no_bins(name):
    given = {"catalogue_type": "genes", name: BY_BINS[name]}
    assert parameter_lines(**given) == [f"--catalogue_type genes makes no bins: leave out --{name}"]


def test_all_that_asks_for_bins_is_named_at_once():
    (line,) = parameter_lines(catalogue_type="genes", **BY_BINS)
    assert line == f"--catalogue_type genes makes no bins: leave out {', '.join(f'--{name}' for name in BY_BINS)}"


def test_what_a_gene_catalogue_may_have():
    off = {"ensemble": False, "genes": "false", "markers": False}
    assert (
        parameter_lines(catalogue_type="genes", preset="preprint", max_clusters=5, min_contig_length=100, **off) == []
    )
    assert parameter_lines(catalogue_type="genes", preset="genes", mapper="bwa", save_bam=True) == []
    assert parameter_lines(preset="genes") == ["--preset genes is for --catalogue_type genes: give both"]
    (line,) = parameter_lines(catalogue_type="proteins", truth="t.tsv")
    assert line == "--catalogue_type must be contigs or genes, but it is 'proteins'"


def test_what_estimates_abundances_has_no_alignments():
    assert parameter_lines(mapper="strobealign", save_bam=False) == []
    (line,) = parameter_lines(mapper="strobealign", save_bam=True, min_read_identity=95)
    assert line == "--mapper strobealign writes no alignments: leave out --min_read_identity, --save_bam"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("min_read_identity", [0, 95, "97.5", 100], [-1, 100.5, "x", True]),
        ("min_mapping_quality", [0, "30", 254], [-1, 255, 2.5, True]),
    ],
)
def test_limits_of_alignments(name, good, bad):
    assert [parameter_lines(**{name: value}) for value in good] == [[]] * len(good)
    for value in bad:
        (line,) = parameter_lines(**{name: value})
        assert line.startswith(f"--{name} must be a")


@pytest.mark.parametrize(
    "value", ["v.tsv", "a=", "=v.tsv", "a=v.tsv,", "a=v.tsv, b=w.tsv", "a b=v.tsv", "a=v?.tsv", True]
)
def test_a_comparison_has_a_form(value):
    (line,) = parameter_lines(compare=value)
    assert line.startswith("--compare must be name=table,name=table")


@pytest.mark.parametrize("value", ["q.tsv,r.tsv", "a=", "q .tsv", "q.tsv,", "true"])
def test_a_quality_has_a_form(value):
    (line,) = parameter_lines(quality=value)
    assert line.startswith("--quality must be a table, or bins=table,name=table")
