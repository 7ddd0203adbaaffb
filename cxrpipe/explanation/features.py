"""The file of a model's features: what its head sees of every film, before and after training."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import numpy.typing as npt

from cxrpipe.runtime import UserError, whole

ROWS = 16  # that are packed together
Matrix = npt.NDArray[np.float32]


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
    before: Matrix
    after: Matrix
    layer: str = ""
    width: int = 0


def write_features(
    path: Path,
    radiographs: Sequence[str],
    stages: Mapping[str, Iterable[Matrix]],
    n_features: int,
    layer: str,
    width: int,
) -> None:
    """Write features batch by batch, packed; equal ones give equal bytes.

    Parameters
    ----------
    stages
        ``before`` and ``after``, one after the other: batches (n, n_features), together a row for
        every radiograph.
    layer, width
        As ``Features`` has them.
    """
    with whole(path) as partial, h5py.File(partial, "w", libver="latest") as file:
        file["radiograph"] = np.array([name.encode() for name in radiographs], dtype="S")
        for stage, batches in stages.items():
            features = file.create_dataset(
                stage,
                (len(radiographs), n_features),
                "f4",
                maxshape=(None, n_features),
                chunks=(ROWS, n_features),
                compression="gzip",
                shuffle=True,
            )
            done = 0
            for batch in batches:
                features[done : done + len(batch)] = batch
                done += len(batch)
        file.attrs["layer"], file.attrs["width"] = layer, width


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


def _take(features: h5py.Dataset, rows: npt.NDArray[np.int64]) -> Matrix:
    """Read rows in any order; few of many without reading all."""
    once, places = np.unique(rows, return_inverse=True)
    taken = np.empty((len(once), features.shape[1]), dtype=np.float32)
    for place, row in enumerate(once):
        features.read_direct(taken, np.s_[row], np.s_[place])
    return taken[places]
