"""The file of what excites a model's filters: pictures, before and after training."""

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import numpy.typing as npt

from cxrpipe.runtime import whole


class Excited(NamedTuple):
    """The pictures that excite filters most.

    Attributes
    ----------
    pictures
        (n, 2, side, side) uint8: of the network as it started, and as trained.
    activations
        (n, 2) float32: how much they do, as ``ascent.excitement`` has it.
    layer, channel
        (n,) layer of each filter, shallow to deep, and its place in it.
    before
        What the network started from, in words.
    """

    pictures: npt.NDArray[np.uint8]
    activations: npt.NDArray[np.float32]
    layer: list[str]
    channel: list[int]
    before: str


def write_excited(path: Path, excited: Excited) -> None:
    """Write the pictures; equal ones give equal bytes."""
    with whole(path) as partial, h5py.File(partial, "w", libver="latest") as file:
        file["pictures"] = excited.pictures
        file["activations"] = excited.activations
        file["layer"] = np.array([layer.encode() for layer in excited.layer], dtype="S")
        file["channel"] = np.array(excited.channel, dtype=np.int64)
        file.attrs["before"] = excited.before


def read_excited(path: Path) -> Excited:
    """Read the pictures."""
    with h5py.File(path) as file:
        return Excited(
            file["pictures"][:],
            file["activations"][:],
            [layer.decode() for layer in file["layer"][:]],
            file["channel"][:].tolist(),
            str(file.attrs["before"]),
        )
