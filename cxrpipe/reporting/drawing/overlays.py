"""Curves of all models of a task over each other, a panel for each finding."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxrpipe.reporting.drawing.panels import BEST, fit_columns, lay_page, put_legend
from cxrpipe.reporting.drawing.results import Results
from cxrpipe.reporting.drawing.style import look

THICK, THIN = 2.2, 1.0
EVERY = 0.28  # of the diagonal of a panel lies between two markers of a line


def lay_overlaid(
    results: Results, n: int, lines: Mapping[str, Line2D], *, band: bool, tall: float = 1.0
) -> tuple[Figure, list[Axes]]:
    """Lay out panels for curves of all models, beside them the legend that tells the models.

    Parameters
    ----------
    n
        Number of panels; they are as large as ``WIDTH`` allows.
    lines
        What the legend names below the models.
    band
        Whether the best model has one.
    tall
        Height of a panel by its width.
    """
    models = {
        f"{BEST} {name}" if name == results.best else name: Line2D(
            [], [], ms=4, lw=THICK if name == results.best else THIN, **look(number)
        )
        for name, number in results.numbers.items()
    }
    legend = models | dict(lines)
    page = lay_page(n, tall, legend)
    figure = Figure(figsize=(page.width, page.height))
    columns, rows = fit_columns(n)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[n:]:
        axes.set_axis_off()
    said = f"{BEST} best on validation"
    said += f"\nband: its {results.interval}" if band else ""
    put_legend(figure, legend, said, page.place)
    return figure, list(grid.flat[:n])


def overlay_models(axes: Axes, results: Results, curve: str, finding: str = "") -> bool:
    """Draw one curve of every model that has it, the best model's on top and with its band.

    Returns
    -------
    Whether any model has it.
    """
    found = False
    for name, number in results.numbers.items():
        points = results.curve(curve, name, finding)
        if points.empty:
            continue
        found = True
        width, above = (THICK, 3) if name == results.best else (THIN, 2)
        # Markers stand at equal distances along a line, and begin elsewhere on each.
        every = (0.03 + EVERY * (number % 7) / 7, EVERY)
        style = look(number)
        x = points["x"]
        axes.plot(x, points["y"], markevery=every, ms=4, lw=width, zorder=above, **style)
        axes.fill_between(x, points["low"], points["high"], color=style["color"], alpha=0.2, lw=0)
    return found
