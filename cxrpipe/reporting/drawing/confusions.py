"""Confusion matrices, drawn from counts alone."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.panels import WIDTH, wrap_name
from cxrpipe.reporting.drawing.results import Results
from cxrpipe.reporting.drawing.style import bare, ink, percent, readable

Counts = npt.NDArray[np.int64]
SUBSETS = ("train", "test")
NAMES = 1.4  # inches of the findings at the left
TICKS = 1.2  # inches of the names below
LETTER = 0.08  # inches of a title
ANSWERS = ("found", "missed", "false alarm", "rightly none")


def draw_confusions(results: Results) -> Figure:
    """Draw the confusion matrices of every model: training films above, test films below."""
    counts = {
        model: {subset: add_folds(scored["folds"], subset) for subset in SUBSETS}
        for model, scored in results.models.items()
    }
    draw = draw_confusion if results.single else draw_answers
    return draw(counts, results.task["findings"])


def add_folds(folds: Sequence[Mapping[str, Mapping[str, object]]], subset: str) -> Counts:
    """Add up the counts of all folds of a model in one subset."""
    counts = np.array([fold[subset]["confusion"] for fold in folds], np.int64)
    added: Counts = counts.sum(axis=0)
    return added


def draw_confusion(
    confusions: Mapping[str, Mapping[str, Counts]], findings: Sequence[str]
) -> Figure:
    """Draw confusion matrices: counts, and shade by share of the true finding.

    Parameters
    ----------
    confusions
        Model: of each subset (n_findings, n_findings) counts, rows true and columns predicted.
    """
    n = len(findings)
    figure = Figure()
    names = [readable(finding) for finding in findings]
    for axes, counts in _panels(figure, confusions, 0.5 * n + 0.3, 0.46 * n + 0.5):
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        _fill(axes, counts, shares, names, names)
    figure.supxlabel("predicted", fontsize=9)
    figure.supylabel("true", fontsize=9)
    return figure


def draw_answers(answers: Mapping[str, Mapping[str, Counts]], findings: Sequence[str]) -> Figure:
    """Draw what every model answers of every finding, a row each: counts and shares.

    Parameters
    ----------
    answers
        Model: of each subset (n_findings, 2, 2) counts of no and yes, rows true and columns
        predicted. Found and missed share the films with the finding, false alarms and the rest
        those without.
    """
    figure = Figure()
    names = [readable(finding) for finding in findings]
    for axes, counts in _panels(figure, answers, 2.8, 0.2 * len(findings) + 0.5):
        without, with_it = counts[:, 0], counts[:, 1]
        cells = np.column_stack([with_it[:, ::-1], without[:, ::-1]])
        whole = np.repeat(np.column_stack([with_it.sum(axis=1), without.sum(axis=1)]), 2, axis=1)
        _fill(axes, cells, cells / np.maximum(whole, 1), ANSWERS, names, between=" · ")
        axes.axvline(1.5, color="white", linewidth=3)
    return figure


def _panels(
    figure: Figure, models: Mapping[str, Mapping[str, Counts]], width: float, height: float
) -> Iterator[tuple[Axes, Counts]]:
    """Give every subset of every model a panel of so many inches, the subsets below each other."""
    columns = max(1, min(len(models), int((WIDTH - NAMES) / width)))
    lines = -(-len(models) // columns)
    columns = -(-len(models) // lines)
    rows = lines * len(SUBSETS)
    figure.set_size_inches(columns * width + NAMES, rows * height + TICKS)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat:
        axes.set_axis_off()
    for place, (model, counts) in enumerate(models.items()):
        line, column = divmod(place, columns)
        for row, subset in enumerate(SUBSETS):
            axes = grid[line * len(SUBSETS) + row, column]
            axes.set_axis_on()
            lowest = place + columns >= len(models) and subset == SUBSETS[-1]
            axes.tick_params(labelbottom=lowest)
            above = f"{wrap_name(model, int(width / LETTER))}\n" if row == 0 else ""
            axes.set_title(f"{above}{subset}, n {count_films(counts[subset]):,}", fontsize=8)
            yield axes, counts[subset]


def count_films(counts: Counts) -> int:
    """Count the films of a confusion matrix, or of the answers for each finding."""
    return int(counts.sum() if counts.ndim == 2 else counts[0].sum())


def _fill(
    axes: Axes,
    counts: Counts,
    shares: npt.NDArray[np.float64],
    columns: Sequence[str],
    rows: Sequence[str],
    *,
    between: str = "\n",
) -> None:
    """Shade the cells of a table by share, and write count and share into each."""
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        share = float(shares[row, column])
        axes.text(
            column,
            row,
            f"{count:,}{between}{percent(share)}" if count else "0",
            ha="center",
            va="center",
            fontsize=6.5,
            color=ink(share),
        )
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    bare(axes)
