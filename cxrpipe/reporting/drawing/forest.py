"""Scores with their intervals: models and parts of the test films below each other."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.panels import BEST, DOTTED, WIDTH
from cxrpipe.reporting.drawing.results import (
    SCORES,
    Estimate,
    Results,
    Scored,
    pick,
    say_estimate,
)
from cxrpipe.reporting.drawing.style import bare, readable

BLUE = "#0072B2"
KINDS = {"source": "source", "view": "view", "sex": "sex", "age": "age (years)"}
UNKNOWN = "unknown"


class Row(NamedTuple):
    """One line of a forest plot: a heading, or a scored model or part of the films."""

    label: str
    scored: Scored | None = None
    best: bool = False


def draw_forest(results: Results) -> Figure:
    """Draw the scores of all models and ensembles with their intervals, a panel for every score.

    Below the best model stand the sources that none of its training films come from.
    """
    rows = []
    for name, model in results.models.items():
        best = name == results.best
        rows.append(Row(f"{BEST} " * best + readable(name), model["test"], best))
        sources = model["subgroups"]["source"] if best else {}
        rows += [
            Row(f"{readable(source)}, held out of training, n {part['n']:,}", part)
            for source, part in sources.items()
            if part["held_out"]
        ]
    for name, ensemble in results.task["ensembles"].items():
        rows.append(Row(f"ensemble {name}, of {len(ensemble['models'])} models"))
        rows += [Row("majority vote", ensemble["vote"]), Row("mean probability", ensemble["mean"])]
    figure = _draw_rows(results, rows)
    majority = results.task["majority"]["test"]
    plain = {"accuracy": majority["accuracy"], **majority["macro"]}
    for axes, score in zip(figure.axes, results.scores, strict=True):
        _mark(axes, plain[score], "majority")
    return figure


def draw_subgroups(results: Results) -> Figure:
    """Draw the scores of the best model in parts of the test films, a panel for every score."""
    best = results.models[results.best]
    rows = [Row(f"{BEST} {readable(results.best)}, all films", best["test"], True)]
    for kind, named in KINDS.items():
        parts: Mapping[str, Any] = best["subgroups"][kind]
        if set(parts) <= {UNKNOWN}:
            rows.append(Row(f"{named}: not known"))
            continue
        rows.append(Row(named))
        for name, part in parts.items():
            held_out = ", held out of training" if part.get("held_out") else ""
            rows.append(Row(f"{readable(name)}{held_out}, n {part['n']:,}", part))
    figure = _draw_rows(results, rows)
    for axes, score in zip(figure.axes, results.scores, strict=True):
        estimate = pick(best["test"], score)
        _mark(axes, estimate["value"] if estimate else None, "all films")
    return figure


def _draw_rows(results: Results, rows: Sequence[Row]) -> Figure:
    """Draw the rows from the top, in each panel one score, its number to the right."""
    figure = Figure(figsize=(WIDTH, 0.22 * len(rows) + 1.3))
    panels = figure.subplots(1, len(results.scores), sharey=True)
    for axes, score in zip(panels, results.scores, strict=True):
        estimates = [row.scored and pick(row.scored, score) for row in rows]
        for place, (row, estimate) in enumerate(zip(rows, estimates, strict=True)):
            if row.scored is not None:
                _draw_estimate(axes, place, estimate, best=row.best)
        axes.set_xlim(fit_limits([estimate for estimate in estimates if estimate]))
        axes.xaxis.get_major_locator().set_params(nbins=4)
        axes.set_xlabel(SCORES[score])
        axes.grid(axis="x", alpha=0.3)
        bare(axes)
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    panels[0].set_yticks(range(len(rows)), [row.label for row in rows])
    for label, row in zip(panels[0].get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.best or row.scored is None else "normal")
    figure.suptitle(
        f"{results.n:,} test films of {results.task['test']['groups']:,} patients (or clusters of "
        f"copies); bars: {results.interval}s; {BEST} best on validation",
        fontsize=8,
    )
    return figure


def _draw_estimate(axes: Axes, place: int, estimate: Estimate | None, *, best: bool) -> None:
    """Draw a score as a mark with its interval, and write it to the right of the panel."""
    colour = BLUE if best else "black"
    across = axes.get_yaxis_transform()
    said = say_estimate(estimate)
    axes.text(1.02, place, said, transform=across, va="center", fontsize=7, color=colour)
    if estimate is None or estimate["value"] is None:
        return
    axes.plot(estimate["value"], place, "D" if best else "s", color=colour, ms=6 if best else 4)
    if estimate["low"] is not None and estimate["high"] is not None:
        axes.hlines(place, estimate["low"], estimate["high"], color=colour, lw=1.4)


def fit_limits(estimates: Sequence[Estimate]) -> tuple[float, float]:
    """Return limits of an axis that holds all scores and intervals that can be estimated."""
    known = [
        value
        for estimate in estimates
        for key in ("value", "low", "high")
        if (value := estimate[key]) is not None
    ]
    if not known:
        return 0.0, 1.0
    margin = max(0.05 * (max(known) - min(known)), 0.005)
    return min(known) - margin, max(known) + margin


def _mark(axes: Axes, value: float | None, named: str) -> None:
    """Mark a score by a dotted line, and name it; one far below the others is only named."""
    if value is None:
        return
    low, high = axes.get_xlim()
    far = value < low - 0.5 * (high - low)
    if not far:
        axes.axvline(value, **DOTTED, zorder=0)
        axes.set_xlim(fit_limits([{"value": value, "low": low, "high": high}]))
    where = "left of the axis" if far else "dotted"
    axes.set_xlabel(f"{axes.get_xlabel()}\n{named} {value:.3f} ({where})")
