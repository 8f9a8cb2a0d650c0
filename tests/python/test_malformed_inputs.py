"""Every command refuses every malformed variant of every table that it reads, with one line that names the file."""

import gzip
import importlib
import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
import pytest
from click.testing import CliRunner

import evaluation_tables
import experiment_tables
import gene_tables
import shown_contigs
import stage_tables as tables
from bin_taxonomy import RANKS
from random_contigs import sequence
from stage_arrays import N_TETRANUCLEOTIDES
from stage_tables import Table, contigs_hash
from taxonomy import LINEAGES

# Catalogue name, assembly, name and sequence; a table may take some of the names for something else.
CONTIGS = [
    ("A1~NA", "A1", "NA", sequence(1, 3000)),
    ('A1~"b', "A1", '"b', sequence(2, 2500)),
    ("A1~001", "A1", "001", sequence(3, 2000)),
    ("A2~NA", "A2", "NA", sequence(4, 2800)),
    ("A2~short", "A2", "short", sequence(5, 300)),
]
NAMES = [contig[0] for contig in CONTIGS]
ROWS = NAMES[:4]
SAMPLES = ("S1", "S2")


def lines(*rows) -> bytes:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


def good_tables() -> dict[str, bytes]:
    """Return the tables of a small group by their names in the folder."""
    by_assembly = [(name, assembly, own, len(bases)) for name, assembly, own, bases in CONTIGS]
    counts = {sample: [(sample, name, 9, 1.5, 0.01) for name in NAMES] for sample in SAMPLES}
    depths = [(name, 4 + row, 9 - row) for row, name in enumerate(NAMES)]
    return {
        "contigs.tsv": lines(("contig", "assembly", "name", "length"), *by_assembly),
        **{
            f"{s}.counts.tsv.gz": lines(("sample", "contig", "reads", "coverage", "edits"), *counts[s]) for s in SAMPLES
        },
        **{
            f"{sample}.mapping.tsv": lines(
                ("sample", "reads", "mapped_reads", "counted_reads", "alignments", "mean_coverage"),
                (sample, 99, 60, 50, 55, 1.5),
            )
            for sample in SAMPLES
        },
        **{f"{s}.pairs.tsv.gz": lines(("contig_1", "contig_2", "pairs"), ("A1~NA", 'A1~"b', 2)) for s in SAMPLES},
        "pair_links.tsv.gz": lines(("contig_1", "contig_2", "pairs"), ("A1~NA", 'A1~"b', 4)),
        "abundance.tsv": lines(("contigname", *SAMPLES), *depths),
        "coverage.tsv.gz": lines(("contig", *SAMPLES), *depths),
        "rows.tsv": lines(("contig", "length"), *[(row[0], row[3]) for row in by_assembly if row[0] in ROWS]),
        "excluded.tsv": lines(("contig", "reason"), ("A2~short", "short")),
        "clusters.tsv": lines(
            ("cluster", "contig", "assembly", "name"), *[(1 + (row == 2), *by_assembly[row][:3]) for row in range(4)]
        ),
        "homologs.tsv.gz": lines(("contig_1", "contig_2", "shared"), ("A1~NA", 'A1~"b', 5), ('A1~"b', "A1~001", 3)),
        "genes.tsv.gz": lines(
            ("contig", "family", "start", "end", "score", "covered", "cut"),
            ("A1~NA", "COG0012", 1, 900, 99, 1, "false"),
            ('A1~"b', "COG0016", 1, 800, 99, 0.5, "true"),
        ),
        "bin_genes.tsv.gz": lines(
            ("gene", "assembly", "contig", "start", "end", "strand"),
            ("A1~NA_1", "A1", "NA", 1, 900, "+"),
            ("A2~NA_1", "A2", "NA", 9, 800, "-"),
        ),
        "lineages.tsv": lines(("subject", *RANKS), ("s", *RANKS)),
        "families.tsv": lines(("family", "bacteria", "archaea"), ("COG0012", 0.6, 0.5), ("COG0016", 0.4, 0.5)),
        "vertices.tsv.gz": lines(("contig",), ("A1~NA",), ('A1~"b',), ("A1~001",)),
        "edges.tsv.gz": lines(("contig_1", "contig_2"), ('A1~"b', "A1~NA"), ("A1~001", "A1~NA")),
        "labels.tsv": lines(("contig", "bin"), ("A1~NA", 1), ('A1~"b', 1), ('A1~"b', 2)),
        "refinement.tsv": lines(
            tuple(column.name for column in tables.REFINEMENT.columns),
            ("A1~NA", "A1", "NA", 3000, 1, "true", 1, 1, 0.9, 0.1, 1, "kept"),
            ('A1~"b', "A1", '"b', 2500, 1, "false", "", "1,2", 0.9, 0.1, 1, "multi_labelled"),
            ("A1~001", "A1", "001", 2000, 2, "true", "", "", 0.1, 0.8, 2, "removed,unlike"),
        ),
        "same_genomes.tsv": lines(
            ("genome", "assembly", "cluster", "transferred"),
            (0, "A1", 1, "false"),
            (1, "A1", 2, "false"),
            (0, "A2", 1, "false"),
            (1, "A2", 2, "true"),
        ),
        "contig2bin.tsv": lines(("assembly", "contig", "bin"), ("A1", "NA", "A1.001"), ("A2", "NA", "A2.001")),
        "unbinned.tsv": lines(
            ("assembly", "contig", "length", "cluster", "reason"),
            ("A1", '"b', 2500, 1, "small_bin"),
            ("A1", "001", 2000, "", "unclustered"),
            ("A2", "short", 300, "", "short"),
        ),
        "bins.tsv": lines(
            (*[column.name for column in tables.BINS.columns], *(f"coverage_{sample}" for sample in SAMPLES)),
            ("A1.001", "A1", 1, 3000, 1, 3000, 0.5, 0, "true", "false", 4, 5),
            ("A2.001", "A2", 1, 2800, 1, 2800, 0.5, 0, "false", "false", 7, 0),
        ),
        "gene_clusters.tsv": lines(("cluster", "genes", "bp", "large"), (1, 3, 8300, "false"), (2, 1, 2000, "true")),
        "cluster_sizes.tsv": lines(("least_genes", "clusters", "genes", "bp"), (1, 2, 4, 10300), (3, 1, 3, 8300)),
        "genomes_found.tsv": lines(
            tuple(column.name for column in evaluation_tables.GENOMES_FOUND.columns),
            ("bins", "genome", 0.9, 7, 6, 5, 4, 3, 2, 1),
            ("clusters", "genome", 0.9, 6, 5, 4, 3, 2, 1, 0),
        ),
        "umap_points.tsv": lines(
            tuple(column.name for column in shown_contigs.UMAP_POINTS.columns),
            *[(name, -1.5, 2, "", "") for name in ROWS],
        ),
        "trials.tsv": lines(
            tuple(column.name for column in experiment_tables.TRIALS.columns),
            ("g", "both_raw", "inputs", "raw", "both", *[""] * 6, 142, 9, 0.2, 25, 4.5, 0.5, 0.6, 0.7),
            ("g", "search_1_01", "search", "vae", "both", 9, 40, 0.2, 0, 0.05, 200, 40, 9, 0.2, 25, 4.5, 0.5, 0.6, 0.7),
        ),
    }


