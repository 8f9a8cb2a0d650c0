"""validate.py: what comes out for good sheets, the one message for all problems, and that nothing is a traceback."""

import json
import re
import stat
from pathlib import Path

import pytest

import validate
from sheets import Problem
from user_sheets import ASSEMBLIES, ROOT, SAMPLES, TABLE_HEADER, assemblies, call_validate, run_validate, samples


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return run_validate


def test_rows_come_out_sorted_with_null_and_default(run):
    done = run(SAMPLES.replace("S1", "Z"), ASSEMBLIES)
    assert (done.exit_code, done.text) == (0, "")
    reads = {"fastq_1": "a_1.fq.gz", "fastq_2": "a_2.fq.gz"}
    assert done.rows == {
        "samples": [
            {"sample": "S2", "group": "G", "fastq_1": None, "fastq_2": None, "bam": "b.bam", "platform": "illumina"},
            {"sample": "Z", "group": "G", **reads, "bam": None, "platform": "illumina"},
        ],
        "assemblies": [
            {"id": "A", "group": "G", "assembler": "metaspades", "fasta": "c.fasta", "graph": "g.gfa",
             "paths": "contigs.paths", "abundance": None, "bins": None},
        ],
    }  # fmt: skip


def test_spreadsheet_habits_change_nothing(run):
    plain = run().rows
    marked = "\ufeff" + SAMPLES.replace("\n", "\r\n").replace("S1", ' "S1" ') + "\r\n,,,,,\r\n  \r\n"
    assert run(marked.encode(), ASSEMBLIES.rstrip("\n")).rows == plain
    reordered = "platform, bam ,group,sample,fastq_2,fastq_1\n,,G,S1,a_2.fq.gz,a_1.fq.gz\n,b.bam,G,S2,,\n"
    assert run(reordered, ASSEMBLIES.replace("\n", "\r")).rows == plain


def test_a_quoted_path_may_hold_a_comma_and_spaces(run):
    done = run(samples('S1,G,"my reads/a, b.fq",,,'))
    assert done.rows["samples"][0]["fastq_1"] == "my reads/a, b.fq"


@pytest.mark.parametrize("name", ["NA", "001", "nan", "1e5", "None", "true", "_x", "a.b-c_d"])
def test_ids_stay_what_they_are(run, name):
    done = run(samples(f"{name},{name},a.fq,,,"), assemblies(f"{name},{name},gfa,c.fa,,"))
    assert [(row["sample"], row["group"]) for row in done.rows["samples"]] == [(name, name)]
    assert [(row["id"], row["group"]) for row in done.rows["assemblies"]] == [(name, name)]


def test_columns_that_need_not_be_there(run):
    done = run("sample,group,bam\nS,G,s.bam\n", "id,group,assembler,fasta\nA,G,megahit,c.fna.gz\n")
    assert done.rows["samples"] == [
        {"sample": "S", "group": "G", "fastq_1": None, "fastq_2": None, "bam": "s.bam", "platform": "illumina"}
    ]
    assert done.rows["assemblies"][0]["graph"] is None


def test_input_may_be_absent_if_every_group_has_a_table(run):
    done = run(None, assemblies("A,G,gfa,c.fa,,,t.tsv", "B,G,gfa,d.fa,,,", header=TABLE_HEADER))
    assert done.text == ""
    assert done.rows["samples"] == []
    assert [row["abundance"] for row in done.rows["assemblies"]] == ["t.tsv", None]


def test_everything_comes_in_one_message_sorted_by_row(run):
    done = run(
        samples("S 1,G,a.fq,,,", "S2,H,b.fq,,,", "S2,G,c.fq,,x.bam,"),
        assemblies("A,G,gfa,c.fa,,p", "A,I,gfa,d.txt,,"),
        params={"epochs": 0},
        missing=["c.fa"],
    )
    assert done.exit_code == 0 and done.rows is None
    lines = done.text.splitlines()
    assert lines[0].startswith("Nothing was started: 10 problems")
    assert "--input my/samples.csv" in lines and "--assembly_input my/assemblies.csv" in lines
    split = lines.index("--assembly_input my/assemblies.csv")
    assert re.findall(r"^  row (\d+):", "\n".join(lines[:split]), re.M) == ["2", "3", "4", "4"]
    assert re.findall(r"^  row (\d+):", "\n".join(lines[split:]), re.M) == ["2", "2", "3", "3", "3"]
    assert done.text in done.stderr


def test_a_second_run_with_problems_leaves_no_rows_of_the_first(run):
    assert run().rows is not None
    assert run(params={"epochs": 0}).rows is None


def test_a_sheet_that_was_named_but_not_found(run):
    done = run(None, params={"input": "gone.csv"})
    assert "has no sample" in done.text  # params alone do not make a sheet: sheet_names do
    request = json.loads(Path("request.json").read_text())
    request["sheet_names"]["input"] = "gone.csv"
    Path("request.json").write_text(json.dumps(request))
    done = call_validate("--assembly_input", "assembly_input.csv")
    assert done.exit_code == 0 and done.rows is None
    remedy = "does not exist or cannot be read: give the path of a CSV file"
    assert done.text.splitlines()[2:] == ["--input gone.csv", f"  {remedy}"]
    request["unusable"]["input"] = {"gone.csv": "cannot be reached (no credentials)"}
    Path("request.json").write_text(json.dumps(request))
    done = call_validate("--assembly_input", "assembly_input.csv")
    assert done.text.splitlines()[2:] == ["--input gone.csv", "  cannot be reached (no credentials)"]


