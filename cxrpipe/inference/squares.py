"""The preparation of films as a part of a network's graph: of any size, without OpenCV."""

import torch
from torch.nn import functional

from cxrpipe.config import Preprocess
from cxrpipe.preprocessing.radiograph import MANY

Length = int | torch.SymInt  # a symbol of a graph, or a number


def takes_any_size(settings: Preprocess) -> bool:
    """Tell whether the preparation can be part of a graph: blur and CLAHE cannot."""
    return not (settings.blur or settings.clahe)


def say_sizes(settings: Preprocess) -> str:
    """Say which films a graph takes."""
    if takes_any_size(settings):
        return "of any size"
    return f"that cxrpipe prepared, squares of {settings.side} pixels"


def fit_squares(films: torch.Tensor, settings: Preprocess) -> torch.Tensor:
    """Bring films to the squares that a network takes, as ``radiograph.fit_square`` does.

    Films that are such squares stay exactly as they are. Others differ by a grey level here and
    there, since OpenCV computes with whole numbers; where one axis alone shrinks by ``MANY`` or
    more, by two in places, since greys are not rounded between the axes.

    Parameters
    ----------
    films
        (n, 1, height, width) uint8; height and width may be symbols of a graph.

    Returns
    -------
    (n, 1, side, side) float32, whole numbers from 0 to 255.
    """
    height, width = films.shape[2:]
    longest = torch.maximum(_number(height), _number(width))
    rows, columns = (weigh(length, longest, settings) for length in (height, width))
    points = to_grey(rows @ films.double() @ columns.T).float()
    return to_grey(functional.avg_pool2d(points, 2))


def weigh(length: Length, longest: torch.Tensor, settings: Preprocess) -> torch.Tensor:
    """Weigh the pixels along one axis of a film for the points along that of its square.

    A stored pixel is the mean of two points; see ``radiograph.resample``. Where the axis shrinks by
    ``MANY`` or more, both are the mean over the pixel's area; where it shrinks by less, each is
    interpolated linearly at its own place; else both in the middle.

    Parameters
    ----------
    length, longest
        Pixels of the film along this axis, and along its longer one.

    Returns
    -------
    (2 * side, length) float64, so that all machines round alike. Rows of zeros are black around
    the film.
    """
    side, old = settings.side, _number(length)
    new = torch.full_like(old, side)
    if settings.fit == "pad":
        new = torch.round(old * side / longest).clamp(min=1)
    top, step = torch.floor((side - new) / 2), old / new
    point = torch.arange(2 * side, dtype=torch.float64)[:, None]
    cell, pixel = torch.floor(point / 2) - top, torch.arange(length, dtype=torch.float64)
    ends = torch.minimum(pixel + 1, (cell + 1) * step)
    areas = (ends - torch.maximum(pixel, cell * step)).clamp(min=0) / step
    middle = torch.where(step > 1, point / 2 + 0.25 - top, cell + 0.5)
    place = torch.minimum((middle * step - 0.5).clamp(min=0), old - 1)
    lines = (1 - (place - pixel).abs()).clamp(min=0)
    inside = (cell >= 0) & (cell < new)
    return torch.where(step >= MANY, areas, lines) * inside


def _number(length: Length) -> torch.Tensor:
    return torch.scalar_tensor(length, dtype=torch.float64)


def to_grey(values: torch.Tensor) -> torch.Tensor:
    """Round to whole grey levels; halves go up, also such as fall short by the last bits."""
    return torch.floor(values + (0.5 + 1e-6))
