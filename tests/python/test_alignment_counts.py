"""alignment_counts.py: what counts, on alignments made by hand, and on random ones against a plain count."""

from pathlib import Path

import pandas as pd
import pysam
import pytest

from alignment_counts import References, Tally, count_read_name
from alignment_limits import Limits
from read_pairs import PairLinks
from sam_files import (
    CONTIGS,
    GROUPED,
    SORTED,
    count,
    only,
    plain_count,
    random_lines,
    record,
    results,
    run,
    write_bam,
    write_contigs,
)


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("lines", "reads", "counted", "alignments"),
    [
        pytest.param([record("r", 0, "c1", score=51)], only(c1=1), 1, 1, id="score-51"),
        pytest.param([record("r", 0, "c1", score=50)], only(), 0, 0, id="score-50"),
        pytest.param(
            [record("r", 0, "c1", xa="c2,+7,100M,0;c3,-9,50M,1;")],
            only(c1=1, c2=1, c3=1),
            1,
            3,
            id="XA-counts-as-the-primary",
        ),
        pytest.param(
            [record("r", 0, "c1", score=50, xa="c2,+7,100M,0;")],
            only(),
            0,
            0,
            id="XA-falls-with-its-record",
        ),
        pytest.param(
            [record("r", 0, "c1", xa="c1,+500,100M,0;c2,+1,100M,0;c2,-70,100M,2;")],
            only(c1=1, c2=1),
            1,
            2,
            id="once-per-contig",
        ),
        pytest.param(
            [record("r", 0, "c1"), record("r", 256, "c2"), record("r", 2048, "c3", "40H60M")],
            only(c1=1, c2=1, c3=1),
            1,
            3,
            id="secondary-and-supplementary",
        ),
        pytest.param(
            [record("r", 0, "c1"), record("r", 2048, "c1", "40H60M"), record("r", 256, "c1")],
            only(c1=1),
            1,
            1,
            id="three-alignments-on-one-contig",
        ),
        pytest.param(
            [record("r", 0, "c1", score=40), record("r", 256, "c2", score=60)],
            only(c2=1),
            1,
            1,
            id="secondary-alone-passes",
        ),
        pytest.param(
            [record("r", 0x1 | 0x40, "c1"), record("r", 0x1 | 0x80, "c1")],
            only(c1=2),
            2,
            2,
            id="mates-count-independently",
        ),
        pytest.param(
            [record("r", 0x1 | 0x40, "c1"), record("r", 0x1 | 0x80, "c2", score=50)],
            only(c1=1),
            1,
            1,
            id="a-mate-that-scores-low-is-not-unmapped",
        ),
        pytest.param(
            [record("r", 0x1 | 0x8 | 0x40, "c1", xa="c2,+1,9M,0;"), record("r", 0x1 | 0x4 | 0x80, None)],
            only(c1=2, c2=2),
            1,
            2,
            id="twice-if-the-mate-is-unmapped",
        ),
        pytest.param(
            [record("r", 0x1 | 0x4 | 0x40, None), record("r", 0x1 | 0x8 | 0x80, "c3")],
            only(c3=2),
            1,
            1,
            id="twice-if-the-first-is-unmapped",
        ),
        pytest.param([record("r", 0x8, "c1")], only(c1=1), 1, 1, id="single-end-never-twice"),
        pytest.param(
            [record("r", 0x400, "c1"), record("s", 0x200, "c1"), record("t", 0, "c1")],
            only(c1=1),
            1,
            1,
            id="duplicate-and-qc-fail",
        ),
        pytest.param([record("r", 0x1 | 0xC, None), record("r", 0x1 | 0xC, None)], only(), 0, 0, id="unmapped"),
        pytest.param(
            [
                record("r", 0x1 | 0x40, "c1"),
                record("r", 0x1 | 0x80, "c2"),
                record("r", 0x101 | 0x40, "c2"),
                record("r", 0x101 | 0x80, "c2"),
            ],
            only(c1=1, c2=2),
            2,
            3,
            id="mates-interleaved",
        ),
    ],
)
def test_counting_rules(lines, reads, counted, alignments):
    found, _, mapping = count(lines)
    assert found == reads
    assert mapping["counted_reads"] == counted
    assert mapping["alignments"] == alignments


