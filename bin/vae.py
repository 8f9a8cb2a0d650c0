#!/usr/bin/env python3
"""Train the variational autoencoder on a group's features and encode its contigs.

In:  tnf.npy (n x 136 float32, z-scaled), abundance.npy (n x s float32, rows sum to 1), depth.npy (n float32, log of the
     abundance summed over the samples, scaled), rows.tsv (`contig, length`: the rows of all), features.json (`samples`,
     `rows_sha256`, and the scaling of the columns).
Out: latent.npy (n x N_L float32, the means), latent.json, model.pt (`load_model` reads it), training.tsv (one row per
     epoch; loss terms are means over the rows, unweighted but for `loss`). With --checkpoint_dir, what training needs
     to go on after it was killed: the end is then the same, bit for bit, as without the break.

With --preset preprint it is "Architecture of the variational autoencoder" and "Loss function" of the VAMB preprint
(Nissen et al. 2018, doi:10.1101/490078). What its text leaves open: LeakyReLU after each hidden linear layer, then
dropout, then batch normalisation; the sigma layer gives the logarithm of the variance through a softplus. The default
preset departs from it in inputs, weights, variance and schedule (docs/method.md, section 4).
"""

import copy
import csv
import hashlib
import io
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
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
ROWS_PER_THREAD = 128
# Freed memory goes back to the system where it exceeds a limit that glibc sets by the largest block that it saw freed,
# up to 32 MB. To fetch it anew, page by page, in each step can take as long as all the rest. So one such block is freed.
KEPT_MEMORY = 31 << 20
LOG_SECONDS = 30
# Training diverges when its loss stays this many times above the untrained network's for this many epochs.
DIVERGED_FACTOR = 10
DIVERGED_EPOCHS = 10
# Epochs unless told otherwise; of few contigs, as many as make this number of steps.
DEFAULT_EPOCHS = 60
DEFAULT_STEPS = 1200
WARM_UP = 0.1  # of all steps, in which the rate of a cycle rises
LOG_COLUMNS = ("epoch", "loss", "ce", "sse", "kld", "depth_se", "batch_size", "learning_rate", "seconds")
SCALING = ("tetranucleotides", "tnf_mean", "tnf_sd", "depth_mean", "depth_divisor")
INPUT_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Hyperparameters:
    """Every setting of model and training; the defaults are those of the default preset."""

    latent_size: int = 40
    hidden_sizes: tuple[int, ...] = (325, 325)
    dropout: float = 0.2
    alpha: float | None = None  # None: 0.15, or 0.5 with one sample, where only composition and depth are left
    beta: float = 200.0
    depth: bool = True
    length_weights: bool = True
    unit_variance: bool = True
    learning_rate: float = 2e-3
    schedule: str = "cycle"
    epochs: int | None = None  # None: what `default_epochs` says
    batch_size: int = 256
    batch_double_at: tuple[int, ...] = ()


PRESETS = {
    "default": Hyperparameters(),
    # The preprint's; the hidden width, of both presets, is that of its released code.
    "preprint": Hyperparameters(
        alpha=0.05,
        depth=False,
        length_weights=False,
        unit_variance=False,
        learning_rate=1e-3,
        schedule="constant",
        epochs=500,
        batch_size=64,
        batch_double_at=(25, 75, 150, 300),
    ),
}


