"""Write scores and curves as DVC compares them: one small JSON, and a table for every plot.

Every table has ``model`` and ``panel``, so that one template draws them all: models by colour,
panels side by side, versions by the pattern of the line.
"""

import argparse
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxrpipe.runtime import command, read_json, whole, write_json

LEARNING = {
    "train_loss": "loss, training",
    "validation_loss": "loss, validation",
    "validation_macro_f1": "macro F1, validation",
}
RELIABILITY = {"reliability": "as trained", "reliability_calibrated": "calibrated"}
Metrics = Mapping[str, Any]
log = logging.getLogger(__name__)


def tell_scores(metrics: Metrics) -> dict[str, dict[str, Any]]:
    """Return the best model of every task, and three scores of every model on the test films."""
    tests = {name: model["test"] for name, model in metrics["models"].items()}
    return {
        "best": {name: task["best"] for name, task in metrics["tasks"].items()},
        "accuracy": {name: test["accuracy"]["value"] for name, test in tests.items()},
        "macro_f1": {name: test["macro"]["f1"]["value"] for name, test in tests.items()},
        "macro_auc": {name: test["macro"]["auc"]["value"] for name, test in tests.items()},
    }


def build_learning(histories: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Build the learning curves of the first fold: ``epoch`` and ``value``."""
    parts = [
        pd.DataFrame(
            {"model": name, "panel": panel, "epoch": history["epoch"], "value": history[column]}
        )
        for column, panel in LEARNING.items()
        for name, history in histories.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset="value")


def build_roc(curves: pd.DataFrame) -> pd.DataFrame:
    """Build the ROC curves of every finding."""
    drawn = curves[(curves["curve"] == "roc") & (curves["finding"] != "")]
    columns = {"finding": "panel", "x": "false_positive_rate", "y": "sensitivity"}
    return drawn[["model", *columns]].rename(columns=columns)


def build_reliability(curves: pd.DataFrame) -> pd.DataFrame:
    """Build the reliability of probabilities, as trained and calibrated."""
    drawn = curves[curves["curve"].isin(RELIABILITY)]
    panels = drawn["curve"].map(RELIABILITY)
    return pd.DataFrame(
        {
            "model": drawn["model"],
            "panel": panels.where(drawn["finding"] == "", panels + ": " + drawn["finding"]),
            "probability": drawn["x"],
            "observed": drawn["y"],
        }
    )


def build_confusion(metrics: Metrics) -> pd.DataFrame:
    """Build a row for every answer of each task's best model to a test film of the first fold."""
    rows = [
        {"model": task["best"], "actual": actual, "predicted": predicted}
        for task in metrics["tasks"].values()
        if task["best"]
        for actual, predicted, count in _count(task, metrics["models"][task["best"]])
        for _ in range(count)
    ]
    return pd.DataFrame(rows, columns=["model", "actual", "predicted"])


def _count(task: Metrics, model: Metrics) -> Iterator[tuple[str, str, int]]:
    """Pass how often the model answered what to what, in words."""
    findings, counts = task["findings"], model["folds"][0]["test"]["confusion"]
    if task["kind"] == "single":
        tables = [(findings, counts)]
    else:
        tables = [([f"no {name}", name], own) for name, own in zip(findings, counts, strict=True)]
    for names, table in tables:
        for actual, row in zip(names, table, strict=True):
            for predicted, count in zip(names, row, strict=True):
                yield actual, predicted, count


@command
def main() -> None:
    """Write what DVC compares of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True, help="JSON to read")
    parser.add_argument("--curves", type=Path, required=True, help="table to read")
    parser.add_argument("--models", nargs="+", required=True, help="names of the models")
    parser.add_argument("--histories", nargs="+", type=Path, required=True, help="one a model")
    parser.add_argument("--scores", type=Path, required=True, help="JSON to write")
    parser.add_argument("--plots", type=Path, required=True, help="folder to write tables to")
    arguments = parser.parse_args()
    metrics = read_json(arguments.metrics)
    curves = pd.read_csv(arguments.curves, keep_default_na=False, na_values={"x": [""], "y": [""]})
    histories = dict(zip(arguments.models, map(pd.read_csv, arguments.histories), strict=True))
    tables = {
        "learning": build_learning(histories),
        "roc": build_roc(curves),
        "confusion": build_confusion(metrics),
        "reliability": build_reliability(curves),
    }
    for name, table in tables.items():
        with whole(arguments.plots / f"{name}.csv") as partial:
            table.to_csv(partial, index=False, float_format="%.6g", lineterminator="\n")
    write_json(arguments.scores, tell_scores(metrics))
    log.info(f"{len(tables)} plots of {len(histories)} models for dvc plots")


if __name__ == "__main__":
    main()
