"""Causes of mistakes: ratios, intervals, counts and p."""

from dataclasses import replace

import numpy as np
import pytest
from explaining import Fakes

from cxrpipe.reporting.drawing.causes import draw_causes, fit_ratios

NONE = {"value": None, "low": None, "high": None}


def cause(name, ratio, p=0.5):
    counts = {"wrong_with": 3, "wrong": 10, "right_with": 8, "right": 40}
    own = {"cause": name, "meaning": "what it means", "limit": None, "odds_ratio": ratio}
    return own | counts | {"p": p, "p_adjusted": p}


def draw(*causes, level=0.95):
    explained = Fakes(("normal", "covid"), ["a"], n=8).explained(level=level)
    told = explained.answers.told | {"causes": list(causes)}
    return draw_causes(replace(explained, answers=explained.answers._replace(told=told)))


def test_a_ratio_is_at_its_value_and_a_sure_one_is_filled_and_bold():
    sure = cause("burned_in", {"value": 4.0, "low": 2.0, "high": 8.0}, p=0.0001)
    axes = draw(sure, cause("dark", {"value": 1.2, "low": None, "high": None})).axes[0]
    assert axes.get_xscale() == "log"
    filled, open_mark = axes.lines[:2]
    assert (filled.get_xdata()[0], open_mark.get_xdata()[0]) == (4.0, 1.2)
    assert filled.get_markerfacecolor() != open_mark.get_markerfacecolor() == "white"
    assert [tuple(bar.get_segments()[0][:, 0]) for bar in axes.collections] == [(2.0, 8.0)]
    assert [text.get_text() for text in axes.texts] == [
        "3 of 10 wrong, 8 of 40 right\nodds ratio 4 (2 to 8); p <0.001",
        "3 of 10 wrong, 8 of 40 right\nodds ratio 1.2; p 0.500",
    ]
    assert [text.get_fontweight() for text in axes.texts] == ["bold", "normal"]
    assert axes.get_yticklabels()[0].get_text() == "burned in: what it means"


@pytest.mark.parametrize(
    ("level", "weight", "said"),
    [(0.95, "normal", "0.05"), (0.9, "bold", "0.1"), (0.99, "normal", "0.01")],
)
def test_what_is_sure_depends_on_the_level(level, weight, said):
    figure = draw(cause("dark", {"value": 2.0, "low": 1.0, "high": 4.0}, p=0.06), level=level)
    assert figure.axes[0].texts[0].get_fontweight() == weight
    assert figure.get_suptitle().replace("\n", " ").endswith(f"together, below {said}")


def test_what_cannot_be_estimated_is_said_and_not_marked():
    figure = draw(cause("tint", NONE, p=None))
    figure.draw_without_rendering()
    assert figure.axes[0].texts[0].get_text().endswith("odds ratio not estimable")
    assert len(figure.axes[0].lines) == 1  # the line at 1


def test_the_axis_holds_the_ratios_and_ends_where_intervals_are_boundless():
    assert fit_ratios([cause("a", NONE)]) == pytest.approx((0.2, 5.0))
    wide = cause("a", {"value": 30.0, "low": 0.0, "high": 1e9})
    low, high = fit_ratios([wide])
    assert (low, high) == pytest.approx((0.2, 125.0))
    figure = draw(wide)
    figure.draw_without_rendering()
    assert np.isfinite(figure.axes[0].collections[0].get_segments()[0]).all()


def test_without_causes_that_is_said():
    assert draw().texts[0].get_text() == "No cause of the mistakes of a was measured."