def test_statistics_count_primary_records():
    lines = [
        record("a", 0x1 | 0x40, "c1"),
        record("a", 0x1 | 0x80, "c1", score=10),
        record("a", 0x901 | 0x80, "c2"),
        record("b", 4, None),
        record("d", 0x400, "c1"),
        record("e", 0, "c4", "20S30M"),
        record("e", 256, "c3", "30M"),
    ]
    _, _, mapping = count(lines)
    assert mapping["reads"] == 5
    assert mapping["mapped_reads"] == 4
    assert mapping["counted_reads"] == 3  # a/1; a/2 by its supplementary record; e
    assert mapping["alignments"] == 4


def test_coverage_is_aligned_bases_of_primary_and_supplementary_records():
    lines = [
        record("a", 0, "c1", "5S40M2I10M3D30M8S"),  # 80
        record("b", 0, "c1", "10H20=1X9="),  # 30
        record("b", 2048, "c2", "30H25M"),  # 25
        record("d", 256, "c2", "100M"),
        record("e", 0, "c3", "60M", xa="c4,+1,60M,0;"),  # 60
        record("f", 0, "c3", "90M", score=50),
        record("g", 0x400, "c3", "90M"),
        record("h", 0, "c3", "50M20N50M"),  # 100
    ]
    _, coverage, mapping = count(lines)
    assert coverage == pytest.approx({"c1": 110 / 1000, "c2": 25 / 500, "c3": 160 / 200, "c4": 0})
    assert mapping["mean_coverage"] == pytest.approx((80 + 30 + 25 + 160) / 1800, rel=1e-5)


def counted_edits(lines, *arguments) -> tuple[dict[str, float], str]:
    """Return the edits of each contig times its length, and the warnings."""
    write_contigs(CONTIGS)
    write_bam("x.bam", lines)
    done = run("--bam", "x.bam", *arguments)
    assert done.exit_code == 0, done.output
    edits = pd.read_csv("S.counts.tsv.gz", sep="\t")["edits"]
    warnings = "\n".join(line for line in done.output.splitlines() if line.startswith("WARNING"))
    return {name: round(each * length, 6) for each, (name, length) in zip(edits, CONTIGS, strict=True)}, warnings


def test_edits_are_of_the_records_whose_bases_are_coverage():
    lines = [
        record("a", 0, "c1", "5S40M2I10M3D30M8S", differing=7),
        record("b", 0, "c1", differing=0),
        record("b", 0x800, "c2", "30H25M", differing=4),
        record("b", 0x100, "c3", differing=9),
        record("d", 0, "c3", differing=2, xa="c4,+1,60M,5;"),
        record("e", 0, "c3", score=50, differing=11),
        record("f", 0x400, "c3", differing=13),
        record("g", 0x200, "c3", differing=17),
        record("h", 4, None),
    ]
    assert counted_edits(lines) == ({"c1": 7, "c2": 4, "c3": 2, "c4": 0}, "")
    assert counted_edits(lines, "--min_read_identity", 97)[0] == {"c1": 0, "c2": 0, "c3": 2, "c4": 0}


def test_both_mates_have_edits():
    lines = [record("r", 0x1 | 0x40, "c1", differing=3), record("r", 0x1 | 0x80, "c1", differing=2)]
    assert counted_edits(lines)[0] == {"c1": 5, "c2": 0, "c3": 0, "c4": 0}


def test_records_without_edits_add_none_and_are_told_of():
    lines = [
        record("a", 0, "c1", differing=3),
        record("b", 0, "c1"),
        f"{record('d', 0x800, 'c1')}\tNM:Z:2",
        record("e", 0, "c2", differing=-1),
        # What is in no coverage is not missed
        record("f", 0x100, "c1"),
        record("g", 0x400, "c1"),
        record("h", 0, "c1", score=50),
        record("i", 0, "c1", "100S"),
    ]
    edits, warning = counted_edits(lines)
    assert edits == {"c1": 3, "c2": 0, "c3": 0, "c4": 0}
    assert warning.startswith("WARNING: 3 of its alignments have no edit distance (NM tag)")
    assert "relatives" in warning and "`samtools calmd`" in warning and warning.count("WARNING") == 1


