"""The films that are laid out: which they are, what they show, and intervals over patients."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrpipe.config import Evaluation, Task
from cxrpipe.data.cohort import label_films
from cxrpipe.evaluation.judging.judged import has_enough
from cxrpipe.evaluation.judging.scores import estimate
from cxrpipe.evaluation.statistics.bootstrap import draw_replicates, name_strata
from cxrpipe.evaluation.statistics.counting import Weights
from cxrpipe.evaluation.statistics.measures import weighted_mean
from cxrpipe.explanation.chance import order_by_chance
from cxrpipe.explanation.naming import name_answers
from cxrpipe.runtime import derive_seed

SEVERAL = "several"

Texts = npt.NDArray[np.str_]
Bools = npt.NDArray[np.bool_]
Estimate = dict[str, float | None]


def name_findings(films: pd.DataFrame, task: Task) -> list[str]:
    """Name what each film shows of a task: its findings joined by ``|``, or ``none``."""
    return list(name_answers(label_films(films, task), task))


def choose_balanced(films: pd.DataFrame, most: int, seed: int) -> Bools:
    """Choose films at random, as many of each finding as of any other while it has some.

    A film's chance does not depend on the films beside it. Films of several findings count as a
    finding of their own.

    Parameters
    ----------
    films
        With ``radiograph``, and ``finding`` as ``name_findings`` names it.

    Returns
    -------
    (n,): whether a film is chosen.
    """
    kinds = films["finding"].mask(films["finding"].str.contains("|", regex=False), SEVERAL)
    by_chance = np.array(order_by_chance(films["radiograph"], seed), dtype=np.int64)
    shuffled = kinds.iloc[by_chance]
    turns = shuffled.groupby(shuffled).cumcount().to_numpy()
    chosen = np.zeros(len(films), dtype=np.bool_)
    chosen[by_chance[np.argsort(turns, kind="stable")[:most]]] = True
    return chosen


@dataclass(frozen=True)
class Sample:
    """Films that are laid out, and the bootstrap samples of their groups.

    Attributes
    ----------
    radiographs, groups, sources, findings
        (n,) of each film; a group is a patient, with all copies of the films, a finding is named
        as ``name_findings`` does.
    weights
        (n_replicates, n): how often each bootstrap sample holds a film.
    level
        Of intervals, from 0 to 1.
    """

    radiographs: Texts
    groups: Texts
    sources: Texts
    findings: Texts
    weights: Weights
    level: float

    @property
    def has_one(self) -> Bools:
        """(n,): whether a film shows one finding or none, and so has one label."""
        return np.array(["|" not in finding for finding in self.findings], dtype=np.bool_)

    def labels(self, target: str) -> Texts:
        """Return what is told of every film: its ``finding`` or its ``source``."""
        return {"finding": self.findings, "source": self.sources}[target]

    def estimate(self, values: npt.NDArray[Any], inside: Bools) -> Estimate:
        """Estimate the mean of a value of some of the films.

        Parameters
        ----------
        values
            (n,) of every film.
        inside
            (n,): which of them count.

        Returns
        -------
        ``value``, and ``low`` and ``high``, the interval; all None if there are no films. There is
        no interval of fewer than 20 groups.
        """
        if not inside.any():
            return {"value": None, "low": None, "high": None}
        counted = np.asarray(values[inside], dtype=np.float64)
        enough = has_enough(pd.Series(self.groups[inside]))
        drawn = self.weights[:, inside] if enough else np.ones((1, len(counted)), dtype=np.uint8)
        told = estimate([float(counted.mean())], weighted_mean(counted, drawn), self.level)
        return {key: told[key] for key in ("value", "low", "high")}


def draw_sample(films: pd.DataFrame, settings: Evaluation, seed: int) -> Sample:
    """Draw bootstrap samples of films, as whole groups among those of the same sources."""
    names, groups, sources, findings = (
        films[column].to_numpy(dtype=str) for column in ("radiograph", "group", "source", "finding")
    )
    strata = name_strata(sources, groups)
    weights = draw_replicates(strata, groups, settings.replicates, derive_seed(seed, "bootstrap"))
    return Sample(names, groups, sources, findings, weights, settings.level)
