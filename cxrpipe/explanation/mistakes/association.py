"""Whether something is more frequent among wrong answers, where films of one patient are alike."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from cxrpipe.evaluation.judging.judged import FEWEST_GROUPS
from cxrpipe.evaluation.statistics.metrics import Floats

Bools = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.generic]
# Of the patients with the cause, without it, with a wrong answer and with a right one: of fewer the
# estimate of how alike the films of a patient are is itself a matter of chance.
FEWEST_OF_EACH = 5


class Association(NamedTuple):
    """An odds ratio with the ends of its interval, and the two-sided p; NaN if not estimable."""

    odds_ratio: float
    low: float
    high: float
    p: float


def count_cells(has: Bools, wrong: Bools) -> Floats:
    """Count films (2, 2): with and without a cause, by wrong and right; both (n,)."""
    return np.array(
        [
            [(has & wrong).sum(), (has & ~wrong).sum()],
            [(~has & wrong).sum(), (~has & ~wrong).sum()],
        ],
        dtype=np.float64,
    )


def associate(has: Bools, wrong: Bools, groups: Labels, level: float) -> Association:
    """Compare how frequent a cause is among wrong and among right answers.

    The odds ratio has 1/2 added to every count (Haldane, Ann Hum Genet 1956; Anscombe, Biometrika
    1956), so that it is finite. The variance of its logarithm is the sum of the inverse counts
    (Woolf, Ann Hum Genet 1955) times the design effect, as Rao and Scott (Biometrics 1992) correct
    counts of clustered films: how much larger the variance of the score of no association is with
    whole groups than with single films. It is 1 at least. Interval and p are normal, of that
    variance, and so agree.

    In simulated runs of patients with 1 to 20 films, a cause that makes no difference has a p below
    0.05 in one of twenty at most; films taken as independent give one in up to three (the tests
    draw such runs). Sandwich estimates of the ratio itself are too sure where counts are small.

    Parameters
    ----------
    has, wrong
        (n,) whether each film has the cause, and was answered wrongly.
    groups
        (n,) names of patients.
    level
        Of the interval, from 0 to 1.

    Returns
    -------
    Nothing is estimable if no film, or every film, has the cause or is wrong. There is neither
    interval nor p for fewer than 20 groups, or if fewer than 5 have the cause, lack it, are wrong,
    or are right somewhere.
    """
    cells = count_cells(has, wrong)
    if not (cells.sum(axis=0).all() and cells.sum(axis=1).all()):
        return Association(np.nan, np.nan, np.nan, np.nan)
    counts = cells + 0.5
    log_odds = float(np.log(counts[0, 0] * counts[1, 1] / (counts[0, 1] * counts[1, 0])))
    if not _has_enough(has, wrong, groups):
        return Association(float(np.exp(log_odds)), np.nan, np.nan, np.nan)
    error = float(np.sqrt((1 / counts).sum() * design_effect(has, wrong, groups)))
    reach = float(norm.ppf((1 + level) / 2)) * error
    ratio, low, high = np.exp([log_odds, log_odds - reach, log_odds + reach]).tolist()
    return Association(ratio, low, high, p=float(2 * norm.sf(abs(log_odds) / error)))


def design_effect(has: Bools, wrong: Bools, groups: Labels) -> float:
    """Return how much larger the variance is since films come in groups; 1 at least.

    It is the variance of the score of no association, the sum over films of the deviations of
    cause and wrongness from their means, multiplied (Boos, Am Stat 1992): from the squares of the
    sums of each group, times K / (K - 1) of K groups, by that from the squares of each film.
    """
    scores = (has - has.mean()) * (wrong - wrong.mean())
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group, scores)
    by_group = (sums**2).sum() * len(sums) / (len(sums) - 1)
    return max(1.0, float(by_group / (scores**2).sum()))


def _has_enough(has: Bools, wrong: Bools, groups: Labels) -> bool:
    """Tell whether there are so many patients that interval and p say something."""
    fewest = min(len(np.unique(groups[part])) for part in (has, ~has, wrong, ~wrong))
    return len(np.unique(groups)) >= FEWEST_GROUPS and fewest >= FEWEST_OF_EACH
