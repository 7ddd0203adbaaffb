"""Wires that lie on a film."""

import numpy as np
import pytest

from cxrpipe.explanation.mistakes.devices import measure_devices


def noisy(side=256):
    rng = np.random.default_rng(0)
    return rng.normal(120, 6, (side, side))


def wired(slope, bright=60):
    """A film with one wire of two pixels from the left to the right."""
    film, columns = noisy(), np.arange(256)
    rows = (128 + slope * (columns - 128)).astype(int)
    inside = (rows > 1) & (rows < 254)
    for beside in (0, 1):
        film[rows[inside] + beside, columns[inside]] += bright
    return film.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("slope", [0, 0.3, 1, -0.6, -3])
def test_a_wire_of_any_direction_is_seen_at_its_size(slope):
    """It covers about two pixels of each column, or of each row where it is steep."""
    covered = 2 * 256 / 256**2 * np.hypot(1, min(abs(slope), 1 / max(abs(slope), 1e-9)))
    assert measure_devices(wired(slope)) == pytest.approx(covered, rel=0.6)


def test_without_a_wire_nearly_nothing_is_seen():
    assert measure_devices(wired(0, bright=0)) < 0.001


def test_dark_lines_and_edges_are_no_wires():
    edge = noisy()
    edge[128:] += 80
    assert measure_devices(wired(0.3, bright=-60)) < 0.001
    assert measure_devices(edge.astype(np.uint8)) < 0.001


def test_a_dull_film_tells_as_much_as_a_hard_one():
    hard = wired(0.3).astype(float)
    dull = (120 + 0.5 * (hard - 120)).astype(np.uint8)
    assert measure_devices(dull) == pytest.approx(measure_devices(wired(0.3)), rel=0.2)


def test_phantoms_with_wires_are_told_from_those_without(phantoms, area):
    wires = [drawn for drawn in phantoms if drawn.wired]
    assert len(wires) >= 8
    with_wires = [measure_devices(drawn.film) for drawn in wires]
    assert area(with_wires, [measure_devices(drawn.bare) for drawn in phantoms]) > 0.93
    without = [measure_devices(drawn.bare) for drawn in wires]
    assert all(more > less for more, less in zip(with_wires, without, strict=True))


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (5, 5)])
def test_the_smallest_films_have_no_wires(shape):
    assert measure_devices(np.full(shape, 200, np.uint8)) == 0
