"""Scores of a classifier from its true and predicted classes and its logits.

A confusion matrix is (n_classes, n_classes) counts: rows are true, columns predicted. A score
that cannot be estimated, since no film has the class, is NaN and never zero. Where every finding
is a yes or no of its own, each has a matrix of the two answers: no is 0, yes is 1.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp
from sklearn.metrics import roc_auc_score

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def confusion_matrix(true: Integers, predicted: Integers, n_classes: int) -> Integers:
    """Count films by true and predicted class; both (n,) numbers from 0 to n_classes - 1."""
    counts = np.bincount(true * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def answer_matrices(true: Integers, predicted: Integers) -> Integers:
    """Count the answers of every finding; both (n, n_findings) of 0 and 1.

    Returns
    -------
    (n_findings, 2, 2): a confusion matrix of no and yes for each finding.
    """
    pairs = zip(true.T, predicted.T, strict=True)
    return np.stack([confusion_matrix(right, answer, 2) for right, answer in pairs])


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.divide(part, whole), dtype=np.float64)


def accuracy(confusion: Integers) -> float:
    """Share of films whose class is predicted rightly."""
    return float(_ratio(np.trace(confusion), confusion.sum()))


def recall(confusion: Integers) -> Floats:
    """Share of each class's films that are found (sensitivity)."""
    return _ratio(np.diag(confusion), confusion.sum(axis=1))


def precision(confusion: Integers) -> Floats:
    """Share of each predicted class's films that are right; 0 where a class is never predicted."""
    predicted = confusion.sum(axis=0)
    return np.where(predicted == 0, 0.0, _ratio(np.diag(confusion), np.maximum(predicted, 1)))


def f1(confusion: Integers) -> Floats:
    """Harmonic mean of precision and recall of each class: 2 tp / (true + predicted)."""
    return _ratio(2 * np.diag(confusion), confusion.sum(axis=1) + confusion.sum(axis=0))


def softmax(logits: Floats) -> Floats:
    """Return probabilities (n, n_classes) that sum to one in each row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def probabilities(logits: Floats, kind: str) -> Floats:
    """Return probabilities (n, n_findings): of one finding a film (``single``), or of each."""
    return softmax(logits) if kind == "single" else np.asarray(expit(logits))


def auc(true: Integers, logits: Floats) -> Floats:
    """Area under the ROC curve of each class against the others, from the order of its probability.

    NaN for a class that no film or every film has.
    """
    classes = range(logits.shape[1])
    others = [logsumexp(np.delete(logits, finding, axis=1), axis=1) for finding in classes]
    log_odds = logits - np.stack(others, axis=1)
    return answer_auc((true[:, None] == np.array(classes)).astype(np.int64), log_odds)


def answer_auc(true: Integers, logits: Floats) -> Floats:
    """Area under the ROC curve of each finding; true (n, n_findings) of 0 and 1.

    NaN for a finding that no film or every film has.
    """
    areas = np.full(logits.shape[1], np.nan)
    for finding, (of_finding, order) in enumerate(zip(true.T, logits.T, strict=True)):
        if 0 < of_finding.sum() < len(true):
            areas[finding] = roc_auc_score(of_finding, order)
    return areas
