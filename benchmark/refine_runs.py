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

import numpy as np
import pandas as pd

from project import BIN, ResultSet, command_words, refine_files
from score import MIN_BIN_SIZE, Truth

sys.path.insert(0, str(BIN))
import refine


def no_pair_links(*_: Any) -> np.ndarray:
    """Stand in for links_between: no pair of reads links contigs."""
    return np.empty((2, 0), dtype=np.int64)


def no_graph_links(_: Any, __: Any, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Stand in for read_links: there is no graph."""
    return np.empty((2, 0), dtype=np.int64), np.zeros(len(names), dtype=bool)


# What to replace so that one kind of links is missing, or that a genome without a bin has one composition: the mean
WITHOUT = {
    "pairs": {"model_inputs.links_between": no_pair_links},
    "graph": {"model_inputs.read_links": no_graph_links},
    "typical compositions": {"contig_evidence.TYPICAL_COMPOSITIONS": 1},
}


@contextlib.contextmanager
def replaced(parts: Mapping[str, Any]) -> Iterator[None]:
    """Replace attributes, given as `module.name`, of modules of bin/ while the context lasts."""
    with contextlib.ExitStack() as stack:
        for name, value in parts.items():
            module, attribute = name.split(".")
            stack.enter_context(mock.patch.object(importlib.import_module(module), attribute, value))
        yield


def read_refined(path: Path, truth: Truth, min_bin_size: int = MIN_BIN_SIZE) -> dict[str, set[str]]:
    """Return the bins of refinement.tsv of at least `min_bin_size` bp, which are those that the pipeline publishes.

    Of each bin the contigs that have a truth, by the assembler's names.
    """
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, usecols=["name", "length", "final"])
    bins: dict[str, set[str]] = defaultdict(set)
    size: dict[str, int] = defaultdict(int)
    for contig, length, names in zip(table["name"], table["length"].astype(int), table["final"], strict=True):
        for name in filter(None, names.split(",")):
            size[name] += length
            bins[name] |= {contig} & truth.length.keys()
    return {name: contigs for name, contigs in bins.items() if contigs and size[name] >= min_bin_size}


def refined_bins(
    one: ResultSet,
    truth: Truth,
    parts: Mapping[str, Any],
    min_bin_size: int = MIN_BIN_SIZE,
    options: Sequence[str] = (),
    **files: Path,
) -> dict[str, set[str]]:
    """Return the bins of a refinement with these parts replaced; `files` take the place of those of the run."""
    given = refine_files(one.results, one.assembly) | files
    words = command_words(assembly=one.assembly, min_bin_size=min_bin_size, **given)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), replaced(parts):
        with contextlib.redirect_stderr(io.StringIO()):
            refine.main.main([*words, *options], standalone_mode=False)
        return read_refined(Path("refinement.tsv"), truth, min_bin_size)
