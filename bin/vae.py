#!/usr/bin/env python3
"""Train the variational autoencoder on a group's features, or take a trained one, and encode the group's contigs.

In:  tnf.npy (n x 136 float32, z-scaled), abundance.npy (n x s float32, rows sum to 1), depth.npy (n float32, log of the
     abundance summed over the samples, scaled), rows.tsv (`contig, length`: the rows of all), features.json (`samples`,
     `rows_sha256`, and the scaling of the columns).
Out: latent.npy (n x N_L float32, the means), latent.json, model.pt (`network.load_model` reads it), training.tsv (one
     row per epoch; `loss` is the weighted sum of the other terms, which are means over the rows). With
     --checkpoint_dir, what training needs to resume after it was killed: the end is then the same, bit for bit.
     With --model nothing is trained: model.pt is that model, training.tsv has no row.

The network and its loss are in network.py, the loop over epochs in training.py, the checkpoints in checkpoints.py. The
options default to the preset `default`; assets/presets.json has their values for the VAMB preprint.
"""

import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch

from checkpoints import Checkpoints, training_key
from held_out import HELD_OUT_LOSS, Rows, held_out_loss, split_rows
from input_rows import ArrayFile, FileRows, HeldRows, InputRows
from memory_estimate import FLOAT_BYTES, check_memory, held_bytes
from network import (
    DEFAULT_ALPHA,
    SINGLE_SAMPLE_ALPHA,
    VAE,
    Hyperparameters,
    device_name,
    encode_rows,
    loss_weights,
    row_weights,
    save_model,
    used_columns,
)
from stage_arrays import (
    ABUNDANCE,
    DEPTH,
    FEATURES,
    LATENT,
    LATENT_DESCRIPTION,
    TNF,
    check_hash,
    map_matrix,
    read_description,
    read_matrix,
    write_description,
    write_matrix,
)
from stage_tables import HELD_OUT_TRAINING, ROWS, TRAINING, read_table
from stage_warnings import warn
from table_output import write_table
from trained_model import encode_by_model
from training import (
    DEFAULT_EPOCHS,
    LOG_COLUMNS,
    MIN_DEFAULT_STEPS,
    check_convergence,
    default_epochs,
    make_deterministic,
    make_optimizer,
    train,
    untrained_loss,
)

# Batch normalisation cannot train on fewer contigs.
MIN_TRAINING_ROWS = 2
# Where stderr is no terminal, a line of progress appears at least this often.
LOG_SECONDS = 30
LOG_LINES = 20
DEFAULTS = Hyperparameters()
# Threads of training at most. Their number decides the last bits of the latent, so it follows from the batches alone,
# not from the processors that a task is given. Eight threads on one core take 6 % more CPU time than one (batch 1024).
TRAINING_THREADS = 8
MAX_LAYERS, MAX_WIDTH = 16, 99_999  # of the encoder; nextflow_schema.json has the same
INPUT_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def read_features(
    tnf: Path, abundance: Path, depth: Path, rows: Path, features: Path, settings: Hyperparameters, device: torch.device
) -> tuple[InputRows, np.ndarray, dict]:
    """Return the network's input (n x columns, abundances first), the lengths (n, bp) and what features.json holds.

    Columns that the network is not to see are 0. An input that is too large for the memory stays in its files. Raise
    ClickException if the files are not of one run of the features stage.
    """
    table = read_table(ROWS, rows)
    content = read_description(FEATURES, features, ["samples", "rows_sha256"])
    check_hash(features, content["rows_sha256"], table["contig"], rows)
    if not content["samples"]:
        raise click.ClickException(f"{features}: names no sample; give the features of a group with one at least")
    matrices = [(ABUNDANCE, abundance), (TNF, tnf), *([(DEPTH, depth)] if settings.depth else [])]
    n_samples = len(content["samples"])
    is_used, length = used_columns(n_samples, settings), table["length"].to_numpy()
    is_held = len(table) * len(is_used) * FLOAT_BYTES <= held_bytes(device)
    read = read_matrix if is_held else map_matrix
    columns = [read(matrix, path, table["contig"], rows, n_samples) for matrix, path in matrices]
    if not is_held:
        return FileRows([ArrayFile(part) for part in columns], is_used, device), length, content
    matrix = np.column_stack(columns).astype(np.float32, copy=False)
    matrix[:, ~is_used] = 0
    return HeldRows(torch.from_numpy(matrix).to(device)), length, content


