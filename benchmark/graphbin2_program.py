#!/usr/bin/env python3
"""Compare Binloom's refinement with the program GraphBin2 1.3.3 on the same graph and bins; explain the differences.

In: contigs, graph and paths of metaSPAdes, clusters (contig,cluster or cluster<TAB>contig), coverages (contig and
one column per sample), the truth, and the Python of the environment that GraphBin2 is installed in. Out: tables on
stdout as Markdown and, with --tables, as graphbin2_*.tsv in that folder; the inputs and results of both in --out.

The explanation: graphbin2_steps.py has every rule in which the program differs from its article. The article's steps
run again with more and more of these rules switched on, until they give the labels of the program. A contig whose
labels differ counts under the rule from which on they agree; a contig that never agrees is unexplained.
"""

import csv
import gzip
import itertools
import json
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

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
from measured_runs import Usage, run
from result_tables import FILE, ResultTable
from score import MIN_BIN_SIZE, read_bins, read_truth, score_bins

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


def read_clusters(path: Path, contigs: pd.DataFrame) -> pd.Series:
    """Return the cluster of each contig that has one, as 001, 002, ...: both programs put these in the same order."""
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
    """Write the inputs of both programs to `out`; return the contigs with their clusters."""
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
    """Run GraphBin2 with its defaults and write its labels to graphbin2.tsv."""
    inputs = {"graph": "graph.gfa", "contigs": "contigs.fasta", "paths": "contigs.paths"}
    inputs |= {"abundance": "abundance.tsv", "binned": "bins.csv"}
    options = [word for name, file in inputs.items() for word in (f"--{name}", out / file)]
    used = run([python, "-c", DRIVER, "--assembler", "spades", *options, "--output", "./"], out / "graphbin2")
    labels = pd.read_csv(out / "graphbin2/graphbin2_output.csv", header=None, dtype=str)
    labels[[1, 0]].to_csv(out / "graphbin2.tsv", header=False, **TSV)
    return used


def run_graph(out: Path) -> Usage:
    """Make the contig graph with graph.py."""
    options = ["--assembly", ASSEMBLY, "--assembler", "metaspades", "--contigs", out / "contigs.tsv"]
    command = [sys.executable, BIN / "graph.py", *options, "--graph", out / "graph.gfa"]
    return run([*command, "--paths", out / "contigs.paths"], out / "graph")


def make_features(out: Path) -> None:
    """Make the tetranucleotides of all contigs, and numbers of reads from the coverages."""
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
    """Run a refinement of Binloom; return what it used and its folder."""
    script, own = MODES[mode]
    folder = out / re.sub(r"\W+", "_", mode).lower()
    inputs = {"vertices": "graph/vertices.tsv.gz", "edges": "graph/edges.tsv.gz", "contigs": "contigs.tsv"}
    inputs |= {"clusters": "clusters.tsv", "coverage": "coverage.tsv"} | own
    options = [word for name, file in inputs.items() for word in (f"--{name}", out / file)]
    options += ["--assembly", ASSEMBLY, "--min_bin_size", min_bin_size]
    return run([sys.executable, BIN / script, *options], folder), folder


def read_states(out: Path) -> dict:
    """Return what the driver wrote. Labels of a stage: a number per vertex, UNLABELLED for none; a set for final."""
    states = json.loads((out / "graphbin2/states.json").read_text())
    for stage in STAGES:
        labels: list[set[int]] = [set() for _ in states["contigs"]]
        for label, members in enumerate(states[stage]):
            for v in members:
                labels[v].add(label)
        states[stage] = [frozenset(own) if stage == "final" else min(own, default=UNLABELLED) for own in labels]
    return states


def read_refinement(path: Path, names: list[str], ids: list[str]) -> dict[str, list]:
    """Return Binloom's labels of each stage, in the same form."""
    table = pd.read_csv(path, sep="\t", dtype=str, na_filter=False, quoting=csv.QUOTE_NONE).set_index("name").loc[names]
    number = {"": UNLABELLED, **{label: i for i, label in enumerate(ids)}}
    stages: dict[str, list] = {stage: table[stage].map(number).tolist() for stage in STAGES[:-1]}
    final = (frozenset(number[label] for label in labels.split(",")) for labels in table["final"])
    return stages | {"final": [labels - {UNLABELLED} for labels in final]}


