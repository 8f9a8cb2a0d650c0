"""draw_bins.py: the colours of segments and the contigs of a picture, on a small graph."""

import csv
import gzip

import pytest
from click.testing import CliRunner

import draw_bins

CONTIGS = [("A1~c1", "A1", "c1", 900), ("A1~c2", "A1", "c2", 100), ("A1~c3", "A1", "c3", 300),
           ("A1~c4", "A1", "c4", 50), ("A2~c1", "A2", "c1", 900)]  # fmt: skip
BINS = [("A1", "c1", "A1.001"), ("A1", "c2", "A1.001"), ("A1", "c2", "A1.002"), ("A1", "c3", "A1.002"),
        ("A2", "c1", "A2.001")]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four contigs over five segments: s2 is in c1 and c3, s4 is in c2 alone, which is in two bins."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BINLOOM_WARNINGS", raising=False)
    segments = "".join(f"S\ts{i}\t*\n" for i in range(1, 6))
    walks = {"c1": "s1+,s2+", "c2": "s4+", "c3": "s2+,s3-", "c4": "s5+"}
    (tmp_path / "graph.gfa").write_text(segments + "".join(f"P\t{name}\t{steps}\t*\n" for name, steps in walks.items()))
    write(tmp_path / "contigs.tsv", ["contig", "assembly", "name", "length"], *CONTIGS)
    write(tmp_path / "contig2bin.tsv", ["assembly", "contig", "bin"], *BINS)
    write(tmp_path / "vertices.tsv.gz", ["contig"], *[[row[0]] for row in CONTIGS[:4]])
    write(tmp_path / "edges.tsv.gz", ["contig_1", "contig_2"], ["A1~c1", "A1~c3"], ["A1~c3", "A1~c4"])
    return tmp_path


def write(path, header, *rows):
    text = "".join("\t".join(map(str, row)) + "\n" for row in (header, *rows))
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def run(names):
    files = ["--graph", "graph.gfa", "--vertices", "vertices.tsv.gz", "--edges", "edges.tsv.gz"]
    files += ["--contigs", "contigs.tsv", "--contig2bin", "contig2bin.tsv", "--draw_bins", names]
    command = ["--assembly", "A1", "--assembler", "gfa", *files]
    done = CliRunner().invoke(draw_bins.main, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_segment_has_the_bin_with_most_base_pairs_in_its_contigs(folder):
    run("A1.001")
    rows = list(csv.DictReader((folder / "A1.bandage.csv").open()))
    assert {row["Name"]: row["Bin"] for row in rows} == {
        "s1": "A1.001", "s2": "A1.001", "s3": "A1.002", "s4": "A1.001",
    }  # fmt: skip
    colours = {row["Bin"]: row["Colour"] for row in rows}
    assert len(set(colours.values())) == 2


def test_the_picture_has_the_chosen_bin_and_its_neighbours(folder):
    assert "WARNING" not in run("A1.001, A2.001")
    picture = (folder / "A1.svg").read_text()
    shown = [name for name in ("c1", "c2", "c3", "c4") if f"<title>{name}," in picture]
    assert shown == ["c1", "c2", "c3"] and picture.count("<line ") == 1


def test_an_absent_bin_is_a_warning_and_no_picture(folder):
    assert "A1.009: there is no such bin" in run("A1.009")
    assert not (folder / "A1.svg").exists() and (folder / "A1.bandage.csv").exists()


def test_a_picture_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(draw_bins, "MAX_CONTIGS", 2)
    run("A1.001")
    assert "the 2 first of 3" in (folder / "A1.svg").read_text()


def test_no_bin_at_all(folder):
    write(folder / "contig2bin.tsv", ["assembly", "contig", "bin"])
    run("A1.001")
    assert (folder / "A1.bandage.csv").read_text() == "Name,Colour,Bin\n"
