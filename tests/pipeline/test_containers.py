"""The pipeline in real containers: the bins of a run without them, and one line where the images are absent."""

import gzip
import os
import re
import shutil
import signal
from pathlib import Path

import pytest
import yaml

from conftest import DATA, PROJECT, genomes_found, nextflow, read_table, read_truth, run_pipeline
from podman_images import BASE, build, call, make_base_image, podman_environment, why_not
from test_killed_training import LIMIT, going_on, new_checkpoint, start, training_process
from test_running import flat_config

needs_podman = pytest.mark.skipif(bool(why_not()), reason=why_not() or "podman is there")
VERSION = re.search(r"^ *version *= *'(.*)'", (PROJECT / "nextflow.config").read_text(), re.MULTILINE)[1]
RESULTS = ("clusters.tsv", "contig2bin.tsv", "unbinned.tsv", "bins.tsv", "vae/latent.npy")
IMPORTS = "python3 -c 'import numpy, pandas, pysam, gfapy, jsonschema, click'"
DIGEST = r"sha256:[0-9a-f]{64}"


@pytest.fixture(scope="module")
def podman(tmp_path_factory):
    """The environment in which podman runs containers of the base image."""
    make_base_image(tmp_path_factory.mktemp("debian"))
    return podman_environment(tmp_path_factory.mktemp("podman"))


@pytest.fixture(scope="module")
def images(podman):
    """The same, with the images of this checkout: one of another Dockerfile or other packages is built again."""
    done = build(podman, VERSION=VERSION)
    assert done.returncode == 0, done.stdout[-4000:]
    return podman


@pytest.fixture(scope="module")
def contained(images, tmp_path_factory):
    """The test profile in containers."""
    run = run_pipeline(tmp_path_factory.mktemp("contained"), environment=images, profile="test,podman", report=True)
    assert run.status == 0, run.output
    return run


def versions(results: Path) -> dict:
    """Return the versions of the packages and tools by process; Python's own changes no number of theirs."""
    reported = yaml.safe_load((results / "pipeline_info" / "software_versions.yml").read_text())
    return {process: {**tools, "python": None} for process, tools in reported.items()}


def bins(results: Path) -> dict[str, bytes]:
    """Return the FASTA of each bin by its name, without what the compression makes of it."""
    return {path.name: gzip.decompress(path.read_bytes()) for path in (results / "co" / "bins").iterdir()}


def assert_same_bins(results: Path, other: Path) -> None:
    for name in RESULTS:
        assert (results / "co" / name).read_bytes() == (other / "co" / name).read_bytes(), name
    assert bins(results) == bins(other)


@needs_podman
def test_same_bins_in_containers(contained, coassembly):
    """Byte for byte with the same versions of everything; where the tools on PATH differ, as many genomes."""
    assert set(contained.trace()["status"]) == {"COMPLETED"}
    tasks = list(contained.launch.glob("work/*/*/.command.run"))
    assert tasks and all("podman run" in task.read_text() for task in tasks)
    assert bins(contained.results)
    assert "coasm.001" in (contained.results / "report.html").read_text()
    if versions(contained.results) == versions(coassembly.results):
        assert_same_bins(contained.results, coassembly.results)
        return
    truth = read_truth(DATA / "co.truth.tsv")
    found = [
        len(genomes_found(read_table(run.results / "co" / "contig2bin.tsv"), truth, precision=0.9, recall=0.9))
        for run in (contained, coassembly)
    ]
    assert abs(found[0] - found[1]) <= 1, found


@needs_podman
def test_killed_task_in_a_container(tmp_path, images, contained, monkeypatch):
    """The folder of checkpoints is mounted, and named, in the container too."""
    for name, value in images.items():
        monkeypatch.setenv(name, value)
    work = tmp_path / "work"
    run = start(tmp_path, "--checkpoint_every", "5", profile="test,podman")
    try:
        new_checkpoint(run, work / "checkpoints")
        os.kill(training_process(work), signal.SIGKILL)
        assert run.wait(timeout=LIMIT) == 0, (tmp_path / "terminal").read_text()
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    (epoch,) = going_on(work)
    assert epoch >= 5
    assert_same_bins(tmp_path / "results", contained.results)


