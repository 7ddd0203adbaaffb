"""Heatmaps over films, drawn from arrays alone."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

from cxrpipe.reporting.drawing.photos import Bar, Photo, Row, draw_sheet
from cxrpipe.reporting.drawing.style import readable

Greys = npt.NDArray[np.uint8]
Heatmap = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
MODELS_IN_ROW = 8  # of a film's heatmaps
SIDE = 1.4  # inches of a film
STRENGTH = 0.55  # of the colour where a heatmap is highest, beside the film's 0.45
# Dark against and light for a finding, so that the sign is told without colour.
SIGNED: Colormap = LinearSegmentedColormap.from_list(
    "signed", ["#002B7F", "#3B6FB6", "#808080", "#E69F00", "#FFE27A"]
)
METHODS = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "hirescam": "HiRes-CAM",
    "cam": "CAM (signed)",
    "ablationcam": "Ablation-CAM",
    "integrated": "integrated gradients",
}


def overlay(pixels: Greys, heatmap: Heatmap, *, signed: bool = False) -> npt.NDArray[np.float64]:
    """Lay a heatmap over a film so that both stay visible.

    Parameters
    ----------
    pixels
        (height, width) uint8.
    heatmap
        (height, width) from 0 to 1, or from -1 to 1 where it is signed; it colours the film in
        proportion to its value.

    Returns
    -------
    (height, width, 3) RGB from 0 to 1.
    """
    grey = np.repeat(pixels[:, :, None] / 255, 3, axis=2)
    strength = STRENGTH * np.abs(heatmap[:, :, None])
    colours = SIGNED((heatmap + 1) / 2) if signed else colormaps["inferno"](heatmap)
    laid = grey * (1 - strength) + colours[:, :, :3] * strength
    return np.asarray(np.clip(laid, 0, 1))  # rounding may leave it a little above


def lay(heatmap: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Bring a heatmap to the height and width of what it is laid over, linearly."""
    if heatmap.shape == size:
        return heatmap
    laid = cv2.resize(heatmap, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(laid, dtype=np.float32)


def show_heat(pixels: Greys, heatmap: Heatmap, above: str, method: str = "gradcam") -> Photo:
    """Return a film with a heatmap of any side over it, and what is written above."""
    height, width = pixels.shape
    laid = lay(heatmap, (height, width))
    return Photo(overlay(pixels, laid, signed=method == "cam"), above)


def bar_of(method: str) -> Bar:
    """Return the colour bar of a method's heatmaps."""
    if method == "cam":
        return Bar(SIGNED, -1.0, "against and for, share of the largest")
    name = f"{METHODS[method]}, " if method in METHODS else ""
    return Bar(colormaps["inferno"], 0.0, f"{name}share of each map's maximum")


def draw_gradcam(
    films: Sequence[tuple[str, Greys]],
    heatmaps: Mapping[str, Sequence[tuple[float, Heatmap] | None]],
    lesions: Sequence[Mask | None],
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
    n_lines = -(-len(heatmaps) // MODELS_IN_ROW)
    in_line = -(-len(heatmaps) // n_lines)
    rows = []
    for place, ((finding, pixels), lesion) in enumerate(zip(films, lesions, strict=True)):
        film = Photo(pixels, f"true: {readable(finding)}", outline=lesion)
        shown = [
            show_heat(pixels, heat[1], f"{readable(name)}: {heat[0]:.0%}")
            if (heat := drawn[place])
            else Photo(None, f"{readable(name)}: not drawn")
            for name, drawn in heatmaps.items()
        ]
        shown += [Photo(None)] * (n_lines * in_line - len(shown))
        for line in range(n_lines):
            first = film if line == 0 else Photo(None)
            rows.append(Row([first, *shown[line * in_line : (line + 1) * in_line]]))
    return draw_sheet(rows, SIDE, bars=[bar_of("gradcam")])
