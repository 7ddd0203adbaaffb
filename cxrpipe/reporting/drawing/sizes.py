"""Whether larger models do better: score against number of parameters."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from cxrpipe.reporting.drawing.overlays import lay_overlaid
from cxrpipe.reporting.drawing.panels import say_missing
from cxrpipe.reporting.drawing.results import SCORES, Results, pick
from cxrpipe.reporting.drawing.style import look

MILLION = 1e6


def draw_size(results: Results) -> Figure:
    """Draw the macro score of every model, with its interval, against its size."""
    figure, (axes,) = lay_overlaid(results, 1, {}, band=False, tall=0.8)
    score = results.scores[0]
    known = False
    for name, model in results.models.items():
        estimate = pick(model["test"], score)
        if estimate is None or estimate["value"] is None:
            continue
        known = True
        size = results.parameters[name] / MILLION
        style = look(results.numbers[name])
        axes.plot(size, estimate["value"], ls="", ms=9 if name == results.best else 6, **style)
        if estimate["low"] is not None and estimate["high"] is not None:
            axes.vlines(size, estimate["low"], estimate["high"], color=style["color"], zorder=1)
    if not known:
        say_missing(axes)
    _use_millions(axes, [results.parameters[name] / MILLION for name in results.models])
    axes.grid(alpha=0.3)
    axes.set_ylabel(f"{SCORES[score]}, with its {results.interval}")
    axes.set_title(f"{results.n:,} test films", fontsize=8)
    return figure


def _use_millions(axes: Axes, sizes: Sequence[float]) -> None:
    """Let x be logarithmic, in round millions of parameters."""
    axes.set_xscale("log")
    axes.set_xlim(min(sizes) / 1.6, max(sizes) * 1.6)
    wide = max(sizes) > 100 * min(sizes)
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("parameters (millions)")
