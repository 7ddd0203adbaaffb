"""Scores of heatmaps against what is known of the films, each model beside chance."""

from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cxrpipe.reporting.drawing.explained import Explained, Told, estimate_of, part_of
from cxrpipe.reporting.drawing.panels import BEST, Look, wrap_name
from cxrpipe.reporting.drawing.results import Estimate, say_estimate
from cxrpipe.reporting.drawing.style import GREY, bare, draw_nothing

BLUE = "#0072B2"
NOTHING = "No test film has a known lesion, box or lung: the heatmaps were not scored."
CHANCES = {"film": "o", "lungs": "^"}  # a random point of the film, of the lungs; marks


class Score(NamedTuple):
    """One score of one model's heatmaps: a share from 0 to 1."""

    n: int
    value: Estimate
    chances: Mapping[str, float | None]  # by where random points or areas lie


# What is drawn, from the top, and where it stands in the scores of a model.
GAMES = {
    "pointing game: the maximum lies on the lesion": (),
    "pointing game, focal findings": ("focal",),
    "pointing game, all weights randomised": ("randomised", "pointing"),
    "pointing game, focal, all weights randomised": ("randomised", "pointing", "focal"),
}
SHARES = {
    "heatmap inside the lungs (masks)": ("lungs", "mask"),
    "heatmap inside the lungs (geometric stand-in)": ("lungs", "stand_in"),
    "overlap with lesion masks (IoU)": ("overlap", "by", "lesions"),
    "overlap with boxes (IoU)": ("overlap", "by", "boxes"),
}


def read_game(told: Told) -> Score:
    """Read a pointing game: share of hits, and what random points would hit."""
    value = {"value": told.get("share"), "low": told.get("low"), "high": told.get("high")}
    chances = {where: told.get(f"chance_{where}") for where in CHANCES}
    return Score(told.get("n", 0), value, chances)


def read_share(told: Told) -> Score:
    """Read a share of the heatmaps' mass, or their overlap, and what chance gives."""
    value = estimate_of(told, "iou" if "iou" in told else "share")
    return Score(told.get("n", 0), value, {"film": estimate_of(told, "chance")["value"]})


def read_scores(told: Told) -> dict[str, Score]:
    """Read the scores of one model that are of any film, by what is drawn."""
    scores = {said: read_game(part_of(told, *keys)) for said, keys in GAMES.items()}
    scores |= {said: read_share(part_of(told, *keys)) for said, keys in SHARES.items()}
    return {said: score for said, score in scores.items() if score.n}


def draw_localisation(explained: Explained) -> Figure:
    """Draw every score of the heatmaps of every model with its interval, beside chance."""
    told = {name: explained.models[name].localisation for name in explained.shown}
    scores = {name: read_scores(of_model) for name, of_model in told.items()}
    parts = {
        said: {name: found[said] for name, found in scores.items() if said in found}
        for said in (*GAMES, *SHARES)
        if any(said in found for found in scores.values())
    }
    if not parts:
        return draw_nothing(NOTHING)
    return _draw_parts(explained, parts)


def _draw_parts(explained: Explained, parts: Mapping[str, Mapping[str, Score]]) -> Figure:
    n_rows = sum(1 + len(scores) for scores in parts.values())
    figure = Figure(figsize=(10.4, 0.21 * n_rows + 1.2))
    axes = figure.add_subplot()
    labels: list[tuple[str, str]] = []  # text and weight of each row
    for measure, scores in parts.items():
        labels.append((measure, "bold"))
        for name, score in scores.items():
            best = name == explained.best
            _draw_score(axes, len(labels), score, best=best)
            said = wrap_name(name, 60).split("\n")[0]
            labels.append((f"{BEST} " * best + f"{said}, n {score.n:,}", "normal"))
    axes.set(xlim=(-0.01, 1.01), ylim=(n_rows - 0.4, -0.6))
    axes.set_yticks(range(n_rows), [text for text, _ in labels])
    for label, (_, weight) in zip(axes.get_yticklabels(), labels, strict=True):
        label.set_fontweight(weight)
    axes.set_xlabel("share")
    axes.grid(axis="x", alpha=0.3)
    bare(axes)
    _explain_marks(figure, explained)
    return figure


def _draw_score(axes: Axes, place: int, score: Score, *, best: bool) -> None:
    """Draw a score with its interval and what chance gives, and write it to the right."""
    colour = BLUE if best else "black"
    for where, value in score.chances.items():
        if value is not None:
            axes.plot(value, place, CHANCES[where], mfc="white", mec=GREY, ms=5)
    said = say_estimate(score.value)
    across = axes.get_yaxis_transform()
    axes.text(1.01, place, said, transform=across, va="center", fontsize=7.5, color=colour)
    if score.value["value"] is None:
        return
    if score.value["low"] is not None and score.value["high"] is not None:
        axes.hlines(place, score.value["low"], score.value["high"], color=colour, lw=1.4)
    axes.plot(score.value["value"], place, "D" if best else "s", color=colour, ms=5)


def _explain_marks(figure: Figure, explained: Explained) -> None:
    chance: Look = {"ls": "", "mfc": "white", "mec": GREY, "ms": 5}
    marks = {
        f"score, bar: {explained.interval}": Line2D([], [], marker="s", color="black", ms=5),
        "chance: anywhere on the film": Line2D([], [], marker=CHANCES["film"], **chance),
        "chance: anywhere in the lungs": Line2D([], [], marker=CHANCES["lungs"], **chance),
    }
    figure.legend(marks.values(), marks, loc="outside upper left", ncols=3)
    limits = (
        part_of(explained.models[name].localisation, "focal").get("limit")
        for name in explained.shown
    )
    limit = next((f"{limit:.0%}" for limit in limits if limit), "")
    focal = f" Focal: the median lesion is at most {limit} of the lungs." if limit else ""
    said = f"{BEST} best on validation; n: test films scored.{focal}{explained.how_many()}"
    figure.supxlabel(said, fontsize=8)
