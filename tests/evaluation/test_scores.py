"""Scores of films by hand, for one finding a film and for several, and their average over folds."""

import json

import numpy as np
import pytest

from cxrpipe.config import Task
from cxrpipe.evaluation.scores import average, score


def single(*findings):
    return Task(kind="single", findings=findings)


MULTI = Task(kind="multi", findings=("effusion", "mass", "hernia"))
# Six films of effusion, mass and hernia; the last shows none, no film shows a hernia.
TRUE = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]])
#                 effusion: three found, one missed, one false alarm; mass: none found, two missed
LOGITS = np.array(
    [[4, -1, -1], [3, -2, -1], [1, -3, -1], [-1, -4, 1], [2, -5, -1], [-2, -6, -1]], dtype=float
)


def test_all_scores_of_one_finding_a_film_counted_by_hand():
    #                 film: 0    1    2    3
    true = np.array([0, 0, 1, 1])
    logits = np.array([[2, 0, 0], [0, 1, 0], [0, 3, 0], [0, 0, 1]], dtype=float)
    scores = score(true[:3], logits[:3], single("a", "b", "c"))
    assert scores["n"] == 3
    assert scores["accuracy"] == round(2 / 3, 6)
    assert scores["confusion"] == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert scores["findings"]["b"] == {
        "n": 1,
        "precision": 0.5,
        "recall": 1.0,
        "f1": round(2 / 3, 6),
        "auc": 1.0,
    }
    scores = score(true, logits[:, :2], single("a", "b"))  # the last film: a tie, the first counts
    assert scores["confusion"] == [[1, 1], [1, 1]]
    assert scores["macro"]["recall"] == scores["macro"]["f1"] == 0.5


def test_a_class_without_films_has_no_scores_and_neither_has_the_macro():
    logits = np.array([[2, 0, 0], [0, 1, 0]], dtype=float)
    scores = score(np.array([0, 1]), logits, single("a", "b", "c"))
    assert scores["findings"]["c"]["f1"] is scores["macro"]["f1"] is scores["macro"]["auc"] is None
    assert scores["accuracy"] == scores["findings"]["a"]["f1"] == 1


def test_all_scores_of_several_findings_a_film_counted_by_hand():
    scores = score(TRUE, LOGITS, MULTI)
    assert scores["n"] == 6
    assert scores["confusion"] == [[[1, 1], [1, 3]], [[4, 0], [2, 0]], [[5, 1], [0, 0]]]
    assert scores["accuracy"] == round((4 + 4 + 5) / 18, 6)
    assert scores["findings"]["effusion"] == {
        "n": 4,
        "precision": 3 / 4,
        "recall": 3 / 4,
        "f1": 3 / 4,
        "auc": 6 / 8,  # of pairs: 4, 3 and 1 above -2; 4 and 3 above 2; -1 above -2
    }
    mass = {"n": 2, "precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert scores["findings"]["mass"] == mass | {"auc": 4 / 8}  # -2 above three, -5 above one


def test_a_finding_that_no_film_shows_has_no_score_and_is_no_part_of_the_macro():
    """One film is a false alarm; still nothing can be said of hernia, for any model."""
    scores = score(TRUE, LOGITS, MULTI)
    assert set(scores["findings"]["hernia"].values()) == {0, None}
    assert scores["macro"]["f1"] == scores["macro"]["recall"] == (3 / 4 + 0) / 2
    effusion, mass = (scores["findings"][name]["auc"] for name in ("effusion", "mass"))
    assert scores["macro"]["auc"] == pytest.approx((effusion + mass) / 2)


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


def test_the_average_of_one_fold_is_that_fold():
    scores = score(TRUE, LOGITS, MULTI)
    assert average([scores]) == scores