@needs_podman
@pytest.mark.parametrize(
    ("image", "commands"),
    [
        (
            "core",
            "minimap2 --version; samtools --version; (bwa 2>&1 || true) | grep Version; "
            f"blastn -version; makeblastdb -version; {IMPORTS}",
        ),
        ("torch", f"python3 -c 'import torch; torch.nn.Linear(2, 2)(torch.zeros(1, 2)).sum().backward()'; {IMPORTS}"),
        ("report", "multiqc --version; python3 -c 'import click'"),
    ],
    ids=["core", "torch", "report"],
)
def test_image_serves_any_user(images, image, commands):
    """A user whom the image does not know and without a home: all tools work, and nothing is there to compile with."""
    name = f"localhost/binloom/{image}:{VERSION}"
    script = f"set -euo pipefail; {commands}; ps -e"
    script += "; touch /tmp/file; ! type -P gcc cc make pip"
    done = call(
        "podman", "run", "--rm", "--pull=never", "--user", "12345:54321", name, "bash", "-c", script,
        environment=images,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    owner = call("podman", "run", "--rm", "--pull=never", name, "id", "-u", environment=images)
    assert owner.stdout.strip() == "1000", owner.stdout


@needs_podman
def test_build_prints_digests_and_keeps_current_images(tmp_path, podman):
    """An image stays as long as its folder stays as it is; a changed requirement makes a new one."""
    shutil.copy(PROJECT / "containers" / "build.sh", tmp_path)
    for image in ("core", "torch", "report"):
        (tmp_path / image).mkdir()
        (tmp_path / image / "Dockerfile").write_text(f"FROM {BASE}\nCOPY requirements.txt /\n")
        (tmp_path / image / "requirements.txt").write_text("first\n")
    settings = {"VERSION": "test", "REGISTRY": "localhost/binloom-test"}
    names = [f"localhost/binloom-test/binloom/{image}:test" for image in ("core", "torch", "report")]

    def digests() -> dict[str, str]:
        done = build(podman, tmp_path, **settings)
        assert done.returncode == 0, done.stdout
        lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()[-3:]]
        assert all(re.fullmatch(DIGEST, digest) and re.search(r"\d [kMG]B$", size) for _, digest, size in lines), lines
        return {name: digest for name, digest, _ in lines}

    replaced = ""
    try:
        first = digests()
        assert list(first) == names
        assert digests() == first
        replaced = call("podman", "images", "--quiet", names[0]).stdout.strip()
        (tmp_path / "core" / "requirements.txt").write_text("second\n")
        second = digests()
        assert [first[name] == second[name] for name in first] == [False, True, True]
    finally:
        call("podman", "rmi", "--force", *names, *replaced.split())


@needs_podman
def test_push_of_an_absent_image_fails():
    done = call(
        PROJECT / "containers" / "build.sh", "push",
        environment={"ENGINE": "podman", "VERSION": "absent", "REGISTRY": "127.0.0.1:9"},
    )  # fmt: skip
    assert done.returncode != 0 and "binloom/core:absent" in done.stdout, done.stdout


def assert_told(run, *words) -> None:
    """The run ends before any work, and one line of its output says what to do."""
    assert run.status != 0
    assert "Submitted process" not in run.output
    assert [line for line in run.output.splitlines() if all(word in line for word in words)], run.output


@needs_podman
def test_absent_image_is_told_in_one_line(tmp_path):
    name = "localhost/binloom/core:absent"
    (tmp_path / "absent.config").write_text(f"process {{ withLabel: image_core {{ container = '{name}' }} }}")
    run = run_pipeline(tmp_path, "-c", tmp_path / "absent.config", profile="test,podman")
    assert_told(run, name, "make images ENGINE=podman", "--container_registry")


def test_absent_engine_is_told_in_one_line(tmp_path):
    """A folder with everything that is on PATH, but docker"""
    for folder in reversed(os.environ["PATH"].split(":")):
        for program in Path(folder).glob("*"):
            link = tmp_path / "bin" / program.name
            link.parent.mkdir(exist_ok=True)
            link.unlink(missing_ok=True)
            if program.name != "docker":
                link.symlink_to(program)
    run = run_pipeline(tmp_path, profile="test,docker", environment={"PATH": str(tmp_path / "bin")})
    assert_told(run, "docker is not on PATH", "make images ENGINE=docker", "--container_registry")


@pytest.mark.parametrize(("engine", "parser"), [("singularity", "v1"), ("apptainer", "v2")])
def test_absent_image_file_is_told_in_one_line(tmp_path, monkeypatch, engine, parser):
    monkeypatch.setenv("NXF_SYNTAX_PARSER", parser)
    variable = f"NXF_{engine.upper()}_LIBRARYDIR"
    run = run_pipeline(tmp_path, profile=f"test,{engine}")
    assert_told(run, "make images SIF=FOLDER", variable, "--container_registry")
    for image in ("core", "torch", "report"):
        (tmp_path / f"localhost-binloom-{image}-{VERSION}.img").touch()
    run = run_pipeline(tmp_path, profile=f"test,{engine}", environment={variable: str(tmp_path)})
    assert "There is no" not in run.output and "Submitted process" in run.output


def test_conda_profile_names_an_environment_for_each_image(tmp_path):
    """The directives stand in this profile alone; no environment is made, as inspect only previews."""
    config = flat_config("test,conda", tmp_path)
    assert config["conda.enabled"] == "true"
    for image in ("core", "torch"):
        environment = Path(config[f"process.'withLabel:image_{image}'.conda"].strip("'"))
        assert environment == PROJECT / "containers" / image / "environment.yml" and environment.exists()
    assert not [name for name in flat_config("test", tmp_path) if "conda" in name]
    done = nextflow(["-q", "inspect", PROJECT, "-profile", "test,conda"], tmp_path)
    assert done.returncode == 0, done.stdout
