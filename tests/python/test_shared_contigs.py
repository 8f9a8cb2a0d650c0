"""shared_contigs.py: the bins that a contig touches."""

import numpy as np
import pytest

from bin_model import NO_BIN, Contigs
from planted_contigs import chain
from shared_contigs import touched_bins

pytestmark = pytest.mark.filterwarnings("error")


def test_bins_that_a_contig_touches():
    """Bins 0, 1 and 2 have four contigs each; contigs 12 and 13 have no bin."""
    final = np.array([0] * 4 + [1] * 4 + [2] * 4 + [NO_BIN] * 2)
    pairs = chain(0, 4) + chain(4, 8) + chain(8, 12) + [(0, 12), (4, 12), (12, 13)]

    def touched(pairs):
        links = np.unique(np.array(pairs + [(b, a) for a, b in pairs]).T, axis=1)
        return touched_bins(Contigs(None, None, None, links), final, 3)

    # 12 lies between 0 and 1; 13 touches them behind 12; 0 and 4 touch their own bin and, behind 12, the other
    assert touched(pairs) == {0: [0, 1], 4: [1, 0], 12: [0, 1], 13: [0, 1]}
    assert touched([*pairs, (1, 12), (2, 8)])[2] == [0, 2] and touched(pairs)[12] == [0, 1]
    # siblings, with more links to each other than within: nothing lies between them
    assert touched(pairs + [(a, b) for a in range(4) for b in range(4, 8)]) == {}
