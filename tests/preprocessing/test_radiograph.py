"""The square: where the film lies in it, that nothing is invented, and how its greys change."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cxrpipe.config import Preprocess, check
from cxrpipe.preprocessing.radiograph import Place, find_place, fit_square, resample
from cxrpipe.runtime import UserError

ENHANCED = {"blur": 5, "clahe": 2.0}  # as in system T


def random_film(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def smooth_film(height, width):
    rows, columns = np.ogrid[0 : 3 : height * 1j, 0 : 4 : width * 1j]
    return (127 + 60 * np.sin(2 * rows) + 60 * np.cos(columns)).astype(np.uint8)


def settings(**values):
    return Preprocess(**{"side": 32} | values)


def test_a_wide_film_lies_in_the_middle_of_black():
    # 40 x 20 at scale 32 / 40: 16 rows, 8 black ones above and 8 below
    square = fit_square(np.full((20, 40), 200, np.uint8), settings())
    expected = np.zeros((32, 32))
    expected[8:24] = 200
    np.testing.assert_array_equal(square, expected)


def test_a_tall_film_lies_in_the_middle_of_black():
    # 3 x 9 at scale 32 / 9: 10.67 becomes 11 columns; 21 are black, 10 of them on the left
    square = fit_square(np.full((9, 3), 200, np.uint8), settings())
    expected = np.zeros((32, 32))
    expected[:, 10:21] = 200
    np.testing.assert_array_equal(square, expected)


def test_a_stretched_film_fills_the_square():
    assert find_place((7, 90), 32, "stretch") == Place(32, 0, 0, 32, 32)
    assert (fit_square(np.full((7, 90), 9, np.uint8), settings(fit="stretch")) == 9).all()


@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_a_square_of_the_side_asked_for_stays_as_it_is(fit):
    film = random_film(32, 32)
    np.testing.assert_array_equal(fit_square(film, settings(fit=fit)), film)


def test_a_film_decoded_at_reduced_scale_lies_where_the_whole_film_lies():
    # 101 x 64 at scale 32 / 101 is 20.3 wide; decoded at half, 51 x 32, it would be 20.1: both 20.
    # 101 x 66 is 20.9: 21 columns, of which the half, 51 x 33, alone would give 20.7: 21 as well;
    # 101 x 65 is 20.59: 21 columns; its quarter, 26 x 17, is 20.92; its eighth, 13 x 9, is 22.2.
    eighth = np.full((13, 9), 200, np.uint8)
    whole = fit_square(np.full((101, 65), 200, np.uint8), settings())
    place = find_place((101, 65), 32, "pad")
    np.testing.assert_array_equal(fit_square(eighth, settings(), place), whole)
    assert (fit_square(eighth, settings()) != whole).any()


@given(st.integers(1, 300), st.integers(1, 300), st.integers(32, 70))
def test_a_film_of_one_grey_keeps_it_and_its_aspect(height, width, side):
    square = fit_square(np.full((height, width), 7, np.uint8), settings(side=side))
    rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
    assert set(np.unique(square[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])) == {7}
    found = (len(rows), len(columns))
    assert max(found) == side
    assert abs(found[0] - max(1, height * side / max(height, width))) <= 0.5
    assert abs(found[1] - max(1, width * side / max(height, width))) <= 0.5
    for taken in (rows, columns):
        assert 0 <= (side - 1 - taken[-1]) - taken[0] <= 1  # centred, or one pixel off


def test_left_stays_left_and_top_stays_top():
    film = np.zeros((80, 60), np.uint8)
    film[:20, :10] = 255
    # at half size the film is 30 wide, so 5 black columns lie left of it
    expected = np.zeros((40, 40))
    expected[:10, 5:10] = 255
    np.testing.assert_array_equal(fit_square(film, settings(side=40)), expected)


def test_a_film_that_shrinks_to_a_third_is_the_mean_of_every_3_x_3_pixels():
    film = random_film(96, 60)
    means = film.reshape(32, 3, 20, 3).mean(axis=(1, 3))
    assert np.abs(resample(film, (32, 20)) - means).max() <= 0.5


@pytest.mark.parametrize("old", [33, 40, 48, 57, 63, 64, 71, 100, 257])
def test_shrinking_agrees_with_pillow_on_a_smooth_film(old):
    film = smooth_film(old, old + 3)
    oracle = Image.fromarray(film).resize((32, 31), Image.Resampling.BILINEAR)
    difference = np.abs(resample(film, (31, 32)).astype(int) - np.asarray(oracle))
    assert difference.max() <= 5
    assert difference.mean() < 1


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("old", "new"), [(224, 128), (299, 224), (299, 128), (1024, 224)])
@pytest.mark.parametrize("other", [40, 300])
def test_stripes_too_fine_for_the_new_size_fade_as_they_do_in_pillow(old, new, other, axis):
    """As with Pillow's filter of like sharpness, to 5 %; plain interpolation would keep more."""
    wave = np.cos(np.pi * np.arange(old) * min(0.98, 1.3 * new / old))  # 1.3 times the finest
    film = np.repeat((127.5 + 120 * wave).astype(np.uint8)[None], other, axis=0)
    film, size = (film, (64, new)) if axis else (film.T, (new, 64))
    kept = resample(np.ascontiguousarray(film), size)[3:-3, 3:-3].std()
    hamming = np.asarray(Image.fromarray(film).resize(size[::-1], Image.Resampling.HAMMING))
    linear = cv2.resize(np.ascontiguousarray(film), size[::-1], interpolation=cv2.INTER_LINEAR)
    assert kept < 1.05 * hamming[3:-3, 3:-3].std()
    assert kept < 0.95 * linear[3:-3, 3:-3].std()


