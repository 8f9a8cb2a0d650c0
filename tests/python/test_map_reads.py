"""map_reads.py: BAMs in any order, damaged or of other contigs, and both mappers on reads of a small genome."""

import base64
import gzip
import random
import subprocess
import sys
from pathlib import Path

import click
import pysam
import pytest

import map_reads
from fastq_reads import CHUNK_BYTES
from sam_files import (
    CONTIGS,
    GROUPED,
    SORTED,
    count,
    only,
    random_lines,
    record,
    results,
    run,
    write_bam,
    write_contigs,
)
from small_disk import run_on_small_disk
from small_genome import GENOME, REPEAT, complement, damaged_fastq, fastq, index_for, pairs, write_genome, write_pairs


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def genome():
    write_genome()


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


# A header and a damaged block, on which htslib with several threads waits forever (found by benchmark/fuzz_readers.py)
BAM_THAT_HANGS = base64.b64decode(
    "H4sIBAAAAAAA/wYAQkMCAGoAc3L0ZbRlYGBw8HDhDPOzMtQz4wz2tyosTS2qzEvMTeVyCA7kDPazUjV2Seb0AcobGMCEkg1BAqYG"
    "QBEmoAGsQAxSxZACZDADcbIhQ4cwAwMAVu+7NWEAAAAfiwgEAAAAAAD/BgBCQ2QwA3GyIUOHMAMDAFbvuzVhAAAAH4sIBAAAAAAA"
    "/wYAQkMCABsAAwAAAAAAAAAAAA=="
)


def test_a_damaged_first_block_is_refused_and_no_hang():
    write_contigs([("%3Dc", 100), ("c1", 5000)])
    Path("x.bam").write_bytes(BAM_THAT_HANGS)
    command = [sys.executable, map_reads.__file__, "--sample", "S", "--contigs", "contigs.tsv", "--bam", "x.bam"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and "Error: x.bam: is damaged or cut off" in done.stderr, done.stderr


def test_a_damaged_header_line_is_no_bam():
    """A lost tab makes a header line that pysam refuses by an assertion (found by benchmark/fuzz_readers.py)."""
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("r", 0, "c1")])
    damaged = gzip.decompress(Path("x.bam").read_bytes()).replace(b"@SQ\tSN:", b"@SQUSN:", 1)
    with pysam.BGZFile("x.bam", "wb") as out:
        out.write(damaged)
    done = run("--bam", "x.bam")
    assert done.exit_code == 1 and "Error: x.bam: cannot be read as BAM" in done.output, done.output


def test_a_gzipped_file_is_no_bam():
    """The compression of BAM is a form of gzip, and pysam cannot go back in any other."""
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("r", 0, "c1")])
    Path("x.bam").write_bytes(gzip.compress(gzip.decompress(Path("x.bam").read_bytes())))
    done = run("--bam", "x.bam")
    assert done.exit_code == 1 and "x.bam: cannot be read as BAM" in done.output, done.output


def test_a_damaged_sorted_bam_is_refused_in_one_line():
    write_contigs(CONTIGS)
    write_bam("x.bam", [record(f"r{i}", 0, "c1") for i in range(5000)], head=SORTED)
    whole = Path("x.bam").read_bytes()
    Path("x.bam").write_bytes(whole[:5000] + bytes(100) + whole[5100:])
    with pytest.raises(click.ClickException) as raised, map_reads.bam_alignments(Path("x.bam")) as alignments:
        list(alignments)
    assert "x.bam" in raised.value.message and "\n" not in raised.value.message


def test_a_stream_that_is_cut_off_within_a_record_or_the_header_is_refused():
    write_contigs(CONTIGS)
    write_bam("whole.bam", random_lines(5, 800))
    stream = gzip.decompress(Path("whole.bam").read_bytes())
    for kept in (60, len(stream) - 3000, len(stream) - 40, len(stream) - 1):
        with pysam.BGZFile("x.bam", "wb") as made:
            made.write(stream[:kept])
        done = run("--bam", "x.bam")
        assert done.exit_code == 1, (kept, done.output)
        assert "x.bam: " in done.output and isinstance(done.exception, SystemExit)
    assert not Path("S.counts.tsv.gz").exists()


def test_how_a_bam_is_compressed_changes_nothing():
    expected = count(random_lines(5, 800))
    for level in (0, 1, 9):
        level_option = ["--output-fmt-option", f"level={level}"]
        subprocess.run(["samtools", "view", "-b", *level_option, "-o", "y.bam", "x.bam"], check=True)
        assert run("--bam", "y.bam").exit_code == 0
        found = results()
        assert found[:2] == expected[:2] and found[2].equals(expected[2])


def test_sam_text_is_refused():
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("r", 0, "c1")])
    done = run("--bam", "made.sam")
    assert done.exit_code == 1
    assert "made.sam: is not BAM: convert it" in done.output


def test_few_mapped_reads_give_a_warning(monkeypatch):
    monkeypatch.setenv("BINLOOM_WARNINGS", "warnings.txt")
    mapped, unmapped = ([record(f"{kind}{i}", **where) for i in range(10)] for kind, where in KINDS.items())
    count(mapped + unmapped)
    assert not Path("warnings.txt").exists()
    count(mapped[1:] + unmapped)
    said = "only 9 of its 19 reads (47.4%) map to the contigs: check that they are of the community that was assembled"
    assert Path("warnings.txt").read_text() == f"{said}\n"


KINDS = {"mapped": {"flag": 0, "contig": "c1", "differing": 0}, "unmapped": {"flag": 4, "contig": None}}


@pytest.mark.parametrize("head", [GROUPED, SORTED])
def test_bam_with_a_header_alone_gives_zeros(head):
    assert count([], head=head)[0] == only()


