#!/usr/bin/env python3
"""The checkpoints of a training: a training that was killed resumes, and ends as if nothing had happened.

A checkpoint holds everything that the epochs to come depend on. Its name is the training's key, a hash of all that
decides how the training goes: the data, the settings and the code.
"""

import copy
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path

import click
import numpy as np
import torch

from input_rows import InputRows
from message_text import one_line
from network import ROWS_AT_ONCE, VAE
from stage_warnings import warn

# The modules whose code decides how a training goes. A test holds them against what vae.py imports.
TRAINING_MODULES = ("network.py", "input_rows.py", "training.py", "held_out.py", "checkpoints.py", "vae.py")


def training_key(data: InputRows, row_weight: np.ndarray, **description: object) -> str:
    """Return a hash of all that decides how training goes: the network's input, its description and TRAINING_MODULES.

    Two trainings of one key pass through the same states, so one can resume from where the other stopped.
    """
    digest = hashlib.sha256()
    for module in TRAINING_MODULES:
        digest.update(hashlib.sha256(Path(__file__).with_name(module).read_bytes()).digest())
    digest.update(json.dumps({**description, "shape": (len(data), data.width)}, sort_keys=True).encode())
    for start in range(0, len(data), ROWS_AT_ONCE):
        digest.update(data[start : start + ROWS_AT_ONCE].cpu().numpy())
    digest.update(row_weight)
    return digest.hexdigest()


def training_state(model: VAE, optimizer: torch.optim.Optimizer, history: list[dict[str, float]]) -> dict:
    """Return everything that the epochs to come depend on, and the rows of training.tsv so far."""
    on_gpu = next(model.parameters()).is_cuda
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "generators": [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if on_gpu else [])],
        "history": history,
    }


def restore_training(state: dict, model: VAE, optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
    """Set model, optimizer and random generators to a `training_state`; return the rows of training.tsv so far."""
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    for generator, setter in zip(state["generators"], (torch.set_rng_state, torch.cuda.set_rng_state)):
        setter(generator)
    return state["history"]


def write_checkpoint(path: Path, state: dict) -> None:
    """Write a state after its SHA-256, so that the file holds either what it held before or all of the new state.

    Raise OSError if the folder cannot be made or written to.
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
    """Return the state of a checkpoint, or None if there is no whole one."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        warn(f"the checkpoint {path} cannot be read ({error}): training starts anew.")
        return None
    size = hashlib.sha256().digest_size
    if hashlib.sha256(content[size:]).digest() != content[:size]:
        warn(f"the checkpoint {path} is damaged: training starts anew.")
        return None
    try:
        # A pickle that would run code is refused here. What else is wrong in a file may raise any exception.
        state = torch.load(io.BytesIO(content[size:]), map_location="cpu", weights_only=True)
    except Exception as error:
        state = error
    if not isinstance(state, dict) or "key" not in state:
        problem = one_line(state) if isinstance(state, Exception) else "it has no key"
        warn(f"the checkpoint {path} is not one that this program wrote ({problem}): training starts anew.")
        return None
    return state


class Checkpoints:
    """The checkpoint of one training in a folder that several trainings may share; its name is the training's key.

    If the folder cannot be read or written, the checkpoint is lost, but never the training. No lock is needed: two
    trainings of one key write the same states, and each file appears whole.
    """

    def __init__(self, folder: Path, key: str, every: int) -> None:
        self.path = folder / f"{key}.checkpoint"
        self.key = key
        self.every = every

    def resume(self, model: VAE, optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
        """Restore what an earlier training left; return its rows of training.tsv, none if it left nothing."""
        state = read_checkpoint(self.path)
        if state is None:
            return []
        if state["key"] != self.key:
            warn(f"the checkpoint {self.path} is of another training, which starts anew.")
            return []
        untouched = copy.deepcopy(training_state(model, optimizer, []))
        try:
            history = restore_training(state, model, optimizer)
            n_epochs = len(history)
            if not isinstance(history, list) or [row["epoch"] for row in history] != list(range(1, n_epochs + 1)):
                raise ValueError("not the rows of training.tsv")
        except Exception:
            restore_training(untouched, model, optimizer)
            warn(f"the checkpoint {self.path} does not fit this training, which starts anew.")
            return []
        click.echo(f"Going on after epoch {n_epochs}, from the checkpoint {self.path}.", err=True)
        return history

    def save(self, model: VAE, optimizer: torch.optim.Optimizer, history: list[dict[str, float]]) -> None:
        """Write a checkpoint if one is due after this number of epochs."""
        if len(history) % self.every:
            return
        try:
            write_checkpoint(self.path, {"key": self.key, **training_state(model, optimizer, history)})
        except OSError as error:
            warn(
                f"the checkpoint {self.path} was not written ({error}): a restart would begin anew. Name a folder that "
                "can be written to with --checkpoint_dir."
            )

    def remove(self) -> None:
        """Remove the checkpoint and what a write that was killed left of it."""
        try:
            for path in self.path.parent.glob(f"{self.path.name}*"):
                path.unlink(missing_ok=True)
        except OSError as error:
            warn(f"the checkpoint {self.path} was not removed ({error}).")
