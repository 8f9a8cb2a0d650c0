"""fuzz_readers.py: each generator's first inputs are read as they should be, and what is wrong is noticed."""

import random

import click
import pytest

import fuzz_graph
import fuzz_readers
import fuzz_sequences
import fuzzing
from fuzzing import Case

SEED = 1
# A second or two of each reader; a BAM in another order starts samtools.
N_INPUTS = {"bam": 100, "tables": 150, "checkpoint": 60, "graph": 420}


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Generators read in blocks of odd sizes; what they change is for themselves alone."""
    for module, name in (
        (fuzz_sequences.catalogue_fasta, "READ_BYTES"),
        (fuzz_sequences.fastq_reads, "CHUNK_BYTES"),
        (fuzz_graph.graph, "PAIRS_PER_BLOCK"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))


@pytest.mark.parametrize("reader", list(fuzz_readers.GENERATORS))
def test_generated_inputs(tmp_path, monkeypatch, reader):
    """Whole and damaged; fuzz_readers.py itself does more of them."""
    monkeypatch.chdir(tmp_path)
    outcomes = []
    for number in range(N_INPUTS.get(reader, 300)):
        damage, outcome = fuzzing.attempt(reader, fuzz_readers.GENERATORS[reader], SEED, number, 60, tmp_path)
        assert outcome in ("read", "refused"), f"input {number}, damage {damage}: {outcome}"
        outcomes.append((damage == "none", outcome))
    assert (True, "read") in outcomes and {is_whole for is_whole, _ in outcomes} == {True, False}


def case_of(read) -> Case:
    return Case("bytes", {"x.txt": b"a\nb\n"}, read, fuzzing.compare(lambda: "right"), True)


def refuse(text):
    def read(folder):
        raise click.ClickException(text.format(folder / "x.txt"))

    return read


def wait(_):
    while True:
        pass


@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        (lambda _: "right", "read"),
        (lambda _: "wrong", "AssertionError in fuzzing.check"),
        (lambda _: 1 / 0, "ZeroDivisionError"),
        (wait, "hangs"),
        (refuse("{}: row 2: is wrong"), "refused"),
        (refuse("{}: row 9: is wrong"), "AssertionError in fuzzing.check_refusal"),
        (refuse("a file is wrong"), "AssertionError in fuzzing.check_refusal"),
        (refuse("{}: is wrong\nin two lines"), "AssertionError in fuzzing.check_text"),
        (refuse("{}: is wrong" + "!" * 1000), "AssertionError in fuzzing.check_text"),
    ],
    ids=range(9),
)
def test_what_is_no_right_outcome_is_a_problem(tmp_path, read, outcome):
    found = fuzzing.attempt("x", lambda rng: case_of(read), SEED, 0, 0.2, tmp_path)[1]
    assert found.partition(",")[0].partition(":")[0].startswith(outcome.partition(" in ")[0]), found


def test_a_process_that_dies_is_a_problem_and_another_goes_on():
    def generate(rng: random.Random) -> Case:
        dies = rng.random() < 0.01
        return case_of(lambda _: fuzzing.os.kill(fuzzing.os.getpid(), 9) if dies else "right")

    tried, problems = fuzzing.Run("x", generate, SEED, 2, 5).collect(1)
    assert list(problems) == ["dies, status -9"] and tried["bytes", "read"] > tried["unknown", "problem"] > 1
