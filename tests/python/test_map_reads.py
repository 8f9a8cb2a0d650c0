"""Tests of bin/map_reads.py: the counting rules on hand-made alignments, and both real mappers."""

import gzip
import random
import subprocess
from pathlib import Path

import map_reads
import numpy as np
import pandas as pd
import pysam
import pytest
from click.testing import CliRunner

CONTIGS = [("c1", 1000), ("c2", 500), ("c3", 200), ("c4", 100)]
GROUPED = "@HD\tVN:1.6\tSO:unsorted\tGO:query\n"
SORTED = "@HD\tVN:1.6\tSO:coordinate\n"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_contigs(rows, path="contigs.tsv") -> None:
    """Write contigs.tsv from (contig, length) or (contig, assembly, name, length)."""
    rows = [row if len(row) == 4 else (row[0], "co", row[0], row[1]) for row in rows]
    lines = ["\t".join(map(str, row)) for row in [("contig", "assembly", "name", "length"), *rows]]
    Path(path).write_text("\n".join(lines) + "\n")


def record(name, flag, contig, cigar="100M", score=100, xa=None, position=1) -> str:
    """Return one SAM line; without a contig it is unmapped."""
    fields = [name, flag, contig or "*", position if contig else 0, 60 if contig else 0]
    fields += [cigar if contig else "*", "*", 0, 0, "*", "*"]
    if contig and score is not None:
        fields.append(f"AS:i:{score}")
    if xa:
        fields.append(f"XA:Z:{xa}")
    return "\t".join(map(str, fields))


def write_bam(path, lines, references=CONTIGS, head=GROUPED) -> None:
    sequences = "".join(f"@SQ\tSN:{name}\tLN:{length}\n" for name, length in references)
    Path("made.sam").write_text(head + sequences + "".join(f"{line}\n" for line in lines))
    subprocess.run(["samtools", "view", "-b", "-o", path, "made.sam"], check=True)


def run(*arguments, contigs="contigs.tsv"):
    command = ["--sample", "S", "--contigs", contigs, *map(str, arguments)]
    return CliRunner().invoke(map_reads.main, command)


def results() -> tuple[dict[str, int], dict[str, float], pd.Series]:
    counts = pd.read_csv("S.counts.tsv.gz", sep="\t", dtype={"contig": str}, na_filter=False)
    assert list(counts.columns) == ["sample", "contig", "reads", "coverage"]
    assert set(counts["sample"]) <= {"S"}
    mapping = pd.read_csv("S.mapping.tsv", sep="\t")
    assert list(mapping.columns) == [
        "sample",
        "reads",
        "mapped_reads",
        "counted_reads",
        "alignments",
        "mean_coverage",
    ]
    assert len(mapping) == 1
    return (
        dict(zip(counts["contig"], counts["reads"], strict=True)),
        dict(zip(counts["contig"], counts["coverage"], strict=True)),
        mapping.iloc[0],
    )


def count(lines, *arguments, references=CONTIGS, contigs=CONTIGS, head=GROUPED):
    write_contigs(contigs)
    write_bam("x.bam", lines, references, head)
    done = run("--bam", "x.bam", *arguments)
    assert done.exit_code == 0, done.output
    return results()


def only(**reads) -> dict[str, int]:
    return {name: reads.get(name, 0) for name, _ in CONTIGS}


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
        pytest.param(
            [record("r", 0x1 | 0xC, None), record("r", 0x1 | 0xC, None)], only(), 0, 0, id="unmapped"
        ),
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


def test_score_threshold_is_an_option():
    lines = [record("a", 0, "c1", score=20), record("b", 0, "c2", score=21)]
    assert count(lines, "--min_alignment_score", 20)[0] == only(c2=1)


def plain_count(lines, minimum=50) -> tuple[dict[str, int], int, int]:
    """Count as the rules read, one read at a time."""
    contigs: dict[tuple, set] = {}
    double = set()
    for line in lines:
        name, flag, contig, *rest = line.split("\t")
        flag = int(flag)
        tags = dict(part.split(":", 1) for part in rest if part[2:3] == ":")
        if flag & 0x604 or int(tags["AS"][2:]) <= minimum:
            continue
        read = name, flag & 0xC0
        hits = [hit.split(",")[0] for hit in tags.get("XA", "Z:")[2:].split(";") if hit]
        contigs.setdefault(read, set()).update([contig, *hits])
        if flag & 1 and flag & 8:
            double.add(read)
    reads = only()
    for read, hits in contigs.items():
        for contig in hits:
            reads[contig] += 1 + (read in double)
    return reads, len(contigs), sum(map(len, contigs.values()))


