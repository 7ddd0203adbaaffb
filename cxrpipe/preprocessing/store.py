"""The HDF5 store of prepared radiographs: filled by many processes, read whole or by id."""

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import numpy.typing as npt

from cxrpipe.config import Preprocess
from cxrpipe.data.films.film import Grey
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


@dataclass(frozen=True)
class EmptyStore:
    """A store whose rows of pixels are yet to be filled, by any process and in any order.

    Every process writes its rows straight into the file, past HDF5, so that no pixels travel
    between processes or wait in memory. HDF5 allows it: an uncompressed contiguous dataset is
    nothing but its pixels, from one place of the file on.

    Attributes
    ----------
    side
        Of every square, in pixels.
    starts
        Name of a dataset to the byte of the file at which its first row starts.
    """

    path: Path
    side: int
    starts: dict[str, int]

    def fill(self, rows: Mapping[str, int], prepared: Prepared) -> None:
        """Write a radiograph and its masks into their rows, as ``number_rows`` gave them."""
        masks = {f"{structure}/pixels": mask for structure, mask in prepared.masks.items()}
        file = os.open(self.path, os.O_WRONLY)
        try:
            for dataset, square in ({"pixels": prepared.pixels} | masks).items():
                start = self.starts[dataset] + rows[dataset] * self.side**2
                _write_all(file, np.ascontiguousarray(square).ravel().data, start)
        finally:
            os.close(file)


def _write_all(file: int, content: memoryview, start: int) -> None:
    """Write to a place of a file; the system may take less than all at once, on a full disk."""
    while content:
        written = os.pwrite(file, content, start)
        content, start = content[written:], start + written


def number_rows(structures: Iterable[Collection[Structure]]) -> Iterator[dict[str, int]]:
    """Give every radiograph, by the structures that it has, its row in each of its datasets."""
    n_rows: Counter[str] = Counter()
    for known in structures:
        datasets = ["pixels", *(f"{structure}/pixels" for structure in known)]
        yield {dataset: n_rows[dataset] for dataset in datasets}
        n_rows.update(datasets)


def create_store(
    path: Path, structures: Mapping[str, Collection[Structure]], side: int, settings: str
) -> EmptyStore:
    """Create the store of radiographs, each with the structures that it has, but for their pixels.

    ``pixels`` (n, side, side) uint8 and ``radiograph`` (n,) hold the films; ``<structure>/pixels``
    (m, side, side) and ``<structure>/radiograph`` (m,) the masks of those films that have one, all
    in the order given. Equal radiographs give equal bytes.
    """
    groups = {"": list(structures)} | {
        f"{structure}/": [name for name, known in structures.items() if structure in known]
        for structure in STRUCTURES
    }
    allocate = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    allocate.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    allocate.set_obj_track_times(False)
    starts = {}
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["settings"] = settings
        for group, names in groups.items():
            file.require_group(f"/{group}")
            file[f"{group}radiograph"] = np.array(names, dtype=h5py.string_dtype(length=24))
            pixels = file.create_dataset(
                f"{group}pixels", (len(names), side, side), "u1", dcpl=allocate, fill_time="never"
            )
            if names:
                starts[f"{group}pixels"] = pixels.id.get_offset()
    return EmptyStore(path, side, starts)


def write_store(
    path: Path, prepared: Iterable[Prepared], n_radiographs: int, side: int, settings: str
) -> None:
    """Write a few radiographs that are at hand; the command fills its store film by film."""
    films = dict(zip(range(n_radiographs), prepared, strict=True))
    structures = {film.radiograph: tuple(film.masks) for film in films.values()}
    with whole(path) as partial:
        store = create_store(partial, structures, side, settings)
        for rows, film in zip(number_rows(structures.values()), films.values(), strict=True):
            store.fill(rows, film)


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


def read_settings(path: Path) -> Preprocess:
    """Return the settings that the radiographs were prepared with."""
    with h5py.File(path) as file:
        settings = json.loads(file.attrs["settings"])
    return Preprocess.model_validate({key: settings[key] for key in Preprocess.model_fields})


def _rows(
    stored: npt.NDArray[np.bytes_], wanted: Sequence[str], path: Path
) -> npt.NDArray[np.int64]:
    place = {name.decode(): row for row, name in enumerate(stored)}
    missing = [radiograph for radiograph in wanted if radiograph not in place]
    if missing:
        raise UserError(f"{path}: lacks radiograph {missing[0]}; make it anew from its split")
    return np.array([place[radiograph] for radiograph in wanted], dtype=np.int64)
