"""What Binloom writes for other tools, read by these tools themselves."""

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from bin_formats import write_formats
from conftest import DATA, installed_tools, read_fasta, read_table, read_truth, run_tool

PUBLISHED = "coasm"
HARD = "9.x-1"  # an assembly of which anvi'o takes no bin by its name: a digit in front, a dot and a dash
ASSEMBLIES = (PUBLISHED, HARD)
# What an assembler or a user may name contigs, and a table or FASTA may be misread for
NAMES = ["0012", "k141_7", "NODE_1_length_9_cov_1.5", "s|k:21;x=1,2", "c'é#@", 'd"e"', "A~f%20", "NA"]
OLD_PYTHON = "python3.10"
# pyenv's python3.10 runs where it is chosen alone.
OLD_PYTHON_CHOSEN = {"PYTHON": OLD_PYTHON, "PYENV_VERSION": OLD_PYTHON.removeprefix("python")}

# Prints as JSON what Binette reads of a contig2bin table: of each bin the contigs, all of which must be in the FASTA.
READ_BY_BINETTE = """
import json, sys
from pathlib import Path
from binette.bin_manager import parse_contig2bin_tables
from binette.contig_manager import parse_fasta_file
bins = parse_contig2bin_tables({"given": Path(sys.argv[1])})["given"]
known = parse_fasta_file(sys.argv[2])
assert all(contig in known for given in bins for contig in given.contigs)
print(json.dumps({given.name: sorted(given.contigs) for given in bins}))
"""
# Prints as JSON what GTDB-Tk reads of a folder: of each genome the contigs with their sequences.
READ_BY_GTDBTK = """
import json, sys
from gtdbtk.biolib_lite.seq_io import read_fasta
from gtdbtk.main import OptionsParser
genomes, _ = OptionsParser("2")._genomes_to_process(sys.argv[1], None, "fa.gz")
print(json.dumps({genome: read_fasta(path) for genome, path in genomes.items()}))
"""
# Prints as JSON the collection that anvi'o has stored: of each bin the pieces of contigs.
STORED_BY_ANVIO = """
import json, sys
from anvio.ccollections import Collections
collections = Collections()
collections.populate_collections_dict(sys.argv[1])
print(json.dumps({name: collections.get_collection_dict(name) for name in sys.argv[2:]}))
"""


def contigs_of(placed: pd.DataFrame) -> dict[str, list[str]]:
    """The sorted contigs of each bin."""
    return {name: sorted(contigs) for name, contigs in placed.groupby("bin")["name"]}


@pytest.fixture(scope="module")
def written(two_groups, tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    """A folder with formats/ and bins/ of a run, of one assembly under two ids; its rows of assembly, name and bin."""
    assert two_groups.status == 0, two_groups.output
    group, folder = two_groups.results / "co", tmp_path_factory.mktemp("written")
    shutil.copytree(group / "formats", folder / "formats")
    shutil.copytree(group / "bins", folder / "bins")
    placed = read_table(group / "contig2bin.tsv").rename(columns={"contig": "name"})
    hard = placed.assign(assembly=HARD, bin=placed["bin"].str.replace(PUBLISHED, HARD))
    write_formats(hard, folder / "formats")
    for path in (group / "bins").iterdir():
        shutil.copy(path, folder / "bins" / path.name.replace(PUBLISHED, HARD))
    assert placed["name"].duplicated().any(), "no contig is of two bins"
    return folder, pd.concat([placed, hard], ignore_index=True)


def unpacked(fasta: Path, folder: Path) -> Path:
    """The copy of a gzipped FASTA in a folder, beside which tools can write."""
    copy = folder / "contigs.fa"
    with gzip.open(fasta) as source, open(copy, "wb") as target:
        shutil.copyfileobj(source, target)
    return copy


@pytest.mark.parametrize("assembly", ASSEMBLIES)
def test_binette_reads_contig2bin(assembly, written, next_tools, tmp_path):
    folder, placed = written
    table = folder / "formats" / f"{assembly}.contig2bin.tsv"
    fasta = unpacked(DATA / "co.contigs.fasta.gz", tmp_path)
    read = json.loads(run_tool([next_tools / "python", "-c", READ_BY_BINETTE, table, fasta], tmp_path))
    assert read == contigs_of(placed[placed["assembly"] == assembly].drop_duplicates("name"))


def test_binette_reads_all_names_of_contigs(next_tools, tmp_path):
    """A contig of two bins, too."""
    rows = [(HARD, name, f"{HARD}.{number % 2}") for number, name in enumerate([*NAMES, NAMES[0]])]
    placed = pd.DataFrame(rows, columns=["assembly", "name", "bin"])
    write_formats(placed, tmp_path / "formats")
    fasta = tmp_path / "contigs.fa"
    fasta.write_text("".join(f">{name}\nACGT\n" for name in NAMES))
    table = tmp_path / "formats" / f"{HARD}.contig2bin.tsv"
    read = json.loads(run_tool([next_tools / "python", "-c", READ_BY_BINETTE, table, fasta], tmp_path))
    assert read == contigs_of(placed.drop_duplicates("name"))


def test_amber_reads_biobox(written, two_groups, next_tools, tmp_path):
    """A contig of two bins counts in both."""
    truth = read_truth(DATA / "co.truth.tsv").drop_duplicates("contig")
    header = f"@Version:0.9.1\n@SampleID:{PUBLISHED}\n\n@@SEQUENCEID\tBINID\t_LENGTH\n"
    (tmp_path / "truth.tsv").write_text(header + truth.to_csv(sep="\t", header=False, index=False))
    bins = written[0] / "formats" / f"{PUBLISHED}.biobox.tsv"
    options = ["--silent", "--skip_gs", "-l", "bins", "-o", "amber", "-g", "truth.tsv", bins]
    run_tool([next_tools / "python", next_tools / "amber.py", *options], tmp_path)
    read = pd.read_csv(tmp_path / "amber" / "bin_metrics.tsv", sep="\t", dtype={"BINID": str}).set_index("BINID")
    sizes = read_table(two_groups.results / "co" / "bins.tsv").set_index("bin")["size"].astype(int)
    assert read["total_length"].to_dict() == sizes.to_dict()


def test_gtdbtk_reads_the_folder_of_bins(written, next_tools, tmp_path):
    """By the reader of `gtdbtk identify` and `classify_wf`, before which stands a check of the reference data."""
    folder, placed = written
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "metadata.txt").write_text("VERSION_DATA=r214\n")
    (tmp_path / "taxonomy").mkdir()
    (tmp_path / "taxonomy" / "gtdb_taxonomy.tsv").touch()
    words = [next_tools / "python", "-c", READ_BY_GTDBTK, folder / "bins"]
    read = json.loads(run_tool(words, tmp_path, {"GTDBTK_DATA_PATH": str(tmp_path)}).splitlines()[-1])
    assert {name: sorted(sequences) for name, sequences in read.items()} == contigs_of(placed)
    assert all(read_fasta(folder / "bins" / f"{name}.fa.gz") == sequences for name, sequences in read.items())


