"""A changed module of bin/ runs exactly those stages again that import it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import PROJECT, run_pipeline
from stage_modules import import_closure, stage_commands

EPOCHS = ["--epochs", "30"]
# Files count by their content: a task that runs again with the same output leaves the tasks behind it in the cache.
BY_CONTENT = "process.cache = 'deep'\n"


def copy_checkout(target: Path) -> Path:
    """Copy all files of the working tree that git does not ignore."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    return target


def stages_that_import(module: str, project: Path) -> set[str]:
    """Names of the processes whose script imports this module of bin/, directly or not."""
    return {
        stage.upper()
        for stage, script in stage_commands(project).items()
        if project / "bin" / module in import_closure(script)
    }


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """A copy of the checkout, and the stages that a run of it has; further runs of the copy resume this one."""
    folder = tmp_path_factory.mktemp("resume")
    project = copy_checkout(folder / "checkout")
    (folder / "by_content.config").write_text(BY_CONTENT)

    def run(*arguments):
        done = run_pipeline(folder / "launch", *EPOCHS, "-c", folder / "by_content.config", *arguments, project=project)
        assert done.status == 0, done.output
        return done

    return project, run, run().tasks("COMPLETED")


@pytest.mark.parametrize("module", ["stage_tables.py", "bin_model.py"])
def test_a_changed_module_reruns_the_stages_that_import_it(first_run, module):
    project, run, stages = first_run
    expected = stages_that_import(module, project) & stages
    assert expected and expected != stages
    with (project / "bin" / module).open("a") as source:
        source.write("# changed\n")
    resumed = run("-resume")
    assert resumed.tasks("COMPLETED") == expected
    assert resumed.tasks("CACHED") == stages - expected
