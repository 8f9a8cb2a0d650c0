"""The number of threads that a task is given changes no byte of the latent, the clusters and the refined bins."""

import subprocess
import sys
from pathlib import Path

import pytest

import contig_evidence
import refine
from planted_contigs import community
from vae_inputs import synthetic, write_features

BIN = Path(__file__).resolve().parents[2] / "bin"
N_CONTIGS = 2100
# 256, which the defaults have, then 512 and 1024 rows a batch: training uses two, four and eight threads at most
BATCHES = ("--batch_size", "256", "--batch_double_at", "1,2", "--epochs", "3", "--hidden_sizes", "64,64")


def files_of(folder: Path, inputs: list[str], threads: int) -> dict[str, bytes]:
    """Train and cluster in processes of their own; return what they wrote."""
    folder.mkdir()
    cluster = ["--latent", "latent.npy", "--latent_json", "latent.json", "--rows", folder.parent / "rows.tsv"]
    cluster += ["--contigs", folder.parent / "contigs.tsv", "--threshold_seeds", "200"]
    for command in (["vae.py", *inputs, *BATCHES], ["cluster.py", *cluster]):
        words = [sys.executable, BIN / command[0], *command[1:], "--threads", threads]
        subprocess.run(list(map(str, words)), cwd=folder, check=True, capture_output=True, timeout=600)
    return {name: (folder / name).read_bytes() for name in ("latent.npy", "clusters.tsv")}


@pytest.fixture
def inputs(tmp_path):
    found = write_features(tmp_path, *synthetic(N_CONTIGS, 5, groups=12))
    rows = (line.split("\t") for line in (tmp_path / "rows.tsv").read_text().splitlines()[1:])
    rows = "".join(f"{name}\ta\t{name}\t{length}\n" for name, length in rows)
    (tmp_path / "contigs.tsv").write_text("contig\tassembly\tname\tlength\n" + rows)
    return found


def test_the_same_bytes_with_one_two_and_eight_threads(tmp_path, inputs):
    one, two, eight = (files_of(tmp_path / str(threads), inputs, threads) for threads in (1, 2, 8))
    assert one == two == eight


def test_the_same_bins_with_one_two_and_eight_threads(monkeypatch):
    monkeypatch.setattr(contig_evidence, "BLOCK_SIZE", 1 << 12)  # 30 contigs in a block
    known = community(seed=3, samples=4, binned=12)
    tables, shared = zip(*(refine.refine_labels(known.contigs, known.label, 0.8, 0, threads) for threads in (1, 2, 8)))
    assert shared[0]
    assert shared[0] == shared[1] == shared[2]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
