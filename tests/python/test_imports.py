"""What the files of bin/ import, and how large they may be.

Nextflow hashes only the files of bin/ that a process names: a module that is imported and not named gives stale results
with -resume.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

from stage_modules import (
    PROJECT,
    import_closure,
    imported_names,
    modules_line,
    stage_commands,
    stage_names,
    with_modules_line,
)

FILES = sorted((PROJECT / "bin").glob("*.py"))
COMMANDS = stage_commands()
MODULES = [path for path in FILES if path not in COMMANDS.values()]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MODULE_OF = {"umap-learn": "umap"}  # what a package is imported as, where that is not its name

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
every_command = pytest.mark.parametrize("stage", COMMANDS)


def process_file(stage: str) -> Path:
    return PROJECT / "modules" / "local" / stage / "main.nf"


def bash_lines(stage: str) -> list[str]:
    """The bash lines of a process's script block, stripped."""
    text = process_file(stage).read_text()
    script = re.search(r'^ {4}script:\n.*?"""\n(.*?)"""', text, re.M | re.S)
    assert script, f'modules/local/{stage}/main.nf has no script: block with a """ string'
    return [line.strip() for line in script.group(1).splitlines()]


def required_packages(requirements: Path) -> set[str]:
    """The packages that a requirements.in names, with those of the files that it includes."""
    packages = set()
    for line in requirements.read_text().splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["-r"]:
            packages |= required_packages(requirements.parent / words[1])
        elif words:
            packages.add(re.match(r"[A-Za-z0-9_.-]+", words[0]).group())
    return packages


def test_commands_and_modules_are_told_apart():
    assert {"validate", "catalogue", "vae", "refine"} <= COMMANDS.keys() <= set(stage_names())
    without_script = set(stage_names()) - COMMANDS.keys()
    assert not [stage for stage in without_script if f"{stage}.py" in process_file(stage).read_text()]


@every_command
def test_a_process_names_every_module_that_its_script_imports(stage):
    lines = bash_lines(stage)
    assert any(line.split()[:1] == [f"{stage}.py"] for line in lines), f"process {stage} does not run {stage}.py"
    expected = modules_line(import_closure(COMMANDS[stage]))
    found = [line for line in lines if line.startswith("# modules:")]
    remedy = f"write this line above the command: {expected}" if expected else "delete the line # modules:"
    assert found == ([expected] if expected else []), (
        f"modules/local/{stage}/main.nf: {remedy} (scripts/stage_modules.py --write does it)"
    )


@every_command
def test_a_stage_imports_only_packages_of_its_image(stage):
    label = re.search(r"^ {4}label 'image_(\w+)'", process_file(stage).read_text(), re.M)
    assert label, f"modules/local/{stage}/main.nf has no label 'image_core', 'image_torch' or 'image_report'"
    packages = required_packages(PROJECT / "containers" / label.group(1) / "requirements.in")
    known = (
        {MODULE_OF.get(name, name) for name in packages} | set(sys.stdlib_module_names) | {path.stem for path in FILES}
    )
    script = COMMANDS[stage]
    strange = {path.name: imported_names(path) - known for path in {script} | import_closure(script)}
    strange = {name: sorted(names) for name, names in strange.items() if names}
    assert not strange, f"not in containers/{label.group(1)}/requirements.in: {strange}"


def test_packages_of_the_images_are_read():
    core = required_packages(PROJECT / "containers/core/requirements.in")
    known = {"numpy", "pandas", "pysam", "click", "gfapy", "jsonschema", "pyhmmer", "pyrodigal", "fetchmgs", "metacoag"}
    assert known == core
    assert required_packages(PROJECT / "containers/report/requirements.in") == {"click", "multiqc"}
    # SciPy is there for its version alone
    assert core | {"torch", "umap-learn", "scipy"} == required_packages(PROJECT / "containers/torch/requirements.in")


def test_every_module_is_imported_by_a_command():
    imported = set().union(*(import_closure(script) for script in COMMANDS.values()))
    assert not [path.name for path in MODULES if path not in imported]


def test_no_module_hides_a_package():
    """The folder of a script is the first place where Python looks for what it imports."""
    packages = required_packages(PROJECT / "containers/torch/requirements.in")
    modules = {MODULE_OF.get(name, name) for name in packages}
    assert not {path.stem for path in FILES} & (set(sys.stdlib_module_names) | modules)


@every_file
def test_a_file_is_executable_and_has_tests(path):
    assert path.stat().st_mode & 0o111 == 0o111, f"chmod +x bin/{path.name}: else Nextflow does not hash it"
    assert path.read_text().startswith("#!/usr/bin/env python3\n"), f"bin/{path.name} has no shebang"
    tests = PROJECT / "tests" / "python" / f"test_{path.stem}.py"
    assert tests.is_file(), f"write tests/python/{tests.name}: the tests of bin/{path.name} belong there"


@every_file
def test_a_file_is_short(path):
    lines = len(path.read_text().splitlines())
    assert lines <= MAX_FILE_LINES, f"bin/{path.name} has {lines} lines: move one of its ideas to a module"


@every_file
def test_functions_are_short(path):
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    lengths = [(node.name, node.end_lineno - node.lineno + 1) for node in functions]
    long = [f"{name} ({lines})" for name, lines in lengths if lines > MAX_FUNCTION_LINES]
    assert not long, f"functions of bin/{path.name} with more than {MAX_FUNCTION_LINES} lines: {', '.join(long)}"


def test_the_closure_follows_imports_of_every_kind(tmp_path):
    sources = {
        "stage": "import json\nimport numpy as np\nimport a\n",
        "a": "def late():\n    from b import thing\n",
        "b": "import c.d\nfrom a import late\n",
        "c": "import stage\n",
        "unused": "import a\n",
    }
    for name, text in sources.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert import_closure(tmp_path / "stage.py") == {tmp_path / f"{name}.py" for name in "abc"}
    assert modules_line(import_closure(tmp_path / "stage.py")) == "# modules: a.py b.py c.py"
    assert modules_line([]) == ""


def test_the_line_is_written_above_the_command_once():
    process = 'process A {\n    script:\n    def x = 1\n    """\n    a.py\n    """\n\n    stub:\n    """\n    """\n}\n'
    written = with_modules_line(process, "# modules: b.py")
    assert written == process.replace("    a.py\n", "    # modules: b.py\n    a.py\n")
    assert with_modules_line(written, "# modules: c.py") == written.replace("b.py", "c.py")
    assert with_modules_line(written, "") == process
