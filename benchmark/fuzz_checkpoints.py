"""Generated checkpoints of a small training, whole, damaged and hostile."""

import copy
import hashlib
import io
import os
import pickle
import random
import sys
from functools import cache
from pathlib import Path

import torch

from fuzzing import WHOLE, Case, damage_bytes
from project import BIN

sys.path.insert(0, str(BIN))
import checkpoints
import network
import training

KEY, MAX_EPOCHS = "k" * 64, 4
WRONG_VALUES = (None, 0, -1, "x", [], {}, [None], {"epoch": 1}, [{"epoch": 2}], torch.zeros(0), torch.zeros(3, 4), b"x")
SETTINGS = network.Hyperparameters(hidden_sizes=(4, 3), latent_size=2)
FLAG = Path("code-ran")


class Code:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple:
        """Return a call that leaves a folder."""
        return os.mkdir, (str(FLAG),)


def new_training() -> tuple[network.VAE, torch.optim.Optimizer]:
    """Return a network and its optimizer."""
    model = network.VAE(2, SETTINGS)
    return model, training.make_optimizer(model, SETTINGS)


@cache
def state_after(epochs: int) -> dict:
    """Return the state of a training after some epochs."""
    torch.set_num_threads(1)
    torch.manual_seed(epochs)
    model, optimizer = new_training()
    for _ in range(epochs):
        optimizer.zero_grad()
        sum(parameter.square().sum() for parameter in model.parameters()).backward()
        optimizer.step()
    history = [{"epoch": i + 1, "loss": 1.5} for i in range(epochs)]
    return copy.deepcopy({"key": KEY, **checkpoints.training_state(model, optimizer, history)})


def with_sum(body: bytes) -> bytes:
    """Return the body of a checkpoint after its SHA-256."""
    return hashlib.sha256(body).digest() + body


def saved(state: object) -> bytes:
    """Return a state as PyTorch writes it."""
    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()


def changed_state(rng: random.Random, state: dict) -> object:
    """Return a state with something else in one place."""
    state = copy.deepcopy(state)
    wrong = rng.choice(WRONG_VALUES)
    name = rng.choice(list(state))
    inner = state[name] if isinstance(state[name], dict) else state
    what = rng.choice(("replace", "inner", "remove", "whole"))
    if what == "inner":
        inner[rng.choice(list(inner))] = wrong
    elif what == "remove":
        inner.pop(rng.choice(list(inner)))
    return wrong if what == "whole" else {**state, name: wrong} if what == "replace" else state


def damaged_checkpoint(rng: random.Random, state: dict, damage: str) -> bytes:
    """Return a checkpoint with one kind of damage; "bytes" alone leaves a wrong sum."""
    if damage == "bytes":
        return damage_bytes(rng, with_sum(saved(state)))
    if damage == "content":
        return with_sum(damage_bytes(rng, saved(state)))
    if damage == "state":
        return with_sum(saved(changed_state(rng, state)))
    hostile = rng.choice((pickle.dumps(Code()), saved(Code()), saved({"key": KEY, "model": Code()})))
    return with_sum(hostile)


def equal_states(one: object, other: object) -> bool:
    """Tell whether two states are the same."""
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        return isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(
            equal_states(value, other[key]) for key, value in one.items()
        )  # fmt: skip
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal_states, one, other))
    return one == other


def generate(rng: random.Random) -> Case:
    """Return the checkpoint of a training of some epochs."""
    epochs = rng.randrange(MAX_EPOCHS)
    damage = "none" if rng.random() < WHOLE else rng.choice(("bytes", "content", "state", "hostile"))
    state = state_after(epochs)
    raw = with_sum(saved(state)) if damage == "none" else damaged_checkpoint(rng, state, damage)

    def read(folder: Path) -> tuple[list, dict, dict]:
        model, optimizer = new_training()
        before = copy.deepcopy(checkpoints.training_state(model, optimizer, []))
        history = checkpoints.Checkpoints(folder, KEY, 1).resume(model, optimizer)
        return history, before, checkpoints.training_state(model, optimizer, history)

    def check(found: tuple[list, dict, dict]) -> None:
        history, before, after = found
        if damage == "none" or history:
            assert equal_states({"key": KEY, **after}, state) or damage in ("state", "content"), "another state"
            assert [row["epoch"] for row in history] == list(range(1, len(history) + 1)), history
        elif damage != "state":
            assert equal_states(before, after) or damage == "content", "the training has changed"
        assert not FLAG.exists(), "code of the checkpoint ran"

    return Case(damage, {f"{KEY}.checkpoint": raw}, read, check, False)


GENERATORS = {"checkpoint": generate}
