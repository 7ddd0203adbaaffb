"""What is measured more or less often on films that a model answers wrongly."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, StrMethodFormatter

from cxrpipe.reporting.drawing.explained import Explained, Told, estimate_of
from cxrpipe.reporting.drawing.panels import DOTTED
from cxrpipe.reporting.drawing.results import NOT_ESTIMABLE
from cxrpipe.reporting.drawing.style import bare, draw_nothing, readable

BLUE = "#0072B2"
TICKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
ENDS = (0.008, 125.0)  # of the axis, at most; an interval may end beyond
LEAST = (0.25, 4.0)  # of the axis, at least
LETTERS = 54  # of a line of what a cause means


def draw_causes(explained: Explained) -> Figure:
    """Draw the odds ratio of each measured cause between wrong and right answers."""
    told = explained.answers.told
    causes = told.get("causes", [])
    if not causes:
        return draw_nothing(f"No cause of the mistakes of {explained.best} was measured.")
    figure = Figure(figsize=(10.4, 0.42 * len(causes) + 1.2))
    axes = figure.add_subplot()
    for place, cause in enumerate(causes):
        _draw_cause(axes, place, cause, explained.alpha)
    limits = fit_ratios(causes)
    axes.set(ylim=(len(causes) - 0.4, -0.6), xscale="log", xlim=limits)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_ticks([tick for tick in TICKS if limits[0] <= tick <= limits[1]])
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(causes)), [_name(cause) for cause in causes], fontsize=7.5)
    axes.set_xlabel("odds ratio; right of 1: more frequent among wrong answers")
    axes.grid(axis="x", alpha=0.3)
    axes.axvline(1, **DOTTED)
    bare(axes)
    figure.suptitle(
        f"{explained.best}: {told['n_wrong']:,} wrong of {told['n']:,} test films; bars: "
        f"{explained.interval}s; filled: p, adjusted for all causes together, below "
        f"{explained.alpha:g}",
        fontsize=8,
    )
    return figure


def fit_ratios(causes: Sequence[Told]) -> tuple[float, float]:
    """Return limits of a logarithmic axis that holds the ratios and, as far as ENDS, intervals."""
    estimates = [estimate_of(cause, "odds_ratio") for cause in causes]
    known = [value for each in estimates for value in each.values() if value is not None]
    positive = [*LEAST, *(value for value in known if value > 0)]
    return max(ENDS[0], 0.8 * min(positive)), min(ENDS[1], 1.25 * max(positive))


def _name(cause: Told) -> str:
    """Return the name of a cause and what it means, in two lines at most."""
    lines = fill(f"{readable(cause['cause'])}: {cause['meaning']}", LETTERS).split("\n")
    return "\n".join(lines[:2]) + ("…" if len(lines) > 2 else "")


def _draw_cause(axes: Axes, place: int, cause: Told, alpha: float) -> None:
    """Draw one ratio with its interval, and write the counts and p to the right."""
    ratio = estimate_of(cause, "odds_ratio")
    counts = (
        f"{cause['wrong_with']:,} of {cause['wrong']:,} wrong, "
        f"{cause['right_with']:,} of {cause['right']:,} right"
    )
    p = cause.get("p_adjusted")
    sure = p is not None and p < alpha
    said = f"{counts}\n{_say_ratio(ratio)}" + ("" if p is None else f"; p {_say_p(p)}")
    across = axes.get_yaxis_transform()
    weight = "bold" if sure else "normal"
    axes.text(1.02, place, said, transform=across, va="center", fontsize=7, fontweight=weight)
    if ratio["value"] is None:
        return
    if ratio["low"] is not None and ratio["high"] is not None:
        ends = np.clip([ratio["low"], ratio["high"]], 1e-6, 1e6)
        axes.hlines(place, *ends, color=BLUE, lw=1.4)
    axes.plot(ratio["value"], place, "D", color=BLUE, mfc=BLUE if sure else "white", ms=5)


def _say_ratio(ratio: Told) -> str:
    if ratio["value"] is None:
        return f"odds ratio {NOT_ESTIMABLE}"
    if ratio["low"] is None or ratio["high"] is None:
        return f"odds ratio {ratio['value']:.3g}"
    return f"odds ratio {ratio['value']:.3g} ({ratio['low']:.3g} to {ratio['high']:.3g})"


def _say_p(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"
