"""Intervals by drawing patients anew: the stratified bootstrap of whole groups.

Films of one patient, and copies of a film, resemble each other; to draw film by film would count
the same evidence twice and give intervals that are too narrow. What is drawn is the group (Field
and Welsh, J R Stat Soc B 2007, on the cluster bootstrap).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cxrpipe.evaluation.statistics.counting import Weights
from cxrpipe.evaluation.statistics.metrics import Floats, Integers

Groups = npt.NDArray[Any]
# Samples of a stratum of m groups show (m - 1) / m of its variance (Rao and Wu, J Am Stat Assoc
# 1988): of ten, an interval is 5 % too narrow, and one of 95 % still holds the truth in 93.7 %.
SMALLEST_STRATUM = 10
REPLICATES_AT_ONCE = 64
MOST_NOT_ESTIMABLE = 0.05
ROUNDING = 1e-12


def name_strata(labels: npt.NDArray[Any], groups: Groups) -> Integers:
    """Return the stratum (n,) of every film: the set of labels that the films of its group have.

    Labels are what was fixed when the films were collected, so that every sample has as much of it:
    the source, or the finding where so many films of each were wanted. Where patients came as they
    came, the share of a finding is chance as well. Samples that all have the same share then give
    intervals of F1 that are too narrow: simulated at n = 300 (benchmarks/coverage.py), those of
    95 % hold the macro F1 of five findings by yes and no in 86 %, without strata in 94 %; of a
    single finding a film, one of three rare, in 93 %, without strata in 95 %.

    Strata of fewer than ten groups are put together, the smallest first, until ten are there
    (collapsed strata; Cochran, Sampling Techniques, 1977, chapter 5A): alone, a group that is like
    no other would be in every sample, and its chance would count as none.

    Parameters
    ----------
    labels
        (n,) one of each film.
    groups
        (n,) what is drawn only together: a patient, with copies of the films.
    """
    names, group = np.unique(groups, return_inverse=True)
    kinds, kind = np.unique(labels, return_inverse=True)
    together = np.zeros((len(names), len(kinds)), dtype=bool)
    together[group, kind] = True
    _, stratum, n_groups = np.unique(together, axis=0, return_inverse=True, return_counts=True)
    return np.where(_is_alone(n_groups), 1 + np.arange(len(n_groups)), 0)[stratum.ravel()][group]


def _is_alone(n_groups: Integers) -> npt.NDArray[np.bool_]:
    """Return which strata of so many groups each need not be put together with others."""
    smallest_first = np.argsort(n_groups, kind="stable")
    n_smaller = np.empty_like(n_groups)
    n_smaller[smallest_first] = np.cumsum(n_groups[smallest_first]) - n_groups[smallest_first]
    fills_up = (n_smaller > 0) & (n_smaller < SMALLEST_STRATUM)
    return (n_groups >= SMALLEST_STRATUM) & ~fills_up


def draw_replicates(strata: Integers, groups: Groups, n_replicates: int, seed: int) -> Weights:
    """Draw groups with replacement, as many from every stratum as it has.

    Parameters
    ----------
    strata, groups
        (n,) of every film. A group is whole in one stratum.

    Returns
    -------
    (n_replicates, n): how often each sample holds a film, the same for all films of a group. It
    does not depend on the order of the films.

    Raises
    ------
    ValueError
        If a group has films in two strata.
    """
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    stratum = strata[first]
    if (strata != stratum[group]).any():
        raise ValueError("a group has films in two strata")
    members = np.argsort(stratum, kind="stable")
    _, starts, sizes = np.unique(stratum[members], return_index=True, return_counts=True)
    low, high = np.repeat(starts, sizes), np.repeat(starts + sizes, sizes)
    place = np.argsort(members)[group]
    generator = np.random.default_rng(seed)
    weights = np.empty((n_replicates, len(groups)), dtype=np.uint8)
    for start in range(0, n_replicates, REPLICATES_AT_ONCE):
        part = weights[start : start + REPLICATES_AT_ONCE]
        drawn = generator.integers(low, high, size=(len(part), len(low)))
        part[:] = _count_draws(drawn)[:, place]
    return weights


def _count_draws(drawn: Integers) -> npt.NDArray[np.uint8]:
    """Count (n_replicates, m) how often each of m places is among the m drawn of a replicate."""
    n_replicates, m = drawn.shape
    cells = drawn + m * np.arange(n_replicates)[:, None]
    counts = np.bincount(cells.ravel(), minlength=drawn.size).reshape(drawn.shape)
    return counts.astype(np.uint8)  # ASSUME no group is drawn 256 times where once is expected


def interval(replicates: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the percentile interval of each score (Efron and Tibshirani 1993, chapter 13).

    It is not estimable, NaN, in two cases. If no two samples differ: a perfect model is perfect in
    every sample, and its interval would have no width, although n films without an error allow an
    error of up to 3 / n (Hanley and Lippman-Hand, JAMA 1983). Or if more than 5 % of the samples
    have no such score: the others are then no longer a fair choice of samples.

    It is too narrow for a nearly perfect model, of which few films make errors: simulated at
    n = 300 (benchmarks/coverage.py), an interval of 95 % holds the truth in 93 to 96 % for accuracy
    and macro F1 up to 0.83 and macro AUC up to 0.89, in 92 % for a macro AUC of 0.967, and in 80 %
    for one of 0.998. The truth is then mostly below the interval. Of patients with two films, one
    finding of three being rare, it holds the macro F1 in 92 %.

    The interval of a paired difference is that of the difference of two models' replicates on the
    same samples.

    Parameters
    ----------
    replicates
        (n_replicates, ...), NaN where a sample has no such score.
    level
        From 0 to 1.

    Returns
    -------
    Low and high end, (...) each.
    """
    estimable = ~np.isnan(replicates)
    known = np.where(estimable.any(axis=0), replicates, 0)
    enough = estimable.mean(axis=0) >= 1 - MOST_NOT_ESTIMABLE
    varies = np.nanmax(known, axis=0) - np.nanmin(known, axis=0) > ROUNDING
    ends = np.nanquantile(known, [(1 - level) / 2, (1 + level) / 2], axis=0)
    low, high = np.where(enough & varies, ends, np.nan)
    return low, high
