#!/usr/bin/env python3
"""Break runs of the pipeline in every way that a lab sees, and tell what became of the bins.

Each command tries one kind of fault on the bundled data, with real processes, real signals and real full disks, and
compares all results byte for byte with those of an undisturbed run. A row tells what was tried, how often, what
happened, and how often all was as it has to be. `disk` and `memory` need root.
"""

import gzip
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from fault_runs import (
    DATA,
    PROJECT,
    QUICK,
    STAGES,
    Ended,
    Running,
    counted,
    differing,
    fresh,
    kill_all,
    kill_child,
    kill_python,
    one_line,
    published,
    run,
    seconds_of,
    task_folders,
    task_of,
    undisturbed,
    wait_until,
    wrong_bins,
)
from result_tables import FOLDER, ResultTable, tsv_option

MOST_DELAY_SECONDS = 3.0  # a kill comes so long, at most, after a task has begun
KILLED_WITHIN = 0.6  # of the time that a task takes: the kill comes at a random moment of it
DISK_LEVELS = (0.3, 0.0)  # of what a task writes: so much room is left when it begins
RESULTS_LEVELS = (0.1, 0.4, 0.7, 0.95)  # so much of the results finds room
PAGE_BYTES = 4096
WIDE_TMPFS = "256m"
USED_AND_ROOM = "{print ($1 - $2) * $3 + room}"  # bytes, from blocks, free blocks and their size; a program of awk