def test_bam_without_mapped_reads_gives_zeros():
    write_contigs(CONTIGS)
    write_bam("x.bam", [record("r", 4, None)])
    done = run("--bam", "x.bam")
    assert done.exit_code == 0
    assert "S: 1 reads, 0 mapped, 0 counted" in done.output
    found, coverage, mapping = results()
    assert found == only()
    assert set(coverage.values()) == {0}
    assert mapping["reads"] == 1 and mapping["counted_reads"] == 0


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
def test_no_reads_give_zeros(genome, mapper, paired):
    Path("1.fq").write_text("")
    Path("2.fq.gz").write_bytes(gzip.compress(b""))
    files = ["--reads", "1.fq", "--reads", "2.fq.gz"] if paired else ["--reads", "2.fq.gz"]
    done = run(*files, *index_for(mapper))
    assert done.exit_code == 0, done.output
    assert "S: 0 reads, 0 mapped, 0 counted" in done.output
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


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
@pytest.mark.parametrize("name", damaged_fastq())
def test_damaged_fastq_is_never_silently_fewer_reads(genome, mapper, name):
    Path(name).write_bytes(damaged_fastq()[name])
    done = run("--reads", name, *index_for(mapper))
    assert done.exit_code == 1
    assert name in done.output
    assert isinstance(done.exception, SystemExit)
    assert not Path("S.counts.tsv.gz").exists()


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
    # Nextflow runs a task again, with more memory, that ends with 137.
    assert done.exit_code == (137 if "SIGKILL" in said else 1)
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


def test_no_bam_is_saved_for_a_sample_given_as_bam():
    write_contigs(CONTIGS)
    write_bam("original.bam", [record("b", 0, "c2"), record("a", 0, "c1")])
    before = Path("original.bam").read_bytes()
    Path("S.bam").symlink_to("original.bam")
    done = run("--bam", "S.bam", "--save_bam")
    assert done.exit_code == 0, done.output
    assert "S: --save_bam does nothing for a sample that is given as a BAM" in done.output
    assert results()[0] == only(c1=1, c2=1)
    assert Path("S.bam").is_symlink() and Path("original.bam").read_bytes() == before
    assert not list(Path().glob("*.bai")) and not list(Path().glob("*sorting*"))


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


def test_secondary_alignments_and_pairs_can_be_left_out(genome):
    """The repeat lies on two contigs. minimap2 then writes what it writes by default, and counts one of the two."""
    write_pairs()
    reads = ["--reads", "1.fq", "--reads", "2.fq.gz", *index_for("minimap2")]
    assert run(*reads).exit_code == 0
    with_all = results()[2]["alignments"]
    for name in ("S.pairs.tsv.gz", "S.counts.tsv.gz"):
        Path(name).unlink()
    assert run(*reads, "--no_secondary", "--no_pairs").exit_code == 0
    found = results()[2]
    assert found["counted_reads"] == found["alignments"] < with_all
    assert Path("S.counts.tsv.gz").exists() and not Path("S.pairs.tsv.gz").exists()


def test_the_same_counts_give_the_same_bytes(monkeypatch):
    count([record("r", 0, "c1")])
    first = Path("S.counts.tsv.gz").read_bytes()
    monkeypatch.setattr("time.time", lambda: 1e9)
    count([record("r", 0, "c1")])
    assert Path("S.counts.tsv.gz").read_bytes() == first


@pytest.mark.parametrize("mapper", ["minimap2", "bwa"])
def test_a_long_name_far_behind_the_first_reads_is_named_with_its_file(genome, mapper):
    reads = [(f"r{i}", GENOME["k2"][i % 3900 :][:100]) for i in range(6000)]
    Path("1.fq").write_text(fastq([*reads, ("x" * 300, GENOME["k2"][:100])]))
    assert Path("1.fq").stat().st_size > 1.1 * CHUNK_BYTES
    done = run("--reads", "1.fq", *index_for(mapper))
    assert done.exit_code == 1
    assert "1.fq: the name of a read has 300 characters ('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" in done.output


DISKS = {  # kB, and who finds the disk full
    "saved BAM": (64, ["--reads", "1.fq", "--save_bam"], "samtools sort"),
    "collated BAM": (64, ["--bam", "sorted.bam"], "samtools collate"),
    "tables": (4, ["--reads", "1.fq"], "S.mapping.tsv: cannot be written"),
}


@pytest.mark.parametrize("case", DISKS)
def test_a_full_disk_is_an_error_of_one_line(genome, tmp_path, case):
    kilobytes, given, said = DISKS[case]
    rng = random.Random(1)
    starts = rng.choices(range(3900), k=4000)
    Path("1.fq").write_text(fastq([(f"{rng.random()}", GENOME["k2"][start : start + 100]) for start in starts]))
    if "--bam" in given:
        to_bam = "minimap2 -a -x sr genome.fa 1.fq | samtools sort -o sorted.bam -"
        subprocess.run(["bash", "-c", to_bam], check=True, capture_output=True)
    index = ["--index", tmp_path / "genome.fa"] if "--reads" in given else []
    files = [tmp_path / word if Path(word).exists() else word for word in given]
    arguments = ["--sample", "S", "--contigs", tmp_path / "contigs.tsv", *files, *index]
    done = run_on_small_disk("map_reads", arguments, tmp_path / "disk", kilobytes)
    assert done.returncode not in (0, 2), done.stdout
    errors = done.stdout[done.stdout.index("Error: ") :].splitlines()
    assert said in errors[0]
    if "SIGXFSZ" not in errors[0]:
        assert len(errors) == 1 and "run again with -resume" in errors[0]
