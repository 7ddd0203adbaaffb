"""Where films lie by the features of a model, before and after training."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxrpipe.reporting.drawing.explained import (
    NONE,
    Explained,
    Latent,
    Told,
    estimate_of,
    part_of,
    say_findings,
)
from cxrpipe.reporting.drawing.panels import say_missing
from cxrpipe.reporting.drawing.results import say_estimate
from cxrpipe.reporting.drawing.style import GREY, draw_nothing, look, readable

METHODS = {"tsne": "t-SNE", "umap": "UMAP"}
STAGES = {"before": "before training", "after": "after training"}
COLOURED = ("finding", "source")
NAMES = 18  # of a legend, at most; the commonest
SEVERAL = "several findings"
NOTHING = "No features of the best model were laid out."
WIDTH = 10.4  # inches
BESIDE, LETTERS = 0.42, 20  # width of the names, by that of a panel, and letters of a line


def find_told(latent: Latent, features: str, stage: str) -> Told:
    """Find what is told of features at a stage; empty if nothing is."""
    for told in latent.told.get("representations", []):
        if (told["features"], told["stage"]) == (features, stage):
            return dict(told)
    return {}


def name_findings(joined: pd.Series) -> pd.Series:
    """Name what films show: a finding, several ones, or none of them."""
    single = joined.where(~joined.str.contains("|", regex=False), SEVERAL)
    return single.replace(NONE, say_findings(NONE))


def rank_names(names: pd.Series, order: Sequence[str] = ()) -> list[str]:
    """Rank names: those of ``order`` as they stand there, then the commonest first."""
    counts = names.value_counts()
    others = sorted(set(counts.index) - set(order), key=lambda name: (-counts[name], name))
    return [*(name for name in order if name in counts), *others]


def draw_latent(explained: Explained) -> Figure:
    """Draw the films of the best model's test set before and after training.

    A row for each method and colouring: by finding, and by source.
    """
    layout = explained.latent.layout
    layout = layout[(layout["features"] == explained.best) & layout["method"].isin(METHODS)]
    if layout.empty:
        return draw_nothing(NOTHING)
    layout = layout.assign(finding=name_findings(layout["finding"]))
    methods = [method for method in METHODS if (layout["method"] == method).any()]
    rows = [(method, column) for method in methods for column in COLOURED]
    figure = Figure(figsize=(WIDTH, 3.9 * len(rows) + 0.3))
    parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    for part, (method, column) in zip(parts, rows, strict=True):
        shown = layout[layout["method"] == method]
        order = explained.task.findings if column == "finding" else ()
        marks = make_marks(rank_names(shown[column], order))
        grid = part.subplots(1, 3, width_ratios=(1, 1, BESIDE))
        for axes, stage in zip(grid[:2], STAGES, strict=True):
            of_stage = shown[shown["stage"] == stage]
            _scatter(axes, of_stage, column, marks)
            told = find_told(explained.latent, explained.best, stage)
            axes.set_title(_say_stage(method, column, stage, told), fontsize=8)
        put_names(grid[2], marks, shown.loc[shown["stage"] == "after", column], f"{column}: films")
    figure.suptitle(f"{explained.best}: {layout['radiograph'].nunique():,} test films", fontsize=8)
    return figure


def make_marks(names: Sequence[str]) -> dict[str, Line2D]:
    """Make a mark for each name, told apart by its shape as well as by its colour."""
    return {
        name: Line2D([], [], ls="", ms=5, mew=0.9, **look(number))
        for number, name in enumerate(names)
    }


def _scatter(axes: Axes, shown: pd.DataFrame, column: str, marks: Mapping[str, Line2D]) -> None:
    frame(axes)
    axes.set_adjustable("datalim")
    if shown.empty:
        say_missing(axes)
        return
    for name, mark in marks.items():
        films = shown[shown[column] == name]
        axes.plot(
            films["x"],
            films["y"],
            marker=mark.get_marker(),
            ls="",
            ms=3.5,
            mew=0.7,
            mec=mark.get_color(),
            mfc="none" if mark.get_markerfacecolor() == "white" else mark.get_color(),
            alpha=0.75,
            rasterized=True,
        )


def _say_stage(method: str, column: str, stage: str, told: Told) -> str:
    """Say what is drawn, and how often neighbours share what it is coloured by."""
    near = part_of(told, "neighbours")
    share, chance = estimate_of(near, f"same_{column}"), near.get(f"chance_{column}")
    said = f"{METHODS[method]} {STAGES[stage]}"
    if share["value"] is None:
        return said
    beside = "" if chance is None else f"; chance {chance:.3f}"
    return f"{said}\nneighbours of the same {column}: {say_estimate(share)}{beside}"


def put_names(axes: Axes, marks: Mapping[str, Line2D], names: pd.Series, title: str) -> None:
    """Name the marks, with the count of each name, at a place where nothing else is drawn."""
    shown = list(marks)[:NAMES]
    counts = [int((names == name).sum()) for name in shown]
    said = [
        f"{fill(readable(name), LETTERS)}: {n:,}" for name, n in zip(shown, counts, strict=True)
    ]
    left = len(marks) - len(shown)
    title += f"\n{left} more are not named" if left else ""
    axes.set_axis_off()
    axes.legend(
        [marks[name] for name in shown], said, title=title, loc="upper left", alignment="left"
    ).set_in_layout(False)


def frame(axes: Axes) -> None:
    """Draw a thin frame and no axis: places on a map have no unit."""
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set(visible=True, color=GREY, linewidth=0.5)
