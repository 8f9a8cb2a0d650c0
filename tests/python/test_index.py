"""index.py: the index of both mappers is made; a full disk and a killed mapper are errors."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

import index
from random_contigs import sequence
from small_disk import run_on_small_disk

RETRIED = range(130, 146)  # exit statuses of a task that conf/base.config tries again
CONTIGS = {f"c{number}": sequence(number, 2000 + number) for number in range(100)}


@pytest.fixture(autouse=True)
def catalogue(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "catalogue.fa.gz"
    path.write_bytes(gzip.compress("".join(f">{name}\n{text}\n" for name, text in CONTIGS.items()).encode()))
    return path


def run(mode: str):
    return CliRunner().invoke(index.main, ["--catalogue", "catalogue.fa.gz", "--mode", mode])


@pytest.mark.parametrize("mode", ["sr", "map-ont", "map-hifi", "bwa"])
def test_an_index_is_made(mode):
    done = run(mode)
    assert done.exit_code == 0, done.output
    assert "holds the 100 contigs of catalogue.fa.gz" in done.output
    made = {path.name for path in Path("index").iterdir()}
    kinds = ("amb", "ann", "bwt", "pac", "sa")
    assert made == ({f"catalogue.{kind}" for kind in kinds} if mode == "bwa" else {"catalogue"})


# minimap2 reports success on a full disk. Its index has 756 kB here, and the files of bwa have 355 kB.
@pytest.mark.parametrize(("mode", "kilobytes"), [("sr", 64), ("sr", 704), ("bwa", 64), ("bwa", 320)])
def test_a_full_disk_is_an_error_of_one_line(catalogue, tmp_path, mode, kilobytes):
    arguments = ["--catalogue", catalogue, "--mode", mode]
    done = run_on_small_disk("index", arguments, tmp_path / "disk", kilobytes)
    assert done.returncode not in (0, 2), done.stdout
    assert done.stdout.startswith("Error: ")
    if "SIGXFSZ" not in done.stdout:
        assert len(done.stdout.splitlines()) == 1
        assert "run again with -resume" in done.stdout


def test_minimap2_under_a_limit_of_memory_ends_so_that_it_is_tried_again(monkeypatch):
    """Where memory ends, it aborts or reads at address 0: conf/base.config tries both again.

    With still less it may write without end: the limit of files keeps the disk free.
    """
    command = index.index_command("sr", Path("catalogue.fa.gz"), Path("index/catalogue"), 1)
    limited = ["bash", "-c", 'ulimit -f 20000; ulimit -v 20000; exec "$@"', "bash", *command]
    monkeypatch.setattr(index, "index_command", lambda *_: limited)
    done = run("sr")
    assert done.exit_code in RETRIED, done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(("mode", "tool"), [("sr", "minimap2"), ("bwa", "bwa")])
def test_a_mapper_killed_for_memory_gives_137(tmp_path, monkeypatch, mode, tool):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / tool).write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "tools" / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "tools"), prepend=":")
    done = run(mode)
    assert done.exit_code == 137
    assert "killed by SIGKILL" in done.output
