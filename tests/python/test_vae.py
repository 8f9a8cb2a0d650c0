"""vae.py: loss and schedule against hand computation, training, reproducibility, training that is killed and goes on,
and refusal of unusable input."""

import dataclasses
import hashlib
import json
import math
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import vae
from click.testing import CliRunner

SMALL = ("--hidden_sizes", "16,8", "--latent_size", "4", "--epochs", "4", "--batch_size", "8", "--batch_double_at", "2")


def synthetic(n: int, n_samples: int, seed: int = 0, groups: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """z-scaled TNF and abundances of contigs drawn around a few profiles."""
    rng = np.random.default_rng(seed)
    group = rng.integers(groups, size=n)
    tnf = rng.normal(size=(groups, vae.N_TNF))[group] + 0.3 * rng.normal(size=(n, vae.N_TNF))
    profiles = rng.dirichlet(np.full(n_samples, 0.5), size=groups)[group] + 0.01
    return tnf.astype(np.float32), (profiles / profiles.sum(axis=1, keepdims=True)).astype(np.float32)


def write_features(
    folder: Path,
    tnf: np.ndarray,
    abundance: np.ndarray,
    names: list[str] | None = None,
    depth: np.ndarray | None = None,
) -> list[str]:
    """The five files of the features stage and the options that name them; depth is 0 unless given."""
    names = [f"contig{i}" for i in range(len(tnf))] if names is None else names
    np.save(folder / "tnf.npy", tnf)
    np.save(folder / "abundance.npy", abundance)
    np.save(folder / "depth.npy", np.zeros(len(tnf), dtype=np.float32) if depth is None else depth)
    rows = "".join(f"{name}\t{2000 + i}\n" for i, name in enumerate(names))
    (folder / "rows.tsv").write_text("contig\tlength\n" + rows)
    content = {
        "samples": [f"s{i}" for i in range(abundance.shape[1])],
        "rows_sha256": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "tnf_mean": [0.01] * vae.N_TNF,
        "tnf_sd": [0.002] * vae.N_TNF,
        "depth_mean": 1.5,
        "depth_divisor": 0.5,
        "tetranucleotides": [f"k{i}" for i in range(vae.N_TNF)],
    }
    (folder / "features.json").write_text(json.dumps(content))
    files = {"tnf": "tnf.npy", "abundance": "abundance.npy", "depth_file": "depth.npy"}
    files |= {"rows": "rows.tsv", "features": "features.json"}
    return [part for option, name in files.items() for part in (f"--{option}", str(folder / name))]


def run(folder: Path, monkeypatch, inputs: list[str], *options: str):
    """Run the command in a folder of its own."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    return CliRunner().invoke(vae.main, [*inputs, *options])


def test_loss_terms_by_hand():
    """Each term recomputed number by number, from outputs that no softmax or network of ours touched; the second row
    counts half as much again as the first."""
    abundance = [[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]]
    rebuilt = [[0.1, 0.6, 0.3], [0.7, 0.2, 0.1]]
    rng = np.random.default_rng(3)
    tnf, tnf_out = rng.normal(size=(2, 2, vae.N_TNF)).tolist()
    depth, depth_out, weight = [0.5, -1.0], [0.25, 1.0], [0.8, 1.2]
    mu, sigma = [[0.5, -1.0], [0.0, 2.0]], [[1.0, 0.25], [2.0, 0.5]]

    ce = sse = kld = depth_se = 0.0
    for row in range(2):
        ce += -sum(a * math.log(p) for a, p in zip(abundance[row], rebuilt[row])) * weight[row]
        sse += sum((o - i) ** 2 for o, i in zip(tnf_out[row], tnf[row])) * weight[row]
        kld += -0.5 * sum(1 + math.log(v) - m * m - v for m, v in zip(mu[row], sigma[row])) * weight[row]
        depth_se += (depth_out[row] - depth[row]) ** 2 * weight[row]

    rows = torch.cat((torch.tensor(abundance), torch.tensor(tnf), torch.tensor(depth)[:, None]), dim=1)
    other = torch.cat((torch.tensor(tnf_out), torch.tensor(depth_out)[:, None]), dim=1)
    gaussian = torch.tensor(mu), torch.tensor(sigma).log()
    terms = vae.loss_terms(rows, torch.tensor(weight), torch.tensor(rebuilt).log(), other, *gaussian)
    assert terms.tolist() == pytest.approx([ce / 2, sse / 2, kld / 2, depth_se / 2], rel=1e-5)
    without = vae.loss_terms(rows[:, :-1], torch.tensor(weight), torch.tensor(rebuilt).log(), other[:, :-1], *gaussian)
    assert without.tolist() == [*terms[:3].tolist(), 0]


def test_divergence_is_zero_for_the_prior_and_positive_elsewhere():
    rows, one = torch.zeros(1, 2 + vae.N_TNF), torch.ones(1)
    prior = torch.zeros(1, 4)
    out = torch.full((1, 2), 0.5).log(), torch.zeros(1, vae.N_TNF)
    assert vae.loss_terms(rows, one, *out, prior, prior).tolist() == [0, 0, 0, 0]
    assert vae.loss_terms(rows, one, *out, prior, prior - 1)[2] > 0
    assert vae.loss_terms(rows, one, *out, prior, prior + 1)[2] > 0


def test_weights_of_the_preprint():
    """(1 - 0.05)/ln 6, 0.05/136 and 1/(40 x 200), worked out beside the code."""
    preprint = vae.PRESETS["preprint"]
    assert vae.loss_weights(6, preprint) == pytest.approx((0.5302050504, 3.6764706e-4, 1.25e-4, 0))
    assert vae.loss_weights(1, preprint)[0] == 0


def test_weights_of_the_default():
    """Five sixths of 0.85/ln 6, 0.15/136, 1/(40 x 200) and a sixth of 0.85; with one sample all abundance is depth."""
    assert vae.loss_weights(6, vae.Hyperparameters()) == pytest.approx((0.3953283, 1.1029412e-3, 1.25e-4, 0.1416667))
    assert vae.loss_weights(1, vae.Hyperparameters()) == pytest.approx((0, 3.6764706e-3, 1.25e-4, 0.5))


def test_row_weights():
    """ln 20,000 - 5 = 4.903488, ln 2,000 - 5 = 2.600902, 2 at least; divided by their mean."""
    found = vae.row_weights(np.array([20_000, 2_000, 500, 100]))
    assert found.tolist() == pytest.approx([4.903488 / 2.8760975, 2.600902 / 2.8760975, *[2 / 2.8760975] * 2])
    assert found.dtype == np.float32


def test_rate_of_a_cycle():
    """Up in ten of a hundred steps, then down: half way at step 55; constant if so asked."""
    cycle = vae.Hyperparameters(learning_rate=0.5)
    rates = [vae.learning_rate(step, 100, cycle) for step in range(100)]
    assert rates[:10] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5])
    assert rates[10] == max(rates) and rates[55] == pytest.approx(0.25) and 0 < rates[99] < 1e-3
    assert sorted(rates[10:], reverse=True) == rates[10:]
    assert [vae.learning_rate(0, n, cycle) for n in (1, 2)] == pytest.approx([0.5, 0.5])
    assert {vae.learning_rate(step, 100, vae.PRESETS["preprint"]) for step in range(100)} == {1e-3}


def test_default_epochs_make_enough_steps():
    """60; of 1,000 contigs in batches of 256 (4 steps) 300, of 3 contigs as many as there must be steps."""
    assert [vae.default_epochs(n, 256) for n in (10**6, 1000, 3, 2)] == [60, 300, 1200, 1200]


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    torch.manual_seed(1)
    layer, neurons = vae.Dropout(0.2), torch.ones(1001, 999)
    out = layer(neurons)
    assert (out == 0).float().mean().item() == pytest.approx(0.2, abs=0.002)
    assert out.unique().tolist() == pytest.approx([0, 1.25], rel=1e-4)
    # neither neighbours nor rows are left out together
    kept = (out > 0).float()
    for other in (kept[:, 1:] * kept[:, :-1], kept[1:] * kept[:-1]):
        assert other.mean().item() == pytest.approx(0.64, abs=0.003)
    assert torch.equal(layer.eval()(neurons), neurons) and torch.equal(vae.Dropout(0.0)(neurons), neurons)


def test_loss_of_the_log_is_the_weighted_sum_of_its_terms():
    tnf, abundance = synthetic(50, 3)
    settings = vae.Hyperparameters(latent_size=4, hidden_sizes=(8,), epochs=2, alpha=0.3, beta=7)
    model = vae.VAE(3, settings)
    optimizer = torch.optim.Adam(model.parameters())
    data = torch.from_numpy(np.hstack((abundance, tnf, tnf[:, :1])))
    for row in vae.train(model, optimizer, data, torch.ones(50), settings, threads=1):
        expected = 2 / 3 * 0.7 / math.log(3) * row["ce"] + 0.3 / 136 * row["sse"] + row["kld"] / (4 * 7)
        assert row["loss"] == pytest.approx(expected + 0.7 / 3 * row["depth_se"], rel=1e-5)


def linear_widths(model: vae.VAE) -> list[tuple[int, int]]:
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    return [(layer.in_features, layer.out_features) for layer in layers]


def test_network_shape():
    """Layers, widths and order of the preprint: two hidden layers each way, the decoder's reversed."""
    model = vae.VAE(6, dataclasses.replace(vae.PRESETS["preprint"], hidden_sizes=(325, 200)))
    assert linear_widths(model) == [(142, 325), (325, 200), (200, 40), (200, 40), (40, 200), (200, 325), (325, 142)]
    dropout = [layer.left_out for layer in model.modules() if isinstance(layer, vae.Dropout)]
    assert dropout == [13107] * 4  # 0.2 x 65,536
    norms = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm1d)]
    assert [layer.num_features for layer in norms] == [325, 200, 200, 325]


