#!/usr/bin/env python3
"""Measure how long a whole training takes on one device, from an epoch at each batch size of its schedule.

The features are random; they lie on the device as in a training by bin/vae.py. Of two epochs at each batch size the
second counts. Out: a row for each batch size, on stdout as Markdown and, with --tsv, in a file: epochs of the schedule
at that size, seconds and steps of an epoch, microseconds of a step, floating-point operations per second of the linear
layers (forward and backward) and, with --peak, their share of the nominal speed of the card. The last row has the
seconds of the whole training; the memory of the card stands below.
"""

import json
import sys
import time
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import click
import torch

from project import PROJECT
from result_tables import ResultTable, tsv_option

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bin"))
import network
import training
import vae
from input_rows import HeldRows

PRESETS = json.loads((PROJECT / "assets/presets.json").read_text())


def operations(model: network.VAE) -> int:
    """Return the floating-point operations of the linear layers for a row: per weight 2 forward and 4 backward."""
    return 6 * sum(layer.weight.numel() for layer in model.modules() if isinstance(layer, torch.nn.Linear))


def random_features(contigs: int, samples: int, settings: network.Hyperparameters, device: torch.device) -> HeldRows:
    """Return abundances that sum to 1, and normally distributed TNF and depth (contigs x columns), on the device."""
    shares = torch.rand(contigs, samples, device=device)
    others = torch.randn(contigs, network.N_TNF + settings.depth, device=device)
    return HeldRows(torch.cat((shares / shares.sum(dim=1, keepdim=True), others), dim=1))


def preset_settings(preset: str) -> network.Hyperparameters:
    """Return the hyperparameters of a preset."""
    known = {field.name for field in fields(network.Hyperparameters)}
    values = {name: value for name, value in PRESETS[preset].items() if name in known and value is not None}
    if isinstance(values.get("batch_double_at"), str):
        values["batch_double_at"] = tuple(int(epoch) for epoch in values["batch_double_at"].split(",") if epoch)
    return network.Hyperparameters(**values)


def epoch_seconds(data: HeldRows, samples: int, settings: network.Hyperparameters, batch: int, threads: int) -> float:
    """Return the seconds of the second epoch of a new network at this batch size."""
    settings = replace(settings, batch_size=batch, batch_double_at=(), epochs=2)
    model = network.VAE(samples, settings).to(data.device)
    optimizer = training.make_optimizer(model, settings)
    epochs = training.train(model, optimizer, data, torch.ones(len(data), device=data.device), settings, threads)
    next(epochs)
    started = time.monotonic()
    next(epochs)  # Its losses come to the host, so that it has ended.
    return time.monotonic() - started


@click.command(context_settings={"show_default": True})
@click.option("--device", default="cuda", type=click.Choice(["cpu", "cuda"]))
@click.option("--contigs", default=1_000_000, type=click.IntRange(min=2))
@click.option("--samples", default=100, type=click.IntRange(min=1))
@click.option("--preset", default="preprint", type=click.Choice(list(PRESETS)))
@click.option("--peak", type=click.FloatRange(min=0, min_open=True), help="TFLOP/s of the card in TensorFloat-32.")
@click.option("--threads", default=1, type=click.IntRange(min=1), help="Of the processor.")
@tsv_option
def main(
    device: str, contigs: int, samples: int, preset: str, peak: float | None, threads: int, tsv: Path | None
) -> None:
    """Time an epoch at each batch size of a preset's schedule."""
    training.make_deterministic(1)
    target = vae.select_device(device)
    settings = preset_settings(preset)
    epochs = settings.epochs or training.default_epochs(contigs, settings.batch_size)
    sizes = Counter(
        training.epoch_batch_size(epoch, contigs, settings.batch_size, settings.batch_double_at)
        for epoch in range(1, epochs + 1)
    )
    data = random_features(contigs, samples, settings, target)
    work = operations(network.VAE(samples, settings)) * contigs / 1e12
    named = {"device": device, "contigs": contigs, "samples": samples, "preset": preset}
    table = ResultTable(tsv, (*named, "batch"))
    whole = 0.0
    for batch, times in sizes.items():
        seconds = epoch_seconds(data, samples, settings, batch, threads)
        whole += times * seconds
        steps = len(training.batch_bounds(contigs, batch))
        share = f"{work / seconds / peak:.1%}" if peak else ""
        speed = {"us_per_step": f"{seconds / steps * 1e6:.0f}", "tflops": f"{work / seconds:.2f}", "of_peak": share}
        table.add({**named, "batch": batch, "epochs": times, "s_per_epoch": f"{seconds:.2f}", "steps": steps, **speed})
    last = {"batch": "all", "epochs": epochs, "s_per_epoch": f"{whole / epochs:.2f}", "steps": "", "us_per_step": ""}
    table.add({**named, **last, "tflops": f"{work * epochs / whole:.2f}", "of_peak": ""})
    memory = f", {torch.cuda.max_memory_allocated() / 1e9:.1f} GB of its memory" if device == "cuda" else ""
    click.echo(f"\n{contigs:,} contigs, {samples} samples, {epochs} epochs: {whole:,.0f} s{memory}")


if __name__ == "__main__":
    main()
