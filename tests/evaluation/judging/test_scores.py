"""Scores as metrics.json tells them: places, counts, folds, and what is not estimable."""

import json

import numpy as np
import pytest

from cxrpipe.config import Task
from cxrpipe.evaluation.judging.scores import (
    OF_FINDINGS,
    OVERALL,
    average,
    average_draws,
    estimate,
    measure_folds,
    nest,
    tell_estimates,
    tell_scores,
)
from cxrpipe.evaluation.statistics.measures import measure


def single(*findings):
    return Task(kind="single", findings=findings)


MULTI = Task(kind="multi", findings=("effusion", "mass", "hernia"))
# Six films of effusion, mass and hernia; the last shows none, no film shows a hernia.
TRUE = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
#                 effusion: three found, one missed, one false alarm; mass: none found, two missed
LOGITS = np.array(
    [[4, -1, -1], [3, -2, -1], [1, -3, -1], [-1, -4, 1], [2, -5, -1], [-2, -6, -1]], dtype=float
)


def score(true, logits, task):
    return tell_scores(true, measure(true, logits, task.kind), task)


def test_all_scores_of_one_finding_a_film_counted_by_hand():
    #                 film: 0    1    2
    true = np.array([0, 0, 1])
    logits = np.array([[2, 0, 0], [0, 1, 0], [0, 3, 0]], dtype=float)
    scores = score(true, logits, single("a", "b", "c"))
    assert list(scores) == ["n", *OVERALL, "macro", "findings", "confusion"]
    assert scores["n"] == 3
    assert scores["accuracy"] == round(2 / 3, 6)
    assert scores["one_vs_rest_accuracy"] == round((2 / 3 + 2 / 3 + 1) / 3, 6)
    assert scores["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert scores["findings"]["b"] == {
        "n": 1,
        "precision": 0.5,
        "recall": 1.0,
        "specificity": 0.5,
        "f1": round(2 / 3, 6),
        "auc": 1.0,
        "ap": 1.0,
    }


def test_a_class_without_films_has_no_scores_and_is_no_part_of_the_macro():
    logits = np.array([[2, 0, 0], [0, 1, 0]], dtype=float)
    scores = score(np.array([0, 1]), logits, single("a", "b", "c"))
    assert set(scores["findings"]["c"].values()) == {0, None}
    assert scores["macro"]["f1"] == scores["accuracy"] == scores["findings"]["a"]["f1"] == 1


def test_all_scores_of_several_findings_a_film_counted_by_hand():
    scores = score(TRUE, LOGITS, MULTI)
    assert scores["n"] == 6
    assert scores["confusion"] == [[[1, 1], [1, 3]], [[4, 0], [2, 0]], [[5, 1], [0, 0]]]
    assert scores["accuracy"] == round((4 + 4 + 5) / 18, 6)
    effusion = {"n": 4, "precision": 3 / 4, "recall": 3 / 4, "specificity": 1 / 2, "f1": 3 / 4}
    # Of pairs: 4, 3 and 1 above -2; 4 and 3 above 2; -1 above -2. Above the threshold of each film
    # with it lie 1 of 1, 2 of 2, 3 of 4 and 4 of 5.
    areas = {"auc": 6 / 8, "ap": (1 + 1 + 3 / 4 + 4 / 5) / 4}
    assert scores["findings"]["effusion"] == pytest.approx(effusion | areas)
    assert scores["findings"]["mass"]["auc"] == 4 / 8  # -2 above three, -5 above one
    assert scores["findings"]["mass"]["precision"] == 0
    assert scores["balanced_accuracy"] == pytest.approx((5 / 8 + 1 / 2) / 2)


def test_a_finding_that_no_film_shows_has_no_score_for_any_model():
    """One film is a false alarm; still nothing can be said of hernia."""
    scores = score(TRUE, LOGITS, MULTI)
    assert set(scores["findings"]["hernia"].values()) == {0, None}
    assert scores["macro"]["f1"] == scores["macro"]["recall"] == (3 / 4 + 0) / 2


