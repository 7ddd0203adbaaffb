"""The square: where the film lies in it, and that nothing is invented."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from cxrpipe.preprocessing.radiograph import fit_square


def random_film(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def test_a_wide_film_lies_in_the_middle_of_black():
    # 40 x 20 at scale 32 / 40: 16 rows, 8 black ones above and 8 below
    square = fit_square(np.full((20, 40), 200, np.uint8), 32, "pad")
    expected = np.zeros((32, 32))
    expected[8:24] = 200
    np.testing.assert_array_equal(square, expected)


def test_a_tall_film_lies_in_the_middle_of_black():
    # 3 x 9 at scale 32 / 9: 10.67 becomes 11 columns; 21 are black, 10 of them on the left
    square = fit_square(np.full((9, 3), 200, np.uint8), 32, "pad")
    expected = np.zeros((32, 32))
    expected[:, 10:21] = 200
    np.testing.assert_array_equal(square, expected)


def test_a_stretched_film_fills_the_square():
    halves = np.repeat(np.array([[0, 255]], np.uint8), [30, 30], axis=1).repeat(10, axis=0)
    square = fit_square(halves, 32, "stretch", mask=True)
    np.testing.assert_array_equal(square, np.repeat([[0, 255]], 16, axis=1).repeat(32, axis=0))
    assert (fit_square(np.full((7, 90), 9, np.uint8), 32, "stretch") == 9).all()


@pytest.mark.parametrize("fit", ["pad", "stretch"])
@pytest.mark.parametrize("mask", [False, True])
def test_a_square_of_the_side_asked_for_stays_as_it_is(fit, mask):
    film = random_film(32, 32)
    np.testing.assert_array_equal(fit_square(film, 32, fit, mask=mask), film)


@pytest.mark.parametrize("size", [(100, 80), (80, 100), (64, 64), (16, 8)])
def test_padding_agrees_with_pillow(size):
    film = random_film(*size)
    oracle = ImageOps.pad(Image.fromarray(film), (32, 32), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(fit_square(film, 32, "pad"), np.asarray(oracle))


@given(st.integers(1, 300), st.integers(1, 300), st.integers(32, 70), st.booleans())
def test_a_film_of_one_grey_keeps_it_and_its_aspect(height, width, side, mask):
    square = fit_square(np.full((height, width), 7, np.uint8), side, "pad", mask=mask)
    rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
    assert set(np.unique(square[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])) == {7}
    found = (len(rows), len(columns))
    assert max(found) == side
    assert abs(found[0] - max(1, height * side / max(height, width))) <= 0.5
    assert abs(found[1] - max(1, width * side / max(height, width))) <= 0.5
    for taken in (rows, columns):
        assert 0 <= (side - 1 - taken[-1]) - taken[0] <= 1  # centred, or one pixel off


@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(["pad", "stretch"]))
def test_a_mask_keeps_its_two_values(height, width, fit):
    mask = 255 * (random_film(height, width, height) > 127).astype(np.uint8)
    assert set(np.unique(fit_square(mask, 48, fit, mask=True))) <= {0, 255}


@pytest.mark.parametrize("size", [(120, 90), (90, 120), (50, 37)])
@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_a_mask_lies_where_its_structure_lies_in_the_film(size, fit):
    disc = np.hypot(*np.ogrid[-1 : 1 : size[0] * 1j, -0.9 : 1.3 : size[1] * 1j]) < 0.6
    film = 255 * disc.astype(np.uint8)
    one, two = (fit_square(film, 64, fit, mask=mask) > 127 for mask in (False, True))
    assert np.sum(one & two) / np.sum(one | two) > 0.93


def test_left_stays_left_and_top_stays_top():
    film = np.zeros((80, 60), np.uint8)
    film[:20, :10] = 255
    # at half size the film is 30 wide, so 5 black columns lie left of it
    expected = np.zeros((40, 40))
    expected[:10, 5:10] = 255
    np.testing.assert_array_equal(fit_square(film, 40, "pad", mask=True), expected)
    assert np.abs(fit_square(film, 40, "pad") - expected).mean() < 3
