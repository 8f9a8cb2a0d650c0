"""docs/architecture.md and CONTRIBUTING.md name every file and stage that there is, and none that there is not."""

import re

import pytest

from stage_modules import PROJECT, stage_names

PAGE = (PROJECT / "docs" / "architecture.md").read_text()
# What CONTRIBUTING.md takes as the example of a new stage
EXAMPLE = "markers"


def pictured_words(page: str) -> set[str]:
    """Words of the Mermaid picture of a page."""
    picture = re.search(r"^```mermaid\n(.*?)^```", (PROJECT / page).read_text(), re.M | re.S)
    assert picture, f"{page} has no picture"
    return set(re.findall(r"\w+", picture.group(1)))


def test_every_file_of_bin_has_a_line():
    lines = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 3)
    named = set(re.findall(r"`(\w+\.py)`", lines))
    assert named == {path.name for path in (PROJECT / "bin").glob("*.py")}


def test_the_picture_has_every_stage():
    assert {stage.upper() for stage in stage_names()} <= pictured_words("docs/architecture.md")


def test_the_picture_of_the_readme_has_every_stage():
    assert set(stage_names()) <= pictured_words("README.md")


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_a_page_names_only_files_that_exist(page):
    text = (PROJECT / page).read_text()
    paths = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:nf|config|json|py|md))`", text))
    folders = ["", "bin", "tests/python", "docs"]
    missing = [path for path in paths if not any((PROJECT / folder / path).exists() for folder in folders)]
    assert not [path for path in missing if EXAMPLE not in path]


def test_named_code_exists():
    """What stands in brackets behind a file is in that file."""
    places = re.findall(r"`(bin/\w+\.py)` \(`(\w+)`\)", PAGE)
    assert len(places) >= 3
    assert not [place for place in places if place[1] not in (PROJECT / place[0]).read_text()]
