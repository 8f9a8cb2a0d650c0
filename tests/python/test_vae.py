"""vae.py: loss and schedule against hand computation, training, reproducibility, and refusal of unusable input."""

import hashlib
import json
import math
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


def write_features(folder: Path, tnf: np.ndarray, abundance: np.ndarray, names: list[str] | None = None) -> list[str]:
    """The four files of the features stage and the options that name them."""
    names = [f"contig{i}" for i in range(len(tnf))] if names is None else names
    np.save(folder / "tnf.npy", tnf)
    np.save(folder / "abundance.npy", abundance)
    rows = "".join(f"{name}\t{2000 + i}\n" for i, name in enumerate(names))
    (folder / "rows.tsv").write_text("contig\tlength\n" + rows)
    content = {
        "samples": [f"s{i}" for i in range(abundance.shape[1])],
        "rows_sha256": hashlib.sha256("\n".join(names).encode()).hexdigest(),
        "tnf_mean": [0.01] * vae.N_TNF,
        "tnf_sd": [0.002] * vae.N_TNF,
        "tetranucleotides": [f"k{i}" for i in range(vae.N_TNF)],
    }
    (folder / "features.json").write_text(json.dumps(content))
    files = {"tnf": "tnf.npy", "abundance": "abundance.npy", "rows": "rows.tsv", "features": "features.json"}
    return [part for option, name in files.items() for part in (f"--{option}", str(folder / name))]


def run(folder: Path, monkeypatch, inputs: list[str], *options: str):
    """Run the command in a folder of its own."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    return CliRunner().invoke(vae.main, [*inputs, *options])


def test_loss_terms_by_hand():
    """Each term recomputed number by number, from outputs that no softmax or network of ours touched."""
    abundance = [[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]]
    rebuilt = [[0.1, 0.6, 0.3], [0.7, 0.2, 0.1]]
    rng = np.random.default_rng(3)
    tnf, tnf_out = rng.normal(size=(2, 2, vae.N_TNF)).tolist()
    mu, sigma = [[0.5, -1.0], [0.0, 2.0]], [[1.0, 0.25], [2.0, 0.5]]

    ce = sse = kld = 0.0
    for row in range(2):
        ce += -sum(a * math.log(p) for a, p in zip(abundance[row], rebuilt[row]))
        sse += sum((o - i) ** 2 for o, i in zip(tnf_out[row], tnf[row]))
        kld += -0.5 * sum(1 + math.log(v) - m * m - v for m, v in zip(mu[row], sigma[row]))

    rows = torch.cat((torch.tensor(abundance), torch.tensor(tnf)), dim=1)
    terms = vae.loss_terms(
        rows, torch.tensor(rebuilt).log(), torch.tensor(tnf_out), torch.tensor(mu), torch.tensor(sigma).log()
    )
    assert terms.tolist() == pytest.approx([ce / 2, sse / 2, kld / 2], rel=1e-5)


def test_divergence_is_zero_for_the_prior_and_positive_elsewhere():
    rows = torch.zeros(1, 2 + vae.N_TNF)
    prior = torch.zeros(1, 4)
    out = torch.full((1, 2), 0.5).log(), torch.zeros(1, vae.N_TNF)
    assert vae.loss_terms(rows, *out, prior, prior).tolist() == [0, 0, 0]
    assert vae.loss_terms(rows, *out, prior, prior - 1)[2] > 0
    assert vae.loss_terms(rows, *out, prior, prior + 1)[2] > 0


def test_weights_of_the_preprint():
    """(1 - 0.05)/ln 6, 0.05/136 and 1/(40 x 200), worked out beside the code."""
    assert vae.loss_weights(6, 40, 0.05, 200) == pytest.approx((0.5302050504, 3.6764706e-4, 1.25e-4))
    assert vae.loss_weights(1, 40, 0.05, 200)[0] == 0


def test_loss_of_the_log_is_the_weighted_sum_of_its_terms():
    tnf, abundance = synthetic(50, 3)
    settings = vae.Hyperparameters(latent_size=4, hidden_sizes=(8,), epochs=2, alpha=0.3, beta=7, batch_double_at=())
    model = vae.VAE(3, 4, (8,), 0.2)
    for row in vae.train(model, torch.from_numpy(np.hstack((abundance, tnf))), settings, threads=1):
        expected = 0.7 / math.log(3) * row["ce"] + 0.3 / 136 * row["sse"] + row["kld"] / (4 * 7)
        assert row["loss"] == pytest.approx(expected, rel=1e-5)


def test_network_shape():
    """Layers, widths and order of the preprint: two hidden layers each way, the decoder's reversed."""
    model = vae.VAE(6, 40, (325, 200), 0.2)
    linear = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    widths = [(layer.in_features, layer.out_features) for layer in linear]
    assert widths == [(142, 325), (325, 200), (200, 40), (200, 40), (40, 200), (200, 325), (325, 142)]
    assert [layer.p for layer in model.modules() if isinstance(layer, torch.nn.Dropout)] == [0.2] * 4
    norms = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm1d)]
    assert [layer.num_features for layer in norms] == [325, 200, 200, 325]


