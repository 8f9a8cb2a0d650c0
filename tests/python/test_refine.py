"""refine.py: planted communities, invariants, the command, malformed tables."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assign_contigs
import bin_model
import refine
from planted_contigs import (
    KB,
    READ,
    check_posteriors_of_several,
    community,
    composition,
    plant_contigs,
    quality,
    refined_sets,
)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_community(seed, linked):
    known = community(seed, 6, linked=linked)
    before, after, reasons = refined_sets(known)
    was, now = quality(known, before), quality(known, after)
    assert now[0] > was[0] and now[0] > 0.99
    assert now[1] > was[1] + 0.05
    rows = list(zip(known.genomes, before, after, reasons))
    assert np.mean([a == set(g) for g, b, a, _ in rows if len(g) == 1 and g[0] < 6 and not b]) > 0.95  # short ones
    assert all(a == set(g) for g, b, a, _ in rows if b == set(g))
    for outsider in (6, 7):
        stayed = [reason for g, _, a, reason in rows if g == (outsider,) and not a]
        assert len(stayed) > 0.95 * 60 and stayed.count("left,unlike") > 0.9 * len(stayed)
    wrong = [(g, a, reason) for g, b, a, reason in rows if b and b != set(g)]
    assert len(wrong) > 10 and all(a <= set(g) for g, a, _ in wrong)
    assert all(reason == ("moved" if a else "removed," + reason.split(",")[1]) for _, a, reason in wrong)
    shared = [(set(g), a, reason) for g, _, a, reason in rows if len(g) == 2]
    assert all(a <= g for g, a, _ in shared)
    if linked:
        assert np.mean([a == g and reason == "added,multi_labelled" for g, a, reason in shared]) >= 0.8


def test_the_posterior_of_a_contig_of_several_bins_is_that_of_all_of_them():
    known = community(0, 6)
    table, shared = refine.refine_labels(known.contigs, known.label, 0.8, 0)
    assert len(shared) >= 5
    check_posteriors_of_several(table, shared, 0.8)


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_one_sample_never_lowers_purity(seed, linked):
    known = community(seed, 1, linked=linked)
    before, after, _ = refined_sets(known)
    was, now = quality(known, before), quality(known, after)
    assert now[0] >= was[0] and now[1] > was[1]


@pytest.mark.parametrize("seed", range(3))
def test_mismatches_tell_which_of_two_relatives_a_contig_is_of(seed):
    """Two strains of one composition, without links: a share of the other's reads lies on most contigs of each."""
    rng = np.random.default_rng(seed)
    coverage, near = np.array([[30.0, 4, 12, 6], [5, 24, 10, 3]]), composition(rng)
    genomes = [(g,) for g in (0, 1) for _ in range(80)]
    length = rng.integers(1 * KB, 40 * KB, 160)
    contigs, order = plant_contigs(rng, genomes, length, coverage, [near, near], [])
    of = np.array(genomes)[order, 0]
    share = np.where(rng.random(160) < 0.8, rng.uniform(0.3, 1, 160), 0)[:, None]
    foreign = rng.poisson(share * coverage[1 - of] * contigs.length[:, None] / READ)
    excess = rng.poisson(foreign * rng.choice([0.01, 0.02, 0.03], (160, 1)) * READ) / READ
    label = np.where(rng.random(160) < 0.5, of, bin_model.NO_BIN)
    right = []
    for seen in (None, excess):
        known = contigs._replace(reads=contigs.reads + foreign, excess=seen)
        final = refine.refine_labels(known, label, 0.8, 100 * KB)[0]["final"].to_numpy()
        right.append(contigs.length[final == of].sum() / contigs.length.sum())
        wrong = contigs.length[(final != of) & (final != bin_model.NO_BIN)].sum() / contigs.length.sum()
    assert right[1] >= 0.95 and wrong <= 0.03
    assert right[0] <= right[1] - 0.1


