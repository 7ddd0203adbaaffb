"""The results as tables: one that holds everything, and those that people read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxrpipe.evaluation.scores import CHOSEN_BY, average

MAJORITY = "majority"
MACRO = {"f1": "F1", "auc": "AUC"}
SCORES = {
    "accuracy": "accuracy",
    "precision": "macro precision",
    "recall": "macro recall",
    "f1": "macro F1",
    "auc": "macro AUC",
}
VARYING = {"side": "{:.0f}", "head": "{}", "dropout": "{:g}", "weights": "{}"}
TRAINED = ["architecture", "head", "dropout", "weights", "side", "parameters", "trainable"]
TRAINED += ["batch", "epochs", "best_epoch", "kept", "monitor", "size_bytes"]
COUNTS = ["side", "parameters", "trainable", "batch", "epochs", "best_epoch", "size_bytes"]
NAMES = ["model", "task", "architecture", "head", "weights", "kept", "monitor"]


def score_columns(scores: Mapping[str, Any]) -> dict[str, object]:
    """Return the columns that every row has: n, accuracy, macro scores, F1 and AUC by finding."""
    columns: dict[str, object] = {"n": scores["n"], "accuracy": scores["accuracy"]}
    columns |= scores["macro"]
    for score in MACRO:
        columns |= {f"{score}_{name}": row[score] for name, row in scores["findings"].items()}
    return columns


def localisation_columns(localisation: Mapping[str, Any]) -> dict[str, object]:
    """Return the pointing game's columns, empty where no lesion is known."""
    names = {"n": "pointing_n", "share": "pointing", "chance_lungs": "pointing_chance"}
    return {column: localisation.get(key) for key, column in names.items()}


def build_table(
    metrics: Mapping[str, Any],
    summaries: Mapping[str, Mapping[str, Any]],
    localisations: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Build the table: models in the recipe's order, then ``majority`` of every task.

    Scores are those of the test films, on average over folds.
    """
    rows: list[dict[str, object]] = []
    for name, model in metrics["models"].items():
        best = metrics["tasks"][model["task"]]["best"]
        rows.append(
            {"model": name, "task": model["task"], "best": int(name == best)}
            | {key: summaries[name][key] for key in TRAINED}
            | {"folds": len(model["folds"])}
            | localisation_columns(localisations[name])
            | score_columns(average([fold["test"] for fold in model["folds"]]))
        )
    for name, task in metrics["tasks"].items():
        baseline = score_columns(task["majority"]["test"])
        rows.append({"model": MAJORITY, "task": name, "best": 0} | baseline)
    table = pd.DataFrame(rows)
    numbers = dict.fromkeys(table.columns.difference(NAMES), "float64")
    counts = dict.fromkeys([*COUNTS, "folds", "pointing_n"], "Int64")
    return table.astype(numbers).astype(counts | {"best": "int64", "n": "int64"})


def read_table(path: Path) -> pd.DataFrame:
    """Read the table as it was written; names stay text, and empty numbers are NaN."""
    names = dict.fromkeys(NAMES, "str")
    return pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that people compare, rounded, the best model marked with a star.

    Parameters
    ----------
    table
        The rows of one task. Of side, head, dropout and weights those are shown that vary.
    """
    shown = pd.DataFrame({"model": table["model"].where(table["best"] == 0, table["model"] + " *")})
    for column, said in VARYING.items():
        if len(set(table[column].dropna())) > 1:
            shown[column] = say(table[column], said)
    for column in ("parameters", "trainable"):
        shown[column] = say(table[column] / 1e6, "{:.2f} M")
    kept = table["best_epoch"].where(table["kept"] != "last", table["epochs"])
    shown["epochs"] = say(kept, "{:.0f}") + say(table["epochs"], " of {:.0f}")
    for column, name in SCORES.items():
        shown[name] = say(table[column], "{:.3f}")
    if table["pointing"].notna().any():
        shown["points at lesion"] = say(table["pointing"], "{:.0%}")
    return shown


def say(values: "pd.Series[Any]", said: str) -> "pd.Series[str]":
    """Write values as people read them; what is not known is an empty cell."""
    cells = ["" if pd.isna(value) else said.format(value) for value in values]
    return pd.Series(cells, index=values.index, dtype="str")


def finding_table(metrics: Mapping[str, Any], name: str) -> pd.DataFrame:
    """Return F1, or AUC, on the test films of each finding of a task by model, with n."""
    task = metrics["tasks"][name]
    score = CHOSEN_BY[task["kind"]]
    findings = task["majority"]["test"]["findings"]
    columns = {"finding": list(findings), "n test": [row["n"] for row in findings.values()]}
    for model, of_model in metrics["models"].items():
        if of_model["task"] == name:
            rows = average([fold["test"] for fold in of_model["folds"]])["findings"].values()
            values = pd.Series([row[score] for row in rows], dtype="float64")
            columns[f"{MACRO[score]} {model}"] = list(say(values, "{:.3f}"))
    return pd.DataFrame(columns)
