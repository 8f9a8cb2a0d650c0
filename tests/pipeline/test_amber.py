"""Scores of the stage benchmark against those of AMBER, on the same files."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from conftest import DATA, PROJECT, read_truth, run_tool

SHARE_MOVED = 0.15  # of the contigs, into the bin of another genome
RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def write_biobox(path: Path, table: pd.DataFrame) -> None:
    """Write a table under the header of biobox's format."""
    header = "@Version:0.9.1\n@SampleID:gsa\n\n@@" + "\t".join(table.columns) + "\n"
    path.write_text(header + table.to_csv(sep="\t", header=False, index=False))


def write_inputs(folder: Path) -> None:
    """Write a truth and bins of every quality as biobox files, and the tables of a run of which the bins are clusters.

    Contigs of one genome alone: a contig that several share has one genome for AMBER.
    """
    truth = read_truth(DATA / "co.truth.tsv").drop_duplicates("contig", keep=False)
    rng = np.random.default_rng(1)
    genomes = sorted(truth["genome"].unique())
    # From genome to genome, fewer contigs have a bin; g1 is cut in two.
    is_binned = rng.random(len(truth)) < truth["genome"].map(dict(zip(genomes, (1, 1, 0.97, 0.9, 0.7, 0.6))))
    is_moved = rng.random(len(truth)) < truth["genome"].map(dict(zip(genomes, (0, 0, 0, SHARE_MOVED, 0, SHARE_MOVED))))
    name = truth["genome"].mask(is_moved, pd.Series(rng.choice(genomes, len(truth)), index=truth.index))
    name = name.mask((name == "g1") & (rng.random(len(truth)) < 0.3), "g1b")
    bins = pd.DataFrame({"SEQUENCEID": truth["contig"], "BINID": name})[is_binned]
    write_biobox(folder / "truth.binning", truth.set_axis(["SEQUENCEID", "BINID", "_LENGTH"], axis=1))
    write_biobox(folder / "bins.binning", bins)
    contigs = truth.assign(assembly="A", name=truth["contig"])[["contig", "assembly", "name", "length"]]
    contigs.to_csv(folder / "contigs.tsv", sep="\t", index=False)
    (folder / "clusters.tsv").write_text("cluster\tcontig\tassembly\tname\n")
    (folder / "contig2bin.tsv").write_text("assembly\tcontig\tbin\n")


def test_scores_are_those_of_amber(tmp_path, next_tools):
    """Of each bin its largest genome, precision and recall; how many genomes reach each precision and recall."""
    write_inputs(tmp_path)
    options = ["--silent", "--skip_gs", "-l", "bins", "-o", "amber", "-g", "truth.binning", "bins.binning"]
    run_tool([next_tools / "python", next_tools / "amber.py", *options], tmp_path)
    theirs = pd.read_csv(tmp_path / "amber" / "bin_metrics.tsv", sep="\t", dtype={"BINID": str}).set_index("BINID")
    files = [word for name in ("contigs", "clusters", "contig2bin") for word in (f"--{name}", f"{name}.tsv")]
    options = ["--truth", "truth.binning", "--compare", "given", "bins.binning", "--min_bin_size", "0", *files]
    run_tool([sys.executable, PROJECT / "bin" / "benchmark.py", *options], tmp_path)
    pairs = pd.read_csv(tmp_path / "pairs.tsv.gz", sep="\t")
    ours = pairs[pairs["binning"] == "given"].drop_duplicates("bin").set_index("bin").loc[theirs.index]
    assert len(theirs) == 7 and theirs["precision_bp"].min() < 0.9 < theirs["recall_bp"].max()
    same = {
        "genome": "genome_id", "bin_size": "total_length", "bases": "tp_length", "genome_size": "length_gs",
    }  # fmt: skip
    assert all(ours[our].tolist() == theirs[their].tolist() for our, their in same.items())
    np.testing.assert_allclose(ours[["precision", "recall"]], theirs[["precision_bp", "recall_bp"]], rtol=1e-5)
    found = pd.read_csv(tmp_path / "genomes_found.tsv", sep="\t").query("binning == 'given' and counted == 'genome'")
    for row in found.to_dict("records"):
        # AMBER's bounds are strict; no bin is exactly at one.
        is_pure = theirs["precision_bp"] > row["precision"]
        numbers = [int((is_pure & (theirs["recall_bp"] > recall)).sum()) for recall in RECALLS]
        assert [row[f"recall_{recall:g}"] for recall in RECALLS] == numbers
        assert len(set(numbers)) > 1
