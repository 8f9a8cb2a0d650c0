#!/usr/bin/env python3
"""Print the modules of bin/ that a stage imports, or the test files that belong to it.

Nextflow runs a task again when a file of bin/ changes only if the process names that file. Each process therefore has a
line `# modules: ...` in its script, with every module that its command imports, directly or not. This program prints
or writes these lines; tests/python/test_imports.py compares them with the imports.
"""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import click

PROJECT = Path(__file__).resolve().parents[1]


def imported_names(script: Path) -> set[str]:
    """Return the top-level name of everything that a file imports, anywhere in its code."""
    names = set()
    for node in ast.walk(ast.parse(script.read_text(), str(script))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or "").split(".")[0])
    return names


def import_closure(script: Path) -> set[Path]:
    """Return the files that a script imports from its own folder, directly or through each other, without itself."""
    found, waiting = {script}, [script]
    while waiting:
        imported = {script.parent / f"{name}.py" for name in imported_names(waiting.pop())}
        new = {path for path in imported if path.is_file()} - found
        found |= new
        waiting += new
    return found - {script}


def stage_names(project: Path = PROJECT) -> list[str]:
    """Return the names of all stages: the folders of modules/local."""
    return sorted(path.parent.name for path in project.glob("modules/local/*/main.nf"))


def stage_commands(project: Path = PROJECT) -> dict[str, Path]:
    """Return the command script of each stage that has one. It has the stage's name."""
    scripts = {stage: project / "bin" / f"{stage}.py" for stage in stage_names(project)}
    return {stage: script for stage, script in scripts.items() if script.is_file()}


def modules_line(modules: Iterable[Path]) -> str:
    """Return the line that names these modules in a process, or nothing if there are none."""
    names = sorted(path.name for path in modules)
    return f"# modules: {' '.join(names)}" if names else ""


def with_modules_line(process: str, line: str) -> str:
    """Return the text of a process with this line on top of its script, in place of the one that it has."""
    text = re.sub(r"^ +# modules:.*\n", "", process, flags=re.M)
    return (
        re.sub(r'(^ {4}script:\n.*?"""\n)', rf"\g<1>    {line}\n", text, count=1, flags=re.M | re.S) if line else text
    )


def stage_tests(stage: str, project: Path = PROJECT) -> list[Path]:
    """Return the test files of a stage's command and of every module that the command imports."""
    script = project / "bin" / f"{stage}.py"
    members = {script} | import_closure(script) if script.is_file() else set()
    return sorted(test for path in members for test in project.glob(f"tests/python/test_{path.stem}.py"))


@click.command()
@click.argument("stage", required=False)
@click.option("--tests", is_flag=True, help="Print the test files of STAGE in place of its modules, one a line.")
@click.option("--write", is_flag=True, help="Write the line into the process, too.")
def main(stage: str | None, tests: bool, write: bool) -> None:
    """Print the line that names the modules of STAGE, or of every stage."""
    stages = stage_names()
    if (tests or stage is not None) and stage not in stages:
        raise click.ClickException(f"there is no stage {stage!r}: give one of {', '.join(stages)}")
    if tests:
        for path in stage_tests(stage):
            click.echo(path.relative_to(PROJECT))
        return
    for name, script in stage_commands().items():
        if stage in (None, name):
            line = modules_line(import_closure(script))
            click.echo(f"{name}\t{line or 'imports no module of bin/'}")
            if write:
                process = PROJECT / "modules" / "local" / name / "main.nf"
                process.write_text(with_modules_line(process.read_text(), line))


if __name__ == "__main__":
    main()
