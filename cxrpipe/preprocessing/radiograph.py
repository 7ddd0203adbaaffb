"""A stored radiograph: one grey square, made the same way in training and for a new film."""

from dataclasses import dataclass
from typing import Literal, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from cxrpipe.config import Preprocess
from cxrpipe.data.films.film import Grey

P = TypeVar("P", bound=np.generic)
MANY = 3  # a film that shrinks by as much is averaged over whole areas
Size = tuple[int, int]  # height, width in pixels, as arrays have it


@dataclass(frozen=True)
class Place:
    """Where a film lies in its square, in stored pixels; what is around it is black."""

    side: int
    top: int
    left: int
    height: int
    width: int

    def lay(self, film: npt.NDArray[P]) -> npt.NDArray[P]:
        """Lay a film, or a mask, of the place's height and width on a black (side, side)."""
        if film.shape == (self.side, self.side):
            return film
        square = np.zeros((self.side, self.side), dtype=film.dtype)
        square[self.top : self.top + self.height, self.left : self.left + self.width] = film
        return square


def find_place(size: Size, side: int, fit: Literal["pad", "stretch"]) -> Place:
    """Find the place of a film of that size in a square.

    ``stretch`` fills the square. ``pad`` keeps the aspect: the longer side fills the square, the
    shorter is rounded to whole pixels, at least one, and lies in the middle; an odd black row or
    column is at the bottom or on the right.
    """
    if fit == "stretch":
        return Place(side, 0, 0, side, side)
    height, width = (max(1, round(pixels * side / max(size))) for pixels in size)
    return Place(side, (side - height) // 2, (side - width) // 2, height, width)


def fit_square(film: Grey, settings: Preprocess, place: Place | None = None) -> Grey:
    """Bring a film to the square that is stored.

    Blur and CLAHE work on the film at its stored size, before the black around it is laid. So the
    kernel's pixels are those that a model sees, whatever the film was; black that is no film takes
    no part in the histograms of CLAHE, nor is it blurred into the film's edge; and a film that
    fills its square gets what it would get from OpenCV after a plain resize.

    Parameters
    ----------
    film
        (height, width) uint8.
    place
        Of the whole film, where this one was decoded at a reduced scale. None: as ``film`` has it.

    Returns
    -------
    (side, side) uint8.
    """
    place = place or find_place(_size(film), settings.side, settings.fit)
    return place.lay(enhance(resample(film, (place.height, place.width)), settings))


def resample(film: Grey, size: Size) -> Grey:
    """Bring a film to another size without aliasing; equal films give equal pixels.

    A new pixel is the mean of the film over its area. Along an axis that shrinks by less than 3 it
    is the mean of 2 points in place of the area, each interpolated linearly from the film: that
    keeps and fades fine structures alike, in a fraction of the time. Along an axis that grows it is
    interpolated linearly.
    """
    height, width = (
        new if old >= MANY * new else old for old, new in zip(_size(film), size, strict=True)
    )
    film = _resize(film, (height, width), cv2.INTER_AREA)
    rows, columns = (
        2 * new if old > new else new for old, new in zip((height, width), size, strict=True)
    )
    film = _resize(film, (rows, columns), cv2.INTER_LINEAR)
    return _resize(film, size, cv2.INTER_AREA)


def _resize(film: Grey, size: Size, interpolation: int) -> Grey:
    if film.shape == size:
        return film
    return _grey(cv2.resize(film, size[::-1], interpolation=interpolation))


def enhance(film: Grey, settings: Preprocess) -> Grey:
    """Blur a film, then equalise its contrast (CLAHE), as far as the settings ask for it."""
    if settings.blur:
        film = _grey(cv2.GaussianBlur(film, (settings.blur, settings.blur), 0))
    if settings.clahe:
        tiles = (settings.tiles, settings.tiles)
        film = _grey(cv2.createCLAHE(settings.clahe, tiles).apply(film))
    return film


def _size(film: Grey) -> Size:
    height, width = film.shape
    return height, width


def _grey(pixels: cv2.typing.MatLike) -> Grey:
    return np.asarray(pixels, dtype=np.uint8)
