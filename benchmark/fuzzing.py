"""What the fuzzers of the readers have in common: damage, limits, what a refusal must be, and the count of outcomes.

A generator makes a Case: files, the call that reads them, and what it knows of the result. `attempt` makes the case of
a number, reads it and tells how it came out. `Run` does that in several processes until the time is over.
"""

import gzip
import multiprocessing
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import click

from project import BIN

sys.path.insert(0, str(BIN))
from stage_warnings import FILE_VARIABLE

MESSAGE_LIMIT = 1000  # characters; a message of this length or more is a problem
MEMORY_LIMIT = 2 << 30  # bytes that an input may take beyond what the process has when it starts
FINAL_NEWLINE, GZIPPED = 0.9, 0.2  # share of files with a line break at the end; share of files that are gzipped
WHOLE = 0.3  # share of inputs without damage
SHOWN_CHARACTERS = 500  # of a problem
ODD_NAMES = ("s", "é", "=b", "c d", "x+", "y-", "*z", "q:1", "'p'", "NA", "\u2028", "名", "a;b", ">g", "0", "a''")
JUNK = ("", "+", "-", "*", "x", "-1", "9" * 30, "9" * 5000, "NaN", "1e400", "é", "\ufeff", "\0", "\x0b", " ", "a,b",
        ",", ";", "'", '"', ":", "??", "1+", "1-,2+", "\u0661", "\u0661+", "\t", "\r", "=", "H", "S", "L", "\x1b[2J",
        "NODE_1_length_9_cov_1", "\x85", "\u2028", "true", "1_0", "0x1", "[" * 5000, "A" * 100_000)  # fmt: skip
# What a terminal or a log takes for more than a letter: controls, and separators of lines and paragraphs.
UNFIT_CATEGORIES = ("Cc", "Zl", "Zp")
BINARY_SUFFIXES = (".npy", ".bam", ".checkpoint")  # of files without lines
FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # of the inputs: in memory where that is possible
POLL_SECONDS = 0.02
HANG_FACTOR = 1.5  # times the time of an input: a process that takes longer does not hear the alarm
OUTCOMES = ("read", "refused", "problem")


class Case(NamedTuple):
    """An input of a reader, how it is read, and what is known of the result."""

    damage: str  # its kind, or "none"
    files: Mapping[str, bytes]  # by name in the folder of the input
    read: Callable[[Path], object]  # reads the files of a folder by functions of bin/
    check: Callable[[object], None]  # raises AssertionError unless the result is right
    may_be_refused: bool


Generator = Callable[[random.Random], Case]


class Hang(BaseException):
    """The end of the time of an input; not an Exception, so that no handler swallows it."""


class UnreadableError(Exception):
    """What a naive reader raises for a file that it cannot read."""


def raise_hang(*_: object) -> None:
    """Raise Hang when the time of an input is over."""
    raise Hang


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise Hang in the body of the `with` statement when it takes longer."""
    signal.signal(signal.SIGALRM, raise_hang)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def limit_memory() -> None:
    """Let this process take MEMORY_LIMIT more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + MEMORY_LIMIT
    resource.setrlimit(resource.RLIMIT_AS, (size, resource.getrlimit(resource.RLIMIT_AS)[1]))


def damage_lines(rng: random.Random, lines: list[str]) -> list[str]:
    """Cut, repeat or replace a few lines, take out their tabs, or make a field junk, longer or nothing."""
    for at in [rng.randrange(len(lines)) for _ in range(rng.choice((1, 1, 1, 2, 4)))] if lines else []:
        line, field = lines[at], re.split("([\t,])", lines[at])
        i, junk = rng.randrange(len(field)), rng.choice(JUNK)
        replaced = ["".join([*field[:i], new, *field[i + 1 :]]) for new in (junk, "", field[i] + junk)]
        cut = line[: rng.randrange(len(line) + 1)]
        lines[at] = rng.choice([cut, f"{line}\n{line}", junk, line.replace("\t", " "), *replaced])
    return "\n".join(lines).split("\n")


def damage_text(rng: random.Random, raw: bytes) -> bytes:
    """Return a text with damage to its lines."""
    return "\n".join(damage_lines(rng, raw.decode(errors="surrogateescape").split("\n"))).encode(
        errors="surrogateescape"
    )


