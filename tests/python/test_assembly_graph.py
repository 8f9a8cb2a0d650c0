"""assembly_graph.py: every graph format, gfapy against the fast path, and bad graphs."""

import gzip
import random
import tracemalloc
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assembly_graph
import graph
from graph_files import FLYE_HEADER, assert_fast_path_is_gfapy, edges_of, fastg, gfa, node

DATA = Path(__file__).resolve().parents[1] / "data"
ABC = {"a": 10, "b": 10, "c": 10}


def test_gfa_segments_are_contigs(tmp_path):
    text = gfa("abcx", [("a+", "b-"), ("b-", "a+"), ("c+", "c+"), ("x+", "c-")])
    assert edges_of(tmp_path, "gfa", text, ABC | {"polished": 9}) == ({("a", "b")}, {"a", "b", "c"}, 0)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("compress", [False, True])
def test_gfa_in_any_dress(tmp_path, line_end, compress):
    text = (
        "# comment\nL\ta\t+\tb\t+\t*\tNM:i:0\n\nS\ta\t*\nS\tb\t*\tLN:i:10\nC\ta\t+\tb\t+\t0\t*\nW\ts\t1\tc\t0\t1\t>a\n"
    )
    raw = text.replace("\n", line_end).encode()
    raw = gzip.compress(raw) if compress else raw
    assert edges_of(tmp_path, "gfa", raw, {"a": 1, "b": 1, "c": 1}) == ({("a", "b")}, {"a", "b"}, 0)


def test_gfa_paths_name_the_contigs(tmp_path):
    text = gfa("123", [("1+", "2+"), ("2+", "3-")], ["P\ta\t1+,2+\t2M", "P\tb\t3-\t*"])
    assert edges_of(tmp_path, "gfa", text, {"a": 8, "b": 4}) == ({("a", "b")}, {"a", "b"}, 0)


@pytest.mark.parametrize("overlap", ["*", "0M", "55M", "10M2D3I4=1X5N2S1H1P", "junk", ""])
def test_overlaps_do_not_matter(tmp_path, overlap):
    text = f"S\ta\tAC\nS\tb\t*\nL\ta\t-\tb\t-\t{overlap}\nP\ta b\ta+,b+\t{overlap}\n"
    assert edges_of(tmp_path, "gfa", text, {"a": 2, "b": 2}) == ({("a", "b")}, {"a", "b"}, 0)


def test_paths_of_a_gfa_without_a_contig_or_a_segment(tmp_path):
    """A path of absent segments has no place, a path of no contig links none, a contig without a path has no place."""
    paths = ["P\ta\t1+,9-\t*", "P\tb\t8+\t*", "P\tx\t2+\t*", "P\tc\t3+\t*"]
    text = gfa("123", [("1+", "2+"), ("2+", "3+")], paths)
    contigs = {"a": 8, "b": 8, "c": 8, "polished": 8}
    assert edges_of(tmp_path, "gfa", text, contigs) == (set(), {"a", "c"}, 0)


def test_links_to_absent_segments_are_counted(tmp_path):
    text = gfa("ab", [("a+", "b+"), ("a+", "gone-"), ("gone+", "gone+")])
    assert edges_of(tmp_path, "gfa", text, {"a": 4, "b": 4, "gone": 4}) == ({("a", "b")}, {"a", "b"}, 2)


def test_metaflye_paths(tmp_path):
    text = gfa(["edge_1", "edge_2", "edge_3", "edge_4"], [("edge_1+", "edge_2-"), ("edge_3-", "edge_4+")])
    info = (
        FLYE_HEADER + "contig_1\t100\t9\tN\tN\t1\t*\t*,1,*\ncontig_2\t90\t9\tN\tN\t1\t7\t-2\n"
        "scaffold_3\t80\t9\tN\tN\t1\t*\t2,??,3\ncontig_4\t70\t9\tY\tN\t1\t*\t4\n"
    )
    contigs = {"contig_1": 100, "contig_2": 90, "scaffold_3": 80, "contig_4": 70}
    edges, placed, _ = edges_of(tmp_path, "metaflye", text, contigs, info)
    assert edges == {
        ("contig_1", "contig_2"),  # 1+ -> 2-
        ("contig_1", "scaffold_3"),  # 1+ -> 2-, and scaffold_3 holds 2
        ("contig_2", "scaffold_3"),  # share edge_2
        ("contig_4", "scaffold_3"),  # after the gap: 3- -> 4+
    }
    assert placed == set(contigs)


