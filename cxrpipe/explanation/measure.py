"""Measure on every test film, without any model, what may mislead one."""

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.data.films.film import UnusableFilmError, read_film
from cxrpipe.explanation.mistakes.measuring import SIDE, measure_film
from cxrpipe.preprocessing.files import Files, list_files
from cxrpipe.runtime import UserError, command, parallel

DIGITS = 6
log = logging.getLogger(__name__)


def measure_file(files: Files) -> dict[str, float]:
    """Decode a film and measure it, as ``measuring.measure_film`` does.

    Raises
    ------
    UserError
        If the file cannot be decoded.
    """
    cv2.setNumThreads(1)  # the films keep all cores busy already
    try:
        film = read_film(files.film, np.inf, side=SIDE, tint=False).pixels
    except UnusableFilmError as error:
        raise UserError(f"{files.film}: {error}; it changed since it was indexed") from error
    return measure_film(film)


def measure_films(chosen: pd.DataFrame, data: Path, cores: int) -> pd.DataFrame:
    """Measure films on several cores.

    Parameters
    ----------
    chosen
        Rows of the index, by radiograph. Tint and contrast are taken over from it: they were
        measured on all pixels.
    data
        Folder of the collections.

    Returns
    -------
    As ``tables.MEASURES`` promises, in the order of the rows.
    """
    n = len(chosen)
    found = list(parallel(measure_file, list_files(chosen, data), n, cores, "films measured"))
    measured = pd.DataFrame(found, index=chosen.index).join(chosen[["tint", "contrast"]])
    table = measured.round(DIGITS).rename_axis("radiograph").reset_index()
    return table.reindex(columns=list(tables.MEASURES.columns))


@command
def main() -> None:
    """Measure the test films of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--split", type=Path, required=True, help="table to read")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--measures", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    split = tables.read(arguments.split, tables.SPLIT)
    index = tables.read(arguments.index, tables.INDEX).set_index("radiograph")
    chosen = index.loc[sorted(set(split.loc[split["subset"] == "test", "radiograph"]))]
    measures = measure_films(chosen, arguments.data, arguments.cores)
    tables.write(measures, arguments.measures, tables.MEASURES)
    log.info(f"{len(measures):,} test films measured")


if __name__ == "__main__":
    main()