def test_default_network_has_depth_and_no_sigma_layer():
    settings = vae.Hyperparameters(hidden_sizes=(30, 20), latent_size=4)
    model = vae.VAE(6, settings)
    assert linear_widths(model) == [(143, 30), (30, 20), (20, 4), (4, 20), (20, 30), (30, 143)]
    assert (model.encode(torch.randn(5, 143))[1] == 0).all()


def test_rebuilt_abundances_are_a_distribution():
    settings = vae.Hyperparameters(latent_size=4, hidden_sizes=(8, 8))
    log_abundance, other = vae.VAE(5, settings).eval().decode(torch.randn(7, 4))
    assert log_abundance.exp().sum(dim=1).tolist() == pytest.approx([1] * 7, rel=1e-5)
    assert other.shape == (7, vae.N_TNF + 1)


def test_one_monte_carlo_sample_has_the_variance_of_the_sigma_layer():
    """With the decoder replaced by the identity, what comes out is N(3, sigma), ln sigma = softplus(2)."""
    torch.manual_seed(0)
    settings = vae.Hyperparameters(latent_size=4, hidden_sizes=(8,), depth=False, unit_variance=False)
    model = vae.VAE(2, settings).eval()
    with torch.no_grad():
        for layer, constant in ((model.mu, 3.0), (model.sigma, 2.0)):
            layer.weight.zero_()
            layer.bias.fill_(constant)
    model.decode = lambda latent: (latent, latent)
    latent = model(torch.randn(20000, 2 + vae.N_TNF))[0]
    assert latent.mean().item() == pytest.approx(3, abs=0.05)
    assert latent.var().item() == pytest.approx(1 + math.exp(2), rel=0.03)


