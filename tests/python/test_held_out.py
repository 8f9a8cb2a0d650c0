"""held_out.py: which contigs a training leaves out, and the loss on them."""

import numpy as np
import pytest
import torch

import network
import training
from held_out import Rows, held_out_loss, split_rows
from input_rows import HeldRows
from vae_inputs import synthetic

SETTINGS = network.Hyperparameters(latent_size=4, hidden_sizes=(16,), epochs=60, batch_size=16)


def rows_of(n: int, n_samples: int = 3) -> Rows:
    tnf, abundance = synthetic(n, n_samples)
    data = np.column_stack((abundance, tnf, np.arange(n)))
    return Rows(HeldRows(torch.from_numpy(data.astype(np.float32))), torch.linspace(0.5, 1.5, n))


@pytest.mark.parametrize(
    ("n", "share", "left_out"), [(10, 0.1, 1), (100, 0.3, 30), (4, 0.99, 2), (3, 0.5, 1), (2, 0.9, 0), (9, 0, 0)]
)
def test_share_of_the_rows_is_left_out_and_two_stay(n, share, left_out):
    rows = rows_of(n)
    learned, other = split_rows(rows, share, seed=1)
    assert len(learned.data) == n - left_out and (other is None) == (left_out == 0)
    if other is not None:
        assert len(other.data) == left_out
        assert sorted([*learned.data[:][:, -1].tolist(), *other.data[:][:, -1].tolist()]) == list(range(n))
        assert [part.weight.mean().item() for part in (learned, other)] == pytest.approx([1, 1])
        proportion = learned.weight / rows.weight[learned.data[:][:, -1].long()]
        assert proportion.tolist() == pytest.approx([proportion[0].item()] * len(proportion))


def test_another_seed_leaves_out_others():
    found = [tuple(split_rows(rows_of(50), 0.2, seed)[1].data[:][:, -1].tolist()) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_the_loss_leaves_model_and_random_numbers_alone():
    torch.manual_seed(3)
    rows, model = rows_of(20), network.VAE(3, SETTINGS)
    model.train()
    statistics, random = {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()
    first, second = (held_out_loss(model, rows, SETTINGS) for _ in range(2))
    assert first == second and model.training
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, statistics[name]) for name, value in model.state_dict().items())


def test_contigs_learnt_by_heart_show_in_the_loss_of_the_others():
    """Contigs of the same genomes are rebuilt about as well as those learned; of noise, others tell nothing."""
    torch.manual_seed(1)
    settings = network.Hyperparameters(
        latent_size=20, hidden_sizes=(64,), epochs=150, batch_size=16, beta=1e6, dropout=0.0, alpha=1.0, depth=False
    )
    drawn = torch.cat((torch.full((60, 3), 1 / 3), torch.randn(60, network.N_TNF)), dim=1)
    noise = Rows(HeldRows(drawn), torch.ones(60))
    ratios = []
    for rows in (Rows(HeldRows(rows_of(60).data[:][:, :-1]), torch.ones(60)), noise):
        learned, left_out = split_rows(rows, 0.25, seed=1)
        model = network.VAE(3, settings)
        list(training.train(model, training.make_optimizer(model, settings), *learned, settings, threads=1))
        other, own = (held_out_loss(model, part, settings) for part in (left_out, learned))
        ratios.append(other / own)
    assert ratios[0] < 1.5 and ratios[1] > 2
