"""The figures of what was trained, each drawn from tables and arrays alone."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cxrpipe.reporting.drawing import readable

Greys = npt.NDArray[np.uint8]


def draw_curves(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw loss and accuracy of every model by epoch, the kept epoch marked with a ring."""
    figure = Figure(figsize=(9, 3.4))
    for axes, measure in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for number, (name, history) in enumerate(histories.items()):
            colour = f"C{number}"
            axes.plot(history["epoch"], history[f"train_{measure}"], "--", color=colour, alpha=0.6)
            axes.plot(history["epoch"], history[f"validation_{measure}"], color=colour, label=name)
            best = history[history["best"] == 1]
            axes.plot(
                best["epoch"], best[f"validation_{measure}"], "o", color=colour, mfc="none", ms=9
            )
        axes.set_xlabel("epoch")
        axes.set_ylabel(measure + (" (nats)" if measure == "loss" else ""))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    figure.axes[1].legend(title="solid: validation\ndashed: training\nring: kept epoch")
    return figure


def draw_confusion(
    confusions: Mapping[str, npt.NDArray[np.int64]], findings: Sequence[str]
) -> Figure:
    """Draw the confusion matrix of every model: counts, and shade by share of the true class."""
    n = len(findings)
    figure = Figure(figsize=(len(confusions) * (0.55 * n + 0.4) + 1.2, 0.55 * n + 1.6))
    grid = figure.subplots(1, len(confusions), squeeze=False, sharey=True)[0]
    for axes, (name, counts) in zip(grid, confusions.items(), strict=True):
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row in range(n):
            for column in range(n):
                axes.text(
                    column,
                    row,
                    f"{counts[row, column]}\n{shares[row, column]:.0%}"
                    if shares[row, column]
                    else "0",
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="white" if shares[row, column] > 0.5 else "black",
                )
        axes.set_title(name)
        axes.set_xticks(range(n), [readable(f) for f in findings], rotation=40, ha="right")
        axes.set_yticks(range(n), [readable(f) for f in findings])
        axes.set_xlabel("predicted")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    grid[0].set_ylabel("true")
    return figure


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
    heatmaps: Mapping[str, Sequence[tuple[float, npt.NDArray[np.float32]]]],
    lesions: Sequence[npt.NDArray[np.bool_] | None],
) -> Figure:
    """Draw films in rows: the film, then every model's heatmap of its true finding.

    Parameters
    ----------
    films
        (finding, pixels) of each row.
    heatmaps
        Model: for each row the probability that it gives the true finding, and its heatmap.
    lesions
        Mask of the known lesion of each row, outlined in the first column, or None.
    """
    columns = 1 + len(heatmaps)
    figure = Figure(figsize=(1.7 * columns + 0.6, 1.85 * len(films)))
    grid = figure.subplots(len(films), columns, squeeze=False)
    for row, (finding, pixels) in enumerate(films):
        _show(grid[row, 0], pixels, f"true: {readable(finding)}")
        mask = lesions[row]
        if mask is not None:
            grid[row, 0].contour(mask, levels=[0.5], colors="#56B4E9", linewidths=0.8)
        for column, (name, drawn) in enumerate(heatmaps.items(), 1):
            probability, heatmap = drawn[row]
            _show(grid[row, column], overlay(pixels, heatmap), f"{name}: {probability:.0%}")
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
    axes.set_title(title, fontsize=7)
    axes.set_axis_off()
