"""Overlays at a film's own resolution: the heat lies where it belongs, the film stays visible."""

import numpy as np
import pytest

from cxrpipe.config import Preprocess
from cxrpipe.preprocessing.radiograph import fit_square
from cxrpipe.reporting.drawing import own_size
from cxrpipe.reporting.drawing.heatmaps import overlay
from cxrpipe.reporting.drawing.own_size import Size, cut_to_film, draw_overlay, draw_strip, fit_size

SIZES = {"square": (300, 300), "wide": (240, 700), "tall": (900, 333), "tiny": (40, 21)}
SAID = ["explained: covid, probability 93.0%", "true: covid"]


def place_spot(size):
    """Return a film that is black but for a bright spot, and the middle of that spot."""
    height, width = size
    row, column = round(0.3 * height), round(0.8 * width)
    y, x = np.mgrid[:height, :width]
    reach = 0.06 * max(size)
    spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * reach**2))
    return np.round(255 * spot).astype(np.uint8), (row, column)


@pytest.mark.parametrize("fit", ["pad", "stretch"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("side", [32, 224])
def test_a_heatmap_comes_back_to_where_the_film_had_it(fit, size, side):
    """The oracle is preprocessing itself: a spot of the film becomes the heatmap of its square."""
    film, (row, column) = place_spot(size)
    heatmap = fit_square(film, Preprocess(side=side, fit=fit)).astype(np.float32) / 255
    laid = own_size.lay(cut_to_film(heatmap, Size(*size), fit), size)
    assert laid.shape == size
    weight = laid**4
    found = [(weight.sum(axis=1 - axis) @ np.arange(size[axis])) / weight.sum() for axis in (0, 1)]
    cell = max(size) / side  # pixels of the film that a pixel of the square covers
    assert np.abs(np.subtract(found, (row, column))).max() < max(0.5, 0.25 * cell)
    peak = np.unravel_index(laid.argmax(), size)
    assert np.abs(np.subtract(peak, (row, column))).max() <= max(1, cell)


def test_black_around_a_film_is_cut_off():
    heatmap = np.zeros((8, 8), np.float32)
    heatmap[2:6] = 1  # where a film twice as wide as high lies
    assert (cut_to_film(heatmap, Size(100, 200), "pad") == 1).all()
    assert cut_to_film(heatmap, Size(100, 200), "stretch").shape == (8, 8)


def test_the_film_keeps_its_pixels_and_the_strip_stands_below():
    film = np.random.default_rng(0).integers(0, 256, (700, 800), dtype=np.uint8)
    heatmap = np.random.default_rng(1).random((32, 32), dtype=np.float32)
    picture = draw_overlay(film, heatmap, "stretch", SAID)
    expected = np.round(255 * overlay(film, own_size.lay(heatmap, (700, 800))))
    np.testing.assert_array_equal(picture[:700], expected)
    np.testing.assert_array_equal(picture[700:], draw_strip(SAID, 800))


def test_a_film_without_heat_is_unchanged_and_a_narrow_one_stands_in_the_middle():
    film = np.random.default_rng(0).integers(0, 256, (50, 40), dtype=np.uint8)
    picture = draw_overlay(film, np.zeros((8, 8), np.float32), "pad", SAID)
    assert picture.shape[1] == 640
    for channel in range(3):
        np.testing.assert_array_equal(picture[:50, 300:340, channel], film)
    assert (picture[:50, :300] == 255).all()


def test_a_huge_film_is_drawn_smaller_and_says_so():
    assert fit_size(Size(5000, 8000), own_size.MOST_PIXELS) == (5000, 8000)
    height, width = fit_size(Size(8000, 10_000), own_size.MOST_PIXELS)
    assert 39_900_000 < height * width <= 40_000_000
    assert height / width == pytest.approx(0.8, abs=1e-3)
    film, (row, column) = place_spot((1500, 1300))
    heat = fit_square(film, Preprocess(side=96)).astype(np.float32) / 255
    picture = draw_overlay(np.zeros_like(film), heat, "pad", SAID, most=750 * 650)
    peak = np.unravel_index(picture[:750].sum(axis=2).argmax(), (750, 650))
    assert np.abs(np.subtract(peak, (row / 2, column / 2))).max() < 8
    said = [*SAID, "drawn at 650 × 750 pixels; the film has 1,300 × 1,500 pixels"]
    np.testing.assert_array_equal(picture[750:], draw_strip(said, 650))


def test_what_is_said_stands_in_the_strip_and_its_bar_has_the_colours():
    strip = draw_strip(SAID, 640)
    other = draw_strip(["explained: normal, probability 12.0%", "true: covid"], 640)
    assert strip.shape == (90, 640, 3)
    differing = np.argwhere((strip != other).any(axis=2))
    assert differing[:, 0].max() < 25  # the first line alone
    assert len(np.unique(strip[45, 25:205], axis=0)) > 60
    np.testing.assert_array_equal(draw_strip(SAID, 640), strip)
