"""report_files.py: what is written is read back; anything else is refused with one line."""

import click
import pytest

import report_files


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_round_trips(inside):
    report_files.write_summary([{"group": "g", "bins": 1}], [])
    assert report_files.read_summary(inside / "summary.json") == {"groups": [{"group": "g", "bins": 1}], "warnings": []}
    content = {key: [] for key in report_files.GROUP_KEYS}
    report_files.write_group(content)
    assert report_files.read_group(inside / "report_data.json") == content


def test_nan_is_not_written():
    with pytest.raises(ValueError, match="JSON compliant"):
        report_files.write_group({"bins": float("nan")})


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not JSON"), ("[]", "has no `groups`"), ('{"groups": []}', "has no `warnings`")]
)
def test_other_files_are_refused(inside, text, message):
    (inside / "summary.json").write_text(text)
    with pytest.raises(click.ClickException, match=f"{message}.*; give the summary.json that the summary stage wrote"):
        report_files.read_summary(inside / "summary.json")
