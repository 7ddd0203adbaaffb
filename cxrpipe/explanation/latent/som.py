"""Films on a self-organising map (Kohonen 1982, doi:10.1007/BF00337288), by MiniSom."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from minisom import MiniSom

from cxrpipe.explanation.latent.space import Space

PASSES = 10  # over all films, at least
UPDATES_A_CELL = 100  # at least, for few films


class Map(NamedTuple):
    """Films on a map of side x side cells.

    Attributes
    ----------
    rows, columns
        (n,) the cell of every film: the one whose prototype is nearest.
    quantisation_error
        Mean distance of a film to the prototype of its cell, in the space of all features.
    relative_error
        That, divided by the mean distance to the centre of all films: 1 says no more than a single
        cell would, 0 is exact. Spaces of other dimensions can be compared by it.
    topographic_error
        Share of films whose two nearest cells do not touch, not even at a corner.
    """

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    quantisation_error: float
    relative_error: float
    topographic_error: float


def organise(space: Space, side: int, seed: int) -> Map:
    """Train a map on films and find their cells.

    It is trained film by film on the first principal axes, from prototypes that are films drawn at
    random. The radius falls from a quarter of the side to one cell, the learning rate from 1/2 to
    zero.
    """
    films = space.components
    som = train_map(films, side, seed)
    distances = np.stack([som.activate(film).ravel() for film in films])
    rows, columns = np.unravel_index(distances.argmin(axis=1), (side, side))
    error = np.sqrt(distances.min(axis=1) ** 2 + space.rest).mean()
    spread = np.sqrt((space.coordinates**2).sum(axis=1)).mean()
    return Map(
        rows, columns, float(error), float(error / spread), float(som.topographic_error(films))
    )


def train_map(films: npt.NDArray[np.float64], side: int, seed: int) -> MiniSom:
    """Train a map of side x side cells on films (n, d)."""
    som = MiniSom(
        side,
        side,
        films.shape[1],
        sigma=max(1, side / 4),
        learning_rate=0.5,
        decay_function="linear_decay_to_zero",
        sigma_decay_function="linear_decay_to_one",
        random_seed=seed % 2**32,
    )
    som.random_weights_init(films)
    som.train(films, max(PASSES * len(films), UPDATES_A_CELL * side**2), random_order=True)
    return som
