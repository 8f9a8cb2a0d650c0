"""training.py: batches, rate and epochs worked out by hand, the loss of the log, and what counts as divergence."""

import math

import numpy as np
import pytest
import torch

import network
import training
from input_rows import HeldRows
from vae_inputs import preset_hyperparameters, synthetic


def test_rate_of_a_cycle():
    """Up in ten of a hundred steps, then down: half way at step 55; constant if so asked."""
    cycle = network.Hyperparameters(learning_rate=0.5)
    rates = [training.learning_rate(step, 100, cycle) for step in range(100)]
    assert rates[:10] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5])
    assert rates[10] == max(rates) and rates[55] == pytest.approx(0.25) and 0 < rates[99] < 1e-3
    assert sorted(rates[10:], reverse=True) == rates[10:]
    assert [training.learning_rate(0, n, cycle) for n in (1, 2)] == pytest.approx([0.5, 0.5])
    assert {training.learning_rate(step, 100, preset_hyperparameters("preprint")) for step in range(100)} == {1e-3}


def test_default_epochs_make_enough_steps():
    """60; of 1,000 contigs in batches of 256 (4 steps) 300, of 3 contigs as many as there must be steps."""
    assert [training.default_epochs(n, 256) for n in (10**6, 1000, 3, 2)] == [60, 300, 1200, 1200]


def test_loss_of_the_log_is_the_weighted_sum_of_its_terms():
    tnf, abundance = synthetic(50, 3)
    settings = network.Hyperparameters(latent_size=4, hidden_sizes=(8,), epochs=2, alpha=0.3, beta=7)
    model = network.VAE(3, settings)
    optimizer = torch.optim.Adam(model.parameters())
    data = HeldRows(torch.from_numpy(np.hstack((abundance, tnf, tnf[:, :1]))))
    for row in training.train(model, optimizer, data, torch.ones(50), settings, threads=1):
        expected = 2 / 3 * 0.7 / math.log(3) * row["ce"] + 0.3 / 136 * row["sse"] + row["kld"] / (4 * 7)
        assert row["loss"] == pytest.approx(expected + 0.7 / 3 * row["depth_se"], rel=1e-5)


def test_divergence_rises_to_its_weight_behind_the_warm_up():
    assert [training.divergence_share(epoch, 3) for epoch in (1, 2, 3, 4, 5)] == [0.25, 0.5, 0.75, 1, 1]
    assert training.divergence_share(1, 0) == 1
    tnf, abundance = synthetic(50, 3)
    settings = network.Hyperparameters(latent_size=4, hidden_sizes=(8,), epochs=3, alpha=0, depth=False, warmup=1)
    model = network.VAE(3, settings)
    optimizer = torch.optim.Adam(model.parameters())
    data = HeldRows(torch.from_numpy(np.hstack((abundance, tnf))))
    rows = list(training.train(model, optimizer, data, torch.ones(50), settings, threads=1))
    shares = [(row["loss"] - row["ce"] / math.log(3)) / (row["kld"] / (4 * 200)) for row in rows]
    assert shares == pytest.approx([0.5, 1, 1], abs=0.01)


def test_batch_doubles_after_the_given_epochs():
    sizes = [training.epoch_batch_size(epoch, 10**6, 64, (25, 75, 150, 300)) for epoch in range(1, 501)]
    runs = [(1, 25, 64), (26, 75, 128), (76, 150, 256), (151, 300, 512), (301, 500, 1024)]
    assert sizes == [size for first, last, size in runs for _ in range(first, last + 1)]
    assert training.epoch_batch_size(26, 100, 64, (25,)) == 100


@pytest.mark.parametrize(
    ("n", "batch", "sizes"),
    [(10, 4, [4, 4, 2]), (9, 4, [4, 5]), (8, 4, [4, 4]), (3, 2, [3]), (2, 2, [2]), (5, 5, [5])],
)
def test_batches_cover_every_row_once_and_none_has_one_row(n, batch, sizes):
    bounds = training.batch_bounds(n, batch)
    assert [stop - start for start, stop in bounds] == sizes
    assert [row for start, stop in bounds for row in range(start, stop)] == list(range(n))


def test_divergence_is_ten_epochs_in_a_row_above_ten_times_the_start():
    def rows(*losses):
        return [{"epoch": epoch, "loss": loss} for epoch, loss in enumerate(losses, start=1)]

    training.check_convergence(rows(*[21.0] * 9), 2.0)
    training.check_convergence(rows(*[1e9] * 6, 19.9, *[1e9] * 9), 2.0)
    with pytest.raises(FloatingPointError, match="epoch 17"):
        training.check_convergence(rows(*[1e9] * 6, 19.9, *[20.1] * 10), 2.0)


def test_untrained_loss_leaves_model_and_random_numbers_alone():
    """And is about the first epoch's loss at a rate that trains nothing."""
    tnf, abundance = synthetic(500, 3)
    data = HeldRows(torch.from_numpy(np.hstack((abundance, tnf))))
    torch.manual_seed(2)
    settings = network.Hyperparameters(latent_size=8, hidden_sizes=(32, 32), epochs=1, depth=False, learning_rate=0.0)
    model = network.VAE(3, settings)
    weights, random = {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()
    untrained = training.untrained_loss(model, data, torch.ones(500), settings)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    (epoch,) = training.train(model, optimizer, data, torch.ones(500), settings, threads=1)
    assert untrained == pytest.approx(epoch["loss"], rel=0.1)
