"""transfer.py: genomes of one assembly are found in another; strains stay apart; the command and what it refuses."""

import gzip
import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import transfer
from stage_tables import COVERAGE, REFINED_CONTIG2BIN, REFINEMENT
from table_output import write_table
from test_kmer_samples import mutated, random_sequence
from tetranucleotides import count_sequences

pytestmark = pytest.mark.filterwarnings("error")

LONG, SHORT = 5000, 600  # bp, of contigs with and without a bin
READ = 150


class Piece(NamedTuple):
    """A contig of a genome in an assembly, and its bin there, or ""."""

    assembly: str
    genome: str
    sequence: bytes
    cluster: str


def cut(assembly: str, genome: str, sequence: bytes, size: int, cluster: str = "") -> list[Piece]:
    """Return a genome as contigs of a size; with a cluster, they are in a bin."""
    return [Piece(assembly, genome, sequence[i : i + size], cluster) for i in range(0, len(sequence), size)]


def write_inputs(folder: Path, pieces: list[Piece], coverage: dict[str, tuple], noise: float = 0.05) -> pd.DataFrame:
    """Write what the command reads; return the contigs with their genomes. coverage: of each genome, by sample."""
    rng = np.random.default_rng(0)
    pieces = sorted(pieces, key=lambda piece: piece.assembly)
    names = [f"c{number}" for number in range(len(pieces))]
    table = pd.DataFrame(pieces).assign(contig=[f"{p.assembly}~{n}" for p, n in zip(pieces, names)], name=names)
    table["length"] = table["sequence"].str.len()
    table[["contig", "assembly", "name", "length"]].to_csv(folder / "contigs.tsv", sep="\t", index=False)
    with gzip.open(folder / "catalogue.fa.gz", "wb") as fasta:
        fasta.writelines(b">%s\n%s\n" % (c.encode(), s) for c, s in zip(table["contig"], table["sequence"]))
    np.save(folder / "tetranucleotides.npy", count_sequences(table["sequence"], len(table)))
    mean = np.array([coverage[genome] for genome in table["genome"]]) * table["length"].to_numpy()[:, None] / READ
    reads = rng.poisson(mean * np.exp(rng.normal(0, noise, mean.shape)))
    depth = pd.DataFrame(reads * READ / table["length"].to_numpy()[:, None]).add_prefix("S")
    write_table(COVERAGE, pd.concat([table[["contig"]], depth], axis=1), folder / "coverage.tsv.gz")
    digest = hashlib.sha256("\n".join(table["contig"]).encode()).hexdigest()
    mapped = {f"S{sample}": int(total) for sample, total in enumerate(reads.sum(axis=0))}
    (folder / "features.json").write_text(json.dumps({"contigs_sha256": digest, "mapped_reads": mapped}))
    for assembly, rows in table.groupby("assembly"):
        (folder / assembly).mkdir()
        reason = np.where(rows["cluster"] == "", "left,unlike", "kept")
        steps = rows[["contig", "assembly", "name", "length"]].assign(initial=rows["cluster"], in_graph=False)
        steps = steps.assign(unlinked=rows["cluster"], final=rows["cluster"], posterior=0.9, none=0.1)
        steps = steps.assign(merged=rows["cluster"], reason=reason)
        write_table(REFINEMENT, steps, folder / assembly / "refinement.tsv")
        binned = rows.loc[rows["cluster"] != "", ["contig", "cluster"]].rename(columns={"cluster": "bin"})
        write_table(REFINED_CONTIG2BIN, binned, folder / assembly / "contig2bin.tsv")
    return table


def run_transfer(folder: Path, *options: str, assemblies=("A", "B")):
    """Return the result of the command and, if it ends well, refinement.tsv of all assemblies and same_genomes.tsv."""
    words = []
    for name in ("catalogue.fa.gz", "contigs.tsv", "coverage.tsv.gz", "tetranucleotides.npy", "features.json"):
        words += [f"--{name.partition('.')[0]}", str(folder / name)]
    for assembly in assemblies:
        words += ["--refined", *(str(folder / assembly / f"{table}.tsv") for table in ("contig2bin", "refinement"))]
    out = folder / "out"
    out.mkdir(exist_ok=True)
    here = os.getcwd()
    os.chdir(out)
    try:
        result = CliRunner().invoke(transfer.main, [*words, *options], catch_exceptions=False)
    finally:
        os.chdir(here)
    if result.exit_code:
        return result, None, None
    read = {"sep": "\t", "dtype": str, "keep_default_na": False, "quoting": 3}
    steps = [pd.read_csv(out / "refine" / assembly / "refinement.tsv", **read) for assembly in assemblies]
    return result, pd.concat(steps).set_index("contig"), pd.read_csv(out / "same_genomes.tsv", **read)