def random_lines(seed: int, templates: int) -> list[str]:
    rng = random.Random(seed)
    lines = []
    for number in range(templates):
        # Of all lengths, and many alike but for a letter.
        name = f"{number % 10}" + "x" * rng.choice([0, 6, 7, 8, 9, 30, 250]) + f"{number // 10}"
        paired = rng.random() < 0.7
        mapped = [rng.random() < 0.8 for _ in range(1 + paired)]
        for end, is_mapped in enumerate(mapped):
            flag = (0x1 | (0x40 << end)) if paired else 0
            flag |= 0x8 if paired and not mapped[1 - end] else 0
            flag |= rng.choice([0, 0, 0, 0, 0x200, 0x400])
            if not is_mapped:
                lines.append(record(name, flag | 4, None))
                continue
            for extra in [0] + rng.choices([0x100, 0x800], k=rng.randrange(4)):
                contig, length = rng.choice(CONTIGS)
                xa = "".join(
                    f"{rng.choice(CONTIGS)[0]},{rng.choice('+-')}{rng.randrange(1, 50)},50M,{rng.randrange(3)};"
                    for _ in range(rng.randrange(3))
                )
                score, position = rng.randrange(40, 62), rng.randrange(1, length - 50)
                lines.append(record(name, flag | extra, contig, "50M", score, xa, position))
    return lines


@pytest.mark.parametrize("read", [1 << 16, map_reads.READ])
def test_random_alignments_agree_with_a_plain_count(monkeypatch, read):
    monkeypatch.setattr(map_reads, "READ", read)
    lines = random_lines(3, 1500)
    reads, counted, alignments = plain_count(lines)
    found, _, mapping = count(lines)
    assert found == reads
    assert (mapping["counted_reads"], mapping["alignments"]) == (counted, alignments)
    assert min(reads.values()) > 100


def test_an_old_samtools_leaves_all_tags_in(monkeypatch):
    Path("tools").mkdir()
    Path("tools/samtools").write_text(
        '#!/bin/sh\nPATH=${PATH#*:}\ncase "$*" in *--help*) exit 1;; *--keep-tag*) exit 9;; esac\nexec samtools "$@"\n'
    )
    Path("tools/samtools").chmod(0o755)
    lines = [f"{line}\tNM:i:3\tMD:Z:100" for line in random_lines(6, 200)]
    expected = count(lines)
    monkeypatch.setenv("PATH", str(Path("tools").resolve()), prepend=":")
    assert map_reads.view_command() == map_reads.VIEW
    found = count(lines)
    assert found[:2] == expected[:2] and found[2].equals(expected[2])


def test_a_read_of_more_records_than_are_read_at_once(monkeypatch):
    monkeypatch.setattr(map_reads, "READ", 1 << 16)
    lines = [record("r", 256 * (number > 0), ["c1", "c2"][number % 2]) for number in range(5000)]
    found, _, mapping = count([*lines, record("s", 0, "c1")])
    assert found == only(c1=2, c2=1)
    assert mapping["alignments"] == 3


def test_records_and_cigars_of_any_length(monkeypatch):
    """Records larger than a block, and CIGARs of more operations than their field can say."""
    monkeypatch.setattr(map_reads, "READ", 1 << 16)
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


def test_a_compressed_stream_and_one_that_is_cut_off():
    write_bam("x.bam", random_lines(5, 800))
    with pysam.AlignmentFile("x.bam") as bam:
        names = [each.query_name for each in bam]
    with open("x.bam", "rb", buffering=0) as pipe:
        blocks = list(map_reads.bgzf_blocks(pipe))
    _, rest = map_reads.read_header(iter(blocks))
    read = [
        map_reads.name_of(records.text, start)
        for records in map_reads.whole_reads([], rest)
        for start in records.starts
    ]
    assert read == names
    for cut in (1, 40, 3000):
        with pytest.raises(OSError, match="ends within a record"):
            list(map_reads.whole_reads([], rest[:-cut]))
    with pytest.raises(OSError, match="ends within the header"):
        map_reads.read_header(iter([[blocks[0][0][:60]]]))


