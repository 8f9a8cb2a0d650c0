"""The simulated community has the strains, the shared contigs and the depths that its script says."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import evolution
import shred_genomes
import simulate_complex
from genome_files import read_fasta
from score import read_truth

ANCESTOR_BP = 60_000
SPECIES, SAMPLES = 20, 3


def simulate(folder: Path, out: str, seed: int) -> Path:
    """Run the script on the ancestors in the folder; return the folder that it wrote."""
    arguments = [str(folder), str(folder / "names.txt"), str(folder / out), "--species", str(SPECIES)]
    arguments += ["--megabases", "0.04", "0.05", "--samples", str(SAMPLES), "--seed", str(seed)]
    done = CliRunner().invoke(simulate_complex.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return folder / out


@pytest.fixture(scope="module")
def ancestors(tmp_path_factory) -> Path:
    """A folder with two genomes of random bases, of different composition."""
    folder, rng = tmp_path_factory.mktemp("ancestors"), np.random.default_rng(1)
    for name, gc in (("x", 0.3), ("y", 0.6)):
        bases = rng.choice(list("ACGT"), ANCESTOR_BP, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
        (folder / f"{name}.fna.gz").write_bytes(gzip.compress(f">{name}\n{''.join(bases)}N\n".encode()))
    (folder / "names.txt").write_text("x\ny\n")
    return folder


@pytest.fixture(scope="module")
def community(ancestors) -> Path:
    return simulate(ancestors, "community", 1)


@pytest.fixture(scope="module")
def genomes(community) -> list[dict[str, str]]:
    with open(community / "genomes.tsv") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_same_seed_same_files(ancestors, community):
    again, other = simulate(ancestors, "again", 1), simulate(ancestors, "other", 2)
    files = sorted(path.name for path in community.iterdir())
    assert files == ["abundance.tsv", "contigs.fna.gz", "depth.tsv", "genomes.tsv", "species.tsv", "truth.tsv"]
    assert all((community / name).read_bytes() == (again / name).read_bytes() for name in files)
    assert not any((community / name).read_bytes() == (other / name).read_bytes() for name in files)


def test_a_third_of_the_species_has_three_strains_or_more(genomes):
    strains = {row["species"]: int(row["strains"]) for row in genomes}
    assert len(strains) == SPECIES
    assert sum(strains.values()) == len(genomes)
    assert sum(number >= 3 for number in strains.values()) == round(0.35 * SPECIES)


def test_strains_are_95_to_99_9_percent_alike(genomes):
    identities = {row["species"]: float(row["identity"]) for row in genomes if int(row["strains"]) > 1}
    assert all(0.94 < identity < 0.9995 for identity in identities.values())
    assert max(identities.values()) - min(identities.values()) > 0.01


def test_species_are_less_alike_than_strains(ancestors):
    rng = np.random.default_rng(3)
    ancestor = simulate_complex.read_ancestor(ancestors / "x.fna.gz")
    assert len(ancestor) == ANCESTOR_BP
    table = evolution.substitution_table(ancestor, rng)
    for rate in (0.001, 0.05, 0.15):
        changed = (evolution.mutate(ancestor, rate, table, rng) != ancestor).mean()
        assert changed == pytest.approx(rate, rel=0.3)


def test_substitutions_keep_the_composition(ancestors):
    rng = np.random.default_rng(4)
    for name, gc in (("x", 0.3), ("y", 0.6)):
        ancestor = simulate_complex.read_ancestor(ancestors / f"{name}.fna.gz")
        table = evolution.substitution_table(ancestor, rng)
        changed = evolution.mutate(ancestor, 0.2, table, rng)
        assert ((changed == 1) | (changed == 2)).mean() == pytest.approx(gc, abs=0.05)


def test_pieces_of_like_strains_are_one_contig(community, genomes):
    truth = read_truth(community / "truth.tsv")
    species = {row["genome"]: row["species"] for row in genomes}
    lengths = {name: len(sequence) for name, sequence in read_fasta(community / "contigs.fna.gz")}
    assert truth.length == lengths
    assert min(lengths.values()) >= shred_genomes.MIN_LENGTH
    assert all(len({species[genome] for genome in owners}) == 1 for owners in truth.genomes.values())
    of_species = read_truth(community / "species.tsv")
    assert all({species[genome] for genome in truth.genomes[name]} == of_species.genomes[name] for name in lengths)
    numbers = {len(owners) for owners in truth.genomes.values()}
    assert {1, 2, 3} <= numbers


def test_the_more_alike_strains_are_the_more_contigs_they_share(community, genomes):
    shared = defaultdict(list)
    for owners in read_truth(community / "truth.tsv").genomes.values():
        shared[min(owners).split("_strain")[0]].append(len(owners) > 1)
    identity = {row["species"]: float(row["identity"]) for row in genomes if int(row["strains"]) > 1}
    ordered = [np.mean(shared[name]) for name in sorted(identity, key=identity.get)]
    half = len(ordered) // 2
    assert np.mean(ordered[half:]) > np.mean(ordered[:half]) + 0.1


def test_every_genome_has_all_its_bases_in_contigs(community, genomes):
    sizes = read_truth(community / "truth.tsv").genome_sizes()
    assert all(sizes[row["genome"]] == int(row["length"]) for row in genomes)


def test_alleles_are_one_from_99_percent_on():
    base = np.zeros(1000, np.uint8)
    near, far = base.copy(), base.copy()
    near[:10], far[:11] = 1, 1
    assert simulate_complex.collapse([base, None, near, far, base]) == [[0, 2, 4], [3]]


def test_the_depth_of_a_contig_is_the_sum_of_its_genomes(community):
    """The depths of the contigs of several genomes follow from those of the contigs of one."""
    truth = read_truth(community / "truth.tsv")
    rows = (line.split("\t") for line in (community / "depth.tsv").read_text().splitlines()[1:])
    depth = {name: np.array(list(map(float, values))) for name, *values in rows}
    own = defaultdict(lambda: np.zeros(SAMPLES))
    bases = defaultdict(int)
    for name, owners in truth.genomes.items():
        if len(owners) == 1:
            own[min(owners)] += depth[name] * truth.length[name]
            bases[min(owners)] += truth.length[name]
    expected, seen = [], []
    for name, owners in truth.genomes.items():
        if len(owners) > 1 and truth.length[name] > 2000 and all(bases[owner] > 3000 for owner in owners):
            expected.append(sum(own[owner] / bases[owner] for owner in owners))
            seen.append(depth[name])
    expected, seen = np.array(expected), np.array(seen)
    assert len(seen) > 10
    covered = expected > 3
    assert np.median(seen[covered] / expected[covered]) == pytest.approx(1, abs=0.1)
    assert np.corrcoef(np.log(seen[covered]), np.log(expected[covered]))[0, 1] > 0.95
