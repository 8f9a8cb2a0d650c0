"""summary.py: counts over groups, and what a user reads in the terminal."""

import json
import os

import pandas as pd
import pytest
from click.testing import CliRunner

import summary

BINS = "bin\tassembly\tcluster\tsize\tcontigs\tn50\tgc\tmulti_labelled\trefined\ttransferred\tcoverage_S1\n"


def write_group(folder, contigs, samples, contig2bin, bins):
    """contigs: (assembly, name, length); contig2bin: (assembly, contig, bin); bins: (bin, assembly, size, refined)."""
    folder.mkdir()
    rows = [f"{a}~{n}\t{a}\t{n}\t{length}\n" for a, n, length in contigs]
    (folder / "contigs.tsv").write_text("contig\tassembly\tname\tlength\n" + "".join(rows))
    (folder / "features.json").write_text(json.dumps({"samples": samples}))
    (folder / "contig2bin.tsv").write_text("assembly\tcontig\tbin\n" + "".join("\t".join(r) + "\n" for r in contig2bin))
    rows = [f"{b}\t{a}\t1\t{size}\t1\t1\t0.5\t0\t{refined}\tfalse\t1\n" for b, a, size, refined in bins]
    (folder / "bins.tsv").write_text(BINS + "".join(rows))
    return [
        "--group",
        folder.name,
        *(str(folder / f) for f in ("contigs.tsv", "features.json", "contig2bin.tsv", "bins.tsv")),
    ]


def write_warnings(folder, rows):
    path = folder / "given.json"
    path.write_text(json.dumps([dict(zip(("stage", "group", "id", "warning"), row, strict=True)) for row in rows]))
    return path


def run_summary(tmp_path, arguments):
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        result = CliRunner().invoke(summary.main, arguments, catch_exceptions=False)
    finally:
        os.chdir(here)
    if result.exit_code:
        return result, None, None
    table = pd.read_csv(tmp_path / "summary.tsv", sep="\t", dtype=str, keep_default_na=False)
    return result, table, (tmp_path / "summary.txt").read_text()


def test_two_groups(tmp_path):
    gut = write_group(
        tmp_path / "gut",
        [("A1", "c", 3_000_000), ("A1", "NA", 1_000_000), ("A2", "c", 500_000)],
        ["S1", "S2"],
        [("A1", "c", "A1.001"), ("A1", "c", "A1.002"), ("A1", "NA", "A1.002")],
        [("A1.001", "A1", 3_000_000, "true"), ("A1.002", "A1", 4_000_000, "true")],
    )
    air = write_group(tmp_path / "air", [("B", "x", 999)], ["T"], [], [])
    _, table, text = run_summary(tmp_path, gut + air)
    assert table.to_dict("records") == [
        {"group": "air", "assemblies": "1", "samples": "1", "contigs": "1", "contigs_binned": "0", "bp": "999",
         "bp_binned": "0", "bins": "0", "refined_assemblies": "0", "warnings": "0"},
        {"group": "gut", "assemblies": "2", "samples": "2", "contigs": "3", "contigs_binned": "2", "bp": "4500000",
         "bp_binned": "4000000", "bins": "2", "refined_assemblies": "1", "warnings": "0"},
    ]  # fmt: skip
    assert text == (
        "Groups          2: air (1 assembly, 1 sample), gut (2 assemblies, 2 samples)\n"
        "Contigs binned  2 of 4 (50.0 %), 4.00 Mbp of 4.50 Mbp (88.9 %)\n"
        "Bins            2, 1 of 3 assemblies refined\n"
        "Largest bins    gut/A1.002 (4.00 Mbp), gut/A1.001 (3.00 Mbp)\n"
    )


def test_one_group_without_bins(tmp_path):
    _, table, text = run_summary(tmp_path, write_group(tmp_path / "g", [("B", "x", 5)], ["T"], [], []))
    assert len(table) == 1
    lines = text.splitlines()
    assert len(lines) == 4 and lines[1] == "Contigs binned  0 of 1 (0.0 %), 0 bp of 5 bp (0.0 %)"
    assert lines[2:] == ["Bins            0, 0 of 1 assembly refined", "Largest bins    none"]


