"""New films, prepared as those that a model was trained on."""

from pathlib import Path
from typing import NamedTuple

from cxrpipe.config import Preprocess
from cxrpipe.data.films.film import Film, Grey, read_film
from cxrpipe.data.films.quality import Quality, measure_quality
from cxrpipe.preprocessing.radiograph import Place, find_place, fit_square


class Ready(NamedTuple):
    """A film that a model can take.

    Attributes
    ----------
    square
        (side, side) uint8.
    place
        Where the film lies in it; what is around it is black.
    quality
        Of the film as it came.
    view
        As its header tells; empty where unknown.
    """

    square: Grey
    place: Place
    quality: Quality
    view: str


def prepare_film(path: Path | bytes, settings: Preprocess) -> Ready:
    """Decode a film and bring it to the square that a model takes.

    The same file gives the same pixels as in the store of a run with these settings.

    Raises
    ------
    UnusableFilmError
        If the file is no film that can be read.
    """

    def needed(height: int, width: int) -> int:
        """Return how many pixels the shorter side needs."""
        place = find_place((height, width), settings.side, settings.fit)
        return min(place.height, place.width)

    return prepare(read_film(path, side=needed), settings)


def prepare(film: Film, settings: Preprocess) -> Ready:
    """Bring a decoded film to the square that a model takes."""
    place = find_place(film.size, settings.side, settings.fit)
    square = fit_square(film.pixels, settings, place)
    return Ready(square, place, measure_quality(film), film.header.view)
