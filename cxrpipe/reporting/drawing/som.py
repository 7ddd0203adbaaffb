"""Self-organising maps: cells of films alike, by their greys and by the features of a model."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxrpipe.reporting.drawing.explained import Explained, Told, part_of
from cxrpipe.reporting.drawing.latent import (
    BESIDE,
    NOTHING,
    find_told,
    frame,
    make_marks,
    name_findings,
    put_names,
    rank_names,
)
from cxrpipe.reporting.drawing.panels import say_missing
from cxrpipe.reporting.drawing.style import GREY, draw_nothing

ERRORS = ("quantisation_error", "relative_error", "topographic_error")
MAPS = (("pixels", ""), ("", "after"))  # features (empty: the best model's) and their stage
SIZE = (10.4, 5.1)  # inches
MAP = 200.0  # points of a map's side: over its cells that is what a mark measures at most


def draw_som(explained: Explained) -> Figure:
    """Draw the self-organising maps of pixels and of the best model's features after training."""
    layout = explained.latent.layout
    layout = layout[layout["method"] == "som"]
    layout = layout.assign(finding=name_findings(layout["finding"]))
    kinds = [(features or explained.best, stage) for features, stage in MAPS]
    shown = {
        kind: layout[(layout["features"] == kind[0]) & (layout["stage"] == kind[1])]
        for kind in kinds
    }
    if all(films.empty for films in shown.values()):
        return draw_nothing(NOTHING)
    figure = Figure(figsize=SIZE)
    grid = figure.subplots(1, 3, width_ratios=(1, 1, BESIDE))
    findings = pd.concat(shown.values())["finding"]
    marks = make_marks(rank_names(findings, explained.task.findings))
    cells = {kind: count_cells(films) for kind, films in shown.items()}
    for axes, (kind, counted) in zip(grid[:2], cells.items(), strict=True):
        told = find_told(explained.latent, *kind)
        _draw_map(axes, counted, part_of(told, "som").get("side", 0), marks)
        axes.set_title(_say_map(kind, told), fontsize=8)
    most = {kind: int(counted["n"].max()) for kind, counted in cells.items() if len(counted)}
    title = "commonest finding\nof a cell: its cells\n"
    title += "area: its films,\n" + " and ".join(map(str, most.values())) + " at most"
    put_names(grid[2], marks, pd.concat(cells.values())["finding"], title)
    return figure


def _say_map(kind: tuple[str, str], told: Told) -> str:
    features, stage = kind
    said = (
        "greys of the films"
        if features == "pixels"
        else f"features of {features}, {stage} training"
    )
    som = part_of(told, "som")
    errors = [
        f"{name.replace('_', ' ')} {som[name]:.3g}" for name in ERRORS if som.get(name) is not None
    ]
    return f"{said}\n{', '.join(errors)}" if errors else said


def count_cells(films: pd.DataFrame) -> pd.DataFrame:
    """Count the films of each cell: ``x``, ``y``, ``n`` and its commonest ``finding``.

    Of findings that are equally frequent the first by name.
    """
    cells = films.assign(x=films["x"].round().astype(int), y=films["y"].round().astype(int))
    counts = cells.groupby(["x", "y", "finding"]).size().rename("n").reset_index()
    most = counts.sort_values(["n", "finding"], ascending=[False, True])
    commonest = most.drop_duplicates(["x", "y"]).drop(columns="n")
    totals = cells.groupby(["x", "y"]).size().rename("n").reset_index()
    return totals.merge(commonest, on=["x", "y"], validate="one_to_one")


def _draw_map(axes: Axes, cells: pd.DataFrame, side: int, marks: Mapping[str, Line2D]) -> None:
    """Draw a mark in each cell that has films, its area in proportion to their number."""
    frame(axes)
    if cells.empty:
        say_missing(axes)
        return
    side = max(side, 1 + int(cells[["x", "y"]].to_numpy().max()))
    places = np.arange(side)
    across, up = np.meshgrid(places, places)
    axes.plot(across.ravel(), up.ravel(), ".", ms=1.5, color=GREY, zorder=1)
    largest = (MAP / side) ** 2  # square points of the fullest cell
    for name, mark in marks.items():
        of_name = cells[cells["finding"] == name]
        is_open = mark.get_markerfacecolor() == "white"
        axes.scatter(
            of_name["x"],
            of_name["y"],
            largest * of_name["n"] / cells["n"].max(),
            marker=mark.get_marker(),
            edgecolors=mark.get_color(),
            facecolors="none" if is_open else mark.get_color(),
            zorder=2,
        )
    axes.set(xlim=(-0.7, side - 0.3), ylim=(-0.7, side - 0.3))
