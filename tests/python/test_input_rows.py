"""input_rows.py: rows in files are the rows in memory, in any blocks; training on them gives the same bits."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

import input_rows
import memory_estimate
from input_rows import ArrayFile, FileRows, HeldRows, block_bounds
from vae_inputs import SMALL, run, synthetic, write_features

CPU = torch.device("cpu")
IS_USED = np.array([True] * 5 + [False, True])


@pytest.fixture
def both(tmp_path):
    """The same 40 rows of 7 columns in three files, of which one has one dimension, and in memory."""
    rng = np.random.default_rng(1)
    values = [rng.normal(size=shape).astype(np.float32) for shape in [(40, 2), (40, 4), (40,)]]
    for number, part in enumerate(values):
        np.save(tmp_path / f"{number}.npy", part)
    mapped = [np.load(tmp_path / f"{number}.npy", mmap_mode="r") for number in range(3)]
    joined = np.column_stack(values)
    joined[:, ~IS_USED] = 0
    return FileRows([ArrayFile(array) for array in mapped], IS_USED, CPU), HeldRows(torch.from_numpy(joined))


def test_rows_of_files_are_those_in_memory(both):
    files, held = both
    assert len(files) == len(held) == 40 and files.width == held.width == 7
    for rows in (slice(None), slice(3), slice(10, 20), slice(39, 60), slice(5, 5)):
        assert torch.equal(files[rows], held[rows])


def test_some_rows_and_some_of_these(both):
    some, fewer = torch.tensor([3, 39, 0, 17]), torch.tensor([3, 1])
    parts = [rows.subset(some).subset(fewer) for rows in both]
    assert torch.equal(parts[0][:], parts[1][:]) and torch.equal(parts[1][:], both[1].data[[17, 39]])


def test_rows_that_follow_each_other_are_one_read(both, monkeypatch):
    reads, read = [], input_rows.os.preadv

    def counted(handle, buffers, place):
        reads.append(len(buffers[0]))
        return read(handle, buffers, place)

    monkeypatch.setattr(input_rows.os, "preadv", counted)
    part = both[0].parts[0]  # 2 columns of 4 bytes
    part.read(np.array([3, 4, 5, 7, 9, 10]))
    assert reads == [3 * 8, 8, 2 * 8]


def test_reads_that_return_less_than_asked_for_go_on(both, monkeypatch):
    """The system does so above 2 GB; a file that ends before its rows do is an error, and no endless loop."""
    read = input_rows.os.preadv
    monkeypatch.setattr(input_rows.os, "preadv", lambda handle, buffers, place: read(handle, [buffers[0][:5]], place))
    assert torch.equal(both[0][:], both[1][:])
    os.truncate(both[0].parts[1].file.name, 300)
    with pytest.raises(EOFError, match=r"1\.npy: became shorter while it was read"):
        both[0][:]


@pytest.mark.parametrize("bounds", [[(0, 40)], [(0, 7), (7, 8), (8, 40)]])
def test_blocks_in_any_order(both, bounds):
    order = torch.randperm(40)
    for rows in both:
        blocks = list(rows.blocks(order, bounds))
        assert [len(block) for block in blocks] == [stop - start for start, stop in bounds]
        assert torch.equal(torch.cat(blocks), both[1].data[order])


def test_groups_of_batches_are_bounded_and_whole(monkeypatch):
    batches = [(0, 8), (8, 16), (16, 24), (24, 31)]
    assert block_bounds(batches, 10) == [batches]
    monkeypatch.setattr(input_rows, "BLOCK_BYTES", 16 * 10 * 4)
    assert block_bounds(batches, 10) == [batches[:2], batches[2:]]
    monkeypatch.setattr(input_rows, "BLOCK_BYTES", 1)
    assert block_bounds(batches, 10) == [[batch] for batch in batches]


def test_training_from_files_ends_as_from_memory(tmp_path, monkeypatch):
    """Also in blocks of one batch each; a value that is no number is refused as in memory, and other orders are."""
    tnf, abundance = synthetic(90, 3)
    inputs = write_features(tmp_path, tnf, abundance)
    ends = []
    for held_bytes, block_bytes in [(2**29, 2**25), (0, 2**25), (0, 1)]:
        monkeypatch.setattr(memory_estimate, "MAX_HELD_BYTES", held_bytes)
        monkeypatch.setattr(input_rows, "BLOCK_BYTES", block_bytes)
        assert run(tmp_path / f"{held_bytes}-{block_bytes}", monkeypatch, inputs, *SMALL).exit_code == 0
        ends.append(Path("latent.npy").read_bytes())
    assert ends[0] == ends[1] == ends[2]
    np.save(tmp_path / "tnf.npy", np.asfortranarray(tnf))
    result = run(tmp_path / "by columns", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 1 and "tnf.npy: lies in the file column by column" in result.output
    tnf[7, 3] = np.nan
    np.save(tmp_path / "tnf.npy", tnf)
    result = run(tmp_path / "refused", monkeypatch, inputs, *SMALL)
    assert result.exit_code == 1 and "tnf.npy: row 8 (contig 'contig7'): holds a value that is not" in result.output