def test_one_finding_is_a_yes_or_no():
    """Probability 1/2 itself is no."""
    binary = Task(kind="binary", findings=("covid",))
    scores = score(np.array([[1], [0], [0]]), np.array([[0.1], [0.0], [-3.0]]), binary)
    assert scores["confusion"] == [[[2, 0], [0, 1]]]
    assert scores["accuracy"] == scores["macro"]["f1"] == scores["findings"]["covid"]["auc"] == 1


@pytest.mark.parametrize("task", [single("a", "b"), MULTI], ids=["single", "multi"])
def test_no_films_have_no_scores(task):
    k = len(task.findings)
    true = np.zeros(0 if task.kind == "single" else (0, k), np.int64)
    scores = score(true, np.zeros((0, k)), task)
    assert scores["n"] == 0
    assert scores["accuracy"] is scores["macro"]["f1"] is scores["macro"]["auc"] is None
    assert "NaN" not in json.dumps(scores)


def test_estimates_have_the_places_of_plain_scores():
    weights = np.array([[1, 1, 1, 1, 1, 1], [2, 0, 1, 1, 2, 0]], np.uint8)
    logits = np.stack([LOGITS, LOGITS + 1.5])
    folds = measure_folds(TRUE, logits, MULTI)
    draws = average_draws(measure_folds(TRUE, logits, MULTI, weights))
    told = tell_estimates(TRUE, folds, draws, MULTI, 0.95)
    plain = [score(TRUE, fold, MULTI) for fold in logits]
    assert list(told) == [key for key in plain[0] if key != "confusion"]
    assert (
        list(told["findings"]["mass"]) == ["n", *OF_FINDINGS] == list(plain[0]["findings"]["mass"])
    )
    accuracy = [fold["accuracy"] for fold in plain]
    assert told["accuracy"]["value"] == pytest.approx(np.mean(accuracy), abs=1e-6)
    assert told["accuracy"]["sd"] == pytest.approx(np.std(accuracy, ddof=1), abs=1e-6)
    assert told["n"] == 6


def test_an_interval_is_of_the_samples_and_the_spread_of_the_folds():
    told = estimate([0.5, 0.7], np.linspace(0, 1, 101), 0.9)
    assert told == {"value": 0.6, "low": 0.05, "high": 0.95, "sd": round(0.2 / 2**0.5, 6)}


def test_a_single_fold_has_no_spread_and_samples_that_agree_no_interval():
    assert estimate([1.0], np.ones(100), 0.95) == {
        "value": 1.0,
        "low": None,
        "high": None,
        "sd": None,
    }


def test_values_are_nested_by_their_places():
    assert nest({("n",): 1, ("macro", "f1"): 2, ("macro", "auc"): 3}) == {
        "n": 1,
        "macro": {"f1": 2, "auc": 3},
    }


def fold(accuracy, f1, n=4):
    macro, findings = {"f1": f1}, {"covid": {"n": n, "f1": f1}}
    scores = {"n": n, "accuracy": accuracy, "macro": macro, "findings": findings}
    return scores | {"confusion": [[n, 1], [2, 3]]}


def test_folds_are_averaged_and_their_counts_added_up():
    together = average([fold(0.5, 0.2), fold(0.7, 0.6, n=6)])
    assert together == {
        "n": 5,
        "accuracy": 0.6,
        "macro": {"f1": 0.4},
        "findings": {"covid": {"n": 5, "f1": 0.4}},
        "confusion": [[10, 2], [4, 6]],
    }


def test_a_score_is_averaged_over_the_folds_that_have_it():
    assert average([fold(0.5, None), fold(0.7, 0.6)])["macro"]["f1"] == 0.6
    assert average([fold(0.5, None)] * 2)["findings"]["covid"]["f1"] is None