class Dropout(nn.Module):
    """Dropout that draws 16 bits per neuron, so that its share is right to 2^-16.

    A draw of nn.Dropout for each neuron takes a fifth of the whole training on a processor.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.left_out = round(share * 2**16)

    def forward(self, neurons: Tensor) -> Tensor:
        if not self.training or self.left_out == 0:
            return neurons
        draws = torch.empty((neurons.numel() + 3) // 4, dtype=torch.int64, device=neurons.device)
        bits = draws.random_(-(2**63), None).view(torch.int16)[: neurons.numel()].view(neurons.shape)
        kept = (bits >= self.left_out - 2**15).to(neurons.dtype)
        return neurons * kept.mul_(2**16 / (2**16 - self.left_out))


class VAE(nn.Module):
    """Rows of s abundances, 136 TNF and, if used, depth -> Gaussian of N_L neurons -> the same, rebuilt."""

    def __init__(self, n_samples: int, settings: Hyperparameters) -> None:
        super().__init__()
        self.n_samples = n_samples
        hidden, latent_size = settings.hidden_sizes, settings.latent_size
        width = n_samples + N_TNF + settings.depth
        self.encoder = hidden_layers((width, *hidden), settings.dropout)
        self.mu = nn.Linear(hidden[-1], latent_size)
        self.sigma = None if settings.unit_variance else nn.Linear(hidden[-1], latent_size)
        self.decoder = hidden_layers((latent_size, *reversed(hidden)), settings.dropout)
        self.output = nn.Linear(hidden[0], width)

    def encode(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and natural logarithm of the variance of each row's latent Gaussian, both (rows, N_L).

        The softplus is a choice that the preprint leaves open: reconstruction pulls the variance down and the prior
        pulls it to 1, so that it need not fall below 1. Clusters come out clearer than with a free sign, and as clear
        with a variance of 1 (docs/benchmark.md).
        """
        hidden = self.encoder(rows)
        mu = self.mu(hidden)
        return mu, torch.zeros_like(mu) if self.sigma is None else functional.softplus(self.sigma(hidden))

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Log of the rebuilt abundances (softmax over the samples) and the other columns of latent points (rows, N_L)."""
        output = self.output(self.decoder(latent))
        return functional.log_softmax(output[:, : self.n_samples], dim=1), output[:, self.n_samples :]

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Log abundances, other columns, mean and log variance, rebuilt from one sample of each row's Gaussian."""
        mu, log_variance = self.encode(rows)
        latent = torch.addcmul(mu, torch.randn_like(mu), torch.exp(0.5 * log_variance))
        return *self.decode(latent), mu, log_variance


def hidden_layers(widths: tuple[int, ...], dropout: float) -> nn.Sequential:
    """Fully connected layers between consecutive widths, each with LeakyReLU, dropout and batch normalisation."""
    layers: list[nn.Module] = []
    for n_in, n_out in zip(widths, widths[1:]):
        layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(), Dropout(dropout), nn.BatchNorm1d(n_out)]
    return nn.Sequential(*layers)


def loss_weights(n_samples: int, settings: Hyperparameters) -> tuple[float, float, float, float]:
    """Weights of the loss terms CE, SSE, KLD (the preprint's w_ab, w_TNF and w_KL) and of the squared error of depth.

    With depth, the weight of the abundances is shared: of their s numbers s - 1 are in the shares, one is the sum.
    w_ab = (1 - alpha) / ln s is undefined for one sample, whose abundance is 1 in every row and is rebuilt without
    error by the softmax whatever the weight: w_ab is 0 then.
    """
    alpha = settings.alpha if settings.alpha is not None else (0.15 if n_samples > 1 else 0.5)
    w_ab = (1 - alpha) / math.log(n_samples) if n_samples > 1 else 0.0
    w_depth = (1 - alpha) / n_samples if settings.depth else 0.0
    if settings.depth:
        w_ab *= (n_samples - 1) / n_samples
    return w_ab, alpha / N_TNF, 1 / (settings.latent_size * settings.beta), w_depth


def row_weights(length: np.ndarray) -> np.ndarray:
    """Weights of contigs of these lengths (n, bp) in the loss, of mean 1 (n, float32).

    Logarithmic, as in later versions of VAMB: features of long contigs are surer. From e^7 (1,097 bp) on up.
    """
    weight = np.maximum(np.log(length) - 5, 2.0)
    return (weight * (len(weight) / max(weight.sum(), 1.0))).astype(np.float32)