def test_ten_thousand_bad_rows_give_a_short_message(run):
    done = run(samples(*(f"S {i},G,{i}.txt,,," for i in range(10000))), ASSEMBLIES + "B,H,gfa,c.fa,,\n")
    lines = done.text.splitlines()
    assert len(lines) == 1 + 1 + 1 + validate.SHOWN_PROBLEMS + 1 + 1 + 1 + 1
    assert lines[0].startswith("Nothing was started: 20001 problems")
    assert "  ... and 19970 more problems in this sheet" in lines
    assert lines[-1].startswith("  row 3: group 'H' has no sample")


def test_the_row_after_the_last_shown_problem_is_counted_as_one():
    problems = [Problem(row, "x") for row in range(2, validate.SHOWN_PROBLEMS + 3)]
    assert validate.sheet_lines(problems)[-1] == "... and 1 more problem in this sheet"
    assert validate.sheet_lines(problems[:-1])[-1] == f"row {validate.SHOWN_PROBLEMS + 1}: x"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"params": {}}', "\x00"])
def test_a_request_that_cannot_be_used_is_the_only_failure(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    Path("request.json").write_text(content)
    done = call_validate()
    assert done.exit_code == 1
    assert "request.json" in done.stderr and "Traceback" not in done.stderr
    assert not Path("problems.txt").exists()


def test_the_script_is_executable():
    assert (ROOT / "bin/validate.py").stat().st_mode & stat.S_IXUSR


GIVEN = "id,group,assembler,fasta,graph,paths,bins\nA,G,gfa,c.fasta,,,"


@pytest.mark.parametrize("on", [True, "true"])
def test_an_ensemble_needs_given_bins(run, on):
    needs_bins = "  --ensemble needs given bins: name them in the column bins of the assembly sheet"
    assert needs_bins in run(params={"ensemble": on}).text.splitlines()
    assert run(params={"ensemble": on}, assemblies=GIVEN + "b.tsv\n").text == ""
    assert run(params={"ensemble": False}).text == ""


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ("gfa,c.fasta,g.gfa,,", ["graph"]),
        ("gfa,c.fasta,,,b.tsv", ["bins"]),
        ("metaflye,c.fasta,g.gfa,p.txt,", ["graph", "paths"]),
        ("gfa,c.fasta,,,", []),
    ],
)
def test_genes_have_no_graph_no_paths_and_no_bins(run, row, columns):
    sheet = f"id,group,assembler,fasta,graph,paths,bins\nA,G,{row}\n"
    found = run(params={"catalogue_type": "genes"}, assemblies=sheet).text
    assert run(assemblies=sheet).text == ""
    said = [line.strip() for line in found.splitlines() if "genes have no" in line]
    assert said == [
        f"row 2: assembly 'A': genes have no {column}: empty the column {column}, or leave out --catalogue_type genes"
        for column in columns
    ]
    assert bool(found) == bool(columns)


def test_a_group_may_have_several_gene_catalogues(run):
    rows = "id,group,assembler,fasta,graph,paths\nA,G,gfa,a.fasta,,\nB,G,megahit,b.fasta,,\n"
    done = run(params={"catalogue_type": "genes"}, assemblies=rows)
    assert done.text == "" and [row["id"] for row in done.rows["assemblies"]] == ["A", "B"]


@pytest.mark.parametrize("on", [True, "true"])
def test_an_ensemble_of_genes_is_one_problem(run, on):
    lines = run(params={"catalogue_type": "genes", "ensemble": on}).text.splitlines()
    assert [line for line in lines if "ensemble" in line] == [
        "  --catalogue_type genes makes no bins: leave out --ensemble"
    ]


@pytest.mark.parametrize(
    ("start", "ensemble", "remedy"),
    [
        ("counts", False, ""),
        ("features", True, ""),
        ("latent", True, ""),
        ("latent", False, "start at features"),
        ("clusters", False, "start at features"),
        ("clusters", True, "start at latent"),
    ],
)
def test_given_bins_and_the_clusters_of_a_former_run_exclude_each_other(run, start, ensemble, remedy):
    params = {"former_results": "old", "start_at": start, "ensemble": ensemble}
    text = run(params=params, assemblies=GIVEN + "b.tsv\n").text
    assert remedy in text if remedy else text == ""
    if remedy:
        assert f"  --start_at {start}: group 'G' has bins in the assembly sheet" in text
        assert run(params=params | {"ensemble": False}).text == ""


@pytest.mark.parametrize("option", validate.FILE_PARAMETERS)
def test_files_that_cannot_be_used_are_a_problem_of_their_parameter(run, option):
    run(samples("S1,G,a.fastq.gz,,,"), ASSEMBLIES)
    request = json.loads(Path("request.json").read_text())
    request["unusable"][option] = {"gone": "does not exist"}
    Path("request.json").write_text(json.dumps(request))
    done = call_validate("--assembly_input", "assembly_input.csv")
    assert f"  --{option} gone does not exist" in done.text.splitlines()
