"""stage_warnings.py: a warning is one line, for the eye and for the summary."""

from stage_warnings import FILE_VARIABLE, warn


def test_a_warning_is_one_line_on_standard_error(capsys, monkeypatch):
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    warn("sample S1:\n  no read maps")
    assert capsys.readouterr().err == "WARNING: sample S1: no read maps\n"


def test_warnings_gather_in_the_file_of_the_task(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "warnings.txt"))
    warn("one")
    warn("zwei: ä\ttab")
    assert (tmp_path / "warnings.txt").read_text(encoding="utf-8") == "one\nzwei: ä tab\n"
    assert capsys.readouterr().err == "WARNING: one\nWARNING: zwei: ä tab\n"
