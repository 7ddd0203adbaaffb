"""Heatmaps over films, drawn from arrays alone."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.style import readable

Greys = npt.NDArray[np.uint8]
MODELS_IN_ROW = 8  # of a film's heatmaps
LETTERS = 26  # of a title that fit over a film


def overlay(pixels: Greys, heatmap: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Lay a heatmap over a film so that both stay visible.

    Parameters
    ----------
    pixels
        (side, side) uint8.
    heatmap
        (side, side) from 0 to 1; it colours the film in proportion to its value.

    Returns
    -------
    (side, side, 3) RGB from 0 to 1.
    """
    grey = np.repeat(pixels[:, :, None] / 255, 3, axis=2)
    strength = 0.55 * heatmap[:, :, None]
    return np.asarray(grey * (1 - strength) + colormaps["inferno"](heatmap)[:, :, :3] * strength)


def draw_gradcam(
    films: Sequence[tuple[str, Greys]],
    heatmaps: Mapping[str, Sequence[tuple[float, npt.NDArray[np.float32]] | None]],
    lesions: Sequence[npt.NDArray[np.bool_] | None],
) -> Figure:
    """Draw films in rows: the film, then every model's heatmap of its true finding.

    Parameters
    ----------
    films
        (finding, pixels) of each row.
    heatmaps
        Model: for each row the probability that it gives the true finding, and its heatmap; None
        where it has none, since the film is not among those of its task.
    lesions
        Mask of the known lesion of each row, outlined in the first column, or None.
    """
    lines = -(-len(heatmaps) // MODELS_IN_ROW)
    columns = 1 + -(-len(heatmaps) // lines)
    figure = Figure(figsize=(1.7 * columns + 0.6, 1.85 * len(films) * lines))
    grid = figure.subplots(len(films) * lines, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, (finding, pixels) in enumerate(films):
        places = grid[row * lines : (row + 1) * lines]
        _show(places[0, 0], pixels, f"true: {readable(finding)}")
        mask = lesions[row]
        if mask is not None:
            places[0, 0].contour(mask, levels=[0.5], colors="#56B4E9", linewidths=0.8)
        for axes, (name, drawn) in zip(places[:, 1:].flat, heatmaps.items(), strict=False):
            if heat := drawn[row]:
                _show(axes, overlay(pixels, heat[1]), f"{name}: {heat[0]:.0%}")
            else:
                axes.set_title(fill(f"{name}: not drawn", LETTERS), fontsize=7)
    scale = figure.colorbar(
        ScalarMappable(Normalize(0, 1), colormaps["inferno"]),
        ax=list(grid.flat),
        fraction=0.012,
        pad=0.01,
        ticks=[0, 1],
    )
    scale.set_label("Grad-CAM, share of each map's maximum")
    return figure


def _show(axes: Axes, picture: npt.NDArray[np.generic], title: str) -> None:
    axes.imshow(picture, vmin=0, vmax=255 if picture.dtype == np.uint8 else 1)
    axes.set_title(fill(title, LETTERS), fontsize=7)
