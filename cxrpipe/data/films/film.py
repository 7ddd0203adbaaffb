"""Reading one film, whatever its format."""

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from cxrpipe.data.films.dicom import is_dicom, read_dicom
from cxrpipe.data.films.grey import Film, Grey, Header, UnusableFilmError, decoding
from cxrpipe.data.films.picture import Side, read_picture

__all__ = [
    "SUFFIXES",
    "Film",
    "Grey",
    "Header",
    "UnusableFilmError",
    "read_film",
]

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".dcm", ".dicom"),
)

POINTER = b"version https://git-lfs.github.com/spec/"


def read_film(
    film: Path | bytes, max_megapixels: float = 100, side: Side = 0, tint: bool = True
) -> Film:
    """Decode a film to 8 bit grey, upright as its EXIF orientation says.

    The content decides what a file is, never its name. A film of more than 8 bits is stretched
    over the grey scale: by its own window if it is a DICOM film with one, else from its darkest to
    its brightest value, a thousandth of the pixels at each end left out. Equal files give equal
    pixels.

    Parameters
    ----------
    film
        Its file, or what such a file holds: that is then decoded in memory alone.
    max_megapixels
        A film with more pixels is refused before it is decoded.
    side
        Pixels that the shorter side needs at least, or a function that tells them from height and
        width; a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size where that leaves enough. 0:
        full size.
    tint
        Measure it, on what is decoded.

    Raises
    ------
    UnusableFilmError
        With reason ``unreadable``, ``too_large``, ``several_frames``, and for DICOM files
        ``modality``, ``body_part`` or ``no_pixels``.
    """
    with decoding():
        file = _open(film)
    with file:
        with decoding():
            start = file.read(256)
            file.seek(0)
        return _decode(file, start, max_megapixels, side, tint)


def _open(film: Path | bytes) -> BinaryIO:
    if isinstance(film, bytes):
        return BytesIO(film)
    if film.exists() and not film.is_file():  # a pipe would wait for ever
        raise UnusableFilmError("unreadable", "not a file")
    return film.open("rb")


def _decode(file: BinaryIO, start: bytes, max_megapixels: float, side: Side, tint: bool) -> Film:
    """Decode a file by what its first bytes tell that it is."""
    if start.startswith(POINTER):
        raise UnusableFilmError(
            "unreadable", "a pointer of git-lfs, not the film; fetch it with: git lfs pull"
        )
    if is_dicom(start):
        return read_dicom(file, max_megapixels)
    return read_picture(file, max_megapixels, side, tint)
