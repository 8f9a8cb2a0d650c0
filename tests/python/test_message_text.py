"""message_text.py: what stands in a file fits in one line, whatever it is."""

import pytest

from message_text import PRINTABLE_CHARACTERS, SHOWN_CHARACTERS, one_line, printable, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "'a b'"),
        ("a\nb\x1b\x85\u2028", r"'a\nb\x1b\x85\u2028'"),
        (b"a\xff", r"b'a\xff'"),
        (7, "7"),
        (None, "None"),
        ("x" * SHOWN_CHARACTERS, repr("x" * SHOWN_CHARACTERS)),
    ],
)
def test_values_are_shown_on_one_line(value, text):
    assert shown(value) == text


@pytest.mark.parametrize("value", ["x" * 100_000, "\x1b" * 100_000, b"\xff" * 100_000, "名" * 101])
def test_a_long_value_is_cut_off(value):
    text = shown(value)
    assert text.startswith(repr(value[:20])[:20]) and text.endswith("...'")
    assert len(text) <= SHOWN_CHARACTERS + len("'...'")


def test_a_long_text_is_cut_off():
    assert printable("x" * PRINTABLE_CHARACTERS) == "x" * PRINTABLE_CHARACTERS
    assert printable("x" * 10_000) == "x" * PRINTABLE_CHARACTERS + "..."
    # Found by benchmark/fuzz_atheris.py: an id of controls, each of which takes four characters.
    assert printable("\x1e" * 110) == r"\x1e" * (PRINTABLE_CHARACTERS // 4) + "..."


def test_an_error_of_several_lines_becomes_one():
    assert one_line(ValueError("Field: x\n  Content:\t\x1b[2J")) == r"Field: x Content: \x1b[2J"
