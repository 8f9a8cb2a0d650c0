#!/usr/bin/env python3
"""Places for the vertices of a small graph in a picture: linked ones close together, others apart."""

import numpy as np

ROUNDS = 200
FIRST_STEP = 0.1  # how far a vertex may move in the first round, in widths of the picture; the last is 0
GRAVITY = 0.5  # pull to the middle, which keeps the parts of the graph together


def place_vertices(n: int, edges: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return places of vertices between 0 and 1 (n x 2), by the forces of Fruchterman and Reingold (1991).

    `edges` has two numbers of vertices in each row. Time and memory grow with the square of n. The same graph and seed
    give the same places.
    """
    if n == 0:
        return np.zeros((0, 2))
    rng = np.random.default_rng(seed)
    places = rng.random((n, 2))
    ideal = np.sqrt(1 / n)  # distance of linked vertices
    linked = np.zeros((n, n), bool)
    linked[edges[:, 0], edges[:, 1]] = linked[edges[:, 1], edges[:, 0]] = True
    for step in np.linspace(FIRST_STEP, 0, ROUNDS, endpoint=False):
        apart = places[:, None] - places[None]
        distance = np.sqrt((apart**2).sum(axis=2)).clip(1e-3)
        force = (ideal / distance) ** 2 - linked * distance / ideal
        moves = (apart * force[:, :, None]).sum(axis=1) + GRAVITY * (0.5 - places)
        length = np.sqrt((moves**2).sum(axis=1, keepdims=True)).clip(1e-9)
        places += moves / length * np.minimum(length, step)
    low, high = places.min(axis=0), places.max(axis=0)
    return np.where(high > low, (places - low) / np.where(high > low, high - low, 1), 0.5)
