"""Bins of another binner in place of training and clustering, and beside Binloom's own clusters."""

import csv
import gzip

import pytest

from conftest import DATA, genomes_found, read_fasta, read_table, read_truth, run_pipeline

GIVEN_STAGES = {
    "VALIDATE", "CATALOGUE", "INDEX", "MAP_READS", "FEATURES", "IMPORT_BINS", "GRAPH", "HOMOLOGS", "MARKERS", "REFINE",
    "BINS", "SUMMARY",
}  # fmt: skip
MIN_GIVEN_LENGTH = 1000  # bp of a contig that the binner of these tests puts into a bin


def planted_bins(name):
    """contig -> bin as a binner might give it: each genome's long contigs, those of g3 and g4 in one bin by mistake."""
    truth = read_truth(DATA / f"{name}.truth.tsv").drop_duplicates("contig", keep=False)
    long = truth[truth["length"] >= MIN_GIVEN_LENGTH]
    return dict(zip(long["contig"], long["genome"].replace({"g3": "g3_g4", "g4": "g3_g4"})))


def write_table(path, bins):
    """A table as DAS_Tool takes it."""
    path.write_text("".join(f"{contig}\t{name}\n" for contig, name in bins.items()))
    return path


def write_folder(folder, bins, fasta):
    """A gzipped FASTA for each bin."""
    folder.mkdir()
    sequences = read_fasta(fasta)
    for name in set(bins.values()):
        with gzip.open(folder / f"{name}.fna.gz", "wt") as file:
            file.writelines(f">{c} of {name}\n{sequences[c]}\n" for c in sequences if bins.get(c) == name)
    return folder


