"""The file of a model's features: what its head sees of every film, before and after training."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import numpy.typing as npt

from cxrpipe.runtime import UserError, whole


class Features(NamedTuple):
    """Features of films.

    Attributes
    ----------
    radiographs
        (n,) ids.
    before, after
        (n, d) float32: of the network as it started, and as trained.
    layer
        Name of the layer that takes them.
    width
        How many it takes: d, or more if they were brought to fewer.
    """

    radiographs: list[str]
    before: npt.NDArray[np.float32]
    after: npt.NDArray[np.float32]
    layer: str = ""
    width: int = 0


def write_features(path: Path, features: Features) -> None:
    """Write features; equal ones give equal bytes."""
    with whole(path) as partial, h5py.File(partial, "w", libver="latest") as file:
        file["radiograph"] = np.array([name.encode() for name in features.radiographs], dtype="S")
        file["before"], file["after"] = features.before, features.after
        file.attrs["layer"], file.attrs["width"] = features.layer, features.width


def read_features(path: Path, radiographs: Sequence[str] | None = None) -> Features:
    """Read the features of all films, or of chosen ones in the order asked for.

    Raises
    ------
    UserError
        If one of them has none.
    """
    with h5py.File(path) as file:
        names = [name.decode() for name in file["radiograph"][:]]
        if radiographs is None:
            radiographs = names
        place = {name: row for row, name in enumerate(names)}
        missing = [name for name in radiographs if name not in place]
        if missing:
            raise UserError(f"{path}: lacks radiograph {missing[0]}; embed anew")
        rows = np.array([place[name] for name in radiographs], dtype=np.int64)
        before, after = (_take(file[stage], rows) for stage in ("before", "after"))
        layer, width = str(file.attrs["layer"]), int(file.attrs["width"])
        return Features(list(radiographs), before, after, layer, width)


def _take(features: h5py.Dataset, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Read rows in any order; few of many without reading all."""
    once, places = np.unique(rows, return_inverse=True)
    taken: npt.NDArray[np.float32] = features[once]
    return taken[places]
