"""alignment_limits.py: which alignments have the identity and the mapping quality to count."""

import gzip
import random
from pathlib import Path

import pandas as pd
import pytest

from sam_files import CONTIGS, SORTED, count, only, record, results, run, write_bam, write_contigs
from small_genome import fastq, index_for

PAIR, MATE_UNMAPPED, UNMAPPED, FIRST, SECOND = 0x1, 0x8, 0x4, 0x40, 0x80
SECONDARY, SUPPLEMENTARY = 0x100, 0x800
IDENTITY = ["--min_read_identity", 95]
BOTH = [*IDENTITY, "--min_mapping_quality", 30]


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("cigar", "differing", "identity", "counts"),
    [
        pytest.param("100M", 5, 95, True, id="95-of-100"),
        pytest.param("100M", 6, 95, False, id="94-of-100"),
        pytest.param("50S40M10H", 2, 95, True, id="clipped-bases-do-not-count"),
        pytest.param("50S40M10H", 3, 95, False, id="nor-help"),
        pytest.param("50M2I48M", 5, 95, True, id="an-insertion-is-columns"),
        pytest.param("50M4D50M", 5, 95, True, id="a-deletion-is-columns"),
        pytest.param("50M4D50M", 6, 95, False, id="a-deletion-and-two-bases"),
        pytest.param("50M900N50M", 5, 95, True, id="skipped-bases-are-none"),
        pytest.param("50M900N50M", 6, 95, False, id="and-do-not-help"),
        pytest.param("19=1X", 1, 95, True, id="the-letters-of-CIGAR-1.4"),
        pytest.param("18=2X", 2, 95, False, id="two-of-20"),
        pytest.param("1000M", 27, 97.3, True, id="a-share-that-is-no-binary-number"),
        pytest.param("1000M", 28, 97.3, False, id="one-base-less"),
        pytest.param("100M", 0, 100, True, id="all"),
        pytest.param("100M", 1, 100, False, id="all-but-one"),
        pytest.param("30S", 0, 1, False, id="nothing-is-aligned"),
        pytest.param("100M", 101, 1, False, id="more-differences-than-columns"),
        pytest.param("9000M300I500D200M700S", 1000, 90, True, id="a-long-read"),
        pytest.param("9000M300I500D200M700S", 1001, 90, False, id="a-long-read-of-one-more"),
    ],
)
def test_identity_is_the_matching_share_of_the_aligned_columns(cigar, differing, identity, counts):
    lines = [record("r", 0, "c1", cigar, differing=differing)]
    contigs = [("c1", 20_000), *CONTIGS[1:]]
    reads, _, mapping = count(lines, "--min_read_identity", identity, references=contigs, contigs=contigs)
    assert reads == only(c1=int(counts))
    assert (mapping["mapped_reads"], mapping["counted_reads"]) == (1, int(counts))


@pytest.mark.parametrize(("quality", "counts"), [(29, 0), (30, 1), (60, 1), (0, 0)])
def test_mapping_quality_has_a_bound(quality, counts):
    assert count([record("r", 0, "c1", quality=quality)], "--min_mapping_quality", 30)[0] == only(c1=counts)


def test_without_limits_neither_counts():
    lines = [record("r", 0, "c1", differing=90, quality=0), record("s", 0, "c2", quality=255)]
    assert count(lines)[0] == only(c1=1, c2=1)
    assert count(lines, "--min_read_identity", 0, "--min_mapping_quality", 0)[0] == only(c1=1, c2=1)


def test_secondary_and_supplementary_records_are_held_against_the_limits_by_themselves():
    """minimap2 gives secondary records the mapping quality 0."""
    lines = [
        record("r", 0, "c1", differing=9),
        record("r", SECONDARY, "c2", differing=0, quality=0),
        record("r", SUPPLEMENTARY, "c3", "40H60M", differing=3, quality=30),
        record("r", SUPPLEMENTARY, "c4", "60M40H", differing=4, quality=60),
    ]
    assert count(lines, *IDENTITY)[0] == only(c2=1, c3=1)
    assert count(lines, *BOTH)[0] == only(c3=1)
    assert count(lines, "--min_mapping_quality", 31)[0] == only(c1=1, c4=1)


def test_hits_in_xa_have_an_identity_and_no_mapping_quality():
    lines = [record("r", 0, "c1", differing=0, xa="c2,+7,20S40M1I59M,5;c3,-9,100M,6;c4,+1,10S90M,4;")]
    assert count(lines)[0] == only(c1=1, c2=1, c3=1, c4=1)
    assert count(lines, *IDENTITY)[0] == only(c1=1, c2=1, c4=1)
    assert count(lines, "--min_mapping_quality", 1)[0] == only(c1=1)
    falls = [record("r", 0, "c1", differing=6, xa="c2,+7,100M,0;")]
    assert count(falls, *IDENTITY)[0] == only(), "a hit in XA falls with its record"


def test_coverage_is_of_what_counts():
    lines = [record("r", 0, "c1", differing=5), record("s", 0, "c1", differing=6), record("t", 0, "c1", quality=9)]
    lines[-1] += "\tNM:i:0"
    assert count(lines, *BOTH)[1]["c1"] == pytest.approx(100 / 1000)


