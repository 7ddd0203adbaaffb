"""Which models of a task differ: every pair on the same films, the same samples of them."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import (
    Draws,
    Scores,
    average_draws,
    known,
    measure_folds,
)
from cxrpipe.evaluation.statistics.bootstrap import interval
from cxrpipe.evaluation.statistics.comparison import (
    Influences,
    Tested,
    compare_accuracy,
    compare_auc,
    compare_macro_auc,
    holm,
    influences,
)
from cxrpipe.evaluation.statistics.metrics import Floats, Integers, decide
from cxrpipe.evaluation.statistics.ranking import log_odds

# Of fewer groups, DeLong's p is too often small: below 0.05 in 16 % with two films, 7 % with ten
# (docs/coverage.md).
FEWEST_GROUPS = 10
MACROS = {"macro_f1": ("macro", "f1"), "macro_auc": ("macro", "auc")}


class Contender(NamedTuple):
    """What the comparisons of one model need.

    Attributes
    ----------
    values, draws
        Its scores of all test films, and of every bootstrap sample, on average over folds.
    right
        (n,) share of its answers that are right, over folds and, of ``multi``, findings.
    influences
        Of each group on its areas under the ROC curve; None of a vote, which orders nothing.
    """

    values: Draws
    draws: Draws
    right: Floats
    influences: Influences | None


def contend(judged: Judged, logits: Floats, draws: Draws) -> Contender:
    """Prepare a model for its comparisons; logits are (n_folds, n, n_findings) of test films."""
    kind = judged.task.kind
    order = np.stack([log_odds(fold) for fold in logits]) if kind == "single" else logits
    values = average_draws(measure_folds(judged.true, logits, judged.task))
    right = rightness(judged, np.stack([decide(fold, kind) for fold in logits]))
    return Contender(values, draws, right, influences(judged.shown, order, judged.groups))


def rightness(judged: Judged, answers: Integers) -> Floats:
    """Return (n,) the share of right answers, of answers (n_folds, n) or (n_folds, n, k)."""
    right = (answers == judged.true).astype(np.float64).mean(axis=0)
    return np.asarray(right if right.ndim == 1 else right.mean(axis=1))


def compare(judged: Judged, first: Contender, second: Contender) -> Scores:
    """Compare two models on the same test films: first minus second.

    Intervals are of the paired bootstrap; p of accuracy is McNemar's, of areas under the ROC curve
    DeLong's, both for films in groups; the latter is not told where fewer than ten groups have
    films with the finding, or without. Macro F1 has its interval alone.
    """
    accuracy = compare_accuracy(first.right, second.right, judged.groups)
    areas, macro = None, None
    if first.influences and second.influences:
        enough = _have_enough(judged)
        areas = compare_auc(first.influences, second.influences)
        areas = areas._replace(p=np.where(enough, areas.p, np.nan))
        macro = compare_macro_auc(first.influences, second.influences)
        if not enough[~np.isnan(areas.difference)].all():
            macro = macro._replace(p=np.array(np.nan))
    places = {"accuracy": ("accuracy",)} | MACROS
    tests = {"accuracy": accuracy, "macro_f1": None, "macro_auc": macro}
    return {
        name: _tell_difference(judged, first, second, place, tests[name])
        for name, place in places.items()
    } | {"findings": _tell_areas(judged.task.findings, areas)}


def _have_enough(judged: Judged) -> npt.NDArray[np.bool_]:
    """Return (n_findings,): whether enough groups have films with, and without, each finding."""
    return np.array(
        [
            min(len(set(judged.groups[films])) for films in (shown, ~shown)) >= FEWEST_GROUPS
            for shown in judged.shown.T
        ]
    )


def _tell_difference(
    judged: Judged, first: Contender, second: Contender, place: tuple[str, ...], test: Tested | None
) -> Scores:
    if place not in first.draws or place not in second.draws:
        return _difference(np.nan)
    low, high = interval(first.draws[place] - second.draws[place], judged.level)
    difference = first.values[place][0] - second.values[place][0]
    return _difference(difference, float(low), float(high), float(test.p) if test else np.nan)


def _tell_areas(findings: Sequence[str], areas: Tested | None) -> Scores:
    if areas is None:
        return {}
    return {
        finding: _difference(areas.difference[place], p=areas.p[place])
        for place, finding in enumerate(findings)
    }


def _difference(
    difference: float, low: float = np.nan, high: float = np.nan, p: float = np.nan
) -> Scores:
    told = {"difference": difference, "low": low, "high": high}
    return {name: known(value) for name, value in told.items()} | {
        "p": known_p(p),
        "p_adjusted": None,
    }


def known_p(p: float) -> float | None:
    """Round p to four figures, so that a small one is not written as zero; None if not known."""
    return None if np.isnan(p) else float(f"{p:.4g}")


def compare_pairs(judged: Judged, contenders: Mapping[str, Contender]) -> list[Scores]:
    """Compare every pair of models, with p adjusted for all tests of the task.

    Those of accuracy and of macro AUC are adjusted together: where no models differ in either, at
    most one task in twenty shows a pair that seems to.
    """
    told: list[Scores] = [
        {"first": first, "second": second} | compare(judged, contenders[first], contenders[second])
        for first, second in combinations(contenders, 2)
    ]
    adjust([pair[name] for pair in told for name in ("accuracy", "macro_auc")])
    adjust([area for pair in told for area in pair["findings"].values()])
    return told


def adjust(differences: Sequence[Scores]) -> None:
    """Fill in the p of differences that were tested together, adjusted for their number."""
    p = np.array([np.nan if each["p"] is None else each["p"] for each in differences])
    for difference, adjusted in zip(differences, holm(p), strict=True):
        difference["p_adjusted"] = known_p(adjusted)
