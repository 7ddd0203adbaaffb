"""The file of a model's heatmaps: which film, which finding, by which method, and for what."""

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.runtime import whole

Heatmaps = npt.NDArray[np.float32]
# panel: films drawn at random, the same for all models; gallery: of every finding the surest right
# film, of multi and binary tasks the one that shows it and is held most probable; depth: that film
# and the surest of each confusion at several layers; methods: that film by every method; several:
# every finding of films that show several.
PURPOSES = ("panel", "gallery", "depth", "methods", "several")
COLUMNS = ("radiograph", "true", "finding", "purpose", "method", "layer")


def write_heatmaps(path: Path, explained: pd.DataFrame, heatmaps: Heatmaps) -> None:
    """Write heatmaps with what each of them explains.

    Parameters
    ----------
    explained
        (n,) rows with ``COLUMNS``: ``true`` is what the film shows (joined by ``|``), ``finding``
        the class that is explained.
    heatmaps
        (n, side, side) from 0 to 1, in the order of ``explained``; from -1 to 1 for ``cam``, which
        is signed. Layers of one film and purpose stand shallow to deep. They are kept in half
        precision, whose steps are of 1/2048 at most, and packed.
    """
    with whole(path) as partial, h5py.File(partial, "w", libver="latest") as file:
        file.create_dataset(
            "heatmaps",
            data=heatmaps.astype(np.float16),
            maxshape=(None, *heatmaps.shape[1:]),
            chunks=(1, *heatmaps.shape[1:]),
            compression="gzip",
            shuffle=True,
        )
        for column in COLUMNS:
            file[column] = np.array([text.encode() for text in explained[column]], dtype="S")


def read_heatmaps(path: Path, purpose: str) -> tuple[pd.DataFrame, Heatmaps]:
    """Read the heatmaps of one purpose: their rows with ``COLUMNS``, and (n, side, side).

    There may be none, but the side is that of the others.
    """
    with h5py.File(path) as file:
        texts = {column: [text.decode() for text in file[column][:]] for column in COLUMNS}
        explained = pd.DataFrame(texts, columns=list(COLUMNS))
        rows = np.flatnonzero(explained["purpose"] == purpose)
        heatmaps: Heatmaps = file["heatmaps"][rows].astype(np.float32)
    return explained.iloc[rows].reset_index(drop=True), heatmaps
