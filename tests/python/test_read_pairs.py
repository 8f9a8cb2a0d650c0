"""read_pairs.py: which pairs link two contigs, on alignments made by hand."""

import gzip
from pathlib import Path

import pytest

import read_pairs
from sam_files import count, record, run, write_bam, write_contigs

READ = 100  # bp, as record has them
INSERT = 300  # bp
# Of two assemblies, A and B
CONTIGS = [("A~1", "A", "1", 4000), ("A~2", "A", "2", 900), ("A~3", "A", "3", 900), ("B~1", "B", "1", 4000)]
REFERENCES = [(name, length) for name, _, _, length in CONTIGS]
PAIR, REVERSE, FIRST, SECOND = 0x1, 0x10, 0x40, 0x80


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(name: str, end: int, contig: str, start: int, is_reverse=False, flag=0, **options) -> str:
    """Return the alignment of a read that begins at this place (bp from the left end of its contig)."""
    position = start - READ + 1 if is_reverse else start + 1
    return record(name, PAIR | end | (REVERSE if is_reverse else 0) | flag, contig, position=position, **options)


def inserts(n=read_pairs.MIN_INSERTS, contig="A~1") -> list[str]:
    """Return n pairs on one contig, INSERT long."""
    places = [(f"i{i}", 1000 + i) for i in range(n)]
    return [
        line
        for name, place in places
        for line in (read(name, FIRST, contig, place), read(name, SECOND, contig, place + INSERT, True))
    ]


def links(lines: list[str]) -> dict[tuple[str, str], int]:
    """Return the pairs of each two contigs that map_reads writes."""
    count(lines, references=REFERENCES, contigs=CONTIGS)
    header, *rows = gzip.decompress(Path("S.pairs.tsv.gz").read_bytes()).decode().splitlines()
    assert header == "contig_1\tcontig_2\tpairs"
    return {(one, other): int(pairs) for one, other, pairs in (row.split("\t") for row in rows)}


def pair(name="p", to_end=100, from_end=150, contig="A~2", flag=0, **options) -> list[str]:
    """Return a pair that leaves the right end of A~1, to_end bp from it, and comes in at the left end of a contig."""
    second = read(name, SECOND, contig, from_end, True, flag, **options)
    return [read(name, FIRST, "A~1", 4000 - to_end), second]


def test_a_pair_links_the_ends_that_its_reads_point_to():
    left_to_left = [read("q", FIRST, "A~3", 120, True), read("q", SECOND, "A~2", 130, True)]
    assert links([*inserts(), *pair("p"), *pair("o"), *left_to_left]) == {("A~1", "A~2"): 2, ("A~2", "A~3"): 1}


@pytest.mark.parametrize(("beyond", "found"), [(0, 1), (1, 0)])
def test_the_bases_between_are_at_most_an_insert(beyond, found):
    assert len(links([*inserts(), *pair(to_end=100, from_end=INSERT - 100 + beyond)])) == found


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_candidates_are_counted_in_parts_once_all_inserts_are_measured(monkeypatch, at_once):
    """Pairs that come before the last insert are among them, and those that are too far apart are in none."""
    monkeypatch.setattr(read_pairs, "CANDIDATES_AT_ONCE", at_once)
    monkeypatch.setattr(read_pairs, "MAX_INSERTS", read_pairs.MIN_INSERTS)
    to_other = [line for name in "xyz" for line in pair(name, contig="A~3")]
    late = [*pair("q"), *to_other, *pair("far", to_end=200, from_end=INSERT), *pair("o")]
    assert links([*pair("p"), *inserts(), *late]) == {("A~1", "A~2"): 3, ("A~1", "A~3"): 3}


def test_a_read_that_points_away_links_nothing():
    away = [read("p", FIRST, "A~1", 3900), read("p", SECOND, "A~2", 100)]
    assert links([*inserts(), *away]) == {}


@pytest.mark.parametrize(("score", "found"), [(99, 1), (100, 0), (101, 0)])
def test_another_alignment_as_good_in_the_assembly(score, found):
    """A better one on A~3 is the read's place, but not near an end."""
    also = read("p", SECOND, "A~3", 500, True, 0x100, score=score)
    assert len(links([*inserts(), *pair(), also])) == found


def test_each_assembly_has_links_of_its_own():
    """The same sequence is in B, too: the pair links the contigs of A, and lies on one of B."""
    in_b = [read("p", FIRST, "B~1", 2000, flag=0x100), read("p", SECOND, "B~1", 2250, True, 0x100)]
    assert links([*inserts(), *pair(), *in_b]) == {("A~1", "A~2"): 1}
    apart = [read("p", FIRST, "A~1", 3900), read("p", SECOND, "B~1", 150, True)]
    assert links([*inserts(), *apart]) == {}


def test_inserts_of_reads_that_are_in_several_assemblies_are_measured():
    twice = [line for line in inserts() for line in (line, line.replace("A~1", "B~1"))]
    flags = [line.split("\t") for line in twice]
    lines = ["\t".join([a, str(int(f) | (0x100 if rest[0] == "B~1" else 0)), *rest]) for a, f, *rest in flags]
    assert links([*lines, *pair()]) == {("A~1", "A~2"): 1}


@pytest.mark.parametrize(("quality", "found"), [(0, 0), (1, 1)])
def test_alternative_hits_without_scores(quality, found):
    first, second = pair(xa="A~3,-1,100M,0;")
    cells = second.split("\t")
    cells[4] = str(quality)
    assert len(links([*inserts(), first, "\t".join(cells)])) == found


def test_too_few_inserts_on_long_contigs():
    """Without the greatest length of an insert, no pair is trusted."""
    assert links([*inserts(read_pairs.MIN_INSERTS - 1), *pair()]) == {}
    short = [line.replace("A~1", "A~2") for line in inserts()]
    moved = [
        "\t".join([*cells[:3], str(1 + int(cells[3]) % 500), *cells[4:]]) for cells in (x.split("\t") for x in short)
    ]
    assert links([*moved, *pair()]) == {}


@pytest.mark.parametrize("flag", [0x200, 0x400])
def test_what_does_not_count_links_nothing(flag):
    assert links([*inserts(), *pair(flag=flag)]) == {}


def test_the_rest_of_a_read_that_is_split_is_no_place_of_it():
    rest = read("p", SECOND, "A~2", 150, True, 0x800, score=200)
    elsewhere = read("p", SECOND, "A~3", 500, True)
    assert links([*inserts(), read("p", FIRST, "A~1", 3900), elsewhere, rest]) == {}


def test_single_reads_link_nothing():
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("r", 0, "A~1"), record("r", 0x100, "A~2")], REFERENCES)
    assert run("--bam", "x.bam").exit_code == 0
    assert gzip.decompress(Path("S.pairs.tsv.gz").read_bytes()) == b"contig_1\tcontig_2\tpairs\n"
