#!/usr/bin/env python3
"""Read the families of single-copy genes: hidden Markov models, and the score from which a gene is of the family.

They are the data of two packages, or a file of the user. The markers stage uses this module. The cutoff of a family is
the trusted cutoff of its model (TC, or GA); the models of fetchMGs have theirs in a table of the package.
"""

import importlib.util
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pandas as pd
from pyhmmer.easel import Alphabet
from pyhmmer.plan7 import HMM, HMMFile

from message_text import one_line, shown
from stage_tables import FAMILIES, read_table
from stage_warnings import warn

REMEDY = "give a file of HMMER3 models of proteins with TC or GA lines"
# The packages, and where in them the models are: universal families (bacteria and archaea), and those of bacteria.
UNIVERSAL = ("fetchmgs", "data")
BACTERIAL = ("metacoag", "metacoag_utils/auxiliary/marker.hmm")
UNIVERSAL_CUTOFFS = "MG_BitScoreCutoffs.allhits.txt"


class Family(NamedTuple):
    """A family of single-copy genes."""

    name: str
    hmm: HMM
    cutoff: float  # bits, of a whole gene
    collection: str  # the package that it is of; a gene is of one family of a collection


def read_models(path: Path) -> Iterator[HMM]:
    """Yield the models of a file; raise ClickException if it is no such file or if one is not of proteins."""
    try:
        with HMMFile(path) as models:
            for hmm in models:
                if hmm.alphabet != Alphabet.amino():
                    raise click.ClickException(f"{path}: model {shown(hmm.name)} is not of proteins; {REMEDY}")
                yield hmm
    except (OSError, ValueError, EOFError, RuntimeError) as error:
        raise click.ClickException(f"{path}: is no file of models ({one_line(error)}); {REMEDY}") from error


def own_cutoff(path: Path, hmm: HMM) -> float:
    """Return the cutoff (bits) of a model by its own lines; raise ClickException if it has none."""
    for cutoff in (hmm.cutoffs.trusted, hmm.cutoffs.gathering):
        if cutoff is not None:
            return float(cutoff[0])
    raise click.ClickException(f"{path}: model {shown(hmm.name)} has no cutoff; {REMEDY}")


def given_families(path: Path) -> list[Family]:
    """Return the families of a user's file, by name; raise ClickException if it has none, or a name twice."""
    families = [Family(hmm.name, hmm, own_cutoff(path, hmm), str(path)) for hmm in read_models(path)]
    names = [family.name for family in families]
    if not families:
        raise click.ClickException(f"{path}: has no model; {REMEDY}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise click.ClickException(f"{path}: two models are named {shown(twice)}; rename one")
    return sorted(families, key=lambda family: family.name)


def installed(package: str, place: str) -> Path | None:
    """Return where a package that is installed has its models, or None. The package is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / place


def universal_families(folder: Path) -> Iterator[Family]:
    """Yield the families of fetchMGs."""
    rows = [line.split("\t") for line in (folder / UNIVERSAL_CUTOFFS).read_text().splitlines() if line[:1] != "#"]
    cutoffs = {row[0]: float(row[1]) for row in rows}
    for name, cutoff in sorted(cutoffs.items()):
        for hmm in read_models(folder / f"{name}.hmm"):
            yield Family(name, hmm, cutoff, UNIVERSAL[0])


def installed_families(names: Container[str] | None = None) -> list[Family]:
    """Return the families of the installed packages, by name; only those of these names, if any are given.

    Raise ClickException if no package is there; without those of bacteria, warn that completeness is less exact.
    """
    folder, bacterial = installed(*UNIVERSAL), installed(*BACTERIAL)
    if folder is None:
        raise click.ClickException(
            f"the package {UNIVERSAL[0]} is not installed: run in the container or by `make env`, "
            "give models by --marker_hmms, or go without markers by --markers false"
        )
    families = list(universal_families(folder))
    if bacterial is None:
        warn(
            f"the package {BACTERIAL[0]} is not installed, as it needs Python 3.12 or older: completeness and "
            f"contamination rest on {len(families)} families"
        )
    else:
        families += [Family(hmm.name, hmm, own_cutoff(bacterial, hmm), BACTERIAL[0]) for hmm in read_models(bacterial)]
    chosen = [family for family in families if names is None or family.name in names]
    return sorted(chosen, key=lambda family: family.name)


def read_descriptions(path: Path) -> pd.DataFrame:
    """Return assets/marker_families.tsv, by family: what share of a genome it stands for, in bacteria and archaea."""
    return read_table(FAMILIES, path).set_index("family")
