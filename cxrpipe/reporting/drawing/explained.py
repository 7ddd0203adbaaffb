"""What explains the models of one task, as the figures need it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, NamedTuple

import pandas as pd

from cxrpipe.config import Task
from cxrpipe.evaluation.statistics.metrics import probabilities
from cxrpipe.explanation.excited import Excited
from cxrpipe.reporting.drawing.heatmaps import Greys, Heatmap, Mask
from cxrpipe.reporting.drawing.results import Estimate
from cxrpipe.reporting.drawing.style import readable

MODELS = 12  # of a figure, at most
LETTERS = 48  # of the findings of a film
NONE = "none"  # of the findings of a task, as tables have it; empty where of no task
Told = Mapping[str, Any]
Films = Callable[[Sequence[str]], Greys]  # gives films (n, side, side) by their names


class Heat(NamedTuple):
    """One heatmap with what it explains: a finding of a film, by a method, at a layer.

    Attributes
    ----------
    true
        Findings of the film, joined by ``|``.
    heatmap
        (side, side) from 0 to 1, or from -1 to 1 where the method is ``cam``.
    """

    radiograph: str
    true: str
    finding: str
    method: str
    layer: str
    heatmap: Heatmap


class Model(NamedTuple):
    """One model.

    Attributes
    ----------
    task
        What it learned.
    logits
        A row for each film by its name, a column for each finding of its task.
    heatmaps
        Gives the heatmaps of a purpose, in the order of their file.
    localisation
        Scores of its heatmaps.
    """

    task: Task
    logits: pd.DataFrame
    heatmaps: Callable[[str], Sequence[Heat]]
    localisation: Told

    def chance(self, radiograph: str, finding: str) -> float:
        """Return the probability, as trained, that it gives a finding of a film."""
        row = self.logits.loc[[radiograph]].to_numpy(dtype=float)
        return float(probabilities(row, self.task.kind)[0, self.task.findings.index(finding)])


class Latent(NamedTuple):
    """Where films lie by the features of models: ``tables.LAYOUT``, ``NEIGHBOURS``, scores."""

    layout: pd.DataFrame
    neighbours: pd.DataFrame
    told: Told


class Answers(NamedTuple):
    """What a model answers of each test film, ``tables.ERRORS``, and why it may err."""

    films: pd.DataFrame
    told: Told


@dataclass(frozen=True)
class Explained:
    """The models of one task with what explains them.

    Attributes
    ----------
    models
        Those of the task, in the order of the recipe.
    numbers
        Place of each of them among all models of the recipe; in every figure it gives the colour.
    best
        Name of the model that was best on validation; of it are ``answers``, ``filters`` and
        ``temperature``, which its logits are divided by for calibrated probabilities.
    level
        Of all intervals, from 0 to 1.
    lesions
        Masks of the known lesions, by film.
    sources
        Of each film.
    """

    task: Task
    models: Mapping[str, Model]
    numbers: Mapping[str, int]
    best: str
    level: float
    films: Films
    lesions: Mapping[str, Mask]
    sources: Mapping[str, str]
    latent: Latent
    answers: Answers
    filters: Excited
    temperature: float

    @property
    def shown(self) -> list[str]:
        """Names of the models that fit a figure: the best and the first others."""
        others = [name for name in self.models if name != self.best][: MODELS - 1]
        return [name for name in self.models if name in {self.best, *others}]

    @property
    def interval(self) -> str:
        """What its intervals are called, such as ``95 % interval``."""
        return f"{100 * self.level:g} % interval"

    @property
    def alpha(self) -> float:
        """Adjusted p below which a test is called sure."""
        return round(1 - self.level, 6)

    def how_many(self) -> str:
        """Say which models are shown where they are not all."""
        left = len(self.models) - len(self.shown)
        return f" {len(self.shown)} of {len(self.models)} models are drawn." if left else ""

    def by_name(self, radiographs: Iterable[str]) -> dict[str, Greys]:
        """Return the pixels of films by their names."""
        names = sorted(set(radiographs))
        return dict(zip(names, self.films(names), strict=True)) if names else {}

    def calibrated(self, radiograph: str) -> dict[str, float]:
        """Return the calibrated probability that the best model gives each finding of a film."""
        logits = self.models[self.best].logits.loc[[radiograph]].to_numpy(dtype=float)
        shares = probabilities(logits / self.temperature, self.task.kind)[0]
        return dict(zip(self.task.findings, map(float, shares), strict=True))


def say_findings(joined: str, letters: int = LETTERS) -> str:
    """Write findings that are joined by ``|`` as people do, the last left out if they are long."""
    if joined in ("", NONE):
        return "none of them"
    return shorten(readable(joined.replace("|", ", ")), letters, placeholder=" …")


def estimate_of(told: Told, key: str) -> Estimate:
    """Return an estimate of a part that may lack it."""
    estimate: Estimate | None = told.get(key)
    return estimate or {"value": None, "low": None, "high": None}


def part_of(told: Told, *keys: str) -> Told:
    """Return a part of what is told; empty where it is not there."""
    for key in keys:
        told = told.get(key) or {}
    return told
