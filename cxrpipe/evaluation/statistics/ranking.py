"""How well films are ordered: the areas under the ROC and the precision-recall curve.

Both follow from the thresholds at which films with the finding lie. Between two of them only false
alarms come in, which sums over the films in between count, in all samples at once.
"""

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import logsumexp

from cxrpipe.evaluation.statistics.counting import Weights, mark, samples
from cxrpipe.evaluation.statistics.metrics import Floats, ratio


def log_odds(logits: Floats) -> Floats:
    """Return (n, n_findings) log odds of each finding against the others, of softmax.

    They order films as the probabilities do, but keep those apart that round to one.
    """
    findings = range(logits.shape[1])
    others = [logsumexp(np.delete(logits, finding, axis=1), axis=1) for finding in findings]
    return np.asarray(logits - np.stack(others, axis=1))


def areas(shown: npt.NDArray[np.bool_], order: Floats, weights: Weights) -> tuple[Floats, Floats]:
    """Return the area under the ROC curve and the average precision of every finding.

    The former is the probability that a film with the finding stands above one without, where
    equal ones count half (Hanley and McNeil, Radiology 1982). The latter is the mean over films
    with the finding of the precision at their threshold, without interpolation.

    Parameters
    ----------
    shown
        (n, n_findings): whether a film shows the finding.
    order
        (n, n_findings) finite numbers, larger where a finding is more likely.
    weights
        (n_samples, n): how often each sample holds a film.

    Returns
    -------
    Two arrays (n_samples, n_findings) from 0 to 1. Both are NaN where no film of a sample shows the
    finding, the former also where all do.
    """
    roc, precision = np.empty((2, len(weights), shown.shape[1]))
    marks = [_mark_steps(*pair) for pair in zip(shown.T, order.T, strict=True)]
    for places, drawn in samples(weights):
        n = drawn.sum(axis=0)
        for finding, steps in enumerate(marks):
            roc[places, finding], precision[places, finding] = _areas(steps @ drawn, n)
    return roc, precision


def _mark_steps(shown: npt.NDArray[np.bool_], order: Floats) -> sparse.csr_array:
    """Mark the films that come in at every threshold of a finding, from the highest down.

    Returns
    -------
    (3 n_thresholds, n): at each threshold the films with the finding, then those without it since
    the threshold before, then such of these as lie at the threshold itself.
    """
    having, lacking = np.flatnonzero(shown), np.flatnonzero(~shown)
    thresholds, step = np.unique(-order[having], return_inverse=True)
    n_steps = len(thresholds)
    entry = np.searchsorted(thresholds, -order[lacking])
    enters = entry < n_steps
    lacking, entry = lacking[enters], entry[enters]
    ties = thresholds[entry] == -order[lacking]
    rows = np.concatenate([step, n_steps + entry, 2 * n_steps + entry[ties]])
    films = np.concatenate([having, lacking, lacking[ties]])
    return mark(rows, films, (3 * n_steps, len(shown)))


def _areas(steps: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return both areas (n_samples,) of counts (3 n_thresholds, n_samples) and of all films.

    It works in place, since new memory would take longer than the sums.
    """
    found, alarms, ties = steps.reshape(3, -1, len(n))
    n_found = found.sum(axis=0)
    n_pairs = n_found * (n - n_found)
    true = found.cumsum(axis=0)
    false = np.cumsum(alarms, axis=0, out=alarms)
    by_sample = "tn,tn->n"
    below = np.einsum(by_sample, found, false) - np.einsum(by_sample, found, ties) / 2
    named = np.add(true, false, out=false)
    precise = np.divide(true, named, out=true, where=named > 0)
    return (
        ratio(n_pairs - below, n_pairs),
        ratio(np.einsum(by_sample, found, precise), n_found),
    )