def write_other_files(folder: Path) -> None:
    """Write what is no table: sequences, arrays, descriptions, an assembly graph and alignments."""
    fasta = "".join(f">{name}\n{bases}\n" for name, _, _, bases in CONTIGS)
    (folder / "catalogue.fa.gz").write_bytes(gzip.compress(fasta.encode()))
    rng = np.random.default_rng(0)
    for name, shape in {"tnf": (4, N_TETRANUCLEOTIDES), "abundance": (4, 2), "depth": (4,), "latent": (4, 8)}.items():
        np.save(folder / f"{name}.npy", rng.random(shape).astype(np.float32))
    np.save(folder / "tetranucleotides.npy", rng.integers(0, 30, (5, N_TETRANUCLEOTIDES)).astype(np.float32))
    hashes = {"rows_sha256": contigs_hash(ROWS), "contigs_sha256": contigs_hash(NAMES)}
    about = {"samples": SAMPLES, "mapped_reads": dict.fromkeys(SAMPLES, 60), **hashes}
    (folder / "features.json").write_text(json.dumps(about))
    (folder / "latent.json").write_text(json.dumps(hashes))
    (folder / "genome.fa").write_text(f">g\n{CONTIGS[0][3]}\n")
    (folder / "hits.tsv").write_text("A1~NA_1\ts\t99\t900\n")
    segments = [f"S\t{name}\t*\n" for name in ("NA", '"b', "001")]
    (folder / "given.tsv").write_text("NA\tbin 1\n001\tbin 1\n")
    (folder / "truth.tsv").write_text("assembly\tcontig\tgenome\nA1\tNA\tg1\nA2\tNA\tg1\n")
    (folder / "graph.gfa").write_text("H\tVN:Z:1.0\n" + "".join(segments) + "L\tNA\t+\t001\t+\t0M\n")
    references = [{"SN": name, "LN": len(bases)} for name, _, _, bases in CONTIGS]
    header = {"HD": {"VN": "1.6", "SO": "unsorted", "GO": "query"}, "SQ": references}
    pysam.AlignmentFile(str(folder / "S.bam"), "wb", header=header).close()


