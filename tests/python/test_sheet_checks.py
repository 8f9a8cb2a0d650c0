"""sheet_checks.py: what it says about single rows, about several rows and about both sheets."""

from functools import partial

import pytest

from user_sheets import ASSEMBLIES, ROOT, SAMPLES, TABLE_HEADER, assemblies, find_problems, only, samples


@pytest.fixture
def problems(tmp_path):
    return partial(find_problems, tmp_path)


def test_same_files_may_be_used_by_two_groups(problems):
    found = problems(samples("S1,G,a.fq,,,", "S2,H,a.fq,,,"), assemblies("A,G,gfa,c.fa,,", "B,H,gfa,c.fa,,"))
    assert found == {"input": [], "assembly_input": []}


def test_the_example_sheets_are_good(problems):
    found = problems((ROOT / "assets/samples.csv").read_text(), (ROOT / "assets/assemblies.csv").read_text())
    assert found == {"input": [], "assembly_input": []}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("S 1,G,a.fq,,,", ["sample must be", "'S 1'"]),
        ("S/1,G,a.fq,,,", ["sample must be", "'S/1'"]),
        ("..,G,a.fq,,,", ["no '..'"]),
        ("a..b,G,a.fq,,,", ["'a..b'"]),
        (".a,G,a.fq,,,", ["'.a'"]),
        ("-a,G,a.fq,,,", ["'-a'"]),
        ("$(x),G,a.fq,,,", ["'$(x)'"]),
        ("é,G,a.fq,,,", ["'é'"]),
        ("x" * 101 + ",G,a.fq,,,", ["1 to 100"]),
        ("contig,G,a.fq,,,", ["not contig or contigname"]),
        ("\x1b[2J,G,a.fq,,,", ["'\\x1b[2J'"]),
        (",G,a.fq,,,", ["sample is empty"]),
        ("S,G,a.txt,,,", ["fastq_1 must end in", ".fq.gz", "'a.txt'"]),
        ("S,G,a.fasta.gz,,,", ["fastq_1 must end in"]),
        ("S,G,*.fq,,,", ["without any of * ?", "'*.fq'"]),
        ("S,G,a.fq,b.fa,,", ["fastq_2 must end in"]),
        ("S,G,,,a.sam,", ["bam must end in .bam", "'a.sam'"]),
        ("S,G,a.fq,,,nanopore", ["platform must be illumina, ont or pacbio", "'nanopore'"]),
        ("S,G,,,,", ["neither reads nor a BAM"]),
        ("S,G,a.fq,,a.bam,", ["both reads and a BAM"]),
        ("S,G,a.fq,b.fq,a.bam,", ["both reads and a BAM"]),
        ("S,G,,b.fq,,", ["fastq_2 without fastq_1"]),
        ("S,G,a.fq,a.fq,,", ["the same file"]),
        ("S,G,x/a.fq,x/./a.fq,,", ["the same file"]),
        ("S,G,a.fq,b.fq,,ont", ["long reads", "fastq_2"]),
        ("S,G,a.fq,b.fq,,pacbio", ["long reads", "fastq_2"]),
        ("S,G,a.fq", ["3 fields where the header has 6", "commas"]),
        ("S,G,a,b.fq,,,", ["7 fields where the header has 6"]),
    ],
)
def test_bad_sample_rows(problems, row, words):
    found = problems(samples("Good,G,good.fq,,,", "", row))
    only(found["input"], 4, *words)
    assert found["assembly_input"] == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a b,G,gfa,c.fa,,", ["id must be", "'a b'"]),
        ("a~b,G,gfa,c.fa,,", ["id must be", "'a~b'"]),
        (",G,gfa,c.fa,,", ["id is empty"]),
        ("B,G,,c.fa,,", ["assembler is empty", "metaflye"]),
        ("B,G,MEGAHIT,c.fa,,", ["assembler must be", "'MEGAHIT'"]),
        ("B,G,gfa,,,", ["fasta is empty"]),
        ("B,G,gfa,c.gfa,,", ["fasta must end in", "'c.gfa'"]),
        ("B,G,gfa,c.fa.bz2,,", ["fasta must end in"]),
        ("B,G,gfa,c.fa,g.txt,", ["graph must end in", "'g.txt'"]),
        ("B,G,metaspades,c.fa,h.gfa,", ["a graph without paths", "contigs.paths"]),
        ("B,G,metaflye,c.fa,h.gfa,", ["a graph without paths", "assembly_info.txt"]),
        ("B,G,metaspades,c.fa,,h.paths", ["paths without graph"]),
        ("B,G,megahit,c.fa,h.gfa,h.paths", ["only metaspades and metaflye"]),
        ("B,G,sga,c.fa,h.gfa,", ["graph of sga", ".asqg"]),
        ("B,G,gfa,c.fa,h.fastg,", ["graph of metaspades, metaflye or gfa", "'h.fastg'"]),
        ("B,G,megahit,c.fa,h.asqg,", ["graph of megahit", "contig2fastg"]),
        ("B,G,gfa,c.fa", ["4 fields where the header has 6"]),
    ],
)
def test_bad_assembly_rows(problems, row, words):
    found = problems(SAMPLES, ASSEMBLIES + row + "\n")
    only(found["assembly_input"], 3, *words)
    assert found["input"] == []


