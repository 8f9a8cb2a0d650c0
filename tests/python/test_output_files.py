"""output_files.py: whatever a stage writes, a full disk is one line with the file and the remedy."""

import gzip
import random

import click
import pytest

from output_files import gzip_output, write_text, writing
from small_disk import BIN, run_on_small_disk

KILOBYTES = 64
WRITERS = {  # file: what writes a megabyte into it
    "problems.txt": "output_files.write_text('problems.txt', 'x' * 2**20)",
    "latent.npy": "stage_arrays.write_matrix(stage_arrays.LATENT, np.ones(2**20))",
    "graph.json": "stage_arrays.write_description(stage_arrays.GRAPH, {'names': ['x'] * 2**20})",
    "vertices.tsv": "table_output.write_table(stage_tables.VERTICES, pd.DataFrame({'contig': NAMES}), 'vertices.tsv')",
    "vertices.tsv.gz": "table_output.write_table(stage_tables.VERTICES, pd.DataFrame({'contig': NAMES}))",
    "model.pt": "network.save_model('model.pt', network.VAE(3, SETTINGS), SETTINGS, {'samples': ['S1', 'S2', 'S3']})",
}
SCRIPT = """
import sys
import click
import numpy as np
import pandas as pd
sys.path.insert(0, sys.argv.pop())
import output_files, stage_arrays, stage_tables, table_output
NAMES = [f"{number:x}" for number in np.random.default_rng(1).integers(2**62, size=2**16)]
if "network" in "CODE":
    import network
    SETTINGS = network.Hyperparameters()
@click.command()
def main():
    CODE
main()
"""


def assert_refused(done, file):
    """One line names the file, the reason and the remedy."""
    reason = "File too large" if "too large" in done.stdout else "No space left on device"  # without a right to mount
    assert done.stdout == (
        f"Error: {file}: cannot be written ({reason}): free space in the work folder, then run again with -resume\n"
    )
    assert done.returncode == 1


@pytest.mark.parametrize("file", WRITERS)
def test_a_full_disk_is_an_error_of_one_line(tmp_path, file):
    (tmp_path / "write.py").write_text(SCRIPT.replace("CODE", WRITERS[file]))
    done = run_on_small_disk(str(tmp_path / "write"), [BIN], tmp_path / "disk", KILOBYTES)
    if file in ("latent.npy", "model.pt") and "Error: " not in done.stdout:
        pytest.skip("without a right to mount, NumPy and PyTorch do not say what a limit of size refuses")
    assert_refused(done, file)


def test_a_catalogue_on_a_full_disk(tmp_path):
    letters = random.Random(1)
    fasta = tmp_path / "contigs.fasta"
    fasta.write_text("".join(f">c{number}\n{''.join(letters.choices('ACGT', k=10_000))}\n" for number in range(100)))
    done = run_on_small_disk("catalogue", ["--assembly", "A", fasta], tmp_path / "disk", KILOBYTES)
    assert_refused(done, "catalogue.fa.gz")


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ValueError("a bug")])
def test_other_errors_stay_what_they_are(tmp_path, error):
    with pytest.raises(type(error), match="a bug"), writing(tmp_path / "file"):
        raise error


def test_a_folder_that_is_not_there_is_told():
    with pytest.raises(click.ClickException, match=r"no/x: cannot be written \(No such file"):
        write_text("no/x", "")


def test_what_is_written_comes_back(tmp_path, monkeypatch):
    write_text(tmp_path / "text", "é\n")
    assert (tmp_path / "text").read_bytes() == "é\n".encode()
    files = []
    for time in (1.0, 2e9):
        monkeypatch.setattr("time.time", lambda now=time: now)
        with gzip_output(tmp_path / f"{time}.gz", 6) as file:
            file.write(b"ACGT")
        files.append((tmp_path / f"{time}.gz").read_bytes())
    assert files[0] == files[1]
    assert gzip.decompress(files[0]) == b"ACGT"
