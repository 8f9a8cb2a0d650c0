"""markers.py: planted genes are found, whole and cut, on both strands, whatever the chunks and threads."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import gene_finding
import markers
from planted_markers import FOLDER, background, contig, gene, model, reverse_complement, write_models
from stage_tables import CONTIGS, FAMILIES, MARKERS, read_table
from table_output import write_table

PROJECT = Path(__file__).resolve().parents[2]
DESCRIPTIONS = PROJECT / "assets" / "marker_families.tsv"
# Three of those that are searched for
WHOLE = tuple(name for name in read_table(FAMILIES, DESCRIPTIONS)["family"] if name.startswith("COG"))[:3]


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_catalogue(contigs: dict[str, str], assembly: str = "a") -> None:
    """catalogue.fa.gz and contigs.tsv of contigs by their catalogue names."""
    with gzip.open("catalogue.fa.gz", "wt") as file:
        file.writelines(f">{name}\n{sequence}\n" for name, sequence in contigs.items())
    lengths = [len(sequence) for sequence in contigs.values()]
    table = pd.DataFrame({"contig": list(contigs), "assembly": assembly, "name": list(contigs), "length": lengths})
    write_table(CONTIGS, table.assign(assembly=[name.split("~")[0] for name in contigs]))


def run(*options: str, status: int = 0, assembly: str = "a") -> str:
    given = ["--assembly", assembly, "--catalogue", "catalogue.fa.gz", "--contigs", "contigs.tsv"]
    models = [] if "--marker_hmms" in options else ["--families", str(DESCRIPTIONS)]
    result = CliRunner().invoke(markers.main, [*given, *models, *options])
    assert result.exit_code == status, result.output
    return result.output


def found() -> pd.DataFrame:
    return read_table(MARKERS, Path("markers.tsv.gz"))


def test_planted_genes_are_found_on_both_strands_at_their_places():
    forward = contig(1, *WHOLE)
    write_catalogue({"a~1": forward, "a~2": background(9, 20_000), "a~3": reverse_complement(forward)})
    run()
    table = found()
    universal = table[table["family"].isin(WHOLE)]
    for name in ("a~1", "a~3"):
        of_contig = universal[universal["contig"] == name]
        assert sorted(of_contig["family"]) == sorted(WHOLE)
        assert not of_contig["cut"].any() and (of_contig["covered"] == 1).all()
    assert "a~2" not in set(table["contig"])
    first, text = universal.iloc[0], gene(WHOLE[0])
    place = forward.index(text)
    assert first["family"] == WHOLE[0] and place < first["start"] < first["end"] <= place + len(text)
    assert read_table(FAMILIES, Path("marker_families.tsv")).equals(read_table(FAMILIES, DESCRIPTIONS))


def test_a_gene_cut_by_the_end_of_its_contig_covers_a_part_of_the_model():
    text = gene("COG0525")
    half = len(text) // 2
    write_catalogue({"a~1": background(1, 500) + text[:half], "a~2": text[half:] + background(2, 500)})
    run("--marker_hmms", own_models("COG0525"))
    table = found()
    assert list(table["contig"]) == ["a~1", "a~2"] and table["cut"].all()
    assert table["covered"].between(0.4, 0.6).all() and table["covered"].sum() == pytest.approx(1, abs=0.1)


def own_models(*families: str, **options) -> str:
    write_models(Path("own.hmm"), *families, **options)
    return "own.hmm"


def test_a_gene_is_of_the_family_that_it_scores_highest_for():
    """The two GTPases of protein export are relatives: each gene reaches the cutoff of both."""
    write_catalogue({"a~1": contig(1, "COG0541", "COG0552")})
    run("--marker_hmms", own_models("COG0541", "COG0552"))
    assert list(found()["family"]) == ["COG0541", "COG0552"]


def test_short_contigs_and_other_assemblies_are_not_searched():
    short = gene("COG0172")[: gene_finding.MIN_CONTIG_LENGTH - 1]
    write_catalogue({"a~1": short, "b~1": contig(1, *WHOLE)})
    run()
    assert found().empty
    run(assembly="b")
    assert set(WHOLE) <= set(found()["family"])
    assert "no contig of assembly 'c'" in run(assembly="c", status=1)


def test_chunks_and_threads_change_nothing(monkeypatch):
    contigs = {f"a~{i}": contig(i, *WHOLE[: i % 3 + 1]) for i in range(6)}
    write_catalogue(contigs)
    run()
    whole = Path("markers.tsv.gz").read_bytes()
    monkeypatch.setattr(gene_finding, "CHUNK_BP", 5000)
    run("--threads", "3")
    assert Path("markers.tsv.gz").read_bytes() == whole


def test_own_models_take_the_place_of_the_installed_ones():
    write_catalogue({"a~1": contig(1, *WHOLE)})
    run("--marker_hmms", own_models("COG0012", names=("mine",)))
    assert list(found()["family"]) == ["mine"]
    assert read_table(FAMILIES, Path("marker_families.tsv")).values.tolist() == [["mine", 1, 1]]


def test_one_source_of_families_is_asked_for():
    write_catalogue({"a~1": background(1, 1000)})
    both = ("--families", str(DESCRIPTIONS), "--marker_hmms", own_models("COG0012"))
    assert "give --families or --marker_hmms" in run(*both, status=2)


def test_an_assembly_without_long_contigs_has_no_markers():
    write_catalogue({"a~1": "ACGT" * 10})
    run()
    assert found().empty and FOLDER is not None and model("COG0012").M > 0