@pytest.mark.parametrize("seed", range(4))
def test_a_population_that_varies_keeps_its_bins(seed):
    """Reads that differ from half of the genomes, from contig to contig by another share, are no reads of relatives.

    Yet they may be: so a long contig or two of a genome without a bin fit a bin by chance.
    """
    known = community(seed, 6)
    rng = np.random.default_rng(seed)
    variable = np.array([genomes[0] % 2 == 0 for genomes in known.genomes])[:, None]
    rate = variable * 0.006 * rng.gamma(10, 0.1, (len(known.label), 1))
    excess = rng.poisson(rate * known.contigs.reads * READ) / READ
    plain, varying = (
        quality(with_excess, refined_sets(with_excess)[1])
        for with_excess in (known, known._replace(contigs=known.contigs._replace(excess=excess)))
    )
    assert varying[0] > 0.98 and varying[1] > plain[1] - 0.01


def test_samples_without_reads_change_nothing():
    known = community(0, 3)
    contigs = known.contigs._replace(reads=np.hstack([known.contigs.reads, np.zeros((len(known.label), 50))]))
    assert refined_sets(known._replace(contigs=contigs))[1] == refined_sets(known)[1]


def test_fractions_of_sizes_are_exact():
    """They are the quotients of the integers, though a tenth is not exact in binary."""
    sizes = [*range(100_000), *(10**k * d + x for k in range(6, 12) for d in range(1, 10) for x in range(-30, 31))]
    assert all(refine.piece_size(size) == size // 10 for size in sizes)
    assert all(int(refine.MIN_SMALL_FRACTION * size) == size // 4 for size in sizes)


@pytest.mark.parametrize("seed", range(4))
def test_a_genome_that_is_in_a_cluster_with_few_contigs_is_split_off_once_all_are_assigned(seed):
    """The cluster of 600 kbp has 80 kbp of a second genome, less covered in one sample: too little to tell."""
    rng = np.random.default_rng(seed)
    genomes = [(0,)] * 60 + [(1,)] * 48 + [(genome,) for genome in (2, 3, 4) for _ in range(40)]
    length = [10 * KB] * 68 + [9 * KB] * 40 + [10 * KB] * 120
    coverage = rng.lognormal(2, 1, (5, 4))
    coverage[:2] = [20, 12, 30, 15]
    coverage[1, seed] /= 2.5
    own = [composition(rng) for _ in range(4)]
    contigs, order = plant_contigs(rng, genomes, length, coverage, [own[0], *own], [])
    genome = np.array([genomes[row][0] for row in order])
    is_clustered = contigs.length == 10 * KB
    label = np.where(is_clustered, np.maximum(genome - 1, 0), -1)
    table, _ = refine.refine_labels(contigs, label, 0.8, 200 * KB)
    ids = refine.part_ids(["a", "b", "c", "d"], label, table["part"].to_numpy())
    assert ids == ["a", "b", "c", "d", "a_2"]
    final = table["final"].to_numpy()
    assert set(final[genome == 0]) == {0} and set(final[(genome == 1) & (final != -1)]) == {4}
    assert (final[genome == 1] == 4).mean() > 0.9
    # those of the cluster are of its new part, others of no part
    assert set(table["part"][genome == 1]) == {-1, 4} and (table["part"][is_clustered & (genome == 1)] == 4).all()


def test_new_parts_of_bins_are_numbered_behind_all_others():
    """Bins 0 and 1 are clusters 2 and 5; bin 1 is split, its part of contigs without a cluster is none, and 0 ends."""
    part = np.array([2, 5, 5, 5, -1, -1, 3])
    merged = np.array([0, 1, 1, 1, -1, -1, 0])
    final = np.array([1, 1, 1, 1, 1, 1, 1])
    in_parts = np.array([3, 1, 1, 3, 3, 2, 1])
    parts, begun, names = refine.start_anew(part, merged, np.array([2, 5]), final, in_parts)
    assert names.tolist() == [5, 6] and begun.tolist() == [1, 0, 0, 1, 1, 0, 0]
    assert parts.tolist() == [6, 5, 5, 6, -1, -1, 3]


class Tables(NamedTuple):
    """The tables for write_inputs, tetranucleotide counts by catalogue name, and mapped reads by sample."""

    contigs: list
    links: list
    clusters: dict
    coverage: dict
    counts: dict
    mapped: dict | None


FILES = {
    "contigs": "contigs.tsv", "clusters": "clusters.tsv", "coverage": "coverage.tsv.gz",
    "tetranucleotides": "tetranucleotides.npy", "features": "features.json",
}  # fmt: skip
GRAPH = {"vertices": "vertices.tsv.gz", "edges": "edges.tsv.gz"}


@pytest.fixture(scope="session")
def run_refine(write_inputs, run_stage):
    """Write tables (in another order with rng), let `spoil` change the folder, and run the command."""

    def run(folder: Path, tables: Tables, *options, rng=None, absent=(), files=FILES | GRAPH, spoil=None):
        write_inputs(folder, *tables[:4], rng, absent)
        names = [line.split("\t")[0] for line in (folder / "contigs.tsv").read_text().splitlines()[1:]]
        np.save(folder / "tetranucleotides.npy", np.array([tables.counts[name] for name in names], np.float32))
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
        (folder / "features.json").write_text(json.dumps({"contigs_sha256": digest, "mapped_reads": tables.mapped}))
        if spoil:
            spoil(folder)
        return run_stage(refine.main, folder, files, *options)

    return run


def two_genomes(known_reads=True) -> Tables:
    """Return contigs of genome 5, with coverages of about 30 and 5, and of 12, with 4 and 60, some with odd names."""
    rng = np.random.default_rng(3)
    frequency = {"5": composition(rng), "12": composition(rng), "": composition(rng)}
    rows = [  # name, length, its cluster, genome, coverages
        *((f"r{i}", 90 * KB + i, "5", "5", (30 + i / 2, 5 - i / 9)) for i in range(3)),
        *((f"s{i}", 80 * KB + i, "12", "12", (4 + i / 9, 60 - i)) for i in range(3)),
        ("NA", 20 * KB, "5", "12", (4, 60)),
        ("001", 900, "", "5", (31, 5)),
        ('"x', 20 * KB, "", "", (300, 300)),
        ("both", 2 * KB, "", "5", (34, 65)),
        ("nan", 700, "7", "12", (4, 58)),
    ]
    contigs = [(f"A1~{name}", "A1", name, length) for name, length, *_ in rows] + [("A2~r0", "A2", "r0", 5 * KB)]
    coverage = {f"A1~{row[0]}": row[4] for row in rows} | {"A2~r0": (0, 0)}
    counts = {f"A1~{row[0]}": rng.multinomial(row[1] - 3, frequency[row[3]]) for row in rows} | {"A2~r0": [9] * 136}
    clusters = {f"A1~{row[0]}": row[2] for row in rows if row[2]} | {"A2~r0": "7"}
    links = [("r0", "r1"), ("r1", "r2"), ("s0", "s1"), ("s1", "s2"), ("NA", "s0"), ("001", "r2"), ("both", "r0")]
    links += [("both", "s1"), ("both", "r1"), ("both", "s2"), ("nan", "s2"), ("r0", "r0"), ("s0", "s0")]
    bases = [sum(coverage[c][s] * length for c, _, _, length in contigs) for s in range(2)]
    mapped = {f"S{s}": round(bases[s] / READ) for s in range(2)} if known_reads else None
    return Tables(contigs, links, clusters, coverage, counts, mapped)


@pytest.mark.parametrize("known_reads", [True, False])
def test_command(tmp_path, run_refine, known_reads):
    tables = two_genomes(known_reads)
    # 240,003 bp: exactly those of s0, s1, s2
    result, contig2bin, refinement, counts = run_refine(tmp_path, tables, "--min_bin_size", "240003", absent=['"x'])
    assert result.exit_code == 0 and "10 of 11 contigs are in the graph, 11 edges" in result.stderr
    assert list(refinement["contig"]) == [c[0] for c in tables.contigs[:11]]  # catalogue order
    columns = "contig assembly name length initial in_graph merged unlinked final posterior none reason"
    assert set(refinement.columns) == set(columns.split())
    rows = {row["name"]: row for row in refinement.to_dict("records")}
    assert {name: (row["initial"], row["final"], row["reason"]) for name, row in rows.items()} == {
        **{f"r{i}": ("5", "5", "kept") for i in range(3)},
        **{f"s{i}": ("12", "12", "kept") for i in range(3)},
        "NA": ("5", "12", "moved"),
        "001": ("", "5", "added"),
        '"x': ("", "", "left,unlike"),
        "both": ("", rows["both"]["final"], "added,multi_labelled"),
        "nan": ("", "12", "added"),  # cluster 7 has 700 bp in A1
    }
    assert sorted(rows["both"]["final"].split(",")) == ["12", "5"]
    assert [name for name, row in rows.items() if row["in_graph"] == "false"] == ['"x']
    pairs = [(row["contig"], b) for row in rows.values() for b in row["final"].split(",") if b]
    assert list(map(tuple, contig2bin.to_numpy())) == pairs and len(pairs) == 11
    assert counts["labelled"] == {"initial": 7, "merged": 7, "unlinked": counts["labelled"]["unlinked"], "final": 10}
    words = {"kept": 6, "moved": 1, "added": 3, "left": 1, "unlike": 1, "multi_labelled": 1}
    size = {"contigs": 11, "contigs_in_graph": 10, "edges": 11, "labels": 2, "labels_merged": 2, "assembly": "A1"}
    assert {key: value for key, value in counts.items() if key != "labelled"} == words | size


def write_homologs(folder: Path, pairs) -> None:
    lines = ["\t".join(map(str, pair)) for pair in pairs]
    text = "\n".join(["contig_1\tcontig_2\tshared", *lines]) + "\n"
    (folder / "homologs.tsv.gz").write_bytes(gzip.compress(text.encode()))


def two_relatives() -> tuple[Tables, list[tuple]]:
    """Return a cluster of two genomes, too small to be split by coverage, and the seeds that their contigs share."""
    rng = np.random.default_rng(0)
    frequency = composition(rng)
    genomes = ("x", (30, 8)), ("y", (9, 40))
    rows = [(f"{genome}{i}", 6 * KB + i, cover) for genome, cover in genomes for i in range(15)]
    contigs = [(f"A1~{name}", "A1", name, length) for name, length, _ in rows] + [("A2~r0", "A2", "r0", 5 * KB)]
    coverage = {f"A1~{name}": cover for name, _, cover in rows} | {"A2~r0": (0, 0)}
    counts = {contig: rng.multinomial(length, frequency) for contig, _, _, length in contigs}
    clusters = {f"A1~{name}": "3" for name, _, _ in rows}
    shared = [(f"A1~x{i}", f"A1~y{i}", 60) for i in range(15)]
    return Tables(contigs, [], clusters, coverage, counts, None), shared


def test_split_cluster(tmp_path, run_refine):
    """The parts have new names; the cluster is split only if its contigs are homologous."""
    tables, pairs = two_relatives()
    files = FILES | {"homologs": "homologs.tsv.gz"}
    found = []
    for folder, shared in (("with", pairs), ("without", [])):
        (tmp_path / folder).mkdir()
        spoil = lambda inside, shared=shared: write_homologs(inside, [*shared, ("A2~r0", "A1~x0", 9)])  # noqa: E731
        done = run_refine(tmp_path / folder, tables, "--min_bin_size", "80000", files=files, spoil=spoil)
        assert done[0].exit_code == 0, done[0].output
        found.append(done[2].assign(genome=done[2]["name"].str[0]))
    apart, whole = found
    assert set(zip(whole["genome"], whole["final"], whole["reason"])) == {("x", "3", "kept"), ("y", "3", "kept")}
    by_genome = {(row["genome"], row["initial"], row["final"], row["reason"]) for row in apart.to_dict("records")}
    either = [{(one, "3", "3", "kept"), (other, "3", "3_2", "split")} for one, other in ("xy", "yx")]
    assert by_genome in either


def test_ids_of_parts_are_new():
    assert refine.part_ids(["3", "3_2", "7"], np.array([0, 0, 2, 0]), np.array([0, 3, 4, 5])) == [
        "3", "3_2", "7", "3_3", "7_2", "3_4",
    ]  # fmt: skip


@pytest.mark.parametrize("pair", [("A1~x0", "A1~other", 60), ("A1~x0", "A1~y0", "many"), ("A1~x0", "A1~y0", "")])
def test_homologs_of_another_run(tmp_path, run_refine, pair):
    tables, _ = two_relatives()
    files = FILES | {"homologs": "homologs.tsv.gz"}
    result = run_refine(tmp_path, tables, files=files, spoil=lambda folder: write_homologs(folder, [pair]))
    result = result[0] if isinstance(result, tuple) else result
    assert result.exit_code == 1 and "homologs.tsv.gz" in result.output
    assert ("A1~other" if "A1~other" in pair else "A1~x0") in result.output


def test_without_graph(tmp_path, run_refine):
    _, _, refinement, counts = run_refine(tmp_path, two_genomes(), "--min_bin_size", "1000", files=FILES)
    final = dict(zip(refinement["name"], refinement["final"]))
    assert (final["NA"], final['"x'], final["r0"], final["s0"]) == ("12", "", "5", "12")
    assert set(refinement["in_graph"]) == {"false"} and counts["contigs_in_graph"] == counts["edges"] == 0
    assert set(zip(refinement["unlinked"], refinement["final"])) == {(x, x) for x in ("5", "12", "")}


@pytest.mark.parametrize("smallest", [10**9, 0])
def test_no_bins(tmp_path, run_refine, smallest):
    tables = two_genomes()
    if smallest == 0:
        tables = tables._replace(clusters={})
    _, contig2bin, refinement, counts = run_refine(tmp_path, tables, "--min_bin_size", str(smallest))
    assert len(contig2bin) == 0 and list(contig2bin.columns) == ["contig", "bin"]
    assert set(zip(refinement["initial"], refinement["final"], refinement["reason"])) == {("", "", "left,unlike")}
    assert (counts["labels"], counts["left"], counts["unlike"]) == (0, 11, 11)


def test_other_assemblies_of_the_group_change_nothing(tmp_path_factory, run_refine):
    """Their reads are among the mapped reads, so their bases count for the bases per read."""
    alone = two_genomes()
    # low coverage: counting noise decides
    alone = alone._replace(coverage={c: [x / 50 for x in row] for c, row in alone.coverage.items()})
    alone = alone._replace(mapped={sample: round(n / 50) for sample, n in alone.mapped.items()})
    added = 10**8
    beside = alone._replace(contigs=[*alone.contigs, ("A2~z", "A2", "z", added)])
    beside = beside._replace(coverage=alone.coverage | {"A2~z": (1, 1)}, counts=alone.counts | {"A2~z": [0] * 136})
    beside = beside._replace(mapped={sample: n + round(added / READ) for sample, n in alone.mapped.items()})
    found = []
    for tables in alone, beside:
        found.append(run_refine(tmp_path_factory.mktemp("group"), tables, "--min_bin_size", "1000")[2])
    assert found[0]["final"].tolist() == found[1]["final"].tolist()
    assert found[0]["posterior"].astype(float).tolist() == pytest.approx(found[1]["posterior"].astype(float), abs=0.01)


@st.composite
def small_tables(draw):
    """Draw up to nine contigs, most of them extreme: one base long, without 4-mers, reads or links."""
    n = draw(st.integers(1, 9))
    names = [f"A1~x{v}" for v in range(n)]
    length = draw(st.lists(st.sampled_from([1, 3, 150, 999, 1000, 5000, 5000, 400_000]), min_size=n, max_size=n))
    samples = draw(st.integers(1, 4))
    level = st.sampled_from([0, 0, 1, 2.5, 30, 31, 1e-3, 1e5])
    row = st.lists(level, min_size=samples, max_size=samples)
    coverage = dict(zip(names, draw(st.lists(row, min_size=n, max_size=n))))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    known = [composition(rng), composition(rng), np.zeros(136)]
    kinds = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    counts = {c: np.round(max(size - 3, 0) * known[kind]) for c, size, kind in zip(names, length, kinds)}
    ends = st.integers(0, n - 1).map(lambda v: f"x{v}")
    links = draw(st.lists(st.tuples(ends, ends), max_size=14))
    labels = draw(st.lists(st.sampled_from(["", "1", "2", "10", "a b"]), min_size=n, max_size=n))
    mapped = draw(st.sampled_from([None, {f"S{s}": 10 ** (2 * s) for s in range(samples)}]))
    contigs = [(c, "A1", c[3:], size) for c, size in zip(names, length)]
    return Tables(contigs, links, {c: x for c, x in zip(names, labels) if x}, coverage, counts, mapped)


@settings(max_examples=120)
@given(small_tables(), st.randoms(use_true_random=False), st.sampled_from(["0.5", "0.9", "1"]))
def test_properties(tmp_path_factory, run_refine, tables, rng, least):
    found = []
    with_reads = [column for column in zip(*tables.coverage.values()) if any(column)]
    for order in (None, rng):
        options = ["--min_bin_size", "150", "--min_posterior", least]
        folder = tmp_path_factory.mktemp("order")
        _, contig2bin, refinement, counts = run_refine(folder, tables, *options, rng=order)
        rows = refinement.to_dict("records")
        assert sorted(row["contig"] for row in rows) == sorted(c[0] for c in tables.contigs)  # none is lost
        pairs = [(row["contig"], b) for row in rows for b in row["final"].split(",") if b]
        assert list(map(tuple, contig2bin.to_numpy())) == pairs
        clusters = set(refinement["initial"]) - {""}
        assert all(b in clusters or b.rpartition("_")[0] in clusters for _, b in pairs)  # a part of a split cluster
        for row in rows:
            posterior, none = float(row["posterior"]), float(row["none"])
            assert min(posterior, none) >= 0 and posterior + none <= 1.0001
            assert bool(row["final"]) == (row["reason"].split(",")[0] in ("kept", "merged", "split", "moved", "added"))
            if "multi_labelled" not in row["reason"]:
                is_doubtful = len(with_reads) == 1 and int(row["length"]) >= assign_contigs.SINGLE_SAMPLE_LENGTH
                asked = (3 + float(least)) / 4 if is_doubtful else float(least)
                assert bool(row["final"]) == (posterior >= asked) or abs(posterior - asked) < 1e-4
        found.append((sorted(map(tuple, refinement.to_numpy())), sorted(pairs), counts))
    assert found[0] == found[1]


def packed(file: str, text: str):
    raw = text.encode()
    return lambda folder: (folder / file).write_bytes(gzip.compress(raw) if file.endswith(".gz") else raw)


def replaced(file: str, old: str, new: str):
    """Replace the first `old` of a table."""

    def spoil(folder):
        raw = (folder / file).read_bytes()
        text = (gzip.decompress(raw) if file.endswith(".gz") else raw).decode()
        assert old in text
        packed(file, text.replace(old, new, 1))(folder)

    return spoil


def array(*shape: int):
    return lambda folder: np.save(folder / "tetranucleotides.npy", np.ones(shape, np.float32))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (replaced("features.json", 'sha256": "', 'sha256": "0'), ["features.json", "12 contigs", "'A1~r0'"]),
        (packed("features.json", "{}"), ["features.json", "contigs_sha256"]),
        (packed("features.json", "[]"), ["features.json"]),
        (packed("features.json", '{"conti'), ["features.json"]),
        (replaced("features.json", '"S1"', '"S7"'), ["features.json", "S1"]),
        (array(11, 136), ["tetranucleotides.npy", "12 contigs", "'A1~r0'"]),
        (array(12, 135), ["tetranucleotides.npy"]),
        (array(12), ["tetranucleotides.npy"]),
        (packed("tetranucleotides.npy", "not an array"), ["tetranucleotides.npy"]),
        (packed("tetranucleotides.npy", ""), ["tetranucleotides.npy"]),
        (replaced("coverage.tsv.gz", "A1~s1", "zz"), ["coverage.tsv.gz", "'zz'"]),
        (replaced("coverage.tsv.gz", "\nA1~s1", "\nA1~s0\t1\t1\nA1~s1"), ["coverage.tsv.gz", "'A1~s0'"]),
        (replaced("coverage.tsv.gz", "A1~s0\t4.0", "A1~s0\tnan"), ["coverage.tsv.gz"]),
        (replaced("coverage.tsv.gz", "A1~s0\t4.0", "A1~s0\tinf"), ["coverage.tsv.gz"]),
        (replaced("coverage.tsv.gz", "A1~s0\t4.0", "A1~s0\t-4.0"), ["coverage.tsv.gz"]),
        (replaced("coverage.tsv.gz", "A1~s0\t4.0", "A1~s0\t"), ["coverage.tsv.gz"]),
        (packed("coverage.tsv.gz", "contig\n" + "\n".join(two_genomes().coverage)), ["coverage.tsv.gz", "no sample"]),
        (replaced("clusters.tsv", "A1~s1\t", "zz\t"), ["clusters.tsv", "'zz'"]),
        (replaced("clusters.tsv", "\tA1~s1\t", "\tA1~s0\t"), ["clusters.tsv", "'A1~s0'"]),
        (packed("clusters.tsv", "cluster\tcontig\n"), ["clusters.tsv", "no column assembly"]),
        (replaced("vertices.tsv.gz", "A1~s1", "A2~r0"), ["vertices.tsv.gz", "'A2~r0'"]),
        (replaced("vertices.tsv.gz", "A1~s1\n", ""), ["edges.tsv.gz", "'A1~s1'", "vertices.tsv.gz"]),
        (replaced("edges.tsv.gz", "A1~s1", "zz"), ["edges.tsv.gz", "'zz'"]),
        (packed("edges.tsv.gz", "contig_1\tcontig\n"), ["edges.tsv.gz", "no column contig_2"]),
        (packed("contigs.tsv", "contig\tassembly\tlength\n"), ["contigs.tsv", "no column name"]),
        (packed("contigs.tsv", "contig\tassembly\tname\tlength\n"), ["contigs.tsv"]),
        (
            packed("contigs.tsv", "contig\tassembly\tname\tlength\nA1~c\tA1\tc\t12.5\n"),
            ["contigs.tsv", "'A1~c'", "'12.5'"],
        ),
    ],
)  # fmt: skip
def test_bad_input(tmp_path, run_refine, spoil, words):
    result = run_refine(tmp_path, two_genomes(), spoil=spoil)[0]
    assert result.exit_code == 1 and result.output.startswith("Error: ") and result.output.count("\n") == 1
    assert [word for word in words if word not in result.output] == []


