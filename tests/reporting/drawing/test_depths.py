"""One film layer by layer and by every method: rows, columns, and which are left out."""

import numpy as np
import pytest
from explaining import LAYERS, METHODS, Fakes

from cxrpipe.reporting.drawing.depths import Explanation, choose_rows, draw_depth, draw_methods
from cxrpipe.reporting.drawing.heatmaps import overlay

FINDINGS = ("normal", "covid", "tuberculosis")


def test_right_films_stay_and_confusions_stand_below_their_finding():
    rows = [
        Explanation("1", "covid", "covid", 0.9, True, {}),
        Explanation("2", "normal", "normal", 0.8, True, {}),
        Explanation("3", "covid", "normal", 0.7, True, {}),
        Explanation("4", "normal", "covid", 0.99, True, {}),
        Explanation("5", "covid", "tuberculosis", 0.99, True, {}),
    ]
    chosen = choose_rows(rows, FINDINGS, n=4)
    assert [row.radiograph for row in chosen] == ["2", "4", "1", "3"]


@pytest.mark.parametrize(
    ("n_right", "n_wrong", "kept"),
    [(14, 9, (6, 6)), (14, 2, (10, 2)), (14, 0, (12, 0)), (4, 20, (4, 8)), (3, 2, (3, 2))],
)
def test_half_of_the_rows_are_kept_for_confusions(n_right, n_wrong, kept):
    """Of fourteen findings, all rightly named once, the confusions are drawn too."""
    rows = [Explanation(str(n), "covid", "covid", 0.9, True, {}) for n in range(n_right)]
    rows += [Explanation(str(n), "covid", "normal", 0.9, True, {}) for n in range(n_wrong)]
    chosen = choose_rows(rows, FINDINGS)
    assert (sum(row.right for row in chosen), sum(not row.right for row in chosen)) == kept


def test_methods_say_how_many_films_are_drawn():
    explained = Fakes([f"f{number}" for number in range(14)], ["a"], n=140).explained()
    n = len({heat.radiograph for heat in explained.models["a"].heatmaps("methods")})
    assert n > 12
    said = draw_methods(explained).texts[0].get_text().replace("\n", " ")
    assert f"12 of {n} are drawn" in said


@pytest.mark.parametrize("draw", [draw_depth, draw_methods])
def test_without_a_right_film_the_best_model_alone_is_named(draw):
    explained = Fakes(FINDINGS, ["a", "b"]).explained()
    explained.models["b"] = explained.models["b"]._replace(heatmaps=lambda purpose: [])
    assert draw(explained).texts[0].get_text() == ("b names the finding of no test film rightly.")


def test_a_row_shows_a_film_and_its_layers_shallow_to_deep():
    fakes = Fakes(FINDINGS, ["a"])
    explained = fakes.explained()
    figure = draw_depth(explained)
    titles = [axes.get_title() for axes in figure.axes[: 1 + len(LAYERS)]]
    assert titles[1:] == list(LAYERS)
    heat = explained.models["a"].heatmaps("depth")[0]
    film = fakes.pixels[fakes.names.index(heat.radiograph)]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), film)
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), overlay(film, heat.heatmap))


def test_at_most_twelve_rows_are_drawn_and_the_rest_is_counted():
    fakes = Fakes([f"f{number}" for number in range(7)], ["a"], n=70, seed=3)
    explained = fakes.explained()
    n = len({(h.radiograph, h.finding) for h in explained.models["a"].heatmaps("depth")})
    assert n > 12
    figure = draw_depth(explained)
    assert len(figure.axes) == 12 * (1 + len(LAYERS)) + 1
    assert f"12 of {n} are drawn" in figure.texts[0].get_text().replace("\n", " ")


def test_a_heading_tells_what_is_said_and_whether_rightly():
    explained = Fakes(FINDINGS, ["a"]).explained()
    headings = [text.get_text() for text in draw_depth(explained).texts[1:]]
    assert headings[0].startswith("normal: rightly said, probability ")
    assert any(": wrongly said, probability " in heading for heading in headings)


def test_every_method_has_a_column_and_cam_keeps_its_sign():
    fakes = Fakes(FINDINGS, ["a"])
    explained = fakes.explained()
    figure = draw_methods(explained)
    row = figure.axes[: 1 + len(METHODS)]
    assert [axes.get_title() for axes in row[1:3]] == ["Grad-CAM", "Grad-CAM++"]
    heats = explained.models["a"].heatmaps("methods")
    cam = next(heat for heat in heats if heat.method == "cam")
    film = fakes.pixels[fakes.names.index(cam.radiograph)]
    drawn = row[1 + METHODS.index("cam")].images[0].get_array()
    np.testing.assert_allclose(drawn, overlay(film, cam.heatmap, signed=True))
    assert [axes.get_xlim() for axes in figure.axes[-2:]] == [(0, 1), (-1, 1)]


def test_a_method_that_a_film_lacks_is_said_so():
    explained = Fakes(FINDINGS, ["a"]).explained()
    heats = explained.models["a"].heatmaps("methods")
    explained.models["a"] = explained.models["a"]._replace(heatmaps={"methods": heats[:-1]}.get)
    titles = [axes.get_title().replace("\n", " ") for axes in draw_methods(explained).axes]
    assert titles.count("integrated gradients: not drawn") == 1


def test_a_finding_that_is_shown_and_not_said_is_missed_and_no_right_row():
    missed = Explanation("1", "mass|nodule", "nodule", 0.2, False, {})
    assert (missed.verdict, missed.right) == ("missed", False)
    assert Explanation("1", "mass|nodule", "mass", 0.9, True, {}).verdict == "rightly said"
    assert Explanation("2", "none", "mass", 0.9, True, {}).verdict == "wrongly said"
