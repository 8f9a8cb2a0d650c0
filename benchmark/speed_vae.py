#!/usr/bin/env python3
"""Compare the training of Binloom's autoencoder with vamb's on the processor: per epoch, and as a whole.

In: a Python that has vamb 5.0.4. Both train on features of random contigs (vamb takes 103 numbers of composition,
Binloom 136), epoch by epoch in turn. First both have vamb's layers (two of 512, 32 latent) at the same batch size; then
each has its own defaults: vamb 300 epochs, its batch of 256 doubled after 25, 75, 150 and 225; Binloom 60 epochs.
Out: a row for each batch size and one for the whole training, on stdout as Markdown and, with --tsv, in a file; seconds
are the best of the repeats. Without --vamb_python Binloom runs alone.
"""

import json
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

from result_tables import ResultTable, tsv_option

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
import input_rows, network, training
contigs, samples, threads = map(int, sys.argv[1:])
torch.set_float32_matmul_precision("medium")
rng = np.random.default_rng(0)
shares = rng.dirichlet(np.ones(samples), contigs)
rows = np.hstack((shares, rng.normal(size=(contigs, 137)))).astype(np.float32)
data = input_rows.HeldRows(torch.from_numpy(rows))
weight = torch.ones(contigs)
for line in sys.stdin:
    options = json.loads(line)
    settings = network.Hyperparameters(batch_size=options["batch"], epochs=2, **options["layers"])
    model = network.VAE(samples, settings)
    optimizer = training.make_optimizer(model, settings)
    epochs = training.train(model, optimizer, data, weight, settings, threads)
    next(epochs)
    started, cpu = time.monotonic(), time.process_time()
    next(epochs)
    print(json.dumps([time.monotonic() - started, time.process_time() - cpu]), flush=True)
"""


class Program:
    """A process that trains an epoch when it is asked to."""

    def __init__(self, python: str, code: str, *arguments: object) -> None:
        command = [python, "-c", code, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def epoch(self, batch: int, layers: dict | None = None) -> list[float]:
        """Return wall and CPU seconds of the second epoch of a new network."""
        self.process.stdin.write(json.dumps({"batch": batch, "layers": layers or {}}) + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("["):
            if not line:
                raise click.ClickException(f"{self.process.args[0]} failed: see above")
        return json.loads(line)


def best_seconds(program: Program, batch: int, layers: dict | None, repeats: int) -> float:
    """Return the wall seconds of the fastest epoch."""
    return min(program.epoch(batch, layers)[0] for _ in range(repeats))


@click.command(context_settings={"show_default": True})
@click.option("--vamb_python", type=click.Path(exists=True), help="Python with vamb 5.0.4.")
@click.option("--contigs", default=100_000, type=click.IntRange(min=8192))
@click.option("--samples", default=10, type=click.IntRange(min=2))
@click.option("--threads", default=2, type=click.IntRange(min=1))
@click.option("--repeats", default=3, type=click.IntRange(min=1))
@tsv_option
def main(vamb_python: str | None, contigs: int, samples: int, threads: int, repeats: int, tsv: Path | None) -> None:
    """Time epochs of both programs in turn."""
    folder = Path(__file__).resolve().parents[1] / "bin"
    vamb = Program(vamb_python, VAMB, contigs, samples, threads) if vamb_python else None
    binloom = Program(sys.executable, BINLOOM, folder, contigs, samples, threads)
    same_layers = {"hidden_sizes": [512, 512], "latent_size": 32}
    setting = {"contigs": contigs, "samples": samples, "threads": threads}
    table = ResultTable(tsv, (*setting, "batch"))

    def add(batch: int | str, theirs: float | None, ours: float, digits: int) -> None:
        ratio = f"{theirs / ours:.1f}" if theirs else ""
        seconds = {"vamb_s": f"{theirs:.{digits}f}" if theirs else "", "binloom_s": f"{ours:.{digits}f}"}
        table.add({**setting, "batch": batch, **seconds, "times_faster": ratio})

    vamb_seconds = []
    for batch in BATCHES:
        pairs = [(vamb.epoch(batch)[0] if vamb else 0.0, binloom.epoch(batch, same_layers)[0]) for _ in range(repeats)]
        theirs, ours = np.array(pairs).min(axis=0)
        vamb_seconds.append(theirs)
        add(batch, theirs, ours, 2)
    whole = float(np.dot(vamb_seconds, VAMB_EPOCHS))
    add("whole training", whole, BINLOOM_EPOCHS * best_seconds(binloom, BATCHES[0], None, repeats), 0)


if __name__ == "__main__":
    main()
