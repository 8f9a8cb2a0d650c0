"""plan_trials.py: the three rounds, held-out groups, and requests that cannot be met."""

import shlex
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import plan_trials
import vae
from experiment_tables import PLAN, SEARCHED, TRIALS
from stage_tables import read_table
from table_output import write_table

GROUPS = ("--group", "a", "--group", "b", "--group", "c", "--search_held_out", "b")


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def plan(*options: str) -> pd.DataFrame:
    done = CliRunner().invoke(
        plan_trials.main, [*GROUPS, "--experiment_epochs", "8", "--search_networks", "6", *options]
    )
    assert done.exit_code == 0, done.output
    return read_table(PLAN, Path("plan.tsv"))


def run_trials(found: pd.DataFrame, name: str, better: str = "") -> list[str]:
    """Write trials.tsv for the trials of a plan: all find 5 genomes, and the one named `better` finds 7."""
    for number, row in enumerate(found.itertuples()):
        words = ["--tnf=/", "--abundance=/", "--depth_file=/", "--rows=/", "--features=/"]
        command = [word.replace("=/", f"={Path(__file__)}") for word in words] + shlex.split(row.options)
        values = vae.main.make_context("vae.py", command).params
        settings = [values[option] for option in ("epochs", "latent_size", "dropout", "warmup", "alpha", "beta")]
        genomes = 7.0 if row.trial == better else 5.0
        cells = [row.group, row.trial, row.experiments, row.encoder, row.inputs, *settings]
        cells += [40, 9, 0.1, 25, genomes, 0.5, 0.5, 0.5]
        frame = pd.DataFrame([cells], columns=[column.name for column in TRIALS.columns])
        Path(f"{name}{number}").mkdir()
        write_table(TRIALS, frame, f"{name}{number}/trials.tsv")
    return [word for n in range(len(found)) for word in ("--trials", f"{name}{n}/trials.tsv")]


def test_the_held_out_group_is_in_all_experiments_but_the_search():
    found = plan()
    in_search = found["trial"].str.startswith("search_")
    assert set(found.loc[in_search, "group"]) == {"a", "c"} and in_search.sum() == 2 * 6
    assert found[~in_search].groupby("group").size().to_dict() == {"a": 10, "b": 10, "c": 10}
    options = found.set_index(["group", "trial"])["options"]
    assert options["a", "tnf_vae"] == "--inputs=tnf --epochs=8"
    assert options["b", "epochs_40"] == "--inputs=both --epochs=40 --held_out=0.1"
    assert options["c", "both_autoencoder"] == "--inputs=both --no_variational --epochs=8"
    assert plan("--experiments", "latent,inputs")["trial"].nunique() == 7


def test_the_search_ends_with_the_best_network_on_all_groups():
    first = plan("--experiments", "search")
    tables = run_trials(first, "first", better="search_1_03")
    best = first.set_index("trial").loc["search_1_03", "options"].iloc[0]
    second = plan("--round", "second", *tables)
    assert second["trial"].nunique() == 7 and set(second["group"]) == {"a", "c"}
    assert set(second.set_index("trial").loc["search_2_tentative", "options"]) == {best}
    tables += run_trials(second, "second", better="search_2_dropout_1")
    final = plan("--round", "final", *tables)
    assert final["group"].tolist() == ["a", "b", "c"] and set(final["trial"]) == {"search_final"}
    assert set(final["options"]) == set(second.set_index("trial").loc["search_2_dropout_1", "options"])
    table = read_table(SEARCHED, Path("hyperparameters.tsv")).set_index("hyperparameter")
    assert table["spread"].to_dict() == {**dict.fromkeys(table.index, 0), "dropout": 2 * 2}
    assert table.loc["dropout", "final"] == 0.25 != table.loc["dropout", "tentative"]
    assert table.loc["epochs", "final"] == table.loc["epochs", "tentative"]


def test_nothing_varies_and_nothing_is_found():
    """One network in each round: there is no correlation, and one spread."""
    one = ("--search_networks", "1")
    tables = run_trials(plan("--experiments", "search", *one), "first")
    tables += run_trials(plan("--round", "second", *tables, *one), "second")
    plan("--round", "final", *tables, *one)
    table = read_table(SEARCHED, Path("hyperparameters.tsv"))
    assert table["correlation"].isna().all() and table["spread"].notna().tolist() == [True] + [False] * 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--group", "a", "--search_held_out", "b"], "'b': is none of the groups (a); give one of these"),
        (["--group", "a", "--search_held_out", "a"], "leaves no group to search"),
        (["--group", "a", "--round", "second"], "none of a network search_1_...; give the trials.tsv"),
        (["--group", "a", "--experiments", "inputs,figures"], "no experiment 'figures'; give some of inputs, "),
    ],
)
def test_a_request_that_cannot_be_met(options, words):
    done = CliRunner().invoke(plan_trials.main, options)
    assert done.exit_code == 1 and words in done.output
