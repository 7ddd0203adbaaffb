"""Filters: pictures before and after training, layer by layer."""

from dataclasses import replace

import numpy as np
from explaining import Fakes

from cxrpipe.reporting.drawing.filters import draw_filters


def said(figure):
    return figure.texts[0].get_text().replace("\n", " ")


def test_a_layer_has_a_row_before_and_one_after_training():
    explained = Fakes(("normal", "covid"), ["a"]).explained()
    explained.filters.activations[5] = 0.25, 1.5
    figure = draw_filters(explained)
    assert [text.get_text() for text in figure.texts[1:3]] == [
        "layer2, before training: 4 of 4 filters",
        "layer2, after training: 4 of 4 filters",
    ]
    assert "of the filters that training changed most" in said(figure)
    assert "Before: random weights." in said(figure)
    assert len(figure.axes) == 2 * 2 * 4
    before, after = figure.axes[9], figure.axes[13]  # filter 5 is the second of layer 4
    for axes, stage, moved in ((before, 0, "0.25"), (after, 1, "1.5")):
        expected = explained.filters.pictures[5, stage]
        np.testing.assert_array_equal(axes.images[0].get_array(), expected)
        assert axes.get_xlabel() == moved
    assert before.get_title() == "filter 5"


def test_filters_that_are_not_drawn_are_counted():
    fakes = Fakes(("normal", "covid"), ["a"])
    many = replace(fakes.explained(), filters=fakes.filters(layers=1, per_layer=32))
    figure = draw_filters(many)
    assert len(figure.axes) == 2 * 8
    assert figure.texts[1].get_text() == "layer2, before training: 8 of 32 filters"


def test_without_filters_that_is_said():
    fakes = Fakes(("normal", "covid"), ["a"])
    figure = draw_filters(replace(fakes.explained(), filters=fakes.filters(layers=0)))
    assert figure.texts[0].get_text() == "No filter of a was chosen."
