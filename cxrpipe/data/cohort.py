"""The films of one task, and what each is labelled with."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.config import Task
from cxrpipe.runtime import UserError


def choose_cohort(split: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Choose the films of a split that a task is about, in the order of the split.

    They are those of the task's sources; ``single`` leaves out a film that shows none of the
    task's findings, for the other kinds such a film is a negative. Only training films are
    truncated, so that the others keep the shares that films have. Radiographs are named after the
    checksum of their pixels: the first by name are a random choice, the same in every run.

    Raises
    ------
    UserError
        If a film of a ``single`` task shows several of its findings; names the film.
    """
    films = split[split["source"].isin(task.sources)]
    shown = _shown(films, task)
    n_shown = shown.sum(axis=1)
    if task.kind == "single":
        several = films[n_shown > 1]
        if len(several):
            film = several.iloc[0]
            raise UserError(
                f"radiograph {film['radiograph']} has the findings '{film['finding']}', and this "
                "task gives every film one of them; set index.several: exclude, or the task's "
                "kind: multi"
            )
        films, shown = films[n_shown == 1], shown[n_shown == 1]
    return films[_truncate(films, shown, task)] if task.truncate else films


def films_of(cohort: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the films of a cohort that come from one collection; all if none is named."""
    return cohort[cohort["source"] == source] if source else cohort


def label_films(films: pd.DataFrame, task: Task) -> npt.NDArray[np.int64]:
    """Label films of a task's cohort.

    Returns
    -------
    For ``single`` (n,) places in ``task.findings``; else (n, n_findings) of 0 and 1.
    """
    shown = _shown(films, task)
    return shown.argmax(axis=1) if task.kind == "single" else shown


def _shown(films: pd.DataFrame, task: Task) -> npt.NDArray[np.int64]:
    """Return (n, n_findings) of 0 and 1: which of the task's findings each film shows."""
    told = [set(findings.split("|")) for findings in films["finding"]]
    shown = [[finding in findings for finding in task.findings] for findings in told]
    return np.array(shown, dtype=np.int64).reshape(len(films), len(task.findings))


def _truncate(
    films: pd.DataFrame, shown: npt.NDArray[np.int64], task: Task
) -> npt.NDArray[np.bool_]:
    """Return (n,): which films stay if no finding has more training films than is allowed.

    A film of several findings stays as long as one of them is short of films; films of none count
    as a finding of their own.
    """
    kinds = np.column_stack([shown, shown.sum(axis=1) == 0]).astype(bool)
    trains = films["subset"].to_numpy() == "train"
    counts = kinds[trains].sum(axis=0)
    most = min(counts[counts > 0], default=0) if task.truncate == "smallest" else task.truncate
    stays = ~trains
    taken = np.zeros(kinds.shape[1], dtype=np.int64)
    for row in np.argsort(films["radiograph"].to_numpy(), kind="stable"):
        if trains[row] and (taken[kinds[row]] < most).any():
            stays[row] = True
            taken += kinds[row]
    return np.asarray(stays, dtype=np.bool_)
