#!/usr/bin/env python3
"""State the schemas of the tables that tell how good bins are. stage_tables.py reads and writes them."""

import math

from bin_scores import RECALLS
from bin_taxonomy import RANKS
from table_columns import Column, Table, real, text, whole

# What is counted: a genome in each assembly as one of its own, or each genome of the group once
COUNTED = ("genome_of_assembly", "genome")
RECALL_NAMES = tuple(f"recall_{recall:g}" for recall in RECALLS)
COUNT_KEY = ("binning", "counted", "precision")

TRUTH = Table(
    "truth/truth.tsv",
    "truth",
    (*text("assembly", "contig", "genome"), *whole("length", least=1)),
    key=("assembly", "contig", "genome"),
)
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

GENES = Table(
    "genes/genes.tsv.gz",
    "genes",
    (*text("gene", "assembly", "contig"), *whole("start", "end", least=1), Column("strand", words=("+", "-"))),
    key=("gene",),
)
TAXONOMY = Table(
    "taxonomy/taxonomy.tsv",
    "taxonomy",
    (
        *text("bin"),
        *whole("genes"),
        Column("rank", words=tuple(RANKS), may_be_empty=True),
        *text("taxon", may_be_empty=True),
        *real("share", most=1, may_be_empty=True),
        *text(*RANKS, may_be_empty=True),
    ),
    key=("bin",),
)
QUALITY_COLUMNS = ("recall", "precision", "precision_strains")
COMPARED_BINS = Table(
    "compare/compared_bins.tsv",
    "compare",
    (
        *text("binning", "assembly", "bin"),
        *whole("size", "contigs", least=1),
        *whole("prevalence"),
        *text("common_with", may_be_empty=True),
        *real(*QUALITY_COLUMNS, most=1, may_be_empty=True),
    ),
    key=("binning", "assembly", "bin"),
)
COMMON_BINS = Table(
    "compare/common_bins.tsv",
    "compare",
    (
        *text("binning_1", "binning_2", "assembly", "bin_1", "bin_2"),
        *whole("size_1", "size_2", "shared", least=1),
        *real(*(f"{name}_{number}" for name in QUALITY_COLUMNS for number in (1, 2)), most=1, may_be_empty=True),
    ),
    key=("binning_1", "binning_2", "assembly", "bin_1"),
)
DIFFERENCES = Table(
    "compare/differences.tsv",
    "compare",
    (
        *text("binning_1", "binning_2"),
        *whole("common_bins"),
        *real("size", *QUALITY_COLUMNS, least=-math.inf, may_be_empty=True),
    ),
    key=("binning_1", "binning_2"),
)
TIERS = Table(
    "compare/tiers.tsv",
    "compare",
    (
        *text("binning"),
        Column("counted", words=("bin", "unique_bin")),
        Column("strains_allowed", bool),
        *real("precision", most=1),
        *whole(*RECALL_NAMES),
    ),
    key=("binning", "counted", "strains_allowed", "precision"),
)
