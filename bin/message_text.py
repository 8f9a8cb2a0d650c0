#!/usr/bin/env python3
"""Show what stands in a file, or what a library says, in the one line of a message.

A damaged file has names of any length and any character, which would fill a terminal or change it.
"""

SHOWN_CHARACTERS = 100  # of a name, a cell or a line of a file
PRINTABLE_CHARACTERS = 200  # of a text without quotes


def shown(value: object) -> str:
    """Return a value of a file as Python writes it, without control characters, and cut off if it is long."""
    is_cut = isinstance(value, (str, bytes)) and len(value) > SHOWN_CHARACTERS
    text = repr(value[:SHOWN_CHARACTERS] if is_cut else value)
    is_cut = is_cut or len(text) > SHOWN_CHARACTERS + len("b''")
    return f"{text[: SHOWN_CHARACTERS + 1]}...{text[-1]}" if is_cut else text


def printable(text: str) -> str:
    """Return a text for one line of a terminal: control characters are escaped, and a long text is cut off."""
    letters = text[: PRINTABLE_CHARACTERS + 1]
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in letters)
    return escaped if len(escaped) <= PRINTABLE_CHARACTERS else escaped[:PRINTABLE_CHARACTERS] + "..."


def one_line(error: Exception) -> str:
    """Return what an exception of a library says, in one short line."""
    return printable(" ".join(str(error).split()))
