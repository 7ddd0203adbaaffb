"""Reading one film, whatever its format."""

from pathlib import Path

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


def read_film(path: Path, max_megapixels: float = 100, side: Side = 0, tint: bool = True) -> Film:
    """Decode a film to 8 bit grey, upright as its EXIF orientation says.

    The content decides what a file is, never its name. A film of more than 8 bits is stretched
    over the grey scale: by its own window if it is a DICOM film with one, else from its darkest to
    its brightest value, a thousandth of the pixels at each end left out. Equal files give equal
    pixels.

    Parameters
    ----------
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
        if path.exists() and not path.is_file():  # a pipe would wait for ever
            raise UnusableFilmError("unreadable", "not a file")
        with path.open("rb") as file:
            start = file.read(256)
    if start.startswith(POINTER):
        raise UnusableFilmError(
            "unreadable", "a pointer of git-lfs, not the film; fetch it with: git lfs pull"
        )
    if is_dicom(start):
        return read_dicom(path, max_megapixels)
    return read_picture(path, max_megapixels, side, tint)
