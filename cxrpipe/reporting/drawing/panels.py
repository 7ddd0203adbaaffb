"""Panels side by side, what stands in each of them, and the legend beside."""

from collections.abc import Collection, Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxrpipe.reporting.drawing.results import NOT_ESTIMABLE, Results
from cxrpipe.reporting.drawing.style import GREY, readable

Look = dict[str, Any]  # of a line, as arguments of ``plot``
WIDTH = 13.0  # inches of a figure, at most
COLUMNS = 4
SIDES = (4.6, 3.6, 3.2, 2.9, 2.7)  # inches of a panel where there are 1, 2, 3, 4 and more
LETTERS = 36  # of a model's name in a line of the legend
SAID = 22  # letters of what is said above the names
LETTER, LINE = 0.067, 0.17  # inches of the legend's text
BEST = "★"  # the model that was best on validation
DOTTED: Look = {"color": GREY, "linestyle": ":", "linewidth": 1.2}
DASHED: Look = {"color": GREY, "linestyle": "--", "linewidth": 1.2}


def wrap_name(name: str, letters: int = LETTERS) -> str:
    """Write a model's name as people read it, in lines of so many letters.

    A line ends between the settings that the grid puts into a name, not within one.
    """
    return fill(readable(name), letters, break_on_hyphens=False)


def fit_columns(n: int) -> tuple[int, int]:
    """Return in how many columns and rows so many panels stand."""
    rows = -(-n // COLUMNS)
    return -(-n // rows), rows


class Page(NamedTuple):
    """Size of a figure, and the place of its legend.

    Attributes
    ----------
    width, height
        In inches.
    place
        Its place, as arguments of ``Figure.legend``.
    """

    width: float
    height: float
    place: Look


def lay_page(n: int, tall: float, names: Collection[str], most: Sequence[float] = SIDES) -> Page:
    """Size a figure of ``n`` panels in rows, as large as ``WIDTH`` allows.

    The legend stands beside the panels, or below in columns if it is taller than they are.

    Parameters
    ----------
    tall
        Height of a panel by its width.
    names
        Those of the legend.
    most
        Width in inches of a panel where there are 1, 2, ... and more of them, at most.
    """
    columns, rows = fit_columns(n)
    side = most[min(n, len(most)) - 1]
    lines = [line for name in names for line in wrap_name(name).split("\n")]
    beside = 0.8 + LETTER * max(SAID, *map(len, lines))
    fitting = min(side, (WIDTH - beside) / columns)
    height = (fitting * tall + 0.3) * rows
    if LINE * (len(lines) + 4) <= height:
        return Page(fitting * columns + beside, height, {"loc": "outside right upper"})
    fitting = min(side, (WIDTH - 0.4) / columns)
    in_row = max(1, min(len(names), int((WIDTH - 0.4) / beside)))
    below = LINE * (len(lines) / in_row + 5)
    return Page(
        max(fitting * columns, in_row * beside) + 0.4,
        (fitting * tall + 0.3) * rows + below,
        {"loc": "outside lower left", "ncols": in_row},
    )


def put_legend(figure: Figure, lines: Mapping[str, Line2D], said: str, place: Look) -> None:
    """Put a legend outside all panels, with what is said of the lines above it."""
    names = map(wrap_name, lines)
    figure.legend(lines.values(), names, title=said, alignment="left", **place)


def say_missing(axes: Axes, why: str = "") -> None:
    """Say in a panel that what it is for cannot be estimated, and why."""
    said = f"{NOT_ESTIMABLE}:\n{why}" if why else NOT_ESTIMABLE
    place: Look = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.5, said, color="#404040", fontsize=8, **place)


def why_missing(results: Results, finding: str) -> str:
    """Say why a curve of a finding cannot be estimated, where that is plain."""
    reasons = {0: "no test film shows it", results.n: "every test film shows it"}
    return reasons.get(results.n_with(finding), "")


def title_finding(results: Results, finding: str) -> str:
    """Name a finding, and how many of the test films show it."""
    return f"{readable(finding)}: {results.n_with(finding):,} of {results.n:,} films"


def use_shares(axes: Axes) -> None:
    """Let both axes run from 0 to 1."""
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(alpha=0.3)


def name_axes(panels: Sequence[Axes], x: str, y: str) -> None:
    """Name the axes of the panels that stand at the left and lowest."""
    columns, _ = fit_columns(len(panels))
    for place, axes in enumerate(panels):
        if place % columns == 0:
            axes.set_ylabel(y)
        if place + columns >= len(panels):
            axes.set_xlabel(x)
