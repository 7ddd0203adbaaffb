"""What is seen on a film without any model: exposure, framing, letters and wires."""

import cv2
import numpy as np

from cxrpipe.data.films.film import Grey
from cxrpipe.explanation.mistakes.crop import measure_crop
from cxrpipe.explanation.mistakes.devices import measure_devices
from cxrpipe.explanation.mistakes.exposure import measure_exposure
from cxrpipe.explanation.mistakes.text import measure_text

SIDE = 256  # pixels of the longer side on which films are measured, as many collections have them
MARGIN, EVEN = 0.05, 0.98  # of the scale at either end; share of a row's pixels


def measure_film(film: Grey) -> dict[str, float]:
    """Measure a film (height, width): each measure is a share from 0 to 1.

    All but the letters, which may lie on them, are measured without the film's margins. Films of
    fewer pixels than 256 are measured as they are; on those of 100, letters and wires are hardly
    told from what else is fine.
    """
    small = shrink(film)
    field = trim_margins(small)
    dark, bright = measure_exposure(field)
    return {
        "dark": dark,
        "bright": bright,
        "crop": measure_crop(field),
        "text": measure_text(small),
        "devices": measure_devices(field),
    }


def shrink(film: Grey) -> Grey:
    """Bring a film to 256 pixels on its longer side; a smaller one stays as it is.

    So fine structures are measured alike in collections of small and of large films.
    """
    height, width = film.shape
    scale = SIDE / max(height, width)
    if scale >= 1:
        return film
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(film, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def trim_margins(film: Grey) -> Grey:
    """Cut off what frames a film: outer rows and columns that are nearly all black or white.

    A film that is margin everywhere stays whole.
    """
    ends = (film <= 255 * MARGIN) | (film >= 255 * (1 - MARGIN))
    rows, columns = (np.flatnonzero(ends.mean(axis=axis) < EVEN) for axis in (1, 0))
    if not (len(rows) and len(columns)):
        return film
    return film[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
