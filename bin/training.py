#!/usr/bin/env python3
"""The training of the autoencoder: batches, schedule of the rate, the loop over epochs, and its convergence.

Implements the training of "Variational autoencoder" of the VAMB preprint (Nissen et al. 2018, doi:10.1101/490078), and
beside its constant rate a cycle, which needs fewer epochs (docs/method.md, section 4).
"""

import copy
import math
import os
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from input_rows import InputRows, block_bounds
from network import ROWS_AT_ONCE, VAE, Hyperparameters, loss_terms, loss_weights

# A training runs this many epochs unless their number is given, and more if it takes more to reach this many steps.
# docs/benchmark.md, "From the preprint to the defaults", has 60 epochs against 500; the number of steps is not scanned.
DEFAULT_EPOCHS = 60
MIN_DEFAULT_STEPS = 1200
# Share of all steps in which the rate of a cycle rises. Not scanned.
WARM_UP_SHARE = 0.1
# A training has diverged when the loss of each of so many epochs in a row is more than so many times that of the
# untrained network. In the tests, trainings on 2 to 20 contigs at five times the default rate stay below that.
DIVERGED_FACTOR = 10
DIVERGED_EPOCHS = 10
# A thread pays from about this many rows of a mini-batch on. With fewer rows, threads wait for one another, on a busy
# machine for a long time. It decides the last bits of the latent, since threads change the order of sums.
ROWS_PER_THREAD = 128
# The C library returns freed memory to the system above a limit, which follows the largest block freed so far, up to
# 32 MB. Fetching the memory again in each step can take as long as all the rest, so one such block is freed first.
KEPT_MEMORY_BYTES = 31 << 20
KLD = 2  # place of the KL divergence among the terms of the loss
LOG_COLUMNS = ("epoch", "loss", "ce", "sse", "kld", "depth_se", "batch_size", "learning_rate", "seconds")


def epoch_batch_size(epoch: int, n_rows: int, batch_size: int, batch_double_at: tuple[int, ...]) -> int:
    """Return the mini-batch size of an epoch (from 1 on): doubled after each of batch_double_at, at most n_rows."""
    return min(batch_size << sum(epoch > after for after in batch_double_at), n_rows)


def default_epochs(n_rows: int, batch_size: int) -> int:
    """Return the epochs of a training of n_rows >= 2: DEFAULT_EPOCHS, or more to make MIN_DEFAULT_STEPS steps."""
    return max(DEFAULT_EPOCHS, math.ceil(MIN_DEFAULT_STEPS / len(batch_bounds(n_rows, min(batch_size, n_rows)))))


def learning_rate(step: int, n_steps: int, settings: Hyperparameters) -> float:
    """Return the rate of a step (counted from 0): `constant`, or of a `cycle`.

    A cycle rises to its height within WARM_UP_SHARE of all steps, then falls to nearly zero along a cosine, so that few
    epochs do what otherwise takes many.
    """
    if settings.schedule == "constant":
        return settings.learning_rate
    risen = (step + 1) / (WARM_UP_SHARE * n_steps)
    if risen <= 1:
        return settings.learning_rate * risen
    left = 1 - max(0.0, step / n_steps - WARM_UP_SHARE) / (1 - WARM_UP_SHARE)
    return settings.learning_rate * (1 - math.cos(math.pi * left)) / 2


def divergence_share(epoch: int, warmup: int) -> float:
    """Return the share of its weight that the KL term has in an epoch (from 1 on): it rises to 1 behind the warm-up."""
    return min(1.0, epoch / (warmup + 1))


def batch_bounds(n_rows: int, batch_size: int) -> list[tuple[int, int]]:
    """Return the first row and the row after the last of each mini-batch; n_rows >= 2.

    A last batch of one row joins the batch before it: batch normalisation cannot train on one row.
    """
    starts = list(range(0, n_rows, batch_size))
    if n_rows - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], n_rows]))


def plan_batches(
    n_rows: int, settings: Hyperparameters
) -> tuple[list[int], dict[int, list[tuple[int, int]]], np.ndarray]:
    """Return each epoch's mini-batch size, the bounds of the batches of each size, and the steps before each epoch.

    The last number of steps is that of the whole training (epochs + 1 numbers).
    """
    sizes = [
        epoch_batch_size(epoch, n_rows, settings.batch_size, settings.batch_double_at)
        for epoch in range(1, settings.epochs + 1)
    ]
    batches = {size: batch_bounds(n_rows, size) for size in set(sizes)}
    return sizes, batches, np.cumsum([0, *(len(batches[size]) for size in sizes)])


def make_deterministic(seed: int) -> None:
    """Seed torch and make it repeat its numbers on the same machine; call this before a GPU is first used."""
    # cuBLAS sums in a fixed order only with this workspace.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    # Products of bfloat16 where the processor has them, TensorFloat-32 on a GPU: twice as fast, for the same bins.
    torch.set_float32_matmul_precision("medium")
    torch.manual_seed(seed)


def make_optimizer(model: VAE, settings: Hyperparameters) -> torch.optim.Optimizer:
    """Return the optimizer of a training: Adam (preprint, "Variational autoencoder"), all its updates in one kernel."""
    return torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)


