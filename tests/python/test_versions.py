"""Every process reports the version of each package that its scripts import (software_versions.yml)."""

import re
import sys
from pathlib import Path

import pytest

from stage_modules import import_closure, imported_names

PROJECT = Path(__file__).resolve().parents[2]
BIN = PROJECT / "bin"
PROCESSES = sorted((PROJECT / "modules" / "local").glob("*/main.nf"), key=lambda path: path.parent.name)
# click reads a script's options and has no part in a result.
UNREPORTED = {"click"}
# What is imported under another name than that of its package, as importlib.metadata takes it
PACKAGE_OF = {"umap": "umap_learn"}


def packages(stems: set[str]) -> set[str]:
    """Return the packages that these scripts of bin/ import, directly or through other modules of bin/."""
    scripts = {BIN / f"{stem}.py" for stem in stems}
    scripts |= set().union(*map(import_closure, scripts))
    found = set().union(*map(imported_names, scripts)) - {path.stem for path in scripts}
    return {PACKAGE_OF.get(name, name) for name in found - set(sys.stdlib_module_names) - UNREPORTED}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda path: path.parent.name)
def test_each_imported_package_is_reported(process):
    text = process.read_text()
    used = packages({name for name in re.findall(r"\b(\w+)\.py\b", text) if (BIN / f"{name}.py").exists()})
    reported = re.findall(r"val\('([\w ]+)'\), eval\('python3 -c .*map\(version, \\'([\w ]+)\\'\.split\(\)\)", text)
    assert all(name == package for name, package in reported), "a version stands under another package's name"
    names = [name for names, _ in reported for name in names.split()]
    assert sorted(names) == sorted(used), "one `topic: versions` line for each package"


@pytest.mark.parametrize(
    ("process", "tools"),
    [
        ("report", "multiqc"),
        ("index", "bwa minimap2 strobealign"),
        ("map_reads", "bwa minimap2 samtools strobealign"),
        ("truth", "blastn"),
    ],
)
def test_programs_are_reported(process, tools):
    text = (PROJECT / "modules" / "local" / process / "main.nf").read_text()
    reported = set(re.findall(r"val\('(\w+)'\), eval\('(?!python3)", text))
    assert reported == set(tools.split())
