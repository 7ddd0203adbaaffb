"""What is told of one model: thresholds, calibration, sets and selection, counted by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from cxrpipe.config import Evaluation, Task
from cxrpipe.evaluation.judging.answers import Answers, gather_answers
from cxrpipe.evaluation.judging.contest import compare, compare_pairs, contend
from cxrpipe.evaluation.judging.judged import Judged, gather
from cxrpipe.evaluation.judging.telling import (
    draw_scores,
    tell_calibration,
    tell_conformal,
    tell_selective,
    tell_thresholds,
)
from cxrpipe.evaluation.statistics.calibration import Calibration

TASK = Task(kind="multi", findings=("mass", "effusion"), sources=("s",))
# Ten test films by probability of a mass: three of the five with one stand above 0.5.
MASS = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 0])
PROBABILITY = np.array([0.95, 0.9, 0.8, 0.7, 0.45, 0.4, 0.3, 0.2, 0.1, 0.05])


def films(times=1):
    """Each of the ten films so many times, of other patients; no film shows an effusion."""
    names = [f"f{number}" for number in range(10 * times)]
    table = pd.DataFrame({"radiograph": names, "group": names, "source": "s", "subset": "test"})
    shown = np.where(np.tile(MASS, times) == 1, "mass", "")
    return table.assign(finding=shown, fold=0)


def told(thresholds=(0.35, np.nan), temperature=1.0, times=1, quantiles=(0.6, np.inf)):
    """Return the films and a model of one fold that was fixed so."""
    cohort = films(times)
    judged = gather(cohort, TASK, 1, Evaluation(replicates=200), 0)
    logits = cohort[["radiograph", "subset"]].assign(
        mass=temperature * np.tile(logit(PROBABILITY), times), effusion=-3.0
    )
    fixed = Calibration(
        *("", "multi", TASK.findings, 50, temperature, 0.9, thresholds, 0.8, quantiles)
    )
    return judged, gather_answers(judged, [logits], [fixed], "", ["s"])


def test_answers_at_a_threshold_are_counted_on_the_test_films():
    """At 0.35 four masses of five are found, with two false alarms among five others."""
    thresholds = tell_thresholds(*told(times=4))
    mass = thresholds["findings"]["mass"]
    assert (thresholds["wanted"], mass["threshold"], mass["n"]) == (0.9, [0.35], 4 * 5)
    for name, value in (
        ("sensitivity", 4 / 5),
        ("specificity", 3 / 5),
        ("precision", 4 / 6),
        ("npv", 3 / 4),
    ):
        assert mass[name]["value"] == pytest.approx(value, abs=1e-6)
        assert mass[name]["low"] < value < mass[name]["high"]


def test_a_finding_without_a_threshold_has_no_answers():
    effusion = tell_thresholds(*told())["findings"]["effusion"]
    assert effusion["threshold"] == [None]
    assert all(effusion[name]["value"] is None for name in ("sensitivity", "specificity", "npv"))


def test_a_threshold_is_of_calibrated_probabilities():
    """Logits twice as large, and a temperature of two: the answers stay what they were."""
    hot = tell_thresholds(*told(temperature=2.0))
    assert hot["findings"] == tell_thresholds(*told())["findings"]


def test_probabilities_are_judged_before_and_after_the_temperature():
    calibration = tell_calibration(*told(temperature=2.0, times=4))
    assert (calibration["temperature"], calibration["n_validation"]) == ([2.0], 50)
    none = expit(-3) ** 2  # of the effusion that is not there
    cooled = expit(-1.5) ** 2
    after = ((PROBABILITY - MASS) ** 2 + cooled).mean() / 2
    before = ((expit(2 * logit(PROBABILITY)) - MASS) ** 2 + none).mean() / 2
    assert calibration["after"]["brier"]["value"] == pytest.approx(after, abs=1e-6)
    assert calibration["before"]["brier"]["value"] == pytest.approx(before, abs=1e-6)
    assert calibration["after"]["brier"]["low"] < after < calibration["after"]["brier"]["high"]


def test_sets_hold_every_answer_that_is_likely_enough():
    """A set holds answers of probability 0.4 at least: of mass both from 0.4 to 0.6, else one.

    It misses the truth of the films of 0.7 and 0.3. Of effusion it holds both answers.
    """
    sets = tell_conformal(*told())
    assert sets["coverage"]["value"] == pytest.approx((8 / 10 + 1) / 2)
    assert sets["size"] == pytest.approx((1.2 + 2) / 2)
    assert (sets["single"], sets["empty"]) == (pytest.approx(0.8 / 2), 0)


def test_the_surest_answers_are_right_more_often():
    """Of the twenty answers ten are of effusion, all right and with a logit of -3 surest but one.

    The films of 0.95 and 0.05 come next; with them 60 % of the answers are given, all right.
    """
    selection = tell_selective(*told())
    assert selection["coverage"] == [0.5, 0.7, 0.8, 0.9, 1.0]
    assert selection["accuracy"][0] == 1
    assert selection["accuracy"][-1] == pytest.approx((10 + 7) / 20)


def test_a_model_differs_from_itself_by_nothing():
    judged, answers = told(times=6)
    one = contend(judged, answers.test, draw_scores(judged, answers.test))
    difference = compare(judged, one, one)
    for name in ("accuracy", "macro_f1", "macro_auc"):
        assert difference[name]["difference"] == 0
        assert difference[name]["low"] is None
    assert difference["accuracy"]["p"] == difference["macro_auc"]["p"] == 1
    assert difference["findings"]["effusion"]["p"] is None


def reversed_model(judged: Judged, answers: Answers):
    """Return a contender that orders the films the other way."""
    return contend(judged, -answers.test, draw_scores(judged, -answers.test))


def test_every_pair_is_compared_once_with_its_sign():
    judged, answers = told(times=6)
    good = contend(judged, answers.test, draw_scores(judged, answers.test))
    bad = reversed_model(judged, answers)
    pairs = compare_pairs(judged, {"good": good, "bad": bad, "again": good})
    assert [(pair["first"], pair["second"]) for pair in pairs] == [
        ("good", "bad"),
        ("good", "again"),
        ("bad", "again"),
    ]
    first, same, last = (pair["macro_auc"] for pair in pairs)
    area = judged_area = (PROBABILITY[MASS == 1][:, None] > PROBABILITY[MASS == 0]).mean()
    assert first["difference"] == pytest.approx(area - (1 - judged_area), abs=1e-6)
    assert last["difference"] == -first["difference"]
    assert first["low"] > 0
    assert same["p_adjusted"] == 1
    # Six tests, of two scores: the two smallest p are those of these areas.
    assert first["p_adjusted"] == pytest.approx(6 * first["p"], rel=1e-3)


def test_few_patients_with_a_finding_have_no_p_of_its_area():
    """Nine of ninety films show a mass; with ten the test is made."""
    for n_shown, is_known in ((9, False), (10, True)):
        cohort = films(9)
        shown = np.arange(90) < n_shown
        judged = gather(
            cohort.assign(finding=np.where(shown, "mass", "")), TASK, 1, Evaluation(), 0
        )
        random = np.random.default_rng(0)
        logits = random.normal(size=(2, 1, 90, 2)) + shown[:, None]
        pair = [contend(judged, each, draw_scores(judged, each)) for each in logits]
        difference = compare(judged, *pair)
        assert (difference["findings"]["mass"]["p"] is not None) == is_known
        assert (difference["macro_auc"]["p"] is not None) == is_known
        assert difference["accuracy"]["p"] is not None