def test_score_threshold_is_an_option():
    lines = [record("a", 0, "c1", score=20), record("b", 0, "c2", score=21)]
    assert count(lines, "--min_alignment_score", 20)[0] == only(c2=1)


def test_random_alignments_agree_with_a_plain_count():
    lines = random_lines(3, 1500)
    reads, counted, alignments = plain_count(lines)
    found, _, mapping = count(lines)
    assert found == reads
    assert (mapping["counted_reads"], mapping["alignments"]) == (counted, alignments)
    assert min(reads.values()) > 100


def test_other_tags_change_nothing():
    lines = random_lines(6, 200)
    expected = count(lines)
    found = count([f"{line}\tNM:i:3\tMD:Z:100" for line in lines])
    assert found[:2] == expected[:2] and found[2].equals(expected[2])


def test_a_read_of_many_records():
    lines = [record("r", 256 * (number > 0), ["c1", "c2"][number % 2]) for number in range(5000)]
    found, _, mapping = count([*lines, record("s", 0, "c1")])
    assert found == only(c1=2, c2=1)
    assert mapping["alignments"] == 3


def test_records_and_cigars_of_any_length():
    """Records larger than a block, and CIGARs of more operations than their field can say."""
    contigs = [("c1", 1_000_000), ("c2", 1000)]
    lines = []
    for number, (cigar, length) in enumerate(
        [("90000M", 90_000), ("1M1I" * 40_000, 80_000), ("100M", 100), ("200M5S", 205), ("2M1D" * 40_000, 80_000)]
    ):
        fields = [f"r{number}", 0, "c1", 1, 60, cigar, "*", 0, 0, "A" * length, "*", "AS:i:70000"]
        lines += ["\t".join(map(str, fields)), record(f"r{number}", 256, "c2", cigar="60M")]
    found, coverage, _ = count(lines, references=contigs, contigs=contigs)
    assert found == {"c1": 5, "c2": 5}
    assert coverage["c1"] == pytest.approx((90_000 + 40_000 + 100 + 200 + 80_000) / 1_000_000)


@pytest.mark.parametrize(
    ("kind", "score", "counts"),
    [(kind, *case) for kind in "cCsSiI" for case in [(51, True), (50, False)]] + [(kind, -77, False) for kind in "csi"],
)
def test_scores_of_every_type_of_number(kind, score, counts):
    write_contigs(CONTIGS)
    write_bam("y.bam", [record("a", 0, "c1", score=None), record("b", 0, "c2", score=None)])
    with pysam.AlignmentFile("y.bam") as given, pysam.AlignmentFile("x.bam", "wb", header=given.header) as made:
        for each in given:
            each.set_tag("NM", 3, value_type="i")
            if each.query_name == "b":
                each.set_tag("XA", "c3,+1,100M,0;")
            each.set_tag("AS", score, value_type=kind)
            each.set_tag("tp", "P", value_type="A")
            made.write(each)
    assert run("--bam", "x.bam").exit_code == 0
    assert results()[0] == (only(c1=1, c2=1, c3=1) if counts else only())


def test_a_record_without_a_contig_counts_nowhere():
    write_contigs(CONTIGS)
    write_bam("y.bam", [record("a", 0, "c1"), record("b", 0, "c2")])
    with pysam.AlignmentFile("y.bam") as given, pysam.AlignmentFile("x.bam", "wb", header=given.header) as made:
        for each in given:
            each.reference_id = -1 if each.query_name == "a" else each.reference_id
            made.write(each)
    assert run("--bam", "x.bam").exit_code == 0
    assert results()[0] == only(c2=1)


def test_an_alternative_hit_is_text_and_a_score_a_number():
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("r", 0, "c1") + "\tXA:i:1", record("s", 0, "c2") + "\tXA:B:S,1,2"])
    assert run("--bam", "x.bam").exit_code == 0
    assert results()[0] == only(c1=1, c2=1)
    write_bam("x.bam", [record("r", 0, "c1", score=None) + "\tAS:Z:77"])
    assert "read 'r' is mapped but has no alignment score" in run("--bam", "x.bam").output


