"""report_dots.py: the number of dots is bounded, and what they look like says what they are."""

from report_dots import MAX_BIN_DOTS, MAX_CONTIG_DOTS, SMALL_DOT, contig_dots, gc_coverage_dots, quality_dots
from report_groups import bin_row, dots, gene_group, picture, rated_bin, report_group


def test_a_bin_has_the_same_look_before_and_after_training():
    group = report_group() | {"pictures": picture(["A.2", "A.1", "in no bin", "A.2"])}
    before, after = ({(d["name"], d["color"], d["marker_symbol"]) for d in dots(contig_dots([group], kind))}
                     for kind in ("input", "latent"))  # fmt: skip
    assert before == after and len(before) == 3
    content = contig_dots([group], "input")
    assert content["pconfig"]["groups"] == ["in no bin", "other bins", "A.1", "A.2"], "grey dots lie below"
    assert (content["pconfig"]["xlab"], "data_labels" in content["pconfig"]) == ("PC1 (0.50 of variance)", False)


def test_umap_has_the_same_looks_and_axes_without_variance():
    group = report_group() | {"pictures": picture(["A.2", "A.1", "in no bin", "A.2"])}
    components, umap = (contig_dots([group], kind) for kind in ("latent", "umap_latent"))
    assert umap["data"] == components["data"]
    assert (umap["pconfig"]["xlab"], umap["pconfig"]["ylab"]) == ("UMAP 1", "UMAP 2")
    del group["pictures"]["umap_latent"]
    assert contig_dots([group], "umap_latent") is None


def test_clusters_of_genes_have_names_of_their_own():
    content = contig_dots([gene_group()], "latent")
    assert content["pconfig"]["groups"] == ["in no cluster", "other clusters", "cluster 3"]


def test_groups_are_shown_one_at_a_time_and_share_the_dots():
    groups = [report_group(f"g{i}") | {"pictures": picture(["in no bin"] * 600)} for i in range(20)]
    content = contig_dots(groups, "latent")
    assert [label["name"] for label in content["pconfig"]["data_labels"]] == [group["group"] for group in groups]
    assert len(dots(content)) == MAX_CONTIG_DOTS


def test_without_training_or_contigs_there_is_no_picture():
    untrained = report_group(trained=False)
    del untrained["pictures"]["latent"]
    assert contig_dots([untrained], "latent") is None and contig_dots([untrained], "input")
    assert contig_dots([report_group() | {"pictures": None}], "input") is None


def test_area_is_size_and_no_coverage_has_a_place_on_the_axis():
    bins = [bin_row("1", 4_000_000), bin_row("2", 1_000_000), bin_row("3", 1, coverage=[0.0, 0.0])]
    large, half, small = dots(gc_coverage_dots([report_group(bins=bins)]))
    assert large["marker_size"] == 2 * half["marker_size"] and small["marker_size"] == SMALL_DOT
    assert (large["x"], large["y"]) == (50, 3) and small["y"] > 0


def test_quality_has_only_bins_of_which_it_is_known():
    bins = [rated_bin("1", 0.9, 0.05, "medium"), rated_bin("2", None, None, ""), bin_row("3")]
    (dot,) = dots(quality_dots([report_group(bins=bins)]))
    assert (dot["name"], dot["x"], dot["y"], dot["group"]) == ("1", 90, 5, "medium")
    assert quality_dots([report_group(bins=bins[1:])]) is None
    assert quality_dots([report_group()]) is None and gc_coverage_dots([report_group()]) is None


def test_the_largest_bins_are_shown():
    bins = [bin_row(str(size), size) for size in range(1, MAX_BIN_DOTS + 2)]
    content = gc_coverage_dots([report_group(bins=bins)])
    assert len(dots(content)) == MAX_BIN_DOTS and "1" not in content["data"]
    assert f"{MAX_BIN_DOTS} largest of" in content["description"]
