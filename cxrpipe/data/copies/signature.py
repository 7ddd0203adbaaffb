"""The signature of a film: a small thumbnail by which copies of it are found."""

from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
from PIL import Image

from cxrpipe.data.films.grey import Grey
from cxrpipe.runtime import whole

SIDE = 64  # pixels of a thumbnail
SIDE_TO_TRIM = 512  # a larger film is made smaller before its border is looked for
PLAIN = 6  # grey levels within which a line of pixels counts as border
WIDEST_BORDER = 0.4  # of the height or width


def thumbnail(pixels: Grey) -> Grey:
    """Cut a film's plain border off and bring the rest to a square, whatever its aspect.

    Parameters
    ----------
    pixels
        (height, width) uint8.

    Returns
    -------
    (64, 64) uint8.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE_TO_TRIM, SIDE_TO_TRIM), Image.Resampling.LANCZOS)
    bared = without_border(np.asarray(image))
    return np.asarray(Image.fromarray(bared).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def without_border(pixels: Grey) -> Grey:
    """Cut off lines of one grey at every edge: rows first, then columns."""
    rows = pixels[_inside(pixels)]
    return rows[:, _inside(rows.T)]


def _inside(lines: Grey) -> slice:
    darkest, brightest = np.percentile(lines, [2, 98], axis=1, method="nearest")
    detailed = brightest.astype(int) - darkest > PLAIN
    widest = int(len(lines) * WIDEST_BORDER)
    before = int(np.argmax(np.append(detailed[:widest], True)))
    after = int(np.argmax(np.append(detailed[::-1][:widest], True)))
    return slice(before, len(lines) - after)


def write_signatures(path: Path, radiographs: Iterable[str], thumbnails: Iterable[Grey]) -> None:
    """Write ``radiograph`` (n,) and ``thumbnails`` (n, 64, 64) uint8 to an HDF5 file."""
    names = list(radiographs)
    with whole(path) as partial, h5py.File(partial, "w", libver="latest") as file:
        file.create_dataset("radiograph", data=names, dtype=h5py.string_dtype(length=24))
        stored = file.create_dataset("thumbnails", (len(names), SIDE, SIDE), "u1")
        for row, small in enumerate(thumbnails):
            stored[row] = small


def read_signatures(path: Path) -> tuple[list[str], npt.NDArray[np.uint8]]:
    """Read the ids and the thumbnails (n, 64, 64) uint8, in their order."""
    with h5py.File(path) as file:
        return [name.decode() for name in file["radiograph"][:]], file["thumbnails"][:]
