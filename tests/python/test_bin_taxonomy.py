"""bin_taxonomy.py: the thresholds of the preprint, each at its bound."""

import pytest

from bin_taxonomy import RANKS, add_hit, taxon_of

LINEAGE = {rank: f"{rank} A" for rank in RANKS}


def test_thresholds_are_those_of_the_preprint():
    assert [identity for identity, _ in RANKS.values()] == [95, 95, 85, 75, 65, 55, 50, 45]
    assert [share for _, share in RANKS.values()] == [0.75, 0.75, 0.6, 0.5, 0.4, 0.3, 0.25, 0.25]


@pytest.mark.parametrize(
    ("identity", "n_ranks"),
    [(95, 8), (94.99, 6), (85, 6), (84.9, 5), (75, 5), (65, 4), (55, 3), (50, 2), (45, 1), (44.9, 0)],
)
def test_a_gene_has_the_ranks_that_its_identity_reaches(identity, n_ranks):
    taxa = {}
    add_hit(taxa, LINEAGE, identity, 900, 1000)
    assert list(taxa) == list(RANKS)[len(RANKS) - n_ranks :]


@pytest.mark.parametrize(("aligned", "counts"), [(800, True), (799, False), (1100, True)])
def test_a_hit_covers_four_fifths_of_its_gene(aligned, counts):
    taxa = {}
    add_hit(taxa, LINEAGE, 100, aligned, 1000)
    assert bool(taxa) == counts


def test_a_gene_may_have_several_taxa_and_a_subject_may_lack_ranks():
    taxa = {}
    for lineage in (LINEAGE, LINEAGE | {"species": "species B", "strain": ""}):
        add_hit(taxa, lineage, 99, 1000, 1000)
    assert taxa["species"] == {"species A", "species B"} and taxa["strain"] == {"strain A"}


def genes(rank, **numbers):
    """So many genes with these taxa (`AB` has both), `none` with none."""
    return [{rank: set(name)} if name != "none" else {} for name, number in numbers.items() for _ in range(number)]


@pytest.mark.parametrize(
    ("rank", "numbers", "taxon"),
    [
        ("species", {"A": 75, "none": 25}, "A"),
        ("species", {"A": 74, "none": 26}, ""),
        ("genus", {"A": 60, "none": 40}, "A"),
        ("genus", {"A": 59, "none": 41}, ""),
        ("superkingdom", {"A": 25, "none": 75}, "A"),
        ("superkingdom", {"A": 24, "none": 76}, ""),
        # At most a tenth of the others have another one
        ("genus", {"A": 60, "B": 4, "none": 36}, "A"),
        ("genus", {"A": 60, "B": 5, "none": 35}, ""),
        ("genus", {"A": 100}, "A"),
        ("genus", {"A": 99, "B": 1}, ""),
        # A gene with both taxa has the one, too
        ("genus", {"AB": 30, "A": 30, "none": 40}, "A"),
        ("genus", {"AB": 60, "A": 1, "none": 39}, "A"),
        ("genus", {"AB": 60, "none": 40}, ""),
        ("genus", {"none": 10}, ""),
    ],
    ids=range(14),
)
def test_the_taxon_of_a_bin(rank, numbers, taxon):
    found, share = taxon_of(genes(rank, **numbers), rank)
    assert found == taxon
    n = sum(number for name, number in numbers.items() if taxon and taxon in name)
    assert share == n / sum(numbers.values())


def test_other_ranks_do_not_matter():
    assert taxon_of(genes("species", A=10), "genus") == ("", 0.0)
