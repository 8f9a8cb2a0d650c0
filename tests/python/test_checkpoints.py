"""checkpoints.py: a training that was killed ends as an unbroken one, and a checkpoint serves one training alone."""

import ast
import copy
import hashlib
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import checkpoints
import network
import training
import vae
from input_rows import HeldRows
from vae_inputs import SMALL, run, synthetic, write_features

RESULTS = ("latent.npy", "model.pt", "latent.json")
KILLED = (*SMALL, "--epochs", "300", "--threads", "1")


def start(folder: Path, inputs: list[str], checkpoints: Path, *options: str) -> subprocess.Popen:
    """vae.py as a process of its own, which leaves a checkpoint every 5 epochs."""
    folder.mkdir()
    script = [sys.executable, vae.__file__, *inputs, *KILLED, "--checkpoint_every", "5"]
    with (folder / "log").open("w") as log:
        return subprocess.Popen([*script, "--checkpoint_dir", str(checkpoints), *options], cwd=folder, stderr=log)


def kill_at_checkpoint(process: subprocess.Popen, checkpoints: Path, before: bytes = b"") -> Path:
    """SIGKILL as soon as there is a checkpoint other than `before`; returns its path."""
    limit = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < limit:
        for path in checkpoints.glob("*.checkpoint"):
            if path.read_bytes() != before:
                process.kill()
                assert process.wait() == -9, "training had ended before it could be killed"
                return path
        time.sleep(0.002)
    process.kill()
    raise AssertionError("no new checkpoint")


def without_seconds(folder: Path) -> list[str]:
    """training.tsv but for its last column, which is no two times the same."""
    return [line.rsplit("\t", 1)[0] for line in (folder / "training.tsv").read_text().splitlines()]


def assert_same_result(folder: Path, other: Path) -> None:
    for name in RESULTS:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    assert without_seconds(folder) == without_seconds(other)


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """Inputs, an unbroken run of them without any checkpoint, and the folder of checkpoints that a killed one left."""
    base = tmp_path_factory.mktemp("broken")
    inputs = write_features(base, *synthetic(90, 3))
    (base / "unbroken").mkdir()
    subprocess.run([sys.executable, vae.__file__, *inputs, *KILLED], cwd=base / "unbroken", check=True)
    kill_at_checkpoint(start(base / "killed", inputs, base / "checkpoints"), base / "checkpoints")
    return inputs, base / "unbroken", base / "checkpoints"


@pytest.fixture
def left(broken, tmp_path):
    """Inputs, folder of the unbroken run, and a copy of the checkpoint's folder."""
    inputs, unbroken, checkpoints = broken
    return inputs, unbroken, Path(shutil.copytree(checkpoints, tmp_path / "checkpoints"))


def test_killed_training_ends_as_an_unbroken_one(left, tmp_path):
    """SIGKILL, again SIGKILL further on, and then to the end; nothing is left behind then."""
    inputs, unbroken, checkpoints = left
    (path,) = checkpoints.glob("*.checkpoint")
    epochs = []
    for name in ("second", "third"):
        process = start(tmp_path / name, inputs, checkpoints)
        if name == "second":
            kill_at_checkpoint(process, checkpoints, before=path.read_bytes())
            assert not (tmp_path / "second" / "latent.npy").exists()
            (checkpoints / f"{path.name}.half").write_bytes(path.read_bytes()[:1000])
        else:
            assert process.wait(timeout=120) == 0
        (line,) = [line for line in (tmp_path / name / "log").read_text().splitlines() if "Going on after" in line]
        epochs.append(int(line.split("epoch ")[1].split(",")[0]))
    assert 5 <= epochs[0] < epochs[1] < 300 and epochs[0] % 5 == epochs[1] % 5 == 0
    assert_same_result(tmp_path / "third", unbroken)
    assert len(without_seconds(unbroken)) == 301
    assert list(checkpoints.iterdir()) == []


@pytest.mark.parametrize("damage", ["empty", "half", "one bit", "another file"])
def test_damaged_checkpoint_is_not_used(left, tmp_path, monkeypatch, damage):
    inputs, unbroken, checkpoints = left
    (path,) = checkpoints.glob("*.checkpoint")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    whole = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "half": whole[: len(whole) // 2], "one bit": content, "another file": b"x" * 5000}[damage]
    )
    result = run(tmp_path / "out", monkeypatch, inputs, *KILLED, "--checkpoint_dir", str(checkpoints))
    assert result.exit_code == 0, result.output
    assert "damaged" in result.output and path.name in result.output and "Going on" not in result.output
    assert_same_result(tmp_path / "out", unbroken)


