"""What one model answers in every fold, and what was fixed for it on validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxrpipe import tables
from cxrpipe.data.cohort import films_of, label_films
from cxrpipe.evaluation.judging.judged import Judged
from cxrpipe.evaluation.judging.scores import Scores, tell_scores
from cxrpipe.evaluation.matching import match
from cxrpipe.evaluation.statistics.calibration import Calibration
from cxrpipe.evaluation.statistics.measures import measure
from cxrpipe.evaluation.statistics.metrics import Floats


@dataclass(frozen=True)
class Answers:
    """The answers of one model.

    Attributes
    ----------
    trained_on
        The collection whose films alone trained it; empty: all of its task.
    folds
        Films of each fold with a logit column for every finding of the task.
    test
        (n_folds, n, n_findings) logits of the test films, in their order.
    calibrations
        Of each fold.
    """

    trained_on: str
    folds: Sequence[pd.DataFrame]
    test: Floats
    calibrations: Sequence[Calibration]

    @property
    def calibrated(self) -> Floats:
        """Logits of the test films, divided by the temperature of their fold."""
        temperatures = np.array([each.temperature for each in self.calibrations])
        return np.asarray(self.test / temperatures[:, None, None])

    def held_out(self, judged: Judged) -> list[str]:
        """Name the sources of test films that did not train this model."""
        if not self.trained_on:
            return judged.held_out
        return [name for name in pd.unique(judged.test["source"]) if name != self.trained_on]


def gather_answers(
    judged: Judged,
    predictions: Sequence[pd.DataFrame],
    calibrations: Sequence[Calibration],
    trained_on: str,
) -> Answers:
    """Bring a model's predictions of every fold into the order of the films.

    Raises
    ------
    UserError
        If predictions and split do not hold the same films in the same subsets.
    """
    pairs = zip(judged.folds, predictions, strict=True)
    folds = [match(films, of_fold) for films, of_fold in pairs]
    columns = list(judged.task.findings)
    test = [fold.set_index("radiograph").loc[judged.test["radiograph"], columns] for fold in folds]
    return Answers(
        trained_on, folds, np.stack([each.to_numpy(float) for each in test]), calibrations
    )


def score_folds(judged: Judged, answers: Answers) -> list[dict[str, Scores]]:
    """Score every fold's films of each subset; of training those alone that trained the model."""
    scored = []
    for fold in answers.folds:
        of_fold = {}
        for subset in tables.SUBSETS:
            films = fold[fold["subset"] == subset]
            films = films_of(films, answers.trained_on if subset == "train" else "")
            logits = films[list(judged.task.findings)].to_numpy(dtype=float)
            true = label_films(films, judged.task)
            of_fold[subset] = tell_scores(
                true, measure(true, logits, judged.task.kind), judged.task
            )
        scored.append(of_fold)
    return scored
