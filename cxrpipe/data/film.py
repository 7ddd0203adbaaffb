"""Decoding one film to grey pixels, and the id that its pixels give it."""

import hashlib
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

Grey = npt.NDArray[np.uint8]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".dcm")


class UnusableFilmError(Exception):
    """A film that cannot be used: a reason of one word, and a detail for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.reason, self.detail)


@dataclass(frozen=True)
class Film:
    """A decoded film: grey ``pixels`` uint8 (height, width), and the ``mode`` it was stored in."""

    pixels: Grey
    mode: str


def read_film(path: Path, max_megapixels: float = 100, side: int = 0) -> Film:
    """Decode a film to 8 bit grey, upright as its EXIF orientation says.

    Parameters
    ----------
    max_megapixels
        A film with more pixels is refused before it is decoded.
    side
        Pixels that the shorter side needs at least; a JPEG may be decoded at 1/2, 1/4 or 1/8 of
        its size where that leaves enough. 0: full size.

    Raises
    ------
    UnusableFilmError
        With reason ``unreadable`` or ``too_large``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own warnings on size and metadata
            with Image.open(path) as image:
                _refuse_too_large(image, max_megapixels)
                mode = image.mode
                if side:
                    image.draft("L", (side, side))
                image.load()
                return Film(_grey(ImageOps.exif_transpose(image)), mode)
    except UnidentifiedImageError as error:
        raise UnusableFilmError("unreadable", "no known image format") from error
    except UnusableFilmError:
        raise
    except Image.DecompressionBombError as error:
        raise UnusableFilmError("too_large", str(error)) from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise UnusableFilmError("unreadable", " ".join(str(error).split())) from error


def _refuse_too_large(image: Image.Image, max_megapixels: float) -> None:
    megapixels = image.width * image.height / 1e6
    if megapixels > max_megapixels:
        raise UnusableFilmError(
            "too_large", f"{image.width} x {image.height} pixels, over {max_megapixels:g} million"
        )


def _grey(image: Image.Image) -> Grey:
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        return _stretched(np.asarray(image, dtype=np.float32))
    return np.asarray(image.convert("L"), dtype=np.uint8)


def _stretched(values: npt.NDArray[np.float32]) -> Grey:
    """Map the darkest value to 0 and the brightest to 255, since deep films use part of a range."""
    darkest, brightest = float(values.min()), float(values.max())
    width = max(brightest - darkest, 1.0)
    return np.round((values - darkest) * (255 / width)).astype(np.uint8)


def radiograph_id(pixels: Grey) -> str:
    """Return 16 hexadecimal digits that name these pixels and their shape (SHA-256)."""
    digest = hashlib.sha256(f"{pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()[:16]


def pixels_of(radiographs: "pd.Series[str]") -> "pd.Series[str]":
    """Return the part of each id that the pixels alone decide: equal for identical films."""
    return radiographs.str.split("-").str[0]
