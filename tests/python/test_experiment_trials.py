"""experiment_trials.py: what belongs to an experiment, and the search worked out by hand."""

import pandas as pd
import pytest

from experiment_tables import OPTIONS
from experiment_trials import (
    EXPERIMENTS,
    Interval,
    final_network,
    final_values,
    first_round,
    intervals,
    second_round,
    tentative_values,
    trials_of,
    varied,
)

TENTATIVE = {"epochs": 100, "latent_neurons": 40, "dropout": 0.2, "warmup": 5, "sseratio": 0.05, "errorsum": 200}


def networks(rows: dict[str, dict]) -> pd.DataFrame:
    return pd.DataFrame([{**TENTATIVE, **values} for values in rows.values()], index=list(rows))


def test_a_value_is_a_share_of_the_way():
    assert [Interval(1, 100, is_log=True).value(share) for share in (0, 0.5, 1)] == [1, 10, 100]
    assert [Interval(0, 0.5).value(share) for share in (0, 1 / 3, 1)] == [0, 0.167, 0.5]
    assert Interval(0, 9, is_whole=True).value(0.5) == 4 and Interval(0, 9, is_whole=True).middle([2, 5]) == 4


@pytest.mark.parametrize("epochs", [1, 2, 500])
def test_random_networks_stay_within_the_intervals(epochs):
    trials = list(first_round(40, epochs, seed=1))
    assert len({trial.name for trial in trials}) == 40
    for name, interval in intervals(epochs).items():
        values = [trial.options[OPTIONS[name]] for trial in trials]
        assert interval.low - 0.5 <= min(values) and max(values) <= interval.high + 0.5
        if not interval.is_whole:
            assert len(set(values)) > 30
        if name in ("epochs", "latent_neurons"):
            assert min(values) >= 1
    assert trials == list(first_round(40, epochs, seed=1)) != list(first_round(40, epochs, seed=2))


def test_the_final_values_of_the_preprint_lie_within_the_intervals():
    found = {"epochs": 500, "latent_neurons": 40, "dropout": 0.2, "sseratio": 0.05, "errorsum": 200}
    assert all(intervals(500)[name].low < value < intervals(500)[name].high for name, value in found.items())


def test_a_trial_of_several_experiments_stands_once():
    trials = {trial.name: trial for trial in trials_of(EXPERIMENTS, 500)}
    assert list(trials) == [
        "both_raw", "tnf_raw", "abundance_raw", "both_vae", "tnf_vae", "abundance_vae", "both_autoencoder",
        "epochs_500", "epochs_2500", "wide",
    ]  # fmt: skip
    assert trials["both_vae"].experiments == ("inputs", "autoencoder", "latent", "search")
    assert trials["both_autoencoder"].experiments == ("autoencoder",)
    assert [trial.name for trial in trials_of(["autoencoder"], 7)] == ["both_vae", "both_autoencoder"]


def test_the_tentative_value_is_the_median_of_the_best_fifth():
    """Of ten networks two, whatever the others have."""
    first = networks(
        {f"search_1_{i:02d}": {"dropout": i / 20, "latent_neurons": 10 + i, "found": i} for i in range(10)}
    )
    assert tentative_values(first, 500) == {**TENTATIVE, "dropout": 0.425, "latent_neurons": 18}


@pytest.mark.parametrize(("n", "counts"), [(1, [1, 0, 0, 0, 0, 0]), (6, [1] * 6), (14, [3, 3, 2, 2, 2, 2])])
def test_the_second_round_varies_one_hyperparameter_at_a_time(n, counts):
    trials = list(second_round(TENTATIVE, n, 100))
    usual = {OPTIONS[name]: value for name, value in TENTATIVE.items()}
    assert trials[0].options == usual and len({trial.name for trial in trials}) == len(trials) == n + 1
    for name, count in zip(OPTIONS, counts):
        members = [trial for trial in trials if trial.name.startswith(f"search_2_{name}_")]
        assert len({trial.options[OPTIONS[name]] for trial in members}) == len(members) == count
        assert all({**trial.options, OPTIONS[name]: usual[OPTIONS[name]]} == usual for trial in members)


def test_the_final_value_is_the_tentative_one_unless_another_finds_more():
    second = networks(
        {
            "search_2_tentative": {"found": 8},
            "search_2_dropout_1": {"dropout": 0.1, "found": 8},
            "search_2_dropout_2": {"dropout": 0.4, "found": 7},
            "search_2_warmup_1": {"warmup": 9, "found": 8.5},
        }
    )
    assert varied(second, "dropout")["found"].tolist() == [8, 8, 7]
    assert varied(second, "epochs")["found"].tolist() == [8]
    assert final_values(second) == {**TENTATIVE, "warmup": 9}
    assert final_network(second).options["warmup"] == 9 and final_network(second).options["alpha"] == 0.05
