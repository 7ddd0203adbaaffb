"""Find films that are in the collections more than once, whole or nearly.

Exact copies have the same decoded pixels. Near copies are looked for among all other films:
those whose hashes are neighbours are laid on each other, first coarsely, then finely, and are
near copies if their fine structures correlate.
"""

import argparse
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Dedupe, check
from cxrpipe.data.copies.alignment import Structures, align, fine_structure
from cxrpipe.data.copies.candidates import (
    NEGATIVE,
    Pairs,
    Thumbnails,
    equalise,
    find_candidates,
    turn,
)
from cxrpipe.data.copies.signature import read_signatures
from cxrpipe.data.identity import pixels_of
from cxrpipe.runtime import UserError, command, progress

CHUNK = 128  # pairs aligned at a time
SLACK = 0.1  # that much less correlation at half the size is worth a finer look
COARSE_STEPS, FINE_STEPS = 6, 4
log = logging.getLogger(__name__)


def find_exact(index: pd.DataFrame) -> pd.DataFrame:
    """Pair every film with the first film that has the same decoded pixels and shape.

    Returns
    -------
    As ``tables.DUPLICATES`` promises, with kind ``exact`` and score 1, sorted by id.
    """
    first = pixels_of(index["radiograph"])
    copies = index["radiograph"] != first
    found = {"first": first[copies], "second": index.loc[copies, "radiograph"]}
    return pd.DataFrame(found | {"kind": "exact", "score": 1.0}).sort_values(["first", "second"])


def find_near(
    radiographs: npt.NDArray[np.str_], thumbnails: Thumbnails, score: float, cores: int
) -> pd.DataFrame:
    """Pair films that show the same exposure: other sizes, encodings, greys, crops and turns.

    Parameters
    ----------
    radiographs
        (n,) ids of films that differ in their pixels.
    thumbnails
        (n, 64, 64) uint8.
    score
        Correlation of the fine structures from which two films are one.

    Returns
    -------
    As ``tables.DUPLICATES`` promises, with kind ``near``, sorted by id.
    """
    films = equalise(thumbnails)
    pairs = find_candidates(films)
    log.info(f"{len(pairs.first):,} pairs of {len(films):,} films resemble each other")
    look = partial(correlate, fine_structure(_halve(films)), fine_structure(films), score)
    starts = range(0, len(pairs.first), CHUNK)
    chunks = [Pairs(*(part[start : start + CHUNK] for part in pairs)) for start in starts]
    with ThreadPoolExecutor(cores) as pool:
        scored = pool.map(look, chunks)
        scores = np.concatenate(
            [*progress(scored, len(chunks), f"blocks of {CHUNK} pairs"), np.empty(0)]
        )
    near = scores >= score
    ends = np.sort(np.stack([radiographs[pairs.first[near]], radiographs[pairs.second[near]]]), 0)
    found = pd.DataFrame(
        {"first": ends[0], "second": ends[1], "kind": "near", "score": scores[near].round(4)}
    )
    return found.sort_values(["first", "second"], ignore_index=True)


def correlate(
    coarse: Structures, fine: Structures, score: float, pairs: Pairs
) -> npt.NDArray[np.float32]:
    """Lay the films of each pair on each other; return the correlation of their fine structure.

    A pair that does not resemble at half the size keeps the correlation that it has there.
    """
    correlation, position = align(*_lay(coarse, pairs), COARSE_STEPS)
    close = correlation >= score - SLACK
    if close.any():
        closer = Pairs(*(part[close] for part in pairs))
        correlation[close], _ = align(*_lay(fine, closer), FINE_STEPS, start=position[close])
    return correlation


def _lay(
    structures: Structures, pairs: Pairs
) -> tuple[Structures, Structures, npt.NDArray[np.int64]]:
    """Return the second films of pairs, turned to lie as the first; the first; whose is whose."""
    moving = structures[pairs.second]
    for orientation in np.unique(pairs.orientation):
        lying = pairs.orientation == orientation
        sign = np.int8(-1 if orientation & NEGATIVE else 1)
        moving[lying] = sign * turn(moving[lying], int(orientation))
    films, counterpart = np.unique(pairs.first, return_inverse=True)
    return moving, structures[films], counterpart


def _halve(films: Thumbnails) -> Thumbnails:
    n, side = films.shape[:2]
    quarters = films.reshape(n, side // 2, 2, side // 2, 2)
    return np.asarray(quarters.mean((2, 4), dtype=np.float32).round(), np.uint8)


@command
def main() -> None:
    """List the duplicates of an index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True, help="table to read")
    parser.add_argument("--signatures", type=Path, required=True, help="thumbnails to read")
    parser.add_argument("--settings", required=True, help="Dedupe, as JSON")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--duplicates", type=Path, required=True, help="table to write")
    arguments = parser.parse_args()
    settings = check(Dedupe, arguments.settings, "--settings")
    index = tables.read(arguments.index, tables.INDEX)
    radiographs, thumbnails = read_signatures(arguments.signatures)
    if set(radiographs) != set(pixels_of(index["radiograph"])):
        raise UserError(f"{arguments.signatures}: of other films than the index; make both anew")
    found = [find_exact(index)]
    if settings.near:
        found.append(find_near(np.array(radiographs), thumbnails, settings.score, arguments.cores))
    duplicates = pd.concat(found)
    tables.write(duplicates, arguments.duplicates, tables.DUPLICATES)
    counts = duplicates["kind"].value_counts().reindex(["exact", "near"], fill_value=0)
    log.info(f"{counts['exact']:,} exact copies, {counts['near']:,} pairs of near copies")


if __name__ == "__main__":
    main()
