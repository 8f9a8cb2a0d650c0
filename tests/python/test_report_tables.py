"""report_tables.py: the tables of the report at their bounds, and texts that HTML could take for its own."""

from report_groups import bin_row, gene_group, rated_bin, report_group, sample_row, summary_row
from report_tables import MAX_BIN_ROWS, bins_table, groups_table, run_page, samples_table, warnings_page


def test_names_have_their_group_only_where_there_are_several():
    one, other = report_group("co", [bin_row("a.001")]), report_group("ms", [bin_row("a.001", 5)])
    assert list(samples_table([one])["data"]) == ["S1", "S2"]
    assert list(samples_table([one, other])["data"]) == ["co: S1", "co: S2", "ms: S1", "ms: S2"]
    assert list(bins_table([one, other])["data"]) == ["co: a.001", "ms: a.001"]


def test_shares_of_reads():
    group = report_group() | {"samples": [sample_row("S1"), sample_row("none", reads=0, mapped_reads=0)]}
    rows = samples_table([group])["data"]
    assert rows["S1"] == {"reads": 1000, "mapped": 90.0, "counted": 80.0, "coverage": 3.5}
    assert rows["none"]["mapped"] == rows["none"]["counted"] == 0


def test_without_reads_and_bins_there_is_no_such_table():
    group = report_group(samples=())
    assert samples_table([group]) is None and bins_table([group]) is None
    assert groups_table([summary_row(group)], [group])["data"]["co"]["bins"] == 0


def test_groups_count_the_tiers_only_where_quality_is_known():
    rated = report_group("a", [rated_bin("1", 0.95, 0.01, "high"), rated_bin("2", None, None, "")])
    plain = report_group("b", [bin_row("1")])
    rows = groups_table([summary_row(rated), summary_row(plain)], [rated, plain])["data"]
    assert [rows["a"][tier] for tier in ("high", "medium", "low", "contaminated")] == [1, 0, 0, 0]
    assert "high" not in rows["b"]
    assert rows["a"]["binned"] == 25 and rows["a"]["mbp"] == 4


def test_groups_of_genes_count_clusters():
    group = gene_group("gut")
    content = groups_table([summary_row(group)], [group])
    row = content["data"]["gut"]
    assert (row["genes"], row["clusters"], row["large_clusters"], row["genes_in_large"]) == (1200, 300, 1, 600)
    assert row["clustered"] == 100 * 1000 / 1200 and set(row) == set(content["headers"])
    assert "a gene here" in content["description"] and bins_table([group]) is None


def test_a_bin_of_unknown_quality_has_no_such_cells():
    content = bins_table([report_group(bins=[rated_bin("1", 0.95, 0.01, "high"), rated_bin("2", None, None, "")])])
    assert content["data"]["1"] == {
        "size": 1000, "contigs": 10, "n50": 250, "gc": 50, "coverage": 3, "completeness": 95, "contamination": 1,
        "quality": "high",
    }  # fmt: skip
    assert not {"completeness", "contamination", "quality"} & content["data"]["2"].keys()
    assert "quality of none" not in content["description"]


def test_without_quality_its_columns_are_left_out_and_the_text_says_why():
    content = bins_table([report_group(bins=[bin_row("1")])])
    assert "quality" not in content["headers"] and "quality of none is known" in content["description"]


def test_the_largest_bins_are_shown_and_the_text_counts_all():
    bins = [bin_row(f"{number}", 1000 + number) for number in range(MAX_BIN_ROWS + 1)]
    content = bins_table([report_group(bins=bins)])
    assert len(content["data"]) == MAX_BIN_ROWS and "0" not in content["data"]
    assert f"{MAX_BIN_ROWS} largest of {MAX_BIN_ROWS + 1:,}" in content["description"]
    assert "largest of" not in bins_table([report_group(bins=bins[1:])])["description"]


def test_texts_are_escaped():
    warning = {"stage": "cluster", "group": "co", "id": "", "warning": "<b> & <script>"}
    assert "&lt;b&gt; &amp; &lt;script&gt;" in warnings_page([warning])["data"]
    assert "No stage warned" in warnings_page([])["data"]
    html = run_page({"Command": "run <x>", "Profile": ""})["data"]
    assert "run &lt;x&gt;" in html and "Profile" not in html
