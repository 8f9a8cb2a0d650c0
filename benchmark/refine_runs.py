"""Run bin/refine.py in this process, with parts or constants of its modules replaced, and read its bins."""

import contextlib
import importlib
import io
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
from project import BIN, ResultSet, command_words, refine_files
from score import Truth

sys.path.insert(0, str(BIN))
import refine  # noqa: E402


@contextlib.contextmanager
def replaced(parts: Mapping[str, Any]) -> Iterator[None]:
    """Replace attributes, given as `module.name`, of modules of bin/ while the context lasts."""
    with contextlib.ExitStack() as stack:
        for name, value in parts.items():
            module, attribute = name.split(".")
            stack.enter_context(mock.patch.object(importlib.import_module(module), attribute, value))
        yield


def read_refined(path: Path, truth: Truth) -> dict[str, set[str]]:
    """Return the bins of refinement.tsv: the contigs of each that have a truth, by the assembler's names."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, usecols=["name", "final"])
    bins: dict[str, set[str]] = defaultdict(set)
    for contig, names in zip(table["name"], table["final"], strict=True):
        if names and contig in truth.length:
            for name in names.split(","):
                bins[name].add(contig)
    return dict(bins)


def refined_bins(
    one: ResultSet, truth: Truth, parts: Mapping[str, Any], options: Sequence[str] = (), **files: Path
) -> dict[str, set[str]]:
    """Return the bins of a refinement with these parts replaced; `files` take the place of those of the run."""
    given = refine_files(one.results, one.assembly) | files
    words = ["--assembly", one.assembly, *command_words(**given), *options]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), replaced(parts):
        with contextlib.redirect_stderr(io.StringIO()):
            refine.main.main(words, standalone_mode=False)
        return read_refined(Path("refinement.tsv"), truth)