def train(
    model: VAE,
    optimizer: torch.optim.Optimizer,
    data: InputRows,
    row_weight: Tensor,
    settings: Hyperparameters,
    threads: int,
    first_epoch: int = 1,
) -> Iterator[dict[str, float]]:
    """Train in place on data (n x columns, n >= 2); yield one row of training.tsv per epoch.

    row_weight (n) holds the rows' weights in the loss. Random numbers come from torch's default generator of the
    device, which the caller seeds. Only five numbers per epoch pass between host and device. An epoch inherits nothing
    from those before it but model, optimizer and generator, so a training that resumes after a break ends as if there
    had been none (`checkpoints.training_state`). Raise FloatingPointError when the loss is no longer finite.
    """
    full_weights = torch.tensor(loss_weights(model.n_samples, settings), device=data.device)
    sizes, batches, steps = plan_batches(len(data), settings)
    torch.empty(KEPT_MEMORY_BYTES, dtype=torch.uint8)
    model.train()
    for epoch in range(first_epoch, settings.epochs + 1):
        started = time.monotonic()
        batch_size = sizes[epoch - 1]
        torch.set_num_threads(max(1, min(threads, batch_size // ROWS_PER_THREAD)))
        order = torch.randperm(len(data), device=data.device)
        shuffled_weight = row_weight[order]
        weights = full_weights.clone()
        weights[KLD] *= divergence_share(epoch, settings.warmup)
        totals = torch.zeros(len(weights), device=data.device)
        shuffled = shuffled_batches(data, order, batches[batch_size])
        for step, (rows, start, stop) in enumerate(shuffled, int(steps[epoch - 1])):
            rate = learning_rate(step, int(steps[-1]), settings)
            terms = train_batch(model, optimizer, rows, shuffled_weight[start:stop], weights, rate)
            totals.add_(terms, alpha=stop - start)
        means = totals / len(data)
        losses = torch.cat((torch.dot(weights, means)[None], means)).tolist()
        check_finite(epoch, *losses)
        yield dict(zip(LOG_COLUMNS, (epoch, *losses, batch_size, rate, time.monotonic() - started)))


def shuffled_batches(
    data: InputRows, order: Tensor, bounds: Sequence[tuple[int, int]]
) -> Iterator[tuple[Tensor, int, int]]:
    """Yield each mini-batch: the rows order[start:stop] of data, start and stop, as the bounds say."""
    groups = block_bounds(bounds, data.width)
    blocks = data.blocks(order, [(group[0][0], group[-1][1]) for group in groups])
    for group, block in zip(groups, blocks, strict=True):
        first = group[0][0]
        for start, stop in group:
            yield block[start - first : stop - first], start, stop


def train_batch(
    model: VAE, optimizer: torch.optim.Optimizer, rows: Tensor, row_weight: Tensor, weights: Tensor, rate: float
) -> Tensor:
    """Take one step of this rate on a mini-batch (b x columns) and return the terms of its loss (4).

    row_weight (b) holds the rows' weights in the loss, weights (4) those of its terms.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    terms = loss_terms(rows, row_weight, *model(rows))
    torch.dot(weights, terms).backward()
    optimizer.step()
    return terms.detach()


def check_finite(epoch: int, loss: float, ce: float, sse: float, kld: float, depth: float) -> None:
    """Raise FloatingPointError, which names the terms, if the loss is not a finite number."""
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the training loss is {loss} in epoch {epoch} (cross entropy {ce:.6g}, squared error {sse:.6g}, "
            f"KL divergence {kld:.6g}, squared error of depth {depth:.6g})"
        )


@torch.no_grad()
def untrained_loss(model: VAE, data: InputRows, row_weight: Tensor, settings: Hyperparameters) -> float:
    """Return the loss of the first rows of data (n x columns, n >= 2) before any step, with noise and dropout.

    Model and random generators stay as they are, so the training that follows is the same as without this call.
    """
    rows = data[:ROWS_AT_ONCE]
    probe = copy.deepcopy(model).train()
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if rows.is_cuda else []):
        terms = loss_terms(rows, row_weight[:ROWS_AT_ONCE], *probe(rows)).tolist()
    weights = loss_weights(model.n_samples, settings)
    return sum(weight * term for weight, term in zip(weights, terms))


def check_convergence(history: list[dict[str, float]], untrained: float) -> None:
    """Raise FloatingPointError if each of the last DIVERGED_EPOCHS epochs did far worse than the untrained network.

    Training starts at the untrained network's loss and lowers it. A high but bearable rate overshoots for some steps
    and recovers. A loss that stays ten times above its start for ten epochs does not recover.
    """
    recent = [row["loss"] for row in history[-DIVERGED_EPOCHS:]]
    if len(recent) == DIVERGED_EPOCHS and min(recent) > DIVERGED_FACTOR * untrained:
        raise FloatingPointError(
            f"the training diverges: in epoch {history[-1]['epoch']}, as in the {DIVERGED_EPOCHS - 1} before it, the "
            f"loss ({recent[-1]:.6g}) is more than {DIVERGED_FACTOR} times that of the untrained network "
            f"({untrained:.6g})"
        )
