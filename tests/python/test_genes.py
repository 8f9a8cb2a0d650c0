"""genes.py: the genes of contigs in bins, and their names."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

import genes
from evaluation_tables import GENES
from random_contigs import sequence
from stage_tables import read_table

STOPS = ("TAA", "TAG", "TGA")
RANDOM = sequence(5, 1800)
CODONS = [RANDOM[i : i + 3] for i in range(0, len(RANDOM), 3)]
GENE = "ATG" + "".join([codon for codon in CODONS if codon not in STOPS][:298]) + "TAA"
CONTIG = "TTAATTAATTAA" + "AGGAGG" + "TTTAAC" + GENE + "TTAATTAATTAA" + "A" * 100


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    contigs = {"A~k1": CONTIG, "A~k2": CONTIG, "B~k1": CONTIG, "B~short": CONTIG[:499]}
    fasta = "".join(f">{name}\n{bases}\n" for name, bases in contigs.items())
    Path("catalogue.fa.gz").write_bytes(gzip.compress(fasta.encode()))
    rows = [f"{name}\t{name[0]}\t{name[2:]}\t{len(bases)}\n" for name, bases in contigs.items()]
    Path("contigs.tsv").write_text("contig\tassembly\tname\tlength\n" + "".join(rows))


def run(*binned: tuple[str, str]):
    rows = "".join(f"{assembly}\t{contig}\t{assembly}.001\n" for assembly, contig in binned)
    Path("contig2bin.tsv").write_text(f"assembly\tcontig\tbin\n{rows}")
    options = "--catalogue catalogue.fa.gz --contigs contigs.tsv --contig2bin contig2bin.tsv"
    return CliRunner().invoke(genes.main, options.split())


def test_genes_of_binned_contigs_have_names_of_their_own():
    done = run(("A", "k1"), ("B", "k1"), ("B", "short"))
    assert done.exit_code == 0, done.output
    table = read_table(GENES, Path("genes.tsv.gz"))
    assert {"A~k1_1", "B~k1_1"} <= set(table["gene"])
    assert set(zip(table["assembly"], table["contig"])) == {("A", "k1"), ("B", "k1")}
    records = gzip.decompress(Path("genes.fna.gz").read_bytes()).decode().split(">")[1:]
    sequences = dict(record.split() for record in records)
    assert list(sequences) == table["gene"].tolist()
    lengths = table["end"] - table["start"] + 1
    assert [len(bases) for bases in sequences.values()] == lengths.tolist()
    planted = table[(table["start"] == CONTIG.index(GENE) + 1) & (table["strand"] == "+")]
    assert all(sequences[name] == GENE for name in planted["gene"]) and len(planted) == 2


def test_no_bin_has_no_gene():
    assert run().exit_code == 0
    assert len(read_table(GENES, Path("genes.tsv.gz"))) == 0
    assert gzip.decompress(Path("genes.fna.gz").read_bytes()) == b""
