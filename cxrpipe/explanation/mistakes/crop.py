"""How far the lungs of a film are cut by its border."""

import cv2
import numpy as np
import numpy.typing as npt

from cxrpipe.data.films.film import Grey
from cxrpipe.explanation.mistakes.kernels import square

FLOODED = 64  # pixels of the square in which lungs are flooded
ROWS, COLUMNS = slice(10, 48), slice(6, 29)  # of these pixels, where the lung of one half lies
DEEP = 0.95  # quantile of the depth there
RANGE = (0.05, 0.95)  # quantiles between which greys are counted
SHALLOW = 0.1  # of the film's greys: less depth than that does not count as much
AIR = 0.15  # of the film's greys: what is so much darker than a lung is air
Walls = npt.NDArray[np.bool_]


def measure_crop(film: Grey) -> float:
    """Return how far a border of a film cuts a lung open, from 0 to 1.

    A lung is dark, and where it lies wholly on the film, brighter chest wall, shoulder and
    diaphragm close it in. So the film is flooded from all its borders (morphological
    reconstruction; Vincent, IEEE Trans Image Process 1993): dark places that are closed in stay
    dry, as deep as the lowest pass to a border lies above them. Then it is flooded once more with
    one border walled up, but for air, which is darker than a lung: what depth a lung gains, it
    lost over that border. Told is that part of its depth, for the border and the lung where it is
    largest. A white lung is not deep either way, and counts as not cut; a lung that two borders
    cut counts less; and frames that were not cut off mislead.
    """
    small = cv2.resize(film, (FLOODED, FLOODED), interpolation=cv2.INTER_AREA)
    heights = np.asarray(small, dtype=np.uint8)
    return max(_measure_half(heights), _measure_half(np.ascontiguousarray(heights[:, ::-1])))


def _measure_half(heights: Grey) -> float:
    """Return the largest part of the left half's depth that one of its borders takes."""
    left, top, bottom = walls = np.zeros((3, FLOODED, FLOODED), dtype=np.bool_)
    left[:, 0] = top[0, : FLOODED // 2] = bottom[-1, : FLOODED // 2] = True
    greys = float(np.ptp(np.quantile(heights, RANGE)))
    is_body = heights >= np.quantile(heights[ROWS, COLUMNS], RANGE[0]) - AIR * greys
    usual = _measure_depth(heights, np.zeros_like(left))
    deepest = max(usual, *(_measure_depth(heights, wall & is_body) for wall in walls))
    return (deepest - usual) / max(deepest, SHALLOW * greys, 1.0)


def _measure_depth(heights: Grey, walls: Walls) -> float:
    """Return how deep the lung of the left half lies dry, in grey levels."""
    depth = _flood(heights, walls) - heights
    return float(np.quantile(depth[ROWS, COLUMNS], DEEP))


def _flood(heights: Grey, walls: Walls) -> Grey:
    """Return how high the water stands that comes in over the border but for its walls."""
    water = np.full_like(heights, 255)
    border = np.ones_like(walls)
    border[1:-1, 1:-1] = False
    water[border & ~walls] = heights[border & ~walls]
    while True:
        lower = np.maximum(np.asarray(cv2.erode(water, square(3)), dtype=np.uint8), heights)
        if np.array_equal(lower, water):
            return water
        water = lower
