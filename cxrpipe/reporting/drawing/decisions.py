"""Whether acting on a model is worth it: decision curves, and answering the sure films alone."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cxrpipe.reporting.drawing.overlays import lay_overlaid, overlay_models
from cxrpipe.reporting.drawing.panels import (
    DASHED,
    DOTTED,
    name_axes,
    say_missing,
    title_finding,
    why_missing,
)
from cxrpipe.reporting.drawing.results import Results

ALL = ""  # the name under which curves.csv holds treating all
BELOW = 0.12  # of the height lies below a net benefit of zero


def draw_decision(results: Results) -> Figure:
    """Draw the net benefit of all models by threshold probability, a panel for every finding.

    Vickers and Elkin, Medical Decision Making 2006.
    """
    findings = results.task["findings"]
    lines = {"treat all": Line2D([], [], **DASHED), "treat none": Line2D([], [], **DOTTED)}
    figure, panels = lay_overlaid(results, len(findings), lines, band=False, tall=0.85)
    for axes, finding in zip(panels, findings, strict=True):
        _draw_finding(axes, results, finding)
    name_axes(panels, "threshold probability", "net benefit (per film)")
    return figure


def _draw_finding(axes: Axes, results: Results, finding: str) -> None:
    """Draw one finding; a model that does harm leaves the panel below."""
    axes.set_title(title_finding(results, finding), fontsize=8)
    axes.set(xlim=(0, 1))
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(alpha=0.3)
    highest = results.n_with(finding) / results.n  # net benefit is at most the share of films
    if not highest or not overlay_models(axes, results, "decision", finding):
        say_missing(axes, why_missing(results, finding))
        axes.set_yticks([])
        return
    everyone = results.curve("decision", ALL, finding)
    axes.plot(everyone["x"], everyone["y"], **DASHED, zorder=0)
    axes.axhline(0, **DOTTED, zorder=0)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_ylim(-BELOW * highest, 1.05 * highest)


def draw_selective(results: Results) -> Figure:
    """Draw the accuracy of all models when only the films that they are surest of are answered."""
    figure, (axes,) = lay_overlaid(results, 1, {}, band=False, tall=0.8)
    if overlay_models(axes, results, "selective"):
        curves = (results.curve("selective", name)["y"] for name in results.models)
        span = max(1 - min(min(accuracy, default=1) for accuracy in curves), 0.02)
        axes.set(xlim=(0, 1.02), ylim=(1 - 1.08 * span, 1 + 0.04 * span))
    else:
        say_missing(axes)
    axes.grid(alpha=0.3)
    axes.set_xlabel("coverage: share answered, the surest first")
    axes.set_ylabel("accuracy of what is answered")
    axes.set_title(f"{results.n:,} test films", fontsize=8)
    return figure
