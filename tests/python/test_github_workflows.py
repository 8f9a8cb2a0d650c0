"""The workflows for GitHub name what the repository has: targets of make, profiles, versions of Nextflow."""

import re

import pytest

from stage_modules import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
CONFIG = (PROJECT / "nextflow.config").read_text()


def commands(text: str) -> list[str]:
    """Return the lines of a workflow that a shell runs."""
    found = []
    for _indent, first, block in re.findall(r"^( *)(?:- )?run: *(.*)\n((?:\1 {2,}.*\n|\n)*)", text, re.M):
        found += block.splitlines() if first.strip() in ("|", ">") else [first]
    return [line.strip() for line in found if line.strip()]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit(workflow):
    """A tag can be moved to other code; the version stands beside, for people."""
    actions = re.findall(r"uses: *(.*)", workflow.read_text())
    assert actions
    assert not [action for action in actions if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_make_has_the_targets(workflow):
    targets = set(re.search(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(), re.M).group(1).split())
    lines = "\n".join(commands(workflow.read_text()))
    named = set(re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", lines))
    assert named <= targets


def test_ci_runs_every_kind_of_check():
    run = "\n".join(commands((PROJECT / ".github" / "workflows" / "ci.yml").read_text()))
    for command in ("make lint", "nextflow lint .", "make test", "make images", "-profile test,docker"):
        assert command in run
    profiles = set(re.search(r"^profiles \{\n(.*?)^\}", CONFIG, re.M | re.S).group(1).split())
    named = {name for names in re.findall(r"-profile (\S+)", run) for name in names.split(",")}
    assert named <= profiles


def test_ci_takes_the_oldest_and_the_newest_nextflow():
    oldest = re.search(r"nextflowVersion *= *'>=([\d.]+)'", CONFIG).group(1)
    matrices = re.findall(r"nextflow: \[(.*)\]", (PROJECT / ".github" / "workflows" / "ci.yml").read_text())
    assert len(matrices) == 2
    assert {matrix.replace("'", "") for matrix in matrices} == {f"{oldest}, latest-stable"}
