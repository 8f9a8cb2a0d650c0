#!/usr/bin/env python3
"""Estimate the memory of a training before it starts, so that what cannot fit ends with one line."""

import itertools
import os
from pathlib import Path

import click
import torch

from input_rows import HeldRows, InputRows
from network import Hyperparameters

FLOAT_BYTES = 4
# Of each weight: itself, its gradient, and two moments of Adam.
COPIES_OF_WEIGHTS = 4
# Of each neuron and row of a batch: the linear layer, its activation, dropout and normalisation, kept for the gradient.
COPIES_OF_NEURONS = 4
# The network's input is held in memory up to this size: a file that the system keeps in its cache is hardly slower.
MAX_HELD_BYTES = 1 << 29
# Of a GPU, up to this share of its memory.
HELD_SHARE = 0.5
# Files with the limit of the container or task, of version 2 and 1 of cgroups.
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def training_bytes(settings: Hyperparameters, n_rows: int, width: int, n_held: int) -> int:
    """Return the bytes that training on n_rows of `width` columns takes at least, if it holds n_held of the rows."""
    widths = (width, *settings.hidden_sizes, settings.latent_size)
    n_weights = 2 * sum(n_in * n_out for n_in, n_out in itertools.pairwise(widths))
    n_neurons = 2 * sum(widths) * min(settings.batch_size, n_rows)
    n_data = n_held * width + n_rows * settings.latent_size
    return FLOAT_BYTES * (COPIES_OF_WEIGHTS * n_weights + COPIES_OF_NEURONS * n_neurons + n_data)


def memory_bytes(device: torch.device) -> int:
    """Return the memory of a device; for the processor that of the machine, or of the container if it has less."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    texts = [Path(name).read_text().strip() for name in CGROUP_LIMITS if Path(name).is_file()]
    return min([*limits, *(int(text) for text in texts if text.isdecimal())])


def held_bytes(device: torch.device) -> int:
    """Return up to which size (bytes) the network's input is held in the memory of a device."""
    return int(HELD_SHARE * memory_bytes(device)) if device.type == "cuda" else MAX_HELD_BYTES


def check_memory(settings: Hyperparameters, data: InputRows) -> None:
    """Raise ClickException if training on the data (n x columns) does not fit into the memory of the device."""
    n_held = len(data) if isinstance(data, HeldRows) else 0
    needed, there = training_bytes(settings, len(data), data.width, n_held), memory_bytes(data.device)
    if needed > there:
        raise click.ClickException(
            f"a network with --latent_size {settings.latent_size} and --hidden_sizes "
            f"{','.join(map(str, settings.hidden_sizes))} takes at least {needed / 1e9:.1f} GB of memory to train on "
            f"{len(data)} contigs, and there are {there / 1e9:.1f} GB: lower one of them or --batch_size"
        )
