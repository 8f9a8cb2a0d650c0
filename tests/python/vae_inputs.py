"""Features of contigs around a few profiles, vae.py on them, and the presets: what tests of the training share."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

import network
import vae

PRESETS = Path(__file__).resolve().parents[2] / "assets/presets.json"
SMALL = ("--hidden_sizes", "16,8", "--latent_size", "4", "--epochs", "4", "--batch_size", "8", "--batch_double_at", "2")


def read_presets() -> dict[str, dict]:
    """Return the values of each preset by its name."""
    return json.loads(PRESETS.read_text())


def preset_hyperparameters(name: str) -> network.Hyperparameters:
    """Return the hyperparameters of a preset."""
    known = {field.name for field in dataclasses.fields(network.Hyperparameters)}
    values = {key: value for key, value in read_presets()[name].items() if key in known}
    epochs = [int(epoch) for epoch in values.pop("batch_double_at").split(",") if epoch]
    return network.Hyperparameters(**values, batch_double_at=tuple(epochs))


def preset_options(name: str) -> list[str]:
    """Return the options of vae.py that a preset stands for."""
    options = []
    known = {option.name for option in vae.main.params}
    for key, value in read_presets()[name].items():
        if key not in known:
            continue
        if value is True or value is False:
            options.append(f"--{key}" if value else f"--no_{key}")
        elif value is not None:
            options += [f"--{key}", str(value)]
    return options


def synthetic(n: int, n_samples: int, seed: int = 0, groups: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """z-scaled TNF and abundances of contigs drawn around a few profiles."""
    rng = np.random.default_rng(seed)
    group = rng.integers(groups, size=n)
    tnf = rng.normal(size=(groups, network.N_TNF))[group] + 0.3 * rng.normal(size=(n, network.N_TNF))
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
        "tnf_mean": [0.01] * network.N_TNF,
        "tnf_sd": [0.002] * network.N_TNF,
        "depth_mean": 1.5,
        "depth_divisor": 0.5,
        "tetranucleotides": [f"k{i}" for i in range(network.N_TNF)],
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
