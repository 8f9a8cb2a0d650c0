"""truth.py: contigs of planted genomes, aligned by blastn itself."""

import gzip
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import truth
from contig_names import ContigNames
from random_contigs import sequence
from stage_tables import CONTIGS, read_table
from truth_tables import read_truth

G = sequence(11, 14_000)
H = sequence(12, 12_000) + G[8000:9000]  # which both have
COMPLEMENT = str.maketrans("ACGT", "TGCA")
# Name and sequence: of g in either strand, too short, of both, of none
CONTIG = {
    "fine": G[2000:5000],
    "turned": H[100:900].translate(COMPLEMENT)[::-1],
    "least": G[6000:6500],
    "short": G[7000:7499],
    "both": G[8000:9000],
    "most": G[9000:11_100] + H[5000:6000],
    "none": sequence(13, 3000),
}

pytestmark = pytest.mark.skipif(
    not shutil.which("blastn"), reason="blastn is not on PATH: references are not tried (`make testbed` installs it)"
)


def write_fasta(name: str, records: dict[str, str], width: int = 70) -> None:
    lines = [
        line
        for title, bases in records.items()
        for line in (f">{title}", *(bases[i : i + width] for i in range(0, len(bases), width)))
    ]
    data = ("\n".join(lines) + "\n").encode()
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)


def write_catalogue(contigs: dict[str, str]) -> None:
    write_fasta("catalogue.fa.gz", {f"A~{name}": bases for name, bases in contigs.items()}, 10**9)
    rows = [f"A~{name}\tA\t{name}\t{len(bases)}\n" for name, bases in contigs.items()]
    Path("contigs.tsv").write_text("contig\tassembly\tname\tlength\n" + "".join(rows))


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")
    write_catalogue(CONTIG)
    write_fasta("g.fa", {"chromosome": G[:10_000], "plasmid": G[10_000:]})
    write_fasta("h.fna.gz", {"chromosome": H})


def run(*genomes: str):
    words = [word for genome in genomes for word in ("--genome", *genome.split("="))]
    return CliRunner().invoke(truth.main, ["--catalogue", "catalogue.fa.gz", "--contigs", "contigs.tsv", *words])


def genomes() -> dict[str, str]:
    """The genome of each contig, as the scores read it."""
    contigs = read_table(CONTIGS, Path("contigs.tsv"))
    found = read_truth(Path("truth.tsv"), ContigNames(contigs), contigs).genomes
    assert all(len(names) == 1 for names in found.values())
    return {name.partition("~")[2]: min(names) for name, names in found.items()}


def test_contigs_of_planted_genomes():
    """`both` is of none, as both genomes have it."""
    done = run("g=g.fa", "h=h.fna.gz")
    assert done.exit_code == 0, done.output
    assert genomes() == {"fine": "g", "turned": "h", "least": "g", "most": "g"}
    assert "4 of 6 contigs of at least 500 bp have a genome" in done.stderr
    assert not Path("warnings.txt").exists()


def test_a_genome_may_have_several_files():
    write_fasta("p.fa", {"plasmid": H})
    assert run("g=g.fa", "g=p.fa").exit_code == 0
    assert set(genomes().values()) == {"g"} and "both" in genomes()


def test_of_two_strains_the_more_alike_one():
    """One substitution in 500 bp: 0.2 % of identity."""
    bases = list(G)
    for place in range(250, len(G), 500):
        bases[place] = "A" if bases[place] != "A" else "C"
    write_fasta("strain.fa", {"s": "".join(bases)})
    assert run("g=g.fa", "strain=strain.fa").exit_code == 0
    assert genomes()["fine"] == "g"
    Path("truth.tsv").unlink()
    write_fasta("strain.fa", {"s": G})
    assert run("g=g.fa", "strain=strain.fa").exit_code == 0
    assert not Path("truth.tsv").exists()
    assert "no contig is from any of the reference genomes" in Path("warnings.txt").read_text()


def test_no_contig_is_long_enough():
    write_catalogue({"short": G[:499]})
    assert run("g=g.fa").exit_code == 0
    assert not Path("truth.tsv").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "bad.fa: holds no sequence; remove it"),
        (b">a\n\n>b\n", "bad.fa: holds no sequence; remove it"),
        (b"ACGT\n>a\nACGT\n", "bad.fa: is not FASTA: it begins with b'ACGT'; give genomes as FASTA"),
        (gzip.compress(b">a\nACGT\n", mtime=0)[:-9], "bad.fa: is damaged or cut off"),
    ],
)
def test_a_file_that_is_no_genome_is_one_line(data, message):
    Path("bad.fa").write_bytes(data)
    done = run("g=g.fa", "bad=bad.fa")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: {message}") and done.stderr.count("\n") == 1


def test_without_blast_the_error_says_so(monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    done = run("g=g.fa")
    assert done.exit_code == 1 and "makeblastdb cannot be run" in done.stderr
