"""How much of the middle of a film is black or white."""

import numpy as np
import pytest

from cxrpipe.explanation.mistakes.exposure import measure_exposure


def test_shares_are_counted_in_the_middle_alone():
    """Of 20 x 20 pixels the middle is 14 x 14, from 3 to 16: 196."""
    film = np.full((20, 20), 128, np.uint8)
    film[3:5, 3:17] = 25  # two rows of 14: just black
    film[5, 3:17] = 26
    film[16, 3:10] = 230  # seven: just white
    film[10, 3:17] = 229
    film[:3] = 0
    film[17:] = 255
    assert measure_exposure(film) == pytest.approx((28 / 196, 7 / 196))


def test_a_film_that_is_made_darker_has_no_less_black(phantoms):
    for drawn in phantoms[:5]:
        dark, bright = measure_exposure(drawn.film)
        darker, less = measure_exposure((drawn.film * 0.4).astype(np.uint8))
        assert darker > dark + 0.05
        assert less <= bright


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (4, 2)])
def test_the_smallest_films_have_a_middle(shape):
    assert measure_exposure(np.zeros(shape, np.uint8)) == (1, 0)
