#!/usr/bin/env python3
"""The variational autoencoder: its settings, its layers, its loss and its file.

With the settings of the preset `preprint` this is "Architecture of the variational autoencoder" and "Loss function" of
the VAMB preprint (Nissen et al. 2018, doi:10.1101/490078). The text leaves two things open. Here LeakyReLU follows each
hidden linear layer, then dropout, then batch normalisation. The sigma layer gives the logarithm of the variance through
a softplus. The default settings depart in inputs, weights, variance and schedule (docs/method.md, section 4).
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from input_rows import InputRows
from output_files import writing

# Columns of composition in the input: the canonical 4-mers (preprint).
N_TNF = 136
# Weight of composition against abundance with several samples, and with one, where composition and depth are all there
# is. docs/benchmark.md, "From the preprint to the defaults", compares the first with the preprint's 0.05. The second is
# not scanned.
DEFAULT_ALPHA = 0.15
SINGLE_SAMPLE_ALPHA = 0.5
# A contig's weight in the loss is ln(length) - 5, but at least 2, as in later versions of VAMB. The same section of
# docs/benchmark.md compares it with equal weights.
LOG_LENGTH_OFFSET = 5
MIN_ROW_WEIGHT = 2.0
# The weight of composition where the network sees one of the two inputs alone: all weight is that input's.
ALPHA_OF_INPUTS = {"tnf": 1.0, "abundance": 0.0}
# Slope of LeakyReLU below zero. The preprint gives none; this is PyTorch's own, and that of VAMB's code. Not scanned.
LEAKY_SLOPE = 0.01
# Rows that pass through the network at once outside training: it bounds the memory, and the rows of `untrained_loss`.
ROWS_AT_ONCE = 8192
# What model.pt keeps of features.json: how TNF and depth of further contigs are scaled before they are encoded.
SCALING = ("tetranucleotides", "tnf_mean", "tnf_sd", "depth_mean", "depth_divisor")


@dataclass(frozen=True)
class Hyperparameters:
    """Every setting of the network and of its training. The defaults are those of the preset `default`."""

    latent_size: int = 40
    hidden_sizes: tuple[int, ...] = (325, 325)
    dropout: float = 0.2
    alpha: float | None = None  # None: DEFAULT_ALPHA, or SINGLE_SAMPLE_ALPHA with one sample
    beta: float = 200.0
    depth: bool = True
    length_weights: bool = True
    unit_variance: bool = True
    learning_rate: float = 2e-3
    schedule: str = "cycle"
    epochs: int | None = None  # None: `training.default_epochs`
    batch_size: int = 256
    batch_double_at: tuple[int, ...] = ()
    # What only the experiments of the preprint ask for (experiment_trials.py)
    inputs: str = "both"  # or tnf, abundance
    variational: bool = True  # False: an otherwise identical plain autoencoder
    warmup: int = 0  # epochs in which the weight of the KL term rises
    held_out: float = 0.0  # share of the contigs that training leaves out


class Dropout(nn.Module):
    """Dropout that draws 16 bits per neuron, so that the share left out is right to 2^-16.

    The draws of nn.Dropout, one for each neuron, take a fifth of the whole training on a processor.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.left_out = round(share * 2**16)

    def forward(self, neurons: Tensor) -> Tensor:
        """Return the neurons with the share set to zero and the others scaled up; all of them outside training."""
        if not self.training or self.left_out == 0:
            return neurons
        draws = torch.empty((neurons.numel() + 3) // 4, dtype=torch.int64, device=neurons.device)
        bits = draws.random_(-(2**63), None).view(torch.int16)[: neurons.numel()].view(neurons.shape)
        kept = (bits >= self.left_out - 2**15).to(neurons.dtype)
        return neurons * kept.mul_(2**16 / (2**16 - self.left_out))


class VAE(nn.Module):
    """A network that encodes rows as Gaussians of N_L neurons and rebuilds the rows from them.

    A row holds s abundances, 136 TNF and, if the settings say so, depth.
    """

    def __init__(self, n_samples: int, settings: Hyperparameters) -> None:
        super().__init__()
        self.n_samples = n_samples
        hidden, latent_size = settings.hidden_sizes, settings.latent_size
        self.variational = settings.variational
        width = n_samples + N_TNF + settings.depth
        self.encoder = hidden_layers((width, *hidden), settings.dropout)
        self.mu = nn.Linear(hidden[-1], latent_size)
        has_sigma = settings.variational and not settings.unit_variance
        self.sigma = nn.Linear(hidden[-1], latent_size) if has_sigma else None
        self.decoder = hidden_layers((latent_size, *reversed(hidden)), settings.dropout)
        self.output = nn.Linear(hidden[0], width)

    def encode(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and natural logarithm of the variance of each row's latent Gaussian, both (rows, N_L).

        The softplus keeps the variance at 1 or above. The preprint leaves this open: reconstruction pulls the variance
        down and the prior pulls it to 1, so it has no need to fall below 1. Clusters are clearer than with a free sign,
        and as clear with a variance of 1 (docs/benchmark.md).
        """
        hidden = self.encoder(rows)
        mu = self.mu(hidden)
        return mu, torch.zeros_like(mu) if self.sigma is None else functional.softplus(self.sigma(hidden))

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return what latent points (rows, N_L) rebuild: log abundances (softmax over samples) and other columns."""
        output = self.output(self.decoder(latent))
        return functional.log_softmax(output[:, : self.n_samples], dim=1), output[:, self.n_samples :]

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rebuild rows from one sample each; return log abundances, other columns, mean and log variance.

        The latent Gaussian of each row gives mean and log variance, both (rows, N_L). A plain autoencoder rebuilds rows
        from the means.
        """
        mu, log_variance = self.encode(rows)
        latent = mu
        if self.variational:
            latent = torch.addcmul(mu, torch.randn_like(mu), torch.exp(0.5 * log_variance))
        return *self.decode(latent), mu, log_variance


def hidden_layers(widths: tuple[int, ...], dropout: float) -> nn.Sequential:
    """Return a linear layer between consecutive widths, each with LeakyReLU, dropout and batch normalisation."""
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(LEAKY_SLOPE), Dropout(dropout), nn.BatchNorm1d(n_out)]
    return nn.Sequential(*layers)


def used_columns(n_samples: int, settings: Hyperparameters) -> np.ndarray:
    """Return which columns of a row the network sees (bool): all, or those of TNF or of abundance and depth alone."""
    is_tnf = np.zeros(n_samples + N_TNF + settings.depth, dtype=bool)
    is_tnf[n_samples : n_samples + N_TNF] = True
    return {"both": np.ones_like(is_tnf), "tnf": is_tnf, "abundance": ~is_tnf}[settings.inputs]


def weight_of_composition(n_samples: int, settings: Hyperparameters) -> float:
    """Return alpha (the preprint's name), the weight of composition against abundance."""
    if settings.inputs in ALPHA_OF_INPUTS:
        return ALPHA_OF_INPUTS[settings.inputs]
    return settings.alpha if settings.alpha is not None else (DEFAULT_ALPHA if n_samples > 1 else SINGLE_SAMPLE_ALPHA)


def loss_weights(n_samples: int, settings: Hyperparameters) -> tuple[float, float, float, float]:
    """Return the weights of the loss terms CE, SSE, KLD (the preprint's w_ab, w_TNF, w_KL) and squared error of depth.

    With depth, the weight of the abundances is shared: of s numbers, s - 1 are in the shares and one is the sum.
    With one sample, w_ab = (1 - alpha) / ln s is undefined. The only abundance is then 1 in every row, and the softmax
    rebuilds it without error whatever the weight is: w_ab is 0. A plain autoencoder has no KLD.
    """
    alpha = weight_of_composition(n_samples, settings)
    w_ab = (1 - alpha) / math.log(n_samples) if n_samples > 1 else 0.0
    w_depth = (1 - alpha) / n_samples if settings.depth else 0.0
    if settings.depth:
        w_ab *= (n_samples - 1) / n_samples
    w_kl = 1 / (settings.latent_size * settings.beta) if settings.variational else 0.0
    return w_ab, alpha / N_TNF, w_kl, w_depth


def row_weights(length: np.ndarray) -> np.ndarray:
    """Return the weights in the loss of contigs of these lengths (n, bp): mean 1, n, float32.

    Long contigs weigh more, since their features are surer. The weight grows from e^7 (1,097 bp) on.
    """
    weight = np.maximum(np.log(length) - LOG_LENGTH_OFFSET, MIN_ROW_WEIGHT)
    return (weight * (len(weight) / max(weight.sum(), 1.0))).astype(np.float32)


def loss_terms(
    rows: Tensor, weight: Tensor, log_abundance: Tensor, rebuilt: Tensor, mu: Tensor, log_variance: Tensor
) -> Tensor:
    """Return CE, SSE, KLD ("Loss function") and the squared error of depth: weighted means over the rows (4).

    CE = -sum_i A_in,i ln A_out,i (the text's E_ab; only with this sign is it a cross entropy, which can be minimised);
    SSE = sum_i (T_out,i - T_in,i)^2; KLD = -1/2 sum_i (1 + ln sigma_i - mu_i^2 - sigma_i), where sigma is the variance.
    """
    n, s = log_abundance.shape
    error = (rebuilt - rows[:, s:]).square()
    terms = (
        -(rows[:, :s] * log_abundance).sum(dim=1),
        error[:, :N_TNF].sum(dim=1),
        -0.5 * (1 + log_variance - mu.square() - log_variance.exp()).sum(dim=1),
        error[:, N_TNF:].sum(dim=1),
    )
    return torch.stack(terms) @ weight / n


@torch.no_grad()
def encode_rows(model: VAE, data: InputRows, prepare: Callable[[Tensor], Tensor] = lambda rows: rows) -> np.ndarray:
    """Return the latent means of data (n x columns) as n x N_L float32; dropout is off, batch statistics are frozen.

    `prepare` makes of some rows what the model gets.
    """
    model.eval()
    latent = np.empty((len(data), model.mu.out_features), dtype=np.float32)
    for start in range(0, len(data), ROWS_AT_ONCE):
        rows = prepare(data[start : start + ROWS_AT_ONCE])
        latent[start : start + ROWS_AT_ONCE] = model.encode(rows)[0].cpu().numpy()
    return latent


def device_name(device: str) -> str:
    """Return how latent.json names a device, `cpu` or `cuda`."""
    return device if device == "cpu" else f"cuda ({torch.cuda.get_device_name()})"


def save_model(path: Path, model: VAE, settings: Hyperparameters, features: dict) -> None:
    """Write weights, hyperparameters and the features' scaling, as `load_model` reads them."""
    content = {
        "state_dict": {name: value.cpu() for name, value in model.state_dict().items()},
        "hyperparameters": asdict(settings),
        "samples": features["samples"],
        "scaling": {key: features.get(key) for key in SCALING},
    }
    with writing(path):
        torch.save(content, path)


def load_model(path: Path) -> tuple[VAE, dict]:
    """Return the trained network of a model.pt, on the CPU and ready to encode, and the file's other entries.

    These are `hyperparameters`, `samples` (the order of the abundance columns) and `scaling` (see SCALING).
    """
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = VAE(len(saved["samples"]), Hyperparameters(**saved["hyperparameters"]))
    model.load_state_dict(saved.pop("state_dict"))
    return model.eval(), saved
