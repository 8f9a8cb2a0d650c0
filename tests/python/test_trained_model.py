"""trained_model.py, and vae.py --model: contigs are encoded by a model that was trained before."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import network
import training
from trained_model import read_model, rescaled
from vae_inputs import SMALL, run, synthetic, write_features

N_SAMPLES = 3


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Options that name the features of a group, and the model that was trained on them."""
    rng = np.random.default_rng(1)
    tnf, abundance = synthetic(60, N_SAMPLES)
    inputs = write_features(tmp_path, tnf, abundance, depth=rng.normal(size=60).astype(np.float32))
    assert run(tmp_path / "trained", monkeypatch, inputs, *SMALL).exit_code == 0
    return inputs, tmp_path / "trained" / "model.pt"


def change_scales(folder):
    """Write the same features in other scales."""
    content = json.loads((folder / "features.json").read_text())
    tnf = np.load(folder / "tnf.npy").astype(float) * content["tnf_sd"] + content["tnf_mean"]
    depth = np.load(folder / "depth.npy").astype(float) * content["depth_divisor"] + content["depth_mean"]
    rng = np.random.default_rng(2)
    mean, sd = rng.random(network.N_TNF) / 100, 0.001 + rng.random(network.N_TNF) / 100
    np.save(folder / "tnf.npy", ((tnf - mean) / sd).astype(np.float32))
    np.save(folder / "depth.npy", ((depth - 4) / 2.5).astype(np.float32))
    content |= {"tnf_mean": mean.tolist(), "tnf_sd": sd.tolist(), "depth_mean": 4.0, "depth_divisor": 2.5}
    (folder / "features.json").write_text(json.dumps(content))


def refused(done, *words):
    """The command fails with one line that holds these words."""
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.output
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert not [word for word in words if word not in errors[0]], errors[0]


def test_the_features_of_the_training_have_its_latent(trained, tmp_path, monkeypatch):
    """Whatever the network's settings are: the model has its own."""
    inputs, model = trained
    done = run(tmp_path / "out", monkeypatch, inputs, "--model", str(model), "--latent_size", "7", "--threads", "2")
    assert done.exit_code == 0, done.output
    assert "WARNING" not in done.stderr
    assert Path("latent.npy").read_bytes() == model.with_name("latent.npy").read_bytes()
    assert Path("model.pt").read_bytes() == model.read_bytes()
    assert Path("training.tsv").read_text() == "\t".join(training.LOG_COLUMNS) + "\n"
    found, former = (json.loads(path.read_text()) for path in (Path("latent.json"), model.with_name("latent.json")))
    assert found["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert found["model_samples"] == ["s0", "s1", "s2"]
    same = ("rows_sha256", "latent_size", "hidden_sizes", "epochs", "device", "torch")
    assert {key: found[key] for key in same} == {key: former[key] for key in same}


def test_features_in_other_scales_have_the_same_latent(trained, tmp_path, monkeypatch):
    inputs, model = trained
    change_scales(tmp_path)
    assert run(tmp_path / "out", monkeypatch, inputs, "--model", str(model)).exit_code == 0
    expected = np.load(model.with_name("latent.npy"))
    assert np.allclose(np.load("latent.npy"), expected, atol=0.02 * expected.std())
    content = torch.load(model, weights_only=True)
    content["scaling"] = json.loads((tmp_path / "features.json").read_text())
    torch.save(content, tmp_path / "other.pt")
    assert run(tmp_path / "other", monkeypatch, inputs, "--model", str(tmp_path / "other.pt")).exit_code == 0
    assert not np.allclose(np.load("latent.npy"), expected, atol=0.1 * expected.std())


def test_a_tetranucleotide_that_was_constant_in_the_training_is_zero(trained):
    model = read_model(trained[1])
    own = {name: list(value) if isinstance(value, list) else value for name, value in model.scaling.items()}
    model.scaling["tnf_sd"][5] = 0.0
    matrix = np.ones((2, N_SAMPLES + network.N_TNF + 1), dtype=np.float32)
    found = rescaled(matrix, own, model)
    assert np.flatnonzero(np.abs(found - 1).max(axis=0) > 1e-6).tolist() == [N_SAMPLES + 5]
    assert (found[:, N_SAMPLES + 5] == 0).all()


def test_samples_of_other_names_are_a_warning(trained, tmp_path, monkeypatch):
    inputs, model = trained
    content = json.loads((tmp_path / "features.json").read_text())
    (tmp_path / "features.json").write_text(json.dumps(content | {"samples": ["s0", "t", "u"]}))
    done = run(tmp_path / "out", monkeypatch, inputs, "--model", str(model))
    assert done.exit_code == 0
    assert "WARNING: the model was trained on other samples: it takes 't' in place of 's1', 'u' in place" in done.stderr


def test_a_model_of_other_inputs_is_refused(trained, tmp_path, monkeypatch):
    inputs, model = trained
    done = run(tmp_path / "out", monkeypatch, inputs, "--model", str(model), "--no_depth")
    refused(done, "model.pt: was trained on composition and abundance with depth, but this run has", "without depth")
    content = json.loads((tmp_path / "features.json").read_text())
    turned = content | {"tetranucleotides": content["tetranucleotides"][::-1]}
    (tmp_path / "features.json").write_text(json.dumps(turned))
    done = run(tmp_path / "out", monkeypatch, inputs, "--model", str(model))
    refused(done, "model.pt: was trained on other tetranucleotides")
    two = write_features(tmp_path, *synthetic(60, 2))
    done = run(tmp_path / "out", monkeypatch, two, "--model", str(model))
    refused(done, "model.pt: was trained on 3 samples, but the group has 2: give a model of as many samples")
    assert not Path("latent.npy").exists()


@pytest.mark.parametrize("damage", ["text", "cut off", "another archive", "no scaling", "no scale"])
def test_what_is_no_model_is_refused(trained, tmp_path, monkeypatch, damage):
    inputs, model = trained
    content = torch.load(model, weights_only=True)
    if damage == "text":
        model.write_text("cluster\tcontig\n")
    elif damage == "cut off":
        model.write_bytes(model.read_bytes()[:-500])
    elif damage == "another archive":
        torch.save([1, 2], model)
    elif damage == "no scaling":
        torch.save({name: value for name, value in content.items() if name != "scaling"}, model)
    else:
        torch.save(content | {"scaling": content["scaling"] | {"tnf_sd": None}}, model)
    done = run(tmp_path / "out", monkeypatch, inputs, "--model", str(model))
    refused(done, "model.pt: is not a readable model (", "give a model.pt that the vae stage wrote")