@pytest.mark.parametrize(("old", "new"), [((299, 299), (224, 224)), ((500, 60), (61, 128))])
def test_pixels_do_not_depend_on_the_processor(old, new):
    film = random_film(*old)
    usual = resample(film, new)
    cv2.setUseOptimized(False)
    try:
        np.testing.assert_array_equal(resample(film, new), usual)
    finally:
        cv2.setUseOptimized(True)


def test_blur_then_clahe_are_those_of_opencv():
    film = smooth_film(32, 32)
    blurred = cv2.GaussianBlur(film, (5, 5), 0)
    both = cv2.createCLAHE(2.0, (4, 4)).apply(blurred)
    np.testing.assert_array_equal(fit_square(film, settings(blur=5)), blurred)
    np.testing.assert_array_equal(fit_square(film, settings(**ENHANCED)), both)
    other_order = cv2.GaussianBlur(cv2.createCLAHE(2.0, (4, 4)).apply(film), (5, 5), 0)
    assert (both != other_order).any()
    tiled = cv2.createCLAHE(3.0, (8, 8)).apply(film)
    np.testing.assert_array_equal(fit_square(film, settings(clahe=3.0, tiles=8)), tiled)


def test_a_blur_spreads_a_point_as_its_kernel_says():
    film = np.zeros((32, 32), np.uint8)
    film[10, 20] = 255
    expected = np.zeros((32, 32))
    # binomial 1 4 6 4 1 / 16, OpenCV's kernel of 5 pixels
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    expected[8:13, 18:23] = 255 * np.outer(kernel, kernel)
    assert np.abs(fit_square(film, settings(blur=5)) - expected).max() <= 0.5


def test_padding_stays_black_and_does_not_change_the_film():
    film = smooth_film(32, 20)
    alone = cv2.createCLAHE(2.0, (4, 4)).apply(cv2.GaussianBlur(film, (5, 5), 0))
    square = fit_square(film, settings(**ENHANCED))
    np.testing.assert_array_equal(square[:, 6:26], alone)
    assert not square[:, :6].any()
    assert not square[:, 26:].any()


def test_a_film_narrower_than_its_tiles_is_enhanced_all_the_same():
    square = fit_square(random_film(200, 5), settings(**ENHANCED))
    assert square.shape == (32, 32)
    assert square[:, :15].max() == 0 < square[:, 15].min()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"blur": 4}, r"blur: give an odd number of pixels, or 0 \(found 4\)"),
        ({"clahe": -1}, "clahe: Input should be greater than or equal to 0"),
        ({"tiles": 0}, "tiles: Input should be greater than or equal to 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, message):
    with pytest.raises(UserError, match=message):
        check(Preprocess, values, "--settings")
