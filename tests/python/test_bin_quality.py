"""bin_quality.py: bins of planted families, of known completeness and contamination."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bin_quality
import gene_finding
from bin_quality import Marked, rate_bins
from stage_tables import RATED_BINS

N_FAMILIES = 40
FAMILIES = [f"B{i:02}" for i in range(N_FAMILIES)] + [f"A{i:02}" for i in range(N_FAMILIES)]


def families(weight: float = 1.0) -> pd.DataFrame:
    """Forty families of bacteria and forty others of archaea, each as much as any other."""
    is_bacterial = [name.startswith("B") for name in FAMILIES]
    share = [weight * each for each in is_bacterial]
    return pd.DataFrame({"family": FAMILIES, "bacteria": share, "archaea": [weight - each for each in share]})


def rate(genes: dict[str, list], length: int = 1_000_000) -> pd.DataFrame:
    """Rate bins by their genes, each on its own contig: a family, or a family and what a cut gene covers of it."""
    rows = [(name, *(one if isinstance(one, tuple) else (one, 1.0))) for name, held in genes.items() for one in held]
    markers = pd.DataFrame(rows, columns=["bin", "family", "covered"])
    contigs = [f"c{i}" for i in range(len(markers))]
    placed = pd.DataFrame({"contig": contigs, "bin": markers["bin"], "length": length})
    markers = markers.assign(contig=contigs, start=1, end=900, score=100.0, cut=markers["covered"] < 1)
    return rate_bins(placed, Marked(markers.drop(columns="bin"), families()))


def test_families_lacking_and_doubled_are_completeness_and_contamination():
    rated = rate({"half": FAMILIES[:20], "whole": FAMILIES[:40], "mixed": FAMILIES[:40] + FAMILIES[:10]})
    assert rated["completeness"].tolist() == [0.5, 1, 1]
    assert rated["contamination"].tolist() == [0, 0, 0.25]
    assert rated["markers_found"].tolist() == [20, 40, 40]
    assert rated["quality"].tolist() == ["medium", "high", "contaminated"]


def test_a_bin_is_of_the_domain_of_which_it_has_more():
    rated = rate({"archaeon": FAMILIES[40:76] + FAMILIES[:5], "bacterium": FAMILIES[:30]})
    assert rated.loc["archaeon", ["markers_found", "completeness"]].tolist() == [36, 0.9]
    assert rated.loc["bacterium", ["markers_found", "completeness"]].tolist() == [30, 0.75]


def test_the_two_parts_of_a_cut_gene_are_one():
    parts = [(name, share) for name in FAMILIES[:20] for share in (0.45, 0.6)]
    rated = rate({"cut": parts}).loc["cut"]
    assert rated["completeness"] == 0.5 and rated["contamination"] == 0
    third = rate({"three": [*parts, *((name, 0.5) for name in FAMILIES[:20])]}).loc["three"]
    assert third["contamination"] == pytest.approx(0.55 / 2, abs=0.001)


def test_a_cut_gene_alone_counts_as_what_it_covers():
    assert rate({"cut": [(name, 0.5) for name in FAMILIES[:40]]}).loc["cut", "completeness"] == 0.5


def test_too_few_families_tell_nothing():
    few = rate({"few": FAMILIES[: bin_quality.MIN_FOUND - 1], "enough": FAMILIES[: bin_quality.MIN_FOUND]})
    assert few["completeness"].isna().tolist() == [True, False]
    assert few["contamination"].isna().tolist() == [True, False]
    assert few["quality"].tolist() == ["", "low"]


def test_what_is_not_seen_in_short_contigs_is_like_the_rest():
    """Half of the bases are in contigs that are not searched, or in which half of the families are seen."""
    marked = Marked(pd.DataFrame({"contig": "long", "family": FAMILIES[:12], "covered": 1.0}), families())
    placed = pd.DataFrame({"contig": ["long", "tiny"], "bin": "b", "length": [10**6, 10**6]})
    assert rate_bins(placed, marked).loc["b", "completeness"] == 0.3
    many = pd.DataFrame({"contig": [f"t{i}" for i in range(2500)], "bin": "b", "length": 400})
    mixed = pd.concat([placed.iloc[:1], many], ignore_index=True)
    assert rate_bins(mixed, marked).loc["b", "completeness"] == 0.6
    short = rate({"b": FAMILIES[:12]}, length=1000).loc["b", "completeness"]
    assert 0.3 < short < 0.4
    assert rate({"b": FAMILIES[:12]}, length=100).loc["b", "completeness"] == pytest.approx(0.3 / bin_quality.MIN_SEEN)


def test_a_shared_contig_counts_for_each_of_its_bins():
    marked = Marked(pd.DataFrame({"contig": "c", "family": FAMILIES[:20], "covered": 1.0, "cut": False}), families())
    placed = pd.DataFrame({"contig": ["c", "c"], "bin": ["x", "y"], "length": 10**6})
    assert rate_bins(placed, marked)["completeness"].tolist() == [0.5, 0.5]


def test_no_marker_at_all():
    nothing = pd.DataFrame({"contig": [], "family": [], "covered": []}, dtype=object).astype({"covered": float})
    placed = pd.DataFrame({"contig": ["c"], "bin": ["b"], "length": [5000]})
    rated = rate_bins(placed, Marked(nothing, families()))
    assert rated["markers_found"].tolist() == [0] and rated["completeness"].isna().all()
    assert rate_bins(placed.iloc[:0], Marked(nothing, families())).empty


@pytest.mark.parametrize(
    ("completeness", "contamination", "tier"),
    [
        (0.91, 0.049, "high"), (0.9, 0.01, "medium"), (0.95, 0.05, "medium"), (0.5, 0.099, "medium"),
        (0.49, 0.09, "low"), (0.49, 0.1, "contaminated"), (1, 0.5, "contaminated"), (np.nan, np.nan, ""),
    ],
)  # fmt: skip
def test_tiers_are_those_of_mimag(completeness, contamination, tier):
    assert bin_quality.quality(pd.Series([completeness]), pd.Series([contamination])).tolist() == [tier]


@given(st.lists(st.tuples(st.sampled_from(FAMILIES), st.floats(0.2, 1)), min_size=1, max_size=200))
def test_ratings_are_ones_that_the_table_may_hold(genes):
    rated = rate({"b": genes}).reset_index()
    for column in RATED_BINS.columns:
        if column.name in rated:
            assert not column.wrong(rated[column.name]).any()


@given(st.sets(st.sampled_from(FAMILIES[:40]), min_size=8), st.integers(1, 100))
def test_the_scale_of_the_weights_has_no_part_in_it(held, weight):
    marked = pd.DataFrame({"contig": "c", "family": sorted(held), "covered": 1.0, "cut": False})
    placed = pd.DataFrame({"contig": ["c"], "bin": ["b"], "length": [10**6]})
    rated = rate_bins(placed, Marked(marked, families(weight)))
    assert rated.loc["b", "completeness"] == pytest.approx(len(held) / N_FAMILIES, abs=1e-4)


def test_contigs_that_are_not_searched_count_as_not_seen():
    assert bin_quality.SEEN_LENGTHS[1] == gene_finding.MIN_CONTIG_LENGTH
    assert np.interp(gene_finding.MIN_CONTIG_LENGTH - 1, bin_quality.SEEN_LENGTHS, bin_quality.SEEN_SHARES) == 0
