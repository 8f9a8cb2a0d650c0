"""Latent points around planted centres, and sets of points that a shortcut of the clustering could get wrong."""

import numpy as np


def planted(sizes: list[int], noise: float, seed: int = 0, dimensions: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Latent points around random centres, shuffled, and the centre that each belongs to."""
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = rng.normal(size=(len(sizes), dimensions))
    return (centres[owner] + noise * rng.normal(size=(len(owner), dimensions))).astype(np.float32), owner


def latents(kind: str) -> np.ndarray:  # noqa: PLR0911
    """Sets of points that a shortcut could get wrong."""
    rng = np.random.default_rng(5)
    sizes = [150, 90, 60, 40, 30, 20, 10, 5, 5, 3, 2] + [1] * 15
    if kind == "easy":
        return planted(sizes, noise=0.3)[0]
    if kind == "hard":
        return planted(sizes, noise=0.9, dimensions=12)[0]
    if kind == "noise":
        return rng.normal(size=(300, 5)).astype(np.float32)
    if kind == "twins":
        return np.repeat(rng.normal(size=(60, 8)).astype(np.float32), rng.integers(1, 9, 60), axis=0)
    if kind == "opposites":
        half = planted([20, 20, 10], noise=0.4, dimensions=10)[0]
        return np.vstack((half, -half))
    if kind == "constant rows":
        latent = planted([40, 20, 5], noise=0.6)[0]
        latent[::7] = 0.1
        return latent
    if kind == "chain":
        angles = np.radians(np.cumsum(np.linspace(9, 0.5, 120)))
        plane = np.array([[1, -1, 0, 0], [1, 1, -2, 0]]) / np.sqrt([[2], [6]])
        return (np.stack((np.cos(angles), np.sin(angles)), axis=1) @ plane).astype(np.float32)
    return rng.normal(size=(int(kind), 6)).astype(np.float32)


KINDS = ["easy", "hard", "noise", "twins", "opposites", "constant rows", "chain", "1", "2", "3", "5"]
