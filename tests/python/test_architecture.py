"""docs/architecture.md and CONTRIBUTING.md name every file and stage that there is, and none that there is not."""

import re

import pytest

from stage_modules import PROJECT, stage_names

PAGE = (PROJECT / "docs" / "architecture.md").read_text()
# What CONTRIBUTING.md takes as the example of a new stage
EXAMPLE = "markers"


def picture(page: str) -> str:
    """The Mermaid picture of a page."""
    found = re.search(r"^```mermaid\n(.*?)^```", (PROJECT / page).read_text(), re.M | re.S)
    assert found, f"{page} has no picture"
    return found.group(1)


def pictured_words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def test_every_file_of_bin_has_a_line():
    lines = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 3)
    named = set(re.findall(r"`(\w+\.py)`", lines))
    assert named == {path.name for path in (PROJECT / "bin").glob("*.py")}


def test_the_picture_has_every_stage():
    assert {stage.upper() for stage in stage_names()} <= pictured_words(picture("docs/architecture.md"))


def test_the_picture_of_the_readme_has_the_stages_of_every_run():
    """Arrows with dots lead to the others."""
    solid = [line for line in picture("docs/architecture.md").splitlines() if "-." not in line]
    always = {stage for stage in stage_names() if stage.upper() in pictured_words("\n".join(solid))}
    assert len(always) >= 15
    without_labels = re.sub(r"-- .+? -->", "-->", picture("README.md"))
    assert pictured_words(without_labels) & set(stage_names()) == always


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
