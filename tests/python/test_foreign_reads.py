"""foreign_reads.py: error rates, and from where on edits are in excess."""

import numpy as np
import pytest

import foreign_reads

pytestmark = pytest.mark.filterwarnings("error")
MB = 10**6


def test_the_error_rate_is_that_of_contigs_without_reads_of_relatives():
    bases = np.full((100, 2), 1.0 * MB)
    edits = bases * [0.002, 0.05]
    edits[:90] *= 3  # most contigs have reads of relatives
    assert foreign_reads.error_rates(edits, bases) == pytest.approx([0.002, 0.05])


def test_contigs_with_few_bases_do_not_show_the_error_rate():
    bases = np.array([[2e5], [1e5], [foreign_reads.MIN_ERROR_BASES - 1.0], [1000], [1000]])
    edits = np.array([[400.0], [200], [0], [0], [0]])
    assert foreign_reads.error_rates(edits, bases) == pytest.approx([0.002])
    # Where all have few, the deepest one does; a sample without reads has no errors
    assert foreign_reads.error_rates(edits[3:] + 2, bases[3:]) == pytest.approx([0.002])
    assert foreign_reads.error_rates(np.zeros((3, 1)), np.zeros((3, 1))) == [0]
    assert foreign_reads.error_rates(np.zeros((0, 2)), np.zeros((0, 2))).tolist() == [0, 0]


def deep(*more: float) -> np.ndarray:
    """Return the edits in excess of contigs of 1 Mbp that have this share more edits than errors; 40 have none."""
    bases = np.full((40 + len(more), 1), 1.0 * MB)
    edits = bases * 0.002
    edits[40:, 0] *= 1 + np.array(more)
    return foreign_reads.excess_edits(edits, bases)[:, 0]


def test_edits_are_in_excess_from_a_share_of_the_errors_on():
    assert not deep()[:40].any()
    few, enough = deep(foreign_reads.MIN_EXCESS - 0.001, foreign_reads.MIN_EXCESS + 0.001)[40:]
    assert few == 0
    assert enough == pytest.approx(0.002 * MB * (foreign_reads.MIN_EXCESS + 0.001))


def test_a_few_edits_more_may_be_chance():
    bases = np.concatenate([np.full((40, 1), 1.0 * MB), np.full((2, 1), 5000.0)])
    edits = bases * 0.002  # ten on each of the last two, with a standard deviation of 3.3 (one more is added)
    edits[40:, 0] = 10 + np.array([13.0, 14.0])
    assert foreign_reads.excess_edits(edits, bases)[40:, 0].tolist() == pytest.approx([0, 14])


def test_all_samples_together_show_an_excess_that_is_in_one():
    bases = np.full((41, 3), 1.0 * MB)
    edits = bases * 0.002
    edits[40] = [1990, 2000, 8000]
    excess = foreign_reads.excess_edits(edits, bases)
    assert excess[40] == pytest.approx([0, 0, 6000])
    assert not excess[:40].any()
