#!/usr/bin/env python3
"""Two dimensions of many, for a picture: the first two principal components (preprint figure 2E, F)."""

import numpy as np

N_COMPONENTS = 2


def project(values: np.ndarray, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first two components of some rows (m x 2), and the shares of the variance that they explain (2).

    The components are those of all rows (n x d); `shown` has the numbers of the m rows to project. The sign of a
    component is that which makes its largest coefficient positive. Without variance, all is 0.
    """
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    variances, vectors = np.linalg.eigh(centred.T @ centred / max(len(values), 1))
    variances = np.clip(variances[::-1], 0, None)
    vectors = vectors[:, ::-1][:, :N_COMPONENTS]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    points, shares = np.zeros((len(shown), N_COMPONENTS)), np.zeros(N_COMPONENTS)
    total = variances.sum()
    if total > 0:
        points[:, : vectors.shape[1]] = centred[shown] @ vectors
        shares[: vectors.shape[1]] = variances[:N_COMPONENTS] / total
    return points, shares


def choose_points(labels: np.ndarray, quotas: dict[str, int], rng: np.random.Generator) -> np.ndarray:
    """Return the numbers of rows to show, in random order: of each label as many as its quota, if there are."""
    chosen = []
    for label, quota in quotas.items():
        rows = np.flatnonzero(labels == label)
        chosen.append(rng.permutation(rows)[:quota])
    return rng.permutation(np.concatenate(chosen)) if chosen else np.array([], int)
