"""Sheets of films: rows of square pictures, what is written above and below each, colour bars."""

from collections.abc import Sequence
from textwrap import fill, wrap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

Picture = npt.NDArray[np.generic]
FILM_DPI = 100  # of a sheet of films: they are many, and small
POINTS = 7.0  # height of letters
LETTER, LINE = 0.058, 0.122  # inches of a letter, and from line to line
GAP = 0.07  # inches between pictures
BARS = 0.52  # inches of colour bars with their words
BLUE, RED = "#56B4E9", "#D00000"
LEAST_WIDTH, LEAST_HEIGHT = 5.0, 0.01  # inches of a sheet, so that its heading fits; of a row


class Photo(NamedTuple):
    """One picture of a sheet.

    Attributes
    ----------
    picture
        (side, side) uint8 grey, or (side, side, 3) RGB from 0 to 1.
    above, below
        What is written; it is wrapped to the width of the picture.
    outline
        (side, side) mask whose edge is drawn, such as a known lesion.
    framed
        Whether a red frame asks to look.
    """

    picture: Picture | None
    above: str = ""
    below: str = ""
    outline: npt.NDArray[np.bool_] | None = None
    framed: bool = False


class Row(NamedTuple):
    """Pictures beside each other, and what is said of all of them above."""

    photos: Sequence[Photo]
    heading: str = ""


class Bar(NamedTuple):
    """What the colours of heatmaps mean."""

    colours: Colormap
    low: float
    label: str


class Space(NamedTuple):
    """Inches of a row: of its heading, what is above its pictures, the pictures, what is below."""

    heading: float
    above: float
    picture: float
    below: float


def draw_sheet(
    rows: Sequence[Row], side: float, heading: str = "", bars: Sequence[Bar] = ()
) -> Figure:
    """Draw rows of square pictures at exact places.

    Parameters
    ----------
    side
        Inches of a picture.
    heading
        Of the whole sheet.

    Returns
    -------
    A figure whose axes are the pictures row by row, those without a picture too, then the bars.
    """
    columns = max(len(row.photos) for row in rows)
    spaces = [_measure(row, side) for row in rows]
    width = max(columns * (side + GAP) + GAP, LEAST_WIDTH)
    said = wrap(heading, int((width - 0.1) / LETTER))
    top = 0.06 + LINE * len(said) + (BARS if bars else 0.05)
    height = top + sum(sum(space) + GAP for space in spaces)
    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("none")
    _write(figure, 0.05, height - 0.05, "\n".join(said))
    edge = height - top
    for row, space in zip(rows, spaces, strict=True):
        _draw_row(figure, row, space, edge, side)
        edge -= sum(space) + GAP
    for place, bar in enumerate(bars):
        _draw_bar(figure, bar, (0.1 + 2.6 * place, height - top + 0.3))
    return figure


def fold(text: str, side: float) -> str:
    """Wrap text, line by line, to the width of a picture of so many inches."""
    letters = max(4, int(side / LETTER))
    return "\n".join(fill(line, letters, break_on_hyphens=False) for line in text.split("\n"))


def _measure(row: Row, side: float) -> Space:
    """Measure the space of a row; one without any picture has but words."""
    texts = [[photo.above for photo in row.photos], [photo.below for photo in row.photos]]
    above, below = (
        max((_tall(fold(text, side)) for text in of_row if text), default=0.0) for of_row in texts
    )
    seen = any(photo.picture is not None for photo in row.photos)
    return Space(_tall(row.heading), above, side if seen else LEAST_HEIGHT, below)


def _tall(text: str) -> float:
    """Return the height of text in inches."""
    return LINE * (text.count("\n") + 1) + 0.03 if text else 0.0


def _draw_row(figure: Figure, row: Row, space: Space, edge: float, side: float) -> None:
    """Draw a row whose upper edge is so many inches above the bottom of the sheet."""
    width, height = figure.get_size_inches()
    if row.heading:
        _write(figure, GAP, edge, row.heading, weight="bold")
    bottom = edge - space.heading - space.above - space.picture
    for place, photo in enumerate(row.photos):
        left = GAP + place * (side + GAP)
        bounds = (left / width, bottom / height, side / width, space.picture / height)
        _draw_photo(figure.add_axes(bounds), photo, side)


def _draw_photo(axes: Axes, photo: Photo, side: float) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=photo.framed, color=RED, linewidth=2)
    axes.set_title(fold(photo.above, side), fontsize=POINTS, pad=2, linespacing=1.15)
    axes.set_xlabel(fold(photo.below, side), fontsize=POINTS, labelpad=2, linespacing=1.15)
    if photo.picture is None:
        axes.patch.set_visible(False)
        return
    axes.imshow(photo.picture, vmin=0, vmax=255 if photo.picture.dtype == np.uint8 else 1)
    if photo.outline is not None and photo.outline.any() and not photo.outline.all():
        axes.contour(photo.outline, levels=[0.5], colors=BLUE, linewidths=0.8)


def _draw_bar(figure: Figure, bar: Bar, corner: tuple[float, float]) -> None:
    """Draw a bar whose left lower corner lies so many inches from that of the sheet."""
    width, height = figure.get_size_inches()
    left, bottom = corner
    axes = figure.add_axes((left / width, bottom / height, 2.2 / width, 0.09 / height))
    ticks = [bar.low, 0, 1] if bar.low else [0, 1]
    colours = ScalarMappable(Normalize(bar.low, 1), bar.colours)
    figure.colorbar(colours, cax=axes, orientation="horizontal", ticks=ticks)
    axes.tick_params(labelsize=POINTS, length=2, pad=1)
    axes.set_title(bar.label, fontsize=POINTS, pad=2, loc="left")


def _write(figure: Figure, left: float, top: float, text: str, weight: str = "normal") -> None:
    width, height = figure.get_size_inches()
    look: dict[str, Any] = {"fontsize": POINTS + 0.5, "fontweight": weight, "linespacing": 1.15}
    figure.text(left / width, top / height, text, ha="left", va="top", **look)