@pytest.mark.parametrize("head", [SORTED, "", "@HD\tVN:1.6\tSO:unknown\n"])
def test_bam_in_any_order_gives_the_counts_of_a_grouped_one(head):
    lines = random_lines(4, 300)
    grouped = count(lines)
    mapped = [line for line in lines if line.split("\t")[2] != "*"]
    unmapped = [line for line in lines if line.split("\t")[2] == "*"]
    order = [name for name, _ in CONTIGS]
    mapped.sort(key=lambda line: (order.index(line.split("\t")[2]), int(line.split("\t")[3])))
    found = count(mapped + unmapped, "--threads", 2, head=head)
    assert found[0] == grouped[0]
    assert found[1] == grouped[1]
    assert found[2].equals(grouped[2])
    assert not list(Path().glob("*collate*"))


@pytest.mark.parametrize(
    ("head", "grouped"),
    [
        ({"SO": "queryname"}, True),
        ({"SO": "unsorted"}, True),
        ({"GO": "query"}, True),
        ({"SO": "unknown", "GO": "query"}, True),
        ({"SO": "coordinate"}, False),
        ({"SO": "coordinate", "GO": "query"}, False),
        ({"SO": "unknown"}, False),
        ({}, False),
    ],
)
def test_which_headers_promise_grouped_reads(head, grouped):
    header = pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6"} | head, "SQ": [{"SN": "c", "LN": 9}]})
    assert map_reads.is_grouped(header) is grouped


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


@pytest.mark.parametrize("head", [GROUPED, SORTED])
def test_damaged_bam_is_refused(head):
    write_contigs(CONTIGS)
    lines = [record(f"r{random.Random(i).random()}", 0, "c1") for i in range(20_000)]
    write_bam("x.bam", lines, head=head)
    whole = Path("x.bam").read_bytes()
    middle = len(whole) // 2
    end = whole[-28:]  # the empty block that marks the end
    flipped = whole[:middle] + bytes(255 - byte for byte in whole[middle : middle + 50]) + whole[middle + 50 :]
    for contents in (b"", b"not a BAM", whole[:middle], whole[:middle] + end, flipped, b"@HD\tVN:1.6\n"):
        Path("x.bam").write_bytes(contents)
        done = run("--bam", "x.bam", "--threads", 2)
        assert done.exit_code == 1, (len(contents), done.output)
        assert "x.bam" in done.output
        assert isinstance(done.exception, SystemExit)
    assert not Path("S.counts.tsv.gz").exists()
    assert not list(Path().glob("*collate*"))


def test_sam_text_is_refused():
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("r", 0, "c1")])
    done = run("--bam", "made.sam")
    assert done.exit_code == 1
    assert "made.sam: is not BAM: convert it" in done.output


def test_bam_without_mapped_reads_gives_zeros_and_a_warning():
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("r", 4, None)])
    done = run("--bam", "x.bam")
    assert done.exit_code == 0
    assert "Warning: sample S has no mapped reads" in done.output
    found, coverage, mapping = results()
    assert found == only()
    assert set(coverage.values()) == {0}
    assert mapping["reads"] == 1 and mapping["counted_reads"] == 0


# Real mappers: a genome of three contigs, the third of which repeats a part of the first.


def sequence(seed: int, length: int) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


REPEAT = sequence(9, 1500)
GENOME = {
    "k1": sequence(1, 3000) + REPEAT + sequence(2, 1000),
    "k2": sequence(3, 4000),
    "k3": REPEAT,
}
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def complement(text: str) -> str:
    return text.translate(COMPLEMENT)[::-1]


def fastq(reads: list[tuple[str, str]]) -> str:
    return "".join(f"@{name}\n{bases}\n+\n{'I' * len(bases)}\n" for name, bases in reads)


def pairs(contig: str, starts: range, prefix: str) -> tuple[list, list]:
    """Return error-free pairs of 100 bp reads, 300 bp apart from end to end."""
    text = GENOME[contig]
    first = [(f"{prefix}{i}/1", text[i : i + 100]) for i in starts]
    second = [(f"{prefix}{i}/2", complement(text[i + 200 : i + 300])) for i in starts]
    return first, second


