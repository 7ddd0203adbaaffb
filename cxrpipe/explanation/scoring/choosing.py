"""Which test films have their heatmaps scored, and for which finding."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from cxrpipe.runtime import derive_seed


def name_said(predictions: pd.DataFrame, radiographs: Sequence[str]) -> pd.DataFrame:
    """Name the finding that a model gives the highest probability on each film.

    Parameters
    ----------
    predictions
        As ``tables.predictions`` has them.

    Returns
    -------
    ``radiograph`` and ``finding``, a row for each of the radiographs, in their order. Where every
    finding is a yes or no it may be one that the model says no to.
    """
    logits = predictions.set_index("radiograph").drop(columns="subset").loc[list(radiographs)]
    highest = logits.to_numpy(dtype=float).argmax(axis=1)
    findings = logits.columns.to_numpy()[highest]
    return pd.DataFrame({"radiograph": list(radiographs), "finding": findings}, dtype="str")


def draw_films(
    films: pd.DataFrame, n_films: int, seed: int, first: Collection[str] = ()
) -> pd.DataFrame:
    """Draw films at random, and keep the order of their rows.

    A film's chance does not depend on the films beside it, as in ``choose_films``: of fewer films,
    those are drawn that would be drawn of more.

    Parameters
    ----------
    first
        Radiographs that are drawn before the others.
    """
    ranked = [
        (radiograph not in first, derive_seed(seed, radiograph))
        for radiograph in films["radiograph"]
    ]
    drawn = sorted(range(len(films)), key=ranked.__getitem__)[:n_films]
    return films.iloc[np.sort(np.array(drawn, dtype=np.int64))]