def test_metaflye_unplaced_contig(tmp_path):
    info = (
        FLYE_HEADER + "contig_1\t9\t9\tN\tN\t1\t*\t1\ncontig_2\t9\t9\tN\tN\t1\t*\t*\ncontig_3\t9\t9\tN\tN\t1\t*\t77\n"
    )
    text = gfa(["edge_1", "edge_2"], [])
    contigs = {"contig_1": 9, "contig_2": 9, "contig_3": 9}
    assert edges_of(tmp_path, "metaflye", text, contigs, info)[1] == {"contig_1"}


def test_megahit_fastg(tmp_path):
    text = fastg([300, 250, 300], [("1", "3'"), ("3", "1'"), ("2", "2")])
    contigs = {"k141_7": 300, "k141_0": 250, "k141_5": 300}
    assert edges_of(tmp_path, "megahit", text, contigs) == ({("k141_5", "k141_7")}, set(contigs), 0)


def test_megahit_fastg_of_the_last_k(tmp_path):
    """k141.contigs.fa: without the contigs of smaller k, with those below the minimum length."""
    text = fastg([300, 150, 250], [("1", "3"), ("3'", "1'"), ("1", "2")])
    contigs = {"k21_4": 260, "k141_0": 300, "k141_9": 250}
    assert edges_of(tmp_path, "megahit", text, contigs) == ({("k141_0", "k141_9")}, {"k141_0", "k141_9"}, 0)


def test_megahit_fastg_of_a_k_that_few_contigs_have(tmp_path):
    """Which k the FASTG is of is told by the lengths, not by the number of contigs: here fewest are of the last k."""
    contigs = {"k21_4": 300, "k141_0": 300, "k21_9": 250, "k21_1": 200, "k141_3": 250}
    of_the_last = edges_of(tmp_path, "megahit", fastg([300, 250], [("1", "2")]), contigs)
    assert of_the_last == ({("k141_0", "k141_3")}, {"k141_0", "k141_3"}, 0)
    of_the_first = edges_of(tmp_path, "megahit", fastg([300, 90, 250, 200], [("1", "3"), ("2", "4")]), contigs)
    assert of_the_first == ({("k21_4", "k21_9")}, {"k21_1", "k21_4", "k21_9"}, 0)


def test_megahit_fastg_after_an_empty_line(tmp_path):
    assert edges_of(tmp_path, "megahit", "\n" + fastg([300], []), {"k141_0": 300})[1] == {"k141_0"}


def test_megahit_short_contigs_are_passed_over(tmp_path):
    """contig2fastg leaves out contigs shorter than k + 1."""
    text = fastg([300, 250], [("1", "2")])
    contigs = {"k141_0": 300, "k141_1": 120, "k141_2": 250}
    assert edges_of(tmp_path, "megahit", text, contigs) == ({("k141_0", "k141_2")}, {"k141_0", "k141_2"}, 0)


def test_megahit_gfa_and_own_names(tmp_path):
    nodes = [node(1, 300), node(2, 250)]
    contigs = {"k141_3": 300, "k141_1": 250}
    expected = {("k141_1", "k141_3")}
    assert edges_of(tmp_path, "megahit", gfa(nodes, [(nodes[0] + "+", nodes[1] + "-")]), contigs)[0] == expected
    assert edges_of(tmp_path, "megahit", gfa(contigs, [("k141_3+", "k141_1-")]), contigs)[0] == expected


def test_megahit_of_another_assembly(tmp_path):
    with pytest.raises(click.ClickException, match=r"NODE|lengths of its 2 nodes.*'k141_3', 300 bp.*contig2fastg"):
        edges_of(tmp_path, "megahit", fastg([300, 251], []), {"k141_3": 300, "k141_1": 250})