def test_many_groups_and_equal_bins(tmp_path):
    arguments = []
    for name in "edcba":
        contig2bin, rows = [("B", "x", "B.001")], [("B.001", "B", 250_000, "false")]
        arguments += write_group(tmp_path / name, [("B", "x", 250_000)], ["T"], contig2bin, rows)
    _, table, text = run_summary(tmp_path, arguments)
    assert list(table["group"]) == list("abcde")
    assert "c (1 assembly, 1 sample), and 2 more" in text
    assert "Largest bins    a/B.001 (250 kbp), b/B.001 (250 kbp), c/B.001 (250 kbp)\n" in text


@pytest.mark.parametrize(
    ("bp", "text"),
    [
        (0, "0 bp"), (999, "999 bp"), (1000, "1.00 kbp"), (9994, "9.99 kbp"), (9996, "10.0 kbp"), (99_960, "100 kbp"),
        (200_000, "200 kbp"), (999_499, "999 kbp"), (999_500, "1.00 Mbp"), (5_321_000, "5.32 Mbp"),
        (81_200_000, "81.2 Mbp"), (4_512_000_000, "4.51 Gbp"), (7_000_000_000_000_000, "7000 Tbp"),
    ],
)  # fmt: skip
def test_human_bp(bp, text):
    assert summary.human_bp(bp) == text


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("features.json", "{", "give the features.json that the features stage wrote"),
        ("features.json", "{}", "no list `samples`"),
        ("bins.tsv", "bin\tassembly\tsize\n", "no column refined"),
        ("contig2bin.tsv", "assembly\tcontig\tbin\nC\tx\tC.001\n", "row 1: contig 'x' of assembly 'C' is not in"),
    ],
)
def test_bad_inputs(tmp_path, file, text, message):
    arguments = write_group(tmp_path / "g", [("B", "x", 5)], ["T"], [], [])
    (tmp_path / "g" / file).write_text(text)
    result, _, _ = run_summary(tmp_path, arguments)
    assert result.exit_code == 1 and message in result.output and file in result.output


def test_warnings_are_counted_by_group_and_shown(tmp_path):
    gut = write_group(tmp_path / "gut", [("A", "x", 999)], ["T"], [], [])
    air = write_group(tmp_path / "air", [("B", "x", 999)], ["T"], [], [])
    rows = [("map_reads", "gut", "T", "no read maps"), ("vae", "gut", "", "not trained")]
    given = write_warnings(tmp_path, rows)
    _, table, text = run_summary(tmp_path, [*gut, *air, "--warnings", str(given)])
    assert table[["group", "warnings"]].to_dict("records") == [
        {"group": "air", "warnings": "0"},
        {"group": "gut", "warnings": "2"},
    ]
    assert text.splitlines()[4:] == ["Warnings        2", "  map_reads, gut T: no read maps", "  vae, gut: not trained"]
    lines = [("stage", "group", "id", "warning"), *rows]
    assert (tmp_path / "warnings.tsv").read_text() == "".join("\t".join(line) + "\n" for line in lines)


def test_many_warnings_are_not_all_shown(tmp_path):
    gut = write_group(tmp_path / "gut", [("A", "x", 999)], ["T"], [], [])
    given = write_warnings(tmp_path, [("map_reads", "gut", f"S{number}", "no read maps") for number in range(25)])
    _, _, text = run_summary(tmp_path, [*gut, "--warnings", str(given)])
    assert len(text.splitlines()) == 4 + 1 + 20 + 1
    assert text.splitlines()[-1] == "  and 5 more in warnings.tsv"
    assert len((tmp_path / "warnings.tsv").read_text().splitlines()) == 26


