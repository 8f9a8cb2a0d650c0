"""report_words.py: every section has a title and a text, every word of the tables a name."""

from binned_lengths import BINNED, LENGTH_BOUNDS
from report_words import FATES, LENGTH_NAMES, REFINEMENTS, TEXTS, TITLES
from stage_modules import PROJECT
from stage_tables import UNBINNED


def test_every_section_has_a_title_and_a_text():
    assert TITLES.keys() == TEXTS.keys()
    assert all(text.endswith(".") for text in TEXTS.values())


def test_no_title_is_the_name_of_a_stage():
    """MultiQC would write the versions of the stage under the section's title."""
    stages = {folder.name for folder in (PROJECT / "modules" / "local").iterdir()}
    assert not stages & {title.lower() for title in TITLES.values()}


def test_every_reason_and_length_has_a_name():
    (reason,) = [column for column in UNBINNED.columns if column.name == "reason"]
    assert FATES.keys() == {BINNED, *reason.words}
    assert [int(bound) for bound in LENGTH_NAMES] == list(LENGTH_BOUNDS)
    page = (PROJECT / "docs" / "output.md").read_text()
    assert not [word for word in REFINEMENTS if f"`{word}`" not in page]
