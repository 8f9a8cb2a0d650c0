"""bins.py: every contig is published once or with a reason; sizes, numbers and FASTA by hand."""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import bins
from random_contigs import sequence
from small_disk import run_on_small_disk

READ = {"sep": "\t", "dtype": str, "keep_default_na": False, "quoting": 3}


def write_inputs(folder: Path, contigs, clusters, excluded=None, coverage=None, refined=None):
    """contigs: (catalogue name, assembly, name, sequence); clusters: {contig: cluster};
    refined: {assembly: [(contig, initial, [labels])]}. Returns the arguments of bins.py."""
    by_name = {c[0]: c for c in contigs}
    rows = ["contig\tassembly\tname\tlength", *(f"{c}\t{a}\t{n}\t{len(s)}" for c, a, n, s in contigs)]
    (folder / "contigs.tsv").write_text("\n".join(rows) + "\n")
    with gzip.open(folder / "catalogue.fa.gz", "wt") as handle:
        handle.writelines(f">{c}\n{s}\n" for c, _, _, s in contigs)
    rows = [f"{x}\t{c}\t{by_name[c][1]}\t{by_name[c][2]}" for c, x in clusters.items()]
    (folder / "clusters.tsv").write_text("\n".join(["cluster\tcontig\tassembly\tname", *rows]) + "\n")
    rows = [f"{c}\t{why}" for c, why in (excluded or {}).items()]
    (folder / "excluded.tsv").write_text("\n".join(["contig\treason", *rows]) + "\n")
    coverage = coverage or {c[0]: (1.0,) for c in contigs}
    header = "\t".join(["contig", *(f"S{i}" for i in range(len(next(iter(coverage.values())))))])
    rows = ["\t".join([c, *map(str, values)]) for c, values in coverage.items()]
    (folder / "coverage.tsv.gz").write_bytes(gzip.compress(("\n".join([header, *rows]) + "\n").encode()))
    arguments = []
    for name, file in (("catalogue", "catalogue.fa.gz"), ("contigs", "contigs.tsv"), ("clusters", "clusters.tsv"),
                       ("excluded", "excluded.tsv"), ("coverage", "coverage.tsv.gz")):  # fmt: skip
        arguments += [f"--{name}", str(folder / file)]
    for assembly, steps in (refined or {}).items():
        rows = [f"{c}\t{label}" for c, _, labels in steps for label in labels]
        (folder / f"{assembly}.contig2bin.tsv").write_text("\n".join(["contig\tbin", *rows]) + "\n")
        rows = [
            f"{c}\t{assembly}\t{initial}\t{','.join(labels)}\t{'removed' if initial and not labels else 'kept'}"
            for c, initial, labels in steps
        ]
        text = "\n".join(["contig\tassembly\tinitial\tfinal\treason", *rows]) + "\n"
        (folder / f"{assembly}.refinement.tsv").write_text(text)
        arguments += ["--refined", *(str(folder / f"{assembly}.{t}.tsv") for t in ("contig2bin", "refinement"))]
    return arguments


