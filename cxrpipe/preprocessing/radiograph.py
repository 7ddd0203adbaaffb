"""The geometry of a stored radiograph: one grey square, made the same way for films and masks."""

from typing import Literal

import numpy as np
from PIL import Image

from cxrpipe.data.film import Grey


def fit_square(
    pixels: Grey, side: int, fit: Literal["pad", "stretch"], *, mask: bool = False
) -> Grey:
    """Bring a film to a square.

    Parameters
    ----------
    pixels
        (height, width) uint8.
    side
        Pixels of the square.
    fit
        ``pad`` keeps the aspect and centres the film on black; ``stretch`` fills the square.
    mask
        Keep the two values of a mask instead of blending them.

    Returns
    -------
    (side, side) uint8.
    """
    height, width = pixels.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resample = Image.Resampling.NEAREST if mask else Image.Resampling.LANCZOS
    image = Image.fromarray(pixels)
    if fit == "stretch":
        return np.asarray(image.resize((side, side), resample))
    square = np.zeros((side, side), dtype=np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = np.asarray(image.resize(size, resample))
    return square
