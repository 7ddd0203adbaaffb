"""Letters that are burned into a film."""

import numpy as np
import pytest

from cxrpipe.explanation.mistakes.text import measure_text

GREY = 90


def film_with(*places, grey=240, side=250):
    """A smooth film with letters L: 12 pixels high, 8 wide, strokes of 3."""
    film = np.full((side, side), GREY, np.uint8)
    film += np.linspace(0, 40, side).astype(np.uint8)[None]
    for top, left in places:
        film[top : top + 12, left : left + 3] = grey
        film[top + 9 : top + 12, left : left + 8] = grey
    return film


LETTER = 12 * 3 + 3 * 5  # its pixels


def test_a_letter_in_the_corner_is_counted_by_its_pixels():
    assert measure_text(film_with((10, 12))) == LETTER / 250**2


def test_several_letters_add_up():
    assert measure_text(film_with((10, 12), (10, 24), (225, 230))) == 3 * LETTER / 250**2


@pytest.mark.parametrize(
    ("places", "grey"),
    [
        ([], 240),
        ([(120, 120)], 240),  # in the middle of the film
        ([(0, 12)], 240),  # cut by the border
        ([(10, 12)], GREY + 30),  # hardly brighter than what is around
    ],
    ids=["nothing", "middle", "border", "faint"],
)
def test_what_is_no_letter_near_the_border_is_not_counted(places, grey):
    assert measure_text(film_with(*places, grey=grey)) == 0


def test_blocks_slanted_lines_and_soft_spots_are_no_letters():
    block, line, spot = film_with(), film_with(), film_with().astype(float)
    block[10:22, 10:22] = 240
    for step in range(28):
        line[10 + step, 10 + step : 12 + step] = 240
    rows, columns = np.mgrid[:250, :250]
    spot += 120 * np.exp(-((rows - 20) ** 2 + (columns - 20) ** 2) / 60)
    for film in (block, line, spot.astype(np.uint8)):
        assert measure_text(film) == 0


def test_the_markers_of_phantoms_are_seen_and_nothing_else(phantoms, area):
    marked = [measure_text(drawn.film) for drawn in phantoms]
    unmarked = [measure_text(drawn.unmarked) for drawn in phantoms]
    assert area(marked, unmarked) > 0.98
    assert np.mean(np.array(unmarked) == 0) > 0.75
    for drawn, share in zip(phantoms, marked, strict=True):
        letters = np.abs(drawn.film.astype(int) - drawn.unmarked) > 50
        assert 0 < share < 2 * letters.mean()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (7, 5)])
def test_the_smallest_films_have_no_letters(shape):
    assert measure_text(np.full(shape, 255, np.uint8)) == 0
