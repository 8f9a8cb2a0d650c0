#!/usr/bin/env python3
"""Checks values against JSON Schemas, and shows values and names in messages."""

import difflib
import json
import math
import re
from pathlib import Path
from typing import Any

import click
from jsonschema import Draft202012Validator, validators

from message_text import one_line, printable

LEAST_LIKENESS = 0.6  # of a name to a known one that a message suggests; difflib's default


def is_integer(_checker: Any, value: Any) -> bool:
    """Tell whether a value is an integer for the scripts that get it. JSON Schema calls 10.0 an integer, too."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(_checker: Any, value: Any) -> bool:
    """Tell whether a value is a finite number. No bound of a schema stops NaN."""
    return is_integer(_checker, value) or (isinstance(value, float) and math.isfinite(value))


Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": is_integer, "number": is_number}),
)


def shown(value: Any) -> str:
    """Return a value as messages show it: text in quotes, anything else as JSON."""
    return f"'{printable(value)}'" if isinstance(value, str) else printable(json.dumps(value))


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that `name`, in any case or with hyphens, most likely stands for, or None."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
    return next(iter(difflib.get_close_matches(snake, known, n=1, cutoff=LEAST_LIKENESS)), None)


def read_json(path: Path, *keys: str) -> dict:
    """Return a JSON object, in which NaN and infinities stay text.

    Raise ClickException naming the file if it is no object or lacks one of the keys.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{path}: no JSON ({one_line(error)}): write it anew") from error
    if not isinstance(value, dict) or not value.keys() >= set(keys):
        raise click.ClickException(f"{path}: no JSON object with {', '.join(keys)}: write it anew")
    return value
