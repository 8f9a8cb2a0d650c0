"""report_data.py: what is aggregated of a group."""

import json

import pytest
from click.testing import CliRunner

import report_data

BINS = ["bin", "assembly", "cluster", "size", "contigs", "n50", "gc", "multi_labelled", "refined", "transferred"]
RATED = [*BINS, "markers_found", "completeness", "contamination", "quality"]
MAPPING = "sample\treads\tmapped_reads\tcounted_reads\talignments\tmean_coverage\n"


def write_table(path, header, *rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in (header, *rows)))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A group of two samples and two bins of known and unknown quality."""
    monkeypatch.chdir(tmp_path)
    small = ["A.002", "A", 7, 200, 2, 150, 0.25, 0, "true", "false", 3, "", "", "", 1.5, 0]
    large = ["A.001", "A", 3, 900, 5, 400, 1 / 3, 1, "true", "true", 30, 0.95, 0.01, "high", 10, 20]
    write_table(tmp_path / "bins.tsv", [*RATED, "coverage_S2", "coverage_S1"], small, large)
    (tmp_path / "features.json").write_text(json.dumps({"samples": ["S1", "S2"], "mapped_reads": {"S1": 1, "S2": 2}}))
    for name, reads in {"S2": 50, "S1": 40}.items():
        (tmp_path / f"{name}.mapping.tsv").write_text(f"{MAPPING}{name}\t{reads}\t30\t20\t25\t1.5\n")
    return tmp_path


def run(*mappings):
    given = [word for path in mappings for word in ("--mapping", path)]
    command = ["--group", "co", "--bins", "bins.tsv", "--features", "features.json", *given]
    done = CliRunner().invoke(report_data.main, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    with open("report_data.json") as file:
        return json.load(file)


def test_bins_and_samples(folder):
    content = run("S2.mapping.tsv", "S1.mapping.tsv")
    assert [row["bin"] for row in content["bins"]] == ["A.001", "A.002"]
    large, small = content["bins"]
    assert large["coverage"] == [20, 10], "in the order of the samples"
    assert (large["completeness"], large["quality"]) == (0.95, "high")
    assert (small["completeness"], small["contamination"], small["quality"]) == (None, None, "")
    assert [(row["sample"], row["reads"]) for row in content["samples"]] == [("S1", 40), ("S2", 50)]
    assert content["coverage_unit"] == "reads per base"


def test_abundance_table_and_no_markers(folder):
    """Without reads there are no samples to show, and the unit of coverage is another."""
    write_table(folder / "bins.tsv", [*BINS, "coverage_S"], ["A.001", "A", 3, 9, 1, 9, 0.5, 0, "false", "false", 1])
    (folder / "features.json").write_text('{"samples": ["S"], "mapped_reads": null}')
    content = run()
    assert content["samples"] == [] and content["coverage_unit"] == "RPKM"
    assert content["bins"][0].keys().isdisjoint({"completeness", "contamination", "quality"})


def test_no_bin(folder):
    write_table(folder / "bins.tsv", [*RATED, "coverage_S1", "coverage_S2"])
    assert run("S1.mapping.tsv")["bins"] == []


def test_a_sample_without_a_column_is_refused(folder):
    (folder / "features.json").write_text('{"samples": ["S1", "S3"], "mapped_reads": {}}')
    done = CliRunner().invoke(report_data.main, ["--group", "g", "--bins", "bins.tsv", "--features", "features.json"])
    assert done.exit_code == 1 and "bins.tsv: has no column coverage_S3; give both from the same run" in done.output