@pytest.fixture
def genome() -> None:
    Path("genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in GENOME.items()))
    write_contigs([(name, len(text)) for name, text in GENOME.items()])


def index_for(mapper: str) -> list[str]:
    if mapper == "bwa":
        subprocess.run(["bwa", "index", "-p", "genome", "genome.fa"], check=True, capture_output=True)
        return ["--mapper", "bwa", "--index", "genome"]
    index = ["minimap2", "-x", "sr", "-d", "genome.mmi", "genome.fa"]
    subprocess.run(index, check=True, capture_output=True)
    return ["--mapper", "minimap2", "--index", "genome.mmi"]


def write_pairs(lost_mates: int = 5) -> None:
    """Write 50 pairs of k2, 20 of the repeat, and some with a mate from nowhere."""
    first, second = pairs("k2", range(0, 3500, 70), "u")
    more, others = pairs("k1", range(3100, 4100, 50), "r")
    alone, _ = pairs("k2", range(100, 100 + 100 * lost_mates, 100), "x")
    nowhere = [(f"{name[:-1]}2", sequence(100 + i, 100)) for i, (name, _) in enumerate(alone)]
    Path("1.fq").write_text(fastq(first + more + alone))
    with gzip.open("2.fq.gz", "wt") as out:
        out.write(fastq(second + others + nowhere))


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
def test_real_pairs(genome, mapper):
    write_pairs()
    done = run("--reads", "1.fq", "--reads", "2.fq.gz", *index_for(mapper))
    assert done.exit_code == 0, done.output
    reads, coverage, mapping = results()
    # 50 pairs once each; 5 reads twice, as their mates are unmapped; the repeat on both copies.
    assert reads == {"k1": 40, "k2": 110, "k3": 40}
    assert coverage["k2"] == pytest.approx((100 * 100 + 5 * 100) / 4000)
    # A read of the repeat has its primary alignment on one of the copies, which alone gets bases.
    bases = coverage["k1"] * len(GENOME["k1"]) + coverage["k3"] * len(GENOME["k3"])
    assert bases == pytest.approx(40 * 100, rel=1e-4)
    assert mapping["reads"] == 150
    assert mapping["mapped_reads"] == mapping["counted_reads"] == 145
    assert mapping["alignments"] == 100 + 2 * 40 + 5


def test_arguments_after_the_dashes_override(genome):
    write_pairs()
    index = index_for("minimap2")
    done = run("--reads", "1.fq", "--reads", "2.fq.gz", *index, "--", "--secondary=no")
    assert done.exit_code == 0, done.output
    reads, _, mapping = results()
    assert reads["k2"] == 110
    assert reads["k1"] + reads["k3"] == 40
    assert mapping["alignments"] == mapping["counted_reads"]


def test_single_end_and_fasta_as_index(genome):
    first, _ = pairs("k2", range(0, 3500, 70), "u")
    Path("1.fq").write_text(fastq(first))
    done = run("--reads", "1.fq", "--index", "genome.fa", "--threads", 2)
    assert done.exit_code == 0, done.output
    assert results()[0] == {"k1": 0, "k2": 50, "k3": 0}


@pytest.mark.parametrize("preset", ["map-ont", "map-hifi"])
def test_long_reads(genome, preset):
    long = [(f"u{i}", GENOME["k2"][i : i + 2500]) for i in range(0, 1500, 100)]
    long += [(f"r{i}", complement(REPEAT)) for i in range(4)]
    Path("1.fq").write_text(fastq(long))
    done = run("--reads", "1.fq", "--index", "genome.fa", "--preset", preset)
    assert done.exit_code == 0, done.output
    reads, coverage, mapping = results()
    assert reads == {"k1": 4, "k2": 15, "k3": 4}
    assert coverage["k2"] == pytest.approx(15 * 2500 / 4000)
    assert mapping["alignments"] == 23


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
def test_saved_bam_is_sorted_indexed_and_counts_the_same(genome, mapper):
    write_pairs()
    done = run("--reads", "1.fq", "--reads", "2.fq.gz", *index_for(mapper), "--save_bam")
    assert done.exit_code == 0, done.output
    streamed = results()
    with pysam.AlignmentFile("S.bam") as bam:
        assert bam.header.to_dict()["HD"]["SO"] == "coordinate"
        assert sum(not each.flag & 0x900 for each in bam) == 150
        assert bam.count("k2", 0, 4000, read_callback="all") == 105
    assert not list(Path().glob("*.sort*"))
    done = run("--bam", "S.bam")
    assert done.exit_code == 0, done.output
    again = results()
    assert again[0] == streamed[0] and again[1] == streamed[1] and again[2].equals(streamed[2])


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
@pytest.mark.parametrize("paired", [True, False])
def test_no_reads_give_zeros_and_a_warning(genome, mapper, paired):
    Path("1.fq").write_text("")
    Path("2.fq.gz").write_bytes(gzip.compress(b""))
    files = ["--reads", "1.fq", "--reads", "2.fq.gz"] if paired else ["--reads", "2.fq.gz"]
    done = run(*files, *index_for(mapper))
    assert done.exit_code == 0, done.output
    assert "Warning: sample S has no reads" in done.output
    reads, _, mapping = results()
    assert reads == {"k1": 0, "k2": 0, "k3": 0}
    assert mapping["reads"] == 0 and mapping["mean_coverage"] == 0


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
def test_mates_that_do_not_match_are_refused(genome, mapper):
    first, second = pairs("k2", range(0, 3500, 70), "u")
    index = index_for(mapper)
    cases = {
        "1.fq has 50 reads, 2.fq has 49 reads": second[:-1],
        "1.fq has 50 reads, 2.fq has 0 reads": [],
        "u0": second[1:] + second[:1],
        "u700": [*second[:10], ("other/2", second[10][1]), *second[11:]],
    }
    for said, mates in cases.items():
        Path("1.fq").write_text(fastq(first))
        Path("2.fq").write_text(fastq(mates))
        done = run("--reads", "1.fq", "--reads", "2.fq", *index)
        assert done.exit_code == 1, (said, done.output)
        assert said in done.output
    assert not Path("S.counts.tsv.gz").exists()


def damaged_fastq() -> dict[str, bytes]:
    rng = random.Random(5)
    starts = [rng.randrange(3900) for _ in range(3000)]
    text = fastq([(f"r{i}", GENOME["k2"][s : s + 100]) for i, s in enumerate(starts)]).encode()
    zipped = gzip.compress(text)
    middle = len(text) // 2
    return {
        "cut.fq.gz": zipped[: len(zipped) // 2],
        "flipped.fq.gz": zipped[:20_000] + bytes(9) + zipped[20_009:],
        "noise.fq.gz": zipped[:20_000] + rng.randbytes(4000) + zipped[24_000:],
        "cut.fq": text[:middle],
        "lost_bases.fq": text[:middle] + text[middle + 30 :],
        "contigs.fq": b">c\nACGT\n",
        "junk.fq": bytes(range(256)) * 20,
    }


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
@pytest.mark.parametrize("name", damaged_fastq())
def test_damaged_fastq_is_never_silently_fewer_reads(genome, mapper, name):
    Path(name).write_bytes(damaged_fastq()[name])
    done = run("--reads", name, *index_for(mapper))
    assert done.exit_code == 1
    assert name in done.output
    assert isinstance(done.exception, SystemExit)
    assert not Path("S.counts.tsv.gz").exists()


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("", 0),
        ("@a\nAC\n+\nII\n", 1),
        ("@a\nAC\n+\nII", 1),
        ("@a\r\nAC\r\n+\r\nII\r\n", 1),
        ("@a\nAC\n+\nII\n\n\n", 1),
        ("@a\n\n+\n\n", 1),
        ("@a\nAC\n+\nII\n@b\n\n+\n\n\n", 2),
        ("@a\n\n+\n\n@b\nAC\n+\n@I\n", 2),
        ("".join(f"@a{i}\n{'A' * 5000}\n+\n{'I' * 5000}\n" for i in range(500)), 500),
    ],
)
def test_reads_of_a_fastq(text, reads):
    Path("x.fq").write_bytes(text.encode())
    assert map_reads.count_fastq(Path("x.fq")) == reads
    half = len(text) // 2
    Path("y.fq.gz").write_bytes(gzip.compress(text[:half].encode()) + gzip.compress(text[half:].encode()))
    assert map_reads.count_fastq(Path("y.fq.gz")) == reads


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
def test_failing_mapper_is_reported_with_its_words(genome, mapper):
    write_pairs()
    files = ["--reads", "1.fq", "--reads", "2.fq.gz"]
    done = run(*files, "--mapper", mapper, "--index", "nowhere")
    assert done.exit_code == 1
    assert "exited 1" in done.output
    said = {"minimap2": "failed to open file 'nowhere'", "bwa": "fail to locate the index files"}
    assert said[mapper] in done.output.split("exited 1")[1]
    done = run(*files, *index_for(mapper), "--", "--no-such-option")
    assert done.exit_code == 1
    assert "option" in done.output.split("exited 1")[1]


