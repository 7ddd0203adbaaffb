"""All that is told of one model on the test films, as metrics.json holds it."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.evaluation.judging.answers import Answers, score_folds
from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import (
    Draws,
    Scores,
    average_draws,
    estimate,
    known,
    mean,
    measure_folds,
    tell_estimates,
)
from cxrpipe.evaluation.judging.subgroups import score_parts
from cxrpipe.evaluation.statistics import calibration, decisions
from cxrpipe.evaluation.statistics.measures import weighted_mean
from cxrpipe.evaluation.statistics.metrics import Floats, probabilities, ratio

Bools = npt.NDArray[np.bool_]
COVERAGES = (0.5, 0.7, 0.8, 0.9, 1.0)


def draw_scores(judged: Judged, logits: Floats) -> Draws:
    """Score every bootstrap sample, on average over folds."""
    return average_draws(measure_folds(judged.true, logits, judged.task, judged.weights))


def tell_model(judged: Judged, answers: Answers, draws: Draws, parts: pd.DataFrame) -> Scores:
    """Tell all of one model but its task.

    Parameters
    ----------
    draws
        Its scores of every bootstrap sample.
    parts
        The subgroups that the test films belong to.
    """
    task, test = judged.task, answers.test
    held_out = judged.held_out(answers.sources)
    values = measure_folds(judged.true, test, task)
    return {
        "trained_on": answers.trained_on,
        "held_out": held_out,
        "folds": score_folds(judged, answers),
        "test": tell_estimates(judged.true, values, draws, task, judged.level),
        "calibration": tell_calibration(judged, answers),
        "thresholds": tell_thresholds(judged, answers),
        "conformal": tell_conformal(judged, answers),
        "selective": tell_selective(judged, answers),
        "subgroups": score_parts(judged, test, parts, held_out),
    }


def estimate_mean(judged: Judged, of_films: Floats) -> dict[str, float | None]:
    """Estimate the mean over films of a value that every film has in each fold: (n_folds, n)."""
    return estimate_ratio(judged, of_films, np.ones_like(of_films))


def estimate_ratio(judged: Judged, part: Floats, whole: Floats) -> dict[str, float | None]:
    """Estimate a ratio of means over films, such as found by shown; (n_folds, n) each."""
    pairs = list(zip(part, whole, strict=True))
    draws = [
        ratio(weighted_mean(of_part, judged.weights), weighted_mean(of_whole, judged.weights))
        for of_part, of_whole in pairs
    ]
    values = [float(ratio(of_part.mean(), of_whole.mean())) for of_part, of_whole in pairs]
    return estimate(values, np.mean(draws, axis=0), judged.level)


def tell_calibration(judged: Judged, answers: Answers) -> Scores:
    """Tell the temperatures, and how good probabilities are before and after."""
    return {
        "temperature": [known(each.temperature) for each in answers.calibrations],
        "n_validation": answers.calibrations[0].n,
        "before": _tell_probabilities(judged, answers.test),
        "after": _tell_probabilities(judged, answers.calibrated),
    }


def _tell_probabilities(judged: Judged, logits: Floats) -> Scores:
    kind = judged.task.kind
    brier, loss = (
        np.stack([of_films(judged.true, fold, kind) for fold in logits])
        for of_films in (calibration.brier, calibration.log_loss)
    )
    return {
        "brier": estimate_mean(judged, brier),
        "log_loss": estimate_mean(judged, loss),
        "ece": mean(calibration.ece(judged.true, fold, kind) for fold in logits),
    }


def tell_thresholds(judged: Judged, answers: Answers) -> Scores:
    """Tell what each finding's threshold, fixed on validation, does on the test films."""
    probability = _probabilities(judged, answers)
    shown = judged.shown
    told = {}
    for place, finding in enumerate(judged.task.findings):
        thresholds = np.array([each.thresholds[place] for each in answers.calibrations])
        said = probability[:, :, place] >= thresholds[:, None]
        told[finding] = {
            "threshold": [known(threshold) for threshold in thresholds],
            "n": int(shown[:, place].sum()),
        } | _tell_answers(judged, shown[:, place], said, np.isnan(thresholds))
    return {"wanted": answers.calibrations[0].sensitivity, "findings": told}


def _tell_answers(judged: Judged, shown: Bools, said: Bools, unknown: Bools) -> Scores:
    """Tell how yes and no fare; said is (n_folds, n), a fold without a threshold is unknown."""
    shown = np.broadcast_to(shown, said.shape)
    right = said == shown
    ratios = {
        "sensitivity": (shown & right, shown),
        "specificity": (~shown & right, ~shown),
        "precision": (said & right, said),
        "npv": (~said & right, ~said),
    }
    return {
        name: estimate_ratio(judged, *(np.where(unknown[:, None], np.nan, each) for each in pair))
        for name, pair in ratios.items()
    }


def tell_conformal(judged: Judged, answers: Answers) -> Scores:
    """Tell how often conformal sets, fixed on validation, hold the truth, and their size."""
    kind = judged.task.kind
    pairs = zip(_probabilities(judged, answers), answers.calibrations, strict=True)
    sets = [decisions.prediction_sets(fold, fixed.quantiles, kind) for fold, fixed in pairs]
    sizes = [decisions.describe_sizes(of_fold) for of_fold in sets]
    held = np.stack([decisions.covered(judged.true, of_fold) for of_fold in sets])
    return {
        "wanted": answers.calibrations[0].coverage,
        "coverage": estimate_mean(judged, held),
        "size": mean(of_fold.size for of_fold in sizes),
        "single": mean(of_fold.single for of_fold in sizes),
        "empty": mean(of_fold.empty for of_fold in sizes),
    }


def tell_selective(judged: Judged, answers: Answers) -> Scores:
    """Tell the accuracy among the answers that a model is surest of."""
    told = [
        decisions.selective(
            *decisions.confidence(judged.true, fold, judged.task.kind), np.array(COVERAGES)
        )
        for fold in answers.test
    ]
    return {
        "coverage": list(COVERAGES),
        "accuracy": [mean(of_folds) for of_folds in zip(*(fold[0] for fold in told), strict=True)],
        "area": mean(area for _, area in told),
    }


def _probabilities(judged: Judged, answers: Answers) -> Floats:
    """Return calibrated probabilities (n_folds, n, n_findings) of the test films."""
    return np.stack([probabilities(fold, judged.task.kind) for fold in answers.calibrated])
