"""Decode every film of the split once and store it as a grey square, with its known masks."""

import argparse
import hashlib
import json
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cxrpipe import tables
from cxrpipe.config import Preprocess, check
from cxrpipe.data.film import Grey, UnusableFilmError, read_film
from cxrpipe.preprocessing.radiograph import fit_square
from cxrpipe.preprocessing.store import STRUCTURES, Prepared, Structure, write_store
from cxrpipe.runtime import UserError, command, parallel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Files:
    """The files of one radiograph: its film and the masks that it has."""

    radiograph: str
    film: Path
    masks: dict[Structure, Path]


def prepare(files: Files, settings: Preprocess) -> Prepared:
    """Decode a film and its masks and bring them to the same square."""
    film = _decode(files.film, settings.side)
    masks = {name: _two_values(_decode(path)) for name, path in files.masks.items()}
    return Prepared(
        files.radiograph,
        fit_square(film, settings.side, settings.fit),
        {
            structure: fit_square(mask, settings.side, settings.fit, mask=True)
            for structure, mask in masks.items()
        },
    )


def _decode(path: Path, side: int = 0) -> Grey:
    try:
        return read_film(path, np.inf, side=side).pixels
    except UnusableFilmError as error:
        raise UserError(f"{path}: {error}; it changed since it was indexed") from error


def _two_values(mask: Grey) -> Grey:
    """Bring a mask of two values, such as 0 and 1, to 0 and 255."""
    return np.where(mask > mask.max() / 2, 255, 0).astype(np.uint8)


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
    films = [
        Files(
            str(row.Index),
            arguments.data / row.source / row.file,
            {
                structure: arguments.data / row.source / getattr(row, structure)
                for structure in STRUCTURES
                if getattr(row, structure)
            },
        )
        for row in chosen.itertuples()
    ]
    prepared = parallel(
        partial(prepare, settings=settings), films, len(films), arguments.cores, "films prepared"
    )
    described = json.dumps(settings.model_dump() | {"index_sha256": sha256(arguments.index)})
    write_store(arguments.radiographs, prepared, len(films), settings.side, described)
    log.info(f"{len(films):,} radiographs of {settings.side} x {settings.side} pixels")


if __name__ == "__main__":
    main()
