"""contig_names.py: by which names a contig is found, and which must say their assembly."""

import click
import pandas as pd
import pytest

from contig_names import ELSEWHERE, ContigNames


def contigs(*rows):
    return pd.DataFrame(rows, columns=["contig", "assembly", "name"])


OWN = contigs(("A~k1", "A", "k1"), ("A~k2", "A", "k2"), ("B~k1", "B", "k1"))
OTHER = contigs(("k2", "C", "k2"), ("k3", "C", "k3"))


@pytest.mark.parametrize(
    ("name", "assembly", "contig"),
    [
        ("k1", "A", "A~k1"),
        ("k1", "B", "B~k1"),
        ("k2", "A", "A~k2"),
        ("A~k1", "", "A~k1"),  # as in catalogue.fa.gz
        ("k3", "", ELSEWHERE),
        ("k3", "C", ELSEWHERE),
    ],
)
def test_contigs_are_found(name, assembly, contig):
    assert ContigNames(OWN, [OTHER]).find("t.tsv", name, assembly) == contig


def test_a_name_that_one_assembly_has_needs_no_assembly():
    names = ContigNames(OWN)
    assert names.find("t.tsv", "k2") == "A~k2"
    assert {"k1", "k2", "A~k1", "B~k1"} <= names.known


@pytest.mark.parametrize(
    ("others", "name", "ends"), [([], "k1", ("A", "B")), ([OTHER], "k2", ("A", "C"))], ids=["group", "other_group"]
)
def test_a_name_of_two_assemblies_asks_for_the_column(others, name, ends):
    with pytest.raises(click.ClickException) as refused:
        ContigNames(OWN, others).find("t.tsv: line 2", name)
    assert refused.value.message == (
        f"t.tsv: line 2: contig '{name}' is in assembly '{ends[0]}' and in '{ends[1]}'; add a column assembly to the "
        "table, with the ids of the assembly sheet"
    )


def test_an_assembly_that_is_not_there_is_named():
    with pytest.raises(click.ClickException, match=r"t\.tsv: assembly 'X' is not in the assembly sheet"):
        ContigNames(OWN, [OTHER]).find("t.tsv", "k1", "X")


@pytest.mark.parametrize(("name", "assembly"), [("k9", ""), ("k9", "A"), ("k2", "B")])
def test_a_contig_that_is_not_there_is_a_key_error(name, assembly):
    with pytest.raises(KeyError):
        ContigNames(OWN, [OTHER]).find("t.tsv", name, assembly)
