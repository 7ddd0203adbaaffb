"""A look at the headers of some films: sizes, patients of DICOM films, what cannot be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pydicom
from PIL import Image

from cxrpipe.beginning.folder import PREAMBLE, spread
from cxrpipe.data.films.dicom import is_dicom
from cxrpipe.data.films.dicom_header import HEADER_TAGS, read_header, refuse_other_films
from cxrpipe.data.films.grey import UnusableFilmError, decoding
from cxrpipe.data.films.picture import FORMATS

N_LOOKED_AT = 200


@dataclass(frozen=True)
class Sample:
    """What some films of a folder are.

    Attributes
    ----------
    sizes
        Width and height of those that can be read, in pixels.
    n_named
        How many are DICOM films whose header tells the patient.
    unusable
        Of the others: the film, and why.
    """

    sizes: tuple[tuple[int, int], ...]
    n_named: int
    unusable: tuple[tuple[str, str], ...]

    @property
    def side(self) -> int:
        """The shorter side of the film in the middle, in pixels; 0 if none can be read."""
        return int(median(map(min, self.sizes))) if self.sizes else 0


def look_at_some(folder: Path, films: Sequence[str]) -> Sample:
    """Read the headers of films, 200 at most, evenly taken; no pixels are decoded."""
    sizes, unusable, n_named = [], [], 0
    for film in spread(films, N_LOOKED_AT):
        try:
            size, is_named = _read_header(folder / film)
        except UnusableFilmError as error:
            unusable.append((film, error.detail))
        else:
            sizes.append(size)
            n_named += is_named
    return Sample(tuple(sizes), n_named, tuple(unusable))


def _read_header(path: Path) -> tuple[tuple[int, int], bool]:
    """Return width and height of a film, and whether its header tells the patient."""
    with decoding(), path.open("rb") as file:
        start = file.read(PREAMBLE)
        file.seek(0)
        if not is_dicom(start):
            with Image.open(file, formats=FORMATS) as image:
                return image.size, False
        tags = list(HEADER_TAGS)
        header = pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=tags)
        refuse_other_films(header)
        return (int(header.Columns), int(header.Rows)), bool(read_header(header).patient)
