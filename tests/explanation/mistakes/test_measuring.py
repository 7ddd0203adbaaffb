"""What is seen on a film: its size and margins, and all measures together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrpipe.explanation.mistakes.devices import measure_devices
from cxrpipe.explanation.mistakes.measuring import measure_film, shrink, trim_margins
from cxrpipe.explanation.mistakes.text import measure_text


def test_large_films_are_averaged_to_256_pixels_and_small_ones_kept():
    """Blocks of 2 x 2 pixels of 10 and 30 become one of 20."""
    large = np.tile(np.array([[10, 30], [30, 10]], np.uint8), (256, 128))
    assert large.shape == (512, 256)
    shrunk = shrink(large)
    assert shrunk.shape == (256, 128)
    assert set(np.unique(shrunk)) == {20}
    small = large[:200, :100]
    np.testing.assert_array_equal(shrink(small), small)


def test_a_thin_film_keeps_a_pixel():
    assert shrink(np.zeros((4000, 3), np.uint8)).shape == (256, 1)


def test_black_and_white_margins_are_cut_off():
    film = np.full((50, 40), 100, np.uint8)
    framed = np.pad(film, ((6, 2), (3, 9)), constant_values=0)
    framed = np.pad(framed, 4, constant_values=255)
    np.testing.assert_array_equal(trim_margins(framed), film)
    np.testing.assert_array_equal(trim_margins(film), film)


def test_black_inside_a_film_is_no_margin():
    film = np.full((50, 40), 100, np.uint8)
    film[20:30] = 0
    assert trim_margins(film).shape == (50, 40)


def test_a_film_that_is_all_margin_stays():
    black = np.zeros((9, 7), np.uint8)
    assert trim_margins(black) is black


def test_letters_are_looked_for_on_the_margins_too(phantoms):
    """A black strip above: its letters count, and for all else it is not there."""
    film = phantoms[0].film[:200]
    strip = np.zeros((56, 256), np.uint8)
    strip[20:32, 20:23] = 255
    strip[29:32, 20:28] = 255
    joined = np.vstack([strip, film])
    measured, alone = measure_film(joined), measure_film(film)
    assert measured.pop("text") == measure_text(joined) > 0
    assert measure_text(joined) != alone.pop("text")
    trimmed = trim_margins(joined)
    assert measured["devices"] == measure_devices(trimmed)
    assert measured["crop"] == pytest.approx(alone["crop"], abs=0.1)


@settings(max_examples=40)
@given(
    height=st.integers(1, 60), width=st.integers(1, 300), seed=st.integers(0, 9), flat=st.booleans()
)
def test_every_measure_of_any_film_is_a_share(height, width, seed, flat):
    rng = np.random.default_rng(seed)
    film = rng.integers(0, 256, (height, width), dtype=np.uint8)
    measured = measure_film(np.full_like(film, 25 * seed) if flat else film)
    assert list(measured) == ["dark", "bright", "crop", "text", "devices"]
    assert all(0 <= value <= 1 for value in measured.values())
    assert all(isinstance(value, float) for value in measured.values())