def test_bins_are_counted_by_quality_where_markers_were_searched_for(tmp_path):
    """Of one of two groups, whose bins.tsv has the further columns."""
    bins = [(f"A.{i}", "A", 1000, "true") for i in range(4)]
    rated = write_group(tmp_path / "rated", [("A", "c", 1000)], ["S"], [], bins)
    plain = write_group(tmp_path / "plain", [("B", "c", 1000)], ["S"], [], [("B.1", "B", 1000, "true")])
    table = pd.read_csv(tmp_path / "rated" / "bins.tsv", sep="\t", dtype=str)
    columns = {
        "markers_found": ["40", "30", "20", "0"],
        "completeness": ["1", "0.95", "0.6", ""],
        "contamination": ["0", "0.01", "0.07", ""],
        "quality": ["high", "high", "medium", ""],
    }
    for place, (name, values) in enumerate(columns.items()):
        table.insert(len(table.columns) - 1, name, values)
        assert list(table.columns).index(name) == 10 + place
    table.to_csv(tmp_path / "rated" / "bins.tsv", sep="\t", index=False)
    _, _, text = run_summary(tmp_path, rated + plain)
    assert "Quality         2 high, 1 medium, 1 not known\n" in text
    _, _, text = run_summary(tmp_path, plain)
    assert "Quality" not in text


def write_genes(folder, genes, clusters):
    """genes: (assembly, name, length); clusters: (cluster, genes, bp, large)."""
    folder.mkdir()
    rows = [f"{a}~{n}\t{a}\t{n}\t{length}\n" for a, n, length in genes]
    (folder / "contigs.tsv").write_text("contig\tassembly\tname\tlength\n" + "".join(rows))
    (folder / "features.json").write_text(json.dumps({"samples": ["S1", "S2"]}))
    rows = ["\t".join(map(str, row)) + "\n" for row in clusters]
    (folder / "gene_clusters.tsv").write_text("cluster\tgenes\tbp\tlarge\n" + "".join(rows))
    files = ("contigs.tsv", "features.json", "gene_clusters.tsv")
    return ["--gene_group", folder.name, *(str(folder / name) for name in files)]


def test_two_gene_catalogues(tmp_path):
    genes = [("igc", str(i), 1000) for i in range(700)]
    gut = write_genes(tmp_path / "gut", genes, [(3, 600, 600_000, "true"), (1, 9, 9000, "false")])
    sea = write_genes(tmp_path / "sea", [("a", "x", 300), ("b", "x", 600)], [(1, 1, 600, "false")])
    warnings = write_warnings(tmp_path, [("cluster", "gut", "", "few genes")])
    _, table, text = run_summary(tmp_path, [*gut, *sea, "--warnings", str(warnings)])
    assert table.to_dict("records") == [
        {"group": "gut", "assemblies": "1", "samples": "2", "genes": "700", "genes_clustered": "609", "bp": "700000",
         "bp_clustered": "609000", "clusters": "2", "large_clusters": "1", "genes_in_large": "600", "warnings": "1"},
        {"group": "sea", "assemblies": "2", "samples": "2", "genes": "2", "genes_clustered": "1", "bp": "900",
         "bp_clustered": "600", "clusters": "1", "large_clusters": "0", "genes_in_large": "0", "warnings": "0"},
    ]  # fmt: skip
    assert text.splitlines()[:4] == [
        "Groups          2: gut (1 assembly, 2 samples), sea (2 assemblies, 2 samples)",
        "Genes clustered 610 of 702 (86.9 %), 610 kbp of 701 kbp",
        "Clusters        3, 1 of at least 500 genes with 600 genes",
        "Largest         gut/3 (600 genes), gut/1 (9 genes), sea/1 (1 gene)",
    ]
    content = json.loads((tmp_path / "summary.json").read_text())
    assert content["groups"][0]["genes_in_large"] == 600 and len(content["warnings"]) == 1


def test_a_gene_catalogue_without_clusters(tmp_path):
    _, _, text = run_summary(tmp_path, write_genes(tmp_path / "g", [("B", "x", 5)], []))
    assert text.splitlines()[1:] == [
        "Genes clustered 0 of 1 (0.0 %), 0 bp of 5 bp",
        "Clusters        0, 0 of at least 500 genes with 0 genes",
        "Largest         none",
    ]


def test_groups_are_of_contigs_or_of_genes(tmp_path):
    both = write_group(tmp_path / "a", [("B", "x", 5)], ["T"], [], []) + write_genes(tmp_path / "b", [], [])
    for arguments in ([], both):
        done, _, _ = run_summary(tmp_path, arguments)
        assert done.exit_code == 2 and "give all groups by --group, or all by --gene_group" in done.output