def edits_of(tables: Tables, rate: float, samples=("S0", "S1")):
    """Return what writes edits.tsv.gz with so many edits per aligned base, ten times as many on r1."""
    rows = [
        "\t".join([contig, *(str(depth * rate * (10 if contig == "A1~r1" else 1)) for depth in depths[: len(samples)])])
        for contig, depths in tables.coverage.items()
    ]
    return packed("edits.tsv.gz", "\n".join(["\t".join(["contig", *samples]), *rows]) + "\n")


def of_one_assembly() -> Tables:
    """Return two_genomes without the contig of another assembly."""
    tables = two_genomes()
    coverage, clusters = ({c: x for c, x in of.items() if c != "A2~r0"} for of in (tables.coverage, tables.clusters))
    return tables._replace(contigs=tables.contigs[:-1], coverage=coverage, clusters=clusters)


WITH_EDITS = FILES | GRAPH | {"edits": "edits.tsv.gz"}


@pytest.mark.parametrize("tables, matters", [(of_one_assembly(), True), (two_genomes(), False)], ids=["one", "two"])
def test_edits_count_where_the_group_has_one_assembly(tmp_path_factory, run_refine, tables, matters):
    """r1 has ten times the edits of the others: reads of relatives, if mismatches are looked at."""

    def refinement(files, spoil=None):
        return run_refine(tmp_path_factory.mktemp("edits"), tables, files=files, spoil=spoil)[2]

    none, some = (refinement(WITH_EDITS, edits_of(tables, rate)) for rate in (0.0, 0.02))
    assert none.equals(refinement(FILES | GRAPH))  # no edits are as no table of them
    assert none.equals(some) != matters