def test_rebuilt_abundances_are_a_distribution():
    log_abundance, tnf = vae.VAE(5, 4, (8, 8), 0.0).eval().decode(torch.randn(7, 4))
    assert log_abundance.exp().sum(dim=1).tolist() == pytest.approx([1] * 7, rel=1e-5)
    assert tnf.shape == (7, vae.N_TNF)


def test_one_monte_carlo_sample_has_the_variance_of_the_sigma_layer():
    """With the decoder replaced by the identity, what comes out is N(3, sigma), ln sigma = softplus(2)."""
    torch.manual_seed(0)
    model = vae.VAE(2, 4, (8,), 0.0).eval()
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


def test_training_separates_groups_and_loss_falls(tmp_path, monkeypatch):
    tnf, abundance = synthetic(300, 4)
    inputs = write_features(tmp_path, tnf, abundance)
    options = ("--hidden_sizes", "32,32", "--latent_size", "6", "--epochs", "40", "--batch_double_at", "10,20")
    result = run(tmp_path / "out", monkeypatch, inputs, *options)
    assert result.exit_code == 0, result.output
    log = pd.read_csv("training.tsv", sep="\t")
    assert log.columns.tolist() == ["epoch", "loss", "ce", "sse", "kld", "batch_size", "learning_rate", "seconds"]
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
    data = torch.from_numpy(np.hstack((abundance, tnf)))
    assert np.array_equal(vae.encode_rows(model, data), np.load("latent.npy"))
    assert saved["samples"] == ["s0", "s1", "s2"]
    assert saved["hyperparameters"]["hidden_sizes"] == (16, 8)
    assert saved["scaling"]["tnf_sd"] == [0.002] * vae.N_TNF


def test_latent_json_holds_hash_and_every_hyperparameter(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(20, 3))
    assert run(tmp_path / "out", monkeypatch, inputs, *SMALL, "--seed", "9", "--alpha", "0.25").exit_code == 0
    found = json.loads(Path("latent.json").read_text())
    names = "\n".join(f"contig{i}" for i in range(20))
    expected = {
        "rows_sha256": hashlib.sha256(names.encode()).hexdigest(), "seed": 9, "latent_size": 4, "hidden_sizes": [16, 8],
        "dropout": 0.2, "alpha": 0.25, "beta": 200, "learning_rate": 0.001, "epochs": 4, "batch_size": 8,
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
    assert Path("training.tsv").read_text() == "epoch\tloss\tce\tsse\tkld\tbatch_size\tlearning_rate\tseconds\n"
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


def test_diverging_loss_stops_with_epoch_and_remedy(tmp_path, monkeypatch):
    inputs = write_features(tmp_path, *synthetic(64, 3))
    result = run(tmp_path / "out", monkeypatch, inputs, *SMALL, "--learning_rate", "1e30")
    assert result.exit_code == 1
    assert "epoch" in result.output and "--learning_rate" in result.output
    assert not Path("latent.npy").exists()


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
