#!/usr/bin/env python3
"""Fuzz the parsers of bin/ by coverage: atheris changes raw bytes towards lines of code that no input has reached.

What counts as a problem is what `fuzz_readers.py` says: any outcome but what a naive reader finds, or one refusal. The
first inputs are made by its generators. atheris is a developer's tool: `pip install -r
benchmark/requirements.txt`, into an environment that has the packages of the pipeline, too. Parsers of libraries
(BAM by htslib, arrays by numpy, checkpoints by PyTorch) are left to the generators. `--keep FOLDER` keeps the first
input of every problem.
"""

import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click

from fuzzing import FOLDER, OUTCOMES, Case, Hang, limit_memory, problem_of, read_case
from project import BIN
from result_tables import ResultTable, tsv_option

try:
    import atheris
except ImportError:
    atheris = None

PARSERS = ("assembly_graph", "catalogue", "catalogue_fasta", "fastq_reads", "graph", "graph_checks", "mapper_index",
           "sheet_checks", "sheets", "stage_arrays", "stage_tables", "table_bytes", "validate")  # fmt: skip
sys.path.insert(0, str(BIN))
# The lines of the parsers are counted if they are imported here first.
with atheris.instrument_imports(include=PARSERS) if atheris else nullcontext():
    import fuzz_graph
    import fuzz_indexes
    import fuzz_sequences
    import fuzz_sheets
    import fuzz_tables

MAX_BYTES = 8192  # of an input
N_SEEDS = 300  # inputs of the generator that atheris begins with
INPUT_SECONDS = 20
SECONDS_TO_START = 120  # beyond the time of a run
GRAPH_NAMES = {"k141_0": 9, "1": 9, "c_0": 9, "contig-0": 9, "s0": 9, "a": 4}
PATH_TABLES = {"metaspades": b"S\t1\t*\nS\t2\t*\nL\t1\t+\t2\t+\t0M\n", "metaflye": b"S\tedge_1\t*\nS\tedge_2\t*\n"}
ASSEMBLERS = ("gfa", "megahit", "sga", *PATH_TABLES)


def chosen(choices: list, raw: bytes) -> tuple[object, bytes]:
    """Return one of some choices, as the first byte says, and the other bytes."""
    return choices[raw[0] % len(choices) if raw else 0], raw[1:]


def table_case(raw: bytes) -> Case:
    """Return a table of the schema that the first byte names."""
    table, text = chosen(fuzz_tables.TABLES, raw)
    return fuzz_tables.table_case("bytes", table, text)


def description_case(raw: bytes) -> Case:
    """Return a description of the kind that the first byte names."""
    description, text = chosen(fuzz_tables.DESCRIPTIONS, raw)
    return fuzz_tables.description_case("bytes", description, text)


def sheet_case(raw: bytes) -> Case:
    """Return both sheets; the first byte says which of them the others are."""
    option, text = chosen(list(fuzz_sheets.SCHEMAS), raw)
    whole = {"input": b"sample,group,bam\nS,G,b.bam\n", "assembly_input": b"id,group,assembler,fasta\nA,G,sga,a.fa\n"}
    return fuzz_sheets.sheets_case("bytes", whole | {option: text}, {})


def graph_case(raw: bytes) -> Case:
    """Return a graph, or a table of paths for a graph, of the assembler that the first byte names."""
    assembler, text = chosen(ASSEMBLERS, raw)
    names = fuzz_graph.FILES
    files = dict(zip(names, (PATH_TABLES[assembler], text) if assembler in PATH_TABLES else (text,)))
    return fuzz_graph.graph_case("bytes", fuzz_graph.Graph(assembler, [], GRAPH_NAMES, (set(), set(), 0)), [files])


def index_case(raw: bytes) -> Case:
    """Return an index of minimap2."""
    return fuzz_indexes.index_case("bytes", raw, [])


def seeds_of(generate: Callable[[random.Random], Case], n_kinds: int) -> Callable[[random.Random], bytes]:
    """Return a maker of first inputs: the last file of a generated input, behind a byte that names its kind."""

    def seeds(rng: random.Random) -> bytes:
        *_, raw = generate(rng).files.values()
        return (bytes([rng.randrange(n_kinds)]) if n_kinds else b"") + raw[:MAX_BYTES]

    return seeds


def fasta_case(raw: bytes) -> Case:
    """Return the FASTA of one assembly."""
    return fuzz_sequences.fasta_case("bytes", {"A": raw})


def fastq_case(raw: bytes) -> Case:
    """Return the reads of a sample in one file."""
    return fuzz_sequences.fastq_case("bytes", [raw])