def test_batch_doubles_after_the_given_epochs():
    sizes = [vae.epoch_batch_size(epoch, 10**6, 64, (25, 75, 150, 300)) for epoch in range(1, 501)]
    runs = [(1, 25, 64), (26, 75, 128), (76, 150, 256), (151, 300, 512), (301, 500, 1024)]
    assert sizes == [size for first, last, size in runs for _ in range(first, last + 1)]
    assert vae.epoch_batch_size(26, 100, 64, (25,)) == 100


@pytest.mark.parametrize(
    ("n", "batch", "sizes"),
    [(10, 4, [4, 4, 2]), (9, 4, [4, 5]), (8, 4, [4, 4]), (3, 2, [3]), (2, 2, [2]), (5, 5, [5])],
)
def test_batches_cover_every_row_once_and_none_has_one_row(n, batch, sizes):
    bounds = vae.batch_bounds(n, batch)
    assert [stop - start for start, stop in bounds] == sizes
    assert [row for start, stop in bounds for row in range(start, stop)] == list(range(n))


@pytest.mark.parametrize("preset", vae.PRESETS)
def test_training_separates_groups_and_loss_falls(tmp_path, monkeypatch, preset):
    tnf, abundance = synthetic(300, 4)
    inputs = write_features(tmp_path, tnf, abundance)
    options = ("--hidden_sizes", "32,32", "--latent_size", "6", "--epochs", "40", "--batch_double_at", "10,20")
    result = run(tmp_path / "out", monkeypatch, inputs, "--preset", preset, "--batch_size", "64", *options)
    assert result.exit_code == 0, result.output
    log = pd.read_csv("training.tsv", sep="\t")
    assert log.columns.tolist() == list(vae.LOG_COLUMNS)
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
    model, saved = vae.load_model(Path("model.pt"))
    data = torch.from_numpy(np.hstack((abundance, tnf, np.zeros((60, 1), dtype=np.float32))))
    assert np.array_equal(vae.encode_rows(model, data), np.load("latent.npy"))
    assert saved["samples"] == ["s0", "s1", "s2"]
    assert saved["hyperparameters"]["hidden_sizes"] == (16, 8)
    assert saved["scaling"]["tnf_sd"] == [0.002] * vae.N_TNF
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
    assert Path("training.tsv").read_text() == "\t".join(vae.LOG_COLUMNS) + "\n"
    assert vae.load_model(Path("model.pt"))[0].mu.out_features == 4


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
    tnf, abundance = np.zeros((n, vae.N_TNF), dtype=np.float32), np.ones((n, 1), dtype=np.float32)
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
    options = ("--preset", "preprint", "--beta", "1e-3", "--epochs", "500", "--learning_rate", "1")
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


