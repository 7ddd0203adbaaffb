"""How far a border cuts a lung open."""

import numpy as np
import pytest

from cxrpipe.explanation.mistakes.crop import measure_crop

BODY, LUNG, AIR = 180, 60, 5


def chest(left=LUNG, right=LUNG):
    """A bright trunk of 200 x 200 pixels with two dark ellipses, and air beside its neck."""
    rows, columns = np.mgrid[:200, :200]
    film = np.full((200, 200), BODY, np.uint8)
    for middle, grey in ((60, left), (140, right)):
        film[((rows - 95) / 60) ** 2 + ((columns - middle) / 28) ** 2 <= 1] = grey
    film[:20, :70] = film[:20, 130:] = AIR
    return film


def test_lungs_that_lie_wholly_on_the_film_are_not_cut():
    assert measure_crop(chest()) == 0


@pytest.mark.parametrize(
    "part",
    [np.s_[:, 45:], np.s_[:, :155], np.s_[:120], np.s_[60:]],
    ids=["left", "right", "bottom", "top"],
)
def test_a_lung_that_is_cut_loses_all_its_depth_over_that_border(part):
    assert measure_crop(chest()[part]) > 0.9


def test_a_lung_without_air_counts_as_not_cut():
    assert measure_crop(chest(left=BODY, right=BODY)[:120]) == 0


def test_a_film_and_its_mirror_image_are_cut_alike():
    cut = chest()[:, 50:]
    assert measure_crop(cut) == pytest.approx(measure_crop(cut[:, ::-1]), abs=0.05)


def test_nothing_is_cut_of_films_without_structure():
    for shape in ((1, 1), (3, 200), (64, 64)):
        assert measure_crop(np.full(shape, 90, np.uint8)) == 0


def test_cropped_phantoms_are_told_from_whole_ones(phantoms, area):
    """Each is cut once, on the left, right, above or below, into the lungs."""
    rng = np.random.default_rng(0)
    whole, cut, lost = [], [], []
    for drawn in phantoms:
        side = rng.integers(4)
        turned, lungs = np.rot90(drawn.film, side), np.rot90(drawn.lungs, side)
        first = int(rng.uniform(0.08, 0.2) * len(turned))
        first += int(np.flatnonzero(lungs.any(axis=1))[0])
        lost.append(lungs[:first].sum() / lungs.sum())
        whole.append(measure_crop(drawn.film))
        cut.append(measure_crop(np.rot90(turned[first:], -side)))
    assert min(lost) > 0.02
    assert area(cut, whole) > 0.95
    assert np.median(whole) == 0
