"""How well findings are told from the rest: ROC, and precision against recall."""

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxrpipe.reporting.drawing.overlays import lay_overlaid, overlay_models
from cxrpipe.reporting.drawing.panels import (
    BEST,
    DOTTED,
    name_axes,
    say_missing,
    title_finding,
    use_shares,
    why_missing,
)
from cxrpipe.reporting.drawing.results import Results, say_estimate


class Kind(NamedTuple):
    """What tells one kind of these figures from the other."""

    curve: str
    score: str
    named: str
    x: str
    y: str
    dotted: str


ROC = Kind("roc", "auc", "AUC", "1 − specificity", "sensitivity", "chance")
PRECISION_RECALL = Kind(
    "precision_recall", "ap", "AP", "recall", "precision", "share of films that show it"
)


def draw_roc(results: Results) -> Figure:
    """Draw the ROC curves of all models, a panel for every finding."""
    return _draw(results, ROC)


def draw_precision_recall(results: Results) -> Figure:
    """Draw precision against recall of all models, a panel for every finding."""
    return _draw(results, PRECISION_RECALL)


def _draw(results: Results, kind: Kind) -> Figure:
    findings = results.task["findings"]
    dotted = {kind.dotted: Line2D([], [], **DOTTED)}
    figure, panels = lay_overlaid(results, len(findings), dotted, band=True)
    for axes, finding in zip(panels, findings, strict=True):
        _draw_finding(axes, results, kind, finding)
    name_axes(panels, kind.x, kind.y)
    return figure


def _draw_finding(axes: Axes, results: Results, kind: Kind, finding: str) -> None:
    use_shares(axes)
    axes.set_box_aspect(1)
    title = title_finding(results, finding)
    if overlay_models(axes, results, kind.curve, finding):
        share = results.n_with(finding) / results.n
        axes.plot((0, 1), (0, 1) if kind is ROC else (share, share), **DOTTED, zorder=0)
        best = results.models[results.best]["test"]["findings"][finding][kind.score]
        title += f"\n{BEST} {kind.named} {say_estimate(best)}"
    else:
        say_missing(axes, why_missing(results, finding))
    axes.set_title(title, fontsize=8)
