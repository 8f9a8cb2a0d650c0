#!/usr/bin/env python3
"""State the schemas of the tables of the preprint's experiments. stage_tables.py reads and writes them."""

import math

from bin_scores import RECALLS
from table_columns import Column, Table, real, text, whole

ENCODERS = ("raw", "vae", "autoencoder")
INPUTS = ("both", "tnf", "abundance")
# Hyperparameters that the search varies, by the names of the preprint (Hyperparameter search, table S1), and their
# options of vae.py
OPTIONS = {
    "epochs": "epochs",
    "latent_neurons": "latent_size",
    "dropout": "dropout",
    "warmup": "warmup",
    "sseratio": "alpha",
    "errorsum": "beta",
}
# Recalls at which genomes count in the search, at a precision of 0.9
SEARCH_RECALLS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
TRIAL_RECALLS = tuple(sorted({*SEARCH_RECALLS, *RECALLS}))

PLAN = Table(
    "experiments/plan.tsv",
    "plan_trials",
    (
        *text("group", "trial", "experiments"),
        Column("encoder", words=ENCODERS),
        Column("inputs", words=INPUTS),
        *text("options"),
    ),
    key=("group", "trial"),
)
TRIALS = Table(
    "experiments/trials.tsv",
    "run_trial",
    (
        *text("group", "trial", "experiments"),
        Column("encoder", words=ENCODERS),
        Column("inputs", words=INPUTS),
        *real(*OPTIONS, may_be_empty=True),
        *whole("columns", least=1),
        *whole("clusters"),
        *real("threshold", most=1),
        *whole("genomes"),
        *real("found"),
        *real("f1", "purity", "completeness", most=1),
    ),
    key=("group", "trial"),
)
TRIAL_GENOMES = Table(
    "experiments/genomes_found.tsv",
    "run_trial",
    (
        *text("group", "trial"),
        *real("precision", most=1),
        *whole(*(f"recall_{recall:g}" for recall in TRIAL_RECALLS)),
    ),
    key=("group", "trial", "precision"),
)
LOSSES = Table(
    "experiments/losses.tsv",
    "run_trial",
    (
        *text("group", "trial"),
        *whole("epoch", least=1),
        *real("loss", "ce", "sse", "kld", "depth_se", least=-math.inf),
        *real("held_out_loss", least=-math.inf, may_be_empty=True),
    ),
    key=("group", "trial", "epoch"),
)
SEARCHED = Table(
    "experiments/hyperparameters.tsv",
    "plan_trials",
    (
        Column("hyperparameter", words=tuple(OPTIONS)),
        *real("low", "high", "tentative", "final"),
        *real("correlation", least=-1, most=1, may_be_empty=True),
        *real("spread", may_be_empty=True),
    ),
    key=("hyperparameter",),
)
