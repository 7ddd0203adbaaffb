"""The charts of the exploration, each drawn from tables alone."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter

from cxrpipe.reporting.counts import UNKNOWN, by_finding, in_order
from cxrpipe.reporting.drawing.style import bare, draw_counts, draw_nothing, readable
from cxrpipe.tables import LEFT_OUT

SUBSET_COLOURS = ("#0B4F79", "#E69F00", "#CFE3F0")  # told apart by lightness alone
BLUE = "#0072B2"
PANELS = 5  # in a row
YEARS_PER_BAR = 5
ROUND_SIDES = [digit * ten for ten in (1, 10, 100, 1000, 10000) for digit in (1, 2, 5)]
QUALITIES = {
    "tint": "tint: share of pixels in many colours",
    "contrast": "contrast: spread of the greys",
    "blank": "blank: share of one grey",
}


def draw_classes(counts: pd.DataFrame) -> Figure:
    """Draw how many films of every finding (rows) stand in each subset (columns)."""
    figure = Figure(figsize=(7, 0.5 * len(counts) + 1.2))
    axes = figure.add_subplot()
    left = np.zeros(len(counts))
    narrow = 0.045 * counts.sum(axis=1).max()  # no room for a number
    for subset, colour in zip(counts, SUBSET_COLOURS, strict=True):
        widths = counts[subset]
        bars = axes.barh(range(len(counts)), widths, left=left, label=subset, color=colour)
        numbers = [f"{n:,}" if n > narrow else "" for n in widths]
        text = "white" if subset == "train" else "black"
        axes.bar_label(bars, numbers, label_type="center", color=text, fontweight="bold")
        left += widths.to_numpy()
    totals = zip(counts.index, left, strict=True)
    axes.set_yticks(range(len(counts)), [f"{readable(name)}\n{n:,.0f}" for name, n in totals])
    axes.invert_yaxis()
    axes.set_xlabel("radiographs")
    axes.legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
    return figure


def draw_known(counts: pd.DataFrame, what: str) -> Figure:
    """Draw counts by finding of something that may be unknown, and say of how many films it is."""
    unknown = int(counts[counts.index == UNKNOWN].to_numpy().sum())
    n = int(counts.to_numpy().sum())
    if unknown == n:
        return draw_nothing(f"The {what} is not known of any of the {n:,} radiographs.")
    figure = draw_counts(counts, "radiographs")
    figure.axes[0].set_title(
        f"{what}: known of {n - unknown:,} radiographs, unknown of {unknown:,}"
    )
    return figure


def panels(
    figure: Figure, films: pd.DataFrame, names: Sequence[str]
) -> Iterator[tuple[Axes, str, pd.DataFrame]]:
    """Give every finding a panel of the same scales, with its films."""
    rows = -(-len(names) // PANELS)
    figure.set_size_inches(2 * min(PANELS, len(names)) + 0.4, 2.1 * rows + 0.3)
    grid = figure.subplots(rows, min(PANELS, len(names)), squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    for axes in grid.flat[len(names) - grid.shape[1] : len(names)]:
        axes.tick_params(labelbottom=True)
    for axes, name in zip(grid.flat, names, strict=False):
        yield axes, readable(name), films[films["finding"] == name]


def draw_sizes(index: pd.DataFrame, findings: Sequence[str]) -> Figure:
    """Draw width and height of the films of every finding; an area tells how many have a size."""
    films = by_finding(index)
    figure = Figure()
    for axes, name, shown in panels(figure, films, in_order(films, findings)):
        sizes = shown.groupby(["width", "height"]).size()
        widths, heights = (sizes.index.get_level_values(axis) for axis in ("width", "height"))
        area = 6 + 250 * sizes / max(len(shown), 1)
        axes.scatter(
            widths, heights, area, BLUE, alpha=0.5, linewidths=0, rasterized=len(sizes) > 500
        )
        axes.axline((1000, 1000), slope=1, color="#808080", linewidth=0.6, linestyle=":")
        middle = f"median {shown['width'].median():,.0f} × {shown['height'].median():,.0f}"
        axes.set_title(f"{name}: {len(shown):,}\n{middle if len(shown) else ''}", fontsize=8)
    _use_pixels(figure, films)
    return figure


def _use_pixels(figure: Figure, films: pd.DataFrame) -> None:
    sides = films[["width", "height"]].to_numpy()
    bounds = sides.min() / 2, sides.max() * 2
    ticks = [tick for tick in ROUND_SIDES if bounds[0] < tick < bounds[1]]
    for axes in figure.axes:
        axes.set(xscale="log", yscale="log", xlim=bounds, ylim=bounds)
        axes.tick_params(labelsize=7)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(ticks)
            axis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
            axis.set_minor_locator(NullLocator())
    figure.supxlabel("width (pixels)", fontsize=9)
    figure.supylabel("height (pixels)", fontsize=9)


def draw_ages(index: pd.DataFrame, findings: Sequence[str]) -> Figure:
    """Draw the ages of every finding in bars of five years, and say how many are unknown."""
    films = by_finding(index)
    if films["age"].isna().all():
        return draw_nothing(f"The age is not known of any of the {len(index):,} radiographs.")
    figure = Figure()
    edges = list(range(0, int(films["age"].max()) + 2 * YEARS_PER_BAR, YEARS_PER_BAR))
    for axes, name, shown in panels(figure, films, in_order(films, findings)):
        known = shown["age"].dropna()
        axes.hist(known, edges, color=BLUE, edgecolor="white", linewidth=0.5)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        middle = f"median {known.median():.0f}" if len(known) else ""
        unknown = f"unknown {len(shown) - len(known):,} of {len(shown):,}"
        axes.set_title(f"{name}\n{middle}\n{unknown}", fontsize=8)
    figure.supxlabel("age (years)", fontsize=9)
    figure.supylabel("radiographs", fontsize=9)
    return figure


def draw_quality(index: pd.DataFrame) -> Figure:
    """Draw tint, contrast and blank of the films of every source."""
    sources = pd.unique(index["source"])
    figure = Figure(figsize=(9, 0.3 * len(sources) + 1.2))
    grid = figure.subplots(1, len(QUALITIES), sharey=True)
    for axes, (quality, label) in zip(grid, QUALITIES.items(), strict=True):
        axes.boxplot(
            [index.loc[index["source"] == source, quality] for source in sources],
            orientation="horizontal",
            widths=0.6,
            medianprops={"color": "#D55E00", "linewidth": 1.5},
            flierprops={"marker": ".", "markersize": 2, "rasterized": True},
        )
        most = max(index[quality].max(), 0.01)
        axes.set_xlim(-0.03 * most, 1.03 * most)
        axes.set_xlabel(label)
    grid[0].set_yticks(range(1, len(sources) + 1), sources)
    grid[0].invert_yaxis()
    return figure


def draw_unused(excluded: pd.DataFrame, left_out: pd.DataFrame) -> Figure:
    """Draw how many files are not in the index and how many films not in the split, by reason."""
    reasons = LEFT_OUT.choices["reason"]
    parts = {
        "seen, and not in the index": excluded["reason"].value_counts(),
        "in the index, and not in the split": left_out["reason"]
        .value_counts()[::1]
        .reindex(reasons, fill_value=0),
    }
    heights = [max(len(counts), 1) for counts in parts.values()]
    figure = Figure(figsize=(7, 0.3 * sum(heights) + 1.6))
    grid = figure.subplots(2, 1, height_ratios=heights)
    for axes, (title, counts) in zip(grid, parts.items(), strict=True):
        axes.set_title(f"{title}: {counts.sum():,}", loc="left")
        bars = axes.barh([readable(str(reason)) for reason in counts.index], counts, color=BLUE)
        axes.bar_label(bars, [f"{count:,}" for count in counts], padding=3)
        axes.set_xlim(0, 1.1 * max(counts.max() if len(counts) else 0, 1))
        axes.set_xticks([])
        axes.invert_yaxis()
        bare(axes)
        if not len(counts):
            axes.set_yticks([])
            axes.text(0, 0.5, "nothing", transform=axes.transAxes, va="center")
    return figure
