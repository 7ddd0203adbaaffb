"""What is known of the models of one task, as the figures need it."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

SCORES = {"f1": "macro F1", "auc": "macro AUC", "accuracy": "accuracy"}
POINT = ["x", "y", "low", "high", "n"]
NOT_ESTIMABLE = "not estimable"
Estimate = Mapping[str, float | None]
Scored = Mapping[str, Any]


@dataclass(frozen=True)
class Results:
    """The models of one task with their scores, curves and sizes.

    Attributes
    ----------
    task
        Its part of ``metrics.json``.
    models
        Those of the task, in the order of the recipe: their parts of ``metrics.json``.
    numbers
        Place of each of them among all models of the recipe; in every figure it gives the colour.
    curves
        By curve, model and finding: its rows, as ``tables.CURVES`` promises.
    parameters
        Number of parameters of each model.
    level
        Of all intervals, from 0 to 1.
    """

    task: Mapping[str, Any]
    models: Mapping[str, Mapping[str, Any]]
    numbers: Mapping[str, int]
    curves: Mapping[tuple[Hashable, ...], pd.DataFrame]
    parameters: Mapping[str, int]
    level: float

    @property
    def single(self) -> bool:
        """Whether every film shows exactly one finding, not a yes or no of each."""
        return bool(self.task["kind"] == "single")

    @property
    def best(self) -> str:
        """Name of the model that was best on validation."""
        return str(self.task["best"])

    @property
    def n(self) -> int:
        """Number of test films."""
        return int(self.task["test"]["n"])

    @property
    def interval(self) -> str:
        """What its intervals are called, such as ``95 % interval``."""
        return f"{100 * self.level:g} % interval"

    @property
    def scores(self) -> list[str]:
        """Accuracy and macro scores; the one by which models were chosen is the first."""
        chosen = str(self.task["chosen_by"])
        return [chosen, "accuracy", *({"f1", "auc"} - {chosen})]

    def n_with(self, finding: str) -> int:
        """Count the test films that show a finding."""
        return int(self.models[self.best]["test"]["findings"][finding]["n"])

    def curve(self, curve: str, model: str, finding: str = "") -> pd.DataFrame:
        """Return the points of one curve that can be estimated, in the order of x."""
        rows = self.curves.get((curve, model, finding))
        return pd.DataFrame(columns=POINT) if rows is None else rows.dropna(subset=["y"])


def results_of_task(
    metrics: Mapping[str, Any], curves: pd.DataFrame, parameters: Mapping[str, int], task: str
) -> Results:
    """Gather what is known of the models of one task.

    Parameters
    ----------
    metrics
        ``metrics.json``.
    curves
        Of all tasks, as ``tables.CURVES`` promises.
    parameters
        Number of parameters of every model.
    """
    models = {name: model for name, model in metrics["models"].items() if model["task"] == task}
    of_task = curves[curves["task"] == task]
    return Results(
        metrics["tasks"][task],
        models,
        {name: number for number, name in enumerate(metrics["models"]) if name in models},
        dict(iter(of_task.groupby(["curve", "model", "finding"]))),
        parameters,
        metrics["bootstrap"]["level"],
    )


def pick(scored: Scored, score: str) -> Estimate | None:
    """Return accuracy or a macro score with its interval; None where there is none."""
    estimate: Estimate | None = {"accuracy": scored["accuracy"], **scored["macro"]}.get(score)
    return estimate


def say_estimate(estimate: Estimate | None) -> str:
    """Write a score with its interval, such as ``0.931 (0.912 to 0.948)``."""
    if estimate is None or estimate["value"] is None:
        return NOT_ESTIMABLE
    if estimate["low"] is None or estimate["high"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"
