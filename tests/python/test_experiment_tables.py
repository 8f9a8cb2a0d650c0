"""experiment_tables.py: the names that it shares with vae.py and bin_scores.py."""

import dataclasses

import network
import vae
from bin_scores import RECALLS
from experiment_tables import INPUTS, OPTIONS, SEARCH_RECALLS, TRIAL_RECALLS


def test_hyperparameters_are_options_of_the_training():
    fields = {field.name for field in dataclasses.fields(network.Hyperparameters)}
    assert set(OPTIONS.values()) <= fields
    (inputs,) = [option for option in vae.main.params if option.name == "inputs"]
    assert sorted(inputs.type.choices) == sorted(INPUTS)


def test_recalls_are_those_of_the_search_and_of_figure_3():
    assert set(TRIAL_RECALLS) == set(SEARCH_RECALLS) | set(RECALLS) and list(TRIAL_RECALLS) == sorted(TRIAL_RECALLS)
