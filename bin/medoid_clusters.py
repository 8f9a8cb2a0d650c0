#!/usr/bin/env python3
"""Iterative medoid clustering: from a seed to a medoid, whose inner points leave as a cluster.

Implements "Clustering" of the VAMB preprint (Nissen et al. 2018, doi:10.1101/490078). The next seeds are searched from
along with a seed, as if none of them led to a cluster: what is near many points is looked up at once. A search that saw
a point that has left since is repeated. The constants decide the time, never a cluster.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from near_points import UnclusteredPoints

# Seeds that are searched from at once, at least and at most. They are the first unclustered ones among so many times as
# many seeds.
MIN_SEEDS_AHEAD = 8
MAX_SEEDS_AHEAD = 256
SEEDS_SCANNED_PER_SEED_AHEAD = 8
# Near points that are found at once before fewer seeds are searched from: this bounds the memory.
MAX_NEAR_AT_ONCE = 1 << 20
# Candidates whose inner points are found at once, at least.
MIN_CANDIDATES_AT_ONCE = 32


class Medoid(NamedTuple):
    """Where a search ended: a medoid, its inner points, and all points that decided it (numbers)."""

    number: int
    inner: np.ndarray
    seen: np.ndarray


class Search:
    """A search from a seed for a medoid, which waits until it is told what is near the points that it asks for.

    `waits_for` are these points (numbers); `end` is where the search ended, or None.
    """

    def __init__(self, space: UnclusteredPoints, seed: int, patience: int) -> None:
        self.space, self.seed, self.patience = space, seed, patience
        self.at_once = max(patience, MIN_CANDIDATES_AT_ONCE)
        self.waits_for, self.end = np.array([seed]), None
        # What is near a point, or near any of a few points of which it is one.
        self.near: dict[int, np.ndarray] = {}
        # The mean distance to its inner points, and these.
        self.evaluated: dict[int, tuple[float, np.ndarray]] = {}

    def tell(self, near: np.ndarray) -> None:
        """Search on, knowing what is near the points that the search waits for."""
        self.near |= dict.fromkeys(self.waits_for.tolist(), near)
        self.search()

    def is_up_to_date(self) -> bool:
        """Tell whether the search has ended, and no point has left that decided where."""
        return self.end is not None and bool(self.space.remaining[self.end.seen].all())

    def evaluate(self, number: int, along: list[int]) -> None:
        """Find the inner points of a point, and of those that were looked up along with it."""
        if number not in self.evaluated:
            near = self.near[number]
            some = [other for other in along if other not in self.evaluated and self.near.get(other) is near]
            self.evaluated |= self.space.inner_points(np.array(some), near)

    def search(self) -> None:
        """Search for the medoid among the points that remain.

        Inner points are drawn in the order of their numbers, without replacement. One takes the medoid's place if its
        mean inner distance is less. The search ends after `patience` futile draws in a row, or when all have been
        drawn. The points that follow a drawn one are evaluated along with it.
        """
        if not all(self.space.remaining[inner].all() for _, inner in self.evaluated.values()):
            self.evaluated.clear()
        self.evaluate(self.seed, [self.seed])
        medoid, drawn, futile = self.seed, {self.seed}, False
        while not futile:
            futile = True
            mean, inner = self.evaluated[medoid]
            coming = [number for number in inner[: self.at_once + len(drawn)].tolist() if number not in drawn]
            for draw in coming[: self.patience]:
                if draw not in self.near:
                    self.waits_for = np.array([number for number in coming[: self.at_once] if number not in self.near])
                    self.end = None
                    return
                self.evaluate(draw, coming[: self.at_once])
                drawn.add(draw)
                if self.evaluated[draw][0] < mean:
                    medoid, futile = draw, False
                    break
        seen = np.unique(np.concatenate([[self.seed], *(self.evaluated[number][1] for number in drawn)]))
        self.end = Medoid(medoid, self.evaluated[medoid][1], seen)
        self.evaluated.clear()


class SeedSearches:
    """The searches from the next seeds. starts holds the numbers of all seeds, in the order in which they are tried."""

    def __init__(self, space: UnclusteredPoints, starts: np.ndarray, patience: int) -> None:
        self.space, self.starts, self.patience = space, starts, patience
        self.searches: dict[int, Search] = {}
        self.n_ahead, self.used, self.gone = MIN_SEEDS_AHEAD, 0, 0

    def medoid(self, at: int) -> Medoid:
        """Return where the search from a seed (its place in starts) ends on the points that remain."""
        seed = int(self.starts[at])
        if seed in self.searches and not self.searches[seed].is_up_to_date():
            self.searches[seed].search()
        while seed not in self.searches or not self.searches[seed].end:
            self.look_up(at)
        self.used += 1
        return self.searches[seed].end

    def look_up(self, at: int) -> None:
        """Look up what the searches from the next seeds wait for, and search on."""
        left = {seed: search for seed, search in self.searches.items() if self.space.remaining[seed]}
        self.gone += len(self.searches) - len(left)
        self.searches = left
        coming = self.starts[at : at + SEEDS_SCANNED_PER_SEED_AHEAD * self.n_ahead]
        for seed in coming[self.space.remaining[coming]][: self.n_ahead].tolist():
            if seed not in self.searches:
                self.searches[seed] = Search(self.space, seed, self.patience)
        waiting = [search for search in self.searches.values() if not search.end]
        found = self.space.near_any([search.waits_for for search in waiting])
        for search, near in zip(waiting, found):
            search.tell(near)
        self.choose_number(sum(len(near) for near in found))

    def choose_number(self, n_found: int) -> None:
        """Search from more seeds at once if most that have been clustered were of use, and few points were found."""
        if n_found > MAX_NEAR_AT_ONCE:
            self.n_ahead = max(1, self.n_ahead // 2)
        elif self.gone >= self.n_ahead:
            number = self.n_ahead * 2 if 2 * self.used >= self.gone else self.n_ahead // 2
            self.n_ahead, self.gone, self.used = min(max(number, MIN_SEEDS_AHEAD), MAX_SEEDS_AHEAD), 0, 0


def medoid_clusters(
    points: Tensor, seeds: np.ndarray, threshold: float, patience: int, rng: np.random.Generator, threads: int = 1
) -> Iterator[np.ndarray]:
    """Yield clusters as row numbers, the medoid first and the others ascending, until every seed is in a cluster.

    points (n x N_L) are standardised; seeds holds the row numbers to cluster, in the order in which they are tried.
    Inner points are drawn in one random order, which is drawn once: a point's place in it is its number in the search.
    """
    rows = rng.permutation(seeds)
    if len(rows) == 0:
        return
    number = np.empty(len(points), dtype=np.int64)
    number[rows] = np.arange(len(rows))
    starts = number[seeds]
    points = points[torch.from_numpy(rows)]  # in place of the caller's, who may have let go of them
    space = UnclusteredPoints(points, threshold, threads)
    del points
    searches = SeedSearches(space, starts, patience)
    for at, seed in enumerate(starts.tolist()):
        # The search can end at a medoid that is too far from the seed. Then the seed is tried again.
        while space.remaining[seed]:
            medoid, inner, _ = searches.medoid(at)
            yield np.append(rows[medoid], np.sort(rows[inner]))
            space.remove(np.append(medoid, inner))