@pytest.mark.parametrize(
    "spoil, words",
    [
        (edits_of(of_one_assembly(), 0.0, ["S0"]), ["edits.tsv.gz", "no sample 'S1'", "coverage.tsv.gz"]),
        (packed("edits.tsv.gz", "contig\tS0\tS1\nA1~s1\t0\t-1\n"), ["edits.tsv.gz", "'A1~s1'", "-1"]),
        (packed("edits.tsv.gz", "contig\tS0\tS1\nzz\t0\t0\n"), ["edits.tsv.gz", "'zz'"]),
    ],
    ids=["sample", "negative", "contig"],
)
def test_edits_of_another_run(tmp_path, run_refine, spoil, words):
    result = run_refine(tmp_path, of_one_assembly(), files=WITH_EDITS, spoil=spoil)[0]
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert [word for word in words if word not in result.output] == []


@pytest.mark.parametrize("half", GRAPH)
def test_half_a_graph(tmp_path, run_refine, half):
    result = run_refine(tmp_path, two_genomes(), files=FILES | {half: GRAPH[half]})[0]
    assert result.exit_code == 2 and "--vertices and --edges, or neither" in result.output


def test_unknown_assembly(tmp_path, run_refine):
    result = run_refine(tmp_path, two_genomes(), "--assembly", "A3")[0]
    assert result.exit_code == 1 and "no contig of assembly 'A3'" in result.output


