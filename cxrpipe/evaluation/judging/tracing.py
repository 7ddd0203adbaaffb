"""All curves of the test films, as the rows of curves.csv."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.evaluation.judging.answers import Answers
from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.statistics import curves
from cxrpipe.evaluation.statistics.bootstrap import interval
from cxrpipe.evaluation.statistics.calibration import reliability
from cxrpipe.evaluation.statistics.decisions import confidence, net_benefit, selective, treat_all
from cxrpipe.evaluation.statistics.metrics import Floats, probabilities
from cxrpipe.evaluation.statistics.ranking import log_odds

THRESHOLDS = np.linspace(0.01, 0.99, 99)
COVERAGES = np.linspace(0.05, 1, 20)
GRIDS = {"roc": curves.SHARES, "precision_recall": curves.RECALLS}
TRACED = {"roc": curves.roc, "precision_recall": curves.precision_recall}


class Curve(NamedTuple):
    """A curve of one model and finding; empty names mean none and all."""

    model: str
    finding: str
    curve: str
    x: Floats
    y: Floats
    low: Floats | float = np.nan
    high: Floats | float = np.nan
    n: Floats | float = np.nan


def tabulate(task: str, traced: list[Curve]) -> pd.DataFrame:
    """Return curves as rows, as ``tables.CURVES`` promises; what is not estimable has no rows."""
    rows = [
        pd.DataFrame(curve._asdict()).assign(task=task)[list(tables.CURVES.columns)]
        for curve in traced
        if not np.isnan(curve.y).all()
    ]
    return pd.concat(rows, ignore_index=True)


def trace_model(judged: Judged, answers: Answers, name: str, is_best: bool) -> Iterator[Curve]:
    """Trace all curves of a model, on average over folds; the best one's with a band."""
    yield from _trace_orders(judged, answers.test, name, is_best)
    kind = judged.task.kind
    for curve, logits in (
        ("reliability", answers.test),
        ("reliability_calibrated", answers.calibrated),
    ):
        rows = reliability(judged.true, logits, kind, level=judged.level)
        yield Curve(name, "", curve, *rows.T)
    given = [selective(*confidence(judged.true, fold, kind), COVERAGES)[0] for fold in answers.test]
    yield Curve(name, "", "selective", COVERAGES, np.mean(given, axis=0))
    probability = np.stack([probabilities(fold, kind) for fold in answers.calibrated])
    for place, finding in enumerate(judged.task.findings):
        shown = judged.shown[:, place]
        benefits = [net_benefit(shown, fold[:, place], THRESHOLDS) for fold in probability]
        yield Curve(name, finding, "decision", THRESHOLDS, np.mean(benefits, axis=0))


def _trace_orders(judged: Judged, logits: Floats, name: str, has_band: bool) -> Iterator[Curve]:
    """Trace ROC and precision-recall curves of logits (n_folds, n, n_findings)."""
    kind = judged.task.kind
    order = np.stack([log_odds(fold) for fold in logits]) if kind == "single" else logits
    once = np.ones((1, order.shape[1]), dtype=np.uint8)
    for curve, trace in TRACED.items():
        for place, finding in enumerate(judged.task.findings):
            shown = judged.shown[:, place]
            y = np.mean([trace(shown, fold[:, place], once)[0] for fold in order], axis=0)
            low, high = np.full((2, len(y)), np.nan)
            if has_band:
                drawn = [trace(shown, fold[:, place], judged.weights) for fold in order]
                low, high = interval(np.mean(drawn, axis=0), judged.level)
            yield Curve(name, finding, curve, GRIDS[curve], y, low, high)


def trace_treating_all(judged: Judged) -> Iterator[Curve]:
    """Trace the net benefit of calling every film yes, the same for every model."""
    for finding, shown in zip(judged.task.findings, judged.shown.T, strict=True):
        yield Curve("", finding, "decision", THRESHOLDS, treat_all(shown, THRESHOLDS))
