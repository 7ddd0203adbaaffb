"""Curves of altered films and of randomised weights, beside chance."""

import numpy as np
from explaining import Fakes

from cxrpipe.reporting.drawing.alterations import (
    NOT_ALTERED,
    NOT_RANDOMISED,
    draw_altered,
    draw_randomised,
)

EST = {"value": 0.5, "low": 0.4, "high": 0.6}
CURVE = {"curve": [0.1, None, 0.9], "chance_curve": [0.1, 0.5, 0.9], "area": EST}
CURVE |= {"chance": EST | {"value": 0.3, "low": None, "high": None}}
ALTERED = {"n": 4, "groups": 4, "shares": [0, 0.5, 1], "insertion": CURVE, "deletion": CURVE}
RANDOMISED = {
    "n": 9,
    "stages": [{"layer": "fc", "similarity": EST}, {"layer": "conv1", "similarity": EST}],
    "similarity_chance": EST | {"value": 0.02},
}


def explained_with(told, models=("a", "b")):
    explained = Fakes(("normal", "covid"), models, n=8).explained()
    for name, of_model in zip(models, told, strict=True):
        explained.models[name] = explained.models[name]._replace(localisation=of_model)
    return explained


def test_curves_stand_beside_random_places_with_their_areas():
    figure = draw_altered(explained_with([{"altered": ALTERED}, {"n": 3}]))
    insertion, below = figure.axes[0], figure.axes[2]
    curve, chance = insertion.lines
    np.testing.assert_array_equal(curve.get_ydata(), [0.1, np.nan, 0.9])
    np.testing.assert_array_equal(chance.get_ydata(), [0.1, 0.5, 0.9])
    assert (curve.get_linestyle(), chance.get_linestyle()) == ("-", ":")
    assert [text.get_text() for text in below.get_legend().texts] == [
        "a:\narea 0.500 (0.400 to 0.600); random 0.300"
    ]


def test_stages_carry_their_layers_and_chance_is_marked():
    axes = draw_randomised(explained_with([{}, {"randomised": RANDOMISED}])).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1\nfc", "2\nconv1"]
    stages, *chance = axes.lines
    np.testing.assert_array_equal(stages.get_ydata(), [0.5, 0.5])
    assert {line.get_ydata()[0] for line in chance} == {0.02}


def test_an_interval_that_is_missing_leaves_the_mark():
    lone = {"layer": "fc", "similarity": EST | {"low": None, "high": None}}
    told = {"randomised": RANDOMISED | {"stages": [lone], "similarity_chance": None}}
    figure = draw_randomised(explained_with([told], ["a"]))
    figure.draw_without_rendering()
    assert [line.get_ydata()[0] for line in figure.axes[0].lines] == [0.5]
    assert [text.get_text() for text in figure.legends[0].texts] == ["★ a"]


def test_where_nothing_was_altered_or_randomised_that_is_said():
    explained = explained_with([{"altered": {"n": 0}, "randomised": {"n": 0}}, {}])
    assert draw_altered(explained).texts[0].get_text() == NOT_ALTERED
    assert draw_randomised(explained).texts[0].get_text() == NOT_RANDOMISED