class Faults(ResultTable):
    """The table of all faults: what was tried, how often, what happened, how often all was right."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, ("fault", "where"))

    def tell(self, fault: str, where: str, happened: list[str], right: list[bool]) -> None:
        """Add the row of a fault that was tried once for each of `right`."""
        self.add({
            "fault": fault, "where": where, "times": len(right), "happened": counted(happened), "right": sum(right),
        })  # fmt: skip


@click.group()
def main() -> None:
    """Break runs of the pipeline; each command is a kind of fault.

    FOLDER is for the runs. An undisturbed run is made there once; give an empty folder when the code has changed.
    """


def command(function: Callable) -> Callable:
    """Make a command of a kind of fault, with a folder for its runs and a table."""
    name = function.__name__.replace("_", "-")
    return main.command(name)(click.argument("folder", type=FOLDER)(tsv_option(function)))


def resumed(launch: Path, expected: Ended, *arguments: object) -> tuple[str, bool]:
    """Resume a broken run; return what happened, and whether all results are those expected."""
    again = run(launch, *QUICK, *arguments, "-resume")
    wrong = differing(again.results, expected.results)
    if again.status:
        return f"-resume fails: {one_line(again.last_line)}", False
    return (
        (f"-resume gives other results ({', '.join(wrong[:3])})", False) if wrong else ("-resume: same results", True)
    )


@command
@click.option("--times", default=10, show_default=True)
@click.option("--seed", default=1, show_default=True)
def kill_run(folder: Path, tsv: Path | None, times: int, seed: int) -> None:
    """Kill Nextflow (SIGKILL) at random moments, and resume the run at once, while its orphaned tasks go on."""
    table, rng, expected = Faults(tsv), random.Random(seed), undisturbed(folder)
    happened, right = [], []
    n_tasks = len(expected.trace())
    while len(right) < times:
        running = Running(fresh(folder / "killed"), *QUICK)
        begun, delay = rng.randint(0, n_tasks), rng.uniform(0, MOST_DELAY_SECONDS)
        if not kill_after(running, begun, delay):
            click.echo(f"it ended before {begun} tasks and {delay:.1f} s: not counted", err=True)
            continue
        wrong = wrong_bins(running.results, expected.results)
        text, same = resumed(running.launch, expected)
        kept = tasks_begun(running, "Cached")
        click.echo(f"{begun} tasks begun and {delay:.1f} s; files cut off: {wrong}; {kept} kept; {text}", err=True)
        happened.append(text)
        right.append(same)
    table.tell("Nextflow killed", f"after 0 to {n_tasks} tasks had begun", happened, right)


def kill_after(running: Running, begun: int, delay: float) -> bool:
    """Kill Nextflow some seconds after it has begun so many tasks; tell whether it was still running."""
    wait_until(lambda: tasks_begun(running) >= begun, running.process, f"task {begun}")
    time.sleep(delay)
    is_running = running.process.poll() is None
    running.kill()
    return is_running


def tasks_begun(running: Running, how: str = "Submitted") -> int:
    """Return how many tasks a run says that it has begun, or has found in its cache."""
    return (running.launch / "terminal").read_text(errors="replace").count(f"{how} process >")


WAYS = {"the command": kill_python, "all its processes": kill_all, "a mapper it started": kill_child}


def kill_each_stage(
    launch: Path, way: Callable, rng: random.Random, expected: Ended, within: float = KILLED_WITHIN
) -> tuple[Ended, list[str]]:
    """Run the pipeline and kill the first task of each stage within a share of its time; return who was killed."""
    running, killed = Running(launch, *QUICK), []
    left = list(STAGES)
    while running.process.poll() is None:
        for stage in left:
            if not (task := task_of(stage, launch / "work")):
                continue
            time.sleep(rng.uniform(0, within * seconds_of(stage, expected)))
            left.remove(stage)
            try:
                way(task[0], launch / "work")
                killed.append(stage)
            except OSError:  # it has ended meanwhile
                pass
            break
        time.sleep(0.01)
    return running.end(), killed


@command
@click.option("--times", default=3, show_default=True)
@click.option("--seed", default=1, show_default=True)
def kill_tasks(folder: Path, tsv: Path | None, times: int, seed: int) -> None:
    """Kill (SIGKILL) a task of every stage, in one run, and see whether its second try gives the same results."""
    table, rng, expected = Faults(tsv), random.Random(seed), undisturbed(folder)
    for name, way in WAYS.items():
        happened = {stage: [] for stage in STAGES}
        right = {stage: [] for stage in STAGES}
        for turn in range(times):
            ended, killed = kill_each_stage(fresh(folder / f"task_{turn + 1}"), way, rng, expected)
            same = ended.status == 0 and not differing(ended.results, expected.results)
            trace = ended.trace()
            click.echo(f"{name} {turn + 1}: killed {killed}, exit {ended.status}, same {same}", err=True)
            for stage in killed:
                tries = trace[trace["stage"] == stage]
                exits = sorted(set(tries.loc[tries["status"] == "FAILED", "exit"].astype(str)))
                again = (tries["attempt"].astype(int) > 1) & (tries["status"] == "COMPLETED")
                text = f"exit {', '.join(exits)}, second try" if again.any() else "no second try"
                happened[stage].append(text if same else f"{text}, {one_line(ended.last_line)}")
                right[stage].append(same and bool(again.any()))
        for stage in STAGES:
            if right[stage] and (way is not kill_child or stage in ("INDEX", "MAP_READS")):
                table.tell(f"task killed: {name}", stage, happened[stage], right[stage])


@contextmanager
def small_tmpfs(mount: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs of this size; take it away at the end."""
    mount = fresh(mount).resolve()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "binloom-faults", mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", mount], check=True)


