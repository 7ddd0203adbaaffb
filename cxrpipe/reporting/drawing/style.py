"""What every figure shares: style, names as people write them, tables of counts, equal bytes."""

import logging
from importlib.resources import files
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from cxrpipe.runtime import whole

log = logging.getLogger(__name__)

GREY = "#6E6E6E"  # of what is no model: chance, treat all, a diagonal
PLACES = 5  # of positions in a figure
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def use_style() -> None:
    """Draw to files alone, in the style of cxrpipe."""
    mpl.use("agg")
    mpl.rc_file(str(files("cxrpipe.reporting.drawing") / "cxrpipe.mplstyle"))


def save(figure: Figure, folder: Path, name: str, dpi: float | None = None) -> None:
    """Write a figure as PNG and SVG, without a date, so that equal figures give equal bytes.

    Parameters
    ----------
    dpi
        Pixels of the PNG for every inch of the figure; None: those of the style.
    """
    settle(figure)
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
        with whole(folder / f"{name}{suffix}") as partial:
            figure.savefig(partial, format=suffix[1:], metadata=metadata, dpi=dpi)
    log.info(name)


def settle(figure: Figure) -> None:
    """Fix where the layout put everything, in steps of 1/100,000 of the figure.

    The last bits that the solver of the constrained layout ends in differ from run to run.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for part in find_parts(figure):
        part.bbox_relative.set_points(np.round(part.bbox_relative.get_points(), PLACES))
    for axes in figure.axes:
        axes.set_position(tuple(np.round(axes.get_position(original=True).bounds, PLACES)))


def find_parts(figure: Figure | SubFigure) -> list[SubFigure]:
    """Return the figures in a figure, outer ones first."""
    return [part for inner in figure.subfigs for part in (inner, *find_parts(inner))]


def readable(name: str) -> str:
    """Return a name as people write it: ``lung_opacity`` becomes ``lung opacity``."""
    return name.replace("_", " ")


def look(number: int) -> dict[str, Any]:
    """Return the colour and marker of a model, as arguments of ``plot``.

    Neighbours differ in their marker too, and after all markers are used they are open, so that
    14 models can be told apart without colour; no two of 49 look alike.
    """
    lap = number // len(MARKERS)
    return {
        "color": f"C{number % len(mpl.rcParams['axes.prop_cycle'])}",
        "marker": MARKERS[(number + lap) % len(MARKERS)],
        "markerfacecolor": "white" if lap % 2 else None,
    }


def draw_nothing(said: str) -> Figure:
    """Say in words why a figure shows nothing."""
    figure = Figure(figsize=(7, 1))
    figure.text(0.5, 0.5, said, ha="center", va="center", color="#404040")
    return figure


def draw_counts(counts: pd.DataFrame, unit: str) -> Figure:
    """Draw a table of counts, each with its share of its column, which also shades it.

    Parameters
    ----------
    counts
        Rows and columns by name; the columns are findings.
    unit
        What is counted.
    """
    rows, columns = counts.shape
    figure = Figure(figsize=(0.95 * columns + 2.6, 0.42 * rows + 1.3))
    axes = figure.add_subplot()
    shares = (counts / counts.sum().clip(lower=1)).to_numpy()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts.to_numpy()):
        share = float(shares[row, column])
        text = f"{count:,}\n{percent(share)}" if count else "0"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=ink(share))
    axes.set_yticks(range(rows), [readable(str(name)) for name in counts.index])
    totals = zip(counts.columns, counts.sum(), strict=True)
    names = [f"{fill(readable(name), 13)}\n{total:,}" for name, total in totals]
    axes.set_xticks(range(columns), names, fontsize=8)
    axes.set_xlabel(f"finding, and its {unit}; cells: {unit}, and share of the finding")
    bare(axes)
    return figure


def ink(shade: float) -> str:
    """Return the colour of text that stands out most from a shade of ``Blues``, from 0 to 1."""
    return "white" if shade > 0.71 else "black"


def percent(share: float) -> str:
    """Return a share that is not zero in words that do not say zero."""
    return "<1%" if share < 0.01 else f"{share:.0%}"


def bare(axes: Axes) -> None:
    """Take the frame and the ticks off, and keep the labels."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
