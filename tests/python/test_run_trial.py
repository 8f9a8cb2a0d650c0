"""run_trial.py: raw, encoded and plain, scored against a truth that is known by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import run_trial
from bin_scores import Truth, genome_bin_pairs
from experiment_tables import LOSSES, TRIAL_GENOMES, TRIALS
from stage_tables import read_table
from vae_inputs import synthetic, write_features

N = 60
VAE_OPTIONS = "--hidden_sizes=16 --latent_size=4 --epochs=3 --batch_size=16 --no_depth"


@pytest.fixture
def inputs(tmp_path, monkeypatch) -> list[str]:
    """Features of contigs of four genomes, which TNF alone and abundance alone tell apart, and their truth."""
    tnf, abundance = synthetic(N, 3)
    words = write_features(tmp_path, tnf, abundance)
    genome = np.random.default_rng(0).integers(4, size=N)
    names = [f"contig{i}" for i in range(N)]
    contigs = pd.DataFrame({"contig": names, "assembly": "A", "name": names, "length": range(2000, 2000 + N)})
    contigs.to_csv(tmp_path / "contigs.tsv", sep="\t", index=False)
    truth = pd.DataFrame({"contig": names, "genome": [f"g{number}" for number in genome]})
    truth.to_csv(tmp_path / "truth.tsv", sep="\t", index=False)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    return [*words, "--contigs", str(tmp_path / "contigs.tsv"), "--truth", str(tmp_path / "truth.tsv")]


def run(inputs: list[str], options: str, *further: str):
    words = ["--group", "g", "--trial", "t", "--experiments", "inputs", "--min_bin_size", "1000"]
    words += ["--vae_options", f"{VAE_OPTIONS} {options}", "--cluster_options", "--seed=1", *further]
    return CliRunner().invoke(run_trial.main, [*words, *inputs])


@pytest.mark.parametrize(("chosen", "columns"), [("tnf", 136), ("abundance", 3), ("both", 139)])
def test_raw_contigs_are_clustered_by_the_columns_of_the_network(inputs, chosen, columns):
    assert run(inputs, f"--inputs={chosen}", "--encoder", "raw").exit_code == 0
    row = read_table(TRIALS, Path("trials.tsv")).iloc[0]
    assert row["columns"] == columns == np.load("latent.npy").shape[1] and row["inputs"] == chosen
    assert row[["epochs", "dropout", "errorsum"]].isna().all() and row["genomes"] == 4
    assert chosen == "abundance" or row["purity"] > 0.9  # three abundances that sum to 1 tell little
    assert read_table(LOSSES, Path("losses.tsv")).empty


def test_a_network_has_settings_losses_and_scores(inputs):
    done = run(inputs, "--alpha=0.3 --beta=20 --held_out=0.2 --warmup=1")
    assert done.exit_code == 0, done.output
    row = read_table(TRIALS, Path("trials.tsv")).iloc[0]
    settings = row[["epochs", "latent_neurons", "dropout", "warmup", "sseratio", "errorsum", "columns"]]
    assert settings.tolist() == [3, 4, 0.2, 1, 0.3, 20, 4]
    losses = read_table(LOSSES, Path("losses.tsv"))
    assert losses["epoch"].tolist() == [1, 2, 3] and losses["held_out_loss"].notna().all()
    found = read_table(TRIAL_GENOMES, Path("genomes_found.tsv"))
    assert found["precision"].tolist() == [0.9, 0.95]
    at_recalls = found.filter(like="recall_").to_numpy()
    assert (np.diff(at_recalls, axis=1) <= 0).all() and (at_recalls <= row["genomes"]).all()
    assert row["found"] == pytest.approx(at_recalls[0][:-1].mean(), rel=1e-5)


def test_a_plain_autoencoder_without_held_out_contigs(inputs):
    assert run(inputs, "--no_variational", "--encoder", "autoencoder").exit_code == 0
    losses = read_table(LOSSES, Path("losses.tsv"))
    expected = losses["ce"] * 0.85 / np.log(3) + losses["sse"] * 0.15 / 136
    assert losses["loss"].tolist() == pytest.approx(expected.tolist(), rel=1e-4)
    assert losses["held_out_loss"].isna().all()


def test_a_share_of_less_than_a_contig_holds_out_none(inputs):
    assert run(inputs, "--held_out=0.001").exit_code == 0
    losses = read_table(LOSSES, Path("losses.tsv"))
    assert losses["epoch"].tolist() == [1, 2, 3] and losses["held_out_loss"].isna().all()


def test_best_f1_by_hand():
    """b has 10 of 15 bp and all of g1: 0.8. g2 is in the small bin c alone, 2/3, or in b, 2 * 1/3 * 1/2 / (5/6)."""
    truth = Truth({"x": 10, "y": 5, "z": 5}, {"x": {"g1"}, "y": {"g2"}, "z": {"g2"}})
    pairs = list(genome_bin_pairs({"b": {"x", "y"}, "c": {"z"}}, truth))
    assert run_trial.best_f1(pairs, truth, 6) == pytest.approx((0.8 + 0.4) / 2)
    assert run_trial.best_f1(pairs, truth, 0) == pytest.approx((0.8 + 2 / 3) / 2)
    assert run_trial.best_f1(pairs, truth, 100) == 0


def test_an_option_that_vae_refuses_is_named(inputs):
    done = run(inputs, "--dropout=2")
    assert done.exit_code != 0 and "--dropout" in done.output
