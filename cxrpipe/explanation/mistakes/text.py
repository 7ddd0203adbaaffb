"""How much of a film is under letters that are burned into it."""

import cv2
import numpy as np
import numpy.typing as npt

from cxrpipe.data.films.film import Grey
from cxrpipe.explanation.mistakes.kernels import odd, square

# Chosen on phantoms and on real films that were looked at; lengths are shares of the longer side.
STROKE = 0.07  # what is narrower can be a stroke of a letter
HEIGHT, WIDTH = (0.015, 0.12), 0.25  # of a letter, and of letters that touch each other
ASPECT = (0.2, 4.0)
FILLED = (0.3, 0.95)  # share of its box that a letter fills: less than a block, more than a slant
RAISED, BRIGHTER = 0.2, 0.25  # of the scale: above what is around; and at the brightest place
SHARP = 0.55  # step at its edge as a share of its height above what is around
NEAR = 0.15  # from the middle of a letter to the nearest border, as a share of the side


def measure_text(film: Grey) -> float:
    """Return the share of a film that burned-in letters and markers cover, from 0 to 1.

    A letter is a small bright part (white top-hat) that is upright, as its filled box tells, of
    sharp edges, near the border, and does not touch it. Letters that are dark, slanted, or farther
    in than 0.15 of the side are not seen; an electrode at the border can be taken for one.
    """
    found = _find_letters(film)
    return float(found.sum() / film.size)


def _find_letters(film: Grey) -> npt.NDArray[np.int64]:
    """Return the number of pixels of each letter."""
    side, (height, width) = max(film.shape), film.shape
    top_hat = cv2.morphologyEx(film, cv2.MORPH_TOPHAT, square(odd(STROKE * side)))
    raised = np.asarray(top_hat, dtype=np.uint8)
    parts = (raised > 255 * RAISED).astype(np.uint8)
    _, found, boxes, middles = cv2.connectedComponentsWithStats(parts, connectivity=8)
    labels = np.asarray(found, dtype=np.int32)
    left, top, wide, high, area = np.asarray(boxes, dtype=np.int64).T
    to_border = np.minimum(*(np.minimum(at, 1 - at) for at in (middles / (width, height)).T))
    inside = (left > 0) & (top > 0) & (left + wide < width) & (top + high < height)
    most, edge = _heights(raised, labels, len(boxes)), _edges(film, parts, labels, len(boxes))
    letters = (
        inside
        & (to_border <= NEAR)
        & _between(high / side, *HEIGHT)
        & (wide / side <= WIDTH)
        & _between(wide / high, *ASPECT)
        & _between(area / (wide * high), *FILLED)
        & (most >= 255 * BRIGHTER)
        & (edge >= SHARP * most)
    )
    return np.asarray(
        area[letters & (np.arange(len(boxes)) > 0)]
    )  # 0 is what is around all of them


def _heights(raised: Grey, labels: npt.NDArray[np.int32], n: int) -> npt.NDArray[np.float64]:
    """Return how much the brightest pixel of each part (n,) is above what is around it."""
    most = np.zeros(n)
    inside = labels > 0
    np.maximum.at(most, labels[inside], raised[inside])
    return most


def _edges(
    film: Grey, parts: Grey, labels: npt.NDArray[np.int32], n: int
) -> npt.NDArray[np.float64]:
    """Return the mean step of the greys along the outline of each part (n,)."""
    steps = cv2.morphologyEx(film, cv2.MORPH_GRADIENT, square(3))
    outline = parts > cv2.erode(parts, square(3))
    of_part = labels[outline]
    sums, counts = np.bincount(of_part, steps[outline], n), np.bincount(of_part, minlength=n)
    return np.asarray(sums / np.maximum(counts, 1))


def _between(values: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.bool_]:
    return np.asarray((low <= values) & (values <= high))
