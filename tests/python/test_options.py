"""A parameter has one name from nextflow.config to the script: the config, the presets, the options of the stages."""

import importlib
import json
import re

import pytest

from stage_modules import PROJECT, stage_commands

SCHEMA = json.loads((PROJECT / "nextflow_schema.json").read_text())
# tests/python/test_validate.py sees that these are the parameters of nextflow.config, with the same defaults.
PARAMETERS = {name: rule for group in SCHEMA["$defs"].values() for name, rule in group["properties"].items()}
PRESETS = json.loads((PROJECT / "assets" / "presets.json").read_text())
OPTIONS_FILE = PROJECT / "workflows" / "options.nf"
# Options of other programs that README.md and docs/ name, up to their first hyphen
FOREIGN_OPTIONS = {"gpus", "gres", "nv", "qos"} | {"region", "repository", "username", "password", "tab_table"}
FOREIGN_OPTIONS |= {"aemb", "contig2bin_tables", "contigs", "extension", "genome_dir"}


def stage_options() -> dict[str, list[str]]:
    """Parameters that become options of each stage's script, as workflows/options.nf lists them."""
    block = re.search(r"^ {4}def options = \[\n(.*?)^ {4}\]", OPTIONS_FILE.read_text(), re.M | re.S)
    assert block, "workflows/options.nf has no `def options = [`"
    stages = re.findall(r"^ {8}(\w+): \[(.*?)\],?$", block.group(1), re.M | re.S)
    return {stage: re.findall(r"'(\w+)'", names) for stage, names in stages}


def click_options(stage: str) -> set[str]:
    """Every option that a stage's script takes, without its dashes."""
    command = importlib.import_module(stage).main
    return {name.lstrip("-") for option in command.params for name in [*option.opts, *option.secondary_opts]}


def test_the_options_of_all_stages_are_read():
    options = stage_options()
    assert {"features", "vae", "cluster", "refine", "graphbin2", "bins", "map_reads"} <= options.keys()
    assert options.keys() <= stage_commands().keys()
    assert {"latent_size", "seed"} <= set(options["vae"])
    assert all(len(names) == len(set(names)) for names in options.values())


@pytest.mark.parametrize(
    ("stage", "name"), [(stage, name) for stage, names in stage_options().items() for name in names]
)
def test_an_option_is_a_parameter_and_the_script_takes_it(stage, name):
    assert name in PARAMETERS or name in PRESETS["default"], (
        f"workflows/options.nf gives {stage} the option {name!r}: "
        "write it into nextflow.config and nextflow_schema.json, or into assets/presets.json"
    )
    switch = PARAMETERS.get(name, {}).get("type") == "boolean" or isinstance(PRESETS["default"].get(name), bool)
    wanted = {name, f"no_{name}"} if switch else {name}
    assert wanted <= click_options(stage), f"bin/{stage}.py does not take --{' and --'.join(sorted(wanted))}"


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        (stage, name)
        for stage, names in stage_options().items()
        for name in names
        if PARAMETERS.get(name, {}).get("type") == "integer" and name != "seed"
    ],
)
def test_a_whole_number_has_the_same_bounds_in_the_schema_and_in_the_script(stage, name):
    """An absurd one ends before any work, however the script is started."""
    (option,) = [option for option in importlib.import_module(stage).main.params if option.name == name]
    assert (option.type.min, option.type.max) == (PARAMETERS[name]["minimum"], PARAMETERS[name]["maximum"])


def test_presets_have_the_same_names():
    assert [name for name, values in PRESETS.items() if values.keys() != PRESETS["default"].keys()] == []
    assert PARAMETERS["preset"]["enum"] == list(PRESETS)


def test_a_parameter_of_the_presets_is_null_in_the_config():
    """Else the preset's value never counts."""
    assert [name for name in PRESETS["default"] if PARAMETERS.get(name, {}).get("default") is not None] == []


def test_every_value_of_the_presets_reaches_a_stage():
    words = set(re.findall(r"\w+", OPTIONS_FILE.read_text()))
    assert not set(PRESETS["default"]) - words


def test_every_parameter_is_used():
    """In an option of a stage, in the workflows, or in the configuration."""
    patterns = ("main.nf", "nextflow.config", "workflows/*.nf", "conf/*.config")
    text = "\n".join(path.read_text() for pattern in patterns for path in PROJECT.glob(pattern))
    used = set(re.findall(r"(?:params|parameters|resolved)\.(\w+)", text))
    used |= {name for names in stage_options().values() for name in names}
    assert not set(PARAMETERS) - used


@pytest.mark.parametrize("page", ["README.md", "docs/usage.md", "docs/clusters.md", "docs/output.md"])
def test_pages_name_only_parameters_that_exist(page):
    named = set(re.findall(r"(?<![\w-])--(\w+)", (PROJECT / page).read_text()))
    assert not named - set(PARAMETERS) - FOREIGN_OPTIONS