@pytest.mark.parametrize("compress", [False, True])
def test_sga(tmp_path, compress):
    text = (
        "HT\tVN:i:1\tER:f:0\tOL:i:45\nVT\tcontig-0\tACGT\nVT\tcontig-1\tACGT\tSS:i:0\nVT\tcontig-2\tAC\n"
        "ED\tcontig-0 contig-1 55 99 100 0 44 200 0 0\nED\tcontig-2 contig-2 0 44 100 55 99 100 0 0\n"
        "ED\tcontig-2 contig-9 0 44 100 55 99 100 1 0\n"
    )
    raw = gzip.compress(text.encode()) if compress else text.encode()
    contigs = {"contig-0": 100, "contig-1": 200, "contig-2": 100}
    assert edges_of(tmp_path, "sga", raw, contigs) == ({("contig-0", "contig-1")}, set(contigs), 1)


def test_sequences_do_not_enter_memory(tmp_path):
    """48 MB of sequence in lines of 1 MB: what is held at once is a few lines."""
    sequence = "ACGT" * 250_000
    links = "".join(f"L\ts{i}\t+\ts{i + 1}\t+\t*\n" for i in range(47))
    file = tmp_path / "graph.gz"
    with gzip.open(file, "wt", compresslevel=1) as lines:
        lines.writelines(f"S\ts{i}\t{sequence}\n" for i in range(48))
        lines.write(links)
    names = [f"s{i}" for i in range(48)]
    tracemalloc.start()
    found = graph.build_graph("gfa", file, None, names, [1_000_000] * 48)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.edges.tolist() == [[i, i + 1] for i in range(47)]
    assert peak < 12_000_000


@pytest.mark.parametrize(("name", "records"), [("co", 290 + 404 + 272), ("A1", None), ("A2", None)])
def test_fast_path_takes_every_record_of_an_assembler(name, records):
    file = DATA / f"{name}.graph.gfa.gz"
    with gzip.open(file, "rt") as lines:
        expected = sum(line.split("\t")[0] in ("S", "L", "P") for line in lines)
    assert assert_fast_path_is_gfapy(file) == expected == (records or expected) > 500
    paths = list(assembly_graph.gfa_records(file, "P"))
    assert paths and all(steps and name for _, _, name, steps in paths)


ODD_TEXT = st.text(st.sampled_from("ab1+-,*=;:é\x0b \x00"), max_size=6)
ODD_ORIENTATION = st.sampled_from(["+", "-", "x", "", "+-"])
ODD_RECORDS = st.one_of(
    st.tuples(st.just("S"), ODD_TEXT, ODD_TEXT),
    st.tuples(st.just("L"), ODD_TEXT, ODD_ORIENTATION, ODD_TEXT, ODD_ORIENTATION, ODD_TEXT),
    st.tuples(st.just("P"), ODD_TEXT, ODD_TEXT, ODD_TEXT),
    st.tuples(st.sampled_from("SLP"), ODD_TEXT),
)


@settings(max_examples=1000)
@given(ODD_RECORDS)
def test_fast_path_is_gfapy_on_odd_records(fields):
    """Whatever stands in the fields: the fast path passes, or does what gfapy does; gfapy's errors stay."""
    line = "\t".join(fields)
    found = assembly_graph.regular_record(line[0], line)
    if found is not None:
        assert found == assembly_graph.gfapy_record(line[0], line, Path("graph"), 1)


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("S\t1\tACGT\tLN:i:4", ("1", [])),
        ("S\ta+,b\t*", ("a+,b", [])),
        ("L\ta+\t+\t-\t-\t", ("", [("a+", "+"), ("-", "-")])),
        ("P\tp\ta+,b--,c++\t*", ("p", [("a", "+"), ("b-", "-"), ("c+", "+")])),
        # not regular: left to gfapy
        ("S\t*\t*", None),
        ("S\t=a\t*", None),
        ("S\té\t*", None),
        ("S\ta b\t*", None),
        ("S\ta", None),
        ("L\ta\tx\tb\t+\t*", None),
        ("L\ta\t+\tb\t+", None),
        ("P\tp\ta\t*", None),
        ("P\tp\t+\t*", None),
        ("P\tp\ta+,\t*", None),
        ("P\tp\ta+;b-\t*", ("p", [("a+;b", "-")])),
        ("P\tp\ta+", None),
    ],
)
def test_regular_records(line, record):
    assert assembly_graph.regular_record(line[0], line) == record


