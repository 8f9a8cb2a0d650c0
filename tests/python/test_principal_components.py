"""principal_components.py: the directions of most variance, also where there is none, or one row."""

import numpy as np

from principal_components import choose_points, project


def test_points_on_a_line_have_one_component():
    values = np.outer([-1.0, 0, 1, 4], [3.0, 4, 0])
    points, explained = project(values, np.arange(4))
    np.testing.assert_allclose(points[:, 0], [-10, -5, 0, 15])
    np.testing.assert_allclose(points[:, 1], 0, atol=1e-12)
    np.testing.assert_allclose(explained, [1, 0], atol=1e-12)


def test_distances_in_a_plane_are_kept_and_the_order_is_that_of_variance():
    rng = np.random.default_rng(1)
    plane = rng.normal(size=(200, 2)) * [1, 5]
    turned = plane @ np.linalg.qr(rng.normal(size=(6, 6)))[0][:2]
    points, explained = project(turned.astype(np.float32), np.arange(0, 200, 2))
    assert explained[0] > explained[1] > 0 and np.isclose(explained.sum(), 1)
    shown = plane[::2]
    np.testing.assert_allclose(
        np.linalg.norm(points - points[0], axis=1), np.linalg.norm(shown - shown[0], axis=1), rtol=1e-3
    )


def test_no_variance_one_row_and_one_column():
    for values in (np.ones((3, 4)), np.ones((1, 4)), np.ones((2, 1))):
        points, explained = project(values, np.array([0]))
        assert points.tolist() == [[0, 0]] and explained.tolist() == [0, 0]
    points, explained = project(np.array([[1.0], [3.0]]), np.array([1]))
    assert points.tolist() == [[1, 0]] and explained.tolist() == [1, 0]


def test_each_label_has_its_quota():
    labels = np.array(["a"] * 50 + ["b"] * 3 + ["c"] * 9)
    chosen = choose_points(labels, {"a": 10, "b": 10}, np.random.default_rng(0))
    assert len(set(chosen)) == len(chosen) == 13
    assert sorted(labels[chosen]) == ["a"] * 10 + ["b"] * 3
    assert len(choose_points(labels, {}, np.random.default_rng(0))) == 0
