"""A heatmap over a film at the film's own resolution, with what it means in a strip below."""

from collections.abc import Sequence
from io import BytesIO
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from cxrpipe.preprocessing.radiograph import find_place, resample
from cxrpipe.reporting.drawing.heatmaps import Greys, Heatmap, lay, overlay
from cxrpipe.runtime import RESEARCH_USE

MOST_PIXELS = 40_000_000  # of a film that is drawn at its own resolution
ROWS = 512  # that are coloured at once: colours of a whole film would take gigabytes
LEAST_WIDTH = 640  # pixels of a picture, so that the strip can be read
STRIP = (6.4, 0.9)  # inches; it is drawn as wide as the picture
Fit = Literal["pad", "stretch"]
Picture = npt.NDArray[np.uint8]  # (height, width, 3) RGB


class Size(NamedTuple):
    """Height and width in pixels."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width:,} × {self.height:,} pixels"


def fit_size(size: Size, most: int) -> Size:
    """Return the size at which a film is drawn: its own, or one of as many pixels as allowed."""
    scale = min(1.0, (most / (size.height * size.width)) ** 0.5)
    return Size(max(1, int(size.height * scale)), max(1, int(size.width * scale)))


def cut_to_film(heatmap: Heatmap, film: Size, fit: Fit) -> Heatmap:
    """Cut out of a heatmap of the stored square what lies on the film.

    Parameters
    ----------
    heatmap
        (side, side).
    film
        Size of the film as it came.
    fit
        How it was brought to its square: with ``pad``, black that is no film lies around it.
    """
    place = find_place(film, len(heatmap), fit)
    return np.ascontiguousarray(
        heatmap[place.top : place.top + place.height, place.left : place.left + place.width]
    )


def draw_overlay(
    film: Greys, heatmap: Heatmap, fit: Fit, said: Sequence[str], most: int = MOST_PIXELS
) -> Picture:
    """Lay a heatmap over a film at its own resolution, and write what it means below.

    Parameters
    ----------
    film
        (height, width) as it came.
    heatmap
        (side, side) from 0 to 1, of the stored square.
    fit
        How the film was brought to that square.
    said
        Lines of the strip.
    most
        A film of more pixels is drawn smaller, which is said.

    Returns
    -------
    The film is at the top, in the middle of a picture of at least ``LEAST_WIDTH``.
    """
    own = Size(film.shape[0], film.shape[1])
    size = fit_size(own, most)
    if size != own:
        film = resample(film, size)
        said = [*said, f"drawn at {size}; the film has {own}"]
    laid = lay(cut_to_film(heatmap, own, fit), size)
    strip = draw_strip(said, max(size.width, LEAST_WIDTH))
    width = strip.shape[1]
    picture = np.full((size.height + len(strip), width, 3), 255, np.uint8)
    left = (width - size.width) // 2
    for top in range(0, size.height, ROWS):
        rows = slice(top, min(top + ROWS, size.height))
        coloured = overlay(film[rows], laid[rows])
        picture[rows, left : left + size.width] = np.round(255 * coloured)
    picture[size.height :] = strip
    return picture


def draw_strip(said: Sequence[str], width: int) -> Picture:
    """Draw the colour bar and lines of text, (height, width, 3), as large as the width asks for."""
    inches, tall = STRIP
    figure = Figure(figsize=(inches, tall))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.03, 0.42, 0.3, 0.16))
    colours = ScalarMappable(Normalize(0, 1), colormaps["inferno"])
    figure.colorbar(colours, cax=axes, orientation="horizontal", ticks=[0, 1])
    axes.tick_params(labelsize=7)
    axes.set_title("share of the heatmap's maximum", fontsize=7, loc="left", pad=3)
    figure.text(0.37, 0.93, "\n".join(said), fontsize=7, va="top", linespacing=1.25)
    figure.text(0.03, 0.06, RESEARCH_USE, fontsize=6, color="#404040")
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=width / inches)
    with Image.open(drawn) as strip:
        pixels = strip.convert("RGB").resize((width, round(width * tall / inches)))
    return np.asarray(pixels, dtype=np.uint8)
