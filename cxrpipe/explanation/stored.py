"""Films and masks of the store, no more of them at once than are looked at."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from cxrpipe.data.films.film import Grey
from cxrpipe.preprocessing.store import Structure, read_radiographs

AT_ONCE = 32  # batches of films that are read together


def read_side(store: Path) -> int:
    """Return the side of films, in pixels."""
    with h5py.File(store) as file:
        return int(file["pixels"].shape[-1])


def read_batches(store: Path, radiographs: Sequence[str], n: int) -> Iterator[Grey]:
    """Read films (n, side, side) batch by batch, in the order asked for."""
    for begin in range(0, len(radiographs), AT_ONCE * n):
        grey = read_radiographs(store, radiographs[begin : begin + AT_ONCE * n])
        yield from (grey[first : first + n] for first in range(0, len(grey), n))


def count_pixels(store: Path, structure: Structure, radiographs: Collection[str]) -> dict[str, int]:
    """Count the pixels of films' masks; one without any tells of no place, and is left out."""
    counted = {name: int(mask.sum()) for name, mask in _pass_masks(store, structure, radiographs)}
    return {name: n_pixels for name, n_pixels in counted.items() if n_pixels}


def read_masks_of(
    store: Path, structure: Structure, radiographs: Collection[str]
) -> dict[str, npt.NDArray[np.bool_]]:
    """Read the masks (side, side) of films, of those that have one with a pixel."""
    return {name: mask for name, mask in _pass_masks(store, structure, radiographs) if mask.any()}


def _pass_masks(
    store: Path, structure: Structure, radiographs: Collection[str]
) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Pass masks one by one: a collection may have tens of thousands."""
    wanted = set(radiographs)
    with h5py.File(store) as file:
        names = [name.decode() for name in file[structure]["radiograph"][:]]
        for row, name in enumerate(names):
            if name in wanted:
                yield name, file[structure]["pixels"][row] > 127
