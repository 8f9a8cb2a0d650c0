#!/usr/bin/env python3
"""The trials of the preprint's experiments: what is encoded, how, and with which options of vae.py.

Implements "The VAE encodes and integrates metagenomics data" and "Hyperparameter search for the VAE" of the VAMB
preprint (Nissen et al. 2018, doi:10.1101/490078).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiment_tables import INPUTS, OPTIONS

EXPERIMENTS = ("inputs", "autoencoder", "epochs", "latent", "search")
# The longest training is so many times the usual one: 2,500 epochs against 500 (figure S7).
LONG_TRAINING = 5
# Share of the contigs that trainings of different length leave out. The preprint scores clusters alone.
HELD_OUT_SHARE = 0.1
# The wider network of figure S9, which was needed for 1,270 samples
WIDE = {"latent_size": 80, "dropout": 0}
# Networks of the first round whose median is the tentative value, as a share of all. The preprint chose by eye.
BEST_SHARE = 0.2
# How the names of the networks of the two rounds begin; the second has one with all tentative values.
FIRST_ROUND, SECOND_ROUND = "search_1_", "search_2_"
TENTATIVE = f"{SECOND_ROUND}tentative"


class Trial(NamedTuple):
    """Contigs encoded in one way; `options` are those of vae.py by name."""

    name: str
    experiments: tuple[str, ...]
    encoder: str = "vae"
    inputs: str = "both"
    options: Mapping[str, float] = {}


class Interval(NamedTuple):
    """What a hyperparameter is drawn from."""

    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False

    def value(self, share: float) -> float:
        """Return the value at a share (0 to 1) of the way from low to high, to three digits or whole."""
        found = self.low * (self.high / self.low) ** share if self.is_log else self.low + share * (self.high - self.low)
        return round(found) if self.is_whole else float(f"{found:.3g}")

    def middle(self, values: Sequence[float]) -> float:
        """Return the median of some values, as `value` would give it."""
        found = float(np.median(values))
        return round(found) if self.is_whole else float(f"{found:.3g}")


def intervals(epochs: int) -> dict[str, Interval]:
    """Return the interval of each hyperparameter, where networks are usually trained for so many epochs.

    The preprint's are in a supplement. These hold its final values, and about a tenth and ten times of the weights.
    """
    return {
        "epochs": Interval(max(1, epochs / 4), 2 * epochs, is_log=True, is_whole=True),
        "latent_neurons": Interval(10, 100, is_log=True, is_whole=True),
        "dropout": Interval(0, 0.5),
        "warmup": Interval(0, epochs / 2, is_whole=True),
        "sseratio": Interval(0.005, 0.5, is_log=True),
        "errorsum": Interval(20, 2000, is_log=True),
    }


def trials_of(experiments: Sequence[str], epochs: int) -> list[Trial]:
    """Return the trials of these experiments, but for the search; one that several have in common stands once."""
    usual = Trial("both_vae", ())
    trials = {
        "inputs": [
            Trial(f"{inputs}_{encoder}", (), encoder, inputs) for encoder in ("raw", "vae") for inputs in INPUTS
        ],
        "autoencoder": [usual, Trial("both_autoencoder", (), "autoencoder")],
        "epochs": [
            Trial(f"epochs_{n}", (), options={"epochs": n, "held_out": HELD_OUT_SHARE})
            for n in (epochs, LONG_TRAINING * epochs)
        ],
        "latent": [usual, Trial("wide", (), options=WIDE)],
        "search": [usual],
    }
    asked = {name: trials[name] for name in EXPERIMENTS if name in experiments}
    found = {trial.name: trial for members in asked.values() for trial in members}
    return [
        trial._replace(experiments=tuple(name for name, members in asked.items() if trial in members))
        for trial in found.values()
    ]


def trial_options(values: Mapping[str, float]) -> dict[str, float]:
    """Return options of vae.py for values of hyperparameters."""
    return {OPTIONS[name]: value for name, value in values.items()}


def first_round(networks: int, epochs: int, seed: int) -> Iterator[Trial]:
    """Yield networks with each hyperparameter drawn at random from its interval."""
    rng = np.random.default_rng(seed)
    for number in range(1, networks + 1):
        values = {name: interval.value(rng.random()) for name, interval in intervals(epochs).items()}
        yield Trial(f"{FIRST_ROUND}{number:02d}", ("search",), options=trial_options(values))


def tentative_values(first: pd.DataFrame, epochs: int) -> dict[str, float]:
    """Return the median of each hyperparameter over the best networks of the first round.

    first: a row for each network, with its hyperparameters and `found`.
    """
    n_best = max(1, round(BEST_SHARE * len(first)))
    best = first.sort_values("found", ascending=False, kind="stable").head(n_best)
    return {name: interval.middle(best[name]) for name, interval in intervals(epochs).items()}


def second_round(tentative: Mapping[str, float], networks: int, epochs: int) -> Iterator[Trial]:
    """Yield the tentative network, and networks with one hyperparameter at evenly spaced values of its interval.

    Of the networks each hyperparameter has as many as any other, or one more.
    """
    yield Trial(TENTATIVE, ("search",), options=trial_options(tentative))
    for place, (name, interval) in enumerate(intervals(epochs).items()):
        n_values = networks // len(OPTIONS) + (place < networks % len(OPTIONS))
        for number in range(n_values):
            values = {**tentative, name: interval.value((number + 0.5) / n_values)}
            yield Trial(f"{SECOND_ROUND}{name}_{number + 1}", ("search",), options=trial_options(values))


def varied(second: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the networks of the second round (by trial) that vary a hyperparameter, the tentative one first."""
    return second.loc[
        ["search_2_tentative", *(trial for trial in second.index if trial.startswith(f"{SECOND_ROUND}{name}_"))]
    ]


def final_values(second: pd.DataFrame) -> dict[str, float]:
    """Return the best value of each hyperparameter in the second round: the tentative one unless another finds more."""
    return {name: varied(second, name)[name].iloc[int(varied(second, name)["found"].argmax())] for name in OPTIONS}


def final_network(second: pd.DataFrame) -> Trial:
    """Return the network of the best values."""
    return Trial("search_final", ("search",), options=trial_options(final_values(second)))
