"""What is known of a task: its own models and curves, and scores in words."""

import numpy as np
import pandas as pd

from cxrpipe.reporting.drawing.results import pick, results_of_task, say_estimate


def test_a_task_has_its_own_models_and_curves_and_colours_of_the_recipe(judge):
    first, one = judge(["covid"], {"a": 1.0}, "binary", task="covid")
    second, two = judge(["mass", "nodule"], {"b": 1.0, "c": 0.5}, "multi", task="nih")
    metrics = {**first, "tasks": first["tasks"] | second["tasks"]}
    metrics["models"] = first["models"] | second["models"]
    curves = pd.concat([one, two])
    results = results_of_task(metrics, curves, {"a": 1, "b": 2, "c": 3}, "nih")
    assert list(results.models) == ["b", "c"]
    assert results.numbers == {"b": 1, "c": 2}
    assert {model for _, model, _ in results.curves} == {"b", "c", ""}


def test_the_score_by_which_models_are_chosen_is_the_first(judge):
    for kind, scores in (
        ("single", ["f1", "accuracy", "auc"]),
        ("multi", ["auc", "accuracy", "f1"]),
    ):
        metrics, curves = judge(["covid", "mass"], {"m": 1.0}, kind)
        assert results_of_task(metrics, curves, {"m": 1}, "findings").scores == scores


def test_a_curve_holds_the_points_that_can_be_estimated(judge):
    metrics, curves = judge(["covid", "mass"], {"m": 1.0})
    curves.loc[curves["x"] > 0.5, "y"] = np.nan
    drawn = results_of_task(metrics, curves, {"m": 1}, "findings").curve("roc", "m", "mass")
    np.testing.assert_allclose(drawn["x"], [place / 100 for place in range(51)])


def test_films_that_show_a_finding_are_counted(judge):
    metrics, curves = judge(["covid", "mass"], {"m": 1.0}, n=50)
    results = results_of_task(metrics, curves, {"m": 1}, "findings")
    assert results.n_with("covid") + results.n_with("mass") == results.n == 50


def test_a_score_is_said_with_its_interval_as_far_as_it_can_be_estimated():
    whole = {"value": 0.9312, "low": 0.9, "high": 0.9555, "sd": None}
    assert say_estimate(whole) == "0.931 (0.900 to 0.956)"
    assert say_estimate(whole | {"low": None, "high": None}) == "0.931"
    assert say_estimate(whole | {"value": None}) == say_estimate(None) == "not estimable"


def test_a_vote_has_no_area():
    vote = {"accuracy": {"value": 0.5}, "macro": {"f1": {"value": 0.4}}}
    assert pick(vote, "accuracy") == {"value": 0.5}
    assert pick(vote, "f1") == {"value": 0.4}
    assert pick(vote, "auc") is None
