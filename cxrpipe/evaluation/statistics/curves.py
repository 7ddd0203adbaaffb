"""ROC and precision-recall curves on fixed grids, so that models and folds can be averaged."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cxrpipe.evaluation.statistics.metrics import Floats

Bools = npt.NDArray[np.bool_]
Weights = npt.NDArray[np.unsignedinteger]
SHARES = np.linspace(0, 1, 101)  # one minus specificity
RECALLS = SHARES[1:]
REPLICATES_AT_ONCE = 64
EXACT = 1e-9  # shares of a grid are not exact in binary numbers


def count_above(shown: Bools, order: Floats, weights: Weights) -> Iterator[tuple[Floats, Floats]]:
    """Count films with and without a finding above every threshold, a few samples at a time.

    Parameters
    ----------
    shown
        (n,) whether a film shows the finding.
    order
        (n,) what films are ordered by; films of one value are on the same side of a threshold.
    weights
        (n_replicates, n): how often each sample holds a film.

    Yields
    ------
    (m, n_thresholds) each, of the next m samples: from no film above the highest threshold to all
    films above the lowest.
    """
    falling = np.argsort(-order, kind="stable")
    last_of_value = np.append(np.diff(order[falling]) != 0, True)
    for start in range(0, len(weights), REPLICATES_AT_ONCE):
        drawn = weights[start : start + REPLICATES_AT_ONCE][:, falling]
        counts = (np.where(shown[falling] == kind, drawn, 0) for kind in (True, False))
        above, false = (np.cumsum(each, axis=1, dtype=float)[:, last_of_value] for each in counts)
        yield tuple(np.pad(each, ((0, 0), (1, 0))) for each in (above, false))  # type: ignore[misc]


def roc(shown: Bools, order: Floats, weights: Weights) -> Floats:
    """Return sensitivity at every one minus specificity of ``SHARES``, interpolated linearly.

    Returns
    -------
    (n_replicates, 101) from 0 to 1. Where the curve rises straight up, the upper end counts, so
    that a perfect order gives 1 everywhere. NaN for a sample without films of both kinds.
    """
    curves = []
    for true, false in count_above(shown, order, weights):
        for found, alarms in zip(true, false, strict=True):
            if found[-1] and alarms[-1]:
                curves.append(_interpolate(alarms, found) / found[-1])
            else:
                curves.append(np.full(len(SHARES), np.nan))
    return np.stack(curves)


def _interpolate(alarms: Floats, found: Floats) -> Floats:
    """Return how many films are found at every share of false alarms."""
    wanted = SHARES * alarms[-1]
    before = np.searchsorted(alarms, wanted + EXACT * alarms[-1], side="right") - 1
    after = np.minimum(before + 1, len(alarms) - 1)
    width = np.maximum(alarms[after] - alarms[before], 1)
    share = np.clip((wanted - alarms[before]) / width, 0, 1)
    return np.asarray(found[before] + share * (found[after] - found[before]))


def precision_recall(shown: Bools, order: Floats, weights: Weights) -> Floats:
    """Return the precision at the highest threshold that has at least each of ``RECALLS``.

    Returns
    -------
    (n_replicates, 100) from 0 to 1; NaN for a sample without films of the finding.
    """
    curves = []
    for true, false in count_above(shown, order, weights):
        for found, alarms in zip(true, false, strict=True):
            if not found[-1]:
                curves.append(np.full(len(RECALLS), np.nan))
                continue
            first = np.searchsorted(found, (RECALLS - EXACT) * found[-1])
            curves.append(found[first] / (found[first] + alarms[first]))
    return np.stack(curves)
