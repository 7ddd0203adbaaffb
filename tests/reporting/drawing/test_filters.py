"""Filters: pictures before and after training, layer by layer."""

from dataclasses import replace

import numpy as np
from explaining import Fakes

from cxrpipe.reporting.drawing.filters import draw_filters


def test_a_layer_has_a_row_before_and_one_after_training():
    explained = Fakes(("normal", "covid"), ["a"]).explained()
    explained.filters.activations[5] = 0.25, 1.5
    figure = draw_filters(explained)
    assert [text.get_text() for text in figure.texts[1:3]] == [
        "layer2, before training",
        "layer2, after training",
    ]
    assert "Before: random weights." in figure.texts[0].get_text().replace("\n", " ")
    assert len(figure.axes) == 2 * 2 * 4
    before, after = figure.axes[9], figure.axes[13]  # filter 5 is the second of layer 4
    for axes, stage, moved in ((before, 0, "0.25"), (after, 1, "1.5")):
        expected = explained.filters.pictures[5, stage]
        np.testing.assert_array_equal(axes.images[0].get_array(), expected)
        assert axes.get_xlabel() == moved
    assert before.get_title() == "filter 5"


def test_without_filters_that_is_said():
    fakes = Fakes(("normal", "covid"), ["a"])
    figure = draw_filters(replace(fakes.explained(), filters=fakes.filters(layers=0)))
    assert figure.texts[0].get_text() == "No filter of a was chosen."