def test_divergence_is_ten_epochs_in_a_row_above_ten_times_the_start():
    def rows(*losses):
        return [{"epoch": epoch, "loss": loss} for epoch, loss in enumerate(losses, start=1)]

    vae.check_convergence(rows(*[21.0] * 9), 2.0)
    vae.check_convergence(rows(*[1e9] * 6, 19.9, *[1e9] * 9), 2.0)
    with pytest.raises(FloatingPointError, match="epoch 17"):
        vae.check_convergence(rows(*[1e9] * 6, 19.9, *[20.1] * 10), 2.0)


def test_untrained_loss_leaves_model_and_random_numbers_alone():
    """And is about the first epoch's loss at a rate that trains nothing."""
    tnf, abundance = synthetic(500, 3)
    data = torch.from_numpy(np.hstack((abundance, tnf)))
    torch.manual_seed(2)
    settings = vae.Hyperparameters(latent_size=8, hidden_sizes=(32, 32), epochs=1, depth=False, learning_rate=0.0)
    model = vae.VAE(3, settings)
    weights, random = {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()
    untrained = vae.untrained_loss(model, data, torch.ones(500), settings)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    (epoch,) = vae.train(model, optimizer, data, torch.ones(500), settings, threads=1)
    assert untrained == pytest.approx(epoch["loss"], rel=0.1)


# checkpoints

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
    inputs, unbroken, checkpoints = left
    (path,) = checkpoints.glob("*.checkpoint")
    state = vae.read_checkpoint(path)
    vae.write_checkpoint(path, {**state, "key": "0" * 64})
    result = run(tmp_path / "out", monkeypatch, inputs, *KILLED, "--checkpoint_dir", str(checkpoints))
    assert result.exit_code == 0, result.output
    assert "another training" in result.output and "Going on" not in result.output
    assert_same_result(tmp_path / "out", unbroken)


@pytest.mark.parametrize(
    "change", [("--seed", "2"), ("--dropout", "0.1"), ("--epochs", "301"), ("--threads", "2"), ("data",), ("script",)]
)
def test_checkpoint_is_for_the_same_training_alone(left, tmp_path, monkeypatch, change):
    inputs, _, checkpoints = left
    (path,) = checkpoints.glob("*.checkpoint")
    options = [*KILLED, *(change if len(change) == 2 else ())]
    if change == ("data",):
        tnf, abundance = synthetic(90, 3)
        tnf[89, 135] += 1e-6
        inputs = write_features(tmp_path, tnf, abundance)
    if change == ("script",):
        (tmp_path / "vae.py").write_text(Path(vae.__file__).read_text() + "# another version\n")
        monkeypatch.setattr(vae, "__file__", str(tmp_path / "vae.py"))
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
