"""The conda environments hold what the images hold, at the same versions; the release workflow's scripts are bash."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
CONTAINERS = PROJECT / "containers"
# Names of conda-forge that are not PyPI's
RENAMED = {"torch": "pytorch"}
# The Python of the images' Debian, and what Nextflow measures tasks by: the images do not pin these.
UNPINNED = {"python": "3.11", "procps-ng": ""}
# Packages of Debian by the names that bioconda has for them
TOOLS = {"blast": "ncbi-blast+", "bwa": "bwa", "minimap2": "minimap2", "samtools": "samtools"}


def pinned(image: str) -> dict[str, str]:
    """Return name -> version of the packages that requirements.in asks for, by requirements.txt for Python 3.11."""
    lines = (CONTAINERS / image / "requirements.in").read_text().splitlines()
    asked = {re.match(r"[\w-]+", line)[0] for line in lines if re.match(r"\w", line)}
    pins = re.findall(r"^([\w-]+)==(\S+)( ;.*)?", (CONTAINERS / image / "requirements.txt").read_text(), re.MULTILINE)
    versions = {name: version for name, version, marker in pins if "python_full_version >= '3.14'" not in marker}
    return {RENAMED.get(name, name): versions[name] for name in asked}


def environment(image: str) -> dict[str, str]:
    """Return name -> version of environment.yml; each package names the channel that has it."""
    content = yaml.safe_load((CONTAINERS / image / "environment.yml").read_text())
    assert content["channels"] == ["conda-forge", "bioconda"], "bioconda asks for this order"
    packages = {}
    for dependency in content["dependencies"]:
        channel, name, version = re.fullmatch(r"([\w-]+)::([\w-]+)=?([\w.]*)", dependency).groups()
        assert channel in content["channels"] and name not in packages
        packages[name] = version
    return packages


def test_core_environment_is_the_core_image():
    dockerfile = (CONTAINERS / "core" / "Dockerfile").read_text()
    tools = {tool: re.search(rf"'{re.escape(package)}=([\d.]+)", dockerfile)[1] for tool, package in TOOLS.items()}
    assert environment("core") == pinned("core") | tools | UNPINNED


def test_torch_environment_is_the_torch_image():
    assert environment("torch") == pinned("core") | pinned("torch") | UNPINNED


def test_report_environment_is_the_report_image():
    assert environment("report") == pinned("report") | UNPINNED


def release_steps() -> list[dict]:
    """Return the steps of the release workflow."""
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "release.yml").read_text())
    return workflow["jobs"]["images"]["steps"]


def test_scripts_of_the_release_are_bash():
    scripts = [step["run"] for step in release_steps() if "run" in step]
    assert [script for script in scripts if "make images" in script]
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True)


@pytest.mark.parametrize(
    ("tag", "version", "status"), [("1.2.3", "1.2.3", 0), ("1.2.3", "1.2.4", 1), ("1dev", "1dev", 1)]
)
def test_release_needs_a_tag_that_is_the_version(tmp_path, tag, version, status):
    """The first script of the workflow, in a copy of what it reads"""
    (tmp_path / "Makefile").write_text((PROJECT / "Makefile").read_text())
    (tmp_path / "nextflow.config").write_text(f"manifest {{\n    version = '{version}'\n}}\n")
    script = next(step["run"] for step in release_steps() if "run" in step)
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "GITHUB_REF_NAME": tag}, check=False
    )
    assert done.returncode == status
