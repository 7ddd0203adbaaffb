"""Which films are explained: some of every finding, the surest answers, those of known lesions."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.config import Task
from cxrpipe.data.cohort import label_films
from cxrpipe.evaluation.statistics.metrics import decide, probabilities
from cxrpipe.runtime import derive_seed

KEY = ["radiograph", "finding"]


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
    right = _among(shown, list_said(list(shown["radiograph"].unique()), predictions, kind))
    found: pd.DataFrame = shown[right & shown["alone"] & shown["radiograph"].isin(with_lesions)]
    return found


def list_said(radiographs: Sequence[str], predictions: pd.DataFrame, kind: str) -> pd.DataFrame:
    """List what a model says of films: a row for each film and each finding that it names.

    Returns
    -------
    ``radiograph``, ``finding`` and its ``probability``. That is the finding of highest probability
    for ``single``, else every one of probability above 1/2.
    """
    logits = predictions.set_index("radiograph").drop(columns="subset").loc[list(radiographs)]
    values = logits.to_numpy(dtype=float)
    answers = decide(values, kind)
    named = np.eye(values.shape[1])[answers] if kind == "single" else answers
    rows, places = np.nonzero(named)
    return pd.DataFrame(
        {
            "radiograph": np.array(radiographs, dtype=object)[rows],
            "finding": np.array(logits.columns)[places],
            "probability": probabilities(values, kind)[rows, places],
        }
    )


def choose_right(shown: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Choose of every finding the film that shows it and of which the model says so most surely.

    A finding that is said of none of its films has no row.
    """
    return _surest(said[_among(said, shown)], ["finding"])


def choose_wrong(shown: pd.DataFrame, said: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Choose of every kind of mistake the film that the model is surest of; frequent ones first.

    For ``single`` a kind is a finding taken for another, else a finding said of films without it.

    Returns
    -------
    ``radiograph`` and ``finding``, that which the model says.
    """
    wrong = said[~_among(said, shown)]
    by = ["finding"]
    if kind == "single":
        wrong = wrong.merge(shown.rename(columns={"finding": "true"}), on="radiograph")
        by = ["true", "finding"]
    wrong = wrong.assign(times=wrong.groupby(by)["finding"].transform("size"))
    return _surest(wrong, by).sort_values("times", ascending=False, kind="stable")


def choose_several(shown: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """Choose at random films that show several findings; a row for each film and finding."""
    times = shown.groupby("radiograph")["finding"].transform("size")
    several = shown[times > 1]
    names = sorted(several["radiograph"].unique(), key=lambda name: derive_seed(seed, name))
    return several[several["radiograph"].isin(names[:most])].sort_values(KEY)


def _among(rows: pd.DataFrame, others: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell of each row whether the other table has its film and finding."""
    pairs, known = (pd.MultiIndex.from_frame(table[KEY]) for table in (rows, others))
    return np.asarray(pairs.isin(known))


def _surest(said: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Choose the row of highest probability of each group; of equal ones the first film by name."""
    ordered = said.sort_values(["probability", "radiograph"], ascending=[False, True])
    return ordered.groupby(by).head(1).sort_values(by)
