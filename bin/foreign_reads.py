#!/usr/bin/env python3
"""Find the contigs on which reads of relatives lie, by the mismatches that these bring.

Where the allele of a relative was not assembled, its reads lie on the contig of another strain or species. They add to
its coverage, and they differ from it. Sequencing errors are as frequent on all contigs of a sample, so what exceeds
them are differences between genomes. Binloom's own method: docs/method.md, section 6.1, equations (40) and (41). The
refine stage uses this module.
"""

import numpy as np

# docs/benchmark.md, section "Constants", shows what halving and doubling each of these values does.

# The error rate of a sample is this quantile of the edits per aligned base: in some samples most contigs have reads of
# relatives.
ERROR_QUANTILE = 0.05
# Only contigs with this number of aligned bases show it, if there are any.
MIN_ERROR_BASES = 50_000
# Edits are in excess if they are this fraction more than the errors that are expected, over all samples ...
MIN_EXCESS = 0.15
# ... and so many standard deviations more.
MIN_EXCESS_DEVIATIONS = 4


def error_rates(edits: np.ndarray, bases: np.ndarray) -> np.ndarray:
    """Return the rate of sequencing errors of each sample (s), given edits and aligned bases of all contigs (n x s)."""
    rates = np.zeros(bases.shape[1])
    for sample, (found, aligned) in enumerate(zip(edits.T, bases.T)):
        shows = aligned >= min(MIN_ERROR_BASES, aligned.max(initial=0))
        shows &= aligned > 0
        if shows.any():
            rates[sample] = np.quantile(found[shows] / aligned[shows], ERROR_QUANTILE)
    return rates


def excess_edits(edits: np.ndarray, bases: np.ndarray) -> np.ndarray:
    """Return the edits that are no sequencing errors (n x s), given edits and aligned bases (n x s).

    They are 0 on contigs that have no more edits, in all samples together, than chance may bring.
    """
    errors = error_rates(edits, bases) * bases
    excess, expected = (edits - errors).sum(axis=1), errors.sum(axis=1)
    # One more, for a contig on which no error is expected
    has_excess = (excess > MIN_EXCESS * expected) & (excess > MIN_EXCESS_DEVIATIONS * np.sqrt(expected + 1))
    return np.where(has_excess[:, None], np.maximum(edits - errors, 0), 0.0)
