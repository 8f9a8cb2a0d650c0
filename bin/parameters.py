#!/usr/bin/env python3
"""Checks the parameters of a run against their schema (nextflow_schema.json)."""

import re
from collections import defaultdict
from typing import Any

from bin_scores import BINS, OWN_BINNINGS
from message_text import printable
from schema_rules import Validator, nearest, shown


def coerce(value: Any, kind: str) -> Any:
    """Return a parameter in the type of its schema, if Nextflow made another type of the same characters.

    Nextflow makes an integer of `--hidden_sizes 325` and text of `--learning_rate 1e-3`. With its strict parser every
    value of the command line is text, and a params file may quote numbers.
    """
    if kind == "string" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        if kind in ("integer", "number") and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            return int(value)
        if kind == "number" and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
            return float(value)
        if kind == "boolean" and value in ("true", "false"):
            return value == "true"
    return value


# Options of Nextflow itself, which have one hyphen, that are written with two by mistake
NEXTFLOW_OPTIONS = {
    "resume",
    "profile",
    "stub",
    "params-file",
    "work-dir",
    "output-dir",
    "bg",
    "qs",
    "latest",
    "preview",
}


# Parameters that ask for bins, or for something of bins; a switch that is off asks for nothing
OF_BINS = (
    "ensemble",
    "refine_mode",
    "marker_hmms",
    "truth",
    "references",
    "compare",
    "quality",
    "genes",
    "gene_hits",
    "lineages",
    "draw_bins",
    "experiments",
)
# Parameters of alignments, which a mapper that estimates abundances does not write
OF_ALIGNMENTS = ("min_alignment_score", "min_read_identity", "min_mapping_quality", "save_bam")


def unknown_parameters(names: list[str], known: list[str]) -> list[str]:
    """Return one message per unknown parameter. Nextflow makes `foo-bar` and `fooBar` of one option: one message."""
    spellings = defaultdict(list)
    for name in names:
        if name not in known:
            spellings[re.sub(r"[-_]", "", name).lower()].append(name)
    messages = []
    for same in spellings.values():
        name = max(same, key=lambda name: "-" in name)
        near = nearest(name, known)
        if name in NEXTFLOW_OPTIONS:
            remedy = f"write -{name} with one hyphen, as it is an option of Nextflow"
        else:
            remedy = f"did you mean --{near}?" if near else "--help lists them all"
        messages.append(f"there is no parameter --{printable(name)}: {remedy}")
    return messages


def has_no_value(value: Any) -> bool:
    """Return whether nothing stood after a parameter: it is `true` then, and text with Nextflow's strict parser."""
    return value is True or value == "true"


def parameter_message(name: str, value: Any, rule: dict) -> str:
    """Return what a parameter must be, what it is, and how to correct a slip on the command line."""
    message = f"--{name} {rule['errorMessage']}, but it is {shown(value)}"
    return f"{message}: write a value after --{name}" if has_no_value(value) else message


def parameter_problems(params: dict[str, Any], schema: dict) -> list[str]:
    """Return the messages about parameters: those unknown, those missing, then those of a wrong type or value."""
    groups = schema["$defs"].values()
    rules = {name: rule for group in groups for name, rule in group["properties"].items()}
    given = {name: coerce(params[name], rules[name]["type"]) for name in rules if params.get(name) is not None}
    bad = {error.path[0] for error in Validator(schema).iter_errors(given) if error.path}
    bad |= {name for name, value in given.items() if isinstance(value, str) and not value.isprintable()}
    bad |= {name for name, value in given.items() if has_no_value(value) and rules[name]["type"] != "boolean"}
    epochs = given.get("batch_double_at", "")
    numbers = [int(epoch) for epoch in epochs.split(",")] if epochs and "batch_double_at" not in bad else []
    if numbers != sorted(set(numbers)):
        bad.add("batch_double_at")
    required = {name for group in groups for name in group.get("required", [])} - given.keys()
    missing = [f"--{name} is missing: {rule['description']}" for name, rule in rules.items() if name in required]
    wrong = [parameter_message(name, params[name], rule) for name, rule in rules.items() if name in bad]
    of_genes = given.get("catalogue_type") == "genes"  # for which none of these may be given
    together = [] if of_genes or bad & {"compare", "quality"} else comparison_problems(given)
    together += [] if of_genes or bad & {"truth", "experiments"} else experiment_problems(given)
    together += [] if bad & {"catalogue_type", "preset"} else catalogue_problems(given)
    together += [] if "mapper" in bad else mapper_problems(given)
    together += [] if bad & {"former_results", "start_at"} else former_problems(given)
    return unknown_parameters(list(params), list(rules)) + missing + wrong + together


def comparison_problems(given: dict[str, Any]) -> list[str]:
    """Return the messages about what bins are held against: what excludes or needs another, and names."""
    names = {
        option: [part.rpartition("=")[0] or BINS for part in given.get(option, "").split(",") if part]
        for option in ("compare", "quality")
    }
    messages = [
        f"--compare: {name} is a binning of Binloom's own: give it another name"
        for name in names["compare"]
        if name in OWN_BINNINGS
    ]
    for option, found in names.items():
        twice = sorted({name for name in found if found.count(name) > 1})
        messages += [f"--{option}: two tables are of {name}: rename or remove one" for name in twice]
    if "truth" in given and "references" in given:
        messages.append("--references makes a truth, and --truth gives one: leave one of the two out")
    if ("gene_hits" in given) != ("lineages" in given):
        messages.append("--gene_hits and --lineages need each other: give both")
    strange = [name for name in names["quality"] if name not in (BINS, *names["compare"])]
    return messages + [f"--quality: there is no binning {name}: name its table by --compare, too" for name in strange]


def catalogue_problems(given: dict[str, Any]) -> list[str]:
    """Return the messages about parameters that do not fit what is binned."""
    if given.get("catalogue_type") != "genes":
        return ["--preset genes is for --catalogue_type genes: give both"] if given.get("preset") == "genes" else []
    unfit = [f"--{name}" for name in OF_BINS if given.get(name, False) is not False]
    return [f"--catalogue_type genes makes no bins: leave out {', '.join(unfit)}"] if unfit else []


def mapper_problems(given: dict[str, Any]) -> list[str]:
    """Return the message about parameters of alignments where the mapper writes none."""
    if given.get("mapper") != "strobealign":
        return []
    unfit = [f"--{name}" for name in OF_ALIGNMENTS if given.get(name, False) is not False]
    return [f"--mapper strobealign writes no alignments: leave out {', '.join(unfit)}"] if unfit else []


def experiment_problems(given: dict[str, Any]) -> list[str]:
    """Return the messages about experiments that cannot be scored."""
    lacks_truth = "experiments" in given and "truth" not in given
    return ["--experiments needs --truth: name the genomes of the contigs"] if lacks_truth else []


def former_problems(given: dict[str, Any]) -> list[str]:
    """Return the messages about a former run's results without what is taken of them, and the other way round."""
    remedies = {
        "former_results": "--former_results needs --start_at: say what is taken: counts, features, latent or clusters",
        "start_at": "--start_at needs --former_results: name the folder of results of a former run",
    }
    lonely = remedies.keys() & given.keys()
    return [remedies[name] for name in lonely] if len(lonely) == 1 else []
