"""Sheets of films: everything has its place, and nothing runs into anything else."""

import numpy as np
import pytest
from matplotlib import colormaps

from cxrpipe.reporting.drawing.photos import GAP, Bar, Photo, Row, draw_sheet, fold

FILM = np.arange(64, dtype=np.uint8).reshape(8, 8)
BAR = Bar(colormaps["inferno"], 0.0, "heat")


def boxes(figure):
    """Return (n, 4) left, bottom, right, top of all axes with what is written, in inches."""
    figure.draw_without_rendering()
    drawn = [axes.get_tightbbox() for axes in figure.axes]
    return np.array([box.extents for box in drawn if box is not None]) / figure.dpi


def overlap(one, other):
    return (one[:2] < other[2:] - 1e-6).all() and (other[:2] < one[2:] - 1e-6).all()


def test_pictures_have_the_side_asked_for_and_stand_a_gap_apart():
    figure = draw_sheet([Row([Photo(FILM), Photo(FILM, "two\nlines")]), Row([Photo(FILM)])], 1.25)
    size = figure.get_size_inches()
    places = np.array([axes.get_position().bounds for axes in figure.axes]) * [*size, *size]
    np.testing.assert_allclose(places[:, 2:], 1.25)
    assert places[1, 0] - places[0, 0] == pytest.approx(1.25 + GAP)
    assert places[0, 1] == pytest.approx(places[1, 1])
    assert places[2, 1] < places[0, 1] - 1.25


def test_what_is_written_fits_between_the_pictures():
    long = "a name of a finding that is far too long for the width of a single film"
    rows = [
        Row([Photo(FILM, long, "dark, bright"), Photo(FILM, "short")], "heading"),
        Row([Photo(FILM, "short", long), Photo(FILM)]),
        Row([], "nothing here"),
        Row([Photo(FILM, long), Photo(FILM, long, long)], "last"),
    ]
    figure = draw_sheet(rows, 1.2, "of the whole sheet " * 8, [BAR, BAR])
    drawn = boxes(figure)
    assert len(drawn) == 6 + 2
    pairs = [(one, other) for one in range(8) for other in range(one)]
    assert [pair for pair in pairs if overlap(drawn[pair[0]], drawn[pair[1]])] == []
    texts = np.array([text.get_window_extent().extents for text in figure.texts]) / figure.dpi
    assert not any(overlap(text, box) for text in texts for box in drawn)
    every = np.concatenate([drawn, texts])
    assert every.min() >= 0
    assert (every[:, 2:].max(axis=0) <= figure.get_size_inches()).all()


def test_a_place_without_a_picture_keeps_its_words():
    empty = draw_sheet([Row([Photo(None, "not drawn"), Photo(FILM)])], 1).axes[0]
    assert (empty.get_title(), len(empty.images)) == ("not drawn", 0)


def test_a_row_without_any_picture_takes_no_room_for_one():
    rows = [Row([Photo(FILM)]), Row([Photo(None, "none")])]
    heights = [draw_sheet(rows[:n], 1.5).get_figheight() for n in (1, 2)]
    assert 0 < heights[1] - heights[0] < 0.4


def test_an_outline_is_drawn_around_a_mask_that_has_an_edge():
    mask = np.zeros((8, 8), bool)
    mask[2:5, 2:5] = True
    photos = [
        Photo(FILM, outline=m) for m in (mask, ~np.zeros((8, 8), bool), np.zeros((8, 8), bool))
    ]
    assert [len(axes.collections) for axes in draw_sheet([Row(photos)], 1).axes] == [1, 0, 0]


def test_only_a_framed_picture_has_a_frame():
    axes = draw_sheet([Row([Photo(FILM, framed=True), Photo(FILM)])], 1).axes
    assert [place.spines["left"].get_visible() for place in axes] == [True, False]


def test_bars_come_last_and_begin_at_their_lowest_value():
    figure = draw_sheet([Row([Photo(FILM)])], 1, bars=[BAR, BAR._replace(low=-1.0)])
    assert [axes.get_xlim() for axes in figure.axes[1:]] == [(0, 1), (-1, 1)]


def test_lines_are_folded_one_by_one():
    assert fold("covid\nlung opacity", 0.6) == "covid\nlung\nopacity"
    assert fold("", 1) == ""
