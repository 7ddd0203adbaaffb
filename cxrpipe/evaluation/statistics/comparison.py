"""Paired tests of two models on the same films, where films of one patient are not independent.

Groups are patients with all copies of their films. Several folds give several answers for the same
films: they are averaged film by film, so that they do not count as more films.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, norm, rankdata

from cxrpipe.evaluation.statistics.metrics import Floats

Bools = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.generic]
# What is left of equal numbers after rounding; one film in ten thousand pairs with as many is 1e-8.
ROUNDING = 1e-12
# Groups that differ, from which on the normal approximation of McNemar's test is close enough.
MANY = 25


class Influences(NamedTuple):
    """How much each group moves the area under the ROC curve of every finding.

    Attributes
    ----------
    auc
        (n_findings,) mean over folds; NaN for a finding that no film or every film shows.
    values
        (n_groups, n_findings); their squares add up to the variance of ``auc``. NaN where only one
        group has films with the finding, or only one has films without.
    """

    auc: Floats
    values: Floats


class Tested(NamedTuple):
    """First minus second model, and the two-sided p; each (n_findings,) or (), NaN if unknown."""

    difference: Floats
    p: Floats


def influences(shown: Bools, orderings: Floats, groups: Labels) -> Influences:
    """Measure once for a model what all its comparisons need.

    The structural components of DeLong, DeLong and Clarke-Pearson (Biometrics 1988), from midranks
    (Sun and Xu, IEEE Signal Process Lett 2014), are added up in each group (Obuchowski, Biometrics
    1997). If every film is a group of its own, the variance is DeLong's.

    Obuchowski's term between a group's films with and without the finding has the factor
    I / (I - 1), of all I groups; here it has the geometric mean of the same factors of the groups
    with and of those without. So the variance is a sum of squares, which findings can share.

    Parameters
    ----------
    shown
        (n, n_findings): whether a film shows the finding.
    orderings
        (n_folds, n, n_findings) finite numbers, larger where a finding is more likely: log odds,
        not probabilities, which round to one.
    groups
        (n,) names.
    """
    _, group = np.unique(groups, return_inverse=True)
    n_groups, n_findings = int(group.max(initial=-1)) + 1, shown.shape[1]
    auc, values = np.full(n_findings, np.nan), np.full((n_groups, n_findings), np.nan)
    for finding, of_finding in enumerate(shown.T):
        if not 0 < of_finding.sum() < len(of_finding):
            continue
        above, below = _components(of_finding, orderings[:, :, finding])
        auc[finding] = above.mean()
        values[:, finding] = _add_up(above, group[of_finding], n_groups)
        values[:, finding] += _add_up(below, group[~of_finding], n_groups)
    return Influences(auc, values)


def _components(shown: Bools, orderings: Floats) -> tuple[Floats, Floats]:
    """Return for each film with the finding the share of the others that it is above, ties half.

    And for each film without it the share of those that are above it. Both are means over the
    folds of orderings (n_folds, n).
    """
    ranks = rankdata(orderings, axis=1)
    others = [ranks[:, side] - rankdata(orderings[:, side], axis=1) for side in (shown, ~shown)]
    above, below = others[0] / (~shown).sum(), 1 - others[1] / shown.sum()
    return above.mean(axis=0), below.mean(axis=0)


def _add_up(components: Floats, group: npt.NDArray[np.intp], n_groups: int) -> Floats:
    """Return each group's share (n_groups,) in the error of the mean component."""
    sums = np.bincount(group, components - components.mean(), n_groups)
    present = len(np.unique(group))
    freedom = present / (present - 1) if present > 1 else np.nan
    return np.asarray(np.sqrt(freedom) * sums / len(components))


def compare_auc(first: Influences, second: Influences) -> Tested:
    """Test every finding's difference of areas under the ROC curve of the same films.

    Where neither model's order of any film matters, as for two perfect ones, p is 1 if the areas
    are equal and cannot be estimated otherwise.
    """
    return _test(first.auc - second.auc, ((first.values - second.values) ** 2).sum(axis=0))


