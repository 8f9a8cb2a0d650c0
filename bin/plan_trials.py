#!/usr/bin/env python3
"""Plan the trials of the preprint's experiments: those of a round, which depends on what the rounds before found.

In:  from the second round on trials.tsv of each trial of the rounds before.
Out: plan.tsv (`group, trial, experiments, encoder, inputs, options`), a row for each trial of the round; of the final
     round also hyperparameters.tsv.

The first round has all experiments, and of the search random networks. The second varies one hyperparameter of the
search after the other. The final one has the network of the best values. The search learns from all groups but the
held-out one, which only the final network sees (preprint, "Hyperparameter search for the VAE").
"""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import pandas as pd

from experiment_tables import OPTIONS, PLAN, SEARCHED, TRIALS
from experiment_trials import (
    EXPERIMENTS,
    FIRST_ROUND,
    SECOND_ROUND,
    Trial,
    final_network,
    final_values,
    first_round,
    intervals,
    second_round,
    tentative_values,
    trials_of,
    varied,
)
from message_text import shown
from stage_tables import read_table
from table_output import write_rows

ROUNDS = ("first", "second", "final")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def plan_rows(groups: Iterable[str], trials: Iterable[Trial], epochs: int) -> list[list[str]]:
    """Return the rows of plan.tsv for these trials in each group; `epochs` is the usual number."""
    return [
        [group, trial.name, ",".join(trial.experiments), trial.encoder, trial.inputs, option_words(trial, epochs)]
        for group, trial in itertools.product(groups, trials)
    ]


def option_words(trial: Trial, epochs: int) -> str:
    """Return all options of vae.py that make the trial what it is, a number of epochs too, which presets have else."""
    words = [f"--inputs={trial.inputs}", *(["--no_variational"] if trial.encoder == "autoencoder" else [])]
    options = {"epochs": epochs, **trial.options}
    return " ".join([*words, *(f"--{name}={value:g}" for name, value in options.items())])


def experiment_names(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    """Return the names of experiments; raise ClickException for one that there is not."""
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in EXPERIMENTS:
            known = ", ".join(EXPERIMENTS)
            raise click.ClickException(f"--experiments: there is no experiment {shown(name)}; give some of {known}")
    return names


def training_groups(groups: Sequence[str], held_out: str | None) -> list[str]:
    """Return the groups that the search learns from; raise ClickException if there is none, or no held-out group."""
    if held_out and held_out not in groups:
        raise click.ClickException(
            f"--search_held_out {shown(held_out)}: is none of the groups ({', '.join(groups)}); give one of these"
        )
    others = [group for group in groups if group != held_out]
    if not others:
        raise click.ClickException(
            f"--search_held_out {shown(held_out)}: leaves no group to search; give sheets of several groups, or no "
            "held-out one"
        )
    return others


def read_networks(paths: Sequence[Path], groups: Sequence[str], name: str) -> pd.DataFrame:
    """Return the networks of a round of the search, by trial: hyperparameters, and `found` as the sum over the groups.

    Raise ClickException if there is none.
    """
    table = pd.concat([read_table(TRIALS, path) for path in paths], ignore_index=True) if paths else None
    if table is not None:
        table = table[table["group"].isin(groups) & table["trial"].str.startswith(name)]
    if table is None or table.empty:
        raise click.ClickException(f"--trials: none of a network {name}...; give the trials.tsv of the rounds before")
    return table.groupby("trial", sort=True).agg({**dict.fromkeys(OPTIONS, "first"), "found": "sum"})


def searched_rows(first: pd.DataFrame, second: pd.DataFrame, epochs: int) -> list[list]:
    """Return the rows of hyperparameters.tsv: intervals, values and what each hyperparameter does to what is found.

    That is the rank correlation over the random networks, None where nothing varies, and how far apart the networks of
    the second round are, None where none varies the hyperparameter.
    """
    tentative, final = tentative_values(first, epochs), final_values(second)
    rows = []
    for name, interval in intervals(epochs).items():
        ranks = first[[name, "found"]].rank()
        correlation = ranks[name].corr(ranks["found"]) if (ranks.nunique() > 1).all() else None
        found = varied(second, name)["found"]
        spread = found.max() - found.min() if len(found) > 1 else None
        rows.append([name, interval.low, interval.high, tentative[name], final[name], correlation, spread])
    return rows


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--round", "which", default="first", type=click.Choice(ROUNDS), help="Which trials to plan.")
@click.option("--group", "groups", multiple=True, required=True, help="Id of a group; repeatable.")
@click.option(
    "--experiments", default=",".join(EXPERIMENTS), callback=experiment_names, help="Names, separated by commas."
)
@click.option("--experiment_epochs", default=500, type=click.IntRange(1, 100_000), help="Epochs of a network.")
@click.option("--search_networks", default=50, type=click.IntRange(1, 10_000), help="Networks of each round.")
@click.option("--search_held_out", help="Id of the group that the search does not see.")
@click.option("--seed", default=1, type=click.IntRange(0, 2**63 - 1), help="Seed of the random networks.")
@click.option("--trials", "tables", multiple=True, type=FILE, help="trials.tsv of the rounds before; repeatable.")
def main(
    which: str, groups: tuple[str, ...], experiments: tuple[str, ...], experiment_epochs: int, search_networks: int,
    search_held_out: str | None, seed: int, tables: tuple[Path, ...],
) -> None:  # fmt: skip
    """Plan the trials of a round; write plan.tsv and, of the final round, hyperparameters.tsv here."""
    searched = training_groups(groups, search_held_out)
    if which == "first":
        trials = trials_of(experiments, experiment_epochs)
        random = first_round(search_networks, experiment_epochs, seed) if "search" in experiments else []
        rows = [*plan_rows(groups, trials, experiment_epochs), *plan_rows(searched, random, experiment_epochs)]
    else:
        first = read_networks(tables, searched, FIRST_ROUND)
        if which == "second":
            trials = second_round(tentative_values(first, experiment_epochs), search_networks, experiment_epochs)
            rows = plan_rows(searched, trials, experiment_epochs)
        else:
            second = read_networks(tables, searched, SECOND_ROUND)
            rows = plan_rows(groups, [final_network(second)], experiment_epochs)
            found = searched_rows(first, second, experiment_epochs)
            write_rows(SEARCHED, found)
    write_rows(PLAN, rows)
    click.echo(f"{len(rows)} trials in the {which} round", err=True)


if __name__ == "__main__":
    main()
