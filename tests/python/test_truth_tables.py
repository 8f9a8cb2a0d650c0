"""truth_tables.py: the forms in which a truth is written, which contigs it is of, and what is refused."""

import gzip
from pathlib import Path

import click
import pandas as pd
import pytest

from bin_scores import Place
from contig_names import ContigNames
from truth_tables import read_truth

CONTIGS = pd.DataFrame(
    [("k1", "A", "k1", 700), ("k2", "A", "k2", 600), ("k3", "A", "k3", 500)],
    columns=["contig", "assembly", "name", "length"],
)
TWO = pd.DataFrame(
    [("A~k1", "A", "k1", 700), ("B~k1", "B", "k1", 300), ("B~k2", "B", "k2", 200)],
    columns=["contig", "assembly", "name", "length"],
)
OTHER = pd.DataFrame([("k8", "C", "k8", 100)], columns=["contig", "assembly", "name", "length"])
GENOMES = {"k1": {"g1"}, "k2": {"g1", "g 2"}}


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")


def read(text: str | bytes, contigs=CONTIGS, others=()):
    data = text if isinstance(text, bytes) else text.encode()
    Path("truth.tsv").write_bytes(data)
    return read_truth(Path("truth.tsv"), ContigNames(contigs, others), contigs)


def refusal(text: str | bytes, contigs=CONTIGS, others=()) -> str:
    with pytest.raises(click.ClickException) as refused:
        read(text, contigs, others)
    assert refused.value.message.startswith("truth.tsv: ") and "\n" not in refused.value.message
    return refused.value.message.removeprefix("truth.tsv: ")


@pytest.mark.parametrize(
    "text",
    [
        "contig\tgenome\nk1\tg1\nk2\tg1\nk2\tg 2\n",
        "k1\tg1\nk2\tg1\nk2\tg 2\n",
        "\ufeffgenome\tcontig\tlength\r\ng1\tk1\t700\r\n\r\ng1\tk2\t600\r\ng 2\tk2\t600",
        "contig\tgenome\tother\nk1 flag=1\tg1\t\nk2\tg1\tx\nk2\tg 2\tx\nk2\tg 2\tx\n",
        "assembly\tcontig\tgenome\nA\tk1\tg1\nA\tk2\tg1\nA\tk2\tg 2\n",
        "# a comment\n@Version:0.9.1\n@SampleID:gsa\n\n@@SEQUENCEID\tBINID\tTAXID\t_LENGTH\n"
        "k1\tg1\t9\t700\nk2\tg1\t9\t600\nk2\tg 2\t9\t600\n",
    ],
    ids=["table", "no_header", "turned", "descriptions", "assembly", "biobox"],
)
def test_forms(text):
    truth = read(text)
    assert truth.genomes == GENOMES
    assert truth.length == {"k1": 700, "k2": 600}
    assert not truth.places
    assert read(gzip.compress(text.encode())) == truth
    assert not Path("warnings.txt").exists()


def test_places_on_genomes():
    """The strand does not matter, and a contig may have several places."""
    text = "contig\tgenome\tsequence\tstart\tend\nk1\tg1\tchr\t1\t700\nk2\tg1\tp\t600\t1\nk2\tg1\tchr\t5\t9\n"
    truth = read(text)
    assert truth.places == {
        ("k1", "g1"): [Place("chr", 1, 700)],
        ("k2", "g1"): [Place("p", 1, 600), Place("chr", 5, 9)],
    }
    assert truth.genome_sizes() == {"g1": 1300}


def test_the_mapping_of_cami():
    text = (
        "#anonymous_contig_id\tgenome_id\ttax_id\tcontig_id\tnumber_reads\tstart_position\tend_position\n"
        "k1\tg1\t9\tchr\t5\t101\t800\n"
    )
    assert read(text).places == {("k1", "g1"): [Place("chr", 101, 800)]}


