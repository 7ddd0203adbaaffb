"""Learning curves, drawn from the histories alone."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxrpipe.reporting.drawing.panels import lay_page, put_legend, say_missing
from cxrpipe.reporting.drawing.style import look

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
    page = lay_page(len(panels), 0.75, histories, (4.6,))
    figure = Figure(figsize=(page.width, page.height))
    lines = {}
    for axes, measure in zip(figure.subplots(1, len(panels)), panels, strict=True):
        shown = [name for name in histories if measure in ("loss", scores[name])]
        for name in shown:
            number = list(histories).index(name)
            lines[name] = _draw_curve(axes, histories[name], measure, number)
        if all(histories[name][f"validation_{measure}"].isna().all() for name in shown):
            say_missing(axes)
        axes.set_xlabel("epoch")
        axes.set_ylabel(MEASURES[measure])
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    said = "solid: validation\ndashed: training\nring: kept epoch"
    put_legend(figure, lines, said, page.place)
    return figure


def _draw_curve(axes: Axes, history: pd.DataFrame, measure: str, number: int) -> Line2D:
    """Draw one model, its kept epoch ringed; a score that cannot be estimated leaves a gap."""
    style = look(number)
    epochs, validated = history["epoch"], history[f"validation_{measure}"]
    if f"train_{measure}" in history:
        trained = history[f"train_{measure}"]
        axes.plot(epochs, trained, "--", color=style["color"], alpha=0.6, lw=1)
    step = max(1, len(history) // 6)
    (line,) = axes.plot(epochs, validated, ms=4, lw=1.4, markevery=(number % step, step), **style)
    kept = history["best"] == 1
    axes.plot(epochs[kept], validated[kept], "o", color=style["color"], mfc="none", ms=9)
    return line