def test_references_in_another_order():
    lines = [record("a", 0, "c1", xa="c4,+1,50M,0;"), record("b", 0, "c2"), record("d", 0, "c2")]
    found, coverage, _ = count(lines, references=CONTIGS[::-1])
    assert list(found) == ["c1", "c2", "c3", "c4"]
    assert found == only(c1=1, c2=2, c4=1)
    assert coverage["c2"] == pytest.approx(200 / 500)


def test_the_assemblers_names_serve_where_they_are_unique():
    contigs = [("s1~a;x", "s1", "a;x", 300), ("s2~b", "s2", "b", 400), ("s2~NA", "s2", "NA", 50)]
    lines = [record("r", 0, "b", xa="a;x,+1,50M,0;NA,-3,20M,1;"), record("t", 0, "NA", "50M")]
    references = [("b", 400), ("a;x", 300), ("NA", 50)]
    found, _, _ = count(lines, references=references, contigs=contigs)
    assert found == {"s1~a;x": 1, "s2~b": 1, "s2~NA": 2}


def test_the_assemblers_names_do_not_serve_where_two_assemblies_share_them():
    write_contigs([("s1~a", "s1", "a", 300), ("s2~a", "s2", "a", 300)])
    write_bam("x.bam", [record("r", 0, "a")], [("a", 300)])
    done = run("--bam", "x.bam")
    assert done.exit_code == 1
    assert "x.bam: 'a' is 300 bp in its header, but absent in contigs.tsv" in done.output


@pytest.mark.parametrize(
    ("references", "said"),
    [
        ([("c1", 1000), ("cX", 500), *CONTIGS[2:]], "'cX' is 500 bp in its header, but absent in"),
        ([*CONTIGS, ("c5", 7), ("c6", 7)], "'c5' is 7 bp in its header, but absent in contigs.tsv"),
        (CONTIGS[:2] + CONTIGS[3:], "'c3' is absent in its header, but 200 bp in contigs.tsv"),
        ([*CONTIGS[:2], ("c3", 201), ("c4", 9)], "'c3' is 201 bp in its header, but 200 bp in"),
        ([], "'c1' is absent in its header, but 1000 bp in contigs.tsv"),
    ],
)
def test_bam_of_other_contigs_is_refused_by_the_first_that_differs(references, said):
    write_contigs(CONTIGS)
    write_bam("x.bam", [], references)
    done = run("--bam", "x.bam")
    assert done.exit_code == 1
    assert f"x.bam: {said}" in done.output
    assert "give the reads instead" in done.output


def test_alignment_without_score_or_with_a_foreign_alternative_is_refused():
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("ok", 0, "c1"), record("bad", 0, "c1", score=None)])
    done = run("--bam", "x.bam")
    assert done.exit_code == 1
    assert "x.bam: read 'bad' is mapped but has no alignment score" in done.output
    write_bam("x.bam", [record("odd", 0, "c1", xa="cX,+1,50M,0;")])
    done = run("--bam", "x.bam")
    assert done.exit_code == 1
    assert "x.bam: read 'odd' has an alternative hit (XA tag) on 'cX'" in done.output


def test_a_read_counts_once_on_a_contig_and_twice_if_any_of_its_records_there_says_so():
    def hit(number, flag):
        made = pysam.AlignedSegment()
        made.query_name, made.flag, made.reference_id = "r", flag, number
        made.set_tag("AS", 100)
        return made

    tally, references = Tally([0] * 3, [0] * 3, [0] * 3, PairLinks([9] * 3, [0] * 3)), References({}, [0, 1, 2])
    count_read_name(tally, [hit(0, 0), hit(2, 0x100), hit(0, 0x800)], references, Limits(50), "x.bam")
    assert tally.reads == [1, 0, 1]
    count_read_name(tally, [hit(2, 0x9), hit(2, 0x100)], references, Limits(50), "x.bam")
    assert tally.reads == [1, 0, 3]
    assert (tally.counted, tally.alignments, tally.bases) == (2, 3, [0] * 3)
    count_read_name(tally, [], references, Limits(50), "x.bam")
    assert (tally.reads, tally.counted, tally.alignments) == ([1, 0, 3], 2, 3)


