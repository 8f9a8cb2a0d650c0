"""The benchmarks start, and their own helpers do what they say."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import label_contigs
import medians
import peer_groups
import peers
import report_group
import report_scale
import result_tables
import scan_constants
import score
import simulate_reads
from stage_modules import import_closure

PROJECT = Path(__file__).resolve().parents[2]
BENCHMARK = PROJECT / "benchmark"

SCRIPTS = sorted(path.name for path in BENCHMARK.glob("*.py") if path.read_text().startswith("#!"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_starts_and_says_what_it_does(script):
    done = subprocess.run(
        [sys.executable, BENCHMARK / script, "--help"], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


def test_readme_names_every_script_and_every_table():
    named = set(re.findall(r"\w+\.(?:py|sh|tsv)", (BENCHMARK / "README.md").read_text()))
    scripts = [*SCRIPTS, *(path.name for path in BENCHMARK.glob("*.sh"))]
    assert not {*scripts, *(path.name for path in (BENCHMARK / "results").glob("*.tsv"))} - named


def test_page_names_only_scripts_and_tables_that_exist():
    words = re.split(r"[`()\s]+", (PROJECT / "docs" / "benchmark.md").read_text())
    named = [word for word in words if word.startswith("benchmark/") and word.endswith((".py", ".sh", ".tsv"))]
    assert named
    assert not [name for name in named if not (PROJECT / name).exists()]


@pytest.mark.parametrize("table", sorted((BENCHMARK / "results").glob("*.tsv")), ids=lambda path: path.stem)
def test_result_tables_have_a_cell_for_every_column(table):
    lines = table.read_text().splitlines()
    assert len(lines) > 1
    assert {line.count("\t") for line in lines} == {lines[0].count("\t")}


def test_rows_of_the_same_key_are_replaced(tmp_path):
    table = result_tables.ResultTable(tmp_path / "new" / "x.tsv", ("set",))
    for name, value in (("a", 1), ("b", 2), ("a", 3)):
        table.add({"set": name, "value": value})
    rows = result_tables.read_rows(tmp_path / "new" / "x.tsv")
    assert rows == [{"set": "a", "value": "3"}, {"set": "b", "value": "2"}]


def test_a_generated_group_is_one_that_the_report_takes(tmp_path):
    report_group.write_group(tmp_path, 5000, 20, 3)
    report_scale.run_data(tmp_path, 3)
    content = json.loads((tmp_path / "report_data.json").read_text())
    assert (len(content["bins"]), len(content["samples"]), len(content["training"]["epoch"])) == (20, 3, 200)
    assert content["contigs"]["by_assembly"]["a"].keys() == {"binned", "removed", "short", "unclustered"}
    assert content["refinement"]["a"].keys() == {"kept", "added", "removed", "left"}


def community(folder: Path, *assemblies: str) -> peers.Community:
    """Write assemblies that each have a contig k1 of genome g and one of genome h, and return the community."""
    group = len(assemblies) > 1
    truth, sheet = ["contig\tgenome\tlength"], ["id,group,assembler,fasta,graph,paths"]
    for name in assemblies:
        prefix = f"{name}:" if group else ""
        (folder / f"{name}.fa").write_text(f">k1 flag=1\nACGT\nAC\n>of_{name}\n{'G' * len(name)}\n")
        truth += [f"{prefix}k1\t{prefix}g\t6", f"{prefix}of_{name}\t{prefix}h\t{len(name)}"]
        sheet.append(f"{name},both,megahit,{name}.fa,,")
    (folder / "truth.tsv").write_text("\n".join(truth) + "\n")
    (folder / "assemblies.csv").write_text("\n".join(sheet) + "\n")
    return peers.read_community(folder)


def task_of(one: peers.Community) -> peers.Task:
    return peers.Task(one.contigs, one.graph, [], [], None, {}, 1, None, 1)


def contig_by_contig(task, _seed, out, _log):
    """Put each contig into a cluster; in the place of a binner."""
    assert out.is_dir()
    for i, line in enumerate(line for line in task.contigs.read_text().splitlines() if line.startswith(">")):
        yield f"bin.{i}", line[1:].split()[0]


def test_contigs_of_a_group_are_named_as_in_its_truth(tmp_path):
    group = community(tmp_path, "A", "BB")
    peers.map_community(task_of(group), group, tmp_path / "peers")
    assert group.contigs.read_text() == ">A:k1\nACGTAC\n>A:of_A\nG\n>BB:k1\nACGTAC\n>BB:of_BB\nGG\n"
    assert peers.peers_for(group, peers.PEERS) == ["vamb", "metabat2"]


def test_each_assembly_of_a_group_is_binned_alone(tmp_path):
    group = community(tmp_path, "A", "BB")
    task = peers.map_community(task_of(group), group, tmp_path / "peers")
    rows = list(peer_groups.each_alone(contig_by_contig)(task, 1, tmp_path, tmp_path / "log.txt"))
    (tmp_path / "clusters.tsv").write_text("".join(f"{cluster}\t{contig}\n" for cluster, contig in rows))
    bins = score.read_bins(tmp_path / "clusters.tsv", score.read_truth(group.truth))
    assert bins == {"A:bin.0": {"A:k1"}, "A:bin.1": {"A:of_A"}, "BB:bin.0": {"BB:k1"}, "BB:bin.1": {"BB:of_BB"}}


def test_one_assembly_keeps_its_names(tmp_path):
    one = community(tmp_path, "A")
    task = peers.map_community(task_of(one), one, tmp_path / "peers")
    assert task == task_of(one)
    assert one.contigs == tmp_path / "A.fa"
    rows = peer_groups.each_alone(contig_by_contig)(task, 1, tmp_path, tmp_path / "log.txt")
    assert list(rows) == [("bin.0", "k1"), ("bin.1", "of_A")]


def test_medians_are_of_the_seeds():
    def run(seed, genomes, purity):
        counts = dict.fromkeys(medians.COUNTS, str(genomes))
        return {"set": "s", "bins": "b", "seed": seed, **counts, "purity": purity, "purity_long": purity}

    row = medians.median_row([run("2", 12, "0.9"), run("1", 10, "0.8"), run("3", 13, "0.95")])
    assert row["seeds"] == "1,2,3"
    assert row["recall_0.9"] == "12"
    assert row["recall_0.9_by_seed"] == "10,12,13"
    assert row["purity"] == "0.900"


def test_simulated_reads_come_from_both_strands_of_their_genome():
    rng = np.random.default_rng(1)
    genome = simulate_reads.BASES[rng.integers(0, 4, 20_000)]
    first, second = simulate_reads.draw_pairs(genome, 5.0, rng)
    assert first.shape == second.shape
    assert abs(first.size + second.size - 100_000) < 15_000
    text, other = genome.tobytes(), simulate_reads.COMPLEMENT[genome][::-1].tobytes()
    forward = [read.tobytes() in text for read in first]
    assert all(now or read.tobytes() in other for now, read in zip(forward, first, strict=True))
    assert all((read.tobytes() in other) == now for now, read in zip(forward, second, strict=True))
    assert 0.3 < np.mean(forward) < 0.7


def test_simulated_samples_have_the_bases_asked_for():
    sizes = np.array([1e6, 2e6, 3e6, 4e6])
    coverages = simulate_reads.draw_coverages(sizes, list("abcd"), 3, 5e6, np.random.default_rng(1))
    np.testing.assert_allclose((coverages * sizes[:, None]).sum(axis=0), 5e6)


def test_a_sample_has_one_genome_of_a_species_at_most(tmp_path):
    (tmp_path / "names.txt").write_text("a1 a\na2 a\na3 a\nb\n")
    species = [name for _, name in simulate_reads.read_names(tmp_path / "names.txt")]
    coverages = simulate_reads.draw_coverages(np.full(4, 1e6), species, 40, 1e6, np.random.default_rng(1))
    assert ((coverages[:3] > 0).sum(axis=0) <= 1).all()
    assert (coverages[:3] > 0).any(axis=1).all()


def test_a_contig_belongs_to_every_genome_it_fits_as_well_as_the_best():
    piece = label_contigs.Alignment
    alignments = {
        "A": [piece(500, 500, 0, 500), piece(499, 500, 500, 1000)],  # identity 0.999
        "B": [piece(1000, 1000, 0, 1000), piece(300, 300, 100, 400)],  # the second one overlaps
        "C": [piece(850, 850, 0, 850)],  # too little of the contig
        "D": [piece(990, 1000, 0, 1000)],  # identity 0.99
    }
    assert label_contigs.genomes_of(alignments, 1000) == ["A", "B"]
    assert label_contigs.genomes_of({"C": alignments["C"]}, 1000) == []


def test_simulator_writes_the_same_reads_twice(tmp_path):
    rng = np.random.default_rng(2)
    for name in ("x", "y"):
        sequence = simulate_reads.BASES[rng.integers(0, 4, 3000)].tobytes()
        (tmp_path / f"{name}.fna.gz").write_bytes(gzip.compress(b">" + name.encode() + b"\n" + sequence + b"\n"))
    (tmp_path / "names.txt").write_text("x\ny\n")
    texts = []
    for out in ("one", "two"):
        arguments = [str(tmp_path), str(tmp_path / "names.txt"), str(tmp_path / out), "--samples", "1"]
        done = CliRunner().invoke(simulate_reads.main, [*arguments, "--megabases", "0.06"], catch_exceptions=False)
        assert done.exit_code == 0
        texts.append([gzip.decompress((tmp_path / out / f"S1_{mate}.fastq.gz").read_bytes()) for mate in (1, 2)])
    assert texts[0] == texts[1]
    assert texts[0][0].count(b"\n") == texts[0][1].count(b"\n") > 400


def test_the_scan_knows_every_module_of_the_refinement():
    """Each constant of these modules is halved and doubled, but not of those that read, write or count 4-mers."""
    modules = {path.stem for path in import_closure(PROJECT / "bin" / "refine.py")}
    readers = {"assembly_tables", "catalogue_fasta", "stage_arrays", "stage_tables"}
    readers |= {"message_text", "output_files", "table_bytes", "table_columns", "table_output"}
    readers |= {"base_digits", "tetranucleotides"}
    assert modules - readers | {"refine"} == set(scan_constants.MODULES)