@pytest.mark.parametrize("row", ["B,G,megahit,c.fa,h.fastg.gz,", "B,G,sga,c.fa,h.asqg.gz,", "B,G,gfa,c.fas,h.gfa.gz,"])
def test_graphs_of_each_assembler(problems, row):
    assert problems(SAMPLES, ASSEMBLIES + row + "\n")["assembly_input"] == []


@pytest.mark.parametrize("group", ["a b", "experiments", "pipeline_info", "summary.tsv", "warnings.tsv"])
def test_groups_that_cannot_be_folders_of_results(problems, group):
    found = problems(samples(f"S,{group},a.fq,,,"), assemblies(f"A,{group},gfa,c.fa,,"))
    only(found["input"], 2, "group must be", f"'{group}'")
    only(found["assembly_input"], 2, "group must be", f"'{group}'")


def test_missing_files_are_told_with_the_remedy(problems):
    found = problems(missing=["a_2.fq.gz", "g.gfa", "elsewhere.fa"])
    only(found["input"], 2, "sample 'S1': fastq_2 does not exist", "'a_2.fq.gz'", "sheet's own folder")
    only(found["assembly_input"], 2, "assembly 'A': graph does not exist", "'g.gfa'", "sheet's own folder")


def test_files_that_cannot_be_used_are_named_with_the_reason_of_their_own_sheet(tmp_path):
    reasons = {"input": {"a_1.fq.gz": "cannot be reached (no such host)", "c.fasta": "is of the other sheet"}}
    found = find_problems(tmp_path, unusable=reasons)
    only(found["input"], 2, "sample 'S1': fastq_1 cannot be reached (no such host): 'a_1.fq.gz'")
    assert found["assembly_input"] == []


@pytest.mark.parametrize("name", ["a$b.fq", "a`b.fq", "a\\b.fq", "a\tb.fq", "a\x07b.fq", "a\x7fb.fq", "a$b/c.fq"])
def test_names_that_a_shell_would_change(problems, name):
    found = problems(samples(f"S,G,{name},,,"), assemblies(f"A,G,gfa,{name}a,,"))
    only(found["input"], 2, "control characters")
    only(found["assembly_input"], 2, "control characters")


def test_ids_are_unique_over_the_whole_sheet(problems):
    found = problems(
        samples("S,G,a.fq,,,", "T,G,b.fq,,,", "S,H,c.fq,,,", "S,G,d.fq,,,"),
        assemblies("A,G,gfa,c.fa,,", "A,H,gfa,d.fa,,"),
    )
    assert [row for row, _ in found["input"]] == [4, 5]
    assert all("sample 'S' stands in row 2 already" in text for _, text in found["input"])
    only(found["assembly_input"], 3, "assembly 'A' stands in row 2 already")


