"""The ablation table: one row a grid point, over its seeds and folds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from cxrpipe.evaluation.judging.scores import known
from cxrpipe.reporting.page.wording import NOT_ESTIMABLE
from cxrpipe.reporting.results import say
from cxrpipe.runtime import RESEARCH_USE

SUBSETS = ("validation", "test")
SCORES = {"f1": "macro F1", "auc": "macro AUC"}
SPREADS = [
    f"{subset}_{score}_{part}" for subset in SUBSETS for score in SCORES for part in ("mean", "sd")
]
FIXED = ["task", "model", "n_runs", *SPREADS]
NOTES = (
    "Between the rows of one model all else is equal: every setting that is no column and, unless "
    "a column chooses them, the films. Models that differ in their seed alone, and folds, are runs "
    "of one row: mean ± standard deviation of n runs.",
    "Choices belong to the validation columns: chosen by test, a score is too good. Runs share "
    "films, so that the spread is no interval.",
    RESEARCH_USE,
)
Points = Mapping[str, Mapping[str, Any]]


def pool_models(models: Sequence[str], points: Points) -> dict[str, list[str]]:
    """Gather the models that differ in their seed alone, in the order of the recipe.

    The grid names a model after its point, so that these have the same name but for the seed; that
    name is the key.
    """
    pooled: dict[str, list[str]] = {}
    for model in models:
        seed = points.get(model, {}).get("seed")
        pooled.setdefault(model.replace(f"_seed-{seed}", "", 1), []).append(model)
    return pooled


def list_varying(points: Points) -> list[str]:
    """List the settings that vary between points, but for the seed."""
    given = [point for point in points.values() if point]
    settings = dict.fromkeys(key for point in given for key in point if key != "seed")
    return [key for key in settings if len({_write(point.get(key)) for point in given}) > 1]


def _write(value: object) -> str:
    """Write a setting as a recipe does; one that is not set is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def build_grid(metrics: Mapping[str, Any], models: Sequence[str], points: Points) -> pd.DataFrame:
    """Build the ablation table, rows in the order of the recipe.

    Returns
    -------
    The settings that vary, as text, and ``FIXED``: over the runs of a point, mean and standard
    deviation of macro F1 and macro AUC. A score that cannot be estimated of any run, and the
    spread of a single one, are NaN.
    """
    varying = list_varying(points)
    rows = []
    for name, pooled in pool_models(models, points).items():
        runs = [fold for model in pooled for fold in metrics["models"][model]["folds"]]
        point = points.get(pooled[0], {})
        settings = {key: _write(point.get(key)) for key in varying}
        named = {"task": metrics["models"][pooled[0]]["task"], "model": name}
        rows.append(settings | named | {"n_runs": len(runs)} | _spread(runs))
    table = pd.DataFrame(rows)
    table[SPREADS] = table[SPREADS].astype("float64")
    return table


def _spread(runs: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    spread: dict[str, float | None] = {}
    for subset in SUBSETS:
        for score in SCORES:
            values = [run[subset]["macro"][score] for run in runs]
            finite = [value for value in values if value is not None]
            spread[f"{subset}_{score}_mean"] = known(fmean(finite)) if finite else None
            spread[f"{subset}_{score}_sd"] = known(stdev(finite)) if len(finite) > 1 else None
    return spread


def read_grid(path: Path) -> pd.DataFrame:
    """Read the ablation table as it was written; settings stay text."""
    text = pd.read_csv(path, dtype="str", keep_default_na=False)
    text[SPREADS] = text[SPREADS].replace("", "nan").astype("float64")
    return text.astype({"n_runs": "int64"})


def has_something_to_compare(grid: pd.DataFrame) -> bool:
    """Tell whether there is a grid at all, or any row of more than one run."""
    return bool((grid["n_runs"] > 1).any() or set(grid) - set(FIXED))


def for_people(grid: pd.DataFrame) -> pd.DataFrame:
    """Return the table as people read it: settings, number of runs, and mean ± spread."""
    shown = grid[["model"]].copy()
    if len(set(grid["task"])) > 1:
        shown["task"] = grid["task"]
    for setting in grid.columns.difference(FIXED, sort=False):
        shown[setting] = grid[setting]
    shown["n runs"] = grid["n_runs"]
    for subset in SUBSETS:
        for score, name in SCORES.items():
            column = f"{subset}_{score}"
            mean, spread = grid[f"{column}_mean"], say(grid[f"{column}_sd"], " ± {:.3f}")
            said = (say(mean, "{:.3f}") + spread).where(mean.notna(), NOT_ESTIMABLE)
            shown[f"{name}, {subset}"] = said
    return shown
