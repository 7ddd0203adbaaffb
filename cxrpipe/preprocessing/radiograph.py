"""A stored radiograph: one grey square, made the same way in training and for a new film."""

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from cxrpipe.config import Preprocess
from cxrpipe.data.films.film import Grey

P = TypeVar("P", bound=np.generic)
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


def fit_square(film: Grey, settings: Preprocess, size: Size | None = None) -> Grey:
    """Bring a film to the square that is stored.

    Blur and CLAHE work on the film at its stored size, before the black around it is laid. So the
    kernel's pixels are those that a model sees, whatever the film was; black that is no film takes
    no part in the histograms of CLAHE, nor is it blurred into the film's edge; and a film that
    fills its square gets what it would get from OpenCV after a plain resize.

    Parameters
    ----------
    film
        (height, width) uint8.
    size
        Of the whole film, where it was decoded at a reduced scale, so that its place is that of
        its masks. None: as ``film`` has it.

    Returns
    -------
    (side, side) uint8.
    """
    place = find_place(size or _size(film), settings.side, settings.fit)
    return place.lay(enhance(resample(film, (place.height, place.width)), settings))


def resample(film: Grey, size: Size) -> Grey:
    """Bring a film to another size without aliasing; equal films give equal pixels.

    An axis that shrinks by 2 or more is averaged over the area of each new pixel. One that shrinks
    by r < 2 is blurred by a Gaussian of variance (r^2 - 1) / 6 and interpolated linearly: linear
    interpolation weighs its neighbours by a triangle of variance 1/6, and the triangle that is r
    times as wide, with which Pillow shrinks, has r^2 / 6. This is as smooth as Pillow's, in exact
    integers, and takes a fifth of the time of its Lanczos filter.
    """
    stored = _size(film)
    shrunk = tuple(new if old >= 2 * new else old for old, new in zip(stored, size, strict=True))
    if shrunk != stored:
        film = _grey(cv2.resize(film, shrunk[::-1], interpolation=cv2.INTER_AREA))
    if shrunk == size:
        return film
    vertical, horizontal = (
        math.sqrt(max(0.0, (old / new) ** 2 - 1) / 6) for old, new in zip(shrunk, size, strict=True)
    )
    if vertical or horizontal:
        kernel = (3 if horizontal else 1, 3 if vertical else 1)  # 98 % of the widest and more
        film = _grey(cv2.GaussianBlur(film, kernel, sigmaX=horizontal, sigmaY=vertical))
    return _grey(cv2.resize(film, size[::-1], interpolation=cv2.INTER_LINEAR_EXACT))


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
