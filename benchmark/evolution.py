"""Evolution of simulated genomes: ancestors become species, and species strains.

Species: a window of the ancestor with 10 to 20 % of the bases substituted. What a base becomes depends on the three
before it, as in the ancestor, with odds of the species' own, so that composition stays that of a genome and drifts.
Strains: two differ in a share of the bases that the script gives, on average and throughout a species, in pieces of
4 kbp (median) that change at gamma-distributed rates; a fifth of the pieces are another strain's by recombination, one
in twenty is lost, and islands make 5 % of a strain, a fifth of them from another genus.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

BASES = np.frombuffer(b"ACGT", np.uint8)
CONTEXT = 3  # bases before a base that say what it becomes
DRIFT = 0.3  # sigma of the odds of a species
SPECIES_DIVERGENCE = 0.1, 0.2  # from the ancestor
PIECE, PIECE_SIGMA, MIN_PIECE = 4000, 0.8, 500  # bp, of the logarithm, bp
RATE_SHAPE = 2.0  # of the gamma distribution of the rates of pieces, with a mean of 1
RECOMBINED, LOST = 0.2, 0.05
ISLANDS, ISLAND, FOREIGN = 0.05, 8000, 0.2  # share of a strain, bp, share from another genus

Table = np.ndarray  # contexts x old base x 3: the odds, summed up, of the bases that are not the old one


@dataclass
class Strains:
    """The strains of a species: the pieces of each (None: lost) and its islands, as codes of bases (0 to 3)."""

    species: str
    ancestor: int  # its number
    pieces: list[list[np.ndarray | None]]  # strains x pieces
    islands: list[list[np.ndarray]]

    def identity(self) -> float:
        """Return the mean identity of the bases that two strains have in common; 1 for a single strain."""
        same, all_bases = 0, 0
        for one, other in combinations(self.pieces, 2):
            for a, b in zip(one, other, strict=True):
                if a is not None and b is not None:
                    same, all_bases = same + int((a == b).sum()), all_bases + len(a)
        return same / all_bases if all_bases else 1.0

    def length(self, strain: int) -> int:
        """Return the bases of a strain."""
        held = [piece for piece in self.pieces[strain] if piece is not None]
        return sum(map(len, held + self.islands[strain]))

    def rows(self, ancestor: str, lengths: Sequence[int]) -> list[dict[str, str]]:
        """Return what genomes.tsv says of the strains, which have these lengths (bp), and of the ancestor's name."""
        of_all = {"species": self.species, "ancestor": ancestor, "strains": str(len(self.pieces))}
        identity = {"identity": f"{self.identity():.5f}"}
        return [
            {"genome": f"{self.species}_strain_{strain + 1}"} | of_all | {"length": str(length)} | identity
            for strain, length in enumerate(lengths)
        ]


