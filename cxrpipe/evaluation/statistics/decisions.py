"""What follows from probabilities: answers at a threshold, their benefit, abstention, sets.

Probabilities and thresholds are from 0 to 1, and yes is a probability at or above its threshold.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from cxrpipe.evaluation.statistics.metrics import Floats, Integers, decide

Bools = npt.NDArray[np.bool_]
EXACT = 1e-9  # 0.55 of 100 films is 55.00000000000001


def _at_least(share: float | Floats, n: int) -> npt.NDArray[np.int64]:
    """Return the least number of n films that is at least a share of them."""
    return np.ceil(np.asarray(share) * n - EXACT).astype(np.int64)


def choose_threshold(shown: Bools, probability: Floats, wanted: float) -> float:
    """Return the highest threshold at which enough films with the finding are found.

    Parameters
    ----------
    shown, probability
        (n,) of validation films.
    wanted
        Sensitivity, above 0.

    Returns
    -------
    The probability of a film with the finding; NaN if there is none.
    """
    falling = np.sort(probability[shown])[::-1]
    return float(falling[_at_least(wanted, len(falling)) - 1]) if len(falling) else np.nan


def net_benefit(shown: Bools, probability: Floats, thresholds: Floats) -> Floats:
    """Return the net benefit per film (n_thresholds,) of answers at each threshold below 1.

    It is the share of films rightly called yes, less that wrongly called so times the odds of the
    threshold (Vickers and Elkin, Med Decis Making 2006). shown and probability are (n,); NaN if
    there are no films.
    """
    if not len(shown):
        return np.full(len(thresholds), np.nan)
    found, alarms = (
        kind.sum() - np.searchsorted(np.sort(probability[kind]), thresholds)
        for kind in (shown, ~shown)
    )
    return np.asarray((found - alarms * thresholds / (1 - thresholds)) / len(shown))


def treat_all(shown: Bools, thresholds: Floats) -> Floats:
    """Return the net benefit per film (n_thresholds,) of calling every film yes."""
    return net_benefit(shown, np.ones(len(shown)), thresholds)


def confidence(true: Integers, logits: Floats, kind: str) -> tuple[Floats, Floats]:
    """Return how sure every answer is, and 1 where it is right, else 0.

    ``single``: (n,) log odds of the named finding. Else (n x n_findings,) distance of each logit
    from that of probability 1/2. Both order answers as the probability of the given answer does,
    but keep those apart that round to one.
    """
    right = (decide(logits, kind) == true).astype(np.float64).ravel()
    if kind != "single":
        return np.abs(logits).ravel(), right
    falling = -np.sort(-logits, axis=1)
    return falling[:, 0] - logsumexp(falling[:, 1:], axis=1), right


def selective(sure: Floats, right: Floats, coverages: Floats) -> tuple[Floats, float]:
    """Return the accuracy among the most confident answers, and its area over all coverages.

    An area of 1 is perfect (El-Yaniv and Wiener, J Mach Learn Res 2010). Of equally sure answers,
    each counts with the mean of their rightness, so that their order does not matter.

    Parameters
    ----------
    sure, right
        (n,) as ``confidence`` returns them.
    coverages
        (n_coverages,) shares of answers that are given, above 0; at least so many are.

    Returns
    -------
    (n_coverages,) accuracies, and the mean of the accuracy over 1, 2, ..., n answers. NaN if there
    are no answers.
    """
    if not len(sure):
        return np.full(len(coverages), np.nan), np.nan
    _, level, counts = np.unique(-sure, return_inverse=True, return_counts=True)
    shares = np.bincount(level, right) / counts
    accuracy = np.cumsum(np.repeat(shares, counts)) / np.arange(1, len(sure) + 1)
    return accuracy[_at_least(coverages, len(sure)) - 1], float(accuracy.mean())


def fit_quantiles(true: Integers, probability: Floats, kind: str, coverage: float) -> Floats:
    """Return the largest conformal score that a set still holds, from validation films.

    The score of an answer is 1 minus its probability (Sadinle, Lei and Wasserman, J Am Stat Assoc
    2019). Of n validation films it is the score of the true answer with number ceil((n + 1) c),
    counted from the smallest; then new films of the same kind are covered with probability c at
    least, and c + 1 / (n + 1) at most if no scores are equal (Vovk, Gammerman and Shafer 2005;
    Angelopoulos and Bates 2021).

    Parameters
    ----------
    true
        ``single``: (n,) places of findings; else (n, n_findings) of 0 and 1.
    probability
        (n, n_findings).
    coverage
        Wanted, c.

    Returns
    -------
    (1,) for ``single``; else (n_findings,), each finding by itself. Infinite if n is too small for
    the coverage.
    """
    scores = _score(probability, kind)
    of_truth = np.take_along_axis(scores, true[..., None], axis=-1)
    rising = np.sort(of_truth if kind == "single" else of_truth[..., 0], axis=0)
    place = _at_least(coverage, len(true) + 1) - 1
    return rising[place] if place < len(true) else np.full(rising.shape[1:], np.inf)


def _score(probability: Floats, kind: str) -> Floats:
    """Return scores of findings (n, n_findings), or of no and yes (n, n_findings, 2)."""
    return 1 - probability if kind == "single" else np.stack([probability, 1 - probability], -1)


def prediction_sets(probability: Floats, quantiles: npt.ArrayLike, kind: str) -> Bools:
    """Return which answers every set holds, with the quantiles of ``fit_quantiles``.

    ``single``: (n, n_findings), a set of findings of every film. Else (n, n_findings, 2), a set of
    no and yes of every finding of every film.
    """
    limits = np.asarray(quantiles) if kind == "single" else np.asarray(quantiles)[:, None]
    return np.asarray(_score(probability, kind) <= limits)


def covered(true: Integers, sets: Bools) -> Floats:
    """Return for every film (n,) whether its set holds the truth; of several, the share."""
    holds = np.take_along_axis(sets, true[..., None], axis=-1)[..., 0].astype(np.float64)
    return holds if holds.ndim == 1 else np.asarray(holds.mean(axis=1))


class Sizes(NamedTuple):
    """Mean number of answers in a set, and the share of sets of exactly one, and of none."""

    size: float
    single: float
    empty: float


def describe_sizes(sets: Bools) -> Sizes:
    """Describe how many answers sets hold, all findings together; NaN if there are no sets."""
    sizes = sets.sum(axis=-1)
    if not sizes.size:
        return Sizes(np.nan, np.nan, np.nan)
    return Sizes(float(sizes.mean()), float((sizes == 1).mean()), float((sizes == 0).mean()))
