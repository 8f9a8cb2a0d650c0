"""taxonomy.py: from hits of genes and lineages to the taxa of bins."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

import taxonomy
from bin_taxonomy import RANKS
from evaluation_tables import TAXONOMY
from stage_tables import read_table

N_GENES = 4
GENES = "gene\tassembly\tcontig\tstart\tend\tstrand\n" + "".join(
    f"A~{contig}_{n}\tA\t{contig}\t{n * 1000}\t{n * 1000 + 999}\t+\n"
    for contig in ("k1", "k2")
    for n in range(1, N_GENES + 1)
)
CONTIG2BIN = "assembly\tcontig\tbin\nA\tk1\tA.001\nA\tk2\tA.002\nA\tk3\tA.003\n"
LINEAGES = "\t".join(["subject", *RANKS]) + "\ns1\tE coli K12\tE coli\tE\tEb\tEl\tG\tP\tBacteria\n"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")
    for name, text in (("genes.tsv", GENES), ("contig2bin.tsv", CONTIG2BIN), ("lineages.tsv", LINEAGES)):
        Path(name).write_text(text)


def run(hits: str | bytes):
    Path("hits.tsv").write_bytes(hits if isinstance(hits, bytes) else hits.encode())
    options = "--genes genes.tsv --contig2bin contig2bin.tsv --gene_hits hits.tsv --lineages lineages.tsv"
    return CliRunner().invoke(taxonomy.main, options.split())


def hits(contig, n, identity, subject="s1", length=1000):
    """Rows of so many genes as blastn writes them."""
    rest = "0\t0\t1\t1000\t1\t1000\t0.0\t1800"
    return "".join(f"A~{contig}_{i}\t{subject}\t{identity}\t{length}\t{rest}\n" for i in range(1, n + 1))


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(("# BLASTN\n" + text).encode())])
def test_bins_have_the_taxa_of_their_genes(pack):
    done = run(pack(hits("k1", 3, 99) + hits("k2", 2, "86.0")))
    assert done.exit_code == 0, done.output
    bins = read_table(TAXONOMY, Path("taxonomy.tsv")).set_index("bin")
    assert bins.loc["A.001", ["genes", "rank", "taxon", "share"]].tolist() == [4, "strain", "E coli K12", 0.75]
    # Half of its genes reach the genus' identity: enough from the family on
    assert bins.loc["A.002", ["rank", "taxon", "share", "genus"]].tolist() == ["family", "Eb", 0.5, ""]
    assert bins.loc["A.002", "superkingdom"] == "Bacteria"
    # No gene at all
    assert bins.loc["A.003", ["genes", "rank", "superkingdom"]].tolist() == [0, "", ""]
    assert not Path("warnings.txt").exists()


def test_what_is_not_known_is_a_warning():
    assert run(hits("k1", 3, 99, "s9")).exit_code == 0
    assert Path("warnings.txt").read_text().startswith("hits.tsv: 1 subjects have no lineage, 's9' for example")
    Path("warnings.txt").unlink()
    assert run("other_1\ts1\t99\t1000\n").exit_code == 0
    assert Path("warnings.txt").read_text().startswith("hits.tsv: has no hit of a gene of this group")


@pytest.mark.parametrize(
    "row",
    ["A~k1_1\ts1\t99\n", "g\ts1\t1000\t99\n", "g\ts1\tx\t1000\n", "g\ts1\t99\t0\n", "a,b,c,d\n", "a\tb\tnan\t5\n"],
)
def test_a_malformed_row_is_one_line(row):
    done = run(hits("k1", 1, 99) + row)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: hits.tsv: line 2: has no identity in per cent and no length behind")
    assert done.stderr.count("\n") == 1
