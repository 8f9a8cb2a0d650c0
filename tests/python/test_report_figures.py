"""report_figures.py: bars, curves and maps at their bounds."""

import report_figures
from report_figures import (
    MAX_MAP_BINS,
    MAX_MAP_SAMPLES,
    binned_bars,
    cluster_curves,
    coverage_map,
    distance_curves,
    found_curves,
    genome_curves,
    length_bars,
    refinement_bars,
    size_bars,
    training_curves,
)
from report_groups import bin_row, gene_group, rated_bin, report_group


def test_bars_are_in_base_pairs_then_in_contigs():
    bp, contigs = binned_bars([report_group()])["data"]
    assert bp == {"A": {"binned": 9000, "short": 400}} and contigs == {"A": {"binned": 2, "short": 1}}
    bp, contigs = refinement_bars([report_group()])["data"]
    assert bp["A"] == {"kept": 5000, "multi_labelled": 4000, "left": 400}


def test_lengths_are_summed_over_groups_in_the_order_of_length():
    bp, _ = length_bars([report_group("a"), report_group("b")])["data"]
    assert list(bp) == ["below 500 bp", "2 to 5 kbp"] and bp["2 to 5 kbp"] == {"binned": 18000}


def test_curves_have_a_line_for_each_trained_group():
    groups = [report_group("a"), report_group("b", trained=False)]
    content = training_curves(groups)
    assert [list(data) for data in content["data"]] == [["a"]] * 4
    assert content["data"][0]["a"] == [(1, 3.0), (2, 2.0), (10, 1.0)]
    content = distance_curves(groups)
    assert list(content["data"]) == ["a"]
    assert [(line["value"], line["label"]) for line in content["pconfig"]["x_lines"]] == [(0.1, "0.1")]
    assert training_curves(groups[1:]) is None and distance_curves(groups[1:]) is None


def test_genomes_found_have_a_line_for_each_binning():
    one, other = report_group("a"), report_group("b") | {"genomes": None}
    content = genome_curves([one, other])
    assert content["data"] == {"clusters": [(0.5, 3), (0.9, 1)], "bins": [(0.5, 4), (0.9, 2)]}
    assert list(genome_curves([one, report_group("b")])["data"])[2:] == ["b: clusters", "b: bins"]
    assert genome_curves([other]) is None


def test_clusters_of_genes_have_a_line_for_each_catalogue():
    groups = [gene_group("gut", large=2), gene_group("soil", large=0)]
    content = cluster_curves(groups)
    assert content["data"]["gut"] == [(1, 300), (2, 20), (600, 2)] and list(content["data"]) == ["gut", "soil"]
    content = found_curves(groups)
    assert content["data"] == {"gut": [(600, 0), (700, 1), (1000, 2)]}, "none where no cluster is large"
    assert cluster_curves([report_group()]) is found_curves([report_group()]) is found_curves(groups[1:]) is None
    empty = gene_group() | {
        "gene_clusters": dict.fromkeys(("least_genes", "clusters", "genes_found", "large_found"), ())
    }
    assert cluster_curves([empty]) is found_curves([empty]) is None


def test_many_thresholds_have_no_label():
    lines = distance_curves([report_group(f"g{i}") for i in range(4)])["pconfig"]["x_lines"]
    assert len(lines) == 4 and not any("label" in line for line in lines)


def test_sizes_are_counted_by_class_and_tier():
    bins = [bin_row("1", 49_999), bin_row("2", 50_000), rated_bin("3", 1, 0, "high", size=99_999)]
    content = size_bars([report_group(bins=bins), report_group("b", [bin_row("4", 20_000_000)])])
    assert content["data"] == {
        "below 50 kbp": {"not rated": 1},
        "50 to 100 kbp": {"high": 1, "not rated": 1},
        "10 Mbp and more": {"not rated": 1},
    }
    assert size_bars([report_group()]) is None


def test_map_is_empty_where_a_sample_is_of_another_group():
    groups = [
        report_group("a", [bin_row("A.1", coverage=[100.0, 0.0])]),
        report_group("b", [bin_row("A.1", coverage=[1.0])], ["S1"]),
    ]
    content = coverage_map(groups)
    assert content["xcats"] == ["a: S1", "a: S2", "b: S1"] and content["ycats"] == ["a: A.1", "b: A.1"]
    assert content["data"] == [[2, -2, None], [None, None, 0]]
    assert coverage_map([report_group()]) is None


def test_map_shows_the_largest_bins_and_says_so():
    bins = [bin_row(str(size), size) for size in range(1, MAX_MAP_BINS + 2)]
    content = coverage_map([report_group(bins=bins)])
    assert len(content["data"]) == MAX_MAP_BINS and "1" not in content["ycats"]
    assert f"{MAX_MAP_BINS} of {MAX_MAP_BINS + 1} bins are shown, the largest" in content["description"]


def test_map_has_no_bin_without_a_sample():
    samples = [f"S{i}" for i in range(MAX_MAP_SAMPLES)]
    first = report_group("a", [bin_row("A.1", coverage=[1.0] * MAX_MAP_SAMPLES)], samples)
    content = coverage_map([first, report_group("b", [bin_row("A.1")])])
    assert content["ycats"] == ["a: A.1"] and "1 of 2 bins" in content["description"]


def test_many_assemblies_are_cut_off():
    group = report_group()
    group["refinement"] = {f"A{i:03}": {"kept": [1, 1]} for i in range(report_figures.MAX_BARS + 5)}
    assert len(refinement_bars([group])["data"][0]) == report_figures.MAX_BARS
    assert refinement_bars([report_group() | {"refinement": {}}]) is None