def fake_mapper(monkeypatch, script: str) -> None:
    """Put a shell script in the mapper's place."""
    Path("tools").mkdir()
    Path("tools/minimap2").write_text(f"#!/bin/sh\n{script}\n")
    Path("tools/minimap2").chmod(0o755)
    monkeypatch.setenv("PATH", str(Path("tools").resolve()), prepend=":")


HEADER = "".join(rf"@SQ\tSN:{name}\tLN:{len(text)}\n" for name, text in GENOME.items())
ALIGNED = r"u0\t0\tk2\t1\t60\t100M\t*\t0\t0\t*\t*\tAS:i:200\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (f"printf '{HEADER}{ALIGNED}'; echo out of memory >&2; kill -9 $$", "killed by SIGKILL"),
        (f"printf '{HEADER}{ALIGNED}u70\\t0\\tk'; kill -9 $$", "killed by SIGKILL"),
        (f"printf '{HEADER}{ALIGNED}'; echo disk is full >&2; exit 3", "exited 3:\ndisk is full"),
        (f"printf '{HEADER}{ALIGNED}'", "50 reads, of which the mapper reported 1"),
        ("yes garbage", "minimap2"),
    ],
)
def test_a_mapper_that_breaks_off_is_an_error(genome, monkeypatch, script, said):
    Path("1.fq").write_text(fastq(pairs("k2", range(0, 3500, 70), "u")[0]))
    fake_mapper(monkeypatch, script)
    done = run("--reads", "1.fq", "--index", "genome.fa")
    assert done.exit_code == 1
    assert said in done.output
    assert isinstance(done.exception, SystemExit)
    assert not Path("S.counts.tsv.gz").exists()


