"""Learning curves, drawn from the histories alone."""

from collections.abc import Mapping

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

NAMES_IN_COLUMN = 16  # of the legend
MARKERS = ("", "s", "^", "x")
MEASURES = {
    "loss": "loss (nats)",
    "macro_f1": "macro F1 of validation",
    "macro_auc": "macro AUC of validation",
}


def draw_curves(histories: Mapping[str, pd.DataFrame], scores: Mapping[str, str]) -> Figure:
    """Draw loss and a score of every model by epoch, the kept epoch marked with a ring.

    Parameters
    ----------
    histories
        Model: its epochs, as ``tables.HISTORY`` promises.
    scores
        Model: ``macro_f1`` or ``macro_auc``, the score of validation that tells it apart. Each
        score has a panel.
    """
    panels = ["loss", *dict.fromkeys(scores.values())]
    columns = -(-len(histories) // NAMES_IN_COLUMN)
    legend_width = columns * (0.5 + 0.075 * max(map(len, histories)))
    figure = Figure(figsize=(4.5 * len(panels) + legend_width, 3.6))
    lines = {}
    for axes, measure in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for number, (name, history) in enumerate(histories.items()):
            if measure in ("loss", scores[name]):
                lines[name] = _draw_curve(axes, history, measure, number)
        axes.set_xlabel("epoch")
        axes.set_ylabel(MEASURES[measure])
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    said = "solid: validation\ndashed: training\nring: kept epoch"
    figure.legend(
        lines.values(),
        lines,
        loc="outside right upper",
        ncols=columns,
        title=said,
        alignment="left",
        fontsize=8,
    )
    return figure


def _draw_curve(axes: Axes, history: pd.DataFrame, measure: str, number: int) -> Line2D:
    """Draw one model; its number gives the colour, and a marker once the colours are used up."""
    colour = f"C{number}"
    marker = MARKERS[number // len(mpl.rcParams["axes.prop_cycle"]) % len(MARKERS)]
    if f"train_{measure}" in history:
        axes.plot(history["epoch"], history[f"train_{measure}"], "--", color=colour, alpha=0.6)
    validated = history[f"validation_{measure}"]
    (line,) = axes.plot(history["epoch"], validated, color=colour, marker=marker, ms=4)
    kept = history["best"] == 1
    axes.plot(history["epoch"][kept], validated[kept], "o", color=colour, mfc="none", ms=9)
    return line
