"""Decode every film of the split once and store it as a grey square, with its known masks."""

import argparse
import hashlib
import json
import logging
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Preprocess, check
from cxrpipe.data.films.film import Grey, UnusableFilmError, read_film
from cxrpipe.preprocessing.files import Files, list_files
from cxrpipe.preprocessing.masks import Mask, has_aspect_of, lay_box, lay_mask
from cxrpipe.preprocessing.radiograph import Place, find_place, fit_square
from cxrpipe.preprocessing.store import (
    EmptyStore,
    Prepared,
    Structure,
    create_store,
    number_rows,
)
from cxrpipe.runtime import UserError, command, parallel, whole

log = logging.getLogger(__name__)

MASK_MEGAPIXELS = 400
SCALES = (1, 2, 4, 8)  # a JPEG may be decoded at these parts of its size


def prepare(files: Files, settings: Preprocess) -> Prepared:
    """Decode a film and its masks and bring them to the same square.

    Raises
    ------
    UserError
        If a file cannot be decoded or has another size than when it was indexed, if a mask has
        another aspect than its film, or a box is none.
    """
    place = find_place(files.size, settings.side, settings.fit)
    film = decode_for(files, place)
    return Prepared(
        files.radiograph,
        fit_square(film, settings, place),
        {structure: _known(structure, files, place) for structure in files.structures},
    )


def decode_for(files: Files, place: Place) -> Grey:
    """Decode a film for its place: with no fewer pixels than that has, if the film has them."""
    film = _decode(files.film, min(place.height, place.width))
    if film.shape not in [tuple(-(-side // scale) for side in files.size) for scale in SCALES]:
        found, indexed = (_said(size) for size in (film.shape, files.size))
        raise UserError(f"{files.film}: {found}, not {indexed}; it changed since it was indexed")
    return film


def _decode(path: Path, side: int = 0) -> Grey:
    try:
        return read_film(path, np.inf, side=side, tint=False).pixels
    except UnusableFilmError as error:
        raise UserError(f"{path}: {error}; it changed since it was indexed") from error


def _known(structure: Structure, files: Files, place: Place) -> Grey:
    """Join the masks of a structure, and for lesions the boxes, as 0 and 255 on the square."""
    inside = np.zeros((place.side, place.side), dtype=np.bool_)
    for path in files.masks.get(structure, ()):
        inside |= lay_mask(_decode_mask(path, files), place)
    for box in files.boxes if structure == "lesions" else ():
        try:
            inside |= lay_box(box, place)
        except UserError as error:
            raise UserError(f"{files.film}: {error}") from error
    return np.where(inside, np.uint8(255), np.uint8(0))


def _decode_mask(path: Path, files: Files) -> Mask:
    """Decode a mask: inside is what has more than a quarter of its highest value.

    So masks of 0 and 1 or 0 and 255 are read, also with traces of JPEG, and such as give the left
    and the right lung a value each.
    """
    try:
        mask = read_film(path, MASK_MEGAPIXELS).pixels
    except UnusableFilmError as error:
        raise UserError(f"{path}: {error}; mend this mask, or take it away") from error
    height, width = mask.shape
    if not has_aspect_of((height, width), files.size):
        raise UserError(
            f"{path}: a mask of {_said(mask.shape)} does not lie on its film of "
            f"{_said(files.size)}; give both the same aspect, or take the mask away"
        )
    return np.asarray(mask > mask.max() / 4)


def _said(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]} pixels"


def prepare_into(
    store: EmptyStore, settings: Preprocess, numbered: tuple[Files, dict[str, int]]
) -> None:
    """Prepare one radiograph and write it into its rows of the store."""
    cv2.setNumThreads(1)  # the films keep all cores busy already
    files, rows = numbered
    store.fill(rows, prepare(files, settings))


def preprocess(
    path: Path, chosen: pd.DataFrame, data: Path, settings: Preprocess, described: str, cores: int
) -> None:
    """Prepare rows of the index on several cores and write their store.

    However many films there are, no more squares are in memory than there are cores.
    """
    films = list(list_files(chosen, data))
    numbered = zip(films, number_rows(files.structures for files in films), strict=True)
    with whole(path) as partly:
        structures = {files.radiograph: files.structures for files in films}
        store = create_store(partly, structures, settings.side, described)
        work = partial(prepare_into, store, settings)
        for _ in parallel(work, numbered, len(films), cores, "films prepared"):
            pass


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@command
def main() -> None:
    """Fill the store of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--settings", required=True, help="Preprocess, as JSON")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--radiographs", type=Path, required=True, help="store to write")
    arguments = parser.parse_args()
    settings = check(Preprocess, arguments.settings, "--settings")
    split = tables.read(arguments.split, tables.SPLIT)
    index = tables.read(arguments.index, tables.INDEX).set_index("radiograph")
    chosen = index.loc[sorted(set(split["radiograph"]))]
    described = json.dumps(settings.model_dump() | {"index_sha256": sha256(arguments.index)})
    preprocess(arguments.radiographs, chosen, arguments.data, settings, described, arguments.cores)
    log.info(f"{len(chosen):,} radiographs of {settings.side} x {settings.side} pixels")


if __name__ == "__main__":
    main()