TARGETS = {
    "fasta": (fasta_case, seeds_of(fuzz_sequences.generate_fasta, 0)),
    "fastq": (fastq_case, seeds_of(fuzz_sequences.generate_fastq, 0)),
    "tables": (table_case, seeds_of(fuzz_tables.generate_table, len(fuzz_tables.TABLES))),
    "descriptions": (description_case, seeds_of(fuzz_tables.generate_description, len(fuzz_tables.DESCRIPTIONS))),
    "sheets": (sheet_case, seeds_of(fuzz_sheets.generate_sheets, len(fuzz_sheets.SCHEMAS))),
    "graph": (graph_case, seeds_of(fuzz_graph.generate, len(ASSEMBLERS))),
    "index": (index_case, seeds_of(fuzz_indexes.generate, 0)),
}


class Target:
    """What atheris calls with each input of a reader; it writes what came out when the time is over, and ends there."""

    def __init__(self, reader: str, seconds: float, folder: Path) -> None:
        self.make_case, _ = TARGETS[reader]
        self.end, self.folder = time.monotonic() + seconds, folder
        self.tried: Counter = Counter()
        self.problems: dict[str, str] = {}

    def __call__(self, raw: bytes) -> None:
        """Read an input; note its outcome."""
        try:
            outcome = read_case(self.make_case(raw), INPUT_SECONDS, self.folder)
        except (Exception, Hang) as error:
            outcome, problem = "problem", problem_of(error)
            where = problem.partition(":")[0]
            if where not in self.problems:
                self.problems[where] = problem
                (self.folder / f"problem_{len(self.problems)}").write_bytes(raw)
        self.tried[outcome] += 1
        if time.monotonic() > self.end:
            self.finish()

    def finish(self) -> None:
        """Write the outcomes and end the process, since libFuzzer never returns."""
        (self.folder / "result.json").write_text(json.dumps({"tried": self.tried, "problems": self.problems}))
        os._exit(0)


def work(reader: str, seconds: float, seed: int, folder: Path) -> None:
    """Fuzz one reader in this process."""
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    os.chdir(folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    rng = random.Random(f"{reader} {seed}")
    for i in range(N_SEEDS):
        (corpus / str(i)).write_bytes(TARGETS[reader][1](rng))
    limit_memory()
    options = [f"-max_len={MAX_BYTES}", f"-seed={seed}", "-timeout=0", "-handle_alrm=0", "-rss_limit_mb=0"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], Target(reader, seconds, folder))
    atheris.Fuzz()


def fuzz(seconds: float, seed: int, keep: Path | None, reader: str) -> tuple[str, dict]:
    """Fuzz one reader in a process of its own; return its name and what came out."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        process = multiprocessing.Process(target=work, args=(reader, seconds, seed, Path(folder)))
        process.start()
        process.join(seconds + SECONDS_TO_START)
        process.kill()
        process.join()
        for path in sorted(Path(folder).glob("problem_*")) if keep else ():
            (keep / f"{reader}_{path.name}").write_bytes(path.read_bytes())
        result = Path(folder) / "result.json"
        if result.exists():
            return reader, json.loads(result.read_text())
        return reader, {"tried": {"problem": 1}, "problems": {"dies": f"dies or hangs, status {process.exitcode}"}}


@click.command(context_settings={"show_default": True})
@click.option("--reader", "readers", multiple=True, type=click.Choice(list(TARGETS)), help="Without it, all.")
@click.option("--seconds", default=60.0, type=click.FloatRange(min=0), help="Of each reader.")
@click.option("--run", default="", help="A name of this run, for the table.")
@click.option("--seed", default=1, type=click.IntRange(min=1))
@click.option("--processes", default=2, type=click.IntRange(min=1))
@click.option("--keep", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder for problems.")
@tsv_option
def main(
    readers: tuple[str, ...], seconds: float, run: str, seed: int, processes: int, keep: Path | None, tsv: Path | None
) -> None:
    """Fuzz the parsers of bin/ by atheris; print what was tried and the first input of every problem."""
    if atheris is None:
        raise click.ClickException("atheris is not installed: pip install -r benchmark/requirements.txt")
    table = ResultTable(tsv, ("run", "fuzzer", "reader"))
    problems = []
    with ThreadPoolExecutor(processes) as pool:
        for reader, result in pool.map(partial(fuzz, seconds, seed, keep), readers or TARGETS):
            counts = {name: result["tried"].get(name, 0) for name in OUTCOMES}
            row = {"run": run, "fuzzer": "atheris", "reader": reader, "seconds": f"{seconds:g}"}
            table.add(
                {**row, "inputs": sum(counts.values()), "whole": 0, **counts, "findings": len(result["problems"])}
            )
            problems += [f"{reader}: {problem}" for problem in result["problems"].values()]
    for problem in problems:
        click.echo(problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
