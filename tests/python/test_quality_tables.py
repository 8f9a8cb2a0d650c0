"""quality_tables.py: tables of CheckM and CheckM2, and the preprint's precision."""

from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest

from quality_tables import precision, read_quality, without_strains

CHECKM = (
    "Bin Id\tMarker lineage\t# genomes\t# markers\tCompleteness\tContamination\tStrain heterogeneity\n"
    "a.001\tk__Bacteria (UID203)\t5449\t104\t90.00\t5.00\t40.00\nb\troot (UID1)\t5656\t56\t0.00\t0.00\t0.00\n"
)
CHECKM2 = "Name\tCompleteness\tContamination\tCompleteness_Model_Used\na.001\t90.0\t5.0\tNeural\nb\t0.0\t0\tGradient\n"
BINLOOM = "bin\tassembly\tcompleteness\tcontamination\na.001\ta\t0.9\t0.05\nb\ta\t0\t0\n"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(text):
    Path("q.tsv").write_text(text)
    return read_quality(Path("q.tsv"))


@pytest.mark.parametrize(
    "text",
    [CHECKM, CHECKM2, BINLOOM, CHECKM2.replace("a.001", "a.001.fa.gz"), "\ufeff" + CHECKM.replace("\n", "\r\n") + "\n"],
    ids=["checkm", "checkm2", "fractions", "fasta", "windows"],
)
def test_forms(text):
    table = read(text)
    assert table.index.tolist() == ["a.001", "b"]
    np.testing.assert_allclose(table[["completeness", "contamination"]], [[0.9, 0.05], [0, 0]])
    strains = table["strainheterogeneity"]
    assert strains.tolist() == [0.4, 0] if "Strain" in text else strains.isna().all()


def test_no_bin_is_an_empty_table():
    assert len(read("Name\tCompleteness\tContamination\n")) == 0


def test_precision_of_the_preprint():
    """1 - c / (c + 1): a bin with as much foreign sequence as its genome has is right by half."""
    assert precision(pd.Series([0, 0.25, 1.0])).tolist() == [1, 0.8, 0.5]
    # 10 % contamination gives 0.909..., 11.1 % is the last at 0.9.
    assert (precision(pd.Series([1 / 9 - 1e-9, 1 / 9 + 1e-9])) >= 0.9).tolist() == [True, False]


def test_strains_are_no_contamination():
    table = pd.DataFrame({"contamination": [0.5, 0.5, 0.5], "strainheterogeneity": [0, 0.5, 1]})
    assert without_strains(table).tolist() == [0.5, 0.25, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; give the table of"),
        ("Name\tCompleteness\n", "its header names no column contamination; give"),
        ("Completeness\tContamination\n", "its header names no column bin; give"),
        ("a.001\t90\t5\n", "its header names no column bin; give"),
        (CHECKM2 + "c\t1\n", "line 4: has 2 cells, not 4; give"),
        (CHECKM2 + "b\t1\t1\tx\n", "line 4: bin 'b' stands in the table twice; remove"),
        (CHECKM2 + "b.fa\t1\t1\tx\n", "line 4: bin 'b' stands in the table twice; remove"),
        (CHECKM2 + "c\tNA\t1\tx\n", "line 4: has 'NA' as completeness, not a number of at least 0; give"),
        (CHECKM2 + "c\t1\t-1\tx\n", "line 4: has '-1' as contamination, not a number"),
        (CHECKM2 + "c\tnan\t1\tx\n", "line 4: has 'nan' as completeness, not a number"),
        (CHECKM2 + "c\t100.1\t1\tx\n", "bin 'c' is more than complete; give completeness in per cent"),
    ],
    ids=range(11),
)
def test_malformed_tables_are_refused_with_one_line(text, message):
    with pytest.raises(click.ClickException) as refused:
        read(text)
    assert refused.value.message.startswith("q.tsv: ") and message in refused.value.message
