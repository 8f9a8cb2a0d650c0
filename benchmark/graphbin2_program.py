#!/usr/bin/env python3
"""Compares Binloom's refinement with GraphBin2 1.3.3 on the same graph and bins, and explains each difference.

In: contigs, graph and paths of metaSPAdes, clusters (contig,cluster or cluster<TAB>contig), coverages (contig and
one column per sample), the truth and score.py of the benchmark, and the Python of the environment that GraphBin2
is installed in. Out: Markdown on stdout; the inputs and results of both programs in --out.

The explanation: graphbin2_steps.py has all that GraphBin2's program does unlike its article. The article's steps
are run again with one of these rules after the other switched on, until they give GraphBin2's labels. A contig
that differs is put down to the rule from which on it agrees; one that never agrees is unexplained.
"""

import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd
import pysam
from graphbin2_steps import (
    BIN,
    GRAPH_RULES,
    RULES,
    STEPS,
    UNLABELLED,
    Contigs,
    Rule,
    pairs,
    read_vertices,
    replay,
    replay_step,
)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TSV = {"sep": "\t", "index": False, "lineterminator": "\n", "quoting": csv.QUOTE_NONE}
STAGES = ("initial", "step1", "step2", "step3", "final")
ASSEMBLY = "assembly"  # its id for Binloom
GRAPHBIN2 = "GraphBin2 1.3.3"
ARTICLE = "Binloom, article"
EVIDENCE = "Binloom, evidence"
# Binloom's refinements: name in the tables -> script in bin/ and what it reads besides the graph and the bins
FEATURES = {"tetranucleotides": "features/tetranucleotides.npy", "features": "features/features.json"}
MODES = {ARTICLE: ("graphbin2.py", {}), EVIDENCE: ("refine.py", FEATURES)}
READ_LENGTH = 150  # bp, of both communities' reads: coverages to numbers of reads

# Runs GraphBin2's command line as it is, in its own environment. At the start of each step it logs a line; a
# handler of its logger then reads the local variables of its function `run`.
DRIVER = """
import json, logging, sys
from graphbin2 import cli

lines = {
    "Removing labels of unsupported vertices": "initial",
    "Refining labels of inconsistent vertices": "step1",
    "Obtaining non isolated contigs": "step2",
    "Determining multi-binned contigs": "step3",
    "fWriting the final binning results to file": "final",
}
states = {}

class Recorder(logging.Handler):
    def emit(self, record):
        stage = lines.get(record.getMessage())
        if stage:
            frame = sys._getframe()
            while frame.f_code.co_name != "run":
                frame = frame.f_back
            found = frame.f_locals
            states[stage] = [list(members) for members in found["bins"]]
            if stage == "initial":
                states["ids"] = found["bins_list"]
                states["contigs"] = [found["contig_names"][v] for v in range(found["node_count"])]
                states["edges"] = found["assembly_graph"].get_edgelist()

logging.getLogger("GraphBin2 " + cli.__version__).addHandler(Recorder())
cli.main.main(sys.argv[1:], standalone_mode=False)
json.dump(states, open("states.json", "w"))
"""


class Usage(NamedTuple):
    cpu: float  # s
    wall: float  # s
    memory: float  # MB, peak


