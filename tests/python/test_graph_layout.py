"""graph_layout.py: linked vertices lie closer together than others, whatever the graph."""

import numpy as np
import pytest

from graph_layout import place_vertices

NO_EDGES = np.zeros((0, 2), int)


def test_two_groups_of_linked_vertices_lie_apart():
    pairs = [(i, j) for i in range(8) for j in range(i)]
    edges = np.array(pairs + [(i + 8, j + 8) for i, j in pairs])
    places = place_vertices(16, edges)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    within = np.mean([distance[i, j] for i, j in edges])
    assert within < 0.6 * distance[:8, 8:].mean()


@pytest.mark.parametrize("n", [0, 1, 2, 50])
def test_places_are_in_the_picture_and_the_same_each_time(n):
    places = place_vertices(n, NO_EDGES)
    assert places.shape == (n, 2) and np.isfinite(places).all()
    assert ((places >= 0) & (places <= 1)).all()
    np.testing.assert_array_equal(places, place_vertices(n, NO_EDGES))


def test_vertices_do_not_lie_on_one_another():
    places = place_vertices(30, np.array([(0, i) for i in range(1, 30)]))
    distance = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(30)
    assert distance.min() > 0.01
