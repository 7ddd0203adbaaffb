"""Heatmaps over films: what is laid over them, and which models and films stand where."""

from typing import get_args

import numpy as np
import pytest
from matplotlib import colormaps
from scipy.ndimage import zoom

from cxrpipe.config.explanation import Method
from cxrpipe.reporting.drawing import heatmaps


def film(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)


def test_a_film_without_heat_is_unchanged():
    laid = heatmaps.overlay(film(), np.zeros((16, 16), np.float32))
    np.testing.assert_array_equal(laid, np.repeat(film()[:, :, None] / 255, 3, axis=2))


def test_only_places_with_heat_change_and_more_heat_hides_more():
    heat = np.zeros((16, 16), np.float32)
    heat[2, 3], heat[4, 5] = 0.5, 1
    laid = heatmaps.overlay(film(), heat)
    changed = (laid != np.repeat(film()[:, :, None] / 255, 3, axis=2)).any(axis=2)
    assert np.argwhere(changed).tolist() == [[2, 3], [4, 5]]
    for place, share in (((2, 3), 0.275), ((4, 5), 0.55)):
        colour = np.array(colormaps["inferno"](float(heat[place]))[:3])
        np.testing.assert_allclose(
            laid[place], film()[place] / 255 * (1 - share) + share * colour, atol=1e-6
        )


def test_an_overlay_stays_from_0_to_1():
    random = np.random.default_rng(1)
    for grey in (0, 255):
        heat = random.random((16, 16), dtype=np.float32)
        heat[0, :2] = 0, 1
        laid = heatmaps.overlay(np.full((16, 16), grey, np.uint8), heat)
        assert laid.min() >= 0
        assert laid.max() <= 1


def test_faint_heat_takes_no_white_film_above_1():
    """One less a strength below the rounding of float32 is 1, to which the colour is added."""
    heat = np.geomspace(1e-10, 1, 4096, dtype=np.float32).reshape(64, 64)
    for signed in (False, True):
        laid = heatmaps.overlay(np.full((64, 64), 255, np.uint8), heat, signed=signed)
        assert laid.max() <= 1


def test_every_method_that_a_recipe_may_name_has_a_title_and_no_other():
    assert set(heatmaps.METHODS) == set(get_args(Method))


def test_a_row_of_gradcam_shows_the_film_its_lesion_and_every_heatmap():
    lesion = np.zeros((16, 16), bool)
    lesion[4:8, 4:8] = True
    heat = np.eye(16, dtype=np.float32)
    drawn = {"small": [(0.934, heat), (0.2, heat)], "large": [(0.5, heat.T), (1.0, heat)]}
    films = [("lung_opacity", film(0)), ("normal", film(1))]
    axes = heatmaps.draw_gradcam(films, drawn, [lesion, None]).axes
    assert [place.get_title() for place in axes[:3]] == [
        "true: lung opacity",
        "small: 93%",
        "large: 50%",
    ]
    np.testing.assert_array_equal(axes[3].images[0].get_array(), film(1))
    np.testing.assert_allclose(axes[1].images[0].get_array(), heatmaps.overlay(film(0), heat))
    assert [len(place.collections) for place in axes[:4]] == [1, 0, 0, 0]


def test_a_film_that_is_not_among_those_of_a_model_is_said_so():
    heat = np.eye(16, dtype=np.float32)
    drawn = {"one": [(0.5, heat), None]}
    axes = heatmaps.draw_gradcam([("covid", film(0)), ("covid", film(1))], drawn, [None] * 2).axes
    assert [len(place.images) for place in axes[:4]] == [1, 1, 1, 0]
    assert axes[3].get_title() == "one: not drawn"


def test_heatmaps_of_many_models_take_several_rows_of_a_film():
    heat = np.eye(16, dtype=np.float32)
    drawn = {f"m{number}": [(number / 100, heat)] * 2 for number in range(20)}
    figure = heatmaps.draw_gradcam([("covid", film(0)), ("covid", film(1))], drawn, [None] * 2)
    titles = [axes.get_title() for axes in figure.axes[:-1]]
    assert len(titles) == 2 * 3 * (1 + 7)
    first = [title for title in titles[:24] if title]
    assert first == ["true: covid", *[f"m{number}: {number}%" for number in range(20)]]
    assert titles[8] == ""  # below the film


def test_a_signed_heatmap_darkens_what_speaks_against_and_lightens_what_speaks_for():
    grey = np.full((1, 3), 128, np.uint8)
    heat = np.array([[-1, 0, 1]], np.float32)
    light = heatmaps.overlay(grey, heat, signed=True) @ [0.2126, 0.7152, 0.0722]
    assert light[0, 0] < 128 / 255 - 0.15
    assert light[0, 1] == pytest.approx(128 / 255)
    assert light[0, 2] > 128 / 255 + 0.1


def test_the_colours_of_signed_heatmaps_grow_lighter_from_against_to_for():
    """So the sign can be told in grey, and by the colour-blind."""
    light = heatmaps.SIGNED(np.linspace(0, 1, 64))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > 0).all()


def test_only_cam_is_drawn_with_its_sign():
    heat = -np.ones((16, 16), np.float32)
    drawn = heatmaps.show_heat(film(), heat, "CAM", "cam").picture
    np.testing.assert_array_equal(drawn, heatmaps.overlay(film(), heat, signed=True))
    assert heatmaps.bar_of("cam").low == -1
    assert heatmaps.bar_of("gradcam").low == 0


def test_a_heatmap_is_laid_linearly_between_the_middles_of_its_cells():
    heat = np.random.default_rng(3).random((6, 6), dtype=np.float32)
    oracle = zoom(heat, (15 / 6, 24 / 6), order=1, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(heatmaps.lay(heat, (15, 24)), oracle, atol=1e-6)
    assert heatmaps.lay(heat, (6, 6)) is heat
