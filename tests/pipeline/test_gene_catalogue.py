"""A gene catalogue: contigs of the bundled co-assembly, cut into pieces as long as genes, are clustered, not binned."""

import csv
import gzip
import json
import random
import re

import pandas as pd
import pytest

from conftest import DATA, REPORT_STAGES, read_fasta, read_table, read_truth, run_pipeline

GENE_STAGES = {
    "VALIDATE", "CATALOGUE", "INDEX", "MAP_READS", "FEATURES", "VAE", "CLUSTER", "GENE_CLUSTERS", "SUMMARY",
}  # fmt: skip
MIN_LENGTH, MAX_LENGTH = 300, 1500  # bp of a piece
# What hundreds of genes need in place of the preset's values for millions, which take few steps of 1e-5 with them
SMALL_CATALOGUE = {"hidden_sizes": "64,64", "batch_size": "32", "epochs": "25", "learning_rate": "0.002"}


def cut_pieces(sequences: dict[str, str]) -> dict[str, str]:
    """Pieces of contigs by their names, `<contig>.<number>`; a rest that is too short is left out."""
    rng = random.Random(1)
    pieces = {}
    for name, sequence in sequences.items():
        start, number = 0, 0
        while len(sequence) - start >= MIN_LENGTH:
            end = start + rng.randrange(MIN_LENGTH, MAX_LENGTH + 1)
            pieces[f"{name}.{number}"] = sequence[start:end]
            start, number = end, number + 1
    return pieces


def write_sheets(folder, pieces) -> list:
    """A gene FASTA and both sheets, as options of a run."""
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / "genes.fna.gz", "wt") as file:
        file.writelines(f">{name} a gene\n{sequence}\n" for name, sequence in pieces.items())
    (folder / "genes.csv").write_text("id,group,assembler,fasta\nigc,gut,metaspades,genes.fna.gz\n")
    rows = list(csv.DictReader((DATA / "co.samples.csv").open()))
    with (folder / "samples.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            reads = {column: DATA / row[column] for column in ("fastq_1", "fastq_2")}
            writer.writerow(row | reads | {"group": "gut"})
    return ["--input", folder / "samples.csv", "--assembly_input", folder / "genes.csv", "--catalogue_type", "genes"]


@pytest.fixture(scope="module")
def pieces():
    return cut_pieces(read_fasta(DATA / "co.contigs.fasta.gz"))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory, pieces):
    """A run with the preset that --catalogue_type genes chooses, but for what the user types."""
    folder = tmp_path_factory.mktemp("genes")
    typed = [word for name, value in SMALL_CATALOGUE.items() for word in (f"--{name}", value)]
    return run_pipeline(folder, *write_sheets(folder / "sheets", pieces), *typed, profile="standard", report=True)


def test_only_what_genes_need_runs_and_is_written(catalogue):
    assert catalogue.status == 0, catalogue.output
    assert catalogue.tasks("COMPLETED") == GENE_STAGES | REPORT_STAGES
    group = catalogue.results / "gut"
    assert {path.name for path in group.iterdir()} == {
        "abundance", "catalogue", "cluster", "cluster_sizes.tsv", "clusters.tsv", "features", "gene_clusters.tsv",
        "vae",
    }  # fmt: skip
    assert {path.name for path in (group / "features").iterdir()} == {
        "abundance.npy", "depth.npy", "excluded.tsv", "features.json", "rows.tsv", "tnf.npy",
    }  # fmt: skip
    assert not list((group / "abundance").glob("*.pairs.tsv.gz"))
    assert "has no graph" not in catalogue.output


def test_every_gene_has_a_row_whatever_its_length(catalogue, pieces):
    rows = read_table(catalogue.results / "gut" / "features" / "rows.tsv")
    assert rows["contig"].tolist() == list(pieces)
    assert rows["length"].astype(int).min() < 500
    clusters = read_table(catalogue.results / "gut" / "clusters.tsv")
    assert sorted(clusters["contig"]) == sorted(pieces)


def test_the_tables_agree_with_the_clusters(catalogue, pieces):
    group = catalogue.results / "gut"
    clusters = read_table(group / "clusters.tsv")
    table = pd.read_csv(group / "gene_clusters.tsv", sep="\t", dtype={"cluster": str}).set_index("cluster")
    members = clusters.groupby("cluster")["contig"]
    assert table["genes"].to_dict() == members.size().to_dict()
    assert table["bp"].to_dict() == members.agg(lambda names: sum(len(pieces[name]) for name in names)).to_dict()
    assert table["genes"].is_monotonic_decreasing and not table["large"].any()
    sizes = pd.read_csv(group / "cluster_sizes.tsv", sep="\t")
    assert set(sizes["least_genes"]) == set(table["genes"])
    for row in sizes.itertuples():
        of_size = table[table["genes"] >= row.least_genes]
        assert (row.clusters, row.genes, row.bp) == (len(of_size), of_size["genes"].sum(), of_size["bp"].sum())