def test_irregular_records_are_read_by_gfapy(tmp_path):
    """Names that the specification does not allow, but that assemblers and users have."""
    text = "S\té\t*\nS\t=b\t*\nS\tc d\t*\nL\té\t+\t=b\t-\t*\nL\t=b\t+\tc d\t+\t*\n"
    contigs = {"é": 1, "=b": 1, "c d": 1}
    assert edges_of(tmp_path, "gfa", text, contigs)[0] == {("=b", "é"), ("=b", "c d")}


GOOD_PATHS = "a\n1+\na'\n1-\n"


@pytest.mark.parametrize(
    ("assembler", "text", "paths", "message"),
    [
        ("gfa", "", None, "graph is empty"),
        ("gfa", "H\tVN:Z:1.0\n", None, "holds no segment"),
        ("gfa", "S\ta\t*\nS\ta\t*\n", None, "line 2: segment 'a' is defined twice"),
        ("gfa", "S\ta\t*\nL\ta\t+\tb", None, "line 2: truncated L record"),
        ("gfa", "S\ta\n", None, "line 1: truncated S record"),
        ("gfa", "S\t\t*\n", None, "line 1: truncated S record"),
        ("gfa", "S\ta\t*\nL\ta\tx\ta\t+\t*\n", None, "line 2: segment 'a' has orientation 'x'"),
        ("gfa", "S\ta\t*\nP\tp\ta+,b\t*\n", None, "line 2: "),
        ("gfa", "S\ta\t*\nP\tp\n", None, "line 2: truncated P record"),
        ("gfa", "S\t1\t*\nP\ta\t1+\t*\nP\ta\t1-\t*\n", None, "line 3: contig 'a' has two paths"),
        ("gfa", ">a\nACGT\n", None, "line 1: '>a' starts no GFA 1 record"),
        ("gfa", "S\ta\t*\nE\t*\ta+\tb+\t0\t1\t0\t1\t*\n", None, "line 2: .* starts no GFA 1 record"),
        ("gfa", b"S\ta\t*\n\x89PNG\xff\xfe\x00\n", None, "line 2: not text"),
        ("gfa", gzip.compress(b"S\ta\t*\n", mtime=0)[:-9], None, "broken gzip"),
        ("gfa", b"\x1f\x8bjunk", None, "broken gzip"),
        ("gfa", "S\tx\t*\n", None, "no contig of the assembly.*'x'.*'a'"),
        ("metaspades", "S\t1\t*\n", None, "needs contigs.paths"),
        ("metaflye", "S\tedge_1\t*\n", None, "needs assembly_info.txt"),
        ("metaspades", "S\t1\t*\n", "", "paths is empty"),
        ("metaspades", "S\t1\t*\n", "1+\n", "line 1: expected the name of a contig"),
        ("metaspades", "S\t1\t*\n", "a\nb\n", "line 2: expected segments"),
        ("metaspades", "S\t1\t*\n", "a\n1+;\n \n", "line 3: expected segments"),
        ("metaspades", "S\t1\t*\n", "a\n1+,2\n", "line 2: expected segments"),
        ("metaspades", "S\t1\t*\n", "a\n1+;\n", "line 2: the file ends within the path of 'a'"),
        ("metaspades", "S\t1\t*\n", GOOD_PATHS + "a\n1+\n", "line 5: contig 'a' has two paths"),
        ("metaspades", "S\t2\t*\n", GOOD_PATHS, "paths: no contig of the assembly"),
        ("metaspades", "S\t1\t*\n", GOOD_PATHS.replace("a", "NODE_1"), "no contig of the assembly.*'NODE_1'.*'a'"),
        ("metaflye", "S\tedge_1\t*\n", FLYE_HEADER + "a\t9\t9\n", "line 2: 3 columns, expected 8"),
        ("metaflye", "S\tedge_1\t*\n", "a\t9\t9\tN\tN\t1\t*\t1,x\n", "line 1: graph_path holds 'x'"),
        ("metaflye", "S\tedge_1\t*\n", "a\t9\t9\tN\tN\t1\t*\t1\n" * 2, "line 2: contig 'a' has two paths"),
        ("megahit", ">a;\nAC\n>b\nAC\n", None, "line 3: truncated FASTG header"),
        ("megahit", ">a;\nAC\n>a;\nAC\n", None, "line 3: segment 'a' is defined twice"),
        ("megahit", ">;\nAC\n", None, "line 1: a segment without a name"),
        ("megahit", f">NODE_{'9' * 5000}_length_10_cov_1;\nA\n", None, "no contig of the assembly.*'NODE_9{95}[.]{3}'"),
        ("megahit", f">NODE_1_length_{'9' * 18}_cov_1;\nA\n", None, "the lengths of its 1 nodes"),
        ("sga", "VT\ta\n", None, "line 1: truncated VT record"),
        ("sga", "VT\ta\tAC\nED\ta b 0 1\n", None, "line 2: truncated ED record"),
        ("sga", "VT\ta\tAC\nVT\ta\tAC\n", None, "line 2: segment 'a' is defined twice"),
        ("sga", "S\ta\t*\n", None, "line 1: .* starts no ASQG record"),
    ],
)
def test_bad_graph(tmp_path, assembler, text, paths, message):
    with pytest.raises(click.ClickException, match=message):
        edges_of(tmp_path, assembler, text, {"a": 10}, paths)


