"""memory_estimate.py: what cannot fit into memory ends at once with one line."""

import pytest
import torch

import memory_estimate
from network import VAE, Hyperparameters
from vae_inputs import run, synthetic, write_features


@pytest.mark.parametrize("settings", [Hyperparameters(), Hyperparameters(hidden_sizes=(64, 32, 16), latent_size=7)])
def test_the_weights_are_those_of_the_network(settings):
    """Without rows, all but the small layers of variance and normalisation is weights."""
    width = 3 + 136 + 1
    weights = sum(p.numel() for p in VAE(3, settings).parameters())
    per_weight = memory_estimate.FLOAT_BYTES * memory_estimate.COPIES_OF_WEIGHTS
    assert 0.9 < memory_estimate.training_bytes(settings, 0, width, 0) / per_weight / weights <= 1


def test_the_memory_of_this_machine():
    assert 2**28 < memory_estimate.memory_bytes(torch.device("cpu")) < 2**50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--latent_size", "10000", "--hidden_sizes", "99999,99999,99999"), "GB of memory to train on 30 contigs"),
        (("--latent_size", "1000000000"), "1000000000 is not in the range 2<=x<=10000"),
        (("--hidden_sizes", "100000"), "16 widths at most, of at most 99999 each"),
        (("--hidden_sizes", ",".join(["9"] * 17)), "16 widths at most"),
        (("--epochs", "1000000001"), "is not in the range"),
        (("--batch_size", "9" * 40), "is not in the range"),
    ],
)
def test_an_absurd_network_is_refused_at_once(tmp_path, monkeypatch, options, message):
    result = run(tmp_path / "out", monkeypatch, write_features(tmp_path, *synthetic(30, 2)), *options)
    assert result.exit_code in (1, 2) and message in result.output, result.output
    assert not list((tmp_path / "out").glob("*.npy"))
