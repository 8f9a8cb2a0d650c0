"""marker_families.py: the families of the packages and of a user's file, and files that are refused."""

from pathlib import Path

import click
import pytest

import marker_families
from planted_markers import FOLDER, write_models
from stage_tables import FAMILIES, read_table

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_described_families_are_installed_and_both_domains_have_some():
    described = marker_families.read_descriptions(PROJECT / "assets" / "marker_families.tsv")
    families = marker_families.installed_families(described.index)
    names = [family.name for family in families]
    assert names == sorted(set(names)) and set(names) <= set(described.index)
    if marker_families.installed(*marker_families.BACTERIAL):
        assert set(names) == set(described.index)
    for domain in ("bacteria", "archaea"):
        assert described[domain].sum() == pytest.approx(1, abs=0.001)
        assert (described[domain] > 0).sum() >= 20
    assert all(family.cutoff > 0 and family.hmm.M > 0 for family in families)


def test_without_the_package_of_bacteria_a_warning_says_so(monkeypatch, capsys):
    monkeypatch.setattr(marker_families, "BACTERIAL", ("no_such_package", "models.hmm"))
    families = marker_families.installed_families()
    assert {family.collection for family in families} == {"fetchmgs"}
    assert "WARNING: the package no_such_package is not installed" in capsys.readouterr().err


def test_without_any_package_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(marker_families, "UNIVERSAL", ("no_such_package", "data"))
    with pytest.raises(click.ClickException, match=r"no_such_package is not installed.*--marker_hmms.*--markers false"):
        marker_families.installed_families()


def test_a_users_file_is_read_by_name():
    write_models(Path("own.hmm"), "COG0541", "COG0012", cutoff=33.0)
    families = marker_families.given_families(Path("own.hmm"))
    assert [(family.name, family.cutoff) for family in families] == [("COG0012", 33.0), ("COG0541", 33.0)]


def test_files_that_are_no_models_are_refused_with_one_line():
    Path("text.hmm").write_text(">a\nACGT\n")
    Path("empty.hmm").write_text("")
    whole = (FOLDER / "COG0012.hmm").read_text()
    Path("cut.hmm").write_text(whole[: len(whole) // 2])
    Path("dna.hmm").write_text(whole.replace("ALPH  amino", "ALPH  DNA"))
    write_models(Path("none.hmm"), "COG0012", cutoff=None)
    write_models(Path("twice.hmm"), "COG0012", "COG0541", names=("one", "one"))
    words = {
        "text.hmm": "is no file of models",
        "empty.hmm": "is no file of models",
        "cut.hmm": "is no file of models",
        "dna.hmm": "model 'COG0012' is not of proteins",
        "none.hmm": "model 'COG0012' has no cutoff",
        "twice.hmm": "two models are named 'one'; rename one",
    }
    for name, expected in words.items():
        with pytest.raises(click.ClickException) as refused:
            marker_families.given_families(Path(name))
        assert refused.value.message.startswith(f"{name}: ") and expected in refused.value.message
        assert "\n" not in refused.value.message


def test_descriptions_are_a_table_like_others():
    table = read_table(FAMILIES, PROJECT / "assets" / "marker_families.tsv")
    assert list(table.columns) == ["family", "bacteria", "archaea"]
