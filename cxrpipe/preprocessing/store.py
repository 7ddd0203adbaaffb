"""The HDF5 store of prepared radiographs: written in order, read whole or by id."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import numpy.typing as npt

from cxrpipe.data.film import Grey
from cxrpipe.runtime import UserError, whole

Structure = Literal["lungs", "lesions"]
STRUCTURES: tuple[Structure, ...] = ("lungs", "lesions")


@dataclass(frozen=True)
class Prepared:
    """One radiograph ready to store.

    Attributes
    ----------
    pixels
        (side, side) uint8.
    masks
        Structure to (side, side) uint8 of 0 and 255, for the structures that are known.
    """

    radiograph: str
    pixels: Grey
    masks: dict[Structure, Grey]


def write_store(
    path: Path, prepared: Iterable[Prepared], n_radiographs: int, side: int, settings: str
) -> None:
    """Write radiographs one by one, uncompressed; equal radiographs give equal bytes.

    ``pixels`` (n, side, side) uint8 and ``radiograph`` (n,) hold the films; ``<structure>/pixels``
    (m, side, side) and ``<structure>/radiograph`` (m,) the masks of those films that have one.
    """
    shape, text = (n_radiographs, side, side), h5py.string_dtype(length=24)
    with whole(path) as partial, h5py.File(partial, "w", libver="latest") as file:
        file.attrs["settings"] = settings
        pixels = file.create_dataset("pixels", shape, "u1")
        names = file.create_dataset("radiograph", (n_radiographs,), text)
        for structure in STRUCTURES:
            masks = file.create_group(structure)
            masks.create_dataset("pixels", (0, side, side), "u1", maxshape=(None, side, side))
            masks.create_dataset("radiograph", (0,), text, maxshape=(None,))
        for row, radiograph in enumerate(prepared):
            pixels[row] = radiograph.pixels
            names[row] = radiograph.radiograph
            for structure, mask in radiograph.masks.items():
                _append(file[structure], radiograph.radiograph, mask)


def _append(masks: h5py.Group, radiograph: str, mask: Grey) -> None:
    row = len(masks["radiograph"])
    for name, value in (("radiograph", radiograph), ("pixels", mask)):
        masks[name].resize(row + 1, axis=0)
        masks[name][row] = value


def read_radiographs(path: Path, radiographs: Sequence[str]) -> Grey:
    """Read chosen radiographs into memory.

    Returns
    -------
    (n, side, side) uint8, in the order asked for.

    Raises
    ------
    UserError
        If the store lacks one of them.
    """
    with h5py.File(path) as file:
        rows = _rows(file["radiograph"][:], radiographs, path)
        pixels = file["pixels"]
        if len(rows) * 2 > len(pixels):
            return np.asarray(pixels[:])[rows]
        once, place = np.unique(rows, return_inverse=True)
        chosen: Grey = pixels[once][place]
        return chosen


def read_masks(path: Path, structure: Structure) -> dict[str, npt.NDArray[np.bool_]]:
    """Read the masks of a structure: id to (side, side) bool, for the films that have one."""
    with h5py.File(path) as file:
        names = [name.decode() for name in file[structure]["radiograph"][:]]
        return dict(zip(names, file[structure]["pixels"][:] > 127, strict=True))


def read_settings(path: Path) -> dict[str, object]:
    """Return the settings that the radiographs were prepared with, and the index checksum."""
    with h5py.File(path) as file:
        settings: dict[str, object] = json.loads(file.attrs["settings"])
        return settings


def _rows(
    stored: npt.NDArray[np.bytes_], wanted: Sequence[str], path: Path
) -> npt.NDArray[np.int64]:
    place = {name.decode(): row for row, name in enumerate(stored)}
    missing = [radiograph for radiograph in wanted if radiograph not in place]
    if missing:
        raise UserError(f"{path}: lacks radiograph {missing[0]}; make it anew from its split")
    return np.array([place[radiograph] for radiograph in wanted], dtype=np.int64)
