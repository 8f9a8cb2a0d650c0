"""base_digits.py: each base in either case, and everything else."""

from base_digits import DIGITS, NO_BASE


def test_digits_of_bases_and_of_all_other_characters():
    assert list(b"ACGTacgt".translate(DIGITS)) == [0, 1, 2, 3] * 2
    others = bytes(code for code in range(256) if code not in b"ACGTacgt")
    assert set(others.translate(DIGITS)) == {NO_BASE}
