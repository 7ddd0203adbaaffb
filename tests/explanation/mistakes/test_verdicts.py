"""What was said of every film, and which mistakes are shown."""

import numpy as np
import pandas as pd
import pytest

from cxrpipe.config import Task
from cxrpipe.evaluation.judging.mistakes import MOST
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.explanation.mistakes.verdicts import (
    draw_mistakes,
    judge_films,
    list_surest,
    mark_shown,
)

SINGLE = Task(findings=("normal", "covid", "tb"), sources=("s",))
MULTI = Task(kind="multi", findings=("mass", "effusion"), sources=("s",))


def calibration(task, temperature=2.0):
    n = len(task.findings)
    known = {"n": 9, "sensitivity": 0.9, "thresholds": (0.5,) * n, "coverage": 0.9}
    quantiles = (0.5,) * (1 if task.kind == "single" else n)
    return Calibration(
        "w", task.kind, task.findings, temperature=temperature, quantiles=quantiles, **known
    )


def films(task, findings, logits):
    names = [f"{place:04x}" for place in range(len(findings))]
    rows = {"radiograph": names, "group": names, "source": "s", "finding": findings}
    columns = dict(zip(task.findings, np.array(logits, dtype=float).T, strict=True))
    return pd.DataFrame(rows | columns)


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def test_one_answer_is_judged_with_its_calibrated_probability():
    """Logits are divided by two: of 2, 0, 0 the first has e / (e + 2)."""
    shown = films(SINGLE, ["normal", "covid", "tb"], [[2, 0, 0], [2, 0, 0], [0, 0, 6]])
    judged = judge_films(shown, SINGLE, calibration(SINGLE))
    assert judged["true"].tolist() == ["normal", "covid", "tb"]
    assert judged["said"].tolist() == ["normal", "normal", "tb"]
    assert judged["right"].tolist() == [1, 0, 1]
    share = np.e / (np.e + 2)
    last = np.exp(3) / (np.exp(3) + 2)
    assert judged["probability"].to_numpy() == pytest.approx([share, share, last])
    assert judged["sure"].to_numpy() == pytest.approx(
        [np.log(share / (1 - share))] * 2 + [np.log(last / (1 - last))]
    )


def test_a_film_of_several_answers_is_wrong_if_one_is():
    """Probability is that of the surest wrong answer, or of the least sure one."""
    shown = films(
        MULTI,
        ["mass", "mass|effusion", "", "", "effusion"],
        [[4, -2], [6, -2], [-8, 2], [-8, -2], [6, -4]],
    )
    judged = judge_films(shown, MULTI, calibration(MULTI))
    assert judged["true"].tolist() == ["mass", "mass|effusion", "none", "none", "effusion"]
    assert judged["said"].tolist() == ["mass", "mass", "effusion", "none", "mass"]
    assert judged["right"].tolist() == [1, 0, 0, 1, 0]
    expected = [sigmoid(logit) for logit in (1, 1, 1, 1, 3)]
    assert judged["probability"].to_numpy() == pytest.approx(expected)


def test_one_finding_is_a_yes_or_no():
    task = Task(kind="binary", findings=("covid",), sources=("s",))
    shown = films(task, ["covid", "normal", "normal"], [[-2], [4], [-2]])
    judged = judge_films(shown, task, calibration(task))
    assert judged["true"].tolist() == ["covid", "none", "none"]
    assert judged["said"].tolist() == ["none", "covid", "none"]
    assert judged["right"].tolist() == [0, 0, 1]
    expected = [sigmoid(logit) for logit in (1, 2, 1)]
    assert judged["probability"].to_numpy() == pytest.approx(expected)


@pytest.mark.parametrize("task", [SINGLE, MULTI])
def test_no_films_have_no_verdict(task):
    judged = judge_films(
        films(task, [], np.empty((0, len(task.findings)))), task, calibration(task)
    )
    assert judged.empty
    assert list_surest(judged) == []
    assert not any(draw_mistakes(judged, task, 3, 0).values())


def wrong(n, finding="normal", right=0):
    names = [f"{place:04x}" for place in range(n)]
    told = {"radiograph": names, "true": finding, "right": right, "sure": 0.0}
    return pd.DataFrame(told)


def test_the_surest_mistakes_come_first_and_equal_ones_by_name():
    judged = wrong(5).assign(sure=[40.0, 3, 90, 40, 500], right=[0, 0, 0, 0, 1])
    assert list_surest(judged) == ["0002", "0000", "0003", "0001"]
    assert list_surest(judged, 2) == ["0002", "0000"]
    assert len(list_surest(wrong(50))) == MOST == 20


def test_mistakes_are_drawn_of_each_finding_by_seed():
    judged = wrong(60).assign(true=["normal", "covid", "tb"] * 20, right=[0, 0, 1] * 20)
    drawn = draw_mistakes(judged, SINGLE, 7, 1)
    assert {finding: len(names) for finding, names in drawn.items()} == {
        "normal": 7,
        "covid": 7,
        "tb": 0,
    }
    true = judged.set_index("radiograph")["true"]
    assert all(true[name] == finding for finding, names in drawn.items() for name in names)
    assert drawn == draw_mistakes(judged.iloc[::-1], SINGLE, 7, 1)
    assert drawn != draw_mistakes(judged, SINGLE, 7, 2)


def test_films_of_several_findings_can_be_drawn_of_each_and_of_none():
    judged = wrong(3).assign(true=["mass|effusion", "none", "mass"])
    assert draw_mistakes(judged, MULTI, 5, 0) == {
        "mass": ["0000", "0002"],
        "effusion": ["0000"],
        "none": ["0001"],
    }


def test_films_are_marked_by_the_lists_they_are_in():
    drawn = {"mass": ["a", "b"], "none": ["b"]}
    names = pd.Series(["a", "b", "c", "d"])
    assert mark_shown(names, drawn, ["b", "c"]) == ["drawn", "drawn|surest", "surest", ""]
