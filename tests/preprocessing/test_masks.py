"""Masks and boxes lie where their structures lie in the film, whatever size they have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrpipe.config import Preprocess
from cxrpipe.preprocessing.masks import has_aspect_of, lay_box, lay_mask
from cxrpipe.preprocessing.radiograph import find_place, fit_square
from cxrpipe.runtime import UserError

SQUARE = find_place((10, 10), 10, "pad")
WIDE = find_place((20, 40), 8, "pad")  # rows 2 to 5 of 8


def test_every_stored_pixel_takes_the_mask_at_its_centre():
    # Centres of 3 pixels in a mask of 4: 0.67, 2 and 3.33, so pixels 0, 2 and 3 of the mask.
    mask = np.eye(4, dtype=bool)
    laid = lay_mask(mask, find_place((3, 3), 3, "pad"))
    np.testing.assert_array_equal(laid, mask[np.ix_([0, 2, 3], [0, 2, 3])])


def test_a_mask_of_another_size_lies_on_the_film_and_not_on_the_padding():
    # The film is 40 x 20, its mask 4 x 2 with the right half inside.
    laid = lay_mask(np.array([[0, 0, 1, 1], [0, 0, 1, 1]], bool), WIDE)
    expected = np.zeros((8, 8), bool)
    expected[2:6, 4:] = True
    np.testing.assert_array_equal(laid, expected)


@pytest.mark.parametrize("size", [(120, 90), (90, 120), (50, 37)])
@pytest.mark.parametrize("fit", ["pad", "stretch"])
@pytest.mark.parametrize("scale", [1, 0.7, 2])
def test_a_mask_lies_where_its_structure_lies_in_the_film(size, fit, scale):
    def disc(height, width):
        rows, columns = ((np.arange(n) + 0.5) / n for n in (height, width))
        return np.hypot(*np.ix_(2 * rows - 1, 2.2 * columns - 0.9)) < 0.6

    film = fit_square(255 * disc(*size).astype(np.uint8), Preprocess(side=64, fit=fit)) > 127
    mask = lay_mask(disc(*(round(side * scale) for side in size)), find_place(size, 64, fit))
    assert np.sum(film & mask) / np.sum(film | mask) > 0.93


@pytest.mark.parametrize(
    ("mask", "film"),
    [
        ((256, 256), (299, 299)),
        ((1024, 1024), (299, 299)),
        ((100, 67), (299, 200)),  # 66.9 rounded
        ((100, 66), (299, 200)),  # 66.9 cut off
        ((2991, 2000), (300, 201)),  # the film was shrunk: 200.6
    ],
)
def test_a_mask_of_the_films_aspect_is_accepted(mask, film):
    assert has_aspect_of(mask, film)


@pytest.mark.parametrize(
    ("mask", "film"),
    [((256, 256), (299, 280)), ((299, 200), (200, 299)), ((100, 69), (299, 200))],
)
def test_a_mask_of_another_aspect_is_told(mask, film):
    assert not has_aspect_of(mask, film)


@given(st.integers(64, 3000), st.integers(64, 3000), st.integers(32, 1024))
def test_a_film_scaled_to_any_side_keeps_its_aspect(height, width, side):
    scaled = [max(1, round(pixels * side / max(height, width))) for pixels in (height, width)]
    assert has_aspect_of((scaled[0], scaled[1]), (height, width))
    assert has_aspect_of((height, width), (scaled[0], scaled[1]))


def box(text, place):
    inside = lay_box(f"mass: upper, left:{text}", place)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    assert inside.sum() == len(rows) * len(columns)  # a rectangle
    return [int(edge) for edge in (columns[0], rows[0], columns[-1], rows[-1])]


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        # of 10 x 10 pixels: first column, first row, last column, last row
        ("0.2,0.3,0.4,0.5", [2, 3, 5, 7]),
        ("0.24,0.26,0.4,0.4", [2, 3, 5, 6]),  # centres 2.5 in 2.4 to 6.4, and 3.5 in 2.6 to 6.6
        ("0.25,0.25,0.5,0.5", [2, 2, 6, 6]),  # the centre 2.5 is on the edge, 7.5 is not in
        ("0.26,0.36,0.01,0.01", [2, 3, 2, 3]),  # no centre inside
        ("0.995,0.995,0.005,0.005", [9, 9, 9, 9]),
        ("-0.1,0,0.3,2", [0, 0, 1, 9]),  # cut off at the film's edges
        ("0,0,1,1", [0, 0, 9, 9]),
    ],
)
def test_a_box_covers_the_pixels_whose_centre_is_inside(text, edges):
    assert box(text, SQUARE) == edges


def test_a_box_lies_on_the_film_and_not_on_the_padding():
    # Half of a film of 40 x 20 that lies in rows 2 to 5 of 8.
    assert box("0.5,0,0.5,0.5", WIDE) == [4, 2, 7, 3]


@pytest.mark.parametrize(
    "text",
    ["", "mass", "mass:0,0,1", "mass:a,b,c,d", "mass:0,0,0,1", "mass:1,0,1,1", "mass:0,0,nan,1"],
)
def test_what_is_no_box_is_named(text):
    with pytest.raises(UserError, match=f"box '{text}': give left, top, width and height"):
        lay_box(text, SQUARE)


@given(*[st.floats(0, 0.999)] * 2, *[st.floats(1e-6, 1)] * 2, st.integers(32, 300))
def test_a_box_is_off_by_no_more_than_half_a_pixel_and_never_empty(left, top, width, height, side):
    inside = lay_box(f"mass:{left},{top},{width},{height}", find_place((9, 9), side, "pad"))
    assert inside.any()
    for axis, start, length in ((0, left, width), (1, top, height)):
        taken = np.flatnonzero(inside.any(axis=axis))
        if len(taken) > 1:
            assert abs(taken[0] - start * side) <= 0.5 + 1e-9
            assert abs(taken[-1] + 1 - min(1, start + length) * side) <= 0.5 + 1e-9
