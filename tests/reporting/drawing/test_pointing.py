"""Scores of heatmaps: each is at its value, has its interval, and stands beside chance."""

import pytest
from explaining import Fakes

from cxrpipe.reporting.drawing.pointing import NOTHING, draw_localisation, read_scores

GAME = {"n": 30, "groups": 25, "hits": 21, "share": 0.7, "low": 0.5, "high": 0.85}
GAME |= {"chance_film": 0.1, "chance_lungs": 0.3}
EST = {"value": 0.6, "low": 0.55, "high": 0.65}
TOLD = GAME | {
    "focal": GAME | {"n": 12, "share": 0.9, "limit": 0.25},
    "lungs": {"mask": {"n": 9, "share": EST, "chance": EST | {"value": 0.4}}, "stand_in": {"n": 0}},
    "overlap": {"n": 0},
    "altered": {"n": 0},
    "randomised": {"n": 8, "pointing": GAME | {"n": 8, "share": 0.2, "low": None, "high": None}},
}


def explained_with(told, models=("a", "b")):
    explained = Fakes(("normal", "covid"), models, n=8).explained()
    for name in models:
        explained.models[name] = explained.models[name]._replace(localisation=told)
    return explained


def test_scores_without_films_are_left_out():
    scores = read_scores(TOLD)
    assert list(scores) == [
        "pointing game: the maximum lies on the lesion",
        "pointing game, focal findings",
        "pointing game, all weights randomised",
        "heatmap inside the lungs (masks)",
    ]
    assert [score.n for score in scores.values()] == [30, 12, 8, 9]
    assert scores["heatmap inside the lungs (masks)"].value == EST
    assert scores["heatmap inside the lungs (masks)"].chances == {"film": 0.4}
    assert scores["pointing game, focal findings"].chances == {"film": 0.1, "lungs": 0.3}


def test_a_mark_is_at_its_score_with_its_interval_and_chance():
    figure = draw_localisation(explained_with(TOLD))
    axes = figure.axes[0]
    assert "the median lesion is at most 25% of the lungs" in figure.get_supxlabel()
    marks = {(line.get_ydata()[0], line.get_marker()): line.get_xdata()[0] for line in axes.lines}
    assert marks[1, "s"] == 0.7  # row 0 is the heading; a is not the best
    assert marks[2, "D"] == 0.7
    assert (marks[1, "o"], marks[1, "^"]) == (0.1, 0.3)
    assert (marks[11, "D"], marks[11, "o"]) == (0.6, 0.4)
    ends = [tuple(bars.get_segments()[0][:, 0]) for bars in axes.collections]
    assert ends[0] == pytest.approx((0.5, 0.85))
    assert len(ends) == 6  # randomised has no interval
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:3] == ["pointing game: the maximum lies on the lesion", "a, n 30", "★ b, n 30"]
    assert labels[3] == "pointing game, focal findings"


def test_a_score_that_cannot_be_estimated_is_said_so():
    told = {"n": 2, "share": None, "low": None, "high": None}
    figure = draw_localisation(explained_with(told))
    assert {text.get_text() for text in figure.axes[0].texts} == {"not estimable"}


@pytest.mark.parametrize("told", [{"n": 0}, {}, {"lungs": None, "overlap": {"by": {}}}])
def test_where_nothing_is_known_that_is_said(told):
    assert draw_localisation(explained_with(told)).texts[0].get_text() == NOTHING
