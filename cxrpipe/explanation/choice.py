"""Which films are explained: some of every finding, the surest answers, those of known lesions."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.config import Task
from cxrpipe.data.cohort import label_films
from cxrpipe.evaluation.statistics.metrics import decide, probabilities
from cxrpipe.explanation.chance import order_by_chance

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

    Tasks which share films also share those that are drawn.
    """
    shuffled = shown.iloc[order_by_chance(shown["radiograph"], seed)]
    return shuffled.groupby("finding").head(per_finding).sort_values(["finding", "radiograph"])


def list_answers(radiographs: Sequence[str], predictions: pd.DataFrame, kind: str) -> pd.DataFrame:
    """List what a model answers of films: a row for each film and each finding.

    Returns
    -------
    ``radiograph``, ``finding``, its ``probability``, and whether it is ``said``: that of highest
    probability for ``single``, else every one of probability above 1/2.
    """
    logits = predictions.set_index("radiograph").drop(columns="subset").loc[list(radiographs)]
    values = logits.to_numpy(dtype=float)
    answers = decide(values, kind)
    n_findings = values.shape[1]
    said = np.eye(n_findings)[answers] if kind == "single" else answers
    return pd.DataFrame(
        {
            "radiograph": np.repeat(np.array(radiographs, dtype=object), n_findings),
            "finding": np.tile(np.array(logits.columns), len(values)),
            "probability": probabilities(values, kind).ravel(),
            "said": said.astype(np.bool_).ravel(),
        }
    )


def choose_found(with_lesions: pd.DataFrame, answers: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Choose, of films with known lesions, those on which a heatmap is held against them.

    For ``single`` those whose finding the model says. For ``multi`` and ``binary`` all of them:
    rare findings seldom pass 1/2, however well a model ranks films.
    """
    found: pd.DataFrame = with_lesions[_among(with_lesions, _countable(answers, kind))]
    return found


def choose_right(shown: pd.DataFrame, answers: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Choose of every finding the film that shows it and of which the model is surest.

    For ``single`` a finding that is said of none of its films has no row. For ``multi`` and
    ``binary`` the model may hold even that film for less than probable.
    """
    counted = _countable(answers, kind)
    right = counted[_among(counted, shown)]
    return _surest(right.assign(sure=right["probability"]), ["finding"])


def choose_wrong(shown: pd.DataFrame, answers: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Choose of every kind of mistake the film that the model is surest of; frequent ones first.

    For ``single`` a kind is a finding taken for another. Else it is a finding said of films without
    it, or one not said of films that show it.

    Returns
    -------
    ``radiograph`` and ``finding``, that which the model says, or misses.
    """
    wrong = answers[answers["said"] != _among(answers, shown)]
    by = ["finding", "said"]
    if kind == "single":
        true = shown.rename(columns={"finding": "true"})
        wrong, by = wrong[wrong["said"]].merge(true, on="radiograph"), ["true", "finding"]
    wrong = wrong.assign(
        times=wrong.groupby(by)["finding"].transform("size"),
        sure=wrong["probability"].where(wrong["said"], -wrong["probability"]),
    )
    return _surest(wrong, by).sort_values("times", ascending=False, kind="stable")


def choose_several(shown: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """Choose at random films that show several findings; a row for each film and finding."""
    times = shown.groupby("radiograph")["finding"].transform("size")
    several = shown[times > 1]
    names = sorted(several["radiograph"].unique())
    drawn = [names[place] for place in order_by_chance(names, seed)[:most]]
    return several[several["radiograph"].isin(drawn)].sort_values(KEY)


def _countable(answers: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the answers that count as given: what is said for ``single``, else all."""
    return answers[answers["said"]] if kind == "single" else answers


def _among(rows: pd.DataFrame, others: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell of each row whether the other table has its film and finding."""
    pairs, known = (pd.MultiIndex.from_frame(table[KEY]) for table in (rows, others))
    return np.asarray(pairs.isin(known))


def _surest(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Choose the row of each group that is most ``sure``; of equal ones the first film by name."""
    ordered = rows.sort_values(["sure", "radiograph"], ascending=[False, True])
    return ordered.groupby(by).head(1).sort_values(by)