def run_bins(folder: Path, arguments, min_bin_size: int):
    """Result, tables by name, and {bin: {sequence id: sequence}} of the FASTA files."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    here = os.getcwd()
    os.chdir(out)
    try:
        command = [*arguments, "--min_bin_size", str(min_bin_size)]
        result = CliRunner().invoke(bins.main, command, catch_exceptions=False)
    finally:
        os.chdir(here)
    if result.exit_code:
        return result, {}, {}
    tables = {name: pd.read_csv(out / f"{name}.tsv", **READ) for name in ("contig2bin", "bins", "unbinned")}
    fasta = {}
    for file in (out / "bins").iterdir():
        with pysam.FastxFile(str(file)) as records:
            fasta[file.name.removesuffix(".fa.gz")] = {r.name: r.sequence for r in records}
    return result, tables, fasta


CONTIGS = [
    ("A1~c1", "A1", "c1", "ACGT" * 10),
    ("A1~c2", "A1", "c2", "GGCC" * 20),
    ("A1~c3", "A1", "c3", "AATT" * 15),
    ("A1~NA", "A1", "NA", "N" * 20),
    ("A1~c5", "A1", "c5", "A" * 30),
    ("A2~c1", "A2", "c1", "GATTACA" * 10),
    ("A2~x2", "A2", "x2", "CG" * 8),
    ("A2~x3", "A2", "x3", "TTTT"),
]
CLUSTERS = {"A1~c1": "1", "A1~c2": "2", "A1~c3": "1", "A2~c1": "1", "A2~x2": "2"}
EXCLUDED = {"A1~NA": "no_tetranucleotide", "A2~x3": "short"}


def test_clusters_are_cut_by_assembly(tmp_path):
    coverage = {c[0]: (1.0, 0.0) for c in CONTIGS} | {"A1~c1": (10.0, 3.0), "A1~c3": (5.0, 0.5)}
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED, coverage)
    _, tables, fasta = run_bins(tmp_path, arguments, 60)
    assert fasta == {
        "A1.001": {"c1": "ACGT" * 10, "c3": "AATT" * 15},
        "A1.002": {"c2": "GGCC" * 20},
        "A2.001": {"c1": "GATTACA" * 10},
    }
    assert tables["contig2bin"].to_csv(sep="\t", index=False) == (
        "assembly\tcontig\tbin\nA1\tc1\tA1.001\nA1\tc3\tA1.001\nA1\tc2\tA1.002\nA2\tc1\tA2.001\n"
    )
    rows = tables["bins"].set_index("bin")
    assert list(rows.index) == ["A1.001", "A1.002", "A2.001"]
    first = rows.loc["A1.001"]
    assert (first["cluster"], first["size"], first["contigs"], first["n50"]) == ("1", "100", "2", "60")
    assert float(first["gc"]) == pytest.approx(20 / 100)
    assert float(first["coverage_S0"]) == pytest.approx((10 * 40 + 5 * 60) / 100)
    assert float(first["coverage_S1"]) == pytest.approx((3 * 40 + 0.5 * 60) / 100)
    assert float(rows.loc["A2.001", "gc"]) == pytest.approx(2 / 7, abs=1e-6)
    assert set(rows["refined"]) == {"false"}
    assert [tuple(r) for r in tables["unbinned"].to_numpy()] == [
        ("A1", "NA", "20", "", "no_tetranucleotide"),
        ("A1", "c5", "30", "", "unclustered"),
        ("A2", "x2", "16", "2", "small_bin"),
        ("A2", "x3", "4", "", "short"),
    ]


def test_refined_assembly_takes_the_place_of_its_clusters(tmp_path):
    """c2 is in two bins, c3 lost its label, NA came in by the graph; A2 is cut as it is."""
    steps = [
        ("A1~c1", "1", ["1"]),
        ("A1~c2", "2", ["2", "1"]),
        ("A1~c3", "1", []),
        ("A1~NA", "", ["2"]),
        ("A1~c5", "", ["8"]),
    ]
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED, refined={"A1": steps})
    _, tables, fasta = run_bins(tmp_path, arguments, 60)
    assert fasta["A1.001"] == {"c1": "ACGT" * 10, "c2": "GGCC" * 20}
    assert fasta["A1.002"] == {"c2": "GGCC" * 20, "NA": "N" * 20}
    assert fasta["A2.001"] == {"c1": "GATTACA" * 10}
    rows = tables["bins"].set_index("bin")
    assert list(rows["size"]) == ["120", "100", "70"] and list(rows["cluster"]) == ["1", "2", "1"]
    assert list(rows["multi_labelled"]) == ["1", "1", "0"] and list(rows["refined"]) == ["true", "true", "false"]
    assert float(rows.loc["A1.002", "gc"]) == 1.0  # of unambiguous bases
    reasons = {(r["assembly"], r["contig"]): (r["cluster"], r["reason"]) for r in tables["unbinned"].to_dict("records")}
    assert reasons == {
        ("A1", "c3"): ("1", "removed"),
        ("A1", "c5"): ("8", "small_bin"),
        ("A2", "x2"): ("2", "small_bin"),
        ("A2", "x3"): ("", "short"),
    }


@pytest.mark.parametrize(
    ("c3", "expected"),
    [(["1"], {"A1.001": (4 * 40 + 6 * 60) / 100, "A1.002": 2.0}), (["1", "2"], {"A1.001": 4.0, "A1.002": 2.0})],
)
def test_contigs_of_several_bins_do_not_count_for_coverages(tmp_path, c3, expected):
    """c2 is in both bins, and has the coverage of both together; c3 is in one or in both."""
    steps = [("A1~c1", "1", ["1"]), ("A1~c2", "2", ["2", "1"]), ("A1~c3", "1", c3), ("A1~NA", "", ["2"])]
    coverage = {c[0]: (1.0,) for c in CONTIGS} | {"A1~c1": (4.0,), "A1~c2": (6.0,), "A1~c3": (6.0,), "A1~NA": (2.0,)}
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED, coverage, refined={"A1": steps})
    _, tables, _ = run_bins(tmp_path, arguments, 60)
    found = tables["bins"].set_index("bin")["coverage_S0"].astype(float)
    assert found.loc[list(expected)].to_dict() == pytest.approx(expected)


def test_a_bin_whose_contigs_are_all_in_others_has_their_coverage(tmp_path):
    steps = [("A1~c1", "1", ["1"]), ("A1~c2", "2", ["1", "2"]), ("A1~c3", "1", ["1"])]
    coverage = {c[0]: (1.0,) for c in CONTIGS} | {"A1~c2": (6.0,)}
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED, coverage, refined={"A1": steps})
    _, tables, _ = run_bins(tmp_path, arguments, 60)
    assert sorted(tables["bins"]["coverage_S0"].astype(float)) == [1.0, 1.0, 6.0]


def test_bins_of_one_genome_are_called_after_the_largest(tmp_path):
    """Genome 4 has a bin in each assembly, and 7 one in A1 alone; the bin of A2 was transferred."""
    steps = {
        "A1": [("A1~c1", "1", ["1"]), ("A1~c2", "2", ["2"])],
        "A2": [("A2~c1", "", ["2_t"]), ("A2~x2", "", ["2_t"])],
    }
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED, refined=steps)
    rows = [(7, "A1", "1", "false"), (4, "A1", "2", "false"), (4, "A2", "2_t", "true")]
    header = "genome\tassembly\tcluster\ttransferred\n"
    given = tmp_path / "same_genomes.tsv"
    given.write_text(header + "".join("\t".join(map(str, row)) + "\n" for row in rows))
    _, tables, _ = run_bins(tmp_path, [*arguments, "--same_genomes", str(given)], 40)
    assert tables["bins"].set_index("bin")["transferred"].to_dict() == {
        "A1.001": "false", "A1.002": "false", "A2.001": "true",
    }  # fmt: skip
    genomes = pd.read_csv(tmp_path / "out/genomes.tsv", **READ)
    assert genomes.to_csv(sep="\t", index=False) == (
        "genome\tbin\tassembly\trepresentative\tsize\tcontigs\tn50\ttransferred\n"
        "A2.001\tA2.001\tA2\ttrue\t86\t2\t70\ttrue\n"
        "A2.001\tA1.001\tA1\tfalse\t80\t1\t80\tfalse\n"
        "A1.002\tA1.002\tA1\ttrue\t40\t1\t40\tfalse\n"
    )


def test_a_genome_is_represented_by_its_most_complete_bin(tmp_path):
    """The smaller bin has all families, the larger one has half of them; of two bins without any, it is the larger."""
    contigs = [(f"A{n}~c", f"A{n}", "c", "ACGT" * (20_000 + n)) for n in range(4)]
    steps = {f"A{n}": [(f"A{n}~c", "1", ["1"])] for n in range(4)}
    given = write_inputs(tmp_path, contigs, {c[0]: "1" for c in contigs}, refined=steps)
    for n, families in enumerate((FAMILIES, FAMILIES[:10], [], [])):
        given += write_markers(tmp_path, f"A{n}", [(f"A{n}~c", family) for family in families], FAMILIES)
    rows = "".join(f"{n // 2}\tA{n}\t1\tfalse\n" for n in range(4))
    (tmp_path / "same_genomes.tsv").write_text(f"genome\tassembly\tcluster\ttransferred\n{rows}")
    run_bins(tmp_path, [*given, "--same_genomes", str(tmp_path / "same_genomes.tsv")], 0)
    genomes = pd.read_csv(tmp_path / "out/genomes.tsv", **READ)
    assert list(zip(genomes["genome"], genomes["bin"])) == [
        ("A0.001", "A0.001"), ("A0.001", "A1.001"), ("A3.001", "A3.001"), ("A3.001", "A2.001"),
    ]  # fmt: skip


def test_bin_without_a_genome_is_refused(tmp_path):
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED, refined={"A1": [("A1~c1", "1", ["1"])]})
    given = tmp_path / "same_genomes.tsv"
    given.write_text("genome\tassembly\tcluster\ttransferred\n1\tA1\t2\tfalse\n")
    result, _, _ = run_bins(tmp_path, [*arguments, "--same_genomes", str(given)], 40)
    assert result.exit_code == 1 and "has no row for assembly 'A1', cluster '1'" in result.output


def test_equal_sizes_are_numbered_by_first_contig(tmp_path):
    contigs = [(n, "A", n, "ACGT") for n in ("z", "a", "m", "b")]
    arguments = write_inputs(tmp_path, contigs, {"b": "1", "z": "2", "a": "3", "m": "2"})
    _, tables, _ = run_bins(tmp_path, arguments, 1)
    assert list(tables["bins"]["cluster"]) == ["2", "3", "1"]


def test_many_bins_widen_the_number_and_need_no_open_files(tmp_path, monkeypatch):
    """1,001 bins, flushed after every few contigs: the members of each file add up."""
    monkeypatch.setattr(bins, "MAX_BUFFERED_BP", 50)
    contigs = [(f"c{i}", "A", f"c{i}", "ACGT" * (1 + i % 3)) for i in range(2002)]
    arguments = write_inputs(tmp_path, contigs, {c[0]: str(i % 1001 + 1) for i, c in enumerate(contigs)})
    _, tables, fasta = run_bins(tmp_path, arguments, 1)
    assert len(fasta) == 1001 and {"A.0001", "A.1001"} <= set(fasta)
    sequence = {c[2]: c[3] for c in contigs}
    for row in tables["bins"].to_dict("records"):
        records = fasta[row["bin"]]
        assert len(records) == 2 and sum(map(len, records.values())) == int(row["size"])
        assert all(sequence[name] == found for name, found in records.items())
    sizes = tables["bins"]["size"].astype(int)
    assert (sizes.diff().dropna() <= 0).all()


@pytest.mark.parametrize("clusters", [{}, {"A1~c1": "1"}])
def test_no_bin_at_all(tmp_path, clusters):
    arguments = write_inputs(tmp_path, CONTIGS, clusters, EXCLUDED)
    result, tables, fasta = run_bins(tmp_path, arguments, 1000)
    assert result.exit_code == 0 and fasta == {}
    assert list(tables["contig2bin"].columns) == ["assembly", "contig", "bin"] and tables["contig2bin"].empty
    assert list(tables["bins"].columns) == [
        "bin", "assembly", "cluster", "size", "contigs", "n50", "gc", "multi_labelled", "refined", "transferred",
        "coverage_S0",
    ]  # fmt: skip
    assert tables["bins"].empty and len(tables["unbinned"]) == len(CONTIGS)


def test_byte_identical(tmp_path):
    made = []
    for run in ("one", "two"):
        folder = tmp_path / run
        folder.mkdir()
        run_bins(folder, write_inputs(folder, CONTIGS, CLUSTERS, EXCLUDED), 60)
        made.append({f.relative_to(folder): f.read_bytes() for f in (folder / "out").rglob("*") if f.is_file()})
    assert made[0] == made[1] and len(made[0]) == 12
    assert all(raw[4:8] == bytes(4) for name, raw in made[0].items() if name.suffix == ".gz")  # no time stamp


@st.composite
def groups(draw):
    n = draw(st.integers(1, 12))
    contigs, clusters, excluded = [], {}, {}
    steps: dict[str, list] = {"A2": []}
    for i in range(n):
        assembly = draw(st.sampled_from(["A1", "A2"]))
        contig = f"{assembly}~c{i}"
        contigs.append((contig, assembly, f"c{i}", "ACGT" * draw(st.integers(1, 4))))
        cluster = draw(st.sampled_from(["", "1", "2", "3"]))
        if cluster:
            clusters[contig] = cluster
        elif draw(st.booleans()):
            excluded[contig] = "short"
        if assembly == "A2":
            labels = draw(st.lists(st.sampled_from(["1", "2", "3"]), unique=True, max_size=3))
            steps["A2"].append((contig, cluster, labels))
    return sorted(contigs, key=lambda c: c[1]), clusters, excluded, steps, draw(st.integers(0, 40))


@settings(max_examples=60)
@given(groups())
def test_no_contig_is_lost(tmp_path_factory, group):
    contigs, clusters, excluded, steps, floor = group
    refined = steps if steps["A2"] else None
    folder = tmp_path_factory.mktemp("bins")
    _, tables, fasta = run_bins(folder, write_inputs(folder, contigs, clusters, excluded, refined=refined), floor)
    published = {(r["assembly"], r["contig"]) for r in tables["contig2bin"].to_dict("records")}
    left = {(r["assembly"], r["contig"]) for r in tables["unbinned"].to_dict("records")}
    assert published.isdisjoint(left) and published | left == {(c[1], c[2]) for c in contigs}
    # by hand: which contigs make up each (assembly, cluster)
    members: dict[tuple[str, str], set[str]] = {}
    labels_of = {contig: labels for contig, _, labels in steps["A2"]}
    for contig, assembly, name, _ in contigs:
        for label in labels_of.get(contig, [clusters[contig]] if contig in clusters and assembly == "A1" else []):
            members.setdefault((assembly, label), set()).add(name)
    sequence = {(c[1], c[2]): c[3] for c in contigs}
    expected = {
        key: names for key, names in members.items() if sum(len(sequence[key[0], name]) for name in names) >= floor
    }
    table = tables["bins"].set_index("bin")
    assert {(table.loc[b, "assembly"], table.loc[b, "cluster"]): set(f) for b, f in fasta.items()} == expected
    for name, records in fasta.items():
        assert all(sequence[table.loc[name, "assembly"], contig] == s for contig, s in records.items())


def test_n50():
    assert bins.n50(np.array([2, 2, 2, 3, 3, 4, 8, 8])) == 8
    assert bins.n50(np.array([1, 1, 1, 1])) == 1
    assert bins.n50(np.array([5, 3, 2])) == 5


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "contigs.tsv",
            ("c3\t60", "c3\t61"),
            "'A1~c3' of 60 bp stands where {}/contigs.tsv has contig 'A1~c3' of 61 bp",
        ),
        ("contigs.tsv", ("A2~x2\tA2\tx2\t16\n", ""), "'A2~x2' is not in contigs.tsv"),
        ("contigs.tsv", ("A1~c5\tA1\tc5\t30\n", ""), "'A1~c5' is not in contigs.tsv"),
        ("contigs.tsv", ("A2~x3\tA2\tx3\t4\n", "A2~x3\tA2\tx3\t4\nq\tA2\tq\t4\n"), "'q'"),
        ("clusters.tsv", ("A1~c2", "A1~zz"), "'A1~zz' is not in"),
        ("clusters.tsv", ("cluster\t", "bin\t"), "no column cluster"),
        ("clusters.tsv", ("c2\tA1\t", "c2\tA2\t"), "(contig 'A1~c2'): is not of assembly 'A2', but of 'A1'"),
        ("excluded.tsv", ("A2~x3", "A2~zz"), "'A2~zz' is not in contigs.tsv"),
        ("excluded.tsv", ("short", "dull"), "'dull' in column reason"),
        ("A1.refinement.tsv", ("A1\t", "A9\t"), "is not of assembly 'A9', but of 'A1' in contigs.tsv"),
        ("A1.refinement.tsv", ("A1~c2\tA1", "A1~c2\tA2"), "holds the assemblies 'A1', 'A2'"),
        ("A1.refinement.tsv", ("A1~c2", "A1~c9"), "'A1~c9' is not in contigs.tsv"),
        ("A1.contig2bin.tsv", ("A1~c2", "A1~c3"), "'A1~c3' is not in"),
        ("A1.contig2bin.tsv", ("A1~c2\t2", "A1~c1\t1"), "(contig 'A1~c1', bin '1'): stands in the table twice"),
    ],
)
def test_bad_inputs(tmp_path, file, change, message):
    steps = {"A1": [("A1~c1", "1", ["1"]), ("A1~c2", "2", ["2"])]}
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED, refined=steps)
    text = (tmp_path / file).read_text()
    assert change[0] in text
    (tmp_path / file).write_text(text.replace(*change))
    result, _, _ = run_bins(tmp_path, arguments, 60)
    assert result.exit_code == 1 and message.format(tmp_path) in result.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.splitlines()[0] + "\n",
            "A1.refinement.tsv: holds no contig; give the refinement.tsv of one",
        ),
        (lambda text: text, "A1.refinement.tsv: assembly 'A1' is given twice"),
    ],
)
def test_a_refinement_is_about_one_assembly_and_given_once(tmp_path, change, message):
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED, refined={"A1": [("A1~c1", "1", ["1"])]})
    path = tmp_path / "A1.refinement.tsv"
    path.write_text(change(path.read_text()))
    result, _, _ = run_bins(tmp_path, [*arguments, *arguments[-3:]], 60)
    assert result.exit_code == 1 and message in result.output


def test_old_bins_are_not_mixed_in(tmp_path):
    arguments = write_inputs(tmp_path, CONTIGS, CLUSTERS, EXCLUDED)
    run_bins(tmp_path, arguments, 60)
    result, _, _ = run_bins(tmp_path, arguments, 60)
    assert result.exit_code == 1 and "not empty" in result.output


def test_where_no_bin_is_large_enough_a_warning_says_which_size_would_leave_how_many(tmp_path):
    contigs = [(f"c{i}", "A", f"c{i}", "ACGT" * n) for i, n in enumerate((900, 700, 300, 2))]
    arguments = write_inputs(tmp_path, contigs, {"c0": "1", "c1": "2", "c2": "3", "c3": "3"})
    result = run_bins(tmp_path, arguments, 200_000)[0]
    assert result.exit_code == 0, result.output
    advice = "the largest has 3600 bp: --min_bin_size 2000 would leave 2, 1000 would leave 3, 500 would leave 3"
    assert f"WARNING: no bin has --min_bin_size 200000 bp, so none is written; {advice}" in result.output
    (tmp_path / "lower").mkdir()
    result = run_bins(tmp_path / "lower", arguments, 2000)[0]
    assert result.exit_code == 0 and "WARNING" not in result.output


def test_where_no_contig_is_clustered_there_is_a_warning(tmp_path):
    arguments = write_inputs(tmp_path, [("c", "A", "c", "ACGT")], {}, {"c": "short"})
    result = run_bins(tmp_path, arguments, 0)[0]
    assert result.exit_code == 0 and "WARNING: no contig is in a cluster" in result.output


def test_a_full_disk_is_an_error_of_one_line(tmp_path):
    contigs = [("c1", "A", "c1", sequence(1, 200_000))]
    arguments = write_inputs(tmp_path, contigs, {"c1": "1"}, {})
    done = run_on_small_disk("bins", arguments, tmp_path / "disk", 64)
    assert done.returncode == 1
    assert done.stdout.startswith("Error: bins/A.001.fa: cannot be written (")
    assert done.stdout.count("\n") == 1 and "free space in the work folder" in done.stdout


def write_markers(folder: Path, assembly: str, genes: list[tuple[str, str]], families: list[str]) -> list[str]:
    """The tables of markers.py for genes (contig, family); returns the arguments of bins.py."""
    markers, known = (folder / f"{assembly}.{name}" for name in ("markers.tsv", "marker_families.tsv"))
    rows = [f"{contig}\t{family}\t{i + 1}\t{i + 9}\t99\t1\tfalse\n" for i, (contig, family) in enumerate(genes)]
    markers.write_text("contig\tfamily\tstart\tend\tscore\tcovered\tcut\n" + "".join(rows))
    known.write_text("family\tbacteria\tarchaea\n" + "".join(f"{family}\t1\t1\n" for family in families))
    return ["--markers", str(markers), str(known)]


FAMILIES = [f"F{i}" for i in range(20)]
RATED = ("markers_found", "completeness", "contamination", "quality")


def test_marker_genes_rate_the_bins(tmp_path):
    """Those of both assemblies: a bin with 15 families once, and one with all and two of them twice."""
    contigs = [(f"{a}~{n}", a, n, "ACGT" * 20_000) for a in ("A1", "A2") for n in ("c1", "c2")]
    clusters = {"A1~c1": "1", "A2~c1": "2", "A2~c2": "2", "A1~c2": "3"}
    given = write_inputs(tmp_path, contigs, clusters)
    plain = run_bins(tmp_path, given, 0)[1]["bins"]
    (tmp_path / "out").rename(tmp_path / "plain")
    given += write_markers(tmp_path, "A1", [("A1~c1", family) for family in FAMILIES[:15]], FAMILIES)
    twice = [("A2~c1", family) for family in FAMILIES] + [("A2~c2", family) for family in FAMILIES[:2]]
    given += write_markers(tmp_path, "A2", twice, FAMILIES)
    result, tables, _ = run_bins(tmp_path, given, 0)
    assert result.exit_code == 0
    rated = tables["bins"].set_index("cluster")
    assert rated.loc["1", list(RATED)].tolist() == ["15", "0.75", "0", "medium"]
    assert rated.loc["2", list(RATED)].tolist() == ["20", "1", "0.1", "contaminated"]
    assert rated.loc["3", list(RATED)].tolist() == ["0", "", "", ""]
    assert tables["bins"].drop(columns=list(RATED)).equals(plain)


@pytest.mark.parametrize(
    ("genes", "families", "message"),
    [
        ([("zz", "F0")], FAMILIES, "contig 'zz' is not in contigs.tsv"),
        ([("A1~c1", "other")], FAMILIES, "family 'other' is not in"),
        ([("A1~c1", "F0")], FAMILIES[:5], "A2.marker_families.tsv: differs from"),
    ],
)
def test_markers_of_another_run_are_refused(tmp_path, genes, families, message):
    given = write_inputs(tmp_path, CONTIGS, {"A1~c1": "1"})
    given += write_markers(tmp_path, "A1", [], FAMILIES) + write_markers(tmp_path, "A2", genes, families)
    result, _, _ = run_bins(tmp_path, given, 0)
    assert result.exit_code == 1 and message in result.output