def test_whole_marker_genes_are_read_each_once(tmp_path):
    """Without cut ones and those of other assemblies; of two families of one gene the first by name."""
    rows = [
        ("b", "TIGR2", 1, 900, "false"), ("b", "COG1", 1, 900, "false"), ("a", "TIGR2", 5, 800, "false"),
        ("a", "COG1", 901, 1500, "true"), ("other", "COG1", 1, 900, "false"), ("a", "COG7", 2000, 2900, "false"),
    ]  # fmt: skip
    lines = [f"{contig}\t{family}\t{start}\t{end}\t50\t1\t{cut}\n" for contig, family, start, end, cut in rows]
    path = tmp_path / "markers.tsv.gz"
    path.write_text("contig\tfamily\tstart\tend\tscore\tcovered\tcut\n" + "".join(lines))
    markers = refine.read_whole_markers(path, pd.Index(["a", "b", "other"]), ["b", "a"])
    # COG1, COG7, TIGR2
    assert sorted(markers.T.tolist()) == [[0, 0], [1, 1], [1, 2]]
    with pytest.raises(click.ClickException, match=r"contig 'other' is not in contigs.tsv"):
        refine.read_whole_markers(path, pd.Index(["a", "b"]), ["b", "a"])
    assert refine.read_whole_markers(None, pd.Index(["a"]), ["a"]).shape == (2, 0)
