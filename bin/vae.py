#!/usr/bin/env python3
"""Train the variational autoencoder on a group's features and encode its contigs.

In:  tnf.npy (n x 136 float32, z-scaled), abundance.npy (n x s float32, rows sum to 1), rows.tsv (`contig, length`: the
     rows of both), features.json (`samples`, `rows_sha256`, `tnf_mean`, `tnf_sd`, `tetranucleotides`).
Out: latent.npy (n x N_L float32, the means), latent.json, model.pt (`load_model` reads it), training.tsv (one row per
     epoch; loss terms are means over the rows, unweighted but for `loss`).

Implements "Architecture of the variational autoencoder" and "Loss function" of the VAMB preprint (Nissen et al. 2018,
doi:10.1101/490078). What its text leaves open: LeakyReLU after each hidden linear layer, then dropout, then batch
normalisation; the sigma layer gives the logarithm of the variance through a softplus.
"""

import csv
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

N_TNF = 136
ENCODE_ROWS = 8192
# A thread earns its keep from about this many rows of a mini-batch on; with fewer, threads wait for one another, and on
# a busy machine for a long time.
ROWS_PER_THREAD = 1024
LOG_SECONDS = 30
LOG_COLUMNS = ("epoch", "loss", "ce", "sse", "kld", "batch_size", "learning_rate", "seconds")
INPUT_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Hyperparameters:
    """Every setting of model and training; defaults are the preprint's (the hidden width its released code's)."""

    latent_size: int = 40
    hidden_sizes: tuple[int, ...] = (325, 325)
    dropout: float = 0.2
    alpha: float = 0.05
    beta: float = 200.0
    learning_rate: float = 1e-3
    epochs: int = 500
    batch_size: int = 64
    batch_double_at: tuple[int, ...] = (25, 75, 150, 300)


class VAE(nn.Module):
    """The preprint's network: rows of s abundances and 136 TNF -> Gaussian of N_L neurons -> the same, rebuilt."""

    def __init__(self, n_samples: int, latent_size: int, hidden_sizes: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.n_samples = n_samples
        width = n_samples + N_TNF
        self.encoder = hidden_layers((width, *hidden_sizes), dropout)
        self.mu = nn.Linear(hidden_sizes[-1], latent_size)
        self.sigma = nn.Linear(hidden_sizes[-1], latent_size)
        self.decoder = hidden_layers((latent_size, *reversed(hidden_sizes)), dropout)
        self.output = nn.Linear(hidden_sizes[0], width)

    def encode(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and natural logarithm of the variance of each row's latent Gaussian, both (rows, N_L).

        The softplus is a choice that the text leaves open: reconstruction pulls the variance down and the prior pulls
        it to 1, so that it need not fall below 1. Clusters come out clearer than with a free sign (docs/benchmark.md).
        """
        hidden = self.encoder(rows)
        return self.mu(hidden), functional.softplus(self.sigma(hidden))

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Log of the rebuilt abundances (softmax over the samples) and rebuilt TNF of latent points (rows, N_L)."""
        output = self.output(self.decoder(latent))
        return functional.log_softmax(output[:, : self.n_samples], dim=1), output[:, self.n_samples :]

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Log abundances, TNF, mean and log variance, rebuilt from one Monte Carlo sample of each row's Gaussian."""
        mu, log_variance = self.encode(rows)
        latent = torch.addcmul(mu, torch.randn_like(mu), torch.exp(0.5 * log_variance))
        return *self.decode(latent), mu, log_variance


def hidden_layers(widths: tuple[int, ...], dropout: float) -> nn.Sequential:
    """Fully connected layers between consecutive widths, each with LeakyReLU, dropout and batch normalisation."""
    layers: list[nn.Module] = []
    for n_in, n_out in zip(widths, widths[1:]):
        layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(), nn.Dropout(dropout), nn.BatchNorm1d(n_out)]
    return nn.Sequential(*layers)


def loss_weights(n_samples: int, latent_size: int, alpha: float, beta: float) -> tuple[float, float, float]:
    """w_ab, w_TNF and w_KL of the preprint's "Loss function".

    w_ab = (1 - alpha) / ln s is undefined for one sample, whose abundance is 1 in every row and is rebuilt without
    error by the softmax whatever the weight: w_ab is 0 then.
    """
    w_ab = (1 - alpha) / math.log(n_samples) if n_samples > 1 else 0.0
    return w_ab, alpha / N_TNF, 1 / (latent_size * beta)


def loss_terms(rows: Tensor, log_abundance: Tensor, tnf: Tensor, mu: Tensor, log_variance: Tensor) -> Tensor:
    """CE, SSE and KLD of the preprint's "Loss function" as a tensor of three means over the rows.

    CE = -sum_i A_in,i ln A_out,i (the text's E_ab, whose sign must be that of a cross entropy to be minimised);
    SSE = sum_i (T_out,i - T_in,i)^2; KLD = -1/2 sum_i (1 + ln sigma_i - mu_i^2 - sigma_i), sigma being the variance.
    """
    n, s = log_abundance.shape
    ce = -(rows[:, :s] * log_abundance).sum()
    sse = (tnf - rows[:, s:]).square().sum()
    kld = -0.5 * (1 + log_variance - mu.square() - log_variance.exp()).sum()
    return torch.stack((ce, sse, kld)) / n


def epoch_batch_size(epoch: int, n_rows: int, batch_size: int, batch_double_at: tuple[int, ...]) -> int:
    """Mini-batch size of an epoch (counted from 1): doubled after each epoch of batch_double_at, at most n_rows."""
    return min(batch_size << sum(epoch > after for after in batch_double_at), n_rows)


def batch_bounds(n_rows: int, batch_size: int) -> list[tuple[int, int]]:
    """First row and row after the last of each mini-batch; n_rows >= 2.

    A last batch of one row is merged with the one before: batch normalisation cannot train on one row.
    """
    starts = list(range(0, n_rows, batch_size))
    if n_rows - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], n_rows]))