def test_checkpoint_of_another_training_under_this_one_s_name(left, tmp_path, monkeypatch):
    inputs, unbroken, folder = left
    (path,) = folder.glob("*.checkpoint")
    state = checkpoints.read_checkpoint(path)
    checkpoints.write_checkpoint(path, {**state, "key": "0" * 64})
    result = run(tmp_path / "out", monkeypatch, inputs, *KILLED, "--checkpoint_dir", str(folder))
    assert result.exit_code == 0, result.output
    assert "another training" in result.output and "Going on" not in result.output
    assert_same_result(tmp_path / "out", unbroken)


class RunsCode:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def hostile_checkpoint(path: Path, kind: str, code_ran: Path) -> None:
    """Replace a checkpoint by one that has the right name and, but for a folder, the right SHA-256."""
    state = checkpoints.read_checkpoint(path)
    if kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind in ("pickle", "truncated zip", "nothing"):
        content = {
            "pickle": pickle.dumps(RunsCode(code_ran)),
            "truncated zip": path.read_bytes()[32:-4000],
            "nothing": b"",
        }
        path.write_bytes(hashlib.sha256(content[kind]).digest() + content[kind])
    else:
        code, listed = {**state, "history": [RunsCode(code_ran)]}, [1, 2]
        other_model = {**state, "model": {name: value.flatten()[:0] for name, value in state["model"].items()}}
        other_generator = {**state, "generators": [torch.zeros(3)]}
        other_history = {**state, "history": [1, 2]}
        states = {
            "code": code,
            "other history": other_history,
            "history of no rows": {**state, "history": torch.zeros(0)},
            "list": listed,
            "other model": other_model,
            "other generator": other_generator,
        }
        checkpoints.write_checkpoint(path, states[kind])


@pytest.mark.parametrize("kind", ["folder", "pickle", "truncated zip", "nothing", "code", "list"])
def test_hostile_checkpoint_is_not_read_and_runs_no_code(left, tmp_path, capsys, kind):
    (path,) = left[2].glob("*.checkpoint")
    hostile_checkpoint(path, kind, tmp_path / "code-ran")
    assert checkpoints.read_checkpoint(path) is None
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 1 and warnings[0].startswith(f"WARNING: the checkpoint {path} ")
    assert not (tmp_path / "code-ran").exists()


@pytest.mark.parametrize("kind", ["other history", "history of no rows", "other model", "other generator"])
def test_checkpoint_that_does_not_fit_changes_nothing(left, capsys, kind):
    """Also where only its last part cannot be restored."""
    (path,) = left[2].glob("*.checkpoint")
    hostile_checkpoint(path, kind, path)
    settings = network.Hyperparameters(hidden_sizes=(16, 8), latent_size=4)
    model = network.VAE(3, settings)
    optimizer = training.make_optimizer(model, settings)
    before = copy.deepcopy(checkpoints.training_state(model, optimizer, []))
    kept = checkpoints.Checkpoints(path.parent, path.stem, 5)
    assert kept.resume(model, optimizer) == [] and "does not fit this training" in capsys.readouterr().err
    after = checkpoints.training_state(model, optimizer, [])
    assert all(torch.equal(before["model"][name], value) for name, value in after["model"].items())
    assert torch.equal(before["generators"][0], after["generators"][0])
    assert after["optimizer"] == before["optimizer"]


def test_a_folder_in_place_of_the_checkpoint_costs_the_checkpoint_alone(left, tmp_path, monkeypatch):
    inputs, unbroken, folder = left
    (path,) = folder.glob("*.checkpoint")
    hostile_checkpoint(path, "folder", path)
    result = run(tmp_path / "out", monkeypatch, inputs, *KILLED, "--checkpoint_dir", str(folder))
    assert result.exit_code == 0 and "Going on" not in result.output, result.output
    assert_same_result(tmp_path / "out", unbroken)


def copy_modules(folder: Path, monkeypatch) -> None:
    """Copy the modules that decide how training goes, and let the key be made from the copies."""
    for module in checkpoints.TRAINING_MODULES:
        shutil.copy(Path(checkpoints.__file__).with_name(module), folder)
    monkeypatch.setattr(checkpoints, "__file__", str(folder / "checkpoints.py"))


def test_key_is_that_of_every_module_of_the_training(tmp_path, monkeypatch):
    """The place of the modules does not change it; a change in any one of them does, in its own way."""
    data, weight = HeldRows(torch.ones(3, 2)), np.ones(3, dtype=np.float32)
    keys = [checkpoints.training_key(data, weight)]
    copy_modules(tmp_path, monkeypatch)
    assert checkpoints.training_key(data, weight) == keys[0]
    for module in checkpoints.TRAINING_MODULES:
        whole = (tmp_path / module).read_text()
        (tmp_path / module).write_text(whole + "# another version\n")
        keys.append(checkpoints.training_key(data, weight))
        (tmp_path / module).write_text(whole)
    assert len(set(keys)) == 1 + len(checkpoints.TRAINING_MODULES)


