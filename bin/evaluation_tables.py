#!/usr/bin/env python3
"""State the schemas of the tables that tell how good bins are. stage_tables.py reads and writes them."""

from bin_scores import RECALLS
from table_columns import Column, Table, real, text, whole

# What is counted: a genome in each assembly as one of its own, or each genome of the group once
COUNTED = ("genome_of_assembly", "genome")
RECALL_NAMES = tuple(f"recall_{recall:g}" for recall in RECALLS)
COUNT_KEY = ("binning", "counted", "precision")

BINNINGS = Table(
    "benchmark/binnings.tsv",
    "benchmark",
    (
        *text("binning"),
        *whole("genomes", "bins", "large_bins", "high_quality"),
        *real("purity", "completeness", most=1),
        *real("binned"),
    ),
    key=("binning",),
)
GENOMES_FOUND = Table(
    "benchmark/genomes_found.tsv",
    "benchmark",
    (*text("binning"), Column("counted", words=COUNTED), *real("precision", most=1), *whole(*RECALL_NAMES)),
    key=COUNT_KEY,
)
RATIOS = Table(
    "benchmark/ratios.tsv",
    "benchmark",
    (
        *text("binning"),
        Column("counted", words=COUNTED),
        *real("precision", most=1),
        *real(*RECALL_NAMES, may_be_empty=True),
    ),
    key=COUNT_KEY,
)
GENOME_BIN_PAIRS = Table(
    "benchmark/pairs.tsv.gz",
    "benchmark",
    (
        *text("binning"),
        *text("assembly", may_be_empty=True),
        *text("bin", "genome"),
        *whole("bin_size", "genome_size", "bases", "covered", least=1),
        *real("precision", "recall", "f1", most=1),
    ),
    key=("binning", "assembly", "bin", "genome"),
)
BEST_BINS = Table(
    "benchmark/best_bins.tsv",
    "benchmark",
    (
        *text("binning"),
        *text("assembly", may_be_empty=True),
        *text("genome"),
        *whole("genome_size", least=1),
        *text("bin", may_be_empty=True),
        *real("precision", "recall", "f1", most=1, may_be_empty=True),
    ),
    key=("binning", "assembly", "genome"),
)
