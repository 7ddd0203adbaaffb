"""How much of a film is under wires, leads and tubes."""

import cv2
import numpy as np
import numpy.typing as npt

from cxrpipe.data.films.film import Grey
from cxrpipe.explanation.mistakes.kernels import odd

# Chosen on phantoms and on real films that were looked at; lengths are shares of the longer side.
LENGTH = 0.04  # over which a wire is straight
BESIDE = 0.008  # from its middle to what is beside it; two pixels at least
AROUND = 0.04  # standard deviation of the weights with which contrast is measured
STEP = 22.5  # degrees from one direction to the next
CLEAR = 0.5  # standard deviations that a wire is brighter than both its sides
RIM = 0.03  # of the film that is not looked at
EVEN = 4.0  # grey levels of contrast that count as none
Floats = npt.NDArray[np.float32]


def measure_devices(film: Grey) -> float:
    """Return the share of a film that wires, leads and tubes cover, from 0 to 1.

    A wire is brighter than both its sides over a length, in some direction, as an edge of a lung
    or a rib is not: the grey, averaged along the direction, less that of the brighter side. Greys
    are counted in standard deviations around the place, so that dull films tell as much as hard
    ones. The grain of a film has as many dark lines as bright ones: the share of dark ones is
    taken off. Broad devices, such as pacemakers, are seen by their outline alone; calcified ribs,
    and what is finer than two pixels of 256, are its errors.
    """
    contrast, rim = _equalise(film), round(RIM * max(film.shape))
    lines = np.zeros((*film.shape, 2), np.float32)
    for direction in np.arange(0, 90, STEP):
        np.maximum(lines, _find_crossing(contrast, direction), out=lines)
    inner = lines[rim : film.shape[0] - rim, rim : film.shape[1] - rim]
    bright, dark = (inner > CLEAR).sum(axis=(0, 1)) / film.size
    return max(0.0, float(bright - dark))


def _equalise(film: Grey) -> Floats:
    """Return greys in standard deviations from the mean around them."""
    greys, reach = film.astype(np.float32), AROUND * max(film.shape)
    mean, square = (cv2.GaussianBlur(part, (0, 0), reach) for part in (greys, greys**2))
    spread = np.sqrt(np.maximum(square - mean**2, 0) + EVEN**2)
    return np.asarray((greys - mean) / spread, dtype=np.float32)


def _find_crossing(contrast: Floats, direction: float) -> Floats:
    """Find lines along a direction in degrees, and across it: (height, width, 2), as below.

    The film is turned so that they lie along rows and columns, and the answer is turned back.
    """
    height, width = contrast.shape
    room = 2 * int(np.ceil(np.hypot(height, width) / 2))
    middle = ((width - 1) / 2, (height - 1) / 2)
    turn = np.asarray(cv2.getRotationMatrix2D(middle, direction, 1), dtype=np.float64)
    turn[:, 2] += (room - np.array([width, height])) / 2
    onto = cv2.warpAffine(contrast, turn, (room, room), borderMode=cv2.BORDER_REPLICATE)
    turned, side = np.asarray(onto, dtype=np.float32), max(height, width)
    across = _find_rows(turned.T, side).transpose(1, 0, 2)
    lines = np.maximum(_find_rows(turned, side), across)
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(lines, turn, (width, height), flags=back), dtype=np.float32)


def _find_rows(contrast: Floats, side: int) -> Floats:
    """Return how much every pixel is brighter, and darker, than both its sides along a row.

    Parameters
    ----------
    contrast
        (n, n).
    side
        Pixels of the longer side of the film.

    Returns
    -------
    (n, n, 2).
    """
    beside = max(2, round(BESIDE * side))
    along = cv2.blur(np.ascontiguousarray(contrast), (odd(LENGTH * side), 1))
    above, here, below = along[: -2 * beside], along[beside:-beside], along[2 * beside :]
    lines = np.zeros((*contrast.shape, 2), np.float32)
    lines[beside:-beside, :, 0] = here - np.maximum(above, below)
    lines[beside:-beside, :, 1] = np.minimum(above, below) - here
    return lines
