"""All scores of a model on some films, for every sample of them at once."""

import numpy as np

from cxrpipe.evaluation.statistics.counting import Weights, samples
from cxrpipe.evaluation.statistics.metrics import (
    Floats,
    Integers,
    accuracy,
    answer_matrices,
    confusion_matrices,
    decide,
    f1,
    kappa,
    macro,
    mcc,
    one_vs_rest_accuracy,
    precision,
    ratio,
    recall,
    specificity,
)
from cxrpipe.evaluation.statistics.ranking import areas, log_odds

OF_FINDINGS = {"precision": precision, "recall": recall, "specificity": specificity, "f1": f1}


def measure(
    true: Integers, logits: Floats, kind: str, weights: Weights | None = None
) -> dict[str, Floats]:
    """Score logits of films against what they show.

    Parameters
    ----------
    true
        (n,) places of the one finding of each film for ``single``, else (n, n_findings) of 0
        and 1.
    logits
        (n, n_findings), finite.
    weights
        (n_samples, n): how often each sample holds a film. None: one sample, all films once.

    Returns
    -------
    As ``measure_answers``, and ``auc`` and ``ap`` (n_samples, n_findings): area under the ROC
    curve and average precision of each finding against the other films, for ``single`` by its log
    odds.
    """
    if weights is None:
        weights = np.ones((1, len(true)), dtype=np.uint8)
    n_findings = logits.shape[1]
    scores = measure_answers(true, decide(logits, kind), kind, n_findings, weights)
    if kind == "single":
        auc, ap = areas(true[:, None] == np.arange(n_findings), log_odds(logits), weights)
    else:
        auc, ap = areas(true.astype(bool), logits, weights)
    return scores | {"auc": auc, "ap": ap}


def measure_answers(
    true: Integers, answers: Integers, kind: str, n_findings: int, weights: Weights
) -> dict[str, Floats]:
    """Score the answers of a model or of a vote, of which no order of films is known.

    Parameters
    ----------
    true, answers
        (n,) places of the one finding of each film for ``single``, else (n, n_findings) of 0
        and 1.
    weights
        (n_samples, n): how often each sample holds a film.

    Returns
    -------
    ``accuracy``, ``balanced_accuracy``, ``one_vs_rest_accuracy``, ``kappa`` and ``mcc``
    (n_samples,); ``precision``, ``recall``, ``specificity`` and ``f1`` (n_samples, n_findings);
    ``confusion`` (n_samples, n_findings, n_findings), or (n_samples, n_findings, 2, 2) where each
    finding is a yes or no.
    """
    if kind == "single":
        return _measure_findings(confusion_matrices(true, answers, n_findings, weights))
    return _measure_yes_and_no(answer_matrices(true, answers, weights))


def _measure_findings(confusion: Floats) -> dict[str, Floats]:
    """Score matrices (n_samples, n_findings, n_findings)."""
    return {
        "accuracy": accuracy(confusion),
        "balanced_accuracy": macro(recall(confusion)),
        "one_vs_rest_accuracy": one_vs_rest_accuracy(confusion),
        "kappa": kappa(confusion),
        "mcc": mcc(confusion),
        **{name: score(confusion) for name, score in OF_FINDINGS.items()},
        "confusion": confusion,
    }


def _measure_yes_and_no(confusion: Floats) -> dict[str, Floats]:
    """Score matrices (n_samples, n_findings, 2, 2): overall scores are means over findings."""
    of_both = {name: score(confusion) for name, score in OF_FINDINGS.items()}
    right = accuracy(confusion).mean(axis=-1)
    return {
        "accuracy": right,
        "balanced_accuracy": macro(of_both["recall"].mean(axis=-1)),
        "one_vs_rest_accuracy": right,
        "kappa": macro(kappa(confusion)),
        "mcc": macro(mcc(confusion)),
        **{name: values[..., 1] for name, values in of_both.items()},
        "confusion": confusion,
    }


def weighted_mean(values: Floats, weights: Weights) -> Floats:
    """Average values of films (n,), such as losses, over every sample (n_samples,)."""
    sums = np.empty(len(weights))
    for places, drawn in samples(weights):
        # einsum adds in one order on every machine, a product by threads of BLAS does not.
        sums[places] = np.einsum("f,fs->s", values, drawn)
    return ratio(sums, weights.sum(axis=1, dtype=np.float64))
