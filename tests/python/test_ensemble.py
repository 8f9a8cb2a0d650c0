"""ensemble.py: given bins beside own clusters."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import ensemble
from assembly_tables import read_clusters

CONTIGS = pd.DataFrame(
    [("A1~k1", "A1", "k1", 900), ("A1~k2", "A1", "k2", 900), ("A2~k1", "A2", "k1", 900), ("A2~k2", "A2", "k2", 9)],
    columns=["contig", "assembly", "name", "length"],
).set_index("contig", drop=False)


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CONTIGS.to_csv("contigs.tsv", sep="\t", index=False)


def clusters() -> dict[str, str]:
    """Return the cluster of each contig, as later stages read them."""
    return read_clusters(Path("clusters.tsv"), CONTIGS).set_index("contig")["cluster"].to_dict()


def run(own: dict[str, str], given: dict[str, str], *options: str):
    """Run the command on the clusters of contigs."""
    for name, cluster in (("own", own), ("given", given)):
        table = CONTIGS[CONTIGS["contig"].isin(list(cluster))].drop(columns="length")
        table.insert(0, "cluster", [cluster[contig] for contig in table["contig"]])
        table.to_csv(f"{name}.tsv", sep="\t", index=False)
    words = ["--contigs", "contigs.tsv", "--own", "own.tsv", "--given", "given.tsv", *options]
    return CliRunner().invoke(ensemble.main, words)


def test_given_bins_add_what_clusters_lack_in_each_assembly():
    """Cluster 1 has 1,800 bp in A1 and 900 bp in A2, where it is too small to hold its contig."""
    own = {"A1~k1": "1", "A1~k2": "1", "A2~k1": "1"}
    given = {"A1~k1": "A1~b", "A2~k1": "A2~b", "A2~k2": "A2~b"}
    done = run(own, given, "--min_bin_size", "9090")
    assert done.exit_code == 0, done.output
    assert clusters() == {"A1~k1": "1", "A1~k2": "1", "A2~k1": "A2~b", "A2~k2": "A2~b"}
    assert "4 of 4 contigs have a cluster, 2 by given bins" in done.stderr
    run(own, given, "--min_bin_size", "9000")
    assert clusters() == {"A1~k1": "1", "A1~k2": "1", "A2~k1": "1", "A2~k2": "A2~b"}


def test_tables_of_another_run_are_refused():
    run({"A1~k1": "1"}, {"A1~k2": "A1~b"})
    Path("given.tsv").write_text(Path("given.tsv").read_text().replace("A1~k2", "A1~k9"))
    words = ["--contigs", "contigs.tsv", "--own", "own.tsv", "--given", "given.tsv"]
    done = CliRunner().invoke(ensemble.main, words)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: given.tsv: row 1: contig 'A1~k9' is not in contigs.tsv; ")