def test_drep_reads_the_folder_of_bins(written, two_groups, next_tools, tmp_path):
    """Which measures the same sizes and N50."""
    genomes = sorted((written[0] / "bins").glob("*.fa.gz"))
    options = ["--ignoreGenomeQuality", "--SkipMash", "--SkipSecondary", "--skip_plots", "--length", "0", "-p", "1"]
    run_tool([next_tools / "python", next_tools / "dRep", "dereplicate", "drep", "-g", *genomes, *options], tmp_path)
    read = pd.read_csv(tmp_path / "drep" / "data_tables" / "genomeInformation.csv", index_col="genome")
    bins = read_table(two_groups.results / "co" / "bins.tsv").set_index("bin")[["size", "n50"]].astype(int)
    names = [f"{name.replace(PUBLISHED, assembly)}.fa.gz" for assembly in ASSEMBLIES for name in bins.index]
    expected = pd.concat([bins, bins]).set_axis(names).set_axis(["length", "N50"], axis=1)
    pd.testing.assert_frame_equal(read[["length", "N50"]].sort_index(), expected.sort_index(), check_names=False)


@pytest.fixture(scope="module")
def anvio() -> Path:
    """The folder with its programs."""
    words, environment = [OLD_PYTHON, "-c", ""], {**os.environ, **OLD_PYTHON_CHOSEN}
    if shutil.which(OLD_PYTHON) is None or subprocess.run(words, env=environment, check=False).returncode != 0:
        pytest.skip(f"the newest anvi'o that the package index has needs {OLD_PYTHON}")
    return installed_tools("--anvio", OLD_PYTHON_CHOSEN)


def test_anvio_imports_the_collection(written, anvio, tmp_path):
    folder, placed = written
    fasta = unpacked(DATA / "co.contigs.fasta.gz", tmp_path)
    create = [anvio / "anvi-gen-contigs-database", "-f", fasta, "-o", "contigs.db", "-n", "co", "--skip-gene-calling"]
    run_tool(create, tmp_path)
    run_tool([anvio / "anvi-profile", "-c", "contigs.db", "--blank-profile", "-o", "profile", "-S", "co"], tmp_path)
    names = {assembly: f"collection_{number}" for number, assembly in enumerate(ASSEMBLIES)}
    for assembly, name in names.items():
        table = folder / "formats" / f"{assembly}.anvio.txt"
        options = ["-c", "contigs.db", "-p", "profile/PROFILE.db", "--contigs-mode", "-C", name]
        run_tool([anvio / "anvi-import-collection", *options, table], tmp_path)
    words = [anvio / "python", "-c", STORED_BY_ANVIO, "profile/PROFILE.db", *names.values()]
    stored = json.loads(run_tool(words, tmp_path).splitlines()[-1])
    for assembly, name in names.items():
        rows = placed[placed["assembly"] == assembly].drop_duplicates("name")
        bins = {bin_.replace(HARD, "bin_9_x_1").replace(".", "_"): c for bin_, c in contigs_of(rows).items()}
        assert {b: sorted(piece.split("_split_")[0] for piece in p) for b, p in stored[name].items()} == bins