def by_cause(rules: Sequence[Rule], outputs: list[Sequence], theirs: Sequence) -> dict[str, list[int]]:
    """Return the vertices that differ from `theirs` under no rule, by the rule from which on they agree.

    outputs: the labels under the first 0, 1, ... of the rules.
    """
    causes: dict[str, list[int]] = {key: [] for key in [*(rule.key for rule in rules), "unexplained"]}
    for v, label in enumerate(theirs):
        differs = [k for k, output in enumerate(outputs) if output[v] != label]
        if differs and differs[0] == 0:
            causes[list(causes)[differs[-1]]].append(v)
    return causes


class Tables:
    """The tables of one comparison; all have the name of the set in their first column."""

    def __init__(self, folder: Path | None, set_name: str) -> None:
        self.folder, self.set_name = folder, set_name

    def show(self, title: str, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Print a table under its title and put it into graphbin2_NAME.tsv; its second column is the key."""
        click.echo(f"\n### {title}")
        table = None
        for row in rows:
            key = ("set", next(iter(row)))
            table = table or ResultTable(self.folder and self.folder / f"graphbin2_{name}.tsv", key)
            table.add({"set": self.set_name, **row})


def time_rows(graphbin2: Usage, graph: Usage, refinements: dict[str, Usage]) -> Iterable[dict[str, str]]:
    """Yield time and memory of each program, and of Binloom's refinements together with graph.py."""
    both = {
        f"{mode}, with graph.py": Usage(graph.cpu + used.cpu, graph.wall + used.wall, max(graph.memory, used.memory))
        for mode, used in refinements.items()
    }
    for name, used in {GRAPHBIN2: graphbin2, "graph.py": graph, **refinements, **both}.items():
        usage = {"cpu_s": f"{used.cpu:.1f}", "wall_s": f"{used.wall:.1f}", "peak_mb": f"{used.memory:.0f}"}
        ratios = {"faster_cpu": f"{graphbin2.cpu / used.cpu:.1f}", "faster_wall": f"{graphbin2.wall / used.wall:.1f}"}
        yield {"program": name, **usage, **ratios}


def score_rows(truth_file: Path, min_bin_size: int, results: dict[str, Path]) -> Iterable[dict[str, object]]:
    """Yield the scores of the bins; precision and recall by base are weighted purity and completeness."""
    truth = read_truth(truth_file)
    for name, path in results.items():
        found = score_bins(read_bins(path, truth), truth, min_bin_size)
        shares = {"precision": found.purity, "recall": found.completeness, "binned": found.binned}
        yield {
            "bins": name, "n": found.bins, "genomes": found.genomes[0.9],
            **{column: f"{value:.4f}" for column, value in shares.items()},
        }  # fmt: skip


def agreement_rows(ours: dict[str, list], theirs: dict[str, list], length: np.ndarray) -> Iterable[dict[str, object]]:
    """Yield how many contigs have the same label after each step, of all and of those that either program labels."""
    for stage in STAGES:
        a, b = ours[stage], theirs[stage]
        none = frozenset() if stage == "final" else UNLABELLED
        either = np.array([x != none or y != none for x, y in zip(a, b)])
        same = np.array([x == y for x, y in zip(a, b)])
        labelled = {"binloom": sum(x != none for x in a), "graphbin2": sum(x != none for x in b)}
        shares = {
            "agree_of_labelled": same[either].mean(),
            "agree_of_their_bases": (length * same)[either].sum() / length[either].sum(),
            "agree_of_all": same.mean(),
        }
        yield {"after": stage, **labelled, **{name: f"{share:.4f}" for name, share in shares.items()}}


def edge_rows(contigs: Contigs, theirs: set[tuple[int, int]]) -> Iterable[dict[str, object]]:
    """Yield the edges that each rule of the graph loses and gains."""
    found = [pairs(contigs, frozenset(GRAPH_RULES[:k])) for k in range(len(GRAPH_RULES) + 1)]
    texts = [rule.text for rule in RULES if rule.key in GRAPH_RULES]
    yield {"rule": "Binloom's edges", "lost": "", "gained": "", "edges": len(found[0])}
    for text, a, b in zip(texts, found, found[1:]):
        yield {"rule": text, "lost": len(a - b), "gained": len(b - a), "edges": len(b)}
    last = found[-1]
    yield {"rule": "unexplained", "lost": len(last - theirs), "gained": len(theirs - last), "edges": len(theirs)}


def cause_rows(causes: list[dict[str, list[int]]], length: np.ndarray) -> Iterable[dict[str, object]]:
    """Yield the contigs, and their kbp, that differ after each step by the rule that explains them."""

    def cells(found_of_step: Iterable[list[int] | None]) -> dict[str, object]:
        row: dict[str, object] = {}
        for number, found in enumerate(found_of_step, 1):
            kbp = "" if found is None else f"{length[found].sum() / 1000:.0f}"
            row |= {f"step_{number}": "" if found is None else len(found), f"step_{number}_kbp": kbp}
        return row

    texts = {rule.key: rule.text for rule in RULES} | {"unexplained": "unexplained"}
    for key, text in texts.items():
        if any(key in step for step in causes):
            yield {"rule": text, **cells(step.get(key) for step in causes)}
    yield {"rule": "all", **cells(list(itertools.chain.from_iterable(step.values())) for step in causes)}


@click.command(context_settings={"show_default": True})
@click.option("--graphbin2_python", required=True, type=FILE, help="Python that has GraphBin2 1.3.3 installed.")
@click.option("--contigs", required=True, type=FILE)
@click.option("--graph", required=True, type=FILE)
@click.option("--paths", required=True, type=FILE, help="contigs.paths.")
@click.option("--clusters", required=True, type=FILE)
@click.option("--coverage", required=True, type=FILE)
@click.option("--truth", required=True, type=FILE, help="contig, genome, length.")
@click.option(
    "--min_bin_size", default=MIN_BIN_SIZE, type=click.IntRange(min=0), help="Bins below it (bp) are no labels."
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--set", "set_name", default="", help="Name of the set in the tables.")
@click.option("--tables", type=click.Path(file_okay=False, path_type=Path), help="Folder for graphbin2_*.tsv.")
def main(
    graphbin2_python: Path, contigs: Path, graph: Path, paths: Path, clusters: Path, coverage: Path, truth: Path,
    min_bin_size: int, out: Path, set_name: str, tables: Path | None,
) -> None:  # fmt: skip
    """Compare Binloom's refinement with GraphBin2 1.3.3 and explain each difference."""
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    shown = Tables(tables, set_name)
    files = {"contigs.fasta": contigs, "graph.gfa": graph, "contigs.paths": paths}
    prepare(files, clusters, coverage, min_bin_size, out)
    make_features(out)
    graphbin2_used, graph_used = run_graphbin2(graphbin2_python.absolute(), out), run_graph(out)
    runs = {mode: run_binloom(mode, min_bin_size, out) for mode in MODES}
    used = {mode: usage for mode, (usage, _) in runs.items()}
    shown.show("Time", "time", time_rows(graphbin2_used, graph_used, used))
    results = {"initial": out / "initial.tsv", GRAPHBIN2: out / "graphbin2.tsv"}
    results |= {mode: folder / "contig2bin.tsv" for mode, (_, folder) in runs.items()}
    shown.show("Against the truth", "score", score_rows(truth, min_bin_size, results))
    explain(out, runs[ARTICLE][1], shown)


def explain(out: Path, article: Path, shown: Tables) -> None:
    """Show how the labels of both programs agree, and which rule of GraphBin2 explains each difference."""
    states = read_states(out)
    known = read_vertices(out, states["contigs"])
    ours = read_refinement(article / "refinement.tsv", known.names, states["ids"])
    rows = agreement_rows(ours, states, known.length)
    shown.show("Agreement per step, article mode", "agreement", rows)
    edges = {(min(edge), max(edge)) for edge in states["edges"]}
    shown.show("The contig graph (loops count as edges)", "edges", edge_rows(known, edges))
    theirs = [states[stage] for stage in STAGES]
    outputs = replay(known, theirs[0])
    if [step[0] for step in outputs] != [ours[stage] for stage in STAGES[1:]]:
        problem = f"the article's steps, run again, do not give what bin/{MODES[ARTICLE][0]} gave"
        raise click.ClickException(f"{out}: {problem}; empty the folder and run this again")
    causes = [by_cause(RULES, output, labels) for output, labels in zip(outputs, theirs[1:])]
    title = "Causes, from the initial bins on: contigs, kbp"
    shown.show(title, "causes", cause_rows(causes, known.length))
    alone = [replay_step(known, theirs[number - 1], number) for number in range(1, len(STEPS) + 1)]
    causes = [by_cause(rules, output, labels) for (rules, output), labels in zip(alone, theirs[1:])]
    title = "Causes, each step on its own, from GraphBin2's labels before it, graph and coverage: contigs, kbp"
    shown.show(title, "causes_alone", cause_rows(causes, known.length))


if __name__ == "__main__":
    main()
