"""The simulated genomes have the names, the likeness of strains and the repeats that their script says."""

import csv
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import simulate_genomes
from genome_files import genome_file, read_fasta, read_names

K = 31
SPECIES, ANCESTORS = 6, 3
LEAST, MOST = 0.95, 0.995  # identity of two strains


def simulate(out: Path, seed: int) -> Path:
    """Run the script; return the folder that it wrote."""
    arguments = [str(out), "--species", str(SPECIES), "--ancestors", str(ANCESTORS), "--megabases", "0.2", "0.25"]
    done = CliRunner().invoke(simulate_genomes.main, [*arguments, "--seed", str(seed)], catch_exceptions=False)
    assert done.exit_code == 0
    return out


@pytest.fixture(scope="module")
def community(tmp_path_factory) -> Path:
    return simulate(tmp_path_factory.mktemp("simulated") / "one", 1)


@pytest.fixture(scope="module")
def rows(community) -> list[dict[str, str]]:
    with open(community / "genomes.tsv") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


@pytest.fixture(scope="module")
def kmers(community, rows) -> dict[str, Counter]:
    """Of each genome how often it has each sequence of K bases, on the strand that is written."""
    counts = {}
    for row in rows:
        ((_, text),) = read_fasta(genome_file(community / "genomes", row["genome"]))
        counts[row["genome"]] = Counter(text[i : i + K] for i in range(len(text) - K + 1))
    return counts


def likeness(one: Counter, other: Counter) -> float:
    """Return the identity of two genomes that the share of their common sequences of K bases speaks for."""
    return (2 * len(one.keys() & other.keys()) / (len(one) + len(other))) ** (1 / K)


def test_same_seed_same_files(tmp_path, community):
    again, other = simulate(tmp_path / "again", 1), simulate(tmp_path / "other", 2)
    files = sorted(path.relative_to(community) for path in community.rglob("*") if path.is_file())
    assert all((community / name).read_bytes() == (again / name).read_bytes() for name in files)
    assert (community / "genomes.tsv").read_bytes() != (other / "genomes.tsv").read_bytes()
    first = Path("genomes") / "species_1_strain_1.fna.gz"
    assert (community / first).read_bytes() != (other / first).read_bytes()


def test_names_and_files_agree(community, rows):
    names = [name for name, _ in read_names(community / "names.txt")]
    assert names == [row["genome"] for row in rows]
    assert {f"{name}.fna.gz" for name in names} == {path.name for path in (community / "genomes").iterdir()}
    for row in rows:
        ((title, text),) = read_fasta(genome_file(community / "genomes", row["genome"]))
        assert (title, len(text)) == (row["genome"], int(row["length"]))
        assert set(text) == set("ACGT")


def test_half_of_the_species_have_one_strain_a_third_two_a_sixth_three(rows):
    strains = Counter(row["species"] for row in rows)
    assert all(strains[row["species"]] == int(row["strains"]) for row in rows)
    assert sorted(strains.values()) == [1, 1, 1, 2, 2, 3]
    assert {row["ancestor"] for row in rows} == {"ancestor_1", "ancestor_2", "ancestor_3"}


@pytest.mark.parametrize("seed", range(20))
def test_identities_of_strains_lie_within_the_bounds(seed):
    """As long as in the set: in short genomes the rates of the pieces do not average out."""
    rng = np.random.default_rng(seed)
    ancestor = rng.integers(0, 4, 800_000).astype(np.uint8)
    (strains,) = simulate_genomes.evolve([ancestor], [3], (0.8, 0.8), simulate_genomes.STRAIN_DIVERGENCE, rng)
    for one, other in combinations(strains.pieces, 2):
        both = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
        same = sum(int((a == b).sum()) for a, b in both)
        assert LEAST < same / sum(len(a) for a, _ in both) < MOST


def test_genomes_are_as_alike_as_the_table_says(rows, kmers):
    """Repeats and what a strain has alone move the estimate by a hundredth."""
    for one, other in combinations(rows, 2):
        found = likeness(kmers[one["genome"]], kmers[other["genome"]])
        if one["species"] == other["species"]:
            assert found == pytest.approx(float(one["identity"]), abs=0.015)
        else:
            assert found < 0.9


def test_a_genome_has_exact_repeats_and_its_ancestor_has_none(kmers):
    random = simulate_genomes.draw_ancestor(250_000, np.random.default_rng(1)).tobytes()
    assert max(Counter(random[i : i + K] for i in range(len(random) - K + 1)).values()) == 1
    for counts in kmers.values():
        repeated = sum(count for count in counts.values() if count > 1) / counts.total()
        assert 0.005 < repeated < 0.08


def test_composition_differs_between_ancestors():
    rng = np.random.default_rng(2)
    contents = [np.isin(simulate_genomes.draw_ancestor(100_000, rng), (1, 2)).mean() for _ in range(8)]
    assert max(contents) - min(contents) > 0.1
    assert all(0.25 < content < 0.7 for content in contents)
