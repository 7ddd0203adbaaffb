"""Decision curves and selective prediction: what the table says, and limits that show it."""

import numpy as np

from cxrpipe.reporting.drawing.decisions import draw_decision, draw_selective
from cxrpipe.reporting.drawing.results import results_of_task

FINDINGS = ["normal", "covid"]
MODELS = {"small": 0.5, "large": 1.2}


def told(judged):
    metrics, curves = judged
    return results_of_task(metrics, curves, dict.fromkeys(metrics["models"], 1), "findings")


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_panel_shows_all_models_treating_all_and_treating_none(judge):
    results = told(judge(FINDINGS, MODELS))
    small, large, everyone, none = draw_decision(results).axes[1].lines
    for line, model in ((small, "small"), (large, "large"), (everyone, "")):
        points = results.curve("decision", model, "covid")[["x", "y"]]
        np.testing.assert_array_equal(line.get_xydata(), points)
    assert set(none.get_ydata()) == {0}
    share = results.n_with("covid") / 229  # treating all at a threshold of 1/2
    np.testing.assert_allclose(everyone.get_ydata()[49], share - (1 - share))


def test_limits_run_from_slightly_below_zero_to_the_share_of_films(judge):
    results = told(judge(FINDINGS, MODELS))
    for axes, finding in zip(draw_decision(results).axes, FINDINGS, strict=True):
        share = results.n_with(finding) / 229
        low, high = axes.get_ylim()
        assert -0.2 * share < low < 0
        assert share < high < 1.1 * share


def test_a_finding_without_films_has_no_benefit_to_show(judge):
    metrics, curves = judge(FINDINGS, MODELS)
    metrics["models"]["large"]["test"]["findings"]["covid"]["n"] = 0
    _, covid = draw_decision(told((metrics, curves))).axes
    assert texts(covid) == ["not estimable:\nno test film shows it"]
    assert len(covid.lines) == 0


def test_accuracy_is_drawn_by_coverage_within_its_limits(judge):
    results = told(judge(FINDINGS, MODELS))
    (axes,) = draw_selective(results).axes
    for line, model in zip(axes.lines, MODELS, strict=True):
        points = results.curve("selective", model)[["x", "y"]]
        np.testing.assert_array_equal(line.get_xydata(), points)
        accuracy = results.models[model]["test"]["accuracy"]["value"]
        np.testing.assert_allclose(line.get_ydata()[-1], accuracy, atol=1e-6)
        low, high = axes.get_ylim()
        assert low < min(line.get_ydata())
        assert high > max(line.get_ydata())


def test_a_perfect_model_is_right_at_every_coverage(judge):
    (axes,) = draw_selective(told(judge(FINDINGS, {"m": np.inf}))).axes
    assert set(axes.lines[0].get_ydata()) == {1}
    low, high = axes.get_ylim()
    assert low < 1 < high


def test_no_coverage_is_said_to_be_not_estimable(judge):
    metrics, curves = judge(FINDINGS, MODELS)
    kept = curves["curve"] != "selective"
    (axes,) = draw_selective(told((metrics, curves[kept]))).axes
    assert texts(axes) == ["not estimable"]