def test_key_knows_every_module_that_vae_imports():
    """All but those that decide nothing: what is read is hashed as data."""
    folder = Path(vae.__file__).parent
    found, todo = set(), ["vae.py"]
    while todo:
        module = todo.pop()
        found.add(module)
        for node in ast.walk(ast.parse((folder / module).read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            todo += [f"{name}.py" for name in names if (folder / f"{name}.py").exists() and f"{name}.py" not in found]
    readers = {"stage_tables.py", "table_columns.py", "table_bytes.py", "stage_arrays.py", "message_text.py"}
    readers |= {"output_files.py", "stage_warnings.py", "memory_estimate.py", "table_output.py", "trained_model.py"}
    assert found - readers == set(checkpoints.TRAINING_MODULES)


@pytest.mark.parametrize(
    "change",
    [("--seed", "2"), ("--dropout", "0.1"), ("--epochs", "301"), ("data",)]
    + [("script", module) for module in checkpoints.TRAINING_MODULES],
)
def test_checkpoint_is_for_the_same_training_alone(left, tmp_path, monkeypatch, change):
    inputs, _, checkpoints = left
    (path,) = checkpoints.glob("*.checkpoint")
    options = [*KILLED, *(change if change[0].startswith("--") else ())]
    if change == ("data",):
        tnf, abundance = synthetic(90, 3)
        tnf[89, 135] += 1e-6
        inputs = write_features(tmp_path, tnf, abundance)
    if change[0] == "script":
        copy_modules(tmp_path, monkeypatch)
        with (tmp_path / change[1]).open("a") as file:
            file.write("# another version\n")
    result = run(tmp_path / "out", monkeypatch, inputs, *options, "--checkpoint_dir", str(checkpoints))
    assert result.exit_code == 0, result.output
    assert "Going on" not in result.output and "WARNING" not in result.output
    assert list(checkpoints.iterdir()) == [path]


def test_unchanged_training_goes_on_by_the_environment(left, tmp_path, monkeypatch):
    """The counterpart of the tests above, told of the folder as the pipeline tells it."""
    inputs, unbroken, checkpoints = left
    monkeypatch.setenv("BINLOOM_CHECKPOINT_DIR", str(checkpoints))
    monkeypatch.setenv("BINLOOM_CHECKPOINT_EVERY", "100")
    result = run(tmp_path / "out", monkeypatch, inputs, *KILLED)
    assert result.exit_code == 0 and "Going on" in result.output, result.output
    assert_same_result(tmp_path / "out", unbroken)


def test_two_at_once_of_one_training(broken, tmp_path):
    inputs, unbroken, _ = broken
    processes = [start(tmp_path / name, inputs, tmp_path / "checkpoints") for name in ("one", "two")]
    assert [process.wait(timeout=240) for process in processes] == [0, 0]
    for name in ("one", "two"):
        assert_same_result(tmp_path / name, unbroken)


def test_folder_that_cannot_be_written_costs_the_checkpoint_alone(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(20, 3))
    (tmp_path / "file").write_text("")
    options = (*SMALL, "--checkpoint_every", "2")
    result = run(tmp_path / "out", monkeypatch, inputs, *options, "--checkpoint_dir", str(tmp_path / "file" / "folder"))
    assert result.exit_code == 0, result.output
    assert "was not written" in result.output and "--checkpoint_dir" in result.output
    assert run(tmp_path / "plain", monkeypatch, inputs, *SMALL).exit_code == 0
    assert_same_result(tmp_path / "out", tmp_path / "plain")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU is visible here")
def test_killed_training_on_a_gpu_ends_as_an_unbroken_one(tmp_path):
    inputs = write_features(tmp_path, *synthetic(3000, 3))
    whole = start(tmp_path / "whole", inputs, tmp_path / "none", "--device", "cuda")
    assert whole.wait(timeout=240) == 0
    checkpoints = tmp_path / "checkpoints"
    kill_at_checkpoint(start(tmp_path / "killed", inputs, checkpoints, "--device", "cuda"), checkpoints)
    again = start(tmp_path / "again", inputs, checkpoints, "--device", "cuda")
    assert again.wait(timeout=240) == 0
    assert "Going on after" in (tmp_path / "again" / "log").read_text()
    assert_same_result(tmp_path / "again", tmp_path / "whole")
