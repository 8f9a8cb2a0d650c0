"""Peers of peers.py that use the graph of metaSPAdes: MetaCoAG, and GraphBin and GraphBin2 on the bins of MetaBAT2."""

import csv
import gzip
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from peer_runs import Task, bam_depths, depth_rows, run

Binned = Iterator[tuple[str, str]]  # cluster and contig


def depths_of(task: Task, out: Path, log: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield name and depth in each sample of every contig."""
    if task.depth:
        yield from depth_rows(task)
        return
    with open(bam_depths(task, out, log)) as lines:
        next(lines)
        for line in lines:
            name, _, _, *columns = line.rstrip("\n").split("\t")
            yield name, columns[::2]  # a variance follows each


def unpack(source: Path, target: Path) -> Path:
    """Copy a file that may be gzipped; return the plain copy."""
    with (gzip.open if source.suffix == ".gz" else open)(source, "rb") as packed, open(target, "wb") as plain:
        shutil.copyfileobj(packed, plain)
    return target


def assembly_options(task: Task, out: Path) -> list[str]:
    """Return the options that all three programs share; their inputs are plain copies in `out`."""
    files = {"graph": task.graph.gfa, "paths": task.graph.paths, "contigs": task.contigs}
    options = ["--assembler", "spades", "--output", f"{out / 'graph_out'}/", "--delimiter", ","]
    (out / "graph_out").mkdir()
    for name, path in files.items():
        options += [f"--{name}", str(unpack(path, out / f"{name}.txt"))]
    return options


def read_output(path: Path) -> Binned:
    """Yield cluster and contig of a table `contig,cluster`."""
    with open(path) as lines:
        for name, cluster in csv.reader(lines):
            yield cluster, name.split()[0]


def metacoag(task: Task, _seed: int, out: Path, log: Path) -> Binned:
    """Yield cluster and contig of MetaCoAG's bins."""
    table = out / "metacoag_depth.tsv"
    with open(table, "w") as file:
        file.writelines("\t".join([name, *depths]) + "\n" for name, depths in depths_of(task, out, log))
    command = [task.programs["metacoag"], *assembly_options(task, out), "--abundance", str(table)]
    run(task, [*command, "--nthreads", str(task.threads)], log)
    yield from read_output(out / "graph_out" / "contig_to_bin.tsv")  # parted by commas, whatever its name says


def write_initial(bins: Iterable[tuple[str, str]], path: Path) -> None:
    """Write `contig,cluster` with the clusters numbered from 1 on, all numbers equally wide."""
    rows = list(bins)
    names = sorted({cluster for cluster, _ in rows})
    number = {name: f"{i:0{len(str(len(names)))}d}" for i, name in enumerate(names, 1)}
    with open(path, "w") as file:
        file.writelines(f"{contig},{number[cluster]}\n" for cluster, contig in rows)


def graphbin(task: Task, out: Path, log: Path, initial: Path) -> Binned:
    """Yield cluster and contig after GraphBin's label propagation."""
    run(task, [task.programs["graphbin"], *assembly_options(task, out), "--binned", str(initial)], log)
    yield from read_output(out / "graph_out" / "graphbin_output.csv")


def graphbin2(task: Task, out: Path, log: Path, initial: Path) -> Binned:
    """Yield cluster and contig after GraphBin2, which gives some contigs several clusters."""
    table = out / "graphbin2_depth.tsv"
    with open(table, "w") as file:
        for name, depths in depths_of(task, out, log):
            file.write(f"{name}\t{sum(map(float, depths))}\n")
    command = [task.programs["graphbin2"], *assembly_options(task, out), "--abundance", str(table)]
    run(task, [*command, "--binned", str(initial), "--nthreads", str(task.threads)], log)
    yield from read_output(out / "graph_out" / "graphbin2_output.csv")


def after(
    binner: Callable[[Task, int, Path, Path], Binned], refiner: Callable[[Task, Path, Path, Path], Binned]
) -> Callable:
    """Return a peer that gives the bins of one program to another; its time is that of both."""

    def both(task: Task, seed: int, out: Path, log: Path) -> Binned:
        write_initial(binner(task, seed, out, log), out / "initial.csv")
        yield from refiner(task, out, log, out / "initial.csv")

    return both
