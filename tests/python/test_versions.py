"""Every process reports the version of each package that its scripts import (software_versions.yml)."""

import ast
import re
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
BIN = PROJECT / "bin"
PROCESSES = sorted((PROJECT / "modules" / "local").glob("*/main.nf"), key=lambda path: path.parent.name)
# click reads a script's options and has no part in a result.
UNREPORTED = {"click"}


def imported_names(script: Path) -> set[str]:
    """Return the top-level names that a script imports, wherever the statement stands."""
    names = set()
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


def packages(stems: set[str]) -> set[str]:
    """Return the packages that these scripts of bin/ import, directly or through other modules of bin/."""
    found, waiting, seen = set(), set(stems), set()
    while waiting:
        stem = waiting.pop()
        seen.add(stem)
        for name in imported_names(BIN / f"{stem}.py"):
            if not (BIN / f"{name}.py").exists():
                found.add(name)
            elif name not in seen:
                waiting.add(name)
    return found - set(sys.stdlib_module_names) - UNREPORTED


@pytest.mark.parametrize("process", PROCESSES, ids=lambda path: path.parent.name)
def test_each_imported_package_is_reported(process):
    text = process.read_text()
    used = packages({name for name in re.findall(r"\b(\w+)\.py\b", text) if (BIN / f"{name}.py").exists()})
    reported = re.findall(r"val\('(\w+)'\), eval\('python3 -c .*version\(\\'(\w+)\\'\)", text)
    assert all(name == package for name, package in reported), "a version stands under another package's name"
    assert sorted(name for name, _ in reported) == sorted(used), "one `topic: versions` line for each package"


@pytest.mark.parametrize(("process", "tools"), [("index", "bwa minimap2"), ("map_reads", "bwa minimap2 samtools")])
def test_mappers_are_reported(process, tools):
    text = (PROJECT / "modules" / "local" / process / "main.nf").read_text()
    reported = set(re.findall(r"val\('(\w+)'\), eval\('(?!python3)", text))
    assert reported == set(tools.split())
