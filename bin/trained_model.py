#!/usr/bin/env python3
"""A model that was trained before (model.pt of the vae stage), and whether it can encode the features of a group.

The features stage scales TNF and depth by the contigs of its own group. A model knows the scales that it was trained
with (`network.SCALING`), so the features are brought to these first (docs/method.md, section 4).
"""

import hashlib
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch

from input_rows import InputRows
from message_text import one_line
from network import (
    N_TNF,
    SCALING,
    VAE,
    Hyperparameters,
    device_name,
    encode_rows,
    load_model,
    used_columns,
)
from output_files import writing
from stage_arrays import FEATURES, LATENT, LATENT_DESCRIPTION, read_description, write_description, write_matrix
from stage_tables import TRAINING
from stage_warnings import warn
from table_output import write_rows

REMEDY = "give a model.pt that the vae stage wrote, or leave --model out"
INPUTS = {"both": "composition and abundance", "tnf": "composition alone", "abundance": "abundance alone"}
MAX_NAMED = 5  # samples in a warning


class TrainedModel(NamedTuple):
    """A model and what it was trained with."""

    network: VAE
    settings: Hyperparameters
    samples: list[str]  # in the order of the abundance columns
    scaling: dict  # by the names of SCALING
    sha256: str  # of its file


def read_model(path: Path) -> TrainedModel:
    """Read a model.pt; raise ClickException if it is none, or lacks the scales of its features."""
    try:
        network, saved = load_model(path)
        settings = Hyperparameters(**saved["hyperparameters"])
        scaling = {name: np.asarray(saved["scaling"][name], dtype=float).tolist() for name in SCALING[1:]}
        scaling[SCALING[0]] = list(saved["scaling"][SCALING[0]])
        widths = {len(scaling[name]) for name in ("tetranucleotides", "tnf_mean", "tnf_sd")}
        numbers = np.hstack([scaling[name] for name in SCALING[1:]])
        if widths != {N_TNF} or not np.isfinite(numbers).all() or scaling["depth_divisor"] <= 0:
            raise ValueError("the scales of its features are not known")
    # A pickle that would run code is refused here. What else is wrong in a file may raise any exception.
    except Exception as error:
        raise click.ClickException(f"{path}: is not a readable model ({one_line(error)}): {REMEDY}") from error
    return TrainedModel(network, settings, saved["samples"], scaling, hashlib.sha256(path.read_bytes()).hexdigest())


def seen(settings: Hyperparameters) -> str:
    """Return what a network sees, in words."""
    return f"{INPUTS[settings.inputs]} {'with' if settings.depth else 'without'} depth"


def check_model(
    path: Path, model: TrainedModel, samples: list[str], tetranucleotides: list[str], settings: Hyperparameters
) -> None:
    """Raise ClickException if a model was trained on another number of samples, or on other inputs than these settings.

    Warn if the samples have other names: a model cannot tell which of its samples these are like.
    """
    if len(model.samples) != len(samples):
        raise click.ClickException(
            f"{path}: was trained on {len(model.samples)} samples, but the group has {len(samples)}: give a model of "
            "as many samples, or leave --model out"
        )
    if seen(model.settings) != seen(settings):
        raise click.ClickException(
            f"{path}: was trained on {seen(model.settings)}, but this run has {seen(settings)}: give the --preset that "
            "the model was trained with, or leave --model out"
        )
    if model.scaling["tetranucleotides"] != tetranucleotides:
        raise click.ClickException(f"{path}: was trained on other tetranucleotides, or in another order: {REMEDY}")
    if model.samples != samples:
        pairs = [f"{new!r} in place of {old!r}" for new, old in zip(samples, model.samples, strict=True) if new != old]
        more = f" and {len(pairs) - MAX_NAMED} more" if len(pairs) > MAX_NAMED else ""
        warn(
            f"the model was trained on other samples: it takes {', '.join(pairs[:MAX_NAMED])}{more}; clusters are only "
            "as good as these are alike"
        )


def read_scaling(path: Path) -> dict:
    """Return how TNF and depth of a group are scaled, of its features.json."""
    return {name: value for name, value in read_description(FEATURES, path, SCALING).items() if name in SCALING}


def rescaled(matrix: np.ndarray, own: dict, model: TrainedModel) -> np.ndarray:
    """Return rows of the input (n x columns, abundances first), with TNF and depth in the scales of the model.

    `own` has the scales of the rows. Features of the same scales stay the same bits. A tetranucleotide that was
    constant in the training was 0 there, and becomes 0.
    """
    if own == model.scaling:
        return matrix
    n_samples, scaling = len(model.samples), model.scaling
    sd = np.array(scaling["tnf_sd"])
    result = matrix.astype(np.float64)
    frequencies = result[:, n_samples : n_samples + N_TNF] * own["tnf_sd"] + own["tnf_mean"]
    distance = np.where(sd > 0, frequencies - scaling["tnf_mean"], 0)
    result[:, n_samples : n_samples + N_TNF] = distance / np.where(sd > 0, sd, 1)
    logarithm = result[:, n_samples + N_TNF :] * own["depth_divisor"] + own["depth_mean"]
    result[:, n_samples + N_TNF :] = (logarithm - scaling["depth_mean"]) / scaling["depth_divisor"]
    result[:, ~used_columns(n_samples, model.settings)] = 0
    return result.astype(np.float32)


def encode_by_model(
    path: Path, data: InputRows, features_path: Path, features: dict, settings: Hyperparameters
) -> None:
    """Encode the network's input (n x columns) by the model of a file, and write all files of the vae stage.

    `features` has the `samples` and `rows_sha256` of features.json. Raise ClickException if the model is none, or not
    of as many samples and of the inputs of the settings.
    """
    model = read_model(path)
    scaling = read_scaling(features_path)
    check_model(path, model, features["samples"], scaling["tetranucleotides"], settings)
    click.echo(f"{len(data)} contigs, encoded by the model {path}.", err=True)

    def prepare(rows: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(rescaled(rows.cpu().numpy(), scaling, model)).to(data.device)

    write_matrix(LATENT, encode_rows(model.network.to(data.device), data, prepare))
    with writing("model.pt"):
        shutil.copyfile(path, "model.pt")
    write_rows(TRAINING, [])
    description = {
        "rows_sha256": features["rows_sha256"],
        "model_sha256": model.sha256,
        "model_samples": model.samples,
        **asdict(model.settings),
        "device": device_name(data.device.type),
        "torch": torch.__version__,
    }
    write_description(LATENT_DESCRIPTION, description)
