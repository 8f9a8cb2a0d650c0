#!/usr/bin/env python3
"""Measure what Nextflow and the pipeline's own wiring take where a group has many samples.

Each sample is a link to the bundled reads, and the tasks are stubs that make empty files: what is left is what a run
costs besides its work. Afterwards the scripts that Nextflow wrote for MAP_READS (.command.run: staging, stub, versions
of the tools) run again without Nextflow, as many at a time. What the run took beyond that is of Nextflow and of the
dozen other stages. With --start_at counts the counts of all samples come from a former run, drawn from the bundled
ones, nothing is mapped, and every stage behind does its real work.

Out: a row for each number of samples: seconds of the run (per sample, of MAP_READS alone, and beyond it) and of the
same run with -resume; the same as seconds of the processor, which other work on the machine changes little; and of
MAP_READS how many inputs are links, and the bytes of those that are not.
"""

import gzip
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd

from fault_runs import DATA, QUICK, Ended, fresh, run, task_folders
from result_tables import FOLDER, ResultTable, tsv_option

HEADER = "sample,group,fastq_1,fastq_2,bam,platform"
BUNDLED = ("S1", "S2", "S3")
AT_ONCE = 2  # tasks; the test profile has two cores
# A stub needs no more than this, so that tasks wait for a core and not for memory that nobody uses.
CONFIG = "process { withName: 'MAP_READS' { cpus = 1; memory = 100.MB } }\n"


def write_sheet(folder: Path, n_samples: int) -> Path:
    """Write a sheet of samples whose reads are links to those of the bundled samples; return its path."""
    (folder / "reads").mkdir()
    lines = [HEADER]
    for number in range(n_samples):
        reads = [f"reads/s{number:04}_{mate}.fastq.gz" for mate in (1, 2)]
        for mate, name in zip((1, 2), reads, strict=True):
            (folder / name).symlink_to(DATA / f"{BUNDLED[number % len(BUNDLED)]}_{mate}.fastq.gz")
        lines.append(f"s{number:04},co,{reads[0]},{reads[1]},,illumina")
    sheet = folder / "samples.csv"
    sheet.write_text("\n".join(lines) + "\n")
    return sheet


def write_former(folder: Path, bundled: Path, n_samples: int) -> Path:
    """Write results of a former run: the bundled run's counts in as many samples, drawn anew. Return their folder."""
    rng, group = np.random.default_rng(1), folder / "former" / "co"
    (group / "abundance").mkdir(parents=True)
    (group / "catalogue").symlink_to(bundled / "co" / "catalogue")
    known = [pd.read_csv(bundled / "co" / "abundance" / f"{name}.counts.tsv.gz", sep="\t") for name in BUNDLED]
    for number in range(n_samples):
        name, source = f"s{number:04}", bundled / "co" / "abundance" / BUNDLED[number % len(BUNDLED)]
        counts = known[number % len(BUNDLED)].assign(sample=name)
        drawn = rng.poisson(counts["reads"] * rng.uniform(0.5, 2))
        times = drawn / counts["reads"].clip(lower=1)
        counts["coverage"] *= times
        counts["edits"] *= times
        counts["reads"] = drawn
        mapping = pd.read_csv(f"{source}.mapping.tsv", sep="\t").assign(sample=name)
        with gzip.open(group / "abundance" / f"{name}.counts.tsv.gz", "wt", compresslevel=1) as out:
            counts.to_csv(out, sep="\t", index=False)
        mapping.to_csv(group / "abundance" / f"{name}.mapping.tsv", sep="\t", index=False)
        (group / "abundance" / f"{name}.pairs.tsv.gz").symlink_to(f"{source}.pairs.tsv.gz")
    return folder / "former"


class Took(NamedTuple):
    """What something took, in seconds."""

    wall: float
    cpu: float  # of all processors together


@contextmanager
def taking() -> Iterator[list[Took]]:
    """Put what the processes that the body starts and waits for take into the list that it gets."""
    took, began, before = [], time.perf_counter(), os.times()
    yield took
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    took.append(Took(time.perf_counter() - began, cpu))


