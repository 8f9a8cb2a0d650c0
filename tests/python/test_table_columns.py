"""table_columns.py: what columns may hold. The schemas themselves: test_stage_tables.py."""

import math

import numpy as np
import pandas as pd
import pytest

from table_columns import Column, real, text, whole


@pytest.mark.parametrize(
    ("column", "right", "wrong"),
    [
        (Column("n", int, 1), [1, 7], [0, -3]),
        (Column("x", float, 0, 1), [0.0, 0.5, 1.0], [-0.1, 1.1, math.inf, math.nan]),
        (Column("x", float, may_be_empty=True), [0.0, 2.5, math.nan], [-1.0, math.inf]),
        (Column("t"), ["a", " "], [""]),
        (Column("t", may_be_empty=True), ["a", ""], []),
        (Column("w", words=("one", "two")), ["one", "two"], ["", "three"]),
        (Column("w", words=("one", "two"), may_be_empty=True), ["one", ""], ["three"]),
    ],
)
def test_values_that_a_column_may_hold(column, right, wrong):
    values = pd.Series([*right, *wrong])
    assert column.wrong(values).tolist() == [False] * len(right) + [True] * len(wrong)


def test_an_empty_cell_is_a_number_only_where_there_may_be_gaps():
    assert Column("x", float, may_be_empty=True).can_be("") and not Column("x", float).can_be("")
    assert not Column("n", int).can_be("") and not Column("x", float, may_be_empty=True).can_be("nan")


def test_columns_are_made_by_kind():
    kinds = [column.kind for column in (*text("a"), *whole("b"), *real("c", "d", most=1))]
    assert kinds == [str, int, float, float]
    assert [column.rule for column in (*whole("b", least=1), *real("c", most=1))] == [
        "a whole number of at least 1",
        "a finite number from 0 to 1",
    ]
    assert not Column("x", float, may_be_empty=True).wrong(pd.Series([np.nan])).any()
