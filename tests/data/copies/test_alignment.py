"""The second look: known movements are found again, and greys do not matter."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cxrpipe.data.copies import alignment
from cxrpipe.data.copies.alignment import fine_structure, sampling

SIDE = 64


def films(n, seed=0):
    smooth = gaussian_filter(np.random.default_rng(seed).normal(size=(n, SIDE, SIDE)), (0, 2, 2))
    low, high = smooth.min((1, 2), keepdims=True), smooth.max((1, 2), keepdims=True)
    return np.round(20 + 200 * (smooth - low) / (high - low)).astype(np.uint8)


def moved(pictures, vertical, horizontal):
    """Resample films as ``sampling`` says: each axis has stretch and shift."""
    rows, columns = (
        sampling(np.tile(np.array(axis, np.float32), (len(pictures), 1)), SIDE)
        for axis in (vertical, horizontal)
    )
    seen = rows @ pictures.astype(np.float32) @ columns.transpose(0, 2, 1)
    return np.round(seen).astype(np.uint8)


def align(moving, fixed, steps, start=None):
    """Align every film with the film of its own row."""
    return alignment.align(moving, fixed, np.arange(len(moving)), steps, start)


def test_sampling_in_place_changes_nothing_and_a_shift_moves_by_its_share_of_half_the_side():
    axes = np.array([[1, 0], [1, 2 / 32], [1, -1 / 64]], np.float32)
    still, two, half = sampling(axes, SIDE)
    np.testing.assert_allclose(still, np.eye(SIDE), atol=1e-5)
    line = np.arange(SIDE)
    np.testing.assert_allclose(two @ line, np.minimum(line + 2, SIDE - 1), atol=1e-4)
    np.testing.assert_allclose(half @ line, np.maximum(line - 0.5, 0), atol=1e-4)


def test_a_stretch_leaves_the_centre_and_repeats_the_edge():
    (wide,) = sampling(np.array([[2, 0]], np.float32), SIDE)
    seen = wide @ np.arange(SIDE)
    np.testing.assert_allclose(seen[[31, 32]], [30.5, 32.5], atol=1e-4)
    assert seen[0] == 0
    assert seen[-1] == SIDE - 1
    np.testing.assert_allclose(wide.sum(1), 1, atol=1e-5)


def test_fine_structure_is_blind_to_scale_offset_and_slow_changes():
    one = fine_structure(films(3))
    assert one.dtype == np.int8
    assert (np.abs(one.astype(int)).max((1, 2)) == 127).all()
    half = fine_structure((films(3) // 2 + 60).astype(np.uint8))
    assert np.corrcoef(one.ravel(), half.ravel())[0, 1] > 0.995
    shaded = films(3) // 2 + np.linspace(0, 100, SIDE).astype(np.uint8)
    assert np.corrcoef(one.ravel(), fine_structure(shaded).ravel())[0, 1] > 0.98


def test_a_plain_film_has_no_structure_and_correlates_with_nothing():
    plain = fine_structure(np.full((1, SIDE, SIDE), 77, np.uint8))
    assert not plain.any()
    correlation, position = align(plain, fine_structure(films(1)), 4)
    assert abs(correlation[0]) < 1e-3
    assert np.isfinite(position).all()


def test_identical_films_correlate_wholly_where_they_lie():
    structures = fine_structure(films(5))
    correlation, position = align(structures, structures, 8)
    np.testing.assert_allclose(correlation, 1, atol=1e-5)
    np.testing.assert_allclose(position, np.tile([1, 0], (5, 2, 1)), atol=1e-3)


def test_contrast_and_brightness_do_not_change_the_correlation():
    one, other = fine_structure(films(4)), fine_structure((films(4) // 3 + 90).astype(np.uint8))
    correlation, _ = align(other, one, 8)
    assert correlation.min() > 0.99


def test_opposite_greys_correlate_negatively():
    one = fine_structure(films(4))
    correlation, _ = align(-one, one, 0)
    np.testing.assert_allclose(correlation, -1, atol=1e-5)


@pytest.mark.parametrize(
    ("vertical", "horizontal"),
    [
        ((1, 0.05), (1, -0.03)),
        ((0.95, 0), (0.97, 0)),
        ((0.94, 0.04), (0.96, -0.05)),
        ((0.9, -0.06), (0.92, 0.06)),
    ],
)
def test_a_known_stretch_and_shift_is_found_again(vertical, horizontal):
    # The fixed film shows the moving one, resampled: the position that undoes it is the movement.
    originals = films(6)
    seen = moved(originals, vertical, horizontal)
    correlation, position = align(fine_structure(originals), fine_structure(seen), 20)
    np.testing.assert_allclose(position, np.tile([vertical, horizontal], (6, 1, 1)), atol=0.01)
    assert correlation.min() > 0.98


def test_different_films_do_not_correlate_however_they_are_moved():
    correlation, position = align(fine_structure(films(20)), fine_structure(films(20, seed=1)), 12)
    assert correlation.max() < 0.8
    assert np.abs(position[..., 0] - 1).max() <= 0.25 + 1e-6
    assert np.abs(position[..., 1]).max() <= 0.25 + 1e-6


def test_starting_near_the_place_needs_fewer_steps():
    originals = films(6)
    seen = moved(originals, (0.94, 0.04), (0.96, -0.05))
    pair = fine_structure(originals), fine_structure(seen)
    start = np.tile(np.array([[0.94, 0.04], [0.96, -0.05]], np.float32), (6, 1, 1))
    assert (align(*pair, 0, start)[0] > align(*pair, 0)[0]).all()
    assert align(*pair, 0, start)[0].min() > 0.98
    np.testing.assert_allclose(start[0], [[0.94, 0.04], [0.96, -0.05]], atol=1e-6)


def test_pairs_do_not_influence_each_other():
    one, other = fine_structure(films(5)), fine_structure(films(5, seed=2))
    together, _ = align(one, other, 5)
    alone = [align(one[row : row + 1], other[row : row + 1], 5)[0][0] for row in range(5)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_film_is_laid_on_the_counterpart_that_its_row_names():
    one, other = fine_structure(films(5)), fine_structure(films(3, seed=2))
    counterpart = np.array([2, 0, 0, 1, 2])
    named = alignment.align(one, other, counterpart, 5)
    for found, told in zip(named, align(one, other[counterpart], 5), strict=True):
        np.testing.assert_allclose(found, told, atol=1e-5)
