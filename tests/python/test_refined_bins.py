"""refined_bins.py: labels and steps of several assemblies; test_bins.py has the files that are refused."""

import pandas as pd
import pytest
from click import ClickException

from refined_bins import read_refined

CONTIGS = pd.DataFrame({"contig": ["A~x", "A~y", "B~x"], "assembly": ["A", "A", "B"]}, index=["A~x", "A~y", "B~x"])


def write_refined(folder, assembly, steps):
    """Write the tables of an assembly; steps: contig, initial, bins. Return their paths."""
    folder = folder / assembly
    folder.mkdir()
    rows = [f"{contig}\t{label}" for contig, _, labels in steps for label in labels]
    (folder / "contig2bin.tsv").write_text("\n".join(["contig\tbin", *rows]) + "\n")
    rows = [f"{contig}\t{assembly}\t{initial}\t{','.join(labels)}" for contig, initial, labels in steps]
    (folder / "refinement.tsv").write_text("\n".join(["contig\tassembly\tinitial\tfinal", *rows]) + "\n")
    return folder / "contig2bin.tsv", folder / "refinement.tsv"


def test_bins_of_two_assemblies(tmp_path):
    one = write_refined(tmp_path, "A", [("A~x", "1", []), ("A~y", "", ["1", "7"])])
    other = write_refined(tmp_path, "B", [("B~x", "1", ["1"])])
    found = read_refined([one, other], CONTIGS)
    assert found.assemblies == {"A", "B"} and found.removed == {"A~x"}
    assert list(map(tuple, found.labels.to_numpy())) == [("A~y", "1"), ("A~y", "7"), ("B~x", "1")]
    assert found.steps["final"].tolist() == ["", "1,7", "1"]


def test_no_assembly():
    found = read_refined([], CONTIGS)
    assert found.assemblies == found.removed == set() and list(found.labels) == ["contig", "cluster"]


def test_two_assemblies_in_one_table(tmp_path):
    files = write_refined(tmp_path, "A", [("A~x", "1", ["1"]), ("B~x", "1", ["1"])])
    files[1].write_text(files[1].read_text().replace("B~x\tA", "B~x\tB"))
    with pytest.raises(ClickException, match="holds the assemblies 'A', 'B'"):
        read_refined([files], CONTIGS)
