"""Confusion matrices, drawn from counts alone."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.style import bare, readable

Counts = npt.NDArray[np.int64]
WIDTH = 13.0  # inches of a row of panels
LETTER = 0.08  # inches of a title
ANSWERS = ("found", "missed", "false alarm", "rightly none")


def draw_confusion(confusions: Mapping[str, Counts], findings: Sequence[str]) -> Figure:
    """Draw the confusion matrix of every model: counts, and shade by share of the true class."""
    n = len(findings)
    figure = Figure()
    names = [readable(finding) for finding in findings]
    for axes, model in _panels(figure, list(confusions), 0.55 * n + 0.4, 0.55 * n + 1.6):
        counts = confusions[model]
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        _fill(axes, counts, shares, names, names)
        axes.set_xlabel("predicted")
    figure.supylabel("true", fontsize=9)
    return figure


def draw_answers(answers: Mapping[str, Counts], findings: Sequence[str]) -> Figure:
    """Draw what every model answers of every finding, a row each: counts and shares.

    Parameters
    ----------
    answers
        Model: (n_findings, 2, 2) counts of no and yes, rows true and columns predicted. Found and
        missed share the films with the finding, false alarms and the rest those without.
    """
    figure = Figure()
    names = [readable(finding) for finding in findings]
    for axes, model in _panels(figure, list(answers), 2.8, 0.36 * len(findings) + 1.5):
        without, with_it = answers[model][:, 0], answers[model][:, 1]
        counts = np.column_stack([with_it[:, ::-1], without[:, ::-1]])
        whole = np.repeat(np.column_stack([with_it.sum(axis=1), without.sum(axis=1)]), 2, axis=1)
        _fill(axes, counts, counts / np.maximum(whole, 1), ANSWERS, names)
        axes.axvline(1.5, color="white", linewidth=3)
    return figure


def _panels(
    figure: Figure, models: Sequence[str], width: float, height: float
) -> Iterator[tuple[Axes, str]]:
    """Give every model a panel of so many inches, in as many rows as they need."""
    columns = max(1, min(len(models), int(WIDTH / width)))
    rows = -(-len(models) // columns)
    figure.set_size_inches(columns * width + 1.4, rows * height)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.flat[len(models) :]:
        axes.set_axis_off()
    for axes, model in zip(grid.flat, models, strict=False):
        axes.set_title(fill(model, int(width / LETTER)), fontsize=9)
        yield axes, model


def _fill(
    axes: Axes,
    counts: Counts,
    shares: npt.NDArray[np.float64],
    columns: Sequence[str],
    rows: Sequence[str],
) -> None:
    """Shade the cells of a table by share, and write count and share into each."""
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        share = float(shares[row, column])
        axes.text(
            column,
            row,
            f"{count}\n{share:.0%}" if count else "0",
            ha="center",
            va="center",
            fontsize=6.5,
            color="white" if share > 0.5 else "black",
        )
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    bare(axes)
