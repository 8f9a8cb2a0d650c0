#!/usr/bin/env python3
"""Adds up counts by key, a part at a time: no more than the sum is held. MAP_READS and FEATURES use this module."""

import numpy as np


def add_counts(
    keys: np.ndarray, counts: np.ndarray, more_keys: np.ndarray, more_counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return all keys (int64, sorted, each once) and the sum of the counts (int64) of each; keys may stand twice."""
    found, place = np.unique(np.append(keys, more_keys), return_inverse=True)
    return found, np.bincount(place, np.append(counts, more_counts), len(found)).astype(np.int64)
