"""The space of features: its distances are those of the features, in one unit."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from cxrpipe.explanation.latent.space import learn_scale, shrink, span


def features(n=30, d=80, seed=0):
    generator = np.random.default_rng(seed)
    return (generator.normal(size=(n, d)) * generator.uniform(0.1, 9, d)).astype(np.float32)


@pytest.mark.parametrize("d", [5, 80])
def test_distances_are_those_of_standardised_features(d):
    values = features(d=d)
    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    space = span(values, standardise=True)
    expected = cdist(standard, standard)
    np.testing.assert_allclose(cdist(space.coordinates, space.coordinates), expected, rtol=1e-4)
    np.testing.assert_allclose(space.coordinates.mean(axis=0), 0, atol=1e-10)
    assert space.dimensions == d


def test_greys_stay_in_their_unit():
    space = span(features(), standardise=False)
    expected = cdist(features(), features())
    np.testing.assert_allclose(cdist(space.coordinates, space.coordinates), expected, rtol=1e-4)


def test_constant_features_are_left_out_and_counted():
    values = features(d=3)
    padded = np.column_stack([values, np.full(30, 7.3), np.zeros(30)]).astype(np.float32)
    padded[4, 3] += 1e-5  # what float32 makes of a sum
    space = span(padded, standardise=True)
    assert space.dimensions == 5
    expected = np.abs(span(values, standardise=True).coordinates)
    np.testing.assert_allclose(np.abs(space.coordinates), expected, rtol=1e-6)


def test_the_first_axes_and_the_rest_make_up_the_distance_to_the_centre():
    space = span(features(n=100, d=90), standardise=True)
    assert space.components.shape == (100, 50)
    squared = (space.components**2).sum(axis=1) + space.rest
    np.testing.assert_allclose(squared, (space.coordinates**2).sum(axis=1))
    variances = space.coordinates.var(axis=0)
    assert space.variance == pytest.approx(variances[:50].sum() / variances.sum())
    assert (np.diff(variances) <= 1e-9).all()


def test_one_feature_lies_on_a_line_of_the_plane():
    space = span(np.array([[1.0], [2], [4]]), standardise=False)
    np.testing.assert_allclose(np.abs(space.components), [[4 / 3, 0], [1 / 3, 0], [5 / 3, 0]])
    assert space.variance == 1


def test_films_that_are_all_alike_do_not_vary():
    space = span(np.full((5, 3), 2.0), standardise=True)
    assert not space.varies
    assert np.isnan(space.variance)
    assert not span(features(n=1), standardise=True).varies
    assert span(np.eye(2), standardise=False).varies


def test_a_scale_that_was_learnt_is_laid_on_other_films():
    """Features have the means 2 and 5, the deviations 1 and 0; the second is left out."""
    scale = learn_scale(np.array([[1.0, 5], [3, 5]]), standardise=True)
    np.testing.assert_allclose(scale.place(np.array([[5.0, 9], [2, 0]])), [[3], [0]])
    in_greys = learn_scale(np.array([[0.0], [4]]), standardise=False)
    np.testing.assert_allclose(in_greys.place(np.array([[5.0]])), [[3]])


def test_a_pixel_is_the_mean_over_its_area():
    """At a whole number of pixels to one, and greys that differ little: the mean of 3 x 3."""
    grey = np.random.default_rng(0).integers(0, 256, (2, 192, 192), dtype=np.uint8)
    means = grey.reshape(2, 64, 3, 64, 3).mean(axis=(2, 4)).reshape(2, 4096)
    np.testing.assert_allclose(shrink(grey), means / 255, atol=0.51 / 255)
    assert shrink(grey).dtype == np.float32


def test_small_films_keep_their_side():
    grey = np.arange(8 * 8, dtype=np.uint8).reshape(1, 8, 8)
    np.testing.assert_allclose(shrink(grey)[0] * 255, np.arange(64), rtol=1e-6)
