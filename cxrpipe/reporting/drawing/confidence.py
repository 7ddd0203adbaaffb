"""Films beside the probabilities that a model gives them, right answers and wrong ones."""

from collections.abc import Hashable, Mapping, Sequence
from textwrap import shorten
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.explained import Explained, say_findings
from cxrpipe.reporting.drawing.heatmaps import Greys
from cxrpipe.reporting.drawing.panels import DOTTED
from cxrpipe.reporting.drawing.photos import RED
from cxrpipe.reporting.drawing.style import bare, draw_nothing, readable

FILMS = 4  # right and as many wrong
BARS = 8  # findings of a film
LETTERS = 24  # of a finding's name
TITLE = 44  # of all findings of a film
BLUE, GREY = "#0072B2", "#BDBDBD"
PART = (5.2, 1.8)  # inches of a film with its bars
TOP, FILM, NAMES = 0.25, 1.4, 1.65  # inches of the heading, of a film, of names of findings


def choose_answers(films: pd.DataFrame, *, right: bool, n: int = FILMS) -> list[str]:
    """Choose films that were answered rightly, or wrongly, of as many findings as can be.

    Of each finding first that of the smallest id, which is a checksum and says nothing of a film.
    """
    answered = films[films["right"] == int(right)].sort_values("radiograph")
    turn = answered.groupby("true").cumcount()
    chosen = answered.assign(turn=turn).sort_values(["turn", "true"]).head(n)
    return [str(radiograph) for radiograph in chosen.sort_values("true")["radiograph"]]


def draw_confidence(explained: Explained) -> Figure:
    """Draw films beside the calibrated probabilities that the best model gives them.

    Right answers stand at the left, wrong ones at the right.
    """
    rows = explained.answers.films.to_dict("records")
    answers: dict[str, dict[Hashable, Any]] = {row["radiograph"]: row for row in rows}
    chosen = [choose_answers(explained.answers.films, right=right) for right in (True, False)]
    n_rows = max(map(len, chosen))
    if not n_rows:
        return draw_nothing("No test film has an answer of the best model.")
    films = explained.by_name(radiograph for column in chosen for radiograph in column)
    figure = Figure(figsize=(2 * PART[0], PART[1] * n_rows + TOP))
    figure.set_layout_engine("none")
    n_right = int(explained.answers.films["right"].sum())
    said = (
        f"{explained.best}: calibrated probabilities of {len(chosen[0])} of {n_right:,} right "
        f"answers and of {len(chosen[1])} of {len(answers) - n_right:,} wrong ones"
    )
    figure.text(0.5, 1 - 0.08 / figure.get_figheight(), said, ha="center", va="top", fontsize=8)
    for column, radiographs in enumerate(chosen):
        for row, radiograph in enumerate(radiographs):
            corner = column * PART[0], (n_rows - 1 - row) * PART[1]
            _draw_answer(figure, corner, explained, films[radiograph], answers[radiograph])
    return figure


def _place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Place axes by inches."""
    wide, tall = figure.get_size_inches()
    return figure.add_axes((left / wide, bottom / tall, width / wide, height / tall))


def _draw_answer(
    figure: Figure,
    corner: tuple[float, float],
    explained: Explained,
    pixels: Greys,
    answer: Mapping[Hashable, Any],
) -> None:
    """Draw one film, and bars of what the model gives its findings; corner: in inches."""
    left, bottom = corner
    film = _place(figure, left + 0.1, bottom + 0.08, FILM, FILM)
    film.imshow(pixels, vmin=0, vmax=255)
    film.set_axis_off()
    bars = _place(figure, left + NAMES + FILM, bottom + 0.08, PART[0] - NAMES - FILM - 0.1, FILM)
    mark, colour = ("right", "black") if answer["right"] else ("WRONG", RED)
    true, answered = (say_findings(answer[column], TITLE) for column in ("true", "said"))
    said = f"true: {true}\nsaid: {answered} ({mark})"
    wide, tall = figure.get_size_inches()
    place = (left + FILM + 0.2) / wide, (bottom + FILM + 0.12) / tall
    figure.text(*place, said, fontsize=7, color=colour, linespacing=1.15)
    shares = explained.calibrated(answer["radiograph"])
    _draw_bars(bars, shares, answer["true"].split("|"), answer["said"].split("|"))


def choose_bars(shares: Mapping[str, float], true: Sequence[str]) -> list[str]:
    """Choose the findings of highest probability and all true ones, in the order of the task."""
    by_share = sorted(shares, key=lambda finding: (finding not in true, -shares[finding]))
    return [finding for finding in shares if finding in by_share[:BARS]]


def _draw_bars(
    axes: Axes, shares: Mapping[str, float], true: Sequence[str], said: Sequence[str]
) -> None:
    """Draw a bar for each finding: that of a true one is blue, the name of a said one bold."""
    shown = choose_bars(shares, true)
    colours = [BLUE if finding in true else GREY for finding in shown]
    values = [shares[finding] for finding in shown]
    drawn = axes.barh(range(len(shown)), values, color=colours, edgecolor="black", linewidth=0.5)
    axes.bar_label(drawn, [f"{value:.0%}" for value in values], padding=2, fontsize=6.5)
    names = [
        shorten(readable(finding), LETTERS, placeholder="…") + " ✓" * (finding in true)
        for finding in shown
    ]
    axes.set_yticks(range(len(shown)), names, fontsize=6.5)
    for label, finding in zip(axes.get_yticklabels(), shown, strict=True):
        label.set_fontweight("bold" if finding in said else "normal")
    axes.set(xlim=(0, 1.18), xticks=[])
    axes.axvline(1, **DOTTED)
    axes.invert_yaxis()
    bare(axes)
