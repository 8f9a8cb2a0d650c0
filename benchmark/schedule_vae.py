#!/usr/bin/env python3
"""Seconds of a whole training of the autoencoder on one device, from an epoch at each batch size of its schedule.

usage: schedule_vae.py [--device cuda] [--contigs 1000000] [--samples 100] [--preset preprint] [--peak TFLOPS]
Features are random; they lie on the device as in a training of bin/vae.py, whose `train` runs. Of two epochs at each
batch size the second counts. Out: a Markdown table on stdout: epochs of the schedule at that size, seconds and steps of an
epoch, microseconds of a step, floating-point operations per second of the linear layers (forward and backward) and, with
--peak, their share of what the card is said to do; then the whole training, and the memory that it took.
"""

import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import click
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bin"))
import vae  # noqa: E402


def operations(model: vae.VAE) -> int:
    """Floating-point operations of the linear layers for one row in one step: two per weight forward, four backward."""
    return 6 * sum(layer.weight.numel() for layer in model.modules() if isinstance(layer, torch.nn.Linear))


def random_features(contigs: int, samples: int, settings: vae.Hyperparameters, device: torch.device) -> torch.Tensor:
    """Abundances that sum to 1 and normally distributed TNF and depth (contigs x columns), made on the device."""
    shares = torch.rand(contigs, samples, device=device)
    others = torch.randn(contigs, vae.N_TNF + settings.depth, device=device)
    return torch.cat((shares / shares.sum(dim=1, keepdim=True), others), dim=1)


def epoch_seconds(data: torch.Tensor, samples: int, settings: vae.Hyperparameters, batch: int, threads: int) -> float:
    """Seconds of the second epoch of a new network at this batch size."""
    settings = replace(settings, batch_size=batch, batch_double_at=(), epochs=2)
    model = vae.VAE(samples, settings).to(data.device)
    optimizer = vae.make_optimizer(model, settings)
    epochs = vae.train(model, optimizer, data, torch.ones(len(data), device=data.device), settings, threads)
    next(epochs)
    started = time.monotonic()
    next(epochs)  # Its losses come to the host, so that it has ended.
    return time.monotonic() - started


@click.command(context_settings={"show_default": True})
@click.option("--device", default="cuda", type=click.Choice(["cpu", "cuda"]))
@click.option("--contigs", default=1_000_000, type=click.IntRange(min=2))
@click.option("--samples", default=100, type=click.IntRange(min=1))
@click.option("--preset", default="preprint", type=click.Choice(list(vae.PRESETS)))
@click.option("--peak", type=click.FloatRange(min=0, min_open=True), help="TFLOP/s of the card in TensorFloat-32.")
@click.option("--threads", default=1, type=click.IntRange(min=1), help="Of the processor.")
def main(device: str, contigs: int, samples: int, preset: str, peak: float | None, threads: int) -> None:
    """Time an epoch at each batch size of a preset's schedule."""
    vae.make_deterministic(1)
    target = vae.select_device(device)
    settings = vae.PRESETS[preset]
    epochs = settings.epochs or vae.default_epochs(contigs, settings.batch_size)
    sizes = Counter(
        vae.epoch_batch_size(epoch, contigs, settings.batch_size, settings.batch_double_at)
        for epoch in range(1, epochs + 1)
    )
    data = random_features(contigs, samples, settings, target)
    work = operations(vae.VAE(samples, settings)) * contigs / 1e12
    print(
        "| batch | epochs | s per epoch | steps | µs per step | TFLOP/s | of the peak |\n|---|---|---|---|---|---|---|"
    )
    whole = 0.0
    for batch, times in sizes.items():
        seconds = epoch_seconds(data, samples, settings, batch, threads)
        whole += times * seconds
        steps = len(vae.batch_bounds(contigs, batch))
        share = f"{work / seconds / peak:.1%}" if peak else ""
        row = f"{seconds:.2f} | {steps:,} | {seconds / steps * 1e6:,.0f} | {work / seconds:.2f} | {share}"
        print(f"| {batch:,} | {times} | {row} |", flush=True)
    memory = f", {torch.cuda.max_memory_allocated() / 1e9:.1f} GB of its memory" if device == "cuda" else ""
    print(f"\n{contigs:,} contigs, {samples} samples, {epochs} epochs: {whole:,.0f} s{memory}")


if __name__ == "__main__":
    main()
