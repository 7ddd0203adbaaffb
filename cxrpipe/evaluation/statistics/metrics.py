"""Scores of a classifier as functions of counts, for one sample of films or for many at once.

A confusion matrix is (..., n_classes, n_classes): rows are true, columns predicted, and the leading
axes are samples of the same films. Where every finding is a yes or no of its own, each has a matrix
of the two answers: no is 0, yes is 1.

A score that cannot be estimated is NaN and never zero. No score of a class can be where no film has
that class, so that the same classes are averaged for every model; a class that films have and no
model names has precision 0.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from cxrpipe.evaluation.statistics.counting import Weights, count, mark

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.number[Any]]


def confusion_matrices(
    true: Integers, predicted: Integers, n_classes: int, weights: Weights
) -> Floats:
    """Count films by true and predicted class; both (n,) numbers from 0 to n_classes - 1.

    Parameters
    ----------
    weights
        (n_samples, n): how often each sample holds a film.

    Returns
    -------
    (n_samples, n_classes, n_classes).
    """
    films = np.arange(len(true))
    marks = mark(true * n_classes + predicted, films, (n_classes**2, len(true)))
    return count(marks, weights).reshape(len(weights), n_classes, n_classes)


def answer_matrices(true: Integers, predicted: Integers, weights: Weights) -> Floats:
    """Count the answers of every finding; both (n, n_findings) of 0 and 1.

    Parameters
    ----------
    weights
        (n_samples, n): how often each sample holds a film.

    Returns
    -------
    (n_samples, n_findings, 2, 2): a confusion matrix of no and yes for each finding.
    """
    n, n_findings = true.shape
    cells = 4 * np.arange(n_findings) + 2 * true + predicted
    films = np.repeat(np.arange(n), n_findings)
    marks = mark(cells.ravel(), films, (4 * n_findings, n))
    return count(marks, weights).reshape(len(weights), n_findings, 2, 2)


def ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    """Divide; NaN where the whole is zero."""
    parts, wholes = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    quotient: Floats = np.divide(
        parts, wholes, out=np.full(wholes.shape, np.nan), where=wholes != 0
    )
    return quotient


def macro(values: Floats) -> Floats:
    """Average the last axis, (..., n_classes), over the classes that can be estimated.

    The leading axes are samples of the same films. A class that none of them allows is left out; a
    sample that lacks one of the other classes has no average, since an average over fewer classes
    would be another quantity. NaN if there is no class.
    """
    estimable = ~np.isnan(values).all(axis=tuple(range(values.ndim - 1)))
    return ratio(values[..., estimable].sum(axis=-1), estimable.sum())


def _margins(confusion: Counts) -> tuple[Floats, Floats, Floats, Floats]:
    """Return films rightly named, true and named of each class (..., n_classes), and all (..., 1).

    They are floats, since squares of counts do not fit into small integers.
    """
    counts: Floats = confusion.astype(np.float64)
    right: Floats = np.diagonal(counts, axis1=-2, axis2=-1)
    true: Floats = counts.sum(axis=-1)
    predicted: Floats = counts.sum(axis=-2)
    return right, true, predicted, true.sum(axis=-1, keepdims=True)


def accuracy(confusion: Counts) -> Floats:
    """Share (...,) of films whose class is predicted rightly."""
    right, _, _, n = _margins(confusion)
    return ratio(right.sum(axis=-1), n[..., 0])


def one_vs_rest_accuracy(confusion: Counts) -> Floats:
    """Mean (...,) over classes of the accuracy of telling each from all others.

    Of k classes it is 1 - 2 (1 - accuracy) / k, since every error is one of two classes: it
    flatters, and is never called accuracy.
    """
    right, true, predicted, n = _margins(confusion)
    return np.asarray(1 - ratio(true + predicted - 2 * right, n).mean(axis=-1))


def recall(confusion: Counts) -> Floats:
    """Share (..., n_classes) of each class's films that are found (sensitivity)."""
    right, true, _, _ = _margins(confusion)
    return ratio(right, true)


def specificity(confusion: Counts) -> Floats:
    """Share (..., n_classes) of the films without a class that are not taken for it."""
    right, true, predicted, n = _margins(confusion)
    return np.where(true == 0, np.nan, ratio(n - true - predicted + right, n - true))


def precision(confusion: Counts) -> Floats:
    """Share (..., n_classes) of films named as each class that have it; 0 where none is named so.

    It is also called positive predictive value.
    """
    right, true, predicted, _ = _margins(confusion)
    found = np.where(predicted == 0, 0, ratio(right, predicted))
    return np.where(true == 0, np.nan, found)


def f1(confusion: Counts) -> Floats:
    """Harmonic mean (..., n_classes) of precision and recall: 2 tp / (true + predicted)."""
    right, true, predicted, _ = _margins(confusion)
    return np.where(true == 0, np.nan, ratio(2 * right, true + predicted))


def kappa(confusion: Counts) -> Floats:
    """Agreement (...,) beyond that of chance (Cohen, Educ Psychol Meas 1960).

    Not estimable if all films have one class, as then no answer agrees by more than chance.
    """
    right, true, predicted, n = _margins(confusion)
    chance = (true * predicted).sum(axis=-1)
    agreed = n[..., 0] * right.sum(axis=-1)
    return np.where(_has_several(true), ratio(agreed - chance, n[..., 0] ** 2 - chance), np.nan)


def mcc(confusion: Counts) -> Floats:
    """Matthews' correlation (...,) of true and predicted class, of any number of classes.

    It is R_K of Gorodkin (Comput Biol Chem 2004). 0 if one class is always predicted; not estimable
    if all films have one class.
    """
    right, true, predicted, n = _margins(confusion)
    covariance = n[..., 0] * right.sum(axis=-1) - (true * predicted).sum(axis=-1)
    of_true, of_predicted = (n[..., 0] ** 2 - (side**2).sum(axis=-1) for side in (true, predicted))
    correlation = np.where(
        of_predicted == 0, 0, ratio(covariance, np.sqrt(of_true) * np.sqrt(of_predicted))
    )
    return np.where(_has_several(true), correlation, np.nan)


def _has_several(true: Floats) -> npt.NDArray[np.bool_]:
    """Return (...,): whether films of two classes at least are there."""
    return np.asarray((true > 0).sum(axis=-1) > 1)


def softmax(logits: Floats) -> Floats:
    """Return probabilities (n, n_classes) that sum to one in each row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def probabilities(logits: Floats, kind: str) -> Floats:
    """Return probabilities (n, n_findings): of one finding a film (``single``), or of each."""
    return softmax(logits) if kind == "single" else np.asarray(expit(logits))


def decide(logits: Floats, kind: str) -> Integers:
    """Return the answers that logits (n, n_findings) give.

    ``single``: (n,) the finding of largest logit, the first of equal ones. Else (n, n_findings) of
    0 and 1: yes is a probability above 1/2.
    """
    return logits.argmax(axis=1) if kind == "single" else (logits > 0).astype(np.int64)
