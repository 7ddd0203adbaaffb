"""The test films that the models of a task are judged on, and the samples drawn from them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.config import Evaluation, Task
from cxrpipe.data.cohort import choose_cohort, label_films
from cxrpipe.evaluation.statistics.bootstrap import draw_replicates, name_strata
from cxrpipe.evaluation.statistics.counting import Weights
from cxrpipe.evaluation.statistics.metrics import Integers
from cxrpipe.runtime import UserError, derive_seed

# Of fewer patients often none is wrong, which leaves no interval, and those that remain are a
# selection: of an accuracy of .9, all that 20 patients give hold it in 87 %, those of 5 in 40 %,
# the missing ones being counted (docs/coverage.md).
FEWEST_GROUPS = 20


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
    learnt_from
        Sources of the run that have films for training or validation, of any task and fold.
    """

    task: Task
    folds: Sequence[pd.DataFrame]
    test: pd.DataFrame
    true: Integers
    weights: Weights
    level: float
    learnt_from: frozenset[str]

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

    def held_out(self, sources: Collection[str]) -> list[str]:
        """Name the sources of test films that a model did not learn from, which had these."""
        seen = self.learnt_from & set(sources)
        return [name for name in pd.unique(self.test["source"]) if name not in seen]

    def part(self, inside: npt.NDArray[np.bool_]) -> "Judged":
        """Return some of the test films, (n,) true where a film is one of them."""
        test = self.test[inside].reset_index(drop=True)
        weights = self.weights[:, inside] if has_enough(test["group"]) else _once(test)
        return replace(self, test=test, true=self.true[inside], weights=weights)


def gather(
    split: pd.DataFrame, task: Task, n_folds: int, settings: Evaluation, seed: int
) -> Judged:
    """Gather the films of a task and draw the samples of its test films.

    Raises
    ------
    UserError
        If the task has no test film; names its sources.
    """
    folds = [choose_cohort(split[split["fold"] == fold], task) for fold in range(n_folds)]
    test = folds[0][folds[0]["subset"] == "test"].reset_index(drop=True)
    if test.empty:
        shown = f"{', '.join(task.findings)} in {', '.join(task.sources)}"
        raise UserError(
            f"split.csv: no test film of the task ({shown}); give split.test, or hold one of these "
            "sources out"
        )
    learnt_from = frozenset(split.loc[split["subset"] != "test", "source"])
    weights = _draw(test, settings.replicates, seed) if has_enough(test["group"]) else _once(test)
    true = label_films(test, task)
    return Judged(task, folds, test, true, weights, settings.level, learnt_from)


def has_enough(groups: "pd.Series[str]") -> bool:
    """Tell whether films are of so many patients that samples of them say how sure a score is."""
    return groups.nunique() >= FEWEST_GROUPS


def _once(test: pd.DataFrame) -> Weights:
    """Return one sample that holds all films once, from which no interval follows."""
    return np.ones((1, len(test)), dtype=np.uint8)


def _draw(test: pd.DataFrame, n_replicates: int, seed: int) -> Weights:
    """Draw samples of whole groups among those of the same sources."""
    groups = test["group"].to_numpy(dtype=str)
    strata = name_strata(test["source"].to_numpy(dtype=str), groups)
    return draw_replicates(strata, groups, n_replicates, derive_seed(seed, "bootstrap"))
