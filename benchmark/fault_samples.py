"""Give a sheet of many samples whose last row is wrong, and FEATURES the counts of many samples."""

import gzip
import os
import re
import subprocess
import time
from pathlib import Path

import click

from fault_runs import PROJECT, Ended, Running, fresh, undisturbed
from fault_table import Faults, fault_command
from measured_runs import KB_PER_MB, status_kb


def tiny_samples(folder: Path, number: int) -> Path:
    """Write a sheet of samples, each with two small files of its own; return its path."""
    reads = fresh(folder / "reads")
    rows = ["sample,group,fastq_1,fastq_2,bam,platform"]
    for i in range(number):
        for mate in (1, 2):
            (reads / f"S{i}_{mate}.fastq").write_text(f"@r{i}\nACGT\n+\nIIII\n")
        rows.append(f"S{i},co,{reads}/S{i}_1.fastq,{reads}/S{i}_2.fastq,,illumina")
    path = folder / "samples.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def run_and_watch(launch: Path, *arguments: object, config: str = "") -> tuple[Ended, int]:
    """Run the pipeline to its end; return the most memory (MB) of Nextflow, too."""
    running, most = Running(launch, *arguments, config=config), 0
    while running.process.poll() is None:
        most = max(most, status_kb(running.process.pid, "VmHWM") // KB_PER_MB)
        time.sleep(0.2)
    return running.end(), most


def features_of_many(folder: Path, number: int, expected: Ended) -> tuple[int, float, int]:
    """Run FEATURES with copies of a sample's counts; return its exit status, seconds and peak memory (MB)."""
    work, published_files = fresh(folder / "features"), expected.results / "co"
    for kind in ("counts.tsv.gz", "mapping.tsv"):
        content = (published_files / "abundance" / f"S1.{kind}").read_bytes()
        text = (gzip.decompress(content) if kind.endswith("gz") else content).decode()
        for i in range(number):
            renamed = re.sub(r"^S1\t", f"N{i}\t", text, flags=re.MULTILINE).encode()
            (work / f"N{i}.{kind}").write_bytes(gzip.compress(renamed, 1) if kind.endswith("gz") else renamed)
    command_line = [PROJECT / "bin" / "features.py", "--min_contig_length", "500"]
    for option, name in (("--catalogue", "catalogue.fa.gz"), ("--contigs", "contigs.tsv")):
        command_line += [option, published_files / "catalogue" / name]
    for i in range(number):
        command_line += ["--counts", f"N{i}.counts.tsv.gz", "--mapping", f"N{i}.mapping.tsv"]
    began = time.monotonic()
    process = subprocess.Popen([str(word) for word in command_line], cwd=work)
    _, status, used = os.wait4(process.pid, 0)
    return status, time.monotonic() - began, used.ru_maxrss // KB_PER_MB


@fault_command
@click.option("--number", default=1000, show_default=True)
@click.option("--whole", is_flag=True, help="Also run every task, as a stub.")
def samples(folder: Path, tsv: Path | None, number: int, whole: bool) -> None:
    """Give a sheet of many samples with one wrong path in its last row, and FEATURES the counts of many samples."""
    table, path = Faults(tsv), tiny_samples(folder.resolve(), number)
    text = path.read_text()
    path.write_text(text + "last,co,absent.fastq,,,illumina\n")
    ended, most = run_and_watch(fresh(folder / "refused"), "--input", path)
    good = ended.status != 0 and f"row {number + 2}: sample 'last'" in ended.terminal
    click.echo(ended.terminal[-800:], err=True)
    table.tell(f"{number} samples", "last row wrong", [f"refused in {ended.seconds:.0f} s, Nextflow {most} MB"], [good])
    status, seconds, megabytes = features_of_many(folder.resolve(), number, undisturbed(folder))
    said = f"{'done' if status == 0 else 'FAILED'} in {seconds:.0f} s, {megabytes} MB"
    table.tell(f"{number} samples", "FEATURES with their counts", [said], [status == 0])
    if whole:
        path.write_text(text)
        config = "process.cpus = 1\nprocess.memory = '100 MB'\n"
        ended, most = run_and_watch(fresh(folder / "stub"), "--input", path, "-stub", config=config)
        tasks = (ended.trace()["stage"] == "MAP_READS").sum()
        said = f"{tasks} tasks of MAP_READS in {ended.seconds:.0f} s, Nextflow {most} MB"
        table.tell(f"{number} samples", "whole, tasks as stubs", [said], [ended.status == 0 and tasks == number])
