"""Scores of a classifier from its true and predicted classes and its logits.

A confusion matrix is (n_classes, n_classes) counts: rows are true, columns predicted. A score
that cannot be estimated, since no film has the class, is NaN and never zero.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from sklearn.metrics import roc_auc_score

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def confusion_matrix(true: Integers, predicted: Integers, n_classes: int) -> Integers:
    """Count films by true and predicted class; both (n,) numbers from 0 to n_classes - 1."""
    counts = np.bincount(true * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def _ratio(part: npt.NDArray[np.generic], whole: npt.NDArray[np.generic]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.divide(part, whole), dtype=np.float64)


def accuracy(confusion: Integers) -> float:
    """Share of films whose class is predicted rightly."""
    return float(np.trace(confusion) / confusion.sum())


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


def auc(true: Integers, logits: Floats) -> Floats:
    """Area under the ROC curve of each class against the others, from the order of its probability.

    NaN for a class that no film or every film has.
    """
    areas = np.full(logits.shape[1], np.nan)
    for finding in range(logits.shape[1]):
        of_class = true == finding
        if 0 < of_class.sum() < len(true):
            others = logsumexp(np.delete(logits, finding, axis=1), axis=1)
            areas[finding] = roc_auc_score(of_class, logits[:, finding] - others)  # log odds
    return areas
