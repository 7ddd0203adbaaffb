"""The self-organising map: its errors by brute force, its cells, and that it organises."""

import numpy as np
import pytest
from minisom import MiniSom

from cxrpipe.explanation.latent.som import organise, train_map
from cxrpipe.explanation.latent.space import span

SIDE = 4


@pytest.fixture(scope="module")
def space(clouds):
    """Films of 60 dimensions, more than the map is trained on."""
    return span(clouds(n=70, d=60, apart=1, seed=3)[0], standardise=True)


@pytest.fixture(scope="module")
def laid(space):
    return organise(space, SIDE, seed=1)


def prototypes(space):
    """Return the map's prototypes (16, 60) in the space of all features."""
    weights = train_map(space.components, SIDE, seed=1).get_weights().reshape(SIDE**2, -1)
    beyond = space.coordinates.shape[1] - weights.shape[1]
    return np.pad(weights, ((0, 0), (0, beyond)))


def test_errors_are_those_of_brute_force_in_the_space_of_all_features(space, laid):
    errors, torn = [], 0
    cells = prototypes(space)
    for film, row, column in zip(space.coordinates, laid.rows, laid.columns, strict=True):
        distances = [np.sqrt(sum((film - cell) ** 2)) for cell in cells]
        first, second = np.argsort(distances)[:2]
        assert (row, column) == divmod(first, SIDE)
        errors.append(distances[first])
        away = np.abs(np.array(divmod(first, SIDE)) - np.array(divmod(second, SIDE)))
        torn += away.max() > 1
    assert laid.quantisation_error == pytest.approx(np.mean(errors))
    assert laid.topographic_error == pytest.approx(torn / 70)
    to_centre = [np.sqrt(sum(film**2)) for film in space.coordinates]
    assert laid.relative_error == pytest.approx(np.mean(errors) / np.mean(to_centre))


def test_errors_are_those_of_minisom(space, laid):
    som = MiniSom(SIDE, SIDE, space.coordinates.shape[1])
    som._weights = prototypes(space).reshape(SIDE, SIDE, -1)
    assert laid.quantisation_error == pytest.approx(som.quantization_error(space.coordinates))
    assert laid.topographic_error == pytest.approx(som.topographic_error(space.coordinates))


def test_clouds_are_in_cells_of_their_own(clouds):
    features, which = clouds(n=60)
    laid = organise(span(features, standardise=True), SIDE, seed=0)
    cells = [
        set(zip(laid.rows[which == place], laid.columns[which == place], strict=True))
        for place in (0, 1)
    ]
    assert cells[0].isdisjoint(cells[1])
    assert laid.relative_error < 0.3


def test_points_of_a_plane_are_laid_out_in_their_order():
    """Of a square, opposite corners are far on the map, and few films are torn."""
    points = np.random.default_rng(0).uniform(size=(300, 2))
    laid = organise(span(points, standardise=False), 6, seed=0)
    assert laid.topographic_error < 0.1
    place = np.column_stack([laid.rows, laid.columns])
    first, last = points.sum(axis=1).argmin(), points.sum(axis=1).argmax()
    assert np.abs(place[first] - place[last]).max() >= 4


def test_more_cells_are_nearer_to_the_films(space):
    few, many = (organise(space, side, seed=0).relative_error for side in (2, 8))
    assert many < few < 1


def test_the_same_seed_gives_the_same_map_and_the_global_random_state_stays(space, laid):
    of_numpy = np.random.get_state()[1].copy()  # noqa: NPY002
    again = organise(space, SIDE, seed=1)
    np.testing.assert_array_equal(again.rows, laid.rows)
    assert again.quantisation_error == laid.quantisation_error
    assert organise(space, SIDE, seed=2**60).quantisation_error != laid.quantisation_error
    np.testing.assert_array_equal(np.random.get_state()[1], of_numpy)  # noqa: NPY002


def test_two_films_of_one_feature_are_mapped():
    laid = organise(span(np.array([[0.0], [1]]), standardise=True), 2, seed=0)
    assert (laid.rows[0], laid.columns[0]) != (laid.rows[1], laid.columns[1])
