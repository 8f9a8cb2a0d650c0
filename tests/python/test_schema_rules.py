"""schema_rules.py: which numbers pass, how values are shown, and which name is the nearest."""

import click
import pytest

from schema_rules import Validator, nearest, read_json, shown


@pytest.mark.parametrize(
    ("kind", "value", "passes"),
    [
        ("integer", 10, True),
        ("integer", 10.0, False),
        ("integer", True, False),
        ("integer", "10", False),
        ("number", 10, True),
        ("number", 1e-3, True),
        ("number", float("nan"), False),
        ("number", float("inf"), False),
        ("number", True, False),
    ],
)
def test_which_values_are_numbers(kind, value, passes):
    assert Validator({"type": kind}).is_valid(value) is passes


@pytest.mark.parametrize(
    ("value", "text"),
    [("a b", "'a b'"), ("a\nb\x1b", "'a\\nb\\x1b'"), ("é", "'é'"), (1.5, "1.5"), (True, "true"), (None, "null")],
)
def test_values_are_shown_on_one_line(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("name", "found"),
    [("minBinSize", "min_bin_size"), ("min-bin-sise", "min_bin_size"), ("MAPPER", "mapper"), ("wetness", None)],
)
def test_the_nearest_name(name, found):
    assert nearest(name, ["mapper", "min_bin_size"]) == found


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "\x00", "[" * 100_000], ids=range(5))
def test_a_file_without_the_object_is_named(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(click.ClickException, match=r"x\.json: no JSON"):
        read_json(path, "a", "b")
    path.write_text('{"a": NaN, "b": 1}')
    assert read_json(path, "a", "b") == {"a": "NaN", "b": 1}
