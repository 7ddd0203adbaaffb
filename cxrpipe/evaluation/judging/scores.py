"""What logits score, as metrics.json tells it: plain numbers, or estimates with their intervals.

A score that cannot be estimated is None, so that it is null in JSON and never a number.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np

from cxrpipe.config import Task
from cxrpipe.evaluation.statistics.bootstrap import interval
from cxrpipe.evaluation.statistics.counting import Weights
from cxrpipe.evaluation.statistics.measures import measure
from cxrpipe.evaluation.statistics.metrics import Floats, Integers, macro

Scores = dict[str, Any]
Place = tuple[str, ...]  # of a score, such as ("findings", "covid", "auc")
Draws = dict[Place, Floats]  # each (n_replicates,)
# The macro score that tells models of a task apart: F1 at probability 1/2 says little of findings
# that are rare.
CHOSEN_BY = {"single": "f1", "multi": "auc", "binary": "auc"}
OVERALL = ("accuracy", "balanced_accuracy", "one_vs_rest_accuracy", "kappa", "mcc")
OF_FINDINGS = ("precision", "recall", "specificity", "f1", "auc", "ap")


def lay_out(measures: Mapping[str, Floats], findings: Sequence[str]) -> Draws:
    """Give every score its place: those of all films, their macro means, those of each finding.

    Parameters
    ----------
    measures
        As ``measures.measure`` returns them: (n_replicates,) or (n_replicates, n_findings). Those
        that are missing are left out.
    """
    columns = [name for name in OF_FINDINGS if name in measures]
    return (
        {(name,): measures[name] for name in OVERALL if name in measures}
        | {("macro", name): macro(measures[name]) for name in columns}
        | {
            ("findings", finding, name): measures[name][:, place]
            for place, finding in enumerate(findings)
            for name in columns
        }
    )


def measure_folds(
    true: Integers,
    logits: Floats,
    task: Task,
    weights: Weights | None = None,
) -> list[Draws]:
    """Score the same films in every fold.

    Parameters
    ----------
    logits
        (n_folds, n, n_findings).
    weights
        (n_replicates, n): how often a film counts; None: all of them once, as one replicate.
    """
    return [lay_out(measure(true, fold, task.kind, weights), task.findings) for fold in logits]


def average_draws(folds: Sequence[Draws]) -> Draws:
    """Average every sample's scores over folds."""
    return {place: np.mean([fold[place] for fold in folds], axis=0) for place in folds[0]}


def nest(laid_out: Mapping[Place, Any]) -> Scores:
    """Return values as keys within keys."""
    nested: Scores = {}
    for place, value in laid_out.items():
        inner = nested
        for key in place[:-1]:
            inner = inner.setdefault(key, {})
        inner[place[-1]] = value
    return nested


def count_films(true: Integers, task: Task) -> dict[Place, int]:
    """Count all films, and those that show each finding.

    Parameters
    ----------
    true
        As ``cohort.label_films`` gives them: (n,) places of findings, or (n, n_findings) of 0
        and 1.
    """
    k = len(task.findings)
    shown = np.bincount(true, minlength=k) if task.kind == "single" else true.sum(axis=0)
    return {("n",): len(true)} | {
        ("findings", finding, "n"): int(shown[place]) for place, finding in enumerate(task.findings)
    }


def tell_scores(true: Integers, measures: Mapping[str, Floats], task: Task) -> Scores:
    """Tell the scores of some films as plain numbers.

    Parameters
    ----------
    measures
        Of one replicate: that of all films.

    Returns
    -------
    ``n``, the scores of ``OVERALL``, those of ``OF_FINDINGS`` in ``macro`` and for each of the
    ``findings``, and ``confusion``. Of ``multi`` and ``binary``, ``n`` of a finding are the films
    that show it, and ``confusion`` is (n_findings, 2, 2) of no and yes.
    """
    laid_out = lay_out(measures, task.findings)
    counts = count_films(true, task)
    told = {place: known(values[0]) for place, values in laid_out.items()}
    return nest(in_order(counts, told)) | {
        "confusion": np.rint(measures["confusion"][0]).astype(int).tolist()
    }


def tell_estimates(
    true: Integers, folds: Sequence[Draws], draws: Draws, task: Task, level: float
) -> Scores:
    """Tell the scores of some films with intervals over patients, and their spread over folds.

    Parameters
    ----------
    folds
        Scores of all films in each fold, each (1,).
    draws
        Scores of every bootstrap sample, on average over folds.

    Returns
    -------
    As ``tell_scores``, an estimate in place of every score, and no ``confusion``.
    """
    told = {
        place: estimate([float(fold[place][0]) for fold in folds], draws[place], level)
        for place in draws
    }
    return nest(in_order(count_films(true, task), told))


def in_order(counts: Mapping[Place, int], told: Mapping[Place, Any]) -> dict[Place, Any]:
    """Join counts and scores so that the count of films stands before what is said of them."""
    ahead = {place: n for place, n in counts.items() if len(place) == 1}
    of_findings = {place: n for place, n in counts.items() if len(place) > 1}
    overall = {place: value for place, value in told.items() if place[0] != "findings"}
    return ahead | overall | of_findings | dict(told)


def estimate(values: Sequence[float], draws: Floats, level: float) -> dict[str, float | None]:
    """Tell one score.

    Parameters
    ----------
    values
        Of each fold.
    draws
        (n_replicates,) of bootstrap samples, on average over folds.

    Returns
    -------
    ``value``, the mean over folds; ``low`` and ``high``, the interval of the given level; ``sd``
    over folds, None of a single one.
    """
    low, high = interval(draws, level)
    finite = [value for value in values if not math.isnan(value)]
    return {
        "value": mean(finite),
        "low": known(float(low)),
        "high": known(float(high)),
        "sd": known(stdev(finite)) if len(finite) > 1 else None,
    }


def known(value: float) -> float | None:
    """Round a score for a file; None if it cannot be estimated."""
    return None if math.isnan(value) else round(float(value), 6)


def mean(values: Iterable[float | None]) -> float | None:
    """Average the scores that can be estimated; None if there is none."""
    finite = [value for value in values if value is not None and not math.isnan(value)]
    return known(fmean(finite)) if finite else None


def average(folds: Sequence[Scores]) -> Scores:
    """Average the plain scores of several folds; the counts of a confusion matrix are added up."""
    return {key: _average([fold[key] for fold in folds]) for key in folds[0]}


def _average(values: Sequence[Any]) -> object:
    if isinstance(values[0], Mapping):
        return average(values)
    if isinstance(values[0], list):
        return np.sum(values, axis=0).tolist()
    counts = all(isinstance(value, int) for value in values)
    return round(fmean(values)) if counts else mean(values)