def refused(lines, head=GROUPED) -> str:
    """Return the error of one line about these alignments."""
    write_contigs(CONTIGS)
    write_bam("x.bam", lines, head=head)
    done = run("--bam", "x.bam")
    assert done.exit_code == 1, done.output
    assert not Path("S.counts.tsv.gz").exists()
    assert len(done.output.splitlines()) == 1 and done.output.startswith("Error: x.bam: ")
    return done.output


def by_position(lines: list[str]) -> list[str]:
    """Return lines in the order of `samtools sort`."""
    names = [name for name, _ in CONTIGS]
    fields = [line.split("\t") for line in lines]
    place = [(names.index(field[2]) if field[2] != "*" else len(names), int(field[3])) for field in fields]
    return [line for _, line in sorted(zip(place, lines, strict=True), key=lambda pair: pair[0])]


@pytest.mark.parametrize("head", [GROUPED, SORTED])
def test_reads_without_names_are_refused(head):
    lines = [record("*", 0, "c1", position=start) for start in range(1, 300)]
    assert "its reads have no names: give the reads instead" in refused(lines, head)


@pytest.mark.parametrize("head", [GROUPED, SORTED])
@pytest.mark.parametrize("flags", [(0, 0), (0, 16), (65, 129, 65)], ids=str)
def test_one_name_for_several_reads_is_refused(head, flags):
    lines = [record(f"r{i}", 0, "c1", position=2 * i + 1) for i in range(100)]
    lines[50:50] = [record("x", flag, "c1", position=101) for flag in flags]
    assert "several reads are named 'x': give each read, or each pair, a name of its own" in refused(lines, head)


def pair(i: int, apart: int) -> list[str]:
    return [record(f"p{i}", 65, "c1", position=i + 1), record(f"p{i}", 129, "c1", position=i + 1 + apart)]


SPLIT = {
    "pairs": [line for i in range(200) for line in pair(i, 50)],
    "secondary first": [
        *(record(f"r{i}", 256, "c1", "50M", position=i + 1) for i in range(9)),
        *(record(f"r{i}", 0, "c2", position=i + 1) for i in range(9)),
    ],
    "supplementary last": [record("r", 0, "c1"), record("s", 0, "c1"), record("r", 2048, "c3", "50M")],
    "one pair": [*(record(f"r{i}", 0, "c1") for i in range(5000)), record("p", 65, "c1"), record("q", 0, "c2"),
                 record("p", 129, "c3")],
}  # fmt: skip


@pytest.mark.parametrize("case", SPLIT)
def test_a_file_sorted_by_position_whose_header_denies_it_is_refused(case):
    lines = by_position(SPLIT[case])
    assert "do not stand together, although its header says so" in refused(lines)
    # With the right header, or none, the records are brought together.
    assert count(lines, head=SORTED)[2].equals(count(lines, head="")[2])


def test_mates_and_primary_records_that_were_filtered_out_are_no_disorder():
    lines = [record(f"m{i}", 65, "c1") for i in range(20)] + [record(f"n{i}", 73, "c2") for i in range(20)]
    reads, _, mapping = count(lines)
    assert reads == only(c1=20, c2=40) and mapping["counted_reads"] == mapping["mapped_reads"] == 40


def test_two_single_reads_of_one_name_that_stand_apart_count_each():
    """Mates in one file after the other, mapped as single reads."""
    lines = [record(f"r{i}", 0, contig) for contig in ("c1", "c2") for i in range(20)]
    assert count(lines)[0] == only(c1=20, c2=20)


def test_more_counted_reads_than_mapped_ones_are_refused():
    said = refused([record("r", 0, "c1"), record("s", 2048, "c2"), record("t", 256, "c2")])
    assert "3 reads are counted, but only 1 have a mapped primary record" in said
