"""The file of a model's features: what its head sees of every film, before and after training."""

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import numpy.typing as npt

from cxrpipe.runtime import whole


class Features(NamedTuple):
    """Features of films.

    Attributes
    ----------
    radiographs
        (n,) ids.
    before, after
        (n, d) float32: of the network as it started, and as trained.
    """

    radiographs: list[str]
    before: npt.NDArray[np.float32]
    after: npt.NDArray[np.float32]


def write_features(path: Path, features: Features) -> None:
    """Write features; equal ones give equal bytes."""
    with whole(path) as partial, h5py.File(partial, "w", libver="latest") as file:
        file["radiograph"] = np.array([name.encode() for name in features.radiographs], dtype="S")
        file["before"], file["after"] = features.before, features.after


def read_features(path: Path) -> Features:
    """Read features."""
    with h5py.File(path) as file:
        names = [name.decode() for name in file["radiograph"][:]]
        return Features(names, file["before"][:], file["after"][:])
