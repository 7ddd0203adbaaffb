"""Decoding the pictures that Pillow knows: PNG, JPEG, WebP, GIF, TIFF and BMP."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from cxrpipe.data.films.grey import (
    N_LEVELS,
    ROWS,
    Film,
    Grey,
    Levels,
    UnusableFilmError,
    decoding,
    histogram,
    look_up,
    ramp,
    refuse_too_large,
    usual_range,
)

# Others, such as EPS and ICO, hold no films, and their decoders are less well tested. An MPO file
# is a JPEG with previews, and comes with that format.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
ORIENTATION, PHOTOMETRIC = 0x0112, 262  # tags of EXIF and of TIFF
# How a film is turned upright, by its EXIF orientation.
UPRIGHT: dict[int, Callable[[Grey], Grey]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(np.transpose(pixels), 2),
    8: np.rot90,
}
ON_THEIR_SIDE = (5, 6, 7, 8)
# Pixels that the shorter side needs, or what tells it from height and width of the upright film.
Side = int | Callable[[int, int], int]
TINT_SIDE, TINT_DEPARTURE = 512, 0.1
JPEG_END = b"\xff\xd9"
FILL, FILLED_ROWS = 128, 8  # the grey that a JPEG decoder gives to missing blocks, 8 pixels high


def read_picture(file: BinaryIO, max_megapixels: float, side: Side, tint: bool) -> Film:
    """Decode a picture; see :func:`cxrpipe.data.films.film.read_film`."""
    with decoding(), _no_other_bound(), _opened(file) as image:
        refuse_too_large(image.width, image.height, max_megapixels)
        _refuse_several(image)
        mode = image.mode
        full = image.height, image.width
        if image.format in ("JPEG", "MPO") and image.getexif().get(ORIENTATION, 1) in ON_THEIR_SIDE:
            full = full[::-1]
        side = side(*full) if callable(side) else side
        if side:
            image.draft(None, (side, side))  # None: keep the colours
        image.load()
        orientation = image.getexif().get(ORIENTATION, 1)
        deep = mode.startswith("I") or mode == "F"
        pixels = _stretched(image) if deep else flatten(image)
        share = tint_of(image) if tint and not deep else 0.0
        if image.format in ("JPEG", "MPO") and is_filled(pixels) and ends_early(_whole(file)):
            raise UnusableFilmError("unreadable", "the JPEG ends before its picture does")
    upright = UPRIGHT[orientation](pixels) if orientation in UPRIGHT else pixels
    reduced = full if upright.size < full[0] * full[1] else None
    return Film(np.ascontiguousarray(upright), mode, share, full=reduced)


@contextmanager
def _no_other_bound() -> Iterator[None]:
    """Let ``max_megapixels`` alone bound the size: Pillow would refuse more than 179 million."""
    bound, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = bound


def _opened(file: BinaryIO) -> Image.Image:
    """Open a picture through its file: given a path, Pillow maps raw TIFF films into memory.

    It then reads those that are stored on their side with width and height swapped, and a file
    that shrinks meanwhile would end the process.
    """
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnusableFilmError("unreadable", "no known image format") from error


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _refuse_several(image: Image.Image) -> None:
    """Refuse films in motion; the further pictures of an MPO are previews made by a phone."""
    n_frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if n_frames > 1:
        raise UnusableFilmError("several_frames", f"{n_frames} frames; a film is one")


def flatten(image: Image.Image) -> Grey:
    """Return a picture of at most 8 bits a channel as grey (height, width), luma of ITU-R 601."""
    grey = np.empty((image.height, image.width), np.uint8)
    for top in range(0, image.height, ROWS):
        bottom = min(top + ROWS, image.height)
        strip = image.crop((0, top, image.width, bottom))
        grey[top:bottom] = np.asarray(_on_black(strip).convert("L"))
    return grey


def _on_black(image: Image.Image) -> Image.Image:
    """Lay a picture on black, as air on a film is, and give it the mode L or RGB.

    What hides beneath transparent pixels was never to be seen, and would come to light otherwise.
    """
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA"))
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def tint_of(image: Image.Image) -> float:
    """Return the share of pixels whose colour does not follow from their grey, from 0 to 1.

    A film that was photographed on a light box may be blue or brown, but it has one tint: its
    colours are a smooth function of its grey, here a parabola for each of red, green and blue. In
    a photograph of anything else, pixels of one grey have many colours. A pixel counts if it is a
    tenth of the scale away. Measured on at most 512 x 512 pixels, evenly taken.
    """
    size = (min(image.width, TINT_SIDE), min(image.height, TINT_SIDE))
    small = _on_black(image.resize(size, Image.Resampling.NEAREST))
    if small.mode == "L":
        return 0.0
    channels = np.asarray(small).reshape(-1, 3)
    if (channels == channels[:, :1]).all():
        return 0.0
    colours = channels / 255
    grey = np.asarray(small.convert("L")).ravel() / 255
    powers = np.stack([np.ones_like(grey), grey, grey**2], axis=1)
    one_tint = powers @ np.linalg.lstsq(powers, colours)[0]
    return float((np.abs(colours - one_tint).max(axis=1) > TINT_DEPARTURE).mean())


def _stretched(image: Image.Image) -> Grey:
    """Stretch a deep film to 8 bit, since deep films use part of their range.

    The darkest value becomes 0 and the brightest 255, but for a thousandth of the pixels at each
    end. Pillow inverts the films of a TIFF whose 0 is white only up to 8 bit, so it is done here.
    """
    levels = _levels(image)
    values = np.arange(N_LEVELS, dtype=np.float64)
    table = ramp(values, *usual_range(values, histogram(levels)))
    white_is_zero = image.format == "TIFF" and getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == 0
    return look_up(255 - table if white_is_zero else table, levels)


def _levels(image: Image.Image) -> Levels:
    """Return a deep film as 65,536 levels; one of 32 bit is spread over them first."""
    values = np.asarray(image)
    if values.dtype.itemsize == 2:
        return values.astype(np.uint16, copy=False)
    lowest, highest = float(values.min()), float(values.max())
    if not np.isfinite([lowest, highest]).all():
        raise UnusableFilmError("unreadable", "a value is infinite or not a number")
    levels, width = np.empty(values.shape, np.uint16), (highest - lowest) or 1.0
    for top in range(0, len(values), ROWS):
        shares = (values[top : top + ROWS].astype(np.float64) - lowest) / width
        levels[top : top + ROWS] = np.round(shares * (N_LEVELS - 1))
    return levels


def is_filled(pixels: npt.NDArray[np.integer]) -> bool:
    """Tell whether the last rows are all of the grey that stands for missing blocks of a JPEG."""
    return bool((pixels[-FILLED_ROWS:] == FILL).all())


def ends_early(jpeg: bytes) -> bool:
    """Tell whether a JPEG whose last rows look filled lacks the content for them.

    A JPEG that is cut off and then closed decodes without a complaint. Noise before its end tells
    it from a film with a grey margin: it becomes pixels only where pixels are missing.
    """
    end = jpeg.rfind(JPEG_END)
    noise = bytes(range(1, 251)) * 40
    with Image.open(io.BytesIO(jpeg[:end] + noise + jpeg[end:]), formats=FORMATS) as image:
        return not is_filled(flatten(image))
