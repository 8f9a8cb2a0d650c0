"""network.py: the loss against hand computation, the shape of the network, its dropout and its noise."""

import dataclasses
import math

import numpy as np
import pytest
import torch

import network
from vae_inputs import preset_hyperparameters


def test_loss_terms_by_hand():
    """Each term recomputed number by number, from outputs that no softmax or network of ours touched; the second row
    counts half as much again as the first."""
    abundance = [[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]]
    rebuilt = [[0.1, 0.6, 0.3], [0.7, 0.2, 0.1]]
    rng = np.random.default_rng(3)
    tnf, tnf_out = rng.normal(size=(2, 2, network.N_TNF)).tolist()
    depth, depth_out, weight = [0.5, -1.0], [0.25, 1.0], [0.8, 1.2]
    mu, sigma = [[0.5, -1.0], [0.0, 2.0]], [[1.0, 0.25], [2.0, 0.5]]

    ce = sse = kld = depth_se = 0.0
    for row in range(2):
        ce += -sum(a * math.log(p) for a, p in zip(abundance[row], rebuilt[row])) * weight[row]
        sse += sum((o - i) ** 2 for o, i in zip(tnf_out[row], tnf[row])) * weight[row]
        kld += -0.5 * sum(1 + math.log(v) - m * m - v for m, v in zip(mu[row], sigma[row])) * weight[row]
        depth_se += (depth_out[row] - depth[row]) ** 2 * weight[row]

    rows = torch.cat((torch.tensor(abundance), torch.tensor(tnf), torch.tensor(depth)[:, None]), dim=1)
    other = torch.cat((torch.tensor(tnf_out), torch.tensor(depth_out)[:, None]), dim=1)
    gaussian = torch.tensor(mu), torch.tensor(sigma).log()
    terms = network.loss_terms(rows, torch.tensor(weight), torch.tensor(rebuilt).log(), other, *gaussian)
    assert terms.tolist() == pytest.approx([ce / 2, sse / 2, kld / 2, depth_se / 2], rel=1e-5)
    without = network.loss_terms(
        rows[:, :-1], torch.tensor(weight), torch.tensor(rebuilt).log(), other[:, :-1], *gaussian
    )
    assert without.tolist() == [*terms[:3].tolist(), 0]


def test_divergence_is_zero_for_the_prior_and_positive_elsewhere():
    rows, one = torch.zeros(1, 2 + network.N_TNF), torch.ones(1)
    prior = torch.zeros(1, 4)
    out = torch.full((1, 2), 0.5).log(), torch.zeros(1, network.N_TNF)
    assert network.loss_terms(rows, one, *out, prior, prior).tolist() == [0, 0, 0, 0]
    assert network.loss_terms(rows, one, *out, prior, prior - 1)[2] > 0
    assert network.loss_terms(rows, one, *out, prior, prior + 1)[2] > 0


def test_weights_of_the_preprint():
    """(1 - 0.05)/ln 6, 0.05/136 and 1/(40 x 200), worked out beside the code."""
    preprint = preset_hyperparameters("preprint")
    assert network.loss_weights(6, preprint) == pytest.approx((0.5302050504, 3.6764706e-4, 1.25e-4, 0))
    assert network.loss_weights(1, preprint)[0] == 0


def test_weights_of_the_default():
    """Five sixths of 0.85/ln 6, 0.15/136, 1/(40 x 200) and a sixth of 0.85; with one sample all abundance is depth."""
    assert network.loss_weights(6, network.Hyperparameters()) == pytest.approx(
        (0.3953283, 1.1029412e-3, 1.25e-4, 0.1416667)
    )
    assert network.loss_weights(1, network.Hyperparameters()) == pytest.approx((0, 3.6764706e-3, 1.25e-4, 0.5))


def test_one_input_alone_has_all_the_weight():
    """1/136 of TNF; 1/ln 4 of abundances, or three quarters of it and a quarter of depth; columns in their order."""
    tnf = network.Hyperparameters(inputs="tnf", depth=False, alpha=0.05)
    abundance = network.Hyperparameters(inputs="abundance", alpha=0.05)
    assert network.loss_weights(4, tnf) == pytest.approx((0, 0.00735294, 1.25e-4, 0))
    assert network.loss_weights(4, abundance) == pytest.approx((0.5410106, 0, 1.25e-4, 0.25))
    assert network.used_columns(4, tnf).tolist() == [False] * 4 + [True] * 136
    assert network.used_columns(4, abundance).tolist() == [True] * 4 + [False] * 136 + [True]
    assert network.used_columns(4, network.Hyperparameters()).tolist() == [True] * 141


