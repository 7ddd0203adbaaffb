"""What is known of a film, on its square: masks of any size, and boxes around findings."""

import math

import numpy as np
import numpy.typing as npt

from cxrpipe.preprocessing.radiograph import Place, Size
from cxrpipe.runtime import UserError

Mask = npt.NDArray[np.bool_]


def has_aspect_of(mask: Size, film: Size) -> bool:
    """Tell whether one of the two sizes may be the other, scaled and rounded to whole pixels."""
    return _is_scaled(mask, film) or _is_scaled(film, mask)


def _is_scaled(scaled: Size, original: Size) -> bool:
    """Tell whether a single scale gives both sides, up or down to less than a pixel."""
    lowest, highest = (
        [(new + change) / old for new, old in zip(scaled, original, strict=True)]
        for change in (-1, 1)
    )
    return max(lowest) < min(highest)


def lay_mask(mask: Mask, place: Place) -> Mask:
    """Lay a mask of any size on its film's square.

    A mask covers its film, so it lies where the film lies. Every stored pixel takes the pixel of
    the mask that its centre falls into, in one step from the mask's own size (nearest neighbour):
    stored row i of h shows row ``floor((i + 1/2) * H / h)`` of H, columns likewise. A centre on
    the border of two belongs to the lower or right one.

    Returns
    -------
    (side, side) bool, False outside the film.
    """
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip((place.height, place.width), mask.shape, strict=True)
    )
    return place.lay(mask[np.ix_(rows, columns)])


def lay_box(box: str, place: Place) -> Mask:
    """Draw a box, ``finding:left,top,width,height`` in shares of the film, on its square.

    A stored pixel is inside if its centre is, on the left and upper edge too. A box so small that
    no centre is inside covers the pixel that its own centre falls into. What reaches beyond the
    film is cut off.

    Raises
    ------
    UserError
        If it is no box, or none that touches the film.
    """
    try:
        left, top, width, height = (float(share) for share in box.rpartition(":")[2].split(","))
    except ValueError:
        left, top, width, height = (math.nan,) * 4
    if not (min(width, height) > 0 and _touches(left, width) and _touches(top, height)):
        raise UserError(f"box '{box}': give left, top, width and height as shares, from 0 to 1")
    inside = np.zeros((place.height, place.width), dtype=np.bool_)
    inside[_span(top, height, place.height), _span(left, width, place.width)] = True
    return place.lay(inside)


def _touches(start: float, length: float) -> bool:
    return start < 1 and start + length > 0 and math.isfinite(start + length)


def _span(start: float, length: float, pixels: int) -> slice:
    """Return the pixels whose centre lies from start to end, or the one at their middle."""
    low, high = max(0.0, start) * pixels, min(1.0, start + length) * pixels
    first, end = math.ceil(low - 0.5), math.ceil(high - 0.5)
    if first == end:
        first = min(math.floor((low + high) / 2), pixels - 1)
        end = first + 1
    return slice(first, end)