def damage_bytes(rng: random.Random, raw: bytes) -> bytes:
    """Return the bytes of a file with one kind of damage."""
    at, noise = rng.randrange(len(raw) + 1), rng.randbytes(rng.randint(1, 40))
    end = at + len(noise)
    utf16, bare = raw.decode(errors="ignore").encode("utf-16"), raw.replace(b"\n", b"\r")
    return rng.choice((b"", raw[:at], raw[:at], raw[:at] + b"\0" + raw[at:], raw[:at] + noise + raw[end:], noise,
                       raw[:at] + raw[end:], raw[:at] + raw[at:end] + raw[at:], raw[:at] + noise[:1] + raw[at + 1 :],
                       b"\x1f\x8b" + raw, b"\xef\xbb\xbf" + raw, bare, utf16, raw + raw))  # fmt: skip


def maybe_gzipped(rng: random.Random, raw: bytes, is_gzipped: bool | None = None) -> bytes:
    """Return a file as it is or gzipped, perhaps in two members; at random if `is_gzipped` is None."""
    if rng.random() >= GZIPPED if is_gzipped is None else not is_gzipped:
        return raw
    cut = rng.choice((0, rng.randrange(len(raw) + 1)))
    return (gzip.compress(raw[:cut], 1) if cut else b"") + gzip.compress(raw[cut:], 1)


def damaged_file(rng: random.Random, raw: bytes, is_gzipped: bool | None = None) -> tuple[str, bytes]:
    """Return the kind of damage and the file: whole, with damaged lines or bytes, or damaged after it was gzipped."""
    if rng.random() < WHOLE:
        return "none", maybe_gzipped(rng, raw, is_gzipped)
    damage = rng.choice(("lines", "bytes", "gzip"))
    if damage == "gzip":
        return damage, damage_bytes(rng, maybe_gzipped(rng, raw, True))
    damaged = (damage_text if damage == "lines" else damage_bytes)(rng, raw)
    return damage, maybe_gzipped(rng, damaged, is_gzipped)


def unzipped(raw: bytes) -> bytes:
    """Return what a plain or gzipped file holds; raise UnreadableError if its gzip is damaged."""
    try:
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError from error


def compare(naive: Callable[[], object]) -> Callable[[object], None]:
    """Return a check that what was read is what a naive reader gives."""

    def check(found: object) -> None:
        try:
            wanted = naive()
        except UnreadableError:
            wanted = "a refusal"
        assert found == wanted, f"{str(found)[:SHOWN_CHARACTERS]} instead of {str(wanted)[:SHOWN_CHARACTERS]}"

    return check


def check_text(text: str) -> None:
    """Raise AssertionError unless a message is one short line without control characters."""
    assert len(text) < MESSAGE_LIMIT, f"a message of {len(text)} characters: {text[:SHOWN_CHARACTERS]!r}"
    unfit = [letter for letter in text if unicodedata.category(letter) in UNFIT_CATEGORIES]
    assert not unfit, f"{unfit[0]!r} in a message: {text!r}"


def check_refusal(text: str, folder: Path, files: Mapping[str, bytes]) -> None:
    """Raise AssertionError unless a message names a file of the folder and, if any, a line or row that exists."""
    check_text(text)
    named = [name for name in files if str(folder / name) in text]
    assert named, f"names no file: {text!r}"
    for name, number in re.findall(rf"{re.escape(str(folder))}/([\w.]+)(?:, line|: row) (\d+)\b", text):
        if Path(name).suffix in BINARY_SUFFIXES:
            continue
        with suppress(UnreadableError):
            n_lines = len(re.split(b"\r\n|\r|\n", unzipped(files[name]))) if name in files else 0
            assert 0 < int(number) <= n_lines, f"no such line: {text!r}"


