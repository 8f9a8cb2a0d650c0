"""table_bytes.py: what pandas would read in silence as another table is found, wherever its blocks end."""

import io

import pytest

from table_bytes import PandasLines

GOOD = [b"", b"a\tb\n", b"a\tb\r\n1\t2\r\n", b"a\n b\n  c d\n", b"a\nb\n\n\n", b"a\nb\r", b"a\tb\n \t \n"]
BAD = [b"a\nb\0c\n", b"a\rb\n", b"a\nb\r\r\nc\n", b"a\n  \nb\n", b"a\n \r\nb\n", b"a\r\nb\rc", b"a\n   "]


def read_blocks(raw: bytes, size: int) -> bytes:
    lines = PandasLines(io.BytesIO(raw))
    return b"".join(iter(lambda: lines.read(size), b""))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("raw", GOOD, ids=range(len(GOOD)))
def test_a_table_passes_unchanged(raw, size):
    assert read_blocks(raw, size) == raw


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("raw", BAD, ids=range(len(BAD)))
def test_what_pandas_misreads_is_found(raw, size):
    with pytest.raises(ValueError, match="misreads"):
        read_blocks(raw, size)
