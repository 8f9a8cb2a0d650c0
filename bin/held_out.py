#!/usr/bin/env python3
"""The contigs that a training leaves out, and the loss on them: it rises where the network learns contigs by heart."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from input_rows import InputRows
from network import VAE, Hyperparameters, loss_terms, loss_weights

HELD_OUT_LOSS = "held_out_loss"  # column of training.tsv
MIN_LEARNED_ROWS = 2  # which the split leaves to learn from, where there are as many


class Rows(NamedTuple):
    """Contigs: what the network sees of them (n x columns), and their weights in the loss (n)."""

    data: InputRows
    weight: Tensor


def split_rows(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows | None]:
    """Return the rows to learn from and those left out, None if there are none; the mean weight of both is 1.

    The draw is one of its own: the random numbers of the training are the same with and without it.
    """
    n_rows = len(rows.data)
    n_left_out = min(round(share * n_rows), n_rows - MIN_LEARNED_ROWS)
    if n_left_out < 1:
        return rows, None
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n_rows)).to(rows.data.device)
    parts = order[:n_left_out].sort().values, order[n_left_out:].sort().values
    left_out, learned = (Rows(rows.data.subset(part), rows.weight[part] / rows.weight[part].mean()) for part in parts)
    return learned, left_out


@torch.no_grad()
def held_out_loss(model: VAE, rows: Rows, settings: Hyperparameters) -> float:
    """Return the loss of these rows as they are encoded: without dropout, with the statistics of the training.

    The weights are those of the whole loss, whatever the warm-up. Random numbers and the model's mode stay as they are.
    """
    was_training = model.training
    model.eval()
    data = rows.data[:]
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if data.is_cuda else []):
        terms = loss_terms(data, rows.weight, *model(data)).tolist()
    model.train(was_training)
    return sum(weight * term for weight, term in zip(loss_weights(model.n_samples, settings), terms))