def test_several_assemblies():
    truth = read("assembly\tcontig\tgenome\nA\tk1\tg1\nB\tk1\tg2\n", TWO)
    assert truth.genomes == {"A~k1": {"g1"}, "B~k1": {"g2"}}
    assert read("A~k1\tg1\nk2\tg2\n", TWO).genomes == {"A~k1": {"g1"}, "B~k2": {"g2"}}
    message = refusal("contig\tgenome\nk2\tg2\nk1\tg1\n", TWO)
    assert message.startswith("line 3: contig 'k1' is in assembly 'A' and in 'B'; add a column assembly")


def test_samples_of_a_biobox_file_are_assemblies():
    part = "@SampleID:{}\n@@SEQUENCEID\tBINID\nk1\tg{}\n"
    truth = read(part.format("A", 1) + part.format("B", 2), TWO)
    assert truth.genomes == {"A~k1": {"g1"}, "B~k1": {"g2"}}
    assert "assembly 'S2' is not in the assembly sheet" in refusal(part.format("A", 1) + part.format("S2", 2), TWO)


def test_other_groups():
    """A truth of the whole run is no doubt; one of another group alone is."""
    assert read("k1\tg1\nk8\tg1\n", CONTIGS, [OTHER]).genomes == {"k1": {"g1"}}
    assert not Path("warnings.txt").exists()
    assert not read("k8\tg1\n", CONTIGS, [OTHER]).length
    assert "tells of no contig of this group" in Path("warnings.txt").read_text()


def test_contigs_of_no_assembly_are_a_warning_unless_all_are():
    assert read("k1\tg1\nk9\tg1\nk7\tg2\n").genomes == {"k1": {"g1"}}
    assert Path("warnings.txt").read_text() == (
        "truth.tsv: 2 of 3 rows are of contigs that no assembly has, contig 'k9' on line 2 for example: they do not "
        "count\n"
    )
    assert refusal("k9\tg1\n") == (
        "has no contig of this run (contig 'k9' on line 1; the first contig of a group is 'k1'); give the truth of "
        "these very contigs"
    )
    assert refusal("contig\tgenome\n").startswith("has no contig of this run (it has no row;")
    assert refusal("").startswith("has no contig of this run")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contig\tgenome\nk1\n", "line 2: has 1 cells, not 2; give contig and genome"),
        ("k1\tg1\t700\n", "line 1: has 3 cells, not 2; give contig and genome"),
        ("contig\tgenome\nk1\t\n", "line 2: has no genome; give both"),
        ("contig\tgenome\n\tg1\n", "line 2: has no contig; give both"),
        ("contig\tgenome\tlength\nk1\tg1\t701\n", "line 2: contig 'k1' has 701 bp, but 700 bp in its assembly; give"),
        ("contig\tgenome\tlength\nk1\tg1\t7e2\n", "line 2 (contig 'k1'): has '7e2' in column length, not a whole"),
        ("contig\tgenome\tstart\tend\nk1\tg1\t0\t9\n", "line 2 (contig 'k1'): has '0' in column start, not a whole"),
        ("contig\tgenome\tstart\tend\nk1\tg1\t1\t-9\n", "line 2 (contig 'k1'): has '-9' in column end, not a whole"),
        ("contig\tgenome\tstart\tend\nk1\tg1\t\t\n", "line 2 (contig 'k1'): has '' in column start, not a whole"),
        ("contig\tgenome\tstart\nk1\tg1\t1\n", "has no column end; give both start and end"),
        ("contig\tgenome\tend\nk1\tg1\t1\n", "has no column start; give both start and end"),
        (b"contig\tgenome\nk1\t\xe9\n", "line 2: is not UTF-8"),
        (b"contig\tgenome\nk1\tg\x00\n", "line 2: has a control character in it"),
        (gzip.compress(b"contig\tgenome\nk1\tg1\n")[:-9], "is damaged or cut off"),
    ],
    ids=range(14),
)
def test_malformed_files_are_refused_with_one_line(text, message):
    assert refusal(text).startswith(message)