@pytest.fixture(scope="session")
def group(tmp_path_factory) -> Path:
    """Return a folder with good inputs of every command."""
    folder = tmp_path_factory.mktemp("group")
    for name, text in good_tables().items():
        (folder / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    write_other_files(folder)
    return folder


FEATURES = "--catalogue catalogue.fa.gz --contigs contigs.tsv --min_contig_length 500"
SAMPLE_TABLES = " ".join(
    f"--counts {sample}.counts.tsv.gz --mapping {sample}.mapping.tsv --pairs {sample}.pairs.tsv.gz"
    for sample in SAMPLES
)
ASSEMBLY = "--assembly A1 --contigs contigs.tsv --clusters clusters.tsv --coverage coverage.tsv.gz --min_bin_size 1000"
CONTIG_GRAPH = "--vertices vertices.tsv.gz --edges edges.tsv.gz"
# Also a second run of features, which takes abundances in place of counts
COMMANDS = {
    "homologs": "--catalogue catalogue.fa.gz --contigs contigs.tsv",
    "markers": "--assembly A1 --catalogue catalogue.fa.gz --contigs contigs.tsv --families families.tsv",
    "map_reads": "--sample S --contigs contigs.tsv --bam S.bam",
    "former": "--contigs contigs.tsv --former_contigs contigs.tsv --sample S1 --sample S2 --features features.json "
    "--rows rows.tsv --latent_json latent.json --clusters clusters.tsv",
    "features": f"{FEATURES} {SAMPLE_TABLES}",
    "features of a table": f"{FEATURES} --abundance abundance.tsv",
    "vae": "--tnf tnf.npy --abundance abundance.npy --depth_file depth.npy --rows rows.tsv --features features.json "
    "--hidden_sizes 8 --latent_size 2 --epochs 1",
    "cluster": "--latent latent.npy --latent_json latent.json --rows rows.tsv --contigs contigs.tsv",
    "import_bins": "--contigs contigs.tsv --bins A1 1 given.tsv",
    "ensemble": "--contigs contigs.tsv --own clusters.tsv --given clusters.tsv",
    "graph": "--assembly A1 --assembler gfa --graph graph.gfa --contigs contigs.tsv",
    "refine": f"{ASSEMBLY} {CONTIG_GRAPH} --tetranucleotides tetranucleotides.npy --features features.json "
    "--pair_links pair_links.tsv.gz --homologs homologs.tsv.gz --markers genes.tsv.gz",
    "graphbin2": f"{ASSEMBLY} {CONTIG_GRAPH}",
    "transfer": "--catalogue catalogue.fa.gz --contigs contigs.tsv --coverage coverage.tsv.gz --features features.json "
    "--tetranucleotides tetranucleotides.npy --pair_links pair_links.tsv.gz --refined labels.tsv refinement.tsv "
    "--graph A1 vertices.tsv.gz edges.tsv.gz --min_bin_size 1000",
    "bins": "--catalogue catalogue.fa.gz --contigs contigs.tsv --clusters clusters.tsv --excluded excluded.tsv "
    "--coverage coverage.tsv.gz --refined labels.tsv refinement.tsv --same_genomes same_genomes.tsv "
    "--markers genes.tsv.gz families.tsv "
    "--min_bin_size 1000",
    "benchmark": "--truth truth.tsv --contigs contigs.tsv --clusters clusters.tsv --contig2bin contig2bin.tsv",
    "plan_trials": "--group g --round second --trials trials.tsv",
    "run_trial": "--group g --trial both_vae --experiments inputs --tnf tnf.npy --abundance abundance.npy "
    "--depth_file depth.npy --rows rows.tsv --features features.json --contigs contigs.tsv --truth truth.tsv "
    "--vae_options=--epochs=1 --min_bin_size 1000",
    "genes": "--catalogue catalogue.fa.gz --contigs contigs.tsv --contig2bin contig2bin.tsv",
    "taxonomy": "--genes bin_genes.tsv.gz --contig2bin contig2bin.tsv --gene_hits hits.tsv --lineages lineages.tsv",
    "truth": "--catalogue catalogue.fa.gz --contigs contigs.tsv --genome g genome.fa",
    "compare": "--contigs contigs.tsv --contig2bin contig2bin.tsv --coverage coverage.tsv.gz",
    "draw_bins": "--assembly A1 --assembler gfa --graph graph.gfa --vertices vertices.tsv.gz --edges edges.tsv.gz "
    "--contigs contigs.tsv --contig2bin contig2bin.tsv --draw_bins A1.001",
    "gene_clusters": "--clusters clusters.tsv --contigs contigs.tsv",
    "summary of genes": "--gene_group g contigs.tsv features.json gene_clusters.tsv",
    "report_data of genes": "--group g --genes contigs.tsv clusters.tsv gene_clusters.tsv cluster_sizes.tsv "
    "--features features.json --inputs rows.tsv tnf.npy abundance.npy",
    "summary": "--group g contigs.tsv features.json contig2bin.tsv bins.tsv",
    "report_data": "--group g --contigs contigs.tsv contig2bin.tsv unbinned.tsv --bins bins.tsv "
    "--features features.json --inputs rows.tsv tnf.npy abundance.npy --mapping S2.mapping.tsv "
    "--refinement refinement.tsv --genomes_found genomes_found.tsv --umap umap_points.tsv",
    "umap_points": "--bins contigs.tsv contig2bin.tsv bins.tsv --features features.json "
    "--inputs rows.tsv tnf.npy abundance.npy --latent latent.npy",
    "umap_points of genes": "--genes clusters.tsv gene_clusters.tsv --features features.json "
    "--inputs rows.tsv tnf.npy abundance.npy",
}
SCHEMAS = {
    "contigs.tsv": tables.CONTIGS,
    "S2.counts.tsv.gz": tables.COUNTS,
    "S2.mapping.tsv": tables.MAPPING,
    "S2.pairs.tsv.gz": tables.PAIRS,
    "pair_links.tsv.gz": tables.PAIR_LINKS,
    "abundance.tsv": tables.RPKM,
    "coverage.tsv.gz": tables.COVERAGE,
    "rows.tsv": tables.ROWS,
    "excluded.tsv": tables.EXCLUDED,
    "clusters.tsv": tables.CLUSTERS,
    "homologs.tsv.gz": tables.HOMOLOGS,
    "genes.tsv.gz": tables.MARKERS,
    "families.tsv": tables.FAMILIES,
    "bin_genes.tsv.gz": evaluation_tables.GENES,
    "lineages.tsv": LINEAGES,
    "vertices.tsv.gz": tables.VERTICES,
    "edges.tsv.gz": tables.EDGES,
    "labels.tsv": tables.REFINED_CONTIG2BIN,
    "refinement.tsv": tables.REFINEMENT,
    "same_genomes.tsv": tables.SAME_GENOMES,
    "contig2bin.tsv": tables.CONTIG2BIN,
    "unbinned.tsv": tables.UNBINNED,
    "bins.tsv": tables.BINS,
    "gene_clusters.tsv": gene_tables.GENE_CLUSTERS,
    "cluster_sizes.tsv": gene_tables.CLUSTER_SIZES,
    "genomes_found.tsv": evaluation_tables.GENOMES_FOUND,
    "trials.tsv": experiment_tables.TRIALS,
    "umap_points.tsv": shown_contigs.UMAP_POINTS,
}
# What commands read of tables of which they do not read all; these read all of each table
ALL_READERS = ("transfer", "report_data", "report_data of genes")
READ = {
    "gene_clusters clusters.tsv": ["cluster", "contig"],
    "report_data refinement.tsv": ["contig", "assembly", "length", "reason"],
    "umap_points contigs.tsv": ["contig", "assembly", "name"],
    "umap_points bins.tsv": ["bin", "size"],
    "umap_points of genes clusters.tsv": ["cluster", "contig"],
    "umap_points of genes gene_clusters.tsv": ["cluster"],
    "clusters.tsv": ["cluster", "contig", "assembly"],
    "refinement.tsv": ["contig", "assembly", "initial", "final"],
    "bins.tsv": ["bin", "assembly", "size", "refined"],
}
CONTIG_COLUMNS = ("contig", "contigname", "contig_1")
# These take the contigs of an assembly by the assembler's names.
WITHOUT_CATALOGUE_NAMES = ("graph", "summary", "summary of genes", "import_bins")


class Variant(NamedTuple):
    """A malformed table, and words of which one is in the error."""

    name: str
    contents: bytes
    words: tuple[str, ...]


def changed(rows: list[list[str]], row: int, column: int, cell: str) -> bytes:
    rows = [list(cells) for cells in rows]
    rows[row][column] = cell
    return lines(*rows)


def number_variants(rows: list[list[str]], table: Table, read: list[str]):
    """Yield variants with a wrong number in the first row."""
    columns = {column.name: column for column in table.columns} | dict.fromkeys(SAMPLES, table.sample)
    for place, name in enumerate(rows[0]):
        column = columns.get(name)
        if name in read and column and column.kind in (int, float):
            negative = [] if column.least < 0 else ["-3"]
            for cell in (*negative, "inf", "nan", "many", *(["1.5"] if column.kind is int else [])):
                yield Variant(f"{name}-{cell}", changed(rows, 1, place, cell), (f"in column {name}",))


def malformed(file: str, command: str):
    """Yield what no command may take for this table."""
    table = SCHEMAS[file]
    whole = good_tables()[file]
    rows = [line.split("\t") for line in whole.decode().splitlines()]
    read = READ.get(f"{command} {file}", rows[0] if command in ALL_READERS else READ.get(file, rows[0]))
    for place, name in enumerate(rows[0]):
        if name in read and name not in SAMPLES:
            yield Variant(f"without-{name}", changed(rows, 0, place, "other"), (f"no column {name}",))
    yield from number_variants(rows, table, read)
    if table.key and set(table.key) <= set(read):
        yield Variant("twice", lines(*rows, rows[1]), ("stands in the table twice",))
    yield Variant("cut-off", gzip.compress(whole)[:-12], ("is damaged or cut off",))
    yield Variant("empty", b"", ("is empty",))
    yield Variant("latin-1", changed(rows, 1, 0, "x").replace(b"x", b"\xe9"), ("is not UTF-8",))
    contig = next((place for place, name in enumerate(rows[0]) if name in CONTIG_COLUMNS), None)
    if contig is not None and not (table is tables.CONTIGS and command in WITHOUT_CATALOGUE_NAMES):
        old = rows[1][contig]
        yield Variant("other-run", changed(rows, 1, contig, "zz"), ("'zz'", repr(old), "contigs of"))


def cases():
    for command, options in COMMANDS.items():
        for file in SCHEMAS:
            if file in options.split():
                for variant in malformed(file, command):
                    yield pytest.param(command, file, variant, id=f"{command}-{file}-{variant.name}")


def run(command: str):
    module = importlib.import_module(command.split(maxsplit=1)[0])
    return CliRunner().invoke(module.main, COMMANDS[command].split())


@pytest.fixture
def copy(group, tmp_path, monkeypatch):
    """Work in a copy of the good inputs."""
    folder = shutil.copytree(group, tmp_path / "copy")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_good_inputs_are_taken(copy, command):
    done = run(command)
    assert done.exit_code == 0, (done.output, done.exception)


@pytest.mark.parametrize(("command", "file", "variant"), list(cases()))
def test_malformed_inputs_are_refused_with_one_line(copy, command, file, variant):
    is_packed = file.endswith(".gz") and variant.name != "cut-off"
    (copy / file).write_bytes(gzip.compress(variant.contents) if is_packed else variant.contents)
    done = run(command)
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.exception
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and done.stderr.endswith(f"{errors[0]}\n")
    assert file in errors[0] and any(word in errors[0] for word in variant.words), errors[0]
    assert re.search(r"[;:] (give|check|make|map|name)\b", errors[0]), f"no remedy: {errors[0]}"


def test_every_command_that_reads_a_table_is_here():
    folder = Path(__file__).resolve().parents[2] / "bin"
    readers = {path.stem for path in folder.glob("*.py") if re.search(r"def main\(", path.read_text())}
    readers = {stem for stem in readers if "stage_tables" in (folder / f"{stem}.py").read_text()}
    # catalogue only writes one
    assert readers - {"catalogue"} == {command.split()[0] for command in COMMANDS}
