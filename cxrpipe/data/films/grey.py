"""What the decoders of films share: their result, their refusal, and the way to 8 bit grey."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Levels = npt.NDArray[np.uint16]

N_LEVELS = 65_536
# A lead marker covers a few hundred of a million pixels and a dead pixel one; both lie far outside
# the values of the film, and would leave it a small part of the grey scale.
OUTLIERS = 0.001
ROWS = 256  # rows that are worked on at once: numpy's intermediate arrays stay small


class UnusableFilmError(Exception):
    """A film that cannot be used: a reason of one word, and a detail for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.reason, self.detail)


@dataclass(frozen=True)
class Header:
    """What a DICOM film tells of itself; every text is empty where unknown, as for pictures.

    Attributes
    ----------
    view
        ``PA``, ``AP``, ``lateral``, ``oblique``, or the position as written.
    age
        Years as digits, ``90`` for all above 89.
    sex
        ``F`` or ``M``.
    patient
        The raw patient number. It may name a person: only for grouping in memory, never to be
        written. No other personal field of a file is read.
    """

    view: str = ""
    age: str = ""
    sex: str = ""
    patient: str = ""


@dataclass(frozen=True)
class Film:
    """A decoded film.

    Attributes
    ----------
    pixels
        uint8 (height, width), grey; upright where the file tells how to turn it.
    mode
        As it was stored: ``L``, ``RGB``, ``I;16``, ``P``, ..., ``MONOCHROME2 12 bit``.
    tint
        Share of pixels whose colour does not follow from their grey, from 0 to 1; see
        :func:`cxrpipe.data.films.picture.tint_of`.
    header
        What a DICOM file tells; empty for pictures.
    full
        Height and width of the upright film if it was decoded at a part of its size.
    """

    pixels: Grey
    mode: str
    tint: float = 0.0
    header: Header = field(default_factory=Header)
    full: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright film, in pixels of the file."""
        height, width = self.full or self.pixels.shape
        return height, width


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises into an UnusableFilmError, and silence its warnings.

    Decoders meet broken files with nearly every kind of exception (struct.error, KeyError,
    RecursionError, MemoryError, zlib.error, ...), so all kinds are caught. Only what
    reads a file belongs in here; a bug of ours outside keeps its traceback.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnusableFilmError:
        raise
    except Exception as error:
        raise UnusableFilmError("unreadable", _one_line(error)) from error


def _one_line(error: Exception) -> str:
    """Return what an exception says, without folders and without what it quotes of the file.

    In a broken DICOM file any value may have run into the name of the person.
    """
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    said = re.sub(r"""b?['"].*['"]""", "…", said, flags=re.DOTALL)
    line = " ".join(said.split()) or type(error).__name__
    return line if len(line) <= 200 else f"{line[:199]}…"


def refuse_too_large(width: int, height: int, max_megapixels: float) -> None:
    """Raise an UnusableFilmError with reason ``too_large`` for more pixels than allowed."""
    if width * height / 1e6 > max_megapixels:
        raise UnusableFilmError(
            "too_large", f"{width} x {height} pixels, over {max_megapixels:g} million"
        )


def histogram(levels: npt.NDArray[np.uint8] | Levels) -> npt.NDArray[np.int64]:
    """Return how many pixels have each level: (256,) for uint8, (65536,) for uint16."""
    n_levels = np.iinfo(levels.dtype).max + 1
    counts = np.zeros(n_levels, np.int64)
    for top in range(0, len(levels), ROWS):
        counts += np.bincount(levels[top : top + ROWS].ravel(), minlength=n_levels)
    return counts


def look_up(table: Grey, levels: Levels) -> Grey:
    """Return the grey of every pixel: ``table`` (65536,), ``levels`` (height, width)."""
    grey = np.empty(levels.shape, np.uint8)
    for top in range(0, len(levels), ROWS):
        grey[top : top + ROWS] = table[levels[top : top + ROWS]]
    return grey


def usual_range(
    values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """Return the lowest and highest value once the ``OUTLIERS`` at either end are left out.

    A thousandth of the pixels at each end, rounded down: of fewer than 1000 pixels none, and none
    of a picture that would be left with one value, as a small mask is.

    Parameters
    ----------
    values
        (n,) what each level means, in any order.
    counts
        (n,) pixels of each level.
    """
    order = np.argsort(values, kind="stable")
    up_to = np.cumsum(counts[order])
    outliers = int(OUTLIERS * up_to[-1])
    lowest = np.searchsorted(up_to, outliers, side="right")
    highest = np.searchsorted(up_to, up_to[-1] - outliers, side="left")
    if lowest == highest:
        lowest, highest = np.flatnonzero(counts[order])[[0, -1]]
    return float(values[order[lowest]]), float(values[order[highest]])


def ramp(values: npt.NDArray[np.float64], low: float, high: float) -> Grey:
    """Map ``low`` to 0 and ``high`` to 255, evenly and clipped; one value alone becomes 0."""
    width = high - low if high > low else 1.0
    shares = np.clip((np.clip(values, low, high) - low) / width, 0, 1)
    return np.round(shares * 255).astype(np.uint8)