@pytest.mark.parametrize(
    ("assembler", "text", "paths"),
    [
        ("gfa", "S\tLONG\t*\nS\tLONG\t*\n", None),
        ("gfa", "S\tLONG\t*\n", None),
        ("gfa", "S\ta\t*\nL\ta\tLONG\ta\t+\t*\n", None),
        ("gfa", "S\ta\t*\nP\tp\tLONG\t*\n", None),
        ("gfa", "S\ta\t*\nP\tc_0\tc d-,\t*\n", None),  # of which gfapy writes four lines
        ("gfa", "LONG\n", None),
        ("metaspades", "S\t1\t*\n", "LONG\n1+\nLONG\n1+\n"),
        ("metaspades", "S\t1\t*\n", "LONG\n1+;\n"),
        ("metaflye", "S\tedge_1\t*\n", "a\t9\t9\tN\tN\t1\t*\tLONG\n"),
        ("megahit", ">LONG\nA\n", None),
        ("sga", "VT\ta\tA\nED\tLONG\n", None),
    ],
)
def test_messages_are_short(tmp_path, assembler, text, paths):
    """However long a damaged field is; each message said up to all of it."""
    text, paths = (given.replace("LONG", "x" * 200_000) if given else None for given in (text, paths))
    with pytest.raises(click.ClickException) as raised:
        edges_of(tmp_path, assembler, text, {"a": 10}, paths)
    assert str(tmp_path) in raised.value.message and len(raised.value.message) < len(str(tmp_path)) + 500
    assert raised.value.message.isprintable()


READERS = {
    "gfa": assembly_graph.gfa_records,
    "fastg": assembly_graph.fastg_records,
    "asqg": assembly_graph.asqg_records,
}
SEEDS = {
    "gfa": gfa("ab", [("a+", "b-")], ["P\tp\ta+,b-\t*"]).encode(),
    "fastg": fastg([30, 20], [("1", "2'")]).encode(),
    "asqg": b"HT\tVN:i:1\nVT\ta\tAC\nVT\tb\tAC\nED\ta b 0 1 2 0 1 2 0 0\n",
}


@settings(max_examples=300)
@given(st.sampled_from(sorted(READERS)), st.randoms(use_true_random=False), st.integers(1, 6))
def test_readers_survive_mutations(tmp_path_factory, kind, rng: random.Random, changes):
    """Any damage gives segments or a ClickException that names the file, nothing else."""
    raw = bytearray(SEEDS[kind])
    for _ in range(changes):
        at = rng.randrange(len(raw) + 1)
        action = rng.randrange(4)
        if action == 0:
            del raw[at : at + rng.randrange(1, 9)]
        elif action == 1:
            raw[at:at] = bytes([rng.choice(b"\t\n+-,;:'*>SLPHVE\x00\xff 1a\r")])
        elif action == 2 and at < len(raw):
            raw[at] = rng.randrange(256)
        else:
            raw = raw[:at] + raw[rng.randrange(len(raw) + 1) :]
        raw = raw or bytearray(b"\n")
    path = tmp_path_factory.mktemp("fuzz") / "graph"
    path.write_bytes(raw)
    assert_fast_path_is_gfapy(path)
    try:
        segments = assembly_graph.collect(path, READERS[kind](path))
    except click.ClickException as error:
        assert str(path) in error.message
    else:
        assert segments.defined and all(a >> 1 in segments.defined for link in segments.links for a in link)
