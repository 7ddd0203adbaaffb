"""The results as tables: one that holds everything, and those that people read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxrpipe.reporting.columns import (
    PARTS,
    Columns,
    calibration_columns,
    finding_columns,
    localisation_columns,
    score_columns,
)
from cxrpipe.reporting.page.wording import NOT_ESTIMABLE

Told = Mapping[str, Mapping[str, Any]]  # by model

MAJORITY = "majority"
MACRO = {"f1": "F1", "auc": "AUC"}
SCORES = {"accuracy": "accuracy", "f1": "macro F1", "auc": "macro AUC"}
VARYING = {"head": "{}", "dropout": "{:g}", "weights": "{}", "trained_on": "{}"}
MEASURED = {"seconds_per_epoch": "s/epoch", "films_per_second": "films/s"}
TRAINED = ["architecture", "head", "dropout", "weights", "side", "parameters", "trainable"]
TRAINED += ["batch", "epochs", "best_epoch", "kept", "monitor", "size_bytes"]
COUNTS = ["side", "parameters", "trainable", "batch", "epochs", "best_epoch", "size_bytes"]
NAMES = ["model", "task", "architecture", "head", "weights", "kept", "monitor", "trained_on"]
MOST_COLUMNS = 6  # of models side by side; more of them are rows


def build_table(metrics: Mapping[str, Any], summaries: Told, localisations: Told) -> pd.DataFrame:
    """Build the table: models in the recipe's order, ensembles, then ``majority`` of every task.

    Scores are those of the test films, with the bounds of their intervals over patients and, of
    several folds, the mean and standard deviation. Times are not in it, since they differ from one
    run to the next: whoever repeats the run gets the same bytes.
    """
    tasks, models = metrics["tasks"], metrics["models"]
    rows: list[Columns] = []
    for name, model in models.items():
        task = tasks[model["task"]]
        rows.append(
            {"model": name, "task": model["task"], "best": int(name == task["best"])}
            | {key: summaries[name][key] for key in TRAINED}
            | {"folds": len(model["folds"]), "trained_on": model["trained_on"]}
            | localisation_columns(localisations[name])
            | _row(task, model["test"], calibration_columns(model["calibration"]))
        )
    for name, task in tasks.items():
        for ensemble, told in task["ensembles"].items():
            for method in ("vote", "mean"):
                named: Columns = {"model": f"{ensemble}: {method}", "task": name, "best": 0}
                rows.append(named | _row(task, told[method]))
    for name, task in tasks.items():
        baseline = _row(task, task["majority"]["test"])
        rows.append({"model": MAJORITY, "task": name, "best": 0} | baseline)
    return _typed(pd.DataFrame(rows))


def _row(
    task: Mapping[str, Any], scores: Mapping[str, Any], between: Mapping[str, object] | None = None
) -> Columns:
    columns: Columns = {"n": scores["n"], "groups": task["test"]["groups"]}
    return columns | score_columns(scores) | dict(between or {}) | finding_columns(scores)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    numbers = dict.fromkeys(table.columns.difference(NAMES), "float64")
    counts = dict.fromkeys([*COUNTS, "folds", "pointing_n"], "Int64")
    return table.astype(numbers).astype(counts | {"best": "int64", "n": "int64", "groups": "int64"})


def read_table(path: Path) -> pd.DataFrame:
    """Read the table as it was written; names stay text, and empty numbers are NaN."""
    names = dict.fromkeys(NAMES, "str")
    return pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])


def for_people(rows: pd.DataFrame, timings: Told | None = None) -> pd.DataFrame:
    """Return the columns that people compare, rounded, the best on validation with a star.

    Parameters
    ----------
    rows
        Those of one task. Of head, dropout, weights and the collection that a model was trained
        on, those are shown that vary.
    timings
        What ``timing.json`` of each model tells.
    """
    shown = pd.DataFrame({"model": rows["model"].where(rows["best"] == 0, rows["model"] + " *")})
    for column in ("parameters", "trainable"):
        shown[column] = say(rows[column] / 1e6, "{:.2f} M")
    for column in ("side", "batch"):
        shown[column] = say(rows[column], "{:.0f}")
    for column, said in VARYING.items():
        if len(set(rows.loc[is_model(rows), column].fillna(""))) > 1:
            shown[column] = say(rows[column], said)
    kept = rows["best_epoch"].where(rows["kept"] != "last", rows["epochs"])
    shown["epochs"] = say(kept, "{:.0f}") + say(rows["epochs"], " of {:.0f}")
    for key, heading in MEASURED.items() if timings else ():
        measured = {name: timing[key] for name, timing in (timings or {}).items()}
        shown[heading] = say(rows["model"].map(measured), "{:,.1f}")
    shown["MB"] = say(rows["size_bytes"] / 1e6, "{:.1f}")
    for column, heading in SCORES.items():
        shown[heading] = say_estimates(rows, column)
    if rows["pointing"].notna().any():
        shown["pointing"] = say(rows["pointing"], "{:.0%}")
    return shown


def is_model(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which rows are trained models, and neither ensembles nor the majority."""
    return rows["architecture"].notna()


