"""The test films that the models of a task are judged on, and the samples drawn from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.config import Evaluation, Task
from cxrpipe.data.cohort import choose_cohort, label_films
from cxrpipe.evaluation.statistics.bootstrap import draw_replicates, name_strata
from cxrpipe.evaluation.statistics.counting import Weights
from cxrpipe.evaluation.statistics.metrics import Integers
from cxrpipe.runtime import derive_seed


@dataclass(frozen=True)
class Judged:
    """The films of one task, and the bootstrap samples of those for the test.

    Attributes
    ----------
    folds
        The task's films of each fold, as ``tables.SPLIT`` has them.
    test
        Its test films, the same in every fold.
    true
        What they show: (n,) places of findings, or (n, n_findings) of 0 and 1.
    weights
        (n_replicates, n): how often each sample holds a film. Samples are of whole groups, drawn
        among those of the same sources; every model has the same samples, so that two can be
        compared film by film.
    level
        Of intervals, from 0 to 1.
    """

    task: Task
    folds: Sequence[pd.DataFrame]
    test: pd.DataFrame
    true: Integers
    weights: Weights
    level: float

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """(n,) name of the patient, with all copies of the films, of every test film."""
        return self.test["group"].to_numpy(dtype=str)

    @property
    def shown(self) -> npt.NDArray[np.bool_]:
        """(n, n_findings): whether a test film shows each finding."""
        if self.task.kind == "single":
            return np.asarray(self.true[:, None] == np.arange(len(self.task.findings)))
        return self.true.astype(bool)

    @property
    def held_out(self) -> list[str]:
        """Names of the sources that have test films and no training film."""
        films = self.folds[0]
        known = set(films.loc[films["subset"] == "train", "source"])
        return [name for name in pd.unique(self.test["source"]) if name not in known]


def gather(
    split: pd.DataFrame, task: Task, n_folds: int, settings: Evaluation, seed: int
) -> Judged:
    """Gather the films of a task and draw the samples of its test films."""
    folds = [choose_cohort(split[split["fold"] == fold], task) for fold in range(n_folds)]
    test = folds[0][folds[0]["subset"] == "test"].reset_index(drop=True)
    true = label_films(test, task)
    groups = test["group"].to_numpy(dtype=str)
    strata = name_strata(test["source"].to_numpy(dtype=str), groups)
    seed = derive_seed(seed, "bootstrap")
    weights = draw_replicates(strata, groups, settings.replicates, seed)
    return Judged(task, folds, test, true, weights, settings.level)
