"""New films, prepared as those that a model was trained on."""

from pathlib import Path
from typing import NamedTuple

from cxrpipe.config import Index, Preprocess
from cxrpipe.data.films.film import Film, Grey, read_film
from cxrpipe.data.films.quality import Quality, measure_quality, refuse
from cxrpipe.preprocessing.radiograph import Place, find_place, fit_square

LENIENT = Index()  # the limits of a recipe that says nothing of them


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


def prepare_film(path: Path | bytes, settings: Preprocess, index: Index = LENIENT) -> Ready:
    """Decode a film and bring it to the square that a model takes.

    The same file gives the same pixels as in the store of a run with these settings.

    Parameters
    ----------
    index
        By which the films of the run were taken. What is decoded at a part of its size, and is then
        not good enough for it, is measured at its full size, as the run did.

    Raises
    ------
    UnusableFilmError
        If the file is no film that can be read, or has more pixels than the index allows.
    """

    def needed(height: int, width: int) -> int:
        """Return how many pixels the shorter side needs."""
        place = find_place((height, width), settings.side, settings.fit)
        return min(place.height, place.width)

    film = read_film(path, index.max_megapixels, side=needed)
    ready = prepare(film, settings)
    if film.full and refuse(ready.quality, index):
        whole = read_film(path, index.max_megapixels)
        return ready._replace(quality=measure_quality(whole))
    return ready


def prepare(film: Film, settings: Preprocess) -> Ready:
    """Bring a decoded film to the square that a model takes."""
    place = find_place(film.size, settings.side, settings.fit)
    square = fit_square(film.pixels, settings, place)
    return Ready(square, place, measure_quality(film), film.header.view)
