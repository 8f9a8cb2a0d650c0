#!/usr/bin/env python3
"""What a column of a table may hold, and what makes a table: the words in which stage_tables.py states its schemas."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

WHOLE_NUMBER = re.compile(r" *[-+]?[0-9]{1,18} *")


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, its type and the values that it may hold."""

    name: str
    kind: type = str  # str, int, float, or bool, which is written as true or false
    least: float = 0  # of a number
    most: float = math.inf
    may_be_empty: bool = False  # a text, or a number that is float: nan stands for an empty cell
    words: tuple[str, ...] = ()  # the only ones that a text may be, if any are given

    def wrong(self, values: pd.Series) -> np.ndarray:
        """Tell which values (n, read as DTYPES says) the column may not hold (n, bool)."""
        if self.kind in (int, float):
            is_right = np.isfinite(values) & (values >= self.least) & (values <= self.most)
            return ~(is_right | values.isna() if self.has_gaps else is_right).to_numpy()
        if self.choices:
            return ~values.isin((*self.choices, *[""] * self.may_be_empty)).to_numpy()
        return np.zeros(len(values), bool) if self.may_be_empty else (values == "").to_numpy()

    def can_be(self, cell: str) -> bool:
        """Tell whether the text of a cell is of the column's type."""
        if self.has_gaps and cell == "":
            return True
        if self.kind is int:
            return WHOLE_NUMBER.fullmatch(cell) is not None
        try:
            return self.kind is not float or ("_" not in cell and math.isfinite(float(cell)))
        except ValueError:
            return False

    @property
    def has_gaps(self) -> bool:
        """Return whether it is a column of numbers of which some may be empty."""
        return self.kind is float and self.may_be_empty

    @property
    def choices(self) -> tuple[str, ...]:
        """Return the texts that a cell may be; none if it may be any."""
        return ("true", "false") if self.kind is bool else self.words

    @property
    def rule(self) -> str:
        """Return what a value must be, as an error says it."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind is str:
            return "a text that is not empty"
        number = "a whole number" if self.kind is int else "a finite number"
        if self.most < math.inf:
            return f"{number} from {self.least} to {self.most}"
        return f"{number} of at least {self.least}" if self.least > -math.inf else number


@dataclass(frozen=True)
class Table:
    """The schema of a table."""

    file: str  # its path below results/<group>/, as docs/output.md has it
    stage: str  # which writes it
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()  # columns that no two rows have in common
    sample: Column | None = None  # of one further column per sample: what it holds; its name is the prefix of theirs
    float_format: str = "%.6g"
    advice: str = ""  # what a user can do about a file that is not such a table, if no stage wrote it

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return Path(self.file).name

    @property
    def remedy(self) -> str:
        """Return what a user can do about a file that is not such a table."""
        return self.advice or f"give the {self.name} that the {self.stage} stage wrote"


def text(*names: str, may_be_empty: bool = False) -> tuple[Column, ...]:
    """Return columns of text."""
    return tuple(Column(name, may_be_empty=may_be_empty) for name in names)


def whole(*names: str, least: int = 0) -> tuple[Column, ...]:
    """Return columns of whole numbers."""
    return tuple(Column(name, int, least) for name in names)


def real(*names: str, least: float = 0, most: float = math.inf, may_be_empty: bool = False) -> tuple[Column, ...]:
    """Return columns of finite numbers."""
    return tuple(Column(name, float, least, most, may_be_empty) for name in names)
