"""ensemble.py: own clusters and given bins as pieces."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import ensemble
from assembly_tables import read_clusters

CONTIGS = pd.DataFrame(
    [("A1~k1", "A1", "k1", 900), ("A1~k2", "A1", "k2", 900), ("A2~k1", "A2", "k1", 900), ("A2~k2", "A2", "k2", 9)],
    columns=["contig", "assembly", "name", "length"],
)


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CONTIGS.to_csv("contigs.tsv", sep="\t", index=False)


def run(own: dict[str, str], given: dict[str, str]):
    """Run the command on the clusters of contigs."""
    for name, cluster in (("own", own), ("given", given)):
        table = CONTIGS[CONTIGS["contig"].isin(list(cluster))].drop(columns="length")
        table.insert(0, "cluster", [cluster[contig] for contig in table["contig"]])
        table.to_csv(f"{name}.tsv", sep="\t", index=False)
    return CliRunner().invoke(ensemble.main, ["--contigs", "contigs.tsv", "--own", "own.tsv", "--given", "given.tsv"])


def test_pieces_of_clusters_over_assemblies_and_of_bins_within_one():
    done = run({"A1~k1": "1", "A1~k2": "1", "A2~k1": "1"}, {"A1~k1": "A1~b", "A2~k1": "A2~b", "A2~k2": "A2~b"})
    assert done.exit_code == 0, done.output
    assert read_clusters(Path("clusters.tsv"), CONTIGS).set_index("contig")["cluster"].to_dict() == {
        "A1~k1": "1&A1~b",
        "A1~k2": "1",
        "A2~k1": "1&A2~b",
        "A2~k2": "A2~b",
    }
    assert "4 pieces hold 4 of 4 contigs" in done.stderr


def test_tables_of_another_run_are_refused():
    run({"A1~k1": "1"}, {"A1~k2": "A1~b"})
    Path("given.tsv").write_text(Path("given.tsv").read_text().replace("A1~k2", "A1~k9"))
    words = ["--contigs", "contigs.tsv", "--own", "own.tsv", "--given", "given.tsv"]
    done = CliRunner().invoke(ensemble.main, words)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: given.tsv: row 1: contig 'A1~k9' is not in contigs.tsv; ")
