"""What a model's logits score: on some films, and on average over folds.

A score that cannot be estimated is None, so that it is null in JSON and never a number.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from cxrpipe.config import Task
from cxrpipe.evaluation import metrics

Scores = dict[str, Any]
# The macro score that tells models of a task apart: F1 at probability 1/2 says little of findings
# that are rare.
CHOSEN_BY = {"single": "f1", "multi": "auc", "binary": "auc"}


def score(true: metrics.Integers, logits: metrics.Floats, task: Task) -> Scores:
    """Score logits of films against what they show: for all films and per finding.

    Parameters
    ----------
    true
        As ``cohort.label_films`` gives them: (n,) places of findings, or (n, n_findings) of 0
        and 1.
    logits
        (n, n_findings).

    Returns
    -------
    ``n``, ``accuracy``, ``macro``, ``findings`` and ``confusion``. Of ``multi`` and ``binary``,
    accuracy is the share of right answers over all films and findings, ``n`` of a finding are the
    films that show it, macro scores are over the findings that can be estimated, and ``confusion``
    is (n_findings, 2, 2).
    """
    measure = _of_classes if task.kind == "single" else _of_answers
    return {"n": len(true)} | measure(true, logits, task.findings)


def _of_classes(true: metrics.Integers, logits: metrics.Floats, findings: Sequence[str]) -> Scores:
    confusion = metrics.confusion_matrix(true, logits.argmax(axis=1), len(findings))
    columns = {
        "precision": metrics.precision(confusion),
        "recall": metrics.recall(confusion),
        "f1": metrics.f1(confusion),
        "auc": metrics.auc(true, logits),
    }
    return {
        "accuracy": known(metrics.accuracy(confusion)),
        "macro": {name: known(values.mean()) for name, values in columns.items()},
        "findings": _by_finding(findings, confusion.sum(axis=1), columns),
        "confusion": confusion.tolist(),
    }


def _of_answers(true: metrics.Integers, logits: metrics.Floats, findings: Sequence[str]) -> Scores:
    """Score yes and no at probability 1/2.

    A finding that no film shows has no score at all, also where a model names it: so macro scores
    are over the same findings for every model.
    """
    confusion = metrics.answer_matrices(true, (logits > 0).astype(np.int64))
    shown = confusion[:, 1].sum(axis=1)
    ratios = {"precision": metrics.precision, "recall": metrics.recall, "f1": metrics.f1}
    columns = {
        name: np.where(shown > 0, [ratio(answers)[1] for answers in confusion], np.nan)
        for name, ratio in ratios.items()
    } | {"auc": metrics.answer_auc(true, logits)}
    return {
        "accuracy": known(metrics.accuracy(confusion.sum(axis=0))),
        "macro": {name: _mean_of_known(values) for name, values in columns.items()},
        "findings": _by_finding(findings, shown, columns),
        "confusion": confusion.tolist(),
    }


def _by_finding(
    findings: Sequence[str], n_films: metrics.Integers, columns: Mapping[str, metrics.Floats]
) -> Scores:
    return {
        finding: {"n": int(n_films[place])}
        | {name: known(values[place]) for name, values in columns.items()}
        for place, finding in enumerate(findings)
    }


def _mean_of_known(values: metrics.Floats) -> float | None:
    return mean(None if math.isnan(value) else float(value) for value in values)


def known(value: float) -> float | None:
    """Round a score for a file; None if it cannot be estimated."""
    return None if math.isnan(value) else round(float(value), 6)


def mean(values: Iterable[float | None]) -> float | None:
    """Average the scores that can be estimated; None if there is none."""
    finite = [value for value in values if value is not None]
    return known(fmean(finite)) if finite else None


def average(folds: Sequence[Scores]) -> Scores:
    """Average the scores of several folds; the counts of a confusion matrix are added up."""
    findings = folds[0]["findings"]
    return {
        "n": _average_count(fold["n"] for fold in folds),
        "accuracy": mean(fold["accuracy"] for fold in folds),
        "macro": _average_each([fold["macro"] for fold in folds]),
        "findings": {
            finding: _average_each([fold["findings"][finding] for fold in folds])
            | {"n": _average_count(fold["findings"][finding]["n"] for fold in folds)}
            for finding in findings
        },
        "confusion": np.sum([fold["confusion"] for fold in folds], axis=0).tolist(),
    }


def _average_each(folds: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    return {name: mean(fold[name] for fold in folds) for name in folds[0]}


def _average_count(counts: Iterable[int]) -> int:
    return round(fmean(counts))