def three_genomes(seed: int = 1) -> tuple[list[Piece], dict[str, tuple]]:
    """Return x, y and z in A, whole and in bins; in B x is binned but for its short contigs, and z has no bin."""
    rng = np.random.default_rng(seed)
    x, y, z = (random_sequence(rng, 80_000) for _ in range(3))
    pieces = cut("A", "x", x, LONG, "1") + cut("A", "y", y, LONG, "2") + cut("A", "z", z, LONG, "3")
    pieces += cut("B", "x", x[:50_000], LONG, "1") + cut("B", "x", x[50_000:], SHORT) + cut("B", "y", y, LONG, "2")
    return pieces + cut("B", "z", z, SHORT), {"x": (20, 4, 9), "y": (6, 25, 5), "z": (30, 5, 2)}


def test_genome_of_another_assembly_gets_a_bin(tmp_path):
    pieces, coverage = three_genomes()
    table = write_inputs(tmp_path, pieces, coverage)
    result, steps, same = run_transfer(tmp_path, "--min_bin_size", "40000")
    assert result.exit_code == 0 and "B: 210 contigs binned" in result.stderr
    found = table.set_index("contig").join(steps[["final", "reason", "merged"]])
    assert found.groupby(["assembly", "genome"])["final"].unique().map(list).to_dict() == {
        (assembly, genome): [number] for assembly in "AB" for genome, number in zip("xyz", "123")
    }
    b = found[found["assembly"] == "B"]
    assert set(b[b["genome"] == "z"]["reason"]) == {"added,transferred"} and set(b[b["genome"] == "z"]["merged"]) == {
        ""
    }
    assert set(b[b["genome"] == "x"]["reason"]) == {"kept", "added"}
    assert set(found[found["assembly"] == "A"]["reason"]) == {"kept"}
    rows = {(r["assembly"], r["cluster"]): (r["genome"], r["transferred"]) for r in same.to_dict("records")}
    assert {key: transferred for key, (_, transferred) in rows.items()} == {
        (assembly, number): str(assembly == "B" and number == "3").lower() for assembly in "AB" for number in "123"
    }
    assert all(rows["A", number][0] == rows["B", number][0] for number in "123")
    assert len({genome for genome, _ in rows.values()}) == 3
    counts = json.loads((tmp_path / "out/refine/B/refinement.json").read_text())
    assert counts["assembly"] == "B" and counts["transferred"] == 134 and counts["labelled"]["final"] == len(b)
    placed = pd.read_csv(tmp_path / "out/refine/B/contig2bin.tsv", sep="\t", dtype=str)
    assert dict(zip(placed["contig"], placed["bin"])) == b["final"].to_dict()


def test_a_new_bin_below_the_least_size_is_none(tmp_path):
    pieces, coverage = three_genomes()
    table = write_inputs(tmp_path, pieces, coverage)
    _, steps, same = run_transfer(tmp_path, "--min_bin_size", "80001")
    assert len(same) == 0 and set(steps["final"]) == {""}
    _, steps, _ = run_transfer(tmp_path, "--min_bin_size", "80000")
    assert set(steps["final"]) == {"1", "2", "3"} and len(steps) == len(table)


