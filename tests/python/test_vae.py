"""vae.py: training, reproducibility, what it writes, and refusal of unusable input."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import network
import training
from input_rows import HeldRows
from vae_inputs import SMALL, preset_options, read_presets, run, synthetic, write_features


@pytest.mark.parametrize("preset", read_presets())
def test_training_separates_groups_and_loss_falls(tmp_path, monkeypatch, preset):
    tnf, abundance = synthetic(300, 4)
    inputs = write_features(tmp_path, tnf, abundance)
    options = ("--hidden_sizes", "32,32", "--latent_size", "6", "--epochs", "40", "--batch_double_at", "10,20")
    # The rate for millions of genes teaches nothing to a network that takes a hundred steps.
    options += ("--learning_rate", "0.001") if preset == "genes" else ()
    result = run(tmp_path / "out", monkeypatch, inputs, *preset_options(preset), "--batch_size", "64", *options)
    assert result.exit_code == 0, result.output
    log = pd.read_csv("training.tsv", sep="\t")
    assert log.columns.tolist() == list(training.LOG_COLUMNS)
    assert log["epoch"].tolist() == list(range(1, 41))
    assert log["batch_size"].tolist() == [64] * 10 + [128] * 10 + [256] * 20
    assert np.isfinite(log.to_numpy()).all()
    assert log["loss"].iloc[-1] < 0.8 * log["loss"].iloc[0]
    assert log["sse"].iloc[-1] < 0.8 * log["sse"].iloc[0]

    group = np.random.default_rng(0).integers(4, size=300)
    centred = np.load("latent.npy") - np.load("latent.npy").mean(axis=1, keepdims=True)
    similarity = np.corrcoef(centred)
    same = group[:, None] == group[None, :]
    assert similarity[same].mean() > similarity[~same].mean() + 0.5


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(90, 3))
    latents = []
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        assert run(tmp_path / name, monkeypatch, inputs, *SMALL, "--seed", seed, "--threads", "2").exit_code == 0
        latents.append(Path("latent.npy").read_bytes())
    assert latents[0] == latents[1]
    assert latents[0] != latents[2]


def test_model_reloads_and_encodes_to_the_same_latent(tmp_path, monkeypatch):
    tnf, abundance = synthetic(60, 3)
    inputs = write_features(tmp_path, tnf, abundance)
    assert run(tmp_path / "out", monkeypatch, inputs, *SMALL).exit_code == 0
    model, saved = network.load_model(Path("model.pt"))
    data = torch.from_numpy(np.hstack((abundance, tnf, np.zeros((60, 1), dtype=np.float32))))
    assert np.array_equal(network.encode_rows(model, HeldRows(data)), np.load("latent.npy"))
    assert saved["samples"] == ["s0", "s1", "s2"]
    assert saved["hyperparameters"]["hidden_sizes"] == (16, 8)
    assert saved["scaling"]["tnf_sd"] == [0.002] * network.N_TNF
    assert (saved["scaling"]["depth_mean"], saved["scaling"]["depth_divisor"]) == (1.5, 0.5)


def test_latent_json_holds_hash_and_every_hyperparameter(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(20, 3))
    assert run(tmp_path / "out", monkeypatch, inputs, *SMALL, "--seed", "9", "--alpha", "0.25").exit_code == 0
    found = json.loads(Path("latent.json").read_text())
    names = "\n".join(f"contig{i}" for i in range(20))
    expected = {
        "rows_sha256": hashlib.sha256(names.encode()).hexdigest(), "seed": 9, "latent_size": 4, "hidden_sizes": [16, 8],
        "dropout": 0.2, "alpha": 0.25, "beta": 200, "learning_rate": 0.002, "epochs": 4, "batch_size": 8,
        "batch_double_at": [2], "device": "cpu", "torch": torch.__version__,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected


def test_held_out_contigs_have_a_loss_and_a_latent(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(60, 3))
    assert run(tmp_path / "out", monkeypatch, inputs, *SMALL, "--held_out", "0.25", "--warmup", "2").exit_code == 0
    log = pd.read_csv("training.tsv", sep="\t")
    assert log.columns.tolist() == [*training.LOG_COLUMNS, "held_out_loss"]
    assert np.isfinite(log.to_numpy()).all()
    assert np.load("latent.npy").shape == (60, 4)


def test_a_training_with_held_out_contigs_resumes(tmp_path, monkeypatch):
    """It ends as if nothing had happened, with the losses of the epochs before."""
    inputs = write_features(tmp_path, *synthetic(40, 3))
    options = (*SMALL, "--held_out", "0.25")
    assert run(tmp_path / "whole", monkeypatch, inputs, *options).exit_code == 0
    kept = ("--checkpoint_dir", str(tmp_path / "checkpoints"), "--checkpoint_every", "1")
    with monkeypatch.context() as patch:
        patch.setattr(training, "DIVERGED_EPOCHS", 3)
        patch.setattr(training, "DIVERGED_FACTOR", 0)
        assert run(tmp_path / "broken", monkeypatch, inputs, *options, *kept).exit_code == 1
    resumed = run(tmp_path / "resumed", monkeypatch, inputs, *options, *kept)
    assert resumed.exit_code == 0 and "Going on after epoch" in resumed.output
    logs = [
        pd.read_csv(tmp_path / name / "training.tsv", sep="\t").drop(columns="seconds") for name in ("whole", "resumed")
    ]
    pd.testing.assert_frame_equal(*logs)


@pytest.mark.parametrize(("inputs", "unseen"), [("tnf", "abundance.npy"), ("abundance", "tnf.npy")])
def test_an_input_that_the_network_does_not_see_decides_nothing(tmp_path, monkeypatch, inputs, unseen):
    files = write_features(tmp_path, *synthetic(40, 3))
    latents = []
    for name in ("a", "b"):
        result = run(tmp_path / name, monkeypatch, files, *SMALL, "--inputs", inputs, "--no_depth")
        assert result.exit_code == 0, result.output
        latents.append(Path("latent.npy").read_bytes())
        np.save(tmp_path / unseen, np.load(tmp_path / unseen)[::-1])
    assert latents[0] == latents[1]


def test_a_plain_autoencoder_pays_no_divergence(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(40, 3))
    assert run(tmp_path / "out", monkeypatch, inputs, *SMALL, "--no_variational").exit_code == 0
    assert json.loads(Path("latent.json").read_text())["loss_weights"]["kld"] == 0


@pytest.mark.parametrize("n", [2, 3, 9, 17])
def test_few_contigs_train(tmp_path, monkeypatch, n):
    """Fewer rows than a batch, and counts that leave one row over."""
    inputs = write_features(tmp_path, *synthetic(n, 3))
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 0, result.output
    latent = np.load("latent.npy")
    assert latent.shape == (n, 4) and latent.dtype == np.float32 and np.isfinite(latent).all()
    assert pd.read_csv("training.tsv", sep="\t")["batch_size"].tolist() == [min(8, n)] * 2 + [min(16, n)] * 2


@pytest.mark.parametrize("n", [0, 1])
def test_no_training_below_two_contigs(tmp_path, monkeypatch, n):
    inputs = write_features(tmp_path, *synthetic(n, 3))
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 0, result.output
    assert "not trained" in result.output
    latent = np.load("latent.npy")
    assert latent.shape == (n, 4) and np.isfinite(latent).all()
    assert Path("training.tsv").read_text() == "\t".join(training.LOG_COLUMNS) + "\n"
    assert network.load_model(Path("model.pt"))[0].mu.out_features == 4


def test_one_sample_and_constant_columns(tmp_path, monkeypatch):
    tnf, _ = synthetic(40, 2)
    tnf[:, ::2] = 0
    inputs = write_features(tmp_path, tnf, np.ones((40, 1), dtype=np.float32))
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 0, result.output
    log = pd.read_csv("training.tsv", sep="\t")
    assert (log["ce"] == 0).all() and log["loss"].iloc[-1] < log["loss"].iloc[0]
    assert np.isfinite(np.load("latent.npy")).all()


@pytest.mark.parametrize("n", [2, 3])
def test_few_contigs_of_one_sample_with_nothing_to_tell_them_apart(tmp_path, monkeypatch, n):
    """Every default, whose batch of 256 is larger than the group."""
    tnf, abundance = np.zeros((n, network.N_TNF), dtype=np.float32), np.ones((n, 1), dtype=np.float32)
    result = run(tmp_path / "out", monkeypatch, write_features(tmp_path, tnf, abundance), "--epochs", "40")
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv("training.tsv", sep="\t")["batch_size"]) == {n}
    latent = np.load("latent.npy")
    assert np.isfinite(latent).all() and np.ptp(latent, axis=0).max() < 1e-6


def test_no_information_at_all(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, np.zeros((30, 136), dtype=np.float32), np.full((30, 2), 0.5, dtype=np.float32))
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 0, result.output
    assert np.ptp(np.load("latent.npy"), axis=0).max() == 0


def test_names_that_tables_like_to_mangle(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(4, 2), names=["NA", "001", '"x', "nan"])
    assert run(tmp_path / "out", monkeypatch, inputs, *SMALL).exit_code == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("which", ["tnf.npy", "abundance.npy"])
def test_value_that_is_no_number_names_the_contig(tmp_path, monkeypatch, which, value):
    tnf, abundance = synthetic(20, 3)
    (tnf if which == "tnf.npy" else abundance)[13, 1] = value
    result = run(tmp_path / "out", monkeypatch, write_features(tmp_path, tnf, abundance), *SMALL)
    assert result.exit_code == 1
    assert which in result.output and "contig13" in result.output and "row 14" in result.output


def test_loss_that_is_no_number_stops_with_epoch_and_remedy(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(64, 3))
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL, "--learning_rate", "1e30")
    assert result.exit_code == 1
    assert "epoch" in result.output and "--learning_rate" in result.output
    assert not Path("latent.npy").exists()


def test_diverging_training_stops_with_epoch_and_remedy(tmp_path, monkeypatch):
    """At this rate the loss leaves for 1e20 times where it started, and stays a number."""
    inputs = write_features(tmp_path, *synthetic(64, 1))
    options = (*preset_options("preprint"), "--beta", "1e-3", "--epochs", "500", "--learning_rate", "1")
    result = run(tmp_path / "out", monkeypatch, inputs, *options)
    assert result.exit_code == 1
    assert "diverges: in epoch" in result.output and "--learning_rate (it is 1;" in result.output
    assert not Path("latent.npy").exists()


@pytest.mark.parametrize("n_samples", [1, 3])
@pytest.mark.parametrize("n", [2, 3, 20])
def test_bold_rate_is_no_divergence(tmp_path, monkeypatch, n, n_samples):
    """Five times the default's rate, on so few contigs that each step throws the network about."""
    inputs = write_features(tmp_path, *synthetic(n, n_samples))
    result = run(tmp_path / "out", monkeypatch, inputs, "--epochs", "60", "--learning_rate", "1e-2")
    assert result.exit_code == 0, result.output


