"""What a model said of every film, how sure it was, and which mistakes are shown."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxrpipe.config import Task
from cxrpipe.data.cohort import label_films
from cxrpipe.evaluation.judging.mistakes import MOST
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.evaluation.statistics.decisions import confidence
from cxrpipe.evaluation.statistics.metrics import decide
from cxrpipe.explanation.choice import choose_films
from cxrpipe.explanation.naming import NONE, name_answers


def judge_films(films: pd.DataFrame, task: Task, calibration: Calibration) -> pd.DataFrame:
    """Compare what a model says of films with what they show.

    A film with several answers is wrong if one of them is; its probability is then that of the
    surest wrong answer, else that of the least sure one.

    Parameters
    ----------
    films
        Rows of the split with a logit column for every finding of the task.

    Returns
    -------
    ``radiograph``, ``group``, ``source``, what is ``true`` and what was ``said`` (joined by ``|``,
    ``none`` where nothing), the calibrated ``probability`` of the answer, ``right`` (0 or 1), and
    how ``sure`` it was, as ``decisions.confidence`` tells: it orders films where probabilities
    round to one.
    """
    true, n = label_films(films, task), len(films)
    uncalibrated = films[list(task.findings)].to_numpy(dtype=float)
    logits = uncalibrated / calibration.temperature
    said = decide(logits, task.kind)
    answers = 1 if task.kind == "single" else len(task.findings)  # of a film
    each_sure, each_right = (
        part.reshape(n, answers) for part in confidence(true, logits, task.kind)
    )
    right = each_right.all(axis=1)
    surest_wrong = np.where(each_right, -np.inf, each_sure).argmax(axis=1)
    place = np.where(right, each_sure.argmin(axis=1), surest_wrong)
    yes = calibration.probabilities(uncalibrated)
    if task.kind == "single":
        probability = yes[np.arange(n), said]
    else:
        probability = np.where(said == 1, yes, 1 - yes)[np.arange(n), place]
    return films[["radiograph", "group", "source"]].assign(
        true=name_answers(true, task),
        said=name_answers(said, task),
        probability=probability,
        right=right.astype(np.int64),
        sure=each_sure[np.arange(n), place],
    )


def list_surest(judged: pd.DataFrame, most: int = MOST) -> list[str]:
    """Return the wrongly answered films of which a model is surest, the surest first."""
    wrong = judged[judged["right"] == 0]
    ordered = wrong.sort_values(["sure", "radiograph"], ascending=[False, True])
    return list(ordered["radiograph"][:most])


def draw_mistakes(
    judged: pd.DataFrame, task: Task, per_finding: int, seed: int
) -> dict[str, list[str]]:
    """Draw wrongly answered films of each finding that they show, at random.

    Returns
    -------
    For each finding of the task the films, by name; for ``multi`` and ``binary`` also those that
    show none of them.
    """
    wrong = judged[judged["right"] == 0]
    shown = wrong.assign(finding=wrong["true"].str.split("|")).explode("finding")
    chosen = choose_films(
        shown[["radiograph", "finding"]].reset_index(drop=True), per_finding, seed
    )
    names: Sequence[str] = [*task.findings, *([NONE] if task.kind != "single" else [])]
    return {
        finding: list(chosen.loc[chosen["finding"] == finding, "radiograph"]) for finding in names
    }


def mark_shown(
    radiographs: "pd.Series[str]", drawn: dict[str, list[str]], surest: list[str]
) -> list[str]:
    """Tell of every film in which lists it is: ``drawn``, ``surest``, both joined, or empty."""
    lists = {"drawn": {film for films in drawn.values() for film in films}, "surest": set(surest)}
    return ["|".join(name for name in lists if film in lists[name]) for film in radiographs]