def select_device(name: str) -> torch.device:
    """Return the device asked for and log its name; raise ClickException if it is a GPU and none is visible."""
    if name == "cuda" and not torch.cuda.is_available():
        raise click.ClickException(
            "--device cuda: no NVIDIA GPU is visible here. Run the pipeline with `-profile gpu` on a machine that has "
            "one; in a container pass the GPU through (`--gpus all` for Docker, `--device nvidia.com/gpu=all` for "
            "Podman, `--nv` for Apptainer and Singularity); or train on the processor with --device cpu."
        )
    click.echo(f"Training on {torch.cuda.get_device_name() if name == 'cuda' else 'the processor'}.", err=True)
    return torch.device(name)


def whole_numbers(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Return the comma-separated positive whole numbers of an option; raise BadParameter that shows the form."""
    fields = [field.strip() for field in value.split(",")] if value.strip() else []
    if not all(field.isascii() and field.isdigit() and int(field) > 0 for field in fields):
        raise click.BadParameter(f"{value!r} is not a comma-separated list of positive whole numbers such as 325,325")
    return tuple(int(field) for field in fields)


def layer_sizes(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Return the widths of the hidden layers; raise BadParameter if there is none."""
    sizes = whole_numbers(context, option, value)
    if not sizes:
        raise click.BadParameter("at least one hidden layer is needed, for example 325,325")
    if len(sizes) > MAX_LAYERS or max(sizes) > MAX_WIDTH:
        raise click.BadParameter(f"{value!r} must be {MAX_LAYERS} widths at most, of at most {MAX_WIDTH} each")
    return sizes


def increasing_epochs(context: click.Context, option: click.Parameter, value: str) -> tuple[int, ...]:
    """Return the epochs after which the batch doubles, empty for never; raise BadParameter unless they increase."""
    epochs = whole_numbers(context, option, value)
    if list(epochs) != sorted(set(epochs)):
        raise click.BadParameter(f"{value!r} must increase from left to right, as in 25,75,150,300")
    return epochs


class Progress:
    """Progress of the training on stderr: one line rewritten on a terminal, elsewhere a line every 5 % or 30 s."""

    def __init__(self, epochs: int, done: int) -> None:
        self.epochs = epochs
        self.done = done
        self.started = self.last_shown = time.monotonic()
        self.live = sys.stderr.isatty()

    def show(self, row: dict[str, float]) -> None:
        """Print one row of training.tsv if it is due."""
        now = time.monotonic()
        epoch, last = row["epoch"], row["epoch"] == self.epochs
        due = epoch == 1 or epoch % max(1, self.epochs // LOG_LINES) == 0 or now - self.last_shown >= LOG_SECONDS
        if not (self.live or last or due):
            return
        self.last_shown = now
        left = (now - self.started) / (epoch - self.done) * (self.epochs - epoch)
        text = (
            f"epoch {epoch}/{self.epochs}  loss {row['loss']:.4f}  CE {row['ce']:.4f}  SSE {row['sse']:.2f}  "
            f"KLD {row['kld']:.2f}  batch {row['batch_size']}  {row['seconds']:.2f} s/epoch  {left:.0f} s left"
        )
        click.echo(f"\r{text:<110}" if self.live else text, err=True, nl=last or not self.live)


def run_training(
    model: VAE,
    rows: Rows,
    left_out: Rows | None,
    settings: Hyperparameters,
    checkpoints: Checkpoints | None,
) -> pd.DataFrame:
    """Train on rows with progress on stderr and return training.tsv; raise ClickException if training fails."""
    columns = (*LOG_COLUMNS, HELD_OUT_LOSS) if settings.held_out else LOG_COLUMNS
    if len(rows.data) < MIN_TRAINING_ROWS:
        warn(
            f"{len(rows.data)} contig(s) to learn from, at least {MIN_TRAINING_ROWS} are needed: the network is not "
            "trained, the latent comes from its first random weights."
        )
        return pd.DataFrame(columns=columns)
    untrained = untrained_loss(model, *rows, settings)
    optimizer = make_optimizer(model, settings)
    history = checkpoints.resume(model, optimizer) if checkpoints else []
    progress = Progress(settings.epochs, len(history))
    try:
        for row in train(model, optimizer, *rows, settings, TRAINING_THREADS, first_epoch=len(history) + 1):
            if left_out is not None:
                row[HELD_OUT_LOSS] = held_out_loss(model, left_out, settings)
            progress.show(row)
            history.append(row)
            check_convergence(history, untrained)
            if checkpoints:
                checkpoints.save(model, optimizer, history)
    except FloatingPointError as error:
        raise click.ClickException(
            f"{error}. Lower --learning_rate (it is {settings.learning_rate:g}; try a tenth of it) or raise "
            f"--batch_size (it is {settings.batch_size})."
        ) from error
    return pd.DataFrame(history, columns=columns)


def describe_training(settings: Hyperparameters, features: dict, seed: int, device: str) -> dict:
    """Return the content of latent.json: all that decides the latent, but for the code and the features themselves."""
    return {
        "rows_sha256": features["rows_sha256"],
        "seed": seed,
        **asdict(settings),
        "loss_weights": dict(zip(("ce", "sse", "kld", "depth_se"), loss_weights(len(features["samples"]), settings))),
        "device": device_name(device),
        "torch": torch.__version__,
    }


def open_checkpoints(
    folder: Path | None, every: int, data: InputRows, weight: np.ndarray, description: dict
) -> Checkpoints | None:
    """Return the checkpoint of the training that a description and its input make out; None without a folder."""
    return Checkpoints(folder, training_key(data, weight, **description), every) if folder else None


def write_tables(training: pd.DataFrame, description: dict) -> None:
    """Write training.tsv and latent.json."""
    write_table(HELD_OUT_TRAINING if HELD_OUT_LOSS in training else TRAINING, training)
    write_description(LATENT_DESCRIPTION, description)


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--tnf", required=True, type=INPUT_FILE, help="tnf.npy")
@click.option("--abundance", required=True, type=INPUT_FILE, help="abundance.npy")
@click.option("--depth_file", required=True, type=INPUT_FILE, help="depth.npy")
@click.option("--rows", required=True, type=INPUT_FILE, help="rows.tsv")
@click.option("--features", required=True, type=INPUT_FILE, help="features.json")
@click.option("--latent_size", default=DEFAULTS.latent_size, type=click.IntRange(2, 10_000), help="Latent neurons N_L.")
@click.option(
    "--hidden_sizes",
    default=",".join(map(str, DEFAULTS.hidden_sizes)),
    callback=layer_sizes,
    help="Widths of the encoder's hidden layers.",
)
@click.option(
    "--dropout", default=DEFAULTS.dropout, type=click.FloatRange(0, 1, max_open=True), help="Share of neurons left out."
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1),
    help=f"Weight of TNF against abundance; if not given, {DEFAULT_ALPHA}, or {SINGLE_SAMPLE_ALPHA} with one sample.",
)
@click.option(
    "--beta", default=DEFAULTS.beta, type=click.FloatRange(min=0, min_open=True), help="Divisor of the KL term."
)
@click.option("--depth/--no_depth", default=DEFAULTS.depth, help="Take the summed abundance as a further input.")
@click.option(
    "--length_weights/--no_length_weights", default=DEFAULTS.length_weights, help="Let long contigs weigh more."
)
@click.option(
    "--unit_variance/--no_unit_variance", default=DEFAULTS.unit_variance, help="Fix the latent variance at 1."
)
@click.option(
    "--learning_rate",
    default=DEFAULTS.learning_rate,
    type=click.FloatRange(min=0, min_open=True),
    help="Adam's learning rate, at its highest.",
)
@click.option(
    "--schedule",
    default=DEFAULTS.schedule,
    type=click.Choice(["constant", "cycle"]),
    help="Keep the learning rate, or let it rise and fall once.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 1_000_000),
    help=f"Passes over all contigs; if not given, {DEFAULT_EPOCHS}, or more to make {MIN_DEFAULT_STEPS:,} steps.",
)
@click.option(
    "--batch_size", default=DEFAULTS.batch_size, type=click.IntRange(2, 100_000_000), help="First mini-batch size."
)
@click.option(
    "--batch_double_at",
    default=",".join(map(str, DEFAULTS.batch_double_at)),
    callback=increasing_epochs,
    help="Epochs after which the mini-batch doubles; never if empty.",
)
@click.option(
    "--inputs",
    default=DEFAULTS.inputs,
    type=click.Choice(["both", "tnf", "abundance"]),
    help="What the network sees: both, or one alone, which has all the weight then.",
)
@click.option(
    "--variational/--no_variational",
    default=DEFAULTS.variational,
    help="Draw latent points and weigh the KL term, or train a plain autoencoder.",
)
@click.option(
    "--warmup",
    default=DEFAULTS.warmup,
    type=click.IntRange(0, 1_000_000),
    help="Epochs in which the weight of the KL term rises.",
)
@click.option(
    "--held_out",
    default=DEFAULTS.held_out,
    type=click.FloatRange(0, 1, max_open=True),
    help="Share of the contigs that training leaves out; training.tsv has their loss.",
)
@click.option(
    "--model",
    "model_path",
    type=INPUT_FILE,
    help="model.pt of a former training, which encodes the contigs with its own settings: nothing is trained.",
)
@click.option("--seed", default=1, type=click.IntRange(0, 2**63 - 1), help="Seed of weights, noise and shuffling.")
@click.option("--device", default="cpu", type=click.Choice(["cpu", "cuda"]), help="Where to train.")
@click.option("--threads", default=1, type=click.IntRange(min=1), help="CPU threads of encoding.")
@click.option(
    "--checkpoint_dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="BINLOOM_CHECKPOINT_DIR",
    show_envvar=True,
    help="Folder for checkpoints, which must outlive the task; if not given, a killed training starts anew.",
)
@click.option(
    "--checkpoint_every",
    default=25,
    type=click.IntRange(1, 1_000_000),
    envvar="BINLOOM_CHECKPOINT_EVERY",
    show_envvar=True,
    help="Epochs from one checkpoint to the next.",
)
def main(
    tnf: Path,
    abundance: Path,
    depth_file: Path,
    rows: Path,
    features: Path,
    model_path: Path | None,
    seed: int,
    device: str,
    threads: int,
    checkpoint_dir: Path | None,
    checkpoint_every: int,
    **hyperparameters,
) -> None:
    """Train the autoencoder on a group's features, or take a trained one; write its latent and description here."""
    settings = Hyperparameters(**hyperparameters)
    make_deterministic(seed)
    target = select_device(device)
    data, length, content = read_features(tnf, abundance, depth_file, rows, features, settings, target)
    if model_path:
        torch.set_num_threads(threads)
        encode_by_model(model_path, data, features, content, settings)
        return
    if settings.epochs is None:
        settings = replace(settings, epochs=default_epochs(max(MIN_TRAINING_ROWS, len(data)), settings.batch_size))
    check_memory(settings, data)
    model = VAE(len(content["samples"]), settings).to(target)
    weight = row_weights(length) if settings.length_weights else np.ones(len(length), dtype=np.float32)
    click.echo(f"{len(data)} contigs, {len(content['samples'])} samples.", err=True)
    description = describe_training(settings, content, seed, device)
    checkpoints = open_checkpoints(checkpoint_dir, checkpoint_every, data, weight, description)
    parts = split_rows(Rows(data, torch.from_numpy(weight).to(target)), settings.held_out, seed)
    training = run_training(model, *parts, settings, checkpoints)
    torch.set_num_threads(threads)
    write_matrix(LATENT, encode_rows(model, data))
    save_model(Path("model.pt"), model, settings, content)
    write_tables(training, description)
    if checkpoints:
        checkpoints.remove()


if __name__ == "__main__":
    main()
