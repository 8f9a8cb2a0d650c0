"""sample_columns.py: what comes sample by sample leaves in blocks of contigs, whatever the size of the blocks."""

import numpy as np
import pytest

import sample_columns
from sample_columns import SampleColumns, blocks_of_contigs


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_blocks_hold_what_the_samples_gave(dtype):
    numbers = np.random.default_rng(1).integers(0, 2**40, (50, 7)).astype(dtype)
    columns = SampleColumns(50, dtype)
    for column in numbers.T:
        columns.append(column)
    order = [6, 0, 3]
    parts = [columns.block(start, stop, order) for start, stop in [(0, 1), (1, 30), (30, 30), (30, 50)]]
    assert np.array_equal(np.concatenate(parts), numbers[:, order])
    assert all(part.flags.c_contiguous and part.dtype == dtype for part in parts)


@pytest.mark.parametrize(("n_contigs", "n_columns"), [(0, 3), (1, 1), (10, 3), (10, 10**9), (7, 0)])
def test_blocks_are_bounded_and_leave_nothing_out(monkeypatch, n_contigs, n_columns):
    monkeypatch.setattr(sample_columns, "BLOCK_BYTES", 100)
    blocks = list(blocks_of_contigs(n_contigs, n_columns))
    assert [contig for block in blocks for contig in range(*block)] == list(range(n_contigs))
    assert all(stop - start == 1 or 8 * n_columns * (stop - start) <= 100 for start, stop in blocks)


def test_what_each_sample_has_is_known_without_reading_it_again():
    columns = SampleColumns(4, np.float64)
    for values in ([0, 1, 0, 2], [0, 0, 0, 0], [0, 1.0, 0, 2], [1, 0, 0, 2]):
        columns.append(np.array(values))
    assert columns.n_counted == [2, 0, 2, 2]
    assert columns.digests[0] == columns.digests[2]
    assert len(set(columns.digests)) == 3


def test_no_file_stays(tmp_path):
    SampleColumns(5, np.int64).append(np.arange(5))
    assert list(tmp_path.iterdir()) == []
