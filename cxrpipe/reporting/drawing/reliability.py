"""Whether probabilities mean what they say: reliability diagrams before and after temperature."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cxrpipe.reporting.drawing.panels import (
    DOTTED,
    fit_columns,
    lay_page,
    name_axes,
    put_legend,
    say_missing,
    use_shares,
    wrap_name,
)
from cxrpipe.reporting.drawing.results import NOT_ESTIMABLE, Results
from cxrpipe.reporting.drawing.style import GREY

BLUE = "#0072B2"
BAR = 0.03  # width of a bar of counts, in probability
# Curve: its look, and that of its bars of counts. No line joins bins of few films.
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "reliability": {"color": GREY, "mfc": "white"},
    "reliability_calibrated": {"color": BLUE, "mfc": BLUE},
}
BARS: Mapping[str, Mapping[str, Any]] = {
    "reliability": {"ec": GREY, "fc": "none", "zorder": 3},
    "reliability_calibrated": {"ec": "none", "fc": BLUE},
}
DOT: Mapping[str, Any] = {"marker": "o", "ms": 5, "ls": ""}
# Whether every film shows exactly one finding: what has a probability, what comes true, of what.
ANSWERS = {
    True: ("the named finding", "share right", "films"),
    False: ("yes, of any finding", "share with the finding", "answers"),
}
NAMED = ("as trained", "after temperature", "as sure as right")


def draw_reliability(results: Results) -> Figure:
    """Draw the reliability of every model before and after its temperature, and counts below.

    Bars are Wilson's intervals of each bin.
    """
    names = list(results.models)
    columns, rows = fit_columns(len(names))
    page = lay_page(len(names), 1.3, NAMED, (2.9,))
    figure = Figure(figsize=(page.width, page.height))
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[4, 1] * rows)
    for axes in grid.flat:
        axes.set_axis_off()
    diagrams, counts = (list(grid[row::2].flat[: len(names)]) for row in (0, 1))
    for diagram, below, name in zip(diagrams, counts, names, strict=True):
        _draw_model(diagram, below, results, name)
    answer, share, unit = ANSWERS[results.single]
    name_axes(diagrams, "", share)
    name_axes(counts, f"probability of {answer}", unit)
    dots = (Line2D([], [], **DOT, **look) for look in LOOKS.values())
    lines = dict(zip(NAMED, [*dots, Line2D([], [], **DOTTED)], strict=True))
    put_legend(figure, lines, f"{results.n:,} test films\nbars: {results.interval}s", page.place)
    return figure


def _draw_model(diagram: Axes, counts: Axes, results: Results, model: str) -> None:
    for axes in (diagram, counts):
        axes.set_axis_on()
    use_shares(diagram)
    diagram.tick_params(labelbottom=False)
    diagram.plot((0, 1), (0, 1), **DOTTED, zorder=0)
    curves = {curve: results.curve(curve, model) for curve in LOOKS}
    for curve, bins in curves.items():
        # A share can lie outside its interval by rounding alone.
        around = [(bins["y"] - bins["low"]).clip(0), (bins["high"] - bins["y"]).clip(0)]
        diagram.errorbar(bins["x"], bins["y"], around, elinewidth=1, **DOT, **LOOKS[curve])
        counts.bar(bins["x"], bins["n"], BAR, **BARS[curve])
    if all(bins.empty for bins in curves.values()):
        say_missing(diagram)
    counts.set_xlim(diagram.get_xlim())
    counts.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    counts.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    diagram.set_title(f"{wrap_name(model)}\n{say_calibration(results.models[model])}", fontsize=8)


def say_calibration(model: Mapping[str, Any]) -> str:
    """Say a model's expected calibration error before and after, and its mean temperature."""
    calibration = model["calibration"]
    before, after = (calibration[when]["ece"] for when in ("before", "after"))
    temperatures = [value for value in calibration["temperature"] if value is not None]
    if before is None or after is None or not temperatures:
        return f"ECE {NOT_ESTIMABLE}"
    return f"ECE {before:.3f} → {after:.3f}, temperature {fmean(temperatures):.2f}"
