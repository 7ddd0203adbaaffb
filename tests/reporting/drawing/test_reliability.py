"""Reliability diagrams: bins, their intervals and counts, before and after the temperature."""

import numpy as np
import pandas as pd

from cxrpipe.reporting.drawing.reliability import draw_reliability, say_calibration
from cxrpipe.reporting.drawing.results import results_of_task

# Bins: x, y, low, high, n
BINS = {
    "reliability": [(0.62, 0.5, 0.2, 0.8, 10), (0.97, 0.9, 0.82, 0.95, 90)],
    "reliability_calibrated": [(0.55, 0.5, 0.2, 0.8, 10), (0.91, 0.9, 0.82, 0.95, 90)],
}


def told(judged):
    metrics, curves = judged
    return results_of_task(metrics, curves, dict.fromkeys(metrics["models"], 1), "findings")


def table(model):
    rows = [
        {"task": "findings", "model": model, "finding": "", "curve": curve}
        | dict(zip(("x", "y", "low", "high", "n"), values, strict=True))
        for curve, bins in BINS.items()
        for values in bins
    ]
    return pd.DataFrame(rows)


def drawn(judge, model="m"):
    metrics, _ = judge(["covid", "normal"], {model: 1.0})
    return draw_reliability(told((metrics, table(model))))


def test_dots_are_the_bins_and_bars_their_intervals(judge):
    diagram, _ = drawn(judge).axes
    for container, bins in zip(diagram.containers, BINS.values(), strict=True):
        dots, _, (bars,) = container
        assert dots.get_xydata().tolist() == [[x, y] for x, y, *_ in bins]
        ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
        np.testing.assert_allclose(ends, [[low, high] for _, _, low, high, _ in bins])


def test_before_is_open_and_after_is_filled(judge):
    diagram, _ = drawn(judge).axes
    before, after = (container[0] for container in diagram.containers)
    assert before.get_markerfacecolor() == "white"
    assert after.get_markerfacecolor() == after.get_color()


def test_counts_stand_below_at_the_probability_of_their_bin(judge):
    _, counts = drawn(judge).axes
    for container, bins in zip(counts.containers, BINS.values(), strict=True):
        assert [bar.get_height() for bar in container] == [n for *_, n in bins]
        places = [bar.get_x() + bar.get_width() / 2 for bar in container]
        np.testing.assert_allclose(places, [x for x, *_ in bins])


def test_a_share_outside_its_interval_by_rounding_is_drawn(judge):
    metrics, _ = judge(["covid", "normal"], {"m": 1.0})
    sure = table("m").assign(y=1.0, high=1 - 1e-9)
    (bars,) = draw_reliability(told((metrics, sure))).axes[0].containers[0][2]
    assert bars.get_segments()[0][1, 1] == 1


def test_a_title_tells_the_error_before_and_after_and_the_mean_temperature(judge):
    calibration = {"before": {"ece": 0.0851}, "after": {"ece": 0.0306}, "temperature": [1.5, 1.3]}
    said = say_calibration({"calibration": calibration})
    assert said == "ECE 0.085 → 0.031, temperature 1.40"
    unknown = calibration | {"before": {"ece": None}}
    assert say_calibration({"calibration": unknown}) == "ECE not estimable"
    without = calibration | {"temperature": [None]}
    assert say_calibration({"calibration": without}) == "ECE not estimable"


def test_a_model_without_bins_is_said_to_be_not_estimable(judge):
    metrics, curves = judge(["covid", "normal"], {"one": 1.0, "two": 0.5})
    figure = draw_reliability(told((metrics, curves[curves["model"] == "one"])))
    one, two = figure.axes[:2]
    assert [text.get_text() for text in one.texts] == []
    assert [text.get_text() for text in two.texts] == ["not estimable"]


def test_axes_say_what_the_probability_is_of(judge):
    for kind, x, y in (
        ("single", "probability of the named finding", "share right"),
        ("multi", "probability of yes, of any finding", "share with the finding"),
    ):
        diagram, counts = draw_reliability(told(judge(["a", "b"], {"m": 1.0}, kind))).axes
        assert (counts.get_xlabel(), diagram.get_ylabel()) == (x, y)


def test_five_models_stand_in_two_rows_each_above_its_counts(judge):
    models = {f"m{number}": 1.0 for number in range(5)}
    figure = draw_reliability(told(judge(["a", "b"], models, n=40)))
    titles = [axes.get_title().split("\n")[0] for axes in figure.axes]
    assert titles == ["m0", "m1", "m2", "", "", "", "m3", "m4", "", "", "", ""]
    assert [axes.axison for axes in figure.axes] == 8 * [True] + [False, True, True, False]
    figure.draw_without_rendering()
    boxes = [axes.get_window_extent() for axes in figure.axes]
    assert boxes[3].y1 < boxes[0].y0
    np.testing.assert_allclose([boxes[3].x0, boxes[3].x1], [boxes[0].x0, boxes[0].x1])