def checked_run(launch: Path, *arguments: object) -> tuple[Ended, Took]:
    """Run the pipeline; return the run and what it took. Raise ClickException with its last line if it fails."""
    with taking() as took:
        ended = run(launch, *arguments, config=CONFIG)
    if ended.status:
        raise click.ClickException(f"the run in {ended.launch} fails: {ended.last_line}")
    return ended, took[0]


def staged(folders: Sequence[Path]) -> tuple[int, int]:
    """Return how many inputs of MAP_READS are links, and the bytes of contigs and indexes that are none."""
    links = sum(path.is_symlink() for folder in folders for path in folder.rglob("*"))
    inputs = [folder / name for folder in folders for name in ("contigs.tsv", "index")]
    copied = [path for given in inputs if not given.is_symlink() for path in (given, *given.rglob("*"))]
    return links, sum(path.stat().st_size for path in copied if path.is_file())


def without_nextflow(folders: Sequence[Path]) -> Took:
    """Run the scripts that Nextflow wrote for the tasks once more, some at a time; return what that takes."""

    def start(folder: Path) -> None:
        command = ["bash", ".command.run"]
        subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=True)

    with taking() as took, ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(start, folders))
    return took[0]


def measured(n_samples: int, launch: Path, arguments: Sequence[object]) -> dict[str, object]:
    """Return the numbers of a run and of the same with -resume, as cells of a row.

    Raise ClickException if a run fails, or if tasks of the finished run run again.
    """
    first, whole = checked_run(launch, *arguments)
    n_tasks = len(first.trace())
    again, resumed = checked_run(launch, *arguments, "-resume")
    if set(again.trace()["status"]) != {"CACHED"} or len(again.trace()) != n_tasks:
        raise click.ClickException(f"{launch}: -resume runs tasks of a finished run again")
    folders = task_folders("MAP_READS", first)
    links, copied = staged(folders)
    alone = without_nextflow(folders)
    return {
        "tasks": n_tasks,
        "seconds": f"{whole.wall:.0f}",
        "seconds_per_sample": f"{whole.wall / n_samples:.2f}",
        "map_reads_s": f"{alone.wall:.0f}",
        "beyond_s": f"{whole.wall - alone.wall:.0f}",
        "resume_s": f"{resumed.wall:.0f}",
        "cpu_s": f"{whole.cpu:.0f}",
        "map_reads_cpu_s": f"{alone.cpu:.0f}",
        "beyond_cpu_s": f"{whole.cpu - alone.cpu:.0f}",
        "resume_cpu_s": f"{resumed.cpu:.0f}",
        "links": links,
        "copied_bytes": copied,
    }


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--samples", type=click.IntRange(1, 9999), multiple=True, default=(10, 100, 1000), show_default=True)
@click.option("--start_at", type=click.Choice(["reads", "counts"]), default="reads", show_default=True)
@click.option("--bundled", type=FOLDER, help="Results of the test profile, of which counts are drawn.")
@tsv_option
def main(folder: Path, samples: tuple[int, ...], start_at: str, bundled: Path | None, tsv: Path | None) -> None:
    """Run the pipeline on a group of each number of samples, in FOLDER."""
    if (start_at == "counts") != bool(bundled):
        raise click.UsageError("give --bundled with --start_at counts, and only then")
    table = ResultTable(tsv, ("start_at", "samples"))
    for n_samples in samples:
        launch = fresh(folder / f"{start_at}_{n_samples}")
        arguments = ["--input", write_sheet(launch, n_samples)]
        if bundled:
            arguments += ["--former_results", write_former(launch, bundled.resolve(), n_samples), *QUICK]
            arguments += ["--start_at", "counts"]
        else:
            arguments += ["-stub"]
        table.add({"start_at": start_at, "samples": n_samples} | measured(n_samples, launch, arguments))


if __name__ == "__main__":
    main()