def test_a_mate_that_is_not_good_enough_is_not_unmapped():
    low = [record("r", PAIR | FIRST, "c1", differing=0), record("r", PAIR | SECOND, "c1", differing=9)]
    lost = [
        record("s", PAIR | MATE_UNMAPPED | FIRST, "c2", differing=0),
        record("s", PAIR | UNMAPPED | SECOND, None),
    ]
    assert count([*low, *lost], *IDENTITY)[0] == only(c1=1, c2=2)


def test_pairs_link_contigs_by_alignments_that_count():
    contigs = [("c1", 4000), ("c2", 900)]
    lines = []
    for i in range(200):
        lines += [record(f"i{i}", PAIR | FIRST, "c1", position=1000 + i, differing=0)]
        lines += [record(f"i{i}", PAIR | 0x10 | SECOND, "c1", position=1200 + i, differing=0)]
    for name, differing in (("good", 5), ("bad", 6)):
        lines += [record(name, PAIR | FIRST, "c1", position=3900, differing=differing)]
        lines += [record(name, PAIR | 0x10 | SECOND, "c2", position=50, differing=0)]

    def links(*arguments):
        count(lines, *arguments, references=contigs, contigs=contigs)
        return gzip.decompress(Path("S.pairs.tsv.gz").read_bytes()).decode().splitlines()[1:]

    assert links() == ["c1\tc2\t2"]
    assert links(*IDENTITY) == ["c1\tc2\t1"]


@pytest.mark.parametrize("head", ["@HD\tVN:1.6\tSO:unsorted\tGO:query\n", SORTED])
def test_a_record_without_what_is_asked_for_is_one_clear_error(head):
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("ok", 0, "c1", differing=0), record("bad", 0, "c2")], head=head)
    assert run("--bam", "x.bam").exit_code == 0
    done = run("--bam", "x.bam", *IDENTITY)
    said = "x.bam: read 'bad' is mapped but has no edit distance (NM tag), which --min_read_identity needs"
    assert done.exit_code == 1 and said in done.output and "give the reads instead" in done.output
    write_bam("x.bam", [record("odd", 0, "c1", quality=255)], head=head)
    assert run("--bam", "x.bam").exit_code == 0
    done = run("--bam", "x.bam", "--min_mapping_quality", 1)
    assert done.exit_code == 1 and "x.bam: read 'odd' has no mapping quality (255)" in done.output


@pytest.mark.parametrize("tag", ["NM:Z:0", "NM:f:1", "NM:i:-1"])
def test_what_is_no_number_of_bases_is_no_edit_distance(tag):
    write_contigs(CONTIGS)
    write_bam("x.bam", [f"{record('bad', 0, 'c1')}\t{tag}"])
    assert "has no edit distance" in run("--bam", "x.bam", *IDENTITY).output


@pytest.mark.parametrize("option", [["--min_read_identity", 100.1], ["--min_mapping_quality", 255]])
def test_absurd_limits_are_refused(option):
    write_contigs(CONTIGS)
    write_bam("x.bam", [])
    assert run("--bam", "x.bam", *option).exit_code == 2


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
def test_the_tags_of_both_mappers(mapper):
    """Reads of 200 bp with 10 and 11 other bases, in the middle of two contigs of which one has a copy."""
    rng = random.Random(5)
    alone, copied = ("".join(rng.choices("ACGT", k=3000)) for _ in range(2))
    contigs = {"c1": alone, "c2": copied, "c3": copied[:2900] + alone[:100]}
    Path("genome.fa").write_text("".join(f">{name}\n{sequence}\n" for name, sequence in contigs.items()))
    write_contigs([(name, len(sequence)) for name, sequence in contigs.items()])
    other = dict(zip("ACGT", "CGTA", strict=True))

    def changed(sequence, n):
        places = range(80, 80 + 3 * n, 3)  # far from the ends, which mappers would clip, and from their seeds
        return "".join(other[base] if i in places else base for i, base in enumerate(sequence))

    reads = {"a": changed(alone[1000:1200], 10), "b": changed(alone[1500:1700], 11), "c": copied[1000:1200]}
    Path("r.fq").write_text(fastq(list(reads.items())))
    arguments = ["--reads", "r.fq", *index_for(mapper)]

    def counted(*limits):
        done = run(*arguments, *limits)
        assert done.exit_code == 0, done.output
        return results()[0]

    assert counted() == {"c1": 2, "c2": 1, "c3": 1}
    edits = pd.read_csv("S.counts.tsv.gz", sep="\t")["edits"]
    assert edits.to_list() == [21 / 3000, 0, 0]
    assert counted("--min_read_identity", 95) == {"c1": 1, "c2": 1, "c3": 1}
    assert counted("--min_read_identity", 94.5) == {"c1": 2, "c2": 1, "c3": 1}
    assert counted("--min_mapping_quality", 30) == {"c1": 2, "c2": 0, "c3": 0}
