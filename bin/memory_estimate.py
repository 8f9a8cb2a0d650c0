#!/usr/bin/env python3
"""Estimate the memory of a training before it starts, so that what cannot fit ends with one line."""

import itertools
import os
from pathlib import Path

import click
import numpy as np
import torch

from network import Hyperparameters

FLOAT_BYTES = 4
# Of each weight: itself, its gradient, and two moments of Adam.
COPIES_OF_WEIGHTS = 4
# Of each neuron and row of a batch: the linear layer, its activation, dropout and normalisation, kept for the gradient.
COPIES_OF_NEURONS = 4
# Files with the limit of the container or task, of version 2 and 1 of cgroups.
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def training_bytes(settings: Hyperparameters, n_rows: int, width: int) -> int:
    """Return the memory that training on n_rows of `width` columns takes at least (bytes)."""
    widths = (width, *settings.hidden_sizes, settings.latent_size)
    n_weights = 2 * sum(n_in * n_out for n_in, n_out in itertools.pairwise(widths))
    n_neurons = 2 * sum(widths) * min(settings.batch_size, n_rows)
    n_data = n_rows * (width + settings.latent_size)
    return FLOAT_BYTES * (COPIES_OF_WEIGHTS * n_weights + COPIES_OF_NEURONS * n_neurons + n_data)


def memory_bytes(device: torch.device) -> int:
    """Return the memory of a device; for the processor that of the machine, or of the container if it has less."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    texts = [Path(name).read_text().strip() for name in CGROUP_LIMITS if Path(name).is_file()]
    return min([*limits, *(int(text) for text in texts if text.isdecimal())])


def check_memory(settings: Hyperparameters, data: np.ndarray, device: torch.device) -> None:
    """Raise ClickException if training on the data (n x columns) does not fit into the memory of the device."""
    needed, there = training_bytes(settings, *data.shape), memory_bytes(device)
    if needed > there:
        raise click.ClickException(
            f"a network with --latent_size {settings.latent_size} and --hidden_sizes "
            f"{','.join(map(str, settings.hidden_sizes))} takes at least {needed / 1e9:.1f} GB of memory to train on "
            f"{len(data)} contigs, and there are {there / 1e9:.1f} GB: lower one of them or --batch_size"
        )