def test_a_bam_that_cannot_be_saved_is_an_error(genome):
    write_pairs()
    Path("S.sorting.bam").mkdir()
    done = run("--reads", "1.fq", "--reads", "2.fq.gz", *index_for("minimap2"), "--save_bam")
    assert done.exit_code == 1
    assert "samtools sort" in done.output
    assert isinstance(done.exception, SystemExit)


def test_saving_a_bam_leaves_the_input_alone_where_it_bears_the_same_name():
    write_contigs(CONTIGS)
    lines = [record("b", 0, "c2"), record("a", 0, "c1")]
    write_bam("original.bam", lines)
    before = Path("original.bam").read_bytes()
    Path("S.bam").symlink_to("original.bam")
    done = run("--bam", "S.bam", "--save_bam")
    assert done.exit_code == 0, done.output
    assert results()[0] == only(c1=1, c2=1)
    assert Path("original.bam").read_bytes() == before
    with pysam.AlignmentFile("S.bam") as bam:
        assert [each.query_name for each in bam.fetch("c1")] == ["a"]
        assert [each.query_name for each in bam.fetch()] == ["a", "b"]


def test_index_of_another_catalogue_is_refused(genome):
    write_pairs()
    Path("other.fa").write_text(f">k1\n{GENOME['k1']}\n>k2\n{GENOME['k2']}A\n>k3\n{REPEAT}\n")
    done = run("--reads", "1.fq", "--index", "other.fa")
    assert done.exit_code == 1
    assert "'k2' is 4001 bp in its header, but 4000 bp in contigs.tsv" in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--reads", "1.fq"],
        ["--reads", "1.fq", "--bam", "1.fq"],
        ["--reads", "1.fq", "--reads", "1.fq", "--reads", "1.fq", "--index", "x"],
        ["--reads", "1.fq", "--reads", "1.fq", "--index", "x", "--preset", "map-ont"],
        ["--reads", "1.fq", "--index", "x", "--preset", "map-hifi", "--mapper", "bwa"],
    ],
)
def test_options_that_do_not_fit_together(arguments):
    write_contigs(CONTIGS)
    Path("1.fq").write_text("")
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Error: " in done.output


def test_the_same_counts_give_the_same_bytes(monkeypatch):
    count([record("r", 0, "c1")])
    first = Path("S.counts.tsv.gz").read_bytes()
    monkeypatch.setattr("time.time", lambda: 1e9)
    count([record("r", 0, "c1")])
    assert Path("S.counts.tsv.gz").read_bytes() == first


def test_pairs_are_added_up_once_each():
    tally = map_reads.Tally(np.zeros(3, np.int64), np.zeros(3, np.int64))
    # (read, row, twice): read 7 on rows 0 and 2, said twice of row 0; read 8 on row 2, twice.
    keys = [(7 * 3 + 0) * 2, (7 * 3 + 2) * 2, (7 * 3 + 0) * 2, (8 * 3 + 2) * 2 + 1]
    map_reads.add_pairs(tally, np.array(keys))
    assert tally.reads.tolist() == [1, 0, 3]
    assert (tally.counted, tally.alignments) == (2, 3)
    map_reads.add_pairs(tally, np.array([], np.int64))
    assert tally.reads.tolist() == [1, 0, 3]
