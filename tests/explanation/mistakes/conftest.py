"""Phantoms of 256 pixels: with and without their wires, with and without their marker."""

from dataclasses import dataclass

import numpy as np
import pytest

from cxrpipe.catalogue import Phantom
from cxrpipe.data.phantoms import exposure, phantom


@dataclass(frozen=True)
class Drawn:
    """One film; ``bare`` lacks the wires, ``unmarked`` the marker; ``wired`` tells of the first."""

    film: np.ndarray
    bare: np.ndarray
    unmarked: np.ndarray
    lungs: np.ndarray
    wired: bool


def draw(settings, film):
    """Draw a film three times, from the same random numbers."""
    called = []
    draw_wires = phantom.draw_wires

    def no_wires(side, rng):
        called.append(side)
        return 0 * draw_wires(side, rng)

    whole = phantom.draw_film(settings, film)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phantom, "draw_wires", no_wires)
        bare = phantom.draw_film(settings, film).pixels
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exposure, "_mark", lambda pixels, *_: pixels)
        unmarked = phantom.draw_film(settings, film).pixels
    return Drawn(whole.pixels, bare, unmarked, whole.lungs, bool(called))


@pytest.fixture(scope="session")
def phantoms():
    """Thirty films of three hospitals, all lying, as wires are drawn on such films alone."""
    films = []
    for hospital in ("north", "east", "south"):
        settings = Phantom(hospital=hospital, patients=24, seed=11)
        plan = phantom.plan_films(settings).query("copy_of == ''").iloc[:10]
        rows = plan.itertuples(index=False, name=None)
        planned = (phantom.PlannedFilm(*row)._replace(view="AP") for row in rows)
        films += [draw(settings, film) for film in planned]
    return films


@pytest.fixture
def area():
    """Return the probability that one of the first stands above one of the second, ties half."""

    def area(first, second):
        one, two = np.asarray(first)[:, None], np.asarray(second)[None]
        return float((one > two).mean() + (one == two).mean() / 2)

    return area