@pytest.mark.parametrize("row", ["S2,G,a.fq,,,", "S2,G,./a.fq,,,", "S2,G,c.fq,x/../a.fq,,", "S2,G,b.fq,c.fq,,"])
def test_the_same_reads_for_two_samples_of_a_group(problems, row):
    found = problems(samples("S1,G,a.fq,b.fq,,", row))
    only(found["input"], 3, "is used in row 2 already")


def test_the_same_bam_or_contigs_twice_in_a_group(problems):
    found = problems(
        samples("S1,G,,,x.bam,", "S2,G,,,x.bam,"),
        assemblies("A,G,gfa,c.fa,,", "B,G,gfa,c.fa,g.gfa,", "C,G,gfa,d.fa,g.gfa,"),
    )
    only(found["input"], 3, "bam 'x.bam' is used in row 2 already")
    assert [(row, text.split(" is used")[0]) for row, text in found["assembly_input"]] == [
        (3, "fasta 'c.fa'"),
        (4, "graph 'g.gfa'"),
    ]


def test_groups_that_one_sheet_lacks(problems):
    found = problems(
        samples("S,G,a.fq,,,", "T,H,b.fq,,,", "U,H,c.fq,,,"), assemblies("A,G,gfa,c.fa,,", "B,I,gfa,d.fa,,")
    )
    only(found["input"], 3, "group 'H' (rows 3, 4) has no assembly", "assembly sheet")
    only(found["assembly_input"], 3, "group 'I' has no sample", "sample sheet", "abundance table")


def test_without_a_sample_sheet_the_remedy_names_its_option(problems):
    found = problems(None)
    only(found["assembly_input"], 2, "group 'G' has no sample", "--input")
    assert "input" not in found


def test_a_group_has_samples_or_one_table(problems):
    both = problems(SAMPLES, assemblies("A,G,gfa,c.fa,,,t.tsv", header=TABLE_HEADER))
    only(
        both["assembly_input"],
        2,
        "abundance table",
        "samples of group 'G' (rows 2, 3)",
        "keep the table or the samples",
    )
    rows = "A,G,gfa,c.fa,,,t.tsv", "B,G,gfa,d.fa,,,u.tsv", "C,H,gfa,e.fa,,,u.tsv"
    two = problems(None, assemblies(*rows, header=TABLE_HEADER))
    only(two["assembly_input"], 3, "group 'G' has another abundance table in row 2")


BINS_HEADER = TABLE_HEADER + ",bins"


def test_all_assemblies_of_a_group_have_bins_or_none(problems):
    rows = ["A,G,gfa,a.fa,,,,a.tsv", "B,G,gfa,b.fa,,,,", "C,H,gfa,c.fa,,,,"]
    found = problems(samples("S1,G,a.fq,,,", "S2,H,a.fq,,,"), assemblies(*rows, header=BINS_HEADER))
    only(found["assembly_input"], 3, "has no bins, but row 2 of group 'G' has", "of every assembly of the group")


@pytest.mark.parametrize("bins", ["a.tsv", "my bins", "../x/bins.tsv.gz", "a.tsv;b", "s3://a/b/contig2bin.tsv"])
def test_bins_are_tables_or_folders(problems, bins):
    found = problems(samples("S1,G,a.fq,,,"), assemblies(f"A,G,gfa,a.fa,,,,{bins}", header=BINS_HEADER))
    assert found["assembly_input"] == []


@pytest.mark.parametrize("bins", ["*.tsv", "a.tsv;", ";", "a$b"])
def test_bins_that_are_no_paths(problems, bins):
    found = problems(samples("S1,G,a.fq,,,"), assemblies(f"A,G,gfa,a.fa,,,,{bins}", header=BINS_HEADER))
    only(found["assembly_input"], 2, "bins must be the path of a table or of a folder of FASTA")


def test_bins_of_a_group_may_be_one_file(problems):
    """Binloom's own contig2bin.tsv has the bins of all assemblies of a group."""
    rows = ["A,G,gfa,a.fa,,,,c.tsv", "B,G,gfa,b.fa,,,,c.tsv"]
    found = problems(samples("S1,G,a.fq,,,"), assemblies(*rows, header=BINS_HEADER))
    assert found["assembly_input"] == []
