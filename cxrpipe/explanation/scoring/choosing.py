"""Which test films have their heatmaps scored, and for which finding."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from cxrpipe.evaluation.statistics.metrics import decide
from cxrpipe.explanation.chance import order_by_chance


def name_said(predictions: pd.DataFrame, radiographs: Sequence[str], kind: str) -> pd.DataFrame:
    """Name the finding that a model gives the highest probability on each film.

    Parameters
    ----------
    predictions
        As ``tables.predictions`` has them.

    Returns
    -------
    ``radiograph``, ``finding``, its ``logit``, and whether the model has ``denied`` it, a row for
    each of the radiographs, in their order. It may deny all of them where every finding is a yes or
    no.
    """
    logits = predictions.set_index("radiograph").drop(columns="subset").loc[list(radiographs)]
    values = logits.to_numpy(dtype=float)
    denied = [kind != "single" and not row.any() for row in decide(values, kind)]
    return pd.DataFrame(
        {
            "radiograph": list(radiographs),
            "finding": logits.columns.to_numpy()[values.argmax(axis=1)],
            "logit": values.max(axis=1),
            "denied": denied,
        }
    ).astype({"radiograph": "str", "finding": "str", "denied": "bool"})


def draw_films(
    films: pd.DataFrame, n_films: int, seed: int, first: Collection[str] = ()
) -> pd.DataFrame:
    """Draw films at random, and keep the order of their rows.

    Parameters
    ----------
    first
        Radiographs that are drawn before the others.
    """
    ordered = order_by_chance(films["radiograph"], seed)
    ahead = films["radiograph"].isin(set(first)).to_numpy()
    drawn = sorted(ordered, key=lambda place: not ahead[place])[:n_films]
    return films.iloc[np.sort(np.array(drawn, dtype=np.int64))]


def draw_said(
    films: pd.DataFrame, n_films: int, seed: int, first: Collection[str] = ()
) -> pd.DataFrame:
    """Draw films of which something is said, at random, and keep the order of their rows.

    If there are too few, those of the others follow in which a model believes most. Parameters as
    those of ``draw_films``; films as ``name_said`` returns them.
    """
    said = draw_films(films[~films["denied"]], n_films, seed, first)
    denied = films[films["denied"]].nlargest(n_films - len(said), "logit")
    return films.loc[films.index.isin(said.index.union(denied.index))]
