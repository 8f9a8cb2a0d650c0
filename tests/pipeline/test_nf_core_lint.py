"""What the tools of nf-core say about this repository. They stand in an environment of their own.

Nothing here needs the network, but to install them: `.nf-core.yml` turns off, with its reason, what would ask for it.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import NEXTFLOW, PROJECT, installed_tools

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(
    set((PROJECT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) - {PROJECT / ".github/ISSUE_TEMPLATE/config.yml"}
)


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder with the programs."""
    return installed_tools("--nf-core")


@pytest.fixture
def environment(tmp_path, tools) -> dict[str, str]:
    """Nobody's settings, no progress bar, and no question for a newer version."""
    if NEXTFLOW != "nextflow":
        (tmp_path / "nextflow").symlink_to(shutil.which(NEXTFLOW))
    return {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "NFCORE_NO_VERSION_CHECK": "1",
        "HIDE_PROGRESS": "1",
        "NXF_OFFLINE": "true",
    }


def test_nf_core_lint_finds_nothing(tmp_path, tools, environment):
    """Every check that .nf-core.yml leaves on; a warning counts as a failure."""
    report = tmp_path / "lint.json"
    lint = [tools / "nf-core", "pipelines", "lint", "--dir", PROJECT, "--fail-warned", "--json", report]
    done = subprocess.run(lint, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert found["tests_failed"] == []
    assert found["tests_warned"] == []
    assert done.returncode == 0, done.stdout + done.stderr
    passed = {name for name, _ in found["tests_pass"]}
    assert {"files_exist", "nextflow_config", "nf_test_content", "schema_lint", "schema_params", "nfcore_yml"} <= passed
    assert len(found["tests_pass"]) >= 120


def test_every_check_that_is_off_has_a_reason():
    """A comment stands before it, or before the first of its neighbours."""
    lines = (PROJECT / ".nf-core.yml").read_text().partition("\nlint:\n")[2].splitlines()
    explained = False
    for line in lines:
        if line.strip().startswith("#"):
            explained = True
        elif re.fullmatch(r"  \w+:", line):
            explained = False
        else:
            assert explained, line


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-workflows", WORKFLOWS), ("vendor.github-issue-forms", FORMS)],
    ids=["workflows", "forms"],
)
def test_github_takes_the_files(tools, environment, schema, files):
    assert files
    check = [tools / "check-jsonschema", "--builtin-schema", schema, *files]
    done = subprocess.run(check, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
