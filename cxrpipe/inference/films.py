"""New films, prepared as those that a model was trained on."""

from pathlib import Path

from cxrpipe.config import Preprocess
from cxrpipe.data.films.film import Grey, read_film
from cxrpipe.preprocessing.radiograph import find_place, fit_square


def prepare_film(path: Path, settings: Preprocess) -> Grey:
    """Decode a film and bring it to the square that a model takes.

    The same file gives the same pixels as in the store of a run with these settings.

    Returns
    -------
    (side, side) uint8.

    Raises
    ------
    UnusableFilmError
        If the file is no film that can be read.
    """

    def needed(height: int, width: int) -> int:
        """Return how many pixels the shorter side needs."""
        place = find_place((height, width), settings.side, settings.fit)
        return min(place.height, place.width)

    film = read_film(path, side=needed)
    return fit_square(film.pixels, settings, find_place(film.size, settings.side, settings.fit))