def write_sheet(folder, **bins):
    """The sheet of the co-assembly (coasm) or of the two assemblies (A1, A2), with these bins."""
    source = DATA / ("co.assemblies.csv" if "coasm" in bins else "ms.assemblies.csv")
    rows = list(csv.DictReader(source.open()))
    for row in rows:
        row.update({column: DATA / row[column] for column in ("fasta", "graph", "paths")}, bins=bins[row["id"]])
    with (folder / "assemblies.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "assemblies.csv"


def found(run, name="co"):
    """Genomes at a precision and a recall of 0.9."""
    return genomes_found(
        read_table(run.results / "co" / "contig2bin.tsv"), read_truth(DATA / f"{name}.truth.tsv"), 0.9, 0.9
    )


@pytest.fixture(scope="module")
def from_table(tmp_path_factory):
    """The folder of a run from a table, and the run."""
    folder = tmp_path_factory.mktemp("from_table")
    write_table(folder / "bins.tsv", planted_bins("co"))
    sheet = write_sheet(folder, coasm="bins.tsv")
    return folder, run_pipeline(folder, "--assembly_input", sheet)


def test_given_bins_are_completed_without_training(from_table):
    """The bins lack all contigs below 1,000 bp, which the refinement adds, and two genomes are in one."""
    _, run = from_table
    assert run.status == 0, run.output
    assert run.tasks("COMPLETED") == GIVEN_STAGES
    given = planted_bins("co")
    clusters = read_table(run.results / "co" / "clusters.tsv")
    assert dict(zip(clusters["name"], clusters["cluster"])) == {c: f"coasm~{name}" for c, name in given.items()}
    assert not (run.results / "co" / "vae").exists()
    assert not (run.results / "co" / "cluster").exists()
    contig2bin = read_table(run.results / "co" / "contig2bin.tsv")
    assert len(set(contig2bin["contig"])) > len(given)
    assert {"g1", "g2", "g5", "g6"} == found(run)
    unbinned = read_table(run.results / "co" / "unbinned.tsv")
    assert set(contig2bin["contig"]) | set(unbinned["contig"]) == set(read_fasta(DATA / "co.contigs.fasta.gz"))
    assert read_table(run.results / "summary.tsv")["refined_assemblies"].tolist() == ["1"]


def test_a_folder_of_fasta_gives_the_same_as_a_table(from_table, tmp_path):
    _, run = from_table
    odd = {"g1": "it's bin (1), é;&"}
    bins = {contig: odd.get(name, name) for contig, name in planted_bins("co").items()}
    write_folder(tmp_path / "my bins", bins, DATA / "co.contigs.fasta.gz")
    again = run_pipeline(tmp_path, "--assembly_input", write_sheet(tmp_path, coasm="my bins"))
    assert again.status == 0, again.output
    both = [read_table(one.results / "co" / "contig2bin.tsv") for one in (run, again)]
    assert both[0].equals(both[1])
    clusters = read_table(again.results / "co" / "clusters.tsv")["cluster"]
    assert "coasm~it%27s%20bin%20%281%29%2C%20%C3%A9%3B&" in set(clusters)


def test_resume_sees_other_bins_and_an_ensemble(from_table):
    folder, _ = from_table
    command = ["--assembly_input", folder / "assemblies.csv", "-resume"]
    assert run_pipeline(folder, *command).tasks("COMPLETED") == set()
    run = run_pipeline(folder, *command, "--ensemble")
    assert run.status == 0, run.output
    assert run.tasks("COMPLETED") - {"SUMMARY"} == {"VALIDATE", "VAE", "CLUSTER", "ENSEMBLE", "REFINE", "BINS"}
    clusters = read_table(run.results / "co" / "clusters.tsv")
    assert any(cluster.isdigit() for cluster in clusters["cluster"])
    assert set(planted_bins("co")) <= set(clusters["name"])
    # The clusters of Binloom's own tell the two genomes of the wrong bin apart.
    assert {"g1", "g2", "g3", "g4", "g5", "g6"} == found(run)
    bins = planted_bins("co")
    write_table(folder / "bins.tsv", {contig: name for contig, name in bins.items() if name != "g1"})
    run = run_pipeline(folder, *command)
    assert run.status == 0, run.output
    assert run.tasks("COMPLETED") - {"SUMMARY"} == {"IMPORT_BINS", "REFINE", "BINS"}
    assert "g1" not in found(run)


def test_article_and_two_assemblies(tmp_path):
    """Bins of two assemblies stay apart, also where they have the same names."""
    for name in ("A1", "A2"):
        write_table(tmp_path / f"{name}.tsv", planted_bins(name))
    sheet = write_sheet(tmp_path, A1="A1.tsv", A2=tmp_path / "A2.tsv")
    run = run_pipeline(
        tmp_path, "--input", DATA / "ms.samples.csv", "--assembly_input", sheet, "--refine_mode", "article"
    )  # fmt: skip
    assert run.status == 0, run.output
    assert run.tasks("COMPLETED") == GIVEN_STAGES - {"HOMOLOGS", "REFINE"} | {"GRAPHBIN2"}
    clusters = read_table(run.results / "ms" / "clusters.tsv")
    assert set(clusters["cluster"]) == {
        f"{name}~{genome}" for name in ("A1", "A2") for genome in set(planted_bins(name).values())
    }
    assert (clusters["cluster"].str.split("~").str[0] == clusters["assembly"]).all()
    bins = read_table(run.results / "ms" / "bins.tsv")
    assert set(bins["assembly"]) == {"A1", "A2"}


def last_line(run):
    """What the user reads last."""
    return run.output.strip().splitlines()[-1]


def test_names_of_another_assembly_are_one_line(tmp_path):
    write_table(tmp_path / "bins.tsv", {"k141_7": "b1", "k141_9": "b1"})
    run = run_pipeline(tmp_path, "--assembly_input", write_sheet(tmp_path, coasm="bins.tsv"))
    assert run.status != 0
    line = last_line(run)
    assert "import_bins" in line.lower() and str(tmp_path / "bins.tsv") in line
    assert "'k141_7'" in line and f"'{next(iter(read_fasta(DATA / 'co.contigs.fasta.gz')))}'" in line
    assert "Traceback" not in run.output


def test_bins_that_cannot_be_used_end_the_run_before_any_work(tmp_path):
    write_table(tmp_path / "bins.tsv", planted_bins("co"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "b$1.fa").write_text(">c\nA\n")
    given = ("absent", "bins.tsv;absent", "empty", "odd")
    rows = [f"A{i},co,gfa,{DATA}/co.contigs.fasta.gz,{name}\n" for i, name in enumerate(given)]
    (tmp_path / "assemblies.csv").write_text("id,group,assembler,fasta,bins\n" + "".join(rows))
    run = run_pipeline(tmp_path, "--assembly_input", tmp_path / "assemblies.csv")
    assert run.status != 0
    for words in (
        ("row 2: ", "bins does not exist", "'absent'"),
        ("row 3: ", "bins has absent, which does not exist"),
        ("row 4: ", "bins is a folder without a FASTA"),
        ("row 5: ", "bins has the file b$1.fa, so rename it"),
    ):
        assert [line for line in run.output.splitlines() if all(word in line for word in words)], run.output
    started = [line for line in run.output.splitlines() if "Submitted process >" in line]
    assert all("VALIDATE" in line for line in started), started


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_stub_under_both_parsers(tmp_path, parser):
    """Two binnings, of which Binloom's clusters are a third; and all of them against a truth, given or made."""
    bins = planted_bins("co")
    write_table(tmp_path / "bins.tsv", bins)
    write_folder(tmp_path / "bins", bins, DATA / "co.contigs.fasta.gz")
    sheet = write_sheet(tmp_path, coasm="bins.tsv; bins")
    environment = {"NXF_SYNTAX_PARSER": parser}
    (tmp_path / "genomes.csv").write_text(f"genome,fasta\ng,{DATA / 'co.contigs.fasta.gz'}\n")
    known = ["--truth", DATA / "co.truth.tsv"] if parser == "v1" else ["--references", tmp_path / "genomes.csv"]
    known += ["--compare", f"a={tmp_path / 'bins.tsv'},b={tmp_path / 'bins.tsv'}"]
    for option in ("quality", "gene_hits", "lineages"):
        known += [f"--{option}", tmp_path / "bins.tsv"]
    run = run_pipeline(tmp_path, "--assembly_input", sheet, "--ensemble", *known, "-stub", environment=environment)
    assert run.status == 0, run.output
    stages = GIVEN_STAGES | {"VAE", "CLUSTER", "ENSEMBLE", "BENCHMARK", "COMPARE", "GENES", "TAXONOMY"}
    assert run.tasks("COMPLETED") == (stages if parser == "v1" else stages | {"TRUTH"})