def run(command: Sequence, folder: Path) -> Usage:
    """Runs a command in a folder, its messages in log.txt there. Error if it fails."""
    folder.mkdir(exist_ok=True)
    start = time.perf_counter()
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(list(map(str, command)), cwd=folder, stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise click.ClickException(f"{command[0]} failed; see {folder / 'log.txt'}")
    return Usage(used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024)


def read_clusters(path: Path, contigs: pd.DataFrame) -> pd.Series:
    """Cluster of each contig that has one, as 001, 002, ...: ids that both programs put in the same order."""
    with open(path) as handle:
        separator = "\t" if "\t" in handle.readline() else ","
    table = pd.read_csv(path, sep=separator, header=None, dtype=str, na_filter=False, quoting=csv.QUOTE_NONE)[[0, 1]]
    known = table.isin(set(contigs["contig"]))
    column = known.sum().idxmax()
    unknown = table.index[~known[column]].difference([0])  # the first row may be a header
    if len(unknown):
        raise click.ClickException(f"{path}: {table.loc[unknown[0], column]!r} is not a contig of the FASTA file")
    table = table[known[column]]
    if table[column].duplicated().any():
        twice = table.loc[table[column].duplicated(), column].iloc[0]
        raise click.ClickException(f"{path}: {twice!r} stands in it twice; initial bins must not overlap")
    ids = sorted(set(table[1 - column]), key=lambda cluster: (len(cluster), cluster))
    padded = {cluster: f"{i:0{len(str(len(ids)))}d}" for i, cluster in enumerate(ids, 1)}
    return pd.Series(table[1 - column].map(padded).to_numpy(), index=table[column])


def prepare(files: dict[str, Path], clusters: Path, coverage: Path, min_bin_size: int, out: Path) -> pd.DataFrame:
    """Writes the inputs of both programs to out; the contigs with their clusters."""
    for name, path in files.items():
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as source, open(out / name, "wb") as target:
            shutil.copyfileobj(source, target)
    with pysam.FastxFile(str(out / "contigs.fasta")) as records:
        rows = [(record.name, ASSEMBLY, record.name, len(record.sequence)) for record in records]
    contigs = pd.DataFrame(rows, columns=["contig", "assembly", "name", "length"])
    cluster = read_clusters(clusters, contigs)
    labelled = contigs.assign(cluster=contigs["contig"].map(cluster)).dropna()
    depth = pd.read_csv(coverage, sep="\t").drop(columns="length", errors="ignore")
    contigs.to_csv(out / "contigs.tsv", **TSV)
    labelled[["cluster", "contig", "assembly", "name"]].to_csv(out / "clusters.tsv", **TSV)
    depth.to_csv(out / "coverage.tsv", **TSV)
    large = labelled[labelled.groupby("cluster")["length"].transform("sum") >= min_bin_size]
    large[["contig", "cluster"]].to_csv(out / "bins.csv", index=False, header=False)
    large[["cluster", "contig"]].to_csv(out / "initial.tsv", **TSV)
    sums = depth.set_index("contig").sum(axis=1)  # metaSPAdes: must be given, is not read
    sums.to_csv(out / "abundance.tsv", sep="\t", header=False)
    return contigs


def run_graphbin2(python: Path, out: Path) -> Usage:
    """GraphBin2 with its defaults; its labels also as graphbin2.tsv."""
    inputs = {"graph": "graph.gfa", "contigs": "contigs.fasta", "paths": "contigs.paths"}
    inputs |= {"abundance": "abundance.tsv", "binned": "bins.csv"}
    options = [word for name, file in inputs.items() for word in (f"--{name}", out / file)]
    used = run([python, "-c", DRIVER, "--assembler", "spades", *options, "--output", "./"], out / "graphbin2")
    labels = pd.read_csv(out / "graphbin2/graphbin2_output.csv", header=None, dtype=str)
    labels[[1, 0]].to_csv(out / "graphbin2.tsv", header=False, **TSV)
    return used


def run_graph(out: Path) -> Usage:
    options = ["--assembly", ASSEMBLY, "--assembler", "metaspades", "--contigs", out / "contigs.tsv"]
    command = [sys.executable, BIN / "graph.py", *options, "--graph", out / "graph.gfa"]
    return run([*command, "--paths", out / "contigs.paths"], out / "graph")


def make_features(out: Path) -> None:
    """Tetranucleotides of all contigs, and numbers of reads from the coverages."""
    folder = out / "features"
    run([sys.executable, BIN / "catalogue.py", "--assembly", ASSEMBLY, out / "contigs.fasta"], folder)
    depth = pd.read_csv(out / "coverage.tsv", sep="\t").rename(columns={"contig": "contigname"})
    depth.to_csv(folder / "abundance.tsv", **TSV)
    inputs = {"catalogue": "catalogue.fa.gz", "contigs": "contigs.tsv", "abundance": "abundance.tsv"}
    options = [word for name, file in inputs.items() for word in (f"--{name}", folder / file)]
    run([sys.executable, BIN / "features.py", *options], folder)
    length = pd.read_csv(folder / "contigs.tsv", sep="\t").set_index("contig")["length"]
    bases = depth.set_index("contigname").mul(length, axis=0).sum()
    about = json.loads((folder / "features.json").read_text())
    about["mapped_reads"] = (bases / READ_LENGTH).round().astype(int).to_dict()
    (folder / "features.json").write_text(json.dumps(about))


def run_binloom(mode: str, min_bin_size: int, out: Path) -> tuple[Usage, Path]:
    """Time of a refinement of Binloom, and its folder."""
    script, own = MODES[mode]
    folder = out / re.sub(r"\W+", "_", mode).lower()
    inputs = {"vertices": "graph/vertices.tsv.gz", "edges": "graph/edges.tsv.gz", "contigs": "contigs.tsv"}
    inputs |= {"clusters": "clusters.tsv", "coverage": "coverage.tsv"} | own
    options = [word for name, file in inputs.items() for word in (f"--{name}", out / file)]
    options += ["--assembly", ASSEMBLY, "--min_bin_size", min_bin_size]
    return run([sys.executable, BIN / script, *options], folder), folder


def read_states(out: Path) -> dict:
    """What the driver wrote. The labels of each stage: per vertex a number, UNLABELLED for none; a set for final."""
    states = json.loads((out / "graphbin2/states.json").read_text())
    for stage in STAGES:
        labels: list[set[int]] = [set() for _ in states["contigs"]]
        for label, members in enumerate(states[stage]):
            for v in members:
                labels[v].add(label)
        states[stage] = [frozenset(own) if stage == "final" else min(own, default=UNLABELLED) for own in labels]
    return states


def read_refinement(path: Path, names: list[str], ids: list[str]) -> dict[str, list]:
    """Binloom's labels of each stage, in the same form."""
    table = pd.read_csv(path, sep="\t", dtype=str, na_filter=False, quoting=csv.QUOTE_NONE).set_index("name").loc[names]
    number = {"": UNLABELLED, **{label: i for i, label in enumerate(ids)}}
    stages: dict[str, list] = {stage: table[stage].map(number).tolist() for stage in STAGES[:-1]}
    final = (frozenset(number[label] for label in labels.split(",")) for labels in table["final"])
    return stages | {"final": [labels - {UNLABELLED} for labels in final]}


def by_cause(rules: Sequence[Rule], outputs: list[Sequence], theirs: Sequence) -> dict[str, list[int]]:
    """The vertices that differ from theirs under no rule, by the rule from which on they agree; outputs are under
    the first 0, 1, ... of the rules."""
    causes: dict[str, list[int]] = {key: [] for key in [*(rule.key for rule in rules), "unexplained"]}
    for v, label in enumerate(theirs):
        differs = [k for k, output in enumerate(outputs) if output[v] != label]
        if differs and differs[0] == 0:
            causes[list(causes)[differs[-1]]].append(v)
    return causes


def markdown(title: str, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    click.echo(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        click.echo(f"| {' | '.join(map(str, row))} |")


def print_times(graphbin2: Usage, graph: Usage, refinements: dict[str, Usage]) -> None:
    def row(name: str, used: Usage) -> list:
        ratios = [f"{graphbin2.cpu / used.cpu:.1f}", f"{graphbin2.wall / used.wall:.1f}"]
        return [name, f"{used.cpu:.1f}", f"{used.wall:.1f}", f"{used.memory:.0f}", *ratios]

    both = {
        f"{mode}, with graph.py": Usage(graph.cpu + used.cpu, graph.wall + used.wall, max(graph.memory, used.memory))
        for mode, used in refinements.items()
    }
    rows = {GRAPHBIN2: graphbin2, "graph.py": graph, **refinements, **both}
    columns = ["program", "CPU, s", "wall, s", "peak memory, MB", "times faster, CPU", "times faster, wall"]
    markdown("Time", columns, (row(name, used) for name, used in rows.items()))


def print_scores(score: Path, truth: Path, min_bin_size: int, results: dict[str, Path]) -> None:
    """Precision and recall by base are what score.py calls weighted purity and completeness."""
    pattern = r"bins (\d+) binned_bp_frac (\S+)(?s:.*) R0\.90=(\d+)(?s:.*)weighted purity (\S+) completeness (\S+)"
    rows = []
    for name, path in results.items():
        command = [sys.executable, score, truth, path, str(min_bin_size)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        bins, binned, genomes, purity, completeness = re.search(pattern, said).groups()
        rows.append([name, bins, genomes, purity, completeness, binned])
    columns = ["bins", "n", "genomes at 0.9/0.9", "precision by base", "recall by base", "bases binned"]
    markdown("Against the truth", columns, rows)


def print_agreement(ours: dict[str, list], theirs: dict[str, list], length: np.ndarray) -> None:
    rows = []
    for stage in STAGES:
        a, b = ours[stage], theirs[stage]
        none = frozenset() if stage == "final" else UNLABELLED
        either = np.array([x != none or y != none for x, y in zip(a, b)])
        same = np.array([x == y for x, y in zip(a, b)])
        shares = [same[either].mean(), (length * same)[either].sum() / length[either].sum(), same.mean()]
        rows.append([stage, sum(x != none for x in a), sum(x != none for x in b), *(f"{x:.4f}" for x in shares)])
    columns = ["after", "labelled by Binloom", "by GraphBin2", "agree, of contigs either labels", "of their bases"]
    markdown("Agreement per step, article mode", [*columns, "agree, of all contigs"], rows)


def print_edges(contigs: Contigs, theirs: set[tuple[int, int]]) -> None:
    found = [pairs(contigs, frozenset(GRAPH_RULES[:k])) for k in range(len(GRAPH_RULES) + 1)]
    texts = [rule.text for rule in RULES if rule.key in GRAPH_RULES]
    rows = [["Binloom's edges", "", "", len(found[0])]]
    rows += [[text, len(a - b), len(b - a), len(b)] for text, a, b in zip(texts, found, found[1:])]
    rows.append(["unexplained", len(found[-1] - theirs), len(theirs - found[-1]), len(theirs)])
    markdown("The contig graph (loops count as edges)", ["rule of GraphBin2", "lost", "gained", "edges"], rows)


def print_causes(title: str, causes: list[dict[str, list[int]]], length: np.ndarray) -> None:
    def cell(found: list[int] | None) -> str:
        return "" if found is None else f"{len(found)} ({length[found].sum() / 1000:.0f})"

    texts = {rule.key: rule.text for rule in RULES} | {"unexplained": "unexplained"}
    acting = {key: text for key, text in texts.items() if any(key in step for step in causes)}
    rows = [[text, *(cell(step.get(key)) for step in causes)] for key, text in acting.items()]
    rows.append(["all", *(cell(sum(step.values(), [])) for step in causes)])
    steps = [f"step {number}" for number in range(1, len(STEPS) + 1)]
    markdown(title, ["rule of GraphBin2", *steps], rows)


@click.command(context_settings={"show_default": True})
@click.option("--graphbin2_python", required=True, type=FILE, help="Python that has GraphBin2 1.3.3 installed.")
@click.option("--contigs", required=True, type=FILE)
@click.option("--graph", required=True, type=FILE)
@click.option("--paths", required=True, type=FILE, help="contigs.paths.")
@click.option("--clusters", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option("--truth", required=True, type=FILE, help="contig, genome, length; for score.py.")
@click.option("--score", required=True, type=FILE, help="score.py of the benchmark.")
@click.option("--min_bin_size", default=200_000, type=click.IntRange(min=0), help="Bins below it (bp) are no labels.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def main(
    graphbin2_python: Path,
    contigs: Path,
    graph: Path,
    paths: Path,
    clusters: Path,
    coverage: Path,
    truth: Path,
    score: Path,
    min_bin_size: int,
    out: Path,
) -> None:
    """Compare Binloom's refinement with GraphBin2 1.3.3 and explain each difference."""
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    files = {"contigs.fasta": contigs, "graph.gfa": graph, "contigs.paths": paths}
    prepare(files, clusters, coverage, min_bin_size, out)
    make_features(out)
    graphbin2_used, graph_used = run_graphbin2(graphbin2_python.absolute(), out), run_graph(out)
    runs = {mode: run_binloom(mode, min_bin_size, out) for mode in MODES}
    print_times(graphbin2_used, graph_used, {mode: used for mode, (used, _) in runs.items()})
    results = {"initial": out / "initial.tsv", GRAPHBIN2: out / "graphbin2.tsv"}
    results |= {mode: folder / "contig2bin.tsv" for mode, (_, folder) in runs.items()}
    print_scores(score, truth, min_bin_size, results)

    states = read_states(out)
    known = read_vertices(out, states["contigs"])
    ours = read_refinement(runs[ARTICLE][1] / "refinement.tsv", known.names, states["ids"])
    print_agreement(ours, states, known.length)
    print_edges(known, {(min(edge), max(edge)) for edge in states["edges"]})
    theirs = [states[stage] for stage in STAGES]
    outputs = replay(known, theirs[0])
    if [step[0] for step in outputs] != [ours[stage] for stage in STAGES[1:]]:
        problem = f"the article's steps, run again, do not give what bin/{MODES[ARTICLE][0]} gave"
        raise click.ClickException(f"{out}: {problem}; empty the folder and run this again")
    causes = [by_cause(RULES, output, labels) for output, labels in zip(outputs, theirs[1:])]
    print_causes("Causes, from the initial bins on: contigs (kbp)", causes, known.length)
    alone = [replay_step(known, theirs[number - 1], number) for number in range(1, len(STEPS) + 1)]
    causes = [by_cause(rules, output, labels) for (rules, output), labels in zip(alone, theirs[1:])]
    title = "Causes, each step on its own, from GraphBin2's labels before it, graph and coverage: contigs (kbp)"
    print_causes(title, causes, known.length)


if __name__ == "__main__":
    main()