def check_warnings(path: Path) -> None:
    """Raise AssertionError unless each warning of an input is one short line; remove them."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        path.unlink()
        for line in text.removesuffix("\n").split("\n"):
            check_text(line)


def read_case(case: Case, seconds: float, folder: Path) -> str:
    """Write and read an input; return "read" or "refused". Raise AssertionError if the result is wrong."""
    for name, raw in case.files.items():
        (folder / name).write_bytes(raw)
    os.environ[FILE_VARIABLE] = str(folder / "warnings.txt")
    try:
        with time_limit(seconds):
            found = case.read(folder)
    except click.ClickException as error:
        try:
            check_refusal(error.message, folder, case.files)
            assert case.may_be_refused, f"refused: {error.message}"
        except AssertionError as problem:
            raise problem from error
        return "refused"
    finally:
        os.environ.pop(FILE_VARIABLE)
    check_warnings(folder / "warnings.txt")
    case.check(found)
    return "read"


def problem_of(error: BaseException) -> str:
    """Return where an exception was raised, in which module and function, and what it says."""
    if isinstance(error, Hang):
        return "hangs"
    # Of a message that is not as it should be, its own origin tells more.
    frames = traceback.extract_tb((error.__cause__ or error).__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).parent.name in ("bin", "benchmark")]
    last = (ours or frames)[-1]
    where = f"{type(error).__name__} in {Path(last.filename).stem}.{last.name}, line {last.lineno}"
    return f"{where}: {str(error)[:SHOWN_CHARACTERS]}"


def attempt(reader: str, generate: Generator, seed: int, number: int, seconds: float, folder: Path) -> tuple[str, str]:
    """Make an input and read it; return its damage, and whether it was read or refused, or what is wrong."""
    damage = "unknown"
    try:
        case = generate(random.Random(f"{reader} {seed} {number}"))
        damage = case.damage
        return damage, read_case(case, seconds, folder)
    except (Exception, Hang) as error:
        return damage, problem_of(error)


class Outcomes(NamedTuple):
    """How many inputs there were, how many of each damage came out how, and the first input of each problem."""

    tried: Counter
    problems: dict[str, str]


class Worker(NamedTuple):
    """A process, the number of the input that it reads and when it began with it (both shared)."""

    process: multiprocessing.Process
    number: object
    began: object


class Run:
    """Processes that read the inputs of one generator for some time; one that dies or hangs is a problem, replaced."""

    def __init__(self, reader: str, generate: Generator, seed: int, seconds: float, input_seconds: float) -> None:
        self.reader, self.generate, self.seed, self.input_seconds = reader, generate, seed, input_seconds
        self.end = time.monotonic() + seconds
        self.results = multiprocessing.SimpleQueue()
        self.outcomes = Outcomes(Counter(), {})

    def work(self, number: object, began: object, step: int) -> None:
        """Read every `step`th input, and report each at once: what comes next may kill the process."""
        with open(os.devnull, "w") as null:
            os.dup2(null.fileno(), 2)  # htslib prints there
        limit_memory()
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            os.chdir(folder)
            while (now := time.monotonic()) < self.end:
                began.value = now
                result = attempt(self.reader, self.generate, self.seed, number.value, self.input_seconds, Path(folder))
                self.results.put((*result, number.value))
                number.value += step

    def add(self, damage: str, outcome: str, number: int) -> None:
        """Count an outcome, and keep the first input of each problem."""
        if outcome not in OUTCOMES:
            self.outcomes.problems.setdefault(outcome.partition(":")[0], f"input {number} ({damage}): {outcome}")
            outcome = "problem"
        self.outcomes.tried[damage, outcome] += 1

    def start(self, first: int, step: int) -> Worker:
        """Start a process at an input."""
        number, began = multiprocessing.RawValue("q", first), multiprocessing.RawValue("d", time.monotonic())
        process = multiprocessing.Process(target=self.work, args=(number, began, step))
        process.start()
        return Worker(process, number, began)

    def replace(self, worker: Worker, step: int) -> list[Worker]:
        """Return the process that goes on: this one, another if it died or hangs in C, none at the end."""
        is_alive = worker.process.is_alive()
        if is_alive and time.monotonic() < worker.began.value + HANG_FACTOR * self.input_seconds:
            return [worker]
        worker.process.kill()
        worker.process.join()
        if not is_alive and not worker.process.exitcode:
            return []
        self.add(
            "unknown", "hangs in C" if is_alive else f"dies, status {worker.process.exitcode}", worker.number.value
        )
        return [self.start(worker.number.value + step, step)]

    def collect(self, processes: int) -> Outcomes:
        """Run the processes until the time is over; return what came out."""
        running = [self.start(first, processes) for first in range(processes)]
        while running or not self.results.empty():
            while not self.results.empty():
                self.add(*self.results.get())
            time.sleep(POLL_SECONDS)
            running = [one for worker in running for one in self.replace(worker, processes)]
        return self.outcomes
