"""What becomes of a score as pixels are moved, and of a heatmap as weights are randomised."""

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxrpipe.reporting.drawing.explained import Explained, Told, estimate_of, part_of
from cxrpipe.reporting.drawing.overlays import THICK, THIN
from cxrpipe.reporting.drawing.panels import BEST, DOTTED, wrap_name
from cxrpipe.reporting.drawing.results import say_estimate
from cxrpipe.reporting.drawing.style import GREY, draw_nothing, look

WAYS = {
    "insertion": "insertion: only the hottest pixels are shown; more area is better",
    "deletion": "deletion: the hottest pixels are hidden; less area is better",
}
DONE = {"insertion": "shown", "deletion": "hidden"}
WIDTH = 10.4  # inches
LINE, PANEL = 0.155, 3.4  # inches of a line of a legend, of a panel
WORDS = 0.95  # inches of titles and of what is written along an axis
NOT_ALTERED = "No film was altered: insertion and deletion were not scored."
NOT_RANDOMISED = "No heatmap was made of randomised weights."
LETTERS = 44  # of a model's name
STAGE_LETTERS = 20  # of a layer's


def draw_altered(explained: Explained) -> Figure:
    """Draw how a probability rises and falls as the hottest pixels are inserted and deleted."""
    told = {
        name: part
        for name in explained.shown
        if (part := part_of(explained.models[name].localisation, "altered")).get("n")
    }
    if not told:
        return draw_nothing(NOT_ALTERED)
    labels = {
        way: [_say_area(explained, name, part[way]) for name, part in told.items()] for way in WAYS
    }
    beside = sum(LINE * (1.4 + label.count("\n")) for label in labels["insertion"])
    figure = Figure(figsize=(WIDTH, PANEL + WORDS + beside))
    grid = figure.subplots(2, 2, height_ratios=(PANEL, beside))
    for axes, below, (way, title) in zip(*grid, WAYS.items(), strict=True):
        lines = [
            _draw_curves(axes, explained, name, part["shares"], part[way])
            for name, part in told.items()
        ]
        axes.set_title(title, fontsize=8)
        _use_shares(axes, f"share of the pixels that are {DONE[way]}", "mean probability")
        below.set_axis_off()
        below.legend(lines, labels[way], loc="upper left").set_in_layout(False)
    n = max(part["n"] for part in told.values())
    figure.suptitle(
        f"Up to {n:,} films of each model; dotted: random places; areas with their "
        f"{explained.interval}; {BEST} best on validation.{explained.how_many()}",
        fontsize=8,
    )
    return figure


def _say_area(explained: Explained, name: str, way: Told) -> str:
    star = f"{BEST} " * (name == explained.best)
    area, chance = (say_estimate(estimate_of(way, key)) for key in ("area", "chance"))
    return f"{star}{wrap_name(name, LETTERS)}:\narea {area}; random {chance}"


def _style(explained: Explained, name: str) -> dict[str, Any]:
    best = name == explained.best
    return look(explained.numbers[name]) | {"ms": 4, "lw": THICK if best else THIN}


def _draw_curves(
    axes: Axes, explained: Explained, name: str, shares: list[float], way: Told
) -> Line2D:
    """Draw the curve of a model and, dotted, that of pixels at random places."""
    style = _style(explained, name)
    (line,) = axes.plot(shares, _numbers(way["curve"]), **style)
    random = {"color": style["color"], "ls": ":", "lw": style["lw"]}
    axes.plot(shares, _numbers(way["chance_curve"]), **random)
    return line


def _numbers(values: list[float | None]) -> list[float]:
    """Return values for drawing; what cannot be estimated leaves a gap."""
    return [np.nan if value is None else value for value in values]


def draw_randomised(explained: Explained) -> Figure:
    """Draw how alike heatmaps stay as ever more layers lose what they learned."""
    told = {
        name: part
        for name in explained.shown
        if (part := part_of(explained.models[name].localisation, "randomised")).get("n")
        and part.get("stages")
    }
    if not told:
        return draw_nothing(NOT_RANDOMISED)
    figure = Figure(figsize=(WIDTH, 4.4))
    axes = figure.add_subplot()
    lines = {name: _draw_stages(axes, explained, name, part) for name, part in told.items()}
    most = max(len(part["stages"]) for part in told.values())
    axes.set_xticks(range(1, most + 1), _name_stages(told.get(explained.best), most), fontsize=7)
    axes.set_ylim(min(-0.05, axes.get_ylim()[0]), 1.02)
    axes.set_xlabel(f"stage: randomised from the last layer down to this one, as {BEST} names it")
    axes.set_ylabel("rank correlation with the trained heatmap")
    axes.grid(alpha=0.3)
    names = [f"{BEST} " * (name == explained.best) + wrap_name(name) for name in lines]
    marks = list(lines.values())
    if _draw_chance(axes, told):
        marks.append(Line2D([], [], **DOTTED))
        names.append("chance" if len(told) == 1 else "chance, least and most")
    figure.legend(marks, names, loc="outside right upper")
    n = max(part["n"] for part in told.values())
    figure.suptitle(
        f"Up to {n:,} films of each model; bars: {explained.interval}s.{explained.how_many()}",
        fontsize=8,
    )
    return figure


def _draw_stages(axes: Axes, explained: Explained, name: str, part: Told) -> Line2D:
    """Draw the likeness of a model's heatmaps after each stage, and its chance."""
    style = _style(explained, name)
    estimates = [estimate_of(stage, "similarity") for stage in part["stages"]]
    x = np.arange(1, len(estimates) + 1) + 0.05 * (explained.numbers[name] % 7 - 3)
    low, high = (_numbers([estimate[key] for estimate in estimates]) for key in ("low", "high"))
    axes.vlines(x, low, high, color=style["color"], lw=1)
    (line,) = axes.plot(x, _numbers([estimate["value"] for estimate in estimates]), **style)
    return line


def _draw_chance(axes: Axes, told: Mapping[str, Told]) -> bool:
    """Mark how alike heatmaps are by chance: from the least to the most of all models."""
    estimates = [estimate_of(part, "similarity_chance")["value"] for part in told.values()]
    known = [value for value in estimates if value is not None]
    if known:
        axes.axhspan(min(known), max(known), color=GREY, alpha=0.15, lw=0)
        for end in {min(known), max(known)}:
            axes.axhline(end, **DOTTED)
    return bool(known)


def _name_stages(part: Told | None, most: int) -> list[str]:
    """Return the number of each stage, and the name that its layer has in a model."""
    layers = [stage["layer"] for stage in part["stages"]] if part else []
    names = layers + [""] * (most - len(layers))
    return [f"{stage}\n{fill(name, STAGE_LETTERS)}" for stage, name in enumerate(names, 1)]


def _use_shares(axes: Axes, x: str, y: str) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