def compare_macro_auc(first: Influences, second: Influences) -> Tested:
    """Test the difference of the mean area of the findings that have one.

    The findings are of the same films, so their influences are averaged before they are squared.
    p is NaN if one of these findings has no variance, and everything is if no finding has an area.
    """
    has_area = ~np.isnan(first.auc)
    if not has_area.any():
        return Tested(np.array(np.nan), np.array(np.nan))
    influence = (first.values - second.values)[:, has_area].mean(axis=1)
    return _test((first.auc - second.auc)[has_area].mean(), (influence**2).sum())


def _test(difference: Floats, variance: Floats) -> Tested:
    """Return the two-sided p of a normal difference."""
    error = np.sqrt(variance)
    exact = error <= ROUNDING
    z = np.divide(difference, error, out=np.full(np.shape(error), np.nan), where=~exact)
    equal = exact & (np.abs(difference) <= ROUNDING)
    return Tested(np.asarray(difference), np.where(equal, 1, 2 * norm.sf(np.abs(z))))


def compare_accuracy(first_right: Floats, second_right: Floats, groups: Labels) -> Tested:
    """Test whether two models are right equally often (McNemar, Psychometrika 1947).

    With many groups, chi-square is (sum of d)^2 / (sum of d^2), where d is the difference of right
    answers in each group. For groups of one film this is McNemar's, without the correction of
    Edwards (Psychometrika 1948), which makes it needlessly conservative (Fagerland, Lydersen and
    Laake, BMC Med Res Methodol 2013). For larger ones it is that of Obuchowski (Stat Med 1998)
    times K / (K - 1) of K groups. It weighs films equally, as accuracy does; that of Durkalski et
    al. (Stat Med 2003) weighs groups equally, and so tests another difference.

    If fewer than 25 groups differ, p is exact: the share of all ways to exchange the models within
    groups that make as large a difference (Fisher, The Design of Experiments 1935). For groups of
    one film this is the exact binomial form of McNemar's test.

    Parameters
    ----------
    first_right, second_right
        (n,) from 0 to 1: in which share of folds, and of the answers, each model is right.
    groups
        (n,) names.

    Returns
    -------
    Both (); p is 1 if no group differs, and NaN if there are no films.
    """
    if not len(groups):
        return Tested(np.array(np.nan), np.array(np.nan))
    differences = np.asarray(first_right - second_right, dtype=np.float64)
    _, group = np.unique(groups, return_inverse=True)
    of_groups = np.asarray(np.bincount(group, differences), dtype=np.float64)
    differing = of_groups[np.abs(of_groups) > ROUNDING]
    if len(differing) < MANY:
        p = _exchange(differing)
    else:
        p = float(chi2.sf(differing.sum() ** 2 / (differing**2).sum(), df=1))
    return Tested(np.asarray(differences.mean()), np.array(p))


def _exchange(differences: Floats) -> float:
    """Return the share of all choices of signs whose sum is at least as far from zero."""
    sums = {0.0: 1.0}
    for difference in differences:
        wider: dict[float, float] = defaultdict(float)
        for total, share in sums.items():
            wider[round(total + difference, 9)] += share / 2
            wider[round(total - difference, 9)] += share / 2
        sums = wider
    least = abs(differences.sum()) - 1e-6  # sums of shares of folds are rounded
    return sum(share for total, share in sums.items() if abs(total) >= least)


def holm(p: Floats) -> Floats:
    """Adjust p values (any shape) for how many they are (Holm, Scand J Stat 1979).

    The smallest is multiplied by their number, the next by one less, and so on; none becomes
    smaller than one before it, nor larger than 1. NaN stays NaN and is not counted.
    """
    adjusted = np.full(p.shape, np.nan)
    estimable = np.flatnonzero(~np.isnan(p))
    rising = estimable[np.argsort(p.flat[estimable], kind="stable")]
    factors = np.arange(len(rising), 0, -1)
    adjusted.flat[rising] = np.minimum(1, np.maximum.accumulate(factors * p.flat[rising]))
    return adjusted
