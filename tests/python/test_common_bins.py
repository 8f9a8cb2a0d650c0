"""common_bins.py: which bins of two binnings are the same, at the bound."""

import pandas as pd
import pytest

from common_bins import bin_sizes, common_bins, corresponding

LENGTH = pd.Series({"a": 100, "b": 100, "c": 50, "d": 50, "e": 1})


def labels(**bins):
    return pd.DataFrame([(c, name) for name, contigs in bins.items() for c in contigs], columns=["contig", "bin"])


def common(one, other):
    found = common_bins(labels(**one), labels(**other), LENGTH)
    return found.to_numpy().tolist()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"x": "ab"}, {"y": "ab"}, [["x", "y", 200, 200, 200]]),
        ({"x": "a"}, {"y": "ab"}, [["x", "y", 100, 200, 100]]),  # just half of the larger
        ({"x": "ab"}, {"y": "a"}, [["x", "y", 200, 100, 100]]),
        ({"x": "a"}, {"y": "abe"}, []),  # a base less
        ({"x": "ac"}, {"y": "bc"}, []),
        ({"x": "a"}, {"y": "b"}, []),
        ({"x": ""}, {"y": "b"}, []),
        ({"x": "", "z": "ab"}, {"y": "ab"}, [["z", "y", 200, 200, 200]]),
    ],
    ids=range(8),
)
def test_half_of_the_larger(one, other, expected):
    assert common(one, other) == expected


def test_of_two_common_bins_the_one_that_shares_most_corresponds():
    """With contigs of several bins, a bin may have more than one."""
    found = common_bins(labels(x="acd"), labels(y="a", z="acd"), LENGTH)
    assert found["bin_2"].tolist() == ["z", "y"]
    assert corresponding(found)["bin_2"].tolist() == ["z"]


def test_sizes_stand_in_the_order_of_the_bins():
    assert bin_sizes(labels(y="ae", x="b"), LENGTH).to_dict() == {"y": 101, "x": 100}