def test_a_plain_autoencoder_has_no_noise_and_no_divergence():
    settings = network.Hyperparameters(hidden_sizes=(8,), variational=False, unit_variance=False, dropout=0.0)
    assert network.loss_weights(3, settings)[2] == 0
    model = network.VAE(3, settings).eval()
    rows = torch.rand(5, 140)
    first, second = model(rows), model(rows)
    assert model.sigma is None and all(torch.equal(a, b) for a, b in zip(first, second))
    assert torch.equal(first[0], model.decode(model.encode(rows)[0])[0])


def test_row_weights():
    """ln 20,000 - 5 = 4.903488, ln 2,000 - 5 = 2.600902, 2 at least; divided by their mean."""
    found = network.row_weights(np.array([20_000, 2_000, 500, 100]))
    assert found.tolist() == pytest.approx([4.903488 / 2.8760975, 2.600902 / 2.8760975, *[2 / 2.8760975] * 2])
    assert found.dtype == np.float32


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    torch.manual_seed(1)
    layer, neurons = network.Dropout(0.2), torch.ones(1001, 999)
    out = layer(neurons)
    assert (out == 0).float().mean().item() == pytest.approx(0.2, abs=0.002)
    assert out.unique().tolist() == pytest.approx([0, 1.25], rel=1e-4)
    # neither neighbours nor rows are left out together
    kept = (out > 0).float()
    for other in (kept[:, 1:] * kept[:, :-1], kept[1:] * kept[:-1]):
        assert other.mean().item() == pytest.approx(0.64, abs=0.003)
    assert torch.equal(layer.eval()(neurons), neurons) and torch.equal(network.Dropout(0.0)(neurons), neurons)


def linear_widths(model: network.VAE) -> list[tuple[int, int]]:
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    return [(layer.in_features, layer.out_features) for layer in layers]


def test_network_shape():
    """Layers, widths and order of the preprint: two hidden layers each way, the decoder's reversed."""
    model = network.VAE(6, dataclasses.replace(preset_hyperparameters("preprint"), hidden_sizes=(325, 200)))
    assert linear_widths(model) == [(142, 325), (325, 200), (200, 40), (200, 40), (40, 200), (200, 325), (325, 142)]
    dropout = [layer.left_out for layer in model.modules() if isinstance(layer, network.Dropout)]
    assert dropout == [13107] * 4  # 0.2 x 65,536
    norms = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm1d)]
    assert [layer.num_features for layer in norms] == [325, 200, 200, 325]


def test_default_network_has_depth_and_no_sigma_layer():
    settings = network.Hyperparameters(hidden_sizes=(30, 20), latent_size=4)
    model = network.VAE(6, settings)
    assert linear_widths(model) == [(143, 30), (30, 20), (20, 4), (4, 20), (20, 30), (30, 143)]
    assert (model.encode(torch.randn(5, 143))[1] == 0).all()


def test_rebuilt_abundances_are_a_distribution():
    settings = network.Hyperparameters(latent_size=4, hidden_sizes=(8, 8))
    log_abundance, other = network.VAE(5, settings).eval().decode(torch.randn(7, 4))
    assert log_abundance.exp().sum(dim=1).tolist() == pytest.approx([1] * 7, rel=1e-5)
    assert other.shape == (7, network.N_TNF + 1)


def test_one_monte_carlo_sample_has_the_variance_of_the_sigma_layer():
    """With the decoder replaced by the identity, what comes out is N(3, sigma), ln sigma = softplus(2)."""
    torch.manual_seed(0)
    settings = network.Hyperparameters(latent_size=4, hidden_sizes=(8,), depth=False, unit_variance=False)
    model = network.VAE(2, settings).eval()
    with torch.no_grad():
        for layer, constant in ((model.mu, 3.0), (model.sigma, 2.0)):
            layer.weight.zero_()
            layer.bias.fill_(constant)
    model.decode = lambda latent: (latent, latent)
    latent = model(torch.randn(20000, 2 + network.N_TNF))[0]
    assert latent.mean().item() == pytest.approx(3, abs=0.05)
    assert latent.var().item() == pytest.approx(1 + math.exp(2), rel=0.03)