def loss_terms(
    rows: Tensor, weight: Tensor, log_abundance: Tensor, rebuilt: Tensor, mu: Tensor, log_variance: Tensor
) -> Tensor:
    """CE, SSE, KLD of the preprint's "Loss function", and the squared error of depth: means over the rows, weighted.

    CE = -sum_i A_in,i ln A_out,i (the text's E_ab, whose sign must be that of a cross entropy to be minimised);
    SSE = sum_i (T_out,i - T_in,i)^2; KLD = -1/2 sum_i (1 + ln sigma_i - mu_i^2 - sigma_i), sigma being the variance.
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


def epoch_batch_size(epoch: int, n_rows: int, batch_size: int, batch_double_at: tuple[int, ...]) -> int:
    """Mini-batch size of an epoch (counted from 1): doubled after each epoch of batch_double_at, at most n_rows."""
    return min(batch_size << sum(epoch > after for after in batch_double_at), n_rows)


def default_epochs(n_rows: int, batch_size: int) -> int:
    """Epochs of a training whose number is not given: DEFAULT_EPOCHS, and DEFAULT_STEPS at least; n_rows >= 2."""
    return max(DEFAULT_EPOCHS, math.ceil(DEFAULT_STEPS / len(batch_bounds(n_rows, min(batch_size, n_rows)))))


def learning_rate(step: int, n_steps: int, settings: Hyperparameters) -> float:
    """Rate of a step (counted from 0): constant, or `cycle`: up to its height within a tenth of all steps, then down to
    nearly nothing along a cosine, so that few epochs end where many would."""
    if settings.schedule == "constant":
        return settings.learning_rate
    risen = (step + 1) / (WARM_UP * n_steps)
    if risen <= 1:
        return settings.learning_rate * risen
    left = 1 - max(0.0, step / n_steps - WARM_UP) / (1 - WARM_UP)
    return settings.learning_rate * (1 - math.cos(math.pi * left)) / 2


def batch_bounds(n_rows: int, batch_size: int) -> list[tuple[int, int]]:
    """First row and row after the last of each mini-batch; n_rows >= 2.

    A last batch of one row is merged with the one before: batch normalisation cannot train on one row.
    """
    starts = list(range(0, n_rows, batch_size))
    if n_rows - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], n_rows]))


def make_optimizer(model: VAE, settings: Hyperparameters) -> torch.optim.Optimizer:
    """The optimizer of a training: Adam (preprint, "Variational autoencoder"), all its updates in one kernel."""
    return torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)


def train(
    model: VAE,
    optimizer: torch.optim.Optimizer,
    data: Tensor,
    row_weight: Tensor,
    settings: Hyperparameters,
    threads: int,
    first_epoch: int = 1,
) -> Iterator[dict[str, float]]:
    """Train in place on data (n x columns, on the model's device, n >= 2), whose rows have these weights (n) in the
    loss; yields one row of training.tsv per epoch.

    Random numbers come from torch's default generator of the device, which the caller seeds. Nothing is copied between
    host and device but five numbers per epoch. All that an epoch inherits from those before it is in the model, the
    optimizer and the generator, so that training goes on after a break as if there had been none (`training_state`).
    Raises FloatingPointError when the loss is no longer finite.
    """
    weights = torch.tensor(loss_weights(model.n_samples, settings), device=data.device)
    sizes = [
        epoch_batch_size(epoch, len(data), settings.batch_size, settings.batch_double_at)
        for epoch in range(1, settings.epochs + 1)
    ]
    batches = {size: batch_bounds(len(data), size) for size in set(sizes)}
    steps = np.cumsum([0, *(len(batches[size]) for size in sizes)])
    shuffled, shuffled_weight = torch.empty_like(data), torch.empty_like(row_weight)
    torch.empty(KEPT_MEMORY, dtype=torch.uint8)
    model.train()
    for epoch in range(first_epoch, settings.epochs + 1):
        started = time.monotonic()
        batch_size = sizes[epoch - 1]
        torch.set_num_threads(max(1, min(threads, batch_size // ROWS_PER_THREAD)))
        order = torch.randperm(len(data), device=data.device)
        torch.index_select(data, 0, order, out=shuffled)
        torch.index_select(row_weight, 0, order, out=shuffled_weight)
        totals = torch.zeros(len(weights), device=data.device)
        for step, (start, stop) in enumerate(batches[batch_size], int(steps[epoch - 1])):
            rate = learning_rate(step, int(steps[-1]), settings)
            terms = train_batch(model, optimizer, shuffled[start:stop], shuffled_weight[start:stop], weights, rate)
            totals.add_(terms, alpha=stop - start)
        means = totals / len(data)
        losses = torch.cat((torch.dot(weights, means)[None], means)).tolist()
        check_finite(epoch, *losses)
        yield dict(zip(LOG_COLUMNS, (epoch, *losses, batch_size, rate, time.monotonic() - started)))


def train_batch(
    model: VAE, optimizer: torch.optim.Optimizer, rows: Tensor, row_weight: Tensor, weights: Tensor, rate: float
) -> Tensor:
    """One step on a mini-batch (b x columns) whose rows have these weights (b), terms of the loss those (4); its terms."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    terms = loss_terms(rows, row_weight, *model(rows))
    torch.dot(weights, terms).backward()
    optimizer.step()
    return terms.detach()


def check_finite(epoch: int, loss: float, ce: float, sse: float, kld: float, depth: float) -> None:
    """Raise FloatingPointError, with its terms, for a loss that is no number."""
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the training loss is {loss} in epoch {epoch} (cross entropy {ce:.6g}, squared error {sse:.6g}, "
            f"KL divergence {kld:.6g}, squared error of depth {depth:.6g})"
        )


@torch.no_grad()
def untrained_loss(model: VAE, data: Tensor, row_weight: Tensor, settings: Hyperparameters) -> float:
    """Loss of the first rows of data (n x columns, n >= 2) before any step, with noise and dropout as in training.

    Model and random generators stay as they are, so that training is the same with it and without.
    """
    rows = data[:ENCODE_ROWS]
    probe = copy.deepcopy(model).train()
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if data.is_cuda else []):
        terms = loss_terms(rows, row_weight[:ENCODE_ROWS], *probe(rows)).tolist()
    weights = loss_weights(model.n_samples, settings)
    return sum(weight * term for weight, term in zip(weights, terms))