def context_codes(sequence: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the number of the bases before each position (from CONTEXT on)."""
    return sum(sequence[positions - 1 - back].astype(np.int64) * 4**back for back in range(CONTEXT))


def substitution_table(ancestor: np.ndarray, rng: np.random.Generator) -> Table:
    """Return what becomes of bases in a species of this ancestor."""
    positions = np.arange(CONTEXT, len(ancestor))
    counts = np.bincount(context_codes(ancestor, positions) * 4 + ancestor[positions], minlength=4 ** (CONTEXT + 1))
    odds = (counts + 1.0).reshape(-1, 4) * rng.lognormal(0, DRIFT, (4**CONTEXT, 4))
    table = np.stack([odds * (np.arange(4) != old) for old in range(4)], axis=1)
    return np.cumsum(table / table.sum(axis=2, keepdims=True), axis=2)[..., :3]


def mutate(sequence: np.ndarray, rate: float, table: Table, rng: np.random.Generator) -> np.ndarray:
    """Return the sequence with each base substituted with a probability of `rate`."""
    positions = CONTEXT + np.flatnonzero(rng.random(len(sequence) - CONTEXT) < rate)
    chances = table[context_codes(sequence, positions), sequence[positions]]
    changed = sequence.copy()
    changed[positions] = (rng.random((len(positions), 1)) >= chances).sum(axis=1)
    return changed


def window(sequence: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random part of a sequence, of this length if it has as many bases."""
    start = rng.integers(0, max(0, len(sequence) - length) + 1)
    return sequence[start : start + length]


def cut_pieces(sequence: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the pieces of a sequence that change and are exchanged as one."""
    lengths = np.maximum(MIN_PIECE, rng.lognormal(np.log(PIECE), PIECE_SIGMA, len(sequence) // MIN_PIECE + 1))
    ends = np.cumsum(lengths.astype(np.int64))
    return np.split(sequence, ends[ends < len(sequence) - MIN_PIECE])


def draw_pieces(
    n_strains: int, sequence: np.ndarray, table: Table, divergence: tuple[float, float], rng: np.random.Generator
) -> list[list[np.ndarray | None]]:
    """Return the pieces of each strain of a species with this sequence; two strains diverge within these bounds."""
    pieces = cut_pieces(sequence, rng)
    rate = np.exp(rng.uniform(*np.log(divergence))) / 2 * rng.gamma(RATE_SHAPE, 1 / RATE_SHAPE, len(pieces))
    strains: list[list[np.ndarray | None]] = []
    for number in range(n_strains):
        own = [mutate(piece, share, table, rng) for piece, share in zip(pieces, rate, strict=True)]
        for at in np.flatnonzero(rng.random(len(pieces)) < RECOMBINED * (number > 0)):
            own[at] = strains[rng.integers(number)][at]
        strains.append(own)
    return strains


def draw_islands(
    length: int, table: Table, ancestors: list[np.ndarray], of: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield what one strain alone has, of a genome of this length (bp)."""
    missing = int(ISLANDS * length)
    while missing > 0:
        size = max(MIN_PIECE, int(rng.lognormal(np.log(ISLAND), PIECE_SIGMA)))
        source = rng.integers(len(ancestors)) if rng.random() < FOREIGN else of
        yield mutate(window(ancestors[source], size, rng), SPECIES_DIVERGENCE[1], table, rng)
        missing -= size


def draw_numbers_of_strains(
    species: int, shares: Sequence[tuple[float, int, int]], rng: np.random.Generator
) -> np.ndarray:
    """Return how many strains each species has, given shares of species, each with least and most strains."""
    numbers = [1] * species
    start = 0
    for share, least, most in shares:
        end = start + round(share * species)
        numbers[start:end] = rng.integers(least, most + 1, len(numbers[start:end])).tolist()
        start = end
    return rng.permutation(numbers)


def evolve(
    ancestors: list[np.ndarray],
    numbers: Sequence[int],
    megabases: tuple[float, float],
    divergence: tuple[float, float],
    rng: np.random.Generator,
) -> Iterator[Strains]:
    """Yield species with these numbers of strains, of ancestors in turn; each is drawn when it is asked for.

    Genomes have a number of megabases within these bounds; two strains of a species diverge within these bounds.
    """
    for number, n_strains in enumerate(numbers):
        of = number % len(ancestors)
        table = substitution_table(ancestors[of], rng)
        part = window(ancestors[of], int(1e6 * rng.uniform(*megabases)), rng)
        sequence = mutate(part, rng.uniform(*SPECIES_DIVERGENCE), table, rng)
        pieces = draw_pieces(n_strains, sequence, table, divergence, rng)
        islands: list[list[np.ndarray]] = [[] for _ in pieces]
        for own, added in zip(pieces, islands, strict=True):
            if n_strains > 1:
                for at in np.flatnonzero(rng.random(len(own)) < LOST):
                    own[at] = None
                added.extend(draw_islands(len(sequence), table, ancestors, of, rng))
        yield Strains(f"species_{number + 1}", of, pieces, islands)
