"""Neighbours: whose they are, and whether they show the same."""

from dataclasses import replace

import numpy as np
from explaining import Fakes

from cxrpipe.reporting.drawing.neighbours import choose_shown, compare, draw_neighbours

FINDINGS = ("normal", "covid", "tuberculosis")


def test_a_film_is_chosen_for_each_finding_alone_if_there_is_one():
    shown = {"1": "covid|mass", "2": "mass", "3": "covid", "4": "covid", "5": "none"}
    assert choose_shown(shown, ["covid", "mass", "hernia"]) == ["3", "2"]
    assert choose_shown({"1": "covid|mass"}, ["covid", "mass"]) == ["1"]


def test_findings_are_the_same_partly_the_same_or_others():
    assert compare("covid", "covid") == "same"
    assert compare("covid|mass", "mass") == "partly"
    assert compare("covid", "none") == "OTHER"


def test_neighbours_stand_nearest_first_and_others_are_framed():
    fakes = Fakes(FINDINGS, ["a", "b"])
    explained = fakes.explained()
    figure = draw_neighbours(explained)
    near = explained.latent.neighbours.query("features == 'b' and stage == 'after'")
    first = fakes.names[0]
    order = [first, *near[near["radiograph"] == first].sort_values("rank")["neighbour"]]
    for name, axes in zip(order, figure.axes[:6], strict=True):
        film = fakes.pixels[fakes.names.index(name)]
        np.testing.assert_array_equal(axes.images[0].get_array(), film)
        same = fakes.true[name] == fakes.true[first]
        assert axes.spines["left"].get_visible() == (not same)
        assert axes.get_title().startswith("OTHER: ") == (not same)


def test_films_that_show_no_finding_make_a_sentence_and_no_crash():
    explained = Fakes(FINDINGS, ["a"]).explained()
    layout = explained.latent.layout.assign(finding="none")
    figure = draw_neighbours(replace(explained, latent=explained.latent._replace(layout=layout)))
    assert figure.axes == []
    assert figure.texts[0].get_text() == "No film that was laid out shows a finding."


def test_neighbours_that_are_not_drawn_are_counted():
    fakes = Fakes(FINDINGS, ["a"])
    explained = fakes.explained()
    for k, said in ((20, "then 6 of its 20 nearest films"), (5, "then 5 of its 5 nearest films")):
        latent = explained.latent._replace(neighbours=fakes.neighbours(k))
        figure = draw_neighbours(replace(explained, latent=latent))
        assert said in figure.texts[0].get_text().replace("\n", " ")


def test_without_features_that_is_said():
    explained = Fakes(FINDINGS, ["a"]).explained()
    near = explained.latent.neighbours.assign(features="pixels", stage="")
    figure = draw_neighbours(replace(explained, latent=explained.latent._replace(neighbours=near)))
    assert "No features" in figure.texts[0].get_text()
