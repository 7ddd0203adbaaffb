"""What one model answers in every fold, and what was fixed for it on validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.config import Task
from cxrpipe.data.cohort import films_of, label_films
from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import Scores, tell_scores
from cxrpipe.evaluation.matching import match
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.evaluation.statistics.measures import measure
from cxrpipe.evaluation.statistics.metrics import Floats
from cxrpipe.runtime import UserError


@dataclass(frozen=True)
class Answers:
    """The answers of one model.

    Attributes
    ----------
    trained_on
        The collection whose films alone trained it; empty: all of its task.
    sources
        The collections that it and the models that it starts from were trained on.
    folds
        Films of each fold with a logit column for every finding of the task.
    test
        (n_folds, n, n_findings) logits of the test films, in their order.
    calibrations
        Of each fold.
    """

    trained_on: str
    sources: Sequence[str]
    folds: Sequence[pd.DataFrame]
    test: Floats
    calibrations: Sequence[Calibration]

    @property
    def calibrated(self) -> Floats:
        """Logits of the test films, divided by the temperature of their fold."""
        temperatures = np.array([each.temperature for each in self.calibrations])
        return np.asarray(self.test / temperatures[:, None, None])


def gather_answers(
    judged: Judged,
    predictions: Sequence[pd.DataFrame],
    calibrations: Sequence[Calibration],
    trained_on: str,
    sources: Sequence[str],
) -> Answers:
    """Bring a model's predictions of every fold into the order of the films.

    Raises
    ------
    UserError
        If predictions and split do not hold the same films in the same subsets, or a calibration
        is of other findings.
    """
    for calibration in calibrations:
        if (calibration.kind, calibration.findings) != (judged.task.kind, judged.task.findings):
            raise UserError("a calibration is of other findings than the task; calibrate anew")
    pairs = zip(judged.folds, predictions, strict=True)
    folds = [match(films, of_fold) for films, of_fold in pairs]
    columns = list(judged.task.findings)
    test = [fold.set_index("radiograph").loc[judged.test["radiograph"], columns] for fold in folds]
    logits = np.stack([of_fold.to_numpy(dtype=float) for of_fold in test])
    return Answers(trained_on, sources, folds, logits, calibrations)


def score_folds(judged: Judged, answers: Answers) -> list[dict[str, Scores]]:
    """Score every fold's films of each subset; of training those alone that trained the model."""
    return [
        {
            subset: _score_films(films_of(fold[fold["subset"] == subset], source), judged.task)
            for subset, source in zip(tables.SUBSETS, (answers.trained_on, "", ""), strict=True)
        }
        for fold in answers.folds
    ]


def _score_films(films: pd.DataFrame, task: Task) -> Scores:
    logits = films[list(task.findings)].to_numpy(dtype=float)
    true = label_films(films, task)
    return tell_scores(true, measure(true, logits, task.kind), task)