def train(model: VAE, data: Tensor, settings: Hyperparameters, threads: int) -> Iterator[dict[str, float]]:
    """Train in place on data (n x (s + 136), on the model's device, n >= 2); yields one row of training.tsv per epoch.

    Random numbers come from torch's default generator of the device, which the caller seeds. Nothing is copied between
    host and device but four numbers per epoch. Raises FloatingPointError when the loss is no longer finite.
    """
    weights = torch.tensor(
        loss_weights(model.n_samples, settings.latent_size, settings.alpha, settings.beta), device=data.device
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    shuffled = torch.empty_like(data)
    model.train()
    for epoch in range(1, settings.epochs + 1):
        started = time.monotonic()
        batch_size = epoch_batch_size(epoch, len(data), settings.batch_size, settings.batch_double_at)
        torch.set_num_threads(max(1, min(threads, batch_size // ROWS_PER_THREAD)))
        torch.index_select(data, 0, torch.randperm(len(data), device=data.device), out=shuffled)
        totals = torch.zeros(3, device=data.device)
        for start, stop in batch_bounds(len(data), batch_size):
            rows = shuffled[start:stop]
            optimizer.zero_grad(set_to_none=True)
            terms = loss_terms(rows, *model(rows))
            torch.dot(weights, terms).backward()
            optimizer.step()
            totals.add_(terms.detach(), alpha=stop - start)
        means = totals / len(data)
        loss, ce, sse, kld = torch.cat((torch.dot(weights, means)[None], means)).tolist()
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the training loss is {loss} in epoch {epoch} (cross entropy {ce:.6g}, squared error {sse:.6g}, "
                f"KL divergence {kld:.6g})"
            )
        seconds = time.monotonic() - started
        yield dict(zip(LOG_COLUMNS, (epoch, loss, ce, sse, kld, batch_size, settings.learning_rate, seconds)))


@torch.no_grad()
def encode_rows(model: VAE, data: Tensor) -> np.ndarray:
    """Latent means of data (n x (s + 136)) as an n x N_L float32 array; dropout off, batch statistics frozen."""
    model.eval()
    latent = np.empty((len(data), model.mu.out_features), dtype=np.float32)
    for start in range(0, len(data), ENCODE_ROWS):
        latent[start : start + ENCODE_ROWS] = model.encode(data[start : start + ENCODE_ROWS])[0].cpu().numpy()
    return latent


def save_model(path: Path, model: VAE, settings: Hyperparameters, features: dict) -> None:
    """Write weights, hyperparameters and the features' scaling, as `load_model` reads them."""
    torch.save(
        {
            "state_dict": {name: value.cpu() for name, value in model.state_dict().items()},
            "hyperparameters": asdict(settings),
            "samples": features["samples"],
            "scaling": {key: features.get(key) for key in ("tetranucleotides", "tnf_mean", "tnf_sd")},
        },
        path,
    )


def load_model(path: Path) -> tuple[VAE, dict]:
    """The trained model of a model.pt on the CPU, ready to encode, and the file's other entries.

    These are `hyperparameters`, `samples` (order of the abundance columns) and `scaling` (`tetranucleotides`,
    `tnf_mean`, `tnf_sd`: how TNF of further contigs must be scaled before they are encoded).
    """
    saved = torch.load(path, map_location="cpu", weights_only=True)
    settings = saved["hyperparameters"]
    model = VAE(len(saved["samples"]), settings["latent_size"], settings["hidden_sizes"], settings["dropout"])
    model.load_state_dict(saved.pop("state_dict"))
    return model.eval(), saved


def read_matrix(path: Path, n_rows: int, n_columns: int, names: list[str]) -> np.ndarray:
    """A finite float32 matrix of the given shape; raises ClickException that names what is wrong and where."""
    try:
        matrix = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise click.ClickException(f"{path} is not a readable .npy array ({error}). Run the features stage again.")
    if matrix.shape != (n_rows, n_columns):
        raise click.ClickException(
            f"{path} has shape {matrix.shape}, but rows.tsv and features.json ask for {(n_rows, n_columns)}. "
            "Give the files of one and the same run of the features stage."
        )
    matrix = np.ascontiguousarray(matrix, dtype=np.float32)
    broken = ~np.isfinite(matrix).all(axis=1)
    if broken.any():
        raise click.ClickException(
            f"{path}: row {int(broken.argmax()) + 1} (contig {names[int(broken.argmax())]}) holds a value that is not "
            f"a finite number, as do {int(broken.sum()) - 1} other rows. Mend the contig's abundance or leave it out."
        )
    return matrix


def read_features(tnf: Path, abundance: Path, rows: Path, features: Path) -> tuple[np.ndarray, dict]:
    """The network's input, n x (s + 136) with abundances first, and the content of features.json.

    Raises ClickException when the four files are not of one run of the features stage.
    """
    table = pd.read_csv(rows, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)
    try:
        names = table["contig"].tolist()
        content = json.loads(features.read_text())
        samples, digest = content["samples"], content["rows_sha256"]
    except (KeyError, ValueError) as error:
        raise click.ClickException(
            f"{rows} and {features} are not what the features stage writes ({error}). Run that stage again."
        )
    if hashlib.sha256("\n".join(names).encode()).hexdigest() != digest:
        raise click.ClickException(
            f"the contigs of {rows} ({len(names)}, the first {names[0] if names else 'absent'}) are not those that "
            f"{features} was made of. Give the files of one and the same run of the features stage."
        )
    if not samples:
        raise click.ClickException(f"{features} names no sample: a group needs at least one.")
    shares = read_matrix(abundance, len(names), len(samples), names)
    return np.hstack((shares, read_matrix(tnf, len(names), N_TNF, names))), content


def select_device(name: str) -> torch.device:
    """The device asked for, its name logged; raises ClickException when a GPU is asked for and none is visible."""
    if name == "cuda" and not torch.cuda.is_available():
        raise click.ClickException(
            "--device cuda: no NVIDIA GPU is visible here. Run the pipeline with `-profile gpu` on a machine that has "
            "one; in a container pass the GPU through (`--gpus all` for Docker, `--device nvidia.com/gpu=all` for "
            "Podman, `--nv` for Apptainer and Singularity); or train on the processor with --device cpu."
        )
    click.echo(f"Training on {torch.cuda.get_device_name() if name == 'cuda' else 'the processor'}.", err=True)
    return torch.device(name)


class Progress:
    """Tells on stderr how training goes: one line rewritten on a terminal, elsewhere a line every 5 % or 30 s."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.started = self.told = time.monotonic()
        self.live = sys.stderr.isatty()

    def show(self, row: dict[str, float]) -> None:
        now = time.monotonic()
        epoch, last = row["epoch"], row["epoch"] == self.epochs
        due = epoch == 1 or epoch % max(1, self.epochs // 20) == 0 or now - self.told >= LOG_SECONDS
        if not (self.live or last or due):
            return
        self.told = now
        left = (now - self.started) / epoch * (self.epochs - epoch)
        text = (
            f"epoch {epoch}/{self.epochs}  loss {row['loss']:.4f}  CE {row['ce']:.4f}  SSE {row['sse']:.2f}  "
            f"KLD {row['kld']:.2f}  batch {row['batch_size']}  {row['seconds']:.2f} s/epoch  {left:.0f} s left"
        )
        click.echo(f"\r{text:<110}" if self.live else text, err=True, nl=last or not self.live)


def whole_numbers(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Comma-separated positive whole numbers of an option; raises BadParameter that shows the form."""
    fields = [field.strip() for field in value.split(",")] if value.strip() else []
    if not all(field.isascii() and field.isdigit() and int(field) > 0 for field in fields):
        raise click.BadParameter(f"{value!r} is not a comma-separated list of positive whole numbers such as 325,325")
    return tuple(int(field) for field in fields)


def layer_sizes(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Widths of the hidden layers; raises BadParameter when there is none."""
    sizes = whole_numbers(context, option, value)
    if not sizes:
        raise click.BadParameter("at least one hidden layer is needed, for example 325,325")
    return sizes


def increasing_epochs(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Epochs after which the batch doubles, empty for never; raises BadParameter unless they increase."""
    epochs = whole_numbers(context, option, value)
    if list(epochs) != sorted(set(epochs)):
        raise click.BadParameter(f"{value!r} must increase from left to right, as in 25,75,150,300")
    return epochs


def run_training(model: VAE, data: Tensor, settings: Hyperparameters, threads: int) -> pd.DataFrame:
    """Train with progress on stderr and return training.tsv; ClickException when the loss is not finite."""
    if len(data) < 2:
        click.echo(
            f"WARNING: {len(data)} contig(s) to learn from, at least 2 are needed: the network is not trained, "
            "the latent comes from its first random weights.",
            err=True,
        )
        return pd.DataFrame(columns=LOG_COLUMNS)
    progress, history = Progress(settings.epochs), []
    try:
        for row in train(model, data, settings, threads):
            progress.show(row)
            history.append(row)
    except FloatingPointError as error:
        raise click.ClickException(
            f"{error}. Lower --learning_rate (it is {settings.learning_rate:g}; try a tenth of it) or raise "
            f"--batch_size (it is {settings.batch_size})."
        )
    return pd.DataFrame(history, columns=LOG_COLUMNS)


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--tnf", required=True, type=INPUT_FILE, help="tnf.npy")
@click.option("--abundance", required=True, type=INPUT_FILE, help="abundance.npy")
@click.option("--rows", required=True, type=INPUT_FILE, help="rows.tsv")
@click.option("--features", required=True, type=INPUT_FILE, help="features.json")
@click.option("--latent_size", default=40, type=click.IntRange(min=2), help="Latent neurons N_L.")
@click.option("--hidden_sizes", default="325,325", callback=layer_sizes, help="Widths of the encoder's hidden layers.")
@click.option("--dropout", default=0.2, type=click.FloatRange(0, 1, max_open=True), help="Share of neurons left out.")
@click.option("--alpha", default=0.05, type=click.FloatRange(0, 1), help="Weight of TNF against abundance.")
@click.option("--beta", default=200.0, type=click.FloatRange(min=0, min_open=True), help="Divisor of the KL term.")
@click.option("--learning_rate", default=1e-3, type=click.FloatRange(min=0, min_open=True), help="Adam's rate.")
@click.option("--epochs", default=500, type=click.IntRange(min=1), help="Passes over all contigs.")
@click.option("--batch_size", default=64, type=click.IntRange(min=2), help="First mini-batch size.")
@click.option(
    "--batch_double_at",
    default="25,75,150,300",
    callback=increasing_epochs,
    help="The batch doubles after these epochs, never if empty.",
)
@click.option("--seed", default=1, type=click.IntRange(0, 2**63 - 1), help="Seed of weights, noise and shuffling.")
@click.option("--device", default="cpu", type=click.Choice(["cpu", "cuda"]), help="Where to train.")
@click.option("--threads", default=1, type=click.IntRange(min=1), help="CPU threads at most.")
def main(
    tnf: Path, abundance: Path, rows: Path, features: Path, seed: int, device: str, threads: int, **options
) -> None:
    """Train the autoencoder on a group's features; writes latent.npy, latent.json, model.pt and training.tsv here."""
    settings = Hyperparameters(**options)
    # cuBLAS sums in a fixed order only with this workspace; it must be set before the GPU is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.manual_seed(seed)
    target = select_device(device)

    matrix, content = read_features(tnf, abundance, rows, features)
    n_samples = len(content["samples"])
    weights = loss_weights(n_samples, settings.latent_size, settings.alpha, settings.beta)
    model = VAE(n_samples, settings.latent_size, settings.hidden_sizes, settings.dropout).to(target)
    data = torch.from_numpy(matrix).to(target)
    click.echo(f"{len(data)} contigs, {n_samples} samples.", err=True)

    training = run_training(model, data, settings, threads)
    torch.set_num_threads(threads)
    training.to_csv("training.tsv", sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    np.save("latent.npy", encode_rows(model, data))
    save_model(Path("model.pt"), model, settings, content)
    description = {
        "rows_sha256": content["rows_sha256"],
        "seed": seed,
        **asdict(settings),
        "loss_weights": dict(zip(("ce", "sse", "kld"), weights)),
        "device": device if device == "cpu" else f"cuda ({torch.cuda.get_device_name()})",
        "threads": threads,
        "torch": torch.__version__,
    }
    Path("latent.json").write_text(json.dumps(description, indent=2) + "\n")


if __name__ == "__main__":
    main()