def check_convergence(history: list[dict[str, float]], untrained: float) -> None:
    """Raise FloatingPointError when each of the last epochs did far worse than the untrained network.

    Gradient descent starts from the untrained network's loss and lowers it. A rate that is bold but bearable overshoots
    for some steps and comes back; one that stays ten times above its start for ten epochs has been thrown out.
    """
    recent = [row["loss"] for row in history[-DIVERGED_EPOCHS:]]
    if len(recent) == DIVERGED_EPOCHS and min(recent) > DIVERGED_FACTOR * untrained:
        raise FloatingPointError(
            f"the training diverges: in epoch {history[-1]['epoch']}, as in the {DIVERGED_EPOCHS - 1} before it, the loss "
            f"({recent[-1]:.6g}) is more than {DIVERGED_FACTOR} times that of the untrained network ({untrained:.6g})"
        )


def training_key(data: np.ndarray, row_weight: np.ndarray, **description: object) -> str:
    """Hash of all that decides how training goes: the network's input, its description and this very script.

    Two trainings of one key pass through the same states, so that one may go on from where another was.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(json.dumps({**description, "shape": data.shape, "type": str(data.dtype)}, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(data))
    digest.update(row_weight)
    return digest.hexdigest()


def training_state(model: VAE, optimizer: torch.optim.Optimizer, history: list[dict[str, float]]) -> dict:
    """Everything that the epochs to come depend on, and the rows of training.tsv so far."""
    on_gpu = next(model.parameters()).is_cuda
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "generators": [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if on_gpu else [])],
        "history": history,
    }


def restore_training(state: dict, model: VAE, optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
    """Bring model, optimizer and random generators to a `training_state`; returns the rows of training.tsv so far."""
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    for generator, setter in zip(state["generators"], (torch.set_rng_state, torch.cuda.set_rng_state)):
        setter(generator)
    return state["history"]


def write_checkpoint(path: Path, state: dict) -> None:
    """Write a state, its SHA-256 first, so that path holds either what it did before or all of this.

    Raises OSError when the folder cannot be made or written to.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(hashlib.sha256(buffer.getbuffer()).digest())
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_checkpoint(path: Path) -> dict | None:
    """The state of a checkpoint, None where there is no whole one."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        click.echo(f"WARNING: the checkpoint {path} cannot be read ({error}): training starts anew.", err=True)
        return None
    size = hashlib.sha256().digest_size
    if hashlib.sha256(content[size:]).digest() != content[:size]:
        click.echo(f"WARNING: the checkpoint {path} is damaged: training starts anew.", err=True)
        return None
    return torch.load(io.BytesIO(content[size:]), map_location="cpu", weights_only=True)


class Checkpoints:
    """One training's checkpoint in a folder that several may share: the file's name is the training's key.

    A folder that cannot be read or written costs the checkpoint, never the training. No lock is needed: two trainings
    of one key write the same states, and each file appears whole.
    """

    def __init__(self, folder: Path, key: str, every: int) -> None:
        self.path = folder / f"{key}.checkpoint"
        self.key = key
        self.every = every

    def resume(self, model: VAE, optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
        """Restore what an earlier training left; returns its rows of training.tsv, none where it left nothing."""
        state = read_checkpoint(self.path)
        if state is None:
            return []
        if state["key"] != self.key:
            click.echo(f"WARNING: the checkpoint {self.path} is of another training, which starts anew.", err=True)
            return []
        history = restore_training(state, model, optimizer)
        click.echo(f"Going on after epoch {len(history)}, from the checkpoint {self.path}.", err=True)
        return history

    def save(self, model: VAE, optimizer: torch.optim.Optimizer, history: list[dict[str, float]]) -> None:
        """Write a checkpoint if one is due after as many epochs."""
        if len(history) % self.every:
            return
        try:
            write_checkpoint(self.path, {"key": self.key, **training_state(model, optimizer, history)})
        except OSError as error:
            click.echo(
                f"WARNING: the checkpoint {self.path} was not written ({error}): a restart would begin anew. Name a "
                "folder that can be written to with --checkpoint_dir.",
                err=True,
            )

    def remove(self) -> None:
        """Remove the checkpoint and what a write that was killed left of it."""
        try:
            for path in self.path.parent.glob(f"{self.path.name}*"):
                path.unlink(missing_ok=True)
        except OSError as error:
            click.echo(f"WARNING: the checkpoint {self.path} was not removed ({error}).", err=True)


@torch.no_grad()
def encode_rows(model: VAE, data: Tensor) -> np.ndarray:
    """Latent means of data (n x columns) as an n x N_L float32 array; dropout off, batch statistics frozen."""
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
            "scaling": {key: features.get(key) for key in SCALING},
        },
        path,
    )


def load_model(path: Path) -> tuple[VAE, dict]:
    """The trained model of a model.pt on the CPU, ready to encode, and the file's other entries.

    These are `hyperparameters`, `samples` (order of the abundance columns) and `scaling` (SCALING: how TNF and depth
    of further contigs must be scaled before they are encoded).
    """
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = VAE(len(saved["samples"]), Hyperparameters(**saved["hyperparameters"]))
    model.load_state_dict(saved.pop("state_dict"))
    return model.eval(), saved


def read_matrix(path: Path, shape: tuple[int, ...], names: list[str]) -> np.ndarray:
    """A finite float32 array of the given shape, rows first; raises ClickException that names what is wrong and where."""
    try:
        matrix = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise click.ClickException(f"{path} is not a readable .npy array ({error}). Run the features stage again.")
    if matrix.shape != shape:
        raise click.ClickException(
            f"{path} has shape {matrix.shape}, but rows.tsv and features.json ask for {shape}. "
            "Give the files of one and the same run of the features stage."
        )
    matrix = np.ascontiguousarray(matrix, dtype=np.float32)
    broken = ~np.isfinite(matrix).all(axis=tuple(range(1, matrix.ndim)))
    if broken.any():
        raise click.ClickException(
            f"{path}: row {int(broken.argmax()) + 1} (contig {names[int(broken.argmax())]}) holds a value that is not "
            f"a finite number, as do {int(broken.sum()) - 1} other rows. Mend the contig's abundance or leave it out."
        )
    return matrix


def read_features(
    tnf: Path, abundance: Path, depth: Path, rows: Path, features: Path, with_depth: bool
) -> tuple[np.ndarray, np.ndarray, dict]:
    """The network's input, n x columns with abundances first, the lengths (n, bp) and the content of features.json.

    Raises ClickException when the files are not of one run of the features stage.
    """
    table = pd.read_csv(rows, sep="\t", dtype=str, keep_default_na=False, na_filter=False, quoting=csv.QUOTE_NONE)
    try:
        names, length = table["contig"].tolist(), table["length"].to_numpy().astype(np.int64)
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
    columns = [read_matrix(abundance, (len(names), len(samples)), names), read_matrix(tnf, (len(names), N_TNF), names)]
    if with_depth:
        columns.append(read_matrix(depth, (len(names),), names)[:, None])
    return np.hstack(columns), length, content


def make_deterministic(seed: int) -> None:
    """Seed torch, and let it give the same numbers on the same machine each time; before a GPU is first used."""
    # cuBLAS sums in a fixed order only with this workspace.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    # Products of bfloat16 where the processor has them, TensorFloat-32 on a GPU: twice as fast, for the same bins.
    torch.set_float32_matmul_precision("medium")
    torch.manual_seed(seed)


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

    def __init__(self, epochs: int, done: int) -> None:
        self.epochs = epochs
        self.done = done
        self.started = self.told = time.monotonic()
        self.live = sys.stderr.isatty()

    def show(self, row: dict[str, float]) -> None:
        now = time.monotonic()
        epoch, last = row["epoch"], row["epoch"] == self.epochs
        due = epoch == 1 or epoch % max(1, self.epochs // 20) == 0 or now - self.told >= LOG_SECONDS
        if not (self.live or last or due):
            return
        self.told = now
        left = (now - self.started) / (epoch - self.done) * (self.epochs - epoch)
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


def layer_sizes(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Widths of the hidden layers, None if not given; raises BadParameter when there is none."""
    if value is None:
        return None
    sizes = whole_numbers(context, option, value)
    if not sizes:
        raise click.BadParameter("at least one hidden layer is needed, for example 325,325")
    return sizes