def is_best(rows: pd.DataFrame, score: str) -> "pd.Series[bool]":
    """Tell which models of a task score best on test, as far as three digits tell them apart."""
    scores = rows[score].round(3).where(is_model(rows))
    return scores.eq(scores.max())


def embolden(shown: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Set the best score of each column in bold, as Markdown does.

    Parameters
    ----------
    shown
        What ``for_people`` returned for these rows.
    """
    marked = shown.copy()
    for column, heading in SCORES.items():
        bold = shown[heading].str.replace(r"^(\S+)", r"**\1**", regex=True)
        marked[heading] = shown[heading].mask(is_best(rows, column), bold)
    return marked


def say(values: "pd.Series[Any]", said: str) -> "pd.Series[str]":
    """Write values as people read them; what is not known is an empty cell."""
    cells = ["" if pd.isna(value) else said.format(value) for value in values]
    return pd.Series(cells, index=values.index, dtype="str")


def say_estimate(
    value: float | None, low: float | None, high: float | None, sd: float | None
) -> str:
    """Write a score with its interval and its spread over folds, if it has them.

    For example ``0.931 (0.912-0.948) ± 0.010``.
    """
    if value is None or pd.isna(value):
        return NOT_ESTIMABLE
    bounds = "" if pd.isna(low) or pd.isna(high) else f" ({low:.3f}-{high:.3f})"
    return f"{value:.3f}{bounds}" + ("" if pd.isna(sd) else f" ± {sd:.3f}")


def say_estimates(rows: pd.DataFrame, score: str) -> "pd.Series[str]":
    """Write a score of every row as ``say_estimate`` does; columns that are missing are unknown."""
    columns = rows.reindex(columns=[score, *(f"{score}_{part}" for part in PARTS)])
    cells = [say_estimate(*row) for row in columns.itertuples(index=False)]
    return pd.Series(cells, index=rows.index, dtype="str")


def finding_table(metrics: Mapping[str, Any], name: str) -> pd.DataFrame:
    """Return F1, or AUC, of each finding of a task by model, on the test films.

    Findings are the rows, with n, their test films; of more than ``MOST_COLUMNS`` models, these
    are the rows.
    """
    task = metrics["tasks"][name]
    score = task["chosen_by"]
    findings = {key: row["n"] for key, row in task["majority"]["test"]["findings"].items()}
    cells = {
        model: [
            say_estimate(*(row[score][part] for part in ("value", *PARTS)))
            for row in told["test"]["findings"].values()
        ]
        for model, told in metrics["models"].items()
        if told["task"] == name
    }
    if len(cells) > MOST_COLUMNS:
        headings = [f"{MACRO[score]} {finding} (n = {n})" for finding, n in findings.items()]
        turned = zip(headings, zip(*cells.values(), strict=True), strict=True)
        return pd.DataFrame({"model": list(cells)} | dict(turned))
    columns = {"finding": list(findings), "n test": list(findings.values())}
    return pd.DataFrame(columns | {f"{MACRO[score]} {model}": cells[model] for model in cells})
