#!/usr/bin/env python3
"""Training of Binloom's autoencoder against vamb's on the processor: seconds per epoch, and of the whole training.

usage: speed_vae.py --vamb_python PYTHON [--contigs 100000] [--samples 10] [--threads 2] [--repeats 3]
PYTHON has vamb 5.0.4. Both train on features of the same random contigs (vamb takes 103 numbers of composition, Binloom
136), epoch by epoch in alternation. First both with vamb's layers (two of 512, 32 latent) at the same batch size; then
each with its own defaults: vamb 300 epochs, its batch of 256 doubled after 25, 75, 150 and 225; Binloom 60 epochs.
Out: Markdown tables on stdout; seconds are the best of the repeats.
"""

import json
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

BATCHES = (256, 512, 1024, 2048, 4096)
VAMB_EPOCHS = (25, 50, 75, 75, 75)  # at each of BATCHES
BINLOOM_EPOCHS = 60

# Both read lines of JSON (`batch`, `layers`) and answer each with the wall and CPU seconds of one epoch.
VAMB = """
import json, sys, time
import dadaptation, numpy as np, torch
from vamb.encode import VAE, make_dataloader
contigs, samples, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
rng = np.random.default_rng(0)
abundance = rng.gamma(1, 1, (contigs, samples)).astype(np.float32)
tnf = rng.normal(size=(contigs, 103)).astype(np.float32)
length = rng.integers(2000, 50000, contigs)
for line in sys.stdin:
    loader = make_dataloader(abundance, tnf, length, batchsize=json.loads(line)["batch"])
    model = VAE(samples)
    optimizer = dadaptation.DAdaptAdam(model.parameters(), decouple=True)
    model.trainepoch(loader, 1, optimizer, [])
    started, cpu = time.monotonic(), time.process_time()
    model.trainepoch(loader, 1, optimizer, [])
    print(json.dumps([time.monotonic() - started, time.process_time() - cpu]), flush=True)
"""
BINLOOM = """
import json, sys, time
import numpy as np, torch
sys.path.insert(0, sys.argv.pop(1))
import vae
contigs, samples, threads = map(int, sys.argv[1:])
torch.set_float32_matmul_precision("medium")
rng = np.random.default_rng(0)
shares = rng.dirichlet(np.ones(samples), contigs)
data = torch.from_numpy(np.hstack((shares, rng.normal(size=(contigs, 137)))).astype(np.float32))
weight = torch.ones(contigs)
for line in sys.stdin:
    options = json.loads(line)
    settings = vae.Hyperparameters(batch_size=options["batch"], epochs=2, **options["layers"])
    model = vae.VAE(samples, settings)
    optimizer = vae.make_optimizer(model, settings)
    epochs = vae.train(model, optimizer, data, weight, settings, threads)
    next(epochs)
    started, cpu = time.monotonic(), time.process_time()
    next(epochs)
    print(json.dumps([time.monotonic() - started, time.process_time() - cpu]), flush=True)
"""


class Program:
    """One of the two, as a process that trains an epoch when asked."""

    def __init__(self, python: str, code: str, *arguments: object) -> None:
        command = [python, "-c", code, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def epoch(self, batch: int, layers: dict | None = None) -> list[float]:
        """Wall and CPU seconds of an epoch, the second of a new network."""
        self.process.stdin.write(json.dumps({"batch": batch, "layers": layers or {}}) + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("["):
            if not line:
                raise click.ClickException(f"{self.process.args[0]} failed: see above")
        return json.loads(line)


@click.command()
@click.option("--vamb_python", required=True, type=click.Path(exists=True))
@click.option("--contigs", default=100_000, show_default=True, type=click.IntRange(min=8192))
@click.option("--samples", default=10, show_default=True, type=click.IntRange(min=2))
@click.option("--threads", default=2, show_default=True, type=click.IntRange(min=1))
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(min=1))
def main(vamb_python: str, contigs: int, samples: int, threads: int, repeats: int) -> None:
    """Time epochs of both programs in alternation."""
    folder = Path(__file__).resolve().parents[2] / "bin"
    vamb = Program(vamb_python, VAMB, contigs, samples, threads)
    binloom = Program(sys.executable, BINLOOM, folder, contigs, samples, threads)
    same_layers = {"hidden_sizes": [512, 512], "latent_size": 32}
    print(f"{contigs:,} contigs, {samples} samples, {threads} threads\n")
    print("| batch | vamb, s per epoch | Binloom | times faster |\n|---|---|---|---|")
    seconds = []
    for batch in BATCHES:
        pairs = [(vamb.epoch(batch), binloom.epoch(batch, same_layers)) for _ in range(repeats)]
        theirs, ours = np.array(pairs).min(axis=0)[:, 0]
        seconds.append(theirs)
        print(f"| {batch:,} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.1f} |", flush=True)
    own = min(binloom.epoch(256)[0] for _ in range(repeats))
    whole = float(np.dot(seconds, VAMB_EPOCHS))
    print("\n| whole training | epochs | s | times faster |\n|---|---|---|---|")
    print(f"| vamb, defaults | {sum(VAMB_EPOCHS)} | {whole:.0f} | 1 |")
    print(f"| Binloom, defaults | {BINLOOM_EPOCHS} | {BINLOOM_EPOCHS * own:.0f} | {whole / BINLOOM_EPOCHS / own:.1f} |")


if __name__ == "__main__":
    main()
