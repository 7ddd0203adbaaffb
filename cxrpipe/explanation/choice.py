"""Which films are explained: some of every finding, and those whose lesions are known."""

import numpy as np
import pandas as pd

from cxrpipe.config import Task
from cxrpipe.data.cohort import label_films
from cxrpipe.runtime import derive_seed


def list_findings(films: pd.DataFrame, task: Task) -> pd.DataFrame:
    """List what films show of a task: a row for each film and each of its findings.

    Returns
    -------
    ``radiograph`` and ``finding``. A film of none of the findings has no row. ``alone`` tells
    whether it is all that the film shows, of any task.
    """
    labels = label_films(films, task)
    shown = np.eye(len(task.findings))[labels] if task.kind == "single" else labels
    rows, places = np.nonzero(shown)
    return pd.DataFrame(
        {
            "radiograph": films["radiograph"].to_numpy()[rows],
            "finding": np.array(task.findings)[places],
            "alone": ~films["finding"].str.contains("|", regex=False).to_numpy()[rows],
        }
    )


def choose_films(shown: pd.DataFrame, per_finding: int, seed: int) -> pd.DataFrame:
    """Choose films of every finding at random; the same for every model of a run.

    A film's chance does not depend on the films beside it, so that tasks which share films also
    share those that are drawn.
    """
    chance = shown["radiograph"].map(lambda radiograph: derive_seed(seed, radiograph))
    shuffled = shown.loc[chance.sort_values(kind="stable").index]
    return shuffled.groupby("finding").head(per_finding).sort_values(["finding", "radiograph"])


def choose_found(
    shown: pd.DataFrame, predictions: pd.DataFrame, kind: str, with_lesions: set[str]
) -> pd.DataFrame:
    """Choose the films with a known lesion whose finding the model predicts rightly.

    That is the finding of highest probability for ``single``, else one of probability above 1/2.
    A film of several findings is left out: its mask does not tell which lesion is of which.
    """
    logits = predictions.set_index("radiograph").drop(columns="subset").loc[shown["radiograph"]]
    values = logits.to_numpy(dtype=float)
    named = np.eye(values.shape[1])[values.argmax(axis=1)] if kind == "single" else values > 0
    places = [list(logits.columns).index(finding) for finding in shown["finding"]]
    right = named[np.arange(len(shown)), places].astype(bool)
    found: pd.DataFrame = shown[right & shown["alone"] & shown["radiograph"].isin(with_lesions)]
    return found
