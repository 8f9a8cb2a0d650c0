#!/usr/bin/env python3
"""Abundances of contigs in samples: from read counts to RPKM, shares of the samples, and depth.

Implements the part on abundance of "Computation of abundance and tetranucleotide frequencies" of the VAMB preprint
(Nissen et al. 2018, doi:10.1101/490078). Depth is not in the preprint (docs/method.md, section 4).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from stage_warnings import warn

# A contig's RPKM summed over the samples counts as at least the mean sum over this number, so that a contig without a
# read has a logarithm. Not scanned.
DEPTH_FLOOR_DIVISOR = 1000
# The logarithms of the sums are divided by their standard deviation, but by at least this, so that noise of counting is
# not stretched where all contigs are covered alike. Not scanned.
MIN_DEPTH_DEVIATION = 1.0
# Two samples of different reads do not agree by chance in the counts of so many contigs.
MIN_EQUAL_CONTIGS = 10


def reads_per_kilobase_million(reads: np.ndarray, lengths: np.ndarray, counted_reads: np.ndarray) -> np.ndarray:
    """Return RPKM: reads per kilobase of contig per million counted reads (contigs x samples).

    `reads` is contigs x samples, `lengths` bp per contig, `counted_reads` per sample. A sample without counted reads
    gives 0.
    """
    per_million = np.zeros(len(counted_reads))
    np.divide(1e6, counted_reads, out=per_million, where=counted_reads > 0)
    return reads / (lengths[:, None] / 1e3) * per_million


def sample_shares(rpkm: np.ndarray) -> np.ndarray:
    """Return RPKM (n x s) with rows scaled to sum to 1 (float32).

    A row of zeros says nothing about the contig: it becomes 1 / s everywhere.
    """
    # Divided by the greatest first, so that no sum overflows or is lost among the smallest floats.
    greatest = rpkm.max(axis=1, keepdims=True)
    scaled = np.where(greatest > 0, rpkm / np.where(greatest > 0, greatest, 1), 1)
    return (scaled / scaled.sum(axis=1, keepdims=True)).astype(np.float32)


def log_depth(depth: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return the natural logarithm of the RPKM summed over the samples (n), scaled (float32), its mean and divisor.

    The sum is at least the mean sum over DEPTH_FLOOR_DIVISOR. The result is (logarithm - mean) / divisor, and the
    divisor is the standard deviation, but at least MIN_DEPTH_DEVIATION.
    """
    if not depth.any():
        return depth.astype(np.float32), 0.0, 1.0
    logarithm = np.log(np.maximum(depth, depth.mean() / DEPTH_FLOOR_DIVISOR))
    mean, divisor = float(logarithm.mean()), max(MIN_DEPTH_DEVIATION, float(logarithm.std()))
    return ((logarithm - mean) / divisor).astype(np.float32), mean, divisor


def warn_of_equal_samples(samples: Sequence[str], columns: Iterable[tuple[int, bytes]]) -> None:
    """Warn of samples with the same reads, or RPKM, on all contigs: they hold the same reads.

    Of each sample's numbers are given how many are not 0, and a digest.
    """
    first: dict[bytes, str] = {}
    for sample, (n_counted, digest) in zip(samples, columns, strict=True):
        if n_counted < MIN_EQUAL_CONTIGS:
            continue
        other = first.setdefault(digest, sample)
        if other is not sample:
            warn(
                f"samples {other!r} and {sample!r} have the same abundance in every contig, so they hold the same "
                "reads: give each sample its own, or remove one"
            )
