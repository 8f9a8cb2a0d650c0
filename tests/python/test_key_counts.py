"""key_counts.py: sums by key, whatever the parts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from key_counts import add_counts

ROWS = st.lists(st.tuples(st.integers(0, 2**62), st.integers(1, 1000)), max_size=20)


@given(st.lists(ROWS, min_size=1, max_size=4))
def test_parts_add_up(parts):
    keys, counts = np.empty((2, 0), np.int64)
    expected: dict[int, int] = {}
    for rows in parts:
        more = np.array(rows, np.int64).reshape(-1, 2)
        keys, counts = add_counts(keys, counts, more[:, 0], more[:, 1])
        for key, count in rows:
            expected[key] = expected.get(key, 0) + count
    assert keys.dtype == counts.dtype == np.int64
    assert dict(zip(keys.tolist(), counts.tolist())) == expected and keys.tolist() == sorted(expected)