def test_files_of_different_runs(tmp_path, monkeypatch):
    tnf, abundance = synthetic(10, 3)
    inputs = write_features(tmp_path, tnf, abundance)
    np.save(tmp_path / "tnf.npy", tnf[:9])
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 1 and "(9, 136)" in result.output and "(10, 136)" in result.output

    inputs = write_features(tmp_path, tnf, abundance)
    table = (tmp_path / "rows.tsv").read_text()
    (tmp_path / "rows.tsv").write_text(table.replace("contig4\t", "contigX\t"))
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 1 and "rows.tsv" in result.output and "features.json" in result.output

    inputs = write_features(tmp_path, tnf, abundance)
    (tmp_path / "abundance.npy").write_bytes(b"not an array")
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 1 and "abundance.npy" in result.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is visible here")
def test_gpu_asked_for_but_not_visible(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(10, 3))
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL, "--device", "cuda")
    assert result.exit_code == 1
    assert all(word in result.output for word in ("--nv", "--gpus all", "-profile gpu", "--device cpu"))
    assert not Path("latent.npy").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--batch_double_at", "75,25"), ("--batch_double_at", "25,25"), ("--batch_double_at", "0,5"),
        ("--hidden_sizes", "325,"), ("--hidden_sizes", "a,b"), ("--hidden_sizes", ""), ("--hidden_sizes", "0"),
        ("--dropout", "1"), ("--dropout", "-0.1"), ("--alpha", "1.5"), ("--beta", "0"), ("--learning_rate", "0"),
        ("--epochs", "0"), ("--batch_size", "1"), ("--latent_size", "1"), ("--seed", "-1"), ("--device", "tpu"),
    ],
)  # fmt: skip
def test_option_out_of_range(tmp_path, monkeypatch, option, value):
    result = run(tmp_path / "out", monkeypatch, write_features(tmp_path, *synthetic(10, 3)), option, value)
    assert result.exit_code == 2
    assert option in result.output and "Traceback" not in result.output


def test_batch_that_never_doubles(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(20, 3))
    assert run(tmp_path / "out", monkeypatch, inputs, *SMALL, "--batch_double_at", "").exit_code == 0
    assert pd.read_csv("training.tsv", sep="\t")["batch_size"].tolist() == [8] * 4