def written_by(stage: str, ended: Ended) -> int:
    """Return the bytes on disk that the largest task of a stage has written."""
    sizes = []
    for task in task_folders(stage, ended):
        files = [path for path in task.rglob("*") if path.is_file() and not path.is_symlink()]
        sizes.append(sum(-(-path.stat().st_size // PAGE_BYTES) * PAGE_BYTES for path in files))
    return max(sizes)


def shrinking(stage: str, mount: Path, room: int) -> str:
    """Return the configuration in which a stage finds its work directory with so many bytes of room."""
    taken = f"$(stat -f -c '%b %f %S' {mount} | awk -v room={room} '{USED_AND_ROOM}')".replace("$", "\\$")
    script = f"mkdir -p {mount}/work/checkpoints; mount -o remount,size={taken} {mount}"
    return f'process {{ withName: {stage} {{ beforeScript = "{script}" }} }}\n'


def judge(ended: Ended, expected: Ended) -> tuple[str, bool]:
    """Return what a run said whose disk was full, and whether it was one clear line and no wrong bin."""
    wrong, last = wrong_bins(ended.results, expected.results), ended.last_line
    # The task that comes next may be the one that Nextflow has no room for.
    is_clear = last.startswith(STAGES) and " failed: " in last and "space" in last and "Traceback" not in last
    text = last.split(" failed: ")[-1].split(" When that is mended")[0]
    text = re.sub("the work folder .* cannot", "the work folder cannot", text)
    return f"{one_line(text)}{' WRONG BINS' if wrong else ''}", is_clear and not wrong


def fill_stages(launch: Path, mount: Path, rooms: dict[str, int], expected: Ended) -> dict[str, tuple[str, bool]]:
    """Fill the work directory in one stage after another, and resume each time; return what each had to say.

    One task runs at a time, so that a full disk is that of one stage. `rooms` are the bytes that each stage finds. The
    last resume, of which the empty name tells, has no fault left and has to give the results of an undisturbed run.
    """
    said, arguments = {}, [*QUICK, "-work-dir", mount / "work", "-resume"]
    for _ in range(2 * len(rooms)):
        config = "".join(shrinking(stage, mount, room) for stage, room in rooms.items() if stage not in said)
        ended = run(launch, *arguments, config=f"{config}executor.queueSize = 1\n")
        subprocess.run(["mount", "-o", f"remount,size={WIDE_TMPFS}", mount], check=True)
        trace = ended.trace()
        failed = [stage for stage in trace.loc[trace["status"] == "FAILED", "stage"] if stage not in said]
        click.echo(f"{failed}: {ended.status} {ended.last_line}", err=True)
        said |= dict.fromkeys(failed, judge(ended, expected))
        if ended.status == 0:
            break
    wrong = differing(ended.results, expected.results)
    said |= dict.fromkeys(rooms.keys() - said.keys(), ("there was room enough", True))
    same = ended.status == 0 and not wrong
    return said | {"": ("-resume: same results" if same else f"-resume: OTHER RESULTS {wrong[:3]}", same)}


@command
@click.option("--stage", "stages", multiple=True, type=click.Choice(STAGES), default=STAGES)
@click.option("--level", "levels", multiple=True, type=float, default=DISK_LEVELS, help="Share of what a task writes.")
def disk(folder: Path, tsv: Path | None, stages: tuple[str, ...], levels: tuple[float, ...]) -> None:
    """Fill the work directory, a tmpfs, in every stage; enlarge it and resume, up to the next stage.

    The last resume, when every stage has failed once, has to give the results of an undisturbed run.
    """
    table, expected = Faults(tsv), undisturbed(folder)
    for level in levels:
        launch = fresh(folder / "disk")
        with small_tmpfs(folder / "tmpfs", WIDE_TMPFS) as mount:
            rooms = {stage: int(level * written_by(stage, expected)) for stage in stages}
            said = fill_stages(launch, mount, rooms, expected)
        for stage, (text, is_right) in said.items():
            where = stage or f"enlarged when {', '.join(stages)} had failed"
            table.tell(f"work folder full, room for {level:.0%}", where, [text], [is_right])


@command
@click.option("--level", "levels", multiple=True, type=float, default=RESULTS_LEVELS, help="Share of the results.")
def results_disk(folder: Path, tsv: Path | None, levels: tuple[float, ...]) -> None:
    """Fill the folder of the results, a tmpfs that holds a share of them; enlarge it and resume."""
    table, expected = Faults(tsv), undisturbed(folder)
    happened, right = [], []
    whole = sum(-(-len(content) // PAGE_BYTES) * PAGE_BYTES for content in published(expected.results).values())
    for level in levels:
        launch = fresh(folder / "results_disk")
        with small_tmpfs(folder / "tmpfs", str(int(level * whole))) as mount:
            ended = run(launch, *QUICK, results=mount / "results")
            wrong = wrong_bins(mount / "results", expected.results)
            click.echo(f"{level}: {ended.status}, cut off: {wrong}\n{ended.terminal[-1500:]}", err=True)
            subprocess.run(["mount", "-o", f"remount,size={WIDE_TMPFS}", mount], check=True)
            again = run(launch, *QUICK, "-resume", results=mount / "results")
            same = again.status == 0 and not differing(again.results, expected.results)
        named = "The run failed: the folder of results" in ended.terminal and "free space there" in ended.terminal
        status = "fails and names the folder" if ended.status and named else f"exit {ended.status}"
        happened.append(f"{status}; {'-resume: same results' if same else '-resume: OTHER RESULTS'}")
        right.append(ended.status != 0 and named and same)
    table.tell("folder of results full", f"room for {min(levels):.0%} to {max(levels):.0%} of them", happened, right)


def memory_group(name: str, limit_bytes: int) -> Path:
    """Make a control group with a limit of memory."""
    root = Path("/sys/fs/cgroup")
    group, file = (root / "memory" / name, "memory.limit_in_bytes")
    if not group.parent.is_dir():  # version 2
        group, file = root / name, "memory.max"
    group.mkdir(exist_ok=True)
    (group / file).write_text(str(limit_bytes))
    return group


def remove_groups(*groups: Path) -> None:
    """Remove control groups, as soon as the last processes have left them."""
    for group in groups:
        for _ in range(100):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.1)


@command
@click.option("--megabytes", default=40, show_default=True, help="Limit of the first try; the second has 4 GB.")
def memory(folder: Path, tsv: Path | None, megabytes: int) -> None:
    """Give every stage a control group with too little memory; its second try is in one with more."""
    table, expected = Faults(tsv), undisturbed(folder)
    small = memory_group("binloom-faults-1", megabytes << 20)
    large = memory_group("binloom-faults-2", 4 << 30)
    try:
        script = f"echo \\$BASHPID > ${{task.attempt == 1 ? '{small}' : '{large}'}}/cgroup.procs"
        checkpoints = folder / "memory" / "work" / "checkpoints"
        config = "".join(
            f'process {{ withName: {stage} {{ beforeScript = {{ "mkdir -p {checkpoints}; {script}" }} }} }}\n'
            for stage in STAGES
        )
        ended = run(fresh(folder / "memory"), *QUICK, config=config)
    finally:
        remove_groups(small, large)
    tell_memory(table, megabytes, ended, expected)


def tell_memory(table: Faults, megabytes: int, ended: Ended, expected: Ended) -> None:
    """Add a row for each stage of a run whose first tries had a limit of memory."""
    same = ended.status == 0 and not differing(ended.results, expected.results)
    click.echo(ended.terminal, err=True)
    trace = ended.trace()
    for stage in STAGES:
        tries = trace[trace["stage"] == stage]
        failed, tasks = tries["status"] == "FAILED", tries["tag"].nunique()
        text = (
            f"exit {counted(tries.loc[failed, 'exit'].astype(str).tolist())}, second try" if failed.any() else "enough"
        )
        table.tell(f"memory limit {megabytes} MB", stage, [text] * tasks, [same] * tasks)


@command
@click.option("--times", default=10, show_default=True)
def same_folder(folder: Path, tsv: Path | None, times: int) -> None:
    """Start two runs into one folder of results in the same moment, each with a launch folder of its own."""
    table, expected = Faults(tsv), undisturbed(folder)
    results = fresh(folder / "shared") / "results"
    launches = [fresh(folder / name) for name in ("first", "second")]
    for launch in launches:  # what both have done before is in their caches, so that they come to their ends soon
        run(launch, *QUICK)
    happened, right = [], []
    for _ in range(times):
        shutil.rmtree(results, ignore_errors=True)
        both = [Running(launch, *QUICK, "-resume", results=results) for launch in launches]
        ended = [running.end() for running in both]
        refused = sum("Another run writes into --outdir" in one.terminal for one in ended)
        done = sum(one.status == 0 for one in ended)
        same = not differing(results, expected.results)
        happened.append(f"{refused} refused, {done} done, {'same' if same else 'OTHER'} results")
        right.append(refused == done == 1 and same)
        click.echo(happened[-1], err=True)
    table.tell("two runs into one folder", "started in the same second", happened, right)


def sheet_rows(name: str) -> list[list[str]]:
    """Return the rows of a bundled sheet, with the whole paths of its files."""
    rows = [line.split(",") for line in (DATA / name).read_text().splitlines()]
    return [[str(DATA / cell) if cell and (DATA / cell).is_file() else cell for cell in row] for row in rows]


SAMPLES = sheet_rows("co.samples.csv")
ASSEMBLIES = sheet_rows("co.assemblies.csv")
SWAPPED = [SAMPLES[0], *[[row[0], *other[1:]] for row, other in zip(SAMPLES[1:], [*SAMPLES[2:], SAMPLES[1]])]]
AS_BAM = [*SAMPLES[:3], [*SAMPLES[3][:2], "", "", str(DATA / "co.S3.bam"), ""]]
EDITS = {  # samples, assemblies; each is resumed from what the one before has left
    "whole": (SAMPLES, ASSEMBLIES),
    "sample removed": (SAMPLES[:3], ASSEMBLIES),
    "sample added": (SAMPLES, ASSEMBLIES),
    "paths of samples exchanged": (SWAPPED, ASSEMBLIES),
    "rows in another order": ([SAMPLES[0], *SAMPLES[:0:-1]], ASSEMBLIES),
    "reads replaced by a BAM": (AS_BAM, ASSEMBLIES),
    "graph removed": (SAMPLES, [ASSEMBLIES[0], [*ASSEMBLIES[1][:4], "", ""]]),
    "sample renamed": ([*SAMPLES[:3], ["S4", *SAMPLES[3][1:]]], ASSEMBLIES),
}

UNCHANGED = ("whole", "sample added")  # the bundled sheets


@command
def sheet(folder: Path, tsv: Path | None) -> None:
    """Edit a sheet between a run and -resume; a fresh run with the edited sheet tells what must come out.

    The resumed runs publish into one folder, over what the sheet before has left there.
    """
    table, launch = Faults(tsv), fresh(folder / "edited")
    for name, sheets in EDITS.items():
        paths = [folder / "samples.csv", folder / "assemblies.csv"]
        for path, rows in zip(paths, sheets):
            path.write_text("".join(f"{','.join(row)}\n" for row in rows))
        arguments = [*QUICK, "--input", paths[0], "--assembly_input", paths[1]]
        expected = undisturbed(folder) if name in UNCHANGED else run(fresh(folder / "fresh"), *arguments)
        again = run(launch, *arguments, "-resume")
        text, same = compare_edited(again, expected)
        click.echo(f"{name}: {text}; {again.last_line}", err=True)
        if name != "whole":
            table.tell("sheet edited before -resume", name, [text], [same])


def compare_edited(again: Ended, expected: Ended) -> tuple[str, bool]:
    """Return how a resumed run compares with a fresh one; files that the fresh one does not have may be left over."""
    if again.status or expected.status:
        return f"exit {again.status} and {expected.status}: {one_line(again.last_line)}", False
    wrong = differing(again.results, expected.results)
    left = [name for name in wrong if not (expected.results / name).exists() and "/bins/" not in name]
    cached = (again.trace()["status"] == "CACHED").sum()
    same = (
        "results of a fresh run"
        if wrong == left
        else f"OTHER RESULTS ({', '.join(sorted(set(wrong) - set(left))[:3])})"
    )
    return f"{same}, {cached} of {len(again.trace())} tasks kept", wrong == left


def peak_megabytes(pid: int) -> int:
    """Return the most memory (MB) that a process has had; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return max(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
    except (OSError, ValueError):
        return 0


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
        most = max(most, peak_megabytes(running.process.pid))
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
    return status, time.monotonic() - began, used.ru_maxrss // 1024


@command
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


if __name__ == "__main__":
    main()