def test_clusters_are_mostly_of_one_genome(catalogue, pieces):
    truth = read_truth(DATA / "co.truth.tsv").drop_duplicates("contig", keep=False).set_index("contig")["genome"]
    clusters = read_table(catalogue.results / "gut" / "clusters.tsv")
    clusters["genome"] = clusters["contig"].str.rsplit(".", n=1).str[0].map(truth)
    clusters["bp"] = clusters["contig"].map({name: len(sequence) for name, sequence in pieces.items()})
    known = clusters.dropna(subset="genome")
    bp = known.pivot_table(index="cluster", columns="genome", values="bp", aggfunc="sum", fill_value=0)
    assert bp.max(axis=1).sum() >= 0.9 * bp.to_numpy().sum()
    # The best cluster of a genome holds most of it
    assert (bp.max() >= 0.6 * bp.sum()).sum() >= 5


def commands(run, stage: str) -> list[str]:
    """What the tasks of a stage ran."""
    hashes = run.trace().query("name == @stage")["hash"]
    scripts = [next((run.launch / "work").glob(f"{number}*/.command.sh")) for number in hashes]
    return [" ".join(script.read_text().replace("\\\n", " ").split()) for script in scripts]


def test_the_settings_of_the_preset_reach_the_scripts_and_typed_ones_win(catalogue):
    found = json.loads((catalogue.results / "gut" / "vae" / "latent.json").read_text())
    wanted = {
        "latent_size": 80, "dropout": 0, "alpha": 0.05, "beta": 200, "depth": False, "schedule": "constant",
        "batch_double_at": [25, 75, 150, 300], "hidden_sizes": [64, 64], "batch_size": 32, "epochs": 25,
        "learning_rate": 0.002,
    }  # fmt: skip
    assert {name: found[name] for name in wanted} == wanted
    mapped = commands(catalogue, "MAP_READS")
    assert len(mapped) == 3
    limits = "--min_alignment_score=50 --min_read_identity=95 --min_mapping_quality=30 --no_secondary --no_pairs"
    assert all("--preset sr --threads" in line and limits in line for line in mapped)
    (clustered,) = commands(catalogue, "CLUSTER")
    assert "--max_close_contigs=10000 --threshold_scale=1" in clustered and "--max_clusters=30000" in clustered


def test_clusters_of_a_former_latent_are_the_same(tmp_path, catalogue, pieces):
    """A start in the middle asks for no file that genes do not have."""
    former = ["--former_results", catalogue.results, "--start_at", "latent"]
    strict = {"NXF_SYNTAX_PARSER": "v2"}
    run = run_pipeline(
        tmp_path, *write_sheets(tmp_path / "sheets", pieces), *former, profile="standard", environment=strict
    )  # fmt: skip
    assert run.status == 0, run.output
    assert run.tasks("COMPLETED") == GENE_STAGES - {"INDEX", "MAP_READS", "FEATURES", "VAE"} | {"FORMER"}
    for name in ("clusters.tsv", "gene_clusters.tsv", "cluster_sizes.tsv"):
        assert (run.results / "gut" / name).read_bytes() == (catalogue.results / "gut" / name).read_bytes()


def test_the_summary_and_the_report_are_of_clusters(catalogue, pieces):
    (row,) = read_table(catalogue.results / "summary.tsv").to_dict("records")
    table = read_table(catalogue.results / "gut" / "gene_clusters.tsv")
    assert (row["genes"], row["genes_clustered"], row["clusters"]) == (
        str(len(pieces)),
        str(len(pieces)),
        str(len(table)),
    )
    assert f"Genes clustered {len(pieces):,} of {len(pieces):,} (100.0 %)" in catalogue.output
    page = (catalogue.results / "report.html").read_text()
    sections = set(re.findall(r'<a href="#([\w-]+)" class="nav-l1', page))
    assert {"general_stats", "groups", "cluster_sizes", "input", "latent", "distances", "training", "run"} <= sections
    assert not sections & {
        "bin_table",
        "quality",
        "sizes",
        "gc_coverage",
        "coverages",
        "binned",
        "lengths",
        "refinement",
    }
