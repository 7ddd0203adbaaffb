"""What validation says of an epoch, and which of two epochs is better."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import f1_score, roc_auc_score

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Scores:
    """Scores of a classifier on validation films.

    Attributes
    ----------
    loss
        Mean of the loss that is trained, in nats.
    accuracy
        Share of films whose finding is predicted; or of right answers, over all films and findings.
    macro_f1, macro_auc
        Means over those findings of which they can be estimated; NaN if there is none.
    """

    loss: float
    accuracy: float
    macro_f1: float
    macro_auc: float


def score(logits: torch.Tensor, labels: torch.Tensor, loss: float) -> Scores:
    """Score logits against labels.

    The area under the ROC curve is that of each finding's probability against all other films. It
    cannot be estimated of a finding that no film or every film has, nor from logits that are not
    finite; F1 cannot of a finding that no film has, also where it is predicted. These are the
    conventions of the test scores (``evaluation.statistics``): the same findings are averaged.

    Parameters
    ----------
    logits
        (n, n_findings) float32, on any device.
    labels
        (n,) places of the one finding of each film: the one of largest probability is predicted.
        Or (n, n_findings) of 0 and 1: those of a probability above 1/2 are predicted.
    loss
        Of these films, in nats.
    """
    logits, labels = logits.detach().double().cpu(), labels.cpu()
    if labels.ndim == 1:
        findings = torch.arange(logits.shape[1])
        chosen = logits.argmax(dim=1)
        shown, predicted = labels[:, None] == findings, chosen[:, None] == findings
        accuracy = (chosen == labels).double().mean()
        order = log_odds(logits)
    else:
        shown, predicted = labels.bool(), logits > 0
        accuracy = (predicted == shown).double().mean()
        order = logits
    return Scores(
        loss, float(accuracy), _macro(f1, shown, predicted), _macro(area_under_roc, shown, order)
    )


def log_odds(logits: torch.Tensor) -> torch.Tensor:
    """Return (n, n_findings) log odds of each finding against the others.

    They order films as the probabilities do, but keep those apart that round to one.
    """
    findings = torch.arange(logits.shape[1])
    others = [logits[:, findings != finding].logsumexp(dim=1) for finding in findings]
    return logits - torch.stack(others, dim=1)


def f1(shown: Array, predicted: Array) -> float:
    """Return the F1 of (n,) yes or no against what is predicted; NaN if no film has the finding."""
    return float(f1_score(shown, predicted)) if shown.any() else math.nan


def area_under_roc(shown: Array, order: Array) -> float:
    """Return the area under the ROC curve of (n,) yes or no and what films are ordered by, or NaN.

    It is NaN where it is not defined: if all films are of one kind, or cannot be ordered.
    """
    if shown.all() or not shown.any() or not np.isfinite(order).all():
        return math.nan
    return float(roc_auc_score(shown, order))


def _macro(
    estimate: Callable[[Array, Array], float], shown: torch.Tensor, told: torch.Tensor
) -> float:
    """Average an estimate over the columns that allow it; NaN if none does."""
    pairs = zip(shown.numpy().T, told.numpy().T, strict=True)
    estimates = np.array([estimate(*pair) for pair in pairs])
    estimates = estimates[~np.isnan(estimates)]
    return float(estimates.mean()) if len(estimates) else math.nan


def merit(scores: Scores, monitor: str) -> float:
    """Return a validation score by name so that larger is better; NaN is never the best."""
    value = float(getattr(scores, monitor))
    if math.isnan(value):
        return -math.inf
    return -value if monitor == "loss" else value