def increasing_epochs(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Epochs after which the batch doubles, empty for never, None if not given; BadParameter unless they increase."""
    if value is None:
        return None
    epochs = whole_numbers(context, option, value)
    if list(epochs) != sorted(set(epochs)):
        raise click.BadParameter(f"{value!r} must increase from left to right, as in 25,75,150,300")
    return epochs


def run_training(
    model: VAE,
    data: Tensor,
    row_weight: Tensor,
    settings: Hyperparameters,
    threads: int,
    checkpoints: Checkpoints | None,
) -> pd.DataFrame:
    """Train with progress on stderr and return training.tsv; ClickException when training fails."""
    if len(data) < 2:
        click.echo(
            f"WARNING: {len(data)} contig(s) to learn from, at least 2 are needed: the network is not trained, "
            "the latent comes from its first random weights.",
            err=True,
        )
        return pd.DataFrame(columns=LOG_COLUMNS)
    untrained = untrained_loss(model, data, row_weight, settings)
    optimizer = make_optimizer(model, settings)
    history = checkpoints.resume(model, optimizer) if checkpoints else []
    progress = Progress(settings.epochs, len(history))
    try:
        for row in train(model, optimizer, data, row_weight, settings, threads, first_epoch=len(history) + 1):
            progress.show(row)
            history.append(row)
            check_convergence(history, untrained)
            if checkpoints:
                checkpoints.save(model, optimizer, history)
    except FloatingPointError as error:
        raise click.ClickException(
            f"{error}. Lower --learning_rate (it is {settings.learning_rate:g}; try a tenth of it) or raise "
            f"--batch_size (it is {settings.batch_size})."
        )
    return pd.DataFrame(history, columns=LOG_COLUMNS)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--tnf", required=True, type=INPUT_FILE, help="tnf.npy")
@click.option("--abundance", required=True, type=INPUT_FILE, help="abundance.npy")
@click.option("--depth_file", required=True, type=INPUT_FILE, help="depth.npy")
@click.option("--rows", required=True, type=INPUT_FILE, help="rows.tsv")
@click.option("--features", required=True, type=INPUT_FILE, help="features.json")
@click.option(
    "--preset",
    default="default",
    show_default=True,
    type=click.Choice(list(PRESETS)),
    help="What the following options are unless given.",
)
@click.option("--latent_size", type=click.IntRange(min=2), help="Latent neurons N_L.")
@click.option("--hidden_sizes", callback=layer_sizes, help="Widths of the encoder's hidden layers.")
@click.option("--dropout", type=click.FloatRange(0, 1, max_open=True), help="Share of neurons left out.")
@click.option("--alpha", type=click.FloatRange(0, 1), help="Weight of TNF against abundance.")
@click.option("--beta", type=click.FloatRange(min=0, min_open=True), help="Divisor of the KL term.")
@click.option("--depth/--no_depth", default=None, help="The summed abundance as a further input.")
@click.option("--length_weights/--no_length_weights", default=None, help="Long contigs count more in the loss.")
@click.option("--unit_variance/--no_unit_variance", default=None, help="Noise of variance 1 in the latent space.")
@click.option("--learning_rate", type=click.FloatRange(min=0, min_open=True), help="Adam's rate, at its highest.")
@click.option("--schedule", type=click.Choice(["constant", "cycle"]), help="Of the rate: a cycle goes up and down.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over all contigs; by default 60, or 1,200 steps.")
@click.option("--batch_size", type=click.IntRange(min=2), help="First mini-batch size.")
@click.option(
    "--batch_double_at", callback=increasing_epochs, help="The batch doubles after these epochs, never if empty."
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0, 2**63 - 1),
    help="Seed of weights, noise and shuffling.",
)
@click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda"]), help="Where to train.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1), help="CPU threads at most.")
@click.option(
    "--checkpoint_dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="BINLOOM_CHECKPOINT_DIR",
    show_envvar=True,
    help="Folder that outlives a killed training, for what it needs to go on; none: it would start anew.",
)
@click.option(
    "--checkpoint_every",
    default=25,
    show_default=True,
    type=click.IntRange(min=1),
    envvar="BINLOOM_CHECKPOINT_EVERY",
    show_envvar=True,
    help="Epochs from one checkpoint to the next.",
)
def main(
    tnf: Path,
    abundance: Path,
    depth_file: Path,
    rows: Path,
    features: Path,
    preset: str,
    seed: int,
    device: str,
    threads: int,
    checkpoint_dir: Path | None,
    checkpoint_every: int,
    **options,
) -> None:
    """Train the autoencoder on a group's features; writes latent.npy, latent.json, model.pt and training.tsv here."""
    settings = replace(PRESETS[preset], **{name: value for name, value in options.items() if value is not None})
    make_deterministic(seed)
    target = select_device(device)
    matrix, length, content = read_features(tnf, abundance, depth_file, rows, features, settings.depth)
    n_samples = len(content["samples"])
    if settings.epochs is None:
        settings = replace(settings, epochs=default_epochs(max(2, len(matrix)), settings.batch_size))
    model = VAE(n_samples, settings).to(target)
    data = torch.from_numpy(matrix).to(target)
    weight = row_weights(length) if settings.length_weights else np.ones(len(length), dtype=np.float32)
    click.echo(f"{len(data)} contigs, {n_samples} samples.", err=True)

    description = {
        "rows_sha256": content["rows_sha256"],
        "seed": seed,
        **asdict(settings),
        "loss_weights": dict(zip(("ce", "sse", "kld", "depth_se"), loss_weights(n_samples, settings))),
        "device": device if device == "cpu" else f"cuda ({torch.cuda.get_device_name()})",
        "threads": threads,
        "torch": torch.__version__,
    }
    checkpoints = None
    if checkpoint_dir:
        checkpoints = Checkpoints(checkpoint_dir, training_key(matrix, weight, **description), checkpoint_every)

    training = run_training(model, data, torch.from_numpy(weight).to(target), settings, threads, checkpoints)
    torch.set_num_threads(threads)
    training.to_csv("training.tsv", sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    np.save("latent.npy", encode_rows(model, data))
    save_model(Path("model.pt"), model, settings, content)
    Path("latent.json").write_text(json.dumps(description, indent=2) + "\n")
    if checkpoints:
        checkpoints.remove()


if __name__ == "__main__":
    main()
