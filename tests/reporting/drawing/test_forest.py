"""Forest plots: scores with their intervals, which model is best, and what is held out."""

import numpy as np
import pytest

from cxrpipe.reporting.drawing.forest import draw_forest, draw_subgroups, fit_limits
from cxrpipe.reporting.drawing.results import results_of_task

FINDINGS = ["normal", "covid", "lung_opacity"]
MODELS = {"small": 0.5, "large": 1.2}


def told(judged):
    metrics, curves = judged
    return results_of_task(metrics, curves, dict.fromkeys(metrics["models"], 1), "findings")


def labels(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def numbers(axes):
    return {text.get_position()[1]: text.get_text() for text in axes.texts}


def test_marks_and_bars_are_the_scores_and_their_intervals(judge):
    results = told(judge(FINDINGS, MODELS))
    figure = draw_forest(results)
    assert [axes.get_xlabel().split("\n")[0] for axes in figure.axes] == [
        "macro F1",
        "accuracy",
        "macro AUC",
    ]
    measured = results.models["small"]["test"]
    estimates = (measured["macro"]["f1"], measured["accuracy"], measured["macro"]["auc"])
    for axes, estimate in zip(figure.axes, estimates, strict=True):
        assert axes.lines[0].get_xydata().tolist() == [[estimate["value"], 0]]
        (bar,) = axes.collections[0].get_segments()
        assert bar.tolist() == [[estimate["low"], 0], [estimate["high"], 0]]
        low, high = axes.get_xlim()
        assert low < estimate["low"]
        assert high > estimate["high"]


def test_the_best_model_has_a_star_a_mark_of_its_own_and_bold_letters(judge):
    figure = draw_forest(told(judge(FINDINGS, MODELS)))
    assert labels(figure) == ["small", "★ large"]
    assert [line.get_marker() for line in figure.axes[0].lines[:2]] == ["s", "D"]
    weights = [label.get_fontweight() for label in figure.axes[0].get_yticklabels()]
    assert weights == ["normal", "bold"]


def test_held_out_sources_stand_under_the_best_model_and_ensembles_below(judge):
    results = told(judge(FINDINGS, MODELS, held_out="far_away", ensembles=True))
    part = results.models["large"]["subgroups"]["source"]["far_away"]
    figure = draw_forest(results)
    assert labels(figure) == [
        "small",
        "★ large",
        f"far away, held out of training, n {part['n']}",
        "ensemble all, of 2 models",
        "majority vote",
        "mean probability",
    ]
    assert figure.axes[1].lines[2].get_xdata().tolist() == [part["accuracy"]["value"]]
    assert numbers(figure.axes[2])[4] == "not estimable"  # votes are in no order


def test_the_majority_is_a_line_or_is_said_to_be_left_of_the_axis(judge):
    metrics, curves = judge(FINDINGS, {"m": 0.4})
    accuracy = metrics["models"]["m"]["test"]["accuracy"]
    metrics["tasks"]["findings"]["majority"]["test"]["accuracy"] = accuracy["low"]
    f1, axes, _ = draw_forest(told((metrics, curves))).axes
    near = f"majority {accuracy['low']:.3f} (dotted)"
    assert axes.get_xlabel() == f"accuracy\n{near}"
    assert set(axes.lines[-1].get_xdata()) == {accuracy["low"]}
    assert f1.get_xlabel().endswith("(left of the axis)")
    assert len(f1.lines) == 1


def test_what_cannot_be_estimated_is_said_in_words(judge):
    metrics, curves = judge(FINDINGS, MODELS)
    for model in metrics["models"].values():
        model["test"]["macro"]["auc"] = dict.fromkeys(("value", "low", "high", "sd"))
    metrics["tasks"]["findings"]["majority"]["test"]["macro"]["auc"] = None
    auc = draw_forest(told((metrics, curves))).axes[2]
    assert list(numbers(auc).values()) == ["not estimable"] * 2
    assert len(auc.lines) == 0


def test_the_films_and_patients_are_told(judge):
    figure = draw_forest(told(judge(FINDINGS, MODELS)))
    assert figure.get_suptitle().startswith("229 test films of 204 patients")


def test_subgroups_tell_their_films_and_what_is_not_known(judge):
    results = told(judge(FINDINGS, MODELS, n=60, held_out="south"))
    parts = results.models["large"]["subgroups"]
    shown = labels(draw_subgroups(results))
    assert shown[0] == "★ large, all films"
    assert shown[1:5] == [
        "source",
        f"far away, n {parts['source']['far_away']['n']}",
        f"north, n {parts['source']['north']['n']}",
        f"south, held out of training, n {parts['source']['south']['n']}",
    ]
    assert shown[5:10] == ["view: not known", "sex", "F, n 30", "M, n 15", "unknown, n 15"]
    assert shown[10:12] == ["age (years)", "0-17, n 12"]


def test_subgroups_are_those_of_the_best_model_beside_all_films(judge):
    results = told(judge(FINDINGS, MODELS))
    axes = draw_subgroups(results).axes[1]
    best = results.models["large"]
    whole = best["test"]["accuracy"]["value"]
    marks = [line.get_xdata()[0] for line in axes.lines]
    assert marks[0] == whole
    assert marks[1] == best["subgroups"]["source"]["far_away"]["accuracy"]["value"]
    assert marks[-1] == whole
    assert axes.get_xlabel() == f"accuracy\nall films {whole:.3f} (dotted)"


def test_limits_hold_whatever_is_known():
    assert fit_limits([]) == (0, 1)
    assert fit_limits([{"value": None, "low": None, "high": None}]) == (0, 1)
    perfect = fit_limits([{"value": 1.0, "low": None, "high": None}])
    assert perfect == pytest.approx((0.995, 1.005))
    wide = fit_limits(
        [{"value": 0.5, "low": 0.4, "high": 0.6}, {"value": 0.9, "low": None, "high": None}]
    )
    assert wide == pytest.approx((0.375, 0.925))


def test_long_names_leave_room_for_the_panels(judge):
    models = {f"inception_v3_side-500_head-1024-1024_dropout-0.5_seed-{n}": 1.0 for n in range(3)}
    figure = draw_forest(told(judge(FINDINGS, models)))
    figure.draw_without_rendering()
    widths = [axes.get_window_extent().width for axes in figure.axes]
    assert min(widths) > figure.dpi  # an inch
    assert np.ptp(widths) < figure.dpi