def test_sequence_of_a_genome_in_another_one(tmp_path):
    """B holds w, which has a third of z and the coverage of none of the genomes: no bin gets contigs of two genomes."""
    pieces, coverage = three_genomes()
    rng = np.random.default_rng(5)
    z = b"".join(piece.sequence for piece in pieces if piece.assembly == "A" and piece.genome == "z")
    pieces = [piece for piece in pieces if (piece.assembly, piece.genome) != ("B", "z")]
    pieces += cut("B", "w", z[:20_000], SHORT) + cut("B", "w", random_sequence(rng, 40_000), SHORT)
    table = write_inputs(tmp_path, pieces, coverage | {"w": (1, 3, 90)})
    _, steps, _ = run_transfer(tmp_path, "--min_bin_size", "15000")
    found = table.set_index("contig").join(steps["final"])
    assert all(found[found["genome"] == genome]["final"].isin([number]).all() for genome, number in zip("xy", "12"))
    bins = found[found["final"] != ""].groupby(["assembly", "final"])["genome"]
    assert all(len(set(genomes)) == 1 for _, genomes in bins)


@pytest.mark.parametrize("identity", [0.99, 0.97])
def test_strains_stay_apart(tmp_path, identity):
    """A has the strain s, and B has s and its relative r, both in short contigs that no bin of B holds."""
    rng = np.random.default_rng(7)
    s, y = random_sequence(rng, 80_000), random_sequence(rng, 80_000)
    r = mutated(rng, s, 1 - identity)
    pieces = cut("A", "s", s, LONG, "1") + cut("A", "y", y, LONG, "2") + cut("B", "y", y, LONG, "2")
    pieces += cut("B", "s", s, SHORT) + cut("B", "r", r, SHORT)
    table = write_inputs(tmp_path, pieces, {"s": (25, 5, 12), "r": (6, 30, 3), "y": (9, 9, 40)})
    _, steps, _ = run_transfer(tmp_path, "--min_bin_size", "30000")
    found = table.set_index("contig").join(steps["final"])
    b = found[found["assembly"] == "B"]
    in_bin = b[b["final"] == "1"]
    assert (in_bin["genome"] == "s").mean() > 0.95
    assert (b[b["genome"] == "s"]["final"] == "1").mean() > 0.9


def test_id_of_a_new_bin_is_new(tmp_path):
    """The bin 3 of B is another genome than the bin 3 of A."""
    pieces, coverage = three_genomes()
    other = cut("B", "w", random_sequence(np.random.default_rng(9), 80_000), LONG, "3")
    table = write_inputs(tmp_path, pieces + other, coverage | {"w": (2, 60, 9)})
    _, steps, same = run_transfer(tmp_path, "--min_bin_size", "40000")
    found = table.set_index("contig").join(steps["final"])
    assert set(found[(found["assembly"] == "B") & (found["genome"] == "z")]["final"]) == {"3_t"}
    assert set(found[found["genome"] == "w"]["final"]) == {"3"}
    genomes = {(row["assembly"], row["cluster"]): row["genome"] for row in same.to_dict("records")}
    assert genomes["A", "3"] == genomes["B", "3_t"] != genomes["B", "3"]


def test_no_bin_anywhere(tmp_path):
    pieces, coverage = three_genomes()
    write_inputs(tmp_path, [piece._replace(cluster="") for piece in pieces], coverage)
    result, steps, same = run_transfer(tmp_path)
    assert result.exit_code == 0 and len(same) == 0
    assert set(zip(steps["final"], steps["reason"])) == {("", "left,unlike")}


@pytest.mark.parametrize("spoiled", ["twice", "other run", "damaged catalogue"])
def test_files_that_do_not_fit(tmp_path, spoiled):
    pieces, coverage = three_genomes()
    write_inputs(tmp_path, pieces, coverage)
    assemblies = ("A", "A") if spoiled == "twice" else ("A", "B")
    if spoiled == "other run":
        text = (tmp_path / "B/refinement.tsv").read_text()
        (tmp_path / "B/refinement.tsv").write_text(text.replace("B~c", "B~d"))
    if spoiled == "damaged catalogue":
        raw = (tmp_path / "catalogue.fa.gz").read_bytes()
        (tmp_path / "catalogue.fa.gz").write_bytes(raw[: len(raw) // 2])
    result, _, _ = run_transfer(tmp_path, assemblies=assemblies)
    problem = {"twice": "'A' is given twice", "other run": "'B~d", "damaged catalogue": "is damaged"}[spoiled]
    assert result.exit_code == 1 and problem in result.output and result.output.count("\n") == 1
